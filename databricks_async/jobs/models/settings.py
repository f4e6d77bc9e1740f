"""The settings of a job: the bodies of create, reset and update."""

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

__all__ = [
    "CreateJob",
    "JobDeployment",
    "JobParameterDefinition",
    "JobRunAs",
    "JobSettings",
    "QueueSettings",
]

MAX_CONCURRENT_RUNS: Final = 1_000


@attrs.define(kw_only=True, repr=False, eq=False)
class QueueSettings(Model):
    """Whether runs wait in a queue when they cannot start at once."""

    enabled: bool | None
    """Whether runs wait in the queue."""


@attrs.define(kw_only=True, repr=False, eq=False)
class JobRunAs(Model):
    """The user, group or service principal as which the job runs: one of the three; by default its creator."""

    group_name: str | None = None
    """The name of an account group that the workspace has."""
    service_principal_name: str | None = None
    """The application id."""
    user_name: str | None = None
    """The e-mail address of a user; without being an admin, only one's own."""


@attrs.define(kw_only=True, repr=False, eq=False)
class JobDeployment(Model):
    """What manages a job, and by which deployment."""

    kind: JobDeploymentKind | None
    """What manages the job."""
    deployment_id: str | None = None
    """The deployment that made the job."""
    metadata_file_path: str | None = None
    """The path of the file with the deployment's metadata."""
    version_id: str | None = None
    """The version of the deployment that made the job."""


@attrs.define(kw_only=True, repr=False, eq=False)
class JobParameterDefinition(Model):
    """A parameter of a job."""

    name: str | None
    """Letters, digits, `_`, `-` and `.`."""
    default: str | None
    """The value of runs that give none."""


@attrs.define(kw_only=True, repr=False, eq=False)
class JobSettings(Model):
    """What a job is to be. `update` takes a part of it: what is given replaces what is there, and tasks and job
    clusters replace those with the same key."""

    budget_policy_id: str | None = None
    """The budget policy to which the cost is attributed; the default one if not given."""
    continuous: Continuous | None = None
    """Not together with schedule."""
    deployment: JobDeployment | None = None
    """What manages the job from outside."""
    description: str | None = None
    """27,700 bytes at most."""
    duration_target: str | None = None
    """Hours within which the run may be done, for example `4h`; only for cost-optimized serverless runs."""
    edit_mode: JobEditMode | None = None
    """Whether the job can be edited in the web UI."""
    email_notifications: JobEmailNotifications | None = None
    """Addresses to write to, by occasion."""
    environment_variables: list[JobEnvironmentVariables] | None = None
    """10 at most."""
    environments: list[JobEnvironment] | None = None
    """Environments of serverless tasks, each with a key by which tasks name it."""
    format: Format | None = None
    """Whether the job has one task or a list of tasks; ignored in requests."""
    git_source: GitSource | None = None
    """The Git repository that holds the sources of the tasks."""
    health: JobsHealthRules | None = None
    """Rules by which a run counts as unhealthy."""
    job_clusters: list[JobCluster] | None = None
    """Clusters that tasks of a run share, each with a key by which tasks name it."""
    max_concurrent_runs: int | None = None
    """0 to 1,000; 1 if absent. 0 skips every run."""
    name: str | None = None
    """4,096 bytes at most."""
    notification_settings: JobNotificationSettings | None = None
    """Which of the notifications to leave out."""
    parameters: list[JobParameterDefinition] | None = None
    """The parameters of the job."""
    parent_path: str | None = None
    """The folder of the workspace file that stands for the job."""
    performance_target: PerformanceTarget | None = None
    """How serverless compute is run: for speed or for cost."""
    queue: QueueSettings | None = None
    """Whether runs wait in a queue when they cannot start."""
    run_as: JobRunAs | None = None
    """Only in requests: an answer has run_as_user_name."""
    schedule: CronSchedule | None = None
    """When runs are started."""
    tags: dict[str, str] | None = None
    """25 at most; also set on the job clusters."""
    tasks: list[Task] | None = None
    """1,000 at most."""
    timeout_seconds: int | None = None
    """0 is no limit."""
    trigger: TriggerSettings | None = None
    """What starts runs."""
    triggers: list[TriggerConfiguration] | None = None
    """Instead of schedule, trigger and continuous."""
    usage_policy_id: str | None = None
    """The usage policy to which the cost is attributed; the default one if not given."""
    webhook_notifications: WebhookNotifications | None = None
    """Notification destinations to call, by occasion."""

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


@attrs.define(kw_only=True, repr=False, eq=False)
class CreateJob(JobSettings):
    """A job to be created."""

    access_control_list: list[JobAccessControlRequest] | None = None
    """Who may do what with it."""

    def check(self) -> None:
        self._check(complete=True)
