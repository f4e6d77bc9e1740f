"""The chain: the ways to authorize in the official order, and the one that serves."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import attrs

from databricks_async.auth.token import Credential, Token
from databricks_async.config import Config
from databricks_async.config.methods import NEEDS
from databricks_async.errors import AuthError, CredentialUnavailable

if TYPE_CHECKING:
    from databricks_async.auth.web import Web

_AZURE_HOSTS = (".azuredatabricks.net", ".databricks.azure.us", ".databricks.azure.cn")
_GITHUB = ("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")
_DEVOPS = (
    "SYSTEM_ACCESSTOKEN",
    "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI",
    "SYSTEM_TEAMPROJECTID",
    "SYSTEM_HOSTTYPE",
    "SYSTEM_PLANID",
    "SYSTEM_JOBID",
)


@attrs.frozen(eq=False, repr=False)
class Way:
    """One row of the chain."""

    auth_type: str
    factory: str
    """The module of `databricks_async.auth` and its function `(config, web) -> Credential`, imported on first use."""
    lacks: Callable[[Config], Iterator[str]]
    """What has to be set, or to be around, before this way is tried, and is not."""
    ambient: bool = False
    """Without settings of its own, so that its failure is no reason to stop: this identity was not asked for."""
    on_request: bool = False
    """Tried only if `auth_type` names it."""


def _settings(config: Config, *names: str) -> Iterator[str]:
    for name in names:
        if getattr(config, name) is None:
            yield attrs.fields_dict(Config)[name].metadata["env"][0]


def _variables(*names: str) -> Iterator[str]:
    return (name for name in names if not os.environ.get(name, "").strip())


def _needs(auth_type: str, *variables: str) -> Callable[[Config], Iterator[str]]:
    def lacks(config: Config) -> Iterator[str]:
        yield from _settings(config, *NEEDS[auth_type])
        yield from _variables(*variables)

    return lacks


def _lacks_id_token(config: Config) -> Iterator[str]:
    return _variables(config.oidc_token_env or "DATABRICKS_OIDC_TOKEN")


def _lacks_identity(config: Config) -> Iterator[str]:
    if not config.azure_use_msi and config.auth_type != "azure-msi":
        yield "ARM_USE_MSI"


def _lacks_federation(config: Config) -> Iterator[str]:
    yield from _settings(config, "azure_federated_token_file")
    if (config.azure_client_id or config.azure_federated_client_id) is None:
        yield "AZURE_CLIENT_ID"


def _lacks_azure_host(config: Config) -> Iterator[str]:
    of_azure = (urlsplit(config.host).hostname or "").endswith(_AZURE_HOSTS)
    known = of_azure or config.azure_environment or config.azure_workspace_resource_id
    if not known and config.auth_type != "azure-cli":
        yield f"a host under {', '.join(_AZURE_HOSTS)}, or ARM_ENVIRONMENT"


def _lacks_nothing(config: Config) -> Iterator[str]:
    return iter(())


WAYS = (
    Way("pat", "pat:personal_access_token", _needs("pat")),
    Way("metadata-service", "metadata:metadata_service", _needs("metadata-service")),
    Way("oauth-m2m", "oauth:machine_to_machine", _needs("oauth-m2m")),
    Way("env-oidc", "oidc:from_environment", _lacks_id_token),
    Way("file-oidc", "oidc:from_file", _needs("file-oidc")),
    Way("github-oidc", "oidc:github", _needs("github-oidc", *_GITHUB)),
    Way("azure-client-secret", "entra:client_secret", _needs("azure-client-secret")),
    Way("azure-client-certificate", "entra:client_certificate", _needs("azure-client-certificate")),
    Way("azure-msi", "managed_identity:managed_identity", _lacks_identity),
    Way("github-oidc-azure", "entra:github_azure", _needs("github-oidc-azure", *_GITHUB)),
    Way("azure-workload-identity", "entra:workload_identity", _lacks_federation),
    Way("azure-cli", "command_lines:azure_cli", _lacks_azure_host, ambient=True),
    Way("azure-devops-oidc", "oidc:azure_devops", _needs("azure-devops-oidc", *_DEVOPS)),
    Way("external-browser", "interactive:external_browser", _lacks_nothing, ambient=True),
    Way("azure-browser", "interactive:azure_browser", _needs("azure-browser"), on_request=True),
    Way("databricks-cli", "command_lines:databricks_cli", _lacks_nothing, ambient=True),
    Way("runtime", "runtime:runtime", _needs("runtime", "DATABRICKS_RUNTIME_VERSION"), ambient=True),
)


class Chain:
    """A credential: the first way that is configured and serves. It keeps to that one from its first token on.

    A way that is not there is passed over, and one without settings of its own also when it fails. One that was
    configured and fails ends the chain with its error: a wrong secret must not end in the login that `az` holds.
    """

    def __init__(self, config: Config, web: Web) -> None:
        self._config = config
        self._web = web
        self._made: dict[str, Credential] = {}
        self._chosen: Way | None = None

    async def __call__(self) -> Token:
        if self._chosen is not None:
            return await self._token_of(self._chosen)
        tried, unset = [], []
        for way in WAYS:
            if self._config.auth_type not in (way.auth_type, None):
                continue
            missing = [*way.lacks(self._config)]
            if way.on_request and self._config.auth_type is None:
                missing.insert(0, f"DATABRICKS_AUTH_TYPE={way.auth_type}")
            if missing:
                unset.append(f"{way.auth_type} ({', '.join(missing)})")
                continue
            try:
                token = await self._token_of(way)
            except AuthError as error:
                passed_over = isinstance(error, CredentialUnavailable) or way.ambient
                if not passed_over or self._config.auth_type is not None:
                    raise
                tried.append(f"{way.auth_type}: {error.message}")
                continue
            self._chosen = way
            self._config.remember(auth_type=way.auth_type)
            return token
        raise AuthError(
            "no credentials: no way to authorize serves. "
            + (f"Tried: {'; '.join(tried)}. " if tried else "")
            + (f"Not configured, and what each lacks: {'; '.join(unset)}. " if unset else "")
            + f"Looked in {self._config.looked_in()}"
        )

    async def aclose(self) -> None:
        """Close what the ways hold open."""
        for credential in self._made.values():
            await _close(credential)

    async def _token_of(self, way: Way) -> Token:
        if way.auth_type not in self._made:
            module, _, function = way.factory.partition(":")
            make = getattr(import_module(f"databricks_async.auth.{module}"), function)
            config = _federated(self._config) if way.auth_type == "azure-workload-identity" else self._config
            if not config.host:
                host = config.known_host() or await self._find_host(way, make, config)
                config = attrs.evolve(config, host=host)  # type: ignore[call-arg]
            self._made[way.auth_type] = make(config, self._web)
        return await self._made[way.auth_type]()

    async def _find_host(self, way: Way, make: Callable[[Config, Web], Credential], config: Config) -> str:
        """The host of the Azure resource id, or of the notebook, as this way finds it."""
        credential = make(config, self._web)
        find = getattr(credential, "find_host", None)
        if find is None:
            kind = CredentialUnavailable if way.ambient else AuthError
            raise kind(f"host (DATABRICKS_HOST) is not set, and {way.auth_type} cannot find it")
        try:
            host: str = await find()
        finally:
            await _close(credential)
        self._config.remember(host=host, source=f"found by {way.auth_type}")
        return host


async def _close(credential: Credential) -> None:
    close = getattr(credential, "aclose", None)
    if close is not None:
        await close()


def _federated(config: Config) -> Config:
    """With the identity that the AKS webhook names, where no other is set."""
    client_id = config.azure_client_id or config.azure_federated_client_id
    tenant_id = config.azure_tenant_id or config.azure_federated_tenant_id
    return attrs.evolve(  # type: ignore[call-arg]
        config, azure_client_id=client_id, azure_tenant_id=tenant_id, auth_type="azure-workload-identity"
    )
