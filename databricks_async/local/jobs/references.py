"""Dynamic value references such as `{{job.parameters.day}}`: which there are, and what they stand for in a run.

Source of names and rules: learn.microsoft.com/azure/databricks/jobs/dynamic-value-references. "User-provided value
identifiers support alphanumeric and underscore characters. Escape keys that contain special characters by surrounding
the identifier with backticks." What is no reference, and what has no value, stays as it was written; a reference that
a known namespace does not have is refused where it is configured.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson

from databricks_async.local.errors import invalid
from databricks_async.local.jobs.state import Run, Step, TaskRun
from databricks_async.local.values import WORKSPACE_ID

_REFERENCE = re.compile(r"\{\{((?:`[^`]*`|[^{}`])+)\}\}")
_PART = r"(?:[A-Za-z0-9_]+|`[^`]+`)"
_PATH = re.compile(rf"{_PART}(?:\.{_PART})*")

_TIME: dict[str, Callable[[datetime], str]] = {
    "day": lambda at: str(at.day),
    "hour": lambda at: str(at.hour),
    "is_weekday": lambda at: "true" if at.isoweekday() <= 5 else "false",
    "iso_date": lambda at: at.strftime("%Y-%m-%d"),
    "iso_datetime": lambda at: at.strftime("%Y-%m-%dT%H:%M:%S"),
    "iso_weekday": lambda at: str(at.isoweekday()),
    "minute": lambda at: str(at.minute),
    "month": lambda at: str(at.month),
    "second": lambda at: str(at.second),
    "timestamp_ms": lambda at: str(round(at.timestamp() * 1000)),
    "year": lambda at: str(at.year),
}
"""The arguments of `job.start_time`, `job.trigger.time` and `backfill`, all in UTC."""

_JOB: dict[str, Callable[[Run], str]] = {
    "id": lambda run: str(run.job.job_id),
    "name": lambda run: run.name,
    "run_id": lambda run: str(run.run_id),
    "repair_count": lambda run: str(len(run.rounds) - 1),
}
_TASK: dict[str, Callable[[TaskRun], str | None]] = {
    "execution_count": lambda task: str(task.attempt_number + 1),
    "name": lambda task: task.step.key,
    "notebook_path": lambda task: _notebook_path(task.step),
    "run_id": lambda task: str(task.run_id),
}
_TASKS: dict[str, Callable[[Step], str | None]] = {
    "error_code": lambda step: _error_code(step.latest),
    "execution_count": lambda step: str(len(step.attempts)),
    "notebook_path": lambda step: _notebook_path(step),
    "result_state": lambda step: (step.latest.life_cycle.result or "").lower(),
    "run_id": lambda step: str(step.latest.run_id),
}
_DEPRECATED: dict[str, Callable[[TaskRun], str]] = {
    "job_id": lambda task: str(task.run.job.job_id),
    "parent_run_id": lambda task: str(task.run.run_id),
    "run.id": lambda task: str(task.run_id),
    "run_id": lambda task: str(task.run_id),
    "start_date": lambda task: _TIME["iso_date"](_at(task.run.start_time)),
    "start_time": lambda task: str(task.run.start_time),
    "task_key": lambda task: task.step.key,
    "task_retry_count": lambda task: str(task.attempt_number),
}
"""The names of before 2024."""

# What may follow each namespace: the names, and whether the name is followed by an argument of a time.
_NAMESPACES = {
    "backfill": set(_TIME),
    "job": {*_JOB, "parameters", "start_time", "trigger"},
    "task": set(_TASK),
    "workspace": {"id", "url"},
}
_TASK_NAMES = {*_TASKS, "output", "values"}
_ALERT_STATES = ("OK", "TRIGGERED", "UNKNOWN")


def check(value: Any, where: str) -> None:
    """Refuse references that a known namespace does not have, at any depth of a value."""
    if isinstance(value, str):
        for match in _REFERENCE.finditer(value):
            parts = _parts(match[1])
            if parts and _is_unknown(parts):
                # "An error message is displayed if you provide a not valid reference belonging to a known namespace,
                # for example {{job.notebook_url}}." The service's words are not known.
                raise invalid(f"Invalid reference {match[0]} in {where}: there is no such dynamic value reference.")
    elif isinstance(value, dict):
        for one in value.values():
            check(one, where)
    elif isinstance(value, list):
        for one in value:
            check(one, where)


def filler(task: TaskRun) -> Callable[[str], str]:
    """Replaces the references in a text by their values for this attempt at a task."""
    return _filler(task, job_parameters=True)


def as_text(value: Any) -> str:
    """A JSON value as tasks get it: text as it is, all else as JSON."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _filler(task: TaskRun, *, job_parameters: bool) -> Callable[[str], str]:
    def replace(match: re.Match[str]) -> str:
        parts = _parts(match[1])
        value = _value(task, parts, job_parameters=job_parameters) if parts else None
        return match[0] if value is None else value

    return lambda text: _REFERENCE.sub(replace, text)


def _parts(path: str) -> list[str]:
    """The identifiers of a reference without their backticks; none where it is not one."""
    path = path.strip()
    if not _PATH.fullmatch(path):
        return []
    return [part.strip("`") for part in re.findall(_PART, path)]


def _is_unknown(parts: list[str]) -> bool:
    first, rest = parts[0], parts[1:]
    if not rest:
        return False
    if first == "tasks":
        return len(rest) > 1 and rest[1] not in _TASK_NAMES
    if first not in _NAMESPACES:
        return False
    if rest[0] not in _NAMESPACES[first]:
        return True
    timed = rest[1:] if rest[0] == "start_time" else rest[2:] if rest[:2] == ["trigger", "time"] else None
    return timed is not None and (len(timed) != 1 or timed[0] not in _TIME)


def _value(task: TaskRun, parts: list[str], *, job_parameters: bool) -> str | None:
    if ".".join(parts) in _DEPRECATED:
        return _DEPRECATED[".".join(parts)](task)
    first, rest = parts[0], parts[1:]
    if first == "input":
        return None if task.item is None else _input(task.item, rest)
    if first == "job" and len(rest) == 2 and rest[0] == "parameters":
        return _job_parameter(task, rest[1]) if job_parameters else None
    if first == "job" and rest:
        return _job(task.run, rest)
    if first == "task" and len(rest) == 1 and rest[0] in _TASK:
        return _TASK[rest[0]](task)
    if first == "tasks" and len(rest) > 1 and rest[0] in task.run.steps:
        return _other_task(task.run.steps[rest[0]], rest[1:])
    if first == "workspace":
        return {"id": WORKSPACE_ID, "url": task.run.workspace_url}.get(".".join(rest))
    if first == "backfill" and task.run.cause.backfill is not None:
        return _time(task.run.cause.backfill, rest)
    return None


def _job(run: Run, rest: list[str]) -> str | None:
    if len(rest) == 1:
        return _JOB[rest[0]](run) if rest[0] in _JOB else None
    if rest[0] == "start_time":
        return _time(run.start_time, rest[1:])
    if rest[0] != "trigger":
        return None
    if rest[1] == "type" and len(rest) == 2:
        return run.trigger.lower()
    if rest[1] == "time":
        return _time(run.cause.time or run.start_time, rest[2:])
    if rest[1:] == ["file_arrival", "location"]:
        return run.cause.location
    if rest[1] == "table_update" and run.cause.tables:
        return _table_update(run, rest[2:])
    return None


def _table_update(run: Run, rest: list[str]) -> str | None:
    if rest == ["updated_tables"]:
        return orjson.dumps(list(run.cause.tables)).decode()
    for table, commit in run.cause.tables.items():
        name = ".".join(rest)
        if name == f"{table}.version":
            return str(commit.version)
        if name.startswith(f"{table}.commit_timestamp."):
            return _time(commit.time, rest[-1:])
    return None


def _other_task(step: Step, rest: list[str]) -> str | None:
    if len(rest) == 1:
        return _TASKS[rest[0]](step) if rest[0] in _TASKS else None
    if rest[0] == "values" and len(rest) == 2:
        return as_text(step.values[rest[1]]) if rest[1] in step.values else None
    if rest[0] == "output":
        return _sql_output(step.latest.output, rest[1:])
    return None


def _sql_output(output: str | None, rest: list[str]) -> str | None:
    """What a script gave as the output of a SQL task: the rows as JSON, or the state of an alert."""
    if rest == ["alert_state"]:
        return output if output in _ALERT_STATES else None
    try:
        rows = orjson.loads(output or "")
    except orjson.JSONDecodeError:
        return None
    if not isinstance(rows, list):
        return None
    if rest == ["rows"]:
        return as_text(rows)
    if rest[:1] != ["first_row"] or not rows:
        return None
    return _inner(rows[0], rest[1:])


def _job_parameter(task: TaskRun, name: str) -> str | None:
    for parameter in task.run.job_parameters:
        if parameter["name"] == name:
            # A default may hold references, though not to parameters: these could go in a circle.
            return _filler(task, job_parameters=False)(parameter["value"])
    return None


def _input(item: str, path: list[str]) -> str | None:
    if not path:
        return item
    try:
        value = orjson.loads(item)
    except orjson.JSONDecodeError:
        return None
    return _inner(value, path)


def _inner(value: Any, path: list[str]) -> str | None:
    for part in path:
        if not isinstance(value, dict) or part not in value:
            return None
        value = value[part]
    return as_text(value)


def _at(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _time(milliseconds: int, rest: list[str]) -> str | None:
    return _TIME[rest[0]](_at(milliseconds)) if len(rest) == 1 and rest[0] in _TIME else None


def _notebook_path(step: Step) -> str | None:
    notebook = step.settings.get("notebook_task")
    return None if notebook is None else str(notebook["notebook_path"])


def _error_code(task: TaskRun) -> str:
    """`RunExecutionError` for RUN_EXECUTION_ERROR; empty for a task that has not failed."""
    if task.life_cycle.result in (None, "SUCCESS", "EXCLUDED", "DISABLED"):
        return ""
    return "".join(word.capitalize() for word in (task.life_cycle.code or "RUN_EXECUTION_ERROR").split("_"))
