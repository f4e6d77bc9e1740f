"""An event loop in virtual time: it jumps to its next timer instead of waiting, also while it serves real HTTP."""

from __future__ import annotations

import asyncio
import selectors
import time
from typing import Any

_GRACE_SECONDS = 0.002
"""Real seconds in which bytes under way on the loopback interface must arrive before time jumps."""


_real_monotonic = time.monotonic


def virtual_monotonic() -> float:
    """`time.monotonic` for code on a loop in virtual time; outside such a loop, the real one."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return _real_monotonic()
    return loop.time() if isinstance(loop, VirtualLoop) else _real_monotonic()


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop whose time passes only when nothing is left to do: a busy machine changes no measurement.

    Client and server must share it. While one of its threads works, or bytes arrive, its time stands still.
    """

    def __init__(self) -> None:
        self.now = 1000.0
        self.threads_at_work = 0
        super().__init__(_JumpingSelector(self))

    def time(self) -> float:
        return self.now

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> asyncio.Future[Any]:
        future = super().run_in_executor(executor, func, *args)
        self.threads_at_work += 1
        future.add_done_callback(self._a_thread_is_done)
        return future

    async def shutdown_default_executor(self, *timeout: Any) -> None:
        self.threads_at_work += 1
        try:
            await super().shutdown_default_executor(*timeout)
        finally:
            self.threads_at_work -= 1

    def _a_thread_is_done(self, _: asyncio.Future[Any]) -> None:
        self.threads_at_work -= 1


class _JumpingSelector(selectors.DefaultSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout <= 0:  # callbacks are ready
            return super().select(0)
        if timeout is None or self._loop.threads_at_work:  # bytes or a thread will wake the loop
            return super().select(None)
        has_connections = len(self.get_map()) > 1  # one is the pipe by which the loop is woken
        if ready := super().select(_GRACE_SECONDS if has_connections else 0):
            return ready
        self._loop.now += timeout
        return []
