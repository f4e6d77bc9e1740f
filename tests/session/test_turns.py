"""Whose turn it is: reads and writes that wait together, and limits that are known beforehand.

Here are the tests of `session/families.py`.
"""

from __future__ import annotations

import asyncio

import pytest

from databricks_async import WorkspaceClient
from databricks_async.local import RateLimit
from databricks_async.message import Response
from databricks_async.session.budgets import Budget
from databricks_async.session.families import DOCUMENTED, family_of
from databricks_async.session.pacing import Pacer
from databricks_async.session.stats import Stats
from support.pacing import READ, WRITE, Service, refusal, start

pytestmark = pytest.mark.usefixtures("virtual_time")


# Reads and writes


async def write_behind_reads(**settings):
    """How many reads were answered between a write and its own answer, of 2,000 that wait; and the seconds it took."""
    loop, order = asyncio.get_running_loop(), []

    async def answer(request):
        await asyncio.sleep(0.005)
        order.append(request)
        return Response(200, {}, b"")

    paced = Pacer(100, Budget(300), Stats(), **settings).paced(answer)
    reads = start(paced, 2000)
    await asyncio.sleep(5)
    before, started = len(order), loop.time()
    await paced(WRITE)
    seconds, between = loop.time() - started, order.index(WRITE) - before
    await asyncio.gather(*reads)
    return between, seconds, loop.time() - started


async def test_a_write_waits_for_one_gap_and_not_for_the_reads():
    """At 30 calls a second it is the next one or the one after, of 2,000 reads that take a minute."""
    between, seconds, all_seconds = await write_behind_reads(limits={"clusters": 30})
    assert between <= 1
    assert seconds <= 2 / 30 + 0.01
    assert all_seconds > 60


async def test_writes_do_not_stop_the_reads():
    """They take turns, also when many of both wait."""
    order = []

    async def answer(request):
        order.append(request)
        return Response(200, {}, b"")

    paced = Pacer(1, Budget(300), Stats(), {"clusters": 10}).paced(answer)
    await asyncio.gather(*start(paced, 50), *start(paced, 50, WRITE))
    assert 40 <= order[20:].index(READ) + order.count(WRITE) <= 60
    assert all(WRITE in order[i : i + 3] and READ in order[i : i + 3] for i in range(20, 90))


async def test_a_refused_write_does_not_go_behind_refused_reads():
    """Each kind keeps its order, and they take turns at the gate."""
    service, order = Service(), []
    paced = Pacer(10, Budget(10), Stats()).paced(service.send)

    async def call(name, request):
        await paced(request)
        order.append(name)

    tasks = [asyncio.create_task(call(f"read {n}", READ)) for n in range(8)]
    tasks.append(asyncio.create_task(call("write", WRITE)))
    await asyncio.sleep(1)
    await service.answer(*[refusal(0.01)] * 9)
    await service.answer_all(tasks)
    assert order.index("write") <= 2
    assert [name for name in order if name != "write"] == [f"read {n}" for n in range(8)]


# Limits that are known


async def test_a_limit_that_was_given_is_kept_from_the_first_call(workspace, connect):
    """The calls of nearly a second go at once, then so many a second: a service that takes no more refuses none."""
    workspace.rate_limit = limit = RateLimit(per_second=20, burst=20, endpoint="GET /api/{v}/clusters/*")
    loop = asyncio.get_running_loop()
    async with WorkspaceClient(host=workspace.url, token=workspace.token, rate_limits={"clusters": 20}) as client:
        started = loop.time()
        await asyncio.gather(*(client.clusters.list_zones() for _ in range(120)))
        assert loop.time() - started == pytest.approx(5, abs=0.3)
        await client.libraries.all_cluster_statuses().collect()
        assert loop.time() - started == pytest.approx(5, abs=0.3)
    assert limit.refused == 0


async def test_learning_begins_with_what_is_documented(workspace, connect):
    """An endpoint with a limit of its own is refused in the beginning, and hardly later; other calls are not held."""
    workspace.rate_limit = limit = RateLimit(per_second=20, burst=20, endpoint="POST /api/{v}/jobs/create")
    client = connect()
    loop = asyncio.get_running_loop()
    started = loop.time()
    made = asyncio.gather(*(client.jobs.create(name=str(n), tasks=[]) for n in range(120)))
    await workspace.journal.until(lambda journal: limit.refused)
    await client.jobs.list().collect()
    assert loop.time() - started < 1
    await made
    assert loop.time() - started <= (120 - 20) / 20 * 1.2
    assert limit.refused <= 15


@pytest.mark.parametrize(
    ("limits", "kind"),
    [
        ({"clusters": 0}, ValueError),
        ({"clusters": -1}, ValueError),
        ({"clusters": float("nan")}, ValueError),
        ({"clusters": float("inf")}, ValueError),
        ({"clusters": "30"}, TypeError),
        ({"clusters": True}, TypeError),
        ({"": 1}, ValueError),
        ({"/clusters/": 1}, ValueError),
        ({"api/2.1/clusters": 1}, ValueError),
    ],
)
def test_a_wrong_limit_is_refused_at_once(limits, kind):
    """Before anything is sent, and with the name."""
    with pytest.raises(kind, match="rate_limits: "):
        WorkspaceClient(host="http://127.0.0.1:1", token="dapi0", rate_limits=limits)


@pytest.mark.parametrize(
    ("endpoint", "family"),
    [
        ("GET /api/2.1/clusters/get", "clusters"),
        ("POST /api/2.2/jobs/runs/submit", "jobs/runs/submit"),
        ("GET /api/2.2/jobs/runs/get-output", "jobs"),
        ("GET /api/2.2/jobs/runs/get", "jobs/runs/get"),
        ("GET /api/2.0/permissions/jobs/1", "permissions"),
        ("POST /oidc/v1/token", "oidc"),
        ("GET /", ""),
    ],
)
def test_the_family_of_an_endpoint(endpoint, family):
    """Its API, or its own where a limit is known for it."""
    assert family_of(endpoint, DOCUMENTED) == family
