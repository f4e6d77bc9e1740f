"""Watching a cluster: every change of its state, once, for as long as it exists.

Here are the tests of `watch.py`, `clusters/watching.py`.
"""

from __future__ import annotations

import asyncio

import pytest

from databricks_async.errors import InternalError, NotFound, PermissionDenied, ResourceDoesNotExist
from databricks_async.local import Fault

pytestmark = pytest.mark.usefixtures("virtual_time")

GET = "GET /api/{v}/clusters/get"


async def watched(watch, seen):
    async for cluster in watch:
        seen.append(cluster.state)


async def test_a_watch_sees_a_life_from_the_first_reading_to_the_end(w, workspace, make):
    """Each change once; it ends after the permanent delete, and asking again gives nothing more."""
    cluster_id = await make.pending()
    watch = w.clusters.watch(cluster_id)
    seen = []

    async def advance(seconds):
        workspace.clock.advance(seconds)

    steps = [
        lambda: advance(300),
        lambda: w.clusters.resize(cluster_id, num_workers=5),
        lambda: advance(60),
        lambda: w.clusters.delete(cluster_id),
        lambda: advance(30),
        lambda: w.clusters.start(cluster_id),
        lambda: w.clusters.permanent_delete(cluster_id),
    ]
    async for cluster in watch:
        seen.append(cluster.state)
        await steps.pop(0)()

    assert seen == ["PENDING", "RUNNING", "RESIZING", "RUNNING", "TERMINATING", "TERMINATED", "PENDING"]
    assert await anext(watch, None) is None
    assert workspace.journal.calls(GET)[-1].status == 400


async def test_a_watch_is_quiet_while_nothing_changes(w, workspace, make):
    """Any number of readings, one state."""
    cluster_id = await make.running()
    seen = []
    watching = asyncio.create_task(watched(w.clusters.watch(cluster_id), seen))
    await workspace.journal.until(lambda journal: journal.count(GET) >= 6)
    await w.clusters.permanent_delete(cluster_id)
    await watching
    assert seen == ["RUNNING"]


async def test_an_unknown_cluster_is_told_so(w, workspace):
    """At the first reading, not as an empty life."""
    with pytest.raises(ResourceDoesNotExist):
        await anext(w.clusters.watch("0923-164208-nothing"))
    assert workspace.journal.count(GET) == 1


async def test_a_path_that_is_not_found_is_not_the_end_of_a_cluster(w, workspace, make):
    """Something on the way answers 404 with a page of its own."""
    watch = w.clusters.watch(await make.running())
    await anext(watch)
    workspace.faults.add(GET, Fault.answer(404, "<html><title>404</title></html>"))
    with pytest.raises(NotFound):
        await anext(watch)


async def test_an_error_can_be_passed_over(w, workspace, make):
    """The same watch goes on where it was."""
    cluster_id = await make.pending()
    watch = w.clusters.watch(cluster_id)
    assert (await anext(watch)).state == "PENDING"
    workspace.faults.add(GET, Fault.error(403, "PERMISSION_DENIED"))
    with pytest.raises(PermissionDenied):
        await anext(watch)
    workspace.clock.advance(300)
    assert (await anext(watch)).state == "RUNNING"


async def test_a_watch_survives_bad_answers(connect, workspace, make):
    """As a wait does."""
    cluster_id = await make.pending()
    watch = connect(retry_timeout_seconds=0).clusters.watch(cluster_id)
    await anext(watch)
    workspace.faults.add(GET, Fault.error(500, "INTERNAL_ERROR"), Fault.drop(), Fault.too_many_requests())
    workspace.clock.advance(300)
    assert (await anext(watch)).state == "RUNNING"
    assert len(workspace.faults) == 0


async def test_several_watchers_see_the_same(w, connect, workspace, make):
    """Of one client or of several."""
    cluster_id = await make.pending()
    lives = [[], [], []]
    clients = [w, w, connect()]
    tasks = [
        asyncio.create_task(watched(client.clusters.watch(cluster_id), seen))
        for client, seen in zip(clients, lives, strict=True)
    ]
    for state, step in (("PENDING", 300), ("RUNNING", None)):
        while not all(seen and seen[-1] == state for seen in lives):  # noqa: ASYNC110 (three lists, no event)
            await asyncio.sleep(0.005)
        if step:
            workspace.clock.advance(step)
    await w.clusters.permanent_delete(cluster_id)
    await asyncio.gather(*tasks)
    assert lives == [["PENDING", "RUNNING"]] * 3


async def test_leaving_a_watch_leaves_nothing(w, workspace, make):
    """No task and no more readings; a watch left can be taken up again."""
    cluster_id = await make.pending()
    watch = w.clusters.watch(cluster_id)
    tasks = None
    async for _ in watch:
        tasks = asyncio.all_tasks()
        break
    assert asyncio.all_tasks() == tasks
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == tasks
    assert workspace.journal.count(GET) == 1
    assert repr(watch) == f"<Watch of cluster {cluster_id}>"

    workspace.clock.advance(300)
    assert (await anext(watch)).state == "RUNNING"


async def test_a_cancelled_watcher_does_not_disturb_the_others(w, workspace, make):
    """Nor the cluster."""
    cluster_id = await make.pending()
    first, second = [], []
    cancelled = asyncio.create_task(watched(w.clusters.watch(cluster_id), first))
    other = asyncio.create_task(watched(w.clusters.watch(cluster_id), second))
    await workspace.journal.until(lambda journal: journal.count(GET) >= 4)
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    workspace.clock.advance(300)
    await workspace.journal.until(lambda journal: second[-1:] == ["RUNNING"])
    await w.clusters.permanent_delete(cluster_id)
    await other

    assert (first, second) == (["PENDING"], ["PENDING", "RUNNING"])


async def test_short_timeouts_again_and_again(connect, workspace, make):
    """Who waits with a timeout shorter than the pauses sees what happens, and the failure that lasts."""
    w, cluster_id = connect(retry_timeout_seconds=0), await make.running()
    watches = [
        w.clusters.watch(cluster_id, every=10, fail_after=60),
        w.clusters.follow_events(cluster_id, every=10, fail_after=60),
    ]
    for watch in watches:
        before = workspace.journal.count()
        for _ in range(60):
            try:
                await asyncio.wait_for(anext(watch), 4)
            except TimeoutError:
                continue
        assert 8 <= workspace.journal.count() - before <= 25
        workspace.faults.add("*", Fault.error(500, "INTERNAL_ERROR"), times=100)
        loop = asyncio.get_running_loop()
        began, failure = loop.time(), None
        while failure is None and loop.time() < began + 300:
            try:
                await asyncio.wait_for(anext(watch), 4)
            except TimeoutError:
                continue
            except InternalError as error:
                failure = error
        assert failure is not None
        assert 60 <= loop.time() - began <= 150
        workspace.faults.clear()
