"""The events of clusters, and the two ways to page through them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from operator import itemgetter
from typing import Literal

from databricks_async.local import paging
from databricks_async.local.clusters.permissions import access
from databricks_async.local.errors import invalid
from databricks_async.local.state import Cluster, Endpoint, Json, State, User

EventType = Literal[
    "ADD_NODES_FAILED",
    "AUTOMATIC_CLUSTER_UPDATE",
    "AUTOSCALING_BACKOFF",
    "AUTOSCALING_FAILED",
    "AUTOSCALING_STATS_REPORT",
    "CLUSTER_MIGRATED",
    "CREATING",
    "DBFS_DOWN",
    "DECOMMISSION_ENDED",
    "DECOMMISSION_STARTED",
    "DEFERRED_POLICY_ENFORCEMENT_FAILED",
    "DEFERRED_POLICY_ENFORCEMENT_SCHEDULED",
    "DID_NOT_EXPAND_DISK",
    "DRIVER_HEALTHY",
    "DRIVER_NOT_RESPONDING",
    "DRIVER_UNAVAILABLE",
    "EDITED",
    "EXPANDED_DISK",
    "FAILED_TO_EXPAND_DISK",
    "INIT_SCRIPTS_FINISHED",
    "INIT_SCRIPTS_STARTED",
    "METASTORE_DOWN",
    "NODES_LOST",
    "NODE_BLACKLISTED",
    "NODE_EXCLUDED_DECOMMISSIONED",
    "PINNED",
    "RESIZING",
    "RESTARTING",
    "RUNNING",
    "SPARK_EXCEPTION",
    "STARTING",
    "TERMINATING",
    "UC_VOLUME_MISCONFIGURED",
    "UNPINNED",
    "UPSIZE_COMPLETED",
]
Order = Literal["ASC", "DESC"]

_DEFAULT_PAGE_SIZE, _MAX_PAGE_SIZE = 50, 500
_time = itemgetter("timestamp")


def by_offset(
    state: State,
    *,
    caller: User,
    cluster_id: str,
    start_time: int = 0,
    end_time: int | None = None,
    order: Order = "DESC",
    event_types: list[EventType] | None = None,
    offset: int = 0,
    limit: int = _DEFAULT_PAGE_SIZE,
) -> Json:
    """Version 2.0: the answer's `next_page` is the whole body of the next request."""
    cluster = access(state, caller, cluster_id, "CAN_ATTACH_TO")
    _check_offset(offset, limit, order, end_time)
    end = state.now if end_time is None else end_time
    found = _matching(cluster, start_time, end, order, event_types)
    answer = _page(found[offset : offset + limit], len(found))
    if offset + limit < len(found):
        following: Json = {"cluster_id": cluster_id, "end_time": end, "order": order}
        if start_time:
            following["start_time"] = start_time
        if event_types:
            following["event_types"] = event_types
        answer["next_page"] = {**following, "offset": offset + limit, "limit": limit}
    return answer


def by_token(
    state: State,
    *,
    caller: User,
    cluster_id: str,
    start_time: int = 0,
    end_time: int | None = None,
    order: Order = "DESC",
    event_types: list[EventType] | None = None,
    offset: int = 0,
    limit: int | None = None,
    page_size: int | None = None,
    page_token: str = "",
) -> Json:
    """Version 2.1: page tokens. The older `offset` and `limit` still pick the first page, `next_page` follows it."""
    cluster = access(state, caller, cluster_id, "CAN_ATTACH_TO")
    if page_size is not None and not 0 <= page_size <= _MAX_PAGE_SIZE:
        raise invalid(f"page_size must be between 0 and {_MAX_PAGE_SIZE}, not {page_size}")
    if page_token:
        position = paging.decode("events", page_token)
        if position["cluster_id"] != cluster_id:
            raise invalid("Invalid page_token: it belongs to another cluster")
    else:
        _check_offset(offset, _DEFAULT_PAGE_SIZE if limit is None else limit, order, end_time)
        end = state.now if end_time is None else end_time
        position = {"cluster_id": cluster_id, "start": start_time, "end": end, "order": order, "types": event_types}
        position |= {"offset": offset, "size": limit or _DEFAULT_PAGE_SIZE}
    size = position["size"] = page_size or position["size"]
    first = position["offset"]
    found = _matching(cluster, position["start"], position["end"], position["order"], position["types"])
    answer = _page(found[first : first + size], len(found))
    answer |= paging.around("events", position, len(found))
    if answer["next_page_token"]:
        answer["next_page"] = {"cluster_id": cluster_id, "page_token": answer["next_page_token"], "page_size": size}
    return answer


def _page(events: list[Json], total: int) -> Json:
    # The service leaves out empty lists.
    return {**({"events": events} if events else {}), "total_count": total}


def _check_offset(offset: int, limit: int, order: Order, end_time: int | None) -> None:
    if not 1 <= limit <= _MAX_PAGE_SIZE:
        raise invalid(f"limit must be between 1 and {_MAX_PAGE_SIZE}, not {limit}")
    if offset < 0:
        raise invalid(f"offset must not be negative: {offset}")
    if offset and order == "DESC" and end_time is None:
        # New events would shift the offsets of a listing that starts with the newest.
        raise invalid("end_time is required when an offset is given and the order is DESC")


def _matching(cluster: Cluster, start: int, end: int, order: Order, event_types: list[EventType] | None) -> list[Json]:
    # They are kept in the order of time.
    first = bisect_left(cluster.events, start, key=_time)
    found = cluster.events[first : bisect_right(cluster.events, end, key=_time)]
    if kinds := set(event_types or ()):
        found = [event for event in found if event["type"] in kinds]
    if order == "DESC":
        found.reverse()
    return found


ROUTES: dict[str, Endpoint] = {"POST /api/2.0/clusters/events": by_offset, "POST /api/2.1/clusters/events": by_token}
