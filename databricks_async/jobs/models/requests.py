"""The requests that start runs: the bodies of submit, run_now and repair_run."""

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

__all__ = [
    "RepairRun",
    "RunNow",
    "SubmitRun",
]


@attrs.define(kw_only=True, repr=False, eq=False)
class SubmitRun(Model):
    """A one-time run, without a job."""

    access_control_list: list[JobAccessControlRequest] | None = None
    """Who may do what with it."""
    budget_policy_id: str | None = None
    """The budget policy to which the cost is attributed; the default one if not given."""
    duration_target: str | None = None
    """Hours within which the run may be done, for example `4h`; only for cost-optimized serverless runs."""
    email_notifications: JobEmailNotifications | None = None
    """Addresses to write to, by occasion."""
    environment_variables: list[JobEnvironmentVariables] | None = None
    """Named sets of environment variables."""
    environments: list[JobEnvironment] | None = None
    """Environments of serverless tasks, each with a key by which tasks name it."""
    git_source: GitSource | None = None
    """The Git repository that holds the sources of the tasks."""
    health: JobsHealthRules | None = None
    """Rules by which a run counts as unhealthy."""
    idempotency_token: str | None = None
    """64 characters at most. A second request with the same token gets the run of the first."""
    notification_settings: JobNotificationSettings | None = None
    """Which of the notifications to leave out."""
    performance_target: PerformanceTarget | None = None
    """How serverless compute is run: for speed or for cost."""
    queue: QueueSettings | None = None
    """Whether runs wait in a queue when they cannot start."""
    run_as: JobRunAs | None = None
    """As whom runs act."""
    run_name: str | None = None
    """4,096 bytes at most."""
    tasks: list[SubmitTask] | None = None
    """1,000 at most."""
    timeout_seconds: int | None = None
    """0 is no limit."""
    usage_policy_id: str | None = None
    """The usage policy to which the cost is attributed; the default one if not given."""
    webhook_notifications: WebhookNotifications | None = None
    """Notification destinations to call, by occasion."""

    def check(self) -> None:
        check_tasks(self.tasks, None, complete=True)
        check_idempotency_token(self.idempotency_token)


@attrs.define(kw_only=True, repr=False, eq=False)
class RunNow(RunParameters):
    """A run of a job."""

    job_id: int
    """The job to run."""
    duration_target: str | None = None
    """Hours within which the run may be done, for example `4h`; only for cost-optimized serverless runs."""
    idempotency_token: str | None = None
    """64 characters at most. A second request with the same token gets the run of the first."""
    job_parameters: dict[str, str] | None = None
    """Values for the job's parameters, by name."""
    only: list[str] | None = None
    """Keys of the tasks to run; absent: all."""
    performance_target: PerformanceTarget | None = None
    """How serverless compute is run: for speed or for cost."""
    queue: QueueSettings | None = None
    """Whether runs wait in a queue when they cannot start."""

    def check(self) -> None:
        check_idempotency_token(self.idempotency_token)


@attrs.define(kw_only=True, repr=False, eq=False)
class RepairRun(RunParameters):
    """What to run again of a run."""

    run_id: int
    """The run to repair."""
    duration_target: str | None = None
    """Hours within which the run may be done, for example `4h`; only for cost-optimized serverless runs."""
    job_parameters: dict[str, str] | None = None
    """Values for the job's parameters, by name."""
    latest_repair_id: int | None = None
    """The repair_id of the repair before; needed for every repair but the first."""
    performance_target: PerformanceTarget | None = None
    """How serverless compute is run: for speed or for cost."""
    rerun_all_failed_tasks: bool | None = None
    """Not together with rerun_tasks."""
    rerun_dependent_tasks: bool | None = None
    """Whether tasks that depend on them run again too, also those that succeeded."""
    rerun_tasks: list[str] | None = None
    """Keys of tasks."""
