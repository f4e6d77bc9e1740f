"""The shapes of the settings of jobs, tasks and runs, as all versions of the API declare them.

Requests are read by them: a wrong type is refused by name, an unknown name is noted in the journal and kept.
"""

from __future__ import annotations

from typing import Any, Literal, Required, TypedDict

from databricks_async.local.clusters.spec import ClusterSpec
from databricks_async.local.jobs import inert_shapes as inert
from databricks_async.local.params import Kept

RunIf = Literal["ALL_DONE", "ALL_FAILED", "ALL_SUCCESS", "AT_LEAST_ONE_FAILED", "AT_LEAST_ONE_SUCCESS", "NONE_FAILED"]
PauseStatus = Literal["PAUSED", "UNPAUSED"]
TaskSource = Literal["WORKSPACE", "GIT"]
Objects = list[dict[str, Any]]


class QueueSettings(TypedDict):
    enabled: bool


class CronTrigger(TypedDict, total=False):
    quartz_cron_expression: Required[str]
    timezone_id: Required[str]


class CronSchedule(CronTrigger, total=False):
    pause_status: PauseStatus
    sql_condition: inert.SqlConditionConfiguration


class FileArrival(TypedDict, total=False):
    """The specification requires no `url`; without one it never fires."""

    min_time_between_triggers_seconds: int
    url: str
    wait_after_last_change_seconds: int


class TableUpdate(TypedDict, total=False):
    condition: Literal["ALL_UPDATED", "ANY_UPDATED"]
    min_time_between_triggers_seconds: int
    table_names: list[str]
    wait_after_last_change_seconds: int


class PeriodicTrigger(TypedDict):
    interval: int
    unit: Literal["DAYS", "HOURS", "MINUTES", "WEEKS"]


class Continuous(TypedDict, total=False):
    maintenance_window: inert.MaintenanceWindow
    pause_status: PauseStatus
    task_retry_mode: Literal["NEVER", "ON_FAILURE"]


class TriggerSettings(TypedDict, total=False):
    file_arrival: FileArrival
    job_completion: inert.JobCompletionTriggerConfiguration
    model: inert.ModelTriggerConfiguration
    pause_status: PauseStatus
    periodic: PeriodicTrigger
    sql_condition: inert.SqlConditionConfiguration
    table_update: TableUpdate


class TriggerConfiguration(TriggerSettings, total=False):
    """One of a job's `triggers`."""

    continuous: Continuous
    schedule: CronTrigger


class EmailNotifications(TypedDict, total=False):
    no_alert_for_skipped_runs: bool
    on_duration_warning_threshold_exceeded: list[str]
    on_failure: list[str]
    on_maintenance_complete: list[str]
    on_maintenance_start: list[str]
    on_start: list[str]
    on_streaming_backlog_exceeded: list[str]
    on_success: list[str]


class Webhook(TypedDict, total=False):
    id: str


class WebhookNotifications(TypedDict, total=False):
    on_duration_warning_threshold_exceeded: list[Webhook]
    on_failure: list[Webhook]
    on_maintenance_complete: list[Webhook]
    on_maintenance_start: list[Webhook]
    on_start: list[Webhook]
    on_streaming_backlog_exceeded: list[Webhook]
    on_success: list[Webhook]


class NotificationSettings(TypedDict, total=False):
    alert_on_last_attempt: bool
    no_alert_for_canceled_runs: bool
    no_alert_for_skipped_runs: bool


class HealthRule(TypedDict):
    metric: str
    op: str
    value: int


class Health(TypedDict, total=False):
    rules: list[HealthRule]


class GitSource(TypedDict, total=False):
    git_branch: str
    git_commit: str
    git_provider: str
    git_snapshot: inert.GitSnapshot
    git_tag: str
    git_url: Required[str]
    job_source: inert.JobSource
    sparse_checkout: inert.SparseCheckout


class RunAs(TypedDict, total=False):
    group_name: str
    service_principal_name: str
    user_name: str


class Environment(TypedDict, total=False):
    environment_key: Required[str]
    spec: inert.Environment


class PyPiLibrary(TypedDict, total=False):
    package: Required[str]
    repo: str


class MavenLibrary(TypedDict, total=False):
    coordinates: Required[str]
    exclusions: list[str]
    repo: str


class Library(TypedDict, total=False):
    cran: PyPiLibrary
    egg: str
    jar: str
    maven: MavenLibrary
    pypi: PyPiLibrary
    requirements: str
    whl: str


class ConditionTask(TypedDict):
    left: str
    op: Literal["EQUAL_TO", "GREATER_THAN", "GREATER_THAN_OR_EQUAL", "LESS_THAN", "LESS_THAN_OR_EQUAL", "NOT_EQUAL"]
    right: str


class NotebookTask(TypedDict, total=False):
    base_parameters: dict[str, str]
    notebook_path: Required[str]
    source: TaskSource
    warehouse_id: str


class SparkPythonTask(TypedDict, total=False):
    parameters: list[str]
    python_file: Required[str]
    source: TaskSource


class PythonWheelTask(TypedDict, total=False):
    entry_point: Required[str]
    named_parameters: dict[str, str]
    package_name: Required[str]
    parameters: list[str]


class SparkJarTask(TypedDict, total=False):
    jar_uri: str
    main_class_name: str
    parameters: list[str]
    run_as_repl: bool


class SparkSubmitTask(TypedDict, total=False):
    parameters: list[str]


class PipelineTask(TypedDict, total=False):
    full_refresh: bool
    full_refresh_selection: list[str]
    parameters: dict[str, str]
    pipeline_id: Required[str]
    refresh_flow_selection: list[str]
    refresh_selection: list[str]
    reset_checkpoint_selection: list[str]


class SqlFile(TypedDict, total=False):
    path: Required[str]
    source: TaskSource


class SqlTask(TypedDict, total=False):
    alert: inert.SqlTaskAlert
    dashboard: inert.SqlTaskDashboard
    file: SqlFile
    parameters: dict[str, str]
    query: inert.SqlTaskQuery
    warehouse_id: Required[str]


class DbtTask(TypedDict, total=False):
    catalog: str
    commands: Required[list[str]]
    profiles_directory: str
    project_directory: str
    schema: str
    source: TaskSource
    warehouse_id: str


class LegacyParameters(TypedDict, total=False):
    """The legacy parameters, one for each kind of task, and what else run-now and repair have in common."""

    dbt_commands: list[str]
    duration_target: str
    jar_params: list[str]
    notebook_params: dict[str, str]
    performance_target: str
    pipeline_params: inert.PipelineParams
    python_named_params: dict[str, str]
    python_params: list[str]
    spark_submit_params: list[str]
    sql_params: dict[str, str]


class RunJobTask(LegacyParameters, total=False):
    job_id: Required[int]
    job_parameters: dict[str, str]


class TaskDependency(TypedDict, total=False):
    outcome: str
    task_key: Required[str]


class Work(TypedDict, total=False):
    """What a task does, on which compute, and how often it is retried.

    These are settings of a task, and in the single-task format settings of the job or the run itself.
    """

    ai_function_task: Kept[inert.AiFunctionTask]
    ai_runtime_task: Kept[inert.AiRuntimeTask]
    alert_task: Kept[inert.AlertTask]
    clean_rooms_notebook_task: Kept[inert.CleanRoomsNotebookTask]
    condition_task: Kept[ConditionTask]
    dashboard_task: Kept[inert.DashboardTask]
    dbt_cloud_task: Kept[inert.DbtCloudTask]
    dbt_platform_task: Kept[inert.DbtPlatformTask]
    dbt_task: Kept[DbtTask]
    environment_key: str
    existing_cluster_id: str
    gen_ai_compute_task: Kept[inert.GenAiComputeTask]
    libraries: list[Kept[Library]]
    max_retries: int
    min_retry_interval_millis: int
    new_cluster: Kept[ClusterSpec]
    notebook_task: Kept[NotebookTask]
    pipeline_task: Kept[PipelineTask]
    power_bi_task: Kept[inert.PowerBiTask]
    python_operator_task: Kept[inert.PythonOperatorTask]
    python_wheel_task: Kept[PythonWheelTask]
    retry_on_timeout: bool
    run_job_task: Kept[RunJobTask]
    spark_jar_task: Kept[SparkJarTask]
    spark_python_task: Kept[SparkPythonTask]
    spark_submit_task: Kept[SparkSubmitTask]
    sql_task: Kept[SqlTask]


class NestedTask(Work, total=False):
    """A task, apart from `for_each_task`."""

    compute: inert.Compute
    depends_on: list[TaskDependency]
    description: str
    disable_auto_optimization: bool
    disabled: bool
    email_notifications: EmailNotifications
    environment_variables_key: str
    health: Health
    job_cluster_key: str
    notification_settings: NotificationSettings
    run_if: RunIf
    task_key: Required[str]
    timeout_seconds: int
    webhook_notifications: WebhookNotifications


class ForEachTask(TypedDict, total=False):
    concurrency: int
    inputs: Required[str]
    task: Required[NestedTask]


class Task(NestedTask, total=False):
    for_each_task: ForEachTask


class JobParameter(TypedDict):
    default: str
    name: str


class JobCluster(TypedDict, total=False):
    job_cluster_key: Required[str]
    new_cluster: ClusterSpec
    serverless_compute_id: str


class JobSettings(Work, total=False):
    """Every setting of a job."""

    budget_policy_id: str
    continuous: Kept[Continuous]
    deployment: Kept[inert.JobDeployment]
    description: str
    duration_target: str
    edit_mode: Literal["EDITABLE", "UI_LOCKED"]
    email_notifications: Kept[EmailNotifications]
    environment_variables: list[Kept[inert.JobEnvironmentVariables]]
    environments: list[Kept[Environment]]
    format: Literal["MULTI_TASK", "SINGLE_TASK"]
    git_source: Kept[GitSource]
    health: Kept[Health]
    job_clusters: list[Kept[JobCluster]]
    max_concurrent_runs: int
    name: str
    notification_settings: Kept[NotificationSettings]
    parameters: list[Kept[JobParameter]]
    parent_path: str
    performance_target: str
    queue: Kept[QueueSettings]
    run_as: Kept[RunAs]
    schedule: Kept[CronSchedule]
    tags: dict[str, str]
    tasks: list[Kept[Task]]
    timeout_seconds: int
    trigger: Kept[TriggerSettings]
    triggers: list[Kept[TriggerConfiguration]]
    usage_policy_id: str
    webhook_notifications: Kept[WebhookNotifications]


class SubmitSettings(Work, total=False):
    """Every setting of a run that has no job."""

    budget_policy_id: str
    duration_target: str
    email_notifications: Kept[EmailNotifications]
    environment_variables: list[Kept[inert.JobEnvironmentVariables]]
    environments: list[Kept[Environment]]
    git_source: Kept[GitSource]
    health: Kept[Health]
    notification_settings: Kept[NotificationSettings]
    performance_target: str
    queue: Kept[QueueSettings]
    run_as: Kept[RunAs]
    tasks: list[Kept[Task]]
    timeout_seconds: int
    usage_policy_id: str
    webhook_notifications: Kept[WebhookNotifications]
