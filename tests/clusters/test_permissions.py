"""Permissions: who may do what with a cluster, and the errors of all others.

Here are the tests of `permissions.py` and `local/clusters/permissions.py`.
"""

from __future__ import annotations

import pytest

from databricks_async.clusters.models import ClusterAccessControlRequest, ClusterPermissionLevel, State
from databricks_async.errors import InvalidParameterValue, NotFound, PermissionDenied
from databricks_async.local import Fault

ANN = "ann@example.com"


@pytest.fixture
def ann(connect, workspace):
    """A client of a person who is no admin."""
    workspace.add_user(ANN, "dapi-ann")
    return connect(token="dapi-ann")


async def test_a_forbidden_cluster_is_forbidden_and_not_missing(w, ann, make):
    """Also for one that does not exist: a user who may not see clusters does not learn which there are."""
    for cluster_id in (await make.running(), "0923-164208-nothing"):
        for attempt in (
            lambda cluster_id=cluster_id: ann.clusters.get(cluster_id),
            lambda cluster_id=cluster_id: ann.clusters.start(cluster_id),
            lambda cluster_id=cluster_id: ann.clusters.get_permissions(cluster_id),
            lambda cluster_id=cluster_id: anext(ann.clusters.watch(cluster_id)),
            lambda cluster_id=cluster_id: ann.clusters.events(cluster_id).collect(),
        ):
            with pytest.raises(PermissionDenied, match=cluster_id) as caught:
                await attempt()
            assert not isinstance(caught.value, NotFound)
            assert (caught.value.status, caught.value.error_code) == (403, "PERMISSION_DENIED")


async def test_a_level_lets_do_what_it_says(w, ann, make):
    """Attach: see. Restart: start and stop. Manage: edit."""
    cluster_id = await make.running()

    async def give(level):
        await w.clusters.update_permissions(
            cluster_id, [ClusterAccessControlRequest(user_name=ANN, permission_level=level)]
        )

    await give(ClusterPermissionLevel.CAN_ATTACH_TO)
    assert (await ann.clusters.get(cluster_id)).state == State.RUNNING
    with pytest.raises(PermissionDenied, match="CAN_RESTART"):
        await ann.clusters.restart(cluster_id)

    await give("CAN_RESTART")
    await ann.clusters.restart(cluster_id)
    with pytest.raises(PermissionDenied, match="CAN_MANAGE"):
        await ann.clusters.update(cluster_id, "num_workers")

    await give("CAN_MANAGE")
    await ann.clusters.permanent_delete(cluster_id)


async def test_a_list_has_what_may_be_seen(w, ann, make):
    """Other clusters are not there, and nothing says so."""
    cluster_id, _ = await make.running(), await make.running(cluster_name="secret")
    await w.clusters.set_permissions(cluster_id, [{"user_name": ANN, "permission_level": "CAN_ATTACH_TO"}])
    assert [cluster.cluster_id async for cluster in ann.clusters.list()] == [cluster_id]


async def test_only_admins_pin_and_change_owners(ann, make):
    """Owners do not."""
    wait = await ann.clusters.create(spark_version="16.4.x-scala2.12", node_type_id="Standard_DS3_v2", num_workers=1)
    for attempt in (ann.clusters.pin, ann.clusters.unpin, lambda one: ann.clusters.change_owner(one, ANN)):
        with pytest.raises(PermissionDenied, match="admins"):
            await attempt(wait.cluster_id)


async def test_inherited_permissions_are_told_with_their_origin(w, make):
    """Beside the direct ones."""
    permissions = await w.clusters.get_permissions(await make.pending())
    (admins,) = (entry for entry in permissions.access_control_list if entry.group_name == "admins")
    (permission,) = admins.all_permissions
    assert (permission.inherited, permission.inherited_from_object) == (True, ["/clusters/"])


async def test_an_entry_names_one_principal(w, make):
    """The service refuses it, by its place."""
    cluster_id = await make.pending()
    entry = {"user_name": ANN, "group_name": "users", "permission_level": "CAN_RESTART"}
    with pytest.raises(InvalidParameterValue, match=r"access_control_list\[0\]"):
        await w.clusters.set_permissions(cluster_id, [entry])


async def test_changes_of_permissions_are_repeated_when_their_answer_is_lost(w, workspace, make):
    """PUT and PATCH say how it shall be, however often they say it."""
    cluster_id = await make.pending()
    for method, call in (("PUT", w.clusters.set_permissions), ("PATCH", w.clusters.update_permissions)):
        workspace.faults.add(f"{method} *", Fault.drop(after=True))
        await call(cluster_id, [{"user_name": ANN, "permission_level": "CAN_RESTART"}])
        assert workspace.journal.count(f"{method} *") == 2


async def test_tuples_and_generators_are_lists(w, workspace, make):
    """Whatever can be gone through once."""
    cluster_id = await make.pending()
    names = ("ann", "bob")
    await w.clusters.set_permissions(
        cluster_id, ({"user_name": name, "permission_level": "CAN_RESTART"} for name in names)
    )
    assert [entry["user_name"] for entry in workspace.journal.entries[-1].body["access_control_list"]] == [*names]
