"""Clusters on their way up or down: the wait for one, and bringing one up from any state."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import attrs

from databricks_async.clusters.models import ClusterDetails, State
from databricks_async.errors import InvalidState, OperationFailed, OperationTimeout
from databricks_async.wait import Wait
from databricks_async.watch import Schedule

UP = frozenset({State.RUNNING})
DOWN = frozenset({State.TERMINATED})
_ENDS = frozenset({State.RUNNING, State.TERMINATED, State.ERROR})


def state_of(cluster: ClusterDetails) -> State | None:
    return cluster.state


def reason_of(cluster: ClusterDetails) -> str:
    """Why a cluster is in its state, in one line."""
    parts = [str(cluster.state)]
    if (reason := cluster.termination_reason) is not None:
        parts.append(f"{reason.code} ({reason.type})")
    if cluster.state_message:
        parts.append(cluster.state_message)
    return ": ".join(parts)


class ClusterWait(Wait[ClusterDetails]):
    """A cluster on its way to a state. It can be made again from the id: `w.clusters.wait_running(cluster_id)`."""

    def __init__(
        self,
        cluster_id: str,
        action: str,
        goal: frozenset[State],
        read: Callable[[], Awaitable[ClusterDetails]],
        *,
        first_pause: float,
        newborn: bool = False,
    ) -> None:
        super().__init__(
            f"{action} of cluster {cluster_id}",
            read,
            key=state_of,
            # RUNNING ends no wait for the end: a cluster may be started again before it was read as terminated.
            ended=lambda cluster: cluster.state in goal or (cluster.state in _ENDS - UP),
            failure=lambda cluster: None if cluster.state in goal else reason_of(cluster),
            first_pause=first_pause,
            newborn=newborn,
        )
        self.cluster_id = cluster_id


@attrs.define
class _Effort:
    """One cluster being brought up, and how many callers wait for it."""

    task: asyncio.Task[ClusterDetails]
    callers: int = 0


class Running:
    """Brings clusters up: one effort for a cluster, however many callers want it."""

    def __init__(
        self,
        get: Callable[[str], Awaitable[ClusterDetails]],
        start: Callable[[str], Awaitable[object]],
        first_pause: float,
    ) -> None:
        self._get = get
        self._start = start
        self._first_pause = first_pause
        self._efforts: dict[str, _Effort] = {}

    async def ensure(self, cluster_id: str, timeout: float | timedelta | None) -> ClusterDetails:
        seconds = timeout.total_seconds() if isinstance(timeout, timedelta) else timeout
        effort = self._efforts.get(cluster_id)
        if effort is None:
            task = asyncio.create_task(self._bring_up(cluster_id), name=f"databricks_async: start {cluster_id}")
            effort = self._efforts[cluster_id] = _Effort(task)
        effort.callers += 1
        try:
            async with asyncio.timeout(seconds) as limit:
                return await asyncio.shield(effort.task)
        except TimeoutError:
            if not limit.expired():
                raise
            raise OperationTimeout(f"cluster {cluster_id} is not running after {seconds:g} s") from None
        finally:
            effort.callers -= 1
            if effort.callers == 0:
                del self._efforts[cluster_id]
                if not effort.task.done():
                    # Nobody wants it any more; a start that was sent goes on at the service.
                    effort.task.cancel()
                    await asyncio.wait([effort.task])

    async def _bring_up(self, cluster_id: str) -> ClusterDetails:
        schedule = Schedule(self._first_pause)
        started, seen = False, None
        while True:
            cluster = await self._get(cluster_id)
            if cluster.state == State.RUNNING:
                return cluster
            if cluster.state == State.ERROR or (cluster.state == State.TERMINATED and started):
                raise OperationFailed(f"cluster {cluster_id} did not start: {reason_of(cluster)}", last=cluster)
            if cluster.state == State.TERMINATED:
                try:
                    await self._start(cluster_id)
                    started = True
                except InvalidState:
                    pass  # somebody else was quicker; the next reading shows it
            if cluster.state != seen:
                seen = cluster.state
                schedule.changed()
            await schedule.pause()
