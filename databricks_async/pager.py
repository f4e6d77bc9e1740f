"""Paged answers as async iterators: items one by one, whole pages, or all at once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Generic, TypeVar

import attrs

from databricks_async import display
from databricks_async.errors import PagingError
from databricks_async.suggest import refuse

T = TypeVar("T")

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


class Pager(Generic[T]):
    """Walks a paged endpoint: `async for item in pager`, `async for page in pager.pages()`, `await pager.collect()`.

    Nothing is sent before the first item is asked for, and each loop starts anew. Leaving a loop early leaves nothing
    behind; one that an error ended can be taken up again with the same iterator, at the page that failed. A page may be
    empty and still have a successor; a page token that comes back raises `PagingError`.
    """

    def __init__(
        self,
        fetch: Callable[[str | None], Awaitable[Page[T]]],
        *,
        page_token: str | None = None,
        max_items: int | None = None,
        name: str = "",
    ) -> None:
        if max_items is not None and (type(max_items) is not int or max_items < 0):
            raise ValueError(f"max_items must be a whole number of items, not {max_items!r}")
        if page_token is not None and not isinstance(page_token, str):
            raise TypeError(f"page_token must be a str, not {type(page_token).__name__}")
        self._fetch = fetch
        self._page_token = page_token or None
        self._max_items = max_items
        self._name = name

    def __repr__(self) -> str:
        return f"<Pager of {display.cut(self._name, 200)}: `async for`, `.pages()` or `await pager.collect()`>"

    def _repr_html_(self) -> str:
        how = "async for item in pager, pager.pages(), or await pager.collect()"
        start, most = ("page_token", self._page_token), ("max_items", self._max_items)
        return display.table(f"Pager of {self._name}", [start, most, ("read it with", how)])

    def __aiter__(self) -> AsyncIterator[T]:
        return _Items(self.pages())

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
        async for page in self.pages():
            items += page.items
        return items


def size_of_page(size: int | None, usual: int, most: int, max_items: int | None) -> int:
    """How many to ask for in one request: not more than are wanted in all."""
    size = usual if size is None else size
    if type(size) is not int or not 0 < size <= most:
        raise ValueError(f"page_size must be a whole number from 1 to {most}, not {size!r}")
    # The pager refuses what max_items cannot be.
    return min(size, max_items) if type(max_items) is int and max_items > 0 else size


# Classes and not async generators: a loop over one of those, left early, ends in a task of its own some time later.


class _Pages(AsyncIterator[Page[T]]):
    def __init__(
        self, fetch: Callable[[str | None], Awaitable[Page[T]]], page_token: str | None, max_items: int | None
    ) -> None:
        self._fetch = fetch
        self._token = page_token
        self._left = max_items
        self._seen = set[bytes]()
        self._over = False

    async def __anext__(self) -> Page[T]:
        token = self._token
        if self._over or self._left == 0:
            raise StopAsyncIteration
        digest = None if token is None else _digest(token)
        if digest in self._seen:
            raise PagingError("the service gave the same page token twice: the listing would never end")
        page = await self._fetch(token)
        if digest is not None:
            self._seen.add(digest)
        self._token = page.next_page_token
        self._over = self._token is None
        if self._left is not None:
            page = attrs.evolve(page, items=page.items[: self._left])
            self._left -= len(page.items)
        return page


def _digest(token: str) -> bytes:
    """What tells a token from others: some are as long as a page."""
    return blake2b(token.encode("utf-8", "surrogatepass"), digest_size=16).digest()


class _Items(AsyncIterator[T]):
    def __init__(self, pages: AsyncIterator[Page[T]]) -> None:
        self._pages = pages
        self._page: Iterator[T] = iter(())

    async def __anext__(self) -> T:
        while True:
            for item in self._page:
                return item
            self._page = iter((await self._pages.__anext__()).items)
