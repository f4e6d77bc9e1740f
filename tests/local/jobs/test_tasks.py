"""What becomes of tasks: conditions, dependencies, iterations, other jobs' runs, retries and time limits.

Here are the tests of `local/jobs/scripts.py`, `local/jobs/task_control.py`, `local/jobs/task_graph.py`,
`local/jobs/task_work.py`.
"""

from __future__ import annotations

import json

import pytest

OK, BAD = {"a": "SUCCESS", "b": "SUCCESS"}, {"a": "FAILED", "b": "FAILED"}
MIXED = {"a": "SUCCESS", "b": "FAILED"}
RUNS = "TERMINATED SUCCESS"
FAILED_BEFORE = "SKIPPED UPSTREAM_FAILED"
EXCLUDED = "SKIPPED EXCLUDED"


def notebook(key, *needs, **settings):
    task = {"task_key": key, "notebook_task": {"notebook_path": f"/nb/{key}"}, **settings}
    return task | {"depends_on": [{"task_key": need} for need in needs]} if needs else task


def condition(key, left, op, right, *needs):
    task = {"task_key": key, "condition_task": {"left": left, "op": op, "right": right}}
    return task | {"depends_on": [{"task_key": need} for need in needs]}


def after(key, need, outcome, **settings):
    return notebook(key, **settings) | {"depends_on": [{"task_key": need, "outcome": outcome}]}


@pytest.mark.parametrize(
    ("run_if", "results", "expected"),
    [
        ("ALL_SUCCESS", OK, RUNS),
        ("ALL_SUCCESS", MIXED, FAILED_BEFORE),
        ("ALL_DONE", BAD, RUNS),
        ("NONE_FAILED", OK, RUNS),
        ("NONE_FAILED", MIXED, FAILED_BEFORE),
        ("AT_LEAST_ONE_SUCCESS", MIXED, RUNS),
        ("AT_LEAST_ONE_SUCCESS", BAD, FAILED_BEFORE),
        ("ALL_FAILED", BAD, RUNS),
        ("ALL_FAILED", MIXED, EXCLUDED),
        ("AT_LEAST_ONE_FAILED", MIXED, RUNS),
        ("AT_LEAST_ONE_FAILED", OK, EXCLUDED),
        ("ALL_SUCCESS", MIXED | {"b": "CANCELED"}, "SKIPPED UPSTREAM_CANCELED"),
        ("ALL_SUCCESS", MIXED | {"b": "TIMEDOUT"}, FAILED_BEFORE),
    ],
)
async def test_run_if(jobs, workspace, run_if, results, expected):
    """What must have become of the tasks before, for a task to run."""
    for key, result in results.items():
        workspace.script_task(key, duration=1, result_state=result)
    run_id = await jobs.submit(notebook("a"), notebook("b"), notebook("z", "a", "b", run_if=run_if))
    workspace.clock.advance(61)
    assert (await jobs.tasks(run_id))["z"] == expected


@pytest.mark.parametrize(
    ("left", "op", "right", "outcome"),
    [
        ("a", "EQUAL_TO", "a", "true"),
        ("12.0", "EQUAL_TO", "12", "false"),
        ("a", "NOT_EQUAL", "b", "true"),
        ("12.0", "GREATER_THAN_OR_EQUAL", "12", "true"),
        ("10.0", "GREATER_THAN_OR_EQUAL", "12", "false"),
        ("9", "LESS_THAN", "10", "true"),
        ("9", "LESS_THAN_OR_EQUAL", "9.0", "true"),
        ("9", "GREATER_THAN", "9", "false"),
    ],
)
async def test_conditions(jobs, left, op, right, outcome):
    """Texts are equal or not; all other comparisons are of numbers. No time passes, no cluster is needed."""
    run_id = await jobs.submit(condition("if", left, op, right))
    task = await jobs.task(run_id, "if")
    assert task["condition_task"] == {"left": left, "op": op, "right": right, "outcome": outcome}
    assert await jobs.state(run_id) == RUNS


async def test_a_condition_of_things_that_are_no_numbers_fails(jobs):
    """And says which."""
    run_id = await jobs.submit(condition("if", "many", "LESS_THAN", "3"))
    task = await jobs.task(run_id, "if")
    assert "'many'" in task["state"]["state_message"]
    assert task["status"]["termination_details"]["code"] == "INVALID_RUN_CONFIGURATION"
    assert await jobs.state(run_id) == "INTERNAL_ERROR FAILED"


async def test_the_branch_not_taken_is_excluded(jobs, workspace):
    """All of it, up to the task that does not mind; and the run succeeds."""
    run_id = await jobs.submit(
        condition("if", "1", "EQUAL_TO", "1"),
        after("yes", "if", "true"),
        after("no", "if", "false"),
        notebook("no2", "no"),
        notebook("end", "yes", "no2", run_if="NONE_FAILED"),
    )
    workspace.clock.advance(120)
    assert await jobs.tasks(run_id) == {
        "if": RUNS,
        "yes": RUNS,
        "no": EXCLUDED,
        "no2": EXCLUDED,
        "end": RUNS,
    }
    assert await jobs.state(run_id) == RUNS


async def test_a_disabled_task_does_not_run(jobs):
    """Nor do those behind it."""
    run_id = await jobs.submit(notebook("a", disabled=True), notebook("b", "a"))
    assert await jobs.tasks(run_id) == {"a": "SKIPPED DISABLED", "b": EXCLUDED}


def for_each(inputs, concurrency=None, **settings):
    nested = notebook("one", **settings)
    nested["notebook_task"]["base_parameters"] = {"day": "{{input}}"}
    each = {"inputs": inputs, "task": nested}
    return {"task_key": "each", "for_each_task": each | ({"concurrency": concurrency} if concurrency else {})}


async def test_a_for_each_task_goes_over_its_inputs(jobs, workspace):
    """So many at a time as its concurrency says, each with its input, shown by the task run's own `runs/get`."""
    seen = []
    workspace.script_task("one", duration=10, call=lambda given: seen.append(given["day"]))
    run_id = await jobs.submit(for_each('["mon", 2, {"a": [1]}]', 2), notebook("z", "each"))
    task = await jobs.task(run_id, "each")
    begun = await jobs.get(task["run_id"])
    workspace.clock.advance(20)
    ended = await jobs.get(task["run_id"])

    assert [one["state"]["life_cycle_state"] for one in begun["iterations"]] == ["RUNNING", "RUNNING", "BLOCKED"]
    assert task["for_each_task"]["stats"]["task_run_stats"] == {
        "total_iterations": 3,
        "scheduled_iterations": 2,
        "active_iterations": 2,
        "completed_iterations": 0,
        "succeeded_iterations": 0,
        "failed_iterations": 0,
    }
    assert seen == ["mon", "2", '{"a":[1]}']
    assert [one["end_time"] - one["start_time"] for one in ended["iterations"]] == [10_000] * 3
    assert [task["task_key"] for task in ended["tasks"]] == ["each"]
    assert ended["job_run_id"] == run_id
    assert await jobs.tasks(run_id) == {"each": RUNS, "z": "RUNNING"}


async def test_a_failed_iteration_fails_the_task_once_all_are_done(jobs, workspace):
    """One after the other unless told otherwise; the messages are counted."""
    workspace.script_task("one", duration=10, error="boom", times=2)
    run_id = await jobs.submit(for_each("[1, 2, 3]"))
    workspace.clock.advance(79)
    assert await jobs.tasks(run_id) == {"each": "RUNNING"}
    workspace.clock.advance(1)
    stats = (await jobs.task(run_id, "each"))["for_each_task"]["stats"]

    assert await jobs.tasks(run_id) == {"each": "TERMINATED FAILED"}
    assert (stats["task_run_stats"]["failed_iterations"], stats["task_run_stats"]["succeeded_iterations"]) == (2, 1)
    assert [(one["error_message"], one["count"]) for one in stats["error_message_stats"]] == [("boom", 2)]


async def test_an_iteration_is_tried_again(jobs, workspace):
    """By the retries of the task within."""
    seen = []

    def work(given):
        seen.append(given["day"])
        if len(seen) == 1:
            raise ValueError("not yet")

    workspace.script_task("one", duration=10, call=work)
    run_id = await jobs.submit(for_each('["mon", "tue"]', max_retries=1))
    workspace.clock.advance(30)
    iterations = (await jobs.get((await jobs.task(run_id, "each"))["run_id"]))["iterations"]

    assert seen == ["mon", "mon", "tue"]
    assert [one["attempt_number"] for one in iterations] == [0, 1, 0]
    assert await jobs.state(run_id) == RUNS


@pytest.mark.parametrize("inputs", ["no json", '{"a": 1}', json.dumps([0] * 5001)])
async def test_inputs_that_are_no_array_fail_the_task(jobs, inputs):
    """Nor may there be too many of them."""
    run_id = await jobs.submit(for_each(inputs))
    assert await jobs.tasks(run_id) == {"each": "INTERNAL_ERROR FAILED"}


async def test_no_inputs_are_soon_done(jobs):
    """With success."""
    run_id = await jobs.submit(for_each("[]"))
    assert await jobs.state(run_id) == RUNS


async def test_cancelling_a_for_each_task_cancels_its_iterations(jobs, workspace):
    """Those that run, and those that wait."""
    run_id = await jobs.submit(for_each("[1, 2]"))
    await jobs.ok("POST", "runs/cancel", run_id=run_id)
    workspace.clock.advance(5)
    iterations = (await jobs.get((await jobs.task(run_id, "each"))["run_id"]))["iterations"]
    assert [one["state"]["result_state"] for one in iterations] == ["CANCELED", "CANCELED"]
    assert await jobs.state(run_id) == "TERMINATED CANCELED"


async def test_a_run_job_task_runs_another_job(jobs, workspace):
    """It ends as that job's run does, and its output tells which run it was."""
    seen = []
    workspace.script_task("inner", call=lambda given: seen.append(given))
    parameters = [{"name": "day", "default": "mon"}, {"name": "size", "default": "1"}]
    inner = await jobs.create(notebook("inner"), parameters=parameters)
    outer = {"task_key": "outer", "run_job_task": {"job_id": inner, "job_parameters": {"day": "{{job.run_id}}"}}}
    run_id = await jobs.submit(outer, notebook("z", "outer"))
    workspace.clock.advance(60)
    child = (await jobs.output(run_id, "outer"))["run_job_output"]["run_id"]
    shown = await jobs.get(child)

    assert (shown["trigger"], shown["job_id"]) == ("RUN_JOB_TASK", inner)
    assert shown["trigger_info"] == {"run_id": run_id}
    assert seen == [{"day": str(run_id), "size": "1"}]
    assert await jobs.tasks(run_id) == {"outer": RUNS, "z": "RUNNING"}


async def test_a_run_job_task_fails_with_its_job(jobs, workspace):
    """Also when there is no such job any more; and cancelling goes down to that job's run."""
    workspace.script_task("inner", duration=1, error="boom", times=1)
    inner = await jobs.create(notebook("inner"))
    outer = {"task_key": "outer", "run_job_task": {"job_id": inner}}
    failed = await jobs.submit(outer)
    workspace.clock.advance(1)
    canceled = await jobs.submit(outer)
    child = (await jobs.output(canceled, "outer"))["run_job_output"]["run_id"]
    await jobs.ok("POST", "runs/cancel", run_id=canceled)
    workspace.clock.advance(5)
    await jobs.ok("POST", "delete", job_id=inner)
    gone = await jobs.submit(outer)

    assert await jobs.tasks(failed) == {"outer": "TERMINATED FAILED"}
    assert await jobs.state(child) == await jobs.state(canceled) == "TERMINATED CANCELED"
    assert await jobs.tasks(gone) == {"outer": "INTERNAL_ERROR FAILED"}


async def test_a_job_cannot_run_itself_for_ever(jobs, workspace):
    """The fourth level fails, and all above it."""
    job_id = await jobs.create(notebook("a"), max_concurrent_runs=99)
    task = {"task_key": "again", "run_job_task": {"job_id": job_id}}
    await jobs.ok("POST", "reset", job_id=job_id, new_settings={"tasks": [task], "max_concurrent_runs": 99})
    run_id = await jobs.run_now(job_id)
    assert await jobs.state(run_id) == "INTERNAL_ERROR FAILED"
    assert len((await jobs.ok("GET", "runs/list"))["runs"]) == 4


async def test_a_result_of_tomorrow_is_a_failure(jobs, workspace):
    """For the tasks behind and for the run; the word itself is shown."""
    workspace.script_task("a", duration=1, result_state="EXPLODED")
    run_id = await jobs.submit(notebook("a"), notebook("b", "a"))
    workspace.clock.advance(1)
    assert await jobs.tasks(run_id) == {"a": "TERMINATED EXPLODED", "b": FAILED_BEFORE}
    assert await jobs.state(run_id) == "INTERNAL_ERROR FAILED"


@pytest.mark.parametrize(
    ("script", "error", "said"),
    [
        ({"result_state": "FAILD"}, ValueError, "'FAILD': did you mean 'FAILED'"),
        ({"result_state": "success"}, ValueError, "'success': did you mean 'SUCCESS'"),
        ({"result_state": None}, TypeError, "result_state must be text"),
        ({"duration": "2h"}, TypeError, "duration must be seconds, not '2h'"),
        ({"duration": -1}, ValueError, "duration must be 0 seconds or more"),
    ],
)
def test_a_wrong_script_is_refused_at_once(workspace, script, error, said):
    with pytest.raises(error, match=said):
        workspace.script_task("load", **script)


async def test_retries(jobs, workspace):
    """Each attempt is an entry of its own, with a run id of its own, after a pause of WAITING_FOR_RETRY."""
    workspace.script_task("a", duration=10, error="boom", times=2)
    task = notebook("a", max_retries=2, min_retry_interval_millis=30_000)
    run_id = await jobs.submit(task, notebook("b", "a"))
    workspace.clock.advance(10)
    waiting = await jobs.tasks(run_id)
    workspace.clock.advance(30 + 10 + 30 + 60)
    attempts = [task for task in (await jobs.get(run_id))["tasks"] if task["task_key"] == "a"]
    last = await jobs.get(attempts[-1]["run_id"])

    assert waiting == {"a": "WAITING_FOR_RETRY", "b": "BLOCKED"}
    assert [one["attempt_number"] for one in attempts] == [0, 1, 2]
    assert [one["state"]["result_state"] for one in attempts] == ["FAILED", "FAILED", "SUCCESS"]
    assert len({one["run_id"] for one in attempts}) == 3
    assert last["original_attempt_run_id"] == attempts[0]["run_id"]
    assert (last["trigger"], last["attempt_number"]) == ("RETRY", 2)
    assert await jobs.tasks(run_id) == {"a": RUNS, "b": "RUNNING"}


async def test_retries_come_to_an_end(jobs, workspace):
    """But for those of -1, which do not."""
    workspace.script_task("a", duration=1, error="boom")
    workspace.script_task("b", duration=0, error="boom")
    some = await jobs.submit(notebook("a", max_retries=1))
    endless = await jobs.submit(notebook("b", max_retries=-1))
    workspace.clock.advance(50)
    assert await jobs.tasks(some) == {"a": "TERMINATED FAILED"}
    assert await jobs.tasks(endless) == {"b": "WAITING_FOR_RETRY"}
    assert (await jobs.task(endless, "b"))["attempt_number"] >= 20


@pytest.mark.parametrize(("again", "attempts"), [(False, 1), (True, 2)])
async def test_a_task_that_takes_too_long(jobs, workspace, again, attempts):
    """TIMEDOUT; it is tried again only where the settings say so."""
    task = notebook("a", timeout_seconds=20, max_retries=1, retry_on_timeout=again)
    run_id = await jobs.submit(task, notebook("b", "a"))
    workspace.clock.advance(60)
    tasks = (await jobs.get(run_id))["tasks"]
    assert [task["task_key"] for task in tasks] == ["a"] * attempts + ["b"]
    assert await jobs.tasks(run_id) == {"a": "TERMINATED TIMEDOUT", "b": FAILED_BEFORE}
    assert await jobs.state(run_id) == "TERMINATED TIMEDOUT"


async def test_notebooks_may_have_to_exist(jobs, workspace):
    """Only where the test asks for it."""
    workspace.notebooks_must_exist = True
    created = {"path": "/Shared/there", "content": "cHJpbnQoMSk=", "language": "PYTHON"}
    await jobs.wire.ok("POST", "/api/2.0/workspace/import", **created)
    there = {"task_key": "there", "notebook_task": {"notebook_path": "/Shared/there"}}
    run_id = await jobs.submit(there, notebook("gone"))
    workspace.clock.advance(60)
    assert await jobs.tasks(run_id) == {"there": RUNS, "gone": "INTERNAL_ERROR FAILED"}
    task = await jobs.task(run_id, "gone")
    assert 'Unable to access the notebook "/nb/gone"' in task["state"]["state_message"]
    assert task["status"]["termination_details"]["code"] == "RESOURCE_NOT_FOUND"
