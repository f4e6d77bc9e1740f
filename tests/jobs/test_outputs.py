"""Outputs of tasks: of one, and of all tasks of a run."""

from __future__ import annotations

import pytest

from databricks_async.codec import WrongShape
from databricks_async.errors import BadRequest, InvalidResponse
from databricks_async.local import Fault

OUTPUT = "GET /api/{v}/jobs/runs/get-output"


async def test_the_outputs_of_all_tasks(w, workspace, finish, once):
    """By task key, fetched concurrently, with errors and what was cut off."""
    workspace.script_task("a", output="42", logs="hello\n")
    workspace.script_task("big", output="x" * (6 * 1024 * 1024))
    workspace.script_task("bad", error="boom", error_trace="Traceback")
    wait = await w.jobs.submit(tasks=[once("a"), once("big"), once("bad"), once("after", "bad")])
    finish()
    workspace.faults.add(OUTPUT, Fault.delay(0.3), times=3)  # the third follows within a tenth of a second
    outputs = await w.jobs.get_run_outputs(wait.run_id)
    assert [*outputs] == ["a", "big", "bad"]
    assert outputs["a"].notebook_output.result == "42"
    assert not outputs["a"].is_truncated
    assert len(outputs["big"].notebook_output.result) == 5 * 1024 * 1024
    assert outputs["big"].is_truncated
    assert (outputs["bad"].error, outputs["bad"].error_trace) == ("boom", "Traceback")
    assert workspace.journal.in_flight_max == 3


async def test_of_a_run_at_hand(w, workspace, finish, once):
    """The run is not read again."""
    wait = await w.jobs.submit(tasks=[once("a")])
    finish()
    run = await wait.result()
    workspace.journal.clear()
    assert [*await w.jobs.get_run_outputs(run)] == ["a"]
    assert workspace.journal.count() == 1


async def test_the_last_attempt_counts(w, workspace, finish, once):
    """A task that was tried again, by a retry and by a repair, has one output."""
    workspace.script_task("a", error="first", times=1)
    workspace.script_task("a", error="second", times=1)
    workspace.script_task("a", output="third")
    wait = await w.jobs.submit(tasks=[once("a", max_retries=1)])
    finish()
    assert (await w.jobs.get_run_outputs(wait.run_id))["a"].error == "second"
    await w.jobs.repair_run(wait.run_id, rerun_tasks=["a"])
    finish()
    assert (await w.jobs.get_run_outputs(wait.run_id))["a"].notebook_output.result == "third"


async def test_iterations_of_a_loop_have_outputs(w, workspace, finish):
    """By the key of the loop, and their place."""
    workspace.script_task("/double", call=lambda parameters: str(2 * int(parameters["n"])))
    inner = {"task_key": "double", "notebook_task": {"notebook_path": "/double", "base_parameters": {"n": "{{input}}"}}}
    wait = await w.jobs.submit(tasks=[{"task_key": "all", "for_each_task": {"inputs": "[1, 2, 3]", "task": inner}}])
    finish()
    outputs = await w.jobs.get_run_outputs(wait.run_id)
    results = {key: output.notebook_output.result for key, output in outputs.items()}
    assert results == {"all[0]": "2", "all[1]": "4", "all[2]": "6"}


async def test_an_iteration_that_was_tried_again_has_one_output(w, workspace, finish):
    """That of its last attempt; the others keep their places."""
    workspace.script_task("/n", error="at first", times=1)
    workspace.script_task("/n", call=lambda parameters: parameters["n"])
    notebook = {"notebook_path": "/n", "base_parameters": {"n": "{{input}}"}}
    inner = {"task_key": "n", "max_retries": 1, "notebook_task": notebook}
    wait = await w.jobs.submit(tasks=[{"task_key": "all", "for_each_task": {"inputs": "[1, 2, 3]", "task": inner}}])
    finish()
    outputs = await w.jobs.get_run_outputs(wait.run_id)
    assert {key: output.notebook_output.result for key, output in outputs.items()} == {
        "all[0]": "1",
        "all[1]": "2",
        "all[2]": "3",
    }


async def test_an_output_that_cannot_be_read_tells_why(w, workspace, finish, once):
    """Also by what lies behind the error."""
    wait = await w.jobs.submit(tasks=[once("a"), once("b")])
    finish()
    workspace.faults.add(OUTPUT, Fault.answer(200, b'{"logs": 5}'))
    with pytest.raises(InvalidResponse) as caught:
        await w.jobs.get_run_outputs(wait.run_id)
    assert isinstance(caught.value.__cause__, WrongShape)


async def test_a_run_of_several_tasks_has_no_output_of_its_own(w, finish, once):
    """The service says so."""
    wait = await w.jobs.submit(tasks=[once("a"), once("b")])
    finish()
    with pytest.raises(BadRequest, match="multiple tasks"):
        await w.jobs.get_run_output(wait.run_id)


async def test_tasks_that_go_on_have_none_yet(w, workspace, once):
    """They are left out."""
    workspace.script_task("slow", duration=1e6)
    wait = await w.jobs.submit(tasks=[once("quick"), once("slow")])
    workspace.clock.advance(1000)
    assert [*await w.jobs.get_run_outputs(wait.run_id)] == ["quick"]
