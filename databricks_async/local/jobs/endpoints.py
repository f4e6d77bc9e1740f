"""The endpoints of the Jobs API that make, show, change and delete jobs."""

from __future__ import annotations

from typing import Unpack

from databricks_async.local.errors import invalid
from databricks_async.local.jobs import clusters, schedules, single_task
from databricks_async.local.jobs import pages as jobs_pages
from databricks_async.local.jobs import run_lifecycle as runs_life
from databricks_async.local.jobs.permissions import JobAccessControlRequest, access, grants, visible
from databricks_async.local.jobs.settings import checked_job
from databricks_async.local.jobs.shapes import JobSettings
from databricks_async.local.jobs.state import Job
from databricks_async.local.params import Kept
from databricks_async.local.state import Endpoint, Json, State, User

ARRAYS = ("tasks", "job_clusters", "parameters", "environments")
_DEFAULT_LIMIT, _MAX_LIMIT, _MAX_OFFSET = 20, 100, 1000


def create(
    state: State,
    *,
    caller: User,
    version: str,
    access_control_list: list[JobAccessControlRequest] | None = None,
    **settings: Unpack[JobSettings],
) -> Json:
    wanted = checked_job(state, {**settings}, queue=version == "2.2")
    jobs = state.jobs
    jobs.sequence += 1
    given = grants(access_control_list, caller.name)
    job = Job(state.ids.new(), wanted, caller.name, state.now, given, jobs.sequence)
    job.single_task = single_task.is_single({**settings})
    jobs.jobs[job.job_id] = job
    schedules.activate(state, job)
    return {"job_id": job.job_id}


def get(
    state: State,
    *,
    caller: User,
    version: str,
    job_id: int,
    page_token: str = "",
    include_trigger_state: bool = False,
) -> Json:
    job = access(state, caller, job_id, "CAN_VIEW")
    shown, token = jobs_pages.page_of_arrays("job", _arrays(job), job_id, version, page_token)
    return {**_describe(job, shown, version), **token}


def _arrays(job: Job) -> Json:
    arrays = {name: job.settings[name] for name in ARRAYS if name in job.settings}
    for name in ("tasks", "job_clusters"):
        if name in arrays:
            arrays[name] = [clusters.shown(one) for one in arrays[name]]
    return arrays


def _describe(job: Job, arrays: Json, version: str) -> Json:
    settings = {name: value for name, value in job.settings.items() if name not in ARRAYS} | arrays
    if job.single_task and version == "2.0" and len(arrays.get("tasks", [])) == 1:
        settings = single_task.at_the_top(settings)
    return {
        "job_id": job.job_id,
        "creator_user_name": job.creator,
        "run_as_user_name": _run_as(job),
        "created_time": job.created_time,
        "settings": settings,
    }


def _run_as(job: Job) -> str:
    run_as = job.settings.get("run_as", {})
    return str(run_as.get("user_name") or run_as.get("service_principal_name") or job.creator)


def list_jobs(
    state: State,
    *,
    caller: User,
    version: str,
    limit: int = _DEFAULT_LIMIT,
    offset: int = 0,
    name: str | None = None,
    expand_tasks: bool = False,
    page_token: str = "",
) -> Json:
    """Newest first. A token continues with the `name` of the request that returned it."""
    if not 1 <= limit <= _MAX_LIMIT:
        raise invalid(f"Invalid limit {limit} - it has to be between 1 and {_MAX_LIMIT}")
    if not 0 <= offset <= _MAX_OFFSET:
        message = f"Invalid offset {offset} - it has to be no more than {_MAX_OFFSET}."
        raise invalid(f"{message} Please use the page_token parameter.")
    position: Json = {"name": name, "offset": offset, "size": limit}

    def fits(wanted: Json, job: Job) -> bool:
        named = wanted["name"]
        return visible(caller, job) and (not named or job.settings["name"].lower() == named.lower())

    page, tokens = jobs_pages.page_of_list("jobs", list(state.jobs.jobs.values()), fits, position, page_token)
    hidden = () if expand_tasks else ("tasks", "job_clusters")
    # The service leaves a list without entries out.
    answer: Json = {"jobs": [_listed(job, hidden, version) for job in page]} if page else {}
    answer |= tokens
    if version != "2.2":
        answer["has_more"] = bool(tokens["next_page_token"])
    return answer


def _listed(job: Job, hidden: tuple[str, ...], version: str) -> Json:
    arrays = {name: entries for name, entries in _arrays(job).items() if name not in hidden}
    shown, more = jobs_pages.first_entries(arrays, version)
    return {**_describe(job, shown, version), **more}


def update(
    state: State,
    *,
    caller: User,
    job_id: int,
    new_settings: Kept[JobSettings] | None = None,
    fields_to_remove: list[str] | None = None,
) -> Json:
    """Replace top-level fields; tasks and job clusters are merged by their keys."""
    job = access(state, caller, job_id, "CAN_MANAGE")
    wanted = dict(job.settings)
    for path in fields_to_remove or []:
        _remove(wanted, path)
    for name, value in single_task.merged(wanted, {**(new_settings or {})}).items():
        key = _KEYED.get(name)
        wanted[name] = _merged(wanted.get(name, []), value, key) if key else value
    _change(state, job, checked_job(state, wanted, queue=False, before=job.settings))
    return {}


_KEYED = {
    "tasks": "task_key",
    "job_clusters": "job_cluster_key",
    "parameters": "name",
    "environments": "environment_key",
}
"""Lists whose entries an update merges by this field."""


def _remove(settings: Json, path: str) -> None:
    name, _, entry = path.partition("/")
    if not entry:
        settings.pop(name, None)
    elif name in ("tasks", "job_clusters"):
        settings[name] = [one for one in settings.get(name, []) if one[_KEYED[name]] != entry]
    else:
        raise invalid(f"fields_to_remove: {path!r} is nested, which only fields of tasks and job_clusters may be.")


def _merged(before: list[Json], given: list[Json], key: str) -> list[Json]:
    new = {one[key]: one for one in given}
    if len(new) < len(given):
        return given  # one key twice: the checks that follow refuse it
    return [new.pop(one[key], one) for one in before] + list(new.values())


def reset(state: State, *, caller: User, version: str, job_id: int, new_settings: Kept[JobSettings]) -> Json:
    """Replace all settings."""
    job = access(state, caller, job_id, "CAN_MANAGE")
    kept = {"run_as": job.settings["run_as"]} if "run_as" in job.settings else {}
    _change(state, job, checked_job(state, {**kept, **new_settings}, queue=version == "2.2", before=job.settings))
    job.single_task = single_task.is_single({**new_settings})
    return {}


def _change(state: State, job: Job, wanted: Json) -> None:
    seconds = wanted["timeout_seconds"]
    later = seconds != job.settings["timeout_seconds"]
    starts = any(wanted.get(name) != job.settings.get(name) for name in schedules.SETTINGS)
    job.settings = wanted
    if starts:
        schedules.activate(state, job)
    if later:
        # Unlike all other changes, this one applies to active runs too.
        for run in list(job.active.values()):
            state.touch(run)
            run.settings = {**run.settings, "timeout_seconds": seconds}
            if run.stopping is None:
                runs_life.arm_timeout(state, run)
    runs_life.admit(state, job)


def delete(state: State, *, caller: User, job_id: int) -> Json:
    """No effect on a job that is gone. The job's runs can still be read."""
    if job_id not in state.jobs.jobs and caller.admin:
        return {}  # the specification: "No action occurs if the job has already been removed."
    job = access(state, caller, job_id, "CAN_MANAGE")
    job.deleted = True
    schedules.deactivate(job)
    del state.jobs.jobs[job_id]
    return {}


ROUTES: dict[str, Endpoint] = {
    "POST /api/{v}/jobs/create": create,
    "GET /api/{v}/jobs/get": get,
    "GET /api/{v}/jobs/list": list_jobs,
    "POST /api/{v}/jobs/update": update,
    "POST /api/{v}/jobs/reset": reset,
    "POST /api/{v}/jobs/delete": delete,
}
VERSIONS = ("2.0", "2.1", "2.2")
