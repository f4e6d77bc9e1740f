"""Clusters on their way up or down: the wait for one, and bringing one up from any state."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from databricks_async.clusters.models import ClusterDetails, State
from databricks_async.errors import InvalidState, OperationFailed, OperationTimeout, OutcomeUnknown
from databricks_async.wait import Timeout, Wait, seconds_of
from databricks_async.watch import Schedule, patiently

UP = frozenset({State.RUNNING})
DOWN = frozenset({State.TERMINATED})
_NO_WAY_ON = DOWN | {State.ERROR}


def state_of(cluster: ClusterDetails) -> State | None:
    return cluster.state


def reason_of(cluster: ClusterDetails) -> str:
    """Why a cluster is in its state, in one line."""
    parts, message = [str(cluster.state)], cluster.state_message or ""
    if (reason := cluster.termination_reason) is not None and str(reason.code) not in message:
        parts.append(f"{reason.code} ({reason.type})")
    if message:
        parts.append(message)
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
        schedule: Schedule,
        newborn: bool = False,
    ) -> None:
        super().__init__(
            f"{action} of cluster {cluster_id}",
            read,
            key=state_of,
            # RUNNING ends no wait for the end: a cluster may be started again before it was read as terminated.
            ended=lambda cluster: cluster.state in goal | _NO_WAY_ON,
            failure=lambda cluster: None if cluster.state in goal else reason_of(cluster),
            schedule=schedule,
            newborn=newborn,
        )
        self.cluster_id = cluster_id


class _Effort:
    """One cluster being brought up, for as many callers as want it."""

    def __init__(
        self,
        cluster_id: str,
        get: Callable[[str], Awaitable[ClusterDetails]],
        start: Callable[[str], Awaitable[object]],
        schedule: Schedule,
    ) -> None:
        self._cluster_id = cluster_id
        self._get = get
        self._start = start
        self._schedule = schedule
        self.callers = 0
        self.last: ClusterDetails | None = None
        self.task = asyncio.create_task(self._bring_up(), name=f"databricks_async: start {cluster_id}")

    async def _bring_up(self) -> ClusterDetails:
        name = f"start of cluster {self._cluster_id}"
        schedule = self._schedule.anew()
        started, seen = False, None
        while True:
            self.last = cluster = await patiently(name, lambda: self._get(self._cluster_id), schedule)
            if cluster.state == State.RUNNING:
                return cluster
            if cluster.state == State.ERROR or (cluster.state == State.TERMINATED and started):
                raise OperationFailed(f"{name} failed: {reason_of(cluster)}", last=cluster)
            if cluster.state == State.TERMINATED:
                started = await self._begin()
            if cluster.state != seen:
                seen = cluster.state
                schedule.changed()
            await schedule.pause()

    async def _begin(self) -> bool:
        """Start the cluster; False if somebody else was quicker."""
        try:
            await self._start(self._cluster_id)
        except InvalidState:
            return False
        except OutcomeUnknown:
            return True  # repeated after a lost answer, and refused because the first try had done it
        return True


class Running:
    """Brings clusters up: one effort for a cluster, however many callers want it."""

    def __init__(
        self,
        get: Callable[[str], Awaitable[ClusterDetails]],
        start: Callable[[str], Awaitable[object]],
        schedule: Schedule,
    ) -> None:
        self._get = get
        self._start = start
        self._schedule = schedule
        self._efforts: dict[str, _Effort] = {}

    async def ensure(self, cluster_id: str, timeout: Timeout) -> ClusterDetails:
        seconds = seconds_of(timeout)
        effort = self._efforts.get(cluster_id)
        if effort is None or effort.task.done():  # one that failed is nothing to those who come later
            effort = self._efforts[cluster_id] = _Effort(cluster_id, self._get, self._start, self._schedule)
        effort.callers += 1
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                return await asyncio.shield(effort.task)
        except TimeoutError:
            if not limit.expired():
                raise
            seen = effort.last and effort.last.state
            raise OperationTimeout(
                f"cluster {cluster_id} is not running after {seconds:g} s (last seen: {seen})", last=effort.last
            ) from None
        finally:
            effort.callers -= 1
            if effort.callers == 0:
                if self._efforts.get(cluster_id) is effort:
                    del self._efforts[cluster_id]
                if not effort.task.done():
                    # Nobody wants it any more; a start that was sent goes on at the service.
                    effort.task.cancel()
                    await asyncio.wait([effort.task])
