"""Permissions: who may do what to a cluster."""

from __future__ import annotations

from typing import Literal, TypedDict

from databricks_async.local import access as permissions
from databricks_async.local.errors import does_not_exist
from databricks_async.local.state import Cluster, Endpoint, Json, State, User

Level = Literal["CAN_ATTACH_TO", "CAN_RESTART", "CAN_MANAGE"]

_DESCRIPTIONS = {
    "CAN_ATTACH_TO": "Can attach notebooks to the cluster and see its logs",
    "CAN_RESTART": "Can also start, restart and terminate the cluster",
    "CAN_MANAGE": "Can also edit, resize and delete the cluster, and change its permissions",
}
"""Each level includes the ones before it."""
_RANKS = permissions.ranks(_DESCRIPTIONS)


class AccessControlRequest(TypedDict, total=False):
    user_name: str
    group_name: str
    service_principal_name: str
    permission_level: Level


def access(state: State, caller: User, cluster_id: str, level: Level) -> Cluster:
    """The cluster, if the caller has this level on it.

    Permission is looked at before existence: to someone who is no admin, a cluster that does not exist looks the same
    as one of others.
    """
    cluster = state.clusters.get(cluster_id)
    rank = _RANKS[level]
    allowed = caller.admin or (cluster is not None and permissions.rank(caller, cluster.grants, _RANKS) >= rank)
    permissions.must_have(caller, allowed, level, cluster_id)
    if cluster is None:
        raise does_not_exist(cluster_id)
    return cluster


def visible(caller: User, cluster: Cluster) -> bool:
    """Whether lists show the cluster to the caller."""
    return caller.admin or permissions.rank(caller, cluster.grants, _RANKS) > 0


def get_permissions(state: State, *, caller: User, cluster_id: str) -> Json:
    return _answer(access(state, caller, cluster_id, "CAN_ATTACH_TO"))


def set_permissions(
    state: State, *, caller: User, cluster_id: str, access_control_list: list[AccessControlRequest] | None = None
) -> Json:
    """Replace all direct grants."""
    cluster = access(state, caller, cluster_id, "CAN_MANAGE")
    cluster.grants = permissions.grants_of(access_control_list)
    return _answer(cluster)


def update_permissions(
    state: State, *, caller: User, cluster_id: str, access_control_list: list[AccessControlRequest] | None = None
) -> Json:
    """Add grants, or change those of the principals named."""
    cluster = access(state, caller, cluster_id, "CAN_MANAGE")
    cluster.grants |= permissions.grants_of(access_control_list)
    return _answer(cluster)


def get_permission_levels(state: State, *, caller: User, cluster_id: str) -> Json:
    access(state, caller, cluster_id, "CAN_ATTACH_TO")
    return permissions.levels(_DESCRIPTIONS)


def _answer(cluster: Cluster) -> Json:
    return permissions.describe(cluster.grants, "cluster", "/clusters/", cluster.cluster_id)


ROUTES: dict[str, Endpoint] = {
    "GET /api/{v}/permissions/clusters/{cluster_id}": get_permissions,
    "PUT /api/{v}/permissions/clusters/{cluster_id}": set_permissions,
    "PATCH /api/{v}/permissions/clusters/{cluster_id}": update_permissions,
    "GET /api/{v}/permissions/clusters/{cluster_id}/permissionLevels": get_permission_levels,
}
VERSIONS = ("2.0",)
