"""What the service says about runs, and the answers of what makes them."""

from __future__ import annotations

import attrs

from databricks_async.clusters.models.spec import ClusterSpec as NewCluster
from databricks_async.codec import Model
from databricks_async.jobs.models.compute import GitSource, JobCluster, JobEnvironmentVariables
from databricks_async.jobs.models.run_enums import RepairHistoryItemType, RunType, TriggerType, ViewType
from databricks_async.jobs.models.run_state import Progress, RunState, RunStatus, Timing
from databricks_async.jobs.models.run_tasks import ClusterInstance, RunTask
from databricks_async.jobs.models.settings_enums import Format, PerformanceTarget
from databricks_async.jobs.models.task_kinds import RunParameters
from databricks_async.jobs.models.trigger_states import TriggerInfo
from databricks_async.jobs.models.triggers import CronSchedule
from databricks_async.libraries.models import Library


@attrs.define(kw_only=True, repr=False)
class ClusterSpec(Model):
    """What a run of one task runs on."""

    existing_cluster_id: str | None = None
    job_cluster_key: str | None = None
    libraries: list[Library] | None = None
    new_cluster: NewCluster | None = None


@attrs.define(kw_only=True, repr=False)
class JobParameter(Model):
    """A parameter of a job, with its value in this run."""

    default: str | None = None
    name: str | None = None
    value: str | None = None


@attrs.define(kw_only=True, repr=False)
class RepairHistoryItem(Progress, Model):
    """The first attempt of a run, or a repair."""

    effective_performance_target: PerformanceTarget | None = None
    end_time: int | None = None
    """Epoch milliseconds; 0 before the end."""
    id: int | None = None
    """The repair_id; absent for the first attempt."""
    start_time: int | None = None
    """Epoch milliseconds."""
    state: RunState | None = None
    status: RunStatus | None = None
    task_run_ids: list[int] | None = None
    """The run_ids of the tasks that ran in it."""
    type: RepairHistoryItemType | None = None


@attrs.define(kw_only=True, repr=False)
class BaseRun(Timing, Model):
    """A run, as a list tells it."""

    run_id: int | None
    attempt_number: int | None = None
    """0 for the first attempt, then counted up by retries."""
    cleanup_duration: int | None = None
    """Milliseconds; 0 for runs of several tasks."""
    cluster_instance: ClusterInstance | None = None
    cluster_spec: ClusterSpec | None = None
    creator_user_name: str | None = None
    deployment_id: str | None = None
    description: str | None = None
    duration_target: str | None = None
    """Hours within which the run may be done, for example `4h`; only for cost-optimized serverless runs."""
    effective_performance_target: PerformanceTarget | None = None
    effective_usage_policy_id: str | None = None
    end_time: int | None = None
    """Epoch milliseconds; 0 before the end."""
    environment_variables: list[JobEnvironmentVariables] | None = None
    execution_duration: int | None = None
    """Milliseconds; 0 for runs of several tasks."""
    git_source: GitSource | None = None
    has_more: bool | None = None
    """Whether arrays were cut off: `get_run` has the rest."""
    job_clusters: list[JobCluster] | None = None
    job_id: int | None = None
    job_parameters: list[JobParameter] | None = None
    job_run_id: int | None = None
    number_in_job: int | None = None
    original_attempt_run_id: int | None = None
    """The run_id of the first attempt."""
    overriding_parameters: RunParameters | None = None
    queue_duration: int | None = None
    """Milliseconds in the queue."""
    repair_history: list[RepairHistoryItem] | None = None
    run_duration: int | None = None
    """Milliseconds that the run and all its repairs took."""
    run_name: str | None = None
    run_page_url: str | None = None
    run_type: RunType | None = None
    schedule: CronSchedule | None = None
    setup_duration: int | None = None
    """Milliseconds until the cluster was there; 0 for runs of several tasks."""
    start_time: int | None = None
    """Epoch milliseconds."""
    state: RunState | None = None
    """Deprecated by the service in favour of `status`; older versions send only this."""
    status: RunStatus | None = None
    tasks: list[RunTask] | None = None
    """Of more than 100, one page has 100."""
    trigger: TriggerType | None = None
    trigger_info: TriggerInfo | None = None
    version_id: str | None = None
    format: Format | None = None


@attrs.define(kw_only=True, repr=False)
class Run(BaseRun):
    """A run."""

    iterations: list[RunTask] | None = None
    """The runs of a task for each of its inputs."""
    next_page_token: str | None = None
    """For the rest of the tasks and job clusters."""


@attrs.define(kw_only=True, repr=False)
class ListRunsResponse(Model):
    """One page of a list of runs, the latest first."""

    has_more: bool | None = None
    next_page_token: str | None = None
    prev_page_token: str | None = None
    runs: list[BaseRun] | None = None


@attrs.define(kw_only=True, repr=False)
class RunNowResponse(Model):
    """What `run_now` answers."""

    run_id: int
    number_in_job: int | None = None


@attrs.define(kw_only=True, repr=False)
class SubmitRunResponse(Model):
    """What `submit` answers."""

    run_id: int


@attrs.define(kw_only=True, repr=False)
class RepairRunResponse(Model):
    """What `repair_run` answers."""

    repair_id: int | None
    """The latest_repair_id of the next repair."""


@attrs.define(kw_only=True, repr=False)
class ViewItem(Model):
    """A notebook or dashboard, exported."""

    content: str | None = None
    """HTML."""
    name: str | None = None
    type: ViewType | None = None


@attrs.define(kw_only=True, repr=False)
class ExportRunOutput(Model):
    """What `export_run` answers."""

    views: list[ViewItem] | None = None
