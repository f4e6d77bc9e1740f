"""One request to a token endpoint, OAuth 2.0 as RFC 6749 has it, and the token in the answer."""

from __future__ import annotations

import base64
import math
import re
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import attrs
import orjson

from databricks_async.auth.token import Token, header_value
from databricks_async.auth.web import Web, is_success, json_object, refusal, same_origin
from databricks_async.errors import AuthError, DatabricksError, InvalidResponse
from databricks_async.message import Response

_DISCOVERY = "/oidc/.well-known/oauth-authorization-server"
_DEFAULT_LIFE_SECONDS = 3600.0
_MIN_EPOCH_SECONDS, _MAX_EPOCH_SECONDS = 1e9, 1e11
_AADSTS = re.compile(r"AADSTS([0-9]+)")

# learn.microsoft.com/entra/identity-platform/reference-error-codes
_ADVICE = {
    "7000215": "the client secret is wrong: give its value, not its id",
    "7000222": "the client secret has ended: make a new one in Entra",
    "700016": "there is no such client id in this tenant: check ARM_CLIENT_ID and ARM_TENANT_ID",
    "90002": "there is no such tenant in this cloud: check ARM_TENANT_ID and ARM_ENVIRONMENT",
    "700024": "the assertion is too old or this machine's clock is wrong",
    "700027": "the certificate is not one of this application's: upload it in Entra, or check its file",
    "70021": "no federated credential of the application fits issuer, subject and audience of the token",
    "700213": "no federated credential of the application fits issuer, subject and audience of the token",
    "7002138": "no federated credential of the application fits issuer, subject and audience of the token",
    "50076": "a second factor is asked for: log in with a browser (auth_type azure-browser, or az login)",
    "50079": "a second factor is asked for: log in with a browser (auth_type azure-browser, or az login)",
    "53003": "conditional access asks for a browser: auth_type azure-browser, or az login",
    "50011": "the redirect address is not registered for this application: add http://localhost to its public client",
    "65001": "the application has no consent for Azure Databricks: ask an administrator to give it",
}


@attrs.frozen
class Grant:
    """What a token endpoint gave."""

    access_token: str
    """Hidden in every repr."""
    asked_at: float
    """On the monotonic clock, before the request was sent."""
    expires_in: float | None = None
    """Seconds from `asked_at` on; None where the endpoint gives no duration."""
    expires_at: float | None = None
    """Seconds since the epoch; None where the endpoint gives no time."""
    refresh_token: str | None = None
    """Hidden in every repr."""
    scope: str = ""

    def seconds_left(self) -> float:
        """By the duration if there is one: it does not need this machine's clock to be right."""
        if self.expires_in is not None:
            return self.asked_at + self.expires_in - time.monotonic()
        return math.inf if self.expires_at is None else self.expires_at - time.time()

    def token(self, extra_headers: Mapping[str, str] | None = None, *, at_most: float = math.inf) -> Token:
        """The token, with the headers that travel beside it; it ends with the first of them, `at_most` from now."""
        left = at_most if self.expires_in is None else min(self.seconds_left(), at_most)
        return Token(
            self.access_token,
            self.expires_at,
            expires_in=None if left == math.inf else left,
            extra_headers=extra_headers or {},
        )


async def ask(
    web: Web, url: str, form: Mapping[str, str], *, what: str, headers: Mapping[str, str] | None = None
) -> Grant:
    """Post a form to a token endpoint. Raises `AuthError`, in the endpoint's own words, when it gives no token."""
    asked_at = time.monotonic()
    try:
        response = await web.send("POST", url, form=form, headers=headers)
    except AuthError:
        raise
    except DatabricksError as error:
        raise AuthError(f"{what}: {error.message}{_advice(error.message)}", **error.about()) from error
    endpoint = web.endpoint("POST", url)
    if not is_success(response):
        refused = refusal(what, response, endpoint)
        refused.message += _advice(refused.message)
        refused.args = (refused.message,)
        raise refused
    return grant_in(json_object(response) or {}, asked_at, response, endpoint, what=what)


def grant_in(fields: Mapping[str, Any], asked_at: float, response: Response, endpoint: str, *, what: str) -> Grant:
    """The grant in the fields of an answer. Raises `AuthError` that names the field which cannot be used.

    When it ends: what the answer says, else what the token says of itself, else in an hour.
    """
    name = "access_token"
    try:
        value = header_value(fields.get(name))
        expires_in: float | None = None
        expires_at: float | None = None
        if fields.get(name := "expires_in") is not None:
            expires_in = float(fields[name])  # some servers send "3600"
            if not 0 < expires_in < math.inf:
                raise ValueError
        elif (end := fields.get(name := "expires_on") or claims(value).get("exp")) is not None:
            expires_at = float(end)
            if not _MIN_EPOCH_SECONDS < expires_at < _MAX_EPOCH_SECONDS:
                raise ValueError
        else:
            expires_in = _DEFAULT_LIFE_SECONDS
        refresh, scope = fields.get("refresh_token"), fields.get("scope")
        return Grant(
            value,
            asked_at,
            expires_in,
            expires_at,
            refresh if isinstance(refresh, str) and refresh else None,
            scope if isinstance(scope, str) else "",
        )
    except (ValueError, TypeError):
        reason = InvalidResponse(
            f"the answer has no usable {name!r}", status=response.status, endpoint=endpoint, attempts=response.attempts
        )
    raise AuthError(f"{what}: {reason.message}", **reason.about()) from reason


def claims(token: str) -> dict[str, Any]:
    """What a JWT says of itself, unverified; empty for a token of another kind."""
    try:
        payload = token.split(".")[1]
        found = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, IndexError):
        return {}
    return found if isinstance(found, dict) else {}


def _advice(message: str) -> str:
    found = _AADSTS.search(message)
    advice = _ADVICE.get(found[1]) if found else None
    return f" ({advice})" if advice else ""


class WorkspaceEndpoints:
    """The OAuth endpoints of a workspace, discovered once; again when one of them has moved."""

    def __init__(self, web: Web, host: str, discovery_url: str | None = None) -> None:
        self._web = web
        self._host = host
        self._url = discovery_url or host + _DISCOVERY
        self._found: dict[str, Any] | None = None

    async def find(self, name: str = "token_endpoint", *, what: str) -> str:
        """The address of an endpoint. A secret goes to the configured host and to no other, whatever is discovered."""
        if self._found is None:
            self._found = await self._web.json("GET", self._url, what=what)
        url = self._found.get(name)
        if not isinstance(url, str) or not _is_address(url):
            self._found = None
            endpoint = self._web.endpoint("GET", self._url)
            raise AuthError(f"{what}: the answer has no usable {name!r}", status=200, endpoint=endpoint)
        if not (same_origin(url, self._host) or same_origin(url, self._url)):
            self._found = None
            raise AuthError(
                f"{what}: the {name} that {self._host} names lies on another host "
                f"({'://'.join(_shown(url))}): no secret is sent there",
                endpoint=self._web.endpoint("GET", self._url),
            )
        return url

    async def ask(self, form: Mapping[str, str], *, what: str, headers: Mapping[str, str] | None = None) -> Grant:
        """Post a form to the token endpoint; if it has moved (404), to the one that is discovered anew."""
        url = await self.find(what=what)
        try:
            return await ask(self._web, url, form, what=what, headers=headers)
        except AuthError as error:
            if error.status != 404:
                raise
            self._found = None
            moved = await self.find(what=what)
            if moved == url:
                raise
        return await ask(self._web, moved, form, what=what, headers=headers)


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(header_value(url))
        return bool(parts.scheme and parts.hostname and parts.path) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def _shown(url: str) -> tuple[str, str]:
    """Scheme and host of an address, for a message."""
    scheme, _, rest = url.partition("://")
    return scheme, rest.partition("/")[0].rpartition("@")[2]
