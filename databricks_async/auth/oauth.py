"""Databricks OAuth, machine to machine: a service principal's id and secret for a token that lives an hour."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import orjson

from databricks_async.auth.token import Credential, Token
from databricks_async.errors import AuthError, DatabricksError
from databricks_async.message import Request, Response, Send

_DISCOVERY = "GET /oidc/.well-known/oauth-authorization-server"
_DEFAULT_LIFE_SECONDS = 3600.0


def client_credentials(
    send: Send, *, host: str, client_id: str, client_secret: str, scopes: str = "all-apis"
) -> Credential:
    """A credential that asks the workspace's own token endpoint. No request before it is called.

    `send` must retry and check, and must not add a token.
    """
    secret = base64.b64encode(f"{quote(client_id, safe='')}:{quote(client_secret, safe='')}".encode()).decode()
    body = urlencode({"grant_type": "client_credentials", "scope": scopes}).encode()
    token_path: str | None = None

    async def fetch() -> Token:
        nonlocal token_path
        asked_at = time.time()
        try:
            if token_path is None:
                found = await send(Request(_DISCOVERY, _DISCOVERY.partition(" ")[2]))
                token_path = _own_path(_field(found, "token_endpoint", str), host)
            answer = await send(
                Request(
                    "POST " + token_path,
                    token_path,
                    body=body,
                    headers={
                        "Authorization": f"Basic {secret}",
                        "Content-Type": "application/x-www-form-urlencoded",
                    },
                    replay="idempotent",
                )
            )
            life = _field(answer, "expires_in", _seconds, default=_DEFAULT_LIFE_SECONDS)
            return Token(_field(answer, "access_token", _header_value), asked_at + life)
        except AuthError:
            raise
        except DatabricksError as error:
            reason = f"no token for the service principal {client_id!r}: {error.message}"
            raise AuthError(reason, **error.about()) from error

    return fetch


def _own_path(token_endpoint: str, host: str) -> str:
    """The endpoint's path. The secret goes to the configured host and to no other, whatever the discovery says."""
    theirs, ours = urlsplit(token_endpoint), urlsplit(host)
    if (theirs.scheme, theirs.netloc.lower()) != (ours.scheme, ours.netloc.lower()) or not theirs.path:
        raise AuthError(
            f"the token endpoint that {host} names lies on another host ({theirs.scheme}://{theirs.hostname}): "
            "the client secret is not sent there",
            endpoint=_DISCOVERY,
        )
    return theirs.path


def _field(answer: Response, name: str, convert: Callable[[Any], Any], default: Any = None) -> Any:
    try:
        value = orjson.loads(answer.body).get(name, default)
        if value is not None:
            return convert(value)
    except (ValueError, TypeError, AttributeError):
        value = None
    raise AuthError(f"the answer of the token service has no usable {name!r}", status=answer.status)


def _seconds(value: Any) -> float:
    seconds = float(value)  # some servers send "3600"
    if not seconds > 0:
        raise ValueError
    return seconds


def _header_value(value: Any) -> str:
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError
    return value
