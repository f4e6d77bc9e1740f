"""How runs are polled: one by `jobs/runs/get`, many by a listing of those that are active."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, TypeAlias, cast

import attrs
import orjson

from databricks_async.codec import Model, WrongShape
from databricks_async.errors import InvalidResponse
from databricks_async.jobs.models import BaseRun, Run
from databricks_async.jobs.paging import lacks_items
from databricks_async.pager import Page, Pager
from databricks_async.polling.things import Item, Thing

_PAGE_SIZE = 25
_Where: TypeAlias = tuple[int | None, int | None]
"""The job of a run, and when it was started."""


@attrs.define(kw_only=True, repr=False, eq=False)
class _Runs(Model):
    """A page of runs, which are made into models only when they have changed."""

    runs: list[Any] | None = None
    next_page_token: str | None = None
    has_more: bool | None = None


class RunPolls:
    """What the reader of runs has to know about them. The functions are those of the service."""

    def __init__(
        self,
        call: Callable[..., Awaitable[Any]],
        list_pages: Callable[..., Pager[Any]],
        served_at: Callable[[], datetime | None],
        get_whole: Callable[[int], Awaitable[Run]],
        asks_newer: Callable[[], bool],
    ) -> None:
        self._call = call
        self._list_pages = list_pages
        self.served_at = served_at
        self._get_whole = get_whole
        self._asks_newer = asks_newer

    async def get(self, thing: Thing[int, BaseRun]) -> Item:
        """One request: at most 100 tasks. A run that has ended is read whole, and one whose tasks are watched."""
        run_id = thing.key
        item = await self._call("GET /api/{v}/jobs/runs/get", cast("type[Any]", Any), run_id=run_id)
        if not isinstance(item, dict):
            raise InvalidResponse(f"the answer is not a description of run {run_id}", status=200)
        run = cast(Run, self.decode(item, listed=False))
        is_cut = lacks_items(run) if self._asks_newer() else run.next_page_token
        if is_cut and (run.ended or _wants_parts((thing,))):
            return (await self._get_whole(run_id)).as_dict()
        return item

    def pages(self, things: Sequence[Thing[int, BaseRun]]) -> AsyncIterator[Page[Any]]:
        return self._active({"expand_tasks": _wants_parts(things) or None, **_narrowed([one.where for one in things])})

    def all_pages(self, job_id: object) -> AsyncIterator[Page[Any]]:
        """The scope of a job is its id, that of all active runs is None."""
        return self._active({"expand_tasks": True, "job_id": job_id})

    def is_universal(self, job_id: object) -> bool:
        return job_id is None

    def _active(self, filters: dict[str, Any]) -> AsyncIterator[Page[Any]]:
        return self._list_pages(
            "GET /api/{v}/jobs/runs/list",
            _Runs,
            lambda answer: answer.runs,
            lambda answer: answer.next_page_token,
            query={"active_only": True, "limit": _PAGE_SIZE, **filters},
            has_more=lambda answer: answer.has_more,
        ).pages()

    def key(self, item: Any) -> int | None:
        key = item.get("run_id") if isinstance(item, dict) else None
        return key if isinstance(key, int) else None

    def mark(self, item: Item) -> int:
        return hash(orjson.dumps(item))

    def decode(self, item: Item, *, listed: bool) -> BaseRun:
        try:
            return (BaseRun if listed else Run).from_dict(item)
        except WrongShape as error:
            raise InvalidResponse(f"the answer is not what the API promises: {error}", status=200) from error

    def where(self, run: BaseRun) -> _Where:
        return run.job_id, run.start_time

    def is_enough(self, run: BaseRun, *, parts: bool) -> bool:
        # How a run ended is said by its tasks, which a listing does not show, or not all of them.
        return not run.ended and not (parts and (run.has_more or (self._asks_newer() and lacks_items(run))))


def _wants_parts(things: Sequence[Thing[int, BaseRun]]) -> bool:
    return any(follower.wants_parts for thing in things for follower in thing.followers)


def _narrowed(known: Sequence[object]) -> dict[str, Any]:
    """The filters of a listing that shows all of these runs and few others."""
    places = [cast(_Where, one) for one in known if one is not None]
    if len(places) < len(known):
        return {}
    jobs, starts = {job_id for job_id, _ in places}, [start for _, start in places if start]
    filters: dict[str, Any] = {"job_id": jobs.pop() if len(jobs) == 1 else None}
    if len(starts) == len(places):
        filters |= {"start_time_from": min(starts), "start_time_to": max(starts)}
    return filters
