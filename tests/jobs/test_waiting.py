"""Waiting for runs: how it ends, what it puts up with, what it costs, and what it leaves alone.

Here are the tests of `jobs/errors.py`, `jobs/runs.py`.
"""

from __future__ import annotations

import asyncio
import gc
from itertools import product

import pytest

from databricks_async.errors import OperationTimeout, ResourceDoesNotExist, RunFailed, TooManyRequests
from databricks_async.jobs.models import BaseRun, RunLifeCycleState, RunLifecycleStateV2State, RunResultState
from databricks_async.local import Fault

pytestmark = pytest.mark.usefixtures("virtual_time")

GET = "GET /api/{v}/jobs/runs/get"


@pytest.mark.parametrize("version", ["2.1", "2.2"])
async def test_a_run_that_ends_well(w, finish, once):
    """Its result is the run, with its tasks."""
    wait = await w.jobs.submit(run_name="good", tasks=[once("a"), once("b", "a")])
    finish()
    run = await wait.result()
    assert run.succeeded
    assert [(task.task_key, task.succeeded) for task in run.tasks] == [("a", True), ("b", True)]


async def test_a_run_that_fails_tells_why(w, workspace, finish, once):
    """The tasks that caused it, with error and trace, and not those that did not run because of them."""
    workspace.script_task("load", error="ValueError: no such table", error_trace="Traceback ...\nValueError")
    workspace.script_task("other", result_state="TIMEDOUT")
    wait = await w.jobs.submit(run_name="bad", tasks=[once("load"), once("report", "load"), once("other")])
    finish()
    with pytest.raises(RunFailed) as caught:
        await wait.result()
    error = caught.value
    assert error.run.run_id == wait.run_id
    assert error.last is error.run
    assert [(task.task_key, task.result) for task in error.failed_tasks] == [("load", "FAILED"), ("other", "TIMEDOUT")]
    (load, _) = error.failed_tasks
    assert load.error == "ValueError: no such table"
    assert load.error_trace.startswith("Traceback")
    assert load.run_id == error.run.tasks[0].run_id
    assert error.run_page_url == error.run.run_page_url
    for part in (f"run {wait.run_id} (bad) ended FAILED", "load FAILED: ValueError: no such table", error.run_page_url):
        assert part in str(error)


async def test_the_errors_of_failed_tasks_are_fetched_concurrently(w, workspace, finish, once):
    """All at once, and the message stays short."""
    keys = [f"t{number}" for number in range(12)]
    for key in keys:
        workspace.script_task(key, error=f"broken {key}")
    wait = await w.jobs.submit(tasks=[once(key) for key in keys])
    finish()
    workspace.faults.add("GET /api/{v}/jobs/runs/get-output", Fault.delay(0.05), times=12)
    with pytest.raises(RunFailed) as caught:
        await wait.result()
    assert [task.error for task in caught.value.failed_tasks] == [f"broken {key}" for key in keys]
    assert workspace.journal.in_flight_max >= 3
    assert "9 more tasks failed" in str(caught.value)


async def test_a_failed_loop_tells_which_turns_failed(w, workspace, finish):
    """With their own errors."""

    def half(parameters):
        return str(6 // int(parameters["n"]))

    workspace.script_task("/half", call=half)
    inner = {"task_key": "half", "notebook_task": {"notebook_path": "/half", "base_parameters": {"n": "{{input}}"}}}
    wait = await w.jobs.submit(tasks=[{"task_key": "all", "for_each_task": {"inputs": "[1, 0, 3]", "task": inner}}])
    finish()
    with pytest.raises(RunFailed) as caught:
        await wait.result()
    (failed,) = caught.value.failed_tasks
    assert (failed.task_key, failed.result, failed.iteration) == ("all", "FAILED", None)
    assert [(one.task_key, one.iteration) for one in failed.iterations] == [("all", 1)]
    assert "division" in failed.error
    assert failed.error == failed.iterations[0].error
    assert "task all FAILED in 1 iteration: " in str(caught.value)


async def test_what_failed_can_be_handed_to_a_repair(w, workspace, finish):
    """Each key stands once, however many iterations failed; a key that is given twice is sent once."""
    workspace.script_task("one", error="boom", times=3)
    inner = {"task_key": "one", "notebook_task": {"notebook_path": "/one", "base_parameters": {"n": "{{input}}"}}}
    tasks = [{"task_key": "each", "for_each_task": {"inputs": "[1, 2, 3]", "task": inner}}]
    job_id = (await w.jobs.create(name="loop", tasks=tasks)).job_id
    wait = await w.jobs.run_now(job_id)
    finish()
    with pytest.raises(RunFailed) as caught:
        await wait.result()
    keys = [task.task_key for task in caught.value.failed_tasks]
    assert keys == ["each"]
    assert [one.iteration for one in caught.value.failed_tasks[0].iterations] == [0, 1, 2]
    repair = await w.jobs.repair_run(wait.run_id, rerun_tasks=[*keys, *keys])
    (call,) = workspace.journal.calls("POST /api/{v}/jobs/runs/repair")
    assert call.body["rerun_tasks"] == ["each"]
    finish()
    assert (await repair.result()).succeeded


async def test_an_output_that_cannot_be_read_does_not_hide_the_failure(w, workspace, finish, once):
    """What the run itself says stands in for it."""
    workspace.script_task("a", error="boom")
    wait = await w.jobs.submit(tasks=[once("a")])
    finish()
    workspace.faults.add("GET /api/{v}/jobs/runs/get-output", Fault.error(403, "PERMISSION_DENIED"))
    with pytest.raises(RunFailed) as caught:
        await wait.result()
    assert [task.task_key for task in caught.value.failed_tasks] == ["a"]


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ("TIMEDOUT", "Task a failed with message: Run timed out; task a TIMEDOUT: Run timed out; http"),
        ("EXPLODED", "Task a failed; task a EXPLODED; http"),
    ],
)
async def test_a_failure_without_a_message_has_no_empty_places(w, workspace, finish, once, result, said):
    workspace.script_task("a", result_state=result)
    wait = await w.jobs.submit(tasks=[once("a")])
    finish()
    with pytest.raises(RunFailed, match=said):
        await wait.result()


@pytest.mark.parametrize("state", ["FAILED", "TIMEDOUT", "CANCELED"])
async def test_without_check_a_failed_run_is_returned(w, workspace, finish, once, state):
    """For those who look for themselves."""
    workspace.script_task("a", result_state=state)
    wait = await w.jobs.submit(tasks=[once("a")])
    finish()
    run = await wait.result(check=False)
    assert run.ended
    assert not run.succeeded
    assert run.tasks[0].state.result_state == state


async def test_a_skipped_run_is_no_success(w, finish, task):
    """The second run of a job that runs once at a time, without a queue."""
    job_id = (await w.jobs.create(name="j", tasks=[task("a")], queue={"enabled": False})).job_id
    await w.jobs.run_now(job_id)
    wait = await w.jobs.run_now(job_id)
    with pytest.raises(RunFailed, match="MAXIMUM_CONCURRENT_RUNS_REACHED") as caught:
        await wait.result()
    assert caught.value.run.state.life_cycle_state == RunLifeCycleState.SKIPPED


LIFE_CYCLES = [*RunLifeCycleState, RunLifeCycleState("HIBERNATING")]
RESULTS = [*RunResultState, RunResultState("SPLENDID"), None]
ENDED = {"TERMINATED", "SKIPPED", "INTERNAL_ERROR"}


@pytest.mark.parametrize(("state", "result"), [*product(LIFE_CYCLES, RESULTS)], ids=lambda word: str(word))
def test_truth_of_states(state, result):
    """Only known words end a run, and only two of them are success."""
    words = {"life_cycle_state": state} | ({"result_state": result} if result else {})
    run = BaseRun.from_dict({"run_id": 1, "state": words})
    assert run.ended is (state in ENDED)
    assert run.succeeded is (state == "TERMINATED" and result in {"SUCCESS", "SUCCESS_WITH_FAILURES"})


@pytest.mark.parametrize("state", [*RunLifecycleStateV2State, "HIBERNATING"])
@pytest.mark.parametrize("code", ["SUCCESS", "SUCCESS_WITH_FAILURES", "RUN_EXECUTION_ERROR", "SPLENDID", None])
def test_truth_of_the_newer_status(state, code):
    """Alone, as a later service may send it."""
    status = {"state": state} | ({"termination_details": {"code": code}} if code else {})
    run = BaseRun.from_dict({"run_id": 1, "status": status})
    assert run.ended is (state == "TERMINATED")
    assert run.succeeded is (state == "TERMINATED" and code in {"SUCCESS", "SUCCESS_WITH_FAILURES"})


async def test_a_state_of_tomorrow_does_not_end_a_wait(w, workspace, finish, once):
    """It is seen, and waited through."""
    wait = await w.jobs.submit(tasks=[once("a")])
    workspace.overlay_run(wait.run_id, state={"life_cycle_state": "HIBERNATING"})
    changes = aiter(wait)
    assert (await anext(changes)).state.life_cycle_state == "HIBERNATING"
    with pytest.raises(OperationTimeout, match="HIBERNATING"):
        await wait.result(timeout=0.05)
    workspace.overlay_run(wait.run_id)
    finish()
    assert (await wait.result()).succeeded


async def test_each_change_is_seen(w, workspace, once):
    """Once, the first and the last included."""
    wait = await w.jobs.submit(tasks=[once("a")])
    seen = []
    async for run in wait:
        seen.append(run.state.life_cycle_state)
        workspace.clock.advance(60)
    assert seen[-1] == "TERMINATED"
    assert "RUNNING" in seen
    assert len(seen) == len(set(seen))


async def test_bad_readings_do_not_end_a_wait(w, workspace, finish, once):
    """A first 404, 500, 502, 429, a dropped connection, and an answer that is none."""
    wait = await w.jobs.submit(tasks=[once("a")])
    finish()
    bad = [
        Fault.error(404, "RESOURCE_DOES_NOT_EXIST"),
        Fault.error(500, "INTERNAL_ERROR"),
        Fault.answer(502, "<html>Bad Gateway</html>"),
        Fault.too_many_requests(),
        Fault.drop(),
        Fault.answer(200, "<html>hello</html>"),
    ]
    workspace.faults.add(GET, *bad)
    assert (await wait.result()).succeeded
    assert len(workspace.faults) == 0


async def test_a_wait_outlives_a_service_that_answers_badly_for_long(connect, workspace, finish, once):
    """Longer than one call is tried."""
    w = connect(retry_timeout_seconds=0.05)
    wait = await w.jobs.submit(tasks=[once("a")])
    finish()
    workspace.faults.add(GET, Fault.error(500, "INTERNAL_ERROR"), times=4)
    assert (await wait.result()).succeeded


async def test_a_run_that_is_not_there(w):
    """Waiting for an id that was never right ends at once."""
    with pytest.raises(ResourceDoesNotExist):
        await w.jobs.wait_run(12).result()


async def test_a_wait_made_again_from_the_id(connect, w, finish, once):
    """By another program: the id is all it needs, and making it sends nothing."""
    run_id = (await w.jobs.submit(tasks=[once("a")])).run_id
    finish()
    wait = connect().jobs.wait_run(run_id)
    assert (await wait.result()).run_id == run_id


async def test_time_runs_out(w, workspace, once):
    """The error has the last reading, and the run goes on."""
    wait = await w.jobs.submit(tasks=[once("a")])
    with pytest.raises(OperationTimeout, match=r"last seen: RUNNING\); it goes on") as caught:
        await wait.result(timeout=0.02)
    assert caught.value.last.run_id == wait.run_id
    assert workspace.journal.count("POST /api/{v}/jobs/runs/cancel") == 0


async def test_cancelling_the_wait_leaves_the_run_alone(w, workspace, finish, once):
    """Somebody else can wait for it."""
    wait = await w.jobs.submit(tasks=[once("a")])
    waiting = asyncio.create_task(wait.result())
    await workspace.journal.until(lambda journal: journal.count(GET) > 0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert workspace.journal.count("POST /api/{v}/jobs/runs/cancel") == 0
    finish()
    assert (await wait.result()).succeeded


async def test_a_poll_of_a_thousand_tasks_is_one_request(w, workspace, finish, once):
    """The run is read whole only once it has ended."""
    wait = await w.jobs.submit(tasks=[once(f"t{number:04}") for number in range(1000)])
    workspace.journal.clear()
    changes = aiter(wait)
    await anext(changes)
    assert workspace.journal.count() == 1
    finish()
    workspace.journal.clear()
    run = await wait.result()
    assert len(run.tasks) == 1000
    assert workspace.journal.count() <= 1 + 10


async def test_a_limit_on_the_service_is_waited_out(w, workspace, finish, once):
    """A refusal is no failure of the run."""
    wait = await w.jobs.submit(tasks=[once("a")])
    finish()
    workspace.faults.add(GET, Fault.too_many_requests(0.01), times=3)
    try:
        assert (await wait.result()).succeeded
    except TooManyRequests:
        pytest.fail("a refusal ended the wait")


async def test_repaired_runs_end_anew(w, workspace, finish, once):
    """The wait for a repair ends with the repaired run, and names the repair."""
    workspace.script_task("a", error="boom", times=1)
    wait = await w.jobs.submit(tasks=[once("a"), once("b", "a")])
    finish()
    with pytest.raises(RunFailed):
        await wait.result()
    repair = await w.jobs.repair_run(wait.run_id, rerun_all_failed_tasks=True, rerun_dependent_tasks=True)
    assert repair.repair_id
    finish()
    run = await repair.result()
    assert run.run_id == wait.run_id
    assert run.succeeded


class TestCancelRunOnExit:
    """`async with wait.cancel_run_on_exit()`."""

    async def test_an_error_in_the_block(self, w, workspace, once, finish):
        """Cancels the run, and is raised."""
        wait = await w.jobs.submit(tasks=[once("a")])
        with pytest.raises(ZeroDivisionError):
            async with wait.cancel_run_on_exit():
                1 / 0  # noqa: B018
        finish()
        assert (await wait.result(check=False)).state.result_state == "CANCELED"

    async def test_a_cancelled_task(self, w, workspace, once, finish):
        """Cancels the run, though the task is cancelled again meanwhile."""
        wait = await w.jobs.submit(tasks=[once("a")])
        workspace.faults.add("POST /api/{v}/jobs/runs/cancel", Fault.delay(0.05))

        async def follow():
            async with wait.cancel_run_on_exit():
                await wait.result()

        following = asyncio.create_task(follow())
        await workspace.journal.until(lambda journal: journal.count(GET) > 0)
        following.cancel()
        await workspace.journal.until(lambda journal: journal.count("POST /api/{v}/jobs/runs/cancel") > 0)
        following.cancel()
        with pytest.raises(asyncio.CancelledError):
            await following
        assert workspace.journal.calls("POST /api/{v}/jobs/runs/cancel")[0].status == 200
        finish()
        assert (await wait.result(check=False)).state.result_state == "CANCELED"

    async def test_a_task_cancelled_again_and_again(self, w, workspace, once):
        """Is held up until the request was answered."""
        cancel = "POST /api/{v}/jobs/runs/cancel"
        wait = await w.jobs.submit(tasks=[once("a")])
        workspace.faults.add(cancel, Fault.delay(0.05))

        async def follow():
            async with wait.cancel_run_on_exit():
                pass

        following = asyncio.create_task(follow())
        await workspace.journal.until(lambda journal: journal.count(cancel) > 0)
        for _ in range(3):
            following.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await following
        assert workspace.journal.calls(cancel)[0].status == 200

    async def test_a_cancelled_task_whose_request_is_refused(self, w, workspace, once):
        """Is cancelled, with a note; the refusal is not lost."""
        cancel = "POST /api/{v}/jobs/runs/cancel"
        unheard = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: unheard.append(context))
        wait = await w.jobs.submit(tasks=[once("a")])
        workspace.faults.add(cancel, Fault.error(403, "PERMISSION_DENIED", latency=0.05))

        async def follow():
            async with wait.cancel_run_on_exit():
                pass

        following = asyncio.create_task(follow())
        await workspace.journal.until(lambda journal: journal.count(cancel) > 0)
        following.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await following
        assert caught.value.__notes__[0].startswith(f"run {wait.run_id} could not be cancelled and goes on")
        gc.collect()
        assert unheard == []

    async def test_a_wait_that_times_out(self, w, workspace, once):
        """Cancels the run."""
        wait = await w.jobs.submit(tasks=[once("a")])
        with pytest.raises(OperationTimeout):
            async with wait.cancel_run_on_exit():
                await wait.result(timeout=0.02)
        assert workspace.journal.count("POST /api/{v}/jobs/runs/cancel") == 1

    async def test_a_run_that_has_ended(self, w, workspace, once, finish):
        """Is left as it is."""
        wait = await w.jobs.submit(tasks=[once("a")])
        finish()
        async with wait.cancel_run_on_exit() as same:
            assert same is wait
            await wait.result()
        assert workspace.journal.count("POST /api/{v}/jobs/runs/cancel") == 0

    async def test_a_cancel_that_hangs_is_given_up(self, w, workspace, once):
        """After its own time, and with a note on the error of the block."""
        wait = await w.jobs.submit(tasks=[once("a")])
        workspace.faults.add("POST /api/{v}/jobs/runs/cancel", Fault.hang())
        with pytest.raises(ZeroDivisionError) as caught:
            async with wait.cancel_run_on_exit(timeout=0.05):
                1 / 0  # noqa: B018
        assert caught.value.__notes__[0].startswith(f"run {wait.run_id} could not be cancelled and goes on")

    async def test_a_cancel_that_hangs_is_an_error(self, w, workspace, once):
        """When nothing else is."""
        wait = await w.jobs.submit(tasks=[once("a")])
        workspace.faults.add("POST /api/{v}/jobs/runs/cancel", Fault.hang())
        with pytest.raises(OperationTimeout, match=r"no answer after 0.05 s to the request to cancel it"):
            async with wait.cancel_run_on_exit(timeout=0.05):
                pass

    async def test_a_cancel_that_is_refused_is_raised(self, w, workspace, once):
        """When nothing else is."""
        wait = await w.jobs.submit(tasks=[once("a")])
        workspace.faults.add("POST /api/{v}/jobs/runs/cancel", Fault.error(403, "PERMISSION_DENIED"))
        with pytest.raises(Exception, match="PERMISSION_DENIED"):
            async with wait.cancel_run_on_exit():
                pass
