"""Node types, Spark versions and zones."""

from __future__ import annotations


async def test_node_types_of_azure_with_their_gaps(wire):
    """Disks, GPUs, a deprecated one, one that is not to be had, and two that leave a field out."""
    nodes = {
        node["node_type_id"]: node for node in (await wire.ok("GET", "/api/2.1/clusters/list-node-types"))["node_types"]
    }
    assert len(nodes) == 25
    assert nodes["Standard_DS3_v2"]["node_instance_type"]["local_disks"] == 1
    assert nodes["Standard_NC12s_v3"]["num_gpus"] == 2
    assert nodes["Standard_L4s"]["is_deprecated"]
    assert nodes["Standard_F4s"]["node_info"]["status"] == ["NotAvailableInRegion"]
    assert [name for name, node in nodes.items() if "node_instance_type" not in node] == ["Standard_M64s"]
    assert [name for name, node in nodes.items() if "num_gpus" not in node] == ["Standard_E96ds_v5"]


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


async def test_zones(wire):
    """A default and the list it is from."""
    zones = await wire.ok("GET", "/api/2.1/clusters/list-zones")
    assert zones["default_zone"] in zones["zones"]
