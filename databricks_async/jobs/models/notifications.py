"""Who is told what about runs, and the health rules that tell when something is odd."""

from __future__ import annotations

import attrs

from databricks_async.codec import Model
from databricks_async.jobs.models.settings_enums import JobsHealthMetric, JobsHealthOperator


@attrs.define(kw_only=True, repr=False)
class JobEmailNotifications(Model):
    """Addresses to which mail is sent about the runs of a job."""

    no_alert_for_skipped_runs: bool | None = None
    """Deprecated: use notification_settings."""
    on_duration_warning_threshold_exceeded: list[str] | None = None
    """Needs a health rule for RUN_DURATION_SECONDS."""
    on_failure: list[str] | None = None
    on_maintenance_complete: list[str] | None = None
    on_maintenance_start: list[str] | None = None
    on_start: list[str] | None = None
    on_streaming_backlog_exceeded: list[str] | None = None
    on_success: list[str] | None = None


@attrs.define(kw_only=True, repr=False)
class TaskEmailNotifications(JobEmailNotifications):
    """Addresses to which mail is sent about the runs of a task."""


@attrs.define(kw_only=True, repr=False)
class JobNotificationSettings(Model):
    """The runs of a job for which no notification is sent."""

    no_alert_for_canceled_runs: bool | None = None
    no_alert_for_skipped_runs: bool | None = None


@attrs.define(kw_only=True, repr=False)
class TaskNotificationSettings(Model):
    """The runs of a task for which no notification is sent."""

    alert_on_last_attempt: bool | None = None
    """Only the last of several attempts tells of a start or a failure."""
    no_alert_for_canceled_runs: bool | None = None
    no_alert_for_skipped_runs: bool | None = None


@attrs.define(kw_only=True, repr=False)
class Webhook(Model):
    """A notification destination of the workspace."""

    id: str | None


@attrs.define(kw_only=True, repr=False)
class WebhookNotifications(Model):
    """Notification destinations that are told about runs, at most 3 for each occasion."""

    on_duration_warning_threshold_exceeded: list[Webhook] | None = None
    """Needs a health rule for RUN_DURATION_SECONDS."""
    on_failure: list[Webhook] | None = None
    on_maintenance_complete: list[Webhook] | None = None
    on_maintenance_start: list[Webhook] | None = None
    on_start: list[Webhook] | None = None
    on_streaming_backlog_exceeded: list[Webhook] | None = None
    on_success: list[Webhook] | None = None


@attrs.define(kw_only=True, repr=False)
class JobsHealthRule(Model):
    """A limit that a healthy run does not exceed."""

    metric: JobsHealthMetric | None
    op: JobsHealthOperator | None
    value: int | None
    """In the unit of the metric."""


@attrs.define(kw_only=True, repr=False)
class JobsHealthRules(Model):
    """The limits that a healthy run does not exceed."""

    rules: list[JobsHealthRule] | None = None
