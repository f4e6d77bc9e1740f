"""Jobs and runs as a local workspace remembers them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import attrs

from databricks_async.local.values import Json

TaskCall: TypeAlias = Callable[[dict[str, str]], str | tuple[str | None, dict[str, str]] | None]
"""Gets a task's resolved parameters; returns the exit value, or the exit value and the task values that it sets."""


@attrs.define
class TaskScript:
    """How the executions of a task end."""

    name: str
    duration: float | None = None
    result_state: str = "SUCCESS"
    output: str | None = None
    error: str | None = None
    error_trace: str | None = None
    logs: str | None = None
    call: TaskCall | None = None
    times: int | None = None
    """How many executions it still applies to; None is without end."""


@attrs.define(eq=False)
class Job:
    """A job, or the nameless one that stands behind a submitted run."""

    job_id: int
    settings: Json
    creator: str
    created_time: int
    grants: dict[tuple[str, str], str]
    sequence: int = 0
    """Incremented with each job: the order of listings."""
    deleted: bool = False
    active: dict[int, Run] = attrs.field(factory=dict, repr=False)
    """Runs that take one of the `max_concurrent_runs` places, by run id."""
    queued: dict[int, Run] = attrs.field(factory=dict, repr=False)
    """Runs that wait for a place, oldest first."""
    single_task: bool = False
    """Whether it was made in the single-task format, in which version 2.0 shows it."""
    plan: int = 0
    """Incremented whenever its schedule changes, which invalidates what was scheduled before."""
    when_run_ended: Callable[..., None] | None = attrs.field(default=None, repr=False)
    """Called with the state, the job and the run at the end of each run of a continuous job."""
    failures: int = 0
    """Runs of a continuous job that failed, one after the other."""
    watches: list[DataTrigger] = attrs.field(factory=list, repr=False)
    """Its triggers on files and tables."""


@attrs.frozen
class Commit:
    """An update of a table."""

    version: int
    time: int


@attrs.define(eq=False)
class DataTrigger:
    """A trigger on files or tables, and what has happened since it fired."""

    kind: str
    settings: Json
    plan: int = 0
    """Incremented with each change that it sees, which invalidates what was scheduled before."""
    fired_at: int | None = None
    commits: dict[str, Commit] = attrs.field(factory=dict)


@attrs.frozen
class Cause:
    """What made a run start, as far as references such as `{{job.trigger.time.iso_date}}` show it."""

    time: int = 0
    """0 for a run that a caller started, whose trigger time is its start."""
    location: str | None = None
    """The location that a file-arrival trigger watches."""
    tables: dict[str, Commit] = attrs.field(factory=dict)
    backfill: int | None = None


@attrs.define
class LifeCycle:
    """The state of a run or a task run in the terms of `state`; those of `status` follow from them."""

    state: str = "PENDING"
    result: str | None = None
    message: str = ""
    code: str | None = None
    """Overrides the termination code that follows from the result."""

    @property
    def ended(self) -> bool:
        return self.state in ("TERMINATED", "SKIPPED", "INTERNAL_ERROR")


@attrs.define(eq=False)
class TaskRun:
    """One attempt at a task, or one iteration of a for-each task."""

    run_id: int
    run: Run
    step: Step
    attempt_number: int = 0
    first_id: int = 0
    """The run id of the first attempt."""
    life_cycle: LifeCycle = attrs.field(factory=lambda: LifeCycle("BLOCKED"))
    start_time: int = 0
    execution_start: int = 0
    execution_end: int = 0
    end_time: int = 0
    plan: int = 0
    """Incremented whenever the attempt takes another course, which invalidates what was scheduled before."""
    cluster_id: str | None = None
    owns_cluster: bool = False
    spark_context_id: int | None = None
    parameters: dict[str, str] = attrs.field(factory=dict)
    resolved: Json = attrs.field(factory=dict)
    """The settings of the task's kind, with their references replaced."""
    output: str | None = None
    error: str | None = None
    error_trace: str | None = None
    logs: str | None = None
    printed: str = ""
    """What a notebook that ran for real wrote to its standard output: shown where the notebook is exported."""
    condition: str | None = None
    """The result of a condition: "true" or "false"."""
    child: Run | None = attrs.field(default=None, repr=False)
    """The run that a run-job task started."""
    parent: TaskRun | None = attrs.field(default=None, repr=False)
    """The for-each task that this is an iteration of."""
    item: str | None = None
    """The for-each input of this iteration."""
    iterations: list[Step] = attrs.field(factory=list, repr=False)
    begun: int = 0
    """How many of the iterations have been started."""
    overlay: Json = attrs.field(factory=dict)
    """Fields that replace those of this task run in answers, set by a test."""

    @property
    def settings(self) -> Json:
        return self.step.settings

    @property
    def ended(self) -> bool:
        return self.life_cycle.ended


@attrs.define(eq=False)
class Step:
    """A task within a run, or an iteration of one, over all its attempts."""

    key: str
    settings: Json
    when_ended: Callable[..., None] = attrs.field(repr=False)
    """Called with the state and the attempt, at the end of each."""
    needs: list[tuple[str, str | None]] = attrs.field(factory=list)
    """The tasks before this one, and the outcome that a condition must have had."""
    followers: list[str] = attrs.field(factory=list)
    attempts: list[TaskRun] = attrs.field(factory=list, repr=False)
    waiting_for: int = 0
    """How many of the tasks before this one have not ended."""
    failures: int = 0
    """Failed attempts since the run began, or was last repaired."""
    done: bool = False
    """Whether its last attempt ended and no other follows in this round."""
    stopped: bool = False
    """Whether it was cancelled, so that no attempt follows."""
    values: dict[str, Any] = attrs.field(factory=dict)
    """The task values that it has set: JSON."""

    @property
    def latest(self) -> TaskRun:
        return self.attempts[-1]


@attrs.define(eq=False)
class Round:
    """The part of a run from its start, or from a repair, to its end."""

    repair_id: int | None
    start_time: int
    task_run_ids: list[int] = attrs.field(factory=list)
    end_time: int = 0
    life_cycle: LifeCycle = attrs.field(factory=LifeCycle)


@attrs.define(eq=False)
class Run:
    """One run of a job."""

    run_id: int
    job: Job
    name: str
    run_type: str
    trigger: str
    creator: str
    settings: Json
    start_time: int
    sequence: int
    overriding: Json
    """The legacy parameters of this run, such as `notebook_params`."""
    job_parameters: list[Json]
    queueing: bool = False
    parent: TaskRun | None = attrs.field(default=None, repr=False)
    """The run-job task that started it."""
    cause: Cause = attrs.field(factory=Cause)
    workspace_url: str = ""
    life_cycle: LifeCycle = attrs.field(factory=LifeCycle)
    queue_end: int = 0
    end_time: int = 0
    plan: int = 0
    open_steps: int = 0
    """How many tasks of this round have not ended."""
    steps: dict[str, Step] = attrs.field(factory=dict, repr=False)
    rounds: list[Round] = attrs.field(factory=list, repr=False)
    clusters: dict[str, str] = attrs.field(factory=dict)
    """job_cluster_key -> cluster_id, in this round."""
    stopping: LifeCycle | None = None
    """How the run will end once its tasks were stopped."""
    overlay: Json = attrs.field(factory=dict)

    @property
    def ended(self) -> bool:
        return self.life_cycle.ended


@attrs.define(eq=False)
class Jobs:
    """All jobs and runs."""

    jobs: dict[int, Job] = attrs.field(factory=dict)
    runs: dict[int, Run] = attrs.field(factory=dict)
    """Oldest first."""
    task_runs: dict[int, TaskRun] = attrs.field(factory=dict)
    tokens: dict[str, int] = attrs.field(factory=dict)
    """idempotency_token -> run id, which may be that of a deleted run."""
    scripts: list[TaskScript] = attrs.field(factory=list)
    waiting: dict[str, dict[int, tuple[Callable[..., None], TaskRun]]] = attrs.field(factory=dict, repr=False)
    """cluster_id -> task run id -> what is called, and with which task, when that cluster starts or terminates."""
    sequence: int = 0
    table_versions: dict[str, int] = attrs.field(factory=dict)
    """The latest version of each table that a test has updated."""
    notebooks_must_exist: bool = False
    serverless: bool = True
