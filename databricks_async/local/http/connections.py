"""The connections of the HTTP server: counted, hung up on, stalled, and secured by TLS."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Any, cast

from aiohttp import web

from databricks_async.local.fault_queue import CONNECT, Faults
from databricks_async.local.journal import Journal

MAX_REQUEST_BYTES = 64 * 1024 * 1024


class Connections(web.Server):
    """aiohttp's server, which also counts its connections, can hang up on them, and leave some without a word."""

    def __init__(self, handler: Any, journal: Journal, faults: Faults, tls: ssl.SSLContext | None) -> None:
        super().__init__(handler, request_factory=_request, access_log=None)
        self._journal = journal
        self._faults = faults
        self._tls = tls
        self._transports: dict[Any, asyncio.Transport] = {}
        self._waiting: dict[Any, asyncio.Event] = {}
        self._closing = asyncio.Event()

    def __call__(self) -> Any:
        """The protocol of a connection that was just accepted."""
        if self._faults.take(CONNECT) is not None:
            return _Stalled(self)
        return super().__call__() if self._tls is None else _Secured(self, super().__call__, self._tls)

    def connection_made(self, handler: Any, transport: asyncio.Transport) -> None:
        """Take part in the life of a connection, as aiohttp's server does."""
        super().connection_made(handler, transport)
        self.opened(handler, transport)

    def connection_lost(self, handler: Any, exc: BaseException | None = None) -> None:
        """The same at its end."""
        super().connection_lost(handler, exc)
        self.lost(handler)

    def opened(self, protocol: Any, transport: asyncio.Transport) -> None:
        """Count a connection, and hang up on it if the server closes."""
        if protocol not in self._transports:
            self._journal.connected()
        self._transports[protocol] = transport
        if self._closing.is_set():
            transport.abort()

    def secured(self, before: Any, protocol: Any) -> None:
        """Count it as the same connection as before."""
        self._transports[protocol] = self._transports.pop(before)

    def lost(self, protocol: Any) -> None:
        """Count it no more."""
        if self._transports.pop(protocol, None) is not None:
            self._journal.disconnected()
        waiting = self._waiting.pop(protocol, None)
        if waiting is not None:
            waiting.set()

    @property
    def is_closing(self) -> bool:
        """Whether the server has begun to close."""
        return self._closing.is_set()

    async def pause(self, seconds: float) -> None:
        """Wait, though not beyond the end of the server."""
        if seconds <= 0:
            return
        try:
            await asyncio.wait_for(self._closing.wait(), seconds)
        except TimeoutError:
            return

    async def closed(self, request: web.BaseRequest) -> None:
        """Wait until the client's connection is closed, by either side."""
        if request.protocol in self._transports:
            await self._waiting.setdefault(request.protocol, asyncio.Event()).wait()

    def close_all(self) -> None:
        """Close the connections: idle ones now, the others behind their answers."""
        for protocol, transport in list(self._transports.items()):
            protocol.close()
            # aiohttp leaves an idle one open, and reads nothing from it any more.
            if getattr(protocol, "_current_request", None) is None:
                transport.close()

    async def abort_all(self) -> None:
        """Close all connections at once, and see their handlers to their end."""
        self._closing.set()
        for transport in list(self._transports.values()):
            transport.abort()
        while self.connections or self._transports:  # noqa: ASYNC110 (aiohttp has no event for the end of the last one)
            await asyncio.sleep(0)


class _Stalled(asyncio.Protocol):
    """A connection on which nothing is ever said: what comes is dropped, until the client or the server hangs up."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._connections.opened(self, cast("asyncio.Transport", transport))

    def connection_lost(self, exc: BaseException | None) -> None:
        self._connections.lost(self)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class _Secured(asyncio.Protocol):
    """A connection until its TLS handshake is done, when another protocol takes over.

    The handshake is here and not in asyncio's server, which would begin it on connections that are to stall, too. It
    begins when the client has said something: before that, uvloop does not stop to read.
    """

    def __init__(self, connections: Connections, make: Callable[[], Any], tls: ssl.SSLContext) -> None:
        self._connections = connections
        self._make = make
        self._tls = tls
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._shaking: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._connections.opened(self, self._transport)

    def data_received(self, data: bytes) -> None:
        """The first bytes, which are for TLS, and what came with the last bytes of the handshake."""
        if self._shaking is None and self._transport is not None:
            self._transport.pause_reading()
            self._shaking = asyncio.get_running_loop().create_task(self._shake_hands(self._transport, data))
        else:
            self._received += data

    def connection_lost(self, exc: BaseException | None) -> None:
        self._connections.lost(self)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    async def _shake_hands(self, transport: asyncio.Transport, hello: bytes) -> None:
        loop = asyncio.get_running_loop()
        handshake = loop.create_task(loop.start_tls(transport, self, self._tls, server_side=True))
        await asyncio.sleep(0)
        # The transport has its protocol of TLS now, which begins in the next turn, and reads on after this.
        loop.call_soon(_receive, transport, hello)
        try:
            secured = await handshake
        except OSError:  # the client left, or does not like the certificate; ssl.SSLError is one, too
            transport.abort()
            self._connections.lost(self)
            return
        if secured is None or secured.is_closing():
            self._connections.lost(self)
            return
        handler = self._make()
        self._connections.secured(self, handler)
        secured.set_protocol(handler)
        handler.connection_made(secured)
        if self._received:
            handler.data_received(bytes(self._received))


def _receive(transport: asyncio.Transport, data: bytes) -> None:
    """Hand these bytes to the protocol of a transport that fills its protocol's buffer."""
    if transport.is_closing():
        return
    protocol = cast("asyncio.BufferedProtocol", transport.get_protocol())
    while data:
        buffer = memoryview(protocol.get_buffer(len(data)))
        size = min(len(buffer), len(data))
        buffer[:size] = data[:size]
        protocol.buffer_updated(size)
        data = data[size:]


def _request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=MAX_REQUEST_BYTES)
