"""A personal access token: given once, never renewed."""

from __future__ import annotations

from databricks_async.auth.token import Credential, Token


def personal_access_token(value: str) -> Credential:
    token = Token(value)

    async def fetch() -> Token:
        return token

    return fetch
