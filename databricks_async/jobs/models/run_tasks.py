"""The tasks of a run as the service reports them."""

from __future__ import annotations

import attrs

from databricks_async.codec import Model
from databricks_async.jobs.models.compute import GitSource
from databricks_async.jobs.models.notifications import JobEmailNotifications
from databricks_async.jobs.models.resolved import ResolvedValues
from databricks_async.jobs.models.run_state import RunState, RunStatus, _TimeProperties
from databricks_async.jobs.models.settings_enums import ConditionTaskOp, PerformanceTarget
from databricks_async.jobs.models.tasks import AnyTask, Task

__all__ = [
    "ClusterInstance",
    "ForEachStats",
    "ForEachTaskErrorMessageStats",
    "ForEachTaskTaskRunStats",
    "RunConditionTask",
    "RunForEachTask",
    "RunTask",
]


@attrs.define(kw_only=True, repr=False, eq=False)
class ClusterInstance(Model):
    """The cluster that a run uses or used."""

    cluster_id: str | None = None
    """The id of the cluster; it stays over restarts and resizes."""
    spark_context_id: str | None = None
    """The id of the Spark context; there once the run has begun."""


@attrs.define(kw_only=True, repr=False, eq=False)
class RunConditionTask(Model):
    """A comparison, and what came of it."""

    op: ConditionTaskOp | None = None
    """How the operands are compared."""
    left: str | None = None
    """The left operand: text, or a reference."""
    right: str | None = None
    """The right operand: text, or a reference."""
    outcome: str | None = None
    """`true` or `false`, when it has been evaluated."""


@attrs.define(kw_only=True, repr=False, eq=False)
class ForEachTaskErrorMessageStats(Model):
    """How often an error came."""

    count: int | None = None
    """How often it was met."""
    error_message: str | None = None
    """The message."""
    termination_category: str | None = None
    """The kind of failure."""


@attrs.define(kw_only=True, repr=False, eq=False)
class ForEachTaskTaskRunStats(Model):
    """How many of the inputs are how far. Of retries only the latest counts."""

    active_iterations: int | None = None
    """Iterations that run."""
    completed_iterations: int | None = None
    """Iterations that have ended, well or not."""
    failed_iterations: int | None = None
    """Iterations that failed."""
    scheduled_iterations: int | None = None
    """Iterations that are scheduled."""
    succeeded_iterations: int | None = None
    """Iterations that ended well."""
    total_iterations: int | None = None
    """The number of inputs."""


@attrs.define(kw_only=True, repr=False, eq=False)
class ForEachStats(Model):
    """How the runs of a task for each input went."""

    error_message_stats: list[ForEachTaskErrorMessageStats] | None = None
    """The 3 most frequent errors."""
    task_run_stats: ForEachTaskTaskRunStats | None = None
    """How many iterations stand how."""


@attrs.define(kw_only=True, repr=False, eq=False)
class RunForEachTask(Model):
    """A task that runs once for each input, and how that went."""

    inputs: str | None = None
    """A list as JSON text, or a reference to a parameter or a task value that is one."""
    task: Task | None = None
    """The task that is run for each input."""
    concurrency: int | None = None
    """How many at once; 1 if absent."""
    stats: ForEachStats | None = None
    """How the iterations stand."""


@attrs.define(kw_only=True, repr=False, eq=False)
class RunTask(_TimeProperties, AnyTask):
    """The run of a task within a run."""

    run_id: int | None
    """The run of this task, which is not the run of the job."""
    attempt_number: int | None = None
    """0 for the first attempt, then counted up by retries."""
    cleanup_duration: int | None = None
    """Milliseconds."""
    cluster_instance: ClusterInstance | None = None
    """The cluster it runs on; absent until there is one."""
    condition_task: RunConditionTask | None = None
    """Compares two values; tasks that follow depend on the outcome."""
    effective_performance_target: PerformanceTarget | None = None
    """How serverless compute was in fact run: for speed or for cost."""
    email_notifications: JobEmailNotifications | None = None
    """Addresses to write to, by occasion."""
    end_time: int | None = None
    """Epoch milliseconds; 0 before the end."""
    execution_duration: int | None = None
    """Milliseconds."""
    for_each_task: RunForEachTask | None = None
    """Runs a nested task for each of its inputs."""
    git_source: GitSource | None = None
    """The Git repository that holds the sources of the tasks."""
    queue_duration: int | None = None
    """Milliseconds in the queue."""
    resolved_values: ResolvedValues | None = None
    """Its parameters, references resolved."""
    run_duration: int | None = None
    """Milliseconds, repairs included."""
    run_page_url: str | None = None
    """The page of the run in the web UI."""
    setup_duration: int | None = None
    """Milliseconds until the cluster was there."""
    start_time: int | None = None
    """Epoch milliseconds."""
    state: RunState | None = None
    """How it stands; deprecated by the service in favour of `status`."""
    status: RunStatus | None = None
    """How it stands."""
