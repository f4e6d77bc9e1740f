"""The HTTP server: faults and limits around `requests.answer`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeAlias

from aiohttp import web

from databricks_async.local.clock import Clock
from databricks_async.local.errors import ApiError
from databricks_async.local.fault_queue import Faults
from databricks_async.local.http.answers import drop, respond, send
from databricks_async.local.http.connections import MAX_REQUEST_BYTES, Connections
from databricks_async.local.http.identity import revoke
from databricks_async.local.http.multipart import is_multipart, read_form
from databricks_async.local.http.requests import Arrived, answer, decode_pairs, refusal
from databricks_async.local.http.routes import Routes, table
from databricks_async.local.journal import Call, Journal, safe_headers
from databricks_async.local.limits import RateLimit
from databricks_async.local.state import State
from databricks_async.message import Response

_BACKLOG = 1024

ADMIN_PATH = "/_local"
"""No service has a path that begins so."""

Handler: TypeAlias = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


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
        self.observers: dict[str, str] = {}
        """Tokens whose requests no fault strikes, no limit counts and no journal has, and the token each stands for."""
        self.admin: Handler | None = None
        """What answers requests under `ADMIN_PATH`; None leaves them to the routes, which know none."""
        self._state = state
        self._journal = journal
        self._faults = faults
        self._routes = routes or table()
        self._own_answer = answer
        self._runner: web.ServerRunner | None = None
        self._address = ("", 0)
        self._coming_back: asyncio.Task[None] | None = None
        self._past: State | None = None
        """How the workspace was before its last write, if a stale read is planned."""
        faults.before_stale = self._keep_past
        faults.endpoints = journal.endpoints = self._routes.endpoints

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> tuple[str, int]:
        """Listen, and return the address. Raises OSError when it is taken."""
        self.check_not_started()
        self._connections = Connections(self._serve, self._journal, self._faults, tls)
        self._runner = runner = web.ServerRunner(self._connections)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port, backlog=_BACKLOG).start()
        except BaseException:
            await self.close()
            raise
        address = runner.addresses[0]
        self._address = address[0], address[1]
        return self._address

    def check_not_started(self) -> None:
        """Raise RuntimeError if it is."""
        if self._runner is not None:
            raise RuntimeError("the local workspace is already started")

    def replace(self, state: Timed) -> None:
        """Serve this state from now on."""
        self._state, self._past = state, None

    async def close(self) -> None:
        """Stop listening and close every connection, also in the middle of a request."""
        runner, self._runner = self._runner, None
        if runner is not None:
            for site in runner.sites:
                await site.stop()
            await self._connections.abort_all()
            if self._coming_back is not None:
                await self._coming_back
                self._coming_back = None
            for site in list(runner.sites):
                await site.stop()
            await runner.cleanup()

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        if self.admin is not None and (path == ADMIN_PATH or path.startswith(f"{ADMIN_PATH}/")):
            return await self.admin(request)
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
        stands_for = self.observers.get(headers.get("Authorization", "").removeprefix("Bearer "))
        if stands_for is not None:
            body = await request.read()
            allowed = {**headers, "Authorization": f"Bearer {stands_for}"}
            observed = Arrived(call, route, path_params, allowed, body)
            return await respond(request, call, self._own_answer(self._state, observed))
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
            return drop(request)
        except web.HTTPRequestEntityTooLarge:
            too_large = ApiError(
                413, "MAX_REQUEST_SIZE_EXCEEDED", f"A request may have at most {MAX_REQUEST_BYTES} bytes."
            )
            return await _refuse(request, call, too_large)
        except ApiError as error:
            return await _refuse(request, call, error)
        finally:
            self._journal.left(call)

    async def _answer(self, request: web.BaseRequest, arrived: Arrived) -> web.StreamResponse:
        call = arrived.call
        fault = self._faults.take(call.endpoint)
        if fault is None:
            return await respond(request, call, self._own(arrived))
        call.fault = fault.name
        if fault.kind == "clock":
            self._state.clock.advance(fault.amount)
        if fault.kind == "revoke" and isinstance(self._state, State):
            revoke(self._state, request.headers)
        if not fault.after:
            await self._connections.pause(fault.latency)
        response = fault.response or Response(200, {}, b"")
        if fault.after or fault.kind in ("delay", "clock", "revoke"):
            own = self._own(arrived, stale=fault.kind == "stale")
            response = fault.response or own
        if fault.after:
            await self._connections.pause(fault.latency)
        if fault.kind == "hang":
            await self._connections.closed(request)
        if fault.kind == "refuse":
            await self._go_down(fault.amount)
        return await send(fault, request, call, response, self._connections)

    def _own(self, arrived: Arrived, *, stale: bool = False) -> Response:
        """The answer of what is served, or of its past."""
        if stale and self._past is not None:
            return self._own_answer(self._past, arrived)
        if self._faults.has_stale and arrived.call.endpoint.partition(" ")[0] != "GET":
            self._keep_past()
        return self._own_answer(self._state, arrived)

    def _keep_past(self) -> None:
        if isinstance(self._state, State):
            self._past = self._state.copy()

    async def _go_down(self, seconds: float) -> None:
        """Refuse connections for so many seconds."""
        runner = self._runner
        if runner is None:
            return
        if self._coming_back is not None:
            self._coming_back.cancel()
        for site in list(runner.sites):
            await site.stop()
        self._connections.close_all()
        self._coming_back = asyncio.create_task(self._come_back(runner, _bound(self._address), seconds))

    async def _come_back(self, runner: web.ServerRunner, port: socket.socket | None, seconds: float) -> None:
        """Listen on this port again. Until then it is kept: any program that connects to anything might get it, and a
        client that tries to connect to it, from just this port, would be connected to itself.
        """
        comes_back_at = time.monotonic() + seconds
        try:
            while port is None and not self._connections.is_closing:
                # uvloop gives a port free a little later; or another program has it now: wait until it is done.
                await self._connections.pause(0.01)
                port = _bound(self._address)
            await self._connections.pause(comes_back_at - time.monotonic())
            if port is not None and not self._connections.is_closing:
                await web.SockSite(runner, port, backlog=_BACKLOG).start()
                port = None
        finally:
            if port is not None:
                port.close()


def _bound(address: tuple[str, int]) -> socket.socket | None:
    """A socket that has this address and does not listen; None if another one has it."""
    family, kind, protocol, _, found = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)[0]
    port = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":  # as asyncio's servers do
            port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        port.bind(found)
    except OSError:
        port.close()
        return None
    return port


async def _refuse(request: web.BaseRequest, call: Call, error: ApiError) -> web.StreamResponse:
    answer = await respond(request, call, refusal(error, call))
    # The body may be half unread: many clients listen only when they have sent all of it.
    with contextlib.suppress(ConnectionError, web.RequestPayloadError):
        await answer.prepare(request)
        await answer.write_eof()
        while not request.content.at_eof():
            await request.content.readany()
    return answer
