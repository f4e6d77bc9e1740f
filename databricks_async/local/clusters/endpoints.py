"""The endpoints of the Clusters API that change clusters, and `get`."""

from __future__ import annotations

import string
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypedDict, Unpack

from databricks_async.local.access import admins_only
from databricks_async.local.clusters import lifecycle
from databricks_async.local.clusters.permissions import access
from databricks_async.local.clusters.spec import (
    FIELDS,
    AutoScale,
    ClusterSpec,
    attributes_of,
    check_size,
    checked,
    effective,
    size_of,
    without_empty_lists,
    worker_type,
    workers_of,
)
from databricks_async.local.errors import does_not_exist, invalid, unexpected_state
from databricks_async.local.state import Cluster, Endpoint, InstalledLibrary, Json, State, User

_FOUND_MS = 60 * 24 * 3600 * 1000
"""How long after its end a cluster that is not pinned is still found by its id."""


class CloneCluster(TypedDict):
    source_cluster_id: str


_MAX_TOKEN_CHARACTERS = 64


def create(
    state: State,
    *,
    caller: User,
    clone_from: CloneCluster | None = None,
    idempotency_token: str = "",
    **spec: Unpack[ClusterSpec],
) -> Json:
    """Make a cluster, or return the one that was made with the same token and is not terminated.

    The official SDK and the specification do not have the token, which the reference of the Clusters API 2.0 describes,
    and with it the client databrickslabs/brickster (`db_cluster_create`): terminated clusters are not looked at.
    """
    if len(idempotency_token) > _MAX_TOKEN_CHARACTERS:
        raise invalid(f"idempotency_token must have at most {_MAX_TOKEN_CHARACTERS} characters")
    known = state.clusters.get(state.cluster_tokens.get(idempotency_token, ""))
    if known is not None and known.state != "TERMINATED":
        return {"cluster_id": known.cluster_id}
    asked: Json = {**spec}
    wanted = checked(state, asked)
    cluster = Cluster(new_id(state), wanted, caller.name, state.now, asked=asked)
    cluster.grants["user_name", caller.name] = "CAN_MANAGE"
    if clone_from is not None:
        source = access(state, caller, clone_from["source_cluster_id"], "CAN_ATTACH_TO")
        cluster.libraries = [InstalledLibrary(one.library) for one in source.libraries]
    state.clusters[cluster.cluster_id] = cluster
    if idempotency_token:
        state.cluster_tokens[idempotency_token] = cluster.cluster_id
    lifecycle.create(state, cluster, caller.name)
    return {"cluster_id": cluster.cluster_id}


def edit(state: State, *, caller: User, cluster_id: str, **spec: Unpack[ClusterSpec]) -> Json:
    """Replace the whole configuration."""
    cluster = access(state, caller, cluster_id, "CAN_MANAGE")
    _reconfigure(state, cluster, {**spec}, caller.name)
    return {}


def update(
    state: State, *, caller: User, cluster_id: str, update_mask: str, cluster: ClusterSpec | None = None
) -> Json:
    """Replace the fields that the mask names, and clear those of them that `cluster` does not have."""
    known = access(state, caller, cluster_id, "CAN_MANAGE")
    given: Json = {**(cluster or {})}
    paths = list(given) if update_mask.strip() == "*" else [path.strip() for path in update_mask.split(",")]
    wanted = {} if update_mask.strip() == "*" else dict(known.asked)
    for path in paths:
        name, _, nested = path.partition(".")
        if name not in FIELDS:
            raise invalid(f"update_mask names an unknown field: {path!r}")
        if name in ("num_workers", "autoscale"):
            # The service keeps one size: naming either of the two takes the place of the other.
            wanted.pop("autoscale" if name == "num_workers" else "num_workers", None)
        _assign(wanted, given, name, nested)
    _reconfigure(state, known, wanted, caller.name)
    return {}


def _assign(wanted: Json, given: Mapping[str, Any], name: str, nested: str) -> None:
    if nested:
        inner, ours = wanted.get(name, {}), given.get(name, {})
        if not isinstance(inner, dict) or not isinstance(ours, Mapping):
            raise invalid(f"update_mask names a field within {name}, which has none")
        # One level deep: keys such as spark.speculation have dots of their own.
        wanted[name] = dict(inner)
        _assign(wanted[name], ours, nested, "")
    elif name in given:
        wanted[name] = given[name]
    else:
        wanted.pop(name, None)


def _reconfigure(state: State, cluster: Cluster, asked: Json, user: str) -> None:
    wanted = checked(state, asked)
    _must_be(cluster, "RUNNING", "TERMINATED")
    before, cluster.spec, cluster.asked = cluster.spec, wanted, asked
    lifecycle.add_event(
        state,
        cluster,
        "EDITED",
        previous_attributes=attributes_of(before),
        attributes=attributes_of(wanted),
        previous_cluster_size=size_of(before),
        cluster_size=size_of(wanted),
        user=user,
    )
    if cluster.state == "RUNNING":
        lifecycle.restart(state, cluster, user)


def start(state: State, *, caller: User, cluster_id: str) -> Json:
    cluster = access(state, caller, cluster_id, "CAN_RESTART")
    _must_be(cluster, "TERMINATED")
    lifecycle.start(state, cluster, caller.name)
    return {}


def restart(state: State, *, caller: User, cluster_id: str, restart_user: str | None = None) -> Json:
    cluster = access(state, caller, cluster_id, "CAN_RESTART")
    _must_be(cluster, "RUNNING")
    lifecycle.restart(state, cluster, restart_user or caller.name)
    return {}


def resize(
    state: State,
    *,
    caller: User,
    cluster_id: str,
    num_workers: int | None = None,
    autoscale: AutoScale | None = None,
) -> Json:
    cluster = access(state, caller, cluster_id, "CAN_MANAGE")
    size: Json = {"num_workers": num_workers, "autoscale": autoscale}
    size = {name: value for name, value in size.items() if value is not None}
    if not size:
        raise invalid("Missing required field: num_workers (or autoscale)")
    check_size(size)
    _must_be(cluster, "RUNNING")
    before = size_of(cluster.spec)
    cluster.spec, cluster.asked = attributes_of(cluster.spec) | size, attributes_of(cluster.asked) | size
    workers = workers_of(cluster.spec)
    if autoscale is not None:
        workers = min(max(cluster.workers, autoscale["min_workers"]), autoscale["max_workers"])
    lifecycle.resize(state, cluster, workers, before, caller.name)
    return {}


def delete(state: State, *, caller: User, cluster_id: str) -> Json:
    """Terminate. What is down already, or on its way there, stays as it is."""
    cluster = access(state, caller, cluster_id, "CAN_RESTART")
    if cluster.state not in ("TERMINATED", "TERMINATING"):
        reason = {"code": "USER_REQUEST", "type": "SUCCESS", "parameters": {"username": caller.name}}
        lifecycle.terminate(state, cluster, reason, caller.name)
    return {}


def permanent_delete(state: State, *, caller: User, cluster_id: str) -> Json:
    cluster = access(state, caller, cluster_id, "CAN_MANAGE")
    lifecycle.forget(cluster)
    del state.clusters[cluster_id]
    return {}


def pin(state: State, *, caller: User, cluster_id: str) -> Json:
    return _pin(state, caller, cluster_id, True)


def unpin(state: State, *, caller: User, cluster_id: str) -> Json:
    return _pin(state, caller, cluster_id, False)


def _pin(state: State, caller: User, cluster_id: str, pinned: bool) -> Json:
    admins_only(caller, "pin and unpin clusters")
    cluster = access(state, caller, cluster_id, "CAN_MANAGE")
    if cluster.pinned != pinned:
        cluster.pinned_by = caller.user_id if pinned else None
        lifecycle.add_event(state, cluster, "PINNED" if pinned else "UNPINNED", user=caller.name)
    return {}


def change_owner(state: State, *, caller: User, cluster_id: str, owner_username: str) -> Json:
    admins_only(caller, "change the owner of a cluster")
    cluster = access(state, caller, cluster_id, "CAN_MANAGE")
    _must_be(cluster, "TERMINATED")
    cluster.grants.pop(("user_name", cluster.creator), None)
    cluster.grants["user_name", owner_username] = "CAN_MANAGE"
    cluster.creator = owner_username
    return {}


def get(state: State, *, caller: User, cluster_id: str) -> Json:
    cluster = access(state, caller, cluster_id, "CAN_ATTACH_TO")
    is_over = cluster.state == "TERMINATED" and not cluster.pinned
    if is_over and (cluster.terminated_time or 0) < state.now - _FOUND_MS:
        raise does_not_exist(cluster_id)
    return describe(state, cluster)


def describe(state: State, cluster: Cluster) -> Json:
    """A cluster as `get` and `list` show it.

    The fields beyond the specification's are those of recorded answers: the tests of azure-databricks-client (Azure),
    dagster-databricks and databrickslabs/overwatch.
    """
    worker = state.catalog.node_type(worker_type(cluster.spec))
    settings = effective(cluster.spec, cluster.creator, worker)
    answer: Json = {
        "cluster_id": cluster.cluster_id,
        "creator_user_name": cluster.creator,
        **without_empty_lists(settings),
        "disk_spec": {},
        "cluster_source": cluster.source,
        "init_scripts_safe_mode": False,
        **_instance_sources(cluster.spec, settings),
        "state": cluster.state,
        "state_message": cluster.state_message,
        "start_time": cluster.start_time,
        "last_state_loss_time": cluster.last_state_loss_time,
        "default_tags": {
            "Vendor": "Databricks",
            "Creator": cluster.creator,
            "ClusterName": settings["cluster_name"],
            "ClusterId": cluster.cluster_id,
            **cluster.job_tags,
        },
        "spec": cluster.asked,
    }
    if cluster.driver is not None:
        driver = state.catalog.node_type(settings["driver_node_type_id"])
        answer["driver"] = cluster.driver
        answer["driver_healthy"] = True
        if cluster.executors:
            answer["executors"] = cluster.executors
        answer["jdbc_port"] = 10000
        answer["cluster_memory_mb"] = driver["memory_mb"] + cluster.workers * worker["memory_mb"]
        answer["cluster_cores"] = driver["num_cores"] + cluster.workers * worker["num_cores"]
    if "single_user_name" in settings:
        answer["assigned_principal"] = f"user:{settings['single_user_name']}"
    if cluster.pinned_by is not None:
        answer["pinned_by_user_name"] = cluster.pinned_by
    for name in _WHEN_KNOWN:
        value = getattr(cluster, name)
        if value is not None:
            answer[name] = value
    return answer | cluster.overlay


# The context id is the last driver's, and still shown of a terminated cluster (tests of dagster-databricks).
_WHEN_KNOWN = (
    "spark_context_id",
    "last_activity_time",
    "last_restarted_time",
    "terminated_time",
    "termination_reason",
)


def _instance_sources(spec: Json, settings: Json) -> Json:
    """Where the machines come from: pools, or types of nodes."""
    pool, types = spec.get("instance_pool_id"), (settings["node_type_id"], settings["driver_node_type_id"])
    worker: Json = {"instance_pool_id": pool} if pool else {"node_type_id": types[0]}
    driver: Json = {"instance_pool_id": pool} if pool else {"node_type_id": types[1]}
    driver_pool = spec.get("driver_instance_pool_id")
    return {
        "instance_source": worker,
        "driver_instance_source": {"instance_pool_id": driver_pool} if driver_pool else driver,
    }


def _must_be(cluster: Cluster, *states: str) -> None:
    if cluster.state not in states:
        raise unexpected_state(cluster.cluster_id, cluster.state)


def new_id(state: State) -> str:
    moment = datetime.fromtimestamp(state.now / 1000, UTC)
    while True:
        suffix = "".join(state.random.choices(string.ascii_lowercase + string.digits, k=8))
        cluster_id = f"{moment:%m%d-%H%M%S}-{suffix}"
        if cluster_id not in state.clusters:
            return cluster_id


ROUTES: dict[str, Endpoint] = {
    "POST /api/{v}/clusters/create": create,
    "POST /api/{v}/clusters/edit": edit,
    "POST /api/{v}/clusters/update": update,
    "POST /api/{v}/clusters/start": start,
    "POST /api/{v}/clusters/restart": restart,
    "POST /api/{v}/clusters/resize": resize,
    "POST /api/{v}/clusters/delete": delete,
    "POST /api/{v}/clusters/permanent-delete": permanent_delete,
    "POST /api/{v}/clusters/pin": pin,
    "POST /api/{v}/clusters/unpin": unpin,
    "POST /api/{v}/clusters/change-owner": change_owner,
    "GET /api/{v}/clusters/get": get,
}
VERSIONS = ("2.0", "2.1")
