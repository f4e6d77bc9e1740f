"""The tasks that the service refuses, in its words where they are known.

Sources are named at each rule: "API reference" is the Jobs API's at docs.databricks.com/api/azure/workspace/jobs,
whose texts the schema of the Databricks CLI repeats. A rule without a source is the specification's.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

import attrs

from databricks_async.local.errors import invalid
from databricks_async.local.jobs import clusters, references, task_graph
from databricks_async.local.jobs.shapes import Objects
from databricks_async.local.state import Json, State

MAX_TASKS = 1000
_KEY = re.compile(r"[A-Za-z0-9_-]{1,100}")
_MAX_CONCURRENCY = 100
_MAX_DBT_COMMANDS = 10
_CLUSTERS = ("existing_cluster_id", "new_cluster", "job_cluster_key")
_CLUSTER_KINDS = ("spark_jar_task", "spark_submit_task")
_SERVERLESS_KINDS = ("notebook_task", "spark_python_task", "python_wheel_task")
# API reference, `environment_key`: "required for Python script, Python wheel and dbt tasks when using serverless
# compute".
_ENVIRONMENT_KINDS = ("spark_python_task", "python_wheel_task", "dbt_task")


@attrs.frozen
class Surroundings:
    """What a task may refer to in its job or run."""

    state: State
    cluster_keys: Collection[str]
    environment_keys: Collection[str]
    git: bool
    """Whether there is a `git_source`."""


def kind_of(task: Json) -> str:
    """The name of the one field that says what a task does."""
    return next(name for name, value in task.items() if name.endswith("_task") and value is not None)


def source_of(settings: Json, git: bool) -> str:
    """Where a notebook, a SQL file or a dbt project is: `WORKSPACE` or `GIT`."""
    # API reference: "If the value is empty, the task will use GIT if git_source is defined and WORKSPACE otherwise."
    return str(settings.get("source") or ("GIT" if git else "WORKSPACE"))


def check_key(value: str, what: str) -> None:
    """Refuse a key of a task, a job cluster or an environment that the service would refuse."""
    # API reference: "[ 1 .. 100 ] characters ^[\\w\\-\\_]+$"; the specification has the length.
    if not _KEY.fullmatch(value):
        raise invalid(f"Invalid {what} '{value:.120}'. It must have 1 to 100 letters, digits, underscores and hyphens.")


def check_tasks(around: Surroundings, tasks: Objects) -> None:
    """Refuse the tasks that the service refuses, alone or together."""
    if len(tasks) > MAX_TASKS:
        raise invalid(f"The number of tasks {len(tasks)} exceeds the limit of {MAX_TASKS}.")
    for task in tasks:
        check_key(task["task_key"], "task_key")
    check_unique((task["task_key"] for task in tasks), "task_key")
    for task in tasks:
        _check_task(around, task)
    task_graph.check(tasks)


def check_unique(values: Iterable[str], what: str) -> None:
    """Refuse the same value twice."""
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise invalid(f"Duplicate {what} '{value}'.")
        seen.add(value)


def _check_task(around: Surroundings, task: Json) -> None:
    key = task["task_key"]
    kinds = [name for name, value in task.items() if name.endswith("_task") and value is not None]
    if len(kinds) != 1:
        found = ", ".join(kinds) or "none"
        raise invalid(f"Task '{key}' must have exactly one kind, such as notebook_task; it has {found}.")
    kind = kinds[0]
    if not isinstance(task[kind], dict):
        raise invalid(f"Parameter {kind} of task '{key}' must be an object")
    check = _CHECKS.get(kind)
    if check is not None:
        check(around, task, task[kind])
    _check_compute(around, task, kind)
    references.check(task[kind], f"task '{key}'")


def _check_compute(around: Surroundings, task: Json, kind: str) -> None:
    key, state = task["task_key"], around.state
    given = [name for name in _CLUSTERS if task.get(name) is not None]
    if len(given) > 1:
        raise invalid(f"Task '{key}' may have only one of {', '.join(given)}.")
    existing = state.clusters.get(task.get("existing_cluster_id") or "")
    if existing is not None and existing.source == "JOB":
        # The words: databricks-sdk-py issue 744. A cluster that does not exist fails the run instead.
        raise invalid("existing_cluster_id only supports all-purpose cluster IDs")
    if "job_cluster_key" in given and task["job_cluster_key"] not in around.cluster_keys:
        raise invalid(f"Task '{key}' refers to the unknown job_cluster_key '{task['job_cluster_key']}'.")
    if "new_cluster" in given:
        clusters.check(state, task["new_cluster"])
    environment = task.get("environment_key")
    if (
        environment is not None
        and not given
        and kind in _ENVIRONMENT_KINDS
        and environment not in around.environment_keys
    ):
        raise invalid(f"Task '{key}' refers to the unknown environment_key '{environment}'.")
    if given or kind not in {*_CLUSTER_KINDS, *_SERVERLESS_KINDS, *_ENVIRONMENT_KINDS}:
        return
    if kind in _SERVERLESS_KINDS and task[kind].get("warehouse_id") is not None:
        return  # a notebook on a SQL warehouse
    serverless = state.jobs.serverless or kind == "dbt_task"
    if not serverless or (kind in _CLUSTER_KINDS and (kind == "spark_submit_task" or environment is None)):
        # The words: terraform-provider-databricks issue 3414. JAR tasks on serverless compute have an environment.
        raise invalid(f"Task '{key}': one of job_cluster_key, new_cluster, or existing_cluster_id must be specified.")
    if kind in _ENVIRONMENT_KINDS and environment is None:
        # The words are those that users of serverless jobs quote.
        raise invalid(f"An environment is required for serverless task {key}.")


def _check_notebook(around: Surroundings, task: Json, settings: Json) -> None:
    # API reference: "For notebooks stored in the Databricks workspace, the path must be absolute and begin with a
    # slash. For notebooks stored in a remote repository, the path must be relative." The words: databrickslabs/dbx
    # issue 819.
    path = settings["notebook_path"]
    if source_of(settings, around.git) == "GIT":
        _must_be_relative("notebook_path", path)
    elif not path.startswith("/"):
        raise invalid(
            f"Invalid notebook_path: {path}. Only absolute paths are currently supported. Paths must begin with '/'."
        )


def _check_python(around: Surroundings, task: Json, settings: Json) -> None:
    # API reference: "Cloud file URIs (such as dbfs:/, s3:/, adls:/, gcs:/) and workspace paths are supported. For
    # python files stored in the Databricks workspace, the path must be absolute and begin with /. For files stored in
    # a remote repository, the path must be relative." Unlike notebooks, files without a `source` are never taken from
    # the repository. The words: the troubleshooting page of Azure Data Factory.
    path = settings["python_file"]
    if settings.get("source") == "GIT":
        _must_be_relative("python_file", path)
    elif not re.match(r"/|[A-Za-z][A-Za-z0-9+.-]*:/", path):
        raise invalid(f"Invalid Python file URI: {path}. Please visit Databricks user guide for supported URI schemes.")


def _check_sql(around: Surroundings, task: Json, settings: Json) -> None:
    # API reference: "Path of the SQL file. Must be relative if the source is a remote Git repository and absolute for
    # workspace paths."
    file = settings.get("file")
    if file is not None:
        _must_fit("sql_task.file.path", file["path"], source_of(file, around.git))


def _check_dbt(around: Surroundings, task: Json, settings: Json) -> None:
    # API reference: "All commands must start with dbt. This parameter must not be empty. A maximum of up to 10
    # commands can be provided."
    commands = settings["commands"]
    if not 1 <= len(commands) <= _MAX_DBT_COMMANDS:
        raise invalid(
            f"Task '{task['task_key']}' must have 1 to {_MAX_DBT_COMMANDS} dbt commands, not {len(commands)}."
        )
    for command in commands:
        if command.split()[:1] != ["dbt"]:
            raise invalid(f"Invalid dbt command: {command}. All commands must start with dbt.")
    if settings.get("catalog") is not None and settings.get("warehouse_id") is None:
        # API reference: "The catalog value can only be specified if a warehouse_id is specified."
        raise invalid("dbt_task.catalog can only be specified if a warehouse_id is specified.")
    if settings.get("profiles_directory") is not None and settings.get("warehouse_id") is not None:
        # API reference: "Can only be specified if no warehouse_id is specified."
        raise invalid("dbt_task.profiles_directory can only be specified if no warehouse_id is specified.")
    project = settings.get("project_directory")
    if project is not None:
        _must_fit("dbt_task.project_directory", project, source_of(settings, around.git))


def _must_fit(name: str, path: str, source: str) -> None:
    if source == "GIT":
        _must_be_relative(name, path)
    elif not path.startswith("/"):
        raise invalid(f"Invalid {name}: {path}. Paths in the workspace must be absolute and begin with '/'.")


def _must_be_relative(name: str, path: str) -> None:
    if path.startswith("/"):
        raise invalid(f"Invalid {name}: {path}. Paths in a Git repository must be relative.")


def _check_submit(around: Surroundings, task: Json, settings: Json) -> None:
    # API reference: "You can invoke Spark submit tasks only on new clusters."
    if task.get("existing_cluster_id") is not None:
        raise invalid(f"Task '{task['task_key']}': spark_submit_task can only run on a new cluster.")


def _check_condition(around: Surroundings, task: Json, settings: Json) -> None:
    # API reference: "The condition task does not require a cluster to execute and does not support retries or
    # notifications."
    _refuse_settings(task, ("max_retries", "retry_on_timeout"), "condition_task does not support retries.")
    for name in ("email_notifications", "webhook_notifications"):
        if any(task.get(name, {}).values()):
            raise invalid(f"Task '{task['task_key']}' has {name}, but condition_task does not support notifications.")


def _check_for_each(around: Surroundings, task: Json, settings: Json) -> None:
    # databricks/cli pull request 4104: `max_retries` is an error, `min_retry_interval_millis` and `retry_on_timeout`
    # have no effect. databrickslabs/dbx issue 887: so are libraries. All of them belong to the nested task.
    wrong = (
        "When using for_each_task, it must be defined on the nested task (for_each_task.task), not on the parent task."
    )
    _refuse_settings(task, ("max_retries", "libraries"), wrong)
    nested = settings["task"]
    if nested.get("for_each_task") is not None:
        # databricks/cli pull request 5518: "the Jobs API rejects nested for_each_task".
        raise invalid(f"Task '{task['task_key']}': a for_each_task cannot be nested in another for_each_task.")
    concurrency = settings.get("concurrency", 1)
    if not 1 <= concurrency <= _MAX_CONCURRENCY:
        # The Terraform provider's documentation of `concurrency`: "maximum allowed is 100".
        name = f"for_each_task.concurrency of task '{task['task_key']}'"
        raise invalid(f"{name} must be between 1 and {_MAX_CONCURRENCY}, not {concurrency}.")
    check_key(nested["task_key"], "task_key")
    _check_task(around, nested)


def _refuse_settings(task: Json, names: Iterable[str], why: str) -> None:
    for name in names:
        if task.get(name):
            raise invalid(f"Task '{task['task_key']}' has {name} set. {why}")


_CHECKS = {
    "condition_task": _check_condition,
    "dbt_task": _check_dbt,
    "for_each_task": _check_for_each,
    "notebook_task": _check_notebook,
    "spark_python_task": _check_python,
    "spark_submit_task": _check_submit,
    "sql_task": _check_sql,
}
