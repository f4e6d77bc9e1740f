"""Mistakes in tasks that are found before anything is sent: only what the manual of the Jobs API says is one.

- `task_key`, `job_cluster_key`: "unique name"; `depends_on` and `job_cluster_key` of a task name those of the same job.
- "This field may not be specified in conjunction with" another `..._task`; "existing_cluster_id OR new_cluster".
- "A job can have up to 1000 tasks", which form a directed acyclic graph.

What a task without any of the `..._task` fields does is for the service to say.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, cast

import attrs

from databricks_async.codec import WrongShape

if TYPE_CHECKING:
    from databricks_async.jobs.models.compute import JobCluster
    from databricks_async.jobs.models.tasks import AnyTask

MAX_TASKS: Final = 1_000


def check_tasks(tasks: Sequence[AnyTask] | None, job_clusters: Sequence[JobCluster] | None, *, complete: bool) -> None:
    """Refuse tasks that the service would refuse. Raises `WrongShape` (a ValueError) that names the place.

    With `complete` these are all tasks of the job or run, so what they name must be among them. Without it they are
    put into a job that may have more, as `update` does.
    """
    clusters = [cluster.job_cluster_key for cluster in job_clusters or ()]
    _refuse_same("job_clusters", "job_cluster_key", clusters)
    if tasks is None:
        return
    if len(tasks) > MAX_TASKS:
        raise WrongShape(f"expected at most {MAX_TASKS:,} tasks, got {len(tasks):,}: split the job", ("tasks",))
    _refuse_same("tasks", "task_key", (task.task_key for task in tasks))
    for index, task in enumerate(tasks):
        try:
            _check_task(task, clusters if complete and job_clusters is not None else None)
        except WrongShape as error:
            raise error.inside(index).inside("tasks") from None
    if complete:
        _refuse_unknown_dependencies(tasks)
    needs = {
        task.task_key: [one.task_key for one in task.depends_on or () if one.task_key is not None]
        for task in tasks
        if task.task_key is not None
    }
    if cycle := _cycle(needs):
        raise WrongShape(f"these tasks wait for each other: {' -> '.join(cycle)}", ("tasks",))


def _refuse_same(where: str, field: str, keys: Iterable[str | None]) -> None:
    first: dict[str, int] = {}
    for index, key in enumerate(keys):
        if key is None:
            continue
        if key in first:
            raise WrongShape(
                f"{key!r} is the {field} of {where}[{first[key]}] already: give each its own", (where, index, field)
            )
        first[key] = index


def _check_task(task: AnyTask, job_cluster_keys: Sequence[str | None] | None) -> None:
    kinds = _kinds(task)
    if len(kinds) > 1:
        raise WrongShape(f"task {task.task_key!r} does one thing: give only one of {' and '.join(kinds)}")
    clusters = [name for name in _CLUSTERS if getattr(task, name) is not None]
    if len(clusters) > 1:
        raise WrongShape(f"task {task.task_key!r} runs on one cluster: give only one of {' and '.join(clusters)}")
    key = task.job_cluster_key
    if job_cluster_keys is not None and key is not None and key not in job_cluster_keys:
        raise WrongShape(f"{key!r} is not among the job_clusters: add it there", ("job_cluster_key",))
    for_each = getattr(task, "for_each_task", None)
    if for_each is not None and for_each.task is not None:
        try:
            _check_task(for_each.task, job_cluster_keys)
        except WrongShape as error:
            raise error.inside("task").inside("for_each_task") from None


_CLUSTERS: Final = ("existing_cluster_id", "new_cluster", "job_cluster_key")


def _kinds(task: AnyTask) -> list[str]:
    """The fields that say what it does; also those of a service newer than this version."""
    kinds = [name for name in _names_of_kinds(type(task)) if getattr(task, name) is not None]
    unknown = task.unknown_fields or {}
    return kinds + [name for name, value in unknown.items() if value is not None and name.endswith("_task")]


@lru_cache(None)
def _names_of_kinds(cls: Hashable) -> list[str]:
    return [field.name for field in attrs.fields(cast("type[Any]", cls)) if field.name.endswith("_task")]


def _refuse_unknown_dependencies(tasks: Sequence[AnyTask]) -> None:
    known = {task.task_key for task in tasks}
    for index, task in enumerate(tasks):
        for position, dependency in enumerate(task.depends_on or ()):
            if dependency.task_key is not None and dependency.task_key not in known:
                raise WrongShape(
                    f"{dependency.task_key!r} is not among the tasks: add it, or take it from depends_on",
                    ("tasks", index, "depends_on", position, "task_key"),
                )


def _cycle(needs: Mapping[str, Sequence[str]]) -> list[str] | None:
    """The first cycle, beginning and ending with the same key. Not recursive: a chain may have 1,000 tasks."""
    done: set[str] = set()
    for start in needs:
        path: list[str] = []
        rest = [iter((start,))]
        while rest:
            key = next(rest[-1], None)
            if key is None:
                rest.pop()
                if path:
                    done.add(path.pop())
            elif key in path:
                return [*path[path.index(key) :], key]
            elif key in needs and key not in done:
                path.append(key)
                rest.append(iter(needs[key]))
    return None
