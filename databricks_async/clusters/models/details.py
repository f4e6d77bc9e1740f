"""Clusters as the service reports them, and listings and filters of clusters."""

from __future__ import annotations

from datetime import datetime

import attrs

from databricks_async.clusters.models.enums import (
    ClusterSource,
    State,
    TerminationReasonCode,
    TerminationReasonType,
)
from databricks_async.clusters.models.machines import (
    AutoScale,
    DiskSpec,
    SparkNode,
)
from databricks_async.clusters.models.spec import ClusterAttributes, ClusterSpec
from databricks_async.clusters.models.storage import LogSyncStatus
from databricks_async.codec import Model
from databricks_async.epoch import from_epoch_ms

__all__ = [
    "ClusterDetails",
    "TerminationReason",
]


@attrs.define(kw_only=True, repr=False, eq=False)
class TerminationReason(Model):
    """Why a cluster ended."""

    code: TerminationReasonCode | None = None
    """The cause, in one word."""
    parameters: dict[str, str] | None = None
    """More about the reason; which names there are depends on it."""
    type: TerminationReasonType | None = None
    """Whose doing it was: success, or an error of the client, the service or the cloud."""


@attrs.define(kw_only=True, repr=False, eq=False)
class ClusterDetails(ClusterAttributes):
    """A cluster, as the service sees it."""

    cluster_id: str | None
    """The id of the cluster; it stays over restarts and resizes."""
    autoscale: AutoScale | None = None
    """The range in which the service chooses the number of workers. Not together with `num_workers`."""
    cluster_cores: float | None = None
    """Of all machines together; may be a fraction."""
    cluster_log_status: LogSyncStatus | None = None
    """How the last delivery of logs went."""
    cluster_memory_mb: int | None = None
    """MB, of all machines together."""
    cluster_source: ClusterSource | None = None
    """What made the cluster: the web UI, the API, a job, a pipeline."""
    creator_user_name: str | None = None
    """Who created it; absent if that user was deleted."""
    default_tags: dict[str, str] | None = None
    """Tags that the service adds itself: vendor, creator, name and id."""
    driver: SparkNode | None = None
    """The machine of the driver."""
    executors: list[SparkNode] | None = None
    """The machines of the workers."""
    jdbc_port: int | None = None
    """The port of the Spark JDBC server on the driver."""
    last_restarted_time: int | None = None
    """Epoch milliseconds."""
    last_state_loss_time: int | None = None
    """Epoch milliseconds."""
    num_workers: int | None = None
    """The number of workers asked for; while it resizes, the machines there are differ from it."""
    spark_context_id: int | None = None
    """The id of the Spark context; it changes when the driver restarts."""
    spec: ClusterSpec | None = None
    """What was requested, where the service reports it."""
    start_time: int | None = None
    """Epoch milliseconds."""
    state: State | None = None
    """The state the cluster is in."""
    state_message: str | None = None
    """Why it is in this state, for people."""
    terminated_time: int | None = None
    """Epoch milliseconds."""
    termination_reason: TerminationReason | None = None
    """Why it ended; only while it is terminating or terminated."""
    last_activity_time: int | None = None
    """Epoch milliseconds."""
    disk_spec: DiskSpec | None = None
    """The disks of each machine."""

    @property
    def last_restarted(self) -> datetime | None:
        """`last_restarted_time` with a time zone (UTC)."""
        return from_epoch_ms(self.last_restarted_time)

    @property
    def last_state_loss(self) -> datetime | None:
        """`last_state_loss_time` with a time zone (UTC)."""
        return from_epoch_ms(self.last_state_loss_time)

    @property
    def start(self) -> datetime | None:
        """`start_time` with a time zone (UTC)."""
        return from_epoch_ms(self.start_time)

    @property
    def terminated(self) -> datetime | None:
        """`terminated_time` with a time zone (UTC)."""
        return from_epoch_ms(self.terminated_time)

    @property
    def last_activity(self) -> datetime | None:
        """`last_activity_time` with a time zone (UTC)."""
        return from_epoch_ms(self.last_activity_time)

    @property
    def started_at(self) -> datetime | None:
        """The older name of `start`."""
        return self.start

    @property
    def terminated_at(self) -> datetime | None:
        """The older name of `terminated`."""
        return self.terminated

    def to_spec(self) -> ClusterSpec:
        """What to hand to `edit` to leave the cluster as it is: a copy, to be changed first.

        It is the `spec` if the service sent one, and otherwise made from the fields that a person can set and
        those that this version does not know.
        """
        if self.spec is not None:
            asked = self.spec.as_dict()
        else:
            asked = {
                name: value
                for name, value in self.as_dict().items()
                if name not in _READ_ONLY_FIELDS and value is not None
            }
            if self.instance_pool_id:  # the service reports what the pool gives, and refuses it in a request
                for name in ("node_type_id", "driver_node_type_id", "enable_elastic_disk"):
                    asked.pop(name, None)
        if "autoscale" in asked:  # the service reports the present number too
            asked.pop("num_workers", None)
        return ClusterSpec.from_dict(asked)


_READ_ONLY_FIELDS = {field.name for field in attrs.fields(ClusterDetails)} - {
    field.name for field in attrs.fields(ClusterSpec)
} | {
    # Fields of the service's answers that no specification has.
    "assigned_principal",
    "driver_healthy",
    "driver_instance_source",
    "effective_spark_version",
    "init_scripts_safe_mode",
    "instance_source",
    "pinned_by_user_name",
}
