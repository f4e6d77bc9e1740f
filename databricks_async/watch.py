"""Changes as async iterators: read again and again, through bad readings too, and hand out what changed."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from typing import Generic, TypeAlias, TypeVar

from databricks_async.errors import (
    CertificateError,
    DeadlineExceeded,
    InternalError,
    InvalidResponse,
    ResourceDoesNotExist,
    TemporarilyUnavailable,
    TooManyRequests,
    TransportError,
)

log = logging.getLogger("databricks_async")

T = TypeVar("T")

_SLOWEST = 10.0
"""Pauses grow to this many times the first one."""
_PATIENCE_SECONDS = 600.0
"""How long readings may fail before the failure is passed on."""
_BAD_READINGS = (
    TransportError,
    InvalidResponse,
    TooManyRequests,
    InternalError,
    TemporarilyUnavailable,
    DeadlineExceeded,
)
_NOTHING = object()


Pause: TypeAlias = Callable[[float], Awaitable[object]]
"""Sleeps so many seconds, though not beyond the end of the client."""


class Schedule:
    """The pauses between two readings: spread, growing while nothing changes, short again after a change."""

    def __init__(self, first_pause: float, pause: Pause = asyncio.sleep) -> None:
        self._first = self._next = first_pause
        self._pause = pause

    def anew(self) -> Schedule:
        """The same for something else to read."""
        return Schedule(self._first, self._pause)

    def changed(self) -> None:
        self._next = self._first

    async def pause(self) -> None:
        # Spread, so that many watchers that began together do not read together.
        await self._pause(self._next * random.uniform(0.8, 1.2))  # noqa: S311
        self._next = min(self._next * 1.5, self._first * _SLOWEST)


async def patiently(name: str, read: Callable[[], Awaitable[T]], schedule: Schedule) -> T:
    """One good reading. Lost connections, 5xx and 429 are not passed on before 10 minutes of nothing else."""
    now = asyncio.get_running_loop().time
    give_up_at = now() + _PATIENCE_SECONDS
    schedule = schedule.anew()
    while True:
        try:
            return await read()
        except _BAD_READINGS as error:
            # A certificate does not mend itself, and a redirect points elsewhere for good.
            hopeless = isinstance(error, CertificateError) or (
                isinstance(error, InvalidResponse) and error.status != 200
            )
            if hopeless or now() > give_up_at:
                raise
            log.warning("%s: a reading failed, reading goes on: %s", name, error)
        await schedule.pause()


class Watch(Generic[T], AsyncIterator[T]):
    """Yields what `read` gives whenever its `key` differs from the last one, the first reading included.

    Ends after a value for which `ended` is true, or when the object that it has seen does not exist any more. Holds
    nothing between two steps, so a loop over it can be left at any time.
    """

    def __init__(
        self,
        name: str,
        read: Callable[[], Awaitable[T]],
        key: Callable[[T], Hashable],
        *,
        schedule: Schedule,
        ended: Callable[[T], bool] = lambda _: False,
    ) -> None:
        self._name = name
        self._read = read
        self._key = key
        self._ended = ended
        self._schedule = schedule.anew()
        self._last: Hashable = _NOTHING
        self._over = False

    def __aiter__(self) -> Watch[T]:
        return self

    async def __anext__(self) -> T:
        while not self._over:
            if self._last is not _NOTHING:
                await self._schedule.pause()
            try:
                value = await patiently(self._name, self._read, self._schedule)
            except ResourceDoesNotExist:
                if self._last is _NOTHING:
                    raise
                break
            key = self._key(value)
            if key != self._last:
                self._last = key
                self._schedule.changed()
                self._over = self._ended(value)
                return value
        self._over = True
        raise StopAsyncIteration

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._name}>"
