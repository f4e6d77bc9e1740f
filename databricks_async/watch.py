"""Watch: changes as an async iterator. An object is polled again and again, and each change is returned once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from typing import TYPE_CHECKING, Generic, TypeVar

from databricks_async.errors import ResourceDoesNotExist
from databricks_async.polling import PollInterval, poll
from databricks_async.suggest import refuse

T = TypeVar("T")

_NOTHING = object()


class Watch(Generic[T], AsyncIterator[T]):
    """Yields what `read` returns whenever its `key` differs from the last one, the first result included.

    Ends after a value for which `ended` is true, or when the object that it has seen does not exist any more. Holds
    nothing between two steps, so a loop over it can be left at any time.
    """

    def __init__(
        self,
        name: str,
        read: Callable[[], Awaitable[T]],
        key: Callable[[T], Hashable],
        *,
        interval: PollInterval,
        ended: Callable[[T], bool] = lambda _: False,
    ) -> None:
        self._name = name
        self._read = read
        self._key = key
        self._ended = ended
        self._interval = interval.copy()
        self._last: Hashable = _NOTHING
        self._over = False

    def __aiter__(self) -> Watch[T]:
        return self

    if not TYPE_CHECKING:  # to type checkers there are none
        __iter__ = __await__ = refuse("a watch is asynchronous: write `async for change in watch`")

    async def __anext__(self) -> T:
        while not self._over:
            if self._last is not _NOTHING:
                await self._interval.pause()
            try:
                value = await poll(self._name, self._read, self._interval)
            except ResourceDoesNotExist:
                if self._last is _NOTHING:
                    raise
                break
            key = self._key(value)
            if key != self._last:
                self._last = key
                self._interval.reset()
                self._over = self._ended(value)
                return value
        self._over = True
        raise StopAsyncIteration

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._name}>"
