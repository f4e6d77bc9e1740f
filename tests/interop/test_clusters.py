"""The official SDK, unchanged, against the local workspace: whatever it can do there, other clients can."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import (
    DatabricksError,
    InvalidParameterValue,
    InvalidState,
    PermissionDenied,
    ResourceDoesNotExist,
    TooManyRequests,
    Unauthenticated,
)
from databricks.sdk.service import compute

from databricks_async.local import Clock, Fault, LocalWorkspace

SPEC: dict[str, Any] = {
    "cluster_name": "etl",
    "spark_version": "16.4.x-scala2.12",
    "node_type_id": "Standard_DS3_v2",
    "num_workers": 2,
}


async def test_a_cluster_from_its_creation_to_its_end(workspace, connect):
    """Create, get, edit, update, resize, restart, pin, terminate, start, delete, each with the SDK's own waiter."""

    def work() -> list[Any]:
        w = connect()
        created = w.clusters.create_and_wait(**SPEC, autotermination_minutes=0, custom_tags={"team": "a"})
        cluster_id = created.cluster_id
        edited = w.clusters.edit_and_wait(cluster_id, **(SPEC | {"num_workers": 1}))
        updated = w.clusters.update_and_wait(
            cluster_id, "custom_tags", cluster=compute.UpdateClusterResource(custom_tags={"team": "b"})
        )
        resized = w.clusters.resize_and_wait(cluster_id, num_workers=4)
        restarted = w.clusters.restart_and_wait(cluster_id)
        w.clusters.pin(cluster_id)
        w.clusters.unpin(cluster_id)
        terminated = w.clusters.delete_and_wait(cluster_id)
        w.clusters.change_owner(cluster_id, "ann@example.com")
        started = w.clusters.start_and_wait(cluster_id)
        w.clusters.permanent_delete(cluster_id)
        with pytest.raises(ResourceDoesNotExist):
            w.clusters.get(cluster_id)
        return [created, edited, updated, resized, restarted, terminated, started]

    created, edited, updated, resized, restarted, terminated, started = await asyncio.to_thread(work)
    running, ended = compute.State.RUNNING, compute.State.TERMINATED
    assert [one.state for one in (created, edited, updated, resized, restarted, started)] == [running] * 6
    assert terminated.state == ended
    assert terminated.termination_reason.code == compute.TerminationReasonCode.USER_REQUEST
    assert created.spec.custom_tags == {"team": "a"}
    assert created.default_tags["ClusterId"] == created.cluster_id
    assert (len(created.executors), len(edited.executors), len(resized.executors)) == (2, 1, 4)
    assert edited.custom_tags is None
    assert updated.custom_tags == {"team": "b"}
    assert restarted.spark_context_id != resized.spark_context_id
    assert started.creator_user_name == "ann@example.com"
    assert workspace.journal.unknown_routes == []
    assert [call.unknown for call in workspace.journal.entries if call.unknown] == []


async def test_the_sdk_waits_through_pending(connect):
    """Its waiter sees PENDING first, sleeps, and then sees RUNNING."""
    async with LocalWorkspace(clock=Clock.sped_up(1000)) as slower:

        def work() -> list[Any]:
            w = WorkspaceClient(host=slower.url, token=slower.token, config_file=connect().config.config_file)
            seen: list[Any] = []
            w.clusters.create(**SPEC).result(callback=lambda cluster: seen.append(cluster.state))
            return seen

        assert await asyncio.to_thread(work) == [compute.State.PENDING]


async def test_ensure_cluster_is_running_starts_what_is_down(connect):
    """And leaves alone what runs."""

    def work() -> list[Any]:
        w = connect()
        cluster_id = w.clusters.create_and_wait(**SPEC).cluster_id
        w.clusters.ensure_cluster_is_running(cluster_id)
        w.clusters.delete_and_wait(cluster_id)
        w.clusters.ensure_cluster_is_running(cluster_id)
        return [event.type for event in w.clusters.events(cluster_id)]

    assert (await asyncio.to_thread(work)).count(compute.EventType.STARTING) == 1


async def test_events_come_page_by_page(workspace, connect):
    """Several hundred of them, each once, in both orders, with and without a page size."""
    cluster_id = (await asyncio.to_thread(lambda: connect().clusters.create_and_wait(**SPEC))).cluster_id
    workspace.add_events(cluster_id, 400)

    def work() -> list[Any]:
        w = connect()
        order = compute.GetEventsOrder.ASC
        return [
            list(w.clusters.events(cluster_id, order=order, limit=150)),
            list(w.clusters.events(cluster_id, page_size=150)),
            list(w.clusters.events(cluster_id)),
            list(w.clusters.events(cluster_id, event_types=[compute.EventType.RUNNING])),
        ]

    ascending, by_token, descending, running = await asyncio.to_thread(work)
    assert len(ascending) == 403
    assert [event.timestamp for event in ascending] == sorted(event.timestamp for event in ascending)
    assert list(reversed(descending)) == list(reversed(by_token)) == ascending
    assert [event.details.current_num_workers for event in running] == [2]
    assert workspace.journal.count("POST /api/2.1/clusters/events") == 3 + 3 + 9 + 1


async def test_lists_are_filtered_and_sorted(connect):
    """Nested parameters reach the workspace as the SDK writes them, booleans with a capital letter included."""

    def work() -> list[list[str]]:
        w = connect()
        for number in range(25):
            w.clusters.create(**(SPEC | {"cluster_name": f"c{number:02}"}))
        ids = {cluster.cluster_name: cluster.cluster_id for cluster in w.clusters.list(page_size=10)}
        w.clusters.delete_and_wait(ids["c07"])
        w.clusters.pin(ids["c09"])
        by_name = compute.ListClustersSortByField.CLUSTER_NAME
        lists = [
            w.clusters.list(filter_by=compute.ListClustersFilterBy(cluster_states=[compute.State.TERMINATED])),
            w.clusters.list(filter_by=compute.ListClustersFilterBy(is_pinned=True)),
            w.clusters.list(
                sort_by=compute.ListClustersSortBy(compute.ListClustersSortByDirection.DESC, by_name), page_size=100
            ),
        ]
        return [[cluster.cluster_name for cluster in found] for found in lists]

    terminated, pinned, backwards = await asyncio.to_thread(work)
    assert (terminated, pinned) == (["c07"], ["c09"])
    assert backwards == [f"c{number:02}" for number in reversed(range(25))]


async def test_permissions(connect):
    """Set, update, get, and the levels there are."""

    def work() -> list[Any]:
        w = connect()
        cluster_id = w.clusters.create(**SPEC).cluster_id
        level = compute.ClusterPermissionLevel
        ann = compute.ClusterAccessControlRequest(user_name="ann@example.com", permission_level=level.CAN_RESTART)
        team = compute.ClusterAccessControlRequest(group_name="team", permission_level=level.CAN_ATTACH_TO)
        w.clusters.set_permissions(cluster_id, access_control_list=[ann])
        updated = w.clusters.update_permissions(cluster_id, access_control_list=[team])
        levels = w.clusters.get_permission_levels(cluster_id).permission_levels
        return [updated, w.clusters.get_permissions(cluster_id), [one.permission_level.value for one in levels]]

    updated, got, levels = await asyncio.to_thread(work)
    assert updated == got
    assert [(one.user_name, one.group_name) for one in got.access_control_list] == [
        ("ann@example.com", None),
        (None, "team"),
        (None, "admins"),
    ]
    assert levels == ["CAN_ATTACH_TO", "CAN_RESTART", "CAN_MANAGE"]


async def test_libraries(workspace, connect):
    """Install, watch, uninstall."""

    def install() -> str:
        w = connect()
        cluster_id = str(w.clusters.create_and_wait(**SPEC).cluster_id)
        wanted = [compute.Library(pypi=compute.PythonPyPiLibrary("numpy")), compute.Library(jar="dbfs:/a.jar")]
        w.libraries.install(cluster_id, wanted)
        return cluster_id

    cluster_id = await asyncio.to_thread(install)
    workspace.clock.advance(31)

    def uninstall() -> list[Any]:
        w = connect()
        installed = list(w.libraries.cluster_status(cluster_id))
        w.libraries.uninstall(cluster_id, [compute.Library(jar="dbfs:/a.jar")])
        return [installed, *w.libraries.all_cluster_statuses()]

    installed, after = await asyncio.to_thread(uninstall)
    status = compute.LibraryInstallStatus
    assert [one.status for one in installed] == [status.INSTALLED] * 2
    assert [one.status for one in after.library_statuses] == [status.INSTALLED, status.UNINSTALL_ON_RESTART]
    assert after.library_statuses[0].library.pypi.package == "numpy"


async def test_the_catalogue_can_be_selected_from(connect):
    """Versions, node types and zones, by the SDK's own rules."""

    def work() -> list[Any]:
        clusters = connect().clusters
        return [
            clusters.select_spark_version(),
            clusters.select_spark_version(long_term_support=True, ml=True),
            clusters.select_spark_version(scala="2.13", long_term_support=True, photon=True),
            clusters.select_spark_version(spark_version="3.4.1"),
            clusters.select_node_type(),
            clusters.select_node_type(local_disk=True, min_memory_gb=30),
            clusters.select_node_type(min_gpus=1),
            clusters.select_node_type(graviton=True),
            clusters.list_zones().default_zone,
        ]

    assert await asyncio.to_thread(work) == [
        "16.4.x-scala2.12",
        "16.4.x-cpu-ml-scala2.12",
        "17.3.x-photon-scala2.13",
        "13.3.x-scala2.12",
        "Standard_D2ads_v6",
        "Standard_E4ads_v6",
        "Standard_NC4as_T4_v3",
        "Standard_D4pls_v6",
        "1",
    ]


async def test_refusals_are_the_errors_that_the_sdk_knows(workspace, connect):
    """Each with the class of the real service's answer."""
    workspace.add_user("ann@example.com", "dapi-ann")
    workspace.faults.add("GET /api/*/clusters/list-zones", Fault.too_many_requests())

    def refused(kind: type[DatabricksError], call: Callable[[], Any]) -> str:
        with pytest.raises(kind) as caught:
            call()
        return str(caught.value)

    def work() -> list[str]:
        w = connect()
        cluster_id = w.clusters.create_and_wait(**SPEC).cluster_id
        ann, unknown = (connect(token=token, auth_type="pat") for token in ("dapi-ann", "dapi-nobody"))
        impatient = connect(token=workspace.token, auth_type="pat", retry_timeout_seconds=1)
        # The SDK ends its retries with a TimeoutError around the refusal.
        with pytest.raises(TimeoutError) as caught:
            impatient.clusters.list_zones()
        assert isinstance(caught.value.__cause__, TooManyRequests)
        return [
            refused(ResourceDoesNotExist, lambda: w.clusters.get("missing")),
            refused(InvalidParameterValue, lambda: w.clusters.restart("missing")),
            refused(InvalidParameterValue, lambda: w.clusters.create(**(SPEC | {"spark_version": "1.0"}))),
            refused(InvalidState, lambda: w.clusters.start(cluster_id)),
            refused(PermissionDenied, lambda: ann.clusters.get(cluster_id)),
            refused(PermissionDenied, lambda: unknown.clusters.get(cluster_id)),
        ]

    missing, _, version, state, denied, invalid = await asyncio.to_thread(work)
    assert missing == "Cluster missing does not exist"
    assert version == "Invalid spark version 1.0."
    assert state.endswith("is in unexpected state Running.")
    assert denied.startswith("ann@example.com does not have CAN_ATTACH_TO permissions")
    assert invalid.startswith("Invalid access token.")


async def test_oauth_for_service_principals(workspace, connect):
    """The SDK finds the token endpoint, fetches one token, and uses it."""
    workspace.add_service_principal("sp", "secret-of-sp")

    def work() -> Any:
        w = connect(client_id="sp", client_secret="secret-of-sp", auth_type="oauth-m2m")
        w.clusters.spark_versions()
        return w.current_user.me()

    assert (await asyncio.to_thread(work)).user_name == "sp"
    assert workspace.journal.count("POST /oidc/v1/token") == 1
    workspace.revoke_tokens()

    def refused() -> None:
        token = workspace.issue_token("sp")
        workspace.revoke_tokens()
        with pytest.raises(Unauthenticated):
            connect(token=token, auth_type="pat").clusters.spark_versions()
        with pytest.raises(ValueError, match="invalid_client"):
            connect(client_id="sp", client_secret="wrong", auth_type="oauth-m2m").clusters.spark_versions()

    await asyncio.to_thread(refused)


async def test_a_workspace_knows_its_id(workspace, connect):
    """From the header of any answer."""
    assert await asyncio.to_thread(lambda: connect().get_workspace_id()) == 1234567890123456
