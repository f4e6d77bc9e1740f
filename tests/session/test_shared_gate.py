"""A gate that several clients share: what it is asked, what becomes of the calls that wait, and one kept in Redis.

Here are the tests of `session/shared.py`, `gates/__init__.py` and `gates/redis.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import time

import pytest
import redis.asyncio

from databricks_async import WorkspaceClient
from databricks_async.errors import LifecycleError
from databricks_async.gates.redis import RedisGate
from databricks_async.local import Fault, RateLimit

LIST = "GET /api/2.1/clusters/list"


class Gate:
    """Gives out places after these seconds, the last one for ever, and remembers what it was asked."""

    def __init__(self, *seconds):
        self._seconds = list(seconds)
        self.entered = []
        self.refusals = []

    async def enter(self, host, family):
        self.entered.append((host, family))
        return self._seconds.pop(0) if len(self._seconds) > 1 else self._seconds[0]

    async def refused(self, host, family, seconds):
        self.refusals.append((host, family, seconds))


def connect(workspace, gate, **settings):
    return WorkspaceClient(host=workspace.url, token=workspace.token, gate=gate, **settings)


@pytest.mark.usefixtures("virtual_time")
async def test_a_call_waits_for_its_place(workspace):
    """Each try asks, with the workspace and the family; a refusal is reported with the seconds that are asked for."""
    gate, loop = Gate(2.0, 0.0), asyncio.get_running_loop()
    workspace.faults.add(LIST, Fault.too_many_requests(3))
    async with connect(workspace, gate) as client:
        started = loop.time()
        await client.clusters.list().collect()
        assert loop.time() - started == pytest.approx(5, abs=0.2)
    assert gate.entered == [(workspace.url, "clusters")] * 2
    assert gate.refusals == [(workspace.url, "clusters", 3.0)]


@pytest.mark.usefixtures("virtual_time")
async def test_waiting_for_a_place_ends_with_the_caller_and_with_the_client(workspace):
    """By a time limit, by a cancellation and by closing: nothing is sent, and places of the client are free again."""
    client = connect(workspace, Gate(100.0), max_connections=2)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await client.clusters.list_zones()
    waiting = [asyncio.create_task(client.clusters.list_zones()) for _ in range(4)]
    await asyncio.sleep(1)
    waiting[0].cancel()
    await asyncio.sleep(1)
    await client.aclose()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [asyncio.CancelledError, *[LifecycleError] * 3]
    assert workspace.journal.count() == 0


class Broken(Gate):
    async def enter(self, host, family):
        raise ConnectionError("password=hidden")

    async def refused(self, host, family, seconds):
        raise ConnectionError("password=hidden")


class Hanging(Gate):
    async def enter(self, host, family):
        await asyncio.Event().wait()


@pytest.mark.usefixtures("virtual_time")
@pytest.mark.parametrize(
    ("gate", "warnings"),
    [(Broken(0.0), 1), (Hanging(0.0), 1), (Gate(None), 0), (Gate("soon"), 0), (Gate(-1.0), 0), (Gate(float("nan")), 0)],
    ids=["raises", "hangs", "none", "text", "negative", "not a number"],
)
async def test_a_broken_gate_stops_no_call(workspace, gate, warnings, caplog):
    """It is passed by after a second at most; one warning a minute says so, without what the error says."""
    loop = asyncio.get_running_loop()
    workspace.faults.add(LIST, Fault.too_many_requests(1))
    async with connect(workspace, gate) as client:
        started = loop.time()
        await client.clusters.list().collect()
        assert loop.time() - started < 3.5
    assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == warnings
    assert "hidden" not in caplog.text


async def test_a_gate_must_be_one():
    """Before anything is sent."""
    with pytest.raises(TypeError, match=r"databricks_async\.gates\.Gate; int has not"):
        WorkspaceClient(host="http://127.0.0.1:1", token="dapi0", gate=7)


# Redis


@pytest.fixture
async def redis_url(tmp_path):
    """The address of a Redis server of its own."""
    if not (program := shutil.which("redis-server")):
        pytest.skip("there is no redis-server on this machine: apt-get install redis-server")
    socket = tmp_path / "redis"
    command = [program, "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(tmp_path)]
    server = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
    try:
        url = f"unix://{socket}"
        async with redis.asyncio.Redis.from_url(url) as client, asyncio.timeout(20):
            while True:
                with contextlib.suppress(redis.ConnectionError):
                    await client.ping()
                    break
                await asyncio.sleep(0.01)
        yield url
    finally:
        server.terminate()
        await server.wait()


async def test_many_machines_share_one_limit_in_redis(workspace, redis_url):
    """Two clients, each with a gate of its own, together send what one may: none of their calls is refused."""
    workspace.rate_limit = limit = RateLimit(per_second=200, burst=40, retry_after=None)
    async with contextlib.AsyncExitStack() as stack:
        clients = []
        for _ in range(2):
            cache = await stack.enter_async_context(redis.asyncio.Redis.from_url(redis_url))
            gate = RedisGate(cache, per_second=200, burst=30)
            clients.append(await stack.enter_async_context(connect(workspace, gate)))
        started = time.monotonic()
        await asyncio.gather(*(client.clusters.list_zones() for client in clients for _ in range(60)))
        assert time.monotonic() - started >= (120 - 30) / 200 - 0.05
    assert limit.refused == 0
    assert workspace.journal.count() == 120


async def test_a_refusal_shuts_the_gate_of_all_machines(redis_url):
    """For the seconds asked for, by the clock of Redis; other families and workspaces are not held."""
    async with redis.asyncio.Redis.from_url(redis_url) as cache:
        here, there = (RedisGate(cache, per_second=10, limits={"jobs/create": 1000}, burst=1) for _ in range(2))
        assert await here.enter("https://one", "clusters") == 0.0
        for _ in range(5):  # of one moment: the rate is lowered once
            await here.refused("https://one", "clusters", 5)
        places = [await there.enter("https://one", "clusters") for _ in range(3)]
        assert 4.5 < places[0] <= 5
        assert places[2] - places[0] == pytest.approx(2 / 9, abs=0.05)
        assert await there.enter("https://one", "jobs") == 0.0
        assert await there.enter("https://two", "clusters") == 0.0
        assert await there.enter("https://one", "jobs/create") == 0.0
        assert await here.enter("https://one", "jobs/create") <= 0.001
        assert all([0 < await cache.ttl(key) <= 3600 async for key in cache.scan_iter("databricks-async:*")])


async def test_places_in_redis_are_given_out_in_time(redis_url):
    """A burst at once, and then one place each gap."""
    async with redis.asyncio.Redis.from_url(redis_url) as cache:
        gate = RedisGate(cache, per_second=1, burst=3, prefix="mine")
        places = [await gate.enter("https://one", "clusters") for _ in range(6)]
        assert places == pytest.approx([0, 0, 0, 1, 2, 3], abs=0.2)
        assert [key async for key in cache.scan_iter()] == [b"mine:https://one:clusters"]


@pytest.mark.parametrize("settings", [{"per_second": 0}, {"limits": {"jobs": -1}}, {"burst": 0}])
async def test_a_gate_in_redis_refuses_impossible_limits(settings):
    """At once, with the name."""
    async with redis.asyncio.Redis() as cache:
        with pytest.raises(ValueError, match=next(iter(settings)) if "limits" not in settings else "jobs"):
            RedisGate(cache, **settings)
