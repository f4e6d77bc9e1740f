"""Clusters that start or stop: the wait for one, and the start of one from any state."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from databricks_async.aio import SingleFlight, time_limit
from databricks_async.clusters.models import ClusterDetails, State, TerminationReason
from databricks_async.errors import InvalidState, OperationFailed, OperationTimeout, OutcomeUnknown
from databricks_async.polling.following import FAIL_AFTER_SECONDS, Following
from databricks_async.polling.pace import tick_of
from databricks_async.polling.reader import Reader
from databricks_async.polling.things import Snapshot
from databricks_async.wait import Timeout, Wait, seconds_of

UP = frozenset({State.RUNNING})
DOWN = frozenset({State.TERMINATED})
_TERMINAL_STATES = DOWN | {State.ERROR}


def state_of(cluster: ClusterDetails) -> State | None:
    return cluster.state


def reason_of(cluster: ClusterDetails) -> str:
    """The state of a cluster, and why it is in it, in one line."""
    why = why_of(cluster)
    return f"{cluster.state}: {why}" if why else str(cluster.state)


def why_of(cluster: ClusterDetails) -> str:
    """Why a cluster is in its state, in one line: the reason of its termination and what the service says; or empty."""
    parts, message = [], cluster.state_message or ""
    if (reason := cluster.termination_reason) is not None and str(reason.code) not in message:
        parts.append(f"{reason.code} ({reason.type})")
    if message:
        parts.append(message)
    return ": ".join(parts)


def words_of_reason(reason: TerminationReason) -> str:
    """The reason of a termination in one line."""
    details = ", ".join(f"{name}: {value}" for name, value in (reason.parameters or {}).items())
    return f"{reason.code} ({reason.type})" + (f": {details}" if details else "")


class ClusterWait(Wait[ClusterDetails]):
    """A cluster on its way to a state. It can be made again from the id: `w.clusters.wait_running(cluster_id)`."""

    def __init__(
        self,
        cluster_id: str,
        action: str,
        goal: frozenset[State],
        reader: Reader[str, ClusterDetails],
        *,
        every: Timeout = None,
        grace_period: bool = False,
    ) -> None:
        super().__init__(
            f"{action} of cluster {cluster_id}",
            reader,
            cluster_id,
            key=state_of,
            # RUNNING ends no wait for the end: a cluster may be started again before it was read as terminated.
            ended=lambda cluster: cluster.state in goal | _TERMINAL_STATES,
            failure=lambda cluster: None if cluster.state in goal else reason_of(cluster),
            every=every,
            grace_period=grace_period,
        )
        self.cluster_id = cluster_id


class _Start:
    """The start of one cluster, which any number of callers wait for."""

    def __init__(
        self,
        cluster_id: str,
        reader: Reader[str, ClusterDetails],
        start: Callable[[str], Awaitable[object]],
        tick: float,
    ) -> None:
        self._name = f"start of cluster {cluster_id}"
        self._cluster_id = cluster_id
        self._reader = reader
        self._start = start
        self._tick = tick
        self.last: ClusterDetails | None = None
        # When the last caller has gone the polling ends; a start that was sent goes on at the service.
        self.flight = SingleFlight(self._run_start, f"databricks_async: start {cluster_id}")

    async def _run_start(self) -> ClusterDetails:
        self.last, started = None, False
        thing = self._reader.thing(self._cluster_id)
        following = Following(
            self._name, self._reader, thing, tick=self._tick, fail_after=FAIL_AFTER_SECONDS, note=self._note
        )
        while True:
            cluster = await following.next(lambda cluster: cluster.state in UP | _TERMINAL_STATES)
            if cluster.state == State.RUNNING:
                return cluster
            if cluster.state == State.ERROR or started:
                raise OperationFailed(f"{self._name} failed: {reason_of(cluster)}", last=cluster)
            started = await self._begin()
            following.renew()

    def _note(self, seen: Snapshot[ClusterDetails]) -> None:
        self.last = seen.value()

    async def _begin(self) -> bool:
        """Start the cluster; False if it is not terminated any more: another client started it."""
        try:
            await self._start(self._cluster_id)
        except InvalidState:
            return False
        except OutcomeUnknown:
            return True  # repeated after a lost answer, and refused because the first try had done it
        return True


class Running:
    """Starts clusters from any state: one start for a cluster, however many callers wait for it."""

    def __init__(self, reader: Reader[str, ClusterDetails], start: Callable[[str], Awaitable[object]]) -> None:
        self._reader = reader
        self._start = start
        self._starts: dict[str, _Start] = {}

    async def ensure(self, cluster_id: str, timeout: Timeout, every: Timeout) -> ClusterDetails:
        seconds, tick = seconds_of(timeout), tick_of(every, self._reader.tick)
        # A start that has ended, well or badly, does not count for later callers: their `join` begins a new one.
        start = self._starts.get(cluster_id)
        if start is None:
            start = self._starts[cluster_id] = _Start(cluster_id, self._reader, self._start, tick)

        def expired() -> OperationTimeout:
            seen = start.last and start.last.state
            message = f"cluster {cluster_id} is not running after {seconds:g} s (last seen: {seen})"
            return OperationTimeout(message, last=start.last)

        try:
            async with time_limit(seconds, expired):
                return (await start.flight.join()).result()
        finally:
            if not start.flight.is_wanted and self._starts.get(cluster_id) is start:
                del self._starts[cluster_id]
