"""Clusters watched and waited for: the methods of `w.clusters` that share its one reader."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, overload

from databricks_async.clusters.changes import CHANGES_OF_STATE, ClusterChange
from databricks_async.clusters.events import ClusterEvents
from databricks_async.clusters.models import ClusterDetails, State
from databricks_async.clusters.polls import ClusterPolls
from databricks_async.clusters.running import DOWN, UP, ClusterWait, state_of
from databricks_async.polling.following import FAIL_AFTER_SECONDS, Following
from databricks_async.polling.group import Group
from databricks_async.polling.pace import tick_of
from databricks_async.service import identifier
from databricks_async.wait import Timeout, seconds_of
from databricks_async.watch import Changes, Watch, never

if TYPE_CHECKING:
    from databricks_async.session.session import Session

_ALL: Any = type("All", (), {"__repr__": lambda _: "<all clusters>"})()
"""None would be a mistake: an id that is missing must not stand for all clusters."""


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
    ) -> Watch[ClusterDetails]: ...

    @overload
    def watch(
        self,
        cluster_id: Iterable[str] = ...,
        *,
        until: Callable[[ClusterChange], bool] = ...,
        every: Timeout = ...,
        fail_after: Timeout = ...,
    ) -> Changes[ClusterChange]: ...

    def watch(
        self,
        cluster_id: str | Iterable[str] = _ALL,
        *,
        until: Callable[[Any], bool] = never,
        every: Timeout = None,
        fail_after: Timeout = FAIL_AFTER_SECONDS,
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
        a TERMINATING of a few seconds, or a restart in which a cluster runs again before the next poll.

        Polls that fail do not end a watch, but the last failure is raised after `fail_after` seconds of nothing else
        (None is never); meanwhile `age` says how old its picture is. Raises `ResourceDoesNotExist` for a cluster that
        was not there from the start.
        """
        settings: Any = {
            "tick": tick_of(every, self._reader.tick),
            "fail_after": seconds_of(fail_after, "fail_after"),
        }
        if isinstance(cluster_id, str):
            name = f"cluster {identifier('cluster_id', cluster_id)}"
            following = Following(name, self._reader, self._reader.thing(cluster_id), **settings)
            return Watch(following, state_of, ended=until)
        if cluster_id is _ALL:
            return Changes(
                Group("all clusters", self._reader, self._reader.scope(None), CHANGES_OF_STATE, **settings), until
            )
        if isinstance(cluster_id, bytes) or not isinstance(cluster_id, Iterable):
            identifier("cluster_id", cluster_id)  # says what is wrong with it
        ids = [identifier("cluster_id", one) for one in cluster_id]
        return Changes(Group(f"{len(ids)} clusters", self._reader, ids, CHANGES_OF_STATE, **settings), until)

    def wait_running(self, cluster_id: str, *, every: Timeout = None) -> ClusterWait:
        """Wait for a cluster that was started elsewhere, or before this program was. Sends nothing by itself."""
        return self._wait(identifier("cluster_id", cluster_id), "start", UP, every=every)

    def wait_terminated(self, cluster_id: str, *, every: Timeout = None) -> ClusterWait:
        """Wait for a cluster to be down. Sends nothing by itself."""
        return self._wait(identifier("cluster_id", cluster_id), "termination", DOWN, every=every)

    def _wait(self, cluster_id: str, action: str, goal: frozenset[State], **settings: Any) -> ClusterWait:
        return ClusterWait(cluster_id, action, goal, self._reader, **settings)
