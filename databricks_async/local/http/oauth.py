"""OAuth of a local workspace: discovery, and access tokens for service principals."""

from __future__ import annotations

import base64
import binascii
import secrets
from urllib.parse import unquote_plus

from databricks_async.local.errors import OAuthError
from databricks_async.local.http import grants
from databricks_async.local.state import Endpoint, Json, ServicePrincipal, State, Token

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"


def host_metadata(state: State, *, host: str) -> Json:
    """What clients ask first, to find the token endpoint."""
    return {"oidc_endpoint": f"{host}/oidc"}


def discovery(state: State, *, host: str) -> Json:
    """RFC 8414 metadata; everything is on the workspace's own host."""
    return {
        "issuer": f"{host}/oidc",
        "authorization_endpoint": f"{host}/oidc/v1/authorize",
        "token_endpoint": f"{host}/oidc/v1/token",
        "grant_types_supported": ["client_credentials", "authorization_code", "refresh_token", EXCHANGE],
        "scopes_supported": ["all-apis", "offline_access"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
    }


def token(
    state: State,
    *,
    authorization: str | None,
    grant_type: str = "",
    client_id: str = "",
    client_secret: str = "",
    scope: str = "all-apis",
    code: str = "",
    redirect_uri: str = "",
    code_verifier: str = "",
    refresh_token: str = "",
    subject_token: str = "",
    subject_token_type: str = "",
) -> Json:
    """RFC 6749 client_credentials, with HTTP Basic or the secret in the form; what public clients ask is in grants."""
    if not grant_type:
        raise OAuthError(400, "invalid_request", "grant_type is missing")
    if grant_type == "authorization_code":
        return grants.redeem(state, client_id, code, redirect_uri, code_verifier)
    if grant_type == "refresh_token":
        return grants.refresh(state, client_id, refresh_token)
    if grant_type == EXCHANGE:
        return grants.exchange(state, client_id, subject_token, subject_token_type, scope)
    if grant_type != "client_credentials":
        raise OAuthError(400, "unsupported_grant_type", f"{grant_type} is not supported")
    if authorization is not None:
        client_id, client_secret = _basic(authorization)
    # RFC 6749 has both parts of HTTP Basic form-encoded; many clients do not encode them.
    principal = _principal(state, client_id, client_secret) or _principal(
        state, unquote_plus(client_id), unquote_plus(client_secret)
    )
    if principal is None:
        raise _invalid_client()
    return {
        "access_token": issue(state, principal),
        "token_type": "Bearer",
        "expires_in": int(principal.token_seconds),
        "scope": scope,
    }


def issue(state: State, principal: ServicePrincipal) -> str:
    """A new access token of a service principal."""
    value = f"local-oauth-{secrets.token_hex(24)}"
    expires_at = state.clock.client_time() + principal.token_seconds
    state.add_token(value, Token(principal.user, expires_at, from_oauth=True))
    return value


def _principal(state: State, client_id: str, client_secret: str) -> ServicePrincipal | None:
    principal = state.service_principals.get(client_id)
    if principal and secrets.compare_digest(principal.client_secret.encode(), client_secret.encode()):
        return principal
    return None


def _basic(authorization: str) -> tuple[str, str]:
    scheme, _, value = authorization.partition(" ")
    try:
        client_id, separator, client_secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise _invalid_client() from None
    if scheme.lower() != "basic" or not separator:
        raise _invalid_client()
    return client_id, client_secret


def _invalid_client() -> OAuthError:
    error = OAuthError(401, "invalid_client", "Client authentication failed")
    error.headers["WWW-Authenticate"] = 'Basic realm="databricks"'
    return error


ROUTES: dict[str, Endpoint] = {
    "GET /.well-known/databricks-config": host_metadata,
    "GET /oidc/.well-known/oauth-authorization-server": discovery,
    "POST /oidc/v1/token": token,
}
"""Served without a token."""
