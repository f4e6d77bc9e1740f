"""The HTTP server: connections, faults and limits around `requests.answer`."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
import uuid
from collections.abc import Callable
from email.utils import formatdate
from typing import Any, Protocol

from aiohttp import web

from databricks_async.local.clock import Clock
from databricks_async.local.errors import ApiError
from databricks_async.local.faults import Fault, Faults
from databricks_async.local.http.multipart import is_multipart, read_form
from databricks_async.local.http.requests import Arrived, answer, decode_pairs, refusal
from databricks_async.local.http.routes import Routes, table
from databricks_async.local.journal import Call, Journal, safe_headers
from databricks_async.local.limits import RateLimit
from databricks_async.local.values import WORKSPACE_ID
from databricks_async.message import Response

_MAX_REQUEST_BYTES = 64 * 1024 * 1024
_CHUNK_BYTES = 1024 * 1024


class Timed(Protocol):
    """Whatever is served: the server itself needs only its clock."""

    clock: Clock


class Server:
    """Serves one state over HTTP. Nothing is opened before `start`.

    `routes` and `answer` say what is served: a workspace by default.
    """

    def __init__(
        self,
        state: Timed,
        journal: Journal,
        faults: Faults,
        *,
        routes: Routes | None = None,
        answer: Callable[[Any, Arrived], Response] = answer,
    ) -> None:
        self.rate_limit: RateLimit | None = None
        self._state = state
        self._journal = journal
        self._faults = faults
        self._routes = routes or table()
        self._own_answer = answer
        self._runner: web.ServerRunner | None = None

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> tuple[str, int]:
        """Listen, and return the address. Raises OSError when it is taken."""
        if self._runner is not None:
            raise RuntimeError("the local workspace is already started")
        self._connections = _Connections(self._serve, self._journal)
        self._runner = runner = web.ServerRunner(self._connections)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port, backlog=1024, ssl_context=tls).start()
        except BaseException:
            await self.close()
            raise
        address = runner.addresses[0]
        return address[0], address[1]

    async def close(self) -> None:
        """Stop listening and close every connection, also in the middle of a request."""
        runner, self._runner = self._runner, None
        if runner is not None:
            for site in runner.sites:
                await site.stop()
            await self._connections.abort_all()
            await runner.cleanup()

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        route, path_params = self._routes.find(request.method, path)
        endpoint = f"{request.method} {path}" if route is None else route.endpoint
        headers = request.headers
        call = Call(
            endpoint,
            self._state.clock.now(),
            time.monotonic(),
            safe_headers(headers),
            decode_pairs(query),
            known_route=route is not None,
            request_id=uuid.uuid4().hex,
        )
        limit = self.rate_limit
        if limit is not None and not (path.startswith("/api/") and limit.covers(endpoint)):
            limit = None
        self._journal.arrived(call)
        try:
            takes_upload = route is not None and "upload" in route.declared.from_the_server
            form = await read_form(request) if takes_upload and is_multipart(request) else None
            body = await request.read() if form is None else b""
            if limit is not None:
                limit.enter(self._state.clock.client_time())
            try:
                return await self._answer(request, Arrived(call, route, path_params, headers, body, form))
            finally:
                if limit is not None:
                    limit.leave()
        except (ConnectionError, web.RequestPayloadError):
            # The client left before it had sent everything: the request never was.
            return _drop(request)
        except web.HTTPRequestEntityTooLarge:
            too_large = ApiError(
                413, "MAX_REQUEST_SIZE_EXCEEDED", f"A request may have at most {_MAX_REQUEST_BYTES} bytes."
            )
            return await _refuse(request, call, too_large)
        except ApiError as error:
            return await _refuse(request, call, error)
        finally:
            self._journal.left()

    async def _answer(self, request: web.BaseRequest, arrived: Arrived) -> web.StreamResponse:
        call = arrived.call
        fault = self._faults.take(call.endpoint)
        if fault is None:
            return await _respond(request, call, self._own_answer(self._state, arrived))
        call.fault = fault.name
        response = fault.response or Response(200, {}, b"")
        if not fault.after:
            await self._strike(request, fault)
        if fault.after or fault.kind == "delay":
            own = self._own_answer(self._state, arrived)
            response = fault.response or own
        if fault.after:
            await self._strike(request, fault)
        if fault.kind in ("drop", "hang"):
            return _drop(request)
        if fault.kind == "cut":
            return await _cut(request, call, response)
        return await _respond(request, call, response)

    async def _strike(self, request: web.BaseRequest, fault: Fault) -> None:
        if fault.latency:
            await self._connections.pause(fault.latency)
        if fault.kind == "hang":
            await self._connections.closed(request)


def _headers(call: Call, response: Response) -> dict[str, str]:
    # The workspace's own clock. A Retry-After that is a date counts from the machine's.
    date = {"date": formatdate(call.time / 1000, usegmt=True)} if response.status == 200 else {}
    return {
        **date,
        "content-type": "application/json",
        "x-request-id": call.request_id,
        "x-databricks-request-id": call.request_id,
        "x-databricks-org-id": WORKSPACE_ID,
        **{name.lower(): value for name, value in response.headers.items()},
    }


async def _respond(request: web.BaseRequest, call: Call, response: Response) -> web.StreamResponse:
    call.status = response.status
    if len(response.body) > _CHUNK_BYTES:
        return await _stream(request, call, response, len(response.body))
    return web.Response(body=response.body, status=response.status, headers=_headers(call, response))


async def _refuse(request: web.BaseRequest, call: Call, error: ApiError) -> web.StreamResponse:
    answer = await _respond(request, call, refusal(error, call))
    # The body may be half unread: many clients listen only when they have sent all of it.
    with contextlib.suppress(ConnectionError, web.RequestPayloadError):
        await answer.prepare(request)
        await answer.write_eof()
        while not request.content.at_eof():
            await request.content.readany()
    return answer


async def _stream(request: web.BaseRequest, call: Call, response: Response, until: int) -> web.StreamResponse:
    """Send the first `until` bytes of the body, in chunks, without copying it."""
    headers = {**_headers(call, response), "content-length": str(max(2, len(response.body)))}
    stream = web.StreamResponse(status=response.status, headers=headers)
    await stream.prepare(request)
    body = memoryview(response.body)[:until]
    for start in range(0, len(body), _CHUNK_BYTES):
        await stream.write(body[start : start + _CHUNK_BYTES])
    return stream


def _drop(request: web.BaseRequest) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    # aiohttp requires an answer in any case; the connection is closed, so it is not sent.
    return web.Response()


async def _cut(request: web.BaseRequest, call: Call, response: Response) -> web.StreamResponse:
    call.status = response.status
    stream = await _stream(request, call, response, len(response.body) // 2)
    if request.transport is not None:
        request.transport.close()
    return stream


class _Connections(web.Server):
    """aiohttp's server, which also counts its connections and can hang up on them."""

    def __init__(self, handler: Any, journal: Journal) -> None:
        super().__init__(handler, request_factory=_request, access_log=None)
        self._journal = journal
        self._transports: dict[Any, asyncio.Transport] = {}
        self._waiting: dict[Any, asyncio.Event] = {}
        self._closing = asyncio.Event()

    def connection_made(self, handler: Any, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        self._transports[handler] = transport
        self._journal.connected()
        if self._closing.is_set():
            transport.abort()

    def connection_lost(self, handler: Any, exc: BaseException | None = None) -> None:
        super().connection_lost(handler, exc)
        if self._transports.pop(handler, None) is not None:
            self._journal.disconnected()
        waiting = self._waiting.pop(handler, None)
        if waiting is not None:
            waiting.set()

    async def pause(self, seconds: float) -> None:
        """Wait, though not beyond the end of the server."""
        try:
            await asyncio.wait_for(self._closing.wait(), seconds)
        except TimeoutError:
            return

    async def closed(self, request: web.BaseRequest) -> None:
        """Wait until the client's connection is closed, by either side."""
        if request.protocol in self._transports:
            await self._waiting.setdefault(request.protocol, asyncio.Event()).wait()

    async def abort_all(self) -> None:
        """Close all connections at once, and see their handlers to their end."""
        self._closing.set()
        for transport in list(self._transports.values()):
            transport.abort()
        while self.connections:  # noqa: ASYNC110 (aiohttp has no event for the end of the last one)
            await asyncio.sleep(0)


def _request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=_MAX_REQUEST_BYTES)
