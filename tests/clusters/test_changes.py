"""Watching several clusters, or all: typed changes, each of them once, and nothing left behind.

Here are the tests of `polling/callers.py`, `polling/group.py`.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from databricks_async.errors import (
    LifecycleError,
    NotFound,
    PermissionDenied,
    RequestTimeout,
    ResourceDoesNotExist,
    TemporarilyUnavailable,
)
from databricks_async.local import Fault

pytestmark = pytest.mark.usefixtures("virtual_time")

GET, LIST = "GET /api/{v}/clusters/get", "GET /api/{v}/clusters/list"


@pytest.fixture
def w(connect):
    """A client whose tick is a second."""
    return connect(poll_interval_seconds=1, retry_timeout_seconds=0)


async def take(changes, count):
    """The next so many changes: which cluster, from which state to which."""
    return [states(await anext(changes)) for _ in range(count)]


def states(change):
    return (change.cluster_id, *(one and one.state for one in (change.before, change.after)))


async def test_the_lives_of_several_clusters(w, workspace, make):
    """Each from nothing to its deletion; the iteration ends with the last one."""
    second, first = await make.running(), await make.pending()
    changes = w.clusters.watch([first, second, first])
    assert sorted(await take(changes, 2)) == sorted([(first, None, "PENDING"), (second, None, "RUNNING")])
    workspace.clock.advance(300)
    assert await take(changes, 1) == [(first, "PENDING", "RUNNING")]
    await w.clusters.delete(second)
    assert await take(changes, 1) == [(second, "RUNNING", "TERMINATING")]
    workspace.clock.advance(60)
    assert await take(changes, 1) == [(second, "TERMINATING", "TERMINATED")]
    await w.clusters.permanent_delete(first)
    assert await take(changes, 1) == [(first, "RUNNING", None)]
    await w.clusters.permanent_delete(second)
    assert await take(changes, 1) == [(second, "TERMINATED", None)]
    assert await anext(changes, None) is None
    assert await anext(changes, None) is None


async def test_a_change_says_when_and_why(w, workspace, make):
    """In the service's time, and its words with the reason of a termination."""
    cluster_id = await make.pending()
    created = (await w.clusters.get(cluster_id)).start
    changes = w.clusters.watch([cluster_id])
    change = await anext(changes)
    assert (change.when, change.why) == (
        created,
        "Finding instances for new nodes, acquiring more instances if necessary",
    )
    workspace.clock.advance(300)
    change = await anext(changes)
    assert (change.when - created, change.why) == (timedelta(seconds=300), "")
    workspace.fail_next_start(parameters={"azure_error_message": "no quota left"})
    await w.clusters.restart(cluster_id)
    assert (await anext(changes)).when - created == timedelta(seconds=300)
    workspace.clock.advance(240)
    change = await anext(changes)
    assert change.after.state == "TERMINATING"
    assert change.why == "CLOUD_PROVIDER_LAUNCH_FAILURE (CLOUD_FAILURE): azure_error_message: no quota left"
    workspace.clock.advance(60)
    change = await anext(changes)
    assert change.when == change.after.terminated
    reason = {"code": "SPOT_INSTANCE_TERMINATION", "type": "CLOUD_FAILURE"}
    workspace.overlay(cluster_id, state="ERROR", state_message="gone", termination_reason=reason)
    assert (await anext(changes)).why == "SPOT_INSTANCE_TERMINATION (CLOUD_FAILURE): gone"


async def test_all_clusters(w, workspace, make):
    """Those that are there, those that appear, and those that vanish: deleted, or down for more than a month."""
    old = await make.terminated()
    workspace.clock.advance(29 * 24 * 3600)
    first = await make.running()
    changes = w.clusters.watch()
    assert sorted(await take(changes, 2)) == sorted([(old, None, "TERMINATED"), (first, None, "RUNNING")])
    second = await make.pending()
    assert await take(changes, 1) == [(second, None, "PENDING")]
    await w.clusters.permanent_delete(second)
    assert await take(changes, 1) == [(second, "PENDING", None)]
    await w.clusters.pin(first)
    workspace.clock.advance(2 * 24 * 3600)
    assert await take(changes, 1) == [(old, "TERMINATED", None)]
    workspace.journal.clear()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(30):
            await anext(changes)
    assert workspace.journal.count(GET) == 0
    assert workspace.journal.count(LIST) <= 30


async def test_a_cluster_that_only_one_of_several_watchers_has_seen_vanishes(w, workspace, make):
    """For the others it never was. What waits for other clusters waits on."""
    first, second = await make.running(), await make.running()
    waiting = asyncio.create_task(w.clusters.wait_terminated(second).result())
    one, *others = (w.clusters.watch() for _ in range(8))
    await take(one, 2)
    await w.clusters.permanent_delete(first)
    tasks = [asyncio.create_task(take(changes, 1)) for changes in (one, *others)]
    seen = await asyncio.gather(*tasks)
    assert seen == [[(first, "RUNNING", None)], *([(second, None, "RUNNING")] for _ in others)]
    await w.clusters.delete(second)
    workspace.clock.advance(60)
    assert (await waiting).state == "TERMINATED"


async def test_pages_that_move_make_no_changes(w, workspace, make):
    """A listing that leaves out a cluster though it is there: it is looked for by itself."""
    ids = {await make.running(cluster_name=name) for name in "abc"}
    changes = w.clusters.watch()
    assert {cluster_id for cluster_id, *_ in await take(changes, 3)} == ids
    workspace.faults.add(LIST, Fault.answer(200, b"{}"))
    workspace.journal.clear()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(20):
            await anext(changes)
    assert workspace.journal.count(GET) == 3
    await w.clusters.permanent_delete(min(ids))
    assert await take(changes, 1) == [(min(ids), "RUNNING", None)]


async def test_a_wait_that_comes_and_goes_while_a_watch_looks_for_its_cluster(w, workspace, make):
    """The watch goes on."""
    cluster_id = await make.running()
    changes = w.clusters.watch()
    await take(changes, 1)
    workspace.faults.add(LIST, Fault.answer(200, b"{}"))
    workspace.faults.add(GET, Fault.delay(5))
    watching = asyncio.create_task(take(changes, 1))
    await workspace.journal.until(lambda journal: journal.count(GET) == 1)
    waiting = asyncio.create_task(w.clusters.wait_terminated(cluster_id).result())
    await asyncio.sleep(1)
    waiting.cancel()
    await asyncio.wait((waiting,))
    await asyncio.sleep(10)
    await w.clusters.delete(cluster_id)
    assert await watching == [(cluster_id, "RUNNING", "TERMINATING")]


async def test_watches_and_waits_share_the_listing(w, workspace, make):
    """What `watch()` lists is what all others see."""
    ids = [await make.pending(cluster_name=str(number)) for number in range(3)]
    changes = w.clusters.watch()
    await take(changes, 3)
    watching = asyncio.create_task(take(changes, 3))
    await asyncio.sleep(5)
    waits = [asyncio.create_task(w.clusters.wait_running(cluster_id).result()) for cluster_id in ids]
    await asyncio.sleep(5)
    workspace.journal.clear()
    await asyncio.sleep(10)
    assert workspace.journal.count(GET) == 0
    workspace.clock.advance(300)
    assert {cluster.cluster_id for cluster in await asyncio.gather(*waits)} == set(ids)
    assert sorted(await watching) == sorted((cluster_id, "PENDING", "RUNNING") for cluster_id in ids)


async def test_until_ends_a_watch(w, workspace, make):
    """After the first change, or cluster, for which it is true."""
    cluster_id = await make.pending()
    workspace.clock.advance(300)
    for watch in (
        w.clusters.watch(cluster_id, until=lambda cluster: cluster.state == "RUNNING"),
        w.clusters.watch([cluster_id], until=lambda change: change.after.state == "RUNNING"),
        w.clusters.watch(until=lambda change: change.after.state == "RUNNING"),
    ):
        assert len([change async for change in watch]) == 1
        assert await anext(watch, None) is None


@pytest.mark.parametrize("which", ["one", "many", "all"])
async def test_leaving_leaves_nothing(w, workspace, make, which):
    """By `break`, by cancellation, and when the client is closed, which is an error."""
    cluster_id = await make.pending()
    ids = {"one": [cluster_id], "many": [[cluster_id]], "all": []}[which]
    tasks = asyncio.all_tasks()
    async for _ in w.clusters.watch(*ids):
        assert asyncio.all_tasks() == tasks
        break
    assert asyncio.all_tasks() == tasks

    watch = w.clusters.watch(*ids)
    await anext(watch)
    waiting = asyncio.create_task(anext(watch))
    await asyncio.sleep(10)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert asyncio.all_tasks() == tasks

    waiting = asyncio.create_task(anext(watch))
    await asyncio.sleep(10)
    await w.aclose()
    with pytest.raises(LifecycleError):
        await waiting
    assert asyncio.all_tasks() == tasks


async def test_nothing_is_sent_before_the_first_step(w, workspace):
    """And an empty list is watched at once."""
    w.clusters.watch("x"), w.clusters.watch(["x"]), w.clusters.watch()
    assert [change async for change in w.clusters.watch([])] == []
    assert workspace.journal.count() == 0
    for wrong, error in ((5, TypeError), ([5], TypeError), (None, TypeError), ([""], ValueError), ("", ValueError)):
        with pytest.raises(error):
            w.clusters.watch(wrong)
    with pytest.raises(ValueError, match="fail_after"):
        w.clusters.watch(fail_after=-1)


async def test_a_cluster_that_was_never_there_is_an_error(w, make):
    """The others are watched on."""
    cluster_id = await make.running()
    changes = w.clusters.watch(["0923-164208-nothing", cluster_id])
    results = [await asyncio.gather(anext(changes), return_exceptions=True) for _ in range(2)]
    (error,) = [result for (result,) in results if isinstance(result, Exception)]
    (change,) = [result for (result,) in results if result is not error]
    assert isinstance(error, ResourceDoesNotExist)
    assert "0923-164208-nothing" in str(error)
    assert states(change) == (cluster_id, None, "RUNNING")


async def test_an_error_of_one_cluster_is_raised_and_can_be_passed_over(w, workspace, make):
    """A permission that is missing, or a path that something on the way has lost."""
    cluster_id = await make.pending()
    changes = w.clusters.watch([cluster_id])
    await take(changes, 1)
    workspace.faults.add(GET, Fault.error(403, "PERMISSION_DENIED"), Fault.answer(404, "<html>"))
    with pytest.raises(PermissionDenied):
        await anext(changes)
    with pytest.raises(NotFound) as caught:
        await anext(changes)
    assert not isinstance(caught.value, ResourceDoesNotExist)
    workspace.clock.advance(300)
    assert await take(changes, 1) == [(cluster_id, "PENDING", "RUNNING")]


@pytest.mark.parametrize("which", ["one", "many", "all"])
async def test_bad_polls_end_a_watch_only_when_they_last(w, workspace, make, which):
    """Meanwhile it says how old its picture is. After the error it can be taken up again."""
    cluster_id = await make.pending()
    ids = {"one": [cluster_id], "many": [[cluster_id]], "all": []}[which]
    watch = w.clusters.watch(*ids, fail_after=60)
    assert watch.age is None
    await anext(watch)
    assert watch.age < 1
    await asyncio.sleep(100)
    assert watch.age >= 100
    endpoint = LIST if which == "all" else GET
    workspace.faults.add(endpoint, Fault.error(503, "TEMPORARILY_UNAVAILABLE", "down"), times=10)
    waiting = asyncio.create_task(anext(watch))
    await asyncio.sleep(40)
    assert (waiting.done(), len(workspace.faults) > 0) == (False, False)
    assert watch.age < 40
    workspace.faults.add(endpoint, Fault.error(503, "TEMPORARILY_UNAVAILABLE", "down"), times=100)
    await asyncio.sleep(50)
    assert not waiting.done()
    assert watch.age > 40
    with pytest.raises(TemporarilyUnavailable, match="down") as caught:
        await waiting
    assert "no good poll for 60 s" in caught.value.__notes__[0]
    workspace.faults.clear()
    workspace.clock.advance(300)
    change = await anext(watch)
    assert (change if which == "one" else change.after).state == "RUNNING"


async def test_polls_without_an_answer_are_a_failure_too(connect, workspace, make):
    """However long a request may take, and for each watch in its own time; None is for ever."""
    w = connect(poll_interval_seconds=1, http_timeout_seconds=1000)
    cluster_id = await make.running()
    workspace.faults.add(GET, Fault.hang())
    began = asyncio.get_running_loop().time()
    patient = asyncio.create_task(anext(w.clusters.watch(cluster_id, fail_after=None)))
    with pytest.raises(RequestTimeout, match="not answered"):
        await anext(w.clusters.watch(cluster_id, fail_after=5))
    assert asyncio.get_running_loop().time() - began < 6
    await asyncio.sleep(900)
    assert not patient.done()
    patient.cancel()
    await asyncio.wait((patient,))


async def test_a_state_from_tomorrow_is_a_change(w, workspace, make):
    """By its word."""
    cluster_id = await make.running()
    changes = w.clusters.watch([cluster_id])
    await take(changes, 1)
    workspace.overlay(cluster_id, state="HIBERNATING")
    assert await take(changes, 1) == [(cluster_id, "RUNNING", "HIBERNATING")]


async def test_a_service_without_listings_cannot_be_watched_whole(w, workspace):
    """The error says so at once."""
    workspace.faults.add(LIST, Fault.error(404, "ENDPOINT_NOT_FOUND"))
    with pytest.raises(NotFound):
        await anext(w.clusters.watch())


async def test_two_tasks_do_not_share_an_iterator(w, make):
    """One of them would wait for ever."""
    watch = w.clusters.watch(await make.running())
    await anext(watch)
    waiting = asyncio.create_task(anext(watch))
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="an iterator of its own"):
        await anext(watch)
    waiting.cancel()
    await asyncio.wait((waiting,))
