"""The parameters of tasks: what they may hold, and their precedence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from databricks_async.local.errors import invalid
from databricks_async.local.jobs import references
from databricks_async.local.jobs.state import TaskRun
from databricks_async.local.jobs.task_rules import kind_of
from databricks_async.local.state import Json

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
    """Set what a task gets: `resolved`, the settings of its kind, and `parameters`, all as one flat table."""
    kind = kind_of(task.settings)
    settings: Json = task.settings[kind]
    fill = references.filler(task)
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
