"""Rows of the page: what it shows of a cluster, of a run with its tasks, and of a change."""

from __future__ import annotations

from databricks_async.cli.page.feed import Row
from databricks_async.clusters import ClusterDetails
from databricks_async.jobs import BaseRun, Run, RunTask
from databricks_async.jobs.models.run_state import end_of
from databricks_async.jobs.runs import latest_tasks, message_of
from databricks_async.pictures.kinds import SYMBOLS, Kind, cluster_kind, run_kind

MAX_TASKS = 100
"""So many tasks of a run are shown."""


def cluster_row(cluster: ClusterDetails, since: int | None) -> Row:
    """A cluster; `since` is when it came into its state, in epoch milliseconds, as far as it is known."""
    reason = cluster.termination_reason
    kind = cluster_kind(str(cluster.state), None if reason is None else str(reason.type))
    notes = [cluster.state_message or ""]
    if reason is not None and str(reason.code) not in notes[0]:
        notes.insert(0, str(reason.code))
    return {
        "id": f"cluster {cluster.cluster_id}",
        "of": "cluster",
        "name": cluster.cluster_name or cluster.cluster_id,
        "thing": cluster.cluster_id,
        **_state(str(cluster.state), kind),
        "since": since,
        "end": None,
        "size": _size(cluster),
        "note": ": ".join(note for note in notes if note),
    }


def _size(cluster: ClusterDetails) -> str:
    if cluster.autoscale is not None:
        size = f"{cluster.autoscale.min_workers}-{cluster.autoscale.max_workers} workers"
        return f"{size} ({len(cluster.executors)} now)" if cluster.executors else size
    count = cluster.num_workers or 0
    return "single node" if count == 0 else f"{count} worker{'s' if count != 1 else ''}"


def run_row(run: BaseRun | Run) -> Row:
    """A run with the latest attempt of each of its tasks."""
    tasks = latest_tasks(run)
    word = str(end_of(run))
    return {
        "id": f"run {run.run_id}",
        "of": "run",
        "name": run.run_name or f"run {run.run_id}",
        "thing": str(run.run_id),
        **_state(word, run_kind(word)),
        "since": run.start_time or None,
        "end": run.end_time or None,
        "size": f"{len(tasks)} task{'s' if len(tasks) != 1 else ''}",
        "note": message_of(run),
        "tasks": [task_row(task) for task in tasks[:MAX_TASKS]],
        "more_tasks": max(0, len(tasks) - MAX_TASKS),
    }


def task_row(task: RunTask) -> Row:
    """An attempt at a task."""
    word = str(end_of(task))
    return {"key": task.task_key or "", **_state(word, run_kind(word)), "note": message_of(task)}


def _state(word: str, kind: Kind) -> Row:
    return {"state": word, "kind": kind.replace(" ", "-"), "sign": SYMBOLS[kind]}


def event_row(number: int, when: int, row: Row) -> Row:
    """What happened to the thing of a row at this time, in epoch milliseconds."""
    kept = ("name", "state", "kind", "sign", "note")
    return {"id": f"event {number}", "of": "event", "when": when, **{key: row[key] for key in kept}}
