"""Identity: authenticates callers by their tokens, and describes them."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping

from databricks_async.local.errors import ApiError
from databricks_async.local.state import Endpoint, Json, State, Token, User

_EXPIRING_SECONDS = 30.0


_MANAGEMENT = "X-Databricks-Azure-SP-Management-Token"
_RESOURCE_ID = "X-Databricks-Azure-Workspace-Resource-Id"


def authenticate(state: State, headers: Mapping[str, str]) -> User:
    """The user behind a request's headers. Raises ApiError with the service's own message.

    A personal access token may also come as the password of a user called `token`, as curl sends it from a .netrc file
    (learn.microsoft.com/azure/databricks/dev-tools/auth/pat, "machine ... login token password ...").
    """
    value = _value(headers)
    if not value:
        raise ApiError(401, 401, "Credential was not sent or was of an unsupported type for this API.")
    token = _known(state, value)
    if token is None:
        raise ApiError(403, 403, "Invalid access token.")
    if token.revoked:
        raise ApiError(401, 401, "The access token was revoked.")
    if token.expires_at is not None:
        left = token.expires_at - state.clock.client_time()
        if left <= 0:
            raise ApiError(401, 401, "The access token expired.")
        if left < _EXPIRING_SECONDS:
            raise ApiError(403, 403, "Token is expiring within 30 seconds.")
    if token.needs_role:
        _check_role(state, headers)
    return token.user


def revoke(state: State, headers: Mapping[str, str]) -> None:
    """Answer 401 to the token in a request's headers from now on, if it is known."""
    token = _known(state, _value(headers))
    if token is not None:
        token.revoked = True


def _value(headers: Mapping[str, str]) -> str:
    """The token in a request's headers; nothing, if there is none."""
    scheme, _, value = headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        user, _, value = _decode(value.strip()).partition(":")
        return value.strip() if user == "token" else ""
    return value.strip() if scheme.lower() == "bearer" else ""


def _check_role(state: State, headers: Mapping[str, str]) -> None:
    """One who is no user of the workspace is let in by a role on it in Azure, which two more headers show.

    learn.microsoft.com, "Service principals that are not workspace users"; the first call makes it a user.
    """
    provider = state.identity_provider
    if provider is None or not provider.is_management_token(headers.get(_MANAGEMENT, "")):
        raise ApiError(403, 403, "Invalid access token.")
    if headers.get(_RESOURCE_ID) not in provider.resource_ids:
        raise ApiError(403, 403, "Invalid access token.")


def _decode(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode()
    except ValueError:  # also binascii.Error and UnicodeDecodeError
        return ""


def _known(state: State, value: str) -> Token | None:
    """The token of this value; how long the search takes says nothing about it."""
    found = None
    for known, token in state.tokens.items():
        if secrets.compare_digest(known.encode(), value.encode("utf-8", "surrogateescape")):
            found = token
    return found


def me(state: State, *, caller: User) -> Json:
    """The caller as a SCIM user."""
    groups = [User(name, admin=False) for name in (("admins", "users") if caller.admin else ("users",))]
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": caller.user_id,
        "userName": caller.name,
        "displayName": caller.name,
        "active": True,
        "emails": [{"type": "work", "value": caller.name, "primary": True}],
        "groups": [
            {"display": group.name, "type": "direct", "value": group.user_id, "$ref": f"Groups/{group.user_id}"}
            for group in groups
        ],
    }


ROUTES: dict[str, Endpoint] = {"GET /api/{v}/preview/scim/v2/Me": me}
VERSIONS = ("2.0",)
