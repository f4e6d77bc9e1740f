"""What happened to a cluster: its events, and their pages."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import attrs

from databricks_async.clusters.models.details import TerminationReason
from databricks_async.clusters.models.enums import (
    DataPlaneEventDetailsEventType,
    DataSecurityMode,
    DependencyMode,
    EventDetailsCause,
    EventType,
    InitScriptExecutionDetailsInitScriptExecutionStatus,
    Kind,
    RuntimeEngine,
)
from databricks_async.clusters.models.machines import (
    AwsAttributes,
    AzureAttributes,
    ClusterSize,
    DockerImage,
    GcpAttributes,
    NodeTypeFlexibility,
    WorkloadType,
)
from databricks_async.clusters.models.storage import (
    Adlsgen2Info,
    ClusterLogConf,
    DbfsStorageInfo,
    GcsStorageInfo,
    InitScriptInfo,
    LocalFileInfo,
    S3StorageInfo,
    VolumesStorageInfo,
    WorkspaceStorageInfo,
)
from databricks_async.codec import SECRET_VALUES, Model
from databricks_async.epoch import from_epoch_ms


@attrs.define(kw_only=True, repr=False)
class ClusterAttributes(Model):
    """The configuration of a cluster before or after an edit."""

    spark_version: str | None = None
    autotermination_minutes: int | None = None
    """Minutes without work after which the cluster ends; 0 is never."""
    aws_attributes: AwsAttributes | None = None
    azure_attributes: AzureAttributes | None = None
    cluster_log_conf: ClusterLogConf | None = None
    cluster_name: str | None = None
    custom_tags: dict[str, str] | None = None
    data_security_mode: DataSecurityMode | None = None
    dependency_mode: DependencyMode | None = None
    docker_image: DockerImage | None = None
    driver_instance_pool_id: str | None = None
    driver_node_type_flexibility: NodeTypeFlexibility | None = None
    driver_node_type_id: str | None = None
    enable_elastic_disk: bool | None = None
    enable_local_disk_encryption: bool | None = None
    gcp_attributes: GcpAttributes | None = None
    init_scripts: list[InitScriptInfo] | None = None
    instance_pool_id: str | None = None
    is_single_node: bool | None = None
    kind: Kind | None = None
    node_type_id: str | None = None
    policy_id: str | None = None
    remote_disk_throughput: int | None = None
    """Mb/s."""
    runtime_engine: RuntimeEngine | None = None
    single_user_name: str | None = None
    spark_conf: dict[str, str] | None = attrs.field(default=None, metadata=SECRET_VALUES)
    spark_env_vars: dict[str, str] | None = attrs.field(default=None, metadata=SECRET_VALUES)
    ssh_public_keys: list[str] | None = None
    total_initial_remote_disk_size: int | None = None
    """GB, of all machines together."""
    use_ml_runtime: bool | None = None
    worker_node_type_flexibility: NodeTypeFlexibility | None = None
    workload_type: WorkloadType | None = None


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

    cluster_id: str
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
