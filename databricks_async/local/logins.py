"""What a local workspace knows of logins: its own by browser, and those of an identity provider that it trusts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs


@attrs.frozen
class FederationPolicy:
    """Whose id tokens the workspace exchanges for tokens of its own; None fits any subject or audience."""

    issuer: str
    subject: str | None
    audience: str | None
    client_id: str | None
    """The service principal that the token is for; None for the user whom the subject names."""


@attrs.define
class IdentityProvider:
    """Microsoft Entra as the workspace sees it."""

    tenant_url: str
    """`https://login.microsoftonline.com/<tenant>`: where the login page sends a browser."""
    verify: Callable[[str], dict[str, Any]]
    """The claims of an id token. Raises ValueError, which says what is wrong with it."""
    is_management_token: Callable[[str], bool]
    policies: list[FederationPolicy] = attrs.field(factory=list)
    resource_ids: set[str] = attrs.field(factory=set)
    """What the workspace is called in Azure."""


@attrs.define
class Code:
    """An authorization code that waits to be redeemed."""

    client_id: str
    redirect_uri: str
    challenge: str
    scope: str
    person: str


@attrs.define
class Login:
    """A login: the refresh tokens that came from one another. One of them that is used twice ends them all."""

    client_id: str
    scope: str
    person: str
    ended: bool = False


@attrs.define
class Logins:
    """Browser logins at the workspace itself."""

    person: str
    """Who logs in when the next browser comes."""
    token_seconds: float = 3600.0
    """How long the next access tokens of persons live."""
    error: tuple[str, str] | None = None
    """What the login page says in place of letting the person in: an error and its description."""
    clients: set[str] = attrs.field(factory=lambda: {"databricks-cli"})
    codes: dict[str, Code] = attrs.field(factory=dict, repr=False)
    refresh_tokens: dict[str, Login] = attrs.field(factory=dict, repr=False)
    spent: dict[str, Login] = attrs.field(factory=dict, repr=False)
    """Refresh tokens that were exchanged for another one."""

    def end(self) -> None:
        """Revoke all refresh tokens."""
        for login in list(self.refresh_tokens.values()):  # the server may add one meanwhile, in its own thread
            login.ended = True
        self.refresh_tokens.clear()
