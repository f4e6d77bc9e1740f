"""One timer for the time limits of all requests in flight."""

from __future__ import annotations

import asyncio


class Deadlines:
    """One timer for all requests in flight: a timer for each would cost a tenth of a request.

    Every entry gets the same time, so the oldest is always the first to end. An entry that runs out has its task
    cancelled; `stop` tells that cancellation from the caller's own.
    """

    def __init__(self, seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._seconds = seconds
        self._entries: dict[asyncio.Task[object], float] = {}
        self._expired: set[asyncio.Task[object]] = set()
        self._timer: asyncio.TimerHandle | None = None

    def start(self, task: asyncio.Task[object]) -> None:
        self._entries[task] = at = self._loop.time() + self._seconds
        if self._timer is None:
            self._timer = self._loop.call_at(at, self._check)

    def restart(self, task: asyncio.Task[object]) -> None:
        """All the time once more, if there is any left."""
        if self._entries.pop(task, None) is not None:
            self.start(task)

    def stop(self, task: asyncio.Task[object]) -> bool:
        """Whether the time of this task ran out; its cancellation is then taken back."""
        self._entries.pop(task, None)
        if task not in self._expired:
            return False
        self._expired.discard(task)
        task.uncancel()
        return True

    def close(self) -> None:
        """End the time of all entries."""
        if self._timer is not None:
            self._timer.cancel()
        for task in list(self._entries):
            self._expire(task)

    def _check(self) -> None:
        self._timer = None
        now = self._loop.time()
        for task, at in list(self._entries.items()):
            if at > now:
                self._timer = self._loop.call_at(at, self._check)
                return
            self._expire(task)

    def _expire(self, task: asyncio.Task[object]) -> None:
        del self._entries[task]
        self._expired.add(task)
        task.cancel()
