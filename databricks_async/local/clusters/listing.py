"""The list of clusters: all at once in version 2.0, by pages in 2.1."""

from __future__ import annotations

from typing import Literal, TypedDict

from databricks_async.local import paging
from databricks_async.local.clusters.endpoints import describe
from databricks_async.local.clusters.permissions import visible
from databricks_async.local.errors import invalid
from databricks_async.local.state import Cluster, Endpoint, Json, State, User

ClusterState = Literal["ERROR", "PENDING", "RESIZING", "RESTARTING", "RUNNING", "TERMINATED", "TERMINATING", "UNKNOWN"]
ClusterSource = Literal["API", "JOB", "MODELS", "PIPELINE", "PIPELINE_MAINTENANCE", "SQL", "UI"]


class FilterBy(TypedDict, total=False):
    cluster_sources: list[ClusterSource]
    cluster_states: list[ClusterState]
    is_pinned: bool
    policy_id: str


class SortBy(TypedDict, total=False):
    field: Literal["CLUSTER_NAME", "DEFAULT"]
    direction: Literal["ASC", "DESC"]


_KEPT_MS = 30 * 24 * 3600 * 1000
_TERMINATED_SHOWN = 200
_DEFAULT_PAGE_SIZE, _MAX_PAGE_SIZE = 20, 100


def unpaged(state: State, *, caller: User, can_use_client: Literal["NOTEBOOKS", "JOBS"] | None = None) -> Json:
    """Version 2.0: everything at once."""
    shown = sorted(_current(state, caller), key=_usual_order)
    if can_use_client is not None:
        shown = [cluster for cluster in shown if _usable(cluster, can_use_client)]
    ended = [cluster for cluster in shown if cluster.state == "TERMINATED" and not cluster.pinned]
    ended.sort(key=lambda cluster: cluster.terminated_time or 0)
    too_old = {cluster.cluster_id for cluster in ended[:-_TERMINATED_SHOWN]}
    listed = [describe(state, cluster) for cluster in shown if cluster.cluster_id not in too_old]
    return {"clusters": listed} if listed else {}  # the service leaves out empty lists


def paged(
    state: State,
    *,
    caller: User,
    filter_by: FilterBy | None = None,
    sort_by: SortBy | None = None,
    page_size: int = 0,
    page_token: str = "",
) -> Json:
    """Version 2.1: a token goes on with the filter and the order that it was made for."""
    if not 0 <= page_size <= _MAX_PAGE_SIZE:
        raise invalid(f"page_size must be between 0 and {_MAX_PAGE_SIZE}, not {page_size}")
    position: Json = {"filter": filter_by or {}, "sort": sort_by or {}, "offset": 0, "size": _DEFAULT_PAGE_SIZE}
    if page_token:
        position = paging.decode("clusters", page_token)
    first, size = position["offset"], page_size or position["size"]
    position["size"] = size
    sort: Json = position["sort"]
    order = _by_name if sort.get("field") == "CLUSTER_NAME" else _usual_order
    found = [cluster for cluster in _current(state, caller) if _passes(cluster, position["filter"])]
    found.sort(key=order, reverse=sort.get("direction") == "DESC")
    page = [describe(state, cluster) for cluster in found[first : first + size]]
    return {**({"clusters": page} if page else {}), **paging.around("clusters", position, len(found))}


def _current(state: State, caller: User) -> list[Cluster]:
    oldest = state.now - _KEPT_MS
    return [
        cluster
        for cluster in state.clusters.values()
        if visible(caller, cluster)
        and (cluster.pinned or cluster.state != "TERMINATED" or (cluster.terminated_time or 0) >= oldest)
    ]


_STATE_ORDER = ("RUNNING", "RESIZING", "RESTARTING", "PENDING", "TERMINATING", "TERMINATED")


def _usual_order(cluster: Cluster) -> tuple[int, bool, str, str]:
    return _STATE_ORDER.index(cluster.state), not cluster.pinned, *_by_name(cluster)


def _by_name(cluster: Cluster) -> tuple[str, str]:
    return cluster.spec.get("cluster_name", ""), cluster.cluster_id


def _passes(cluster: Cluster, wanted: Json) -> bool:
    return (
        cluster.state in (wanted.get("cluster_states") or (cluster.state,))
        and cluster.source in (wanted.get("cluster_sources") or (cluster.source,))
        and wanted.get("is_pinned", cluster.pinned) == cluster.pinned
        and wanted.get("policy_id", cluster.spec.get("policy_id")) == cluster.spec.get("policy_id")
    )


def _usable(cluster: Cluster, client: str) -> bool:
    clients = cluster.spec.get("workload_type", {}).get("clients", {})
    return clients.get(client.lower(), True) is not False


ROUTES: dict[str, Endpoint] = {"GET /api/2.0/clusters/list": unpaged, "GET /api/2.1/clusters/list": paged}
