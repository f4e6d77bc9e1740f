"""Watch and Changes: what happens to one thing, or to many, as an async iterator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from databricks_async.errors import ResourceDoesNotExist
from databricks_async.suggest import refuse

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
C = TypeVar("C")
C_co = TypeVar("C_co", covariant=True)

_NOTHING = object()


def never(_: object) -> bool:
    """The end of a watch that has none."""
    return False


def _age(good_at: float | None) -> float | None:
    return None if good_at is None else asyncio.get_running_loop().time() - good_at


class Polled(Protocol):
    """What is watched, and when its picture was taken."""

    @property
    def name(self) -> str: ...

    @property
    def good_at(self) -> float | None: ...


class Followed(Polled, Protocol[T_co]):
    """One thing: gives its next state that is accepted."""

    async def next(self, accept: Callable[[Any], bool], /) -> T_co: ...


class ChangesOf(Polled, Protocol[C_co]):
    """Many things: gives their next change."""

    async def next(self) -> C_co: ...


class Watch(Generic[T], AsyncIterator[T]):
    """Yields a thing whenever its state differs from the last one that was yielded, at the first poll too.

    Ends when the thing that it has seen does not exist any more (`deleted` is true then). Holds nothing between two
    steps, so a loop over it can be left at any time. After an error, or a timeout of one step
    (`asyncio.wait_for(anext(watch), 15)`), it can be taken up again where it was. Closing the client ends a step under
    way with a `LifecycleError`; in a stream take it for the end.
    """

    def __init__(
        self,
        following: Followed[T],
        key: Callable[[T], Hashable],
        *,
        ended: Callable[[T], bool] = never,
    ) -> None:
        self._following = following
        self._key = key
        self._ended = ended
        self._last: Hashable = _NOTHING
        self._over = False
        self.deleted = False
        """Whether it ended because the thing does not exist any more."""

    def __aiter__(self) -> Watch[T]:
        return self

    if not TYPE_CHECKING:  # to type checkers there are none
        __iter__ = __await__ = refuse("a watch is asynchronous: write `async for change in watch`")

    async def __anext__(self) -> T:
        if self._over:
            raise StopAsyncIteration
        try:
            value = await self._following.next(self._is_change)
        except ResourceDoesNotExist:
            if self._last is _NOTHING:
                raise
            self._over = self.deleted = True
            raise StopAsyncIteration from None
        self._last = self._key(value)
        self._over = self._ended(value)
        return value

    def _is_change(self, value: T) -> bool:
        return self._key(value) != self._last

    @property
    def age(self) -> float | None:
        """Seconds since the last good poll; None before the first one. Grows while polls fail, or none is made."""
        return _age(self._following.good_at)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._following.name}>"


class Changes(Generic[C], AsyncIterator[C]):
    """Yields each change of many things, in the order in which polls see them. The first poll of a thing is one too.

    A thing that is deleted has a last change, whose `after` is None. Ends when nothing is left to watch, or after a
    change for which `until` is true; `watch()` of all never ends by itself. Holds nothing between two steps, so a loop
    over it can be left at any time. After an error, or a timeout of one step (`asyncio.wait_for(anext(changes), 15)`),
    it can be taken up again where it was. Closing the client ends a step under way with a `LifecycleError`; in a stream
    take it for the end.
    """

    def __init__(self, group: ChangesOf[C], until: Callable[[C], bool] = never) -> None:
        self._group = group
        self._until = until
        self._over = False

    def __aiter__(self) -> Changes[C]:
        return self

    if not TYPE_CHECKING:  # to type checkers there are none
        __iter__ = __await__ = refuse("changes come one after the other: write `async for change in changes`")

    async def __anext__(self) -> C:
        if self._over:
            raise StopAsyncIteration
        try:
            change = await self._group.next()
        except StopAsyncIteration:
            self._over = True
            raise
        self._over = self._until(change)
        return change

    @property
    def age(self) -> float | None:
        """Seconds since the last good poll of what was polled longest ago; None if something was not seen yet.

        Grows while polls fail, or none is made.
        """
        return _age(self._group.good_at)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._group.name}>"
