"""The events of a cluster, and their pages."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import attrs

from databricks_async.clusters.models.details import TerminationReason
from databricks_async.clusters.models.requests import ClusterSize
from databricks_async.clusters.models.spec import ClusterAttributes
from databricks_async.clusters.models.storage import (
    Adlsgen2Info,
    DbfsStorageInfo,
    GcsStorageInfo,
    LocalFileInfo,
    S3StorageInfo,
    VolumesStorageInfo,
    WorkspaceStorageInfo,
)
from databricks_async.codec import Model, OpenEnum
from databricks_async.epoch import from_epoch_ms

__all__ = [
    "ClusterEvent",
    "DataPlaneEventDetails",
    "DataPlaneEventDetailsEventType",
    "EventDetails",
    "EventDetailsCause",
    "EventType",
    "GetEventsOrder",
    "GetEventsResponse",
    "InitScriptEventDetails",
    "InitScriptExecutionDetailsInitScriptExecutionStatus",
    "InitScriptInfoAndExecutionDetails",
]


class DataPlaneEventDetailsEventType(OpenEnum):
    """What happened to a machine."""

    NODE_BLACKLISTED = "NODE_BLACKLISTED"
    NODE_EXCLUDED_DECOMMISSIONED = "NODE_EXCLUDED_DECOMMISSIONED"


class EventDetailsCause(OpenEnum):
    """Why a cluster changed its size."""

    AUTORECOVERY = "AUTORECOVERY"
    AUTOSCALE = "AUTOSCALE"
    AUTOSCALE_V2 = "AUTOSCALE_V2"
    DBR_AUTOSCALE = "DBR_AUTOSCALE"
    REPLACE_BAD_NODES = "REPLACE_BAD_NODES"
    USER_REQUEST = "USER_REQUEST"


class EventType(OpenEnum):
    """What happened to a cluster."""

    ADD_NODES_FAILED = "ADD_NODES_FAILED"
    AUTOMATIC_CLUSTER_UPDATE = "AUTOMATIC_CLUSTER_UPDATE"
    AUTOSCALING_BACKOFF = "AUTOSCALING_BACKOFF"
    AUTOSCALING_FAILED = "AUTOSCALING_FAILED"
    AUTOSCALING_STATS_REPORT = "AUTOSCALING_STATS_REPORT"
    CLUSTER_MIGRATED = "CLUSTER_MIGRATED"
    CREATING = "CREATING"
    DBFS_DOWN = "DBFS_DOWN"
    DECOMMISSION_ENDED = "DECOMMISSION_ENDED"
    DECOMMISSION_STARTED = "DECOMMISSION_STARTED"
    DEFERRED_POLICY_ENFORCEMENT_FAILED = "DEFERRED_POLICY_ENFORCEMENT_FAILED"
    DEFERRED_POLICY_ENFORCEMENT_SCHEDULED = "DEFERRED_POLICY_ENFORCEMENT_SCHEDULED"
    DID_NOT_EXPAND_DISK = "DID_NOT_EXPAND_DISK"
    DRIVER_HEALTHY = "DRIVER_HEALTHY"
    DRIVER_NOT_RESPONDING = "DRIVER_NOT_RESPONDING"
    DRIVER_UNAVAILABLE = "DRIVER_UNAVAILABLE"
    EDITED = "EDITED"
    EXPANDED_DISK = "EXPANDED_DISK"
    FAILED_TO_EXPAND_DISK = "FAILED_TO_EXPAND_DISK"
    INIT_SCRIPTS_FINISHED = "INIT_SCRIPTS_FINISHED"
    INIT_SCRIPTS_STARTED = "INIT_SCRIPTS_STARTED"
    METASTORE_DOWN = "METASTORE_DOWN"
    NODES_LOST = "NODES_LOST"
    NODE_BLACKLISTED = "NODE_BLACKLISTED"
    NODE_EXCLUDED_DECOMMISSIONED = "NODE_EXCLUDED_DECOMMISSIONED"
    PINNED = "PINNED"
    RESIZING = "RESIZING"
    RESTARTING = "RESTARTING"
    RUNNING = "RUNNING"
    SPARK_EXCEPTION = "SPARK_EXCEPTION"
    STARTING = "STARTING"
    TERMINATING = "TERMINATING"
    UC_VOLUME_MISCONFIGURED = "UC_VOLUME_MISCONFIGURED"
    UNPINNED = "UNPINNED"
    UPSIZE_COMPLETED = "UPSIZE_COMPLETED"


class GetEventsOrder(OpenEnum):
    """The order of events by time."""

    ASC = "ASC"
    DESC = "DESC"


class InitScriptExecutionDetailsInitScriptExecutionStatus(OpenEnum):
    """How an init script went."""

    FAILED_EXECUTION = "FAILED_EXECUTION"
    FAILED_FETCH = "FAILED_FETCH"
    FUSE_MOUNT_FAILED = "FUSE_MOUNT_FAILED"
    NOT_EXECUTED = "NOT_EXECUTED"
    SKIPPED = "SKIPPED"
    SUCCEEDED = "SUCCEEDED"
    UNKNOWN = "UNKNOWN"


@attrs.define(kw_only=True, repr=False, eq=False)
class InitScriptInfoAndExecutionDetails(Model):
    """One init script, and how it went."""

    abfss: Adlsgen2Info | None = None
    """A place in Azure Data Lake Storage."""
    dbfs: DbfsStorageInfo | None = None
    """A place in DBFS."""
    error_message: str | None = None
    """What went wrong."""
    execution_duration_seconds: int | None = None
    """Seconds that it took."""
    file: LocalFileInfo | None = None
    """A file on the machine itself."""
    gcs: GcsStorageInfo | None = None
    """A place in Google Cloud Storage."""
    s3: S3StorageInfo | None = None
    """A place in Amazon S3."""
    status: InitScriptExecutionDetailsInitScriptExecutionStatus | None = None
    """How it ended."""
    stderr: str | None = None
    """What it wrote to standard error; only if debugging of init scripts is on."""
    volumes: VolumesStorageInfo | None = None
    """A place in a Unity Catalog volume."""
    workspace: WorkspaceStorageInfo | None = None
    """A file of the workspace."""


@attrs.define(kw_only=True, repr=False, eq=False)
class InitScriptEventDetails(Model):
    """The init scripts that ran on one machine."""

    cluster: list[InitScriptInfoAndExecutionDetails] | None = None
    """The scripts of the cluster."""
    global_: list[InitScriptInfoAndExecutionDetails] | None = attrs.field(default=None, metadata={"wire": "global"})
    """The scripts of the whole workspace."""
    reported_for_node: str | None = None
    """The private IP address of the machine."""


@attrs.define(kw_only=True, repr=False, eq=False)
class DataPlaneEventDetails(Model):
    """What an event says about one machine."""

    event_type: DataPlaneEventDetailsEventType | None = None
    """What happened to the machine."""
    executor_failures: int | None = None
    """How often its executor failed."""
    host_id: str | None = None
    """The id of the machine."""
    timestamp: int | None = None
    """Epoch milliseconds."""

    @property
    def time(self) -> datetime | None:
        """`timestamp` with a time zone (UTC)."""
        return from_epoch_ms(self.timestamp)


@attrs.define(kw_only=True, repr=False, eq=False)
class EventDetails(Model):
    """What an event says; which fields there are depends on its type."""

    attributes: ClusterAttributes | None = None
    """The attributes of the cluster that was made, or the new ones of one that was edited."""
    cause: EventDetailsCause | None = None
    """Why the wanted size changed."""
    cluster_size: ClusterSize | None = None
    """The size that was set."""
    current_num_vcpus: int | None = None
    """The number of vCPUs there are."""
    current_num_workers: int | None = None
    """The number of workers there are."""
    did_not_expand_reason: str | None = None
    """Why a disk was not expanded."""
    disk_size: int | None = None
    """Bytes."""
    driver_state_message: str | None = None
    """More about the state of the driver."""
    enable_termination_for_node_blocklisted: bool | None = None
    """Whether a machine that is blocklisted is given back."""
    free_space: int | None = None
    """Bytes."""
    init_scripts: InitScriptEventDetails | None = None
    """The init scripts that ran."""
    instance_id: str | None = None
    """The id of the cloud's machine from which the event came."""
    job_run_name: str | None = None
    """The name of the run for which the cluster was made."""
    previous_attributes: ClusterAttributes | None = None
    """The attributes before the edit."""
    previous_cluster_size: ClusterSize | None = None
    """The size before the change."""
    previous_disk_size: int | None = None
    """Bytes."""
    reason: TerminationReason | None = None
    """Why the cluster ended, or could not get all machines."""
    target_num_vcpus: int | None = None
    """The number of vCPUs wanted."""
    target_num_workers: int | None = None
    """The number of workers wanted."""
    user: str | None = None
    """Who caused it; empty if it was the service."""


@attrs.define(kw_only=True, repr=False, eq=False)
class ClusterEvent(Model):
    """Something that happened to a cluster."""

    cluster_id: str | None
    """The id of the cluster; it stays over restarts and resizes."""
    data_plane_event_details: DataPlaneEventDetails | None = None
    """What it says about one machine."""
    details: EventDetails | None = None
    """What it says; which fields there are depends on the type."""
    timestamp: int | None = None
    """Epoch milliseconds."""
    type: EventType | None = None
    """What happened."""

    @property
    def time(self) -> datetime | None:
        """`timestamp` with a time zone (UTC)."""
        return from_epoch_ms(self.timestamp)


@attrs.define(kw_only=True, repr=False, eq=False)
class GetEventsResponse(Model):
    """One page of events."""

    events: list[ClusterEvent] | None = None
    """The events of this page."""
    next_page: dict[str, Any] | None = None
    """The body of the request for the next page."""
    next_page_token: str | None = None
    """Goes on after this page; absent or empty on the last."""
    prev_page_token: str | None = None
    """Goes back to the page before this one."""
    total_count: int | None = None
    """Of all pages."""
