"""Choosing a Spark version and a node type from what the workspace offers. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict, TypeVar, cast, get_type_hints

from databricks_async.errors import DatabricksError
from databricks_async.suggest import did_you_mean

if TYPE_CHECKING:
    from databricks_async.clusters.models import NodeType, SparkVersion


class SparkVersionCriteria(TypedDict, total=False):
    """What a runtime must be. Flags not given are false, except `latest`."""

    long_term_support: bool
    beta: bool
    latest: bool
    """Take the newest of several (default); false: several are an error."""
    ml: bool
    genomics: bool
    gpu: bool
    scala: str
    """"2.12" or "2.13"; either, if not given: the newest runtimes have only 2.13."""
    spark_version: str
    """The version of Apache Spark in it, for example "3.5.0"."""
    photon: bool
    graviton: bool


class NodeTypeCriteria(TypedDict, total=False):
    """What a node type must have at least, or must be."""

    min_memory_gb: int
    gb_per_core: int
    min_cores: int
    min_gpus: int
    """0 is none at all."""
    local_disk: bool
    local_disk_min_size: int
    """GB."""
    category: str
    """For example "Storage Optimized"; upper and lower case are the same."""
    photon_worker_capable: bool
    photon_driver_capable: bool
    graviton: bool
    is_io_cache_enabled: bool
    support_port_forwarding: bool
    fleet: str
    """Words that the id must hold, for example "-fleet."."""


C = TypeVar("C", SparkVersionCriteria, NodeTypeCriteria)


def given(criteria: type[C], wanted: C) -> C:
    """The criteria that are not None. Raises TypeError for a name that there is not, or a value of another type."""
    kinds = get_type_hints(criteria)
    for name, value in wanted.items():
        if name not in kinds:
            hint = did_you_mean(name, kinds, f"there are {', '.join(sorted(kinds))}")
            raise TypeError(f"there is no criterion {name!r}: {hint}")
        if value is not None and not isinstance(value, (int, float) if kinds[name] is int else kinds[name]):
            raise TypeError(f"{name} must be {kinds[name].__name__}, not {type(value).__name__}")
    return cast(C, {name: value for name, value in wanted.items() if value is not None})


class NothingSelected(DatabricksError, ValueError):
    """None of what the service offers meets the criteria, or not just one."""


def spark_version(versions: Sequence[SparkVersion], wanted: SparkVersionCriteria) -> str:
    fitting = [version.key for version in versions if version.key and _fits(version.key, version.name or "", wanted)]
    if not fitting:
        raise NothingSelected(f"no Spark version meets {_describe(wanted)}")
    if len(fitting) > 1 and not wanted.get("latest", True):
        raise NothingSelected(f"{len(fitting)} Spark versions meet {_describe(wanted)}: {', '.join(sorted(fitting))}")
    return max(fitting, key=_release)


def _fits(key: str, name: str, wanted: SparkVersionCriteria) -> bool:
    scala = re.search(r"-scala(\d+\.\d+)", key)
    if scala is None or "apache-spark-" in key:
        return False
    if wanted.get("scala", scala[1]) != scala[1]:
        return False
    spark = wanted.get("spark_version")
    if spark and f"Apache Spark {spark}" not in name:
        return False
    if wanted.get("long_term_support", False) and not ("LTS" in name or "-esr-" in key):
        return False
    return (
        ("-ml-" in key) == wanted.get("ml", False)
        and ("-hls-" in key) == wanted.get("genomics", False)
        and ("-gpu-" in key) == wanted.get("gpu", False)
        and ("-photon-" in key) == wanted.get("photon", False)
        and ("-aarch64-" in key) == wanted.get("graviton", False)
        and ("Beta" in name) == wanted.get("beta", False)
    )


def _release(key: str) -> tuple[bool, tuple[int, ...], bool, str]:
    """Sorts by the number that a key begins with ("17.3.x" after "16.4.x"); keys without one are the oldest.

    A release with both Scalas is the one with 2.12, as people who never said which are used to.
    """
    numbers = re.match(r"(\d+)\.(\d+|x)(?:\.(\d+|x))?", key)
    if numbers is None:
        return False, (), False, key
    release = tuple(0 if part in (None, "x") else int(part) for part in numbers.groups())
    return True, release, "-scala2.12" in key, key


def node_type(node_types: Sequence[NodeType], wanted: NodeTypeCriteria) -> str:
    for candidate in sorted(node_types, key=_size):
        if candidate.node_type_id and _is_offered(candidate) and _meets(candidate, wanted):
            return candidate.node_type_id
    raise NothingSelected(f"no node type meets {_describe(wanted)}")


def _size(node: NodeType) -> tuple[float | str, ...]:
    disks = node.node_instance_type
    return (
        bool(node.is_deprecated),
        node.num_cores or 0,
        node.memory_mb or 0,
        (disks and disks.local_disks) or 0,
        (disks and disks.local_disk_size_gb) or 0,
        (disks and disks.local_nvme_disks) or 0,
        (disks and disks.local_nvme_disk_size_gb) or 0,
        node.num_gpus or 0,
        node.instance_type_id or "",
    )


def _is_offered(node: NodeType) -> bool:
    status = (node.node_info and node.node_info.status) or []
    return not {"NotAvailableInRegion", "NotEnabledOnSubscription"}.intersection(status)


def _meets(node: NodeType, wanted: NodeTypeCriteria) -> bool:
    memory_gb, cores, gpus = (node.memory_mb or 0) // 1024, node.num_cores or 0, node.num_gpus or 0
    category = node.category or ""
    disks = node.node_instance_type
    local_disks = ((disks and disks.local_disks) or 0) + ((disks and disks.local_nvme_disks) or 0)
    local_gb = ((disks and disks.local_disk_size_gb) or 0) + ((disks and disks.local_nvme_disk_size_gb) or 0)
    return (
        memory_gb >= wanted.get("min_memory_gb", 0)
        and memory_gb // (cores or 1) >= wanted.get("gb_per_core", 0)
        and cores >= wanted.get("min_cores", 0)
        and gpus >= wanted.get("min_gpus", 0)
        and not (gpus and wanted.get("min_gpus") == 0)
        and (not (wanted.get("local_disk") or "local_disk_min_size" in wanted) or local_disks > 0)
        and local_gb >= wanted.get("local_disk_min_size", 0)
        and wanted.get("category", category).lower() == category.lower()
        and (not wanted.get("photon_worker_capable") or bool(node.photon_worker_capable))
        and (not wanted.get("photon_driver_capable") or bool(node.photon_driver_capable))
        and (not wanted.get("graviton") or bool(node.is_graviton))
        and (not wanted.get("is_io_cache_enabled") or bool(node.is_io_cache_enabled))
        and (not wanted.get("support_port_forwarding") or bool(node.support_port_forwarding))
        and wanted.get("fleet", "") in (node.node_type_id or "")
    )


def _describe(wanted: SparkVersionCriteria | NodeTypeCriteria) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in wanted.items()) or "no criteria"
