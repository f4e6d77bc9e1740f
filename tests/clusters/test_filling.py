"""Watching clusters with their events: every state that was passed through, in order, once."""

from __future__ import annotations

import asyncio
import random

import pytest

from databricks_async.errors import PermissionDenied
from databricks_async.local import Fault

pytestmark = pytest.mark.usefixtures("virtual_time")

GET, LIST, EVENTS = "GET /api/{v}/clusters/get", "GET /api/{v}/clusters/list", "POST /api/{v}/clusters/events"


@pytest.fixture
def w(connect):
    """A client whose tick is a second."""
    return connect(poll_interval_seconds=1, retry_timeout_seconds=0)


async def states(changes, count):
    return [(await anext(changes)).state for _ in range(count)]


@pytest.mark.parametrize("version", ["2.0", "2.1"])
async def test_states_between_two_polls(w, workspace, make, version):
    """A termination, a restart, a resize and a new start that no poll has seen."""
    cluster_id = await make.running()
    changes = w.clusters.watch([cluster_id], events=True)
    assert await states(changes, 1) == ["RUNNING"]
    await w.clusters.delete(cluster_id)
    workspace.clock.advance(60)
    assert await states(changes, 2) == ["TERMINATING", "TERMINATED"]
    await w.clusters.start(cluster_id)
    workspace.clock.advance(300)
    assert await states(changes, 2) == ["PENDING", "RUNNING"]
    await w.clusters.restart(cluster_id)
    workspace.clock.advance(300)
    assert await states(changes, 2) == ["RESTARTING", "RUNNING"]
    await w.clusters.resize(cluster_id, num_workers=7)
    workspace.clock.advance(300)
    assert await states(changes, 2) == ["RESIZING", "RUNNING"]
    await w.clusters.resize(cluster_id, num_workers=1)
    workspace.clock.advance(300)
    assert await states(changes, 2) == ["RESIZING", "RUNNING"]
    await w.clusters.delete(cluster_id)
    workspace.clock.advance(60)
    await w.clusters.start(cluster_id)
    workspace.clock.advance(300)
    assert await states(changes, 4) == ["TERMINATING", "TERMINATED", "PENDING", "RUNNING"]
    await w.clusters.permanent_delete(cluster_id)
    change = await anext(changes)
    assert (change.before.state, change.after) == ("RUNNING", None)
    assert await anext(changes, None) is None


async def test_what_an_event_says(w, workspace, make):
    """When it was, and why; the chain of before and after has no gap."""
    cluster_id = await make.running()
    changes = w.clusters.watch(events=True)
    seen = [await anext(changes)]
    workspace.clock.advance(10)
    await w.clusters.delete(cluster_id)
    workspace.clock.advance(60)
    seen += [await anext(changes) for _ in range(2)]
    _, terminating, terminated = seen
    assert (terminating.when - seen[0].when).total_seconds() == 10
    assert terminated.when == terminated.after.terminated > terminating.when
    assert terminating.why.startswith("USER_REQUEST (SUCCESS): username: ")
    assert (terminating.event.type, terminated.event) == ("TERMINATING", None)
    assert [change.before for change in seen] == [None, seen[0].after, terminating.after]


async def test_one_cluster_is_seen_in_each_state(w, workspace, make):
    """As without events: the cluster itself, to its deletion."""
    cluster_id = await make.running()
    watch = w.clusters.watch(cluster_id, events=True)
    seen = []
    async for cluster in watch:
        seen.append(cluster.state)
        if seen == ["RUNNING"]:
            await w.clusters.delete(cluster_id)
            workspace.clock.advance(60)
        if seen[-1] == "TERMINATED":
            await w.clusters.permanent_delete(cluster_id)
    assert seen == ["RUNNING", "TERMINATING", "TERMINATED"]
    assert watch.deleted


async def test_all_terminations_of_a_busy_workspace(w, workspace, spec):
    """Of 140 clusters that come and go quicker than polls do: each state of each of them, once and in order."""
    chance = random.Random(7)  # noqa: S311
    ids = []
    for number in range(35):
        ids.append((await w.clusters.create(spec | {"cluster_name": str(number)})).cluster_id)
    workspace.clock.advance(300)
    changes, lives = w.clusters.watch(events=True), {cluster_id: [] for cluster_id in ids}

    async def watch():
        async for change in changes:
            lives[change.cluster_id].append(change.state)
            if sum(life.count("TERMINATING") for life in lives.values()) == 140 and all(
                life[-1] == "TERMINATED" for life in lives.values()
            ):
                return

    watching = asyncio.create_task(watch())
    await asyncio.sleep(3)
    for cycle in range(4):
        for cluster_id in chance.sample(ids, len(ids)):
            await w.clusters.delete(cluster_id)
            workspace.clock.advance(chance.choice([0, 1, 30]))
            await asyncio.sleep(chance.choice([0, 0.1]))
        workspace.clock.advance(60)
        if cycle < 3:
            for cluster_id in ids:
                await w.clusters.start(cluster_id)
            workspace.clock.advance(300)
    await watching
    cycle = ["TERMINATING", "TERMINATED", "PENDING", "RUNNING"]
    assert {tuple(life) for life in lives.values()} == {("RUNNING", *(cycle * 4)[:-2])}


async def test_an_idle_cluster_costs_no_events(w, workspace, make):
    """They are read when something about it has changed."""
    cluster_id = await make.running()
    changes = w.clusters.watch([cluster_id], events=True)
    await anext(changes)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(60):
            await anext(changes)
    assert workspace.journal.count(EVENTS) == 0
    await w.clusters.delete(cluster_id)
    await anext(changes)
    assert workspace.journal.count(EVENTS) == 1


async def test_events_that_cannot_be_read_are_read_later(w, workspace, make):
    """Nothing is lost by that, nor by a cancellation; a refusal is raised."""
    cluster_id = await make.running()
    changes = w.clusters.watch([cluster_id], events=True, fail_after=60)
    await anext(changes)
    await w.clusters.delete(cluster_id)
    workspace.clock.advance(60)
    workspace.faults.add(EVENTS, Fault.error(500, "INTERNAL_ERROR"), Fault.drop(), Fault.hang())
    waiting = asyncio.create_task(anext(changes))
    await workspace.journal.until(lambda journal: journal.count(EVENTS) == 3)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    workspace.faults.add(EVENTS, Fault.error(403, "PERMISSION_DENIED"))
    with pytest.raises(PermissionDenied):
        await anext(changes)
    assert await states(changes, 2) == ["TERMINATING", "TERMINATED"]
