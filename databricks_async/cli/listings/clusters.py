"""Clusters, their events, runtimes and machine types, as rows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

from databricks_async.cli.live.progress import Standing
from databricks_async.cli.named import names
from databricks_async.cli.output import times
from databricks_async.cli.output.columns import Column
from databricks_async.cli.output.states import sign_of_cluster
from databricks_async.cli.running import Run
from databricks_async.clusters.models import ClusterDetails, ClusterEvent, ClusterSource, EventDetails, State

_LONG_IDLE = timedelta(minutes=30)
_ENDED = State.TERMINATED


async def list_clusters(
    run: Run,
    *,
    name: str | None = None,
    cluster_states: Sequence[str] | None = None,
    cluster_sources: Sequence[str] | None = None,
    is_pinned: bool = False,
    show_all: bool = False,
) -> AsyncIterator[ClusterDetails]:
    """The clusters asked for, as the service lists them; their names are kept for Tab."""
    wanted: dict[str, Any] = {
        "cluster_states": [State(state.upper()) for state in cluster_states] if cluster_states else None,
        "cluster_sources": [ClusterSource(source.upper()) for source in cluster_sources] if cluster_sources else None,
        "is_pinned": True if is_pinned else None,
    }
    filters = [{key: value for key, value in wanted.items() if value is not None}]
    if _leaves_out(cluster_states, cluster_sources, is_pinned, show_all):
        # The service leaves them out: counting them would take as long as listing them.
        alive = {"cluster_states": [state for state in State if state not in (_ENDED, State.UNKNOWN)]}
        ended = {
            "cluster_states": [_ENDED],
            "cluster_sources": [source for source in ClusterSource if source != ClusterSource.JOB],
        }
        filters = [alive, ended]
    found, seen = list[tuple[object, object]](), set[str | None]()
    for filter_by in filters:
        async for cluster in run.w.clusters.list(filter_by=filter_by or None):
            if cluster.cluster_id in seen:  # it ended between the two listings
                continue
            seen.add(cluster.cluster_id)
            if name is None or fnmatchcase(cluster.cluster_name or "", name):
                found.append((cluster.cluster_id, cluster.cluster_name))
                yield cluster
    names.remember("cluster", found, run.options.where)


def note_left_out(
    run: Run,
    *,
    name: str | None = None,
    cluster_states: Sequence[str] | None = None,
    cluster_sources: Sequence[str] | None = None,
    is_pinned: bool = False,
    show_all: bool = False,
) -> None:
    """Say what a listing leaves out, to people."""
    if run.out.stdout.is_terminal and _leaves_out(cluster_states, cluster_sources, is_pinned, show_all):
        run.out.note("Ended job clusters are not shown: --all")


def _leaves_out(states: Sequence[str] | None, sources: Sequence[str] | None, is_pinned: bool, show_all: bool) -> bool:
    return not (states or sources or is_pinned or show_all)


def since(cluster: ClusterDetails) -> datetime | None:
    """When it came into its state, as far as the service says."""
    if cluster.state == _ENDED and cluster.terminated is not None:
        return cluster.terminated
    return cluster.last_restarted or cluster.start


def newest_first(cluster: ClusterDetails) -> float:
    """The sort key: the newest activity first."""
    times_ = (cluster.start_time, cluster.last_restarted_time, cluster.terminated_time, cluster.last_activity_time)
    return -max(moment or 0 for moment in times_)


def workers(cluster: ClusterDetails) -> str:
    """`4`, or `2-8`."""
    if cluster.autoscale is not None:
        return f"{cluster.autoscale.min_workers}-{cluster.autoscale.max_workers}"
    return "" if cluster.num_workers is None else str(cluster.num_workers)


def reason(cluster: ClusterDetails) -> str:
    """Why it ended, or what it is doing."""
    ended = cluster.termination_reason
    if ended is not None and ended.code:
        return str(ended.code)
    return (cluster.state_message or "") if cluster.state != State.RUNNING else ""


def _shown_workers(cluster: ClusterDetails, now: datetime) -> str:
    there = len(cluster.executors or ())
    return f"{workers(cluster)} ({there})" if cluster.autoscale is not None and there else workers(cluster)


def _idle_since(cluster: ClusterDetails) -> datetime | None:
    return cluster.last_activity if cluster.state == State.RUNNING else None


def _shown_idle(cluster: ClusterDetails, now: datetime) -> str:
    last = _idle_since(cluster)
    if last is None:
        return ""
    idle = now - last
    return times.duration(idle.total_seconds()) + ("!" if idle > _LONG_IDLE else "")


CLUSTER_COLUMNS = (
    Column("ID", lambda one: one.cluster_id, keep=True),
    Column("NAME", lambda one: one.cluster_name, shorten="name"),
    Column("STATE", lambda one: one.state, keep=True),
    Column("SINCE", since, kind="elapsed", right=True),
    Column("WORKERS", workers, show=_shown_workers),
    Column("IDLE", _idle_since, kind="elapsed", right=True, show=_shown_idle),
    Column("NODE", lambda one: one.node_type_id, long=True),
    Column("RUNTIME", lambda one: one.spark_version, long=True),
    Column("SOURCE", lambda one: one.cluster_source, long=True),
    Column("CREATOR", lambda one: one.creator_user_name, long=True),
    Column("REASON", reason, shorten="words"),
)

VERSION_COLUMNS = (Column("KEY", lambda one: one.key, keep=True), Column("NAME", lambda one: one.name, shorten="words"))

NODE_COLUMNS = (
    Column("ID", lambda one: one.node_type_id, keep=True),
    Column("MEMORY MB", lambda one: one.memory_mb, right=True),
    Column("CORES", lambda one: one.num_cores and f"{one.num_cores:g}", right=True),
    Column("GPUS", lambda one: one.num_gpus, right=True),
    Column("CATEGORY", lambda one: one.category, shorten="words"),
)


def details_of(event: ClusterEvent) -> str:
    """`user=ana@example.org current_num_workers=2`: the plain values among an event's details."""
    found = event.details.as_dict() if isinstance(event.details, EventDetails) else {}
    ended = found.pop("reason", None)
    parts = [f"{name}={value}" for name, value in found.items() if isinstance(value, str | int | float) and value != ""]
    if isinstance(ended, dict) and ended.get("code"):
        parts.append(f"reason={ended['code']}")
    return " ".join(parts)


EVENT_COLUMNS = (
    Column("TIME", lambda one: one.time, keep=True, kind="moment"),
    Column("TYPE", lambda one: one.type, keep=True),
    Column("DETAILS", details_of, shorten="words"),
)


def standing(cluster: ClusterDetails) -> Standing:
    """How a cluster stands, for a line."""
    name = cluster.cluster_name or str(cluster.cluster_id)
    return Standing(sign_of_cluster(cluster), name, str(cluster.state or ""), reason(cluster))
