"""Clusters watched and waited for: the methods of `w.clusters` that share its one reader."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, overload

from databricks_async.clusters.changes import CHANGES_OF_STATE, ClusterChange
from databricks_async.clusters.events import ClusterEvents
from databricks_async.clusters.models import ClusterDetails, State
from databricks_async.clusters.polls import ClusterPolls
from databricks_async.clusters.running import DOWN, UP, ClusterWait, state_of
from databricks_async.errors import ResourceDoesNotExist
from databricks_async.pager import Pager
from databricks_async.polling.following import FAIL_AFTER_SECONDS, Following
from databricks_async.polling.group import Group
from databricks_async.polling.pace import tick_of
from databricks_async.polling.things import Scope
from databricks_async.service import identifier
from databricks_async.wait import Timeout, seconds_of
from databricks_async.watch import Changes, Watch, never

if TYPE_CHECKING:
    from databricks_async.clusters.filling import FilledGroup
    from databricks_async.clusters.models import ClusterEvent
    from databricks_async.session.session import Session

_ALL: Any = type("All", (), {"__repr__": lambda _: "<all clusters>"})()
"""None would be a mistake: an id that is missing must not stand for all clusters."""


class _States:
    """The states of one cluster, out of its changes."""

    def __init__(self, changes: FilledGroup) -> None:
        self._changes = changes
        self.name = changes.name

    @property
    def good_at(self) -> float | None:
        return self._changes.good_at

    async def next(self, accept: object, /) -> ClusterDetails:
        change = await self._changes.next()
        if change.after is None:
            raise ResourceDoesNotExist(f"{self.name}: {change.why}")
        return change.after


class ClusterWatches(ClusterEvents):
    """What follows clusters without changing them."""

    def __init__(self, session: Session, version: str) -> None:
        super().__init__(session, version)
        self._reader = self._new_reader("cluster", ClusterPolls(self._call, self._list, self._served_at, version))

    @overload
    def watch(  # type: ignore[overload-overlap]
        self,
        cluster_id: str,
        *,
        until: Callable[[ClusterDetails], bool] = ...,
        every: Timeout = ...,
        fail_after: Timeout = ...,
        events: bool = ...,
    ) -> Watch[ClusterDetails]: ...

    @overload
    def watch(
        self,
        cluster_id: Iterable[str] = ...,
        *,
        until: Callable[[ClusterChange], bool] = ...,
        every: Timeout = ...,
        fail_after: Timeout = ...,
        events: bool = ...,
    ) -> Changes[ClusterChange]: ...

    def watch(
        self,
        cluster_id: str | Iterable[str] = _ALL,
        *,
        until: Callable[[Any], bool] = never,
        every: Timeout = None,
        fail_after: Timeout = FAIL_AFTER_SECONDS,
        events: bool = False,
    ) -> Watch[ClusterDetails] | Changes[ClusterChange]:
        """Follow one cluster, several, or all: each change of state once, the first poll of a cluster included.

        `async for cluster in w.clusters.watch(cluster_id)` sees the cluster in each state, and ends when it is
        permanently deleted (`deleted` of the watch says so). `watch([id, id])` and `watch()` yield a `ClusterChange`:
        before, after, when and why. `watch()` sees all clusters that `list` lists, those that appear later, and those
        that vanish. `until` ends the iteration after the first cluster, or change, for which it is true.

        All that is waited for and watched with one client shares its polls, which are `GET /api/2.1/clusters/get` or
        `GET /api/2.1/clusters/list`, whichever takes fewer requests. They come `every` so many seconds (by default the
        client's `poll_interval_seconds`), up to three times as many while nothing changes or the service refuses
        requests. Polls see what is at the time: a state that begins and ends between two of them is not seen, such as
        a TERMINATING of a few seconds, or a restart in which a cluster runs again before the next poll. With
        `events=True` it is: when a poll shows that anything about a cluster has changed, its new events are read with
        `POST /api/2.1/clusters/events`, and every state passed through is yielded in order, once. (TERMINATED and the
        end of a RESIZING to fewer workers have no event: the first is known to follow TERMINATING.)

        Polls that fail do not end a watch, but the last failure is raised after `fail_after` seconds of nothing else
        (None is never); meanwhile `age` says how old its picture is. Raises `ResourceDoesNotExist` for a cluster that
        was not there from the start. Closing the client ends a watch under way with a `LifecycleError`: in a stream
        take it for the end.
        """
        settings: Any = {
            "tick": tick_of(every, self._reader.tick),
            "fail_after": seconds_of(fail_after, "fail_after"),
        }
        if isinstance(cluster_id, str):
            name = f"cluster {identifier('cluster_id', cluster_id)}"
            if events:
                return Watch(_States(self._filled(name, [cluster_id], settings)), state_of, ended=until)
            following = Following(name, self._reader, self._reader.thing(cluster_id), **settings)
            return Watch(following, state_of, ended=until)
        followed: list[str] | Scope[str, ClusterDetails]
        if cluster_id is _ALL:
            name, followed = "all clusters", self._reader.scope(None)
        else:
            if isinstance(cluster_id, bytes) or not isinstance(cluster_id, Iterable):
                identifier("cluster_id", cluster_id)  # says what is wrong with it
            followed = [identifier("cluster_id", one) for one in cluster_id]
            name = f"{len(followed)} clusters"
        if events:
            return Changes(self._filled(name, followed, settings), until)
        return Changes(Group(name, self._reader, followed, CHANGES_OF_STATE, **settings), until)

    def _filled(
        self, name: str, followed: list[str] | Scope[str, ClusterDetails], settings: dict[str, Any]
    ) -> FilledGroup:
        # Here, because few programs watch clusters with their events.
        from databricks_async.clusters.filling import LOOKS, FilledGroup
        from databricks_async.clusters.following import PAGE_SIZE

        def events_of(cluster_id: str) -> Callable[..., Pager[ClusterEvent]]:
            return partial(self.events, cluster_id, order="ASC", page_size=PAGE_SIZE)

        group = Group(name, self._reader, followed, LOOKS, **settings)
        return FilledGroup(group, events_of, self._get, self._session.pause)

    async def _get(self, cluster_id: str) -> ClusterDetails:
        return await self._call("GET /api/{v}/clusters/get", ClusterDetails, cluster_id=cluster_id)

    def wait_running(self, cluster_id: str, *, every: Timeout = None) -> ClusterWait:
        """Wait for a cluster that was started elsewhere, or before this program was. Sends nothing by itself."""
        return self._wait(identifier("cluster_id", cluster_id), "start", UP, every=every)

    def wait_terminated(self, cluster_id: str, *, every: Timeout = None) -> ClusterWait:
        """Wait for a cluster to be down. Sends nothing by itself."""
        return self._wait(identifier("cluster_id", cluster_id), "termination", DOWN, every=every)

    def _wait(self, cluster_id: str, action: str, goal: frozenset[State], **settings: Any) -> ClusterWait:
        return ClusterWait(cluster_id, action, goal, self._reader, **settings)
