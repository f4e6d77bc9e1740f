"""Wait: an operation under way, to be awaited, followed, or left alone."""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Awaitable, Callable, Coroutine, Generator, Hashable
from datetime import timedelta
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, Generic, NoReturn, ParamSpec, Protocol, TypeAlias, TypeVar

from databricks_async.aio import time_limit
from databricks_async.errors import OperationFailed, OperationTimeout, ResourceDoesNotExist
from databricks_async.polling.following import FAIL_AFTER_SECONDS, Following
from databricks_async.polling.pace import tick_of
from databricks_async.polling.reader import Reader
from databricks_async.polling.things import Snapshot
from databricks_async.suggest import has_no, refuse
from databricks_async.watch import Watch

T = TypeVar("T")
R = TypeVar("R")
W = TypeVar("W", covariant=True)
P = ParamSpec("P")
Result = TypeVar("Result", covariant=True)

Timeout: TypeAlias = float | timedelta | None
"""Seconds; None is without limit."""


def seconds_of(timeout: Timeout, name: str = "timeout") -> float | None:
    if isinstance(timeout, timedelta):
        timeout = timeout.total_seconds()
    if timeout is None:
        return None
    if not isinstance(timeout, int | float) or isinstance(timeout, bool):
        raise TypeError(f"{name} must be seconds, a timedelta or None, not {type(timeout).__name__}")
    if not timeout >= 0:
        raise ValueError(f"{name} must be 0 seconds or more, not {timeout}")
    return timeout


class Wait(Generic[T]):
    """An operation that the service carries out after its answer.

    `await wait.result()` waits for its end, `async for change in wait` sees each change of state up to the end. Nothing
    is read before one of them is used, and leaving either of them leaves the operation alone. Polls that fail
    (connection lost, 5xx, 429) do not end a wait before `fail_after` seconds have passed without a good one.
    """

    def __init__(
        self,
        name: str,
        reader: Reader[Any, T],
        thing: Hashable,
        *,
        key: Callable[[T], Hashable],
        ended: Callable[[T], bool],
        failure: Callable[[T], str | None],
        every: Timeout = None,
        grace_period: bool = False,
    ) -> None:
        tick_of(every, reader.tick)
        self._name = name
        self._reader = reader
        self._thing = thing
        self._key = key
        self._ended = ended
        self._failure = failure
        self._grace_period = grace_period
        self.every = every
        """Seconds between two polls, up to three times as many while nothing happens; None is the client's own
        `poll_interval_seconds`."""
        self.fail_after: Timeout = FAIL_AFTER_SECONDS
        """Seconds of bad polls alone after which the last failure is raised; None is never."""
        self._last: T | Snapshot[T] | None = None
        self.response: Any = None
        """The answer to the call that began it, as a model; None if it says nothing."""

    @property
    def last(self) -> T | None:
        """What the last poll returned that differed from the one before."""
        return self._last.value() if isinstance(self._last, Snapshot) else self._last

    @last.setter
    def last(self, last: T | Snapshot[T] | None) -> None:
        self._last = last

    def __repr__(self) -> str:
        return f"<{type(self).__name__} for {self._name}>"

    def __aiter__(self) -> Watch[T]:
        """Each change of state once, the first poll and the last included; raises nothing for a failed end."""
        return Watch(self._follow(), self._key, ended=self._ended)

    if not TYPE_CHECKING:  # to type checkers there are none
        __iter__ = refuse(
            "a wait is asynchronous: write `async for change in wait`, or `await wait.result()` for its end"
        )
        __await__ = refuse(
            "a wait is not awaited: write `await wait.result()` for its end, or `async for change in wait`"
        )

    @has_no(callback="write `async for change in wait: ...` to see each change")
    async def result(self, timeout: Timeout = None, *, every: Timeout = None, check: bool | None = None) -> T:
        """The object at the end of the operation, as it is now: it is read once more if an iteration has seen the end.

        `timeout` is in seconds; None waits for as long as it takes. `every` stands in for the attribute of that name.
        Raises `OperationFailed` when the operation ended badly, unless `check` is False, and `OperationTimeout` when
        the time ran out; both carry what was last seen as `.last`, and neither stops the operation.
        """
        return await self._within(timeout, every, partial(self._conclude, check is not False))

    async def _within(self, timeout: Timeout, every: Timeout, conclude: Callable[[T], Awaitable[R]]) -> R:
        """What `conclude` makes of the operation's end, in so much time."""
        seconds = seconds_of(timeout)

        def expired() -> OperationTimeout:
            seen = None if self.last is None else self._word(self.last)
            how = "it goes on"
            if self.last is None:
                how = "no poll has shown it"
            elif self._ended(self.last):
                how = "it has ended, but not all of it was read in this time"
            message = f"{self._name}: no result after {seconds:g} s (last seen: {seen}); {how}"
            return OperationTimeout(message, last=self.last)

        if seconds is None:
            return await conclude(await self._end(every))
        async with time_limit(seconds, expired):
            return await conclude(await self._end(every))

    def _word(self, value: T) -> object:
        """How it stands, for a message."""
        return self._key(value)

    async def _end(self, every: Timeout = None) -> T:
        try:
            self.last = last = await self._follow(every).next(self._ended)
        except ResourceDoesNotExist:
            if self.last is None:
                raise
            what = f"{self._name}: it was deleted while it was waited for"
            raise OperationFailed(what, last=self.last) from None
        return last

    async def _conclude(self, check: bool, last: T) -> T:
        if check and (reason := self._failure(last)) is not None:
            raise OperationFailed(f"{self._name} failed: {reason}", last=last)
        return last

    def _follow(self, every: Timeout = None) -> Following[Any, T]:
        thing = self._reader.thing(self._thing)
        if (last := self.last) is not None:
            self._reader.hint(thing, last)
        return Following(
            self._name,
            self._reader,
            thing,
            tick=tick_of(self.every if every is None else every, self._reader.tick),
            fail_after=seconds_of(self.fail_after, "fail_after"),
            grace_period=self._grace_period and self._last is None,
            note=self._saw,
        )

    def _saw(self, seen: Snapshot[T]) -> None:
        self._last = seen


answer_callback = has_no(callback="write `async for change in wait: ...`, over the wait of the call without _and_wait")
"""For a twin `..._and_wait`."""


class _HasResult(Protocol[Result]):
    async def result(self, timeout: Timeout = None, *, every: Timeout = None, check: bool | None = None) -> Result: ...


class Starting(Coroutine[Any, Any, W]):
    """A call that starts something: `await call` returns its wait, `await call.result()` the result of that."""

    def __init__(self, call: Coroutine[Any, Any, W]) -> None:
        self._call = call
        self.__qualname__ = getattr(call, "__qualname__", type(call).__name__)

    def __repr__(self) -> str:
        return f"<Starting by {self.__qualname__}: `await` it for its wait, or its `.result()` for the end>"

    if not TYPE_CHECKING:  # to type checkers there are none

        def __getattr__(self, name: str) -> NoReturn:
            whose = f"{type(self).__name__} has no attribute {name!r}"
            if not name.startswith("_"):
                whose += f": `await` it first, as in `(await {self.__qualname__}(...)).{name}`"
            raise AttributeError(whose, name=name, obj=self)

    @has_no(callback="write `async for change in await call: ...` to see each change")
    async def result(
        self: Starting[_HasResult[R]], timeout: Timeout = None, *, every: Timeout = None, check: bool | None = None
    ) -> R:
        """Make the call, then wait for its end: as `result` of the wait, with the same arguments and errors."""
        try:
            seconds = seconds_of(timeout)  # before anything is sent
            tick_of(every, 1.0)
        except BaseException:
            self.close()
            raise
        return await (await self).result(seconds, every=every, check=check)

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
