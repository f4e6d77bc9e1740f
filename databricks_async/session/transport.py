"""The only module that sends through aiohttp: one request, one complete answer or a typed error."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Mapping
from functools import lru_cache

import aiohttp
from aiohttp import ClientHandlerType, ClientMiddlewareType, ClientRequest, ClientResponse
from yarl import URL

from databricks_async.errors import (
    CertificateError,
    ConnectError,
    ConnectionLost,
    DatabricksError,
    LifecycleError,
    RequestTimeout,
)
from databricks_async.message import Request, Response
from databricks_async.session.stats import Stats

_CONNECT_SECONDS = 30.0
_LARGE_BYTES = 2**20


class Deadlines:
    """One timer for all requests in flight: a timer for each would cost a tenth of a request.

    Every entry gets the same time, so the oldest is always the first to end. An entry that runs out has its task
    cancelled; `stop` tells that cancellation from the caller's own.
    """

    def __init__(self, seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._seconds = seconds
        self._entries: dict[asyncio.Task[object], float] = {}
        self._expired: set[asyncio.Task[object]] = set()
        self._timer: asyncio.TimerHandle | None = None

    def start(self, task: asyncio.Task[object]) -> None:
        self._entries[task] = at = self._loop.time() + self._seconds
        if self._timer is None:
            self._timer = self._loop.call_at(at, self._check)

    def stop(self, task: asyncio.Task[object]) -> bool:
        """Whether the time of this task ran out; its cancellation is then taken back."""
        self._entries.pop(task, None)
        if task not in self._expired:
            return False
        self._expired.discard(task)
        task.uncancel()
        return True

    def close(self) -> None:
        """Nobody has any time left."""
        if self._timer is not None:
            self._timer.cancel()
        for task in list(self._entries):
            self._expire(task)

    def _check(self) -> None:
        self._timer = None
        now = self._loop.time()
        for task, at in list(self._entries.items()):
            if at > now:
                self._timer = self._loop.call_at(at, self._check)
                return
            self._expire(task)

    def _expire(self, task: asyncio.Task[object]) -> None:
        del self._entries[task]
        self._expired.add(task)
        task.cancel()


class Transport:
    """Sends requests to one host through one aiohttp session."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        host: str,
        headers: Mapping[str, str],
        timeout: float,
        stats: Stats,
        proxy: str | None = None,
        proxy_headers: Mapping[str, str] | None = None,
    ) -> None:
        self._session = session
        self._headers = dict(headers)
        self._stats = stats
        self._seconds = timeout
        self._deadlines = Deadlines(timeout)
        self._proxy = proxy
        self._proxy_headers = proxy_headers
        self._closed = False
        self._host = host.partition("://")[2]
        # No timer of aiohttp's own once connected; connecting has its own, because what never left may be sent again.
        self._connect_seconds = connect = min(_CONNECT_SECONDS, timeout / 2)
        self._timeout = aiohttp.ClientTimeout(total=None, connect=connect, sock_connect=connect)

        self._middlewares = (*getattr(session, "_middlewares", ()), _once)
        # A lent session may look up credentials of its own, and would refuse a header that has others.
        self._rivals = session.trust_env or session.auth is not None

        @lru_cache(maxsize=1024)
        def url(path: str, query: str) -> URL:
            return URL(f"{host}{path}?{query}" if query else host + path, encoded=True)

        self._url = url

    async def send(self, request: Request) -> Response:
        if self._closed:
            raise LifecycleError("the client was closed before this call was sent", endpoint=request.endpoint)
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("databricks_async needs a running task")
        headers, middlewares = {**self._headers, **request.headers}, self._middlewares
        if self._rivals and "Authorization" in headers:
            middlewares = (*middlewares, _authorizing(headers.pop("Authorization")))
        # aiohttp warns of large bodies in one piece.
        large = request.body is not None and len(request.body) > _LARGE_BYTES
        body = io.BytesIO(request.body) if large and request.body else request.body
        cancelling, late = task.cancelling(), False
        self._deadlines.start(task)
        self._stats.sent += 1
        try:
            try:
                answer = await self._session.request(
                    request.method,
                    self._url(request.path, request.query),
                    data=body,
                    headers=headers,
                    allow_redirects=False,
                    raise_for_status=False,
                    timeout=self._timeout,
                    middlewares=middlewares,
                    proxy=self._proxy,
                    proxy_headers=self._proxy_headers,
                )
                return Response(answer.status, answer.headers, await answer.read())
            finally:
                late = self._deadlines.stop(task)
        except asyncio.CancelledError:
            if not late or task.cancelling() > cancelling:
                raise
            raise self._out_of_time(request) from None
        except (aiohttp.ClientError, OSError, ValueError, RuntimeError) as error:
            # aiohttp raises more than its own errors for some broken answers and connections.
            failure = self._out_of_time(request) if late else self._failure(error, request)
            # This one carries the request's headers, the token among them.
            raise failure from None if isinstance(error, aiohttp.ClientResponseError) else error

    def close(self) -> None:
        """Ends the requests in flight, with a `ConnectionLost`."""
        self._closed = True
        self._deadlines.close()

    def _out_of_time(self, request: Request) -> DatabricksError:
        if self._closed:
            return ConnectionLost("the client was closed before the answer came", endpoint=request.endpoint)
        return RequestTimeout(f"no complete answer within {self._seconds:g} s", endpoint=request.endpoint)

    def _failure(self, error: Exception, request: Request) -> DatabricksError:
        host, endpoint = self._host, request.endpoint
        reason = str(error) or type(error).__name__
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            return CertificateError(f"the TLS certificate of {host} is not trusted", endpoint=endpoint)
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            return ConnectError(f"no connection to {host} within {self._connect_seconds:g} s", endpoint=endpoint)
        if isinstance(error, aiohttp.ClientConnectorDNSError):
            return ConnectError(f"the host {host} is not known: check its spelling", endpoint=endpoint)
        if isinstance(error, aiohttp.ClientHttpProxyError):
            return ConnectError(f"the proxy refused a connection to {host} with {error.status}", endpoint=endpoint)
        if isinstance(error, aiohttp.ClientConnectorError):
            return ConnectError(f"no connection to {host}: {reason}", endpoint=endpoint)
        if isinstance(error.__cause__ or error, aiohttp.ServerDisconnectedError):
            return ConnectionLost(f"{host} closed the connection without an answer", endpoint=endpoint)
        if isinstance(error, aiohttp.ClientPayloadError):
            return ConnectionLost(f"{host} broke off in the middle of its answer", endpoint=endpoint)
        if isinstance(error, aiohttp.ClientResponseError):
            return ConnectionLost(f"{host} answered with something that is not HTTP", endpoint=endpoint)
        if isinstance(error, RuntimeError):
            return LifecycleError(f"the aiohttp session cannot be used: {reason}", endpoint=endpoint)
        return ConnectionLost(f"the connection to {host} was lost: {reason}", endpoint=endpoint)


async def _once(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """By itself aiohttp sends a GET, PUT or DELETE again that was lost: what is sent again is decided in retry.py."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
        raise aiohttp.ClientConnectionError(str(error)) from error


def _authorizing(value: str) -> ClientMiddlewareType:
    async def authorize(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        request.headers["Authorization"] = value
        return await handler(request)

    return authorize
