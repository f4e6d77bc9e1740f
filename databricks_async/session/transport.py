"""The only module that sends through aiohttp: one request, one answer or a typed error."""

from __future__ import annotations

import asyncio
import errno
import io
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import lru_cache, partial
from typing import Any

import aiohttp
from aiohttp import ClientHandlerType, ClientMiddlewareType, ClientRequest, ClientResponse
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong
from aiohttp.payload import BytesPayload
from multidict import CIMultiDict
from yarl import URL

from databricks_async.error_bodies import is_page_for_file
from databricks_async.errors import (
    CertificateError,
    ConnectError,
    ConnectionLost,
    DatabricksError,
    InvalidResponse,
    LifecycleError,
    OutcomeUnknown,
    RequestTimeout,
    TransportError,
)
from databricks_async.message import Request, Response
from databricks_async.sent_secrets import remember_form, remember_headers
from databricks_async.session.connections import (
    MAX_HEADER_LINE,
    MAX_HEADER_LINES,
    MAX_HEADERS,
    Body,
    HeadersTooLong,
    IdleConnections,
    NothingSent,
    are_too_long,
    complete_headers,
    is_own,
    sends_again,
)
from databricks_async.session.deadlines import Deadlines
from databricks_async.session.network import certificate_problem
from databricks_async.session.stats import Stats

_CONNECT_SECONDS = 30.0
_MAX_CONNECTIONS_TRIED = 5
_LARGE_BYTES = 2**20
_LONG_QUERY = 500
_ERROR_BYTES = 64 * 1024
"""So much of an error is read. No error is longer; a JSON body that is may be handed out before its end."""
_READ_TIMEOUT = "nothing more came"

MAX_ANSWER_BYTES = 64 * 2**20
"""The usual maximum of a JSON answer, decompressed."""


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
        max_bytes: int = MAX_ANSWER_BYTES,
        authorities: Callable[[], ssl.SSLContext] | None = None,
    ) -> None:
        self._session = session
        self._headers = dict(headers)
        self._last_headers: tuple[Mapping[str, str], CIMultiDict[str]] | None = None
        """Those of the last request, and all that went out with them: nearly always the next one has the same."""
        self._stats = stats
        self._seconds = timeout
        self._loop = asyncio.get_running_loop()
        self._deadlines = Deadlines(timeout)
        self._max_bytes = max_bytes
        self._streams = set[_Stream]()
        self._closed = False
        self._origin = host
        scheme, _, self._host = host.partition("://")
        self._host_header = URL(host).host_port_subcomponent or ""
        self._is_tls = scheme == "https"
        self._was_there = False
        # No timer of aiohttp's own once connected; connecting has its own, because what never left may be sent again.
        self._connect_seconds = connect = min(_CONNECT_SECONDS, timeout / 2)
        # What is the same for each request.
        self._options: dict[str, Any] = {
            "allow_redirects": False,
            "raise_for_status": False,
            "timeout": aiohttp.ClientTimeout(total=None, connect=connect, sock_connect=connect),
            "proxy": proxy,
            "proxy_headers": proxy_headers,
            "max_line_size": MAX_HEADER_LINE,
            "max_field_size": MAX_HEADER_LINE,
            "max_headers": MAX_HEADER_LINES,
        }
        self._authorities = authorities if host.startswith("https:") else None
        self._loading = asyncio.Lock()
        connector = session.connector
        self._is_own = is_own(session)
        # Our own connections look at themselves.
        idle = None if connector is None or self._is_own else IdleConnections(connector, URL(host).raw_host or "")
        self._middlewares = (*getattr(session, "_middlewares", ()), _sending_once(idle))
        self._middlewares_without_body = () if self._is_own and not sends_again(session) else self._middlewares
        # A lent session may look up credentials of its own, and would refuse a header that has others.
        self._has_credentials = session.trust_env or session.auth is not None
        remember_headers(proxy_headers or {})

        def url(path: str, query: str) -> URL:
            return URL.build(scheme=scheme, authority=self._host, path=path, query_string=query, encoded=True)

        self._url = url
        # Short ones: page tokens may be as long as a page. And few: they would keep memory in pieces.
        self._known_url = lru_cache(maxsize=128)(url)

    async def send(self, request: Request) -> Response:
        if self._closed:
            raise LifecycleError("the client was closed before this call was sent", endpoint=request.endpoint)
        if self._authorities is not None:
            await self._load_authorities()
        # Raised here and not where it came about: aiohttp's own errors and frames hold the headers of the request.
        if request.report is None:
            outcome = await self._attempt(request)
        else:
            outcome = await request.report.sent(self._attempt, request, self._origin, self._headers)
        if isinstance(outcome, Response):
            return outcome
        try:
            raise outcome
        finally:
            del outcome  # its traceback holds this frame

    async def _load_authorities(self) -> None:
        async with self._loading:
            if (load := self._authorities) is not None:
                self._options["ssl"] = await asyncio.to_thread(load)
                self._authorities = None

    async def _attempt(self, request: Request) -> Response | BaseException:
        """The answer, or why there is none."""
        task = self._current_task()
        headers, middlewares = self._headers_of(request), self._middlewares_without_body
        body: bytes | io.BytesIO | _Sending | None = None
        sending = None
        if request.body is not None:
            middlewares = self._middlewares
            if "form" in headers.get("Content-Type", "") and isinstance(request.body, bytes):
                remember_form(request.body)
            if not isinstance(request.body, bytes):
                body = sending = _Sending(request.body(), partial(self._deadlines.restart, task))
            else:
                # aiohttp warns of large bodies in one piece.
                body = request.body if len(request.body) <= _LARGE_BYTES else io.BytesIO(request.body)
        if self._has_credentials and "Authorization" in headers:
            headers = headers.copy()
            middlewares = (*middlewares, _authorizing(headers.pop("Authorization")))
        cancelling, expired = task.cancelling(), False
        self._deadlines.start(task)
        self._stats.sent += 1
        self._stats.of(request.endpoint).sent += 1
        try:
            try:
                answer = await self._session.request(
                    request.method,
                    (self._known_url if len(request.query) < _LONG_QUERY else self._url)(request.path, request.query),
                    data=body,
                    headers=headers,
                    middlewares=middlewares,
                    **self._options,
                )
                self._was_there = True
                return await self._received(request, answer)
            finally:
                expired = self._deadlines.stop(task)
        except asyncio.CancelledError as cancelled:
            if not expired or task.cancelling() > cancelling:
                return _bare(cancelled)
            return self._out_of_time(request)
        except (aiohttp.ClientError, OSError, ValueError, RuntimeError) as error:
            if sending is not None and sending.failure is not None:
                return sending.failure
            # aiohttp raises more than its own errors for some broken answers and connections.
            return self._out_of_time(request) if expired else self._failure(error, request)

    def _headers_of(self, request: Request) -> CIMultiDict[str]:
        if self._last_headers is not None and request.headers is self._last_headers[0]:
            return self._last_headers[1]
        headers = {**self._headers, **request.headers}
        made = complete_headers(self._host_header, headers) if self._is_own else CIMultiDict(headers)
        remember_headers(made)
        self._last_headers = request.headers, made
        return made

    def _current_task(self) -> asyncio.Task[object]:
        task = asyncio.current_task(self._loop)
        if task is None:
            raise RuntimeError("databricks_async needs a running task")
        return task

    def close(self) -> None:
        """Ends the requests in flight, with a `ConnectionLost`."""
        self._closed = True
        self._deadlines.close()
        for stream in list(self._streams):
            stream.close()

    async def _received(self, request: Request, answer: ClientResponse) -> Response | DatabricksError:
        """The answer whose head has come, with its body or, if that is wanted, as a stream."""
        try:
            if not self._is_own and are_too_long(answer.raw_headers):  # our own connections have looked
                answer.close()
                return self._headers_too_long(request, answer.status)
            if not 200 <= answer.status < 300:
                return Response(answer.status, answer.headers, await _start_of(answer))
            if request.stream:
                return await self._opened(request, answer)
            if answer.content.is_eof():  # it came in one piece with the head, as most do
                body = answer.content.read_nowait()
                if len(body) <= self._max_bytes:
                    return Response(answer.status, answer.headers, body)
                return self._too_long(request, answer)
            return await self._complete(request, answer)
        except BaseException:
            answer.close()
            raise

    async def _complete(self, request: Request, answer: ClientResponse) -> Response | DatabricksError:
        # Counted as it comes: a few bytes can be decompressed to any number.
        size, chunks = answer.content_length or 0, list[bytes]()
        if size <= self._max_bytes:
            size = 0
            while chunk := await answer.content.readany():
                size += len(chunk)
                if size > self._max_bytes:
                    break
                chunks.append(chunk)
                if answer.content.at_eof():
                    return Response(answer.status, answer.headers, b"".join(chunks))
            else:
                return Response(answer.status, answer.headers, b"".join(chunks))
        return self._too_long(request, answer)

    def _too_long(self, request: Request, answer: ClientResponse) -> DatabricksError:
        answer.close()
        said = f"the answer of {self._host} is longer than {self._max_bytes} bytes"
        return _unreadable(said, request, answer.status)

    async def _opened(self, request: Request, answer: ClientResponse) -> Response:
        """The answer before its body; with it where it is short and might report an error."""
        head = b""
        if is_page_for_file(answer.headers, request.query):
            return Response(answer.status, answer.headers, await _start_of(answer))
        if "json" in answer.content_type:
            while len(head) <= _ERROR_BYTES:
                if not (chunk := await answer.content.readany()):
                    return Response(answer.status, answer.headers, head)
                head += chunk
        stream = _Stream(answer, head, partial(self._read, request, answer), self._streams)
        return Response(answer.status, answer.headers, b"", stream=stream)

    async def _read(self, request: Request, answer: ClientResponse) -> bytes | BaseException:
        """The next bytes of a body, or why they do not come. The time to wait for them begins anew with each call."""
        task = self._current_task()
        cancelling, expired = task.cancelling(), False
        self._deadlines.start(task)
        try:
            try:
                return await answer.content.readany()
            finally:
                expired = self._deadlines.stop(task)
        except asyncio.CancelledError as cancelled:
            if not expired or task.cancelling() > cancelling:
                return _bare(cancelled)
            return self._out_of_time(request, _READ_TIMEOUT)
        except (aiohttp.ClientError, OSError, ValueError, RuntimeError) as error:
            gone = expired or self._closed
            return self._out_of_time(request, _READ_TIMEOUT) if gone else self._failure(error, request)

    def _out_of_time(self, request: Request, what: str = "no complete answer") -> DatabricksError:
        if self._closed:
            return ConnectionLost("the client was closed before the answer came", endpoint=request.endpoint)
        return RequestTimeout(f"{what} within {self._seconds:g} s", endpoint=request.endpoint)

    def _headers_too_long(self, request: Request, status: int | None) -> DatabricksError:
        said = f"{self._host} answered with headers of more than {MAX_HEADERS // 1024} KiB"
        return _unreadable(said, request, status)

    def _failure(self, error: Exception, request: Request) -> DatabricksError:
        failure = self._failure_of(error, request)
        _forget_frames(error)
        # The system's own error says what has happened. aiohttp's would keep the headers of the request.
        cause = getattr(error, "certificate_error", None) or getattr(error, "os_error", None)
        if isinstance(cause, OSError):
            failure.__cause__ = _bare(cause)
        return failure

    def _failure_of(self, error: Exception, request: Request) -> DatabricksError:
        host, endpoint = self._host, request.endpoint
        reason = str(error) or type(error).__name__
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            problem = certificate_problem(error.certificate_error)
            return CertificateError(f"the TLS certificate of {host} is not trusted: {problem}", endpoint=endpoint)
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            return ConnectError(f"no connection to {host} within {self._connect_seconds:g} s", endpoint=endpoint)
        if isinstance(error, NothingSent):
            return ConnectError(f"{host} ended each connection before anything was sent", endpoint=endpoint)
        if isinstance(error, aiohttp.ClientConnectorDNSError):
            return ConnectError(f"the host {host} is not known: check its spelling", endpoint=endpoint)
        if isinstance(error, aiohttp.ClientHttpProxyError):
            said = f"the proxy refused a connection to {host} with {error.status}"
            return ConnectError(said, endpoint=endpoint)
        if isinstance(error, aiohttp.ClientConnectorError):
            # aiohttp names its setting for TLS, also where there is none.
            reason = re.sub(r" ssl:.*? \[", " [", reason)
            return self._refusal(error, ConnectError(f"no connection to {host}: {reason}", endpoint=endpoint))
        if isinstance(error.__cause__ or error, aiohttp.ServerDisconnectedError):
            said = f"{host} closed the connection without an answer"
            return self._refusal(error, ConnectionLost(said, endpoint=endpoint))
        if isinstance(error, aiohttp.ClientPayloadError):
            return ConnectionLost(f"{host} broke off in the middle of its answer", endpoint=endpoint)
        if isinstance(error, HeadersTooLong):
            return self._headers_too_long(request, error.status)
        if isinstance(error, aiohttp.ClientResponseError):
            root = _root(error)
            if isinstance(root, LineTooLong):
                said = f"{host} answered with a header line of more than {MAX_HEADER_LINE // 1024} KiB"
                return _unreadable(said, request, None)
            if isinstance(root, HttpProcessingError) and "Too many headers" in root.message:
                return self._headers_too_long(request, None)
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
        elif isinstance(failure, ConnectionLost) and not self._is_tls and not self._was_there:
            hint = "http or https? It was asked for http"  # a server that speaks TLS hangs up
        elif getattr(system, "errno", None) == errno.ECONNREFUSED:
            hint = f"is the port right, and is it http or https? It was asked for {scheme}"
        else:
            return failure
        failure.is_refusal = True
        failure.message = f"{failure.message}: {hint}"
        return failure


def _bare(error: BaseException) -> BaseException:
    """The error without what it came from, whose frames hold the headers of the request."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def _forget_frames(error: BaseException) -> None:
    """Take the tracebacks from an error that goes no further.

    Frames of aiohttp hold the errors that they raise, and with them the connection and the answer: they would be there
    until the garbage collector comes. An error that the caller handles meanwhile may be the context of the first one:
    that keeps its traceback.
    """
    passed: BaseException | None = error
    while isinstance(passed, aiohttp.ClientError | HttpProcessingError | OSError) and passed.__traceback__ is not None:
        passed.__traceback__ = None
        passed = passed.__cause__ or passed.__context__


def _root(error: BaseException) -> BaseException:
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def _unreadable(said: str, request: Request, status: int | None) -> DatabricksError:
    """The service has answered, and its answer is not read."""
    failure = InvalidResponse(said, status=status, endpoint=request.endpoint)
    if request.replay not in ("unsafe", "token") or (status is not None and not 200 <= status < 300):
        return failure
    said = f"{request.endpoint} was probably carried out, but its answer cannot be read ({said})"
    unknown = OutcomeUnknown(said, lookup=request.lookup, **failure.about())
    unknown.__cause__ = failure
    return unknown


async def _start_of(answer: ClientResponse) -> bytes:
    """The body of an error, as much of it as is of any use; the rest is not read."""
    body = b""
    while chunk := await answer.content.readany():
        body += chunk
        if len(body) > _ERROR_BYTES:
            answer.close()
            break
    return body[:_ERROR_BYTES]


class _Stream:
    """The body of an answer, still on its connection. It is in `open_streams` until then: the client may close it."""

    def __init__(
        self,
        answer: ClientResponse,
        head: bytes,
        read: Callable[[], Awaitable[bytes | BaseException]],
        open_streams: set[_Stream],
    ) -> None:
        self._answer = answer
        self._head = head
        self._read = read
        self._open_streams = open_streams
        open_streams.add(self)

    async def read(self) -> bytes:
        head, self._head = self._head, b""
        outcome = head or await self._read()
        if isinstance(outcome, bytes):
            return outcome
        try:
            raise outcome
        finally:
            del outcome  # its traceback holds this frame

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


def _sending_once(idle: IdleConnections | None) -> ClientMiddlewareType:
    """Sends on a connection on which nothing has arrived, and only once.

    By itself aiohttp sends a GET, PUT or DELETE again that was lost: what is sent again is decided in retry.py.
    """

    async def send(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        if type(request.body) is BytesPayload:  # isinstance takes ten times as long: this is an abstract base class
            await request.update_body(Body(await request.body.as_bytes()))
        for _ in range(_MAX_CONNECTIONS_TRIED):
            if idle is not None:
                idle.close_unusable()
            try:
                return await handler(request)
            except aiohttp.ClientConnectorError:
                raise
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
                raise aiohttp.ClientConnectionError(str(error)) from error
            except aiohttp.ClientConnectionError as error:
                if not isinstance(error.__cause__, NothingSent):
                    raise
        raise NothingSent

    return send


def _authorizing(value: str) -> ClientMiddlewareType:
    async def authorize(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        request.headers["Authorization"] = value
        return await handler(request)

    return authorize
