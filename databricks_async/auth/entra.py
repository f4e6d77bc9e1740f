"""Entra service principals: by secret, certificate, federated token file or GitHub; one implementation of them all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from databricks_async.auth.azure import AzureCredential, authority_of, find_tenant
from databricks_async.auth.oidc import github_id_token
from databricks_async.auth.token import Credential
from databricks_async.auth.token_endpoint import Grant, ask
from databricks_async.auth.token_file import read_token_file
from databricks_async.auth.web import Web
from databricks_async.config import Config
from databricks_async.errors import AuthError
from databricks_async.secret import HiddenStr, reveal

_EXCHANGE_AUDIENCE = "api://AzureADTokenExchange"
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

Proof: TypeAlias = Callable[[str], Awaitable[dict[str, str]]]
"""The form fields that prove who the client is, made for the token endpoint of this address."""


def client_secret(config: Config, web: Web) -> Credential:
    """ARM_CLIENT_ID, ARM_CLIENT_SECRET; ARM_TENANT_ID is found from the workspace if absent."""

    async def proof(_: str) -> dict[str, str]:
        return {"client_secret": reveal(config.azure_client_secret)}

    return _application(config, web, proof)


def client_certificate(config: Config, web: Web) -> Credential:
    """ARM_CLIENT_ID, ARM_CLIENT_CERTIFICATE_PATH and _PASSWORD: PEM or PKCS12, read anew for each token."""

    async def proof(url: str) -> dict[str, str]:
        from databricks_async.auth.certificates import signed_assertion

        assertion = await asyncio.to_thread(
            signed_assertion,
            config.azure_client_certificate_path or "",
            reveal(config.azure_client_certificate_password),
            client_id=config.azure_client_id or "",
            audience=url,
        )
        return _assertion(assertion)

    return _application(config, web, proof)


def workload_identity(config: Config, web: Web) -> Credential:
    """What the webhook of AKS sets: AZURE_CLIENT_ID, AZURE_TENANT_ID, AZURE_FEDERATED_TOKEN_FILE, _AUTHORITY_HOST.

    The file is read anew for each token: its owner renews it.
    """

    async def proof(_: str) -> dict[str, str]:
        path = config.azure_federated_token_file or ""
        return _assertion(await read_token_file(path, "the federated token file"))

    return _application(config, web, proof)


def github_azure(config: Config, web: Web) -> Credential:
    """The id token of a GitHub workflow as the assertion; a new one for each token, since it lives for minutes."""

    async def proof(_: str) -> dict[str, str]:
        return _assertion(await github_id_token(web, _EXCHANGE_AUDIENCE))

    return _application(config, web, proof)


def token_url(config: Config, tenant: str) -> str:
    """The v2 token endpoint of a tenant."""
    return f"{authority_of(config)}/{tenant}/oauth2/v2.0/token"


def _application(config: Config, web: Web, proof: Proof) -> AzureCredential:
    what = f"no Entra token for the service principal {config.azure_client_id!r}"
    found_tenant: str | None = None

    async def grant_for(audience: str) -> Grant:
        nonlocal found_tenant
        tenant = config.azure_tenant_id or found_tenant
        if tenant is None:
            tenant = found_tenant = await find_tenant(config, web)
        url = token_url(config, tenant)
        form = {
            "grant_type": "client_credentials",
            "client_id": config.azure_client_id or "",
            "scope": f"{audience}/.default",
            **await proof(url),
        }
        try:
            return await ask(web, url, form, what=what)
        except AuthError as error:
            if error.status == 404:
                found_tenant = None  # it has moved: found anew by the next call
            raise

    return AzureCredential(config, web, grant_for)


def _assertion(value: HiddenStr) -> dict[str, str]:
    return {"client_assertion_type": _ASSERTION_TYPE, "client_assertion": value}
