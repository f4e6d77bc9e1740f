"""What a workspace offers for clusters: node types, runtime versions, zones."""

from __future__ import annotations

import attrs

from databricks_async.clusters.models.enums import CloudProviderNodeStatus
from databricks_async.codec import Model


@attrs.define(kw_only=True, repr=False)
class CloudProviderNodeInfo(Model):
    """What the cloud says about a node type."""

    status: list[CloudProviderNodeStatus] | None = None


@attrs.define(kw_only=True, repr=False)
class NodeInstanceType(Model):
    """The disks of a node type."""

    instance_type_id: str | None
    local_disk_size_gb: int | None = None
    local_disks: int | None = None
    local_nvme_disk_size_gb: int | None = None
    local_nvme_disks: int | None = None


@attrs.define(kw_only=True, repr=False)
class NodeType(Model):
    """A kind of machine that clusters can be made of."""

    node_type_id: str | None
    memory_mb: int | None
    """MB."""
    num_cores: float | None
    """May be a fraction."""
    description: str | None
    instance_type_id: str | None
    category: str | None
    display_order: int | None = None
    is_deprecated: bool | None = None
    is_encrypted_in_transit: bool | None = None
    is_graviton: bool | None = None
    is_hidden: bool | None = None
    is_io_cache_enabled: bool | None = None
    node_info: CloudProviderNodeInfo | None = None
    node_instance_type: NodeInstanceType | None = None
    num_gpus: int | None = None
    photon_driver_capable: bool | None = None
    photon_worker_capable: bool | None = None
    support_cluster_tags: bool | None = None
    support_ebs_volumes: bool | None = None
    support_port_forwarding: bool | None = None


@attrs.define(kw_only=True, repr=False)
class ListNodeTypesResponse(Model):
    """The node types that a workspace offers."""

    node_types: list[NodeType] | None = None


@attrs.define(kw_only=True, repr=False)
class SparkVersion(Model):
    """A runtime version that clusters can have."""

    key: str | None = None
    name: str | None = None


@attrs.define(kw_only=True, repr=False)
class GetSparkVersionsResponse(Model):
    """The runtime versions that a workspace offers."""

    versions: list[SparkVersion] | None = None


@attrs.define(kw_only=True, repr=False)
class ListAvailableZonesResponse(Model):
    """The zones where machines are offered."""

    default_zone: str | None = None
    zones: list[str] | None = None
