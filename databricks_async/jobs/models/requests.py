"""What makes runs: the bodies of submit, run_now and repair_run."""

from __future__ import annotations

import attrs

from databricks_async.clusters.models.spec import check_idempotency_token
from databricks_async.codec import Model
from databricks_async.jobs.models.checks import check_tasks
from databricks_async.jobs.models.compute import GitSource, JobEnvironment, JobEnvironmentVariables
from databricks_async.jobs.models.notifications import (
    JobEmailNotifications,
    JobNotificationSettings,
    JobsHealthRules,
    WebhookNotifications,
)
from databricks_async.jobs.models.permissions import JobAccessControlRequest
from databricks_async.jobs.models.settings import JobRunAs, QueueSettings
from databricks_async.jobs.models.settings_enums import PerformanceTarget
from databricks_async.jobs.models.task_kinds import RunParameters
from databricks_async.jobs.models.tasks import SubmitTask


@attrs.define(kw_only=True, repr=False)
class SubmitRun(Model):
    """A one-time run, without a job."""

    access_control_list: list[JobAccessControlRequest] | None = None
    budget_policy_id: str | None = None
    duration_target: str | None = None
    """Hours within which the run may be done, for example `4h`; only for cost-optimized serverless runs."""
    email_notifications: JobEmailNotifications | None = None
    environment_variables: list[JobEnvironmentVariables] | None = None
    environments: list[JobEnvironment] | None = None
    git_source: GitSource | None = None
    health: JobsHealthRules | None = None
    idempotency_token: str | None = None
    """64 characters at most. A second request with the same token gets the run of the first."""
    notification_settings: JobNotificationSettings | None = None
    performance_target: PerformanceTarget | None = None
    queue: QueueSettings | None = None
    run_as: JobRunAs | None = None
    run_name: str | None = None
    """4,096 bytes at most."""
    tasks: list[SubmitTask] | None = None
    """1,000 at most."""
    timeout_seconds: int | None = None
    """0 is no limit."""
    usage_policy_id: str | None = None
    webhook_notifications: WebhookNotifications | None = None

    def check(self) -> None:
        check_tasks(self.tasks, None, complete=True)
        check_idempotency_token(self.idempotency_token)


@attrs.define(kw_only=True, repr=False)
class RunNow(RunParameters):
    """A run of a job."""

    job_id: int
    duration_target: str | None = None
    """Hours within which the run may be done, for example `4h`; only for cost-optimized serverless runs."""
    idempotency_token: str | None = None
    """64 characters at most. A second request with the same token gets the run of the first."""
    job_parameters: dict[str, str] | None = None
    only: list[str] | None = None
    """Keys of the tasks to run; absent: all."""
    performance_target: PerformanceTarget | None = None
    queue: QueueSettings | None = None

    def check(self) -> None:
        check_idempotency_token(self.idempotency_token)


@attrs.define(kw_only=True, repr=False)
class RepairRun(RunParameters):
    """What to run again of a run."""

    run_id: int
    duration_target: str | None = None
    """Hours within which the run may be done, for example `4h`; only for cost-optimized serverless runs."""
    job_parameters: dict[str, str] | None = None
    latest_repair_id: int | None = None
    """The repair_id of the repair before; needed for every repair but the first."""
    performance_target: PerformanceTarget | None = None
    rerun_all_failed_tasks: bool | None = None
    """Not together with rerun_tasks."""
    rerun_dependent_tasks: bool | None = None
    """Whether tasks that depend on them run again too, also those that succeeded."""
    rerun_tasks: list[str] | None = None
    """Keys of tasks."""
