"""Runs and task runs as the service shows them."""

from __future__ import annotations

from databricks_async.local.errors import invalid
from databricks_async.local.jobs import clusters
from databricks_async.local.jobs.parameters import resolved_values
from databricks_async.local.jobs.state import LifeCycle, Run, TaskRun
from databricks_async.local.jobs.task_control import stats
from databricks_async.local.jobs.task_rules import kind_of
from databricks_async.local.state import State
from databricks_async.local.values import WORKSPACE_ID, Json

_TERMINATIONS = {
    "SUCCESS": ("SUCCESS", "SUCCESS"),
    "SUCCESS_WITH_FAILURES": ("SUCCESS_WITH_FAILURES", "SUCCESS"),
    "CANCELED": ("USER_CANCELED", "CLIENT_ERROR"),
    "TIMEDOUT": ("CANCELED", "CLIENT_ERROR"),
    "EXCLUDED": ("SKIPPED", "SUCCESS"),
    "DISABLED": ("DISABLED", "SUCCESS"),
    "UPSTREAM_FAILED": ("SKIPPED", "CLIENT_ERROR"),
    "UPSTREAM_CANCELED": ("SKIPPED", "CLIENT_ERROR"),
    "MAXIMUM_CONCURRENT_RUNS_REACHED": ("MAX_CONCURRENT_RUNS_EXCEEDED", "CLIENT_ERROR"),
}
_FAILED = ("RUN_EXECUTION_ERROR", "CLIENT_ERROR")
_CLOUD = {"CLUSTER_ERROR": "CLOUD_FAILURE"}


def states(life_cycle: LifeCycle) -> Json:
    """`state` and `status`: one thing in the older and in the newer terms."""
    state: Json = {
        "life_cycle_state": life_cycle.state,
        "state_message": life_cycle.message,
        "user_cancelled_or_timedout": life_cycle.result in ("CANCELED", "TIMEDOUT"),
    }
    status: Json = {"state": "WAITING" if life_cycle.state == "WAITING_FOR_RETRY" else life_cycle.state}
    if life_cycle.state == "QUEUED":
        state["queue_reason"] = life_cycle.message
        status["queue_details"] = {"code": "MAX_CONCURRENT_RUNS_REACHED", "message": life_cycle.message}
    if life_cycle.ended:
        state["result_state"] = life_cycle.result
        code, kind = _TERMINATIONS.get(life_cycle.result or "", _FAILED)
        code = life_cycle.code or code
        details = {"code": code, "type": _CLOUD.get(code, kind), "message": life_cycle.message}
        status |= {"state": "TERMINATED", "termination_details": details}
    return {"state": state, "status": status}


def overlay(state: State, run_id: int, fields: Json) -> None:
    """Show these fields in the answers about a run, or about one attempt at a task."""
    run = state.jobs.runs.get(run_id) or state.jobs.task_runs.get(run_id)
    if run is None:
        raise invalid(f"Run {run_id} does not exist.")
    run.overlay.update(fields)


def run_view(run: Run, host: str) -> Json:
    """A run without its arrays."""
    settings = run.settings
    first = run.rounds[0].start_time
    ran = sum(one.end_time - one.start_time for one in run.rounds if one.end_time)
    # API reference of each: "The duration of a multitask job run is the value of the run_duration field", and theirs
    # is 0.
    steps = list(run.steps.values())
    durations = _times(steps[0].latest) if len(steps) == 1 else {}
    view: Json = {
        "job_id": run.job.job_id,
        "run_id": run.run_id,
        "number_in_job": run.run_id,
        "original_attempt_run_id": run.run_id,
        "attempt_number": 0,
        "creator_user_name": run.creator,
        "run_name": run.name,
        "run_type": run.run_type,
        "run_page_url": _page_url(host, run, run.run_id),
        "trigger": run.trigger,
        "format": "MULTI_TASK",
        **states(run.life_cycle),
        "start_time": first,
        "end_time": run.end_time,
        **{name: durations.get(name, 0) for name in ("setup_duration", "execution_duration", "cleanup_duration")},
        "run_duration": ran if run.ended else 0,
        "queue_duration": max(0, run.queue_end - run.rounds[-1].start_time),
    }
    if run.overriding:
        view["overriding_parameters"] = run.overriding
    if run.parent is not None:
        view["trigger_info"] = {"run_id": run.parent.run.run_id}
    if run.trigger == "PERIODIC" and "schedule" in settings:
        view["schedule"] = settings["schedule"]
    names = ("git_source", "description", "budget_policy_id", "performance_target")
    view |= {name: settings[name] for name in names if name in settings}
    return view | run.overlay


def arrays_of(run: Run, host: str, *, history: bool = False, resolved: bool = False) -> Json:
    """A run's arrays: what pages are made of. One entry for each attempt at a task."""
    tasks = [task_view(task, host, resolved) for step in run.steps.values() for task in step.attempts]
    arrays: Json = {
        "tasks": tasks,
        "job_clusters": [clusters.shown(one) for one in run.settings.get("job_clusters", [])],
        "job_parameters": run.job_parameters,
    }
    if history:
        arrays["repair_history"] = repair_history(run)
    # What a test has set replaces what is so. The service leaves lists without entries out.
    arrays = {name: run.overlay.get(name, entries) for name, entries in arrays.items()}
    return {name: entries for name, entries in arrays.items() if entries}


def repair_history(run: Run) -> list[Json]:
    """The original round, then each repair."""
    history = []
    for one in run.rounds:
        ended = one.end_time != 0
        item: Json = {
            "type": "ORIGINAL" if one.repair_id is None else "REPAIR",
            "start_time": one.start_time,
            "end_time": one.end_time,
            **states(one.life_cycle if ended else run.life_cycle),
            "task_run_ids": one.task_run_ids,
        }
        if one.repair_id is not None:
            item["id"] = one.repair_id
        history.append(item)
    return history


def task_view(task: TaskRun, host: str, resolved: bool = False) -> Json:
    """One attempt at a task."""
    view: Json = {
        **clusters.shown(task.settings),
        "run_id": task.run_id,
        "attempt_number": task.attempt_number,
        "run_page_url": _page_url(host, task.run, task.run_id),
        **states(task.life_cycle),
        **_times(task),
    }
    kind = kind_of(task.settings)
    if task.condition is not None:
        view[kind] = {**view[kind], "outcome": task.condition}
    if kind == "for_each_task":
        view[kind] = {**view[kind], "stats": stats(task)}
    if task.cluster_id is not None:
        view["cluster_instance"] = _instance(task)
    if "git_source" in task.run.settings:
        view["git_source"] = task.run.settings["git_source"]
    if resolved and task.resolved:
        view["resolved_values"] = resolved_values(task)
    return view | task.overlay


def task_run_view(task: TaskRun, host: str) -> Json:
    """A task run by itself, as `runs/get` and `runs/get-output` show it, without its arrays."""
    kind = kind_of(task.settings)
    view = {
        "job_id": task.run.job.job_id,
        "run_id": task.run_id,
        "job_run_id": task.run.run_id,
        "number_in_job": task.run_id,
        "original_attempt_run_id": task.first_id,
        "attempt_number": task.attempt_number,
        "creator_user_name": task.run.creator,
        "run_name": task.step.key,
        "run_type": task.run.run_type,
        "run_page_url": _page_url(host, task.run, task.run_id),
        "trigger": "RETRY" if task.attempt_number else task.run.trigger,
        "format": "SINGLE_TASK",
        "task": {kind: task.settings[kind]},
        **states(task.life_cycle),
        **_times(task),
    }
    if task.cluster_id is not None:
        view["cluster_instance"] = _instance(task)
    names = ("existing_cluster_id", "new_cluster", "job_cluster_key")
    settings = clusters.shown(task.settings)
    view["cluster_spec"] = {name: settings[name] for name in names if name in settings}
    return view | task.overlay


def _instance(task: TaskRun) -> Json:
    instance: Json = {"cluster_id": task.cluster_id}
    if task.spark_context_id is not None:
        instance["spark_context_id"] = str(task.spark_context_id)
    return instance


def _times(task: TaskRun) -> Json:
    began, done, ended = task.execution_start, task.execution_end, task.end_time
    return {
        "start_time": task.start_time,
        "end_time": ended,
        "setup_duration": began - task.start_time if began else 0,
        "execution_duration": done - began if done and began else 0,
        "cleanup_duration": ended - done if ended and done else 0,
        "run_duration": ended - task.start_time if ended else 0,
        "queue_duration": 0,
    }


def _page_url(host: str, run: Run, run_id: int) -> str:
    return f"{host}/?o={WORKSPACE_ID}#job/{run.job.job_id}/run/{run_id}"
