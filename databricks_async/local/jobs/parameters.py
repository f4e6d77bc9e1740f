"""The parameters of tasks: their precedence, and the references such as `{{job.parameters.day}}` in them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson

from databricks_async.local.errors import invalid
from databricks_async.local.jobs.settings import kind_of
from databricks_async.local.jobs.state import Run, TaskRun
from databricks_async.local.state import Json

_REFERENCE = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")
_MAX_BYTES = 10_000

LEGACY = (
    "dbt_commands",
    "jar_params",
    "notebook_params",
    "pipeline_params",
    "python_named_params",
    "python_params",
    "spark_submit_params",
    "sql_params",
)
"""The legacy parameters of run-now and repair, one for each kind of task."""


def legacy(given: Json) -> Json:
    """The legacy parameters of a request, refused where they are too long or contradict each other."""
    found = {name: given[name] for name in LEGACY if given.get(name) is not None}
    for name, value in found.items():
        size = len(orjson.dumps({name: value}))
        if size > _MAX_BYTES:
            raise invalid(f"The JSON representation of {name} has {size} bytes, it cannot exceed {_MAX_BYTES} bytes.")
    if "jar_params" in found and "notebook_params" in found:
        raise invalid("jar_params cannot be specified in conjunction with notebook_params.")
    return found


def of_job(settings: Json, given: dict[str, str]) -> list[Json]:
    """A run's job parameters: the job's own with their defaults, then those that only the request has."""
    parameters = []
    for declared in settings.get("parameters", []):
        name, default = declared["name"], declared.get("default", "")
        parameters.append({"name": name, "default": default, "value": given.get(name, default)})
    known = {parameter["name"] for parameter in parameters}
    return parameters + [{"name": name, "value": value} for name, value in given.items() if name not in known]


def resolve(task: TaskRun) -> None:
    """Work out what a task gets: `resolved`, the settings of its kind, and `parameters`, all as one flat table."""
    kind = kind_of(task.settings)
    settings: Json = task.settings[kind]
    fill = _filler(task)
    job = {parameter["name"]: fill(parameter["value"]) for parameter in task.run.job_parameters}
    overriding = task.run.overriding
    resolved: Json = _deep({name: value for name, value in settings.items() if name != "task"}, fill)
    for name, override in _MAPS.get(kind, ()):
        own = resolved.get(name) or {}
        # A job's parameters go down to all tasks that take names with values, and win.
        merged = {**own, **_deep(overriding.get(override) or {}, fill), **job}
        if merged:
            resolved[name] = merged
    for name, override in _LISTS.get(kind, ()):
        if override in overriding:
            resolved[name] = _deep(overriding[override], fill)
    task.resolved = resolved
    task.parameters = _flat(resolved, kind)


_MAPS = {
    "notebook_task": (("base_parameters", "notebook_params"),),
    "python_wheel_task": (("named_parameters", "python_named_params"),),
    "sql_task": (("parameters", "sql_params"),),
    "run_job_task": (("job_parameters", ""),),
}
_LISTS = {
    "spark_jar_task": (("parameters", "jar_params"),),
    "spark_python_task": (("parameters", "python_params"),),
    "python_wheel_task": (("parameters", "python_params"),),
    "spark_submit_task": (("parameters", "spark_submit_params"),),
    "dbt_task": (("commands", "dbt_commands"),),
}


def _flat(resolved: Json, kind: str) -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, _ in (*_LISTS.get(kind, ()), *_MAPS.get(kind, ())):
        values = resolved.get(name) or {}
        if isinstance(values, list):
            flat |= {str(index): str(value) for index, value in enumerate(values)}
        else:
            flat |= {key: str(value) for key, value in values.items()}
    return flat


def resolved_values(task: TaskRun) -> Json:
    """`resolved_values` of a task that has begun."""
    kind = kind_of(task.settings)
    names = [name for name, _ in (*_LISTS.get(kind, ()), *_MAPS.get(kind, ()))]
    if kind == "condition_task":
        names = ["left", "right"]
    return {kind: {name: task.resolved[name] for name in names if name in task.resolved}}


def _deep(value: Any, fill: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return fill(value)
    if isinstance(value, list):
        return [_deep(one, fill) for one in value]
    if isinstance(value, dict):
        return {key: _deep(one, fill) for key, one in value.items()}
    return value


def _filler(task: TaskRun) -> Callable[[str], str]:
    def replace(match: re.Match[str]) -> str:
        value = _look_up(task, match[1])
        # What the service does not know stays as it was written.
        return match[0] if value is None else value

    return lambda text: _REFERENCE.sub(replace, text)


def _look_up(task: TaskRun, name: str) -> str | None:
    run = task.run
    if name in _REFERENCES:
        return _REFERENCES[name](task)
    first, _, rest = name.partition(".")
    if first == "input" and task.item is not None:
        return _input(task.item, rest)
    if name.startswith("job.parameters."):
        return _job_parameter(run, name.removeprefix("job.parameters."))
    if first != "tasks":
        return None
    key, _, what = rest.partition(".")
    step = run.steps.get(key)
    if step is None:
        return None
    if what.startswith("values."):
        return step.values.get(what.removeprefix("values."))
    if what == "result_state":
        return (step.latest.life_cycle.result or "").lower()
    if what == "run_id":
        return str(step.latest.run_id)
    return None


def _job_parameter(run: Run, name: str) -> str | None:
    return next((parameter["value"] for parameter in run.job_parameters if parameter["name"] == name), None)


def _input(item: str, path: str) -> str | None:
    if not path:
        return item
    try:
        value = orjson.loads(item)
    except orjson.JSONDecodeError:
        return None
    for part in path.split("."):
        if not isinstance(value, dict) or part not in value:
            return None
        value = value[part]
    return as_text(value)


def as_text(value: Any) -> str:
    """A JSON value as tasks get it: text as it is, all else as JSON."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _start(task: TaskRun, form: str) -> str:
    return datetime.fromtimestamp(task.run.start_time / 1000, UTC).strftime(form)


_REFERENCES: dict[str, Callable[[TaskRun], str]] = {
    "job.id": lambda task: str(task.run.job.job_id),
    "job.name": lambda task: task.run.name,
    "job.run_id": lambda task: str(task.run.run_id),
    "job.repair_count": lambda task: str(len(task.run.rounds) - 1),
    "job.trigger.type": lambda task: task.run.trigger.lower(),
    "job.start_time.iso_date": lambda task: _start(task, "%Y-%m-%d"),
    "job.start_time.iso_datetime": lambda task: _start(task, "%Y-%m-%dT%H:%M:%S"),
    "job.start_time.timestamp_ms": lambda task: str(task.run.start_time),
    "run.id": lambda task: str(task.run_id),
    "task.name": lambda task: task.step.key,
    "task.run_id": lambda task: str(task.run_id),
    "task.execution_count": lambda task: str(task.attempt_number + 1),
    # The names of before 2024.
    "job_id": lambda task: str(task.run.job.job_id),
    "run_id": lambda task: str(task.run_id),
    "parent_run_id": lambda task: str(task.run.run_id),
    "task_key": lambda task: task.step.key,
    "task_retry_count": lambda task: str(task.attempt_number),
    "start_date": lambda task: _start(task, "%Y-%m-%d"),
    "start_time": lambda task: str(task.run.start_time),
}
