"""Wait: an operation under way, to be awaited, followed, or left alone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from datetime import timedelta
from typing import Any, Generic, TypeAlias, TypeVar

from databricks_async.aio import time_limit
from databricks_async.errors import NotFound, OperationFailed, OperationTimeout
from databricks_async.polling import PollInterval
from databricks_async.watch import Watch

T = TypeVar("T")
R = TypeVar("R")

Timeout: TypeAlias = float | timedelta | None
"""Seconds; None is without limit."""

_GRACE_PERIOD_SECONDS = 30.0
"""For so long after it was made, an object may not be found yet."""


def seconds_of(timeout: Timeout) -> float | None:
    if isinstance(timeout, timedelta):
        timeout = timeout.total_seconds()
    if timeout is None:
        return None
    if not isinstance(timeout, int | float) or isinstance(timeout, bool):
        raise TypeError(f"timeout must be seconds, a timedelta or None, not {type(timeout).__name__}")
    if not timeout >= 0:
        raise ValueError(f"timeout must be 0 seconds or more, not {timeout}")
    return timeout


class Wait(Generic[T]):
    """An operation that the service carries out after its answer.

    `await wait.result()` waits for its end, `async for change in wait` sees each change of state up to the end. Nothing
    is read before one of them is used, and leaving either of them leaves the operation alone. Polls that fail
    (connection lost, 5xx, 429) do not end a wait before 10 minutes have passed without a good one.
    """

    def __init__(
        self,
        name: str,
        read: Callable[[], Awaitable[T]],
        *,
        key: Callable[[T], Hashable],
        ended: Callable[[T], bool],
        failure: Callable[[T], str | None],
        interval: PollInterval,
        grace_period: bool = False,
    ) -> None:
        self._name = name
        self._read = read
        self._key = key
        self._ended = ended
        self._failure = failure
        self._interval = interval
        self._grace_period = grace_period
        self.last: T | None = None
        """What the last poll returned."""
        self.response: Any = None
        """The answer to the call that began it, as a model; None if it says nothing."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} for {self._name}>"

    def __aiter__(self) -> Watch[T]:
        """Each change of state once, the first poll and the last included; raises nothing for a failed end."""
        return Watch(self._name, self._reader(), self._key, interval=self._interval, ended=self._ended)

    async def result(self, timeout: Timeout = None) -> T:
        """The object at the end of the operation.

        `timeout` is in seconds; None waits for as long as it takes. Raises `OperationFailed` when the operation ended
        badly and `OperationTimeout` when the time ran out; both carry what was last seen as `.last`, and neither
        stops the operation.
        """
        return await self._within(timeout, self._conclude)

    async def _within(self, timeout: Timeout, conclude: Callable[[T], Awaitable[R]]) -> R:
        """What `conclude` makes of the operation's end, in so much time."""
        seconds = seconds_of(timeout)

        def expired() -> OperationTimeout:
            seen = None if self.last is None else self._word(self.last)
            how = "goes on"
            if self.last is not None and self._ended(self.last):
                how = "has ended, but not all of it was read in this time"
            message = f"{self._name}: no result after {seconds:g} s (last seen: {seen}); it {how}"
            return OperationTimeout(message, last=self.last)

        async with time_limit(seconds, expired):
            return await conclude(await self._end())

    def _word(self, value: T) -> object:
        """How it stands, for a message."""
        return self._key(value)

    async def _end(self) -> T:
        last: T | None = None
        async for change in self:
            last = change
        if last is None or not self._ended(last):
            raise OperationFailed(f"{self._name}: it was deleted while it was waited for", last=last)
        return last

    async def _conclude(self, last: T) -> T:
        if (reason := self._failure(last)) is not None:
            raise OperationFailed(f"{self._name} failed: {reason}", last=last)
        return last

    def _reader(self) -> Callable[[], Awaitable[T]]:
        """What reads the object, keeps it as `last`, and waits for one that was only just made to be found."""
        now = asyncio.get_running_loop().time
        found_by = now() + _GRACE_PERIOD_SECONDS if self._grace_period else 0.0
        interval = self._interval.copy()

        async def read() -> T:
            while True:
                try:
                    self.last = value = await self._read()
                    return value
                except NotFound:
                    if self.last is not None or now() > found_by:
                        raise
                await interval.pause()

        return read
