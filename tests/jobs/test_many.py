"""Many runs at once: bounded, reported as they finish, whatever becomes of each."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from databricks_async import Config, WorkspaceClient
from databricks_async.errors import InvalidParameterValue, LifecycleError, OperationTimeout, RunFailed
from databricks_async.jobs.models import RunNow, SubmitRun
from databricks_async.local import Clock, Fault, LocalWorkspace

pytestmark = pytest.mark.usefixtures("virtual_time")


@pytest.fixture
async def fast():
    """A workspace in which a task takes some hundredths of a second, and a client of it."""
    async with LocalWorkspace(clock=Clock.sped_up(3000)) as workspace:
        config = Config(host=workspace.url, token=workspace.token, poll_interval_seconds=0.01)
        async with WorkspaceClient(config=config) as w:
            yield workspace, w


def request(key):
    return {"run_name": key, "tasks": [{"task_key": key, "notebook_task": {"notebook_path": f"/{key}"}}]}


async def test_hundreds_of_runs_are_started_and_reported(fast):
    """Each once, failures too, and never more at a time than were asked for."""
    workspace, w = fast
    workspace.script_task("t007", error="licence revoked")
    active_max = 0
    outcomes = []
    async with w.jobs.run_many([request(f"t{n:03}") for n in range(200)], max_active=40) as many:
        async for outcome in many:
            active_max = max(active_max, len(many.active))
            outcomes.append(outcome)
    assert sorted(outcome.index for outcome in outcomes) == [*range(200)]
    assert active_max <= 40
    (failed,) = [outcome for outcome in outcomes if outcome.error]
    assert (failed.index, type(failed.error)) == (7, RunFailed)
    assert "licence revoked" in str(failed.error)
    assert failed.run.run_id == failed.run_id
    assert all(outcome.run.succeeded for outcome in outcomes if outcome is not failed)
    assert len({outcome.run_id for outcome in outcomes}) == 200
    assert many.active == {}


async def test_jobs_and_one_time_runs_as_models_or_mappings(fast):
    """A mapping with a job_id is a run of that job."""
    _, w = fast
    tasks = request("a")["tasks"]
    job_id = (await w.jobs.create(name="j", tasks=tasks, max_concurrent_runs=10)).job_id
    requests = [RunNow(job_id=job_id), SubmitRun(tasks=tasks), {"job_id": job_id}, {"tasks": tasks}]
    async with w.jobs.run_many(requests) as many:
        runs = {outcome.index: outcome.run async for outcome in many}
    assert [runs[index].run_type for index in range(4)] == ["JOB_RUN", "SUBMIT_RUN"] * 2


async def test_requests_that_cannot_be_sent_are_reported(fast):
    """Bad ones by their own error, refused ones by the service's; the rest runs."""
    _, w = fast
    requests = [{"tasks": [{"task_key": "a", "timeout_seconds": "soon"}]}, {"job_id": 12}, request("b"), 5]
    async with w.jobs.run_many(requests) as many:
        outcomes = {outcome.index: outcome async for outcome in many}
    assert isinstance(outcomes[0].error, ValueError)
    assert isinstance(outcomes[1].error, InvalidParameterValue)
    assert outcomes[2].error is None
    assert isinstance(outcomes[3].error, TypeError | ValueError)
    assert outcomes[1].run_id is None


async def test_each_run_has_its_time(fast):
    """One that takes longer is reported with its last reading, and goes on."""
    workspace, w = fast
    workspace.script_task("slow", duration=1e6)
    async with w.jobs.run_many([request("slow"), request("quick")], timeout=1) as many:
        outcomes = {outcome.index: outcome async for outcome in many}
    assert isinstance(outcomes[0].error, OperationTimeout)
    assert outcomes[0].run.run_id == outcomes[0].run_id
    assert outcomes[1].error is None


async def test_leaving_early_starts_nothing_more(fast):
    """What is under way is named, and no task is left behind."""
    workspace, w = fast
    workspace.script_task("slow", duration=1e6)
    async with w.jobs.run_many([request("quick")] + [request("slow")] * 50, max_active=3) as many:
        async for outcome in many:
            assert outcome.request["run_name"] == "quick"
            break
    assert 2 <= len(many.active) <= 3
    assert set(many.active) <= {run.run_id async for run in w.jobs.list_runs(active_only=True)}
    assert not [task for task in asyncio.all_tasks() if "run_many" in task.get_name()]


async def test_runs_that_are_being_started_are_reported(fast):
    """Runs that are being started when the block is left are in `active`, whether the answer was slow or lost."""
    workspace, w = fast
    workspace.script_task("slow", duration=1e6)
    submit = "POST /api/{v}/jobs/runs/submit"
    workspace.faults.add(submit, Fault.delay(0.1, after=True), Fault.drop(after=True, latency=0.1))
    async with w.jobs.run_many([request("slow")] * 50, max_active=2) as many:
        await workspace.journal.until(lambda journal: journal.in_flight_max >= 2)
    assert len(many.active) == 2
    assert set(many.active) == {run.run_id async for run in w.jobs.list_runs()}
    assert not [task for task in asyncio.all_tasks() if "run_many" in task.get_name()]


async def test_leaving_can_be_cancelled(fast):
    """A service that does not answer does not hold up a caller with a time limit."""
    workspace, w = fast
    workspace.faults.add("POST /api/{v}/jobs/runs/submit", Fault.hang())

    async def leave():
        async with w.jobs.run_many([request("a")], max_active=1):
            await workspace.journal.until(lambda journal: journal.in_flight_max >= 1)

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(leave(), 0.2)
    assert not [task for task in asyncio.all_tasks() if "run_many" in task.get_name()]


async def test_nothing_comes_after_leaving(fast):
    """A loop that goes on after the block ends at once."""
    workspace, w = fast
    workspace.script_task("slow", duration=1e6)
    async with w.jobs.run_many([request("slow"), request("slow"), request("quick")], max_active=3) as many:
        assert (await anext(many)).request["run_name"] == "quick"
    async with asyncio.timeout(10):
        assert [outcome async for outcome in many] == []


async def test_a_block_that_is_left_at_once(fast):
    """Nothing is started, and a loop over the outcomes ends all the same."""
    workspace, w = fast
    async with w.jobs.run_many([request("a"), request("b")]) as many:
        pass
    async with asyncio.timeout(10):
        assert [outcome async for outcome in many] == []
    assert workspace.journal.count("POST *") == 0


async def test_requests_that_fail_to_come(fast):
    """The error of the caller's own generator is raised when what was started is reported."""
    _, w = fast

    def requests():
        yield request("a")
        yield request("b")
        raise ZeroDivisionError

    async with w.jobs.run_many(requests(), max_active=3) as many:
        outcomes = [await anext(many), await anext(many)]
        with pytest.raises(ZeroDivisionError):
            await anext(many)
    assert [outcome.error for outcome in outcomes] == [None, None]


async def test_no_more_is_started_than_is_taken(fast):
    """An endless supply of requests is drawn on as outcomes are taken."""
    _, w = fast
    drawn = []

    def requests():
        for number in itertools.count():
            drawn.append(number)
            yield request("a")

    async with w.jobs.run_many(requests(), max_active=5) as many:
        taken = [await anext(many) for _ in range(20)]
    assert all(outcome.error is None for outcome in taken)
    assert len(drawn) <= 20 + 2 * 5


async def test_a_closed_client_ends_it(fast):
    """What was not begun is not reported one by one."""
    _, w = fast
    await w.aclose()
    async with w.jobs.run_many((request("a") for _ in itertools.count()), max_active=5) as many:
        outcomes = [outcome async for outcome in many]
    assert len(outcomes) == 5
    assert all(isinstance(outcome.error, LifecycleError) for outcome in outcomes)


async def test_it_is_used_with_async_with(w):
    """Otherwise nothing would end the tasks that it began."""
    with pytest.raises(RuntimeError, match="async with"):
        await anext(w.jobs.run_many([]))
    async with w.jobs.run_many([]) as many:
        assert [outcome async for outcome in many] == []
    with pytest.raises(RuntimeError, match="call run_many again"):
        await many.__aenter__()


@pytest.mark.parametrize("max_active", [0, -1, 1.5, True])
def test_bounds_that_are_none(w, max_active):
    """A whole number from 1 on."""
    with pytest.raises(ValueError, match="max_active"):
        w.jobs.run_many([], max_active=max_active)


@pytest.mark.parametrize("single", [{"job_id": 1}, RunNow(job_id=1)])
def test_a_single_request_is_not_a_list_of_them(w, single):
    """The keys of a mapping are no requests."""
    with pytest.raises(TypeError, match="into a list"):
        w.jobs.run_many(single)
