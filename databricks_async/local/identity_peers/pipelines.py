"""Id tokens of pipelines: an OIDC issuer, and the endpoints of GitHub and Azure DevOps; and the metadata service."""

from __future__ import annotations

import secrets
import uuid

from databricks_async.local.errors import ApiError
from databricks_async.local.identity_peers import tokens
from databricks_async.local.identity_peers.state import DATABRICKS, IdentityState, Json, PeerEndpoint, PeerRequest
from databricks_async.message import Response

_ID_TOKEN_SECONDS = 300
_DEVOPS_AUDIENCE = "api://AzureADTokenExchange"


def id_token(state: IdentityState, subject: str, audience: str, seconds: float = _ID_TOKEN_SECONDS) -> str:
    """A signed id token of the issuer."""
    now = int(state.now())
    return tokens.sign(
        {
            "iss": state.issuer,
            "sub": subject,
            "aud": audience,
            "jti": str(uuid.uuid4()),
            "iat": now,
            "nbf": now,
            "exp": now + int(seconds),
        }
    )


def configuration(state: IdentityState, _: PeerRequest) -> Json:
    """GET /issuer/.well-known/openid-configuration."""
    return {
        "issuer": state.issuer,
        "jwks_uri": f"{state.issuer}/jwks",
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
    }


def keys(_: IdentityState, __: PeerRequest) -> Json:
    """GET /issuer/jwks."""
    return tokens.jwks()


def github(state: IdentityState, request: PeerRequest) -> Json:
    """GET $ACTIONS_ID_TOKEN_REQUEST_URL&audience=..., with the job's bearer token."""
    _check_bearer(state, request)
    if request.query.get("job") != "1":
        raise ApiError(404, "NotFound", "No such job.")
    audience = request.query.get("audience", "https://github.com/octo-org")
    if not isinstance(audience, str):
        raise ApiError(400, "BadRequest", "audience is given more than once.")
    return {"count": 1, "value": id_token(state, state.pipeline_subject, audience)}


def azure_devops(state: IdentityState, request: PeerRequest) -> Json | Response:
    """POST .../oidctoken of a job of Azure DevOps; its audience is always the same."""
    try:
        _check_bearer(state, request)
    except ApiError:
        if request.headers.get("X-TFS-FedAuthRedirect", "").lower() == "suppress":
            raise
        return Response(302, {"location": f"{state.url}/_signin"}, b"")
    if not str(request.query.get("api-version", "")).startswith("7."):
        raise ApiError(400, "VssVersionNotSpecifiedException", "No api-version was supplied.")
    return {"oidcToken": id_token(state, state.pipeline_subject, _DEVOPS_AUDIENCE)}


def metadata(state: IdentityState, request: PeerRequest) -> Json:
    """GET $DATABRICKS_METADATA_SERVICE_URL: the token of the person, for the host that it was made for."""
    if request.headers.get("X-Databricks-Metadata-Version") != "1":
        raise ApiError(400, "BAD_REQUEST", "No such version of the metadata service.")
    if state.metadata_host is not None and request.headers.get("X-Databricks-Host") != state.metadata_host:
        raise ApiError(404, "NOT_FOUND", "No credentials for this host.")
    value = state.access_token(DATABRICKS, state.person, upn=state.person, scp="user_impersonation")
    return {"access_token": value, "token_type": "Bearer", "expires_on": int(state.now() + state.token_seconds)}


def _check_bearer(state: IdentityState, request: PeerRequest) -> None:
    expected = f"Bearer {state.pipeline_secret}".encode()
    if not secrets.compare_digest(request.headers.get("Authorization", "").encode(), expected):
        raise ApiError(401, "Unauthorized", "The token of this job is not valid.")


PEER_ROUTES: dict[str, PeerEndpoint] = {
    "GET /issuer/.well-known/openid-configuration": configuration,
    "GET /issuer/jwks": keys,
    "GET /github/token": github,
    "POST /devops/{project}/_apis/distributedtask/hubs/{hub}/plans/{plan}/jobs/{job}/oidctoken": azure_devops,
    "GET /metadata-service": metadata,
}
