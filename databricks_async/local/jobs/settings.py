"""The settings of jobs and their tasks: which the service knows, which it refuses, and its defaults."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, TypedDict, Unpack

from databricks_async.local.clusters import spec
from databricks_async.local.errors import invalid
from databricks_async.local.jobs import task_graph as tasks_graph
from databricks_async.local.params import Declared, Reading, declared_by
from databricks_async.local.state import Json, State

RunIf = Literal["ALL_DONE", "ALL_FAILED", "ALL_SUCCESS", "AT_LEAST_ONE_FAILED", "AT_LEAST_ONE_SUCCESS", "NONE_FAILED"]
Objects = list[dict[str, Any]]

MAX_TASKS = 1000
_MAX_JOB_CLUSTERS = 100


class QueueSettings(TypedDict):
    enabled: bool


class JobSettings(TypedDict, total=False):
    """Every setting of all versions of the API. Nested settings are kept as they are."""

    budget_policy_id: str
    continuous: dict[str, Any]
    deployment: dict[str, Any]
    description: str
    duration_target: str
    edit_mode: Literal["EDITABLE", "UI_LOCKED"]
    email_notifications: dict[str, Any]
    environment_variables: Objects
    environments: Objects
    format: Literal["MULTI_TASK", "SINGLE_TASK"]
    git_source: dict[str, Any]
    health: dict[str, Any]
    job_clusters: Objects
    max_concurrent_runs: int
    name: str
    notification_settings: dict[str, Any]
    parameters: Objects
    parent_path: str
    performance_target: str
    queue: QueueSettings
    run_as: dict[str, Any]
    schedule: dict[str, Any]
    tags: dict[str, str]
    tasks: Objects
    timeout_seconds: int
    trigger: dict[str, Any]
    triggers: Objects
    usage_policy_id: str
    webhook_notifications: dict[str, Any]


class SubmitSettings(TypedDict, total=False):
    """Every setting of a run that has no job."""

    budget_policy_id: str
    duration_target: str
    email_notifications: dict[str, Any]
    environment_variables: Objects
    environments: Objects
    git_source: dict[str, Any]
    health: dict[str, Any]
    notification_settings: dict[str, Any]
    performance_target: str
    queue: QueueSettings
    run_as: dict[str, Any]
    tasks: Objects
    timeout_seconds: int
    usage_policy_id: str
    webhook_notifications: dict[str, Any]


class ConditionTask(TypedDict):
    left: str
    op: Literal["EQUAL_TO", "GREATER_THAN", "GREATER_THAN_OR_EQUAL", "LESS_THAN", "LESS_THAN_OR_EQUAL", "NOT_EQUAL"]
    right: str


class ForEachTask(TypedDict, total=False):
    concurrency: int
    inputs: str
    task: dict[str, Any]


class NotebookTask(TypedDict, total=False):
    base_parameters: dict[str, str]
    notebook_path: str


class LegacyParameters(TypedDict, total=False):
    """The legacy parameters, one for each kind of task, and what else run-now and repair have in common."""

    dbt_commands: list[str]
    duration_target: str
    jar_params: list[str]
    notebook_params: dict[str, str]
    performance_target: str
    pipeline_params: dict[str, Any]
    python_named_params: dict[str, str]
    python_params: list[str]
    spark_submit_params: list[str]
    sql_params: dict[str, str]


class RunJobTask(LegacyParameters, total=False):
    job_id: int
    job_parameters: dict[str, str]


class CodeTask(TypedDict, total=False):
    """A script, a wheel, a JAR, or what is handed to spark-submit."""

    entry_point: str
    main_class_name: str
    named_parameters: dict[str, str]
    parameters: list[str]
    python_file: str


class DbtTask(TypedDict, total=False):
    commands: list[str]


class SqlTask(TypedDict, total=False):
    parameters: dict[str, str]


class TaskDependency(TypedDict, total=False):
    task_key: str
    outcome: str


class JobParameter(TypedDict):
    name: str
    default: str


class JobCluster(TypedDict, total=False):
    job_cluster_key: str
    new_cluster: dict[str, Any]


class Task(TypedDict, total=False):
    """The settings of a task that have an effect here; all others are kept as they are."""

    condition_task: ConditionTask
    dbt_task: DbtTask
    depends_on: list[TaskDependency]
    disabled: bool
    existing_cluster_id: str
    for_each_task: ForEachTask
    job_cluster_key: str
    max_retries: int
    min_retry_interval_millis: int
    new_cluster: dict[str, Any]
    notebook_task: NotebookTask
    python_wheel_task: CodeTask
    retry_on_timeout: bool
    run_if: RunIf
    run_job_task: RunJobTask
    spark_jar_task: CodeTask
    spark_python_task: CodeTask
    spark_submit_task: CodeTask
    sql_task: SqlTask
    task_key: str
    timeout_seconds: int


def _job(state: State, **settings: Unpack[JobSettings]) -> None:
    """Declares the settings of a job, as the signatures of endpoints declare parameters."""


def _task(state: State, **settings: Unpack[Task]) -> None:
    """Declares the settings of a task."""


def _cluster(state: State, **settings: Unpack[spec.ClusterSpec]) -> None:
    """Declares the settings of a new cluster."""


def _lists(state: State, *, job_clusters: list[JobCluster], parameters: list[JobParameter]) -> None:
    """Declares what a job's lists hold."""


_JOB, _TASK, _CLUSTER, _LISTS = (declared_by(function) for function in (_job, _task, _cluster, _lists))


def cluster_spec(given: Json, prefix: str = "") -> Json:
    """A new cluster's settings as the Clusters API reads them."""
    return _CLUSTER.read(given, Reading(False, []), prefix)


def _check_cluster(state: State, given: Json) -> None:
    spec.checked(state, cluster_spec(given, "new_cluster."), "job", runtime=False)


def converted(given: Json) -> Json:
    """Settings with their values converted as the service does; unknown ones are kept."""
    return _converted(_JOB, given, "new_settings.")


def _converted(declared: Declared, given: Json, prefix: str) -> Json:
    read = declared.read(given, Reading(False, []), prefix)
    kept = {name: value for name, value in given.items() if value is not None}
    # What was read of nested settings lacks the names that are not declared.
    return kept | {name: value for name, value in read.items() if not isinstance(value, dict | list)}


def with_defaults(settings: Json, *, queue: bool) -> Json:
    """Settings with the defaults that the service fills in."""
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
    if "tasks" in filled:
        filled["tasks"] = tasks_with_defaults(filled["tasks"])
    return filled


def tasks_with_defaults(tasks: Objects) -> Objects:
    """Tasks with the defaults that the service fills in."""
    return [_task_with_defaults(_converted(_TASK, task, f"tasks[{i}].")) for i, task in enumerate(tasks)]


def _task_with_defaults(task: Json) -> Json:
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
    return filled


def check_job(state: State, settings: Json) -> None:
    """Refuse the settings of a job that the service refuses."""
    maximum = settings.get("max_concurrent_runs", 1)
    if not 0 <= maximum <= 1000:
        raise invalid(f"max_concurrent_runs must be between 0 and 1000, not {maximum}.")
    _LISTS.read(settings, Reading(False, []))
    clusters = settings.get("job_clusters", [])
    _required(clusters, "job_clusters", "job_cluster_key")
    _unique((cluster["job_cluster_key"] for cluster in clusters), "job_cluster_key")
    if len(clusters) > _MAX_JOB_CLUSTERS:
        raise invalid(f"A job may have at most {_MAX_JOB_CLUSTERS} job clusters, not {len(clusters)}.")
    for cluster in clusters:
        if cluster.get("new_cluster") is not None:
            _check_cluster(state, cluster["new_cluster"])
    parameters = settings.get("parameters", [])
    _required(parameters, "parameters", "name")
    _unique((parameter["name"] for parameter in parameters), "job parameter")
    keys = {cluster["job_cluster_key"] for cluster in clusters}
    check_tasks(state, settings.get("tasks", []), keys)


def check_tasks(state: State, tasks: Objects, cluster_keys: set[str]) -> None:
    """Refuse the tasks that the service refuses."""
    if len(tasks) > MAX_TASKS:
        raise invalid(f"The number of tasks {len(tasks)} exceeds the limit of {MAX_TASKS}.")
    _required(tasks, "tasks", "task_key")
    _unique((task["task_key"] for task in tasks), "task_key")
    for task in tasks:
        _check_task(state, task, cluster_keys)
    for task in tasks:
        _required(task.get("depends_on") or [], f"depends_on of task '{task['task_key']}'", "task_key")
    tasks_graph.check(tasks)


_CLUSTER_KINDS = ("spark_jar_task", "spark_submit_task")
_SERVERLESS_KINDS = ("notebook_task", "spark_python_task", "python_wheel_task")
_CLUSTERS = ("existing_cluster_id", "new_cluster", "job_cluster_key")
_KIND_REQUIRES = {
    "notebook_task": ("notebook_path",),
    "spark_python_task": ("python_file",),
    "python_wheel_task": ("package_name", "entry_point"),
    "run_job_task": ("job_id",),
    "for_each_task": ("inputs", "task"),
    "pipeline_task": ("pipeline_id",),
    "sql_task": ("warehouse_id",),
    "dbt_task": ("commands",),
}


def kind_of(task: Json) -> str:
    """The name of the one field that says what a task does."""
    return next(name for name in task if name.endswith("_task"))


def _check_task(state: State, task: Json, cluster_keys: set[str]) -> None:
    key = task["task_key"]
    _TASK.read(task, Reading(False, []), f"task '{key}': ")
    kinds = [name for name, value in task.items() if name.endswith("_task") and value is not None]
    if len(kinds) != 1:
        found = ", ".join(kinds) or "none"
        raise invalid(f"Task '{key}' must have exactly one kind, such as notebook_task; it has {found}.")
    kind = kinds[0]
    if not isinstance(task[kind], dict):
        raise invalid(f"Parameter {kind} of task '{key}' must be an object")
    for name in _KIND_REQUIRES.get(kind, ()):
        if task[kind].get(name) is None:
            raise invalid(f"Missing required field: {kind}.{name} of task '{key}'")
    given = [name for name in _CLUSTERS if task.get(name) is not None]
    if len(given) > 1:
        raise invalid(f"Task '{key}' may have only one of {', '.join(given)}.")
    if "existing_cluster_id" in given and task["existing_cluster_id"] not in state.clusters:
        raise invalid(f"Cluster {task['existing_cluster_id']} of task '{key}' does not exist.")
    if "job_cluster_key" in given and task["job_cluster_key"] not in cluster_keys:
        raise invalid(f"Task '{key}' refers to the unknown job_cluster_key '{task['job_cluster_key']}'.")
    if "new_cluster" in given:
        _check_cluster(state, task["new_cluster"])
    needs_cluster = kind in _CLUSTER_KINDS or (kind in _SERVERLESS_KINDS and not state.jobs.serverless)
    if needs_cluster and not given:
        raise invalid(f"Task '{key}': one of job_cluster_key, new_cluster, or existing_cluster_id must be specified.")
    if kind == "for_each_task":
        _check_task(state, {"task_key": f"{key}_iteration", **task[kind]["task"]}, cluster_keys)


def _required(entries: Iterable[Json], where: str, name: str) -> None:
    for index, entry in enumerate(entries):
        value = entry.get(name) if isinstance(entry, dict) else None
        if not isinstance(value, str) or not value:
            raise invalid(f"Missing required field: {where}[{index}].{name}")


def _unique(values: Iterable[str], what: str) -> None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise invalid(f"Duplicate {what} '{value}'.")
        seen.add(value)
