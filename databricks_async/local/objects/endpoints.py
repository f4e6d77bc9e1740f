"""The endpoints of the Workspace API that deal with objects whatever is in them: list, get-status, mkdirs, delete."""

from __future__ import annotations

from databricks_async.local.errors import ApiError
from databricks_async.local.objects.permissions import SEEN_BY_ALL, access, allow, has
from databricks_async.local.objects.tree import PERMANENT, Node, check_names, clean, in_the_way, shown
from databricks_async.local.state import Endpoint, Json, State, User


def list_(state: State, *, caller: User, path: str, notebooks_modified_after: int | None = None) -> Json:
    """What is in a directory; an object that is no directory is listed itself."""
    node = access(state, caller, path, "CAN_READ")
    nodes = list(node.children.values()) if node.kind == "DIRECTORY" else [node]
    if not caller.admin:
        nodes = [one for one in nodes if one.path in SEEN_BY_ALL or has(caller, one, "CAN_READ")]
    if notebooks_modified_after is not None:
        nodes = [one for one in nodes if one.kind != "NOTEBOOK" or one.modified_at > notebooks_modified_after]
    # The service leaves the field out when there is nothing to list.
    return {"objects": [describe(one, path) for one in nodes]} if nodes else {}


def get_status(state: State, *, caller: User, path: str) -> Json:
    return describe(access(state, caller, path, "CAN_READ"), path)


def mkdirs(state: State, *, caller: User, path: str) -> Json:
    """Make a directory and those above it. Does nothing where they exist."""
    path = clean(path)
    nearest = state.tree.nearest(path)
    if nearest is state.tree.find(path) and nearest.kind == "DIRECTORY":
        access(state, caller, path, "CAN_READ")
        return {}
    allow(caller, nearest, "CAN_MANAGE", path)
    if nearest.kind != "DIRECTORY":
        raise in_the_way(shown(nearest, path))
    check_names(path)
    created = state.tree.add_directories(path, state.now)
    own(caller, created[0])
    return {}


def delete(state: State, *, caller: User, path: str, recursive: bool = False) -> Json:
    node = access(state, caller, path, "CAN_MANAGE")
    if node.path in PERMANENT:
        raise ApiError(400, "DIRECTORY_PROTECTED", f"Folder {node.name or '/'} is protected")
    if node.children and not recursive:
        raise ApiError(400, "DIRECTORY_NOT_EMPTY", f"Folder ({shown(node, clean(path))}) is not empty")
    state.tree.remove(node)
    return {}


def own(caller: User, node: Node) -> None:
    """Let the caller manage an object that they have made."""
    if not has(caller, node, "CAN_MANAGE"):
        node.grants["user_name", caller.name] = "CAN_MANAGE"


def describe(node: Node, asked: str) -> Json:
    """An object as `list` and `get-status` show it, its path in the form of the path that was asked for."""
    path = shown(node, clean(asked))
    answer: Json = {"object_type": node.kind, "path": path, "object_id": node.object_id}
    if node.kind == "NOTEBOOK":
        answer["language"] = node.language
    if node.kind == "FILE":
        answer["size"] = len(node.content)
    if node.kind != "DIRECTORY":
        answer |= {"created_at": node.created_at, "modified_at": node.modified_at}
    # Dashboards are known to the API of their own by another id, of 32 hexadecimal digits.
    resource_id = f"{node.object_id:032x}" if node.kind == "DASHBOARD" else str(node.object_id)
    return answer | {"resource_id": resource_id}


ROUTES: dict[str, Endpoint] = {
    "GET /api/{v}/workspace/list": list_,
    "GET /api/{v}/workspace/get-status": get_status,
    "POST /api/{v}/workspace/mkdirs": mkdirs,
    "POST /api/{v}/workspace/delete": delete,
}
VERSIONS = ("2.0",)
