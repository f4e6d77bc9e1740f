"""Many runs at once: how far they are, failed ones repaired, and cancelled when the block is left.

Here are more tests of `jobs/many.py`; `test_many.py` has those of what is started and reported.
"""

from __future__ import annotations

import asyncio

import pytest

from databricks_async import Config, WorkspaceClient
from databricks_async.errors import DatabricksError, OperationTimeout, OutcomeUnknown, RunFailed
from databricks_async.jobs import Failure, RunNow, RunsProgress, Success
from databricks_async.local import Clock, Fault, LocalWorkspace

pytestmark = pytest.mark.usefixtures("virtual_time")

REPAIR = "POST /api/{v}/jobs/runs/repair"
CANCEL = "POST /api/{v}/jobs/runs/cancel"


@pytest.fixture
async def fast():
    """A workspace in which a task takes some hundredths of a second, and a client of it."""
    async with LocalWorkspace(clock=Clock.sped_up(3000)) as workspace:
        config = Config(host=workspace.url, token=workspace.token, poll_interval_seconds=0.01)
        async with WorkspaceClient(config=config) as w:
            yield workspace, w
    assert asyncio.all_tasks() == {asyncio.current_task()}


def request(*keys):
    tasks = [{"task_key": key, "notebook_task": {"notebook_path": f"/{key}"}} for key in keys]
    return {"run_name": keys[0], "tasks": tasks}


async def collected(many):
    return {outcome.index: outcome async for outcome in many}


async def going_on(w):
    return {run.run_id async for run in w.jobs.list_runs(active_only=True)}


async def test_progress(fast):
    """From nothing to all; bad requests have failed, and were never started."""
    workspace, w = fast
    workspace.script_task("bad", error="no disk")
    requests = [request("a"), request("bad"), {"tasks": 5}, *[request("b")] * 7]
    async with w.jobs.run_many(requests, max_active=3) as many:
        assert many.progress == RunsProgress(total=10, started=0, active=0, ended=0, failed=0)
        seen = []
        async for _ in many:
            progress = many.progress
            seen.append(progress.ended)
            assert progress.active <= 3
            assert progress.started + 1 >= progress.ended
            assert progress.started <= progress.active + progress.ended
    assert seen == sorted(seen)
    assert many.progress == RunsProgress(total=10, started=9, active=0, ended=10, failed=2)


async def test_the_total_of_what_cannot_say_it(fast):
    """None until the end of it is known."""
    _, w = fast
    async with w.jobs.run_many(request("a") for _ in range(5)) as many:
        assert many.progress.total is None
        await collected(many)
    assert many.progress == RunsProgress(total=5, started=5, active=0, ended=5, failed=0)


async def test_failed_runs_are_repaired(fast):
    """What failed runs again, in the same run, up to so many times; what went well does not."""
    workspace, w = fast
    workspace.script_task("twice", error="busy", times=2)
    workspace.script_task("always", error="no disk")
    requests = [request("good", "twice"), request("always"), request("good")]
    async with w.jobs.run_many(requests, retries=2) as many:
        outcomes = await collected(many)
    assert [outcomes[index].repairs for index in range(3)] == [2, 2, 0]
    assert isinstance(outcomes[0], Success)
    assert isinstance(outcomes[1], Failure)
    assert isinstance(outcomes[1].error, RunFailed)
    assert "no disk" in str(outcomes[1].error)
    tasks = {key: len([task for task in outcomes[0].run.tasks if task.task_key == key]) for key in ("good", "twice")}
    assert tasks == {"good": 1, "twice": 3}
    assert workspace.journal.count(REPAIR) == 4
    assert many.progress == RunsProgress(total=3, started=3, active=0, ended=3, failed=1)
    assert {len({call.body.get("latest_repair_id") for call in workspace.journal.calls(REPAIR)})} == {3}


async def test_without_retries_nothing_is_repaired(fast):
    """That is the default."""
    workspace, w = fast
    workspace.script_task("a", error="no disk")
    async with w.jobs.run_many([request("a")]) as many:
        outcomes = await collected(many)
    assert (outcomes[0].repairs, workspace.journal.count(REPAIR)) == (0, 0)


async def test_what_was_cancelled_or_never_began_is_not_repaired(fast):
    """Somebody wanted it so."""
    workspace, w = fast
    workspace.script_task("slow", duration=1e6)
    job = await w.jobs.create(name="j", tasks=request("slow")["tasks"], max_concurrent_runs=1, queue={"enabled": False})
    async with w.jobs.run_many([RunNow(job_id=job.job_id)] * 2, max_active=2, retries=2) as many:
        skipped = await anext(many)
        await w.jobs.cancel_run(next(iter(many.active)))
        cancelled = await anext(many)
    assert [type(one.error) for one in (skipped, cancelled)] == [RunFailed, RunFailed]
    assert (skipped.repairs, cancelled.repairs, workspace.journal.count(REPAIR)) == (0, 0, 0)


@pytest.mark.parametrize("fault", [Fault.drop(after=True), Fault.error(503, "TEMPORARILY_UNAVAILABLE", after=True)])
async def test_a_repair_whose_answer_was_lost_is_followed(fast, fault):
    """It is not sent a second time."""
    workspace, w = fast
    workspace.script_task("once", error="busy", times=1)
    workspace.faults.add(REPAIR, fault)
    async with w.jobs.run_many([request("once")], retries=1) as many:
        outcomes = await collected(many)
    assert (type(outcomes[0]), outcomes[0].repairs, workspace.journal.count(REPAIR)) == (Success, 1, 1)


async def test_a_repair_that_may_not_have_arrived_is_reported(fast):
    """As what it is: nobody knows."""
    workspace, w = fast
    workspace.script_task("once", error="busy", times=1)
    workspace.faults.add(REPAIR, Fault.drop())
    async with w.jobs.run_many([request("once")], retries=1) as many:
        outcomes = await collected(many)
    assert isinstance(outcomes[0].error, OutcomeUnknown)
    assert outcomes[0].repairs == 0


async def test_the_time_of_a_run_includes_its_repairs(fast):
    """It ends in the middle of a repair."""
    workspace, w = fast
    workspace.script_task("a", error="busy", times=1)
    workspace.script_task("a", duration=1e7)
    async with w.jobs.run_many([request("a")], retries=1, timeout=2) as many:
        outcome = await anext(many)
        assert many.progress.active == 0
    assert (type(outcome.error), outcome.repairs) == (OperationTimeout, 1)
    assert outcome.run_id in await going_on(w)


@pytest.mark.parametrize("how", ["break", "error", "cancelled", "end"])
async def test_leaving_cancels_what_goes_on(fast, how):
    """Whatever ends the block; those that were reported because of their time as well, and no run that has ended."""
    workspace, w = fast
    workspace.script_task("slow", duration=1e6)

    async def leave():
        requests = [request("quick"), *[request("slow")] * 6]
        async with w.jobs.run_many(requests, max_active=4, timeout=1, cancel_on_exit=True) as many:
            async for outcome in many:
                if how == "end":
                    continue
                if isinstance(outcome.error, OperationTimeout) and len(many.active) > 1:
                    break
            if how == "error":
                raise ZeroDivisionError
            if how == "cancelled":
                await asyncio.sleep(100)

    if how == "error":
        with pytest.raises(ZeroDivisionError):
            await leave()
    elif how == "cancelled":
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(leave(), 10)
    else:
        await leave()
    cancelled = {call.body["run_id"] for call in workspace.journal.calls(CANCEL)}
    started = {run.run_id: run.run_name async for run in w.jobs.list_runs()}
    assert cancelled == {run_id for run_id, name in started.items() if name == "slow"}
    assert len(cancelled) >= 4
    async for run in w.jobs.list_runs():
        if run.run_id in cancelled:
            await w.jobs.wait_run(run.run_id).result(check=False)
    assert await going_on(w) == set()


async def test_a_run_that_is_being_started_is_cancelled_too(fast):
    """Its answer is waited for."""
    workspace, w = fast
    workspace.script_task("slow", duration=1e6)
    workspace.faults.add("POST /api/{v}/jobs/runs/submit", Fault.delay(1, after=True))
    async with w.jobs.run_many([request("slow")] * 5, max_active=1, cancel_on_exit=True) as many:
        await workspace.journal.until(lambda journal: journal.in_flight_max >= 1)
    (run_id,) = many.active
    assert [call.body["run_id"] for call in workspace.journal.calls(CANCEL)] == [run_id]


async def test_a_run_that_cannot_be_cancelled_is_named(fast):
    """An error where there is no other, else a note of that one."""
    workspace, w = fast
    workspace.script_task("slow", duration=1e6)

    async def leave(error=None):
        refused = Fault.error(403, "PERMISSION_DENIED", "not yours")
        workspace.faults.add(CANCEL, refused, refused)
        async with w.jobs.run_many([request("slow"), request("slow")], cancel_on_exit=True) as many:
            while len(many.active) < 2:  # noqa: ASYNC110 (starts are no events)
                await asyncio.sleep(0.01)
            if error:
                raise error

    with pytest.raises(DatabricksError, match="not yours") as failed:
        await leave()
    assert len(failed.value.__notes__) == 2
    assert all("could not be cancelled and goes on" in note for note in failed.value.__notes__)
    with pytest.raises(ZeroDivisionError) as other:
        await leave(ZeroDivisionError())
    assert len(other.value.__notes__) == 2
    assert len(await going_on(w)) == 4


@pytest.mark.parametrize("retries", [-1, 1.5, True, None])
async def test_retries_that_are_none(w, retries):
    """A whole number from 0 on."""
    with pytest.raises(ValueError, match="retries"):
        w.jobs.run_many([], retries=retries)


async def test_outputs_of_what_is_reported(fast):
    """Also of a run of which only a poll is known."""
    workspace, w = fast
    workspace.script_task("a", output="42")
    async with w.jobs.run_many([request("a")]) as many:
        async for outcome in many:
            if outcome.error is None:
                assert (await w.jobs.get_run_outputs(outcome.run))["a"].notebook_output.result == "42"
    (listed,) = await w.jobs.list_runs().collect()
    assert (await w.jobs.get_run_outputs(listed))["a"].notebook_output.result == "42"
