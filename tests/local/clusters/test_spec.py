"""The settings of a cluster: which are accepted, which are refused, and how they come back."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"spark_version": None}, "spark_version"),
        ({"spark_version": "1.2.x-scala2.10"}, "Invalid spark version 1.2.x-scala2.10."),
        ({"node_type_id": None}, "node_type_id"),
        ({"node_type_id": "m5.large"}, "Node type m5.large is not supported. Supported node types: Standard_"),
        ({"driver_node_type_id": "m5.large"}, "Node type m5.large is not supported"),
        ({"num_workers": None}, "Missing required field: size"),
        ({"num_workers": None, "is_single_node": False}, "Missing required field: size"),
        ({"num_workers": -1}, "num_workers"),
        ({"num_workers": "many"}, "num_workers"),
        ({"num_workers": True}, "num_workers"),
        ({"autoscale": {"min_workers": 1, "max_workers": 2}}, "autoscale"),
        ({"num_workers": None, "autoscale": {"min_workers": 3, "max_workers": 2}}, "autoscale"),
        ({"num_workers": None, "autoscale": {"min_workers": 3}}, "autoscale.max_workers"),
        ({"autotermination_minutes": 5}, "autotermination_minutes"),
        ({"cluster_name": 7}, "cluster_name"),
        ({"enable_elastic_disk": "true"}, "enable_elastic_disk"),
        ({"spark_conf": "a=b"}, "spark_conf"),
        ({"spark_conf": {"a": {}}}, "spark_conf.a"),
        ({"ssh_public_keys": "key"}, "ssh_public_keys"),
        ({"data_security_mode": "SECURE"}, "data_security_mode"),
        ({"azure_attributes": {"first_on_demand": "one"}}, "azure_attributes.first_on_demand"),
        ({"azure_attributes": {"availability": "SPOT"}}, "azure_attributes.availability"),
        ({"azure_attributes": {"spot_bid_max_price": "-1"}}, "azure_attributes.spot_bid_max_price"),
        ({"init_scripts": [{"volumes": {}}]}, "init_scripts[0].volumes.destination"),
        ({"init_scripts": {"volumes": {"destination": "/x"}}}, "init_scripts"),
        ({"cluster_log_conf": {"dbfs": "dbfs:/logs"}}, "cluster_log_conf.dbfs"),
        ({"docker_image": {"basic_auth": {"username": 5}}}, "docker_image.basic_auth.username"),
        ({"workload_type": {}}, "workload_type.clients"),
        ({"workload_type": {"clients": {"jobs": "yes"}}}, "workload_type.clients.jobs"),
        ({"worker_node_type_flexibility": {"alternate_node_type_ids": [{}]}}, "alternate_node_type_ids[0]"),
    ],
)
async def test_a_wrong_parameter_is_refused_by_name(wire, change, named):
    """400 INVALID_PARAMETER_VALUE, and no cluster."""
    spec = {"spark_version": "16.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1} | change
    status, answer = await wire.post("/api/2.1/clusters/create", **spec)
    assert (status, answer["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert named in answer["message"]
    assert "clusters" not in await wire.ok("GET", "/api/2.1/clusters/list")


async def test_numbers_may_come_as_decimal_text(wire):
    """As the service reads int64."""
    cluster_id = await wire.running(num_workers="1")
    assert (await wire.cluster(cluster_id))["num_workers"] == 1


async def test_a_cluster_from_a_pool_needs_no_node_type(wire):
    """The pool has one."""
    cluster_id = await wire.running(node_type_id=None, instance_pool_id="pool-1")
    assert (await wire.cluster(cluster_id))["instance_pool_id"] == "pool-1"


async def test_the_size_may_come_from_a_policy(wire):
    """Nothing else stands for it but a single node."""
    cluster_id = await wire.running(num_workers=None, policy_id="policy-1")
    assert "executors" not in await wire.cluster(cluster_id)


async def test_unknown_settings_are_written_down_wherever_they_are(wire):
    """A misspelt one is ignored, as the service does."""
    cluster_id = await wire.running(
        azure_attributes={"spot_bid_price": 1}, init_scripts=[{"dbfs": {"destination": "dbfs:/x", "path": "y"}}]
    )
    assert wire.workspace.journal.calls("POST *")[0].unknown == [
        "azure_attributes.spot_bid_price",
        "init_scripts[0].dbfs.path",
    ]
    assert (await wire.cluster(cluster_id))["spec"]["azure_attributes"] == {}


async def test_a_single_node_cluster_gets_its_settings(wire):
    """`is_single_node` fills in the Spark settings, the tag and the size."""
    cluster_id = await wire.running(num_workers=None, is_single_node=True, kind="CLASSIC_PREVIEW")
    cluster = await wire.cluster(cluster_id)
    assert cluster["spark_conf"]["spark.databricks.cluster.profile"] == "singleNode"
    assert cluster["custom_tags"] == {"ResourceClass": "SingleNode"}
    assert (cluster["num_workers"], "executors" in cluster) == (0, False)


async def test_every_field_of_a_request_comes_back(wire):
    """Nested settings too, untouched."""
    spec = {
        "apply_policy_default_values": False,
        "autotermination_minutes": 60,
        "aws_attributes": {"zone_id": "auto"},
        "azure_attributes": {
            "first_on_demand": 2,
            "availability": "SPOT_WITH_FALLBACK_AZURE",
            "spot_bid_max_price": 0.5,
            "log_analytics_info": {"log_analytics_workspace_id": "w"},
        },
        "cluster_log_conf": {"dbfs": {"destination": "dbfs:/logs"}},
        "cluster_name": "all",
        "custom_tags": {"team": "a"},
        "data_security_mode": "USER_ISOLATION",
        "dependency_mode": "DEPENDENCY_MODE_AUTO",
        "docker_image": {"url": "image:1"},
        "driver_instance_pool_id": "pool-2",
        "driver_node_type_flexibility": {"alternate_node_type_ids": ["Standard_DS4_v2"]},
        "driver_node_type_id": "Standard_DS5_v2",
        "enable_local_disk_encryption": True,
        "gcp_attributes": {"boot_disk_size": 10},
        "init_scripts": [{"volumes": {"destination": "/Volumes/a/b/c.sh"}}],
        "instance_pool_id": "pool-1",
        "is_single_node": False,
        "kind": "CLASSIC_PREVIEW",
        "num_workers": 3,
        "policy_id": "policy-1",
        "remote_disk_throughput": 100,
        "runtime_engine": "PHOTON",
        "single_user_name": "ann@example.com",
        "spark_conf": {"a": "b"},
        "spark_env_vars": {"C": "d"},
        "spark_version": "16.4.x-scala2.12",
        "ssh_public_keys": ["ssh-rsa x"],
        "total_initial_remote_disk_size": 200,
        "use_ml_runtime": False,
        "worker_node_type_flexibility": {"alternate_node_type_ids": []},
        "workload_type": {"clients": {"jobs": True, "notebooks": False}},
    }
    cluster = await wire.cluster(await wire.running(**spec, node_type_id=None))
    assert cluster["spec"] == spec
    assert {name: cluster[name] for name in spec} == spec
    assert wire.workspace.journal.calls("POST *")[0].unknown == []


async def test_empty_objects_that_pass_are_noted(wire):
    """What the service would look into, and nothing here does; maps of text may well be empty."""
    await wire.create(docker_image={}, azure_attributes={"log_analytics_info": {}}, custom_tags={}, cluster_log_conf={})
    call = wire.workspace.journal.calls("POST *")[0]
    assert sorted(call.unchecked) == ["azure_attributes.log_analytics_info", "cluster_log_conf", "docker_image"]
    assert call.unknown == []
