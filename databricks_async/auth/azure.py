"""What is particular to Azure: clouds, the application's id, the tenant and host of a workspace, the extra headers."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import TypeAlias
from urllib.parse import quote, urlsplit

import attrs

from databricks_async.auth.token import Token
from databricks_async.auth.token_endpoint import Grant, claims
from databricks_async.auth.web import Web, refusal
from databricks_async.config import Config
from databricks_async.error_bodies import header
from databricks_async.errors import AuthError, DatabricksError
from databricks_async.secret import hide

MANAGEMENT_HEADER = "X-Databricks-Azure-SP-Management-Token"
RESOURCE_ID_HEADER = "X-Databricks-Azure-Workspace-Resource-Id"
_APPLICATION = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d"
# Zones of Databricks' own, whose application is another one (the official SDK's environments.py).
_ZONES = {
    ".dev.azuredatabricks.net": "62a912ac-b58e-4c1d-89ea-b2dbfc7358fc",
    ".staging.azuredatabricks.net": "4a67d088-db5c-48f1-9ff2-0aace800ae68",
}
_TENANT = re.compile(r"/([0-9A-Za-z][0-9A-Za-z.-]{0,127})/oauth2/.*")


@attrs.frozen
class Cloud:
    """One of Azure's clouds."""

    name: str
    suffix: str
    login_host: str
    arm_host: str
    management_audience: str

    @property
    def arm_audience(self) -> str:
        return f"https://{self.arm_host}/"


CLOUDS = {
    cloud.name: cloud
    for cloud in (
        Cloud(
            "PUBLIC",
            ".azuredatabricks.net",
            "login.microsoftonline.com",
            "management.azure.com",
            "https://management.core.windows.net/",
        ),
        Cloud(
            "USGOVERNMENT",
            ".databricks.azure.us",
            "login.microsoftonline.us",
            "management.usgovcloudapi.net",
            "https://management.core.usgovcloudapi.net/",
        ),
        Cloud(
            "CHINA",
            ".databricks.azure.cn",
            "login.chinacloudapi.cn",
            "management.chinacloudapi.cn",
            "https://management.core.chinacloudapi.cn/",
        ),
    )
}


def cloud_of(config: Config) -> Cloud:
    """The cloud by the host's suffix, else by ARM_ENVIRONMENT, else by AZURE_AUTHORITY_HOST, else, without a host, the
    public one. Raises `AuthError` when nothing says which."""
    name = urlsplit(config.host).hostname or ""
    for cloud in CLOUDS.values():
        if name.endswith(cloud.suffix):
            return cloud
    if config.azure_environment:
        if (found := CLOUDS.get(config.azure_environment)) is not None:
            return found
        raise AuthError(f"ARM_ENVIRONMENT is {config.azure_environment!r}: known are {', '.join(CLOUDS)}")
    if config.azure_authority_host:
        authority = urlsplit(login_url(config.azure_authority_host)).hostname
        return next((cloud for cloud in CLOUDS.values() if cloud.login_host == authority), CLOUDS["PUBLIC"])
    if not name:
        return CLOUDS["PUBLIC"]
    suffixes = ", ".join(cloud.suffix for cloud in CLOUDS.values())
    raise AuthError(
        f"which cloud of Azure {config.host} belongs to is not known, since it ends in none of {suffixes}: "
        "set ARM_ENVIRONMENT to PUBLIC, USGOVERNMENT or CHINA"
    )


def login_url(authority: str) -> str:
    """`https://login.microsoftonline.com`, however it is written: without a scheme, with a final slash."""
    return (authority if "://" in authority else f"https://{authority}").rstrip("/")


def authority_of(config: Config) -> str:
    """The address of Entra: AZURE_AUTHORITY_HOST, or that of the cloud."""
    return login_url(config.azure_authority_host or cloud_of(config).login_host)


def application_id(config: Config) -> str:
    """The application that stands for Azure Databricks in Entra: the audience of its tokens."""
    name = urlsplit(config.host).hostname or ""
    return next((zone_id for zone, zone_id in _ZONES.items() if name.endswith(zone)), _APPLICATION)


async def find_tenant(config: Config, web: Web) -> str:
    """The tenant of a workspace, which its login page names. Raises `AuthError` if it does not."""
    if not config.host:
        raise AuthError("the tenant is not known, and without a host it cannot be found: set ARM_TENANT_ID")
    what = f"the tenant of {config.host} was not found, set ARM_TENANT_ID"
    url = f"{config.host}/aad/auth"
    try:
        response = await web.send("GET", url)
    except AuthError:
        raise
    except DatabricksError as error:
        raise AuthError(f"{what}: {error.message}", **error.about()) from error
    if not 300 <= response.status < 400:
        if response.status < 300:
            raise AuthError(
                f"{what}: it has no login page of Entra", status=response.status, endpoint=web.endpoint("GET", url)
            )
        raise refusal(what, response, web.endpoint("GET", url))
    try:
        found = _TENANT.fullmatch(urlsplit(header(response.headers, "location") or "").path)
    except ValueError:
        found = None
    if found is None:
        raise AuthError(f"{what}: its login page names none", status=response.status, endpoint=web.endpoint("GET", url))
    return found[1]


GrantFor: TypeAlias = Callable[[str], Awaitable[Grant]]
"""A grant for an audience, as Azure's first version names it: an application's id, or an address with a final slash."""


class AzureCredential:
    """A credential of a service principal or managed identity, which Azure gives tokens for any audience."""

    def __init__(self, config: Config, web: Web, grant_for: GrantFor) -> None:
        self._config = config
        self._web = web
        self._grant_for = grant_for

    async def __call__(self) -> Token:
        """The workspace's token. With a resource id, a management token travels beside it: the workspace takes the
        three of them for an identity that is no user of it but has a role on it in Azure."""
        config = self._config
        if not config.azure_workspace_resource_id:
            return (await self._grant_for(application_id(config))).token()
        return await self._with_management_token()

    async def _with_management_token(self, grant: Grant | None = None) -> Token:
        config = self._config
        management = await self._grant_for(cloud_of(config).management_audience)
        headers = {
            MANAGEMENT_HEADER: management.access_token,
            RESOURCE_ID_HEADER: config.azure_workspace_resource_id or "",
        }
        grant = grant or await self._grant_for(application_id(config))
        return grant.token(headers, at_most=management.seconds_left())

    async def find_host(self) -> str:
        """The address of the workspace with this resource id, from Azure Resource Manager."""
        cloud, resource_id = cloud_of(self._config), self._config.azure_workspace_resource_id or ""
        what = f"the host of {resource_id} was not found, set DATABRICKS_HOST"
        grant = await self._grant_for(cloud.arm_audience)
        url = f"https://{cloud.arm_host}/{quote(resource_id.strip('/'))}?api-version=2018-04-01"
        headers = {"Authorization": hide(f"Bearer {grant.access_token}")}
        properties = (await self._web.json("GET", url, what=what, headers=headers)).get("properties")
        address = properties.get("workspaceUrl") if isinstance(properties, dict) else None
        if not isinstance(address, str) or not address:
            raise AuthError(f"{what}: the answer has no usable 'workspaceUrl'", endpoint=self._web.endpoint("GET", url))
        return f"https://{address}"


class AnyLogin(AzureCredential):
    """A credential of the current login, a person or an application: a person's token needs no management token."""

    async def __call__(self) -> Token:
        config = self._config
        if not config.azure_workspace_resource_id:
            return (await self._grant_for(application_id(config))).token()
        grant = await self._grant_for(application_id(config))
        if _is_person(grant.access_token):
            return grant.token({RESOURCE_ID_HEADER: config.azure_workspace_resource_id})
        return await self._with_management_token(grant)


def _is_person(token: str) -> bool:
    """Whether a token is a person's: only theirs name a user, or what the user has delegated."""
    known = claims(token)
    return not known or (known.get("idtyp") != "app" and ("upn" in known or "scp" in known))
