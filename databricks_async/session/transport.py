"""The only module that sends through aiohttp: one request, one answer or a typed error."""

from __future__ import annotations

import asyncio
import errno
import io
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import lru_cache, partial

import aiohttp
from aiohttp import ClientHandlerType, ClientMiddlewareType, ClientRequest, ClientResponse
from yarl import URL

from databricks_async.errors import (
    CertificateError,
    ConnectError,
    ConnectionLost,
    DatabricksError,
    InvalidResponse,
    LifecycleError,
    RequestTimeout,
    TransportError,
)
from databricks_async.message import Request, Response
from databricks_async.session.stats import Stats

_CONNECT_SECONDS = 30.0
_LARGE_BYTES = 2**20
_ERROR_BYTES = 64 * 1024
"""No error is longer; a JSON body that is may be handed out before its end."""
_NO_MORE = "nothing more came"


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

    def restart(self, task: asyncio.Task[object]) -> None:
        """All the time once more, if there is any left."""
        if self._entries.pop(task, None) is not None:
            self.start(task)

    def stop(self, task: asyncio.Task[object]) -> bool:
        """Whether the time of this task ran out; its cancellation is then taken back."""
        self._entries.pop(task, None)
        if task not in self._expired:
            return False
        self._expired.discard(task)
        task.uncancel()
        return True

    def close(self) -> None:
        """End the time of all requests in flight."""
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
        max_bytes: int | None = None,
    ) -> None:
        self._session = session
        self._max_bytes = max_bytes
        self._headers = dict(headers)
        self._stats = stats
        self._seconds = timeout
        self._deadlines = Deadlines(timeout)
        self._proxy = proxy
        self._proxy_headers = proxy_headers
        self._streams = set[_Stream]()
        self._closed = False
        scheme, _, self._host = host.partition("://")
        self._is_tls = scheme == "https"
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
        body: bytes | io.BytesIO | _Sending | None = None
        sending = None
        if request.body is not None:
            if not isinstance(request.body, bytes):
                body = sending = _Sending(request.body(), partial(self._deadlines.restart, task))
            else:
                # aiohttp warns of large bodies in one piece.
                body = request.body if len(request.body) <= _LARGE_BYTES else io.BytesIO(request.body)
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
                if request.stream and 200 <= answer.status < 300:
                    return await self._opened(request, answer)
                return Response(answer.status, answer.headers, await self._body(request, answer))
            finally:
                late = self._deadlines.stop(task)
        except asyncio.CancelledError:
            if not late or task.cancelling() > cancelling:
                raise
            raise self._out_of_time(request) from None
        except (aiohttp.ClientError, OSError, ValueError, RuntimeError) as error:
            if sending is not None and sending.failure is not None:
                raise sending.failure from None
            # aiohttp raises more than its own errors for some broken answers and connections.
            failure = self._out_of_time(request) if late else self._failure(error, request)
            # This one carries the request's headers, the token among them.
            raise failure from None if isinstance(error, aiohttp.ClientResponseError) else error

    def close(self) -> None:
        """Ends the requests in flight, with a `ConnectionLost`."""
        self._closed = True
        self._deadlines.close()
        for stream in list(self._streams):
            stream.close()

    async def _body(self, request: Request, answer: ClientResponse) -> bytes:
        if self._max_bytes is None:
            return await answer.read()
        body = bytearray()
        try:
            while chunk := await answer.content.readany():
                body += chunk
                if len(body) > self._max_bytes:
                    raise InvalidResponse(
                        f"the answer of {self._host} is longer than {self._max_bytes} bytes",
                        status=answer.status,
                        endpoint=request.endpoint,
                    )
        except BaseException:
            answer.close()
            raise
        return bytes(body)

    async def _opened(self, request: Request, answer: ClientResponse) -> Response:
        """The answer before its body; with the body where it is short and might be an error."""
        head = b""
        try:
            if "json" in answer.content_type:
                while len(head) <= _ERROR_BYTES:
                    if not (chunk := await answer.content.readany()):
                        return Response(answer.status, answer.headers, head)
                    head += chunk
        except BaseException:
            answer.close()
            raise
        stream = _Stream(answer, head, partial(self._read, request, answer), self._streams)
        return Response(answer.status, answer.headers, b"", stream=stream)

    async def _read(self, request: Request, answer: ClientResponse) -> bytes:
        """The next bytes of a body. The time to wait for them begins anew with each call."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("databricks_async needs a running task")
        cancelling, late = task.cancelling(), False
        self._deadlines.start(task)
        try:
            try:
                return await answer.content.readany()
            finally:
                late = self._deadlines.stop(task)
        except asyncio.CancelledError:
            if not late or task.cancelling() > cancelling:
                raise
            raise self._out_of_time(request, _NO_MORE) from None
        except (aiohttp.ClientError, OSError, ValueError, RuntimeError) as error:
            gone = late or self._closed
            raise (self._out_of_time(request, _NO_MORE) if gone else self._failure(error, request)) from error

    def _out_of_time(self, request: Request, what: str = "no complete answer") -> DatabricksError:
        if self._closed:
            return ConnectionLost("the client was closed before the answer came", endpoint=request.endpoint)
        return RequestTimeout(f"{what} within {self._seconds:g} s", endpoint=request.endpoint)

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
            return self._refusal(error, ConnectError(f"no connection to {host}: {reason}", endpoint=endpoint))
        if isinstance(error.__cause__ or error, aiohttp.ServerDisconnectedError):
            said = f"{host} closed the connection without an answer"
            return self._refusal(error, ConnectionLost(said, endpoint=endpoint))
        if isinstance(error, aiohttp.ClientPayloadError):
            return ConnectionLost(f"{host} broke off in the middle of its answer", endpoint=endpoint)
        if isinstance(error, aiohttp.ClientResponseError):
            said = f"{host} answered with something that is not HTTP"
            return self._refusal(error, ConnectionLost(said, endpoint=endpoint))
        if isinstance(error, RuntimeError):
            return LifecycleError(f"the aiohttp session cannot be used: {reason}", endpoint=endpoint)
        return ConnectionLost(f"the connection to {host} was lost: {reason}", endpoint=endpoint)

    def _refusal(self, error: Exception, failure: TransportError) -> TransportError:
        """The same failure, marked and with a hint if the host refused, or speaks the other scheme."""
        system = getattr(error, "os_error", None)
        scheme = "https" if self._is_tls else "http"
        if isinstance(error, aiohttp.ClientConnectorSSLError) or isinstance(system, ssl.SSLError):
            hint = f"http or https? It was asked for {scheme} and does not speak it"
        elif isinstance(failure, ConnectionLost) and not self._is_tls:
            hint = "http or https? It was asked for http"  # a server that speaks TLS hangs up
        elif getattr(system, "errno", None) == errno.ECONNREFUSED:
            hint = f"is the port right, and is it http or https? It was asked for {scheme}"
        else:
            return failure
        failure.is_refusal = True
        failure.message = f"{failure.message}: {hint}"
        return failure


class _Stream:
    """The body of an answer, still on its connection. It is in `open_streams` until then: the client may close it."""

    def __init__(
        self, answer: ClientResponse, head: bytes, read: Callable[[], Awaitable[bytes]], open_streams: set[_Stream]
    ) -> None:
        self._answer = answer
        self._head = head
        self._read = read
        self._open_streams = open_streams
        open_streams.add(self)

    async def read(self) -> bytes:
        head, self._head = self._head, b""
        return head or await self._read()

    def close(self) -> None:
        self._answer.close()  # of an answer that was read to its end the connection is in use again
        self._open_streams.discard(self)


class _Sending(AsyncIterator[bytes]):
    """A body on its way. Whenever more of it is wanted the connection has shown that it lives."""

    def __init__(self, chunks: AsyncIterator[bytes], alive: Callable[[], None]) -> None:
        self._chunks = chunks
        self._alive = alive
        self.failure: Exception | None = None
        """What went wrong with the body itself, and not with the connection."""

    async def __anext__(self) -> bytes:
        self._alive()
        try:
            return await anext(self._chunks)
        except StopAsyncIteration:
            raise
        except Exception as error:
            self.failure = error
            raise


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
