"""How ways reach any absolute address: no redirect followed, answers bounded, transient failures repeated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol
from urllib.parse import quote, urlencode, urlsplit

import orjson

from databricks_async.config import is_loopback
from databricks_async.error_bodies import read_disguised, read_error, read_redirect
from databricks_async.errors import AuthError, DatabricksError
from databricks_async.message import Request, Response, Send
from databricks_async.secret import HiddenBytes, hide

_FORM = "application/x-www-form-urlencoded"
_SECRET_FIELDS = frozenset(
    {"access_token", "refresh_token", "id_token", "value", "oidcToken", "device_code", "code", "client_secret"}
)


class Connect(Protocol):
    """Gives the `Send` of an origin, which repeats what is transient and returns every other answer as it came."""

    def __call__(self, origin: str, *, direct: bool = False, seconds: float = 30.0) -> Send: ...


class Web:
    """Sends to absolute addresses. Belongs to one session, whose workspace's address `host` gives."""

    def __init__(self, connect: Connect, host: Callable[[], str] = str) -> None:
        self._connect = connect
        self._host = host

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        direct: bool = False,
        seconds: float = 30.0,
        plain: bool = False,
    ) -> Response:
        """One request; any answer that is not transient, a redirect as it came.

        `form` is sent as the body. With `direct` no proxy is used. Plain http is refused but for this machine, unless
        `plain` says that the platform's own address is meant. Raises `DatabricksError` when 429, 5xx or lost
        connections have used up the call's budget.
        """
        origin, path, query = split(url, plain=plain)
        body = None if form is None else HiddenBytes(urlencode(form).encode())
        sent = dict(headers or {})
        if form is not None:
            sent["Content-Type"] = _FORM
        elif method == "POST":
            body = HiddenBytes(b"")
        # "safe": a token request that is repeated makes one token more, which is used by none.
        request = Request(self.endpoint(method, url, plain=plain), path, query, body, sent)
        return await self._connect(origin, direct=direct, seconds=seconds)(request)

    def endpoint(self, method: str, url: str, *, plain: bool = False) -> str:
        """How errors call a request: by its path at the workspace, with its origin anywhere else."""
        origin, path, _ = split(url, plain=plain)
        return f"{method} {path}" if origin == self._host() else f"{method} {origin}{path}"

    async def json(
        self,
        method: str,
        url: str,
        *,
        what: str,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        direct: bool = False,
        seconds: float = 30.0,
        plain: bool = False,
    ) -> dict[str, Any]:
        """The same for a JSON object, with the text of known secret fields hidden.

        Anything else is an `AuthError` that begins with `what` and holds the answer's own words.
        """
        try:
            response = await self.send(
                method, url, headers=headers, form=form, direct=direct, seconds=seconds, plain=plain
            )
        except AuthError:
            raise
        except DatabricksError as error:
            raise AuthError(f"{what}: {error.message}", **error.about()) from error
        endpoint = self.endpoint(method, url, plain=plain)
        if not is_success(response):
            raise refusal(what, response, endpoint)
        fields = json_object(response)
        if fields is None:
            raise AuthError(
                f"{what}: the answer is not a JSON object",
                status=response.status,
                endpoint=endpoint,
                attempts=response.attempts,
            )
        return fields


def split(url: str, *, plain: bool = False) -> tuple[str, str, str]:
    """The origin, path and query of an address. Raises `AuthError` for one that a secret may not be sent to."""
    try:
        parts = urlsplit(url)
        name, port = parts.hostname or "", parts.port
    except ValueError:
        raise AuthError("a token endpoint has no valid address") from None
    if parts.scheme not in ("https", "http") or not name or "@" in parts.netloc:
        raise AuthError(f"not an address that a token can be asked from: {parts.scheme}://{name}{parts.path}")
    if parts.scheme == "http" and not plain and not is_loopback(name):
        raise AuthError(f"{parts.scheme}://{name} is plain http, which would send a secret unencrypted: use https")
    name = f"[{name}]" if ":" in name else name
    origin = f"{parts.scheme}://{name}" + (f":{port}" if port else "")
    return origin, quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._"), parts.query


def same_origin(url: str, other: str) -> bool:
    """Whether both addresses are of one scheme, host and port."""
    return _origin(url) == _origin(other)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        return url, None, None


def json_object(response: Response) -> dict[str, Any] | None:
    """The body as a JSON object, secrets in it hidden; None if it is none."""
    try:
        return {
            name: hide(value) if name in _SECRET_FIELDS and isinstance(value, str) else value
            for name, value in orjson.loads(response.body).items()
        }
    except (ValueError, AttributeError):
        return None


def is_success(response: Response) -> bool:
    """Whether an answer may hold what was asked for: no error, and no web page that says it is none."""
    return 200 <= response.status < 300 and read_disguised(response, raw=False) is None


def refusal(what: str, response: Response, endpoint: str) -> AuthError:
    """The error for an answer that is no success, in the server's own words without its trace ids."""
    if 300 <= response.status < 400:
        read = read_redirect(response)
    else:
        read = (read_disguised(response, raw=False) if response.status < 300 else None) or read_error(response)
    return AuthError(
        f"{what}: {read.message.partition(' Trace ID: ')[0]}",
        status=response.status,
        error_code=read.error_code,
        endpoint=endpoint,
        attempts=response.attempts,
        details=read.details,
    )
