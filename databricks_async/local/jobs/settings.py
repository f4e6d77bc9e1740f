"""The settings of jobs and of submitted runs: which the service refuses, and its defaults."""

from __future__ import annotations

import re
from typing import Any

from databricks_async.local.errors import invalid
from databricks_async.local.jobs import clusters, references, schedules, single_task, task_rules
from databricks_async.local.jobs.shapes import Objects
from databricks_async.local.jobs.task_rules import Surroundings, check_key, check_unique
from databricks_async.local.state import Json, State

_MAX_JOB_CLUSTERS = 100
_MAX_CONCURRENT_RUNS = 1000
_GIT_PROVIDERS = (
    "github,gitlab,bitbucketcloud,gitlabenterpriseedition,bitbucketserver,azuredevopsservices,githubenterprise,"
    "awscodecommit"
)


def checked_job(state: State, given: Json, *, queue: bool, before: Json | None = None) -> Json:
    """The settings of a job with the service's defaults; refused where it refuses them.

    `before` are those that they replace: a schedule that was accepted once may have had its last time.
    """
    settings = single_task.with_tasks(given, given.get("name") or "Untitled")
    maximum = settings.get("max_concurrent_runs", 1)
    if not 0 <= maximum <= _MAX_CONCURRENT_RUNS:
        raise invalid(f"max_concurrent_runs must be between 0 and {_MAX_CONCURRENT_RUNS}, not {maximum}.")
    _check_parameters(settings.get("parameters", []))
    schedules.check(state, settings, before or {})
    return _job_with_defaults(_checked(state, settings), queue=queue)


def checked_submission(state: State, given: Json, name: str) -> Json:
    """The settings of a run without a job, likewise."""
    settings = single_task.with_tasks(given, name)
    if not settings.get("tasks"):
        raise invalid("Missing required field: tasks")
    return _with_task_defaults(_checked(state, settings))


def _checked(state: State, settings: Json) -> Json:
    job_clusters = settings.get("job_clusters", [])
    if len(job_clusters) > _MAX_JOB_CLUSTERS:
        raise invalid(f"A job may have at most {_MAX_JOB_CLUSTERS} job clusters, not {len(job_clusters)}.")
    for cluster in job_clusters:
        check_key(cluster["job_cluster_key"], "job_cluster_key")
        if cluster.get("new_cluster") is not None:
            clusters.check(state, cluster["new_cluster"])
    cluster_keys = [cluster["job_cluster_key"] for cluster in job_clusters]
    check_unique(cluster_keys, "job_cluster_key")
    environment_keys = [environment["environment_key"] for environment in settings.get("environments", [])]
    check_unique(environment_keys, "environment_key")
    _check_git(settings.get("git_source"))
    around = Surroundings(state, set(cluster_keys), set(environment_keys), "git_source" in settings)
    task_rules.check_tasks(around, settings.get("tasks", []))
    return settings


def _check_parameters(parameters: Objects) -> None:
    for parameter in parameters:
        # API reference: "May only contain alphanumeric characters, `_`, `-`, and `.`"
        if not re.fullmatch(r"[A-Za-z0-9_.-]+", parameter["name"]):
            message = "It may only contain alphanumeric characters, '_', '-' and '.'."
            raise invalid(f"Invalid job parameter name '{parameter['name']}'. {message}")
        references.check(parameter["default"], f"job parameter '{parameter['name']}'")
    check_unique((parameter["name"] for parameter in parameters), "job parameter")


def _check_git(git: Json | None) -> None:
    if git is None:
        return
    if git.get("git_provider", "").lower() not in _GIT_PROVIDERS.split(","):
        # The words: databricks/cli, libs/testserver/jobs.go.
        raise invalid(f"git_source.git_provider must be one of: {_GIT_PROVIDERS}")
    given = [name for name in ("git_branch", "git_tag", "git_commit") if git.get(name)]
    if len(given) > 1:
        # API reference of each: "This field cannot be specified in conjunction with" the other two.
        raise invalid(f"git_source.{given[0]} cannot be specified in conjunction with {' or '.join(given[1:])}.")


def _job_with_defaults(settings: Json, *, queue: bool) -> Json:
    filled: Json = {
        "name": "Untitled",
        "email_notifications": {},
        "webhook_notifications": {},
        "timeout_seconds": 0,
        "max_concurrent_runs": 1,
        **({"queue": {"enabled": True}} if queue else {}),
        **settings,
        "format": "MULTI_TASK",
    }
    return _with_task_defaults(filled)


def _with_task_defaults(settings: Json) -> Json:
    filled = dict(settings)
    git = "git_source" in settings
    if "tasks" in filled:
        filled["tasks"] = [_task_with_defaults(task, git) for task in filled["tasks"]]
    return dict(_without_empty_lists(filled))


def _task_with_defaults(task: Json, git: bool) -> Json:
    filled: Json = {
        "run_if": "ALL_SUCCESS",
        "timeout_seconds": 0,
        "email_notifications": {},
        "webhook_notifications": {},
        **task,
    }
    if filled.get("depends_on"):
        # The service gives them back in an order of its own.
        filled["depends_on"] = sorted(filled["depends_on"], key=lambda need: need["task_key"])
    for kind in ("notebook_task", "dbt_task"):
        if kind in filled:
            filled[kind] = _with_source(filled[kind], git)
    sql = filled.get("sql_task")
    if sql is not None and "file" in sql:
        filled["sql_task"] = {**sql, "file": _with_source(sql["file"], git)}
    loop = filled.get("for_each_task")
    if loop is not None:
        # Of a nested task databricks/cli's list of what the service fills in has `run_if` and the sources.
        nested = _task_with_defaults(loop["task"], git)
        shown = {"run_if", *loop["task"]}
        filled["for_each_task"] = {**loop, "task": {name: value for name, value in nested.items() if name in shown}}
    return filled


def _with_source(settings: Json, git: bool) -> Json:
    return {**settings, "source": task_rules.source_of(settings, git)}


def _without_empty_lists(value: Any) -> Any:
    # A list without entries and an absent one are the same to the service, which leaves them out.
    if isinstance(value, dict):
        return {name: _without_empty_lists(one) for name, one in value.items() if one != []}
    if isinstance(value, list):
        return [_without_empty_lists(one) for one in value]
    return value
