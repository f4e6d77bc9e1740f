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

__all__ = [
    "AlertTask",
    "AlertTaskSubscriber",
    "DashboardTask",
    "PowerBiModel",
    "PowerBiTable",
    "PowerBiTask",
    "SqlTask",
    "SqlTaskAlert",
    "SqlTaskDashboard",
    "SqlTaskFile",
    "SqlTaskQuery",
    "SqlTaskSubscription",
    "Subscription",
    "SubscriptionAttachment",
    "SubscriptionAttachmentDataAttachment",
    "SubscriptionAttachmentDataAttachmentWidget",
    "SubscriptionAttachmentPageAttachment",
    "SubscriptionSubscriber",
]


@attrs.define(kw_only=True, repr=False, eq=False)
class SqlTaskSubscription(Model):
    """A recipient of the result: a user or a destination, not both."""

    destination_id: str | None = None
    """The id of a notification destination. Not together with `user_name`."""
    user_name: str | None = None
    """The e-mail address of a user."""


@attrs.define(kw_only=True, repr=False, eq=False)
class SqlTaskAlert(Model):
    """Evaluates a SQL alert."""

    alert_id: str | None
    """The id of the alert."""
    pause_subscriptions: bool | None = None
    """Whether subscribers get nothing."""
    subscriptions: list[SqlTaskSubscription] | None = None
    """Who gets the result."""


@attrs.define(kw_only=True, repr=False, eq=False)
class SqlTaskDashboard(Model):
    """Refreshes a SQL dashboard."""

    dashboard_id: str | None
    """The id of the dashboard."""
    custom_subject: str | None = None
    """The subject of the e-mails."""
    pause_subscriptions: bool | None = None
    """Whether subscribers get nothing."""
    subscriptions: list[SqlTaskSubscription] | None = None
    """Who gets the result."""


@attrs.define(kw_only=True, repr=False, eq=False)
class SqlTaskFile(Model):
    """Runs a SQL file."""

    path: str | None
    """Absolute in the workspace, relative in a Git repository."""
    source: Source | None = None
    """Where the file is: in the workspace, or in Git."""


@attrs.define(kw_only=True, repr=False, eq=False)
class SqlTaskQuery(Model):
    """Runs a SQL query."""

    query_id: str | None
    """The id of the query."""


@attrs.define(kw_only=True, repr=False, eq=False)
class SqlTask(Model):
    """Runs one of a query, a file, a dashboard and an alert on a SQL warehouse."""

    warehouse_id: str | None
    """The id of the SQL warehouse."""
    alert: SqlTaskAlert | None = None
    """The alert to refresh."""
    dashboard: SqlTaskDashboard | None = None
    """The dashboard to refresh."""
    file: SqlTaskFile | None = None
    """The SQL file to run."""
    parameters: dict[str, str] | None = None
    """The parameters by name; alerts have none."""
    query: SqlTaskQuery | None = None
    """The query to run."""


@attrs.define(kw_only=True, repr=False, eq=False)
class AlertTaskSubscriber(Model):
    """A recipient of the result: a user or a destination."""

    destination_id: str | None = None
    """The id of a notification destination. Not together with `user_name`."""
    user_name: str | None = None
    """The e-mail address of a user."""


@attrs.define(kw_only=True, repr=False, eq=False)
class AlertTask(Model):
    """Evaluates an alert, given by its id or its path."""

    alert_id: str | None = None
    """The id of the alert."""
    parameters: dict[str, str] | None = None
    """Override the parameters of the query."""
    subscribers: list[AlertTaskSubscriber] | None = None
    """100 at most."""
    warehouse_id: str | None = None
    """The id of the SQL warehouse."""
    workspace_path: str | None = None
    """Begins with `/Workspace`. Not together with alert_id."""


@attrs.define(kw_only=True, repr=False, eq=False)
class SubscriptionAttachmentDataAttachmentWidget(Model):
    """A widget of a dashboard."""

    page_id: str | None
    """The page of the widget."""
    widget_id: str | None
    """The id of the widget."""


@attrs.define(kw_only=True, repr=False, eq=False)
class SubscriptionAttachmentDataAttachment(Model):
    """The data of widgets, as files."""

    widgets: list[SubscriptionAttachmentDataAttachmentWidget] | None
    """The widgets whose data is attached; one at least."""
    file_format: SubscriptionAttachmentDataAttachmentFileFormat | None
    """The format of the files."""
    include_applied_filters: bool | None = None
    """Whether the filters are attached too."""


@attrs.define(kw_only=True, repr=False, eq=False)
class SubscriptionAttachmentPageAttachment(Model):
    """The pages of a dashboard in the attached PDF."""

    page_ids: list[str] | None = None
    """Only with PAGE_SELECTION_SUBSET."""
    page_selection: SubscriptionAttachmentPageAttachmentPageSelection | None = None
    """Which pages are attached."""


@attrs.define(kw_only=True, repr=False, eq=False)
class SubscriptionAttachment(Model):
    """What is attached to the mail about a dashboard. Without it: the first page."""

    data_attachment: SubscriptionAttachmentDataAttachment | None = None
    """The data of widgets to attach."""
    page_attachment: SubscriptionAttachmentPageAttachment | None = None
    """The pages to attach as PDF; the first one if not given."""


@attrs.define(kw_only=True, repr=False, eq=False)
class SubscriptionSubscriber(Model):
    """A recipient of a dashboard: a user or a destination."""

    destination_id: str | None = None
    """The id of a notification destination. Not together with `user_name`."""
    user_name: str | None = None
    """The e-mail address of a user."""


@attrs.define(kw_only=True, repr=False, eq=False)
class Subscription(Model):
    """Who gets a dashboard when it was refreshed."""

    attachment: SubscriptionAttachment | None = None
    """What is attached."""
    custom_subject: str | None = None
    """The subject of the e-mails."""
    paused: bool | None = None
    """Whether subscribers get nothing."""
    subscribers: list[SubscriptionSubscriber] | None = None
    """Who gets the snapshot."""


@attrs.define(kw_only=True, repr=False, eq=False)
class DashboardTask(Model):
    """Refreshes a dashboard and sends it."""

    dashboard_id: str | None = None
    """The id of the dashboard."""
    filters: dict[str, str] | None = None
    """Values of the dashboard's filters, by name."""
    subscription: Subscription | None = None
    """Who gets a snapshot."""
    warehouse_id: str | None = None
    """Absent: the one of the dashboard."""


@attrs.define(kw_only=True, repr=False, eq=False)
class PowerBiModel(Model):
    """The model in Power BI."""

    authentication_method: AuthenticationMethod | None = None
    """How the model logs in to the service."""
    model_name: str | None = None
    """The name of the model."""
    overwrite_existing: bool | None = None
    """Whether a model of this name is replaced."""
    storage_mode: StorageMode | None = None
    """How Power BI keeps the data."""
    workspace_name: str | None = None
    """The Power BI workspace."""


@attrs.define(kw_only=True, repr=False, eq=False)
class PowerBiTable(Model):
    """A table to publish to Power BI."""

    catalog: str | None = None
    """The catalog."""
    name: str | None = None
    """The table."""
    schema: str | None = None
    """The schema."""
    storage_mode: StorageMode | None = None
    """How Power BI keeps the data."""


@attrs.define(kw_only=True, repr=False, eq=False)
class PowerBiTask(Model):
    """Publishes tables to a model in Power BI."""

    connection_resource_name: str | None = None
    """The Unity Catalog connection with which to log in there."""
    power_bi_model: PowerBiModel | None = None
    """The semantic model."""
    refresh_after_update: bool | None = None
    """Whether the model is refreshed afterwards."""
    tables: list[PowerBiTable] | None = None
    """The tables to export."""
    warehouse_id: str | None = None
    """The id of the SQL warehouse."""
