"""The configuration of a cluster, and the bodies of create, edit and update."""

from __future__ import annotations

import attrs

from databricks_async.clusters.models.enums import DataSecurityMode, DependencyMode, Kind, RuntimeEngine
from databricks_async.clusters.models.machines import (
    AutoScale,
    AwsAttributes,
    AzureAttributes,
    DockerImage,
    GcpAttributes,
    NodeTypeFlexibility,
    WorkloadType,
    refuse_two_sizes,
)
from databricks_async.clusters.models.storage import ClusterLogConf, InitScriptInfo
from databricks_async.codec import SECRET_VALUES, Model, WrongShape

__all__ = [
    "ClusterAttributes",
    "ClusterSpec",
]


@attrs.define(kw_only=True, repr=False, eq=False)
class ClusterAttributes(Model):
    """What the configuration of a cluster has, whether requested, in force, or reported by an event; not its size."""

    autotermination_minutes: int | None = None
    """Minutes without work after which the cluster ends; 0 is never."""
    aws_attributes: AwsAttributes | None = None
    """Settings for clusters on AWS."""
    azure_attributes: AzureAttributes | None = None
    """Settings for clusters on Azure; the service has defaults."""
    cluster_log_conf: ClusterLogConf | None = None
    """Where the logs of driver and workers are delivered, every 5 minutes."""
    cluster_name: str | None = None
    """The name; need not be unique, and is empty if not given."""
    custom_tags: dict[str, str] | None = None
    """Tags for the machines and disks, beside the service's own; 45 at most."""
    data_security_mode: DataSecurityMode | None = None
    """Who may use the cluster, and how users are kept apart."""
    dependency_mode: DependencyMode | None = None
    """How the dependencies of the cluster are managed."""
    docker_image: DockerImage | None = None
    """A Docker image of your own."""
    driver_instance_pool_id: str | None = None
    """The instance pool of the driver; that of the workers if not given."""
    driver_node_type_flexibility: NodeTypeFlexibility | None = None
    """Node types that the driver may fall back on."""
    driver_node_type_id: str | None = None
    """The node type of the driver; that of the workers if not given."""
    enable_elastic_disk: bool | None = None
    """Whether machines get more disk space when theirs runs out."""
    enable_local_disk_encryption: bool | None = None
    """Whether the local disks are encrypted."""
    gcp_attributes: GcpAttributes | None = None
    """Settings for clusters on Google Cloud."""
    init_scripts: list[InitScriptInfo] | None = None
    """Scripts that each machine runs when it starts, in this order."""
    instance_pool_id: str | None = None
    """The instance pool to take machines from."""
    is_single_node: bool | None = None
    """Whether the cluster is a driver alone; only with `kind`."""
    kind: Kind | None = None
    """How the cluster is specified: with a kind, simpler fields can be used."""
    node_type_id: str | None = None
    """The node type of the workers, for example `Standard_DS3_v2`."""
    policy_id: str | None = None
    """The cluster policy it was made under."""
    remote_disk_throughput: int | None = None
    """Mb/s."""
    runtime_engine: RuntimeEngine | None = None
    """The engine: standard, or Photon."""
    single_user_name: str | None = None
    """The only user, if `data_security_mode` asks for one."""
    spark_conf: dict[str, str] | None = attrs.field(default=None, metadata=SECRET_VALUES)
    """Spark settings, by name."""
    spark_env_vars: dict[str, str] | None = attrs.field(default=None, metadata=SECRET_VALUES)
    """Environment variables of driver and workers."""
    spark_version: str | None = None
    """The Databricks Runtime, for example `15.4.x-scala2.12`; see `select_spark_version`."""
    ssh_public_keys: list[str] | None = None
    """SSH public keys that may log in as `ubuntu` on port 2200; 10 at most."""
    total_initial_remote_disk_size: int | None = None
    """GB, of all machines together."""
    use_ml_runtime: bool | None = None
    """Whether the runtime is one for machine learning; only with `kind`."""
    worker_node_type_flexibility: NodeTypeFlexibility | None = None
    """Node types that the workers may fall back on."""
    workload_type: WorkloadType | None = None
    """What may use the cluster: jobs, notebooks."""


@attrs.define(kw_only=True, repr=False, eq=False)
class ClusterSpec(ClusterAttributes):
    """A cluster to be created, or what an existing one is to become."""

    apply_policy_default_values: bool | None = None
    """Whether the policy's default values fill in what is not given."""
    autoscale: AutoScale | None = None
    """The range in which the service chooses the number of workers. Not together with `num_workers`."""
    num_workers: int | None = None
    """The number of workers; the driver comes on top. Not together with `autoscale`."""

    def check(self) -> None:
        refuse_two_sizes(self.num_workers, self.autoscale)
        if self.spark_version is None and self.policy_id is None:
            raise WrongShape("a cluster needs a spark_version, unless a policy (policy_id) gives one")


def check_idempotency_token(token: str | None) -> None:
    """Refuse a token that the service does not take, and an empty one, which would protect nothing.

    64 characters: the manual of the Jobs API ("run-now") and that of the Clusters API 2.0 ("create").
    """
    if token is not None and not 1 <= len(token) <= _MAX_TOKEN_LENGTH:
        raise WrongShape(f"expected 1 to {_MAX_TOKEN_LENGTH} characters, got {len(token)}", ("idempotency_token",))


_MAX_TOKEN_LENGTH = 64
