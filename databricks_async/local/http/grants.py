"""Tokens for persons and pipelines: logins by browser, refresh tokens that rotate, and the exchange of id tokens."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from urllib.parse import urlencode

from databricks_async.local.errors import ApiError, OAuthError
from databricks_async.local.logins import Code, Login
from databricks_async.local.state import Endpoint, Json, State, Token, User
from databricks_async.message import Response

_LOOPBACK = re.compile(r"http://(localhost|127\.0\.0\.1)(:[0-9]+)?/?")
_JWT = "urn:ietf:params:oauth:token-type:jwt"
_MAX_EXCHANGED_SECONDS = 3600.0


def login_page(state: State, *, query: Json) -> Response:
    """GET /oidc/v1/authorize: the person logs in at once. RFC 6749 with PKCE, for clients on this machine."""
    logins = state.logins
    given = {name: value for name, value in query.items() if isinstance(value, str)}
    client_id, redirect_uri = given.get("client_id", ""), given.get("redirect_uri", "")
    if client_id not in logins.clients or not _LOOPBACK.fullmatch(redirect_uri):
        # A browser is never sent to an address that is not the client's.
        raise OAuthError(400, "invalid_request", f"redirect_uri or client_id {client_id!r} is not registered")
    answer = {"state": given.get("state", "")}
    if logins.error is not None:
        answer["error"], answer["error_description"] = logins.error
    elif given.get("response_type") != "code":
        answer["error"] = "unsupported_response_type"
    elif given.get("code_challenge_method") != "S256" or not given.get("code_challenge"):
        answer["error"], answer["error_description"] = "invalid_request", "code_challenge with S256 is required"
    else:
        answer["code"] = code = secrets.token_urlsafe(32)
        scope = given.get("scope", "all-apis")
        logins.codes[code] = Code(client_id, redirect_uri, given["code_challenge"], scope, logins.person)
    return Response(302, {"location": f"{redirect_uri}?{urlencode(answer)}"}, b"")


def entra_login_page(state: State) -> Response:
    """GET /aad/auth: on to Entra, in the workspace's tenant."""
    return Response(302, {"location": f"{_tenant_url(state)}/oauth2/authorize?client_id=2ff814a6"}, b"")


def entra_endpoints(state: State) -> Response:
    """GET /oidc/oauth2/v2.0/authorize: the same for clients of the second version."""
    return Response(302, {"location": f"{_tenant_url(state)}/oauth2/v2.0/authorize"}, b"")


def redeem(state: State, client_id: str, code: str, redirect_uri: str, code_verifier: str) -> Json:
    """authorization_code: good once, and for the client that began the login."""
    pending = state.logins.codes.pop(code, None)
    if pending is None or pending.client_id != client_id or pending.redirect_uri != redirect_uri:
        raise OAuthError(400, "invalid_grant", "The authorization code is invalid or has expired.")
    digest = hashlib.sha256(code_verifier.encode()).digest()
    if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != pending.challenge:
        raise OAuthError(400, "invalid_grant", "The code_verifier does not fit the code_challenge.")
    return _for_person(state, Login(client_id, pending.scope, pending.person))


def refresh(state: State, client_id: str, refresh_token: str) -> Json:
    """refresh_token: another one comes with the answer, and this one is spent."""
    logins = state.logins
    if (spent := logins.spent.get(refresh_token)) is not None:
        spent.ended = True
    login = logins.refresh_tokens.pop(refresh_token, None)
    if login is None or login.ended or login.client_id != client_id:
        raise OAuthError(400, "invalid_grant", "Refresh token is invalid.")
    logins.spent[refresh_token] = login
    return _for_person(state, login)


def exchange(state: State, client_id: str, subject_token: str, subject_token_type: str, scope: str) -> Json:
    """RFC 8693: an id token of an issuer that a federation policy names, for a token that lives no longer than it.

    learn.microsoft.com/azure/databricks/dev-tools/auth/oauth-federation-exchange
    """
    if subject_token_type != _JWT or not subject_token:
        raise OAuthError(400, "invalid_request", "subject_token of the type jwt is required")
    provider = state.identity_provider
    try:
        if provider is None:
            raise ValueError("no issuer is trusted")
        claims = provider.verify(subject_token)
    except ValueError as error:
        raise OAuthError(400, "invalid_grant", f"The subject token is not valid: {error}.") from None
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    for policy in provider.policies:
        if (
            policy.client_id == (client_id or None)
            and policy.issuer == claims.get("iss")
            and policy.subject in (None, claims.get("sub"))
            and (policy.audience is None or policy.audience in audiences)
        ):
            left = float(claims.get("exp", 0)) - state.clock.epoch_time()
            seconds = min(_MAX_EXCHANGED_SECONDS, left)
            return _answer(state, policy.client_id or str(claims.get("sub")), seconds, scope)
    raise OAuthError(400, "invalid_grant", "No federation policy fits the issuer, subject and audience of the token.")


def _for_person(state: State, login: Login) -> Json:
    logins = state.logins
    answer = _answer(state, login.person, logins.token_seconds, login.scope)
    if "offline_access" in login.scope.split():
        answer["refresh_token"] = value = f"doau{secrets.token_hex(20)}"
        logins.refresh_tokens[value] = login
    return answer


def _answer(state: State, name: str, seconds: float, scope: str) -> Json:
    value = f"local-oauth-{secrets.token_hex(24)}"
    user = state.users.get(name)
    if user is None:
        user = state.users[name] = User(name, True)
        state.tree.add_home(name, state.clock.now())
    state.add_token(value, Token(user, state.clock.client_time() + seconds, from_oauth=True))
    return {"access_token": value, "token_type": "Bearer", "expires_in": int(seconds), "scope": scope}


def _tenant_url(state: State) -> str:
    provider = state.identity_provider
    if provider is None:
        raise ApiError(404, "NOT_FOUND", "This workspace has no identity provider.")
    return provider.tenant_url


ROUTES: dict[str, Endpoint] = {
    "GET /oidc/v1/authorize": login_page,
    "GET /aad/auth": entra_login_page,
    "GET /oidc/oauth2/v2.0/authorize": entra_endpoints,
}
"""Served without a token."""
