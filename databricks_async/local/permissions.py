"""Permissions: who may do what to a cluster."""

from __future__ import annotations

from typing import Literal, TypedDict

from .errors import does_not_exist, invalid, permission_denied
from .state import Cluster, Endpoint, Json, State, User

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
    ours = {("user_name", caller.name), ("service_principal_name", caller.name), ("group_name", "users")}
    return max((_RANK[level] for who, level in cluster.grants.items() if who in ours), default=0)


def get_permissions(state: State, *, caller: User, cluster_id: str) -> Json:
    return _answer(access(state, caller, cluster_id, "CAN_ATTACH_TO"))


def set_permissions(
    state: State, *, caller: User, cluster_id: str, access_control_list: list[AccessControlRequest] | None = None
) -> Json:
    """Replace all direct grants."""
    cluster = access(state, caller, cluster_id, "CAN_MANAGE")
    cluster.grants = _grants(access_control_list or [])
    return _answer(cluster)


def update_permissions(
    state: State, *, caller: User, cluster_id: str, access_control_list: list[AccessControlRequest] | None = None
) -> Json:
    """Add grants, or change those of the principals named."""
    cluster = access(state, caller, cluster_id, "CAN_MANAGE")
    cluster.grants |= _grants(access_control_list or [])
    return _answer(cluster)


def get_permission_levels(state: State, *, caller: User, cluster_id: str) -> Json:
    access(state, caller, cluster_id, "CAN_ATTACH_TO")
    levels = [{"permission_level": level, "description": text} for level, text in _DESCRIPTIONS.items()]
    return {"permission_levels": levels}


def _grants(requests: list[AccessControlRequest]) -> dict[tuple[str, str], str]:
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


def _answer(cluster: Cluster) -> Json:
    entries = []
    for (kind, name), level in cluster.grants.items():
        direct = {"permission_level": level, "inherited": False}
        entries.append({kind: name, "display_name": name, "all_permissions": [direct]})
    inherited = {"permission_level": "CAN_MANAGE", "inherited": True, "inherited_from_object": ["/clusters/"]}
    entries.append({"group_name": "admins", "all_permissions": [inherited]})
    return {
        "object_id": f"/clusters/{cluster.cluster_id}",
        "object_type": "cluster",
        "access_control_list": entries,
    }


ROUTES: dict[str, Endpoint] = {
    "GET /api/{v}/permissions/clusters/{cluster_id}": get_permissions,
    "PUT /api/{v}/permissions/clusters/{cluster_id}": set_permissions,
    "PATCH /api/{v}/permissions/clusters/{cluster_id}": update_permissions,
    "GET /api/{v}/permissions/clusters/{cluster_id}/permissionLevels": get_permission_levels,
}
VERSIONS = ("2.0",)
