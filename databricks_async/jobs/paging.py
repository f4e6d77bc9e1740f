"""Jobs and runs of many tasks, made whole from the pages in which the service gives them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import attrs

from databricks_async.codec import Model
from databricks_async.errors import NotFound, PermissionDenied
from databricks_async.jobs.models import BaseJob, BaseRun, Job, Run
from databricks_async.pager import Page, Pager

W = TypeVar("W", Job, Run)


async def whole(fetch: Callable[[str | None], Awaitable[Page[W]]]) -> W:
    """One object from all its pages: each list of it holds the items of every page, in order."""
    first, *others = [page.items[0] async for page in Pager(fetch).pages()]
    for other in others:
        _joined(first, other)
    first.has_more = first.next_page_token = None
    return first


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


async def complete(item: BaseJob | BaseRun, read: Callable[[], Awaitable[Model]]) -> None:
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
