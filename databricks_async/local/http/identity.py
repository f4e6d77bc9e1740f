"""Identity: authenticates callers by their tokens, and describes them."""

from __future__ import annotations

import secrets
import zlib

from databricks_async.local.errors import ApiError
from databricks_async.local.state import Endpoint, Json, State, Token, User

_EXPIRING_SECONDS = 30.0


def authenticate(state: State, authorization: str | None) -> User:
    """The user behind an Authorization header. Raises ApiError with the service's own message."""
    scheme, _, value = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not value:
        raise ApiError(401, 401, "Credential was not sent or was of an unsupported type for this API.")
    token = _known(state, value.strip())
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
    return token.user


def _known(state: State, value: str) -> Token | None:
    """The token of this value; how long the search takes says nothing about it."""
    found = None
    for known, token in state.tokens.items():
        if secrets.compare_digest(known.encode(), value.encode("utf-8", "surrogateescape")):
            found = token
    return found


def me(state: State, *, caller: User) -> Json:
    """The caller as a SCIM user."""
    groups = ["admins", "users"] if caller.admin else ["users"]
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": _id(caller.name),
        "userName": caller.name,
        "displayName": caller.name,
        "active": True,
        "emails": [{"type": "work", "value": caller.name, "primary": True}],
        "groups": [
            {"display": group, "type": "direct", "value": _id(group), "$ref": f"Groups/{_id(group)}"}
            for group in groups
        ],
    }


def _id(name: str) -> str:
    return str(zlib.crc32(name.encode()))


ROUTES: dict[str, Endpoint] = {"GET /api/{v}/preview/scim/v2/Me": me}
VERSIONS = ("2.0",)
