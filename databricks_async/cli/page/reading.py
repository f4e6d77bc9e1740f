"""Reading: fills the feed of the page from a workspace, through the client, and says how that goes."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from databricks_async.cli.page.feed import Feed, Row
from databricks_async.cli.page.rows import cluster_row, event_row, run_row, task_row
from databricks_async.clusters import ClusterChange, ClusterDetails, ClusterSource, State
from databricks_async.errors import DatabricksError
from databricks_async.jobs import RunChange, TaskChange

if TYPE_CHECKING:
    from databricks_async.client import WorkspaceClient

_STATUS_SECONDS = 2.0
_AGAIN_SECONDS = 2.0
_FAIL_AFTER_SECONDS = 20.0
_RECENT_RUNS = 25
"""Runs that had ended when the page began."""
_KEPT = 200
"""Runs, and clusters of jobs, that have ended."""


class Reading:
    """Follows all clusters and active runs.

    `now` is the service's time in epoch milliseconds, `speed` how many of its seconds pass in a real one.
    """

    def __init__(self, client: WorkspaceClient, feed: Feed, now: Callable[[], int], speed: float = 1.0) -> None:
        self._client = client
        self._feed = feed
        self._now = now
        self._speed = speed
        self._clusters = client.clusters.watch(fail_after=_FAIL_AFTER_SECONDS)
        self._runs = client.jobs.watch_runs(active=True, fail_after=_FAIL_AFTER_SECONDS)
        self._trouble: dict[str, tuple[float, str]] = {}
        """What went wrong with which of the two, and when."""
        self._events = 0
        self._shown_runs: dict[int, Row] = {}
        self._ended_runs: deque[str] = deque()
        self._ended_clusters: deque[str] = deque()
        self._began = now()

    async def run(self) -> None:
        """Read until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tell_status())
            group.create_task(self._again("clusters", self._follow_clusters))
            group.create_task(self._again("runs", self._follow_runs))

    async def _again(self, name: str, follow: Callable[[], Awaitable[None]]) -> None:
        """Follow, in spite of errors, which the page shows until something is read again."""
        while True:
            try:
                await follow()
            except DatabricksError as error:
                self._trouble[name] = asyncio.get_running_loop().time(), str(error)
                self._set_status()
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _follow_clusters(self) -> None:
        async for change in self._clusters:
            self._take_cluster(change)

    def _take_cluster(self, change: ClusterChange) -> None:
        cluster = change.after
        if cluster is None:
            self._feed.remove(f"cluster {change.cluster_id}")
            return
        is_over = cluster.cluster_source == ClusterSource.JOB and cluster.state == State.TERMINATED
        if is_over and change.before is None:
            return  # there is one for each run of the last 30 days
        when = _ms(change.when) or self._now()
        row = cluster_row(cluster, when if change.before is not None else _since(cluster, when))
        self._feed.put(row)
        if change.before is not None or (cluster.start_time or 0) >= self._began:
            self._tell(when, row)
        if is_over:
            self._keep_few(self._ended_clusters, row["id"])

    async def _follow_runs(self) -> None:
        if not self._ended_runs:
            recent = self._client.jobs.list_runs(completed_only=True, expand_tasks=True, max_items=_RECENT_RUNS)
            for run in reversed(await recent.collect()):
                self._show_run(run)
        async for change in self._runs:
            if isinstance(change, TaskChange):
                self._take_task(change)
            else:
                self._take_run(change)

    def _take_run(self, change: RunChange) -> None:
        if change.after is None:
            self._feed.remove(f"run {change.run_id}")
            self._shown_runs.pop(change.run_id, None)
            return
        row = self._show_run(change.after)
        if change.before is not None or (change.after.start_time or 0) >= self._began:
            self._tell(_ms(change.when) or self._now(), row)

    def _show_run(self, run: Any) -> Row:
        row = run_row(run)
        self._shown_runs[run.run_id] = row
        self._feed.put(row)
        if run.ended:
            self._shown_runs.pop(run.run_id)
            self._keep_few(self._ended_runs, row["id"])
        return row

    def _keep_few(self, ended: deque[str], row_id: str) -> None:
        """Show the latest of what has ended, and no others."""
        ended.append(row_id)
        while len(ended) > _KEPT:
            self._feed.remove(ended.popleft())

    def _take_task(self, change: TaskChange) -> None:
        row = self._shown_runs.get(change.run_id)
        task = task_row(change.after)
        if row is not None:
            tasks = [task if one["key"] == task["key"] else one for one in row["tasks"]]
            if task not in tasks and not row["more_tasks"]:
                tasks.append(task)
            row = {**row, "tasks": tasks}
            self._shown_runs[change.run_id] = row
            self._feed.put(row)
        if change.before is not None:
            name = row["name"] if row is not None else f"run {change.run_id}"
            self._tell(_ms(change.when) or self._now(), {**task, "name": f"{name} / {task['key']}"})

    def _tell(self, when: int, row: Row) -> None:
        self._events += 1
        self._feed.tell(event_row(self._events, when, row))

    async def _tell_status(self) -> None:
        while True:
            self._set_status()
            await asyncio.sleep(_STATUS_SECONDS)

    def _set_status(self) -> None:
        now, ages = asyncio.get_running_loop().time(), []
        for name, age in (("clusters", self._clusters.age), ("runs", self._runs.age)):
            if age is not None:
                ages.append(age)
                if now - age > self._trouble.get(name, (now, ""))[0]:
                    del self._trouble[name]  # it was read since
        self._feed.set_status(
            {
                "host": self._client.config.host,
                "now": self._now(),
                "speed": self._speed,
                "age": max(ages, default=None),
                "trouble": "; ".join(sorted({text for _, text in self._trouble.values()})) or None,
            }
        )


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)


def _since(cluster: ClusterDetails, seen: int) -> int:
    """Since when a cluster has been in the state in which it was first seen, as well as its description says it."""
    if cluster.state in (State.RUNNING, State.RESIZING):
        return max(cluster.last_restarted_time or 0, cluster.start_time or 0) or seen
    return seen
