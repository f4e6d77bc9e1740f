"""LocalIdentity: all the identity peers on one port, and what a test says about them."""

from __future__ import annotations

import secrets
import ssl
import uuid
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import orjson

from databricks_async.local.clock import Clock
from databricks_async.local.errors import ApiError
from databricks_async.local.fault_queue import Faults
from databricks_async.local.http.requests import Arrived, decode_pairs, refusal
from databricks_async.local.http.routes import Route, Routes
from databricks_async.local.http.server import Server
from databricks_async.local.identity_peers import entra, machines, pipelines, tokens, tools
from databricks_async.local.identity_peers.state import (
    DATABRICKS,
    MANAGEMENT,
    Application,
    FederatedCredential,
    IdentityState,
    ManagedIdentity,
    PeerEndpoint,
    PeerRequest,
)
from databricks_async.local.journal import Journal, without_secrets
from databricks_async.local.logins import FederationPolicy, IdentityProvider
from databricks_async.local.params import Declared
from databricks_async.message import Response

if TYPE_CHECKING:
    from databricks_async.local.workspace import LocalWorkspace

_TENANT = "5f1c2d3e-0000-4000-8000-00000000e17a"
_JSON = {"content-type": "application/json"}
_DEVOPS_PATH = "/devops/project/_apis/distributedtask/hubs/build/plans/plan/jobs/job/oidctoken"

_ROUTES: dict[str, PeerEndpoint] = {**machines.PEER_ROUTES, **pipelines.PEER_ROUTES, **entra.PEER_ROUTES}


class LocalIdentity:
    """Entra, managed identities, GitHub, Azure DevOps, Resource Manager and a metadata service, on a port of this
    machine.

    ```python
    async with LocalWorkspace() as ws, LocalIdentity(ws) as identity:
        identity.add_application("my-client-id", client_secret="my-secret")
        w = WorkspaceClient(
            host=ws.url,
            azure_client_id="my-client-id",
            azure_client_secret="my-secret",
            azure_authority_host=identity.url,
        )
    ```

    Tokens that it gives for Azure Databricks open `workspace`, which takes its id tokens too, by the policies added
    here. `tls` serves https, which `azure-identity` asks for. Needs the package cryptography (the extra `azure`).
    """

    def __init__(
        self,
        workspace: LocalWorkspace | None = None,
        *,
        tenant_id: str = _TENANT,
        token_seconds: float = 3600,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.journal = Journal()
        """Every request so far."""
        self.faults = Faults()
        """What goes wrong next."""
        clock = workspace.clock if workspace is not None else Clock.real()
        self._state = IdentityState(clock, tenant_id, token_seconds=token_seconds)
        self._state.pipeline_secret = secrets.token_hex(16)
        self._state.app_service_secret = secrets.token_hex(16)
        self._state.pipeline_subject = "repo:octo-org/octo-repo:ref:refs/heads/main"
        self._workspace = workspace
        self._address = (host, port)
        self._tls = tls
        routes = Routes(Route(line, function, Declared({}, (), ())) for line, function in _ROUTES.items())
        self._server = Server(self._state, self.journal, self.faults, routes=routes, answer=_answer)
        if workspace is not None:
            self._state.issued = workspace.add_entra_token

    async def start(self) -> None:
        """Listen, and have the workspace trust this. Raises OSError when the port is taken."""
        self._address = await self._server.start(*self._address, self._tls)
        self._state.url = self.url
        if self._workspace is not None:
            self._workspace.identity_provider = IdentityProvider(
                f"{self.url}/{self.tenant_id}", self._verify, self._is_management_token
            )

    async def close(self) -> None:
        """Stop listening, and drop every connection."""
        await self._server.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def url(self) -> str:
        """Where it listens: AZURE_AUTHORITY_HOST, and AZURE_POD_IDENTITY_AUTHORITY_HOST."""
        host, port = self._address
        if not port:
            raise RuntimeError("the local identity has no address before it is started")
        name = "localhost" if self._tls is not None else host
        return f"http{'s' if self._tls is not None else ''}://{name}:{port}"

    @property
    def tenant_id(self) -> str:
        """The one tenant that there is."""
        return self._state.tenant_id

    @property
    def issuer(self) -> str:
        """The issuer of id tokens, with its OpenID configuration and keys below."""
        return self._state.issuer

    @property
    def token_seconds(self) -> float:
        """How long the next access tokens live."""
        return self._state.token_seconds

    @token_seconds.setter
    def token_seconds(self, seconds: float) -> None:
        self._state.token_seconds = seconds

    @property
    def person(self) -> str:
        """Who logs in with the next browser or device code."""
        return self._state.person

    @person.setter
    def person(self, name: str) -> None:
        self._state.person = name

    def add_application(
        self,
        client_id: str,
        *,
        client_secret: str | None = None,
        certificate: bytes | None = None,
        federated: tuple[str, str] | None = None,
        workspace_user: bool = True,
    ) -> None:
        """Register an application: with a secret, a certificate (PEM), or the `(subject, audience)` of id tokens of
        this issuer; without any of them it is a public client, that persons log in with.

        One that is no `workspace_user` is let in by its role in Azure: with management token and resource id.
        """
        application = Application(client_id, client_secret)
        if certificate is not None:
            tokens.thumbprints(certificate)  # raises ValueError for what is none
            application.certificates.append(certificate)
        if federated is not None:
            subject, audience = federated
            application.federated.append(FederatedCredential(self.issuer, subject, audience))
        self._state.applications[client_id] = application
        self._set_user(client_id, workspace_user)

    def add_managed_identity(
        self,
        client_id: str,
        *,
        object_id: str | None = None,
        resource_id: str | None = None,
        system_assigned: bool = False,
        workspace_user: bool = True,
    ) -> None:
        """Give this machine an identity, for IMDS and App Service."""
        name = (
            f"/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{client_id}"
        )
        identity = ManagedIdentity(client_id, object_id or str(uuid.uuid4()), resource_id or name, system_assigned)
        self._state.managed_identities.append(identity)
        self._set_user(client_id, workspace_user)

    def add_workspace(self, resource_id: str, host: str) -> None:
        """Have Resource Manager say that the workspace of this id has this host. The workspace takes the id too."""
        self._state.workspaces[resource_id.lower()] = host
        if self._workspace is not None and self._workspace.identity_provider is not None:
            self._workspace.identity_provider.resource_ids.add(resource_id)

    def add_federation_policy(
        self, *, audience: str | None = None, subject: str | None = None, client_id: str | None = None
    ) -> None:
        """Have the workspace exchange id tokens of this issuer: of this subject and audience if they are given; for
        the service principal `client_id`, else for the user that the subject names."""
        if self._workspace is None:
            raise ValueError("a federation policy belongs to a workspace: LocalIdentity(workspace)")
        provider = self._workspace.identity_provider
        if provider is None:
            raise RuntimeError("start the local identity before its policies are added")
        provider.policies.append(FederationPolicy(self.issuer, subject, audience, client_id))

    def refuse_logins(self, error: str | None = "access_denied", description: str = "The user declined.") -> None:
        """Have the login page and device codes refuse from now on; None lets persons in again."""
        self._state.login_error = None if error is None else (error, description)

    def enter_device_code(self, user_code: str) -> None:
        """The person enters a device code, and logs in."""
        self._state.device_codes[self._state.user_codes[user_code]].approved = True

    @property
    def user_codes(self) -> list[str]:
        """The device codes that were shown so far."""
        return [*self._state.user_codes]

    def end_logins(self) -> None:
        """Have all refresh tokens refused from now on."""
        self._state.refresh_tokens.clear()

    def id_token(self, subject: str, audience: str, *, seconds: float = 300) -> str:
        """A signed id token of this issuer, as Kubernetes and pipelines have them in files."""
        return pipelines.id_token(self._state, subject, audience, seconds)

    def access_token(self, name: str, *, person: bool = False) -> str:
        """A token for Azure Databricks, as `az` prints it."""
        claims: dict[str, Any] = (
            {"upn": name, "scp": "user_impersonation"} if person else {"appid": name, "idtyp": "app"}
        )
        return self._state.access_token(DATABRICKS, name, **claims)

    def management_token(self, name: str) -> str:
        """A token for Azure's management, as `az` prints it."""
        return self._state.access_token(MANAGEMENT, name, appid=name, idtyp="app")

    def write_az(self, folder: Path, name: str, *, person: bool = True) -> Path:
        """An executable `az` in which this person, or service principal, is logged in; `az.log` lists its runs."""
        return tools.write_az(self._state, folder, name, person=person)

    def write_databricks(self, folder: Path, name: str) -> Path:
        """An executable `databricks` in which this person is logged in; `databricks.log` lists its runs."""
        return tools.write_databricks(self._state, folder, name)

    def write_browser(self, folder: Path) -> Path:
        """An executable for BROWSER: it opens a login page, and goes where it is sent."""
        return tools.write_browser(folder)

    def imds_environment(self) -> dict[str, str]:
        """The variables that point at IMDS here."""
        return {"AZURE_POD_IDENTITY_AUTHORITY_HOST": self.url, "ARM_USE_MSI": "true"}

    def app_service_environment(self) -> dict[str, str]:
        """The variables that App Service sets."""
        secret = self._state.app_service_secret
        return {"IDENTITY_ENDPOINT": f"{self.url}/msi/token", "IDENTITY_HEADER": secret, "ARM_USE_MSI": "true"}

    def github_environment(self, subject: str | None = None) -> dict[str, str]:
        """The variables that GitHub sets for a job with `id-token: write`."""
        self._state.pipeline_subject = subject or self._state.pipeline_subject
        return {
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.url}/github/token?job=1",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": self._state.pipeline_secret,
        }

    def azure_devops_environment(self, subject: str | None = None) -> dict[str, str]:
        """The variables that Azure DevOps sets, and the one that the pipeline maps."""
        self._state.pipeline_subject = subject or self._state.pipeline_subject
        return {
            "SYSTEM_ACCESSTOKEN": self._state.pipeline_secret,
            "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI": f"{self.url}/devops/",
            "SYSTEM_TEAMPROJECTID": "project",
            "SYSTEM_HOSTTYPE": "build",
            "SYSTEM_PLANID": "plan",
            "SYSTEM_JOBID": "job",
            "SYSTEM_OIDCREQUESTURI": f"{self.url}{_DEVOPS_PATH}",
        }

    def metadata_environment(self) -> dict[str, str]:
        """The variable that points at the metadata service here."""
        return {"DATABRICKS_METADATA_SERVICE_URL": f"{self.url}/metadata-service"}

    def _set_user(self, client_id: str, workspace_user: bool) -> None:
        (self._state.outsiders.discard if workspace_user else self._state.outsiders.add)(client_id)

    def _verify(self, token: str) -> dict[str, Any]:
        try:
            claims = tokens.verify(token)
        except tokens.BadToken as bad:
            raise ValueError(str(bad)) from None
        if claims.get("exp", 0) <= self._state.now():
            raise ValueError("the token has expired")
        return claims

    def _is_management_token(self, token: str) -> bool:
        try:
            return bool(self._verify(token).get("aud") == MANAGEMENT)
        except ValueError:
            return False


def _answer(state: IdentityState, request: Arrived) -> Response:
    """Serve one request. Never raises for what a client did."""
    try:
        if request.route is None:
            raise ApiError(404, "NotFound", "404 page not found")
        is_form = request.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded")
        form = decode_pairs(request.body.decode("utf-8", "replace")) if is_form else {}
        request.call.body = without_secrets(form) if form else None
        served = request.route.function(
            state, PeerRequest(request.path_params, request.call.query, form, request.headers)
        )
    except ApiError as error:
        return refusal(error, request.call)
    return served if isinstance(served, Response) else Response(200, _JSON, orjson.dumps(served))
