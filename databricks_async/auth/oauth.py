"""Databricks OAuth, machine to machine: a service principal's id and secret for a token that lives an hour."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import SplitResult, quote, urlencode, urlsplit

import orjson

from databricks_async.auth.token import Credential, Token, header_value
from databricks_async.errors import AuthError, DatabricksError, InvalidResponse
from databricks_async.message import Request, Response, Send

_DISCOVERY = "/oidc/.well-known/oauth-authorization-server"
_DEFAULT_LIFE_SECONDS = 3600.0


def client_credentials(
    send: Send, *, host: str, client_id: str, client_secret: str, scopes: str = "all-apis"
) -> Credential:
    """A credential that asks the workspace's own token endpoint. No request before it is called.

    `send` must retry and check, and must not add a token.
    """
    secret = base64.b64encode(f"{quote(client_id, safe='')}:{quote(client_secret, safe='')}".encode()).decode()
    headers = {"Authorization": f"Basic {secret}", "Content-Type": "application/x-www-form-urlencoded"}
    body = urlencode({"grant_type": "client_credentials", "scope": scopes}).encode()
    discovery = Request(f"GET {_DISCOVERY}", _DISCOVERY)
    token_path: str | None = None

    async def fetch() -> Token:
        nonlocal token_path
        try:
            if token_path is None:
                token_path = _own_path(_field(discovery, await send(discovery), "token_endpoint", _address), host)
            request = Request(f"POST {token_path}", token_path, body=body, headers=headers, replay="idempotent")
            asked_at = time.time()
            answer = await send(request)
            life = _field(request, answer, "expires_in", _seconds, default=_DEFAULT_LIFE_SECONDS)
            return Token(_field(request, answer, "access_token", header_value), asked_at + life)
        except DatabricksError as error:
            reason = f"no token for the service principal {client_id!r}: {error.message}"
            raise AuthError(reason, **error.about()) from error

    return fetch


def _own_path(token_endpoint: SplitResult, host: str) -> str:
    """The endpoint's path. The secret goes to the configured host and to no other, whatever the discovery says."""
    if _origin(token_endpoint) != _origin(urlsplit(host)) or not token_endpoint.path:
        raise AuthError(
            f"the token endpoint that {host} names lies on another host "
            f"({token_endpoint.scheme}://{token_endpoint.hostname}): the client secret is not sent there",
            endpoint=f"GET {_DISCOVERY}",
        )
    return token_endpoint.path


def _origin(address: SplitResult) -> tuple[str, str | None, int | None]:
    return address.scheme, address.hostname, address.port or {"https": 443, "http": 80}.get(address.scheme)


def _field(request: Request, answer: Response, name: str, convert: Callable[[Any], Any], *, default: Any = None) -> Any:
    try:
        value = orjson.loads(answer.body).get(name)
        return convert(default if value is None else value)
    except (ValueError, TypeError, AttributeError):
        # Without the cause, which may show a token.
        raise InvalidResponse(
            f"the answer has no usable {name!r}",
            status=answer.status,
            endpoint=request.endpoint,
            attempts=answer.attempts,
        ) from None


def _address(value: Any) -> SplitResult:
    address = urlsplit(header_value(value))
    _origin(address)  # raises ValueError for a port that is none
    return address


def _seconds(value: Any) -> float:
    seconds = float(value)  # some servers send "3600"
    if not seconds > 0:
        raise ValueError
    return seconds
