"""The shapes of settings that have no effect here: they are checked, and shown as they were given.

Names and types are those of the official SDK. Of what the specification has, nothing is required that it does not
require.
"""

from __future__ import annotations

from typing import Required, TypedDict


class Environment(TypedDict, total=False):
    base_environment: str
    client: str
    dependencies: list[str]
    environment_version: str
    java_dependencies: list[str]
    project_environment: str


class AiClassifyFunctionLabel(TypedDict, total=False):
    description: str
    name: Required[str]


class AiClassifyFunctionInlineLabels(TypedDict, total=False):
    labels: Required[list[AiClassifyFunctionLabel]]


class AiClassifyFunction(TypedDict, total=False):
    enable_confidence_scores: bool
    enable_rationales: bool
    inline_labels: AiClassifyFunctionInlineLabels
    instructions: str
    multilabel: bool
    version: Required[str]


class AiExtractFunction(TypedDict, total=False):
    enable_citations: bool
    enable_confidence_scores: bool
    instructions: str
    mode: str
    schema: str
    version: Required[str]


class AiParseDocumentFunction(TypedDict, total=False):
    description_element_types: list[str]
    image_output_path: str
    page_range: str
    version: Required[str]


class DeltaTableSource(TypedDict, total=False):
    input_column: Required[str]
    merge_key_columns: list[str]
    table_name: Required[str]


class QualifiedName(TypedDict, total=False):
    catalog: str
    schema: str
    table: str


class VolumeSource(TypedDict, total=False):
    volume_path: Required[str]


class AiFunctionTask(TypedDict, total=False):
    ai_classify: AiClassifyFunction
    ai_extract: AiExtractFunction
    ai_parse_document: AiParseDocumentFunction
    delta_table: DeltaTableSource
    output: Required[QualifiedName]
    volume: VolumeSource


class ComputeSpec(TypedDict, total=False):
    accelerator_count: Required[int]
    accelerator_type: Required[str]
    provisioned_capacity_id: str


class DeploymentSpec(TypedDict, total=False):
    command_path: str
    compute: Required[ComputeSpec]
    name: str


class AiRuntimeTask(TypedDict, total=False):
    code_source_path: str
    deployments: Required[list[DeploymentSpec]]
    docker_image_url: str
    experiment: Required[str]
    mlflow_artifact_location: str
    mlflow_experiment_directory: str
    mlflow_run: str
    priority_class: str
    unity_catalog_image_path: str


class AlertTaskSubscriber(TypedDict, total=False):
    destination_id: str
    user_name: str


class AlertTask(TypedDict, total=False):
    alert_id: str
    parameters: dict[str, str]
    subscribers: list[AlertTaskSubscriber]
    warehouse_id: str
    workspace_path: str


class CleanRoomsNotebookTask(TypedDict, total=False):
    clean_room_name: Required[str]
    etag: str
    notebook_base_parameters: dict[str, str]
    notebook_name: Required[str]


class SubscriptionAttachmentDataAttachmentWidget(TypedDict, total=False):
    page_id: Required[str]
    widget_id: Required[str]


class SubscriptionAttachmentDataAttachment(TypedDict, total=False):
    file_format: Required[str]
    include_applied_filters: bool
    widgets: Required[list[SubscriptionAttachmentDataAttachmentWidget]]


class SubscriptionAttachmentPageAttachment(TypedDict, total=False):
    page_ids: list[str]
    page_selection: str


class SubscriptionAttachment(TypedDict, total=False):
    data_attachment: SubscriptionAttachmentDataAttachment
    page_attachment: SubscriptionAttachmentPageAttachment


class SubscriptionSubscriber(TypedDict, total=False):
    destination_id: str
    user_name: str


class Subscription(TypedDict, total=False):
    attachment: SubscriptionAttachment
    custom_subject: str
    paused: bool
    subscribers: list[SubscriptionSubscriber]


class DashboardTask(TypedDict, total=False):
    dashboard_id: str
    filters: dict[str, str]
    subscription: Subscription
    warehouse_id: str


class DbtCloudTask(TypedDict, total=False):
    connection_resource_name: str
    dbt_cloud_job_id: int


class DbtPlatformTask(TypedDict, total=False):
    connection_resource_name: str
    dbt_platform_job_id: str


class ComputeConfig(TypedDict, total=False):
    gpu_node_pool_id: str
    gpu_type: str
    num_gpus: Required[int]


class GenAiComputeTask(TypedDict, total=False):
    command: str
    compute: ComputeConfig
    dl_runtime_image: Required[str]
    mlflow_experiment_name: str
    source: str
    training_script_path: str
    yaml_parameters: str
    yaml_parameters_file_path: str


class PowerBiModel(TypedDict, total=False):
    authentication_method: str
    model_name: str
    overwrite_existing: bool
    storage_mode: str
    workspace_name: str


class PowerBiTable(TypedDict, total=False):
    catalog: str
    name: str
    schema: str
    storage_mode: str


class PowerBiTask(TypedDict, total=False):
    connection_resource_name: str
    power_bi_model: PowerBiModel
    refresh_after_update: bool
    tables: list[PowerBiTable]
    warehouse_id: str


class PythonOperatorTaskParameter(TypedDict, total=False):
    name: str
    value: str


class PythonOperatorTask(TypedDict, total=False):
    main: str
    parameters: list[PythonOperatorTaskParameter]


class PipelineParams(TypedDict, total=False):
    full_refresh: bool
    full_refresh_selection: list[str]
    refresh_flow_selection: list[str]
    refresh_selection: list[str]
    reset_checkpoint_selection: list[str]


class SqlTaskSubscription(TypedDict, total=False):
    destination_id: str
    user_name: str


class SqlTaskAlert(TypedDict, total=False):
    alert_id: str
    pause_subscriptions: bool
    subscriptions: list[SqlTaskSubscription]


class SqlTaskDashboard(TypedDict, total=False):
    custom_subject: str
    dashboard_id: str
    pause_subscriptions: bool
    subscriptions: list[SqlTaskSubscription]


class SqlTaskQuery(TypedDict, total=False):
    query_id: str


class SqlConditionConfiguration(TypedDict, total=False):
    sql_query_id: Required[str]
    trigger_mode: str
    warehouse_id: Required[str]


class ModelTriggerConfiguration(TypedDict, total=False):
    aliases: list[str]
    condition: Required[str]
    min_time_between_triggers_seconds: int
    securable_name: str
    wait_after_last_change_seconds: int


class JobCompletionTriggerConfigurationMonitoredJob(TypedDict, total=False):
    job_id: Required[str]
    workspace_id: Required[str]


class JobCompletionTriggerConfiguration(TypedDict, total=False):
    if_status: str
    jobs: Required[list[JobCompletionTriggerConfigurationMonitoredJob]]


class MaintenanceWindow(TypedDict, total=False):
    day_of_week: Required[str]
    start_hour: Required[int]
    timezone_id: Required[str]


class GitSnapshot(TypedDict, total=False):
    used_commit: str


class JobSource(TypedDict, total=False):
    dirty_state: str
    import_from_git_branch: Required[str]
    job_config_path: Required[str]


class SparseCheckout(TypedDict, total=False):
    patterns: list[str]


class JobDeployment(TypedDict, total=False):
    deployment_id: str
    kind: Required[str]
    metadata_file_path: str
    version_id: str


class JobEnvironmentVariablesSpec(TypedDict, total=False):
    files: list[str]
    variables: dict[str, str]


class JobEnvironmentVariables(TypedDict, total=False):
    environment_variables_key: Required[str]
    spec: JobEnvironmentVariablesSpec


class Compute(TypedDict, total=False):
    hardware_accelerator: str
