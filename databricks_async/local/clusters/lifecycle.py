"""Lifecycle: how clusters start, change, idle and end, and the events they leave behind."""

from __future__ import annotations

from typing import Any

from databricks_async.local.clusters import libraries
from databricks_async.local.clusters.spec import attributes_of, size_of, workers_of
from databricks_async.local.state import Cluster, Json, State, scheduled, take

_STARTING = "Finding instances for new nodes, acquiring more instances if necessary"


def add_event(state: State, cluster: Cluster, kind: str, **details: Any) -> None:
    """Write down an event of this very moment."""
    cluster.events.append({"cluster_id": cluster.cluster_id, "timestamp": state.now, "type": kind, "details": details})


def create(state: State, cluster: Cluster, user: str) -> None:
    """Bring up a cluster that has never run."""
    attributes = attributes_of(cluster.spec)
    add_event(state, cluster, "CREATING", cluster_size=size_of(cluster.spec), attributes=attributes, user=user)
    _bring_up(state, cluster, "PENDING", _STARTING, state.timing.pending)


def start(state: State, cluster: Cluster, user: str) -> None:
    """Bring up a cluster that is TERMINATED."""
    add_event(state, cluster, "STARTING", cluster_size=size_of(cluster.spec), user=user)
    cluster.terminated_time = cluster.termination_reason = None
    cluster.last_restarted_time = state.now
    _bring_up(state, cluster, "PENDING", _STARTING, state.timing.pending)


def restart(state: State, cluster: Cluster, user: str) -> None:
    """Bring a RUNNING cluster down and up again."""
    add_event(state, cluster, "RESTARTING", cluster_size=size_of(cluster.spec), user=user)
    cluster.last_restarted_time = cluster.last_state_loss_time = state.now
    _bring_up(state, cluster, "RESTARTING", "Restarting", state.timing.restarting)


def _bring_up(state: State, cluster: Cluster, status: str, message: str, seconds: float) -> None:
    forget(cluster)
    cluster.state, cluster.state_message = status, message
    cluster.driver, cluster.executors = None, []
    cluster.workers = workers_of(cluster.spec)
    libraries.reset(cluster)
    name = cluster.spec.get("cluster_name", "")
    failure = take(state.failing_starts, lambda wanted: wanted == name)
    if failure is not None:
        state.schedule_for(cluster, seconds, terminate, cluster, failure)
        return
    scripts = cluster.spec.get("init_scripts")
    if scripts:
        state.schedule_for(cluster, seconds * 0.8, _init_scripts_started, cluster)
        state.schedule_for(cluster, seconds * 0.9, _init_scripts_finished, cluster, scripts)
    state.schedule_for(cluster, seconds, _running, cluster)


@scheduled("cluster init scripts started")
def _init_scripts_started(state: State, cluster: Cluster) -> None:
    add_event(state, cluster, "INIT_SCRIPTS_STARTED")


@scheduled("cluster init scripts finished")
def _init_scripts_finished(state: State, cluster: Cluster, scripts: list[Json]) -> None:
    done = {"cluster": [{**script, "status": "SUCCEEDED"} for script in scripts]}
    add_event(state, cluster, "INIT_SCRIPTS_FINISHED", init_scripts=done)


@scheduled("cluster running")
def _running(state: State, cluster: Cluster) -> None:
    cluster.state, cluster.state_message = "RUNNING", ""
    cluster.driver = _node(state)
    cluster.executors = [_node(state) for _ in range(cluster.workers)]
    cluster.spark_context_id = state.ids.new()
    cluster.last_activity_time = state.now
    cluster.last_state_loss_time = cluster.last_state_loss_time or state.now
    workers = {"current_num_workers": cluster.workers, "target_num_workers": cluster.workers}
    add_event(state, cluster, "RUNNING", **workers)
    add_event(state, cluster, "DRIVER_HEALTHY")
    libraries.begin_install(state, cluster)
    _watch_idleness(state, cluster)
    _notify(state, cluster)


def arrive(state: State, cluster: Cluster) -> None:
    """Have a cluster run now that was coming up."""
    forget(cluster)
    _running(state, cluster)


def arrive_at_end(state: State, cluster: Cluster) -> None:
    """Have a cluster be TERMINATED now that was on its way there."""
    forget(cluster)
    _terminated(state, cluster)


def resize(state: State, cluster: Cluster, workers: int, previous_size: Json, user: str) -> None:
    """Move a RUNNING cluster to another number of workers."""
    change = {"current_num_workers": cluster.workers, "target_num_workers": workers}
    sizes = {"previous_cluster_size": previous_size, "cluster_size": size_of(cluster.spec)}
    add_event(state, cluster, "RESIZING", **sizes, **change, cause="USER_REQUEST", user=user)
    forget(cluster)
    cluster.state = "RESIZING"
    cluster.state_message = f"Resizing from {cluster.workers} to {workers} workers"
    cluster.last_activity_time = state.now
    state.schedule_for(cluster, state.timing.resizing, _resized, cluster, workers)


@scheduled("cluster resized")
def _resized(state: State, cluster: Cluster, workers: int) -> None:
    grew = workers > cluster.workers
    cluster.workers = workers
    cluster.executors = cluster.executors[:workers]
    cluster.executors += [_node(state) for _ in range(workers - len(cluster.executors))]
    cluster.state, cluster.state_message = "RUNNING", ""
    if grew:
        add_event(state, cluster, "UPSIZE_COMPLETED", current_num_workers=workers, target_num_workers=workers)
    _watch_idleness(state, cluster)


@scheduled("cluster terminating")
def terminate(state: State, cluster: Cluster, reason: Json, user: str | None = None) -> None:
    """Take a cluster down for this reason."""
    reason = {name: value for name, value in reason.items() if value != {}}
    add_event(state, cluster, "TERMINATING", reason=reason, **({"user": user} if user else {}))
    forget(cluster)
    cluster.state, cluster.state_message = "TERMINATING", _why(reason)
    cluster.termination_reason = reason
    cluster.driver, cluster.executors = None, []
    state.schedule_for(cluster, state.timing.terminating, _terminated, cluster)
    _notify(state, cluster)


@scheduled("cluster terminated")
def _terminated(state: State, cluster: Cluster) -> None:
    cluster.state = "TERMINATED"
    cluster.terminated_time = state.now
    _notify(state, cluster)


def _notify(state: State, cluster: Cluster) -> None:
    """Have the tasks that wait for the cluster, or run on it, look at it."""
    for look, task in state.jobs.waiting.pop(cluster.cluster_id, {}).values():
        state.perform(look, task, cluster)


def _why(reason: Json) -> str:
    parameters = reason.get("parameters", {})
    if reason["code"] == "USER_REQUEST":
        return f"Terminated by user {parameters.get('username', '')}"
    if reason["code"] == "INACTIVITY":
        return f"Inactive cluster terminated (inactive for {parameters['inactivity_duration_min']} minutes)."
    details = ", ".join(f"{name}: {value}" for name, value in parameters.items())
    return f"{reason['code']} ({reason['type']}){': ' if details else ''}{details}"


def _watch_idleness(state: State, cluster: Cluster) -> None:
    minutes = cluster.spec.get("autotermination_minutes", 0)
    if not minutes:
        return
    idle_at = (cluster.last_activity_time or state.now) + minutes * 60_000
    state.schedule_for(cluster, (idle_at - state.now) / 1000, _end_if_idle, cluster, minutes)


@scheduled("cluster idle")
def _end_if_idle(state: State, cluster: Cluster, minutes: int) -> None:
    if (cluster.last_activity_time or 0) + minutes * 60_000 > state.now:
        _watch_idleness(state, cluster)
        return
    parameters = {"inactivity_duration_min": str(minutes)}
    terminate(state, cluster, {"code": "INACTIVITY", "type": "SUCCESS", "parameters": parameters})


def forget(cluster: Cluster) -> None:
    """Call off whatever was going to happen to a cluster."""
    cluster.plan += 1


def _node(state: State) -> Json:
    number = state.random.getrandbits(16)
    node_id = f"{state.random.getrandbits(128):032x}"
    return {
        "private_ip": f"10.139.{number >> 8}.{number & 255}",
        "host_private_ip": f"10.139.{number >> 8}.{number & 255}",
        "public_dns": "",
        "node_id": node_id,
        "instance_id": f"{node_id}-vm",
        "start_timestamp": state.now,
    }
