"""The error of a run that ended without success, and the tasks that failed in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Unpack

import attrs

from databricks_async.errors import About, OperationFailed
from databricks_async.jobs.models import Run


@attrs.frozen
class FailedTask:
    """A task that failed, and why."""

    task_key: str
    """As `repair_run(rerun_tasks=...)` takes it; each key stands once."""
    run_id: int | None
    """The task's own run; None if it never got one."""
    result: str
    """FAILED, TIMEDOUT, CANCELED, INTERNAL_ERROR, ..."""
    error: str
    """The error message: the one in the task's output if that could be read; may be empty."""
    error_trace: str | None = None
    iteration: int | None = None
    """In a for-each task, which iteration this is, counted from 0. None of a task as a whole."""
    iterations: tuple[FailedTask, ...] = ()
    """Of a for-each task, its iterations that failed."""


class RunFailed(OperationFailed):
    """A run ended without success: failed, cancelled, timed out, skipped.

    `failed_tasks` are the tasks that caused it, each a `FailedTask` with its key, error and trace; `run` is the run.
    """

    def __init__(
        self,
        message: str = "",
        *,
        run: Run | None = None,
        failed_tasks: Iterable[FailedTask] = (),
        **about: Unpack[About],
    ) -> None:
        super().__init__(message, last=run, **about)
        self.failed_tasks: list[FailedTask] = [*failed_tasks]
        """The tasks that caused it, each with its error and trace; not those that did not run because of them."""

    @property
    def run(self) -> Run:
        """The run at its end, with all of its tasks."""
        run: Run = self.last
        return run

    @property
    def run_page_url(self) -> str | None:
        """The address of the run in the web UI."""
        return self.run.run_page_url
