"""Triggers as the service reports them: their state, and what started a run."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import attrs

from databricks_async.codec import Model
from databricks_async.epoch import from_epoch_ms
from databricks_async.jobs.models.run_enums import TerminationCodeCode
from databricks_async.jobs.models.settings_enums import PauseStatus

__all__ = [
    "CompletedJob",
    "ContinuousTriggerState",
    "FileArrivalTriggerState",
    "JobCompletionTriggerRunInfoDetails",
    "JobCompletionTriggerState",
    "JobCompletionTriggerStateMonitoredJobState",
    "PerTriggerState",
    "PeriodicTriggerState",
    "SqlConditionRunInfoDetails",
    "SqlConditionState",
    "TableState",
    "TableTriggerState",
    "TriggerDetails",
    "TriggerEvaluation",
    "TriggerHistory",
    "TriggerInfo",
    "TriggerStateProto",
]


@attrs.define(kw_only=True, repr=False, eq=False)
class ContinuousTriggerState(Model):
    """How a continuous trigger stands."""

    consecutive_failures: int | None = None
    """Runs that failed in a row."""
    is_backing_off: bool | None = None
    """Whether the next run is put off because of failures."""
    next_attempt_ms: int | None = None
    """Epoch milliseconds."""

    @property
    def next_attempt(self) -> datetime | None:
        """`next_attempt_ms` with a time zone (UTC)."""
        return from_epoch_ms(self.next_attempt_ms)


@attrs.define(kw_only=True, repr=False, eq=False)
class FileArrivalTriggerState(Model):
    """How a file arrival trigger stands."""

    using_file_events: bool | None = None
    """Whether files are found by events instead of listings."""


@attrs.define(kw_only=True, repr=False, eq=False)
class JobCompletionTriggerStateMonitoredJobState(Model):
    """What a trigger has seen of a job that it waits for."""

    has_seen_completion: bool | None = None
    """Whether the job has ended as asked since the last run."""
    is_deleted: bool | None = None
    """Whether the job was gone when last looked at."""
    job_id: str | None = None
    """The job that is waited for."""
    last_seen_completion_time: str | None = None
    """A time as text, for example `2025-09-23T16:42:08Z`."""
    last_seen_result: TerminationCodeCode | None = None
    """How its last run that counts ended."""
    last_seen_run_id: str | None = None
    """Its last run that counts."""
    latest_non_matching_result: TerminationCodeCode | None = None
    """How its last run ended, if it does not count."""
    workspace_id: str | None = None
    """The workspace of the job."""


@attrs.define(kw_only=True, repr=False, eq=False)
class JobCompletionTriggerState(Model):
    """How a trigger that waits for jobs stands."""

    monitored_job_states: list[JobCompletionTriggerStateMonitoredJobState] | None = None
    """One for each job, in their order."""


@attrs.define(kw_only=True, repr=False, eq=False)
class PeriodicTriggerState(Model):
    """How a periodic trigger stands."""

    next_run_time: int | None = None
    """Epoch milliseconds."""

    @property
    def next_run(self) -> datetime | None:
        """`next_run_time` with a time zone (UTC)."""
        return from_epoch_ms(self.next_run_time)


@attrs.define(kw_only=True, repr=False, eq=False)
class SqlConditionState(Model):
    """How the latest evaluation of a SQL condition went."""

    latest_condition_evaluation_satisfied: bool | None = None
    """Whether the condition held the last time."""
    latest_condition_evaluation_sql_session_id: str | None = None
    """The SQL session of the last evaluation."""
    latest_condition_evaluation_sql_statement_id: str | None = None
    """The SQL statement of the last evaluation."""


@attrs.define(kw_only=True, repr=False, eq=False)
class TableState(Model):
    """What a trigger has seen of a table."""

    has_seen_updates: bool | None = None
    """Whether the table has changed since the last run."""
    table_name: str | None = None
    """The full name of the table: `catalog.schema.table`."""


@attrs.define(kw_only=True, repr=False, eq=False)
class TableTriggerState(Model):
    """How a table trigger stands."""

    last_seen_table_states: list[TableState] | None = None
    """How each table stands."""
    using_scalable_monitoring: bool | None = None
    """Whether the scalable way of monitoring is used."""


@attrs.define(kw_only=True, repr=False, eq=False)
class TriggerStateProto(Model):
    """How the trigger of a job stands."""

    file_arrival: FileArrivalTriggerState | None = None
    """Files that arrive."""
    job_completion: JobCompletionTriggerState | None = None
    """Other jobs that end."""
    pause_status: PauseStatus | None = None
    """Whether it is paused."""
    sql_condition: SqlConditionState | None = None
    """A SQL condition that has to hold as well."""
    table: TableTriggerState | None = None
    """Tables that change."""


@attrs.define(kw_only=True, repr=False, eq=False)
class PerTriggerState(Model):
    """How one of several triggers stands."""

    continuous: ContinuousTriggerState | None = None
    """A run at all times."""
    file_arrival: FileArrivalTriggerState | None = None
    """Files that arrive."""
    job_completion: JobCompletionTriggerState | None = None
    """Other jobs that end."""
    model: dict[str, Any] | None = None
    """As it comes: nothing is known of it yet."""
    pause_status: PauseStatus | None = None
    """Whether it is paused."""
    periodic: PeriodicTriggerState | None = None
    """A fixed interval."""
    schedule: dict[str, Any] | None = None
    """As it comes: nothing is known of it yet."""
    sql_condition: SqlConditionState | None = None
    """A SQL condition that has to hold as well."""
    table_update: TableTriggerState | None = None
    """Tables that change."""


@attrs.define(kw_only=True, repr=False, eq=False)
class TriggerEvaluation(Model):
    """A moment at which a trigger was evaluated, and what came of it."""

    description: str | None = None
    """Why it started a run, or did not, for people."""
    run_id: int | None = None
    """Only if a run was started."""
    timestamp: int | None = None
    """Epoch milliseconds."""

    @property
    def time(self) -> datetime | None:
        """`timestamp` with a time zone (UTC)."""
        return from_epoch_ms(self.timestamp)


@attrs.define(kw_only=True, repr=False, eq=False)
class TriggerHistory(Model):
    """The last times that a trigger fired, did not fire, and failed."""

    last_failed: TriggerEvaluation | None = None
    """When it last could not be evaluated."""
    last_not_triggered: TriggerEvaluation | None = None
    """When it last was evaluated and started nothing."""
    last_triggered: TriggerEvaluation | None = None
    """When it last started a run."""


@attrs.define(kw_only=True, repr=False, eq=False)
class TriggerDetails(Model):
    """One of several triggers: how it stands and what it did. In the order of the settings."""

    history: TriggerHistory | None = None
    """The last evaluations."""
    state: PerTriggerState | None = None
    """How the trigger stands."""


@attrs.define(kw_only=True, repr=False, eq=False)
class CompletedJob(Model):
    """A run of another job that was waited for."""

    completion_time: str | None = None
    """A time as text, for example `2025-09-23T16:42:08Z`."""
    job_id: str | None = None
    """The job that ended."""
    run_id: str | None = None
    """Its run that counted."""
    termination_code: TerminationCodeCode | None = None
    """How that run ended."""
    workspace_id: str | None = None
    """The workspace of the job."""


@attrs.define(kw_only=True, repr=False, eq=False)
class JobCompletionTriggerRunInfoDetails(Model):
    """The runs of other jobs that started this run."""

    completed_jobs: list[CompletedJob] | None = None
    """The jobs whose ends started the run."""


@attrs.define(kw_only=True, repr=False, eq=False)
class SqlConditionRunInfoDetails(Model):
    """The SQL condition, as it was when it started this run."""

    condition_evaluation_satisfied: bool | None = None
    """Whether the condition held."""
    condition_evaluation_sql_session_id: str | None = None
    """The SQL session of the evaluation."""
    condition_evaluation_sql_statement_id: str | None = None
    """The SQL statement of the evaluation."""


@attrs.define(kw_only=True, repr=False, eq=False)
class TriggerInfo(Model):
    """More about what started a run."""

    job_completion: JobCompletionTriggerRunInfoDetails | None = None
    """If other jobs that ended started it."""
    run_id: int | None = None
    """If a task of another job started it: the run of that task."""
    sql_condition: SqlConditionRunInfoDetails | None = None
    """If a SQL condition was evaluated."""
