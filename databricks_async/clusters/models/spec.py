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


@attrs.define(kw_only=True, repr=False)
class CloneCluster(Model):
    """The cluster whose libraries a new one copies."""

    source_cluster_id: str


@attrs.define(kw_only=True, repr=False)
class ClusterAttributes(Model):
    """What the configuration of a cluster has, whether it is asked for, in force, or told by an event; not its size."""

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
    spark_version: str | None = None
    ssh_public_keys: list[str] | None = None
    total_initial_remote_disk_size: int | None = None
    """GB, of all machines together."""
    use_ml_runtime: bool | None = None
    worker_node_type_flexibility: NodeTypeFlexibility | None = None
    workload_type: WorkloadType | None = None


@attrs.define(kw_only=True, repr=False)
class ClusterSpec(ClusterAttributes):
    """A cluster to be created, or what an existing one is to become."""

    apply_policy_default_values: bool | None = None
    autoscale: AutoScale | None = None
    num_workers: int | None = None

    def check(self) -> None:
        refuse_two_sizes(self.num_workers, self.autoscale)
        if self.spark_version is None and self.policy_id is None:
            raise WrongShape("a cluster needs a spark_version, unless a policy (policy_id) gives one")


@attrs.define(kw_only=True, repr=False)
class CreateCluster(ClusterSpec):
    """A cluster to be created."""

    clone_from: CloneCluster | None = None
    """The cluster whose libraries it gets."""
    idempotency_token: str | None = None
    """64 characters at most. A second request with the same token gets the cluster of the first."""

    def check(self) -> None:
        ClusterSpec.check(self)
        check_idempotency_token(self.idempotency_token)


def check_idempotency_token(token: str | None) -> None:
    """Refuse a token that the service does not take, and an empty one, which would protect nothing.

    64 characters: the manual of the Jobs API ("run-now") and that of the Clusters API 2.0 ("create").
    """
    if token is not None and not 1 <= len(token) <= _MAX_TOKEN_LENGTH:
        raise WrongShape(f"expected 1 to {_MAX_TOKEN_LENGTH} characters, got {len(token)}", ("idempotency_token",))


_MAX_TOKEN_LENGTH = 64


@attrs.define(kw_only=True, repr=False)
class UpdateClusterResource(ClusterAttributes):
    """The fields that `update` changes; which ones, says its `update_mask`."""

    autoscale: AutoScale | None = None
    num_workers: int | None = None

    def check(self) -> None:
        refuse_two_sizes(self.num_workers, self.autoscale)
