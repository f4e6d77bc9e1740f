"""What a job is to be: the bodies of create, reset and update."""

from __future__ import annotations

from typing import Final

import attrs

from databricks_async.codec import Model, WrongShape
from databricks_async.jobs.models.checks import check_tasks
from databricks_async.jobs.models.compute import GitSource, JobCluster, JobEnvironment, JobEnvironmentVariables
from databricks_async.jobs.models.notifications import (
    JobEmailNotifications,
    JobNotificationSettings,
    JobsHealthRules,
    WebhookNotifications,
)
from databricks_async.jobs.models.permissions import JobAccessControlRequest
from databricks_async.jobs.models.settings_enums import Format, JobDeploymentKind, JobEditMode, PerformanceTarget
from databricks_async.jobs.models.tasks import Task
from databricks_async.jobs.models.triggers import Continuous, CronSchedule, TriggerConfiguration, TriggerSettings

MAX_CONCURRENT_RUNS: Final = 1_000


@attrs.define(kw_only=True, repr=False)
class QueueSettings(Model):
    """Whether runs wait in a queue when they cannot start at once."""

    enabled: bool | None


@attrs.define(kw_only=True, repr=False)
class JobRunAs(Model):
    """The user, group or service principal as which the job runs: one of the three; by default its creator."""

    group_name: str | None = None
    service_principal_name: str | None = None
    """The application id."""
    user_name: str | None = None


@attrs.define(kw_only=True, repr=False)
class JobDeployment(Model):
    """What manages a job, and by which deployment."""

    kind: JobDeploymentKind | None
    deployment_id: str | None = None
    metadata_file_path: str | None = None
    version_id: str | None = None


@attrs.define(kw_only=True, repr=False)
class JobParameterDefinition(Model):
    """A parameter of a job."""

    name: str | None
    """Letters, digits, `_`, `-` and `.`."""
    default: str | None


@attrs.define(kw_only=True, repr=False)
class JobSettings(Model):
    """What a job is to be. `update` takes a part of it: what is given replaces what is there, and tasks and job
    clusters replace those with the same key."""

    budget_policy_id: str | None = None
    continuous: Continuous | None = None
    """Not together with schedule."""
    deployment: JobDeployment | None = None
    description: str | None = None
    """27,700 bytes at most."""
    duration_target: str | None = None
    """Hours within which the run may be done, for example `4h`; only for cost-optimized serverless runs."""
    edit_mode: JobEditMode | None = None
    email_notifications: JobEmailNotifications | None = None
    environment_variables: list[JobEnvironmentVariables] | None = None
    """10 at most."""
    environments: list[JobEnvironment] | None = None
    format: Format | None = None
    git_source: GitSource | None = None
    health: JobsHealthRules | None = None
    job_clusters: list[JobCluster] | None = None
    max_concurrent_runs: int | None = None
    """0 to 1,000; 1 if absent. 0 skips every run."""
    name: str | None = None
    """4,096 bytes at most."""
    notification_settings: JobNotificationSettings | None = None
    parameters: list[JobParameterDefinition] | None = None
    parent_path: str | None = None
    """The folder of the workspace file that stands for the job."""
    performance_target: PerformanceTarget | None = None
    queue: QueueSettings | None = None
    run_as: JobRunAs | None = None
    """Only in requests: an answer has run_as_user_name."""
    schedule: CronSchedule | None = None
    tags: dict[str, str] | None = None
    """25 at most; also set on the job clusters."""
    tasks: list[Task] | None = None
    """1,000 at most."""
    timeout_seconds: int | None = None
    """0 is no limit."""
    trigger: TriggerSettings | None = None
    triggers: list[TriggerConfiguration] | None = None
    """Instead of schedule, trigger and continuous."""
    usage_policy_id: str | None = None
    webhook_notifications: WebhookNotifications | None = None

    def check(self) -> None:
        """Of tasks only what holds for each: the others may be in the job already."""
        self._check(complete=False)

    def _check(self, *, complete: bool) -> None:
        check_tasks(self.tasks, (self.job_clusters or ()) if complete else self.job_clusters, complete=complete)
        runs = self.max_concurrent_runs
        if runs is not None and not 0 <= runs <= MAX_CONCURRENT_RUNS:
            raise WrongShape(
                f"expected 0 (which skips every run) to {MAX_CONCURRENT_RUNS:,}, got {runs:,}",
                ("max_concurrent_runs",),
            )


@attrs.define(kw_only=True, repr=False)
class CreateJob(JobSettings):
    """A job to be created."""

    access_control_list: list[JobAccessControlRequest] | None = None

    def check(self) -> None:
        self._check(complete=True)
