"""Pictures of runs for the page: one request for all browsers that look at the same run."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

from databricks_async.jobs import Run

if TYPE_CHECKING:
    from databricks_async.client import WorkspaceClient

_KEPT_RUNS = 100
_AGE_SECONDS = 1.0
"""A run that still runs is not read again before."""


class Timelines:
    """Draws runs. `now` is the service's time, in epoch milliseconds."""

    def __init__(self, client: WorkspaceClient, now: Callable[[], int]) -> None:
        self._client = client
        self._now = now
        self._reads: OrderedDict[int, tuple[float, asyncio.Task[Run]]] = OrderedDict()

    async def svg(self, run_id: int) -> str:
        """The timeline of a run as it is now. Raises DatabricksError."""
        run = await asyncio.shield(self._read(run_id))
        return run.timeline(now=self._now()).svg()

    def _read(self, run_id: int) -> asyncio.Task[Run]:
        loop = asyncio.get_running_loop()
        at, task = self._reads.get(run_id, (0.0, None))
        if task is not None and not task.done():
            return task
        is_good = task is not None and not task.cancelled() and task.exception() is None
        if task is not None and is_good and (task.result().ended or loop.time() - at < _AGE_SECONDS):
            return task
        task = loop.create_task(self._client.jobs.get_run(run_id))
        self._reads[run_id] = (loop.time(), task)
        self._reads.move_to_end(run_id)
        while len(self._reads) > _KEPT_RUNS:
            self._reads.popitem(last=False)
        return task

    async def close(self) -> None:
        """End what is still being read."""
        tasks = [task for _, task in self._reads.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
