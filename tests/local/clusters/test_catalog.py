"""Node types, Spark versions and zones: what is listed, what else is accepted, and what a test adds.

Covers `local/clusters/node_types.py`, `local/clusters/offers.py` and `local/clusters/spark_versions.py` too.
"""

from __future__ import annotations

import pytest

from databricks_async import WorkspaceClient
from databricks_async.local import Clock, LocalWorkspace

SPEC = {"spark_version": "16.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}


async def node_types(wire):
    answer = await wire.ok("GET", "/api/2.1/clusters/list-node-types")
    return {node["node_type_id"]: node for node in answer["node_types"]}


async def message(wire, **changes):
    """The answer to a cluster of these settings: None if it is made."""
    status, answer = await wire.post("/api/2.1/clusters/create", **(SPEC | changes))
    assert (status, answer.get("error_code")) in ((200, None), (400, "INVALID_PARAMETER_VALUE")), answer
    return answer.get("message")


async def test_node_types_of_azure_with_their_gaps(wire):
    """Disks, GPUs, deprecated ones, some that are not to be had, and two that leave a field out."""
    nodes = await node_types(wire)
    assert len(nodes) > 281
    assert nodes["Standard_DS3_v2"]["node_instance_type"]["local_disks"] == 1
    assert nodes["Standard_NC12s_v3"]["num_gpus"] == 2
    assert nodes["Standard_L4s"]["is_deprecated"]
    assert nodes["Standard_F4s"]["node_info"]["status"] == ["NotAvailableInRegion"]
    assert [name for name, node in nodes.items() if "node_instance_type" not in node] == ["Standard_M64s"]
    assert [name for name, node in nodes.items() if "num_gpus" not in node] == ["Standard_D128ds_v6"]


async def test_a_node_type_is_described_as_recorded(wire):
    """The fields and values of azure-databricks-client's recording of Standard_L80s_v2, and none of it is left out."""
    recorded = {
        "node_type_id": "Standard_L80s_v2",
        "memory_mb": 655360,
        "num_cores": 80,
        "description": "Standard_L80s_v2",
        "instance_type_id": "Standard_L80s_v2",
        "is_deprecated": False,
        "category": "Storage Optimized",
        "support_ebs_volumes": True,
        "support_cluster_tags": True,
        "num_gpus": 0,
        "node_instance_type": {
            "instance_type_id": "Standard_L80s_v2",
            "local_disks": 1,
            "local_disk_size_gb": 800,
            "instance_family": "Standard LSv2 Family vCPUs",
            "local_nvme_disk_size_gb": 1788,
            "local_nvme_disks": 10,
            "swap_size": "10g",
        },
        "is_hidden": False,
        "support_port_forwarding": True,
        "display_order": 0,
        "is_io_cache_enabled": True,
        "node_info": {"available_core_quota": 350, "total_core_quota": 350},
    }
    node = (await node_types(wire))["Standard_L80s_v2"]
    assert {name: node[name] for name in recorded} == recorded


@pytest.mark.parametrize(
    ("name", "cores", "gib", "disks", "nvme"),
    [
        ("D15_v2", 20, 140, (1, 1000), (0, 0)),
        ("DS12_v2", 4, 28, (1, 56), (0, 0)),
        ("D64_v3", 64, 256, (1, 1600), (0, 0)),
        ("D16s_v3", 16, 64, (1, 128), (0, 0)),
        ("D48as_v4", 48, 192, (1, 384), (0, 0)),
        ("D4ads_v5", 4, 16, (1, 150), (0, 0)),
        ("D8s_v5", 8, 32, (0, 0), (0, 0)),
        ("D2ads_v6", 2, 8, (0, 0), (1, 110)),
        ("D32ds_v6", 32, 128, (0, 0), (4, 440)),
        ("D64ads_v6", 64, 256, (0, 0), (4, 880)),
        ("D96ads_v6", 96, 384, (0, 0), (6, 880)),
        ("D128lds_v6", 128, 256, (0, 0), (4, 1760)),
        ("D16plds_v6", 16, 32, (0, 0), (2, 440)),
        ("DC16es_v5", 16, 64, (0, 0), (0, 0)),
        ("E20ds_v4", 20, 160, (1, 750), (0, 0)),
        ("E96ads_v5", 96, 672, (1, 3600), (0, 0)),
        ("F72s_v2", 72, 144, (1, 576), (0, 0)),
        ("F16als_v6", 16, 32, (0, 0), (0, 0)),
        ("F4ads_v7", 4, 16, (0, 0), (1, 220)),
        ("H16", 16, 112, (1, 2000), (0, 0)),
        ("L8s_v3", 8, 64, (1, 80), (1, 1788)),
        ("NC64as_T4_v3", 64, 440, (1, 2816), (0, 0)),
        ("NC40ads_H100_v5", 40, 320, (1, 128), (1, 3576)),
    ],
)
async def test_sizes_are_those_of_azure(wire, name, cores, gib, disks, nvme):
    """Cores, memory and local disks, as Azure documents them; one of each kind of series."""
    node = (await node_types(wire))[f"Standard_{name}"]
    disk = node["node_instance_type"]
    assert (node["num_cores"], node["memory_mb"]) == (cores, gib * 1024)
    assert (disk["local_disks"], disk["local_disk_size_gb"]) == disks
    assert (disk["local_nvme_disks"], disk["local_nvme_disk_size_gb"]) == nvme


@pytest.mark.parametrize(
    "name",
    ["Standard_D8ds_v9", "Standard_E16-8ds_v5", "Standard_E4bds_v5", "Standard_NC8as_A10_v9", "Standard_M416ms_v2"],
)
async def test_a_plausible_name_of_a_family_is_accepted(wire, name):
    """Azure has new sizes sooner than this list: what follows its naming convention runs, with a size by its name."""
    assert name not in await node_types(wire)
    cluster_id = await wire.running(node_type_id=name, num_workers=1)
    cluster = await wire.cluster(cluster_id)
    assert cluster["cluster_cores"] == 2 * int("".join(c for c in name.split("_")[1].split("-")[0] if c.isdecimal()))


@pytest.mark.parametrize(
    "name",
    [
        "Standard_D16S_v3",  # upper case, from the troubleshooting guide of Data Factory
        "Standard_D4dsv5",
        "Standard_D7ds_v5",
        "Standard_D999ds_v5",
        "Standard_DS3_v3",
        "Standard_B2s_v2",
        "Standard_A4_v2",
        "Standard_D4ds_v5 ",
        "D4ds_v5",
        "i3.xlarge",
        "",
    ],
)
async def test_other_names_are_refused_in_the_words_of_the_service(wire, name):
    """With the list of those that there are."""
    for field in ("node_type_id", "driver_node_type_id"):
        said = await message(wire, **{field: name})
        assert said.startswith(f"Node type {name} is not supported. Supported node types: Standard_")
        assert ", Standard_DS3_v2, " in said


async def test_spark_versions_with_their_oddities(wire):
    """LTS, ML, GPU, Photon, ARM and beta; 17 only for Scala 2.13; one key that is no version at all."""
    versions = (await wire.ok("GET", "/api/2.0/clusters/spark-versions"))["versions"]
    names = {version["key"]: version["name"] for version in versions}
    assert len(names) == len(versions) > 30
    assert names["16.4.x-scala2.12"] == "16.4 LTS (includes Apache Spark 3.5.2, Scala 2.12)"
    assert names["17.3.x-gpu-ml-scala2.13"] == "17.3 LTS ML GPU (includes Apache Spark 4.0.0, Scala 2.13)"
    assert {"16.4.x-photon-scala2.12", "16.4.x-aarch64-scala2.12", "apache-spark-3.5.x-scala2.12"} <= set(names)
    assert not any(key.startswith("17.") and key.endswith("2.12") for key in names)
    assert "Beta" in names["18.0.x-scala2.13"]
    assert any(not key[0].isdecimal() and "-scala2.13" in key for key in names)


async def test_every_listed_version_makes_a_cluster(wire):
    """The odd ones too."""
    for version in (await wire.ok("GET", "/api/2.0/clusters/spark-versions"))["versions"]:
        assert await message(wire, spark_version=version["key"]) is None


@pytest.mark.parametrize(
    "key",
    [
        "10.4.x-scala2.12",
        "12.1.x-scala2.12",
        "13.0.x-cpu-ml-scala2.12",
        "14.x-snapshot-scala2.12",
        "15.1.x-photon-scala2.12",
        "15.4.x-aarch64-photon-scala2.12",
        "15.4.1-scala2.12",
        "16.4.x-gpu-ml-scala2.13",
        "17.1.x-aarch64-scala2.13",
        "18.2.x-scala2.13",
        "19.4.x-cpu-ml-scala2.13",
    ],
)
async def test_versions_that_are_not_listed_run(wire, key):
    """Those whose support has ended, which the API takes until their end of life, and those yet to come."""
    assert await message(wire, spark_version=key) is None


@pytest.mark.parametrize(
    "key",
    [
        "10.3.x-scala2.12",
        "9.1.x-scala2.12",
        "7.3.x-hls-scala2.12",
        "6.4.x-esr-scala2.11",
        "15.5.x-scala2.12",
        "16.3.x-scala2.13",
        "17.3.x-scala2.12",
        "16.4.x",
        "16.4",
        "16.4.x-turbo-scala2.12",
        "16.4.x-scala2.12 ",
        "auto:latest-lts",
        "",
    ],
)
async def test_versions_at_their_end_of_life_and_unknown_ones_are_refused(wire, key):
    """By the words of the service."""
    assert await message(wire, spark_version=key) == f"Invalid spark version {key}."


async def test_a_test_adds_to_the_catalogs():
    """Names, and entries as the lists have them; what they leave out is filled in."""
    entry = {"node_type_id": "Standard_D4ds_v5", "memory_mb": 1, "node_info": {"status": ["NotEnabledOnSubscription"]}}
    workspace = LocalWorkspace(
        clock=Clock.by_hand(),
        node_types=["Standard_X4", "Standard_D8ds_v9", entry],
        spark_versions=["99.x-scala3.1", {"key": "7.3.x-scala2.12", "name": "7.3 LTS"}],
    )
    async with workspace, WorkspaceClient(host=workspace.url, token=workspace.token) as w:
        nodes = {node.node_type_id: node for node in (await w.clusters.list_node_types()).node_types}
        assert nodes["Standard_X4"].num_cores == 4
        assert nodes["Standard_D8ds_v9"].memory_mb == 32 * 1024
        known = nodes["Standard_D4ds_v5"]
        assert (known.memory_mb, known.num_cores, known.node_info.status) == (1, 4, ["NotEnabledOnSubscription"])
        versions = {version.key: version.name for version in (await w.clusters.spark_versions()).versions}
        assert (versions["99.x-scala3.1"], versions["7.3.x-scala2.12"]) == ("99.x-scala3.1", "7.3 LTS")
        for version in ("99.x-scala3.1", "7.3.x-scala2.12"):
            await w.clusters.create(spark_version=version, node_type_id="Standard_X4", num_workers=1)


@pytest.mark.parametrize("node", [{"memory_mb": 1}, {"node_type_id": 4}])
def test_an_entry_without_a_name_is_an_error(node):
    """At once, not when it is listed."""
    with pytest.raises((KeyError, TypeError), match="node_type_id"):
        LocalWorkspace(node_types=[node])


async def test_zones(wire):
    """A default and the list it is from."""
    zones = await wire.ok("GET", "/api/2.1/clusters/list-zones")
    assert zones["default_zone"] in zones["zones"]
