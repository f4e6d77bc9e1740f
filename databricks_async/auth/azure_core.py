"""A credential of the Azure SDK, such as `azure.identity.aio.DefaultAzureCredential()`, as one of ours."""

from __future__ import annotations

import inspect
from typing import Any

from databricks_async.auth.azure import application_id
from databricks_async.auth.token import Credential, Token
from databricks_async.auth.web import Web
from databricks_async.config import Config
from databricks_async.error_bodies import one_line
from databricks_async.errors import AuthError
from databricks_async.secret import HiddenStr


def adapted(credential: Any, config: Config, web: Web) -> Credential:
    """Our credential around an `azure.core` async one. It stays open: its owner closes it.

    Raises TypeError for a synchronous one, whose look-ups would hold up the event loop.
    """
    kind = f"{type(credential).__module__}.{type(credential).__qualname__}"
    get_token = credential.get_token
    if not inspect.iscoroutinefunction(get_token) and type(credential).__module__.startswith("azure.identity."):
        raise TypeError(_sync(kind))

    async def fetch() -> Token:
        scope = f"{application_id(config)}/.default"
        try:
            asked = get_token(scope)
            if not inspect.isawaitable(asked):
                raise TypeError(_sync(kind))
            access = await asked
        except TypeError as error:
            raise AuthError(f"{kind}: {_words(error)}") from None
        except Exception as error:
            # Without the cause: its frames hold the requests and secrets of the credential.
            raise AuthError(f"{kind} gave no token: {_words(error)}") from None
        value, end = getattr(access, "token", None), getattr(access, "expires_on", None)
        if not isinstance(value, str):
            raise AuthError(f"{kind}.get_token gave {type(access).__name__}: it should give an azure.core AccessToken")
        try:
            return Token(HiddenStr(value), end)
        except ValueError as error:
            reason = str(error)
        raise AuthError(f"{kind}.get_token gave a token that cannot be used: {reason}")

    return fetch


def _sync(kind: str) -> str:
    name = kind.rpartition(".")[2]
    return (
        f"credential is a {kind}, whose get_token is synchronous and would hold up the event loop: "
        f"use the asynchronous one, as from azure.identity.aio import {name}"
    )


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {one_line(str(error), 500)}" if str(error) else type(error).__name__
