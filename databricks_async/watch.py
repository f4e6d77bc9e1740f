"""Changes as async iterators: read again and again, hand out what changed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from databricks_async.errors import NotFound

T = TypeVar("T")

_SLOWEST = 10.0
"""Pauses grow to this many times the first one."""


class Schedule:
    """The pauses between two readings: spread, growing while nothing changes, short again after a change."""

    def __init__(self, first_pause: float) -> None:
        self._first = self._next = first_pause

    def changed(self) -> None:
        self._next = self._first

    async def pause(self) -> None:
        # Spread, so that many watchers that began together do not read together.
        await asyncio.sleep(self._next * random.uniform(0.8, 1.2))  # noqa: S311
        self._next = min(self._next * 1.5, self._first * _SLOWEST)


class Watch(Generic[T], AsyncIterator[T]):
    """Yields what `read` gives whenever its `key` differs from the last one, the first reading included.

    Ends when the object that it has seen does not exist any more. Holds nothing between two steps, so a loop over it
    can be left at any time.
    """

    def __init__(
        self, read: Callable[[], Awaitable[T]], key: Callable[[T], Hashable], *, first_pause: float
    ) -> None:
        self._read = read
        self._key = key
        self._schedule = Schedule(first_pause)
        self._seen = False
        self._last: Hashable = None

    def __aiter__(self) -> Watch[T]:
        return self

    async def __anext__(self) -> T:
        if self._seen:
            await self._schedule.pause()
        while True:
            try:
                value = await self._read()
            except NotFound:
                if self._seen:
                    raise StopAsyncIteration from None
                raise
            key = self._key(value)
            if not self._seen or key != self._last:
                self._seen, self._last = True, key
                self._schedule.changed()
                return value
            await self._schedule.pause()
