"""One thing, followed by one caller: its next state that the caller cares for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

from databricks_async.errors import NotFound
from databricks_async.polling.reader import Reader
from databricks_async.polling.things import Follower, Snapshot, Thing, copied

K = TypeVar("K")
T = TypeVar("T")

FAIL_AFTER_SECONDS = 600.0
"""How long polls may fail before the failure is raised, unless the caller says otherwise."""
_GRACE_PERIOD_SECONDS = 30.0
"""For so long after it was made, an object may not be found yet."""


class Following(Follower[K, T], Generic[K, T]):
    """Follows one thing of a reader. Holds nothing of it between two calls of `next`."""

    __slots__ = ("_accept", "_found_by", "_grace_period", "_missing", "_note", "_reader", "_since", "thing")

    def __init__(
        self,
        name: str,
        reader: Reader[K, T],
        thing: Thing[K, T],
        *,
        tick: float,
        fail_after: float | None,
        grace_period: bool = False,
        note: Callable[[Snapshot[T]], None] | None = None,
    ) -> None:
        super().__init__(name, tick, fail_after)
        self.thing = thing
        self._reader = reader
        self._note = note
        self._grace_period = grace_period
        self._found_by: float | None = None
        self._accept: Callable[[T], bool] = _anything
        self._missing: NotFound | None = None
        self._since = -1

    async def next(self, accept: Callable[[T], bool]) -> T:
        """The thing at the first poll from now on that shows it as `accept` wants it, or at one since the last call.

        Raises `NotFound` when it is not there, and the last error when polls fail for too long.
        """
        thing = self.thing
        if self._since < 0:  # what was asked before somebody cared may be out of date
            self._since = self._reader.requests
            if self._grace_period:
                self._found_by = asyncio.get_running_loop().time() + _GRACE_PERIOD_SECONDS
        self._accept, self._missing = accept, None
        if self.see(thing) and thing.seen is not None:
            value = thing.seen.value()
            thing.seen.forget()
        else:
            value = await self._reader.wait(self)
        if self._missing is not None:
            raise copied(self._missing)
        return value

    @property
    def good_at(self) -> float | None:
        """When the last good poll began."""
        return self.thing.good_at

    def renew(self) -> None:
        """The caller did something to it: only what is asked from now on counts."""
        self._since = self._reader.requests

    def things(self) -> tuple[Thing[K, T]]:
        return (self.thing,)

    def see(self, thing: Thing[K, T]) -> bool:
        if thing.number <= self._since or thing.seen is None:
            return False
        self._since, self._found_by = thing.number, None
        if self._note is not None:
            self._note(thing.seen)
        return self._accept(thing.seen.value())

    def miss(self, thing: Thing[K, T], error: NotFound) -> bool:
        if self._found_by is not None and asyncio.get_running_loop().time() <= self._found_by:
            return False
        self._missing = error
        return True


def _anything(_: object) -> bool:
    return True
