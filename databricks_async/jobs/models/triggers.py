"""When the runs of a job start: schedules, continuous jobs and triggers."""

from __future__ import annotations

import attrs

from databricks_async.codec import Model
from databricks_async.jobs.models.settings_enums import (
    Condition,
    DayOfWeek,
    JobCompletionTriggerConfigurationIfStatus,
    ModelTriggerConfigurationCondition,
    PauseStatus,
    PeriodicTriggerConfigurationTimeUnit,
    SqlConditionTriggerMode,
    TaskRetryMode,
)

__all__ = [
    "Continuous",
    "ContinuousTriggerConfiguration",
    "CronSchedule",
    "CronTriggerConfiguration",
    "FileArrivalTriggerConfiguration",
    "JobCompletionTriggerConfiguration",
    "JobCompletionTriggerConfigurationMonitoredJob",
    "MaintenanceWindow",
    "ModelTriggerConfiguration",
    "PeriodicTriggerConfiguration",
    "SqlConditionConfiguration",
    "TableUpdateTriggerConfiguration",
    "TriggerConfiguration",
    "TriggerSettings",
]


@attrs.define(kw_only=True, repr=False, eq=False)
class SqlConditionConfiguration(Model):
    """A query that decides whether a run is started."""

    sql_query_id: str | None
    """The id of the query to evaluate."""
    warehouse_id: str | None
    """The id of the SQL warehouse."""
    trigger_mode: SqlConditionTriggerMode | None = None
    """What in the result makes the condition hold."""


@attrs.define(kw_only=True, repr=False, eq=False)
class CronSchedule(Model):
    """Runs at set times."""

    quartz_cron_expression: str | None
    """In the syntax of Quartz, which begins with seconds."""
    timezone_id: str | None
    """A Java time zone, for example `Europe/Berlin`."""
    pause_status: PauseStatus | None = None
    """UNPAUSED if absent."""
    sql_condition: SqlConditionConfiguration | None = None
    """A SQL condition that has to hold as well."""


@attrs.define(kw_only=True, repr=False, eq=False)
class MaintenanceWindow(Model):
    """The hour of the week in which a continuous job may be restarted for maintenance."""

    start_hour: int | None
    """0 to 23."""
    day_of_week: DayOfWeek | None
    """The day of maintenance."""
    timezone_id: str | None
    """A Java time zone, for example `Europe/Berlin`."""


@attrs.define(kw_only=True, repr=False, eq=False)
class Continuous(Model):
    """One run is always active."""

    maintenance_window: MaintenanceWindow | None = None
    """When the service may interrupt runs for maintenance; at any time if not given."""
    pause_status: PauseStatus | None = None
    """UNPAUSED if absent."""
    task_retry_mode: TaskRetryMode | None = None
    """NEVER if absent."""


@attrs.define(kw_only=True, repr=False, eq=False)
class FileArrivalTriggerConfiguration(Model):
    """Runs when files arrive in a storage location."""

    url: str | None
    """An external location, or a path below one."""
    min_time_between_triggers_seconds: int | None = None
    """60 at least."""
    wait_after_last_change_seconds: int | None = None
    """60 at least."""


@attrs.define(kw_only=True, repr=False, eq=False)
class JobCompletionTriggerConfigurationMonitoredJob(Model):
    """A job that is waited for."""

    workspace_id: str | None
    """The workspace of the job."""
    job_id: str | None
    """The job to wait for."""


@attrs.define(kw_only=True, repr=False, eq=False)
class JobCompletionTriggerConfiguration(Model):
    """Runs when other jobs have ended."""

    jobs: list[JobCompletionTriggerConfigurationMonitoredJob] | None
    """The jobs to wait for."""
    if_status: JobCompletionTriggerConfigurationIfStatus | None = None
    """How they have to end; with success if not given."""


@attrs.define(kw_only=True, repr=False, eq=False)
class ModelTriggerConfiguration(Model):
    """Runs when something happens to a registered model."""

    condition: ModelTriggerConfigurationCondition | None
    """Which changes count."""
    aliases: list[str] | None = None
    """Only with the condition MODEL_ALIAS_SET."""
    min_time_between_triggers_seconds: int | None = None
    """60 at least."""
    securable_name: str | None = None
    """`catalog.schema.model`, or `catalog.schema` for all models of a schema; absent: all of the metastore."""
    wait_after_last_change_seconds: int | None = None
    """60 at least."""


@attrs.define(kw_only=True, repr=False, eq=False)
class PeriodicTriggerConfiguration(Model):
    """Runs at an interval."""

    interval: int | None
    """The length of the interval, in `unit`."""
    unit: PeriodicTriggerConfigurationTimeUnit | None
    """The unit of the interval."""


@attrs.define(kw_only=True, repr=False, eq=False)
class TableUpdateTriggerConfiguration(Model):
    """Runs when tables are updated."""

    table_names: list[str] | None
    """As `catalog.schema.table`."""
    condition: Condition | None = None
    """Which changes count."""
    min_time_between_triggers_seconds: int | None = None
    """60 at least."""
    wait_after_last_change_seconds: int | None = None
    """60 at least."""


@attrs.define(kw_only=True, repr=False, eq=False)
class TriggerSettings(Model):
    """What starts runs: one of the kinds of triggers."""

    file_arrival: FileArrivalTriggerConfiguration | None = None
    """Files that arrive."""
    job_completion: JobCompletionTriggerConfiguration | None = None
    """Other jobs that end."""
    model: ModelTriggerConfiguration | None = None
    """Changes of a registered model."""
    pause_status: PauseStatus | None = None
    """UNPAUSED if absent."""
    periodic: PeriodicTriggerConfiguration | None = None
    """A fixed interval."""
    sql_condition: SqlConditionConfiguration | None = None
    """A SQL condition that has to hold as well."""
    table_update: TableUpdateTriggerConfiguration | None = None
    """Tables that change."""


@attrs.define(kw_only=True, repr=False, eq=False)
class ContinuousTriggerConfiguration(Model):
    """One run is always active (one of several triggers)."""

    maintenance_window: MaintenanceWindow | None = None
    """When the service may interrupt runs for maintenance; at any time if not given."""
    task_retry_mode: TaskRetryMode | None = None
    """NEVER if absent."""


@attrs.define(kw_only=True, repr=False, eq=False)
class CronTriggerConfiguration(Model):
    """Runs at set times (one of several triggers)."""

    quartz_cron_expression: str | None
    """In the syntax of Quartz, which begins with seconds."""
    timezone_id: str | None
    """A Java time zone, for example `Europe/Berlin`."""


@attrs.define(kw_only=True, repr=False, eq=False)
class TriggerConfiguration(Model):
    """One of several triggers of a job: one of the kinds."""

    continuous: ContinuousTriggerConfiguration | None = None
    """A run at all times."""
    file_arrival: FileArrivalTriggerConfiguration | None = None
    """Files that arrive."""
    job_completion: JobCompletionTriggerConfiguration | None = None
    """Other jobs that end."""
    model: ModelTriggerConfiguration | None = None
    """Changes of a registered model."""
    pause_status: PauseStatus | None = None
    """UNPAUSED if absent."""
    periodic: PeriodicTriggerConfiguration | None = None
    """A fixed interval."""
    schedule: CronTriggerConfiguration | None = None
    """A cron schedule."""
    sql_condition: SqlConditionConfiguration | None = None
    """A SQL condition that has to hold as well."""
    table_update: TableUpdateTriggerConfiguration | None = None
    """Tables that change."""
