"""Runs as the service reports them, and the answers of the endpoints that start them."""

from __future__ import annotations

from datetime import datetime

import attrs

from databricks_async.clusters.models.spec import ClusterSpec as NewCluster
from databricks_async.codec import Model
from databricks_async.epoch import to_epoch_ms
from databricks_async.jobs.models.compute import GitSource, JobCluster, JobEnvironmentVariables
from databricks_async.jobs.models.run_enums import RepairHistoryItemType, RunType, TriggerType, ViewType
from databricks_async.jobs.models.run_state import RunState, RunStatus, _StateProperties, _TimeProperties
from databricks_async.jobs.models.run_tasks import ClusterInstance, RunTask
from databricks_async.jobs.models.settings_enums import Format, PerformanceTarget
from databricks_async.jobs.models.task_kinds import RunParameters
from databricks_async.jobs.models.timelines import timeline_of
from databricks_async.jobs.models.trigger_states import TriggerInfo
from databricks_async.jobs.models.triggers import CronSchedule
from databricks_async.libraries.models import Library
from databricks_async.pictures import Timeline

__all__ = [
    "BaseRun",
    "ClusterSpec",
    "ExportRunOutput",
    "JobParameter",
    "ListRunsResponse",
    "RepairHistoryItem",
    "RepairRunResponse",
    "Run",
    "RunNowResponse",
    "SubmitRunResponse",
    "ViewItem",
]


@attrs.define(kw_only=True, repr=False, eq=False)
class ClusterSpec(Model):
    """What a run of one task runs on."""

    existing_cluster_id: str | None = None
    """The id of a running cluster to use."""
    job_cluster_key: str | None = None
    """Which of the job's `job_clusters` it runs on."""
    libraries: list[Library] | None = None
    """Libraries to install on the cluster."""
    new_cluster: NewCluster | None = None
    """The specification of a cluster made for this run alone."""


@attrs.define(kw_only=True, repr=False, eq=False)
class JobParameter(Model):
    """A parameter of a job, with its value in this run."""

    default: str | None = None
    """The value if the run gives none."""
    name: str | None = None
    """The name."""
    value: str | None = None
    """The value in this run."""


@attrs.define(kw_only=True, repr=False, eq=False)
class RepairHistoryItem(_StateProperties, Model):
    """The first attempt of a run, or a repair."""

    effective_performance_target: PerformanceTarget | None = None
    """How serverless compute was in fact run: for speed or for cost."""
    end_time: int | None = None
    """Epoch milliseconds; 0 before the end."""
    id: int | None = None
    """The repair_id; absent for the first attempt."""
    start_time: int | None = None
    """Epoch milliseconds."""
    state: RunState | None = None
    """How it stands; deprecated by the service in favour of `status`."""
    status: RunStatus | None = None
    """How it stands."""
    task_run_ids: list[int] | None = None
    """The run_ids of the tasks that ran in it."""
    type: RepairHistoryItemType | None = None
    """Whether it is the first attempt or a repair."""


@attrs.define(kw_only=True, repr=False, eq=False)
class BaseRun(_TimeProperties, Model):
    """A run, as a listing shows it."""

    run_id: int | None
    """The id of the run, unique in the workspace."""
    attempt_number: int | None = None
    """0 for the first attempt, then counted up by retries."""
    cleanup_duration: int | None = None
    """Milliseconds; 0 for runs of several tasks."""
    cluster_instance: ClusterInstance | None = None
    """The cluster it runs on; absent until there is one."""
    cluster_spec: ClusterSpec | None = None
    """What the run was to run on when it was made."""
    creator_user_name: str | None = None
    """Who created it; absent if that user was deleted."""
    deployment_id: str | None = None
    """The deployment that made the job."""
    description: str | None = None
    """The description of the run."""
    duration_target: str | None = None
    """Hours within which the run may be done, for example `4h`; only for cost-optimized serverless runs."""
    effective_performance_target: PerformanceTarget | None = None
    """How serverless compute was in fact run: for speed or for cost."""
    effective_usage_policy_id: str | None = None
    """The usage policy to which the cost was in fact attributed."""
    end_time: int | None = None
    """Epoch milliseconds; 0 before the end."""
    environment_variables: list[JobEnvironmentVariables] | None = None
    """Named sets of environment variables."""
    execution_duration: int | None = None
    """Milliseconds; 0 for runs of several tasks."""
    git_source: GitSource | None = None
    """The Git repository that holds the sources of the tasks."""
    has_more: bool | None = None
    """Whether arrays were cut off: `get_run` has the rest."""
    job_clusters: list[JobCluster] | None = None
    """The job clusters of the run."""
    job_id: int | None = None
    """The job of the run."""
    job_parameters: list[JobParameter] | None = None
    """The parameters of the job, with their values in this run."""
    job_run_id: int | None = None
    """The run of the job to which this run of a task belongs; its own id otherwise."""
    number_in_job: int | None = None
    """The same as `run_id`; deprecated by the service."""
    original_attempt_run_id: int | None = None
    """The run_id of the first attempt."""
    overriding_parameters: RunParameters | None = None
    """The parameters with which the run was started."""
    queue_duration: int | None = None
    """Milliseconds in the queue."""
    repair_history: list[RepairHistoryItem] | None = None
    """The first attempt and the repairs; see `include_history` of `get_run`."""
    run_duration: int | None = None
    """Milliseconds that the run and all its repairs took."""
    run_name: str | None = None
    """The name of the run; 4,096 bytes at most."""
    run_page_url: str | None = None
    """The page of the run in the web UI."""
    run_type: RunType | None = None
    """What started it: a job, a submission, a notebook workflow."""
    schedule: CronSchedule | None = None
    """The schedule that started it."""
    setup_duration: int | None = None
    """Milliseconds until the cluster was there; 0 for runs of several tasks."""
    start_time: int | None = None
    """Epoch milliseconds."""
    state: RunState | None = None
    """Deprecated by the service in favour of `status`; older versions send only this."""
    status: RunStatus | None = None
    """How it stands."""
    tasks: list[RunTask] | None = None
    """Of more than 100, one page has 100."""
    trigger: TriggerType | None = None
    """What started it."""
    trigger_info: TriggerInfo | None = None
    """More about what started it."""
    version_id: str | None = None
    """The version of the deployment that made the job."""
    format: Format | None = None
    """Whether the job has one task or a list of tasks; ignored in requests."""

    def timeline(self, *, now: int | datetime | None = None) -> Timeline:
        """What each task's attempts spent their time on: waiting, setup, running, cleaning up. Sends nothing.

        A value, and a picture in a notebook. What has not ended is drawn up to `now`, epoch milliseconds or an aware
        datetime; by default up to the latest moment that the run itself shows, so that equal runs give equal pictures.
        The run has a bar of its own where it waited in a queue, and where its tasks are not known.
        """
        name = f"run {self.run_id}" + (f" ({self.run_name})" if self.run_name else "")
        return timeline_of(name, self, self.tasks or (), to_epoch_ms("now", now))


@attrs.define(kw_only=True, repr=False, eq=False)
class Run(BaseRun):
    """A run."""

    iterations: list[RunTask] | None = None
    """The runs of a task for each of its inputs."""
    next_page_token: str | None = None
    """For the rest of the tasks and job clusters."""


@attrs.define(kw_only=True, repr=False, eq=False)
class ListRunsResponse(Model):
    """One page of a list of runs, the latest first."""

    has_more: bool | None = None
    """Whether there are more pages."""
    next_page_token: str | None = None
    """Goes on after this page; absent or empty on the last."""
    prev_page_token: str | None = None
    """Goes back to the page before this one."""
    runs: list[BaseRun] | None = None
    """The runs of this page."""


@attrs.define(kw_only=True, repr=False, eq=False)
class RunNowResponse(Model):
    """What `run_now` answers."""

    run_id: int
    """The id of the new run."""
    number_in_job: int | None = None
    """The same as `run_id`; deprecated by the service."""


@attrs.define(kw_only=True, repr=False, eq=False)
class SubmitRunResponse(Model):
    """What `submit` answers."""

    run_id: int
    """The id of the new run."""


@attrs.define(kw_only=True, repr=False, eq=False)
class RepairRunResponse(Model):
    """What `repair_run` answers."""

    repair_id: int | None
    """The latest_repair_id of the next repair."""


@attrs.define(kw_only=True, repr=False, eq=False)
class ViewItem(Model):
    """A notebook or dashboard, exported."""

    content: str | None = None
    """HTML."""
    name: str | None = None
    """The name of the notebook or dashboard."""
    type: ViewType | None = None
    """Whether it is a notebook or a dashboard."""


@attrs.define(kw_only=True, repr=False, eq=False)
class ExportRunOutput(Model):
    """What `export_run` answers."""

    views: list[ViewItem] | None = None
    """One for each notebook or dashboard, as HTML."""
