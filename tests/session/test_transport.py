"""One request and one complete answer, or a typed error; the deadline and the caller's own cancellation.

Tests `session/transport.py` and `session/deadlines.py`.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import ExitStack

import aiohttp
import pytest

from databricks_async.errors import ConnectError, ConnectionLost, LifecycleError, RequestTimeout
from databricks_async.local import Fault
from databricks_async.message import Request
from databricks_async.session.stats import Stats
from databricks_async.session.transport import Transport

pytestmark = pytest.mark.usefixtures("virtual_time")

LIST = "GET /api/2.1/clusters/list"


@pytest.fixture
async def http():
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        yield http


@pytest.fixture
def read(workspace):
    """A request with a token that the workspace takes."""
    return Request(LIST, "/api/2.1/clusters/list", headers={"Authorization": f"Bearer {workspace.token}"})


@pytest.fixture
def transport(workspace, http):
    """Makes transports to the workspace."""
    return lambda timeout=60.0, **headers: Transport(http, workspace.url, headers, timeout, Stats())


async def test_an_answer_is_complete(transport, read):
    """Status, headers whatever their case, and the whole body."""
    response = await transport().send(read)
    assert (response.status, response.attempts) == (200, 1)
    assert len(response.body) == int(response.headers["content-length"]) > 0
    assert response.headers["X-Request-Id"] == response.headers["x-request-id"]


async def test_what_is_sent(workspace, transport):
    """The path and the query as they are encoded; the headers of the client, and those of the request over them."""
    headers = {"Authorization": f"Bearer {workspace.token}", "X-One": "request"}
    body = b'{"cluster_id": "\xc3\xa4"}'
    request = Request("POST /api/2.1/clusters/events", "/api/2.1/clusters%2Fx/%C3%A4", "a=%20&b=%2B", body, headers)
    response = await transport(**{"X-One": "client", "X-Two": "client"}).send(request)
    assert response.status == 404
    (call,) = workspace.journal.entries
    assert (call.query, call.body["cluster_id"]) == ({"a": " ", "b": "+"}, "ä")
    assert (call.headers["x-one"], call.headers["x-two"]) == ("request", "client")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
async def test_any_method_any_body(workspace, transport, method):
    """A body goes with every method, and none is invented."""
    headers = {"Authorization": f"Bearer {workspace.token}", "Content-Type": "application/json"}
    for body in (None, b'{"x": 1}'):
        await transport().send(Request(f"{method} /api/2.0/x", "/api/2.0/x", body=body, headers=headers))
        assert workspace.journal.entries[-1].body == (body and {"x": 1})


@pytest.mark.parametrize("fault", [Fault.hang(), Fault.delay(1.0), Fault.hang(after=True)])
async def test_a_request_has_a_deadline(workspace, transport, read, fault):
    """The error says how long was waited, and for what; the next request is not harmed."""
    workspace.faults.add(LIST, fault)
    sender = transport(0.1)
    with pytest.raises(RequestTimeout, match=r"no complete answer within 0\.1 s") as raised:
        await sender.send(read)
    assert isinstance(raised.value, TimeoutError)
    assert raised.value.endpoint == LIST
    assert asyncio.current_task().cancelling() == 0
    assert (await sender.send(read)).status == 200


async def test_each_request_has_its_own_deadline(workspace, transport, read):
    """One timer for all: those who began later end later."""
    workspace.faults.add(LIST, Fault.hang(), times=4)
    sender, loop = transport(0.15), asyncio.get_running_loop()

    async def send(after):
        await asyncio.sleep(after)
        began = loop.time()
        with pytest.raises(RequestTimeout):
            await sender.send(read)
        return loop.time() - began

    for waited in await asyncio.gather(*(send(after / 20) for after in range(4))):
        assert waited == pytest.approx(0.15)


async def test_a_slow_request_among_quick_ones_ends_in_time(workspace, transport, read):
    """Traffic around it does not move its deadline."""
    workspace.faults.add(LIST, Fault.hang())
    sender, loop = transport(0.2), asyncio.get_running_loop()
    began = loop.time()
    slow = asyncio.create_task(sender.send(read))
    await workspace.journal.until(lambda journal: journal.in_flight == 1)
    while not slow.done():
        await sender.send(read)
        await asyncio.sleep(0.01)
    assert loop.time() - began == pytest.approx(0.2, abs=0.02)
    with pytest.raises(RequestTimeout):
        await slow


@pytest.mark.parametrize("first", ["deadline", "caller"])
async def test_a_deadline_does_not_mask_a_cancellation(workspace, transport, read, first):
    """Both in one turn of the loop, in either order: the caller that was cancelled is cancelled, once."""
    workspace.faults.add(LIST, Fault.hang())
    loop = asyncio.get_running_loop()
    began = loop.time()
    task = asyncio.create_task(transport(0.05).send(read))
    await workspace.journal.until(lambda journal: journal.in_flight == 1)
    loop.call_at(began + (0.045 if first == "caller" else 0.065), task.cancel)
    loop.now = began + 0.07  # both are due in the same turn of the loop
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelling() == 1


async def test_a_timeout_of_the_caller_is_the_callers(workspace, transport, read):
    """`asyncio.timeout` that ends with the deadline raises its own TimeoutError or ours, and leaves nothing behind."""
    workspace.faults.add(LIST, Fault.hang(), times=10)
    for seconds in (0.04, 0.05, 0.06):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(seconds):
                await transport(0.05).send(read)
        assert asyncio.current_task().cancelling() == 0


async def test_a_task_that_was_cancelled_before_can_still_send(workspace, transport, read):
    """Cleaning up after a cancellation works, deadlines included."""
    outcome = []

    async def call():
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            outcome.append((await transport().send(read)).status)
            workspace.faults.add(LIST, Fault.hang())
            try:
                await transport(0.05).send(read)
            except RequestTimeout:
                outcome.append("timeout")
            raise

    task = asyncio.create_task(call())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert outcome == [200, "timeout"]


async def test_a_connection_that_is_not_made_in_time_never_left(http):
    """Half of the request's time, 30 seconds at most, goes into connecting; then the request can be sent again."""
    with ExitStack() as sockets:
        server = sockets.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(8):  # nobody accepts: when the queue is full, a connection is neither made nor refused
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())
        host = f"127.0.0.1:{server.getsockname()[1]}"
        sender = Transport(http, f"http://{host}", {}, 0.2, Stats())
        with pytest.raises(ConnectError, match=f"no connection to {host}"):
            await sender.send(Request(LIST, "/api/2.1/clusters/list"))


async def test_closing_ends_what_is_under_way(workspace, transport, read):
    """Each request learns it at once, and nothing is sent any more."""
    workspace.faults.add(LIST, Fault.hang(), times=3)
    sender = transport()
    tasks = [asyncio.create_task(sender.send(read)) for _ in range(3)]
    await workspace.journal.until(lambda journal: journal.in_flight == 3)
    sender.close()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [ConnectionLost] * 3
    with pytest.raises(LifecycleError):
        await sender.send(read)
    assert workspace.journal.count() == 3


async def test_a_session_that_its_owner_closed_is_said_to_be_closed(workspace, read):
    """And not taken for a broken connection."""
    http = aiohttp.ClientSession()
    sender = Transport(http, workspace.url, {}, 60, Stats())
    await http.close()
    with pytest.raises(LifecycleError, match="Session is closed"):
        await sender.send(read)
