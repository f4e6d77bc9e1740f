"""Microsoft Entra: tokens for applications and persons, refused as the service refuses them."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from typing import Any
from urllib.parse import urlencode

from databricks_async.local.errors import OAuthError
from databricks_async.local.identity_peers import tokens
from databricks_async.local.identity_peers.state import (
    Application,
    FederatedCredential,
    IdentityState,
    Json,
    PeerEndpoint,
    PeerRequest,
    Pending,
    audience_of,
)
from databricks_async.message import Response

_JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
_DEVICE_SECONDS = 900
_DEVICE_INTERVAL = 5
_LEEWAY_SECONDS = 300


class EntraError(OAuthError):
    """A refusal with an AADSTS number, in the form that the service has for it.

    Numbers and statuses: learn.microsoft.com/entra/identity-platform/reference-error-codes.
    """

    def __init__(self, status: int, error: str, number: int, text: str) -> None:
        trace, correlation = uuid.uuid4(), uuid.uuid4()
        super().__init__(
            status, error, f"AADSTS{number}: {text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: now"
        )
        self.number = number

    def body(self) -> Json:
        return {**super().body(), "error_codes": [self.number], "error_uri": f"/error?code={self.number}"}


def token_v2(state: IdentityState, request: PeerRequest) -> Json:
    """POST /{tenant}/oauth2/v2.0/token."""
    _check_tenant(state, request)
    form = request.form
    grant = _text(form, "grant_type")
    application = _application(state, form)
    if grant == "client_credentials":
        resource, default, rest = _text(form, "scope").partition("/.default")
        if not default or rest:
            raise EntraError(400, "invalid_scope", 1002012, "The provided value for scope is not valid: use /.default.")
        audience = _audience(resource)
        _prove(state, application, request, "/v2.0")
        return _service_answer(state, application, audience)
    if not application.is_public:
        _prove(state, application, request, "/v2.0")
    elif "client_secret" in form or "client_assertion" in form:
        raise EntraError(
            401, "invalid_client", 700025, "Client is public so neither secret nor assertion is presented."
        )
    if grant == "authorization_code":
        pending = _redeemed(state, form)
    elif grant == "refresh_token":
        pending = _refreshed(state, form)
    elif grant == _DEVICE_CODE:
        pending = _device(state, form)
    else:
        raise EntraError(
            400, "unsupported_grant_type", 70003, f"The app requested an unsupported grant type '{grant}'."
        )
    return _person_answer(state, pending, _text(form, "scope") or pending.scope)


def token_v1(state: IdentityState, request: PeerRequest) -> Json:
    """POST /{tenant}/oauth2/token: `resource` in place of a scope, and all numbers as text."""
    _check_tenant(state, request)
    form = request.form
    application = _application(state, form)
    if _text(form, "grant_type") != "client_credentials":
        raise EntraError(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.")
    audience = _audience(_text(form, "resource"))
    _prove(state, application, request, "")
    answer = _service_answer(state, application, audience)
    end = str(int(state.now() + state.token_seconds))
    return {
        **{name: str(value) for name, value in answer.items()},
        "expires_on": end,
        "not_before": str(int(state.now())),
        "resource": _text(form, "resource"),
    }


def authorize(state: IdentityState, request: PeerRequest) -> Response:
    """GET /{tenant}/oauth2/v2.0/authorize: the person is logged in at once, or refused, and sent back."""
    _check_tenant(state, request)
    query = request.query
    client_id, redirect = _text(query, "client_id"), _text(query, "redirect_uri")
    if client_id not in state.applications:
        raise EntraError(
            400, "unauthorized_client", 700016, f"Application '{client_id}' was not found in the directory."
        )
    if not redirect.startswith(("http://localhost", "https://")):
        raise EntraError(400, "invalid_request", 50011, "The redirect URI does not match those of the application.")
    answer: dict[str, str] = {"state": _text(query, "state")}
    if state.login_error is not None:
        answer["error"], answer["error_description"] = state.login_error
    elif _text(query, "code_challenge_method") != "S256" or not _text(query, "code_challenge"):
        answer["error"], answer["error_description"] = "invalid_request", "Proof Key for Code Exchange is required."
    else:
        code = secrets.token_urlsafe(32)
        challenge, scope = _text(query, "code_challenge"), _text(query, "scope")
        state.codes[code] = Pending(client_id, state.person, scope, redirect, challenge)
        answer["code"] = code
    return Response(302, {"location": f"{redirect}?{urlencode(answer)}"}, b"")


def device_code(state: IdentityState, request: PeerRequest) -> Json:
    """POST /{tenant}/oauth2/v2.0/devicecode."""
    _check_tenant(state, request)
    application = _application(state, request.form)
    code, user_code = secrets.token_urlsafe(32), secrets.token_hex(4).upper()
    scope = _text(request.form, "scope")
    state.device_codes[code] = Pending(application.client_id, state.person, scope, approved=False)
    state.user_codes[user_code] = code
    page = f"{state.url}/devicelogin"
    return {
        "device_code": code,
        "user_code": user_code,
        "verification_uri": page,
        "expires_in": _DEVICE_SECONDS,
        "interval": _DEVICE_INTERVAL,
        "message": f"To sign in, use a web browser to open the page {page} and enter the code {user_code}.",
    }


def openid_configuration(state: IdentityState, request: PeerRequest) -> Json:
    """What MSAL asks for first."""
    base = f"{state.url}/{request.path['tenant']}"
    return {
        "issuer": f"{base}/v2.0",
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
    }


def _check_tenant(state: IdentityState, request: PeerRequest) -> None:
    tenant = request.path["tenant"]
    if tenant != state.tenant_id:
        raise EntraError(400, "invalid_request", 90002, f"Tenant '{tenant}' not found.")


def _application(state: IdentityState, form: dict[str, Any]) -> Application:
    client_id = _text(form, "client_id")
    application = state.applications.get(client_id)
    if application is None:
        text = f"Application with identifier '{client_id}' was not found in the directory."
        raise EntraError(400, "unauthorized_client", 700016, text)
    return application


def _audience(resource: str) -> str:
    audience = audience_of(resource)
    if audience is None:
        raise EntraError(400, "invalid_resource", 500011, f"The resource principal named {resource} was not found.")
    return audience


def _prove(state: IdentityState, application: Application, request: PeerRequest, version: str) -> None:
    form = request.form
    assertion = _text(form, "client_assertion")
    if assertion:
        if _text(form, "client_assertion_type") != _JWT_BEARER or "client_secret" in form:
            raise EntraError(401, "invalid_client", 50027, "JWT token is invalid or malformed.")
        _check_assertion(state, application, assertion, f"{state.url}/{state.tenant_id}/oauth2{version}/token")
        return
    secret = _text(form, "client_secret").encode()
    if application.client_secret is None or not secrets.compare_digest(application.client_secret.encode(), secret):
        raise EntraError(401, "invalid_client", 7000215, "Invalid client secret provided.")


def _check_assertion(state: IdentityState, application: Application, assertion: str, endpoint: str) -> None:
    try:
        header, claims = tokens.parts(assertion)
        if "x5t" in header or "x5t#S256" in header:
            claims = tokens.verify_assertion(assertion, application.certificates)
            _check_own_claims(state, application, claims, endpoint)
            return
        claims = tokens.verify(assertion)
    except tokens.BadToken as bad:
        text = f"The certificate with identifier used to sign the client assertion is not registered: {bad}."
        raise EntraError(401, "invalid_client", 700027, text) from None
    given = FederatedCredential(claims.get("iss", ""), claims.get("sub", ""), _first(claims.get("aud", "")))
    if given not in application.federated:
        text = f"No matching federated identity record found for presented assertion subject '{given.subject}'."
        raise EntraError(401, "invalid_client", 700213, text)
    _check_times(state, claims)


def _check_own_claims(state: IdentityState, application: Application, claims: Json, endpoint: str) -> None:
    if claims.get("iss") != application.client_id or claims.get("sub") != application.client_id:
        raise EntraError(401, "invalid_client", 700021, "Client assertion application identifier doesn't match.")
    if claims.get("aud") != endpoint:
        raise EntraError(401, "invalid_client", 700023, f"Client assertion audience claim does not match {endpoint}.")
    _check_times(state, claims)
    if not claims.get("jti") or claims["jti"] in state.assertions_used:
        raise EntraError(401, "invalid_client", 700030, "Client assertion has no jti, or one that was used before.")
    state.assertions_used.add(claims["jti"])


def _check_times(state: IdentityState, claims: Json) -> None:
    now = state.now()
    if not claims.get("nbf", now) - _LEEWAY_SECONDS <= now < claims.get("exp", 0) + _LEEWAY_SECONDS:
        raise EntraError(401, "invalid_client", 700024, "Client assertion is not within its valid time range.")


def _service_answer(state: IdentityState, application: Application, audience: str) -> Json:
    client_id = application.client_id
    value = state.access_token(audience, client_id, appid=client_id, idtyp="app", oid=client_id, sub=client_id)
    seconds = int(state.token_seconds)
    return {"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": value}


def _person_answer(state: IdentityState, pending: Pending, scope: str) -> Json:
    scopes = scope.split()
    resource = next((one.rpartition("/")[0] for one in scopes if "/" in one), "")
    audience = _audience(resource)
    claims = {"appid": pending.client_id, "upn": pending.person, "scp": "user_impersonation", "idtyp": "user"}
    value = state.access_token(audience, pending.person, **claims)
    answer: Json = {
        "token_type": "Bearer",
        "scope": scope,
        "expires_in": int(state.token_seconds),
        "ext_expires_in": int(state.token_seconds),
        "access_token": value,
    }
    if "offline_access" in pending.scope.split():
        answer["refresh_token"] = refresh = f"1.{secrets.token_urlsafe(48)}"
        state.refresh_tokens[refresh] = pending
    return answer


def _redeemed(state: IdentityState, form: Json) -> Pending:
    pending = state.codes.pop(_text(form, "code"), None)
    verifier = tokens.encode(hashlib.sha256(_text(form, "code_verifier").encode()).digest())
    if (
        pending is None
        or pending.client_id != form.get("client_id")
        or pending.redirect_uri != form.get("redirect_uri")
    ):
        raise EntraError(400, "invalid_grant", 70008, "The provided authorization code is invalid or has expired.")
    if pending.challenge != verifier:
        raise EntraError(400, "invalid_grant", 50148, "The code_verifier does not match the code_challenge.")
    return pending


def _refreshed(state: IdentityState, form: Json) -> Pending:
    pending = state.refresh_tokens.get(_text(form, "refresh_token"))
    if pending is None or pending.client_id != form.get("client_id"):
        raise EntraError(400, "invalid_grant", 700082, "The refresh token has expired due to inactivity.")
    return pending


def _device(state: IdentityState, form: Json) -> Pending:
    pending = state.device_codes.get(_text(form, "device_code"))
    if pending is None:
        raise EntraError(400, "bad_verification_code", 70018, "Bad verification code.")
    if state.login_error is not None:
        raise EntraError(400, state.login_error[0], 70016, state.login_error[1])
    if not pending.approved:
        raise EntraError(400, "authorization_pending", 70016, "The user hasn't finished authenticating.")
    del state.device_codes[_text(form, "device_code")]
    return pending


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name, "")
    if not isinstance(value, str):
        raise EntraError(400, "invalid_request", 900144, f"The parameter '{name}' is given more than once.")
    return value


def _first(value: Any) -> str:
    return str(value[0]) if isinstance(value, list) and value else str(value)


PEER_ROUTES: dict[str, PeerEndpoint] = {
    "POST /{tenant}/oauth2/v2.0/token": token_v2,
    "POST /{tenant}/oauth2/token": token_v1,
    "GET /{tenant}/oauth2/v2.0/authorize": authorize,
    "POST /{tenant}/oauth2/v2.0/devicecode": device_code,
    "GET /{tenant}/v2.0/.well-known/openid-configuration": openid_configuration,
}
