"""The machines of a cluster: how many, of which cloud, with which disks and image."""

from __future__ import annotations

import attrs

from databricks_async.clusters.models.enums import (
    AwsAvailability,
    AzureAvailability,
    ConfidentialComputeType,
    DiskTypeAzureDiskVolumeType,
    DiskTypeEbsVolumeType,
    EbsVolumeType,
    GcpAvailability,
)
from databricks_async.codec import SECRET, Model, WrongShape


@attrs.define(kw_only=True, repr=False)
class AutoScale(Model):
    """The limits between which a cluster grows and shrinks."""

    min_workers: int | None = None
    max_workers: int | None = None


def refuse_two_sizes(num_workers: int | None, autoscale: object) -> None:
    """Raise `WrongShape` when a cluster is asked to have both sizes: the service would follow one of them silently."""
    if num_workers is not None and autoscale is not None:
        raise WrongShape("a cluster has num_workers or autoscale, not both")


@attrs.define(kw_only=True, repr=False)
class ClusterSize(Model):
    """A fixed number of workers, or the limits of autoscaling."""

    autoscale: AutoScale | None = None
    num_workers: int | None = None

    def check(self) -> None:
        refuse_two_sizes(self.num_workers, self.autoscale)


@attrs.define(kw_only=True, repr=False)
class AwsAttributes(Model):
    """What only clusters on AWS have."""

    availability: AwsAvailability | None = None
    ebs_volume_count: int | None = None
    ebs_volume_iops: int | None = None
    ebs_volume_size: int | None = None
    """GiB."""
    ebs_volume_throughput: int | None = None
    ebs_volume_type: EbsVolumeType | None = None
    first_on_demand: int | None = None
    """How many machines, the driver first, are not spot machines."""
    instance_profile_arn: str | None = None
    spot_bid_price_percent: int | None = None
    """Percent of the price without spot."""
    zone_id: str | None = None


@attrs.define(kw_only=True, repr=False)
class LogAnalyticsInfo(Model):
    """The Log Analytics workspace that the machines report to."""

    log_analytics_primary_key: str | None = attrs.field(default=None, metadata=SECRET)
    log_analytics_workspace_id: str | None = None


@attrs.define(kw_only=True, repr=False)
class AzureAttributes(Model):
    """What only clusters on Azure have."""

    availability: AzureAvailability | None = None
    capacity_reservation_group: str | None = None
    first_on_demand: int | None = None
    """How many machines, the driver first, are not spot machines."""
    log_analytics_info: LogAnalyticsInfo | None = None
    spot_bid_max_price: float | None = None
    """Dollars an hour; -1 is never to be evicted for its price."""


@attrs.define(kw_only=True, repr=False)
class GcpAttributes(Model):
    """What only clusters on Google Cloud have."""

    availability: GcpAvailability | None = None
    boot_disk_size: int | None = None
    """GB."""
    confidential_compute_type: ConfidentialComputeType | None = None
    first_on_demand: int | None = None
    """How many machines, the driver first, are not spot machines."""
    google_service_account: str | None = None
    local_ssd_count: int | None = None
    use_preemptible_executors: bool | None = None
    zone_id: str | None = None


@attrs.define(kw_only=True, repr=False)
class DockerBasicAuth(Model):
    """How to log in to a registry of images."""

    password: str | None = attrs.field(default=None, metadata=SECRET)
    username: str | None = None


@attrs.define(kw_only=True, repr=False)
class DockerImage(Model):
    """An image to run instead of the standard one."""

    basic_auth: DockerBasicAuth | None = None
    url: str | None = None


@attrs.define(kw_only=True, repr=False)
class NodeTypeFlexibility(Model):
    """Node types to fall back on when there are no machines of the asked type."""

    alternate_node_type_ids: list[str] | None = None
    aws_context_id: str | None = None


@attrs.define(kw_only=True, repr=False)
class DiskType(Model):
    """The kind of a disk."""

    azure_disk_volume_type: DiskTypeAzureDiskVolumeType | None = None
    ebs_volume_type: DiskTypeEbsVolumeType | None = None


@attrs.define(kw_only=True, repr=False)
class DiskSpec(Model):
    """The disks that each machine gets."""

    disk_count: int | None = None
    disk_iops: int | None = None
    disk_size: int | None = None
    """GiB, of each disk."""
    disk_throughput: int | None = None
    disk_type: DiskType | None = None


@attrs.define(kw_only=True, repr=False)
class ClientsTypes(Model):
    """Which kinds of work may use a cluster."""

    jobs: bool | None = None
    notebooks: bool | None = None


@attrs.define(kw_only=True, repr=False)
class WorkloadType(Model):
    """What a cluster may be used for."""

    clients: ClientsTypes | None


@attrs.define(kw_only=True, repr=False)
class SparkNodeAwsAttributes(Model):
    """What only machines on AWS have."""

    is_spot: bool | None = None


@attrs.define(kw_only=True, repr=False)
class SparkNode(Model):
    """One machine of a running cluster."""

    host_private_ip: str | None = None
    instance_id: str | None = None
    node_aws_attributes: SparkNodeAwsAttributes | None = None
    node_id: str | None = None
    private_ip: str | None = None
    public_dns: str | None = None
    start_timestamp: int | None = None
    """Epoch milliseconds."""
