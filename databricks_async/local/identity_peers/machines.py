"""What a machine of Azure offers: managed identities by IMDS and App Service, and Resource Manager's workspaces."""

from __future__ import annotations

import secrets
from urllib.parse import unquote

from databricks_async.local.errors import ApiError, OAuthError
from databricks_async.local.identity_peers import tokens
from databricks_async.local.identity_peers.state import (
    RESOURCE_MANAGER,
    IdentityState,
    Json,
    ManagedIdentity,
    PeerEndpoint,
    PeerRequest,
    audience_of,
)
from databricks_async.message import Response

_WORKSPACE = "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Databricks/workspaces/{name}"


def imds(state: IdentityState, request: PeerRequest) -> Json:
    """GET /metadata/identity/oauth2/token, as learn.microsoft.com's how-to-use-vm-token describes it."""
    if request.headers.get("Metadata", "").lower() != "true":
        raise OAuthError(400, "bad_request_102", "Required metadata header not specified")
    if "X-Forwarded-For" in request.headers or "Via" in request.headers:
        raise OAuthError(400, "bad_request", "A request that came through a proxy is refused")
    if request.query.get("api-version") != "2018-02-01":
        raise OAuthError(400, "bad_request", f"api-version {request.query.get('api-version')} is not supported")
    names = {"client_id": "client_id", "object_id": "object_id", "msi_res_id": "resource_id"}
    identity = _identity(state, request, names)
    answer = _token(state, request, identity)
    seconds = str(int(state.token_seconds))
    # All numbers are text here.
    return {**answer, "expires_in": seconds, "ext_expires_in": seconds, "not_before": str(int(state.now()))}


def app_service(state: IdentityState, request: PeerRequest) -> Json | Response:
    """GET $IDENTITY_ENDPOINT, 2019-08-01."""
    secret = request.headers.get("X-IDENTITY-HEADER", "")
    if not secrets.compare_digest(secret.encode(), state.app_service_secret.encode()):
        return Response(401, {}, b'{"statusCode":401,"message":"Unauthorized"}')
    if request.query.get("api-version") != "2019-08-01":
        return Response(400, {}, b'{"statusCode":400,"message":"No such api-version."}')
    names = {"client_id": "client_id", "principal_id": "object_id", "mi_res_id": "resource_id"}
    try:
        identity = _identity(state, request, names)
        return _token(state, request, identity)
    except OAuthError as error:
        # It says no more than this of a wrong resource or identity.
        body = b'{"statusCode":500,"message":"An unexpected error occurred while fetching the AAD Token."}'
        return Response(500 if error.error_code == "invalid_resource" else 400, {}, body)


def workspace(state: IdentityState, request: PeerRequest) -> Json:
    """GET of a workspace's resource id: Azure Resource Manager, as far as its host goes."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    try:
        claims = tokens.verify(token) if scheme == "Bearer" else {}
    except tokens.BadToken:
        claims = {}
    if claims.get("aud") != RESOURCE_MANAGER or claims.get("exp", 0) <= state.now():
        raise _arm_error(401, "AuthenticationFailed", "Authentication failed.")
    if request.query.get("api-version") != "2018-04-01":
        raise _arm_error(400, "InvalidApiVersionParameter", "The api-version is invalid.")
    parts = request.path
    resource_id = (
        f"/subscriptions/{parts['subscription']}/resourceGroups/{parts['group']}"
        f"/providers/Microsoft.Databricks/workspaces/{parts['name']}"
    )
    host = state.workspaces.get(unquote(resource_id).lower())
    if host is None:
        text = f"The Resource 'Microsoft.Databricks/workspaces/{parts['name']}' was not found."
        raise _arm_error(404, "ResourceNotFound", text)
    return {"id": resource_id, "properties": {"workspaceUrl": host}}


class ArmError(ApiError):
    """A refusal of Azure Resource Manager."""

    def body(self) -> Json:
        return {"error": {"code": self.error_code, "message": self.message}}


def _arm_error(status: int, code: str, message: str) -> ArmError:
    return ArmError(status, code, message)


def _identity(state: IdentityState, request: PeerRequest, names: dict[str, str]) -> ManagedIdentity:
    chosen = [(attribute, request.query[name]) for name, attribute in names.items() if name in request.query]
    if len(chosen) > 1:
        raise OAuthError(400, "invalid_request", "More than one identity is named")
    found = [
        identity
        for identity in state.managed_identities
        if all(getattr(identity, attribute) == value for attribute, value in chosen)
    ]
    if not chosen:
        # The system-assigned one, else the only one.
        found = [identity for identity in found if identity.system_assigned] or found
    if len(found) != 1:
        several = "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity"
        raise OAuthError(400, "invalid_request", several if found else "Identity not found")
    return found[0]


def _token(state: IdentityState, request: PeerRequest, identity: ManagedIdentity) -> Json:
    resource = str(request.query.get("resource", ""))
    audience = audience_of(resource)
    if audience is None:
        text = f"AADSTS500011: The resource principal named {resource} was not found."
        raise OAuthError(400, "invalid_resource", text)
    name = identity.client_id
    value = state.access_token(audience, name, appid=name, idtyp="app", oid=identity.object_id, sub=identity.object_id)
    return {
        "access_token": value,
        "expires_on": str(int(state.now() + state.token_seconds)),
        "resource": resource,
        "token_type": "Bearer",
        "client_id": name,
    }


PEER_ROUTES: dict[str, PeerEndpoint] = {
    "GET /metadata/identity/oauth2/token": imds,
    "GET /msi/token": app_service,
    f"GET {_WORKSPACE}": workspace,
}
