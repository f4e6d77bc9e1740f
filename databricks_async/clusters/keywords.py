"""The keywords of the Clusters API, made from the models by tests/support/keywords.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

from databricks_async.clusters.models.enums import DataSecurityMode, DependencyMode, Kind, RuntimeEngine
from databricks_async.clusters.models.machines import (
    AutoScale,
    AwsAttributes,
    AzureAttributes,
    DockerImage,
    GcpAttributes,
    NodeTypeFlexibility,
    WorkloadType,
)
from databricks_async.clusters.models.storage import ClusterLogConf, InitScriptInfo
from databricks_async.codec.given import Given, Text, Texts


class ClusterKeywords(TypedDict, total=False):
    """The fields of a `ClusterSpec`."""

    autotermination_minutes: int | None
    """Minutes without work after which the cluster ends; 0 is never."""
    aws_attributes: Given[AwsAttributes] | None
    """Settings for clusters on AWS."""
    azure_attributes: Given[AzureAttributes] | None
    """Settings for clusters on Azure; the service has defaults."""
    cluster_log_conf: Given[ClusterLogConf] | None
    """Where the logs of driver and workers are delivered, every 5 minutes."""
    cluster_name: str | None
    """The name; need not be unique, and is empty if not given."""
    custom_tags: Mapping[str, Text] | None
    """Tags for the machines and disks, beside the service's own; 45 at most."""
    data_security_mode: DataSecurityMode | str | None
    """Who may use the cluster, and how users are kept apart."""
    dependency_mode: DependencyMode | str | None
    """How the dependencies of the cluster are managed."""
    docker_image: Given[DockerImage] | None
    """A Docker image of your own."""
    driver_instance_pool_id: str | None
    """The instance pool of the driver; that of the workers if not given."""
    driver_node_type_flexibility: Given[NodeTypeFlexibility] | None
    """Node types that the driver may fall back on."""
    driver_node_type_id: str | None
    """The node type of the driver; that of the workers if not given."""
    enable_elastic_disk: bool | None
    """Whether machines get more disk space when theirs runs out."""
    enable_local_disk_encryption: bool | None
    """Whether the local disks are encrypted."""
    gcp_attributes: Given[GcpAttributes] | None
    """Settings for clusters on Google Cloud."""
    init_scripts: Sequence[Given[InitScriptInfo]] | None
    """Scripts that each machine runs when it starts, in this order."""
    instance_pool_id: str | None
    """The instance pool to take machines from."""
    is_single_node: bool | None
    """Whether the cluster is a driver alone; only with `kind`."""
    kind: Kind | str | None
    """How the cluster is specified: with a kind, simpler fields can be used."""
    node_type_id: str | None
    """The node type of the workers, for example `Standard_DS3_v2`."""
    policy_id: str | None
    """The cluster policy it was made under."""
    remote_disk_throughput: int | None
    """Mb/s."""
    runtime_engine: RuntimeEngine | str | None
    """The engine: standard, or Photon."""
    single_user_name: str | None
    """The only user, if `data_security_mode` asks for one."""
    spark_conf: Mapping[str, Text] | None
    """Spark settings, by name."""
    spark_env_vars: Mapping[str, Text] | None
    """Environment variables of driver and workers."""
    spark_version: str | None
    """The Databricks Runtime, for example `15.4.x-scala2.12`; see `select_spark_version`."""
    ssh_public_keys: Texts | None
    """SSH public keys that may log in as `ubuntu` on port 2200; 10 at most."""
    total_initial_remote_disk_size: int | None
    """GB, of all machines together."""
    use_ml_runtime: bool | None
    """Whether the runtime is one for machine learning; only with `kind`."""
    worker_node_type_flexibility: Given[NodeTypeFlexibility] | None
    """Node types that the workers may fall back on."""
    workload_type: Given[WorkloadType] | None
    """What may use the cluster: jobs, notebooks."""
    apply_policy_default_values: bool | None
    """Whether the policy's default values fill in what is not given."""
    autoscale: Given[AutoScale] | None
    """The range in which the service chooses the number of workers. Not together with `num_workers`."""
    num_workers: int | None
    """The number of workers; the driver comes on top. Not together with `autoscale`."""
