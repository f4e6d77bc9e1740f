"""A gate in Redis that many clients share, against a real server.

Not collected where there is none, which the summary of the tests then says; with the variable REQUIRE_REDIS, which
`.ci/run` sets, it fails instead.
"""

from __future__ import annotations

import asyncio
import contextlib
import time

import pytest
import redis.asyncio

from databricks_async import WorkspaceClient
from databricks_async.gates.redis import RedisGate
from databricks_async.local import RateLimit
from support import redis_server


@pytest.fixture
async def redis_url(tmp_path):
    """The address of a Redis server of its own."""
    program = redis_server.find()
    assert program, redis_server.MISSING
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
            clients.append(
                await stack.enter_async_context(WorkspaceClient(host=workspace.url, token=workspace.token, gate=gate))
            )
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
