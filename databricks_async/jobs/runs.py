"""Runs under way: the wait for one, why it failed, and how it is cancelled when a block is left."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Hashable
from functools import partial
from types import TracebackType
from typing import Protocol, cast

import attrs

from databricks_async.aio import gather, time_limit, wait_through
from databricks_async.errors import DatabricksError, OperationTimeout
from databricks_async.jobs.errors import FailedTask as FailedTask
from databricks_async.jobs.errors import RunFailed
from databricks_async.jobs.models import BaseRun, Run, RunLifeCycleState, RunOutput, RunResultState, RunTask
from databricks_async.jobs.models.run_state import end_of
from databricks_async.polling.reader import Reader
from databricks_async.service import received_id
from databricks_async.suggest import has_no
from databricks_async.wait import Timeout, Wait, seconds_of

log = logging.getLogger("databricks_async")


class RunCalls(Protocol):
    """The calls with which a run is followed to its end; `Jobs` has them."""

    async def get_run(self, run_id: int, /) -> Run: ...

    async def get_run_output(self, run_id: int, /) -> RunOutput: ...

    def cancel_run(self, run_id: int, /) -> Awaitable[object]: ...


_NEVER_RAN = frozenset(
    {
        RunResultState.DISABLED,
        RunResultState.EXCLUDED,
        RunResultState.MAXIMUM_CONCURRENT_RUNS_REACHED,
        RunResultState.UPSTREAM_CANCELED,
        RunResultState.UPSTREAM_FAILED,
        RunLifeCycleState.SKIPPED,
    }
)


def is_skipped(run: BaseRun) -> bool:
    """Whether a run was skipped: it never began."""
    return run.state is not None and run.state.life_cycle_state is RunLifeCycleState.SKIPPED


def message_of(run: BaseRun | RunTask) -> str:
    """What the service says about a run's state; may be empty."""
    if run.state is not None and run.state.state_message:
        return run.state.state_message
    details = run.status and run.status.termination_details
    return (details and details.message) or ""


def latest_tasks(run: BaseRun) -> list[RunTask]:
    """The last attempt of each task, in the order of the job."""
    latest: dict[str | None, RunTask] = {}
    for task in run.tasks or ():
        known = latest.get(task.task_key)
        if known is None or (task.attempt_number or 0) >= (known.attempt_number or 0):
            latest[task.task_key] = task
    return [*latest.values()]


def _latest_iterations(run: Run) -> list[RunTask]:
    """The last attempt of each iteration: a retry follows what it repeats."""
    latest: list[RunTask] = []
    for iteration in run.iterations or ():
        if iteration.attempt_number and latest:
            latest[-1] = iteration
        else:
            latest.append(iteration)
    return latest


def _never_ran(task: RunTask) -> bool:
    """Whether a task did nothing, because of others or of its settings."""
    return end_of(task) in _NEVER_RAN


def key_of(run: BaseRun | RunTask) -> Hashable:
    """What a change of state changes."""
    state, status = run.state, run.status
    return (
        state and state.life_cycle_state,
        state and state.result_state,
        status and status.state,
    )


class RunWait(Wait[BaseRun]):
    """A run under way. It can be made again from the id: `w.jobs.wait_run(run_id)`.

    Leaving a wait, cancelled or timed out, leaves the run alone; see `cancel_run_on_exit`.
    """

    def __init__(
        self,
        jobs: RunCalls,
        run_id: int,
        reader: Reader[int, BaseRun],
        *,
        every: Timeout = None,
        grace_period: bool = False,
        check: bool = True,
    ) -> None:
        super().__init__(
            f"run {run_id}",
            reader,
            run_id,
            key=key_of,
            ended=lambda run: run.ended,
            failure=lambda run: None if run.succeeded else end_of(run),
            every=every,
            grace_period=grace_period,
        )
        self._jobs = jobs
        self._check = check
        self.run_id = run_id
        self.repair_id: int | None = None
        """What `repair_run` began: the `latest_repair_id` of the next repair."""
        self.is_old: bool | None = None
        """True if an idempotency token of the caller's met a run that had already ended, so that nothing was started
        (or a new run ended in the same moment); None if that was not looked at, because the token was made for this
        call, or could not be."""

    @has_no(callback="write `async for change in wait: ...` to see each change")
    async def result(self, timeout: Timeout = None, *, every: Timeout = None, check: bool | None = None) -> Run:
        """The run at its end, with all of its tasks.

        `timeout` is in seconds; None waits for as long as it takes. `every` stands in for the attribute of that name.
        Raises `RunFailed`, which names the failed tasks and their errors, when the run ended without success, unless
        `check` is False (as it is for what `cancel_run` returns); and `OperationTimeout` when the time ran out. The run
        goes on then.
        """
        return await self._within(timeout, every, partial(self._conclude_run, self._check if check is None else check))

    def _word(self, value: BaseRun) -> object:
        return end_of(value)

    async def _conclude_run(self, check: bool, last: BaseRun) -> Run:
        run = cast(Run, last)  # one that has ended was polled by itself
        if check and not run.succeeded:
            raise await failure(self._jobs, run)
        return run

    def cancel_run_on_exit(self, timeout: Timeout = 30.0) -> CancelOnExit:
        """`async with wait.cancel_run_on_exit():` cancels the run if it has not ended when the block is left.

        Whatever ends the block: its end, an error, or being cancelled. The request goes on when the task is
        cancelled, for `timeout` seconds at most.
        """
        return CancelOnExit(self, self._jobs, seconds_of(timeout))


class CancelOnExit:
    """See `RunWait.cancel_run_on_exit`."""

    def __init__(self, wait: RunWait, jobs: RunCalls, seconds: float | None) -> None:
        self._wait = wait
        self._jobs = jobs
        self._seconds = seconds

    async def __aenter__(self) -> RunWait:
        return self._wait

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._wait.last is not None and self._wait.last.ended:
            return
        cancelling = asyncio.create_task(self._cancel(), name=f"databricks_async: cancel run {self._wait.run_id}")
        interrupted = await wait_through((cancelling,))  # raised below
        try:
            cancelling.result()
        except DatabricksError as failed:
            log.warning("run %d could not be cancelled and goes on: %s", self._wait.run_id, failed)
            ending = interrupted or error
            if ending is None:
                raise
            ending.add_note(f"run {self._wait.run_id} could not be cancelled and goes on: {failed}")
        if interrupted is not None:
            raise interrupted

    async def _cancel(self) -> None:
        def expired() -> OperationTimeout:
            message = f"run {self._wait.run_id}: no answer after {self._seconds:g} s to the request to cancel it"
            return OperationTimeout(message, last=self._wait.last)

        async with time_limit(self._seconds, expired):
            await self._jobs.cancel_run(self._wait.run_id)


async def failure(jobs: RunCalls, run: Run) -> RunFailed:
    """Why a run ended without success, with the errors of its tasks, taken from their outputs."""
    failed = [task for task in latest_tasks(run) if task.ended and not task.succeeded]
    causes = [task for task in failed if not _never_ran(task)]
    tasks = await gather(_failed_task(jobs, task) for task in causes)
    name = f"run {run.run_id}" + (f" ({run.run_name})" if run.run_name else "")
    parts = [f"{name} ended {end_of(run)}", message_of(run)]
    parts += [": ".join(filter(None, (_failed_name(task), _first_line(task.error)))) for task in tasks[:3]]
    parts += [f"{len(tasks) - 3} more tasks failed"] if len(tasks) > 3 else []
    parts += [run.run_page_url or ""]
    return RunFailed("; ".join(part.removesuffix(".") for part in parts if part), run=run, failed_tasks=tasks)


async def _failed_task(jobs: RunCalls, task: RunTask) -> FailedTask:
    """A failed task; a for-each task with those iterations that failed, and the error of the first of them."""
    failed = await gather(_with_error(jobs, one, index) for index, one in await _failed_iterations(jobs, task))
    if not failed:
        return await _with_error(jobs, task)
    key = str(task.task_key)
    iterations = tuple(attrs.evolve(one, task_key=key) for one in failed)
    error, trace = iterations[0].error, iterations[0].error_trace
    return FailedTask(key, task.run_id, end_of(task), error, trace, iterations=iterations)


async def _failed_iterations(jobs: RunCalls, task: RunTask) -> list[tuple[int, RunTask]]:
    if task.for_each_task is None or task.run_id is None:
        return []
    try:
        run = await jobs.get_run(received_id("run_id", task.run_id))
    except DatabricksError as unreadable:
        log.info("the iterations of task %s (run %d) cannot be read: %s", task.task_key, task.run_id, unreadable)
        return []
    iterations = enumerate(_latest_iterations(run))
    return [(index, one) for index, one in iterations if one.ended and not one.succeeded and not _never_ran(one)]


async def _with_error(jobs: RunCalls, task: RunTask, iteration: int | None = None) -> FailedTask:
    error, trace = message_of(task), None
    if task.run_id is not None:
        try:
            output = await jobs.get_run_output(received_id("run_id", task.run_id))
            error, trace = output.error or error, output.error_trace
        except DatabricksError as unreadable:  # the run's failure is raised, not this one
            log.info("the output of task %s (run %d) cannot be read: %s", task.task_key, task.run_id, unreadable)
    return FailedTask(str(task.task_key), task.run_id, end_of(task), error, trace, iteration)


def _failed_name(task: FailedTask) -> str:
    how_many = len(task.iterations)
    iterations = f" in {how_many} iteration{'s' if how_many > 1 else ''}" if how_many else ""
    return f"task {task.task_key} {task.result}{iterations}"


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]


async def outputs_of(jobs: RunCalls, run: Run) -> dict[str, RunOutput]:
    """The outputs of those tasks of a run that ran, by task key; of a loop `key[0]`, `key[1]`, ..."""
    tasks = {str(task.task_key): task for task in latest_tasks(run)}
    loops = {key: task.run_id for key, task in tasks.items() if task.for_each_task is not None and task.run_id}
    loop_ids = [received_id("run_id", run_id) for run_id in loops.values()]
    for key, loop in zip(loops, await gather(map(jobs.get_run, loop_ids)), strict=True):
        del tasks[key]
        tasks |= {f"{key}[{index}]": item for index, item in enumerate(_latest_iterations(loop))}
    ran = {key: task.run_id for key, task in tasks.items() if task.run_id and task.ended and not _never_ran(task)}
    ids = {key: received_id("run_id", run_id) for key, run_id in ran.items()}
    return dict(zip(ids, await gather(map(jobs.get_run_output, ids.values())), strict=True))
