"""What happened to a cluster, as a value: from one state to the next."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import attrs

from databricks_async.clusters.models import ClusterDetails, State
from databricks_async.clusters.running import state_of, why_of
from databricks_async.polling.group import Meaning

if TYPE_CHECKING:
    from databricks_async.clusters.models import ClusterEvent


@attrs.frozen
class ClusterChange:
    """A change of a cluster's state, as a watch sees it."""

    cluster_id: str
    before: ClusterDetails | None
    """As it was seen last; None for the first poll of it: it was there already, or is new."""
    after: ClusterDetails | None
    """As it is now; None if it was deleted for good, or is not listed any more."""
    when: datetime | None
    """The service's time (UTC): of the change if the description says it, which it does of starts and of ends, else its
    clock when a poll first showed the change. None if the service has said neither."""
    why: str
    """What the service says about the state, and the reason of a termination; may be empty."""
    event: ClusterEvent | None = None
    """Where the change is known from, if no poll has shown it: `after` is then what the next poll showed, in the state
    of the event."""

    @property
    def state(self) -> State | None:
        """The state after the change; None if the cluster is gone."""
        return self.after.state if self.after is not None else None


def change_of(
    cluster_id: str, before: ClusterDetails | None, after: ClusterDetails | None, served_at: datetime | None
) -> ClusterChange:
    """The change that a poll shows."""
    if after is None:
        return ClusterChange(cluster_id, before, None, served_at, "it was deleted, or is not listed any more")
    return ClusterChange(cluster_id, before, after, _when(after) or served_at, why_of(after))


def _compare(
    cluster_id: str, before: ClusterDetails | None, after: ClusterDetails | None, served_at: datetime | None
) -> list[ClusterChange]:
    if before is not None and after is not None and state_of(before) == state_of(after):
        return []
    return [change_of(cluster_id, before, after, served_at)]


def _when(cluster: ClusterDetails) -> datetime | None:
    if cluster.state == State.TERMINATED:
        return cluster.terminated
    if cluster.state in (State.PENDING, State.RESTARTING):
        starts = [moment for moment in (cluster.start, cluster.last_restarted) if moment is not None]
        return max(starts, default=None)
    return None


CHANGES_OF_STATE: Meaning[str, ClusterDetails, ClusterChange] = Meaning(
    _compare, is_end=lambda _: False, drops_out=True, parts=False
)
