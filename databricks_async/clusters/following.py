"""The feed of a cluster's events: which are new, whatever the service does to its pages meanwhile.

The service pages by offset: an event that is inserted while pages are read moves those behind it. So no page token is
followed but within one millisecond: each request asks for the first page from a time on, which is a picture of one
moment. Of that page all milliseconds but the last are complete, the next request begins with the last one.

What is new in a complete millisecond is counted: events have no ids, and equal ones are different events. An event is
known by its time and content, and how often such a one was taken.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

import attrs
import orjson

from databricks_async.following import tokens
from databricks_async.pager import Page, Pager

if TYPE_CHECKING:
    from databricks_async.clusters.models import ClusterEvent

OVERLAP_MS: Final = 3_600_000
"""So far back from the newest event others are looked for that appeared late."""
PAGE_SIZE: Final = 500
_KIND: Final = "events1"
_MAX_TRIES: Final = 5
"""How often a millisecond of more than a page is read until no event was added meanwhile."""


@attrs.frozen(eq=False, repr=False)
class Happening:
    """An event, with what it is known by."""

    time: int
    digest: str
    event: ClusterEvent


class EventFeed:
    """See `Feed`. `events(start_time=, end_time=)` lists events in the order of time, both ends included."""

    def __init__(self, cluster_id: str, events: Callable[..., Pager[ClusterEvent]], since: int | str | None) -> None:
        self._cluster_id = cluster_id
        self._events = events
        self._since = self._newest = 0
        self._taken: dict[int, Counter[str]] = {}
        """Of the last hour of events, by time."""
        self._next: int | None = None
        """Where to go on while there are more pages; all before it has been read."""
        if isinstance(since, str):
            self._resume(since)
        elif since is not None:
            self._since = self._newest = since

    @property
    def is_behind(self) -> bool:
        return self._next is not None

    async def read(self) -> list[Happening]:
        start, page = self._next, None
        if start is None:
            start = max(self._since, self._newest - OVERLAP_MS)
            page = await self._first_page(start, None)
            if page.next_page_token is None:
                return self._new(_happenings(page.items, start))
            # More than a page: it is not read again as far as there are as many events as were taken.
            if page.total_count is not None and page.total_count == self._count(start):
                return []
            if start < self._newest:
                old = await self._first_page(start, self._newest - 1)
                if old.total_count is not None and old.total_count == self._count(start, self._newest - 1):
                    start, page = self._newest, None
        found, self._next = await self._from(start, page)
        return self._new(found)

    def take(self, item: Happening) -> ClusterEvent:
        self._taken.setdefault(item.time, Counter())[item.digest] += 1
        if item.time > self._newest:
            self._newest = item.time
            oldest = self._newest - OVERLAP_MS
            # In the order of time but for late ones, which go when all before them are gone.
            for time in [*self._taken]:
                if time >= oldest:
                    break
                del self._taken[time]
        return item.event

    def token(self) -> str:
        oldest = self._newest - OVERLAP_MS
        taken = [
            [self._newest - time, digest, count]
            for time, digests in self._taken.items()
            if time >= oldest
            for digest, count in digests.items()
        ]
        position = {"cluster": self._cluster_id, "since": self._since, "newest": self._newest, "taken": taken}
        return tokens.encode(_KIND, position)

    def _resume(self, token: str) -> None:
        position = tokens.decode(_KIND, token)
        if position.get("cluster") != self._cluster_id:
            raise ValueError(f"since is the token of another stream than that of the events of {self._cluster_id}")
        try:
            self._since, self._newest = int(position["since"]), int(position["newest"])
            for back, digest, count in position["taken"]:
                self._taken.setdefault(self._newest - int(back), Counter())[str(digest)] += int(count)
        except (KeyError, TypeError, ValueError):
            raise ValueError("since is a token that was changed") from None

    async def _from(self, start: int, page: Page[ClusterEvent] | None) -> tuple[list[Happening], int | None]:
        """The events of a page from a time on, as far as they are all of their time; and where to go on, if at all."""
        page = page or await self._first_page(start, None)
        found = _happenings(page.items, start)
        if page.next_page_token is None or not found:
            return found, None
        last = found[-1].time
        if last > start:
            return [one for one in found if one.time < last], last
        return await self._millisecond(start), start + 1

    async def _first_page(self, start: int, end: int | None) -> Page[ClusterEvent]:
        """The first page that has events, if any has."""
        page: Page[ClusterEvent] = Page(())
        async for page in self._events(start_time=start, end_time=end).pages():
            if page.items:
                break
        return page

    async def _millisecond(self, time: int) -> list[Happening]:
        """All events of a millisecond that has more than a page of them, as they were at one moment."""
        pages: list[Page[ClusterEvent]] = []
        for _ in range(_MAX_TRIES):
            pages = [page async for page in self._events(start_time=time, end_time=time).pages()]
            if len({page.total_count for page in pages}) == 1:
                break
        return _happenings((event for page in pages for event in page.items), time)

    def _new(self, found: Iterable[Happening]) -> list[Happening]:
        """Those that are there more often than they were taken; of equal ones the latter."""
        seen, new = Counter[tuple[int, str]](), []
        for one in found:
            seen[one.time, one.digest] += 1
            if seen[one.time, one.digest] > self._taken.get(one.time, _NONE)[one.digest]:
                new.append(one)
        return new

    def _count(self, start: int, end: int | None = None) -> int:
        """How many were taken between these times."""
        return sum(
            digests.total() for time, digests in self._taken.items() if time >= start and (end is None or time <= end)
        )


_NONE: Final = Counter[str]()


def _happenings(events: Iterable[ClusterEvent], start: int) -> list[Happening]:
    """The events in the order of time. One without a time counts as of that of its neighbour."""
    time, found = start, []
    for event in events:
        time = time if event.timestamp is None else event.timestamp
        if time >= start:
            found.append(Happening(time, _digest(event), event))
    return sorted(found, key=lambda one: one.time)


def _digest(event: ClusterEvent) -> str:
    plain: Any = event.as_dict()
    try:
        content = orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:  # whole numbers over 64 bits, text that is not valid Unicode
        content = json.dumps(plain, sort_keys=True).encode()
    return blake2b(content, digest_size=6).hexdigest()
