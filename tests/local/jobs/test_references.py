"""Dynamic value references: every documented one, names between backticks, and what is none."""

from __future__ import annotations

import pytest

START = 1758645728000  # 2025-09-23 16:42:08 UTC, a Tuesday, where a clock moved by hand begins.


def notebook(key, *needs, path=None, **base_parameters):
    settings = {"notebook_path": path or f"/nb/{key}", "base_parameters": base_parameters}
    task = {"task_key": key, "notebook_task": settings}
    return task | {"depends_on": [{"task_key": need} for need in needs]} if needs else task


@pytest.fixture
def seen(workspace):
    """The parameters of each task that has run, by its key."""
    seen = {}
    for key in ("show", "one"):
        workspace.script_task(key, duration=1, call=lambda given, key=key: seen.update({key: given}))
    return seen


JOB = {
    "{{job.id}}": lambda ids: str(ids["job"]),
    "{{job.name}}": lambda ids: "nightly",
    "{{job.run_id}}": lambda ids: str(ids["run"]),
    "{{job.repair_count}}": lambda ids: "0",
    "{{job.start_time.iso_date}}": lambda ids: "2025-09-23",
    "{{job.start_time.iso_datetime}}": lambda ids: "2025-09-23T16:42:08",
    "{{job.start_time.year}}": lambda ids: "2025",
    "{{job.start_time.month}}": lambda ids: "9",
    "{{job.start_time.day}}": lambda ids: "23",
    "{{job.start_time.hour}}": lambda ids: "16",
    "{{job.start_time.minute}}": lambda ids: "42",
    "{{job.start_time.second}}": lambda ids: "8",
    "{{job.start_time.iso_weekday}}": lambda ids: "2",
    "{{job.start_time.is_weekday}}": lambda ids: "true",
    "{{job.start_time.timestamp_ms}}": lambda ids: str(START),
    "{{job.trigger.type}}": lambda ids: "one_time",
    "{{job.trigger.time.iso_date}}": lambda ids: "2025-09-23",
    "{{job.parameters.day}}": lambda ids: "mon",
    "{{task.name}}": lambda ids: "show",
    "{{task.run_id}}": lambda ids: str(ids["task"]),
    "{{task.execution_count}}": lambda ids: "1",
    "{{task.notebook_path}}": lambda ids: "/nb/show",
    "{{tasks.before.run_id}}": lambda ids: str(ids["before"]),
    "{{tasks.before.result_state}}": lambda ids: "success",
    "{{tasks.before.error_code}}": lambda ids: "",
    "{{tasks.before.execution_count}}": lambda ids: "2",
    "{{tasks.before.notebook_path}}": lambda ids: "/nb/before",
    "{{tasks.before.values.rows}}": lambda ids: "7",
    "{{tasks.query.output.rows}}": lambda ids: '[{"n":1,"a b":"x"},{"n":2}]',
    "{{tasks.query.output.first_row}}": lambda ids: '{"n":1,"a b":"x"}',
    "{{tasks.query.output.first_row.n}}": lambda ids: "1",
    "{{tasks.query.output.first_row.`a b`}}": lambda ids: "x",
    "{{tasks.alert.output.alert_state}}": lambda ids: "TRIGGERED",
    "{{workspace.id}}": lambda ids: "1234567890123456",
    "{{workspace.url}}": lambda ids: ids["url"],
    # the names of before 2024
    "{{job_id}}": lambda ids: str(ids["job"]),
    "{{run_id}}": lambda ids: str(ids["task"]),
    "{{parent_run_id}}": lambda ids: str(ids["run"]),
    "{{task_key}}": lambda ids: "show",
    "{{task_retry_count}}": lambda ids: "0",
    "{{start_date}}": lambda ids: "2025-09-23",
    "{{start_time}}": lambda ids: str(START),
    # forms
    "{{ job.name }}": lambda ids: "nightly",
    "<{{job.name}}|{{task.name}}>": lambda ids: "<nightly|show>",
    "{{`job`.`name`}}": lambda ids: "nightly",
    "{{job.parameters.`run-date`}}": lambda ids: "2026-01-31",
    "{{ job.parameters.`a.b` }}": lambda ids: "x",
    "{{tasks.`be-fore`.values.`my key}`}}": lambda ids: "v",
    # what is none, or has no value
    "{{job.id}": lambda ids: "{{job.id}",
    "{job.id}": lambda ids: "{job.id}",
    "{{job.id + 1}}": lambda ids: "{{job.id + 1}}",
    "{{no.such.thing}}": lambda ids: "{{no.such.thing}}",
    "{{job.parameters.run-date}}": lambda ids: "{{job.parameters.run-date}}",
    "{{job.parameters.none}}": lambda ids: "{{job.parameters.none}}",
    "{{tasks.before.values.none}}": lambda ids: "{{tasks.before.values.none}}",
    "{{tasks.missing.values.rows}}": lambda ids: "{{tasks.missing.values.rows}}",
    "{{tasks.before.output.first_row.n}}": lambda ids: "{{tasks.before.output.first_row.n}}",
    "{{tasks.query.output.alert_state}}": lambda ids: "{{tasks.query.output.alert_state}}",
    "{{job.trigger.file_arrival.location}}": lambda ids: "{{job.trigger.file_arrival.location}}",
    "{{job.trigger.table_update.updated_tables}}": lambda ids: "{{job.trigger.table_update.updated_tables}}",
    "{{backfill.iso_date}}": lambda ids: "{{backfill.iso_date}}",
    "{{input}}": lambda ids: "{{input}}",
}


async def test_every_reference(jobs, workspace, seen):
    """In the parameters of a notebook, after tasks of all kinds that they show."""
    values = {"rows": "7", "my key}": "v"}
    workspace.script_task("before", duration=1, error="boom", times=1)
    workspace.script_task("before", duration=1, call=lambda given: (None, values))
    workspace.script_task("be-fore", duration=1, call=lambda given: (None, values))
    workspace.script_task("query", duration=1, output='[{"n": 1, "a b": "x"}, {"n": 2}]')
    workspace.script_task("alert", duration=1, output="TRIGGERED")
    sql = {"warehouse_id": "w", "query": {"query_id": "q"}}
    alert = {"warehouse_id": "w", "alert": {"alert_id": "a"}}
    show = notebook("show", "before", "be-fore", "query", "alert", **{str(n): text for n, text in enumerate(JOB)})
    job_id = await jobs.create(
        notebook("before") | {"max_retries": 1},
        notebook("be-fore"),
        {"task_key": "query", "sql_task": sql},
        {"task_key": "alert", "sql_task": alert},
        show,
        name="nightly",
        parameters=[
            {"name": "run-date", "default": "2026-01-31"},
            {"name": "a.b", "default": "x"},
            {"name": "day", "default": "mon"},
        ],
    )
    run_id = await jobs.run_now(job_id)
    workspace.clock.advance(60)
    assert await jobs.state(run_id) == "TERMINATED SUCCESS"
    ids = {"job": job_id, "run": run_id, "url": workspace.url}
    ids |= {
        "task": (await jobs.task(run_id, "show"))["run_id"],
        "before": (await jobs.task(run_id, "before"))["run_id"],
    }
    found = {text: seen["show"][str(n)] for n, text in enumerate(JOB)}

    assert found == {text: expected(ids) for text, expected in JOB.items()}


async def test_references_to_what_failed(jobs, workspace, seen):
    """Its state and its error code."""
    workspace.script_task("bad", duration=1, error="boom")
    show = notebook("show", "bad", state="{{tasks.bad.result_state}}", code="{{tasks.bad.error_code}}")
    await jobs.submit(notebook("bad"), show | {"run_if": "ALL_DONE"})
    workspace.clock.advance(10)
    await jobs.ok("GET", "runs/list")
    assert seen["show"] == {"state": "failed", "code": "RunExecutionError"}


async def test_parts_of_inputs(jobs, workspace, seen):
    """Also those whose names need backticks."""
    nested = notebook("one", whole="{{input}}", day="{{input.`a-day`}}", deep="{{input.at.hour}}", none="{{input.x}}")
    each = {"inputs": '[{"a-day": "mon", "at": {"hour": 7}}]', "task": nested}
    await jobs.submit({"task_key": "each", "for_each_task": each})
    workspace.clock.advance(1)
    await jobs.ok("GET", "runs/list")
    assert seen["one"] == {
        "whole": '{"a-day":"mon","at":{"hour":7}}',
        "day": "mon",
        "deep": "7",
        "none": "{{input.x}}",
    }


async def test_a_parameter_may_refer_to_its_run(jobs, workspace, seen):
    """Not to itself, which would never end."""
    job_id = await jobs.create(
        notebook("show", a="{{job.parameters.a}}", b="{{job.parameters.b}}"),
        parameters=[
            {"name": "a", "default": "{{job.start_time.year}}"},
            {"name": "b", "default": "{{job.parameters.b}}"},
        ],
    )
    await jobs.run_now(job_id)
    workspace.clock.advance(1)
    await jobs.ok("GET", "runs/list")
    assert seen["show"] == {"a": "2025", "b": "{{job.parameters.b}}"}


UNKNOWN = [
    "{{job.notebook_url}}",
    "{{job.naem}}",
    "{{job.start_time.iso_day}}",
    "{{job.start_time}}",
    "{{job.trigger.time.iso}}",
    "{{task.kind}}",
    "{{tasks.a.state}}",
    "{{workspace.name}}",
    "{{backfill.iso}}",
    "x {{ `job`.naem }} y",
]


@pytest.mark.parametrize("text", UNKNOWN)
async def test_references_that_a_known_namespace_does_not_have(jobs, text):
    """Are refused where they are configured: in tasks, in nested ones, and in the job's parameters."""
    task = notebook("a", x=text)
    nested = {"task_key": "each", "for_each_task": {"inputs": "[]", "task": task}}
    inputs = {"task_key": "each", "for_each_task": {"inputs": text, "task": notebook("a")}}
    bodies = [
        {"tasks": [task]},
        {"tasks": [nested]},
        {"tasks": [inputs]},
        {"parameters": [{"name": "p", "default": text}]},
    ]
    for body in bodies:
        assert "there is no such dynamic value reference" in await jobs.refused("POST", "create", **body)
    assert "there is no such dynamic value reference" in await jobs.refused("POST", "runs/submit", tasks=[task])
