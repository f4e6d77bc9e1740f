"""Catalogue: the node types, Spark versions and zones that a local workspace offers."""

from __future__ import annotations

from databricks_async.local.state import Endpoint, Json, State

_GENERAL, _MEMORY, _COMPUTE = "General Purpose", "Memory Optimized", "Compute Optimized"
_STORAGE, _GPU = "Storage Optimized", "GPU Accelerated"

# id, category, cores, memory in MB, GPUs, disks, GB on them, NVMe disks, GB on them
_NODES: list[tuple[str, str, int, int, int, int, int, int, int]] = [
    ("Standard_F4s", _COMPUTE, 4, 8192, 0, 1, 16, 0, 0),
    ("Standard_DS3_v2", _GENERAL, 4, 14336, 0, 1, 28, 0, 0),
    ("Standard_DS4_v2", _GENERAL, 8, 28672, 0, 1, 56, 0, 0),
    ("Standard_DS5_v2", _GENERAL, 16, 57344, 0, 1, 112, 0, 0),
    ("Standard_D4as_v5", _GENERAL, 4, 16384, 0, 0, 0, 0, 0),
    ("Standard_D4ads_v5", _GENERAL, 4, 16384, 0, 1, 150, 0, 0),
    ("Standard_D4ds_v5", _GENERAL, 4, 16384, 0, 1, 150, 0, 0),
    ("Standard_D8ds_v5", _GENERAL, 8, 32768, 0, 1, 300, 0, 0),
    ("Standard_D16ds_v5", _GENERAL, 16, 65536, 0, 1, 600, 0, 0),
    ("Standard_D4pds_v6", _GENERAL, 4, 16384, 0, 0, 0, 1, 220),
    ("Standard_E4ds_v5", _MEMORY, 4, 32768, 0, 1, 150, 0, 0),
    ("Standard_E8ds_v5", _MEMORY, 8, 65536, 0, 1, 300, 0, 0),
    ("Standard_E16ds_v5", _MEMORY, 16, 131072, 0, 1, 600, 0, 0),
    ("Standard_E96ds_v5", _MEMORY, 96, 688128, 0, 1, 3600, 0, 0),
    ("Standard_M64s", _MEMORY, 64, 1048576, 0, 0, 0, 0, 0),
    ("Standard_F8s_v2", _COMPUTE, 8, 16384, 0, 1, 64, 0, 0),
    ("Standard_F16s_v2", _COMPUTE, 16, 32768, 0, 1, 128, 0, 0),
    ("Standard_L4s", _STORAGE, 4, 32768, 0, 1, 678, 0, 0),
    ("Standard_L8s_v3", _STORAGE, 8, 65536, 0, 1, 80, 1, 1920),
    ("Standard_L16s_v3", _STORAGE, 16, 131072, 0, 1, 160, 2, 3840),
    ("Standard_NC4as_T4_v3", _GPU, 4, 28672, 1, 1, 176, 0, 0),
    ("Standard_NC6", _GPU, 6, 57344, 1, 1, 340, 0, 0),
    ("Standard_NC6s_v3", _GPU, 6, 114688, 1, 1, 736, 0, 0),
    ("Standard_NC12s_v3", _GPU, 12, 229376, 2, 1, 1474, 0, 0),
    ("Standard_NC24ads_A100_v4", _GPU, 24, 225280, 1, 1, 64, 1, 960),
]
_DEPRECATED = {"Standard_L4s", "Standard_NC6"}
_NOT_IN_REGION = {"Standard_F4s"}
_ARM = {"Standard_D4pds_v6"}
# The service leaves fields out where they say nothing. Both types are large, so that clients which trip over the
# missing field do so only when asked for something of that size.
_WITHOUT_INSTANCE_TYPE = {"Standard_M64s"}
_WITHOUT_GPU_COUNT = {"Standard_E96ds_v5"}

# key, name
_VERSIONS: list[tuple[str, str]] = [
    ("custom:snapshot__18.x-scala2.13__head", "Custom image of 18 Beta (includes Apache Spark 4.0.0, Scala 2.13)"),
    ("apache-spark-3.5.x-scala2.12", "Light 3.5 (includes Apache Spark 3.5.0, Scala 2.12)"),
]
# release, suffix of its name, Spark, Scala versions, flavours
_RELEASES: list[tuple[str, str, str, str, str]] = [
    ("18.0", " Beta", "4.0.0", "2.13", " photon"),
    ("17.3", " LTS", "4.0.0", "2.13", " photon cpu-ml gpu-ml aarch64"),
    ("17.2", "", "4.0.0", "2.13", " photon"),
    ("16.4", " LTS", "3.5.2", "2.12 2.13", " photon cpu-ml gpu-ml aarch64"),
    ("16.3", "", "3.5.2", "2.12", " photon"),
    ("15.4", " LTS", "3.5.0", "2.12", " photon cpu-ml gpu-ml aarch64"),
    ("14.3", " LTS", "3.5.0", "2.12", " photon cpu-ml gpu-ml"),
    ("13.3", " LTS", "3.4.1", "2.12", " photon cpu-ml gpu-ml"),
    ("12.2", " LTS", "3.3.2", "2.12", " cpu-ml"),
    ("11.3", " LTS", "3.3.0", "2.12", ""),
    ("10.4", " LTS", "3.2.1", "2.12", ""),
    ("9.1", " LTS", "3.1.2", "2.12", ""),
    ("7.3", " LTS", "3.0.1", "2.12", ""),
]
_FLAVOUR_NAMES = {"": "", "photon": " Photon", "cpu-ml": " ML", "gpu-ml": " ML GPU", "aarch64": " aarch64"}


def _node_type(row: tuple[str, str, int, int, int, int, int, int, int]) -> Json:
    name, category, cores, memory, gpus, disks, disk_gb, nvme_disks, nvme_gb = row
    node: Json = {
        "node_type_id": name,
        "memory_mb": memory,
        "num_cores": float(cores),
        "description": name,
        "instance_type_id": name,
        "is_deprecated": name in _DEPRECATED,
        "category": category,
        "support_ebs_volumes": True,
        "support_cluster_tags": True,
        "num_gpus": gpus,
        "node_instance_type": {
            "instance_type_id": name,
            "local_disks": disks,
            "local_disk_size_gb": disk_gb,
            "local_nvme_disks": nvme_disks,
            "local_nvme_disk_size_gb": nvme_gb,
        },
        "is_hidden": False,
        "support_port_forwarding": True,
        "display_order": 1 if name in _DEPRECATED else 0,
        "is_io_cache_enabled": category == _STORAGE,
        "is_encrypted_in_transit": False,
        "is_graviton": name in _ARM,
        "photon_worker_capable": gpus == 0,
        "photon_driver_capable": gpus == 0,
    }
    if name in _NOT_IN_REGION:
        node["node_info"] = {"status": ["NotAvailableInRegion"], "available_core_quota": 0.0}
    if name in _WITHOUT_INSTANCE_TYPE:
        del node["node_instance_type"]
    if name in _WITHOUT_GPU_COUNT:
        del node["num_gpus"]
    return node


def _spark_versions() -> list[Json]:
    versions = [{"key": key, "name": name} for key, name in _VERSIONS]
    for release, label, spark, scalas, flavours in _RELEASES:
        for scala in scalas.split():
            for flavour in flavours.split(" "):
                middle = f"{flavour}-" if flavour else ""
                name = f"{release}{label}{_FLAVOUR_NAMES[flavour]} (includes Apache Spark {spark}, Scala {scala})"
                versions.append({"key": f"{release}.x-{middle}scala{scala}", "name": name})
    return versions


NODE_TYPES: dict[str, Json] = {row[0]: _node_type(row) for row in _NODES}
SPARK_VERSIONS: list[Json] = _spark_versions()
SPARK_VERSION_KEYS = frozenset(version["key"] for version in SPARK_VERSIONS)


def list_node_types(state: State) -> Json:
    return {"node_types": list(NODE_TYPES.values())}


def spark_versions(state: State) -> Json:
    return {"versions": SPARK_VERSIONS}


def list_zones(state: State) -> Json:
    return {"zones": ["1", "2", "3"], "default_zone": "1"}


ROUTES: dict[str, Endpoint] = {
    "GET /api/{v}/clusters/list-node-types": list_node_types,
    "GET /api/{v}/clusters/spark-versions": spark_versions,
    "GET /api/{v}/clusters/list-zones": list_zones,
}
VERSIONS = ("2.0", "2.1")
