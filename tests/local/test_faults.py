"""What a test can make go wrong.

Here are the tests of `local/limits.py`, `local/patterns.py`.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from contextlib import asynccontextmanager

import aiohttp
import pytest

from databricks_async.local import Fault, LocalWorkspace, RateLimit
from databricks_async.local.fault_queue import Faults

CREATE = "POST /api/{v}/clusters/create"
SPEC = {"spark_version": "16.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 0}


async def send(workspace, session, method="POST", path="/api/2.1/clusters/create", **kwargs):
    """The status, headers and raw body of an answer."""
    if method == "POST":
        kwargs.setdefault("json", SPEC)
    headers = {"Authorization": f"Bearer {workspace.token}"}
    async with session.request(method, workspace.url + path, headers=headers, **kwargs) as response:
        return response.status, response.headers, await response.read()


async def clusters(wire):
    """How many there are."""
    return len((await wire.ok("GET", "/api/2.0/clusters/list")).get("clusters", []))


async def test_an_answer_before_the_handler_has_no_effect(wire, workspace):
    """Any status, body and headers."""
    workspace.faults.add(CREATE, Fault.answer(502, "<html>bad gateway</html>", {"Content-Type": "text/html"}))
    status, headers, body = await send(workspace, wire.session)
    assert (status, headers["Content-Type"], body) == (502, "text/html", b"<html>bad gateway</html>")
    assert await clusters(wire) == 0
    assert workspace.journal.entries[0].fault == "answer 502"


async def test_an_answer_after_the_handler_keeps_the_effect(wire, workspace):
    """Only the answer is replaced."""
    workspace.faults.add(CREATE, Fault.error(503, "TEMPORARILY_UNAVAILABLE", after=True))
    status, _, body = await send(workspace, wire.session)
    assert (status, body) == (503, b'{"error_code":"TEMPORARILY_UNAVAILABLE","message":"scripted"}')
    assert await clusters(wire) == 1


async def test_too_many_requests_with_and_without_retry_after(wire, workspace):
    """Seconds, any text, or nothing."""
    date = "Wed, 21 Oct 2026 07:28:00 GMT"
    workspace.faults.add(CREATE, Fault.too_many_requests(), Fault.too_many_requests(2), Fault.too_many_requests(date))
    answers = [await send(workspace, wire.session) for _ in range(4)]
    assert [status for status, _, _ in answers] == [429, 429, 429, 200]
    assert [headers.get("Retry-After") for _, headers, _ in answers] == [None, "2", date, None]


@pytest.mark.parametrize("after", [False, True])
async def test_a_dropped_connection_has_its_effect_only_afterwards(wire, workspace, after):
    """Before the handler nothing happened, after it everything did."""
    workspace.faults.add(CREATE, Fault.drop(after=after))
    with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)):
        await send(workspace, wire.session)
    assert await clusters(wire) == after
    call = workspace.journal.entries[0]
    assert (call.status, call.fault) == (None, "drop after" if after else "drop")


async def test_a_cut_answer_ends_in_the_middle_of_its_body(wire, workspace):
    """The status came, the body did not, the effect stays."""
    workspace.faults.add(CREATE, Fault.cut())
    with pytest.raises(aiohttp.ClientPayloadError):
        await send(workspace, wire.session)
    assert await clusters(wire) == 1
    assert workspace.journal.entries[0].status == 200


@pytest.mark.usefixtures("virtual_time")
async def test_a_delay_takes_real_time(wire, workspace):
    """Before the answer, whatever the workspace's clock says."""
    workspace.faults.add("*", Fault.delay(0.05))
    began = time.monotonic()
    assert (await send(workspace, wire.session))[0] == 200
    assert time.monotonic() - began == pytest.approx(0.05)


@pytest.mark.usefixtures("virtual_time")
async def test_a_delay_adds_to_the_fault_behind_it(wire, workspace):
    """Slow and wrong."""
    workspace.faults.add("*", Fault.delay(0.05), times=3)
    workspace.faults.add(CREATE, Fault.answer(500))
    began = time.monotonic()
    assert (await send(workspace, wire.session))[0] == 500
    assert time.monotonic() - began == pytest.approx(0.05)
    assert len(workspace.faults) == 2


async def ask_and_leave(workspace):
    """Send a whole request to create a cluster, and hang up while it is dealt with."""
    _, writer = await asyncio.open_connection(*workspace.url.removeprefix("http://").split(":"))
    body = json.dumps(SPEC).encode()
    head = "POST /api/2.1/clusters/create HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\n\r\n"
    writer.write(head.format(workspace.token, len(body)).encode() + body)
    await workspace.journal.until(lambda journal: journal.in_flight == 1)
    writer.close()
    await writer.wait_closed()
    await workspace.journal.until(lambda journal: journal.in_flight == 0)


async def test_a_client_that_leaves_a_slow_request_has_still_made_it(wire, workspace):
    """The request was read, so it takes effect."""
    workspace.faults.add(CREATE, Fault.delay(0.05))
    await ask_and_leave(workspace)
    assert await clusters(wire) == 1


@pytest.mark.parametrize("after", [False, True])
async def test_a_hanging_request_ends_when_its_client_leaves(wire, workspace, after):
    """And not before."""
    workspace.faults.add(CREATE, Fault.hang(after=after))
    await ask_and_leave(workspace)
    assert await clusters(wire) == after
    assert workspace.journal.entries[0].fault == ("hang after" if after else "hang")


async def test_a_hanging_request_ends_when_the_workspace_closes():
    """The client sees the connection dropped."""
    async with LocalWorkspace() as workspace, aiohttp.ClientSession() as session:
        workspace.faults.add("*", Fault.hang(), Fault.delay(60))
        calls = [asyncio.create_task(send(workspace, session)) for _ in range(2)]
        await workspace.journal.until(lambda journal: journal.in_flight == 2)
        await workspace.close()
        for answer in await asyncio.gather(*calls, return_exceptions=True):
            assert isinstance(answer, aiohttp.ClientConnectionError)
        assert workspace.journal.in_flight == 0


async def test_faults_strike_in_the_order_of_their_adding(wire, workspace):
    """Each once, or as often as `times` says; others are left alone."""
    workspace.faults.add(CREATE, Fault.answer(500), Fault.answer(502))
    workspace.faults.add("POST *", Fault.answer(503), times=2)
    assert (await wire.get("/api/2.1/clusters/list"))[0] == 200
    assert [(await send(workspace, wire.session))[0] for _ in range(5)] == [500, 502, 503, 503, 200]


async def test_a_pattern_names_one_version_or_all(wire, workspace):
    """`*` and `{v}` stand for anything, the rest is literal."""
    workspace.faults.add("POST /api/2.0/clusters/create", Fault.answer(500))
    assert (await send(workspace, wire.session))[0] == 200
    assert (await send(workspace, wire.session, path="/api/2.0/clusters/create"))[0] == 500


async def test_a_probability_strikes_its_share_and_the_same_ones_each_time():
    """Drawn from the seed."""

    async def lost(seed):
        async with LocalWorkspace(seed=seed) as workspace, aiohttp.ClientSession() as session:
            workspace.faults.add("*", Fault.answer(500), probability=0.2)
            return [
                (await send(workspace, session, "GET", "/api/2.1/clusters/list-zones"))[0] == 500 for _ in range(100)
            ]

    first, again, other = await lost(1), await lost(1), await lost(2)
    assert 10 <= sum(first) <= 30
    assert first == again != other


async def test_cleared_faults_do_not_strike(wire, workspace):
    """Nothing goes wrong any more."""
    workspace.faults.add("*", Fault.answer(500), probability=1)
    assert (await send(workspace, wire.session))[0] == 500
    workspace.faults.clear()
    assert (await send(workspace, wire.session))[0] == 200


@asynccontextmanager
async def hanging(workspace, session, count):
    """So many requests in flight at once."""
    workspace.faults.add("*", Fault.hang(), times=count)
    path = "/api/2.1/clusters/list"
    calls = [asyncio.create_task(send(workspace, session, "GET", path)) for _ in range(count)]
    await workspace.journal.until(lambda journal: journal.in_flight == count)
    yield
    for call in calls:
        call.cancel()
    await workspace.journal.until(lambda journal: journal.in_flight == 0)


async def test_the_most_requests_at_once_are_remembered(wire, workspace):
    """In flight means between arrival and answer."""
    async with hanging(workspace, wire.session, 8):
        assert (workspace.journal.in_flight, workspace.journal.connections) == (8, 8)
    await wire.get("/api/2.1/clusters/list")
    assert workspace.journal.in_flight_max == 8


async def test_a_limit_on_concurrency_refuses_without_retry_after(wire, workspace):
    """As the service does: 429, and no hint when to come back, until somebody is done."""
    workspace.rate_limit = RateLimit(per_second=None, concurrent=2)
    async with hanging(workspace, wire.session, 2):
        status, headers, _ = await send(workspace, wire.session, "GET", "/api/2.1/clusters/list")
        assert (status, headers.get("Retry-After")) == (429, None)
    assert (await wire.get("/api/2.1/clusters/list"))[0] == 200


NAMES = {
    "drop": Fault.drop(),
    "drop-after": Fault.drop(after=True),
    "cut": Fault.cut(),
    "hang": Fault.hang(),
    "delay-0.5s": Fault.delay(0.5),
    "answer-503": Fault.answer(503),
    "answer-200": Fault.answer(200, "<html>"),
    "answer-200-after": Fault.answer(200, "[1]", after=True),
    "answer-500-INTERNAL_ERROR-after-2s": Fault.error(500, "INTERNAL_ERROR", after=True, latency=2),
    "answer-429-REQUEST_LIMIT_EXCEEDED": Fault.too_many_requests(),
    "answer-429-retry-after-1.5-REQUEST_LIMIT_EXCEEDED": Fault.too_many_requests(1.5),
}


@pytest.mark.parametrize("fault", NAMES.values(), ids=str)
def test_a_fault_names_itself(fault, request):
    """In one word, which picks the test on a command line."""
    name = str(fault)
    assert NAMES[name] is fault
    assert request.node.name == f"test_a_fault_names_itself[{name}]"
    assert not set(name) & set(" :[]/")


def test_planned_faults_show_the_first_of_them():
    faults = Faults()
    assert repr(faults) == "<Faults: none>"
    faults.add(CREATE, Fault.drop(), times=3)
    faults.add("*", Fault.answer(500), probability=0.25)
    assert repr(faults) == f"<Faults: drop for {CREATE} 3 times, answer-500 for * with probability 0.25>"
    faults.add(CREATE, *[Fault.cut()] * 100)
    assert len(repr(faults)) < 400
    assert repr(faults).endswith(f"cut for {CREATE}, 99 more>")


async def test_a_journal_shows_how_much_it_holds_and_the_latest_call(wire, workspace):
    assert repr(workspace.journal) == "<Journal: 0 calls, 0 connections>"
    await send(workspace, wire.session, "GET", "/api/2.1/clusters/get?cluster_id=7")
    (call,) = workspace.journal.calls()
    assert repr(workspace.journal) == f"<Journal: 1 calls, 1 connections, the latest {call!r}>"
    await send(workspace, wire.session, "GET", f"/{'x' * 1000}")
    assert len(repr(workspace.journal)) < 400


@pytest.mark.parametrize(
    ("pattern", "meant"),
    [
        ("POST /api/{v}/jobs/run_now", "POST /api/{v}/jobs/run-now"),
        ("post /api/{v}/jobs/run-now", "POST /api/{v}/jobs/run-now"),
        ("GET /api/{v}/jobs/run-now", "POST /api/{v}/jobs/run-now"),
        ("/api/{v}/jobs/run-now", "POST /api/{v}/jobs/run-now"),
        ("jobs/run-now", "*/jobs/run-now"),
        ("*/run-nw", "*/run-now"),
        ("POST */job/create", "POST */jobs/create"),
    ],
)
def test_a_misspelt_endpoint_is_refused(workspace, pattern, meant):
    """It would never strike, and never be counted. `add`, `plan` and the journal say what was meant."""
    said = re.escape(f"no endpoint fits {pattern!r}: did you mean {meant!r}?")
    with pytest.raises(ValueError, match=said):
        workspace.faults.add(pattern, Fault.drop())
    with pytest.raises(ValueError, match=said):
        workspace.faults.plan(f"{pattern}=503")
    with pytest.raises(ValueError, match=said):
        workspace.journal.count(pattern)
    workspace.faults.add(meant, Fault.drop())
    assert workspace.journal.count(meant) == 0
    assert len(workspace.faults) == 1


async def test_an_endpoint_unlike_all_can_be_stood_in_for(wire, workspace):
    """An API that the workspace does not have; what is no endpoint at all is refused."""
    path = "/api/2.0/sql/warehouses"
    workspace.faults.add(f"GET {path}", Fault.answer(200, b'{"warehouses": []}'))
    status, _, body = await send(workspace, wire.session, "GET", path)
    assert (status, body) == (200, b'{"warehouses": []}')
    assert workspace.journal.count(f"GET {path}") == 1
    with pytest.raises(ValueError, match="is no pattern of endpoints, such as"):
        workspace.faults.add("warehouses", Fault.drop())


def test_a_limit_is_a_limit(workspace):
    with pytest.raises(TypeError, match=r"rate_limit must be a RateLimit or None, not 5: write RateLimit\("):
        workspace.rate_limit = 5
    assert workspace.rate_limit is None
