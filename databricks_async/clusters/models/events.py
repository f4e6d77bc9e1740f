"""What happened to a cluster: its events, and their pages."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import attrs

from databricks_async.clusters.models.details import TerminationReason
from databricks_async.clusters.models.enums import (
    DataPlaneEventDetailsEventType,
    EventDetailsCause,
    EventType,
    InitScriptExecutionDetailsInitScriptExecutionStatus,
)
from databricks_async.clusters.models.machines import (
    ClusterSize,
)
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
from databricks_async.codec import Model
from databricks_async.epoch import from_epoch_ms


@attrs.define(kw_only=True, repr=False)
class InitScriptInfoAndExecutionDetails(Model):
    """One init script, and how it went."""

    abfss: Adlsgen2Info | None = None
    dbfs: DbfsStorageInfo | None = None
    error_message: str | None = None
    execution_duration_seconds: int | None = None
    file: LocalFileInfo | None = None
    gcs: GcsStorageInfo | None = None
    s3: S3StorageInfo | None = None
    status: InitScriptExecutionDetailsInitScriptExecutionStatus | None = None
    stderr: str | None = None
    volumes: VolumesStorageInfo | None = None
    workspace: WorkspaceStorageInfo | None = None


@attrs.define(kw_only=True, repr=False)
class InitScriptEventDetails(Model):
    """The init scripts that ran on one machine."""

    cluster: list[InitScriptInfoAndExecutionDetails] | None = None
    global_: list[InitScriptInfoAndExecutionDetails] | None = attrs.field(default=None, metadata={"wire": "global"})
    reported_for_node: str | None = None


@attrs.define(kw_only=True, repr=False)
class DataPlaneEventDetails(Model):
    """What an event says about one machine."""

    event_type: DataPlaneEventDetailsEventType | None = None
    executor_failures: int | None = None
    host_id: str | None = None
    timestamp: int | None = None
    """Epoch milliseconds."""


@attrs.define(kw_only=True, repr=False)
class EventDetails(Model):
    """What an event says; which fields there are depends on its type."""

    attributes: ClusterAttributes | None = None
    cause: EventDetailsCause | None = None
    cluster_size: ClusterSize | None = None
    current_num_vcpus: int | None = None
    current_num_workers: int | None = None
    did_not_expand_reason: str | None = None
    disk_size: int | None = None
    """Bytes."""
    driver_state_message: str | None = None
    enable_termination_for_node_blocklisted: bool | None = None
    free_space: int | None = None
    """Bytes."""
    init_scripts: InitScriptEventDetails | None = None
    instance_id: str | None = None
    job_run_name: str | None = None
    previous_attributes: ClusterAttributes | None = None
    previous_cluster_size: ClusterSize | None = None
    previous_disk_size: int | None = None
    """Bytes."""
    reason: TerminationReason | None = None
    target_num_vcpus: int | None = None
    target_num_workers: int | None = None
    user: str | None = None


@attrs.define(kw_only=True, repr=False)
class ClusterEvent(Model):
    """Something that happened to a cluster."""

    cluster_id: str | None
    data_plane_event_details: DataPlaneEventDetails | None = None
    details: EventDetails | None = None
    timestamp: int | None = None
    """Epoch milliseconds."""
    type: EventType | None = None

    @property
    def time(self) -> datetime | None:
        """`timestamp` with a time zone (UTC)."""
        return from_epoch_ms(self.timestamp)


@attrs.define(kw_only=True, repr=False)
class GetEventsResponse(Model):
    """One page of events."""

    events: list[ClusterEvent] | None = None
    next_page: dict[str, Any] | None = None
    """The body of the request for the next page."""
    next_page_token: str | None = None
    prev_page_token: str | None = None
    total_count: int | None = None
    """Of all pages."""
