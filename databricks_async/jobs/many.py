"""Many runs at once: started as others end, repaired when they fail, reported as they finish."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator, Mapping, Sized
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypeAlias, TypeVar

import attrs

from databricks_async.aio import gather, time_limit, wait_through
from databricks_async.codec import given_as
from databricks_async.codec.given import Given
from databricks_async.errors import (
    DatabricksError,
    LifecycleError,
    OperationFailed,
    OperationTimeout,
    OutcomeUnknown,
)
from databricks_async.jobs.errors import RunFailed
from databricks_async.jobs.models import BaseRun, Run, RunNow, RunResultState, SubmitRun
from databricks_async.jobs.models.run_state import end_of
from databricks_async.jobs.runs import RunWait
from databricks_async.suggest import refuse
from databricks_async.wait import Starting, Timeout, seconds_of

log = logging.getLogger("databricks_async")

RunRequest: TypeAlias = RunNow | Given[SubmitRun]
"""What to run: a mapping is a RunNow if it has a `job_id`, a SubmitRun otherwise."""

R = TypeVar("R", bound=RunRequest)
AlikeRequest = TypeVar("AlikeRequest", RunNow, SubmitRun, Mapping[str, Any])
"""Requests of one type: their outcomes have that type too."""


class RunStarter(Protocol):
    """The calls with which runs are started, repaired and stopped; `Jobs` has them."""

    def run_now(self, job: Given[RunNow], /) -> Awaitable[RunWait]: ...

    def submit(self, run: Given[SubmitRun], /) -> Awaitable[RunWait]: ...

    def repair_run(
        self, run: int, /, *, rerun_all_failed_tasks: bool, latest_repair_id: int | None
    ) -> Starting[RunWait]: ...

    def cancel_run(self, run_id: int, /) -> Awaitable[object]: ...

    def wait_run(self, run_id: int, /) -> RunWait: ...

    async def get_run(self, run_id: int, /, *, include_history: bool) -> Run: ...


_LEAVING_SECONDS = 30.0
"""How long leaving the block waits for the answers to requests that start or cancel runs, at most."""
_NOT_REPAIRED = {RunResultState.CANCELED, "USER_CANCELED"}
"""Ends that somebody wanted."""


@attrs.frozen
class Outcome(Generic[R]):
    """The result of one request: a `Success` if `error` is None, else a `Failure`."""

    index: int
    """Its place among the requests, from 0."""
    request: R
    run_id: int | None
    """None if no run is known to have started."""
    run: BaseRun | None
    """The run as it was last seen, with its tasks if it ended."""
    error: Exception | None
    """None if the run ended well; else why it did not, or why it was not started or not followed to its end."""
    repairs: int = attrs.field(default=0, kw_only=True)
    """How often it was repaired, see `retries`."""


@attrs.frozen
class Success(Outcome[R]):
    """A run that ended well: `get_run_outputs(outcome.run)` has what its tasks returned."""

    run_id: int
    run: Run
    """The run at its end, with all of its tasks."""
    error: None = None


@attrs.frozen
class Failure(Outcome[R]):
    """A request that came to no good end."""

    error: Exception
    """Why the run did not end well, or was not started or not followed to its end."""


@attrs.frozen
class RunsProgress:
    """How far a `run_many` is."""

    total: int | None
    """How many requests there are; None until the end of an iterable that cannot say it before."""
    started: int
    """How many runs have been started."""
    active: int
    """How many of them are under way; without those that took longer than `timeout`."""
    ended: int
    """How many requests have come to an outcome, good or bad."""
    failed: int
    """How many of those to a bad one."""


class Outcomes(AsyncIterator[Success[R] | Failure[R]]):
    """`async with w.jobs.run_many(...) as outcomes: async for outcome in outcomes`: each as it comes about.

    Nothing more is started while as many outcomes as may be active wait to be taken. A run that took longer than
    `timeout` is reported, goes on, and is not counted as active any more.

    Leaving the block ends the waiting and starts nothing more; runs that were started go on, see `active`, unless
    `cancel_on_exit` is set: then all that are not known to have ended are cancelled, those that were reported because
    of their `timeout` too. It takes until requests on their way are answered, 30 seconds at most for those that start
    runs and 30 for those that cancel them, so that every run that was started is known.
    """

    def __init__(
        self,
        jobs: RunStarter,
        requests: Iterable[R],
        max_active: int,
        timeout: Timeout,
        retries: int = 0,
        cancel_on_exit: bool = False,
    ) -> None:
        if type(max_active) is not int or max_active < 1:
            raise ValueError(f"max_active must be a whole number from 1 on, not {max_active!r}")
        if type(retries) is not int or retries < 0:
            raise ValueError(f"retries must be a whole number from 0 on, not {retries!r}")
        if isinstance(requests, Mapping | RunNow | SubmitRun):
            raise TypeError("run_many takes several requests: put a single one into a list")
        self.active: dict[int, R] = {}
        """Runs that were started and have not been reported, by run id."""
        self._jobs = jobs
        self._total = len(requests) if isinstance(requests, Sized) else None
        self._requests: Iterator[tuple[int, R]] = enumerate(requests)
        self._taken = self._started = self._ended = self._failed = 0
        self._under_way = set[int]()
        self._going_on = set[int]()
        """Runs that were started and are not known to have ended."""
        self._workers = max_active
        self._timeout = seconds_of(timeout)
        self._retries = retries
        self._cancel_on_exit = cancel_on_exit
        self._room = asyncio.Semaphore(2 * max_active)
        self._finished: asyncio.Queue[Success[R] | Failure[R] | None] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] | None = None
        self._starting = set[asyncio.Task[Any] | None]()
        self._left = False
        self._failure: Exception | None = None

    def __repr__(self) -> str:
        return f"<Outcomes of run_many, {len(self.active)} runs active: `async with`, then `async for`>"

    if not TYPE_CHECKING:  # to type checkers there are none
        __iter__ = __await__ = refuse(
            "run_many reports run by run: write `async with w.jobs.run_many(...) as outcomes: "
            "async for outcome in outcomes: ...`"
        )

    @property
    def progress(self) -> RunsProgress:
        """How far it is now. Sends nothing."""
        return RunsProgress(self._total, self._started, len(self._under_way), self._ended, self._failed)

    async def __aenter__(self) -> Self:
        if self._tasks is not None:
            raise RuntimeError("these runs were begun already: call run_many again")
        self._tasks = [
            asyncio.create_task(self._work(), name=f"databricks_async: run_many {number}")
            for number in range(self._workers)
        ]
        for task in self._tasks:
            # Also of one that is cancelled before its first step: a loop over the outcomes has to end.
            task.add_done_callback(lambda _: self._finished.put_nowait(None))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._left = True
        tasks = self._tasks or []
        for task in tasks:
            if task not in self._starting:
                task.cancel()
        interrupted = None
        try:
            await asyncio.wait(tasks, timeout=_LEAVING_SECONDS)
        except asyncio.CancelledError as cancelled:
            interrupted = cancelled
        for task in tasks:
            task.cancel()
        interrupted = await wait_through(tasks) or interrupted
        if self._cancel_on_exit and self._going_on:
            cancelling = asyncio.create_task(self._cancel_all(), name="databricks_async: run_many cancels")
            interrupted = await wait_through((cancelling,)) or interrupted
            _report(cancelling.result(), interrupted or error)
        if interrupted is not None:
            raise interrupted

    async def __anext__(self) -> Success[R] | Failure[R]:
        if self._tasks is None:
            raise RuntimeError("run_many is for `async with`: it starts nothing before, and waits for nothing after")
        while self._workers:
            outcome = await self._finished.get()
            if outcome is None:
                self._workers -= 1
            else:
                self.active.pop(outcome.run_id or 0, None)
                self._room.release()
                return outcome
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        raise StopAsyncIteration

    async def _work(self) -> None:
        """Take one request after the other. All workers take from the same iterator."""
        try:
            while await self._room.acquire():
                index, request = next(self._requests)
                self._taken += 1
                outcome = await self._run(index, request)
                if outcome is not None:
                    self._ended += 1
                    self._failed += outcome.error is not None
                    self._finished.put_nowait(outcome)
                if self._left or (outcome is not None and isinstance(outcome.error, LifecycleError)):
                    break
        except StopIteration:
            self._total = self._taken
            self._room.release()
        except Exception as error:  # the caller's own iterable failed: raised when all that was started is reported
            self._failure = error
            self._room.release()

    async def _run(self, index: int, request: R) -> Success[R] | Failure[R] | None:
        """The outcome; None if the block has been left."""
        run_id, run, repairs = None, None, 0
        try:
            wait = await self._start(request)
            run_id = wait.run_id
            self.active[run_id] = request
            self._started += 1
            self._under_way.add(run_id)
            self._going_on.add(run_id)
            if self._left:
                return None
            clock = asyncio.get_running_loop().time
            until = None if self._timeout is None else clock() + self._timeout
            while True:
                try:
                    run = await wait.result(None if until is None else max(0.0, until - clock()))
                    self._going_on.discard(run_id)
                    return Success(index, request, run_id, run, repairs=repairs)
                except RunFailed as failed:
                    self._going_on.discard(run_id)
                    if repairs >= self._retries or not _can_be_repaired(failed):
                        raise
                    wait = await self._repair(wait)
                    repairs += 1
        except Exception as failed:
            if isinstance(failed, OperationFailed | OperationTimeout):
                run = failed.last
            return Failure(index, request, run_id, run, failed, repairs=repairs)
        finally:
            self._under_way.discard(run_id or 0)

    async def _start(self, request: RunRequest) -> RunWait:
        given = given_as(request)
        is_job = isinstance(given, RunNow) or (isinstance(given, Mapping) and "job_id" in given)
        return await self._unhurried(
            self._jobs.run_now(request) if is_job else self._jobs.submit(request)  # type: ignore[arg-type]
        )

    async def _repair(self, wait: RunWait) -> RunWait:
        """Run again what failed, once: a repair whose answer was lost may be under way."""
        run_id = wait.run_id
        try:
            repaired = await self._unhurried(
                self._jobs.repair_run(run_id, rerun_all_failed_tasks=True, latest_repair_id=wait.repair_id)
            )
        except OutcomeUnknown:
            run = await self._jobs.get_run(run_id, include_history=True)
            ids = [one.id for one in run.repair_history or () if one.id is not None]
            if not ids or ids[-1] == wait.repair_id:
                raise
            repaired = self._jobs.wait_run(run_id)
            repaired.repair_id = ids[-1]
        self._going_on.add(run_id)
        return repaired

    async def _unhurried(self, call: Awaitable[RunWait]) -> RunWait:
        """A call that makes something run: leaving the block waits for its answer."""
        task = asyncio.current_task()
        self._starting.add(task)
        try:
            return await call
        finally:
            self._starting.discard(task)

    async def _cancel_all(self) -> list[DatabricksError]:
        """Cancel what goes on; the errors of those that could not be cancelled."""

        async def cancel(run_id: int) -> DatabricksError | None:
            def expired() -> OperationTimeout:
                return OperationTimeout(f"no answer after {_LEAVING_SECONDS:g} s to the request to cancel it")

            try:
                async with time_limit(_LEAVING_SECONDS, expired):
                    await self._jobs.cancel_run(run_id)
            except DatabricksError as error:
                error.add_note(f"run {run_id} could not be cancelled and goes on")
                log.warning("run %d could not be cancelled and goes on: %s", run_id, error)
                return error
            self._going_on.discard(run_id)
            return None

        errors = await gather(cancel(run_id) for run_id in sorted(self._going_on))
        return [error for error in errors if error is not None]


def _can_be_repaired(failed: RunFailed) -> bool:
    """Whether it is worth trying again: not what somebody cancelled, and not what never began."""
    return bool(failed.failed_tasks) and end_of(failed.run) not in _NOT_REPAIRED


def _report(errors: list[DatabricksError], ending: BaseException | None) -> None:
    """Runs that could not be cancelled: in a note of the error that ended the block, else as an error themselves."""
    if not errors:
        return
    notes = [note for error in errors for note in error.__notes__]
    if ending is None:
        first = errors[0]
        for note in notes[1:]:
            first.add_note(note)
        raise first
    for note in notes:
        ending.add_note(note)
