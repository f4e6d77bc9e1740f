"""The machines of a cluster: how many, of which cloud, with which disks and image."""

from __future__ import annotations

from datetime import datetime

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
from databricks_async.epoch import from_epoch_ms

__all__ = [
    "AutoScale",
    "AwsAttributes",
    "AzureAttributes",
    "ClientsTypes",
    "DiskSpec",
    "DiskType",
    "DockerBasicAuth",
    "DockerImage",
    "GcpAttributes",
    "LogAnalyticsInfo",
    "NodeTypeFlexibility",
    "SparkNode",
    "SparkNodeAwsAttributes",
    "WorkloadType",
]


@attrs.define(kw_only=True, repr=False, eq=False)
class AutoScale(Model):
    """The limits between which a cluster grows and shrinks."""

    min_workers: int | None = None
    """The fewest workers, and the first number of them."""
    max_workers: int | None = None
    """The most workers; more than `min_workers`."""


def refuse_two_sizes(num_workers: int | None, autoscale: object) -> None:
    """Raise `WrongShape` when a cluster is asked to have both sizes: the service would follow one of them silently."""
    if num_workers is not None and autoscale is not None:
        raise WrongShape("a cluster has num_workers or autoscale, not both")


@attrs.define(kw_only=True, repr=False, eq=False)
class AwsAttributes(Model):
    """What only clusters on AWS have."""

    availability: AwsAvailability | None = None
    """Whether machines are spot machines, and what happens when there are none."""
    ebs_volume_count: int | None = None
    """Volumes for each machine, 10 at most."""
    ebs_volume_iops: int | None = None
    """I/O operations a second of each gp3 volume."""
    ebs_volume_size: int | None = None
    """GiB."""
    ebs_volume_throughput: int | None = None
    """MiB a second of each gp3 volume."""
    ebs_volume_type: EbsVolumeType | None = None
    """The kind of EBS volumes."""
    first_on_demand: int | None = None
    """How many machines, the driver first, are not spot machines."""
    instance_profile_arn: str | None = None
    """The instance profile of the machines."""
    spot_bid_price_percent: int | None = None
    """Percent of the price without spot."""
    zone_id: str | None = None
    """The availability zone."""


@attrs.define(kw_only=True, repr=False, eq=False)
class LogAnalyticsInfo(Model):
    """The Log Analytics workspace that the machines report to."""

    log_analytics_primary_key: str | None = attrs.field(default=None, metadata=SECRET)
    """The key of the Log Analytics workspace."""
    log_analytics_workspace_id: str | None = None
    """The id of the Log Analytics workspace."""


@attrs.define(kw_only=True, repr=False, eq=False)
class AzureAttributes(Model):
    """What only clusters on Azure have."""

    availability: AzureAvailability | None = None
    """Whether machines are spot machines, and what happens when there are none."""
    capacity_reservation_group: str | None = None
    """The Azure resource id of the capacity reservation group to take machines from."""
    first_on_demand: int | None = None
    """How many machines, the driver first, are not spot machines."""
    log_analytics_info: LogAnalyticsInfo | None = None
    """Where the Azure Log Analytics agent reports to."""
    spot_bid_max_price: float | None = None
    """Dollars an hour; -1 is never to be evicted for its price."""


@attrs.define(kw_only=True, repr=False, eq=False)
class GcpAttributes(Model):
    """What only clusters on Google Cloud have."""

    availability: GcpAvailability | None = None
    """Whether machines are spot machines, and what happens when there are none."""
    boot_disk_size: int | None = None
    """GB."""
    confidential_compute_type: ConfidentialComputeType | None = None
    """The confidential computing of the machines."""
    first_on_demand: int | None = None
    """How many machines, the driver first, are not spot machines."""
    google_service_account: str | None = None
    """The Google service account that the cluster acts as."""
    local_ssd_count: int | None = None
    """Local SSDs for each machine."""
    use_preemptible_executors: bool | None = None
    """Whether workers are preemptible machines; `availability` has replaced it."""
    zone_id: str | None = None
    """The availability zone."""


@attrs.define(kw_only=True, repr=False, eq=False)
class DockerBasicAuth(Model):
    """How to log in to a registry of images."""

    password: str | None = attrs.field(default=None, metadata=SECRET)
    """The password for the registry."""
    username: str | None = None
    """The user name for the registry."""


@attrs.define(kw_only=True, repr=False, eq=False)
class DockerImage(Model):
    """An image to run instead of the standard one."""

    basic_auth: DockerBasicAuth | None = None
    """How to log in to the registry."""
    url: str | None = None
    """The address of the image."""


@attrs.define(kw_only=True, repr=False, eq=False)
class NodeTypeFlexibility(Model):
    """Node types to fall back on when there are no machines of the asked type."""

    alternate_node_type_ids: list[str] | None = None
    """Node types to fall back on when the first is not to be had."""
    aws_context_id: str | None = None
    """The context id of an AWS EC2 Fleet."""


@attrs.define(kw_only=True, repr=False, eq=False)
class DiskType(Model):
    """The kind of a disk."""

    azure_disk_volume_type: DiskTypeAzureDiskVolumeType | None = None
    """The kind of Azure disks."""
    ebs_volume_type: DiskTypeEbsVolumeType | None = None
    """The kind of EBS volumes."""


@attrs.define(kw_only=True, repr=False, eq=False)
class DiskSpec(Model):
    """The disks that each machine gets."""

    disk_count: int | None = None
    """Disks for each machine."""
    disk_iops: int | None = None
    """I/O operations a second of each disk."""
    disk_size: int | None = None
    """GiB, of each disk."""
    disk_throughput: int | None = None
    """MiB a second of each disk."""
    disk_type: DiskType | None = None
    """The kind of disks."""


@attrs.define(kw_only=True, repr=False, eq=False)
class ClientsTypes(Model):
    """Which kinds of work may use a cluster."""

    jobs: bool | None = None
    """Whether jobs may use the cluster."""
    notebooks: bool | None = None
    """Whether notebooks may use the cluster."""


@attrs.define(kw_only=True, repr=False, eq=False)
class WorkloadType(Model):
    """What a cluster may be used for."""

    clients: ClientsTypes | None
    """What may use the cluster."""


@attrs.define(kw_only=True, repr=False, eq=False)
class SparkNodeAwsAttributes(Model):
    """What only machines on AWS have."""

    is_spot: bool | None = None
    """Whether it is a spot machine."""


@attrs.define(kw_only=True, repr=False, eq=False)
class SparkNode(Model):
    """One machine of a running cluster."""

    host_private_ip: str | None = None
    """The private IP address of the host."""
    instance_id: str | None = None
    """The cloud's id of the machine."""
    node_aws_attributes: SparkNodeAwsAttributes | None = None
    """What only AWS says of it."""
    node_id: str | None = None
    """The id of the machine."""
    private_ip: str | None = None
    """The private IP address of the Spark node, which is another than that of its host."""
    public_dns: str | None = None
    """The public DNS name."""
    start_timestamp: int | None = None
    """Epoch milliseconds."""

    @property
    def start(self) -> datetime | None:
        """`start_timestamp` with a time zone (UTC)."""
        return from_epoch_ms(self.start_timestamp)
