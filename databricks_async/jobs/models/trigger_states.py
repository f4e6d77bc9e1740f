"""Triggers as the service reports them: their state, and what started a run."""

from __future__ import annotations

from typing import Any

import attrs

from databricks_async.codec import Model
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


@attrs.define(kw_only=True, repr=False)
class ContinuousTriggerState(Model):
    """How a continuous trigger stands."""

    consecutive_failures: int | None = None
    is_backing_off: bool | None = None
    next_attempt_ms: int | None = None
    """Epoch milliseconds."""


@attrs.define(kw_only=True, repr=False)
class FileArrivalTriggerState(Model):
    """How a file arrival trigger stands."""

    using_file_events: bool | None = None


@attrs.define(kw_only=True, repr=False)
class JobCompletionTriggerStateMonitoredJobState(Model):
    """What a trigger has seen of a job that it waits for."""

    has_seen_completion: bool | None = None
    is_deleted: bool | None = None
    job_id: str | None = None
    last_seen_completion_time: str | None = None
    """A time as text, for example `2025-09-23T16:42:08Z`."""
    last_seen_result: TerminationCodeCode | None = None
    last_seen_run_id: str | None = None
    latest_non_matching_result: TerminationCodeCode | None = None
    workspace_id: str | None = None


@attrs.define(kw_only=True, repr=False)
class JobCompletionTriggerState(Model):
    """How a trigger that waits for jobs stands."""

    monitored_job_states: list[JobCompletionTriggerStateMonitoredJobState] | None = None


@attrs.define(kw_only=True, repr=False)
class PeriodicTriggerState(Model):
    """How a periodic trigger stands."""

    next_run_time: int | None = None
    """Epoch milliseconds."""


@attrs.define(kw_only=True, repr=False)
class SqlConditionState(Model):
    """How the latest evaluation of a SQL condition went."""

    latest_condition_evaluation_satisfied: bool | None = None
    latest_condition_evaluation_sql_session_id: str | None = None
    latest_condition_evaluation_sql_statement_id: str | None = None


@attrs.define(kw_only=True, repr=False)
class TableState(Model):
    """What a trigger has seen of a table."""

    has_seen_updates: bool | None = None
    table_name: str | None = None


@attrs.define(kw_only=True, repr=False)
class TableTriggerState(Model):
    """How a table trigger stands."""

    last_seen_table_states: list[TableState] | None = None
    using_scalable_monitoring: bool | None = None


@attrs.define(kw_only=True, repr=False)
class TriggerStateProto(Model):
    """How the trigger of a job stands."""

    file_arrival: FileArrivalTriggerState | None = None
    job_completion: JobCompletionTriggerState | None = None
    pause_status: PauseStatus | None = None
    sql_condition: SqlConditionState | None = None
    table: TableTriggerState | None = None


@attrs.define(kw_only=True, repr=False)
class PerTriggerState(Model):
    """How one of several triggers stands."""

    continuous: ContinuousTriggerState | None = None
    file_arrival: FileArrivalTriggerState | None = None
    job_completion: JobCompletionTriggerState | None = None
    model: dict[str, Any] | None = None
    """As it comes: nothing is known of it yet."""
    pause_status: PauseStatus | None = None
    periodic: PeriodicTriggerState | None = None
    schedule: dict[str, Any] | None = None
    """As it comes: nothing is known of it yet."""
    sql_condition: SqlConditionState | None = None
    table_update: TableTriggerState | None = None


@attrs.define(kw_only=True, repr=False)
class TriggerEvaluation(Model):
    """A moment at which a trigger was evaluated, and what came of it."""

    description: str | None = None
    run_id: int | None = None
    """Only if a run was started."""
    timestamp: int | None = None
    """Epoch milliseconds."""


@attrs.define(kw_only=True, repr=False)
class TriggerHistory(Model):
    """The last times that a trigger fired, did not fire, and failed."""

    last_failed: TriggerEvaluation | None = None
    last_not_triggered: TriggerEvaluation | None = None
    last_triggered: TriggerEvaluation | None = None


@attrs.define(kw_only=True, repr=False)
class TriggerDetails(Model):
    """One of several triggers: how it stands and what it did. In the order of the settings."""

    history: TriggerHistory | None = None
    state: PerTriggerState | None = None


@attrs.define(kw_only=True, repr=False)
class CompletedJob(Model):
    """A run of another job that was waited for."""

    completion_time: str | None = None
    """A time as text, for example `2025-09-23T16:42:08Z`."""
    job_id: str | None = None
    run_id: str | None = None
    termination_code: TerminationCodeCode | None = None
    workspace_id: str | None = None


@attrs.define(kw_only=True, repr=False)
class JobCompletionTriggerRunInfoDetails(Model):
    """The runs of other jobs that started this run."""

    completed_jobs: list[CompletedJob] | None = None


@attrs.define(kw_only=True, repr=False)
class SqlConditionRunInfoDetails(Model):
    """The SQL condition, as it was when it started this run."""

    condition_evaluation_satisfied: bool | None = None
    condition_evaluation_sql_session_id: str | None = None
    condition_evaluation_sql_statement_id: str | None = None


@attrs.define(kw_only=True, repr=False)
class TriggerInfo(Model):
    """More about what started a run."""

    job_completion: JobCompletionTriggerRunInfoDetails | None = None
    run_id: int | None = None
    sql_condition: SqlConditionRunInfoDetails | None = None
