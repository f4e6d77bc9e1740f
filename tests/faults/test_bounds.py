"""How much of an answer is read, and for how long."""

from __future__ import annotations

import asyncio
import gzip
import json
import tracemalloc
from contextlib import AsyncExitStack, contextmanager

import aiohttp
import pytest

from databricks_async.errors import BadRequest, InternalError, InvalidResponse, OutcomeUnknown, RequestTimeout
from databricks_async.message import Request
from databricks_async.session.connections import MAX_HEADERS
from databricks_async.session.stats import Stats
from databricks_async.session.transport import Transport

SPEC = {"cluster_name": "x", "spark_version": "16.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}
MIB = 2**20
BOMB = gzip.compress(bytes(64 * MIB), 1)


def head(*headers, status="200 OK"):
    return "\r\n".join([f"HTTP/1.1 {status}", "Content-Type: application/json", *headers, "", ""]).encode()


def with_length(body, *headers, status="200 OK"):
    return head(*headers, f"Content-Length: {len(body)}", status=status) + body


@pytest.fixture(params=["own", "lent"])
async def client(request, server, connect):
    """Makes clients with their own connections or those of a lent session."""
    async with AsyncExitStack() as exits:
        session = await exits.enter_async_context(aiohttp.ClientSession()) if request.param == "lent" else None
        yield lambda **settings: connect(server.url, session=session, **settings)


@contextmanager
def at_most(size):
    """The block holds no more than this at any time, and three MiB for what is under way at both ends."""
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < size + 3 * MIB


# Bodies


async def test_a_decompressed_answer_is_counted_as_it_comes(server, client):
    """A few bytes of gzip cost no more than the maximum."""
    server.answer = with_length(BOMB, "Content-Encoding: gzip")
    w = client(max_answer_bytes=2 * MIB)
    with at_most(4 * MIB), pytest.raises(InvalidResponse, match=rf"is longer than {2 * MIB} bytes") as raised:
        await w.clusters.list().collect()
    assert raised.value.status == 200
    await server.hung_up()


async def test_the_usual_maximum_is_64_mib(server, connect):
    """A longer answer raises by its announced length already."""
    server.answer = head(f"Content-Length: {64 * MIB + 1}")
    w = connect(server.url)
    assert w.config.max_answer_bytes == 64 * MIB
    with pytest.raises(InvalidResponse, match=f"longer than {64 * MIB} bytes"):
        await w.clusters.list().collect()


async def test_an_answer_of_just_the_maximum_is_read(server):
    """At no more than twice its length."""
    body = b'{"clusters": []' + b" " * (4 * MIB - 16) + b"}"
    request = Request("GET /api/2.1/clusters/list", "/api/2.1/clusters/list")

    async def compressed(reader, writer):
        writer.write(with_length(packed, "Content-Encoding: gzip"))

    server.answer = compressed
    async with aiohttp.ClientSession() as http:
        transport = Transport(http, server.url, {}, 60.0, Stats(), max_bytes=len(body))
        packed = gzip.compress(body)
        with at_most(2 * len(body)):
            assert (await transport.send(request)).body == body
        packed = gzip.compress(body + b" ")
        await server.hung_up()
        with pytest.raises(InvalidResponse):
            await transport.send(request)


@pytest.mark.parametrize("status", ["200 OK", "400 Bad Request"])
async def test_a_body_without_end_is_not_read_on(server, client, status):
    """The connection is closed, and the server sees it."""
    seen = asyncio.Event()

    async def flood(reader, writer):
        writer.write(head(status=status))
        try:
            while True:
                writer.write(b" " * 65536)
                await writer.drain()
        except ConnectionError:
            seen.set()

    server.answer = flood
    with at_most(4 * MIB), pytest.raises((InvalidResponse, BadRequest)):
        await client(max_answer_bytes=2 * MIB).clusters.list().collect()
    await asyncio.wait_for(seen.wait(), 5)


async def test_of_an_error_64_kib_are_read(server, client):
    """Compressed or not."""
    server.answer = with_length(BOMB, "Content-Encoding: gzip", status="500 Oops")
    with pytest.raises(InternalError):  # imports what it needs
        await client().clusters.list().collect()
    await server.hung_up()
    with at_most(0), pytest.raises(InternalError):
        await client().clusters.list().collect()
    server.answer = with_length(b"word " * MIB, status="400 Bad Request")
    await server.hung_up()
    with pytest.raises(BadRequest, match=r"^word word"):
        await client().clusters.list().collect()


async def test_an_unsafe_call_whose_answer_is_too_long_may_have_been_done(server, client):
    """And says how to find out."""
    server.answer = with_length(b'{"cluster_id": "' + b"x" * 1000)
    with pytest.raises(OutcomeUnknown, match=r"longer than 500 bytes.*clusters\.list") as raised:
        await client(max_answer_bytes=500).clusters.create(SPEC)
    assert isinstance(raised.value.__cause__, InvalidResponse)


async def test_a_download_has_no_maximum(server, client):
    """It is read piece by piece."""
    server.answer = with_length(bytes(3 * MIB))
    assert len(await client(max_answer_bytes=1000).workspace.download("/x").read()) == 3 * MIB


# Headers


@pytest.mark.parametrize(
    "headers",
    [
        ["Content-Security-Policy: " + "x" * 9000],
        ["X-Long: " + "x" * 65_000],
        [f"X-{number}: {'x' * 60_000}" for number in range(4)],
        [f"X-{number}: y" for number in range(10_000)],
    ],
    ids=["9 KB", "64 KiB", "many long ones", "ten thousand"],
)
async def test_long_headers_are_read(server, client, headers):
    """Identity proxies send such."""
    server.answer = with_length(b'{"clusters": [{"cluster_id": "c1"}]}', *headers)
    assert [cluster.cluster_id for cluster in await client().clusters.list().collect()] == ["c1"]


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        (["X-Long: " + "x" * 66_000], "a header line of more than 64 KiB"),
        ([f"X-{number}: {'x' * 60_000}" for number in range(5)], "headers of more than 256 KiB"),
        ([f"X-{number}: y" for number in range(100_000)], "headers of more than 256 KiB"),
    ],
    ids=["one", "together", "a hundred thousand"],
)
async def test_longer_headers_raise_at_once_and_say_so(server, client, headers, said):
    """Another try could not end better."""
    server.answer = with_length(b"{}", *headers)
    with pytest.raises(InvalidResponse, match=f"answered with {said}") as raised:
        await client(retry_timeout_seconds=300).clusters.list().collect()
    assert (raised.value.attempts, len(server.received)) == (1, 1)
    await server.hung_up()
    with pytest.raises(OutcomeUnknown, match=said):
        await client().clusters.create(SPEC)


async def test_longer_headers_of_a_refusal_leave_nothing_open(server, client):
    """The status came before them: a write that was refused is not said to have an unknown outcome."""
    lines = [f"X-{number}: {'x' * 60_000}" for number in range(4)]
    more = MAX_HEADERS - sum(len(line) + 2 for line in lines)
    server.answer = with_length(b"{}", *lines, f"X-More: {'x' * more}", status="404 Not Found")
    with pytest.raises(InvalidResponse, match="headers of more than 256 KiB") as raised:
        await client().clusters.create(SPEC)
    assert (raised.value.status, len(server.received)) == (404, 1)


async def test_headers_without_end_are_not_read_on(server, connect):
    """In lines that are all short enough."""
    seen = asyncio.Event()

    async def flood(reader, writer):
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")
        try:
            while True:
                writer.write(b"X-Long: " + b"x" * 60_000 + b"\r\n")
                await writer.drain()
        except ConnectionError:
            seen.set()

    server.answer = flood
    with at_most(2 * MIB), pytest.raises(InvalidResponse, match="headers of more than 256 KiB"):
        await connect(server.url).clusters.list().collect()
    await asyncio.wait_for(seen.wait(), 5)


# Time


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        (b"HTTP/1.1 200 OK\r\nX-Long: ", b"x"),
        (head("Content-Length: 1000000"), b" "),
        (head("Transfer-Encoding: chunked"), b"1\r\n \r\n"),
        (head("Transfer-Encoding: chunked") + b"1", b"0"),
        (head("Transfer-Encoding: chunked") + b"0\r\n", b"X: y\r\n"),
        (head("Content-Length: 1000000", status="503 Busy"), b" "),
        (head(), b" "),
    ],
    ids=["100", "headers", "a header", "a body", "chunks", "a chunk's size", "trailers", "an error", "no length"],
)
@pytest.mark.usefixtures("virtual_time")
async def test_a_slow_answer_ends_in_time_whatever_it_sends(server, client, start, piece):
    """Each piece in time, and never an end."""

    async def drip(reader, writer):
        writer.write(start)
        while not writer.is_closing():
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.005)

    server.answer = drip
    with pytest.raises(RequestTimeout, match=r"no complete answer within 0\.1 s"):
        async with asyncio.timeout(5):
            await client(http_timeout_seconds=0.1).clusters.list().collect()


@pytest.mark.usefixtures("virtual_time")
async def test_json_in_place_of_a_download_ends_in_time(server, client):
    """It is read to its end before it is handed out: it may report an error."""

    async def drip(reader, writer):
        writer.write(head("Content-Length: 1000000"))
        while not writer.is_closing():
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.005)

    server.answer = drip
    with pytest.raises(RequestTimeout):
        async with asyncio.timeout(5):
            await client(http_timeout_seconds=0.1).workspace.download("/x").read()


async def test_a_long_answer_is_what_it_says(server, client):
    """In pieces of any size."""
    clusters = [{"cluster_id": f"c{number}"} for number in range(20_000)]
    body = json.dumps({"clusters": clusters}).encode()

    async def piecemeal(reader, writer):
        writer.write(head("Transfer-Encoding: chunked", "Content-Encoding: gzip"))
        packed = gzip.compress(body)
        for start in range(0, len(packed), 1000):
            piece = packed[start : start + 1000]
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await writer.drain()
        writer.write(b"0\r\n\r\n")

    server.answer = piecemeal
    assert [cluster.as_dict() for cluster in await client().clusters.list().collect()] == clusters
