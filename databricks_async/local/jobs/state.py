"""Jobs and runs as a local workspace remembers them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import attrs

from databricks_async.local.values import Json

TaskCall: TypeAlias = "Callable[[dict[str, str]], str | tuple[str | None, dict[str, str]] | None]"
"""Gets a task's resolved parameters; gives the exit value, or that and the task values that it sets."""


@attrs.define
class TaskScript:
    """What the executions of a task come to."""

    name: str
    duration: float | None = None
    result_state: str = "SUCCESS"
    output: str | None = None
    error: str | None = None
    error_trace: str | None = None
    logs: str | None = None
    call: TaskCall | None = None
    times: int | None = None
    """How many executions it is still good for; None never ends."""


@attrs.define(eq=False)
class Job:
    """A job, or the nameless one that stands behind a submitted run."""

    job_id: int
    settings: Json
    creator: str
    created_time: int
    grants: dict[tuple[str, str], str]
    sequence: int = 0
    """Counts up with each job: the order of lists."""
    deleted: bool = False
    active: dict[int, Run] = attrs.field(factory=dict, repr=False)
    """Runs that take one of `max_concurrent_runs` places, by run id."""
    queued: dict[int, Run] = attrs.field(factory=dict, repr=False)
    """Runs that wait for a place, the first to come first."""


@attrs.define
class Outcome:
    """Where a run or a task run stands, in the older words; the newer ones follow from them."""

    life: str = "PENDING"
    result: str | None = None
    message: str = ""
    code: str | None = None
    """Overrides the termination code that follows from the result."""

    @property
    def ended(self) -> bool:
        return self.life in ("TERMINATED", "SKIPPED", "INTERNAL_ERROR")


@attrs.define(eq=False)
class TaskRun:
    """One attempt at a task, or one iteration of a for-each task."""

    run_id: int
    run: Run
    step: Step
    attempt_number: int = 0
    first_id: int = 0
    """The run id of the first attempt."""
    outcome: Outcome = attrs.field(factory=lambda: Outcome("BLOCKED"))
    start_time: int = 0
    execution_start: int = 0
    execution_end: int = 0
    end_time: int = 0
    plan: int = 0
    """Counts up with each change of course, so that what was scheduled for an older one lapses."""
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
    condition: str | None = None
    """What a condition came to: "true" or "false"."""
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
    """Fields that the test wants to see in this task run's answers, whatever the truth is."""

    @property
    def settings(self) -> Json:
        return self.step.settings

    @property
    def ended(self) -> bool:
        return self.outcome.ended


@attrs.define(eq=False)
class Step:
    """A task within a run, or an iteration of one, over all its attempts."""

    key: str
    settings: Json
    when_ended: Callable[[TaskRun], None] = attrs.field(repr=False)
    """Told of the end of each attempt."""
    needs: list[tuple[str, str | None]] = attrs.field(factory=list)
    """The tasks before this one, and the outcome that a condition must have had."""
    followers: list[str] = attrs.field(factory=list)
    attempts: list[TaskRun] = attrs.field(factory=list, repr=False)
    waiting_for: int = 0
    """How many of the tasks before this one have not ended."""
    failures: int = 0
    """Failed attempts since the run began, or was last repaired."""
    done: bool = False
    """Whether its last attempt ended and there will be no other in this round."""
    stopped: bool = False
    """Whether it was cancelled, so that no attempt follows."""
    values: dict[str, str] = attrs.field(factory=dict)

    @property
    def latest(self) -> TaskRun:
        return self.attempts[-1]


@attrs.define(eq=False)
class Round:
    """What happened from a run's start, or from a repair, to its end."""

    repair_id: int | None
    start_time: int
    task_run_ids: list[int] = attrs.field(factory=list)
    end_time: int = 0
    outcome: Outcome = attrs.field(factory=Outcome)


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
    """The older kinds of parameters that were given to this run."""
    job_parameters: list[Json]
    queueing: bool = False
    token: str | None = None
    parent: TaskRun | None = attrs.field(default=None, repr=False)
    """The run-job task that started it."""
    outcome: Outcome = attrs.field(factory=Outcome)
    queue_end: int = 0
    end_time: int = 0
    plan: int = 0
    open_steps: int = 0
    """How many tasks of this round have not ended."""
    steps: dict[str, Step] = attrs.field(factory=dict, repr=False)
    rounds: list[Round] = attrs.field(factory=list, repr=False)
    clusters: dict[str, str] = attrs.field(factory=dict)
    """job_cluster_key -> cluster_id, in this round."""
    stopping: Outcome | None = None
    """How the run will end once its tasks were stopped."""
    overlay: Json = attrs.field(factory=dict)

    @property
    def ended(self) -> bool:
        return self.outcome.ended


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
    waiting: dict[str, dict[int, Callable[[], None]]] = attrs.field(factory=dict, repr=False)
    """cluster_id -> task run id -> what to do when that cluster came up or went down."""
    sequence: int = 0
    notebooks_must_exist: bool = False
    serverless: bool = True
