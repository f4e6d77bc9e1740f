"""Paged answers as async iterators: items one by one, whole pages, or all at once."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from hashlib import blake2b
from itertools import islice
from math import sqrt
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

import attrs

from databricks_async import display
from databricks_async.aio import wait_through
from databricks_async.errors import BadRequest, PagingError
from databricks_async.suggest import refuse

T = TypeVar("T")

CONCURRENCY = 16
"""So many pages of a listing are read at a time."""
_GROWTH = 1.0
"""So many more with each good page; halved when a page was read in vain."""

# Found by simulation, of lists of 10,000 and 100,000 items that come evenly, by chance, and in hourly and daily peaks:
# with less of each, chains that need one page more hold up the others; with more, chains are read one after the other.
_HELD_EACH = 3
"""For each page that is read, so many have come or are on their way."""
_PAGES_EACH = 3
"""So many pages is the place of one chain from that of the next,"""
_SPARE = 1.0
"""less this number of standard deviations of what comes by chance: few chains shall need a page more."""
_FARTHEST = 1.5
"""Of what was read, no chain begins farther ahead: a short listing has few beyond its end."""
_MAX_ROWS = 10


@attrs.frozen(repr=False)
class Page(Generic[T]):
    """One answer of a paged endpoint."""

    items: Sequence[T]
    next_page_token: str | None = None
    """Hand it to the same method as `page_token` to go on after this page; None on the last page."""
    prev_page_token: str | None = None
    """The same for the page before this one; None on the first page, and where the service gives none."""
    total_count: int | None = None
    """The items of all pages together, where the service counts them."""

    def __repr__(self) -> str:
        after = "more to come" if self.next_page_token else "the last one"
        total = "" if self.total_count is None else f" of {self.total_count}"
        return f"<Page of {len(self.items)}{total} items, {after}>"

    def _repr_html_(self) -> str:
        rows: list[tuple[str, object]] = [(f"[{index}]", item) for index, item in enumerate(self.items[:_MAX_ROWS])]
        if left_out := len(self.items) - len(rows):
            rows.append(("…", f"{left_out} more"))
        rows.append(("next_page_token", self.next_page_token))
        rows.append(("prev_page_token", self.prev_page_token))
        return display.table(repr(self)[1:-1], rows)


Outcome: TypeAlias = Page[T] | Exception
"""What came of reading a page."""


@attrs.frozen(eq=False, repr=False)
class Places(Generic[T]):
    """How a listing in a known order is entered anywhere, and so read ahead of the pages that lead there."""

    place_of: Callable[[T], int | None]
    """The place of an item. It never changes, and none is lower than that of the item before."""
    token_at: Callable[[int, str], str]
    """What stands for the first page from a place on, or for the page of this token in the listing from there.

    That page may begin with a few items of lower places.
    """


@attrs.frozen(eq=False, repr=False)
class Ahead(Generic[T]):
    """What it takes to read pages before they are asked for."""

    start: Callable[[Coroutine[Any, Any, Outcome[T]]], asyncio.Task[Outcome[T]]]
    """Runs something beside the caller, but not longer than the client is open."""
    has_room: Callable[[int], bool]
    """Whether one more call may be sent now, while so many are under way for this listing."""
    places: Places[T] | None = None


class Pager(Generic[T]):
    """Walks a paged endpoint: `async for item in pager`, `async for page in pager.pages()`, `await pager.collect()`.

    Nothing is sent before the first item is asked for, and each loop starts anew. From the middle of the first page on
    the next page is read while the caller works; of events and runs, which the service lists by time, from the third
    page on up to `concurrency` at once: more and more while that is worth it, and as far as others leave room in the
    pacing. That takes a third more requests, or fewer: what each brings is not known before. Items come in their
    order all the same, and not more than three times as many pages wait for a slow caller. With `concurrency=1`, and by
    `pages`, each page is read when it is asked for.

    Leaving a loop early leaves nothing behind; one that an error ended can be taken up again with the same iterator, at
    the page that failed. A page may be empty and still have a successor; a page token that comes back raises
    `PagingError`.
    """

    def __init__(
        self,
        fetch: Callable[[str | None], Awaitable[Page[T]]],
        *,
        page_token: str | None = None,
        max_items: int | None = None,
        concurrency: int | None = None,
        ahead: Ahead[T] | None = None,
        name: str = "",
    ) -> None:
        if max_items is not None and (type(max_items) is not int or max_items < 0):
            raise ValueError(f"max_items must be a whole number of items, not {max_items!r}")
        if page_token is not None and not isinstance(page_token, str):
            raise TypeError(f"page_token must be a str, not {type(page_token).__name__}")
        self._fetch = fetch
        self._page_token = page_token or None
        self._max_items = max_items
        self._concurrency = CONCURRENCY if concurrency is None else checked_concurrency(concurrency)
        self._ahead = ahead if self._concurrency > 1 else None
        self._name = name

    def __repr__(self) -> str:
        return f"<Pager of {display.cut(self._name, 200)}: `async for`, `.pages()` or `await pager.collect()`>"

    def _repr_html_(self) -> str:
        how = "async for item in pager, pager.pages(), or await pager.collect()"
        start, most = ("page_token", self._page_token), ("max_items", self._max_items)
        return display.table(f"Pager of {self._name}", [start, most, ("read it with", how)])

    def __aiter__(self) -> AsyncIterator[T]:
        return _Items(self._read_ahead())

    if not TYPE_CHECKING:  # to type checkers there are none
        __iter__ = refuse(
            "a listing is asynchronous: write `async for item in pager`, or `await pager.collect()` for a list"
        )
        __await__ = refuse(
            "a listing is not awaited: write `await pager.collect()` for a list, or `async for item in pager`"
        )

    def pages(self) -> AsyncIterator[Page[T]]:
        """The pages as they come; `max_items` cuts the last one short (its token then still follows the whole page)."""
        return _Pages(self._fetch, self._page_token, self._max_items)

    async def collect(self) -> list[T]:
        """All items (at most `max_items`) as a list."""
        items: list[T] = []
        pages = self._read_ahead()
        async for page in pages:
            pages.look_ahead()
            items += page.items
        return items

    def _read_ahead(self) -> _Pages[T]:
        return _Pages(self._fetch, self._page_token, self._max_items, self._ahead, self._concurrency)


def size_of_page(size: int | None, usual: int, most: int, max_items: int | None) -> int:
    """How many to ask for in one request: not more than are wanted in all."""
    size = usual if size is None else size
    if type(size) is not int or not 0 < size <= most:
        raise ValueError(f"page_size must be a whole number from 1 to {most}, not {size!r}")
    # The pager refuses what max_items cannot be.
    return min(size, max_items) if type(max_items) is int and max_items > 0 else size


def checked_concurrency(concurrency: int) -> int:
    """How many calls may be made at once. Raises `ValueError`."""
    if type(concurrency) is not int or concurrency < 1:
        raise ValueError(f"concurrency must be a whole number from 1 on, not {concurrency!r}")
    return concurrency


# Classes and not async generators: a loop over one of those, left early, ends in a task of its own some time later.


@attrs.define(eq=False, repr=False)
class _Part(Generic[T]):
    """A page that was planned: read or not yet, until the caller gets it."""

    token: str | None
    start: int | None = None
    """The place at which its chain of pages was entered; None where that is the listing's beginning."""
    end: int | None = None
    """The place at which the next chain begins, and this one has done its part; None of the last one."""
    is_entry: bool = False
    """Whether it is the first page of its chain, which does not begin the listing."""
    page: Page[T] | None = None
    task: asyncio.Task[Outcome[T]] | None = None
    is_followed: bool = False
    """Whether what comes after it is planned."""

    def arrived(self) -> Page[T] | None:
        """The page, if it has been read."""
        if self.page is None and self.task is not None and self.task.done() and not self.task.cancelled():
            outcome = self.task.result()
            if isinstance(outcome, Page):
                self.page, self.task = outcome, None
        return self.page


class _Pages(AsyncIterator[Page[T]]):
    """The pages of a listing in their order, with `ahead` read before they are asked for.

    A listing that has places is entered at several of them at once. The pages from one on are a chain, which is
    followed up to the place where the next one begins, however many there are: an item has one place and is in one
    chain, whatever is added or taken away meanwhile. What a chain shows beyond its end was read in vain: more and more
    places are tried while that is little.
    """

    def __init__(
        self,
        fetch: Callable[[str | None], Awaitable[Page[T]]],
        page_token: str | None,
        max_items: int | None,
        ahead: Ahead[T] | None = None,
        concurrency: int = 1,
    ) -> None:
        self._fetch, self._left = fetch, max_items
        self._ahead = ahead
        # A token may stand for filters that are not known here.
        self._places = ahead.places if ahead is not None and page_token is None else None
        self._concurrency = concurrency
        self._parts = [_Part[T](page_token)]
        self._ending: list[asyncio.Task[Outcome[T]]] = []
        self._came = came = asyncio.Event()
        self._on_page: Callable[[object], None] = lambda _: came.set()  # knows nothing of the iterator, as _outcome
        self._seen = set[bytes]()
        self._back = _Part[T](None)
        """What the last page showed beyond the end of its chain; the whole listing goes on from there."""
        self._is_busy, self._is_ordered = False, True
        self._window = 1.0
        self._returned = self._items = self._size = 0
        self._first = self._last = 0
        """The places of the first item that was returned, and of the last one."""

    async def __anext__(self) -> Page[T]:
        if self._is_busy:
            raise RuntimeError("two tasks wait for the next item of one loop over a listing: give each its own loop")
        self._is_busy = True
        try:
            while self._parts and self._left != 0:
                if self._returned:
                    self.look_ahead()
                if (page := await self._next()) is not None:
                    return page
            if self._parts or self._ending:
                await self._stop()
        except (Exception, asyncio.CancelledError):
            await self._stop()
            raise
        finally:
            self._is_busy = False
        raise StopAsyncIteration

    def look_ahead(self) -> None:
        """Begin to read what the caller will ask for, as far as it is known and there is room."""
        if self._ahead is None or not self._parts:
            return
        for part in [*self._parts]:
            if not part.is_followed and (part.page is not None or (part.task is not None and part.task.done())):
                self._follow(part)
        under_way = len([part for part in self._parts if part.task is not None])
        held = len([part for part in self._parts if part.page is not None]) + under_way
        for index, part in enumerate(self._parts):  # and those that are planned meanwhile
            if part.page is None and part.task is None:
                before = self._parts[:index]
                if self._left is not None:
                    expected = sum(self._size if one.page is None else len(one.page.items) for one in before)
                    if expected >= self._left:
                        return
                if part.token in {one.token for one in before} or self._was_seen(part):
                    return
                has_room = under_way < int(self._window) and held < _HELD_EACH * int(self._window)
                if index and not (has_room and self._ahead.has_room(under_way)):
                    return
                part.task = self._ahead.start(_outcome(self._fetch, part.token))
                part.task.add_done_callback(self._on_page)
                held, under_way = held + 1, under_way + 1
            if part is self._parts[-1]:
                self._plan_after(part)

    def _plan_after(self, last: _Part[T]) -> None:
        """Plan the chain after the last one, if of that no page has come yet."""
        start, distance = last.start, self._distance()
        if start is None or not last.is_entry or last.page is not None or not distance or self._places is None:
            return
        if start + distance - self._last > _FARTHEST * (self._last - self._first):
            return
        last.end = start + distance
        self._parts.append(_Part(self._places.token_at(last.end, ""), last.end, is_entry=True))

    async def _next(self) -> Page[T] | None:
        """The next page; None if it has to be looked for in another way."""
        part = self._parts[0]
        if part.token is not None and self._was_seen(part):
            raise PagingError("the service gave the same page token twice: the listing would never end")
        try:
            is_new = part.page is None and part.task is None
            page = part.page = await (self._fetch(part.token) if is_new else self._read(part))
        except BadRequest:
            if part.start is None or self._places is None:
                raise
            self._go_on_from(self._back)
            return None
        is_enough = self._left is not None and part.start is part.end is None and len(page.items) >= self._left
        if not (part.is_followed or is_enough) and (page.next_page_token is not None or len(self._parts) > 1):
            self._follow(part)
        items, rest = page.items, page.items[:0]
        if self._places is not None and (part.start is not None or part.end is not None):
            places = self._places_of(items)
            first = 0 if part.start is None or places is None else bisect_left(places, part.start)
            if places is None or (part.is_entry and first == len(items)):
                # The order is another, or the place was not heeded: the last page showed items from there on.
                self._go_on_from(_Part(None, page=page) if part.start is None else self._back)
                return None
            end = len(items) if part.end is None else max(first, bisect_left(places, part.end))
            items, rest = items[first:end], items[end:]
            self._back = _Part(None, part.start, page=attrs.evolve(page, items=rest))
        self._parts.pop(0)
        if part.token is not None:
            self._seen.add(_digest(part.token))
        self._returned += 1
        if self._parts and self._ahead is not None:
            self._learn(page, items, part.is_entry)
        if self._left is not None:
            items = items[: self._left]
            self._left -= len(items)
        return page if items is page.items else attrs.evolve(page, items=items)

    async def _read(self, part: _Part[T]) -> Page[T]:
        while part.arrived() is None and part.task is not None and not part.task.done():
            self._came.clear()
            await self._came.wait()
            self.look_ahead()
        if part.page is not None:
            return part.page
        task, part.task = part.task, None
        # One that was cancelled was so with its client, which the next try reports.
        if task is not None and not task.cancelled() and isinstance(failure := task.result(), Exception):
            try:
                raise failure
            finally:
                del failure, task  # its traceback holds this frame
        return await self._fetch(part.token)

    def _follow(self, part: _Part[T]) -> None:
        """Plan what comes after a page, once it is there."""
        page = part.arrived()
        if page is None or part.is_followed or part not in self._parts:
            return
        part.is_followed = True
        after = self._parts.index(part) + 1
        if (token := page.next_page_token) is None:
            part.end = None  # it shows all that is left
            self._drop(after)
            return
        places = self._places
        if places is not None and part.end is None and (start := self._start_after(page)) is not None:
            part.end = start
            self._parts.insert(after, _Part(places.token_at(start, ""), start, is_entry=True))
        if places is not None and part.end is not None and page.items:
            last = places.place_of(page.items[-1])
            if last is not None and last >= part.end:
                return
        if part.start is not None and self._ahead is not None and self._ahead.places is not None:
            token = self._ahead.places.token_at(part.start, token)
        self._parts.insert(after, _Part(token, part.start, part.end))

    def _start_after(self, page: Page[T]) -> int | None:
        """The place at which to enter the listing again after this page."""
        if not page.items or not (distance := self._distance()):
            return None
        places = self._places_of(page.items)
        self._is_ordered = places is not None
        return None if places is None else places[-1] + distance

    def _distance(self) -> int:
        """From one chain to the next, if items go on as close as they were so far; 0 if there is to be none."""
        if self._returned < 2 or self._window < 2 or not self._items or not self._is_ordered:
            return 0
        wanted = _PAGES_EACH * self._size
        return max(0, int((self._last - self._first) / self._items * (wanted - _SPARE * sqrt(wanted))))

    def _places_of(self, items: Sequence[T]) -> list[int] | None:
        """None if they are not in order."""
        if self._places is None:
            return None
        places = [place for place in map(self._places.place_of, items) if place is not None]
        return places if len(places) == len(items) and places == sorted(places) else None

    def _learn(self, page: Page[T], items: Sequence[T], is_entry: bool) -> None:
        """How many pages are worth reading at once, and how close the items are."""
        self._size = max(self._size, len(page.items))
        if is_entry and 4 * len(items) < self._size:
            self._window = max(1.0, self._window / 2)
        elif 2 * len(items) >= self._size:
            self._window = min(float(self._concurrency), self._window + _GROWTH)
        if self._places is None or not items:
            return
        first, last = self._places.place_of(items[0]), self._places.place_of(items[-1])
        if first is None or last is None or (self._items and first < self._last):
            self._is_ordered = False
            return
        self._first = first if not self._items else self._first
        self._last = last
        self._items += len(items)

    def _go_on_from(self, part: _Part[T]) -> None:
        """Forget what was planned, and go on from page to page."""
        self._drop()
        self._places = None
        self._seen.clear()
        self._parts = [part]

    def _was_seen(self, part: _Part[T]) -> bool:
        return part.token is not None and _digest(part.token) in self._seen

    def _drop(self, after: int = 0) -> None:
        """End the reading of what is planned from this part on."""
        for part in self._parts[after:]:
            if part.task is not None and not part.task.done():
                part.task.cancel()
                self._ending.append(part.task)
        self._parts = self._parts[:after]

    async def _stop(self) -> None:
        """End what is under way, and wait for that. What has come is kept."""
        parts = self._parts
        for part in parts:
            part.page = part.arrived()
        self._drop()
        self._parts = parts
        for part in parts:
            part.task = None
        if self._ending:
            cancelled = await wait_through(self._ending)
            self._ending.clear()
            if cancelled is not None:
                raise cancelled

    def __del__(self) -> None:
        for task in (*self._ending, *(part.task for part in self._parts if part.task is not None)):
            loop = task.get_loop()
            if not task.done() and not loop.is_closed():
                loop.call_soon_threadsafe(task.cancel)  # the garbage collector may run in any thread


async def _outcome(fetch: Callable[[str | None], Awaitable[Page[T]]], token: str | None) -> Outcome[T]:
    # Knows nothing of the iterator, which can then be dropped while this is under way; for the same reason it never
    # fails.
    try:
        return await fetch(token)
    except Exception as error:
        return error


def _digest(token: str) -> bytes:
    """What tells a token from others: some are as long as a page."""
    return blake2b(token.encode("utf-8", "surrogatepass"), digest_size=16).digest()


class _Items(AsyncIterator[T]):
    def __init__(self, pages: _Pages[T]) -> None:
        self._pages = pages
        self._page: Iterator[T] = iter(())
        self._second_half: Iterator[T] | None = None
        self._is_first = True

    async def __anext__(self) -> T:
        while True:
            for item in self._page:
                return item
            if self._second_half is not None:
                self._page, self._second_half = self._second_half, None
                self._pages.look_ahead()
                continue
            items = (await self._pages.__anext__()).items
            self._page = iter(items)
            if self._is_first:
                # A caller who leaves the loop soon has had nothing read in vain.
                self._page, self._second_half = islice(self._page, (len(items) + 1) // 2), self._page
                self._is_first = False
            else:
                self._pages.look_ahead()
