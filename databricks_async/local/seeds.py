"""Seeds: clusters, jobs and workspace objects put into a workspace as the service shows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from databricks_async.local.clusters import endpoints as cluster_endpoints
from databricks_async.local.clusters import lifecycle
from databricks_async.local.clusters import spec as cluster_spec
from databricks_async.local.errors import ApiError, invalid
from databricks_async.local.jobs import endpoints as job_endpoints
from databricks_async.local.objects import content
from databricks_async.local.objects.tree import clean, parent_of
from databricks_async.local.params import Reading, declared_by
from databricks_async.local.state import Json, State, User

_LISTS = {"clusters": "cluster", "jobs": "job", "objects": "object", "notebooks": "object"}
_COMING_UP = ("PENDING", "RESTARTING")
_STAYS_LISTED_MS = 29 * 24 * 3600 * 1000
"""The service forgets clusters 30 days after their end. One that ended longer ago counts as ended so long ago."""

_JOB_SETTINGS = declared_by(job_endpoints.create)


def load(state: State, shown: Any, admin: User) -> None:
    """Put in what the service shows: an object, a list of them, or lists by name as `clusters/list` answers them.

    Ids, names, settings, creators and times are kept. Raises ValueError, which says what is wrong with which of them;
    those before it are in the workspace then.
    """
    for place, kind, one in _things(shown, ""):
        try:
            _LOADERS[kind](state, one, admin)
        except ApiError as error:
            raise ValueError(f"{place}: {error.message}") from None


def _things(shown: Any, place: str) -> list[tuple[str, str, Json]]:
    """Each thing with its place in the whole, and its kind."""
    if isinstance(shown, list):
        return [found for index, one in enumerate(shown) for found in _things(one, f"{place}[{index}]")]
    if not isinstance(shown, dict):
        raise ValueError(f"{place or 'the seed'}: an object or a list is expected, not {type(shown).__name__}")  # noqa: TRY004 (a value of the file)
    if "cluster_id" in shown or ("spark_version" in shown and "settings" not in shown):
        return [(f"{place or 'cluster'} ({shown.get('cluster_id', 'new')})", "cluster", shown)]
    if "settings" in shown:
        return [(f"{place or 'job'} ({shown.get('job_id', 'new')})", "job", shown)]
    if "path" in shown:
        return [(f"{place or 'object'} ({shown['path']})", "object", shown)]
    found: list[tuple[str, str, Json]] = []
    for name, value in shown.items():
        if name in _LISTS:
            found += [(f"{name}{where}", kind, one) for where, kind, one in _things(value, "")]
        elif isinstance(value, list | dict) and value:
            raise ValueError(f"{place or 'the seed'}: {name} is none of {', '.join(_LISTS)}")
    return found


def _load_cluster(state: State, shown: Json, admin: User) -> None:
    cluster_id = shown.get("cluster_id")
    if cluster_id in state.clusters:
        raise ApiError(400, "RESOURCE_ALREADY_EXISTS", "a cluster of this id is there already")
    asked = _object(shown, "spec") or {name: shown[name] for name in cluster_spec.FIELDS if name in shown}
    asked = {name: value for name, value in asked.items() if value is not None}
    if "autoscale" in asked:
        asked.pop("num_workers", None)  # how many there are at the moment
    if "instance_pool_id" in asked:
        for name in ("node_type_id", "driver_node_type_id", "enable_elastic_disk"):
            asked.pop(name, None)  # the pool's
    creator = _person(state, shown, admin)
    made = cluster_endpoints.create(state, caller=creator, **cluster_spec.read(asked))["cluster_id"]
    cluster = state.clusters.pop(made)
    cluster.cluster_id = cluster_id or made
    for event in cluster.events:
        event["cluster_id"] = cluster.cluster_id
    state.clusters[cluster.cluster_id] = cluster
    state.touch(cluster)
    cluster.source = shown.get("cluster_source", cluster.source)
    cluster.start_time = _time(shown, "start_time") or cluster.start_time
    wanted = shown.get("state", "PENDING")
    if wanted in ("RUNNING", "RESIZING"):
        lifecycle.arrive(state, cluster)
    elif wanted not in _COMING_UP:
        lifecycle.terminate(state, cluster, {"code": "USER_REQUEST", "type": "SUCCESS"})
        if reason := _object(shown, "termination_reason"):
            cluster.termination_reason, cluster.state_message = reason, ""
        cluster.events[-1]["details"]["reason"] = cluster.termination_reason
        lifecycle.arrive_at_end(state, cluster)
        ended = _time(shown, "terminated_time") or state.now
        cluster.terminated_time = max(ended, state.now - _STAYS_LISTED_MS)
    if wanted == cluster.state:
        cluster.state_message = str(shown.get("state_message", cluster.state_message))
    cluster.pinned_by = admin.user_id if shown.get("pinned_by_user_name") else None


def _load_job(state: State, shown: Json, admin: User) -> None:
    job_id = shown.get("job_id")
    if job_id in state.jobs.jobs:
        raise ApiError(400, "RESOURCE_ALREADY_EXISTS", "a job of this id is there already")
    settings = _JOB_SETTINGS.read(_object(shown, "settings"), Reading(False, []))
    creator = _person(state, shown, admin)
    made = job_endpoints.create(state, caller=creator, version="2.2", **settings)["job_id"]
    job = state.jobs.jobs.pop(made)
    if job_id is not None:
        job.job_id = _JOB_ID.read({"job_id": job_id}, Reading(False, []))["job_id"]
        state.ids.reserve(job.job_id)
    state.jobs.jobs[job.job_id] = job
    state.touch(job)
    job.created_time = _time(shown, "created_time") or job.created_time


def _load_object(state: State, shown: Json, admin: User) -> None:
    path = clean(str(shown["path"]))
    kind = shown.get("object_type") or ("NOTEBOOK" if shown.get("language") else "FILE")
    if kind in ("DIRECTORY", "REPO"):
        state.tree.add_directories(path, state.now)
        return
    state.tree.add_directories(parent_of(path), state.now)
    language = shown.get("language") if kind == "NOTEBOOK" else None
    encoded = shown.get("content") or ""
    content.import_(
        state,
        caller=admin,
        upload=None,
        path=path,
        content=encoded,
        format=shown.get("format") or ("SOURCE" if language else "RAW"),
        language=language,
    )
    node = state.tree.find(path)
    if node is not None:  # a format such as AUTO may have given it another name
        node.created_at = _time(shown, "created_at") or node.created_at
        node.modified_at = _time(shown, "modified_at") or node.modified_at


def _job_id(state: State, *, job_id: int) -> None:
    """Declares an id, as the signatures of endpoints declare parameters."""


_JOB_ID = declared_by(_job_id)


def _object(shown: Json, name: str) -> Json:
    value = shown.get(name) or {}
    if not isinstance(value, dict):
        raise invalid(f"{name} is an object, not {type(value).__name__}")
    return value


def _person(state: State, shown: Json, admin: User) -> User:
    """Who made it."""
    name = shown.get("creator_user_name")
    return state.users.get(name, User(name, False)) if isinstance(name, str) and name else admin


def _time(shown: Mapping[str, Any], name: str) -> int | None:
    value = shown.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


_LOADERS: dict[str, Callable[[State, Json, User], None]] = {
    "cluster": _load_cluster,
    "job": _load_job,
    "object": _load_object,
}
