"""Jobs, runs and tasks of runs, as rows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

import attrs

from databricks_async.aio import gather
from databricks_async.cli.live.progress import Standing
from databricks_async.cli.named import names
from databricks_async.cli.output import times
from databricks_async.cli.output.columns import Column
from databricks_async.cli.output.states import Sign, kind_of_run, sign_of_run, word_of_run
from databricks_async.cli.running import Run as Call
from databricks_async.jobs.models import BaseJob, BaseRun, Run, RunTask
from databricks_async.jobs.runs import latest_tasks, message_of

_STRIP = 5


@attrs.frozen
class JobRow:
    """A job with its last runs, the latest first."""

    job: BaseJob
    runs: Sequence[BaseRun] = ()

    def as_dict(self) -> dict[str, Any]:
        return self.job.as_dict()


async def list_jobs(call: Call, name: str | None, *, with_runs: bool, limit: int | None) -> AsyncIterator[JobRow]:
    """Jobs whose name fits, the newest first; their names are kept for Tab."""
    exact = name if name is not None and not any(sign in name for sign in "*?[") else None
    found, waiting = list[tuple[object, object]](), list[BaseJob]()

    async def filled() -> list[JobRow]:
        rows = waiting[:]
        waiting.clear()
        if not with_runs:
            return [JobRow(job) for job in rows]
        ids = [job.job_id for job in rows]
        lists = await gather(call.w.jobs.list_runs(job_id=job_id, max_items=_STRIP).collect() for job_id in ids)
        return [JobRow(job, runs) for job, runs in zip(rows, lists, strict=True)]

    async for job in call.w.jobs.list(name=exact):
        its_name = name_of(job)
        if name is not None and not fnmatchcase(its_name, name):
            continue
        found.append((job.job_id, its_name))
        waiting.append(job)
        if not with_runs or len(waiting) == 20 or len(found) == limit:
            for row in await filled():
                yield row
    for row in await filled():
        yield row
    names.remember("job", found, call.options.where)


def name_of(job: BaseJob) -> str:
    """A job's name; may be empty."""
    return (job.settings and job.settings.name) or ""


def starts_by(job: BaseJob) -> str:
    """What starts runs of a job."""
    settings = job.settings
    if settings is None:
        return ""
    if settings.schedule is not None:
        paused = " (paused)" if settings.schedule.pause_status == "PAUSED" else ""
        return f"{settings.schedule.quartz_cron_expression} {settings.schedule.timezone_id}{paused}"
    if settings.continuous is not None:
        return "continuous"
    return "trigger" if settings.trigger is not None or settings.triggers else ""


def job_columns(sign: Callable[[Sign], str]) -> tuple[Column, ...]:
    """The columns of a list of jobs; the last results as a strip of signs, the latest first."""

    def strip(row: JobRow, now: datetime) -> str:
        return "".join(sign(sign_of_run(run)) for run in row.runs)

    return (
        Column("ID", lambda row: row.job.job_id, keep=True),
        Column("NAME", lambda row: name_of(row.job), shorten="name"),
        Column("LAST RUNS", lambda row: ",".join(map(word_of_run, row.runs)), long=True, show=strip),
        Column("CREATED", lambda row: row.job.created, kind="moment", long=True),
        Column("CREATOR", lambda row: row.job.creator_user_name, long=True),
        Column("SCHEDULE", lambda row: starts_by(row.job), long=True, shorten="words"),
    )


# --- runs ------------------------------------------------------------------------------------------------------------


def duration_of(run: BaseRun | RunTask) -> timedelta | None:
    """How long it took; None before the end."""
    return run.duration


def _shown_duration(run: BaseRun | RunTask, now: datetime) -> str:
    took = duration_of(run)
    if took is None and run.start is not None and not run.ended:
        took = now - run.start
    return "" if took is None else times.duration(took.total_seconds())


def why(run: BaseRun, now: datetime | None = None) -> str:
    """Of a run that goes on, the tasks that run and for how long, or without `now` since when; of one that ended badly,
    the task that failed.
    """
    tasks = latest_tasks(run) if isinstance(run, Run) or run.tasks else []
    if not run.ended:
        moving = [task for task in tasks if kind_of_run(task) == "moving"]
        parts = [f"{task.task_key} since {_since(task, now)}" for task in moving[:2]]
        more = f", {len(moving) - 2} more" if len(moving) > 2 else ""
        return ", ".join(parts) + more if parts else message_of(run)
    if run.succeeded:
        return ""
    failed = next((task for task in tasks if word_of_run(task) in ("FAILED", "TIMEDOUT", "INTERNAL_ERROR")), None)
    return f"{failed.task_key}: {message_of(failed)}" if failed is not None and message_of(failed) else message_of(run)


def _since(task: RunTask, now: datetime | None) -> str:
    if now is not None:
        return _shown_duration(task, now)
    return times.rfc3339(task.start) if task.start is not None else "-"


def _run_name(run: BaseRun) -> str:
    return run.run_name or ""


RUN_COLUMNS = (
    Column("RUN", lambda run: run.run_id, keep=True),
    Column("JOB", _run_name, shorten="name"),
    Column("STATE", word_of_run, keep=True),
    Column("STARTED", lambda run: run.start, kind="moment"),
    Column("TIME", duration_of, right=True, show=_shown_duration),
    Column("TRIGGER", lambda run: run.trigger),
    Column("JOB ID", lambda run: run.job_id, long=True),
    Column("CREATOR", lambda run: run.creator_user_name, long=True),
    Column("URL", lambda run: run.run_page_url, long=True),
    Column("WHY", why, shorten="words", show=why),
)

TASK_COLUMNS = (
    Column("TASK", lambda task: task.task_key, shorten="name", keep=True),
    Column("STATE", word_of_run, keep=True),
    Column("TIME", duration_of, right=True, show=_shown_duration),
    Column("ATTEMPT", lambda task: (task.attempt_number or 0) + 1, right=True),
    Column("AFTER", lambda task: ", ".join(str(one.task_key) for one in task.depends_on or ()), shorten="words"),
    Column("WHY", lambda task: "" if task.succeeded else message_of(task), shorten="words"),
)


def standing(run: BaseRun) -> Standing:
    """How a run stands, for a line."""
    return Standing(sign_of_run(run), _run_name(run) or f"run {run.run_id}", state_words(run), message_of(run))


def state_words(run: BaseRun | RunTask) -> str:
    """`TERMINATED SUCCESS`: the life cycle state, and the result once there is one."""
    state = run.state
    if state is None:
        return word_of_run(run)
    return " ".join(word for word in (state.life_cycle_state, state.result_state) if word)
