"""A credential that the caller brings: checked when it is handed in, and made into one of ours."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from databricks_async.auth.token import Credential, Token
from databricks_async.config import Config
from databricks_async.errors import AuthError, InvalidCredential

if TYPE_CHECKING:
    from databricks_async.auth.web import Web

_WANTED = "credential= takes an async function that returns a Token, or an async credential of azure-identity"


def check_credential(credential: Any) -> None:
    """Raises `InvalidCredential` for what cannot be one, with what it is and what it should be."""
    if isinstance(credential, str | bytes):
        raise InvalidCredential(f"{_WANTED}, not text: give a token as token=")
    if isinstance(credential, Token):
        raise InvalidCredential(f"{_WANTED}, not a Token: give its text as token=, or a function that returns it")
    if inspect.iscoroutine(credential):
        credential.close()  # or Python warns that it was never awaited
        raise InvalidCredential(f"{_WANTED}, not what it returned: give the function without calling it")
    if inspect.isclass(credential):
        raise InvalidCredential(f"{_WANTED}, not a class: make an instance of {credential.__name__}")
    if not callable(credential) and not hasattr(credential, "get_token"):
        raise InvalidCredential(f"{_WANTED}, not a {type(credential).__name__}")


def handed_in(credential: Any, config: Config, web: Web) -> Credential:
    """What the session calls for a token. It stays open: its owner closes it."""
    if hasattr(credential, "get_token"):
        from databricks_async.auth.azure_core import adapted

        credential = adapted(credential, config, web)
    if config.host:
        return credential  # type: ignore[no-any-return]

    async def fetch() -> Token:
        if not config.known_host():
            find = getattr(credential, "find_host", None)
            if find is None:
                raise AuthError("host (DATABRICKS_HOST) is not set, and the credential that was passed cannot find it")
            config.remember(host=await find(), source="found by the credential that was passed")
        token: Token = await credential()
        return token

    return fetch
