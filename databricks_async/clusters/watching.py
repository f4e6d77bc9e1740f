"""Clusters watched and waited for: the methods of `w.clusters` that share its one reader."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from databricks_async.clusters.models import ClusterDetails, State
from databricks_async.clusters.polls import ClusterPolls
from databricks_async.clusters.running import DOWN, UP, ClusterWait, state_of
from databricks_async.polling.following import FAIL_AFTER_SECONDS, Following
from databricks_async.polling.pace import tick_of
from databricks_async.service import Service, identifier
from databricks_async.wait import Timeout, seconds_of
from databricks_async.watch import Watch, never

if TYPE_CHECKING:
    from databricks_async.session.session import Session


class ClusterWatches(Service):
    """What follows clusters without changing them."""

    def __init__(self, session: Session, version: str) -> None:
        super().__init__(session, version)
        self._reader = self._new_reader("cluster", ClusterPolls(self._call, self._list, version))

    def watch(
        self,
        cluster_id: str,
        *,
        until: Callable[[ClusterDetails], bool] = never,
        every: Timeout = None,
        fail_after: Timeout = FAIL_AFTER_SECONDS,
    ) -> Watch[ClusterDetails]:
        """Follow a cluster: `async for cluster in w.clusters.watch(cluster_id)` sees each change of state once.

        The first poll is made at once. The iteration ends after a cluster for which `until` is true, or when the
        cluster is permanently deleted (`deleted` of the watch says so).

        All that is waited for and watched with one client shares its polls. They come `every` so many seconds (by
        default the client's `poll_interval_seconds`), up to three times as many while nothing changes or the service
        refuses requests. What begins and ends between two polls is not seen. Polls that fail do not end a watch, but
        the last failure is raised after `fail_after` seconds of nothing else; `age` says how old its picture is.
        """
        name = f"cluster {identifier('cluster_id', cluster_id)}"
        following = Following(
            name,
            self._reader,
            self._reader.thing(cluster_id),
            tick=tick_of(every, self._reader.tick),
            fail_after=seconds_of(fail_after, "fail_after"),
        )
        return Watch(following, state_of, ended=until)

    def wait_running(self, cluster_id: str, *, every: Timeout = None) -> ClusterWait:
        """Wait for a cluster that was started elsewhere, or before this program was. Sends nothing by itself."""
        return self._wait(identifier("cluster_id", cluster_id), "start", UP, every=every)

    def wait_terminated(self, cluster_id: str, *, every: Timeout = None) -> ClusterWait:
        """Wait for a cluster to be down. Sends nothing by itself."""
        return self._wait(identifier("cluster_id", cluster_id), "termination", DOWN, every=every)

    def _wait(self, cluster_id: str, action: str, goal: frozenset[State], **settings: Any) -> ClusterWait:
        return ClusterWait(cluster_id, action, goal, self._reader, **settings)
