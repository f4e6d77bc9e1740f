"""Many things, followed by one caller: their changes, in the order in which they are seen."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import Generic, TypeVar, cast

import attrs

from databricks_async.errors import NotFound, ResourceDoesNotExist
from databricks_async.polling.reader import Reader
from databricks_async.polling.things import Follower, Scope, Snapshot, Thing, copied

K = TypeVar("K")
T = TypeVar("T")
C = TypeVar("C")

_MAX_MISSED = 2
"""What so many listings one after the other do not show has dropped out of them, though it can still be read."""


@attrs.define(eq=False, repr=False)
class _Known(Generic[K, T]):
    """A thing as the caller knows it."""

    thing: Thing[K, T]
    seen: Snapshot[T] | None = None
    number: int = -1
    """The request that showed it."""
    missed: int = 0
    """How many listings have not shown it, one after the other."""
    is_over: bool = False


@attrs.frozen(eq=False, repr=False)
class Meaning(Generic[K, T, C]):
    """What a caller calls a change."""

    compare: Callable[[K, T | None, T | None, datetime | None], Sequence[C]]
    """The changes from one state of a thing to the next; None before it was seen, and when it is not there. With the
    service's clock when it showed that."""
    is_end: Callable[[T], bool]
    """Whether nothing more happens to it."""
    drops_out: bool
    """Whether a thing may leave the listing and go on."""
    parts: bool
    """Whether there are changes of what a thing is made of."""


class Group(Follower[K, T], Generic[K, T, C]):
    """Follows these things, or all of a scope. Holds nothing of the reader between two calls of `next`."""

    def __init__(
        self,
        name: str,
        reader: Reader[K, T],
        followed: Iterable[K] | Scope[K, T],
        meaning: Meaning[K, T, C],
        *,
        tick: float,
        fail_after: float | None,
    ) -> None:
        super().__init__(name, tick, fail_after)
        self.wants_parts = meaning.parts
        self._reader = reader
        self._meaning = meaning
        self._scope = followed if isinstance(followed, Scope) else None
        keys: Iterable[K] = () if isinstance(followed, Scope) else followed
        self._known = {key: _Known(reader.thing(key)) for key in keys}
        self._queue: list[C | NotFound] = []
        self._since = -1

    async def next(self) -> C:
        """The next change. Raises `StopAsyncIteration` when none can come any more."""
        if self._since < 0:  # what was asked before somebody cared may be out of date
            self._since = self._reader.requests
        while not self._queue:
            self._known = {key: known for key, known in self._known.items() if not known.is_over}
            if self._scope is None and not self._known:
                raise StopAsyncIteration
            # What others have polled since the last call.
            for thing in [*(self._scope.shown.values() if self._scope is not None else self.things())]:
                self.see(thing)
                if thing.seen is not None:
                    thing.seen.forget()
            if not self._queue:
                await self._reader.wait(self)
        change = self._queue.pop(0)
        if isinstance(change, NotFound):
            raise copied(change)
        return change

    def rest(self) -> list[C]:
        """The changes that have been seen together with the last one."""
        changes: list[C] = []
        while self._queue and not isinstance(self._queue[0], NotFound):
            changes.append(cast(C, self._queue.pop(0)))
        return changes

    @property
    def good_at(self) -> float | None:
        """When the oldest of the last good polls began; None if something was not seen yet."""
        if self._scope is not None:
            return self._scope.good_at
        times = [known.thing.good_at for known in self._known.values() if not known.is_over]
        return min((time for time in times if time is not None), default=None) if None not in times else None

    def things(self) -> Collection[Thing[K, T]]:
        return () if self._scope is not None else [known.thing for known in self._known.values()]

    def scope(self) -> Scope[K, T] | None:
        return self._scope

    def see(self, thing: Thing[K, T]) -> bool:
        """Never news for the reader: this caller stays, for there may be more on the same page."""
        known = self._known.get(thing.key)
        if thing.number <= (self._since if known is None else max(self._since, known.number)) or thing.seen is None:
            return False
        if known is None:
            known = self._known[thing.key] = _Known(thing)
        if not known.is_over:
            known.number = thing.number
            if known.seen is thing.seen:
                return False
            before = None if known.seen is None else known.seen.value()
            after = thing.seen.value()
            known.seen = thing.seen
            known.is_over = self._meaning.is_end(after)
            self._add(self._meaning.compare(thing.key, before, after, thing.seen.served_at))
            if known.is_over:
                self._reader.release(self, thing)
        return False

    def miss(self, thing: Thing[K, T], error: NotFound) -> bool:
        known = self._known.get(thing.key)
        if not isinstance(error, ResourceDoesNotExist):
            self._add([error])  # something on the way has lost the path
        elif known is not None and not known.is_over:  # else it was never seen here: another caller has missed it
            self._gone(known, error)
        return False

    def unlisted(self, shown: Collection[K]) -> list[Thing[K, T]]:
        missing = []
        for key, known in self._known.items():
            # One whose own poll has not been answered yet may still be there.
            known.missed = 0 if key in shown else known.missed + (known.thing.asked_at is None)
            if known.is_over or not known.missed:
                continue
            if self._meaning.drops_out and known.missed >= _MAX_MISSED:
                self._gone(known, None)
            else:
                missing.append(known.thing)
        return missing

    def _gone(self, known: _Known[K, T], error: NotFound | None) -> None:
        known.is_over = True
        self._reader.release(self, known.thing)
        if known.seen is not None:
            self._add(self._meaning.compare(known.thing.key, known.seen.value(), None, known.thing.gone_at))
        elif error is not None:
            self._add([error])

    def _add(self, changes: Sequence[C | NotFound]) -> None:
        self._queue.extend(changes)
        if self._queue:
            self._reader.has_news(self, may_have_more=self._scope is not None or len(self._known) > 1)
