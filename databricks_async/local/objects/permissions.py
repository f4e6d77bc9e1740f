"""Permissions of workspace objects, which a directory passes down to all that is below it."""

from __future__ import annotations

from typing import Literal, TypedDict

from databricks_async.local import access as permissions
from databricks_async.local.errors import ApiError, invalid
from databricks_async.local.objects.tree import Node, clean, missing
from databricks_async.local.state import Endpoint, Json, State, User

Level = Literal["CAN_READ", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE"]

_DESCRIPTIONS = {
    "CAN_READ": "Can view the object",
    "CAN_RUN": "Can also run it",
    "CAN_EDIT": "Can also edit it",
    "CAN_MANAGE": "Can also delete it, create objects below it, and change its permissions",
}
"""Each level includes the ones before it."""
_RANKS = permissions.ranks(_DESCRIPTIONS)
_KINDS = {"directories": "DIRECTORY", "notebooks": "NOTEBOOK", "files": "FILE", "dashboards": "DASHBOARD"}
_TYPES = {kind: type_ for type_, kind in _KINDS.items()}

SEEN_BY_ALL = ("/", "/Users", "/Repos")
"""All users can list these, which does not give them what is below."""


class AccessControlRequest(TypedDict, total=False):
    user_name: str
    group_name: str
    service_principal_name: str
    permission_level: Level


def access(state: State, caller: User, path: str, level: Level) -> Node:
    """The object at this path, if the caller has this level on it.

    Permission is looked at before existence: in a directory that the caller may not read, what does not exist looks
    the same as what does.
    """
    path = clean(path)
    node = state.tree.find(path)
    if node is None:
        allow(caller, state.tree.nearest(path), "CAN_READ", path)
        raise missing(path)
    if level != "CAN_READ" or node.path not in SEEN_BY_ALL:
        allow(caller, node, level, path)
    return node


def allow(caller: User, node: Node, level: Level, asked_for: str) -> None:
    """Refuse a caller who does not have this level on the object."""
    permissions.must_have(caller, has(caller, node, level), level, asked_for)


def has(caller: User, node: Node, level: Level) -> bool:
    """Whether the caller has this level on the object, or on a directory that it is in."""
    ancestors = node.and_ancestors()
    return caller.admin or any(permissions.rank(caller, one.grants, _RANKS) >= _RANKS[level] for one in ancestors)


def _by_id(state: State, caller: User, object_type: str, object_id: str, level: Level) -> Node:
    kind = _KINDS.get(object_type)
    if kind is None:
        raise invalid(f"{object_type!r} is not one of the object types {', '.join(_KINDS)}")
    node = state.tree.by_id.get(int(object_id)) if object_id.isascii() and object_id.isdigit() else None
    if node is None or node.kind != kind:
        allow(caller, state.tree.by_path["/"], level, f"/{object_type}/{object_id}")
        raise ApiError(404, "RESOURCE_DOES_NOT_EXIST", f"Node ID {object_id} does not exist.")
    allow(caller, node, level, f"/{object_type}/{object_id}")
    return node


def get_permissions(state: State, *, caller: User, workspace_object_type: str, workspace_object_id: str) -> Json:
    return _answer(_by_id(state, caller, workspace_object_type, workspace_object_id, "CAN_READ"))


def set_permissions(
    state: State,
    *,
    caller: User,
    workspace_object_type: str,
    workspace_object_id: str,
    access_control_list: list[AccessControlRequest] | None = None,
) -> Json:
    """Replace all direct grants."""
    node = _by_id(state, caller, workspace_object_type, workspace_object_id, "CAN_MANAGE")
    node.grants = permissions.grants_of(access_control_list)
    return _answer(node)


def update_permissions(
    state: State,
    *,
    caller: User,
    workspace_object_type: str,
    workspace_object_id: str,
    access_control_list: list[AccessControlRequest] | None = None,
) -> Json:
    """Add grants, or change those of the principals named."""
    node = _by_id(state, caller, workspace_object_type, workspace_object_id, "CAN_MANAGE")
    node.grants |= permissions.grants_of(access_control_list)
    return _answer(node)


def get_permission_levels(state: State, *, caller: User, workspace_object_type: str, workspace_object_id: str) -> Json:
    _by_id(state, caller, workspace_object_type, workspace_object_id, "CAN_READ")
    return permissions.levels(_DESCRIPTIONS)


def _answer(node: Node) -> Json:
    given: dict[tuple[str, str], list[Json]] = {}
    for one in node.and_ancestors():
        for who, level in one.grants.items():
            permission: Json = {"permission_level": level, "inherited": one is not node}
            if one is not node:
                permission["inherited_from_object"] = [f"/directories/{one.object_id}"]
            given.setdefault(who, []).append(permission)
    where = f"/{_TYPES[node.kind]}/"
    return permissions.describe_all(given, node.kind.lower(), where, node.object_id, "/directories/")


_OBJECT = "/api/{v}/permissions/{workspace_object_type}/{workspace_object_id}"
ROUTES: dict[str, Endpoint] = {
    f"GET {_OBJECT}": get_permissions,
    f"PUT {_OBJECT}": set_permissions,
    f"PATCH {_OBJECT}": update_permissions,
    f"GET {_OBJECT}/permissionLevels": get_permission_levels,
}
VERSIONS = ("2.0",)
