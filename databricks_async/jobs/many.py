"""Many runs at once: started as others end, reported as they finish."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeAlias

import attrs

from databricks_async.codec import given_as
from databricks_async.codec.given import Given
from databricks_async.errors import LifecycleError, OperationFailed, OperationTimeout
from databricks_async.jobs.models import BaseRun, RunNow, SubmitRun
from databricks_async.jobs.runs import RunWait
from databricks_async.suggest import refuse
from databricks_async.wait import Timeout, seconds_of

RunRequest: TypeAlias = RunNow | Given[SubmitRun]
"""What to run: a mapping is a RunNow if it has a `job_id`, a SubmitRun otherwise."""


class RunStarter(Protocol):
    """The calls with which runs are started; `Jobs` has them."""

    def run_now(self, job: Given[RunNow], /) -> Awaitable[RunWait]: ...

    def submit(self, run: Given[SubmitRun], /) -> Awaitable[RunWait]: ...


_LEAVING_SECONDS = 30.0
"""How long leaving the block waits for the answers to requests that start runs, at most."""


@attrs.frozen
class Outcome:
    """The result of one request."""

    index: int
    """Its place among the requests, from 0."""
    request: RunRequest
    run_id: int | None
    """None if no run is known to have started."""
    run: BaseRun | None
    """The run as it was last seen, with its tasks if it ended."""
    error: Exception | None
    """None if the run ended well; else why it did not, or why it was not started or not followed to its end."""


class Outcomes(AsyncIterator[Outcome]):
    """`async with w.jobs.run_many(...) as outcomes: async for outcome in outcomes`: each as it comes about.

    Nothing more is started while as many outcomes as may be active wait to be taken. A run that took longer than
    `timeout` is reported, goes on, and is not counted as active any more.

    Leaving the block ends the waiting and starts nothing more; runs that were started go on, see `active`. It takes
    until requests on their way are answered, 30 seconds at most, so that every run that was started is known.
    """

    def __init__(self, jobs: RunStarter, requests: Iterable[RunRequest], max_active: int, timeout: Timeout) -> None:
        if type(max_active) is not int or max_active < 1:
            raise ValueError(f"max_active must be a whole number from 1 on, not {max_active!r}")
        if isinstance(requests, Mapping | RunNow | SubmitRun):
            raise TypeError("run_many takes several requests: put a single one into a list")
        self.active: dict[int, RunRequest] = {}
        """Runs that were started and have not been reported, by run id."""
        self._jobs = jobs
        self._requests: Iterator[tuple[int, RunRequest]] = enumerate(requests)
        self._workers = max_active
        self._timeout = seconds_of(timeout)
        self._room = asyncio.Semaphore(2 * max_active)
        self._finished: asyncio.Queue[Outcome | None] = asyncio.Queue()
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

    async def __aenter__(self) -> Self:
        if self._tasks is not None:
            raise RuntimeError("these runs were begun already: call run_many again")
        self._tasks = [
            asyncio.create_task(self._work(), name=f"databricks_async: run_many {number}")
            for number in range(self._workers)
        ]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._left = True
        tasks = self._tasks or []
        for task in tasks:
            if task not in self._starting:
                task.cancel()
        try:
            await asyncio.wait(tasks, timeout=_LEAVING_SECONDS)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def __anext__(self) -> Outcome:
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
                outcome = await self._run(index, request)
                if outcome is not None:
                    self._finished.put_nowait(outcome)
                if self._left or (outcome is not None and isinstance(outcome.error, LifecycleError)):
                    break
        except StopIteration:
            self._room.release()
        except Exception as error:  # the caller's own iterable failed: raised when all that was started is reported
            self._failure = error
            self._room.release()
        finally:  # also when cancelled: a loop that goes on after the block has to end
            self._finished.put_nowait(None)

    async def _run(self, index: int, request: RunRequest) -> Outcome | None:
        """The outcome; None if the block has been left."""
        run_id, run, error = None, None, None
        try:
            wait = await self._start(request)
            run_id = wait.run_id
            self.active[run_id] = request
            if self._left:
                return None
            run = await wait.result(self._timeout)
        except Exception as failed:
            error = failed
            if isinstance(failed, OperationFailed | OperationTimeout):
                run = failed.last
        return Outcome(index, request, run_id, run, error)

    async def _start(self, request: RunRequest) -> RunWait:
        given = given_as(request)
        is_job = isinstance(given, RunNow) or (isinstance(given, Mapping) and "job_id" in given)
        task = asyncio.current_task()
        self._starting.add(task)
        try:
            return await (self._jobs.run_now(request) if is_job else self._jobs.submit(request))  # type: ignore[arg-type]
        finally:
            self._starting.discard(task)
