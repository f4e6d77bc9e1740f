"""What tasks leave behind: outputs, errors, logs, and pictures of notebooks."""

from __future__ import annotations

import pytest

ENVIRONMENTS = [{"environment_key": "e", "spec": {"environment_version": "2"}}]
SEVERAL = "Retrieving the output of runs with multiple tasks is not supported."


def notebook(key, **settings):
    return {"task_key": key, "notebook_task": {"notebook_path": f"/nb/{key}"}, **settings}


def script(key):
    return {"task_key": key, "spark_python_task": {"python_file": f"/{key}.py"}, "environment_key": "e"}


async def test_a_notebook_exits_with_a_value(jobs, workspace):
    """The answer holds it beside the task run itself."""
    workspace.script_task("/nb/a", output="42", logs="working")
    run_id = await jobs.submit(notebook("a"), notebook("b"))
    workspace.clock.advance(60)
    output, other = await jobs.output(run_id, "a"), await jobs.output(run_id, "b")
    task_run_id = (await jobs.task(run_id, "a"))["run_id"]

    assert output["notebook_output"] == {"result": "42", "truncated": False}
    assert (output["logs"], output["logs_truncated"]) == ("working", False)
    assert output["metadata"]["run_id"] == task_run_id
    assert output["metadata"]["job_run_id"] == run_id
    assert output["metadata"]["state"]["result_state"] == "SUCCESS"
    assert output["metadata"]["task"] == {"notebook_task": {"notebook_path": "/nb/a", "source": "WORKSPACE"}}
    assert other["notebook_output"] == {}
    assert "error" not in output


async def test_errors_have_a_text_and_a_trace(jobs, workspace):
    """As scripted, or as a callable raises."""

    def work(given):
        raise ValueError("no rows")

    workspace.script_task("a", error="boom", error_trace="line 1")
    workspace.script_task("b", call=work)
    run_id = await jobs.submit(notebook("a"), script("b"), environments=ENVIRONMENTS)
    workspace.clock.advance(60)
    a, b = await jobs.output(run_id, "a"), await jobs.output(run_id, "b")

    assert (a["error"], a["error_trace"]) == ("boom", "line 1")
    assert b["error"] == "ValueError: no rows"
    assert "ValueError: no rows" in b["error_trace"]
    assert await jobs.tasks(run_id) == {"a": "TERMINATED FAILED", "b": "TERMINATED FAILED"}


async def test_a_callable_that_gives_no_text_is_told_so(jobs, workspace):
    """By the task's error."""
    workspace.script_task("a", call=lambda given: 5)
    run_id = await jobs.submit(notebook("a"))
    workspace.clock.advance(60)
    assert (await jobs.output(run_id, "a"))[
        "error"
    ] == "TypeError: call must return text, None or (text, values), not int"


async def test_scripts_take_turns(jobs, workspace):
    """One with `times` comes before one without, which the next endless one replaces."""
    workspace.script_task("a", output="1", times=1)
    workspace.script_task("a", output="2")
    workspace.script_task("a", output="3")
    outputs = []
    for _ in range(3):
        run_id = await jobs.submit(notebook("a"))
        workspace.clock.advance(60)
        outputs.append((await jobs.output(run_id, "a"))["notebook_output"]["result"])
    assert outputs == ["1", "3", "3"]


async def test_only_five_megabytes_are_kept(jobs, workspace):
    """Of the output and of the logs, counted in bytes; no character is cut in two."""
    most = 5 * 1024 * 1024
    workspace.script_task("a", output="é" * most, logs="x" * most)
    run_id = await jobs.submit(notebook("a"))
    workspace.clock.advance(60)
    output = await jobs.output(run_id, "a")
    assert output["notebook_output"] == {"result": "é" * (most // 2), "truncated": True}
    assert output["logs_truncated"] is False


@pytest.mark.parametrize("version", ["2.1", "2.2"])
async def test_a_run_of_tasks_has_no_output_of_its_own(jobs, version):
    """Not even one of a single task; its task has."""
    jobs.version = version
    single = await jobs.submit(notebook("a", environment_key="e"))
    several = await jobs.submit(notebook("a", environment_key="e"), notebook("b", environment_key="e"))
    for run_id in (single, several):
        assert SEVERAL in await jobs.refused("GET", "runs/get-output", run_id=run_id)


async def test_version_20_takes_a_run_for_its_only_task(jobs, workspace):
    """As it always did."""
    workspace.script_task("a", output="42")
    run_id = await jobs.submit(notebook("a"))
    workspace.clock.advance(60)
    output = await jobs.wire.ok("GET", "/api/2.0/jobs/runs/get-output", run_id=run_id)
    assert output["notebook_output"]["result"] == "42"


async def test_exporting_a_notebook(jobs, workspace):
    """A page of HTML with the notebook's source and what it came to, of a task run or of a run of a single task."""
    content = {"path": "/Shared/n", "content": "cHJpbnQoJzwxPicp", "language": "PYTHON"}
    await jobs.wire.ok("POST", "/api/2.0/workspace/import", **content)
    workspace.script_task("a", output="<42>")
    run_id = await jobs.submit({"task_key": "a", "notebook_task": {"notebook_path": "/Shared/n"}})
    status, active = await jobs.send("GET", "runs/export", run_id=run_id)
    workspace.clock.advance(60)
    (view,) = (await jobs.ok("GET", "runs/export", run_id=run_id))["views"]
    task_run_id = (await jobs.task(run_id, "a"))["run_id"]

    assert (status, active["error_code"]) == (400, "INVALID_STATE")
    assert (view["name"], view["type"]) == ("n", "NOTEBOOK")
    assert "print(&#x27;&lt;1&gt;&#x27;)" in view["content"]
    assert "&lt;42&gt;" in view["content"]
    assert (await jobs.ok("GET", "runs/export", run_id=task_run_id, views_to_export="ALL"))["views"] == [view]
    assert (await jobs.ok("GET", "runs/export", run_id=run_id, views_to_export="DASHBOARDS"))["views"] == []


async def test_only_runs_of_notebooks_can_be_exported(jobs, workspace):
    """Neither scripts nor several tasks at once."""
    one = await jobs.submit(script("a"), environments=ENVIRONMENTS)
    several = await jobs.submit(notebook("a"), notebook("b"))
    workspace.clock.advance(60)
    assert "not a run of a notebook" in await jobs.refused("GET", "runs/export", run_id=one)
    assert SEVERAL in await jobs.refused("GET", "runs/export", run_id=several)


@pytest.mark.parametrize("path", ["/Shared/n", "/Workspace/Shared/n", "//Shared/n"])
async def test_a_notebook_has_one_place_by_all_its_names(jobs, workspace, path):
    """For tasks, for scripts and for exports; answers keep the name that was given."""
    workspace.notebooks_must_exist = True
    workspace.add_object("/Shared/n", b"print(1)", language="PYTHON")
    workspace.script_task("/Workspace/Shared/n", output="42")
    run_id = await jobs.submit({"task_key": "t", "notebook_task": {"notebook_path": path}})
    workspace.clock.advance(60)
    (view,) = (await jobs.ok("GET", "runs/export", run_id=run_id, views_to_export="ALL"))["views"]

    assert await jobs.state(run_id) == "TERMINATED SUCCESS"
    assert (await jobs.output(run_id, "t"))["notebook_output"]["result"] == "42"
    assert "print(1)" in view["content"]
    assert (await jobs.task(run_id, "t"))["notebook_task"]["notebook_path"] == path
