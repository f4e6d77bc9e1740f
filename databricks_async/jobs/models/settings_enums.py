"""The enums of a job's settings."""

from __future__ import annotations

from databricks_async.codec import OpenEnum

__all__ = [
    "AiExtractFunctionMode",
    "AiParseDocumentFunctionDescriptionElementType",
    "AiRuntimeTaskPriorityClass",
    "AuthenticationMethod",
    "ComputeSpecAcceleratorType",
    "Condition",
    "ConditionTaskOp",
    "DayOfWeek",
    "Format",
    "GitProvider",
    "HardwareAcceleratorType",
    "JobCompletionTriggerConfigurationIfStatus",
    "JobDeploymentKind",
    "JobEditMode",
    "JobPermissionLevel",
    "JobSourceDirtyState",
    "JobsHealthMetric",
    "JobsHealthOperator",
    "ModelTriggerConfigurationCondition",
    "PauseStatus",
    "PerformanceTarget",
    "PeriodicTriggerConfigurationTimeUnit",
    "RunIf",
    "Source",
    "SqlConditionTriggerMode",
    "StorageMode",
    "SubscriptionAttachmentDataAttachmentFileFormat",
    "SubscriptionAttachmentPageAttachmentPageSelection",
    "TaskRetryMode",
    "ViewsToExport",
]


class AiExtractFunctionMode(OpenEnum):
    """What an extraction goes for."""

    MODE_PRECISION = "MODE_PRECISION"


class AiParseDocumentFunctionDescriptionElementType(OpenEnum):
    """Which parts of a document get a description."""

    DESCRIPTION_ELEMENT_TYPE_ALL = "DESCRIPTION_ELEMENT_TYPE_ALL"
    DESCRIPTION_ELEMENT_TYPE_FIGURE = "DESCRIPTION_ELEMENT_TYPE_FIGURE"


class AiRuntimeTaskPriorityClass(OpenEnum):
    """Who goes first on reserved machines."""

    BEST_EFFORT = "BEST_EFFORT"
    CRITICAL = "CRITICAL"
    NORMAL = "NORMAL"


class AuthenticationMethod(OpenEnum):
    """How Power BI logs in."""

    OAUTH = "OAUTH"
    PAT = "PAT"


class ComputeSpecAcceleratorType(OpenEnum):
    """Machines with accelerators: how many of which."""

    GPU_1X_A10 = "GPU_1xA10"
    GPU_1X_H100 = "GPU_1xH100"
    GPU_8X_B300 = "GPU_8xB300"
    GPU_8X_H100 = "GPU_8xH100"


class Condition(OpenEnum):
    """Whether one updated table is enough, or all must be."""

    ALL_UPDATED = "ALL_UPDATED"
    ANY_UPDATED = "ANY_UPDATED"


class ConditionTaskOp(OpenEnum):
    """How two values are compared. Only EQUAL_TO and NOT_EQUAL compare as text."""

    EQUAL_TO = "EQUAL_TO"
    GREATER_THAN = "GREATER_THAN"
    GREATER_THAN_OR_EQUAL = "GREATER_THAN_OR_EQUAL"
    LESS_THAN = "LESS_THAN"
    LESS_THAN_OR_EQUAL = "LESS_THAN_OR_EQUAL"
    NOT_EQUAL = "NOT_EQUAL"


class DayOfWeek(OpenEnum):
    """A day of the week."""

    FRIDAY = "FRIDAY"
    MONDAY = "MONDAY"
    SATURDAY = "SATURDAY"
    SUNDAY = "SUNDAY"
    THURSDAY = "THURSDAY"
    TUESDAY = "TUESDAY"
    WEDNESDAY = "WEDNESDAY"


class Format(OpenEnum):
    """Whether a job has one task, or a list of tasks."""

    MULTI_TASK = "MULTI_TASK"
    SINGLE_TASK = "SINGLE_TASK"


class GitProvider(OpenEnum):
    """Who hosts a repository."""

    AWS_CODE_COMMIT = "awsCodeCommit"
    AZURE_DEV_OPS_SERVICES = "azureDevOpsServices"
    BITBUCKET_CLOUD = "bitbucketCloud"
    BITBUCKET_SERVER = "bitbucketServer"
    GIT_HUB = "gitHub"
    GIT_HUB_ENTERPRISE = "gitHubEnterprise"
    GIT_LAB = "gitLab"
    GIT_LAB_ENTERPRISE_EDITION = "gitLabEnterpriseEdition"


class HardwareAcceleratorType(OpenEnum):
    """Accelerators of serverless compute."""

    GPU_1X_A10 = "GPU_1xA10"
    GPU_1X_H100 = "GPU_1xH100"
    GPU_8X_B300 = "GPU_8xB300"
    GPU_8X_H100 = "GPU_8xH100"


class JobCompletionTriggerConfigurationIfStatus(OpenEnum):
    """How another job must have ended."""

    DONE = "DONE"
    FAILED = "FAILED"
    SUCCESS = "SUCCESS"


class JobDeploymentKind(OpenEnum):
    """What manages a job."""

    BUNDLE = "BUNDLE"
    SYSTEM_MANAGED = "SYSTEM_MANAGED"


class JobEditMode(OpenEnum):
    """Whether people may change a job."""

    EDITABLE = "EDITABLE"
    UI_LOCKED = "UI_LOCKED"


class JobPermissionLevel(OpenEnum):
    """A permission level of a job."""

    CAN_MANAGE = "CAN_MANAGE"
    CAN_MANAGE_RUN = "CAN_MANAGE_RUN"
    CAN_VIEW = "CAN_VIEW"
    IS_OWNER = "IS_OWNER"


class JobSourceDirtyState(OpenEnum):
    """How a job differs from its definition in the repository."""

    DISCONNECTED = "DISCONNECTED"
    NOT_SYNCED = "NOT_SYNCED"


class JobsHealthMetric(OpenEnum):
    """What a health rule looks at."""

    RUN_DURATION_SECONDS = "RUN_DURATION_SECONDS"
    STREAMING_BACKLOG_BYTES = "STREAMING_BACKLOG_BYTES"
    STREAMING_BACKLOG_FILES = "STREAMING_BACKLOG_FILES"
    STREAMING_BACKLOG_RECORDS = "STREAMING_BACKLOG_RECORDS"
    STREAMING_BACKLOG_SECONDS = "STREAMING_BACKLOG_SECONDS"


class JobsHealthOperator(OpenEnum):
    """How a health rule compares."""

    GREATER_THAN = "GREATER_THAN"


class ModelTriggerConfigurationCondition(OpenEnum):
    """What must happen to a model."""

    MODEL_ALIAS_SET = "MODEL_ALIAS_SET"
    MODEL_CREATED = "MODEL_CREATED"
    MODEL_VERSION_READY = "MODEL_VERSION_READY"


class PauseStatus(OpenEnum):
    """Whether a schedule or trigger rests."""

    PAUSED = "PAUSED"
    UNPAUSED = "UNPAUSED"


class PerformanceTarget(OpenEnum):
    """What serverless compute goes for: speed, or price."""

    PERFORMANCE_OPTIMIZED = "PERFORMANCE_OPTIMIZED"
    STANDARD = "STANDARD"


class PeriodicTriggerConfigurationTimeUnit(OpenEnum):
    """The unit of an interval."""

    DAYS = "DAYS"
    HOURS = "HOURS"
    MINUTES = "MINUTES"
    WEEKS = "WEEKS"


class RunIf(OpenEnum):
    """How the tasks that a task depends on must have ended for it to run."""

    ALL_DONE = "ALL_DONE"
    ALL_FAILED = "ALL_FAILED"
    ALL_SUCCESS = "ALL_SUCCESS"
    AT_LEAST_ONE_FAILED = "AT_LEAST_ONE_FAILED"
    AT_LEAST_ONE_SUCCESS = "AT_LEAST_ONE_SUCCESS"
    NONE_FAILED = "NONE_FAILED"


class Source(OpenEnum):
    """Where a file is found: in the workspace, or in the Git repository."""

    GIT = "GIT"
    WORKSPACE = "WORKSPACE"


class SqlConditionTriggerMode(OpenEnum):
    """When the result of a query counts as a yes."""

    QUERY_RETURNS_ROWS = "QUERY_RETURNS_ROWS"
    RESULT_VALUE_CHANGES = "RESULT_VALUE_CHANGES"


class StorageMode(OpenEnum):
    """How Power BI holds the data."""

    DIRECT_QUERY = "DIRECT_QUERY"
    DUAL = "DUAL"
    IMPORT = "IMPORT"


class SubscriptionAttachmentDataAttachmentFileFormat(OpenEnum):
    """The format of attached data."""

    FILE_FORMAT_CSV = "FILE_FORMAT_CSV"
    FILE_FORMAT_EXCEL = "FILE_FORMAT_EXCEL"
    FILE_FORMAT_TSV = "FILE_FORMAT_TSV"


class SubscriptionAttachmentPageAttachmentPageSelection(OpenEnum):
    """Which pages are attached."""

    PAGE_SELECTION_ALL = "PAGE_SELECTION_ALL"
    PAGE_SELECTION_SUBSET = "PAGE_SELECTION_SUBSET"


class TaskRetryMode(OpenEnum):
    """Whether the tasks of a continuous job are tried again one by one."""

    NEVER = "NEVER"
    ON_FAILURE = "ON_FAILURE"


class ViewsToExport(OpenEnum):
    """Which parts of a run are exported."""

    ALL = "ALL"
    CODE = "CODE"
    DASHBOARDS = "DASHBOARDS"
