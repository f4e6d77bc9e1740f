"""Managed identities: tokens from the machine's own endpoint, IMDS or App Service, never through a proxy."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from databricks_async.auth.azure import AzureCredential
from databricks_async.auth.token import Credential
from databricks_async.auth.token_endpoint import Grant, grant_in
from databricks_async.auth.web import Web, is_success, json_object, refusal
from databricks_async.config import Config
from databricks_async.errors import AuthError, ConnectError, CredentialUnavailable, DatabricksError
from databricks_async.message import Response
from databricks_async.secret import hide

_IMDS = "http://169.254.169.254"
_IMDS_PATH = "/metadata/identity/oauth2/token"
_WHAT = "no token for the managed identity"
# learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token, "Retry guidance":
# the endpoint answers so while it is being updated, for up to 70 s.
_UPDATING = frozenset({404, 410})
_UPDATING_SECONDS = 70.0
_FIRST_PAUSE_SECONDS = 0.8
_MAX_PAUSE_SECONDS = 12.8


def managed_identity(config: Config, web: Web) -> Credential:
    """The identity of this machine or app; user-assigned by client id, object id or resource id if one is set.

    Asked only on request (ARM_USE_MSI or auth_type azure-msi): in AKS the node's identity is another than the pod's.
    """

    async def grant_for(audience: str) -> Grant:
        endpoint = os.environ.get("IDENTITY_ENDPOINT", "").strip()
        header = os.environ.get("IDENTITY_HEADER", "").strip()
        if endpoint and header:
            if os.environ.get("IDENTITY_SERVER_THUMBPRINT"):
                raise _not_offered("Service Fabric")
            return await _from_app_service(config, web, audience, endpoint)
        if endpoint and os.environ.get("IMDS_ENDPOINT"):
            raise _not_offered("Azure Arc")
        if os.environ.get("MSI_ENDPOINT"):
            raise _not_offered("Azure Machine Learning or the Cloud Shell")
        return await _from_imds(config, web, audience)

    return AzureCredential(config, web, grant_for)


def _not_offered(platform: str) -> AuthError:
    return AuthError(
        f"{_WHAT}: this is {platform}, whose endpoint is asked by azure-identity only: hand in "
        "azure.identity.aio.ManagedIdentityCredential() as the credential"
    )


async def _from_imds(config: Config, web: Web, audience: str) -> Grant:
    base = os.environ.get("AZURE_POD_IDENTITY_AUTHORITY_HOST", "").strip().rstrip("/") or _IMDS
    identity = _identity(config, client="client_id", object_="object_id", resource="msi_res_id")
    url = f"{base}{_IMDS_PATH}?{urlencode({'api-version': '2018-02-01', 'resource': audience, **identity})}"
    asked_at = time.monotonic()
    give_up_at = asked_at + min(_UPDATING_SECONDS, config.retry_timeout_seconds)
    pause = _FIRST_PAUSE_SECONDS
    while True:
        response = await _get(web, url, {"Metadata": "true"}, seconds=10.0)
        if response.status not in _UPDATING or time.monotonic() + pause > give_up_at:
            break
        await asyncio.sleep(pause)
        pause = min(2 * pause, _MAX_PAUSE_SECONDS)
        asked_at = time.monotonic()
    if response.status == 403 and b"unreachable" in response.body:
        # Docker Desktop answers for the address that it cannot reach.
        raise CredentialUnavailable(f"{_WHAT}: {base} is not reachable from here: this is no machine of Azure")
    return _grant(response, base + _IMDS_PATH, asked_at)


async def _from_app_service(config: Config, web: Web, audience: str, endpoint: str) -> Grant:
    """App Service, Functions and Container Apps."""
    identity = _identity(config, client="client_id", object_="principal_id", resource="mi_res_id")
    query = urlencode({"api-version": "2019-08-01", "resource": audience, **identity})
    headers = {"X-IDENTITY-HEADER": hide(os.environ.get("IDENTITY_HEADER", "").strip())}
    asked_at = time.monotonic()
    url = f"{endpoint}{'&' if '?' in endpoint else '?'}{query}"
    return _grant(await _get(web, url, headers, seconds=30.0), endpoint.partition("?")[0], asked_at)


async def _get(web: Web, url: str, headers: Mapping[str, str], *, seconds: float) -> Response:
    try:
        # The platform's own link-local or loopback address, for which it has no TLS.
        return await web.send("GET", url, headers=headers, direct=True, seconds=seconds, plain=True)
    except ConnectError as error:
        reason = f"{_WHAT}: {error.message}; is this a machine of Azure with a managed identity?"
        raise CredentialUnavailable(reason, **error.about()) from error
    except AuthError:
        raise
    except DatabricksError as error:
        raise AuthError(f"{_WHAT}: {error.message}", **error.about()) from error


def _identity(config: Config, *, client: str, object_: str, resource: str) -> dict[str, str]:
    """The parameter that picks a user-assigned identity; none for the system-assigned one."""
    chosen: dict[str, Any] = {
        client: config.azure_client_id,
        object_: config.azure_msi_object_id,
        resource: config.azure_msi_resource_id,
    }
    chosen = {name: value for name, value in chosen.items() if value}
    if len(chosen) > 1:
        raise AuthError(
            f"{_WHAT}: name the identity by one of azure_client_id, azure_msi_object_id and azure_msi_resource_id"
        )
    return chosen


def _grant(response: Response, endpoint: str, asked_at: float) -> Grant:
    if not is_success(response):
        raise refusal(_WHAT, response, f"GET {endpoint}")
    return grant_in(json_object(response) or {}, asked_at, response, f"GET {endpoint}", what=_WHAT)
