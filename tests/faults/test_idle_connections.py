"""What arrives on a connection between two requests, and what becomes of the next request then.

Tests `session/connections.py`.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
import time
from contextlib import AsyncExitStack

import aiohttp
import pytest
import trustme

from databricks_async.session.connections import Connection, Connector

SPEC = {"cluster_name": "x", "spark_version": "16.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}
CREATE = "POST /api/2.1/clusters/create HTTP/1.1"


def http_answer(body, status="200 OK", *headers):
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", *headers, f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


FORGED = http_answer(b'{"cluster_id": "forged"}')
UNASKED = {
    "an answer": FORGED,
    "two answers": FORGED + FORGED,
    "half an answer": FORGED[:-8],
    "a part of a status line": FORGED[:11],
    "a timeout": http_answer(b"", "408 Request Timeout", "Connection: close"),
    "no HTTP": b"hello",
}


@pytest.fixture
def threaded(serve_in_thread):
    server = serve_in_thread()
    server.answers = {
        "/api/2.1/clusters/get": b'{"cluster_id": "c1"}',
        "/api/2.1/clusters/create": b'{"cluster_id": "made"}',
    }
    return server


@pytest.fixture(params=["own", "lent"])
async def w(request, threaded, connect):
    """A client with its own connections or with those of a lent session."""
    async with AsyncExitStack() as exits:
        session = await exits.enter_async_context(aiohttp.ClientSession()) if request.param == "lent" else None
        yield connect(threaded.url, session=session)


@pytest.mark.parametrize("unasked", UNASKED)
@pytest.mark.parametrize("loop", ["stands still", "runs"])
async def test_an_answer_belongs_to_its_request(threaded, w, unasked, loop):
    """Whether the client could see it before or only when it sends again."""
    await w.clusters.list().collect()
    threaded.say(UNASKED[unasked])
    if loop == "runs":
        await asyncio.sleep(0.01)
    assert (await w.clusters.get("c1")).cluster_id == "c1"
    assert [number for number, _ in threaded.requests] == [1, 2]


@pytest.mark.parametrize("unasked", UNASKED)
async def test_what_comes_unasked_is_no_answer_to_an_unsafe_call(threaded, w, unasked):
    """It is sent once, on a connection of its own, and its own answer is read."""
    await w.clusters.list().collect()
    threaded.say(UNASKED[unasked])
    wait = await w.clusters.create(SPEC)
    assert wait.cluster_id == "made"
    assert threaded.requests[1:] == [(2, CREATE)]


@pytest.mark.parametrize("unasked", ["an answer", "half an answer", "a part of a status line"])
async def test_what_comes_behind_an_answer_ends_the_connection(threaded, w, unasked):
    """In one piece with it."""
    threaded.trailer = UNASKED[unasked]
    await w.clusters.list().collect()
    threaded.trailer = b""
    assert (await w.clusters.get("c1")).cluster_id == "c1"
    assert threaded.requests[-1][0] == 2


@pytest.mark.parametrize("unasked", [*UNASKED.values(), b"\r\n"], ids=[*UNASKED, "a line end"])
async def test_a_connection_that_speaks_unasked_is_closed_at_once(threaded, connect, unasked):
    """Not only when it is wanted: a server could send without end."""
    w = connect(threaded.url)
    await w.clusters.list().collect()
    threaded.say(unasked)
    assert await asyncio.to_thread(threaded.ended.wait, 5)


@pytest.mark.parametrize("loop", ["stands still", "runs"])
async def test_an_end_that_has_arrived_is_seen_before_an_unsafe_call(threaded, w, loop):
    """The server ended the idle connection: the call goes out on a new one, once."""
    await w.clusters.list().collect()
    threaded.end()
    if loop == "runs":
        await asyncio.sleep(0.01)
    assert (await w.clusters.create(SPEC)).cluster_id == "made"
    assert threaded.requests[1:] == [(2, CREATE)]
    assert w.stats.retries == 0


async def test_an_end_is_seen_by_each_of_five_calls(threaded, w):
    """All of the idle connections had ended."""
    await asyncio.gather(*(w.clusters.get("c1") for _ in range(5)))
    opened = threaded.connections
    threaded.end()
    await asyncio.gather(*(w.clusters.create(SPEC) for _ in range(5)))
    assert [line for number, line in threaded.requests if number > opened] == [CREATE] * 5
    assert w.stats.retries == 0


# Before Python 3.12 aiohttp sends a turn of the loop after it has chosen the connection.
@pytest.mark.parametrize("first", ["end", "call"] if sys.version_info < (3, 12) else ["end"])
async def test_an_end_that_arrives_while_another_task_blocks_the_loop(threaded, w, first):
    """In the very turn of the loop in which the call is sent."""
    await w.clusters.list().collect()

    async def block():
        threaded.end()

    async def call():
        await w.clusters.create(SPEC)

    async with asyncio.TaskGroup() as group:
        for work in (block, call) if first == "end" else (call, block):
            group.create_task(work())
    assert threaded.requests[1:] == [(2, CREATE)]


@pytest.fixture
def over_tls(connect, serve_in_thread, tmp_path):
    """A server that speaks TLS, and a client that trusts it."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server = serve_in_thread(context)
    server.answers["/api/2.1/clusters/create"] = b'{"cluster_id": "made"}'
    return server, connect(server.url, ca_bundle=str(tmp_path / "authority.pem"))


async def test_an_end_over_tls(over_tls):
    """The server goes without a word of TLS."""
    server, w = over_tls
    await w.clusters.list().collect()
    server.end()
    assert (await w.clusters.create(SPEC)).cluster_id == "made"
    assert server.requests[1:] == [(2, CREATE)]


async def test_session_tickets_of_a_new_connection_are_no_answer(over_tls):
    """A server sends them when it likes, often just before the first request."""
    server, w = over_tls
    made = await asyncio.gather(*(w.clusters.create(SPEC) for _ in range(20)))
    assert {wait.cluster_id for wait in made} == {"made"}
    assert (len(server.requests), w.stats.retries) == (20, 0)
    assert server.connections <= 20


async def test_after_a_suspended_machine_connections_are_new(threaded, w, monkeypatch):
    """No end may ever arrive of those from before. The monotonic clock stood still meanwhile."""
    await w.clusters.list().collect()
    await w.clusters.list().collect()
    wall_clock = time.time
    monkeypatch.setattr(time, "time", lambda: wall_clock() + 600)
    await w.clusters.create(SPEC)
    await w.clusters.list().collect()
    assert [number for number, _ in threaded.requests] == [1, 1, 2, 2]


async def test_a_healthy_connection_is_used_again(threaded, w):
    """For every kind of call."""
    await w.clusters.list().collect()
    await w.clusters.create(SPEC)
    await w.clusters.get("c1")
    assert threaded.connections == 1


async def test_aiohttp_itself_still_needs_this(threaded):
    """When this fails aiohttp has changed (aio-libs/aiohttp#13656): look whether session/connections.py is needed."""
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{threaded.url}/api/2.1/clusters/list") as answer:
            await answer.read()
        threaded.say(FORGED)
        await asyncio.sleep(0.01)
        async with http.get(f"{threaded.url}/api/2.1/clusters/get") as answer:
            assert await answer.json() == {"cluster_id": "forged"}


async def test_aiohttp_still_makes_connections_of_ours():
    """And keeps them where session/connections.py looks for them."""
    async with Connector() as connector:
        assert isinstance(connector._factory(), Connection)
        assert len(connector._conns) == 0
