"""Wait: an operation under way, to be awaited, followed, or left alone."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from datetime import timedelta
from typing import Generic, TypeVar

from databricks_async.errors import (
    DatabricksError,
    NotFound,
    OperationFailed,
    OperationTimeout,
    TooManyRequests,
    TransportError,
)
from databricks_async.watch import Watch

log = logging.getLogger("databricks_async")

T = TypeVar("T")

_PATIENCE_SECONDS = 600.0
"""How long a wait lives without one good reading."""
_NEWBORN_SECONDS = 30.0
"""For so long after it was made, an object may not be found yet."""


class Wait(Generic[T]):
    """An operation that the service carries out after its answer.

    `await wait.result()` waits for its end, `async for change in wait` sees each change of state up to the end. Nothing
    is read before one of them is used, and leaving either of them leaves the operation alone. Bad readings (connection
    lost, 5xx, 429) do not end a wait before 10 minutes have passed without a good one.
    """

    def __init__(
        self,
        name: str,
        read: Callable[[], Awaitable[T]],
        *,
        key: Callable[[T], Hashable],
        ended: Callable[[T], bool],
        failure: Callable[[T], str | None],
        first_pause: float,
        newborn: bool = False,
    ) -> None:
        self._name = name
        self._read = read
        self._key = key
        self._ended = ended
        self._failure = failure
        self._first_pause = first_pause
        self._newborn = newborn
        self.last: T | None = None
        """The last reading."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} for {self._name}>"

    async def __aiter__(self) -> AsyncIterator[T]:
        """Each change of state once, the first reading and the last included; raises nothing for a failed end."""
        async for value in Watch(self._patiently(), self._key, first_pause=self._first_pause):
            yield value
            if self._ended(value):
                return

    async def result(self, timeout: float | timedelta | None = None) -> T:
        """The object at the end of the operation.

        `timeout` is in seconds; None waits for as long as it takes. Raises `OperationFailed` when the operation ended
        badly and `OperationTimeout` when the time ran out; both carry the last reading as `.last`, and neither stops
        the operation.
        """
        seconds = timeout.total_seconds() if isinstance(timeout, timedelta) else timeout
        try:
            async with asyncio.timeout(seconds) as limit:
                async for _ in self:  # the reading itself keeps the last one
                    pass
        except TimeoutError:
            if not limit.expired():
                raise
            raise OperationTimeout(
                f"{self._name} has not ended after {seconds:g} s (last seen: {self._seen()}); it goes on",
                last=self.last,
            ) from None
        last = self.last
        if last is None or not self._ended(last):
            raise OperationFailed(f"{self._name}: it was deleted while it was waited for", last=last)
        if (reason := self._failure(last)) is not None:
            raise OperationFailed(f"{self._name} failed: {reason}", last=last)
        return last

    def _seen(self) -> object:
        return None if self.last is None else self._key(self.last)

    def _patiently(self) -> Callable[[], Awaitable[T]]:
        """The reading, made to survive bad answers."""
        started = good_at = time.monotonic()

        async def read() -> T:
            nonlocal good_at
            pause = self._first_pause
            while True:
                try:
                    self.last = value = await self._read()
                except (TransportError, TooManyRequests) as error:
                    failure: DatabricksError = error
                except NotFound as error:
                    if not self._newborn or self.last is not None or time.monotonic() - started > _NEWBORN_SECONDS:
                        raise
                    failure = error
                except DatabricksError as error:
                    if error.status is None or error.status < 500:
                        raise
                    failure = error
                else:
                    good_at = time.monotonic()
                    return value
                if time.monotonic() - good_at > _PATIENCE_SECONDS:
                    raise failure
                log.warning("%s: a reading failed (%s), waiting goes on", self._name, failure.message)
                await asyncio.sleep(pause)
                pause = min(pause * 2, self._first_pause * 30)

        return read
