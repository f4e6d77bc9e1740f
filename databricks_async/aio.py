"""What asyncio lacks: time limits that know their own expiry, single flight, gather, work off the loop."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Iterable
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager, nullcontext
from functools import partial
from typing import Any, Generic, TypeAlias, TypeVar

T = TypeVar("T")

Sleep: TypeAlias = Callable[[float], Awaitable[object]]
"""Sleeps so many seconds. A session's own ends with the client, by a `LifecycleError`."""


@asynccontextmanager
async def time_limit(seconds: float | None, expired: Callable[[], Exception]) -> AsyncIterator[None]:
    """End the block after so many seconds with the error that `expired` makes; None is without limit.

    A `TimeoutError` that the block itself raises is passed on as it is.
    """
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            yield
    except TimeoutError:
        if not limit.expired():
            raise
        raise expired() from None


async def wait_through(futures: Collection[asyncio.Future[Any]]) -> asyncio.CancelledError | None:
    """Wait until all of these are done, also if the caller is cancelled meanwhile, however often.

    Returns the cancellation, which the caller has to raise when the rest is in order. Futures that are added to the
    collection during the wait are waited for too.
    """
    cancelled = None
    with ExitStack() as shield:
        while pending := [future for future in futures if not future.done()]:
            try:
                await asyncio.wait(pending)
            except asyncio.CancelledError as error:
                if cancelled is None:
                    shield.enter_context(_shield())
                cancelled = error
    return cancelled


def _shield() -> AbstractContextManager[object]:
    """Keeps the cancel scopes of anyio from cancelling again at each turn of the loop, which would never rest.

    Where anyio was not imported the caller is in none of its scopes.
    """
    anyio: Any = sys.modules.get("anyio")
    return nullcontext() if anyio is None else anyio.CancelScope(shield=True)


async def off_loop(function: Callable[..., T], *args: Any, undo: Callable[[T], object] | None = None) -> T:
    """Call it in a thread. A caller that is cancelled waits for its end: what it uses may be closed after that.

    `undo` gets the result that the caller then does not get.
    """
    work = asyncio.get_running_loop().run_in_executor(None, partial(function, *args))
    cancelled = await wait_through((work,))
    if cancelled is None:
        return work.result()
    if work.exception() is None and undo is not None:
        undo(work.result())
    raise cancelled


async def gather(calls: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """The results of calls made at the same time, in their order. The first failure ends the others and is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(call) for call in calls]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from failures.exceptions[0].__cause__
    return [task.result() for task in tasks]


class SingleFlight(Generic[T]):
    """Work that is done once for all callers who want it at the same time.

    It runs in a task of its own, so a caller that is cancelled takes it from no other. When the last caller has gone
    it is cancelled, unless `keep` is set. It begins anew for the first caller after its end, however it ended.
    """

    def __init__(self, work: Callable[[], Coroutine[Any, Any, T]], name: str, *, keep: bool = False) -> None:
        self._work = work
        self._name = name
        self._keep = keep
        self._task: asyncio.Task[T] | None = None
        self._callers = Counter[asyncio.Task[T]]()

    @property
    def is_under_way(self) -> bool:
        return self._task is not None and not self._task.done()

    @property
    def is_wanted(self) -> bool:
        """Whether any caller waits."""
        return bool(self._callers)

    def begin(self) -> asyncio.Task[T]:
        """The work under way; begun if there is none."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work(), name=self._name)
            self._task.add_done_callback(self._ended)
        return self._task

    async def join(self) -> asyncio.Task[T]:
        """Wait for the end of the work under way, begun if there is none. Returns its task, which is done."""
        task = self.begin()
        self._callers[task] += 1
        try:
            await asyncio.wait((task,))
        finally:
            self._callers[task] -= 1
            if not self._callers[task]:
                del self._callers[task]
                if not task.done() and not self._keep:
                    if self._task is task:
                        self._task = None  # a caller who comes now does not join what ends
                    task.cancel()
                    await asyncio.wait((task,))
        return task

    async def cancel(self) -> None:
        """End the work under way: the callers get a cancelled task."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))

    def _ended(self, task: asyncio.Task[T]) -> None:
        if self._task is task:
            self._task = None
        if not task.cancelled():
            task.exception()  # keeps asyncio quiet about a failure for which no caller has waited
