"""Tasks: the pieces of work of a job or of a one-time run."""

from __future__ import annotations

import attrs

from databricks_async.clusters.models.spec import ClusterSpec
from databricks_async.codec import Model
from databricks_async.jobs.models.notifications import (
    JobEmailNotifications,
    JobsHealthRules,
    TaskEmailNotifications,
    TaskNotificationSettings,
    WebhookNotifications,
)
from databricks_async.jobs.models.settings_enums import HardwareAcceleratorType, RunIf
from databricks_async.jobs.models.task_kinds import (
    CleanRoomsNotebookTask,
    ConditionTask,
    DbtCloudTask,
    DbtPlatformTask,
    DbtTask,
    NotebookTask,
    PipelineTask,
    PythonOperatorTask,
    PythonWheelTask,
    RunJobTask,
    SparkJarTask,
    SparkPythonTask,
    SparkSubmitTask,
)
from databricks_async.jobs.models.task_kinds_ai import AiFunctionTask, AiRuntimeTask, GenAiComputeTask
from databricks_async.jobs.models.task_kinds_sql import AlertTask, DashboardTask, PowerBiTask, SqlTask
from databricks_async.libraries.models import Library


@attrs.define(kw_only=True, repr=False)
class TaskDependency(Model):
    """A task that must have ended first."""

    task_key: str | None
    outcome: str | None = None
    """`true` or `false`: only after a condition task."""


@attrs.define(kw_only=True, repr=False)
class Compute(Model):
    """What serverless compute must have."""

    hardware_accelerator: HardwareAcceleratorType | None = None


@attrs.define(kw_only=True, repr=False)
class AnyTask(Model):
    """What all tasks have in common. Exactly one of the `..._task` fields says what is done."""

    task_key: str | None
    """Unique within the job or run."""
    ai_function_task: AiFunctionTask | None = None
    ai_runtime_task: AiRuntimeTask | None = None
    alert_task: AlertTask | None = None
    clean_rooms_notebook_task: CleanRoomsNotebookTask | None = None
    compute: Compute | None = None
    dashboard_task: DashboardTask | None = None
    dbt_cloud_task: DbtCloudTask | None = None
    """Deprecated: use dbt_platform_task."""
    dbt_platform_task: DbtPlatformTask | None = None
    dbt_task: DbtTask | None = None
    depends_on: list[TaskDependency] | None = None
    """Tasks that must have ended first; run_if says how."""
    description: str | None = None
    disable_auto_optimization: bool | None = None
    disabled: bool | None = None
    """Whether the task stays out of the runs of its job."""
    environment_key: str | None = None
    environment_variables_key: str | None = None
    existing_cluster_id: str | None = None
    """One of existing_cluster_id, job_cluster_key and new_cluster, or none for serverless compute."""
    gen_ai_compute_task: GenAiComputeTask | None = None
    """Deprecated: use ai_runtime_task."""
    job_cluster_key: str | None = None
    libraries: list[Library] | None = None
    max_retries: int | None = None
    """-1 is without end, 0 never."""
    min_retry_interval_millis: int | None = None
    """Milliseconds from the start of a failed run to the start of the next."""
    new_cluster: ClusterSpec | None = None
    notebook_task: NotebookTask | None = None
    notification_settings: TaskNotificationSettings | None = None
    pipeline_task: PipelineTask | None = None
    power_bi_task: PowerBiTask | None = None
    python_operator_task: PythonOperatorTask | None = None
    python_wheel_task: PythonWheelTask | None = None
    retry_on_timeout: bool | None = None
    run_if: RunIf | None = None
    """ALL_SUCCESS if absent."""
    run_job_task: RunJobTask | None = None
    spark_jar_task: SparkJarTask | None = None
    spark_python_task: SparkPythonTask | None = None
    spark_submit_task: SparkSubmitTask | None = None
    sql_task: SqlTask | None = None
    timeout_seconds: int | None = None
    """0 is no limit."""
    webhook_notifications: WebhookNotifications | None = None


@attrs.define(kw_only=True, repr=False)
class Task(AnyTask):
    """A task of a job."""

    condition_task: ConditionTask | None = None
    email_notifications: TaskEmailNotifications | None = None
    for_each_task: ForEachTask | None = None
    health: JobsHealthRules | None = None


@attrs.define(kw_only=True, repr=False)
class ForEachTask(Model):
    """Runs a task once for each input."""

    inputs: str | None
    """A list as JSON text, or a reference to a parameter or a task value that is one."""
    task: Task | None
    concurrency: int | None = None
    """How many at once; 1 if absent."""


@attrs.define(kw_only=True, repr=False)
class SubmitTask(AnyTask):
    """A task of a one-time run."""

    condition_task: ConditionTask | None = None
    email_notifications: JobEmailNotifications | None = None
    for_each_task: ForEachTask | None = None
    health: JobsHealthRules | None = None
