"""Databricks OAuth, machine to machine: a service principal's id and secret for a token that lives an hour."""

from __future__ import annotations

import base64
from urllib.parse import quote

from databricks_async.auth.token import Credential, Token
from databricks_async.auth.token_endpoint import WorkspaceEndpoints
from databricks_async.auth.web import Web
from databricks_async.config import Config
from databricks_async.secret import HiddenStr, hide, reveal


def scopes_of(config: Config) -> str:
    """The scopes to ask a workspace for."""
    return " ".join(config.scopes) or "all-apis"


def machine_to_machine(config: Config, web: Web) -> Credential:
    """A credential that asks the workspace's own token endpoint. No request before it is called."""
    client_id = config.client_id or ""
    endpoints = WorkspaceEndpoints(web, config.host, config.discovery_url)
    what = f"no token for the service principal {client_id!r}"

    async def fetch() -> Token:
        form = {"grant_type": "client_credentials", "scope": scopes_of(config)}
        grant = await endpoints.ask(form, what=what, headers={"Authorization": _basic(config)})
        return grant.token()

    return fetch


def _basic(config: Config) -> HiddenStr:
    """HTTP Basic, both parts form-encoded as RFC 6749 has it."""
    login = hide(f"{quote(config.client_id or '', safe='')}:{quote(reveal(config.client_secret), safe='')}")
    return HiddenStr(f"Basic {base64.b64encode(login.encode()).decode()}")
