"""The timeline of a run: a bar for each attempt at a task, from the times and durations that the service reports."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from databricks_async.jobs.models.run_enums import RunLifeCycleState
from databricks_async.jobs.models.run_state import _TimeProperties, end_of
from databricks_async.jobs.models.run_tasks import RunForEachTask, RunTask
from databricks_async.pictures import Bar, Part, Timeline
from databricks_async.pictures.bars import parts_between
from databricks_async.pictures.kinds import Kind, run_kind

__all__: list[str] = []

_BEFORE_SETUP = {"QUEUED", "WAITING", RunLifeCycleState.WAITING_FOR_RETRY}


def timeline_of(title: str, run: _TimeProperties, tasks: Sequence[RunTask], now: int | None) -> Timeline:
    """Tasks stand in the order of the run, the attempts at each below it."""
    now = max(_moments(run, *tasks), default=0) if now is None else now
    word = str(end_of(run))
    bars = [_task_bar(task, now) for task in _by_attempt(tasks)]
    parts, is_ongoing = _times(run, word, now)
    waited = tuple(part for part in parts if part.phase == "waiting")
    if not bars:
        bars = [Bar(name="(the run)", state=word, kind=run_kind(word), parts=parts, is_ongoing=is_ongoing)]
    elif waited:
        is_ongoing = is_ongoing and waited == parts
        bars.insert(0, Bar(name="(the run)", state="QUEUED", kind="waiting", parts=waited, is_ongoing=is_ongoing))
    return Timeline(title=title, state=word, kind=run_kind(word), bars=tuple(bars))


def _by_attempt(tasks: Sequence[RunTask]) -> list[RunTask]:
    order: dict[str | None, list[RunTask]] = {}
    for task in tasks:
        order.setdefault(task.task_key, []).append(task)
    return [task for attempts in order.values() for task in sorted(attempts, key=lambda one: one.attempt_number or 0)]


def _task_bar(task: RunTask, now: int) -> Bar:
    word, note = str(end_of(task)), ""
    parts, is_ongoing = _times(task, word, now)
    if word == "BLOCKED":
        keys = [str(one.task_key) for one in task.depends_on or ()]
        note = f"waits for {', '.join(keys)}" if keys else ""
    elif task.for_each_task is not None:
        note = _iterations(task.for_each_task)
    return Bar(
        name=str(task.task_key),
        attempt=(task.attempt_number or 0) + 1,
        state=word,
        kind=run_kind(word),
        note=note,
        parts=parts,
        is_ongoing=is_ongoing,
    )


def _iterations(loop: RunForEachTask) -> str:
    stats = loop.stats.task_run_stats if loop.stats is not None else None
    if stats is None or not stats.total_iterations:
        return ""
    failed = f" {stats.failed_iterations} ✗" if stats.failed_iterations else ""
    return f"{stats.succeeded_iterations or 0}/{stats.total_iterations} ✓{failed}"


def _times(run: _TimeProperties, word: str, now: int) -> tuple[tuple[Part, ...], bool]:
    """Parts of a bar, and whether it goes on. What the durations leave open counts as running."""
    if not run.start_time or word == "BLOCKED":
        return (), False
    start, ends = run.start_time, run.end_time or 0
    if run.ended or ends:
        return _ended(run, run_kind(word), start, max(start, ends)), False
    now = max(start, now)
    queued = min(start + _ms(run.queue_duration), now)
    if word in _BEFORE_SETUP:
        parts = parts_between(("waiting", now), start=start)
    elif word == "PENDING":
        parts = parts_between(("waiting", queued), ("setup", now), start=start)
    else:
        ready = min(queued + _ms(run.setup_duration), now)
        done = min(ready + _ms(run.execution_duration), now) if word == "TERMINATING" else now
        done = done if done > ready else now
        parts = parts_between(("waiting", queued), ("setup", ready), ("running", done), ("cleanup", now), start=start)
    return parts, True


def _ended(run: _TimeProperties, kind: Kind, start: int, end: int) -> tuple[Part, ...]:
    if kind == "not run":
        return parts_between(("waiting", end), start=start)
    queued = min(start + _ms(run.queue_duration), end)
    ready = min(queued + _ms(run.setup_duration), end)
    done = max(ready, end - _ms(run.cleanup_duration))
    # One that failed or was stopped before it ran spent its time on the way there.
    never_ran = run.execution_duration == 0 and kind in ("bad", "stopped") and isinstance(run, RunTask)
    return parts_between(
        ("waiting", queued),
        ("setup", done if never_ran else ready),
        ("running", done),
        ("cleanup", end),
        start=start,
    )


def _moments(*runs: _TimeProperties) -> Iterable[int]:
    """All moments that the service has reported."""
    for run in runs:
        if run.start_time:
            spent = sum(
                map(_ms, (run.queue_duration, run.setup_duration, run.execution_duration, run.cleanup_duration))
            )
            yield run.start_time + spent
        if run.end_time:
            yield run.end_time


def _ms(milliseconds: int | None) -> int:
    """A duration: none is below 0, whatever an answer says."""
    return max(0, milliseconds or 0)
