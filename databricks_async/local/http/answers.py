"""How an answer goes out: whole, or with what a fault does to it."""

from __future__ import annotations

import os
import socket
import struct
import time
from email.utils import formatdate
from typing import Protocol

from aiohttp import web

from databricks_async.local.failures.bodies import garbled, truncated
from databricks_async.local.faults import Fault
from databricks_async.local.journal import Call
from databricks_async.local.values import WORKSPACE_ID
from databricks_async.message import Response

_CHUNK_BYTES = 1024 * 1024
_PIECES = 20
"""Of what is sent slowly."""

_LINGER_ZERO = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)


class Peer(Protocol):
    """The side of the client, as far as an answer may wait for it."""

    async def pause(self, seconds: float) -> None: ...

    async def closed(self, request: web.BaseRequest) -> None: ...


async def respond(request: web.BaseRequest, call: Call, response: Response) -> web.StreamResponse:
    """Send an answer as it is."""
    call.status = response.status
    if len(response.body) > _CHUNK_BYTES:
        return await _stream(request, call, response, len(response.body))
    return web.Response(body=response.body, status=response.status, headers=_headers(call, response))


def drop(request: web.BaseRequest) -> web.Response:
    """Close the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    # aiohttp requires an answer in any case; the connection is closed, so it is not sent.
    return web.Response()


async def send(
    fault: Fault, request: web.BaseRequest, call: Call, response: Response, peer: Peer
) -> web.StreamResponse:
    """Send an answer, or what this fault leaves of it."""
    body = response.body
    match fault.kind:
        case "drop" | "hang" | "refuse":
            return drop(request)
        case "reset":
            return await _reset(request, call, response, midway=fault.midway)
        case "cut":
            return await _cut(request, call, response)
        case "truncate":
            return await respond(request, call, Response(response.status, response.headers, truncated(body)))
        case "garble":
            return await respond(request, call, Response(response.status, response.headers, garbled(body)))
        case "length":
            return await _send_wrong_length(request, call, response, round(fault.amount), peer)
        case "slow headers":
            return await _send_slow_headers(request, call, response, fault.amount, peer)
        case "slow body":
            return await _send_slow_body(request, call, response, fault.amount, peer)
        case "date":
            # Others have the machine's time.
            right = call.time / 1000 if response.status == 200 else time.time()
            date = formatdate(right + fault.amount, usegmt=True)
            return await respond(request, call, Response(response.status, {**response.headers, "Date": date}, body))
    return await respond(request, call, response)


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


async def _begin(request: web.BaseRequest, call: Call, response: Response, length: int) -> web.StreamResponse:
    """An answer that says that it has so many bytes."""
    call.status = response.status
    headers = {**_headers(call, response), "content-length": str(length)}
    stream = web.StreamResponse(status=response.status, headers=headers)
    await stream.prepare(request)
    return stream


async def _stream(request: web.BaseRequest, call: Call, response: Response, until: int) -> web.StreamResponse:
    """Send the first `until` bytes of the body, in chunks, without copying it."""
    stream = await _begin(request, call, response, max(2, len(response.body)))
    body = memoryview(response.body)[:until]
    for start in range(0, len(body), _CHUNK_BYTES):
        await stream.write(body[start : start + _CHUNK_BYTES])
    return stream


async def _cut(request: web.BaseRequest, call: Call, response: Response) -> web.StreamResponse:
    stream = await _stream(request, call, response, len(response.body) // 2)
    if request.transport is not None:
        request.transport.close()
    return stream


async def _reset(request: web.BaseRequest, call: Call, response: Response, *, midway: bool) -> web.StreamResponse:
    """Reset the connection: its other side reads "connection reset by peer" where `drop` is an end of file."""
    if midway:
        await _stream(request, call, response, len(response.body) // 2)
    found = None if request.transport is None else request.transport.get_extra_info("socket")
    if found is not None:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
    return drop(request)


async def _send_wrong_length(
    request: web.BaseRequest, call: Call, response: Response, by: int, peer: Peer
) -> web.StreamResponse:
    length = max(0, len(response.body) + by)
    stream = await _begin(request, call, response, length)
    if by > 0:
        await stream.write(response.body)
        await peer.closed(request)
        return drop(request)
    await stream.write_eof(response.body[:length])
    if request.transport is not None:
        request.transport.write(response.body[length:])
    return stream


async def _send_slow_body(
    request: web.BaseRequest, call: Call, response: Response, seconds: float, peer: Peer
) -> web.StreamResponse:
    stream = await _begin(request, call, response, len(response.body))
    for piece in _pieces(response.body):
        await peer.pause(seconds / _PIECES)
        await stream.write(piece)
    return stream


async def _send_slow_headers(
    request: web.BaseRequest, call: Call, response: Response, seconds: float, peer: Peer
) -> web.StreamResponse:
    call.status = response.status
    headers = {**_headers(call, response), "content-length": str(len(response.body)), "connection": "close"}
    lines = [f"HTTP/1.1 {response.status} Slow", *(f"{name}: {value}" for name, value in headers.items())]
    transport = request.transport
    for piece in _pieces(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")):
        await peer.pause(seconds / _PIECES)
        if transport is None or transport.is_closing():
            break
        transport.write(piece)
    if transport is not None and not transport.is_closing():
        transport.write(response.body)
        transport.close()
    return web.Response()  # aiohttp requires one; the connection is closing, so it is not sent


def _pieces(content: bytes) -> list[bytes]:
    size = -(-len(content) // _PIECES) or 1
    return [content[start : start + size] for start in range(0, len(content), size)]
