"""The single-task format of version 2.0, in which the fields of the only task stand beside those of the job or run.

It is converted before it is sent: requests of versions since 2.1 are to have a list of tasks ("Updating from Jobs API
2.0 to 2.1" in the service's manual).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import attrs

from databricks_async.codec import Model, given_as, one_level
from databricks_async.codec.given import Given
from databricks_async.jobs.models import BaseJob, CreateJob, JobSettings, SubmitRun, SubmitTask, Task

_FIELDS_OF_TASK = {
    CreateJob: attrs.fields_dict(Task).keys() - attrs.fields_dict(CreateJob).keys(),
    SubmitRun: attrs.fields_dict(SubmitTask).keys() - attrs.fields_dict(SubmitRun).keys(),
}


def with_tasks(kind: type[CreateJob | SubmitRun], given: Any) -> Any:
    """What was given, and the fields of a single task as the one item of `tasks`; other things as they are.

    The task is called after the job or run, as far as a key may have the characters of its name.
    """
    if isinstance(given, Model):
        if not any(map(_is_work, given.unknown_fields or ())):
            return given
        given = one_level(given)
    if not isinstance(given, Mapping) or given.get("tasks") is not None or not any(map(_is_work, given)):
        return given
    task = {name: value for name, value in given.items() if _is_work(name) or name in _FIELDS_OF_TASK[kind]}
    rest = {name: value for name, value in given.items() if name not in task and name != "format"}
    name = str(given.get("name" if kind is CreateJob else "run_name") or "task")
    key = re.sub(r"[^A-Za-z0-9_-]", "_", name)[:100]
    return {**rest, "tasks": [{"task_key": key, **task}]}


def settings_of(given: Model | Given[Any] | None) -> Any:
    """What was given, as `create` and `reset` take it: the settings within what `get` and the web UI show of a job."""
    given = given_as(given)
    if isinstance(given, BaseJob):
        given = given.settings
    if isinstance(given, Mapping) and isinstance(given.get("settings"), Mapping | JobSettings):
        given = given["settings"]
    return given


def _is_work(name: object) -> bool:
    return isinstance(name, str) and name.endswith("_task")
