"""Jobs and runs of many tasks: their pages joined, and what a listing cut off filled in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import attrs

from databricks_async.codec import Model
from databricks_async.errors import InvalidResponse, NotFound, PermissionDenied
from databricks_async.jobs.models import BaseJob, BaseRun, Format, Job, Run
from databricks_async.pager import Page

W = TypeVar("W", Job, Run)

_MAX_ITEMS = 100


MAX_PAGES = 1000
"""So many pages of one object are followed: a hundred thousand tasks."""


async def joined(pages: AsyncIterator[Page[W]], endpoint: str) -> W:
    """One object from all its pages: each list of it holds the items of every page, in order.

    Raises `InvalidResponse` for pages without an end: at one that adds nothing and names a next one, and after
    `MAX_PAGES`.
    """
    page = await anext(pages)
    first = page.items[0]
    has_more = first.has_more
    known, count, token = _count(first), 1, page.next_page_token
    async for page in pages:
        has_more = page.items[0].has_more
        _joined(first, page.items[0])
        before, known, count = known, _count(first), count + 1
        last, token = token, page.next_page_token
        if token is None or token == last:
            continue  # the pager knows what to do
        if known <= before:
            raise InvalidResponse(f"page {count} adds nothing and names a next one", endpoint=endpoint)
        if count == MAX_PAGES:
            raise InvalidResponse(f"one object has more than {MAX_PAGES} pages", endpoint=endpoint)
    first.has_more, first.next_page_token = has_more or None, None
    return first


def _count(value: Any) -> int:
    """How much there is: items of lists, and values that are no lists."""
    if isinstance(value, list):
        return len(value)
    if isinstance(value, Model):
        names = (field.name for field in attrs.fields(type(value)) if field.name != "next_page_token")
        return sum(_count(getattr(value, name)) for name in names)
    return sum(map(_count, value.values())) if isinstance(value, dict) else int(value is not None)


def _joined(ours: Any, more: Any) -> Any:
    """A value of the first page with what a later page has of it."""
    if isinstance(more, list):
        # The service leaves lists that are complete empty on later pages; one that it repeats is no more of it.
        return ours if more in ([], ours) else [*(ours or ()), *more]
    if isinstance(ours, Model):
        for field in attrs.fields(type(ours)):
            setattr(ours, field.name, _joined(getattr(ours, field.name), getattr(more, field.name, None)))
    elif isinstance(ours, dict) and isinstance(more, dict):
        return {name: _joined(ours.get(name), more.get(name)) for name in {**ours, **more}}
    return more if ours is None else ours


def lacks_items(item: BaseJob | BaseRun) -> bool:
    """Whether an answer of a version before 2.2 says that arrays of it are longer than what came.

    It gives at most 100 items of an array, or leaves out an array of more, without a word.
    """
    if item.has_more or (isinstance(item, Job | Run) and item.next_page_token):
        return True
    holder = item.settings if isinstance(item, BaseJob) else item
    if holder is None:
        return False
    if holder.tasks is None:
        is_cut_loop = isinstance(item, Run) and item.iterations is None and _is_loop(item)
        return is_cut_loop or holder.format is Format.MULTI_TASK
    return len(holder.tasks) >= _MAX_ITEMS


def _is_loop(run: Run) -> bool:
    task = (run.unknown_fields or {}).get("task")
    return isinstance(task, dict) and "for_each_task" in task


async def fill_in(item: BaseJob | BaseRun, read: Callable[[], Awaitable[Model]]) -> None:
    """Fill up an object of a listing that was cut off. One that is gone meanwhile, or forbidden, says
    so in its `has_more`."""
    try:
        full: Any = await read()
    except (NotFound, PermissionDenied):
        item.has_more = True
        return
    for field in attrs.fields(type(item)):
        if (value := getattr(full, field.name)) is not None:
            setattr(item, field.name, value)
    item.has_more = None
