"""What the run of a task has produced."""

from __future__ import annotations

import attrs

from databricks_async.codec import SECRET, SECRET_VALUES, Model
from databricks_async.jobs.models.run_enums import (
    AlertEvaluationState,
    CleanRoomTaskRunLifeCycleState,
    CleanRoomTaskRunResultState,
    DbtPlatformRunStatus,
    SqlAlertState,
    SqlDashboardWidgetOutputStatus,
)
from databricks_async.jobs.models.runs import Run
from databricks_async.jobs.models.task_kinds_ai import QualifiedName

__all__ = [
    "AiFunctionTaskOutput",
    "AiRuntimeTaskOutput",
    "AlertTaskOutput",
    "CleanRoomTaskRunState",
    "CleanRoomsNotebookTaskCleanRoomsNotebookTaskOutput",
    "DashboardPageSnapshot",
    "DashboardTaskOutput",
    "DbtCloudJobRunStep",
    "DbtCloudTaskOutput",
    "DbtOutput",
    "DbtPlatformJobRunStep",
    "DbtPlatformTaskOutput",
    "NotebookOutput",
    "OutputSchemaInfo",
    "RunJobOutput",
    "RunOutput",
    "SqlAlertOutput",
    "SqlDashboardOutput",
    "SqlDashboardWidgetOutput",
    "SqlOutput",
    "SqlOutputError",
    "SqlQueryOutput",
    "SqlStatementOutput",
    "SqlStatementQueryResult",
    "SqlStatementQueryResultColumn",
    "SqlStatementQueryResultRow",
    "SqlStatementQueryResultRowRowValue",
    "SqlTaskSqlFileOutput",
    "WidgetErrorDetail",
]


@attrs.define(kw_only=True, repr=False)
class NotebookOutput(Model):
    """What a notebook handed to `dbutils.notebook.exit()`."""

    result: str | None = None
    """5 MB at most."""
    truncated: bool | None = None
    """Whether the result was longer."""


@attrs.define(kw_only=True, repr=False)
class RunJobOutput(Model):
    """The run that was started."""

    run_id: int | None = None


@attrs.define(kw_only=True, repr=False)
class CleanRoomTaskRunState(Model):
    """How far a run in a clean room is."""

    life_cycle_state: CleanRoomTaskRunLifeCycleState | None = None
    result_state: CleanRoomTaskRunResultState | None = None


@attrs.define(kw_only=True, repr=False)
class OutputSchemaInfo(Model):
    """Where a clean room put its results."""

    catalog_name: str | None = None
    expiration_time: int | None = None
    """Epoch milliseconds."""
    schema_name: str | None = None


@attrs.define(kw_only=True, repr=False)
class CleanRoomsNotebookTaskCleanRoomsNotebookTaskOutput(Model):
    """What a notebook of a clean room produced."""

    clean_room_job_run_state: CleanRoomTaskRunState | None = None
    notebook_output: NotebookOutput | None = None
    output_schema_info: OutputSchemaInfo | None = None


@attrs.define(kw_only=True, repr=False)
class DbtOutput(Model):
    """Where the artifacts of dbt are."""

    artifacts_headers: dict[str, str] | None = attrs.field(default=None, metadata=SECRET_VALUES)
    artifacts_link: str | None = attrs.field(default=None, metadata=SECRET)
    """Valid for 30 minutes, to be asked with artifacts_headers. Not shown: it needs no token."""


@attrs.define(kw_only=True, repr=False)
class DbtCloudJobRunStep(Model):
    """A step of a job of dbt Cloud."""

    index: int | None = None
    logs: str | None = None
    name: str | None = None
    status: DbtPlatformRunStatus | None = None


@attrs.define(kw_only=True, repr=False)
class DbtCloudTaskOutput(Model):
    """What a job of dbt Cloud did. Deprecated with its task."""

    dbt_cloud_job_run_id: int | None = None
    dbt_cloud_job_run_output: list[DbtCloudJobRunStep] | None = None
    dbt_cloud_job_run_url: str | None = None


@attrs.define(kw_only=True, repr=False)
class DbtPlatformJobRunStep(Model):
    """A step of a job of the dbt platform."""

    index: int | None = None
    logs: str | None = None
    """10,000 characters at most."""
    logs_truncated: bool | None = None
    name: str | None = None
    """100 characters at most."""
    name_truncated: bool | None = None
    status: DbtPlatformRunStatus | None = None


@attrs.define(kw_only=True, repr=False)
class DbtPlatformTaskOutput(Model):
    """What a job of the dbt platform did."""

    dbt_platform_job_run_id: str | None = None
    dbt_platform_job_run_output: list[DbtPlatformJobRunStep] | None = None
    dbt_platform_job_run_url: str | None = None
    steps_truncated: bool | None = None


@attrs.define(kw_only=True, repr=False)
class AlertTaskOutput(Model):
    """What came of an alert."""

    alert_state: AlertEvaluationState | None = None


@attrs.define(kw_only=True, repr=False)
class WidgetErrorDetail(Model):
    """Why a widget failed."""

    message: str | None = None


@attrs.define(kw_only=True, repr=False)
class DashboardPageSnapshot(Model):
    """A page of a dashboard, and what failed on it."""

    page_display_name: str | None = None
    widget_error_details: list[WidgetErrorDetail] | None = None


@attrs.define(kw_only=True, repr=False)
class DashboardTaskOutput(Model):
    """What came of a dashboard."""

    page_snapshots: list[DashboardPageSnapshot] | None = None


@attrs.define(kw_only=True, repr=False)
class AiFunctionTaskOutput(Model):
    """How many rows an AI function did, and where they are."""

    estimated_time_remaining: str | None = None
    """Seconds as text, for example `3.5s`."""
    failed_row_count: int | None = None
    output_table: QualifiedName | None = None
    succeeded_row_count: int | None = None
    total_row_count: int | None = None


@attrs.define(kw_only=True, repr=False)
class AiRuntimeTaskOutput(Model):
    """Where an AI runtime task is recorded in MLflow."""

    mlflow_experiment_id: str | None = None
    mlflow_run_id: str | None = None
    status_message: str | None = None


@attrs.define(kw_only=True, repr=False)
class SqlOutputError(Model):
    """Why something failed."""

    message: str | None = None


@attrs.define(kw_only=True, repr=False)
class SqlStatementOutput(Model):
    """A statement that ran."""

    lookup_key: str | None = None


@attrs.define(kw_only=True, repr=False)
class SqlAlertOutput(Model):
    """What came of a SQL alert."""

    alert_state: SqlAlertState | None = None
    output_link: str | None = None
    query_text: str | None = None
    sql_statements: list[SqlStatementOutput] | None = None
    warehouse_id: str | None = None


@attrs.define(kw_only=True, repr=False)
class SqlDashboardWidgetOutput(Model):
    """What came of a widget."""

    end_time: int | None = None
    """Epoch milliseconds."""
    error: SqlOutputError | None = None
    output_link: str | None = None
    start_time: int | None = None
    """Epoch milliseconds."""
    status: SqlDashboardWidgetOutputStatus | None = None
    widget_id: str | None = None
    widget_title: str | None = None


@attrs.define(kw_only=True, repr=False)
class SqlDashboardOutput(Model):
    """What came of a SQL dashboard."""

    warehouse_id: str | None = None
    widgets: list[SqlDashboardWidgetOutput] | None = None


@attrs.define(kw_only=True, repr=False)
class SqlQueryOutput(Model):
    """What came of a SQL query."""

    endpoint_id: str | None = None
    output_link: str | None = None
    query_text: str | None = None
    sql_statements: list[SqlStatementOutput] | None = None
    warehouse_id: str | None = None


@attrs.define(kw_only=True, repr=False)
class SqlStatementQueryResultColumn(Model):
    """A column of a result."""

    name: str | None = None


@attrs.define(kw_only=True, repr=False)
class SqlStatementQueryResultRowRowValue(Model):
    """A value of a result, as text."""

    string_value: str | None = None


@attrs.define(kw_only=True, repr=False)
class SqlStatementQueryResultRow(Model):
    """A row of a result."""

    values: list[SqlStatementQueryResultRowRowValue] | None = None


@attrs.define(kw_only=True, repr=False)
class SqlStatementQueryResult(Model):
    """The result of the last statement of a file."""

    columns: list[SqlStatementQueryResultColumn] | None = None
    rows: list[SqlStatementQueryResultRow] | None = None
    truncated: bool | None = None


@attrs.define(kw_only=True, repr=False)
class SqlTaskSqlFileOutput(Model):
    """What came of a SQL file."""

    query_result: SqlStatementQueryResult | None = None
    query_text: str | None = None
    sql_statements: list[SqlStatementOutput] | None = None
    warehouse_id: str | None = None


@attrs.define(kw_only=True, repr=False)
class SqlOutput(Model):
    """What a SQL task produced, in the field of what it ran."""

    alert_output: SqlAlertOutput | None = None
    dashboard_output: SqlDashboardOutput | None = None
    file_output: SqlTaskSqlFileOutput | None = None
    query_output: SqlQueryOutput | None = None


@attrs.define(kw_only=True, repr=False)
class RunOutput(Model):
    """What the run of a task has produced: its result, its error or its logs, and the run itself."""

    ai_function_task_output: AiFunctionTaskOutput | None = None
    ai_runtime_task_output: AiRuntimeTaskOutput | None = None
    alert_output: AlertTaskOutput | None = None
    clean_rooms_notebook_output: CleanRoomsNotebookTaskCleanRoomsNotebookTaskOutput | None = None
    dashboard_output: DashboardTaskOutput | None = None
    dbt_cloud_output: DbtCloudTaskOutput | None = None
    """Deprecated: see dbt_platform_output."""
    dbt_output: DbtOutput | None = None
    dbt_platform_output: DbtPlatformTaskOutput | None = None
    error: str | None = None
    """The message of the error, if the task failed."""
    error_trace: str | None = None
    """The stack trace, if there is one."""
    info: str | None = None
    logs: str | None = None
    """What went to standard output, 5 MB at most."""
    logs_truncated: bool | None = None
    metadata: Run | None = None
    """The run, without its output."""
    notebook_output: NotebookOutput | None = None
    run_job_output: RunJobOutput | None = None
    sql_output: SqlOutput | None = None

    @property
    def is_truncated(self) -> bool:
        """Whether the service cut off the notebook's result or the logs."""
        return bool(self.logs_truncated or (self.notebook_output and self.notebook_output.truncated))
