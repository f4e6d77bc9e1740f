"""A cluster as the service shows it: the fields of recorded answers, access modes, and what is left out."""

from __future__ import annotations

import pytest


async def test_a_running_cluster_has_the_fields_of_recorded_answers(wire):
    """Those that azure-databricks-client recorded, and the newer ones of overwatch and dagster."""
    cluster = await wire.cluster(await wire.running(driver_node_type_id="Standard_DS4_v2"))
    expected = {
        "disk_spec": {},
        "cluster_source": "API",
        "init_scripts_safe_mode": False,
        "instance_source": {"node_type_id": "Standard_DS3_v2"},
        "driver_instance_source": {"node_type_id": "Standard_DS4_v2"},
        "effective_spark_version": "16.4.x-scala2.12",
        "driver_healthy": True,
        "jdbc_port": 10000,
        "cluster_cores": 16.0,
        "cluster_memory_mb": 28672 + 2 * 14336,
        "azure_attributes": {"first_on_demand": 1, "availability": "ON_DEMAND_AZURE", "spot_bid_max_price": -1.0},
    }
    assert {name: cluster[name] for name in expected} == expected
    assert len(cluster["executors"]) == 2


async def test_what_says_nothing_is_left_out(wire):
    """No empty list, no runtime engine that was not asked for, no executors without workers."""
    cluster_id = await wire.running(num_workers=0, ssh_public_keys=[], init_scripts=[], custom_tags={})
    cluster = await wire.cluster(cluster_id)
    assert not [name for name, value in cluster.items() if value == []]
    assert "runtime_engine" not in cluster
    assert "executors" not in cluster
    assert (cluster["num_workers"], cluster["state_message"]) == (0, "")
    no_events = await wire.ok("POST", "/api/2.1/clusters/events", cluster_id=cluster_id, event_types=["DBFS_DOWN"])
    assert no_events["total_count"] == 0
    assert "events" not in no_events
    statuses = await wire.ok("GET", "/api/2.0/libraries/cluster-status", cluster_id=cluster_id)
    assert statuses == {"cluster_id": cluster_id}
    assert await wire.ok("GET", "/api/2.0/libraries/all-cluster-statuses") == {}


async def test_a_terminated_cluster_keeps_its_context(wire, workspace):
    """The id of its last Spark context; drivers, sizes and ports are gone, and an empty map of parameters is too."""
    cluster_id = await wire.running()
    running = await wire.cluster(cluster_id)
    await wire.ok("POST", "/api/2.1/clusters/delete", cluster_id=cluster_id)
    workspace.clock.advance(30)
    ended = await wire.cluster(cluster_id)
    assert ended["state"] == "TERMINATED"
    assert ended["spark_context_id"] == running["spark_context_id"]
    gone = {"driver", "executors", "driver_healthy", "jdbc_port", "cluster_cores", "cluster_memory_mb"}
    assert not gone & ended.keys()
    assert ended["instance_source"] == running["instance_source"]

    await wire.ok("POST", "/api/2.1/clusters/start", cluster_id=cluster_id)
    workspace.clock.advance(300)
    assert (await wire.cluster(cluster_id))["spark_context_id"] != running["spark_context_id"]


async def test_who_pinned_a_cluster(wire):
    """By the number that the user has in SCIM."""
    cluster_id = await wire.running()
    me = await wire.ok("GET", "/api/2.0/preview/scim/v2/Me")
    await wire.ok("POST", "/api/2.1/clusters/pin", cluster_id=cluster_id)
    assert (await wire.cluster(cluster_id))["pinned_by_user_name"] == me["id"]
    await wire.ok("POST", "/api/2.1/clusters/unpin", cluster_id=cluster_id)
    assert "pinned_by_user_name" not in await wire.cluster(cluster_id)


async def test_machines_of_a_pool(wire):
    """The pool takes the place of the node type; the driver may have one of its own."""
    of_pool = {"node_type_id": None, "instance_pool_id": "pool-1"}
    cluster = await wire.cluster(await wire.running(**of_pool))
    assert cluster["instance_source"] == cluster["driver_instance_source"] == {"instance_pool_id": "pool-1"}
    cluster = await wire.cluster(await wire.running(**of_pool, driver_instance_pool_id="pool-2"))
    assert cluster["driver_instance_source"] == {"instance_pool_id": "pool-2"}


@pytest.mark.parametrize("field", ["node_type_id", "enable_elastic_disk"])
async def test_what_a_pool_gives_cannot_be_given(wire, field):
    """As the service words it."""
    spec = {"spark_version": "16.4.x-scala2.12", "num_workers": 1, "instance_pool_id": "pool-1"}
    spec[field] = {"node_type_id": "Standard_DS3_v2", "enable_elastic_disk": True}[field]
    status, answer = await wire.post("/api/2.1/clusters/create", **spec)
    said = f"The field '{field}' cannot be supplied when an instance pool ID is provided."
    assert (status, answer["message"]) == (400, said)


@pytest.mark.parametrize(
    ("asked", "shown", "extra"),
    [
        ("DATA_SECURITY_MODE_DEDICATED", "SINGLE_USER", {}),
        ("DATA_SECURITY_MODE_STANDARD", "USER_ISOLATION", {}),
        ("DATA_SECURITY_MODE_AUTO", "USER_ISOLATION", {}),
        ("DATA_SECURITY_MODE_AUTO", "SINGLE_USER", {"spark_version": "16.4.x-cpu-ml-scala2.12"}),
        ("DATA_SECURITY_MODE_AUTO", "SINGLE_USER", {"use_ml_runtime": True}),
        ("SINGLE_USER", "SINGLE_USER", {}),
        ("USER_ISOLATION", "USER_ISOLATION", {}),
        ("LEGACY_PASSTHROUGH", "LEGACY_PASSTHROUGH", {}),
        ("NONE", "NONE", {}),
    ],
)
async def test_access_modes_are_resolved(wire, asked, shown, extra):
    """On the cluster, in `get` and in `list`; the settings keep the word that was asked, and a single user is named."""
    cluster_id = await wire.running(data_security_mode=asked, kind="CLASSIC_PREVIEW", **extra)
    listed = (await wire.ok("GET", "/api/2.1/clusters/list"))["clusters"][0]
    cluster = await wire.cluster(cluster_id)
    assert cluster["data_security_mode"] == listed["data_security_mode"] == shown
    assert cluster["spec"]["data_security_mode"] == asked
    single = shown == "SINGLE_USER"
    assert cluster.get("single_user_name") == ("admin@example.com" if single else None)
    assert cluster.get("assigned_principal") == ("user:admin@example.com" if single else None)


async def test_a_job_keeps_the_access_mode_as_asked(wire, jobs):
    """Its cluster resolves it."""
    new = {"spark_version": "16.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}
    new["data_security_mode"] = "DATA_SECURITY_MODE_DEDICATED"
    task = {"task_key": "a", "notebook_task": {"notebook_path": "/Shared/a"}, "new_cluster": new}
    job_id = await jobs.create(task)
    run_id = await jobs.run_now(job_id)
    settings = (await jobs.ok("GET", "get", job_id=job_id))["settings"]
    assert settings["tasks"][0]["new_cluster"]["data_security_mode"] == "DATA_SECURITY_MODE_DEDICATED"
    cluster = await wire.cluster((await jobs.task(run_id, "a"))["cluster_instance"]["cluster_id"])
    assert (cluster["data_security_mode"], cluster["cluster_source"]) == ("SINGLE_USER", "JOB")


@pytest.mark.parametrize(
    ("settings", "runs"),
    [
        ({"runtime_engine": "PHOTON"}, "16.4.x-photon-scala2.12"),
        ({"runtime_engine": "STANDARD"}, "16.4.x-scala2.12"),
        ({"spark_version": "16.4.x-photon-scala2.12"}, "16.4.x-photon-scala2.12"),
        ({"use_ml_runtime": True}, "16.4.x-cpu-ml-scala2.12"),
        ({"use_ml_runtime": True, "node_type_id": "Standard_NC4as_T4_v3"}, "16.4.x-gpu-ml-scala2.12"),
        ({"use_ml_runtime": True, "spark_version": "16.4.x-cpu-ml-scala2.12"}, "16.4.x-cpu-ml-scala2.12"),
    ],
)
async def test_the_effective_runtime(wire, settings, runs):
    """The engine and the machine learning flag have a part in it."""
    cluster = await wire.cluster(await wire.running(**settings))
    assert cluster["effective_spark_version"] == runs
    assert cluster["spark_version"] == settings.get("spark_version", "16.4.x-scala2.12")
    assert cluster.get("runtime_engine") == settings.get("runtime_engine", "PHOTON" if "photon" in runs else None)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"custom_tags": {str(number): "" for number in range(46)}}, "at most 45 custom tags, not 46"),
        ({"ssh_public_keys": ["k"] * 11}, "at most 10 SSH public keys, not 11"),
        ({"init_scripts": [{}]}, "init_scripts[0] must have exactly one destination"),
        (
            {"init_scripts": [{"dbfs": {"destination": "dbfs:/a"}, "volumes": {"destination": "/Volumes/a"}}]},
            "init_scripts[0] must have exactly one destination",
        ),
    ],
)
async def test_limits_of_the_reference(wire, change, said):
    """Refused by number."""
    spec = {"spark_version": "16.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}
    status, answer = await wire.post("/api/2.1/clusters/create", **spec, **change)
    assert (status, answer["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert said in answer["message"]
