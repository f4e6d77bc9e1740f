"""The parameters that tasks get, and the references in them."""

from __future__ import annotations

import pytest

NEW = {"spark_version": "16.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}


def notebook(key, **base_parameters):
    path = {"notebook_path": f"/nb/{key}", "base_parameters": base_parameters}
    return {"task_key": key, "notebook_task": path}


@pytest.fixture
def seen(workspace):
    """The parameters of each task that has run, by its key."""
    seen = {}
    for key in "abc":
        workspace.script_task(key, duration=1, call=lambda given, key=key: seen.update({key: given}))
    return seen


async def test_job_parameters_go_down_to_the_tasks(jobs, workspace, seen):
    """Those of the request stand over the job's defaults, and both over the task's own; unknown names are let in."""
    parameters = [{"name": "day", "default": "mon"}, {"name": "size", "default": "1"}]
    job_id = await jobs.create(notebook("a", day="never", own="x"), parameters=parameters)
    run_id = await jobs.run_now(job_id, job_parameters={"day": "tue", "new": "n"})
    workspace.clock.advance(1)
    run = await jobs.get(run_id)

    assert seen["a"] == {"day": "tue", "size": "1", "new": "n", "own": "x"}
    assert run["job_parameters"] == [
        {"name": "day", "default": "mon", "value": "tue"},
        {"name": "size", "default": "1", "value": "1"},
        {"name": "new", "value": "n"},
    ]
    assert "overriding_parameters" not in run


async def test_notebook_params_stand_over_base_parameters(jobs, workspace, seen):
    """And are told as overriding_parameters."""
    job_id = await jobs.create(notebook("a", day="mon", size="1"))
    run_id = await jobs.run_now(job_id, notebook_params={"day": "tue"})
    workspace.clock.advance(1)
    assert (await jobs.get(run_id))["overriding_parameters"] == {"notebook_params": {"day": "tue"}}
    assert seen["a"] == {"day": "tue", "size": "1"}


@pytest.mark.parametrize(
    ("task", "override", "own", "given"),
    [
        ({"spark_python_task": {"python_file": "/f.py", "parameters": ["x"]}}, {"python_params": ["y", "z"]}, "x", "y"),
        ({"spark_jar_task": {"main_class_name": "M", "parameters": ["x"]}}, {"jar_params": ["y"]}, "x", "y"),
        (
            {"spark_submit_task": {"parameters": ["x"]}, "new_cluster": NEW},
            {"spark_submit_params": ["y"]},
            "x",
            "y",
        ),
        (
            {"python_wheel_task": {"package_name": "p", "entry_point": "e", "parameters": ["x"]}},
            {"python_params": ["y"]},
            "x",
            "y",
        ),
        ({"dbt_task": {"commands": ["dbt x"]}}, {"dbt_commands": ["y"]}, "dbt x", "y"),
        (
            {"python_wheel_task": {"package_name": "p", "entry_point": "e", "named_parameters": {"0": "x"}}},
            {"python_named_params": {"0": "y"}},
            "x",
            "y",
        ),
        (
            {"sql_task": {"warehouse_id": "w", "query": {"query_id": "q"}, "parameters": {"0": "x"}}},
            {"sql_params": {"0": "y"}},
            "x",
            "y",
        ),
    ],
)
async def test_each_kind_has_parameters_of_its_own(jobs, wire, workspace, seen, task, override, own, given):
    """Lists come to the script numbered from 0."""
    cluster_id = await wire.running()
    where = {} if "new_cluster" in task else {"existing_cluster_id": cluster_id}
    job_id = await jobs.create({"task_key": "a", **where, **task})
    for params, expected in (({}, own), (override, given)):
        run_id = await jobs.run_now(job_id, **params)
        workspace.clock.advance(400)
        assert await jobs.state(run_id) == "TERMINATED SUCCESS"
        assert seen["a"]["0"] == expected


async def test_references_are_resolved(jobs, workspace, seen):
    """To the job, the run, the task, the job's parameters, and what earlier tasks came to."""
    workspace.script_task("a", duration=1, call=lambda given: ("bye", {"rows": "7", "day": "{{task.name}}"}))
    references = {
        "id": "{{job.id}}",
        "name": "{{ job.name }}",
        "run": "{{job.run_id}}",
        "task_run": "{{run.id}}",
        "same": "{{task.run_id}}",
        "task": "<{{task.name}}|{{task.name}}>",
        "day": "{{job.parameters.day}}",
        "rows": "{{tasks.a.values.rows}}",
        "state": "{{tasks.a.result_state}}",
        "date": "{{job.start_time.iso_date}}",
        "odd": "{{no.such.thing}} {{tasks.x.values.y}} {{job.parameters.none}}",
    }
    second = notebook("b", **references) | {"depends_on": [{"task_key": "a"}]}
    parameters = [{"name": "day", "default": "{{task.name}}s"}]
    job_id = await jobs.create(notebook("a"), second, parameters=parameters, name="nightly")
    run_id = await jobs.run_now(job_id)
    workspace.clock.advance(2)
    task = await jobs.task(run_id, "b")

    assert seen["b"] == {
        "id": str(job_id),
        "name": "nightly",
        "run": str(run_id),
        "task_run": str(task["run_id"]),
        "same": str(task["run_id"]),
        "task": "<b|b>",
        "day": "bs",
        "rows": "7",
        "state": "success",
        "date": "2025-09-23",
        "odd": references["odd"],
    }
    assert "resolved_values" not in task
    resolved = (await jobs.get(run_id, include_resolved_values="true"))["tasks"][1]["resolved_values"]
    assert resolved == {"notebook_task": {"base_parameters": seen["b"]}}
    assert task["notebook_task"]["base_parameters"] == references


async def test_a_condition_compares_what_its_references_stand_for(jobs, workspace):
    """As a for-each task goes over them."""
    workspace.script_task("count", duration=1, call=lambda given: (None, {"rows": "12", "days": '["mon", "tue"]'}))
    check = {"left": "{{tasks.count.values.rows}}", "op": "GREATER_THAN", "right": "{{job.parameters.least}}"}
    nested = {"task_key": "one", "notebook_task": {"notebook_path": "/one"}}
    each = {"inputs": "{{tasks.count.values.days}}", "task": nested, "concurrency": 9}
    job_id = await jobs.create(
        notebook("count"),
        {"task_key": "if", "condition_task": check, "depends_on": [{"task_key": "count"}]},
        {"task_key": "each", "for_each_task": each, "depends_on": [{"task_key": "if", "outcome": "true"}]},
        parameters=[{"name": "least", "default": "9"}],
    )
    run_id = await jobs.run_now(job_id)
    workspace.clock.advance(61)
    task = await jobs.task(run_id, "if")

    assert task["condition_task"]["outcome"] == "true"
    assert task["condition_task"]["left"] == "{{tasks.count.values.rows}}"
    assert (await jobs.task(run_id, "each"))["for_each_task"]["stats"]["task_run_stats"]["total_iterations"] == 2
    assert await jobs.state(run_id) == "TERMINATED SUCCESS"


async def test_parts_of_an_input(jobs, workspace):
    """`{{input.day}}` of an object."""
    seen = []
    workspace.script_task("one", duration=1, call=lambda given: seen.append(given))
    nested = notebook("one", day="{{input.day}}", deep="{{input.at.hour}}", none="{{input.x}}")
    each = {"inputs": '[{"day": "mon", "at": {"hour": 7}}]', "task": nested}
    await jobs.submit({"task_key": "each", "for_each_task": each})
    workspace.clock.advance(1)
    assert (await jobs.ok("GET", "runs/list"))["runs"]
    assert seen == [{"day": "mon", "deep": "7", "none": "{{input.x}}"}]


@pytest.mark.parametrize("start", ["run-now", "runs/repair"])
async def test_older_parameters_have_their_limits(jobs, workspace, start):
    """10,000 bytes of JSON each; and not a jar's with a notebook's."""
    job_id = await jobs.create(notebook("a"), max_concurrent_runs=9)
    run_id = await jobs.run_now(job_id)
    workspace.clock.advance(60)
    params = {"job_id": job_id} if start == "run-now" else {"run_id": run_id, "rerun_tasks": ["a"]}
    most = 10_000 - len('{"notebook_params":{"k":""}}')
    both = {"jar_params": ["x"], "notebook_params": {"k": "v"}}
    message = await jobs.refused("POST", start, notebook_params={"k": "v" * (most + 1)}, **params)

    assert "cannot exceed 10,000 bytes" in message.replace("10000", "10,000")
    assert "in conjunction" in await jobs.refused("POST", start, **both, **params)
    await jobs.ok("POST", start, notebook_params={"k": "v" * most}, **params)
