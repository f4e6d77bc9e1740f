"""ClusterSpec: the settings of a cluster, and which of them the service accepts."""

from __future__ import annotations

from typing import Literal, Required, TypedDict, Unpack

from databricks_async.local.clusters import policies
from databricks_async.local.errors import invalid
from databricks_async.local.params import Reading, declared_by
from databricks_async.local.state import Json, State


class AutoScale(TypedDict):
    min_workers: int
    max_workers: int


class ClientsTypes(TypedDict, total=False):
    jobs: bool
    notebooks: bool


class WorkloadType(TypedDict):
    clients: ClientsTypes


class AwsAttributes(TypedDict, total=False):
    availability: Literal["ON_DEMAND", "SPOT", "SPOT_WITH_FALLBACK"]
    ebs_volume_count: int
    ebs_volume_iops: int
    ebs_volume_size: int
    ebs_volume_throughput: int
    ebs_volume_type: Literal["GENERAL_PURPOSE_SSD", "THROUGHPUT_OPTIMIZED_HDD"]
    first_on_demand: int
    instance_profile_arn: str
    spot_bid_price_percent: int
    zone_id: str


class LogAnalyticsInfo(TypedDict, total=False):
    log_analytics_primary_key: str
    log_analytics_workspace_id: str


class AzureAttributes(TypedDict, total=False):
    availability: Literal["ON_DEMAND_AZURE", "SPOT_AZURE", "SPOT_WITH_FALLBACK_AZURE"]
    capacity_reservation_group: str
    first_on_demand: int
    log_analytics_info: LogAnalyticsInfo
    spot_bid_max_price: float


class GcpAttributes(TypedDict, total=False):
    availability: Literal["ON_DEMAND_GCP", "PREEMPTIBLE_GCP", "PREEMPTIBLE_WITH_FALLBACK_GCP"]
    boot_disk_size: int
    confidential_compute_type: Literal["CONFIDENTIAL_COMPUTE_TYPE_NONE", "SEV_SNP"]
    first_on_demand: int
    google_service_account: str
    local_ssd_count: int
    use_preemptible_executors: bool
    zone_id: str


class Destination(TypedDict):
    destination: str


class S3Destination(TypedDict, total=False):
    destination: Required[str]
    canned_acl: str
    enable_encryption: bool
    encryption_type: str
    endpoint: str
    kms_key: str
    region: str


class ClusterLogConf(TypedDict, total=False):
    dbfs: Destination
    s3: S3Destination
    volumes: Destination


class InitScriptInfo(TypedDict, total=False):
    abfss: Destination
    dbfs: Destination
    file: Destination
    gcs: Destination
    s3: S3Destination
    volumes: Destination
    workspace: Destination


class DockerBasicAuth(TypedDict, total=False):
    password: str
    username: str


class DockerImage(TypedDict, total=False):
    basic_auth: DockerBasicAuth
    url: str


class NodeTypeFlexibility(TypedDict, total=False):
    alternate_node_type_ids: list[str]
    aws_context_id: str


class ClusterSpec(TypedDict, total=False):
    """Every setting of both versions of the API."""

    apply_policy_default_values: bool
    autoscale: AutoScale
    autotermination_minutes: int
    aws_attributes: AwsAttributes
    azure_attributes: AzureAttributes
    cluster_log_conf: ClusterLogConf
    cluster_name: str
    custom_tags: dict[str, str]
    data_security_mode: Literal[
        "DATA_SECURITY_MODE_AUTO",
        "DATA_SECURITY_MODE_DEDICATED",
        "DATA_SECURITY_MODE_STANDARD",
        "LEGACY_PASSTHROUGH",
        "LEGACY_SINGLE_USER",
        "LEGACY_SINGLE_USER_STANDARD",
        "LEGACY_TABLE_ACL",
        "NONE",
        "SINGLE_USER",
        "USER_ISOLATION",
    ]
    dependency_mode: str
    docker_image: DockerImage
    driver_instance_pool_id: str
    driver_node_type_flexibility: NodeTypeFlexibility
    driver_node_type_id: str
    enable_elastic_disk: bool
    enable_local_disk_encryption: bool
    gcp_attributes: GcpAttributes
    init_scripts: list[InitScriptInfo]
    instance_pool_id: str
    is_single_node: bool
    kind: str
    node_type_id: str
    num_workers: int
    policy_id: str
    remote_disk_throughput: int
    runtime_engine: Literal["NULL", "PHOTON", "STANDARD"]
    single_user_name: str
    spark_conf: dict[str, str]
    spark_env_vars: dict[str, str]
    spark_version: str
    ssh_public_keys: list[str]
    total_initial_remote_disk_size: int
    use_ml_runtime: bool
    worker_node_type_flexibility: NodeTypeFlexibility
    workload_type: WorkloadType


FIELDS = frozenset(ClusterSpec.__annotations__)

AZURE_DEFAULTS: Json = {"first_on_demand": 1, "availability": "ON_DEMAND_AZURE", "spot_bid_max_price": -1.0}
"""What the service fills in for fields of `azure_attributes` that a request leaves out."""
_POOL_NODE_TYPE = "Standard_DS3_v2"
_FROM_POOL = ("node_type_id", "enable_elastic_disk")
_MAX_TAGS, _MAX_KEYS = 45, 10
_ACCESS_MODES = {"DATA_SECURITY_MODE_DEDICATED": "SINGLE_USER", "DATA_SECURITY_MODE_STANDARD": "USER_ISOLATION"}
"""Words that are aliases of others (reference of `data_security_mode`)."""


def _declaration(state: State, **settings: Unpack[ClusterSpec]) -> None:
    """Declares the settings of a cluster, as the signatures of endpoints declare parameters."""


_DECLARED = declared_by(_declaration)


def read(given: Json, prefix: str = "") -> Json:
    """The settings in an object, each of its type. Raises ApiError for one of another type, named with the prefix."""
    return _DECLARED.read(given, Reading(False, []), prefix)


def checked(state: State, asked: Json, cluster_type: str = "all-purpose", *, runtime: bool = True) -> Json:
    """The settings with what their policy fills in. Raises ApiError where the service refuses them.

    Jobs are made whatever their clusters' runtime is, and fail when they run: `runtime` False does not look at it.
    """
    wanted = _with_policy(state, asked, cluster_type)
    _check(state, wanted, runtime)
    return wanted


def _with_policy(state: State, spec: Json, cluster_type: str) -> Json:
    policy_id = spec.get("policy_id")
    if policy_id is None:
        return spec
    policy = state.policies.get(policy_id)
    if policy is None:
        if state.policies:
            raise policies.missing(policy_id)
        # A workspace that was given no policies lets any id pass, so that real specs can be tried as they are.
        state.unchecked.append("policy_id")
        return spec
    filled = read(policy.applied(spec))
    policy.check(filled, cluster_type)
    if "spark_version" in filled:
        filled["spark_version"] = state.catalog.resolve(filled["spark_version"])
    return filled


def _check(state: State, spec: Json, runtime: bool) -> None:
    version = spec.get("spark_version")
    if version is None:
        raise invalid("Missing required field: spark_version")
    if runtime:
        state.catalog.check_spark_version(version)
    if "instance_pool_id" in spec:
        for name in _FROM_POOL:
            if name in spec:
                # The service's message, also in the source of the Databricks CLI (bundle/configsync).
                raise invalid(f"The field '{name}' cannot be supplied when an instance pool ID is provided.")
    elif "node_type_id" not in spec:
        raise invalid("Missing required field: node_type_id (or instance_pool_id)")
    for name in ("node_type_id", "driver_node_type_id"):
        if name in spec:
            state.catalog.node_type(spec[name])
    if not spec.keys() & {"num_workers", "autoscale", "policy_id"} and not spec.get("is_single_node"):
        raise invalid("Missing required field: size")
    check_size(spec)
    minutes = spec.get("autotermination_minutes", 0)
    if minutes != 0 and not 10 <= minutes <= 10_000:
        raise invalid(f"autotermination_minutes must be 0 or between 10 and 10000, not {minutes}")
    # Both limits stand in the reference of clusters/create.
    if len(spec.get("custom_tags", ())) > _MAX_TAGS:
        raise invalid(f"A cluster may have at most {_MAX_TAGS} custom tags, not {len(spec['custom_tags'])}")
    if len(spec.get("ssh_public_keys", ())) > _MAX_KEYS:
        raise invalid(f"A cluster may have at most {_MAX_KEYS} SSH public keys, not {len(spec['ssh_public_keys'])}")
    for index, script in enumerate(spec.get("init_scripts", ())):
        if len(script) != 1:
            raise invalid(f"init_scripts[{index}] must have exactly one destination, such as workspace or volumes")


def check_size(size: Json) -> None:
    """Refuse impossible numbers of workers."""
    if "num_workers" in size and "autoscale" in size:
        raise invalid("Exactly one of num_workers or autoscale must be specified")
    if size.get("num_workers", 0) < 0:
        raise invalid(f"num_workers must not be negative: {size['num_workers']}")
    autoscale = size.get("autoscale")
    if autoscale is None:
        return
    for name in AutoScale.__annotations__:
        if name not in autoscale:
            raise invalid(f"Missing required field: autoscale.{name}")
    if not 0 <= autoscale["min_workers"] <= autoscale["max_workers"]:
        raise invalid("autoscale.min_workers must not be negative or greater than autoscale.max_workers")


def size_of(spec: Json) -> Json:
    """The size as events show it."""
    if "autoscale" in spec:
        return {"autoscale": spec["autoscale"]}
    return {"num_workers": spec.get("num_workers", 0)}


def workers_of(spec: Json) -> int:
    """How many workers a cluster has when it starts."""
    autoscale = spec.get("autoscale")
    workers: int = autoscale["min_workers"] if autoscale else spec.get("num_workers", 0)
    return workers


def attributes_of(spec: Json) -> Json:
    """The settings without the size, as events show them."""
    return {name: value for name, value in spec.items() if name not in ("autoscale", "num_workers")}


def access_mode(spec: Json, runtime: str) -> str | None:
    """The access mode of a cluster: aliases resolved, and `DATA_SECURITY_MODE_AUTO` decided.

    The service decides by the configuration: dedicated for machine learning runtimes and GPUs, standard else
    (learn.microsoft.com/azure/databricks/compute/configure); how it weighs other settings is not documented.
    """
    mode: str | None = spec.get("data_security_mode")
    if mode == "DATA_SECURITY_MODE_AUTO":
        return "SINGLE_USER" if "-ml-" in runtime else "USER_ISOLATION"
    return _ACCESS_MODES.get(mode or "", mode)


def runtime_of(spec: Json, node_type: Json) -> str:
    """The Spark version that really runs, which other settings have a part in.

    `use_ml_runtime` takes the machine learning runtime of the release, for GPUs where the node type has some;
    `runtime_engine` PHOTON that with Photon (references of both fields; recorded as `effective_spark_version`).
    """
    version: str = spec["spark_version"]
    release, scala, number = version.partition("-scala")
    if not scala or "-" in release:
        return version
    if spec.get("use_ml_runtime"):
        return f"{release}-{'gpu' if node_type.get('num_gpus') else 'cpu'}-ml{scala}{number}"
    return f"{release}-photon{scala}{number}" if spec.get("runtime_engine") == "PHOTON" else version


def effective(spec: Json, creator: str, node_type: Json) -> Json:
    """The settings with the defaults that the service fills in, for workers of this type."""
    name = spec.get("node_type_id", _POOL_NODE_TYPE)
    runtime = runtime_of(spec, node_type)
    settings: Json = {
        "cluster_name": "",
        "autotermination_minutes": 0,
        "enable_elastic_disk": True,
        "enable_local_disk_encryption": False,
        "node_type_id": name,
        "driver_node_type_id": name,
        **spec,
        "azure_attributes": AZURE_DEFAULTS | spec.get("azure_attributes", {}),
        "effective_spark_version": runtime,
    }
    if "-photon-" in spec["spark_version"]:
        settings.setdefault("runtime_engine", "PHOTON")
    mode = access_mode(spec, runtime)
    if mode is not None:
        settings["data_security_mode"] = mode
    if mode == "SINGLE_USER":
        settings.setdefault("single_user_name", creator)
    if spec.get("is_single_node"):
        single = {"spark.master": "local[*, 4]", "spark.databricks.cluster.profile": "singleNode"}
        settings["spark_conf"] = single | spec.get("spark_conf", {})
        settings["custom_tags"] = {"ResourceClass": "SingleNode"} | spec.get("custom_tags", {})
    if "autoscale" not in spec:
        settings.setdefault("num_workers", 0)
    return settings


def worker_type(spec: Json) -> str:
    """The node type of the workers; a pool's is not known here, and counts as a small one."""
    name: str = spec.get("node_type_id", _POOL_NODE_TYPE)
    return name


def without_empty_lists(settings: Json) -> Json:
    """Settings as answers show them: the service leaves empty lists out."""
    return {name: value for name, value in settings.items() if value != []}
