"""The life of a cluster, as any client sees it on the wire.

Here are the tests of `local/clusters/events.py`, `local/clusters/lifecycle.py`, `local/state.py`,
`local/workspace.py`.
"""

from __future__ import annotations

import pytest

START = 1758645728000  # 2025-09-23 16:42:08 UTC, where a clock moved by hand begins.


def kinds(events):
    return [event["type"] for event in events]


@pytest.mark.parametrize("version", ["2.0", "2.1"])
async def test_a_cluster_starts_within_five_minutes_of_the_clock(wire, workspace, version):
    """PENDING until the last millisecond, then RUNNING, in both versions of the API."""
    spec = {"spark_version": "16.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 2}
    cluster_id = (await wire.ok("POST", f"/api/{version}/clusters/create", **spec))["cluster_id"]
    workspace.clock.advance(299.999)
    pending = await wire.ok("GET", f"/api/{version}/clusters/get", cluster_id=cluster_id)
    workspace.clock.advance(0.001)
    running = await wire.ok("GET", f"/api/{version}/clusters/get", cluster_id=cluster_id)

    assert (pending["state"], running["state"]) == ("PENDING", "RUNNING")
    assert "driver" not in pending
    assert len(running["executors"]) == 2
    assert running["driver"]["start_timestamp"] == START + 300_000


async def test_get_tells_what_was_asked_for_and_what_the_service_filled_in(wire):
    """`spec` is the request as it was; beside it stand defaults, tags and sizes."""
    cluster_id = await wire.running(autotermination_minutes=30, spark_conf={"spark.speculation": True})
    cluster = await wire.cluster(cluster_id)

    assert cluster_id.startswith("0923-164208-")
    assert cluster["spec"] == {
        "cluster_name": "etl",
        "spark_version": "16.4.x-scala2.12",
        "node_type_id": "Standard_DS3_v2",
        "num_workers": 2,
        "autotermination_minutes": 30,
        "spark_conf": {"spark.speculation": "true"},
    }
    assert cluster["driver_node_type_id"] == "Standard_DS3_v2"
    assert cluster["azure_attributes"] == {
        "first_on_demand": 1,
        "availability": "ON_DEMAND_AZURE",
        "spot_bid_max_price": -1.0,
    }
    assert cluster["default_tags"] == {
        "Vendor": "Databricks",
        "Creator": "admin@example.com",
        "ClusterName": "etl",
        "ClusterId": cluster_id,
    }
    assert cluster["cluster_memory_mb"] == 3 * 14336
    assert cluster["cluster_cores"] == 12.0
    assert cluster["jdbc_port"] == 10000
    assert cluster["cluster_source"] == "API"
    assert cluster["start_time"] == START


async def test_events_carry_the_time_at_which_each_transition_was_due(wire, workspace):
    """However late anybody looks, nothing is stamped with the time of looking."""
    cluster_id = await wire.create(
        autotermination_minutes=10, init_scripts=[{"workspace": {"destination": "/init.sh"}}]
    )
    workspace.clock.advance(24 * 3600)
    events = await wire.events(cluster_id)

    assert [(event["type"], event["timestamp"] - START) for event in events] == [
        ("CREATING", 0),
        ("INIT_SCRIPTS_STARTED", 240_000),
        ("INIT_SCRIPTS_FINISHED", 270_000),
        ("RUNNING", 300_000),
        ("DRIVER_HEALTHY", 300_000),
        ("TERMINATING", 900_000),
    ]
    assert (await wire.cluster(cluster_id))["terminated_time"] == START + 930_000


async def test_work_on_a_cluster_puts_its_autotermination_off(wire, workspace):
    """Ten idle minutes count from the last activity."""
    cluster_id = await wire.running(autotermination_minutes=10)
    workspace.clock.advance(9 * 60)
    workspace.touch(cluster_id)
    workspace.clock.advance(9 * 60)
    assert await wire.state(cluster_id) == "RUNNING"
    workspace.clock.advance(60)

    cluster = await wire.cluster(cluster_id)
    assert cluster["state"] == "TERMINATING"
    assert cluster["termination_reason"] == {
        "code": "INACTIVITY",
        "type": "SUCCESS",
        "parameters": {"inactivity_duration_min": "10"},
    }


async def test_delete_terminates_and_start_brings_the_cluster_back(wire, workspace):
    """TERMINATING, TERMINATED with the user's name, then PENDING and RUNNING with a new driver."""
    cluster_id = await wire.running()
    first = (await wire.cluster(cluster_id))["driver"]
    await wire.ok("POST", "/api/2.1/clusters/delete", cluster_id=cluster_id)
    assert await wire.state(cluster_id) == "TERMINATING"
    workspace.clock.advance(30)
    ended = await wire.cluster(cluster_id)
    await wire.ok("POST", "/api/2.1/clusters/delete", cluster_id=cluster_id)
    await wire.ok("POST", "/api/2.1/clusters/start", cluster_id=cluster_id)
    started = await wire.cluster(cluster_id)
    workspace.clock.advance(300)
    running = await wire.cluster(cluster_id)

    assert ended["state"] == "TERMINATED"
    assert ended["terminated_time"] == START + 330_000
    assert ended["termination_reason"]["code"] == "USER_REQUEST"
    assert ended["termination_reason"]["parameters"] == {"username": "admin@example.com"}
    assert "driver" not in ended
    assert started["state"] == "PENDING"
    assert "termination_reason" not in started
    assert running["driver"] != first
    assert kinds(await wire.events(cluster_id)) == [
        "CREATING",
        "RUNNING",
        "DRIVER_HEALTHY",
        "TERMINATING",
        "STARTING",
        "RUNNING",
        "DRIVER_HEALTHY",
    ]


async def test_a_pending_cluster_that_is_terminated_never_runs(wire, workspace):
    """Its planned start lapses."""
    cluster_id = await wire.create()
    await wire.ok("POST", "/api/2.1/clusters/delete", cluster_id=cluster_id)
    workspace.clock.advance(3600)

    assert await wire.state(cluster_id) == "TERMINATED"
    assert "RUNNING" not in kinds(await wire.events(cluster_id))


async def test_restart_takes_a_running_cluster_through_restarting(wire, workspace):
    """The restart loses the driver's state and says when."""
    cluster_id = await wire.running()
    await wire.ok("POST", "/api/2.1/clusters/restart", cluster_id=cluster_id)
    assert await wire.state(cluster_id) == "RESTARTING"
    workspace.clock.advance(240)

    cluster = await wire.cluster(cluster_id)
    assert cluster["state"] == "RUNNING"
    assert cluster["last_restarted_time"] == cluster["last_state_loss_time"] == START + 300_000


async def test_resize_grows_with_and_shrinks_without_upsize_completed(wire, workspace):
    """The target shows at once, the workers follow."""
    cluster_id = await wire.running()
    await wire.ok("POST", "/api/2.1/clusters/resize", cluster_id=cluster_id, num_workers=5)
    resizing = await wire.cluster(cluster_id)
    workspace.clock.advance(60)
    grown = await wire.cluster(cluster_id)
    await wire.ok("POST", "/api/2.1/clusters/resize", cluster_id=cluster_id, num_workers=1)
    workspace.clock.advance(60)
    shrunk = await wire.cluster(cluster_id)

    assert (resizing["state"], resizing["num_workers"], len(resizing["executors"])) == ("RESIZING", 5, 2)
    assert (grown["state"], len(grown["executors"])) == ("RUNNING", 5)
    assert grown["executors"][:2] == resizing["executors"]
    assert (shrunk["num_workers"], len(shrunk["executors"])) == (1, 1)
    changes = (await wire.events(cluster_id))[3:]
    assert kinds(changes) == ["RESIZING", "UPSIZE_COMPLETED", "RESIZING"]
    assert changes[0]["details"] == {
        "previous_cluster_size": {"num_workers": 2},
        "cluster_size": {"num_workers": 5},
        "current_num_workers": 2,
        "target_num_workers": 5,
        "cause": "USER_REQUEST",
        "user": "admin@example.com",
    }


async def test_resize_to_an_autoscaling_range_keeps_the_workers_within_it(wire, workspace):
    """Two workers become three when three is the least, and `num_workers` gives way to `autoscale`."""
    cluster_id = await wire.running()
    autoscale = {"min_workers": 3, "max_workers": 8}
    await wire.ok("POST", "/api/2.1/clusters/resize", cluster_id=cluster_id, autoscale=autoscale)
    workspace.clock.advance(60)

    cluster = await wire.cluster(cluster_id)
    assert cluster["autoscale"] == autoscale
    assert "num_workers" not in cluster
    assert len(cluster["executors"]) == 3


async def test_editing_a_running_cluster_restarts_it(wire, workspace):
    """The new configuration replaces the whole old one."""
    cluster_id = await wire.running(custom_tags={"team": "a"})
    await wire.ok(
        "POST",
        "/api/2.1/clusters/edit",
        cluster_id=cluster_id,
        spark_version="15.4.x-scala2.12",
        node_type_id="Standard_DS4_v2",
        num_workers=1,
    )
    assert await wire.state(cluster_id) == "RESTARTING"
    workspace.clock.advance(240)

    cluster = await wire.cluster(cluster_id)
    assert (cluster["state"], cluster["spark_version"], len(cluster["executors"])) == (
        "RUNNING",
        "15.4.x-scala2.12",
        1,
    )
    assert "custom_tags" not in cluster
    edited = next(event for event in await wire.events(cluster_id) if event["type"] == "EDITED")
    assert edited["details"]["previous_attributes"]["custom_tags"] == {"team": "a"}
    assert edited["details"]["attributes"]["spark_version"] == "15.4.x-scala2.12"


async def test_editing_a_terminated_cluster_leaves_it_terminated(wire, workspace):
    """There is nothing to restart."""
    cluster_id = await wire.create()
    await wire.ok("POST", "/api/2.1/clusters/delete", cluster_id=cluster_id)
    workspace.clock.advance(30)
    change = {"spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_DS4_v2", "num_workers": 1}
    await wire.ok("POST", "/api/2.1/clusters/edit", cluster_id=cluster_id, **change)

    cluster = await wire.cluster(cluster_id)
    assert (cluster["state"], cluster["node_type_id"]) == ("TERMINATED", "Standard_DS4_v2")


async def test_update_changes_what_its_mask_names(wire, workspace):
    """A named field that is not given is cleared, an unnamed one is not looked at, a size takes the other's place."""
    cluster_id = await wire.running(custom_tags={"team": "a"}, spark_conf={"a": "1"})
    await wire.ok(
        "POST",
        "/api/2.1/clusters/update",
        cluster_id=cluster_id,
        update_mask="custom_tags,autoscale,spark_conf.b",
        cluster={
            "cluster_name": "ignored",
            "spark_conf": {"b": "2", "c": "3"},
            "autoscale": {"min_workers": 1, "max_workers": 2},
        },
    )
    workspace.clock.advance(240)

    cluster = await wire.cluster(cluster_id)
    assert cluster["cluster_name"] == "etl"
    assert cluster["spark_conf"] == {"a": "1", "b": "2"}
    assert cluster["autoscale"] == {"min_workers": 1, "max_workers": 2}
    assert "num_workers" not in cluster
    assert "custom_tags" not in cluster


@pytest.mark.parametrize("mask", ["cluster_nam", "cluster_name.first", "autoscale.min_workers", "spark_version", ""])
async def test_an_impossible_update_mask_is_refused(wire, mask):
    """It changes nothing."""
    cluster_id = await wire.running()
    before = await wire.cluster(cluster_id)
    body = {"cluster_id": cluster_id, "update_mask": mask, "cluster": {"autoscale": None}}
    status, answer = await wire.post("/api/2.1/clusters/update", **body)
    assert (status, answer["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert await wire.cluster(cluster_id) == before


async def test_pinning_twice_leaves_one_event(wire):
    """Pin and unpin are idempotent."""
    cluster_id = await wire.running()
    for what in ("pin", "pin", "unpin", "unpin"):
        await wire.ok("POST", f"/api/2.1/clusters/{what}", cluster_id=cluster_id)
    assert kinds(await wire.events(cluster_id))[3:] == ["PINNED", "UNPINNED"]


async def test_a_permanently_deleted_cluster_does_not_exist(wire, workspace):
    """Neither does anything happen to it later."""
    cluster_id = await wire.create()
    await wire.ok("POST", "/api/2.1/clusters/permanent-delete", cluster_id=cluster_id)
    workspace.clock.advance(3600)
    assert await wire.get("/api/2.1/clusters/get", cluster_id=cluster_id) == (
        400,
        {"error_code": "INVALID_PARAMETER_VALUE", "message": f"Cluster {cluster_id} does not exist"},
    )


async def test_a_cluster_is_found_for_sixty_days_after_its_end(wire, workspace):
    """Unless it is pinned: then for ever."""
    cluster_id, pinned = await wire.create(), await wire.create()
    await wire.ok("POST", "/api/2.1/clusters/pin", cluster_id=pinned)
    for one in (cluster_id, pinned):
        await wire.ok("POST", "/api/2.1/clusters/delete", cluster_id=one)
    workspace.clock.advance(30 + 60 * 24 * 3600)
    assert await wire.state(cluster_id) == "TERMINATED"
    workspace.clock.advance(1)
    status, answer = await wire.get("/api/2.1/clusters/get", cluster_id=cluster_id)
    assert (status, answer["message"]) == (400, f"Cluster {cluster_id} does not exist")
    assert await wire.state(pinned) == "TERMINATED"


async def test_a_scripted_failure_ends_the_next_start(wire, workspace):
    """PENDING, TERMINATING, TERMINATED with the reason given; the start after it succeeds."""
    workspace.fail_next_start(
        "CLOUD_PROVIDER_RESOURCE_STOCKOUT", "CLOUD_FAILURE", {"azure_error_code": "SkuNotAvailable"}
    )
    cluster_id = await wire.running()
    failing = await wire.cluster(cluster_id)
    workspace.clock.advance(30)
    assert failing["state"] == "TERMINATING"
    assert failing["termination_reason"] == {
        "code": "CLOUD_PROVIDER_RESOURCE_STOCKOUT",
        "type": "CLOUD_FAILURE",
        "parameters": {"azure_error_code": "SkuNotAvailable"},
    }
    assert "SkuNotAvailable" in failing["state_message"]
    assert await wire.state(cluster_id) == "TERMINATED"
    await wire.ok("POST", "/api/2.1/clusters/start", cluster_id=cluster_id)
    workspace.clock.advance(300)
    assert await wire.state(cluster_id) == "RUNNING"


async def test_a_scripted_failure_waits_for_the_cluster_of_its_name(wire, workspace):
    """Others start."""
    workspace.fail_next_start(cluster_name="doomed")
    fine, doomed = await wire.create(), await wire.create(cluster_name="doomed")
    workspace.clock.advance(400)
    assert (await wire.state(fine), await wire.state(doomed)) == ("RUNNING", "TERMINATED")


async def test_a_change_of_owner_needs_a_terminated_cluster(wire, workspace):
    """Then the creator and the tag change."""
    cluster_id = await wire.running()
    change = {"cluster_id": cluster_id, "owner_username": "ann@example.com"}
    status, answer = await wire.post("/api/2.1/clusters/change-owner", **change)
    assert (status, answer["error_code"]) == (400, "INVALID_STATE")
    await wire.ok("POST", "/api/2.1/clusters/delete", cluster_id=cluster_id)
    workspace.clock.advance(30)
    await wire.ok("POST", "/api/2.1/clusters/change-owner", **change)
    cluster = await wire.cluster(cluster_id)
    assert cluster["creator_user_name"] == cluster["default_tags"]["Creator"] == "ann@example.com"


@pytest.mark.parametrize(
    ("operation", "state"),
    [
        ("start", "Pending"),
        ("restart", "Pending"),
        ("resize", "Pending"),
        ("edit", "Pending"),
        ("start", "Running"),
        ("start", "Terminating"),
        ("restart", "Terminated"),
        ("resize", "Terminated"),
    ],
)
async def test_an_operation_in_the_wrong_state_is_refused(wire, workspace, operation, state):
    """400 INVALID_STATE in the service's words."""
    cluster_id = await wire.create()
    if state == "Running":
        workspace.clock.advance(300)
    elif state.startswith("Terminat"):
        await wire.ok("POST", "/api/2.1/clusters/delete", cluster_id=cluster_id)
        workspace.clock.advance(30 if state == "Terminated" else 0)
    more = {"num_workers": 3, "spark_version": "16.4.x-scala2.12", "node_type_id": "Standard_DS3_v2"}
    assert await wire.post(f"/api/2.1/clusters/{operation}", cluster_id=cluster_id, **more) == (
        400,
        {"error_code": "INVALID_STATE", "message": f"Cluster {cluster_id} is in unexpected state {state}."},
    )


async def test_an_overlay_shows_what_a_future_service_might(wire, workspace):
    """States and fields that nobody knows yet."""
    cluster_id = await wire.running()
    workspace.overlay(cluster_id, state="HIBERNATED", hibernation={"since": 1})
    cluster = await wire.cluster(cluster_id)
    assert (cluster["state"], cluster["hibernation"]) == ("HIBERNATED", {"since": 1})


async def test_two_workspaces_of_one_seed_are_the_same(wire):
    """Ids, addresses and times repeat from run to run."""
    from databricks_async.local import Clock, LocalWorkspace

    async with LocalWorkspace(clock=Clock.by_hand()) as other:
        mine = await wire.cluster(await wire.running())
        wire.workspace = other
        assert await wire.cluster(await wire.running()) == mine


@pytest.mark.parametrize("version", ["2.0", "2.1"])
async def test_a_token_makes_one_cluster(wire, workspace, version):
    """While it lives, also when the answer was lost; a terminated one is not looked for, an empty token is none."""
    spec = {"spark_version": "16.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}

    async def make(token):
        answer = await wire.ok("POST", f"/api/{version}/clusters/create", **spec, idempotency_token=token)
        return answer["cluster_id"]

    first = await make("t" * 64)
    assert await make("t" * 64) == first
    assert await make("other") != first
    assert await make("") != await make("")
    assert "idempotency_token" not in (await wire.cluster(first))["spec"]
    assert workspace.journal.calls("POST *")[0].unknown == []

    await wire.ok("POST", "/api/2.1/clusters/delete", cluster_id=first)
    assert await make("t" * 64) == first
    workspace.clock.advance(30)
    second = await make("t" * 64)
    assert second != first
    assert await make("t" * 64) == second
    await wire.ok("POST", "/api/2.1/clusters/permanent-delete", cluster_id=second)
    assert await make("t" * 64) not in (first, second)


async def test_a_long_token_is_refused(wire):
    """More than 64 characters."""
    status, answer = await wire.post(
        "/api/2.1/clusters/create",
        spark_version="16.4.x-scala2.12",
        node_type_id="Standard_DS3_v2",
        num_workers=1,
        idempotency_token="t" * 65,
    )
    assert (status, answer["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
