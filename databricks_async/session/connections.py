"""Which connections a request may go out on: one that has ended, or has said anything unasked, is closed and not used.

aiohttp asks a pooled connection only whether it is open. What arrives on it between two requests is parsed and handed
out as the answer to the next one, and an end that has arrived is seen only after the next request was sent
(aio-libs/aiohttp#13656; RFC 9112, section 9.2 and 9.3).
"""

from __future__ import annotations

import asyncio
import contextlib
import select
import time
import weakref
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, TypeAlias, cast

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_writer import StreamWriter
from multidict import CIMultiDict, istr

MAX_HEADER_LINE = 64 * 1024
MAX_HEADERS = 256 * 1024
"""All header lines of one answer together."""
MAX_HEADER_LINES = MAX_HEADERS // 4
"""So many of the shortest header lines are as long as that."""

_MAX_CLOCK_GAP_SECONDS = 5.0
"""The monotonic clock stands still while a machine is suspended, and the other one does not."""


Poll: TypeAlias = Callable[[int], list[Any]]


class HeadersTooLong(aiohttp.ClientError):
    """The header lines of one answer are longer than `MAX_HEADERS` together."""

    def __init__(self, status: int | None) -> None:
        super().__init__(status)
        self.status = status
        """None if no end of them has come."""


class NothingSent(aiohttp.ClientError):
    """The connection has ended, or something has arrived on it, and no byte of the request has left yet."""


def are_too_long(lines: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether the header lines of one answer are. To add them up costs nearly a hundredth of a call."""
    return sum(len(name) + len(value) + 4 for name, value in lines) > MAX_HEADERS


class Body(aiohttp.payload.BytesPayload):
    """A body that looks at its connection before it is sent.

    aiohttp holds the header lines back for it, and before Python 3.12 it sends them a turn of the event loop after it
    has chosen the connection.
    """

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        if isinstance(writer, StreamWriter) and (writer.transport is None or _may_have_news(writer)):
            raise NothingSent
        await super().write_with_length(writer, content_length)


class OwnRequest(aiohttp.ClientRequest):
    """A request of our own session. It takes its headers as they are, which `complete_headers` has made.

    Its base class puts them together anew, header by header, which costs 3 % of a call.
    """

    def update_headers(self, headers: Any) -> None:
        self.headers = headers  # aiohttp's own copy

    def update_auto_headers(self, skip_auto_headers: Any) -> None:
        """There are none to add."""


def complete_headers(host: str, headers: Mapping[str, str]) -> CIMultiDict[str]:
    """All headers of a request to this host. Names that are `istr` cost aiohttp half of what others do."""
    made = CIMultiDict[str]()
    for name, value in (("Host", host), *aiohttp.ClientRequest.DEFAULT_HEADERS.items(), *headers.items()):
        made[istr(name)] = value
    return made


def own_session(**options: Any) -> aiohttp.ClientSession:
    """A session that keeps nothing but connections, and does not send again by itself."""
    session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), request_class=OwnRequest, **options)
    if hasattr(session, "_retry_connection"):
        session._retry_connection = False
    return session


def is_own(session: aiohttp.ClientSession) -> bool:
    return isinstance(session.connector, Connector)


def sends_again(session: aiohttp.ClientSession) -> bool:
    """Whether it sends a GET, PUT or DELETE again that was lost, as aiohttp does by itself."""
    return bool(getattr(session, "_retry_connection", True))


class Connection(ResponseHandler):
    """A connection that ends as soon as anything arrives for which no request has asked."""

    def __init__(self, loop: Any) -> None:
        super().__init__(loop)
        self._is_idle = False
        self.was_idle = False
        """Whether it has been in the pool."""
        self._clock_gap = 0.0
        self._head: int | None = None
        """How long the head of the answer is so far, at most; None when it is complete."""
        self._status: int | None = None
        self.poll: Poll | None = None
        """Made once: that takes twice as long as a look."""

    def rest(self) -> None:
        """Go back to the pool."""
        self._is_idle = self.was_idle = True
        self._clock_gap = _clock_gap()

    def is_connected(self) -> bool:
        """Whether a request may go out on it. aiohttp asks this of a connection before it takes it from the pool."""
        if not self._is_idle:
            return super().is_connected()
        # After a suspended machine the end of a connection may never arrive.
        return _clock_gap() - self._clock_gap <= _MAX_CLOCK_GAP_SECONDS and _is_usable(self)

    def set_response_params(self, **params: Any) -> None:
        self._is_idle = False
        self._head, self._status = 0, None
        super().set_response_params(**params)

    def data_received(self, data: bytes) -> None:
        if self._is_idle:
            if data:  # nothing is aiohttp's way to go on with what has come before
                self.abort()
            return
        if self._head is not None:
            self._head += len(data)
        super().data_received(data)
        # The head was parsed as far as it came: an endless one is not read on.
        if self._head is not None and self._head > MAX_HEADERS and self.transport is not None:
            transport = self.transport
            self.set_exception(HeadersTooLong(self._status))
            transport.abort()

    def feed_data(self, data: Any, size: int = 0) -> None:
        status = data[0].code
        if self._head is not None and self._head > MAX_HEADERS and are_too_long(data[0].raw_headers):
            self._status = status  # `data_received` goes on from here
            return
        # Another answer follows a 1xx, and another head with it.
        self._head = 0 if 100 <= status < 200 and status != 101 else None
        super().feed_data(data, size)


class Connector(aiohttp.TCPConnector):
    """aiohttp's own, with connections that close when anything arrives on them while they are in the pool."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._factory = cast(Any, partial(Connection, loop=self._loop))
        self._keeps = True
        """Whether connections go back to the pool."""

    def _release(self, key: Any, protocol: ResponseHandler, *, should_close: bool = False) -> None:
        if not self._keeps:
            protocol.abort()
        super()._release(key, protocol, should_close=should_close or not self._keeps)
        if isinstance(protocol, Connection):
            protocol.rest()

    async def empty(self) -> None:
        """Close what is in the pool, and from now on each connection behind its request: the loop is about to end."""
        self._keeps = False
        idle = [protocol for connections in self._conns.values() for protocol, _ in connections]
        self._conns.clear()
        ends = [end for protocol in idle if (end := protocol.closed) is not None]
        for protocol in idle:
            protocol.abort()
        await asyncio.gather(*ends, return_exceptions=True)

    def end(self, loop: asyncio.AbstractEventLoop) -> None:
        """Close without waiting for it, in the thread of the loop, which may be closed: its client was dropped."""
        idle = (protocol for connections in self._conns.values() for protocol, _ in connections)
        transports = [protocol.transport for protocol in (*idle, *self._acquired)]
        self._close()
        if loop.is_closed():
            for transport in transports:
                _end_without_loop(transport)


def _end_without_loop(transport: Any) -> None:
    """Close the socket of a transport whose loop is closed. uvloop has done so, and warns of TLS that was not told."""
    if transport is None:
        return
    with contextlib.suppress(RuntimeError):  # the loop is closed
        transport.abort()
    tls: Any = getattr(transport, "_ssl_protocol", None)
    end: Any = getattr(transport if tls is None else tls._transport, "_call_connection_lost", None)
    if end is not None:
        with contextlib.suppress(RuntimeError):  # the protocol would like to have something done later
            end(None)


class IdleConnections:
    """The connections to one host in the pool of a connector that is not ours, looked at before each request."""

    def __init__(self, connector: aiohttp.BaseConnector, host: str) -> None:
        self._connector = connector
        self._host = host
        self._clock_gap = _clock_gap()

    def close_unusable(self) -> None:
        """Close those that the next request could get and that have ended, or on which anything has arrived."""
        gap = _clock_gap()
        # After a suspended machine no end may ever arrive: all that was open before is given up.
        suspended = gap - self._clock_gap > _MAX_CLOCK_GAP_SECONDS
        self._clock_gap = gap
        pool = self._connector._conns
        for key in tuple(pool):
            if key.host != self._host:
                continue
            connections = pool[key]
            # aiohttp takes the first one that is open.
            while connections and (suspended or not _is_usable(connections[0][0])):
                connections.popleft()[0].close()
            _were_idle.update(protocol for protocol, _ in connections)
            if not connections:
                del pool[key]


def _clock_gap() -> float:
    return time.time() - time.monotonic()


def _is_usable(protocol: ResponseHandler) -> bool:
    transport = protocol.transport
    if transport is None or protocol.should_close:
        return False
    try:
        # Half an answer, which came in one piece with the end of the last one, is in the parser only.
        if protocol._parser is not None and protocol._parser.feed_eof() is not None:
            return False
    except Exception:
        return False
    return not _has_news(protocol, transport)


_were_idle = weakref.WeakSet[ResponseHandler]()
"""Connections of other connectors that have been in the pool."""


def _may_have_news(writer: StreamWriter) -> bool:
    """Whether something has arrived that ends the connection, or that no request has asked for.

    On a new TLS connection it is the server's session tickets, which only the event loop can tell from other bytes.
    """
    transport = writer.transport
    if transport is None:
        return False
    protocol = writer.protocol
    was_idle = protocol.was_idle if isinstance(protocol, Connection) else protocol in _were_idle
    if not was_idle and transport.get_extra_info("ssl_object") is not None:
        return False
    return _has_news(protocol, transport)


def _has_news(protocol: Any, transport: asyncio.BaseTransport) -> bool:
    """Whether bytes or an end have arrived that the event loop has not read yet, or has just read."""
    if transport.is_closing():
        return True
    if not isinstance(protocol, Connection):
        return bool(_poll_of(transport)(0))
    protocol.poll = protocol.poll or _poll_of(transport)
    return bool(protocol.poll(0))


def _poll_of(transport: asyncio.BaseTransport) -> Poll:
    """A look at what has arrived."""
    socket = transport.get_extra_info("socket")
    if socket is None:
        return lambda _: []
    descriptor = socket.fileno()
    if descriptor < 0:
        return lambda _: [descriptor]
    if not hasattr(select, "poll"):
        return lambda seconds: select.select([descriptor], [], [], seconds)[0]
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return poll.poll
