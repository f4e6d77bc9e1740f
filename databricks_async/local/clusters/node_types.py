"""Node types: the virtual machines of Azure that clusters can have, by series, and which other names are plausible.

The series are those of Azure Databricks' list of flexible node types
(learn.microsoft.com/azure/databricks/compute/flexible-node-type-instances); cores, memory and disks those of the sizes
of virtual machines (learn.microsoft.com/azure/virtual-machines/sizes); the fields of an answer those that
azure-databricks-client recorded in its tests of list-node-types.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import attrs

from databricks_async.local.values import Json

_GENERAL, _MEMORY, _COMPUTE = "General Purpose", "Memory Optimized", "Compute Optimized"
_STORAGE, _GPU = "Storage Optimized", "GPU Accelerated"


@attrs.frozen
class Size:
    """One node type. Sizes of disks are of each disk."""

    name: str
    category: str
    cores: int
    memory_gib: float
    disks: int = 0
    disk_gib: int = 0
    nvme_disks: int = 0
    nvme_gib: int = 0
    gpus: int = 0


_TO_64 = (4, 8, 16, 32, 64)
_TO_96 = (4, 8, 16, 32, 48, 64, 96)
_TO_128 = (*_TO_96, 128)

# Series whose sizes follow from the number of cores: name, category, GiB of memory a core, numbers of cores,
# GiB of temporary disk a core, and whether the local disks are NVMe, of which each core has 55 GiB from version 6 on.
_SERIES: tuple[tuple[str, str, float, tuple[int, ...], float, bool], ...] = (
    ("D{}_v3", _GENERAL, 4, _TO_64, 25, False),
    ("D{}s_v3", _GENERAL, 4, _TO_64, 8, False),
    ("D{}a_v4", _GENERAL, 4, _TO_96, 25, False),
    ("D{}as_v4", _GENERAL, 4, _TO_96, 8, False),
    ("D{}s_v4", _GENERAL, 4, (4, 8, 16, 32, 48, 64), 0, False),
    ("D{}d_v4", _GENERAL, 4, (4, 8, 16, 32, 48, 64), 37.5, False),
    ("D{}ds_v4", _GENERAL, 4, (4, 8, 16, 32, 48, 64), 37.5, False),
    ("D{}s_v5", _GENERAL, 4, _TO_96, 0, False),
    ("D{}as_v5", _GENERAL, 4, _TO_96, 0, False),
    ("D{}ds_v5", _GENERAL, 4, _TO_96, 37.5, False),
    ("D{}ads_v5", _GENERAL, 4, _TO_96, 37.5, False),
    ("D{}s_v6", _GENERAL, 4, _TO_128, 0, False),
    ("D{}ds_v6", _GENERAL, 4, (2, *_TO_128), 0, True),
    ("D{}as_v6", _GENERAL, 4, _TO_96, 0, False),
    ("D{}ads_v6", _GENERAL, 4, (2, *_TO_96), 0, True),
    ("D{}ls_v6", _COMPUTE, 2, _TO_128, 0, False),
    ("D{}lds_v6", _COMPUTE, 2, _TO_128, 0, True),
    ("D{}als_v6", _COMPUTE, 2, _TO_96, 0, False),
    ("D{}alds_v6", _COMPUTE, 2, _TO_96, 0, True),
    ("D{}ps_v6", _GENERAL, 4, _TO_96, 0, False),
    ("D{}pds_v6", _GENERAL, 4, _TO_96, 0, True),
    ("D{}pls_v6", _COMPUTE, 2, _TO_96, 0, False),
    ("D{}plds_v6", _COMPUTE, 2, _TO_96, 0, True),
    ("D{}as_v7", _GENERAL, 4, _TO_96, 0, False),
    ("D{}ads_v7", _GENERAL, 4, _TO_96, 0, True),
    ("D{}ds_v7", _GENERAL, 4, _TO_96, 0, True),
    ("DC{}as_v5", _GENERAL, 4, _TO_96, 0, False),
    ("DC{}ads_v5", _GENERAL, 4, _TO_96, 37.5, False),
    ("DC{}es_v5", _GENERAL, 4, _TO_96, 0, False),
    ("DC{}eds_v5", _GENERAL, 4, _TO_96, 37.5, False),
    ("E{}_v3", _MEMORY, 8, (4, 8, 16, 32), 25, False),
    ("E{}s_v3", _MEMORY, 8, (4, 8, 16, 32), 16, False),
    ("E{}a_v4", _MEMORY, 8, (4, 8, 16, 20, 32, 48, 64), 25, False),
    ("E{}as_v4", _MEMORY, 8, (4, 8, 16, 20, 32, 48, 64), 16, False),
    ("E{}s_v4", _MEMORY, 8, (4, 8, 16, 20, 32, 48), 0, False),
    ("E{}d_v4", _MEMORY, 8, (4, 8, 16, 20, 32, 48), 37.5, False),
    ("E{}ds_v4", _MEMORY, 8, (4, 8, 16, 20, 32, 48), 37.5, False),
    ("E{}s_v5", _MEMORY, 8, (4, 8, 16, 20, 32, 48, 64), 0, False),
    ("E{}as_v5", _MEMORY, 8, (4, 8, 16, 20, 32, 48, 64), 0, False),
    ("E{}ds_v5", _MEMORY, 8, (4, 8, 16, 20, 32, 48, 64), 37.5, False),
    ("E{}ads_v5", _MEMORY, 8, (4, 8, 16, 20, 32, 48, 64), 37.5, False),
    ("E{}s_v6", _MEMORY, 8, (4, 8, 16, 20, 32, 48, 64, 96, 128), 0, False),
    ("E{}ds_v6", _MEMORY, 8, (4, 8, 16, 20, 32, 48, 64, 96, 128), 0, True),
    ("E{}as_v6", _MEMORY, 8, (4, 8, 16, 20, 32, 48, 64), 0, False),
    ("E{}ads_v6", _MEMORY, 8, (4, 8, 16, 20, 32, 48, 64), 0, True),
    ("E{}ps_v6", _MEMORY, 8, (4, 8, 16, 32, 48, 64), 0, False),
    ("E{}pds_v6", _MEMORY, 8, (4, 8, 16, 32, 48, 64), 0, True),
    ("E{}as_v7", _MEMORY, 8, _TO_64, 0, False),
    ("E{}ads_v7", _MEMORY, 8, _TO_64, 0, True),
    ("E{}ds_v7", _MEMORY, 8, _TO_64, 0, True),
    ("EC{}as_v5", _MEMORY, 8, (4, 8, 16, 20, 32, 48, 64), 0, False),
    ("EC{}ads_v5", _MEMORY, 8, (4, 8, 16, 20, 32, 48, 64), 37.5, False),
    ("EC{}es_v5", _MEMORY, 8, _TO_64, 0, False),
    ("EC{}eds_v5", _MEMORY, 8, _TO_64, 37.5, False),
    ("F{}", _COMPUTE, 2, (4, 8, 16), 16, False),
    ("F{}s", _COMPUTE, 2, (4, 8, 16), 4, False),
    ("F{}s_v2", _COMPUTE, 2, (4, 8, 16, 32, 48, 64, 72), 8, False),
    ("F{}als_v6", _COMPUTE, 2, (4, 8, 16, 32, 48, 64), 0, False),
    ("F{}as_v6", _GENERAL, 4, (4, 8, 16, 32, 48, 64), 0, False),
    ("F{}ams_v6", _MEMORY, 8, (4, 8, 16, 32, 48, 64), 0, False),
    ("F{}als_v7", _COMPUTE, 2, _TO_64, 0, False),
    ("F{}as_v7", _GENERAL, 4, _TO_64, 0, False),
    ("F{}ads_v7", _GENERAL, 4, _TO_64, 0, True),
    ("F{}ams_v7", _MEMORY, 8, _TO_64, 0, False),
)
_SIZES = (
    Size("D3_v2", _GENERAL, 4, 14, 1, 200),
    Size("D4_v2", _GENERAL, 8, 28, 1, 400),
    Size("D5_v2", _GENERAL, 16, 56, 1, 800),
    Size("D11_v2", _MEMORY, 2, 14, 1, 100),
    Size("D12_v2", _MEMORY, 4, 28, 1, 200),
    Size("D13_v2", _MEMORY, 8, 56, 1, 400),
    Size("D14_v2", _MEMORY, 16, 112, 1, 800),
    Size("D15_v2", _MEMORY, 20, 140, 1, 1000),
    Size("DS3_v2", _GENERAL, 4, 14, 1, 28),
    Size("DS4_v2", _GENERAL, 8, 28, 1, 56),
    Size("DS5_v2", _GENERAL, 16, 56, 1, 112),
    Size("DS11_v2", _MEMORY, 2, 14, 1, 28),
    Size("DS12_v2", _MEMORY, 4, 28, 1, 56),
    Size("DS13_v2", _MEMORY, 8, 56, 1, 112),
    Size("DS14_v2", _MEMORY, 16, 112, 1, 224),
    Size("DS15_v2", _MEMORY, 20, 140, 1, 280),
    # The largest of their series, which have less memory a core than the others.
    Size("E64_v3", _MEMORY, 64, 432, 1, 1600),
    Size("E64s_v3", _MEMORY, 64, 432, 1, 864),
    Size("E64s_v4", _MEMORY, 64, 504),
    Size("E64d_v4", _MEMORY, 64, 504, 1, 2400),
    Size("E64ds_v4", _MEMORY, 64, 504, 1, 2400),
    Size("E96a_v4", _MEMORY, 96, 672, 1, 2400),
    Size("E96as_v4", _MEMORY, 96, 672, 1, 1344),
    Size("E96s_v5", _MEMORY, 96, 672),
    Size("E96as_v5", _MEMORY, 96, 672),
    Size("E96ds_v5", _MEMORY, 96, 672, 1, 3600),
    Size("E96ads_v5", _MEMORY, 96, 672, 1, 3600),
    Size("E96as_v6", _MEMORY, 96, 672),
    Size("E96ads_v6", _MEMORY, 96, 672, 0, 0, 6, 880),
    Size("E96ps_v6", _MEMORY, 96, 672),
    Size("E96pds_v6", _MEMORY, 96, 672, 0, 0, 6, 880),
    Size("H8", _COMPUTE, 8, 56, 1, 1000),
    Size("H16", _COMPUTE, 16, 112, 1, 2000),
    Size("M64s", _MEMORY, 64, 1024, 1, 2048),
    Size("L4s", _STORAGE, 4, 32, 1, 678),
    Size("L8s", _STORAGE, 8, 64, 1, 1388),
    Size("L16s", _STORAGE, 16, 128, 1, 2807),
    Size("L32s", _STORAGE, 32, 256, 1, 5630),
    *(
        Size(f"L{cores}{version}", _STORAGE, cores, cores * 8, 1, cores * 10, cores // 8, 1788)
        for version in ("s_v2", "s_v3", "as_v3")
        for cores in (8, 16, 32, 48, 64, 80)
    ),
    *(
        Size(f"L{cores}{version}", _STORAGE, cores, cores * 8, 0, 0, disks, gib)
        for version in ("s_v4", "as_v4")
        for cores, disks, gib in ((4, 2, 480), (8, 4, 480), (16, 4, 960), (32, 8, 960), (48, 6, 1920), (64, 8, 1920))
    ),
    *(
        Size(f"L{cores}aos_v4", _STORAGE, cores, cores * 8, 0, 0, disks, gib)
        for cores, disks, gib in ((4, 3, 960), (8, 6, 960), (12, 9, 960), (16, 6, 1920), (24, 9, 1920), (32, 12, 1920))
    ),
    Size("NC6", _GPU, 6, 56, 1, 340, gpus=1),
    Size("NC12", _GPU, 12, 112, 1, 680, gpus=2),
    Size("NC24", _GPU, 24, 224, 1, 1440, gpus=4),
    Size("NC6s_v3", _GPU, 6, 112, 1, 736, gpus=1),
    Size("NC12s_v3", _GPU, 12, 224, 1, 1474, gpus=2),
    Size("NC24s_v3", _GPU, 24, 448, 1, 2948, gpus=4),
    Size("NC24rs_v3", _GPU, 24, 448, 1, 2948, gpus=4),
    Size("NC4as_T4_v3", _GPU, 4, 28, 1, 176, gpus=1),
    Size("NC8as_T4_v3", _GPU, 8, 56, 1, 352, gpus=1),
    Size("NC16as_T4_v3", _GPU, 16, 110, 1, 352, gpus=1),
    Size("NC64as_T4_v3", _GPU, 64, 440, 1, 2816, gpus=4),
    Size("NC24ads_A100_v4", _GPU, 24, 220, 1, 64, 1, 960, gpus=1),
    Size("NC48ads_A100_v4", _GPU, 48, 440, 1, 128, 2, 960, gpus=2),
    Size("NC96ads_A100_v4", _GPU, 96, 880, 1, 256, 4, 960, gpus=4),
    Size("NC40ads_H100_v5", _GPU, 40, 320, 1, 128, 1, 3576, gpus=1),
    Size("NC80adis_H100_v5", _GPU, 80, 640, 1, 256, 2, 3576, gpus=2),
    Size("ND96asr_v4", _GPU, 96, 900, 1, 6000, gpus=8),
    Size("ND96amsr_A100_v4", _GPU, 96, 1900, 1, 6400, gpus=8),
    Size("ND96isr_H100_v5", _GPU, 96, 1900, 1, 1000, 8, 3576, gpus=8),
    Size("NV36ads_A10_v5", _GPU, 36, 440, 1, 1440, gpus=1),
    Size("NV72ads_A10_v5", _GPU, 72, 880, 1, 2880, gpus=2),
)

_DEPRECATED = re.compile(r"L\d+s|NC(6|12|24)|NC\d+r?s_v3|H\d+|F\d+s?")
_NOT_IN_REGION = {"Standard_F4s", "Standard_ND96isr_H100_v5"}
# The service leaves fields out where they say nothing. Both types are large, and unlike any other, so that clients
# which fail for the missing field do so only when asked for something of that size.
_WITHOUT_INSTANCE_TYPE = {"Standard_M64s"}
_WITHOUT_GPU_COUNT = {"Standard_D128ds_v6"}

# Azure's naming convention of sizes (learn.microsoft.com/azure/virtual-machines/vm-naming-conventions): family, cores,
# constrained cores, features in lower case, accelerator, version. B (burstable) and A are no node types of Databricks.
_NAME = re.compile(
    r"Standard_(?P<family>DC|D|EC|E|FX|F|HB|HC|HX|L|M|NC|ND|NG|NV)(?P<cores>[1-9]\d{0,2})(-[1-9]\d?)?(?P<features>[a-z]*)"
    r"(_[A-Z][A-Za-z0-9]*)?_v(?P<version>\d{1,2})"
)
_FAMILIES: dict[str, tuple[str, float]] = {
    "D": (_GENERAL, 4),
    "E": (_MEMORY, 8),
    "F": (_COMPUTE, 2),
    "H": (_COMPUTE, 4),
    "L": (_STORAGE, 8),
    "M": (_MEMORY, 16),
    "N": (_GPU, 9),
}
"""By the first letter of a family: its category, and GiB of memory a core."""
_MAX_CORES = 416


def _sizes() -> Iterator[Size]:
    for name, category, memory, all_cores, disk, nvme in _SERIES:
        for cores in all_cores:
            size = Size(name.format(cores), category, cores, cores * memory)
            yield _with_disks(size, cores * disk, nvme)
    yield from _SIZES


def _with_disks(size: Size, disk_gib: float, nvme: bool) -> Size:
    if nvme:
        # D8ds_v6 has one disk of 440 GiB, D32ds_v6 four, D64ds_v6 four of 880, D128ds_v6 four of 1,760.
        total = size.cores * 55
        gib = min(total, 440 if size.cores < 64 else 880 if size.cores < 128 else 1760)
        return attrs.evolve(size, nvme_disks=total // gib, nvme_gib=gib)
    return attrs.evolve(size, disks=1, disk_gib=int(disk_gib)) if disk_gib else size


def known() -> dict[str, Json]:
    """Every node type that a workspace offers, by id, as list-node-types shows it."""
    return {f"Standard_{size.name}": _described(size) for size in _sizes()}


def plausible(name: str) -> Json | None:
    """A node type beyond those, if the name follows Azure's convention: described by what its family has a core."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    cores = int(found["cores"])
    if cores % 2 or cores > _MAX_CORES:
        return None
    family, features = found["family"], found["features"]
    category, memory = _FAMILIES[family[0]]
    if "l" in features:
        category, memory = _COMPUTE, 2
    gpus = 1 if family[0] == "N" else 0
    size = Size(name.removeprefix("Standard_"), category, cores, cores * memory, gpus=gpus)
    has_disk = "d" in features or family[0] in "LN"
    return _described(_with_disks(size, cores * 37.5 if has_disk else 0, has_disk and int(found["version"]) >= 6))


def completed(given: Mapping[str, object]) -> Json:
    """A node type that a test describes, with what it left out."""
    name = given["node_type_id"]
    if not isinstance(name, str):
        raise TypeError(f"a node type has a node_type_id of text, not {name!r:.60}")
    return {**(plausible(name) or _described(Size(name, _GENERAL, 4, 16))), **given}


def _described(size: Size) -> Json:
    name = size.name if size.name.startswith("Standard_") else f"Standard_{size.name}"
    deprecated = _DEPRECATED.fullmatch(size.name) is not None
    unavailable = name in _NOT_IN_REGION
    node: Json = {
        "node_type_id": name,
        "memory_mb": int(size.memory_gib * 1024),
        "num_cores": float(size.cores),
        "description": name,
        "instance_type_id": name,
        "is_deprecated": deprecated,
        "category": size.category,
        "support_ebs_volumes": True,
        "support_cluster_tags": True,
        "num_gpus": size.gpus,
        "node_instance_type": {
            "instance_type_id": name,
            "local_disks": size.disks,
            "local_disk_size_gb": size.disk_gib,
            "instance_family": _quota_family(size.name),
            "local_nvme_disk_size_gb": size.nvme_gib,
            "local_nvme_disks": size.nvme_disks,
            "swap_size": "10g",
        },
        "is_hidden": False,
        "support_port_forwarding": True,
        "display_order": 1 if deprecated else 0,
        "is_io_cache_enabled": size.category == _STORAGE,
        "node_info": {
            **({"status": ["NotAvailableInRegion"]} if unavailable else {}),
            "available_core_quota": 0.0 if unavailable else 350.0,
            "total_core_quota": 350.0,
        },
        "is_encrypted_in_transit": False,
        "is_graviton": re.search(r"\dp", size.name) is not None,
        "photon_worker_capable": size.gpus == 0,
        "photon_driver_capable": size.gpus == 0,
    }
    if name in _WITHOUT_INSTANCE_TYPE:
        del node["node_instance_type"]
    if name in _WITHOUT_GPU_COUNT:
        del node["num_gpus"]
    return node


def _quota_family(name: str) -> str:
    # As Azure names its quotas: "Standard LSv2 Family vCPUs" for L80s_v2.
    letters = re.sub(r"[\d-]|_v\d+|_[A-Z][A-Za-z0-9]*", "", name).upper()
    version = re.search(r"_v\d+", name)
    return f"Standard {letters}{version[0][1:] if version else ''} Family vCPUs"
