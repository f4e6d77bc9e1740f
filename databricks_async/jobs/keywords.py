"""The keywords that make and run jobs, made from the models by tests/support/keywords.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

from databricks_async.clusters.models.spec import ClusterSpec
from databricks_async.codec.given import Given, Text, Texts
from databricks_async.jobs.models.compute import GitSource, JobCluster, JobEnvironment, JobEnvironmentVariables
from databricks_async.jobs.models.notifications import (
    JobEmailNotifications,
    JobNotificationSettings,
    JobsHealthRules,
    WebhookNotifications,
)
from databricks_async.jobs.models.permissions import JobAccessControlRequest
from databricks_async.jobs.models.settings import JobDeployment, JobParameterDefinition, JobRunAs, QueueSettings
from databricks_async.jobs.models.settings_enums import Format, JobEditMode, PerformanceTarget, RunIf
from databricks_async.jobs.models.task_kinds import (
    CleanRoomsNotebookTask,
    ConditionTask,
    DbtCloudTask,
    DbtPlatformTask,
    DbtTask,
    NotebookTask,
    PipelineParams,
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
from databricks_async.jobs.models.tasks import Compute, ForEachTask, Task, TaskDependency
from databricks_async.jobs.models.triggers import Continuous, CronSchedule, TriggerConfiguration, TriggerSettings
from databricks_async.libraries.models import Library


class JobKeywords(TypedDict, total=False):
    """The fields of a `CreateJob`, and those of its task if it has one only."""

    budget_policy_id: str | None
    """The budget policy to which the cost is attributed; the default one if not given."""
    continuous: Given[Continuous] | None
    """Not together with schedule."""
    deployment: Given[JobDeployment] | None
    """What manages the job from outside."""
    description: str | None
    """27,700 bytes at most."""
    duration_target: str | None
    """Hours within which the run may be done, for example `4h`; only for cost-optimized serverless runs."""
    edit_mode: JobEditMode | str | None
    """Whether the job can be edited in the web UI."""
    email_notifications: Given[JobEmailNotifications] | None
    """Addresses to write to, by occasion."""
    environment_variables: Sequence[Given[JobEnvironmentVariables]] | None
    """10 at most."""
    environments: Sequence[Given[JobEnvironment]] | None
    """Environments of serverless tasks, each with a key by which tasks name it."""
    format: Format | str | None
    """Whether the job has one task or a list of tasks; ignored in requests."""
    git_source: Given[GitSource] | None
    """The Git repository that holds the sources of the tasks."""
    health: Given[JobsHealthRules] | None
    """Rules by which a run counts as unhealthy."""
    job_clusters: Sequence[Given[JobCluster]] | None
    """Clusters that tasks of a run share, each with a key by which tasks name it."""
    max_concurrent_runs: int | None
    """0 to 1,000; 1 if absent. 0 skips every run."""
    name: str | None
    """4,096 bytes at most."""
    notification_settings: Given[JobNotificationSettings] | None
    """Which of the notifications to leave out."""
    parameters: Sequence[Given[JobParameterDefinition]] | None
    """The parameters of the job."""
    parent_path: str | None
    """The folder of the workspace file that stands for the job."""
    performance_target: PerformanceTarget | str | None
    """How serverless compute is run: for speed or for cost."""
    queue: Given[QueueSettings] | None
    """Whether runs wait in a queue when they cannot start."""
    run_as: Given[JobRunAs] | None
    """Only in requests: an answer has run_as_user_name."""
    schedule: Given[CronSchedule] | None
    """When runs are started."""
    tags: Mapping[str, Text] | None
    """25 at most; also set on the job clusters."""
    tasks: Sequence[Given[Task]] | None
    """1,000 at most."""
    timeout_seconds: int | None
    """0 is no limit."""
    trigger: Given[TriggerSettings] | None
    """What starts runs."""
    triggers: Sequence[Given[TriggerConfiguration]] | None
    """Instead of schedule, trigger and continuous."""
    usage_policy_id: str | None
    """The usage policy to which the cost is attributed; the default one if not given."""
    webhook_notifications: Given[WebhookNotifications] | None
    """Notification destinations to call, by occasion."""
    access_control_list: Sequence[Given[JobAccessControlRequest]] | None
    """Who may do what with it."""
    ai_function_task: Given[AiFunctionTask] | None
    """Applies an AI function to each of its inputs."""
    ai_runtime_task: Given[AiRuntimeTask] | None
    """Trains or runs a model on GPUs."""
    alert_task: Given[AlertTask] | None
    """Evaluates an alert."""
    clean_rooms_notebook_task: Given[CleanRoomsNotebookTask] | None
    """Runs a notebook in a clean room."""
    compute: Given[Compute] | None
    """The compute of a serverless task."""
    dashboard_task: Given[DashboardTask] | None
    """Refreshes a dashboard and sends a snapshot."""
    dbt_cloud_task: Given[DbtCloudTask] | None
    """Deprecated: use dbt_platform_task."""
    dbt_platform_task: Given[DbtPlatformTask] | None
    """Runs a job of the dbt platform."""
    dbt_task: Given[DbtTask] | None
    """Runs dbt commands."""
    depends_on: Sequence[Given[TaskDependency]] | None
    """Tasks that must have ended first; run_if says how."""
    disable_auto_optimization: bool | None
    """Whether serverless compute leaves out automatic retries and tuning."""
    disabled: bool | None
    """Whether the task stays out of the runs of its job."""
    environment_key: str | None
    """Which of the job's `environments` it runs in."""
    environment_variables_key: str | None
    """Which of the job's `environment_variables` it gets."""
    existing_cluster_id: str | None
    """One of existing_cluster_id, job_cluster_key and new_cluster, or none for serverless compute."""
    gen_ai_compute_task: Given[GenAiComputeTask] | None
    """Deprecated: use ai_runtime_task."""
    job_cluster_key: str | None
    """Which of the job's `job_clusters` it runs on."""
    libraries: Sequence[Given[Library]] | None
    """Libraries to install on the cluster."""
    max_retries: int | None
    """-1 is without end, 0 never."""
    min_retry_interval_millis: int | None
    """Milliseconds from the start of a failed run to the start of the next."""
    new_cluster: Given[ClusterSpec] | None
    """The specification of a cluster made for this run alone."""
    notebook_task: Given[NotebookTask] | None
    """Runs a notebook."""
    pipeline_task: Given[PipelineTask] | None
    """Updates a pipeline."""
    power_bi_task: Given[PowerBiTask] | None
    """Updates a Power BI semantic model."""
    python_operator_task: Given[PythonOperatorTask] | None
    """Runs a Python class or function."""
    python_wheel_task: Given[PythonWheelTask] | None
    """Runs an entry point of a Python wheel."""
    retry_on_timeout: bool | None
    """Whether a task that ran out of time is tried again; not by default."""
    run_if: RunIf | str | None
    """ALL_SUCCESS if absent."""
    run_job_task: Given[RunJobTask] | None
    """Runs another job."""
    spark_jar_task: Given[SparkJarTask] | None
    """Runs the main class of a JAR."""
    spark_python_task: Given[SparkPythonTask] | None
    """Runs a Python file."""
    spark_submit_task: Given[SparkSubmitTask] | None
    """Runs spark-submit, which is deprecated."""
    sql_task: Given[SqlTask] | None
    """Runs a query or file, or refreshes an alert or dashboard, on a SQL warehouse."""
    condition_task: Given[ConditionTask] | None
    """Compares two values; tasks that follow depend on the outcome."""
    for_each_task: Given[ForEachTask] | None
    """Runs a nested task for each of its inputs."""


class RunNowKeywords(TypedDict, total=False):
    """The fields of a `RunNow`."""

    dbt_commands: Texts | None
    """Deprecated: use job_parameters."""
    jar_params: Texts | None
    """Deprecated: use job_parameters."""
    notebook_params: Mapping[str, Text] | None
    """Deprecated: use job_parameters."""
    pipeline_params: Given[PipelineParams] | None
    """How pipelines are updated."""
    python_named_params: Mapping[str, Text] | None
    """Named parameters of Python wheel tasks."""
    python_params: Texts | None
    """Deprecated: use job_parameters."""
    spark_submit_params: Texts | None
    """Deprecated: use job_parameters."""
    sql_params: Mapping[str, Text] | None
    """Deprecated: use job_parameters."""
    job_id: int | None
    """The job to run."""
    duration_target: str | None
    """Hours within which the run may be done, for example `4h`; only for cost-optimized serverless runs."""
    idempotency_token: str | None
    """64 characters at most. A second request with the same token gets the run of the first."""
    job_parameters: Mapping[str, Text] | None
    """Values for the job's parameters, by name."""
    only: Texts | None
    """Keys of the tasks to run; absent: all."""
    performance_target: PerformanceTarget | str | None
    """How serverless compute is run: for speed or for cost."""
    queue: Given[QueueSettings] | None
    """Whether runs wait in a queue when they cannot start."""


class RepairRunKeywords(TypedDict, total=False):
    """The fields of a `RepairRun`."""

    dbt_commands: Texts | None
    """Deprecated: use job_parameters."""
    jar_params: Texts | None
    """Deprecated: use job_parameters."""
    notebook_params: Mapping[str, Text] | None
    """Deprecated: use job_parameters."""
    pipeline_params: Given[PipelineParams] | None
    """How pipelines are updated."""
    python_named_params: Mapping[str, Text] | None
    """Named parameters of Python wheel tasks."""
    python_params: Texts | None
    """Deprecated: use job_parameters."""
    spark_submit_params: Texts | None
    """Deprecated: use job_parameters."""
    sql_params: Mapping[str, Text] | None
    """Deprecated: use job_parameters."""
    run_id: int | None
    """The run to repair."""
    duration_target: str | None
    """Hours within which the run may be done, for example `4h`; only for cost-optimized serverless runs."""
    job_parameters: Mapping[str, Text] | None
    """Values for the job's parameters, by name."""
    latest_repair_id: int | None
    """The repair_id of the repair before; needed for every repair but the first."""
    performance_target: PerformanceTarget | str | None
    """How serverless compute is run: for speed or for cost."""
    rerun_all_failed_tasks: bool | None
    """Not together with rerun_tasks."""
    rerun_dependent_tasks: bool | None
    """Whether tasks that depend on them run again too, also those that succeeded."""
    rerun_tasks: Texts | None
    """Keys of tasks."""
