"""Notifications about runs: who gets which, and the health rules that cause some of them."""

from __future__ import annotations

import attrs

from databricks_async.codec import Model
from databricks_async.jobs.models.settings_enums import JobsHealthMetric, JobsHealthOperator

__all__ = [
    "JobEmailNotifications",
    "JobNotificationSettings",
    "JobsHealthRule",
    "JobsHealthRules",
    "TaskEmailNotifications",
    "TaskNotificationSettings",
    "Webhook",
    "WebhookNotifications",
]


@attrs.define(kw_only=True, repr=False, eq=False)
class JobEmailNotifications(Model):
    """Addresses to which mail is sent about the runs of a job."""

    no_alert_for_skipped_runs: bool | None = None
    """Deprecated: use notification_settings."""
    on_duration_warning_threshold_exceeded: list[str] | None = None
    """Needs a health rule for RUN_DURATION_SECONDS."""
    on_failure: list[str] | None = None
    """Addresses for runs that end without success."""
    on_maintenance_complete: list[str] | None = None
    """Addresses for the end of maintenance of a continuous job."""
    on_maintenance_start: list[str] | None = None
    """Addresses for the start of maintenance of a continuous job."""
    on_start: list[str] | None = None
    """Addresses for the start of a run."""
    on_streaming_backlog_exceeded: list[str] | None = None
    """Addresses for streams whose backlog passes the threshold of `health`."""
    on_success: list[str] | None = None
    """Addresses for runs that end with success."""


@attrs.define(kw_only=True, repr=False, eq=False)
class TaskEmailNotifications(JobEmailNotifications):
    """Addresses to which mail is sent about the runs of a task."""


@attrs.define(kw_only=True, repr=False, eq=False)
class JobNotificationSettings(Model):
    """The runs of a job for which no notification is sent."""

    no_alert_for_canceled_runs: bool | None = None
    """Whether nothing is sent for canceled runs."""
    no_alert_for_skipped_runs: bool | None = None
    """Whether nothing is sent for skipped runs."""


@attrs.define(kw_only=True, repr=False, eq=False)
class TaskNotificationSettings(Model):
    """The runs of a task for which no notification is sent."""

    alert_on_last_attempt: bool | None = None
    """Of several attempts only the last one notifies of a start or a failure."""
    no_alert_for_canceled_runs: bool | None = None
    """Whether nothing is sent for canceled runs."""
    no_alert_for_skipped_runs: bool | None = None
    """Whether nothing is sent for skipped runs."""


@attrs.define(kw_only=True, repr=False, eq=False)
class Webhook(Model):
    """A notification destination of the workspace."""

    id: str | None
    """The id of the notification destination."""


@attrs.define(kw_only=True, repr=False, eq=False)
class WebhookNotifications(Model):
    """Notification destinations for events of runs, at most 3 for each event."""

    on_duration_warning_threshold_exceeded: list[Webhook] | None = None
    """Needs a health rule for RUN_DURATION_SECONDS."""
    on_failure: list[Webhook] | None = None
    """Called for runs that end without success; 3 at most."""
    on_maintenance_complete: list[Webhook] | None = None
    """Called at the end of maintenance of a continuous job; 3 at most."""
    on_maintenance_start: list[Webhook] | None = None
    """Called at the start of maintenance of a continuous job; 3 at most."""
    on_start: list[Webhook] | None = None
    """Called at the start of a run; 3 at most."""
    on_streaming_backlog_exceeded: list[Webhook] | None = None
    """Called for streams whose backlog passes the threshold of `health`; 3 at most."""
    on_success: list[Webhook] | None = None
    """Called for runs that end with success; 3 at most."""


@attrs.define(kw_only=True, repr=False, eq=False)
class JobsHealthRule(Model):
    """A limit that a healthy run does not exceed."""

    metric: JobsHealthMetric | None
    """What is measured."""
    op: JobsHealthOperator | None
    """How it is compared with the value."""
    value: int | None
    """In the unit of the metric."""


@attrs.define(kw_only=True, repr=False, eq=False)
class JobsHealthRules(Model):
    """The limits that a healthy run does not exceed."""

    rules: list[JobsHealthRule] | None = None
    """The rules, each of which has to hold."""
