"""What the identity peers know, and how they are asked."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import attrs

from databricks_async.local.clock import Clock
from databricks_async.local.identity_peers import tokens
from databricks_async.message import Response

Json: TypeAlias = dict[str, Any]

DATABRICKS = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d"
MANAGEMENT = "https://management.core.windows.net"
RESOURCE_MANAGER = "https://management.azure.com"
AUDIENCES = (DATABRICKS, MANAGEMENT, RESOURCE_MANAGER)
"""What tokens can be asked for: Azure Databricks, Azure's management, Resource Manager. Without a final slash."""


@attrs.frozen
class FederatedCredential:
    """Whose id tokens an application takes for its own: all three are compared letter by letter."""

    issuer: str
    subject: str
    audience: str


@attrs.define
class Application:
    """An application of the tenant: a service principal, or a public client that persons log in with."""

    client_id: str
    client_secret: str | None = attrs.field(default=None, repr=False)
    certificates: list[bytes] = attrs.field(factory=list, repr=False)
    federated: list[FederatedCredential] = attrs.field(factory=list)

    @property
    def is_public(self) -> bool:
        return self.client_secret is None and not self.certificates and not self.federated


@attrs.frozen
class ManagedIdentity:
    """An identity that this machine has; the system-assigned one is picked by no id."""

    client_id: str
    object_id: str
    resource_id: str
    system_assigned: bool


@attrs.define
class Pending:
    """A login under way: a code that waits to be redeemed."""

    client_id: str
    person: str
    scope: str
    redirect_uri: str = ""
    challenge: str = ""
    approved: bool = True
    polled_at: float = 0.0


Issued: TypeAlias = Callable[[str, str, float, bool], None]
"""Gets a Databricks token, whose it is, the seconds that it lives, and whether its owner is a user of the workspace."""


@attrs.define(eq=False)
class IdentityState:
    """All of it. Endpoint functions take it as their first argument."""

    clock: Clock
    tenant_id: str
    url: str = ""
    token_seconds: float = 3600.0
    issued: Issued = lambda *_: None
    applications: dict[str, Application] = attrs.field(factory=dict)
    managed_identities: list[ManagedIdentity] = attrs.field(factory=list)
    outsiders: set[str] = attrs.field(factory=set)
    """The client ids of those who are no users of the workspace, and have a role on it in Azure."""
    person: str = "ann@example.com"
    """Who logs in when a browser comes, or a device code is entered."""
    login_error: tuple[str, str] | None = None
    """What the login page says in place of letting the person in: an error and its description."""
    codes: dict[str, Pending] = attrs.field(factory=dict, repr=False)
    refresh_tokens: dict[str, Pending] = attrs.field(factory=dict, repr=False)
    device_codes: dict[str, Pending] = attrs.field(factory=dict, repr=False)
    user_codes: dict[str, str] = attrs.field(factory=dict)
    assertions_used: set[str] = attrs.field(factory=set)
    workspaces: dict[str, str] = attrs.field(factory=dict)
    """The resource ids of workspaces, in small letters, and their hosts."""
    pipeline_secret: str = attrs.field(default="", repr=False)
    """The bearer token that GitHub and Azure DevOps give to a job."""
    pipeline_subject: str = ""
    app_service_secret: str = attrs.field(default="", repr=False)
    metadata_host: str | None = None

    def now(self) -> float:
        """Seconds since the epoch, moved with the clock."""
        return self.clock.epoch_time()

    @property
    def issuer(self) -> str:
        return f"{self.url}/issuer"

    def access_token(self, audience: str, name: str, **claims: Any) -> str:
        """A new access token for one of `AUDIENCES`; one for Databricks is good in the workspace."""
        now = int(self.now())
        end = now + int(self.token_seconds)
        value = tokens.sign(
            {
                "aud": audience,
                "iss": f"https://sts.windows.net/{self.tenant_id}/",
                "iat": now,
                "nbf": now,
                "exp": end,
                "tid": self.tenant_id,
                "uti": secrets.token_urlsafe(16),
                **claims,
            }
        )
        if audience == DATABRICKS:
            self.issued(value, name, self.token_seconds, name not in self.outsiders)
        return value


@attrs.frozen
class PeerRequest:
    """A request as its endpoint gets it."""

    path: dict[str, str]
    query: dict[str, Any]
    form: dict[str, Any] = attrs.field(repr=False)
    headers: Mapping[str, str] = attrs.field(repr=False)


PeerEndpoint: TypeAlias = Callable[[IdentityState, PeerRequest], Json | Response]


def audience_of(resource: str) -> str | None:
    """The one of `AUDIENCES` that is meant, with or without its final slash."""
    return resource.rstrip("/") if resource.rstrip("/") in AUDIENCES else None
