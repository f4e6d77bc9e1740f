"""Choosing a runtime and a node type: as the official SDK does where it can, and right where it cannot."""

from __future__ import annotations

import itertools
import json

import pytest
from databricks.sdk.mixins.compute import ClustersExt
from databricks.sdk.service import compute

from databricks_async.clusters import select
from databricks_async.local import Fault

VERSIONS, TYPES = "GET /api/{v}/clusters/spark-versions", "GET /api/{v}/clusters/list-node-types"


class Official(ClustersExt):
    """The official SDK's choice from a given catalogue, without its HTTP client."""

    def __init__(self, catalogue):
        super().__init__(None)
        self._versions = compute.GetSparkVersionsResponse.from_dict(catalogue.as_dict())
        self._types = compute.ListNodeTypesResponse.from_dict(catalogue.as_dict())

    def spark_versions(self):
        return self._versions

    def list_node_types(self):
        return self._types


def outcome(choose, **wanted):
    """What is chosen, or the kind of error for nothing and for too many."""
    try:
        return choose(**wanted)
    except ValueError:
        return ValueError


@pytest.fixture
async def versions(w):
    """The catalogue of runtimes, without the key that the official SDK cannot sort."""
    catalogue = await w.clusters.spark_versions()
    catalogue.versions = [version for version in catalogue.versions if not version.key.startswith("custom:")]
    return catalogue


@pytest.fixture
async def types(w):
    """Every 20th of the catalogue of node types, of those with each field that the official SDK needs."""
    catalogue = await w.clusters.list_node_types()
    catalogue.node_types = [
        node
        for index, node in enumerate(catalogue.node_types)
        if node.node_instance_type is not None
        and node.num_gpus is not None
        and (
            index % 20 == 0
            or node.node_type_id in ("Standard_F4s", "Standard_L4s", "Standard_NC6", "Standard_NC12s_v3")
        )
    ]
    return catalogue


@pytest.mark.parametrize("scala", ["2.12", "2.13"])
async def test_a_runtime_is_the_official_choice_when_scala_is_given(versions, scala):
    """For all combinations of the flags, with and without a version of Spark: 768 questions."""
    official = Official(versions)
    flags = ("long_term_support", "beta", "latest", "ml", "gpu", "photon", "graviton")
    answers = set()
    for values in itertools.product((False, True), repeat=len(flags)):
        for spark in (None, "3.5.0", "4.0.0"):
            wanted = {**dict(zip(flags, values, strict=True)), "scala": scala, "spark_version": spark}
            ours = outcome(lambda **wanted: select.spark_version(versions.versions, wanted), **wanted)
            assert ours == outcome(official.select_spark_version, **wanted), wanted
            answers.add(ours)
    assert len(answers) > 5


async def test_the_newest_runtime_is_found_whatever_its_scala(w, versions):
    """Official clients never look at those that exist only for Scala 2.13."""
    official = Official(versions)
    assert official.select_spark_version(long_term_support=True) == "16.4.x-scala2.12"

    assert await w.clusters.select_spark_version(long_term_support=True) == "17.3.x-scala2.13"
    assert await w.clusters.select_spark_version() == "17.3.x-scala2.13"
    assert await w.clusters.select_spark_version(scala="2.12") == "16.4.x-scala2.12"
    assert await w.clusters.select_spark_version(beta=True) == "18.0.x-scala2.13"


async def test_a_release_with_both_scalas_is_the_one_with_2_12(w, versions):
    """As people who never said which are used to."""
    assert await w.clusters.select_spark_version(spark_version="3.5.2", photon=True) == "16.4.x-photon-scala2.12"
    assert await w.clusters.select_spark_version(spark_version="3.5.2", scala="2.13") == "16.4.x-scala2.13"


@pytest.mark.parametrize(
    ("keys", "newest"),
    [
        (["9.1.x-scala2.12", "16.4.x-scala2.12", "10.4.x-scala2.12"], "16.4.x-scala2.12"),
        (["16.4.x-scala2.12", "17.x-snapshot-scala2.13", "16.4.7-scala2.12"], "17.x-snapshot-scala2.13"),
        (["16.4.x-scala2.12", "custom:snapshot__18.x-scala2.13__head"], "16.4.x-scala2.12"),
        (["custom:b-scala2.12", "custom:a-scala2.13"], "custom:b-scala2.12"),
    ],
)
async def test_keys_of_any_form_can_be_compared(w, workspace, keys, newest):
    """By number and not as text; keys that are no numbers come last. The official SDK raises for those."""
    catalogue = {"versions": [{"name": "no key"}, *({"key": key} for key in keys)]}
    workspace.faults.add(VERSIONS, Fault.answer(200, json.dumps(catalogue)))
    assert await w.clusters.select_spark_version() == newest


async def test_no_runtime_or_several_are_errors_that_repeat_the_question(w, workspace):
    """Several only when `latest` is false; they are named."""
    with pytest.raises(ValueError, match=r"no Spark version meets genomics=True, scala='2\.11'"):
        await w.clusters.select_spark_version(genomics=True, scala="2.11", spark_version=None)
    with pytest.raises(ValueError, match=r"2 Spark versions meet .*: 16\.4\.x-scala2\.12, 16\.4\.x-scala2\.13"):
        await w.clusters.select_spark_version(latest=False, spark_version="3.5.2", long_term_support=True)
    assert await w.clusters.select_spark_version(latest=False, spark_version="3.2.1") == "10.4.x-scala2.12"

    workspace.faults.add(VERSIONS, Fault.answer(200, b"{}"))
    with pytest.raises(ValueError, match="no Spark version meets no criteria"):
        await w.clusters.select_spark_version()


QUESTIONS = {
    "min_memory_gb": (None, 0, 15, 100, 5000),
    "gb_per_core": (None, 7),
    "min_cores": (None, 5, 16),
    "min_gpus": (None, 0, 1, 2),
    "local_disk": (None, False, True),
    "local_disk_min_size": (None, 0, 200, 1000),
    "category": (None, "storage optimized"),
    "is_io_cache_enabled": (None, True),
    "photon_worker_capable": (None, True),
}
REST = {
    "photon_driver_capable": (True, False),
    "support_port_forwarding": (True, False),
    "graviton": (True, False),
    "fleet": ("ds_v5", "nothing"),
    "category": ("General Purpose", "GPU Accelerated", "Nothing"),
}


async def test_a_node_type_is_the_official_choice(types):
    """For all combinations of the criteria that exclude something, and the others one by one."""
    official = Official(types)
    questions = [
        {name: value for name, value in zip(QUESTIONS, values, strict=True) if value is not None}
        for values in itertools.product(*QUESTIONS.values())
    ]
    questions += [{name: value} for name, values in REST.items() for value in values]
    answers = set()
    for wanted in questions:
        ours = outcome(lambda **wanted: select.node_type(types.node_types, wanted), **wanted)
        assert ours == outcome(official.select_node_type, **wanted), wanted
        answers.add(ours)
    assert len(answers) > 10


async def test_node_types_with_missing_fields_are_no_obstacle(w):
    """The official SDK fails to sort them, and to look at disks that are not described."""
    official = Official(await w.clusters.list_node_types())
    with pytest.raises(TypeError):
        official.select_node_type(min_cores=128, min_gpus=1)
    with pytest.raises(AttributeError):
        official.select_node_type(min_cores=64, min_memory_gb=1000, local_disk=True)

    assert await w.clusters.select_node_type(min_cores=128, local_disk=True, gb_per_core=4) == "Standard_D128ds_v6"
    largest = await w.clusters.select_node_type(min_cores=64, min_memory_gb=1000, local_disk=True)
    assert largest == "Standard_ND96amsr_A100_v4"
    with pytest.raises(ValueError, match="no node type meets min_cores=128, min_gpus=1"):
        await w.clusters.select_node_type(min_cores=128, min_gpus=1)


async def test_what_the_workspace_cannot_have_or_should_not_is_not_chosen(w):
    """Not available in the region: never. Deprecated: after all others."""
    types = {node.node_type_id: node for node in (await w.clusters.list_node_types()).node_types}
    assert "NotAvailableInRegion" in types["Standard_F4s"].node_info.status
    assert await w.clusters.select_node_type(fleet="_F4") != "Standard_F4s"
    chosen = types[await w.clusters.select_node_type(category="storage optimized")]
    assert not chosen.is_deprecated
    assert chosen.num_cores == types["Standard_L4s"].num_cores
    assert types["Standard_L4s"].is_deprecated


async def test_a_node_type_of_which_little_is_known_counts_as_small(w, workspace):
    """Nothing is read into fields that are not there."""
    bare = {"node_type_id": "bare", "memory_mb": 1024, "num_cores": 1, "description": "", "instance_type_id": "bare"}
    body = json.dumps({"node_types": [bare | {"category": ""}]})
    workspace.faults.add(TYPES, Fault.answer(200, body), Fault.answer(200, body), Fault.answer(200, b"{}"))
    assert await w.clusters.select_node_type(min_gpus=0) == "bare"
    with pytest.raises(ValueError, match="no node type meets local_disk=True"):
        await w.clusters.select_node_type(local_disk=True)
    with pytest.raises(ValueError, match="no node type meets no criteria"):
        await w.clusters.select_node_type()
