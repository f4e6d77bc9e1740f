"""Hundreds of waits on one client: the polls are shared where that costs less.

Here are the tests of `jobs/polls.py`, `polling/listing.py`, `polling/reader.py`.
"""

from __future__ import annotations

import asyncio

import pytest

from databricks_async.errors import LifecycleError
from databricks_async.jobs.changes import RunChange
from databricks_async.local import Fault

pytestmark = pytest.mark.usefixtures("virtual_time")

GET = "GET /api/{v}/jobs/runs/get"
LIST = "GET /api/{v}/jobs/runs/list"


async def started(w, count, **fields):
    """Waits for so many runs that have begun."""
    tasks = [{"task_key": "a", "notebook_task": {"notebook_path": "/x"}}]
    return await asyncio.gather(*(w.jobs.submit(tasks=tasks, **fields) for _ in range(count)))


async def seen_running(wait):
    """One reading."""
    return await anext(aiter(wait))


async def test_two_hundred_waits_share_polls(connect, workspace, finish):
    """A round of polls is a few pages of runs/list, not two hundred requests."""
    w = connect(poll_interval_seconds=0.2)
    waits = await started(w, 200)
    await asyncio.gather(*(seen_running(wait) for wait in waits))
    workspace.journal.clear()
    readings = await asyncio.gather(*(seen_running(wait) for wait in waits))
    assert [run.run_id for run in readings] == [wait.run_id for wait in waits]
    assert workspace.journal.count(GET) == 0
    assert workspace.journal.count(LIST) <= 2 * 200 / 25
    finish()
    runs = await asyncio.gather(*(wait.result() for wait in waits))
    assert all(run.succeeded and run.tasks for run in runs)


async def test_a_few_waits_read_their_runs(w, workspace):
    """A listing would cost as much."""
    waits = await started(w, 3)
    workspace.journal.clear()
    await asyncio.gather(*(seen_running(wait) for wait in waits))
    assert (workspace.journal.count(GET), workspace.journal.count(LIST)) == (3, 0)


async def test_runs_that_ended_cost_a_batch_poll_nothing(connect, workspace):
    """One wait that lasts, and hundreds of runs that came and went since."""
    w = connect(poll_interval_seconds=1)
    workspace.script_task("slow", duration=1e6)
    tasks = [{"task_key": "slow", "notebook_task": {"notebook_path": "/x"}}]
    waits = [await w.jobs.submit(tasks=tasks)]
    workspace.clock.advance(1)
    await started(w, 200)
    workspace.clock.advance(1000)
    waits += await asyncio.gather(*(w.jobs.submit(tasks=tasks) for _ in range(20)))
    await asyncio.gather(*(seen_running(wait) for wait in waits))
    workspace.journal.clear()
    await asyncio.sleep(1)
    await asyncio.gather(*(seen_running(wait) for wait in waits))
    assert workspace.journal.count(LIST) == 1
    assert workspace.journal.count(GET) == 0


async def test_a_repair_is_not_ended_by_what_was_seen_before_it(connect, workspace):
    """The end of the run that is repaired, seen while many were waited for."""
    w = connect(poll_interval_seconds=5)
    workspace.script_task("bad", error="boom", times=1)
    workspace.script_task("a", duration=1e6)
    bad = await w.jobs.submit(tasks=[{"task_key": "bad", "notebook_task": {"notebook_path": "/x"}}])
    waits = [bad, *await started(w, 10)]
    workspace.clock.advance(100)
    ends = [run.ended for run in await asyncio.gather(*(seen_running(wait) for wait in waits))]
    assert ends == [True] + [False] * 10
    repair = await w.jobs.repair_run(bad.run_id, rerun_all_failed_tasks=True)
    assert not (await seen_running(repair)).ended


async def test_runs_among_many_others_are_looked_for_where_they_are(connect, workspace):
    """A batch poll is given up when it costs as much as polls one by one, and those tell when the runs began."""
    w = connect(poll_interval_seconds=10)
    mine = await started(w, 10)
    workspace.clock.advance(1)
    await started(w, 300)
    for lists, gets in ((9, 10), (1, 0), (1, 0)):
        workspace.journal.clear()
        readings = await asyncio.gather(*(seen_running(wait) for wait in mine))
        assert [run.run_id for run in readings] == [wait.run_id for wait in mine]
        assert (workspace.journal.count(LIST), workspace.journal.count(GET)) == (lists, gets)


async def test_runs_of_one_job_are_looked_for_in_that_job(connect, workspace, task):
    """And from the first one's start on: others cost nothing."""
    w = connect(poll_interval_seconds=1)
    job_id = (await w.jobs.create(name="j", tasks=[task("a")], max_concurrent_runs=100)).job_id
    await started(w, 300)
    workspace.clock.advance(1)
    waits = await asyncio.gather(*(w.jobs.run_now(job_id) for _ in range(50)))
    await asyncio.gather(*(seen_running(wait) for wait in waits))
    workspace.journal.clear()
    await asyncio.sleep(1)  # what the last batch poll showed is good for half an interval
    await asyncio.gather(*(seen_running(wait) for wait in waits))
    calls = workspace.journal.calls(LIST)
    assert len(calls) == 2
    assert {call.query["job_id"] for call in calls} == {str(job_id)}
    assert workspace.journal.count(GET) == 0


async def test_a_batch_poll_that_fails_does_no_harm(connect, workspace, finish):
    """A user who may not list runs reads them one by one."""
    w = connect(poll_interval_seconds=0.05)
    waits = await started(w, 20)
    workspace.faults.add(LIST, Fault.error(403, "PERMISSION_DENIED"), probability=1.0)
    await asyncio.gather(*(seen_running(wait) for wait in waits))
    finish()
    runs = await asyncio.gather(*(wait.result() for wait in waits))
    assert all(run.succeeded for run in runs)
    assert workspace.journal.count(LIST) <= 2


async def test_a_cancelled_wait_leaves_the_batch_poll_to_others(connect, workspace, finish):
    """The wait that was making it is cancelled; the others go on."""
    w = connect(poll_interval_seconds=0.05)
    waits = await started(w, 30)
    workspace.faults.add(LIST, Fault.delay(0.05))
    waiting = [asyncio.create_task(wait.result()) for wait in waits]
    await workspace.journal.until(lambda journal: journal.count(LIST) > 0)
    for one in waiting[:15]:
        one.cancel()
    finish()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [isinstance(outcome, asyncio.CancelledError) for outcome in outcomes] == [True] * 15 + [False] * 15
    assert all(run.succeeded for run in outcomes[15:])


async def test_closing_the_client_ends_all_waits(connect, workspace):
    """Those that make a batch poll, wait for one, or sleep until the next one."""
    w = connect()
    waits = await started(w, 30)
    waiting = [asyncio.create_task(wait.result()) for wait in waits]
    await workspace.journal.until(lambda journal: journal.count(LIST) > 2)
    workspace.faults.add(LIST, Fault.hang())
    await w.aclose()
    ends = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(end) for end in ends} == {LifecycleError}


async def test_waits_that_began_apart_share_batch_polls(connect, workspace, finish):
    """Within a tick all of them are polled together: eight pages a tick, or fewer while nothing happens."""
    w = connect(poll_interval_seconds=1)
    waits = await started(w, 200)
    waiting = []
    for wait in waits:
        waiting.append(asyncio.create_task(wait.result()))
        await asyncio.sleep(0.005)
    workspace.journal.clear()
    began = asyncio.get_running_loop().time()
    await workspace.journal.until(lambda journal: journal.count(LIST) >= 80)
    assert asyncio.get_running_loop().time() - began > 10
    assert workspace.journal.count(GET) == 0
    finish()
    runs = await asyncio.gather(*waiting)
    assert all(run.succeeded for run in runs)
    assert workspace.journal.count(GET) == 200


async def test_a_batch_poll_that_hangs_is_given_up(connect, workspace, finish):
    """After as long as any request may take; the waits go on one by one."""
    w = connect(poll_interval_seconds=0.02, http_timeout_seconds=5)
    waits = await started(w, 20)
    finish()
    workspace.faults.add(LIST, Fault.hang(), probability=1.0)
    runs = await asyncio.gather(*(wait.result(timeout=10) for wait in waits))
    assert all(run.succeeded for run in runs)
    assert workspace.journal.count(LIST) == 1


async def test_one_poll_that_hangs_holds_up_no_other(connect, workspace, finish):
    """Runs that the listing shows no more are read one by one; the others are looked at again meanwhile."""
    w = connect(poll_interval_seconds=1, http_timeout_seconds=50)
    workspace.script_task("slow", duration=10_000)
    slow = [{"task_key": "slow", "notebook_task": {"notebook_path": "/x"}}]
    quick_waits = await started(w, 20)
    slow_waits = await asyncio.gather(*(w.jobs.submit(tasks=slow) for _ in range(20)))
    await asyncio.gather(*(seen_running(wait) for wait in [*quick_waits, *slow_waits]))
    quick, slow_ones = ([asyncio.create_task(wait.result()) for wait in waits] for waits in (quick_waits, slow_waits))
    workspace.faults.add(GET, Fault.hang())
    workspace.clock.advance(1000)
    async with asyncio.timeout(10):
        ends = asyncio.as_completed(quick)
        for _ in quick[1:]:
            await next(ends)
        finish()
        await asyncio.gather(*slow_ones)
    assert sum(not one.done() for one in quick) == 1
    assert all(run.succeeded for run in await asyncio.gather(*quick))


async def test_who_leaves_while_a_poll_hangs_leaves_no_task(connect, workspace, finish):
    """What is read by itself goes on after its batch poll, and ends with the last caller."""
    w = connect(poll_interval_seconds=1, http_timeout_seconds=50)
    waits = await started(w, 20)
    await asyncio.gather(*(seen_running(wait) for wait in waits))
    workspace.faults.add(GET, Fault.hang())
    finish()
    ends = [asyncio.create_task(wait.result()) for wait in waits]
    async with asyncio.timeout(10):
        done = asyncio.as_completed(ends)
        for _ in ends[1:]:
            await next(done)
    (last,) = (end for end in ends if not end.done())
    last.cancel()
    await asyncio.wait((last,))
    assert [task for task in asyncio.all_tasks() if task.get_name().startswith("databricks_async")] == []


async def test_what_is_answered_late_is_told_to_who_watches_all(connect, workspace, finish):
    """Runs that ended are read by themselves, which takes longer than a tick."""
    w = connect(poll_interval_seconds=1)
    waits = await started(w, 3)
    workspace.faults.add(GET, Fault.delay(3), times=100)
    begun, ended = set(), set()
    async with asyncio.timeout(60):
        async for change in w.jobs.watch_runs(active=True):
            if isinstance(change, RunChange) and change.after is not None:
                (ended if change.after.ended else begun).add(change.run_id)
                if len(begun) == len(waits) and not ended:
                    finish()
                if len(ended) == len(waits):
                    break
    assert begun == ended == {wait.run_id for wait in waits}
