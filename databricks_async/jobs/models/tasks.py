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

__all__ = [
    "AnyTask",
    "Compute",
    "ForEachTask",
    "SubmitTask",
    "Task",
    "TaskDependency",
]


@attrs.define(kw_only=True, repr=False, eq=False)
class TaskDependency(Model):
    """A task that must have ended first."""

    task_key: str | None
    """The task that has to be done before."""
    outcome: str | None = None
    """`true` or `false`: only after a condition task."""


@attrs.define(kw_only=True, repr=False, eq=False)
class Compute(Model):
    """What serverless compute must have."""

    hardware_accelerator: HardwareAcceleratorType | None = None
    """The accelerator of serverless GPU work."""


@attrs.define(kw_only=True, repr=False, eq=False)
class AnyTask(Model):
    """What all tasks have in common. Exactly one of the `..._task` fields says what is done."""

    task_key: str | None
    """Unique within the job or run."""
    ai_function_task: AiFunctionTask | None = None
    """Applies an AI function to each of its inputs."""
    ai_runtime_task: AiRuntimeTask | None = None
    """Trains or runs a model on GPUs."""
    alert_task: AlertTask | None = None
    """Evaluates an alert."""
    clean_rooms_notebook_task: CleanRoomsNotebookTask | None = None
    """Runs a notebook in a clean room."""
    compute: Compute | None = None
    """The compute of a serverless task."""
    dashboard_task: DashboardTask | None = None
    """Refreshes a dashboard and sends a snapshot."""
    dbt_cloud_task: DbtCloudTask | None = None
    """Deprecated: use dbt_platform_task."""
    dbt_platform_task: DbtPlatformTask | None = None
    """Runs a job of the dbt platform."""
    dbt_task: DbtTask | None = None
    """Runs dbt commands."""
    depends_on: list[TaskDependency] | None = None
    """Tasks that must have ended first; run_if says how."""
    description: str | None = None
    """The description of the task."""
    disable_auto_optimization: bool | None = None
    """Whether serverless compute leaves out automatic retries and tuning."""
    disabled: bool | None = None
    """Whether the task stays out of the runs of its job."""
    environment_key: str | None = None
    """Which of the job's `environments` it runs in."""
    environment_variables_key: str | None = None
    """Which of the job's `environment_variables` it gets."""
    existing_cluster_id: str | None = None
    """One of existing_cluster_id, job_cluster_key and new_cluster, or none for serverless compute."""
    gen_ai_compute_task: GenAiComputeTask | None = None
    """Deprecated: use ai_runtime_task."""
    job_cluster_key: str | None = None
    """Which of the job's `job_clusters` it runs on."""
    libraries: list[Library] | None = None
    """Libraries to install on the cluster."""
    max_retries: int | None = None
    """-1 is without end, 0 never."""
    min_retry_interval_millis: int | None = None
    """Milliseconds from the start of a failed run to the start of the next."""
    new_cluster: ClusterSpec | None = None
    """The specification of a cluster made for this run alone."""
    notebook_task: NotebookTask | None = None
    """Runs a notebook."""
    notification_settings: TaskNotificationSettings | None = None
    """Which of the notifications to leave out."""
    pipeline_task: PipelineTask | None = None
    """Updates a pipeline."""
    power_bi_task: PowerBiTask | None = None
    """Updates a Power BI semantic model."""
    python_operator_task: PythonOperatorTask | None = None
    """Runs a Python class or function."""
    python_wheel_task: PythonWheelTask | None = None
    """Runs an entry point of a Python wheel."""
    retry_on_timeout: bool | None = None
    """Whether a task that ran out of time is tried again; not by default."""
    run_if: RunIf | None = None
    """ALL_SUCCESS if absent."""
    run_job_task: RunJobTask | None = None
    """Runs another job."""
    spark_jar_task: SparkJarTask | None = None
    """Runs the main class of a JAR."""
    spark_python_task: SparkPythonTask | None = None
    """Runs a Python file."""
    spark_submit_task: SparkSubmitTask | None = None
    """Runs spark-submit, which is deprecated."""
    sql_task: SqlTask | None = None
    """Runs a query or file, or refreshes an alert or dashboard, on a SQL warehouse."""
    timeout_seconds: int | None = None
    """0 is no limit."""
    webhook_notifications: WebhookNotifications | None = None
    """Notification destinations to call, by occasion."""


@attrs.define(kw_only=True, repr=False, eq=False)
class Task(AnyTask):
    """A task of a job."""

    condition_task: ConditionTask | None = None
    """Compares two values; tasks that follow depend on the outcome."""
    email_notifications: TaskEmailNotifications | None = None
    """Addresses to write to, by occasion."""
    for_each_task: ForEachTask | None = None
    """Runs a nested task for each of its inputs."""
    health: JobsHealthRules | None = None
    """Rules by which a run counts as unhealthy."""


@attrs.define(kw_only=True, repr=False, eq=False)
class ForEachTask(Model):
    """Runs a task once for each input."""

    inputs: str | None
    """A list as JSON text, or a reference to a parameter or a task value that is one."""
    task: Task | None
    """The task that is run for each input."""
    concurrency: int | None = None
    """How many at once; 1 if absent."""


@attrs.define(kw_only=True, repr=False, eq=False)
class SubmitTask(AnyTask):
    """A task of a one-time run."""

    condition_task: ConditionTask | None = None
    """Compares two values; tasks that follow depend on the outcome."""
    email_notifications: JobEmailNotifications | None = None
    """Addresses to write to, by occasion."""
    for_each_task: ForEachTask | None = None
    """Runs a nested task for each of its inputs."""
    health: JobsHealthRules | None = None
    """Rules by which a run counts as unhealthy."""
