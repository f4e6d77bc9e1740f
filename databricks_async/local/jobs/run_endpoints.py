"""The endpoints of the Jobs API that start, show, stop, repair and delete runs."""

from __future__ import annotations

from typing import Literal, Unpack

from databricks_async.local.errors import ApiError, invalid
from databricks_async.local.jobs import pages as jobs_pages
from databricks_async.local.jobs import parameters as tasks_parameters
from databricks_async.local.jobs import run_lifecycle as runs_life
from databricks_async.local.jobs import run_view as runs_view
from databricks_async.local.jobs import task_graph as tasks_graph
from databricks_async.local.jobs.endpoints import VERSIONS as VERSIONS
from databricks_async.local.jobs.permissions import (
    JobAccessControlRequest,
    access,
    any_run_access,
    grants,
    may,
    run_access,
    visible,
)
from databricks_async.local.jobs.settings import checked_submission
from databricks_async.local.jobs.shapes import LegacyParameters, QueueSettings, SubmitSettings
from databricks_async.local.jobs.state import Job, Run, TaskRun
from databricks_async.local.jobs.task_work import CANCELED
from databricks_async.local.state import Endpoint, Json, State, User

_DEFAULT_LIMIT, _MAX_LIMIT, _MAX_OFFSET = 20, 26, 10_000
_MAX_TOKEN = 64


def run_now(
    state: State,
    *,
    caller: User,
    job_id: int,
    idempotency_token: str | None = None,
    job_parameters: dict[str, str] | None = None,
    only: list[str] | None = None,
    queue: QueueSettings | None = None,
    **given: Unpack[LegacyParameters],
) -> Json:
    job = access(state, caller, job_id, "CAN_MANAGE_RUN")
    known = _known(state, idempotency_token)
    if known is not None:
        return _started(known)
    tasks = job.settings.get("tasks", [])
    if not tasks:
        raise invalid(f"Job {job_id} has no tasks to run.")
    wanted = queue or job.settings.get("queue", {"enabled": False})
    run = runs_life.launch(
        state,
        job,
        job.settings,
        caller.name,
        name=job.settings["name"],
        overriding=tasks_parameters.legacy({**given}),
        job_parameters=tasks_parameters.of_job(job.settings, job_parameters or {}),
        queueing=wanted["enabled"],
        only=None if not only else tasks_graph.chosen(only, tasks),
    )
    return _started(_remember(state, run, idempotency_token))


def submit(
    state: State,
    *,
    caller: User,
    access_control_list: list[JobAccessControlRequest] | None = None,
    idempotency_token: str | None = None,
    run_name: str = "Untitled",
    **settings: Unpack[SubmitSettings],
) -> Json:
    known = _known(state, idempotency_token)
    if known is not None:
        return {"run_id": known.run_id}
    wanted = checked_submission(state, {**settings}, run_name)
    given = grants(access_control_list, caller.name)
    job = Job(state.ids.new(), wanted, caller.name, state.now, given, deleted=True)
    run = runs_life.launch(state, job, wanted, caller.name, name=run_name, run_type="SUBMIT_RUN")
    return {"run_id": _remember(state, run, idempotency_token).run_id}


def _known(state: State, token: str | None) -> Run | None:
    """The run that this token has started before."""
    if not token:
        return None
    if len(token) > _MAX_TOKEN:
        raise invalid(f"idempotency_token must have at most {_MAX_TOKEN} characters, not {len(token)}.")
    run_id = state.jobs.tokens.get(token)
    if run_id is None:
        return None
    run = state.jobs.runs.get(run_id)
    if run is None:
        raise invalid(f"The run {run_id} of this idempotency_token was deleted.")
    return run


def _remember(state: State, run: Run, token: str | None) -> Run:
    if token:
        state.jobs.tokens[token] = run.run_id
    return run


def _started(run: Run) -> Json:
    return {"run_id": run.run_id, "number_in_job": run.run_id}


def get(
    state: State,
    *,
    caller: User,
    version: str,
    host: str,
    run_id: int,
    include_history: bool = False,
    include_resolved_values: bool = False,
    page_token: str = "",
) -> Json:
    """A run; or one attempt at a task, with its iterations where it has any."""
    run = any_run_access(state, caller, run_id, "CAN_VIEW")
    if isinstance(run, TaskRun):
        view = runs_view.task_run_view(run, host)
        task = runs_view.task_view(run, host, include_resolved_values)
        iterations = [
            runs_view.task_view(one, host, include_resolved_values) for step in run.iterations for one in step.attempts
        ]
        arrays: Json = {"iterations": iterations} if iterations else {}
        shown, token = jobs_pages.page_of_arrays("run", arrays, run_id, version, page_token)
        return {**view, "tasks": [task], **shown, **token}
    arrays = runs_view.arrays_of(run, host, history=include_history, resolved=include_resolved_values)
    shown, token = jobs_pages.page_of_arrays("run", arrays, run_id, version, page_token)
    return {**runs_view.run_view(run, host), **shown, **token}


def list_runs(
    state: State,
    *,
    caller: User,
    version: str,
    host: str,
    active_only: bool = False,
    completed_only: bool = False,
    expand_tasks: bool = False,
    job_id: int | None = None,
    limit: int = _DEFAULT_LIMIT,
    offset: int = 0,
    page_token: str = "",
    run_type: Literal["JOB_RUN", "SUBMIT_RUN", "WORKFLOW_RUN"] | None = None,
    start_time_from: int | None = None,
    start_time_to: int | None = None,
) -> Json:
    """Newest first. A token continues with the filters of the request that returned it."""
    if active_only and completed_only:
        raise invalid("active_only and completed_only cannot both be true")
    if limit > _MAX_LIMIT:
        raise invalid(f"Invalid limit {limit} - it has to be no more than {_MAX_LIMIT}")
    if limit < 0:
        raise invalid(f"Invalid limit {limit} - it must not be negative")
    if not 0 <= offset <= _MAX_OFFSET:
        message = f"Invalid offset {offset} - it has to be no more than {_MAX_OFFSET}."
        raise invalid(f"{message} Please use the page_token parameter.")
    position: Json = {
        "job_id": job_id,
        "ended": True if completed_only else False if active_only else None,
        "run_type": run_type,
        "from": start_time_from or 0,
        "to": start_time_to or 2**63,
        "offset": offset,
        "size": limit or _MAX_LIMIT,
    }

    def fits(wanted: Json, run: Run) -> bool:
        return (
            wanted["job_id"] in (None, run.job.job_id)
            and wanted["ended"] in (None, run.ended)
            and wanted["run_type"] in (None, run.run_type)
            and wanted["from"] <= run.start_time <= wanted["to"]
            and visible(caller, run.job)
        )

    page, tokens = jobs_pages.page_of_list("runs", list(state.jobs.runs.values()), fits, position, page_token)
    # The service leaves a list without entries out.
    answer: Json = {"runs": [_listed(run, host, version, expand_tasks) for run in page]} if page else {}
    answer |= tokens
    if version != "2.2":
        answer["has_more"] = bool(tokens["next_page_token"])
    return answer


def _listed(run: Run, host: str, version: str, expand_tasks: bool) -> Json:
    view = runs_view.run_view(run, host)
    if not expand_tasks:
        parameters = run.job_parameters[: jobs_pages.MAX_ENTRIES]
        return {**view, "job_parameters": parameters} if parameters else view
    shown, more = jobs_pages.first_entries(runs_view.arrays_of(run, host), version)
    return {**view, **shown, **more}


def cancel(state: State, *, caller: User, run_id: int) -> Json:
    """Stop a run, or one attempt at a task. No effect on one that has ended."""
    run = any_run_access(state, caller, run_id, "CAN_MANAGE_RUN")
    if isinstance(run, TaskRun):
        runs_life.stop_task(state, run, CANCELED)
    else:
        runs_life.cancel(state, run)
    return {}


def cancel_all(state: State, *, caller: User, job_id: int | None = None, all_queued_runs: bool = False) -> Json:
    """Stop all active runs of a job, or the queued ones: of the job, or without a job of all jobs."""
    if job_id is not None:
        jobs = [access(state, caller, job_id, "CAN_MANAGE_RUN")]
    elif all_queued_runs:
        jobs = [job for job in state.jobs.jobs.values() if may(caller, job, "CAN_MANAGE_RUN")]
    else:
        raise invalid("Missing required field: job_id (or all_queued_runs)")
    for job in jobs:
        for run in list(job.queued.values()) + ([] if all_queued_runs else list(job.active.values())):
            runs_life.cancel(state, run)
    return {}


def repair(
    state: State,
    *,
    caller: User,
    run_id: int,
    job_parameters: dict[str, str] | None = None,
    latest_repair_id: int | None = None,
    rerun_all_failed_tasks: bool = False,
    rerun_dependent_tasks: bool = False,
    rerun_tasks: list[str] | None = None,
    **given: Unpack[LegacyParameters],
) -> Json:
    run = run_access(state, caller, run_id, "CAN_MANAGE_RUN")
    keys = _to_rerun(run, rerun_tasks or [], rerun_all_failed_tasks, rerun_dependent_tasks)
    latest = run.rounds[-1].repair_id
    if latest is not None and latest_repair_id is None:
        raise invalid("The latest repair ID needs to be provided in order to create a new repair.")
    if latest_repair_id is not None and latest_repair_id != latest:
        raise invalid(f"The repair ID {latest_repair_id} is not the latest one of run {run_id}, which is {latest}.")
    overriding = tasks_parameters.legacy({**given})
    return {"repair_id": runs_life.repair(state, run, keys, overriding, job_parameters or {})}


def _to_rerun(run: Run, named: list[str], failed: bool, dependent: bool) -> set[str]:
    if named and failed:
        raise invalid("Only one of rerun_tasks and rerun_all_failed_tasks can be set.")
    if not named and not failed:
        raise invalid("One of rerun_tasks and rerun_all_failed_tasks must be set.")
    if len(set(named)) < len(named):
        # The words: apache/airflow pull request 69998.
        raise invalid("rerun_tasks cannot contain duplicate task keys.")
    for key in named:
        if key not in run.steps:
            raise invalid(f"Task '{key}' of rerun_tasks does not exist in run {run.run_id}.")
    bad = (tasks_graph.FAILED, tasks_graph.CANCELED)
    keys = set(named)
    if failed:
        keys = {key for key, step in run.steps.items() if tasks_graph.verdict(step.latest.life_cycle) in bad}
    if dependent:
        keys = tasks_graph.downstream(keys, {key: step.followers for key, step in run.steps.items()})
    return keys


def delete(state: State, *, caller: User, run_id: int) -> Json:
    """Only a run that has ended can be deleted. Its idempotency token stays taken."""
    run = run_access(state, caller, run_id, "CAN_MANAGE")
    if not run.ended:
        message = f"Run {run_id} is still active and cannot be deleted. Cancel it first."
        raise ApiError(400, "INVALID_STATE", message)
    runs_life.forget(state, run)
    return {}


ROUTES: dict[str, Endpoint] = {
    "POST /api/{v}/jobs/run-now": run_now,
    "POST /api/{v}/jobs/runs/submit": submit,
    "GET /api/{v}/jobs/runs/get": get,
    "GET /api/{v}/jobs/runs/list": list_runs,
    "POST /api/{v}/jobs/runs/cancel": cancel,
    "POST /api/{v}/jobs/runs/cancel-all": cancel_all,
    "POST /api/{v}/jobs/runs/repair": repair,
    "POST /api/{v}/jobs/runs/delete": delete,
}
