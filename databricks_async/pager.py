"""Paged answers as async iterators: items one by one, whole pages, or all at once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Generic, TypeVar

import attrs

from databricks_async.errors import PagingError

T = TypeVar("T")


@attrs.frozen
class Page(Generic[T]):
    """One answer of a paged endpoint."""

    items: Sequence[T]
    next_page_token: str | None = None
    """Hand it to the same method as `page_token` to go on after this page; None on the last page."""


class Pager(Generic[T]):
    """Walks a paged endpoint: `async for item in pager`, `async for page in pager.pages()`, `await pager.collect()`.

    Nothing is sent before the first item is asked for, and each loop starts anew. Leaving a loop early leaves nothing
    behind. A page may be empty and still have a successor; a page token that comes back raises `PagingError`.
    """

    def __init__(
        self,
        fetch: Callable[[str | None], Awaitable[Page[T]]],
        *,
        page_token: str | None = None,
        max_items: int | None = None,
    ) -> None:
        if max_items is not None and (type(max_items) is not int or max_items < 0):
            raise ValueError(f"max_items must be a whole number of items, not {max_items!r}")
        self._fetch = fetch
        self._page_token = page_token or None
        self._max_items = max_items

    def __aiter__(self) -> AsyncIterator[T]:
        return self._items()

    async def _items(self) -> AsyncIterator[T]:
        async for page in self.pages():
            for item in page.items:
                yield item

    async def pages(self) -> AsyncIterator[Page[T]]:
        """The pages as they come; `max_items` cuts the last one short (its token then still follows the whole page)."""
        left = self._max_items
        token, seen = self._page_token, set[str]()
        while left is None or left > 0:
            if token is not None:
                if token in seen:
                    raise PagingError("the service gave the same page token twice: the listing would never end")
                seen.add(token)
            page = await self._fetch(token)
            if left is not None:
                if len(page.items) > left:
                    page = attrs.evolve(page, items=page.items[:left])
                left -= len(page.items)
            yield page
            token = page.next_page_token
            if token is None:
                return

    async def collect(self) -> list[T]:
        """All items (at most `max_items`) as a list."""
        return [item async for item in self]
