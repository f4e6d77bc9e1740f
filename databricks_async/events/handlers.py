"""Who is told of events: handlers that can neither break a call nor hold it up."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from databricks_async.events.kinds import Event

Handler: TypeAlias = Callable[["Event"], Awaitable[None] | None]
"""Gets each event. A plain function is called at once, in the task of the call, and has to be quick. What an `async`
one does runs beside the calls, one event after the other."""

log = logging.getLogger("databricks_async.events")

_MAX_QUEUED = 1000
"""Events that an async handler may be behind; later ones are left out until it has caught up."""
_DRAIN_SECONDS = 1.0
"""How long a client that is closed waits for its async handlers."""


class Handlers:
    """All handlers of one client. `emit` returns at once and never raises."""

    def __init__(self, given: Handler | Iterable[Handler] | None = None) -> None:
        self.any = False
        """Whether there is one: without it no event is made."""
        self._each: tuple[_Handler, ...] = ()
        if given is None or callable(given):
            given = () if given is None else (given,)
        elif not isinstance(given, Iterable):
            raise TypeError(f"on_event takes functions of one event, not a {type(given).__name__}")
        for handler in given:
            self.add(handler)

    def add(self, handler: Handler) -> None:
        if not callable(handler):
            raise TypeError(f"on_event takes functions of one event, not a {type(handler).__name__}")
        self._each = (*self._each, _Handler(handler))
        self.any = True

    def has(self, kind: type) -> bool:
        """Whether there is a handler of this class."""
        return any(isinstance(handler.function, kind) for handler in self._each)

    def emit(self, event: Event) -> None:
        for handler in self._each:
            handler.call(event)

    async def aclose(self) -> None:
        """End what async handlers do: they get a second for the events that they have not seen."""
        await asyncio.gather(*(handler.aclose() for handler in self._each))


class _Handler:
    """One handler, and what it still has to do if it is async."""

    def __init__(self, function: Handler) -> None:
        self.function = function
        # That of the client's making: a handler runs for many calls, and not within the first one's.
        self._context = copy_context()
        self._queue = deque[Coroutine[Any, Any, None]]()
        self._worker: asyncio.Task[None] | None = None
        self._closed = False
        self._has_failed = self._is_behind = False

    def call(self, event: Event) -> None:
        try:
            result = self.function(event)
        except (Exception, asyncio.CancelledError) as error:
            self._failed(error)
            return
        if not inspect.isawaitable(result):
            return
        work = result if inspect.iscoroutine(result) else _awaited(result)
        if self._closed or not self._is_loop_running() or len(self._queue) >= _MAX_QUEUED:
            work.close()
            if len(self._queue) >= _MAX_QUEUED and not self._is_behind:
                self._is_behind = True
                log.warning("%s is %d events behind: it misses some from here on", self._name(), _MAX_QUEUED)
            return
        self._queue.append(work)
        if self._worker is None:
            self._start()

    async def aclose(self) -> None:
        self._closed = True
        worker = self._worker
        if worker is None or worker is asyncio.current_task():
            return  # a handler may close its client
        try:
            await asyncio.wait((worker,), timeout=_DRAIN_SECONDS)
        finally:
            worker.cancel()
            await asyncio.wait((worker,), timeout=_DRAIN_SECONDS)
            if not worker.done():
                log.error("%s goes on although it was cancelled", self._name())

    def _is_loop_running(self) -> bool:
        """A call that was dropped ends when Python finds it, which may be after the end of its loop."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return False
        return True

    def _start(self) -> None:
        loop = asyncio.get_running_loop()
        self._worker = loop.create_task(self._work(), name="databricks_async: on_event", context=self._context)
        self._worker.add_done_callback(self._ended)

    async def _work(self) -> None:
        task = asyncio.current_task()
        while self._queue and not (task is not None and task.cancelling()):
            try:
                await self._queue.popleft()
            except asyncio.CancelledError as error:
                if task is not None and task.cancelling():
                    raise
                self._failed(error)
            except Exception as error:
                self._failed(error)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Also of a task that was cancelled before its first step."""
        self._worker = None
        self._is_behind = False
        if self._queue and not task.cancelled() and not self._closed:
            self._start()
            return
        for unseen in self._queue:
            unseen.close()
        self._queue.clear()

    def _failed(self, error: BaseException) -> None:
        if not self._has_failed:
            self._has_failed = True
            log.error("%s failed, which is logged this once", self._name(), exc_info=error)

    def _name(self) -> str:
        return f"the event handler {getattr(self.function, '__qualname__', type(self.function).__name__)}"


async def _awaited(result: Awaitable[None]) -> None:
    await result
