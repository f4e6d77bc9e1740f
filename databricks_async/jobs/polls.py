"""The polls of all runs that one client waits for: many of them share a batch poll with runs/list."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import attrs

from databricks_async.aio import SingleFlight
from databricks_async.errors import DatabricksError
from databricks_async.jobs.models import BaseRun
from databricks_async.pager import Pager

log = logging.getLogger("databricks_async")

_MIN_RUNS = 8
"""From so many runs on a batch poll is tried."""
_FORGOTTEN_INTERVALS = 100
"""Poll intervals after which a run that was not asked for counts no more."""
_MAX_INTERVALS = 10
"""Poll intervals that a batch poll may take, and be good for."""
_MIN_SECONDS = 2.0
"""A batch poll may take so long in any case."""
_RESTING_INTERVALS = 20
"""Poll intervals after which a batch poll is tried again."""


@attrs.define
class _Asked:
    """A run that is waited for: when it was last asked for, and what a batch poll can be narrowed by."""

    at: float
    job_id: int | None = None
    start_time: int | None = None


class Polls:
    """Polls runs for the waits for them.

    A few are polled one by one. Of many, the active ones are listed in one batch poll, and only those that it does not
    show, because they ended, are polled by themselves. The more pages a batch poll takes, the longer it is good for:
    from half an interval up to ten, as long as the pauses of a single wait. One that costs more than it saves, or
    fails, is not repeated for some time.
    """

    def __init__(
        self,
        get: Callable[[int], Awaitable[BaseRun]],
        active: Callable[..., Pager[BaseRun]],
        interval: float,
    ) -> None:
        self._get = get
        self._active = active
        self._interval = interval
        self._asked: dict[int, _Asked] = {}
        self._seen: dict[int, BaseRun] = {}
        self._pages = 0
        self._began = self._resting_until = float("-inf")
        self._batch = SingleFlight(self._poll_batch, "databricks_async: poll runs")

    async def read(self, run_id: int) -> BaseRun:
        """The run as it is now, or was at the last batch poll; without its tasks if a batch poll showed it."""
        now = asyncio.get_running_loop().time()
        self._asked.setdefault(run_id, _Asked(now)).at = now
        run = None
        if len(self._asked) >= _MIN_RUNS and now >= self._resting_until:
            run = await self._listed(run_id)
        # An end that a batch poll saw may be over: a repair begins the run anew.
        if run is None or run.ended:
            run = await self._get(run_id)
        if run.ended:
            self._asked.pop(run_id, None)
        else:
            asked = self._asked.setdefault(run_id, _Asked(now))
            asked.job_id, asked.start_time = run.job_id, run.start_time
        return run

    async def _listed(self, run_id: int) -> BaseRun | None:
        """What a fresh batch poll shows of a run. All who need one wait for the same."""
        clock = asyncio.get_running_loop().time
        early_enough = clock() - self._interval * min(max(0.5, self._pages / 4), _MAX_INTERVALS)
        while self._batch.is_under_way or (self._began < early_enough and clock() >= self._resting_until):
            (await self._batch.join()).result()
        return self._seen.get(run_id)

    async def _poll_batch(self) -> None:
        clock = asyncio.get_running_loop().time
        self._began, self._seen = clock(), {}
        try:
            async with asyncio.timeout(max(self._interval * _MAX_INTERVALS, _MIN_SECONDS)):
                worthwhile = await self._list(self._began)
        except (DatabricksError, TimeoutError) as error:
            log.info("runs are polled one by one for a while: a batch poll failed: %s", error or "it took too long")
            worthwhile = False
        if not worthwhile:
            self._resting_until = clock() + self._interval * _RESTING_INTERVALS

    async def _list(self, now: float) -> bool:
        """List active runs until all wanted ones were seen; whether that took fewer requests than reading them."""
        oldest = now - self._interval * _FORGOTTEN_INTERVALS
        self._asked = {run_id: asked for run_id, asked in self._asked.items() if asked.at >= oldest}
        self._pages = 0
        async for page in self._active(**_narrowed([*self._asked.values()])).pages():
            self._pages += 1
            self._seen |= {run.run_id: run for run in page.items if run.run_id is not None}
            if self._asked.keys() <= self._seen.keys() or self._pages * 4 >= len(self._asked):
                break
        return len(self._asked.keys() & self._seen.keys()) > self._pages


def _narrowed(asked: Sequence[_Asked]) -> dict[str, Any]:
    """The filters of a listing that shows all of these runs and few others."""
    jobs = {one.job_id for one in asked}
    starts = [one.start_time for one in asked if one.start_time]
    return {
        "active_only": True,
        "job_id": jobs.pop() if len(jobs) == 1 else None,
        "start_time_from": min(starts) if len(starts) == len(asked) else None,
    }
