"""Permissions: who may do what to a cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

from databricks_async.local.errors import does_not_exist, invalid, permission_denied
from databricks_async.local.state import Cluster, Endpoint, Json, State, User

Level = Literal["CAN_ATTACH_TO", "CAN_RESTART", "CAN_MANAGE"]

_DESCRIPTIONS = {
    "CAN_ATTACH_TO": "Can attach notebooks to the cluster and see its logs",
    "CAN_RESTART": "Can also start, restart and terminate the cluster",
    "CAN_MANAGE": "Can also edit, resize and delete the cluster, and change its permissions",
}
"""Each level includes the ones before it."""
_RANK = {level: rank for rank, level in enumerate(_DESCRIPTIONS, 1)}


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
    if not caller.admin and (cluster is None or _rank(caller, cluster) < _RANK[level]):
        raise permission_denied(
            f"{caller.name} does not have {level} permissions on {cluster_id}. "
            "Please contact the owner or an administrator for access."
        )
    if cluster is None:
        raise does_not_exist(cluster_id)
    return cluster


def visible(caller: User, cluster: Cluster) -> bool:
    """Whether lists show the cluster to the caller."""
    return caller.admin or _rank(caller, cluster) > 0


def admins_only(caller: User, what: str) -> None:
    if not caller.admin:
        raise permission_denied(f"Only workspace admins can {what}.")


def _rank(caller: User, cluster: Cluster) -> int:
    return rank(caller, cluster.grants, _RANK)


def rank(caller: User, grants: Mapping[tuple[str, str], str], ranks: Mapping[str, int]) -> int:
    """The highest rank that these grants give the caller, 0 for none."""
    ours = principals(caller)
    return max((ranks[level] for who, level in grants.items() if who in ours), default=0)


def principals(caller: User) -> set[tuple[str, str]]:
    """Those of whose grants the caller may make use."""
    return {("user_name", caller.name), ("service_principal_name", caller.name), ("group_name", "users")}


def get_permissions(state: State, *, caller: User, cluster_id: str) -> Json:
    return _answer(access(state, caller, cluster_id, "CAN_ATTACH_TO"))


def set_permissions(
    state: State, *, caller: User, cluster_id: str, access_control_list: list[AccessControlRequest] | None = None
) -> Json:
    """Replace all direct grants."""
    cluster = access(state, caller, cluster_id, "CAN_MANAGE")
    cluster.grants = grants_of(access_control_list or [])
    return _answer(cluster)


def update_permissions(
    state: State, *, caller: User, cluster_id: str, access_control_list: list[AccessControlRequest] | None = None
) -> Json:
    """Add grants, or change those of the principals named."""
    cluster = access(state, caller, cluster_id, "CAN_MANAGE")
    cluster.grants |= grants_of(access_control_list or [])
    return _answer(cluster)


def get_permission_levels(state: State, *, caller: User, cluster_id: str) -> Json:
    access(state, caller, cluster_id, "CAN_ATTACH_TO")
    return levels(_DESCRIPTIONS)


def levels(descriptions: Mapping[str, str]) -> Json:
    return {"permission_levels": [{"permission_level": one, "description": text} for one, text in descriptions.items()]}


def grants_of(requests: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], str]:
    """What a request's access_control_list gives."""
    grants: dict[tuple[str, str], str] = {}
    for index, request in enumerate(requests):
        fields: Json = {**request}
        level = fields.pop("permission_level", None)
        if level is None:
            raise invalid(f"Missing required field: access_control_list[{index}].permission_level")
        if len(fields) != 1:
            raise invalid(
                f"access_control_list[{index}] must have exactly one of user_name, group_name, service_principal_name"
            )
        (who,) = fields.items()
        grants[who] = level
    return grants


def entry(who: tuple[str, str], permissions: list[Json]) -> Json:
    """One principal's row of an answer's access_control_list."""
    kind, name = who
    return {kind: name, "display_name": name, "all_permissions": permissions}


def admins(where: str) -> Json:
    """The row of those who manage everything."""
    inherited = {"permission_level": "CAN_MANAGE", "inherited": True, "inherited_from_object": [where]}
    return {"group_name": "admins", "all_permissions": [inherited]}


def describe(grants: Mapping[tuple[str, str], str], object_type: str, where: str, object_id: str) -> Json:
    """The grants of an object that inherits none but those of admins; `where` is for example `/clusters/`."""
    rows = [entry(who, [{"permission_level": level, "inherited": False}]) for who, level in grants.items()]
    return {
        "object_id": where + object_id,
        "object_type": object_type,
        "access_control_list": [*rows, admins(where)],
    }


def _answer(cluster: Cluster) -> Json:
    return describe(cluster.grants, "cluster", "/clusters/", cluster.cluster_id)


ROUTES: dict[str, Endpoint] = {
    "GET /api/{v}/permissions/clusters/{cluster_id}": get_permissions,
    "PUT /api/{v}/permissions/clusters/{cluster_id}": set_permissions,
    "PATCH /api/{v}/permissions/clusters/{cluster_id}": update_permissions,
    "GET /api/{v}/permissions/clusters/{cluster_id}/permissionLevels": get_permission_levels,
}
VERSIONS = ("2.0",)
