"""Pipelines: an id token from GitHub, Azure DevOps, the environment or a file, exchanged at the workspace."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import TypeAlias
from urllib.parse import quote

from databricks_async.auth.oauth import scopes_of
from databricks_async.auth.token import Credential, Token, header_value
from databricks_async.auth.token_endpoint import WorkspaceEndpoints
from databricks_async.auth.token_file import read_token_file
from databricks_async.auth.web import Web
from databricks_async.config import Config
from databricks_async.errors import AuthError, CredentialUnavailable
from databricks_async.secret import HiddenStr, hide

_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
_JWT = "urn:ietf:params:oauth:token-type:jwt"
_DEVOPS_VARIABLES = (
    "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI",
    "SYSTEM_TEAMPROJECTID",
    "SYSTEM_HOSTTYPE",
    "SYSTEM_PLANID",
    "SYSTEM_JOBID",
)

IdToken: TypeAlias = Callable[[WorkspaceEndpoints], Awaitable[HiddenStr]]
"""Gets a new id token, for the workspace of these endpoints."""


def from_environment(config: Config, web: Web) -> Credential:
    """The id token in DATABRICKS_OIDC_TOKEN, or in the variable that `oidc_token_env` names; read at each fetch."""

    async def id_token(_: WorkspaceEndpoints) -> HiddenStr:
        name = config.oidc_token_env or "DATABRICKS_OIDC_TOKEN"
        return _environment_token(name, "it should hold an OIDC id token")

    return _exchanged(config, web, id_token, "the id token of the environment")


def from_file(config: Config, web: Web) -> Credential:
    """The id token in the file `oidc_token_filepath`; read at each fetch."""

    async def id_token(_: WorkspaceEndpoints) -> HiddenStr:
        return await read_token_file(config.oidc_token_filepath or "", "the id token file")

    return _exchanged(config, web, id_token, f"the id token of {config.oidc_token_filepath}")


def github(config: Config, web: Web) -> Credential:
    """The id token of a GitHub workflow that has `permissions: id-token: write`."""

    async def id_token(endpoints: WorkspaceEndpoints) -> HiddenStr:
        return await github_id_token(web, await _audience(config, web, endpoints))

    return _exchanged(config, web, id_token, "the id token of GitHub")


def azure_devops(config: Config, web: Web) -> Credential:
    """The id token of an Azure DevOps job, which has to map SYSTEM_ACCESSTOKEN in its `env:`."""

    async def id_token(_: WorkspaceEndpoints) -> HiddenStr:
        return await _azure_devops_id_token(web)

    return _exchanged(config, web, id_token, "the id token of Azure DevOps")


async def github_id_token(web: Web, audience: str) -> HiddenStr:
    """A new id token of the GitHub workflow that this runs in."""
    url = os.environ.get("ACTIONS_ID_TOKEN_REQUEST_URL", "").strip()
    if not url or not os.environ.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "").strip():
        raise CredentialUnavailable(
            "ACTIONS_ID_TOKEN_REQUEST_URL and ACTIONS_ID_TOKEN_REQUEST_TOKEN are not set: "
            "in a GitHub workflow, give the job `permissions: id-token: write`"
        )
    what = "no id token from GitHub"
    bearer = _environment_token("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "GitHub sets it")
    address = f"{url}{'&' if '?' in url else '?'}audience={quote(audience, safe='')}"
    headers = {"Authorization": hide(f"Bearer {bearer}")}
    answer = await web.json("GET", address, what=what, headers=headers)
    return _token_in(answer, "value", what)


async def _azure_devops_id_token(web: Web) -> HiddenStr:
    missing = [name for name in (*_DEVOPS_VARIABLES, "SYSTEM_ACCESSTOKEN") if not os.environ.get(name, "").strip()]
    if missing:
        hint = (
            ": map it in the step's env (SYSTEM_ACCESSTOKEN: $(System.AccessToken))"
            if "SYSTEM_ACCESSTOKEN" in missing
            else ""
        )
        raise CredentialUnavailable(f"{' and '.join(missing)} not set, as Azure DevOps does in a pipeline{hint}")
    collection, project, kind, plan, job = (os.environ[name].strip() for name in _DEVOPS_VARIABLES)
    what = "no id token from Azure DevOps"
    bearer = _environment_token("SYSTEM_ACCESSTOKEN", "Azure DevOps gives it")
    url = (
        f"{collection.rstrip('/')}/{project}/_apis/distributedtask/hubs/{kind}/plans/{plan}/jobs/{job}/oidctoken"
        "?api-version=7.2-preview.1"
    )
    # Without the second header a refusal is a redirect to a login page.
    headers = {"Authorization": hide(f"Bearer {bearer}"), "X-TFS-FedAuthRedirect": "Suppress"}
    answer = await web.json("POST", url, what=what, headers={**headers, "Content-Type": "application/json"})
    return _token_in(answer, "oidcToken", what)


def _exchanged(config: Config, web: Web, id_token: IdToken, source: str) -> Credential:
    endpoints = WorkspaceEndpoints(web, config.host, config.discovery_url)

    async def fetch() -> Token:
        form = {
            "grant_type": _EXCHANGE,
            "subject_token": await id_token(endpoints),
            "subject_token_type": _JWT,
            "scope": scopes_of(config),
        }
        if config.client_id:
            form["client_id"] = config.client_id
        return (await endpoints.ask(form, what=f"the workspace gave no token for {source}")).token()

    return fetch


async def _audience(config: Config, web: Web, endpoints: WorkspaceEndpoints) -> str:
    """What the workspace's federation policy is likely to ask for, by the official SDK's rule."""
    if config.token_audience:
        return config.token_audience
    what = "no audience for the id token"
    try:
        metadata = await web.json("GET", f"{config.host}/.well-known/databricks-config", what=what)
    except AuthError:
        metadata = {}  # an older workspace, or a gateway in front of it
    audiences = metadata.get("token_federation_default_oidc_audiences")
    if isinstance(audiences, list) and audiences and isinstance(audiences[0], str):
        return audiences[0]
    account = config.account_id or metadata.get("account_id")
    if isinstance(account, str) and account and not (config.workspace_id or metadata.get("workspace_id")):
        return account
    return await endpoints.find(what=what)


def _environment_token(name: str, hint: str) -> HiddenStr:
    try:
        return header_value(os.environ.get(name, "").strip())
    except ValueError:
        raise AuthError(f"the environment variable {name} is not set or holds no token: {hint}") from None


def _token_in(answer: dict[str, object], field: str, what: str) -> HiddenStr:
    try:
        return header_value(answer.get(field))
    except ValueError:
        raise AuthError(f"{what}: the answer has no usable {field!r}") from None
