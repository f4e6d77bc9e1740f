"""A personal access token, or any other token that is given as it is: never renewed."""

from __future__ import annotations

from databricks_async.auth.token import Credential, Token
from databricks_async.config import Config
from databricks_async.secret import reveal


def personal_access_token(config: Config, web: object) -> Credential:
    """`token` as it is. No request is made for it."""
    token = Token(reveal(config.token))

    async def fetch() -> Token:
        return token

    return fetch
