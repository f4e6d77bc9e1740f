"""What the service says about the tasks of a run."""

from __future__ import annotations

import attrs

from databricks_async.codec import Model
from databricks_async.jobs.models.compute import GitSource
from databricks_async.jobs.models.notifications import JobEmailNotifications
from databricks_async.jobs.models.resolved import ResolvedValues
from databricks_async.jobs.models.run_state import RunState, RunStatus, Timing
from databricks_async.jobs.models.settings_enums import ConditionTaskOp, PerformanceTarget
from databricks_async.jobs.models.tasks import AnyTask, Task


@attrs.define(kw_only=True, repr=False)
class ClusterInstance(Model):
    """The cluster that a run uses or used."""

    cluster_id: str | None = None
    spark_context_id: str | None = None


@attrs.define(kw_only=True, repr=False)
class RunConditionTask(Model):
    """A comparison, and what came of it."""

    op: ConditionTaskOp | None = None
    left: str | None = None
    right: str | None = None
    outcome: str | None = None
    """`true` or `false`, when it has been evaluated."""


@attrs.define(kw_only=True, repr=False)
class ForEachTaskErrorMessageStats(Model):
    """How often an error came."""

    count: int | None = None
    error_message: str | None = None
    termination_category: str | None = None


@attrs.define(kw_only=True, repr=False)
class ForEachTaskTaskRunStats(Model):
    """How many of the inputs are how far. Of retries only the latest counts."""

    active_iterations: int | None = None
    completed_iterations: int | None = None
    failed_iterations: int | None = None
    scheduled_iterations: int | None = None
    succeeded_iterations: int | None = None
    total_iterations: int | None = None


@attrs.define(kw_only=True, repr=False)
class ForEachStats(Model):
    """How the runs of a task for each input went."""

    error_message_stats: list[ForEachTaskErrorMessageStats] | None = None
    task_run_stats: ForEachTaskTaskRunStats | None = None


@attrs.define(kw_only=True, repr=False)
class RunForEachTask(Model):
    """A task that runs once for each input, and how that went."""

    inputs: str | None = None
    """A list as JSON text, or a reference to a parameter or a task value that is one."""
    task: Task | None = None
    concurrency: int | None = None
    """How many at once; 1 if absent."""
    stats: ForEachStats | None = None


@attrs.define(kw_only=True, repr=False)
class RunTask(Timing, AnyTask):
    """The run of a task within a run."""

    run_id: int | None
    attempt_number: int | None = None
    """0 for the first attempt, then counted up by retries."""
    cleanup_duration: int | None = None
    """Milliseconds."""
    cluster_instance: ClusterInstance | None = None
    condition_task: RunConditionTask | None = None
    effective_performance_target: PerformanceTarget | None = None
    email_notifications: JobEmailNotifications | None = None
    end_time: int | None = None
    """Epoch milliseconds; 0 before the end."""
    execution_duration: int | None = None
    """Milliseconds."""
    for_each_task: RunForEachTask | None = None
    git_source: GitSource | None = None
    queue_duration: int | None = None
    """Milliseconds in the queue."""
    resolved_values: ResolvedValues | None = None
    run_duration: int | None = None
    """Milliseconds, repairs included."""
    run_page_url: str | None = None
    setup_duration: int | None = None
    """Milliseconds until the cluster was there."""
    start_time: int | None = None
    """Epoch milliseconds."""
    state: RunState | None = None
    status: RunStatus | None = None
