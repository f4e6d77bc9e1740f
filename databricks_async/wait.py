"""Wait: an operation under way, to be awaited, followed, or left alone."""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Awaitable, Callable, Coroutine, Generator, Hashable
from datetime import timedelta
from functools import wraps
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Protocol, TypeAlias, TypeVar

from databricks_async.aio import time_limit
from databricks_async.errors import NotFound, OperationFailed, OperationTimeout
from databricks_async.polling import PollInterval
from databricks_async.suggest import has_no, refuse
from databricks_async.watch import Watch

T = TypeVar("T")
R = TypeVar("R")
W = TypeVar("W", covariant=True)
P = ParamSpec("P")
Result = TypeVar("Result", covariant=True)

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

    if not TYPE_CHECKING:  # to type checkers there are none
        __iter__ = refuse(
            "a wait is asynchronous: write `async for change in wait`, or `await wait.result()` for its end"
        )
        __await__ = refuse(
            "a wait is not awaited: write `await wait.result()` for its end, or `async for change in wait`"
        )

    @has_no(callback="write `async for change in wait: ...` to see each change")
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


class _HasResult(Protocol[Result]):
    async def result(self, timeout: Timeout = None) -> Result: ...


class Starting(Coroutine[Any, Any, W]):
    """A call that starts something: `await call` returns its wait, `await call.result()` the result of that."""

    def __init__(self, call: Coroutine[Any, Any, W]) -> None:
        self._call = call
        self.__qualname__ = getattr(call, "__qualname__", type(call).__name__)

    @has_no(callback="write `async for change in await call: ...` to see each change")
    async def result(self: Starting[_HasResult[R]], timeout: Timeout = None) -> R:
        """Make the call, then wait for its end: as `result` of the wait, with the same errors."""
        try:
            seconds = seconds_of(timeout)  # before anything is sent
        except BaseException:
            self.close()
            raise
        return await (await self).result(seconds)

    def __await__(self) -> Generator[Any, Any, W]:
        return self._call.__await__()

    def send(self, value: Any) -> Any:
        return self._call.send(value)

    def throw(self, *error: Any) -> Any:
        return self._call.throw(*error)

    def close(self) -> None:
        self._call.close()


def starts(method: Callable[P, Coroutine[Any, Any, W]]) -> Callable[P, Starting[W]]:
    """A method that starts something and returns a wait for it: `await w.jobs.run_now(1).result()` works too."""

    @wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> Starting[W]:
        return Starting(method(*args, **kwargs))

    # For what has to know before it calls, such as the mocks of `unittest.mock`.
    if sys.version_info >= (3, 12):
        return inspect.markcoroutinefunction(call)
    call._is_coroutine = asyncio.coroutines._is_coroutine  # type: ignore[attr-defined]
    return call
