"""What happened to a run or to one of its tasks, as values: from one state to the next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias

import attrs

from databricks_async.jobs.models import BaseRun, RunLifeCycleState, RunLifecycleStateV2State, RunTask
from databricks_async.jobs.runs import key_of, latest_tasks, message_of
from databricks_async.polling.group import Meaning


@attrs.frozen
class RunChange:
    """A change of a run's state, as a watch sees it."""

    run_id: int
    before: BaseRun | None
    """As it was seen last; None for the first poll of it."""
    after: BaseRun | None
    """As it is now: a `Run` with all of its tasks if it has ended. None if it was deleted."""
    when: datetime | None
    """The service's time (UTC): of the change if the description says it, which it does of starts and of ends, else its
    clock when a poll first showed the change. None if the service has said neither."""
    why: str
    """What the service says about the state; may be empty."""


@attrs.frozen
class TaskChange:
    """A change of one task of a run. An attempt at it that follows another is a change of the task."""

    run_id: int
    task_key: str
    before: RunTask | None
    """As it was seen last; None for the first poll of it."""
    after: RunTask
    """As it is now."""
    when: datetime | None
    """As that of a `RunChange`."""
    why: str
    """What the service says about the state; may be empty."""


AnyChange: TypeAlias = RunChange | TaskChange
"""What `watch_runs` brings: a change of a run, or of one of its tasks."""


def _compare(
    run_id: int, before: BaseRun | None, after: BaseRun | None, served_at: datetime | None
) -> Sequence[AnyChange]:
    if after is None:
        return [RunChange(run_id, before, None, served_at, "it was deleted")]
    tasks: list[AnyChange] = _changed_tasks(run_id, before, after, served_at)
    if before is not None and key_of(before) == key_of(after):
        return tasks
    run = RunChange(run_id, before, after, _when(after) or served_at, message_of(after))
    # A run begins before its tasks, and ends after them.
    return [*tasks, run] if after.ended else [run, *tasks]


def _changed_tasks(run_id: int, before: BaseRun | None, after: BaseRun, served_at: datetime | None) -> list[AnyChange]:
    known = {task.task_key: task for task in latest_tasks(before)} if before is not None else {}
    changes: list[AnyChange] = []
    for task in latest_tasks(after):
        old = known.get(task.task_key)
        if old is None or _key_of_task(old) != _key_of_task(task):
            when = _when(task) or served_at
            changes.append(TaskChange(run_id, str(task.task_key), old, task, when, message_of(task)))
    return changes


def _key_of_task(task: RunTask) -> object:
    return (task.attempt_number, key_of(task))


_WAITING = {
    RunLifeCycleState.PENDING,
    RunLifeCycleState.QUEUED,
    RunLifeCycleState.BLOCKED,
    RunLifeCycleState.WAITING_FOR_RETRY,
    RunLifecycleStateV2State.PENDING,
    RunLifecycleStateV2State.QUEUED,
    RunLifecycleStateV2State.BLOCKED,
    RunLifecycleStateV2State.WAITING,
}


def _when(run: BaseRun | RunTask) -> datetime | None:
    if run.ended:
        return run.end
    word = (run.state and run.state.life_cycle_state) or (run.status and run.status.state)
    return run.start if word in _WAITING else None


CHANGES_OF_STATE: Meaning[int, BaseRun, AnyChange] = Meaning(
    _compare, is_end=lambda run: run.ended, drops_out=False, parts=True
)
