"""The changes of clusters with what happened between two polls: every state, taken from the events."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime

import attrs

from databricks_async.aio import Sleep, gather
from databricks_async.clusters.changes import ClusterChange, change_of
from databricks_async.clusters.following import EventFeed, Happening
from databricks_async.clusters.models import ClusterDetails, ClusterEvent, EventType, State
from databricks_async.clusters.running import words_of_reason
from databricks_async.epoch import from_epoch_ms, to_epoch_ms
from databricks_async.errors import DatabricksError, ResourceDoesNotExist
from databricks_async.pager import Pager
from databricks_async.polling.group import Group, Meaning
from databricks_async.polling.things import is_transient

log = logging.getLogger("databricks_async")

_STATES = {
    EventType.CREATING: State.PENDING,
    EventType.STARTING: State.PENDING,
    EventType.RUNNING: State.RUNNING,
    EventType.UPSIZE_COMPLETED: State.RUNNING,
    EventType.RESTARTING: State.RESTARTING,
    EventType.RESIZING: State.RESIZING,
    EventType.TERMINATING: State.TERMINATING,
}
"""The state that begins with an event. TERMINATED has none."""
_DATE_MS = 1000
"""The service's clock is known to a second."""


@attrs.frozen(eq=False)
class Look:
    """A poll that shows a cluster as it was not before."""

    cluster_id: str
    after: ClusterDetails | None
    served_at: datetime | None


def _looks(
    cluster_id: str, before: ClusterDetails | None, after: ClusterDetails | None, served_at: datetime | None
) -> list[Look]:
    # Anything that differs may come of states that were passed through.
    return [Look(cluster_id, after, served_at)]


LOOKS: Meaning[str, ClusterDetails, Look] = Meaning(_looks, is_end=lambda _: False, drops_out=True, parts=False)


class _Life:
    """A cluster as the caller knows it, from the first look on."""

    def __init__(self, look: Look, cluster: ClusterDetails, events: Callable[..., Pager[ClusterEvent]]) -> None:
        self.cluster_id = look.cluster_id
        self.last = cluster
        self._seen_at = to_epoch_ms("served_at", look.served_at) or 0
        self._feed = EventFeed(look.cluster_id, events, self._seen_at)
        self._is_new = True

    async def read(self, now: ClusterDetails, changes: deque[ClusterChange]) -> bool:
        """Read new events, and add the changes that they stand for; whether there were any."""
        has_new = False
        while True:
            found = await self._feed.read()
            for happening in found:
                self._feed.take(happening)
            if self._is_new:
                found, self._is_new = found[self._known(found) :], False
            has_new = has_new or bool(found)
            states = [(state, one.event) for one in found if (state := _state_of(one.event)) is not None]
            for number, (state, event) in enumerate(states, 1):
                is_now = number == len(states) and state == now.state and not self._feed.is_behind
                self._add(state, event, now, changes, is_now=is_now)
            if not self._feed.is_behind:
                return has_new

    def _add(
        self,
        state: State,
        event: ClusterEvent,
        now: ClusterDetails,
        changes: deque[ClusterChange],
        *,
        is_now: bool,
    ) -> None:
        if state == self.last.state:
            return
        if state == State.PENDING and self.last.state == State.TERMINATING:
            # It was down before it was started again, and no event says when.
            changes.append(self._passed(attrs.evolve(now, state=State.TERMINATED, state_message=None), None))
        after = now
        if not is_now:
            reason = event.details.reason if event.details is not None else None
            after = attrs.evolve(now, state=state, state_message=None, termination_reason=reason)
        changes.append(self._passed(after, event))

    def _passed(self, after: ClusterDetails, event: ClusterEvent | None) -> ClusterChange:
        before, self.last = self.last, after
        reason = event.details.reason if event is not None and event.details is not None else None
        why = after.state_message or (words_of_reason(reason) if reason is not None else "")
        when = from_epoch_ms(event.timestamp) if event is not None else None
        return ClusterChange(self.cluster_id, before, after, when, why, event)

    def _known(self, found: list[Happening]) -> int:
        """How many of the first events came before the first look: as far as they led to what it showed."""
        known = 0
        for number, happening in enumerate(found, 1):
            if happening.time >= self._seen_at + _DATE_MS and self._seen_at:
                break
            state = _state_of(happening.event)
            if state is not None and (state == self.last.state or _leads_to(state, self.last)):
                known = number
        return known


def _state_of(event: ClusterEvent) -> State | None:
    return None if event.type is None else _STATES.get(event.type)


def _leads_to(state: State | None, cluster: ClusterDetails) -> bool:
    """Whether nothing but this can come next."""
    return state == State.TERMINATING and cluster.state == State.TERMINATED


class FilledGroup:
    """The changes of a group of clusters, with those that polls have not seen.

    Events are read when a poll shows that anything about a cluster has changed.
    """

    def __init__(
        self,
        group: Group[str, ClusterDetails, Look],
        events: Callable[[str], Callable[..., Pager[ClusterEvent]]],
        get: Callable[[str], Awaitable[ClusterDetails]],
        sleep: Sleep,
    ) -> None:
        self._group = group
        self._events = events
        self._get = get
        self._sleep = sleep
        self._lives: dict[str, _Life] = {}
        self._looks: list[Look] = []
        self._ready: deque[ClusterChange] = deque()

    @property
    def name(self) -> str:
        return self._group.name

    @property
    def good_at(self) -> float | None:
        return self._group.good_at

    async def next(self) -> ClusterChange:
        """The next change. Raises `StopAsyncIteration` when none can come any more."""
        while not self._ready:
            if not self._looks:
                self._looks = [await self._group.next(), *self._group.rest()]
            by_cluster: dict[str, list[Look]] = {}
            for look in self._looks:
                by_cluster.setdefault(look.cluster_id, []).append(look)
            await gather(map(self._fill_each, by_cluster.values()))
        return self._ready.popleft()

    async def _fill_each(self, looks: Iterable[Look]) -> None:
        clock = asyncio.get_running_loop().time
        for look in looks:
            began_at = clock()
            while look in self._looks:
                try:
                    await self._fill(look)
                except DatabricksError as error:
                    limit = self._group.fail_after
                    if not is_transient(error) or (limit is not None and clock() - began_at >= limit):
                        raise
                    log.warning("%s: events could not be read, which is tried again: %s", self.name, error)
                    await self._sleep(self._group.tick)
                else:
                    self._looks.remove(look)

    async def _fill(self, look: Look) -> None:
        life = self._lives.get(look.cluster_id)
        if look.after is None:  # of what is gone the events are gone too
            self._lives.pop(look.cluster_id, None)
            self._ready.append(change_of(look.cluster_id, None if life is None else life.last, None, look.served_at))
        elif life is None:
            life = _Life(look, look.after, self._events(look.cluster_id))
            self._lives[look.cluster_id] = life
            self._ready.append(change_of(look.cluster_id, None, look.after, look.served_at))
        else:
            await self._catch_up(life, look.after, look.served_at)

    async def _catch_up(self, life: _Life, after: ClusterDetails, served_at: datetime | None) -> None:
        """Add the changes since the last look, those of the events first."""
        try:
            # The poll came before the events that are read now. If none of them is new it shows what is after them all.
            has_new = await life.read(after, self._ready)
            while has_new and life.last.state != after.state and not _leads_to(life.last.state, after):
                after = await self._get(life.cluster_id)
                has_new = await life.read(after, self._ready)
        except ResourceDoesNotExist:
            pass  # it is gone by now, which the next poll says
        if life.last.state != after.state:
            self._ready.append(change_of(life.cluster_id, life.last, after, served_at))
        life.last = after
