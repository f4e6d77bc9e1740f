"""Watching runs: their changes and those of their tasks, of given runs, of a job, and of all that are active.

Here are the tests of `jobs/changes.py`, `jobs/watching.py`.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from databricks_async.errors import ResourceDoesNotExist
from databricks_async.jobs import Run, RunChange, TaskChange
from databricks_async.local import Fault

pytestmark = pytest.mark.usefixtures("virtual_time")

GET, LIST = "GET /api/{v}/jobs/runs/get", "GET /api/{v}/jobs/runs/list"


@pytest.fixture
def w(connect):
    """A client whose tick is a second."""
    return connect(poll_interval_seconds=1, retry_timeout_seconds=0)


def told(change):
    """A change in short: the run or the task, from which state to which."""
    words = [one and one.state.life_cycle_state for one in (change.before, change.after)]
    return (change.task_key if isinstance(change, TaskChange) else change.run_id, *words)


async def seconds(workspace, changes, *steps):
    """All changes, while the clock moves on by so many seconds before each poll."""
    seen = []

    async def watch():
        seen.extend([change async for change in changes])

    watching = asyncio.create_task(watch())
    await asyncio.sleep(4)
    for step in steps:
        workspace.clock.advance(step)
        await asyncio.sleep(4)
    await watching
    return seen


@pytest.mark.parametrize("version", ["2.1", "2.2"])
async def test_a_run_and_its_tasks(w, workspace, once, version):
    """The run begins before its tasks and ends after them; each change says when and why."""
    workspace.script_task("b", error="boom", duration=60)
    workspace.script_task("a", duration=60)
    run_id = (await w.jobs.submit(tasks=[once("a"), once("b", "a"), once("c", "b")])).run_id
    began = (await w.jobs.get_run(run_id)).start
    changes = await seconds(workspace, w.jobs.watch_runs(run_id), *[30] * 12)
    short = [told(change) for change in changes]
    assert short[0] == (run_id, None, short[0][2])
    assert {key for key, before, _ in short[1:4] if before is None} == {"a", "b", "c"}
    assert short[-1][0] == run_id
    assert len(short) == len(set(short))
    assert ("a", "RUNNING", "TERMINATED") in short
    ends = {change.task_key: change for change in changes if isinstance(change, TaskChange) and change.after.ended}
    assert ends.keys() == {"a", "b", "c"}
    assert ends["a"].when == ends["a"].after.end > began
    end = changes[-1]
    assert isinstance(end, RunChange)
    assert isinstance(end.after, Run)
    assert end.when == end.after.end
    assert end.why == end.after.state.state_message != ""
    assert changes[0].when == began
    running = next(change for change in changes if told(change)[2] == "RUNNING")
    assert timedelta(0) <= running.when - began <= timedelta(seconds=300)


async def test_many_runs_end_one_after_the_other(w, workspace, once):
    """The iteration ends with the last one; each end costs one request, and all the rest one page a tick."""
    waits = []
    for number in range(20):
        workspace.script_task(f"t{number}", duration=10 * number)
        waits.append(await w.jobs.submit(tasks=[once(f"t{number}")]))
    ids = [wait.run_id for wait in waits]
    workspace.journal.clear()
    changes = await seconds(workspace, w.jobs.watch_runs(ids), *[60] * 12)
    ends = [change.run_id for change in changes if isinstance(change, RunChange) and change.after.ended]
    assert sorted(ends) == sorted(ids)
    assert workspace.journal.count(GET) <= 20 + 3
    assert workspace.journal.count(LIST) <= 4 * 13


async def test_the_runs_of_a_job(w, workspace, task):
    """Those that are active, and those that begin later; others are not seen."""
    job_id, other = [
        (await w.jobs.create(name=name, tasks=[task(name)], max_concurrent_runs=9)).job_id for name in ("mine", "other")
    ]
    first = (await w.jobs.run_now(job_id)).run_id
    await w.jobs.run_now(other)
    changes = w.jobs.watch_runs(job_id=job_id)
    assert {(await anext(changes)).run_id for _ in range(2)} == {first}
    second = (await w.jobs.run_now(job_id)).run_id
    change = await anext(changes)
    assert (change.run_id, change.before) == (second, None)
    workspace.clock.advance(100_000)
    ended = set()
    while len(ended) < 2:
        change = await anext(changes)
        if isinstance(change, RunChange) and change.after.ended:
            assert isinstance(change.after, Run)
            ended.add(change.run_id)
    assert ended == {first, second}
    workspace.journal.clear()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(30):
            await anext(changes)
    assert workspace.journal.count(GET) == 0
    assert {call.query["job_id"] for call in workspace.journal.calls(LIST)} == {str(job_id)}


async def test_all_active_runs_and_waits_share_the_listing(w, workspace, once, task):
    """Whatever they are of."""
    job_id = (await w.jobs.create(name="j", tasks=[task("a")])).job_id
    waits = [await w.jobs.run_now(job_id), await w.jobs.submit(tasks=[once("b")])]
    ids = {wait.run_id for wait in waits}
    ended = set()

    def all_ended(change):
        ended.update({change.run_id} if isinstance(change, RunChange) and change.after.ended else ())
        return ended == ids

    async def watch():
        return {change.run_id async for change in w.jobs.watch_runs(active=True, until=all_ended)}

    watching = asyncio.create_task(watch())
    await asyncio.sleep(5)
    results = [asyncio.create_task(wait.result()) for wait in waits]
    await asyncio.sleep(5)
    workspace.journal.clear()
    await asyncio.sleep(20)
    assert workspace.journal.count(GET) == 0
    assert workspace.journal.count(LIST) <= 20
    workspace.clock.advance(100_000)
    assert {run.run_id for run in await asyncio.gather(*results)} == ids
    assert await watching == ids
    assert workspace.journal.count(GET) == 2


@pytest.mark.parametrize("version", ["2.1", "2.2"])
async def test_all_tasks_of_a_run_of_many(w, workspace, finish, once, version):
    """Also those that neither a listing nor one answer shows."""
    run_id = (await w.jobs.submit(tasks=[once(f"t{number:03}") for number in range(150)])).run_id
    for changes in (w.jobs.watch_runs(run_id), w.jobs.watch_runs(active=True)):
        keys = {
            change.task_key for change in [await anext(changes) for _ in range(151)] if isinstance(change, TaskChange)
        }
        assert len(keys) == 150


async def test_an_attempt_that_follows_another_is_a_change(w, workspace, once):
    """Of its task."""
    workspace.script_task("a", error="boom", times=1, duration=60)
    retried = once("a", max_retries=1, min_retry_interval_millis=60_000)
    run_id = (await w.jobs.submit(tasks=[retried])).run_id
    changes = await seconds(workspace, w.jobs.watch_runs([run_id]), *[20] * 24)
    attempts = [change.after.attempt_number for change in changes if isinstance(change, TaskChange)]
    assert attempts == sorted(attempts)
    assert {0, 1} == set(attempts)


async def test_a_run_that_is_deleted_says_so(w, workspace, once):
    """It was seen active, and is gone when it is looked for."""
    run_id = (await w.jobs.submit(tasks=[once("a")])).run_id
    changes = w.jobs.watch_runs([run_id])
    assert {told(await anext(changes))[0] for _ in range(2)} == {run_id, "a"}
    workspace.clock.advance(100_000)
    await w.jobs.delete_run(run_id)
    change = await anext(changes)
    assert (change.run_id, change.after, change.why) == (run_id, None, "it was deleted")
    assert change.before is not None
    assert await anext(changes, None) is None


async def test_what_is_asked_for_has_to_be_said(w, workspace):
    """In one of three ways, before anything is sent."""
    for wrong in ({}, {"run_ids": [1], "job_id": 2}, {"job_id": 1, "active": True}):
        with pytest.raises(ValueError, match="run ids, or a job_id, or active=True"):
            w.jobs.watch_runs(**wrong)
    for wrong in (["1"], "1", [-1]):
        with pytest.raises((TypeError, ValueError), match="run_id"):
            w.jobs.watch_runs(wrong)
    assert [change async for change in w.jobs.watch_runs([])] == []
    assert workspace.journal.count() == 0
    with pytest.raises(ResourceDoesNotExist):
        await anext(w.jobs.watch_runs(5))


async def test_bad_polls_do_not_end_a_watch(w, workspace, finish, once):
    """Of runs neither."""
    run_id = (await w.jobs.submit(tasks=[once("a")])).run_id
    changes = w.jobs.watch_runs(active=True)
    await anext(changes)
    bad = [
        Fault.error(500, "INTERNAL_ERROR"),
        Fault.drop(),
        Fault.answer(200, b"[1]"),
        Fault.answer(200, b'{"runs": [7]}'),
    ]
    workspace.faults.add(LIST, *bad)
    finish()
    while not (isinstance(change := await anext(changes), RunChange) and change.after.ended):
        pass
    assert change.run_id == run_id
    assert len(workspace.faults) < 2
    workspace.faults.clear()
