"""Who may do what to a job and its runs."""

from __future__ import annotations

from typing import Literal, TypedDict

from databricks_async.local import access as permissions
from databricks_async.local.errors import invalid, permission_denied
from databricks_async.local.jobs.state import Job, Run, TaskRun
from databricks_async.local.state import Endpoint, Json, State, User

Level = Literal["CAN_VIEW", "CAN_MANAGE_RUN", "CAN_MANAGE", "IS_OWNER"]

_DESCRIPTIONS = {
    "CAN_VIEW": "Can view job",
    "CAN_MANAGE_RUN": "Can view, trigger and cancel job runs",
    "CAN_MANAGE": "Can manage runs, settings, and permissions on job",
    "IS_OWNER": "Is owner of job",
}
"""Each level includes the ones before it."""
_RANK = permissions.ranks(_DESCRIPTIONS)
_WORDS = {"CAN_VIEW": "View or Manage Run", "CAN_MANAGE_RUN": "Manage Run", "CAN_MANAGE": "Manage", "IS_OWNER": "Owner"}


class JobAccessControlRequest(TypedDict, total=False):
    user_name: str
    group_name: str
    service_principal_name: str
    permission_level: Level


def visible(caller: User, job: Job) -> bool:
    """Whether lists show the job and its runs to the caller."""
    return may(caller, job, "CAN_VIEW")


def may(caller: User, job: Job, level: Level) -> bool:
    """Whether the caller has this level on the job."""
    return caller.admin or _rank(caller, job) >= _RANK[level]


def access(state: State, caller: User, job_id: int, level: Level) -> Job:
    """The job, if the caller has this level on it. Permission is looked at before existence."""
    job = state.jobs.jobs.get(job_id)
    _must_have(caller, job, level, f"job {job_id}")
    if job is None:
        raise invalid(f"Job {job_id} does not exist.")
    return job


def run_access(state: State, caller: User, run_id: int, level: Level) -> Run:
    """The run, likewise."""
    run = state.jobs.runs.get(run_id)
    _must_have(caller, run.job if run is not None else None, level, f"run {run_id}")
    if run is None:
        raise invalid(f"Run {run_id} does not exist.")
    return run


def any_run_access(state: State, caller: User, run_id: int, level: Level) -> Run | TaskRun:
    """The run or task run of this id, likewise."""
    task_run = state.jobs.task_runs.get(run_id)
    if task_run is None:
        return run_access(state, caller, run_id, level)
    _must_have(caller, task_run.run.job, level, f"run {run_id}")
    return task_run


def _must_have(caller: User, job: Job | None, level: Level, what: str) -> None:
    if not (caller.admin if job is None else may(caller, job, level)):
        raise permission_denied(
            f"User {caller.name} does not have {_WORDS[level]} or Admin or Owner permissions on {what}."
        )


def _rank(caller: User, job: Job) -> int:
    return permissions.rank(caller, job.grants, _RANK)


def grants(requests: list[JobAccessControlRequest] | None, owner: str) -> dict[tuple[str, str], str]:
    """What a new job's access control list comes to; its creator owns it unless the list says who does."""
    given = permissions.grants_of(requests)
    if "IS_OWNER" not in given.values():
        given = {("user_name", owner): "IS_OWNER", **given}
    _one_owner(given)
    return given


def _one_owner(given: dict[tuple[str, str], str]) -> None:
    owners = [who for who, level in given.items() if level == "IS_OWNER"]
    if len(owners) != 1:
        raise invalid("The job must have exactly one owner.")
    if owners[0][0] == "group_name":
        raise invalid("Groups can not be owners of jobs.")


def _of_path(state: State, caller: User, job_id: str, level: Level) -> Job:
    if not job_id.isdecimal():
        raise invalid(f"'{job_id}' is not a valid job id.")
    return access(state, caller, int(job_id), level)


def get_permissions(state: State, *, caller: User, job_id: str) -> Json:
    return _answer(_of_path(state, caller, job_id, "CAN_VIEW"))


def set_permissions(
    state: State, *, caller: User, job_id: str, access_control_list: list[JobAccessControlRequest] | None = None
) -> Json:
    """Replace all direct grants."""
    job = _of_path(state, caller, job_id, "CAN_MANAGE")
    given = permissions.grants_of(access_control_list)
    _one_owner(given)
    job.grants = given
    return _answer(job)


def update_permissions(
    state: State, *, caller: User, job_id: str, access_control_list: list[JobAccessControlRequest] | None = None
) -> Json:
    """Add grants, or change those of the principals named. A new owner takes the place of the old one."""
    job = _of_path(state, caller, job_id, "CAN_MANAGE")
    given = permissions.grants_of(access_control_list)
    before = job.grants
    if "IS_OWNER" in given.values():
        before = {who: level for who, level in before.items() if level != "IS_OWNER"}
    merged = before | given
    _one_owner(merged)
    job.grants = merged
    return _answer(job)


def get_permission_levels(state: State, *, caller: User, job_id: str) -> Json:
    _of_path(state, caller, job_id, "CAN_VIEW")
    return permissions.levels(_DESCRIPTIONS)


def _answer(job: Job) -> Json:
    return permissions.describe(job.grants, "job", "/jobs/", job.job_id)


ROUTES: dict[str, Endpoint] = {
    "GET /api/{v}/permissions/jobs/{job_id}": get_permissions,
    "PUT /api/{v}/permissions/jobs/{job_id}": set_permissions,
    "PATCH /api/{v}/permissions/jobs/{job_id}": update_permissions,
    "GET /api/{v}/permissions/jobs/{job_id}/permissionLevels": get_permission_levels,
}
VERSIONS = ("2.0",)
