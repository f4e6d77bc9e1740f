"""What the run of a task has produced."""

from __future__ import annotations

from datetime import datetime

import attrs

from databricks_async.codec import SECRET, SECRET_VALUES, Model
from databricks_async.epoch import from_epoch_ms
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


@attrs.define(kw_only=True, repr=False, eq=False)
class NotebookOutput(Model):
    """What a notebook handed to `dbutils.notebook.exit()`."""

    result: str | None = None
    """5 MB at most."""
    truncated: bool | None = None
    """Whether the result was longer."""


@attrs.define(kw_only=True, repr=False, eq=False)
class RunJobOutput(Model):
    """The run that was started."""

    run_id: int | None = None
    """The run that was started."""


@attrs.define(kw_only=True, repr=False, eq=False)
class CleanRoomTaskRunState(Model):
    """How far a run in a clean room is."""

    life_cycle_state: CleanRoomTaskRunLifeCycleState | None = None
    """Where the run is in its life."""
    result_state: CleanRoomTaskRunResultState | None = None
    """How it ended; absent before."""


@attrs.define(kw_only=True, repr=False, eq=False)
class OutputSchemaInfo(Model):
    """Where a clean room put its results."""

    catalog_name: str | None = None
    """The catalog of the output."""
    expiration_time: int | None = None
    """Epoch milliseconds."""
    schema_name: str | None = None
    """The schema of the output."""

    @property
    def expiration(self) -> datetime | None:
        """`expiration_time` with a time zone (UTC)."""
        return from_epoch_ms(self.expiration_time)


@attrs.define(kw_only=True, repr=False, eq=False)
class CleanRoomsNotebookTaskCleanRoomsNotebookTaskOutput(Model):
    """What a notebook of a clean room produced."""

    clean_room_job_run_state: CleanRoomTaskRunState | None = None
    """How the run in the clean room stands."""
    notebook_output: NotebookOutput | None = None
    """What the notebook returned."""
    output_schema_info: OutputSchemaInfo | None = None
    """Where the output schema is."""


@attrs.define(kw_only=True, repr=False, eq=False)
class DbtOutput(Model):
    """Where the artifacts of dbt are."""

    artifacts_headers: dict[str, str] | None = attrs.field(default=None, metadata=SECRET_VALUES)
    """Headers to send with the request for the artifacts."""
    artifacts_link: str | None = attrs.field(default=None, metadata=SECRET)
    """Valid for 30 minutes, to be asked with artifacts_headers. Not shown: it needs no token."""


@attrs.define(kw_only=True, repr=False, eq=False)
class DbtCloudJobRunStep(Model):
    """A step of a job of dbt Cloud."""

    index: int | None = None
    """Its place among the steps."""
    logs: str | None = None
    """What the step wrote."""
    name: str | None = None
    """The name of the step."""
    status: DbtPlatformRunStatus | None = None
    """How the step stands."""


@attrs.define(kw_only=True, repr=False, eq=False)
class DbtCloudTaskOutput(Model):
    """What a job of dbt Cloud did. Deprecated with its task."""

    dbt_cloud_job_run_id: int | None = None
    """The id of the run in dbt Cloud."""
    dbt_cloud_job_run_output: list[DbtCloudJobRunStep] | None = None
    """The steps of the run."""
    dbt_cloud_job_run_url: str | None = None
    """The page of the run in dbt Cloud."""


@attrs.define(kw_only=True, repr=False, eq=False)
class DbtPlatformJobRunStep(Model):
    """A step of a job of the dbt platform."""

    index: int | None = None
    """Its place among the steps."""
    logs: str | None = None
    """10,000 characters at most."""
    logs_truncated: bool | None = None
    """Whether the logs were cut, at 10,000 characters."""
    name: str | None = None
    """100 characters at most."""
    name_truncated: bool | None = None
    """Whether the name was cut, at 100 characters."""
    status: DbtPlatformRunStatus | None = None
    """How the step stands."""


@attrs.define(kw_only=True, repr=False, eq=False)
class DbtPlatformTaskOutput(Model):
    """What a job of the dbt platform did."""

    dbt_platform_job_run_id: str | None = None
    """The id of the run in the dbt platform."""
    dbt_platform_job_run_output: list[DbtPlatformJobRunStep] | None = None
    """The steps of the run."""
    dbt_platform_job_run_url: str | None = None
    """The page of the run in the dbt platform."""
    steps_truncated: bool | None = None
    """Whether only the first 20 steps are there."""


@attrs.define(kw_only=True, repr=False, eq=False)
class AlertTaskOutput(Model):
    """What came of an alert."""

    alert_state: AlertEvaluationState | None = None
    """How the alert stands."""


@attrs.define(kw_only=True, repr=False, eq=False)
class WidgetErrorDetail(Model):
    """Why a widget failed."""

    message: str | None = None
    """The explanation, for people."""


@attrs.define(kw_only=True, repr=False, eq=False)
class DashboardPageSnapshot(Model):
    """A page of a dashboard, and what failed on it."""

    page_display_name: str | None = None
    """The title of the page."""
    widget_error_details: list[WidgetErrorDetail] | None = None
    """What went wrong in its widgets."""


@attrs.define(kw_only=True, repr=False, eq=False)
class DashboardTaskOutput(Model):
    """What came of a dashboard."""

    page_snapshots: list[DashboardPageSnapshot] | None = None
    """The pages."""


@attrs.define(kw_only=True, repr=False, eq=False)
class AiFunctionTaskOutput(Model):
    """How many rows an AI function did, and where they are."""

    estimated_time_remaining: str | None = None
    """Seconds as text, for example `3.5s`."""
    failed_row_count: int | None = None
    """Inputs that failed for good so far."""
    output_table: QualifiedName | None = None
    """The table with the results."""
    succeeded_row_count: int | None = None
    """Inputs with a result so far."""
    total_row_count: int | None = None
    """Inputs in all."""


@attrs.define(kw_only=True, repr=False, eq=False)
class AiRuntimeTaskOutput(Model):
    """Where an AI runtime task is recorded in MLflow."""

    mlflow_experiment_id: str | None = None
    """The MLflow experiment of the run."""
    mlflow_run_id: str | None = None
    """The MLflow run."""
    status_message: str | None = None
    """How it stands, for people."""


@attrs.define(kw_only=True, repr=False, eq=False)
class SqlOutputError(Model):
    """Why something failed."""

    message: str | None = None
    """The explanation, for people."""


@attrs.define(kw_only=True, repr=False, eq=False)
class SqlStatementOutput(Model):
    """A statement that ran."""

    lookup_key: str | None = None
    """The key under which the details of the statement are found."""


@attrs.define(kw_only=True, repr=False, eq=False)
class SqlAlertOutput(Model):
    """What came of a SQL alert."""

    alert_state: SqlAlertState | None = None
    """How the alert stands."""
    output_link: str | None = None
    """The page of the result in the web UI."""
    query_text: str | None = None
    """The text of the query; only for those who may run it."""
    sql_statements: list[SqlStatementOutput] | None = None
    """The statements that were executed."""
    warehouse_id: str | None = None
    """The id of the SQL warehouse."""


@attrs.define(kw_only=True, repr=False, eq=False)
class SqlDashboardWidgetOutput(Model):
    """What came of a widget."""

    end_time: int | None = None
    """Epoch milliseconds."""
    error: SqlOutputError | None = None
    """What went wrong."""
    output_link: str | None = None
    """The page of the result in the web UI."""
    start_time: int | None = None
    """Epoch milliseconds."""
    status: SqlDashboardWidgetOutputStatus | None = None
    """How the widget stands."""
    widget_id: str | None = None
    """The id of the widget."""
    widget_title: str | None = None
    """The title of the widget."""

    @property
    def end(self) -> datetime | None:
        """`end_time` with a time zone (UTC)."""
        return from_epoch_ms(self.end_time)

    @property
    def start(self) -> datetime | None:
        """`start_time` with a time zone (UTC)."""
        return from_epoch_ms(self.start_time)


@attrs.define(kw_only=True, repr=False, eq=False)
class SqlDashboardOutput(Model):
    """What came of a SQL dashboard."""

    warehouse_id: str | None = None
    """The id of the SQL warehouse."""
    widgets: list[SqlDashboardWidgetOutput] | None = None
    """Those of its widgets that are based on queries."""


@attrs.define(kw_only=True, repr=False, eq=False)
class SqlQueryOutput(Model):
    """What came of a SQL query."""

    endpoint_id: str | None = None
    """The id of the SQL endpoint."""
    output_link: str | None = None
    """The page of the result in the web UI."""
    query_text: str | None = None
    """The text of the query; only for those who may run it."""
    sql_statements: list[SqlStatementOutput] | None = None
    """The statements that were executed."""
    warehouse_id: str | None = None
    """The id of the SQL warehouse."""


@attrs.define(kw_only=True, repr=False, eq=False)
class SqlStatementQueryResultColumn(Model):
    """A column of a result."""

    name: str | None = None
    """The name of the column."""


@attrs.define(kw_only=True, repr=False, eq=False)
class SqlStatementQueryResultRowRowValue(Model):
    """A value of a result, as text."""

    string_value: str | None = None
    """The value as text."""


@attrs.define(kw_only=True, repr=False, eq=False)
class SqlStatementQueryResultRow(Model):
    """A row of a result."""

    values: list[SqlStatementQueryResultRowRowValue] | None = None
    """The values, in the order of the columns."""


@attrs.define(kw_only=True, repr=False, eq=False)
class SqlStatementQueryResult(Model):
    """The result of the last statement of a file."""

    columns: list[SqlStatementQueryResultColumn] | None = None
    """The columns."""
    rows: list[SqlStatementQueryResultRow] | None = None
    """The rows."""
    truncated: bool | None = None
    """Whether rows were cut off."""


@attrs.define(kw_only=True, repr=False, eq=False)
class SqlTaskSqlFileOutput(Model):
    """What came of a SQL file."""

    query_result: SqlStatementQueryResult | None = None
    """The result of the statement."""
    query_text: str | None = None
    """The text of the query; only for those who may run it."""
    sql_statements: list[SqlStatementOutput] | None = None
    """The statements that were executed."""
    warehouse_id: str | None = None
    """The id of the SQL warehouse."""


@attrs.define(kw_only=True, repr=False, eq=False)
class SqlOutput(Model):
    """What a SQL task produced, in the field of what it ran."""

    alert_output: SqlAlertOutput | None = None
    """Of an alert."""
    dashboard_output: SqlDashboardOutput | None = None
    """Of a dashboard."""
    file_output: SqlTaskSqlFileOutput | None = None
    """Of a file."""
    query_output: SqlQueryOutput | None = None
    """Of a query."""


@attrs.define(kw_only=True, repr=False, eq=False)
class RunOutput(Model):
    """What the run of a task has produced: its result, its error or its logs, and the run itself."""

    ai_function_task_output: AiFunctionTaskOutput | None = None
    """Of an AI function task."""
    ai_runtime_task_output: AiRuntimeTaskOutput | None = None
    """Of an AI runtime task."""
    alert_output: AlertTaskOutput | None = None
    """Of an alert task."""
    clean_rooms_notebook_output: CleanRoomsNotebookTaskCleanRoomsNotebookTaskOutput | None = None
    """Of a clean room notebook task."""
    dashboard_output: DashboardTaskOutput | None = None
    """Of a dashboard task."""
    dbt_cloud_output: DbtCloudTaskOutput | None = None
    """Deprecated: see dbt_platform_output."""
    dbt_output: DbtOutput | None = None
    """Of a dbt task."""
    dbt_platform_output: DbtPlatformTaskOutput | None = None
    """Of a dbt platform task."""
    error: str | None = None
    """The message of the error, if the task failed."""
    error_trace: str | None = None
    """The stack trace, if there is one."""
    info: str | None = None
    """More about the output, for people."""
    logs: str | None = None
    """What went to standard output, 5 MB at most."""
    logs_truncated: bool | None = None
    """Whether the logs were cut."""
    metadata: Run | None = None
    """The run, without its output."""
    notebook_output: NotebookOutput | None = None
    """What the notebook returned."""
    run_job_output: RunJobOutput | None = None
    """Of a task that runs another job."""
    sql_output: SqlOutput | None = None
    """Of a SQL task."""

    @property
    def is_truncated(self) -> bool:
        """Whether the service cut off the notebook's result or the logs."""
        return bool(self.logs_truncated or (self.notebook_output and self.notebook_output.truncated))
