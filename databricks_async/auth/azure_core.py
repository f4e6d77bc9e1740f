"""A credential of the Azure SDK, such as `azure.identity.aio.DefaultAzureCredential()`, as one of ours."""

from __future__ import annotations

import inspect
import time
from typing import Any

from databricks_async.auth.azure import AnyLogin
from databricks_async.auth.token import Credential, Token
from databricks_async.auth.token_endpoint import Grant
from databricks_async.auth.web import Web
from databricks_async.config import Config
from databricks_async.error_bodies import one_line
from databricks_async.errors import AuthError, InvalidCredential
from databricks_async.secret import HiddenStr


def adapted(credential: Any, config: Config, web: Web) -> Credential:
    """Our credential around an `azure.core` async one. It stays open: its owner closes it.

    Raises `InvalidCredential` for a synchronous one, whose look-ups would hold up the event loop.
    """
    kind = f"{type(credential).__module__}.{type(credential).__qualname__}"
    get_token = credential.get_token
    if not inspect.iscoroutinefunction(get_token) and kind.startswith("azure.identity."):
        raise InvalidCredential(_synchronous(kind))

    async def grant_for(audience: str) -> Grant:
        access, reason = None, ""
        try:
            asked = get_token(f"{audience}/.default")
            if not inspect.isawaitable(asked):
                raise InvalidCredential(_synchronous(kind))
            access = await asked
        except AuthError:
            raise
        except Exception as error:
            reason = f"{type(error).__name__}: {one_line(config.hide_secrets(str(error)))}".removesuffix(": ")
        if reason:
            # Without the cause: its frames hold the requests and secrets of the credential.
            raise AuthError(f"{kind} gave no token: {reason}")
        return _grant(access, kind)

    return AnyLogin(config, web, grant_for)


def _grant(access: Any, kind: str) -> Grant:
    value, end = getattr(access, "token", None), getattr(access, "expires_on", None)
    reason = f"{type(access).__name__}, not an azure.core AccessToken"
    if isinstance(value, str):
        try:
            token = Token(HiddenStr(value), end)  # which checks both
            return Grant(token.value, time.monotonic(), expires_at=token.expires_at)
        except ValueError as error:
            reason = f"a token that cannot be used: {error}"
    raise InvalidCredential(f"{kind}.get_token returned {reason}")


def _synchronous(kind: str) -> str:
    hint = (
        f": use the asynchronous one, azure.identity.aio.{kind.rpartition('.')[2]}" if "azure.identity" in kind else ""
    )
    return f"credential is a {kind}, whose get_token is synchronous and would hold up the event loop{hint}"
