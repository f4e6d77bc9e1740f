"""The single-task format of jobs and runs, in which the settings of the only task stand at the top.

The Jobs API 2.0 knew no other; `jobs/create`, `reset`, `update` and `runs/submit` take it at all versions (Airflow
submits runs so). Version 2.0 answers in it, newer ones show one task ("When using the Jobs API 2.1 this value is
always MULTI_TASK").
"""

from __future__ import annotations

import re

from databricks_async.local.errors import invalid
from databricks_async.local.jobs.shapes import Work
from databricks_async.local.state import Json

_FIELDS = frozenset(Work.__annotations__)
_CLUSTERS = ("existing_cluster_id", "new_cluster")


def is_single(settings: Json) -> bool:
    """Whether settings of a task stand at the top."""
    return not _FIELDS.isdisjoint(settings)


def with_tasks(settings: Json, name: str) -> Json:
    """The same settings with a list of tasks, whose only task is called after the job or the run."""
    if not is_single(settings):
        return settings
    work, rest = _split(settings)
    if rest.get("tasks"):
        raise invalid(f"Only one of tasks and {', '.join(sorted(work))} can be set.")
    # No source shows the key: a name with a character that keys may not have gets underscores for it.
    key = re.sub(r"[^A-Za-z0-9_-]", "_", name)[:100] or "task"
    return {**rest, "tasks": [{"task_key": key, **work}]}


def merged(settings: Json, changes: Json) -> Json:
    """Changes of a job with those of its task in a list of tasks, for a job of one task."""
    if not is_single(changes):
        return changes
    work, rest = _split(changes)
    tasks = settings.get("tasks", [])
    if len(tasks) != 1 or rest.get("tasks"):
        raise invalid(f"{', '.join(sorted(work))} can only be set at the top of a job with a single task.")
    replaced = {name for name in tasks[0] if name.endswith("_task")} if any(map(_is_kind, work)) else set()
    if any(name in work for name in _CLUSTERS):
        replaced |= {*_CLUSTERS, "job_cluster_key"}
    kept = {name: value for name, value in tasks[0].items() if name not in replaced}
    return {**rest, "tasks": [kept | work]}


def at_the_top(settings: Json) -> Json:
    """The settings of a job of one task in the single-task format."""
    work, _ = _split(settings["tasks"][0])
    return {**{name: value for name, value in settings.items() if name != "tasks"}, **work, "format": "SINGLE_TASK"}


def _is_kind(name: str) -> bool:
    return name.endswith("_task")


def _split(settings: Json) -> tuple[Json, Json]:
    work = {name: value for name, value in settings.items() if name in _FIELDS}
    return work, {name: value for name, value in settings.items() if name not in _FIELDS}
