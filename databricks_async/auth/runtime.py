"""Inside Databricks: the token of the notebook or job that this runs in."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from importlib import import_module
from typing import Any

from databricks_async.auth.token import Credential, Token, header_value
from databricks_async.auth.web import Web
from databricks_async.config import Config
from databricks_async.errors import AuthError, CredentialUnavailable
from databricks_async.secret import HiddenStr

_LIFE_SECONDS = 300.0
"""The runtime renews its tokens by itself and gives no end: it is asked again after so long."""


def runtime(config: Config, web: Web) -> Credential:
    """The runtime's own provider if it has one, else the context of the process, else that of the notebook."""
    return _Runtime()


class _Runtime:
    async def __call__(self) -> Token:
        _check_inside()
        value = await asyncio.to_thread(_token)
        if value is None:
            raise CredentialUnavailable("the Databricks runtime gives no token to this process")
        return Token(value, expires_in=_LIFE_SECONDS)

    async def find_host(self) -> str:
        """The workspace that this runs in."""
        _check_inside()
        host = await asyncio.to_thread(_host)
        if host is None:
            raise CredentialUnavailable("the Databricks runtime does not say which workspace this is")
        return host if "://" in host else f"https://{host}"


def _check_inside() -> None:
    if not os.environ.get("DATABRICKS_RUNTIME_VERSION"):
        raise CredentialUnavailable("this does not run inside Databricks (DATABRICKS_RUNTIME_VERSION is not set)")


def _host() -> str | None:
    return next((found[0] for source in (_provider, _repl, _notebook) if (found := source()) is not None), None)


def _token() -> HiddenStr | None:
    for source in (_provider, _repl, _notebook):
        found = source()
        if found is not None:
            try:
                return header_value(found[1]())
            except ValueError:
                continue
    return None


def _provider() -> tuple[str, Callable[[], Any]] | None:
    """What newer runtimes offer to the official SDK."""
    try:
        start = import_module("dbruntime.sdk_credential_provider").init_runtime_native_auth
    except (ImportError, AttributeError):
        return None
    found = _called(start)
    if not found or not found[0]:
        return None
    host, headers = found
    return host, lambda: HiddenStr(headers().get("Authorization", "").removeprefix("Bearer "))


def _repl() -> tuple[str, Callable[[], Any]] | None:
    """The context of this Python process, in notebooks and jobs."""
    try:
        get_context = import_module("dbruntime.databricks_repl_context").get_context
    except (ImportError, AttributeError):
        return None
    host = getattr(_called(get_context), "workspaceUrl", None)
    return (host, lambda: HiddenStr(get_context().apiToken or "")) if host else None


def _notebook() -> tuple[str, Callable[[], Any]] | None:
    """The context that `dbutils` holds, in older runtimes."""
    try:
        shell = import_module("IPython").get_ipython()
        tools = shell.ns_table["user_global"]["dbutils"].notebook.entry_point.getDbutils().notebook()
        host = tools.getContext().apiUrl().get()
    except (ImportError, AttributeError, KeyError):
        return None
    return (host, lambda: HiddenStr(tools.getContext().apiToken().get() or "")) if host else None


def _called(function: Callable[[], Any]) -> Any:
    try:
        return function()
    except Exception as error:
        # The runtime's own code, which differs between its versions.
        raise AuthError(f"the Databricks runtime failed to give a token: {type(error).__name__}") from None
