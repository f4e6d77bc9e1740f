"""What a workspace offers for clusters: node types, runtime versions, zones."""

from __future__ import annotations

import attrs

from databricks_async.codec import Model, OpenEnum

__all__ = [
    "CloudProviderNodeInfo",
    "CloudProviderNodeStatus",
    "GetSparkVersionsResponse",
    "ListAvailableZonesResponse",
    "ListNodeTypesResponse",
    "NodeInstanceType",
    "NodeType",
    "SparkVersion",
]


class CloudProviderNodeStatus(OpenEnum):
    """Why a node type cannot be had."""

    NOT_AVAILABLE_IN_REGION = "NotAvailableInRegion"
    NOT_ENABLED_ON_SUBSCRIPTION = "NotEnabledOnSubscription"


@attrs.define(kw_only=True, repr=False, eq=False)
class CloudProviderNodeInfo(Model):
    """What the cloud says about a node type."""

    status: list[CloudProviderNodeStatus] | None = None
    """What the cloud says about the type."""


@attrs.define(kw_only=True, repr=False, eq=False)
class NodeInstanceType(Model):
    """The disks of a node type."""

    instance_type_id: str | None
    """The id of the hardware."""
    local_disk_size_gb: int | None = None
    """GB of each local disk."""
    local_disks: int | None = None
    """The number of local disks."""
    local_nvme_disk_size_gb: int | None = None
    """GB of each local NVMe disk."""
    local_nvme_disks: int | None = None
    """The number of local NVMe disks."""


@attrs.define(kw_only=True, repr=False, eq=False)
class NodeType(Model):
    """A kind of machine that clusters can be made of."""

    node_type_id: str | None
    """The id to name in a specification, for example `Standard_DS3_v2`."""
    memory_mb: int | None
    """MB."""
    num_cores: float | None
    """May be a fraction."""
    description: str | None
    """The name for people."""
    instance_type_id: str | None
    """The id of the hardware."""
    category: str | None
    """What it is good for, for example `Memory Optimized`."""
    display_order: int | None = None
    """The place in lists of the web UI: low numbers first."""
    is_deprecated: bool | None = None
    """Whether newer types should be preferred."""
    is_encrypted_in_transit: bool | None = None
    """Whether traffic between machines is encrypted (AWS)."""
    is_graviton: bool | None = None
    """Whether it is an Arm processor."""
    is_hidden: bool | None = None
    """Whether the web UI hides it."""
    is_io_cache_enabled: bool | None = None
    """Whether the disk cache is on by default."""
    node_info: CloudProviderNodeInfo | None = None
    """What the cloud says about the type."""
    node_instance_type: NodeInstanceType | None = None
    """The hardware, described."""
    num_gpus: int | None = None
    """The number of GPUs."""
    photon_driver_capable: bool | None = None
    """Whether a driver of it can run Photon."""
    photon_worker_capable: bool | None = None
    """Whether workers of it can run Photon."""
    support_cluster_tags: bool | None = None
    """Whether its machines can have tags."""
    support_ebs_volumes: bool | None = None
    """Whether its machines can have EBS volumes."""
    support_port_forwarding: bool | None = None
    """Whether ports can be forwarded."""


@attrs.define(kw_only=True, repr=False, eq=False)
class ListNodeTypesResponse(Model):
    """The node types that a workspace offers."""

    node_types: list[NodeType] | None = None
    """The types on offer."""


@attrs.define(kw_only=True, repr=False, eq=False)
class SparkVersion(Model):
    """A runtime version that clusters can have."""

    key: str | None = None
    """What to give as `spark_version`, for example `15.4.x-scala2.12`."""
    name: str | None = None
    """The name for people."""


@attrs.define(kw_only=True, repr=False, eq=False)
class GetSparkVersionsResponse(Model):
    """The runtime versions that a workspace offers."""

    versions: list[SparkVersion] | None = None
    """The versions on offer."""


@attrs.define(kw_only=True, repr=False, eq=False)
class ListAvailableZonesResponse(Model):
    """The zones where machines are offered."""

    default_zone: str | None = None
    """The zone of clusters that name none."""
    zones: list[str] | None = None
    """The zones on offer."""
