"""The endpoints for the results of task runs: outputs, errors, logs, and exported notebooks."""

from __future__ import annotations

import html
from typing import Literal

from databricks_async.local.errors import ApiError, invalid
from databricks_async.local.jobs import run_view as runs_view
from databricks_async.local.jobs.endpoints import VERSIONS as VERSIONS
from databricks_async.local.jobs.permissions import any_run_access
from databricks_async.local.jobs.state import TaskRun
from databricks_async.local.jobs.task_rules import kind_of
from databricks_async.local.state import Endpoint, Json, State, User

_MAX_BYTES = 5 * 1024 * 1024
_SEVERAL = (
    "Retrieving the output of runs with multiple tasks is not supported. "
    "Please retrieve the output of each individual task run instead."
)


def get_output(state: State, *, caller: User, version: str, host: str, run_id: int) -> Json:
    """The output of one attempt at a task. Version 2.0 takes the id of a run of a single task for it."""
    task = _task_run(state, caller, run_id, single=version == "2.0")
    kind = kind_of(task.settings)
    answer: Json = {"metadata": {**runs_view.task_run_view(task, host), "tasks": [runs_view.task_view(task, host)]}}
    if kind == "notebook_task":
        answer["notebook_output"] = {}
        if task.output is not None:
            result, truncated = _first(task.output)
            answer["notebook_output"] = {"result": result, "truncated": truncated}
    elif task.logs is None and task.output is not None:
        answer["logs"], answer["logs_truncated"] = _last(task.output)
    if task.logs is not None:
        answer["logs"], answer["logs_truncated"] = _last(task.logs)
    if task.child is not None:
        answer["run_job_output"] = {"run_id": task.child.run_id}
    error = task.error
    if error is None and task.life_cycle.result == "FAILED":
        error = task.life_cycle.message
    if error is not None:
        answer["error"] = error
    if task.error_trace is not None:
        answer["error_trace"] = task.error_trace
    return answer


def _first(text: str) -> tuple[str, bool]:
    raw = text.encode()
    return raw[:_MAX_BYTES].decode("utf-8", "ignore"), len(raw) > _MAX_BYTES


def _last(text: str) -> tuple[str, bool]:
    """Of logs the end is shown (API reference of `logs`), of results the beginning."""
    raw = text.encode()
    return raw[-_MAX_BYTES:].decode("utf-8", "ignore"), len(raw) > _MAX_BYTES


def _task_run(state: State, caller: User, run_id: int, *, single: bool) -> TaskRun:
    run = any_run_access(state, caller, run_id, "CAN_VIEW")
    if isinstance(run, TaskRun):
        return run
    if not single or len(run.steps) != 1:
        raise invalid(_SEVERAL)
    (step,) = run.steps.values()
    return step.latest


def export(
    state: State, *, caller: User, run_id: int, views_to_export: Literal["ALL", "CODE", "DASHBOARDS"] = "CODE"
) -> Json:
    """The notebook of a run, as a page of HTML."""
    task = _task_run(state, caller, run_id, single=True)
    notebook = task.settings.get("notebook_task")
    if notebook is None:
        raise invalid(f"Run {run_id} is not a run of a notebook.")
    if not task.ended:
        raise ApiError(400, "INVALID_STATE", f"Run {run_id} is still active and cannot be exported.")
    if views_to_export == "DASHBOARDS":
        return {"views": []}
    path: str = notebook["notebook_path"]
    return {"views": [{"content": _page(state, task, path), "name": path.rpartition("/")[2], "type": "NOTEBOOK"}]}


def _page(state: State, task: TaskRun, path: str) -> str:
    node = state.tree.find(path)
    source = node.content.decode("utf-8", "replace") if node is not None else ""
    parts = [("code", source), ("output", task.printed), ("result", task.output or ""), ("error", task.error or "")]
    body = "".join(f'<pre class="{name}">{html.escape(text)}</pre>' for name, text in parts if text)
    title = html.escape(path)
    return f"<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1>{body}</body></html>"


ROUTES: dict[str, Endpoint] = {
    "GET /api/{v}/jobs/runs/get-output": get_output,
    "GET /api/{v}/jobs/runs/export": export,
}
