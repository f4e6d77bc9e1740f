"""The kinds of tasks for SQL and what is made of it: queries, alerts, dashboards and Power BI models."""

from __future__ import annotations

import attrs

from databricks_async.codec import Model
from databricks_async.jobs.models.settings_enums import (
    AuthenticationMethod,
    Source,
    StorageMode,
    SubscriptionAttachmentDataAttachmentFileFormat,
    SubscriptionAttachmentPageAttachmentPageSelection,
)


@attrs.define(kw_only=True, repr=False)
class SqlTaskSubscription(Model):
    """Somebody who is told the result: a user or a destination, not both."""

    destination_id: str | None = None
    user_name: str | None = None


@attrs.define(kw_only=True, repr=False)
class SqlTaskAlert(Model):
    """Evaluates a SQL alert."""

    alert_id: str | None
    pause_subscriptions: bool | None = None
    subscriptions: list[SqlTaskSubscription] | None = None


@attrs.define(kw_only=True, repr=False)
class SqlTaskDashboard(Model):
    """Refreshes a SQL dashboard."""

    dashboard_id: str | None
    custom_subject: str | None = None
    pause_subscriptions: bool | None = None
    subscriptions: list[SqlTaskSubscription] | None = None


@attrs.define(kw_only=True, repr=False)
class SqlTaskFile(Model):
    """Runs a SQL file."""

    path: str | None
    """Absolute in the workspace, relative in a Git repository."""
    source: Source | None = None


@attrs.define(kw_only=True, repr=False)
class SqlTaskQuery(Model):
    """Runs a SQL query."""

    query_id: str | None


@attrs.define(kw_only=True, repr=False)
class SqlTask(Model):
    """Runs one of a query, a file, a dashboard and an alert on a SQL warehouse."""

    warehouse_id: str | None
    alert: SqlTaskAlert | None = None
    dashboard: SqlTaskDashboard | None = None
    file: SqlTaskFile | None = None
    parameters: dict[str, str] | None = None
    query: SqlTaskQuery | None = None


@attrs.define(kw_only=True, repr=False)
class AlertTaskSubscriber(Model):
    """Somebody who is told the result: a user or a destination."""

    destination_id: str | None = None
    user_name: str | None = None


@attrs.define(kw_only=True, repr=False)
class AlertTask(Model):
    """Evaluates an alert, given by its id or its path."""

    alert_id: str | None = None
    parameters: dict[str, str] | None = None
    """Override the parameters of the query."""
    subscribers: list[AlertTaskSubscriber] | None = None
    """100 at most."""
    warehouse_id: str | None = None
    workspace_path: str | None = None
    """Begins with `/Workspace`. Not together with alert_id."""


@attrs.define(kw_only=True, repr=False)
class SubscriptionAttachmentDataAttachmentWidget(Model):
    """A widget of a dashboard."""

    page_id: str | None
    widget_id: str | None


@attrs.define(kw_only=True, repr=False)
class SubscriptionAttachmentDataAttachment(Model):
    """The data of widgets, as files."""

    widgets: list[SubscriptionAttachmentDataAttachmentWidget] | None
    file_format: SubscriptionAttachmentDataAttachmentFileFormat | None
    include_applied_filters: bool | None = None


@attrs.define(kw_only=True, repr=False)
class SubscriptionAttachmentPageAttachment(Model):
    """The pages of a dashboard in the attached PDF."""

    page_ids: list[str] | None = None
    """Only with PAGE_SELECTION_SUBSET."""
    page_selection: SubscriptionAttachmentPageAttachmentPageSelection | None = None


@attrs.define(kw_only=True, repr=False)
class SubscriptionAttachment(Model):
    """What is attached to the mail about a dashboard. Without it: the first page."""

    data_attachment: SubscriptionAttachmentDataAttachment | None = None
    page_attachment: SubscriptionAttachmentPageAttachment | None = None


@attrs.define(kw_only=True, repr=False)
class SubscriptionSubscriber(Model):
    """Somebody who gets a dashboard: a user or a destination."""

    destination_id: str | None = None
    user_name: str | None = None


@attrs.define(kw_only=True, repr=False)
class Subscription(Model):
    """Who gets a dashboard when it was refreshed."""

    attachment: SubscriptionAttachment | None = None
    custom_subject: str | None = None
    paused: bool | None = None
    subscribers: list[SubscriptionSubscriber] | None = None


@attrs.define(kw_only=True, repr=False)
class DashboardTask(Model):
    """Refreshes a dashboard and sends it."""

    dashboard_id: str | None = None
    filters: dict[str, str] | None = None
    subscription: Subscription | None = None
    warehouse_id: str | None = None
    """Absent: the one of the dashboard."""


@attrs.define(kw_only=True, repr=False)
class PowerBiModel(Model):
    """The model in Power BI."""

    authentication_method: AuthenticationMethod | None = None
    model_name: str | None = None
    overwrite_existing: bool | None = None
    storage_mode: StorageMode | None = None
    workspace_name: str | None = None


@attrs.define(kw_only=True, repr=False)
class PowerBiTable(Model):
    """A table to publish to Power BI."""

    catalog: str | None = None
    name: str | None = None
    schema: str | None = None
    storage_mode: StorageMode | None = None


@attrs.define(kw_only=True, repr=False)
class PowerBiTask(Model):
    """Publishes tables to a model in Power BI."""

    connection_resource_name: str | None = None
    power_bi_model: PowerBiModel | None = None
    refresh_after_update: bool | None = None
    tables: list[PowerBiTable] | None = None
    warehouse_id: str | None = None
