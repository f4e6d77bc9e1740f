"""How runs start, queue, go through their tasks, end, are cancelled and are repaired."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from databricks_async.local.errors import ApiError, invalid
from databricks_async.local.jobs import parameters as tasks_parameters
from databricks_async.local.jobs import task_control as tasks_kinds
from databricks_async.local.jobs import task_graph as tasks_graph
from databricks_async.local.jobs import task_work as tasks_work
from databricks_async.local.jobs.processes.pool import Processes
from databricks_async.local.jobs.state import Cause, Job, LifeCycle, Round, Run, Step, TaskRun
from databricks_async.local.jobs.task_rules import kind_of
from databricks_async.local.state import Json, State, scheduled

_KEPT_SECONDS = 60 * 86400.0
"""How long the service keeps the history of runs: learn.microsoft.com/azure/databricks/jobs/monitor."""


def launch(
    state: State,
    job: Job,
    settings: Json,
    creator: str,
    *,
    name: str,
    run_type: str = "JOB_RUN",
    trigger: str = "ONE_TIME",
    overriding: Json | None = None,
    job_parameters: list[Json] | None = None,
    queueing: bool = False,
    only: Collection[str] | None = None,
    parent: TaskRun | None = None,
    cause: Cause | None = None,
) -> Run:
    """Make a run and start it, queue it or skip it."""
    jobs = state.jobs
    jobs.sequence += 1
    run = Run(
        state.ids.new(),
        job,
        name,
        run_type,
        trigger,
        creator,
        settings,
        state.now,
        jobs.sequence,
        overriding or {},
        job_parameters or [],
        queueing,
        parent=parent,
        cause=cause or Cause(),
        workspace_url=state.url,
    )
    jobs.runs[run.run_id] = run
    run.rounds.append(Round(None, state.now))
    maximum = settings.get("max_concurrent_runs", 1) if run_type == "JOB_RUN" else 1
    if maximum == 0 or (len(job.active) >= maximum and not queueing):
        # The words: databricks/cli pull request 257.
        message = f"Skipping this run because the limit of {maximum} maximum concurrent runs has been reached."
        _finish(state, run, LifeCycle("SKIPPED", "MAXIMUM_CONCURRENT_RUNS_REACHED", message))
        return run
    _open_round(state, run, settings.get("tasks", []), only)
    if len(job.active) >= maximum:
        # The words: API reference of `queue_reason`.
        run.life_cycle = LifeCycle("QUEUED", message=f"Queued due to reaching maximum concurrent runs of {maximum}.")
        job.queued[run.run_id] = run
        for step in run.steps.values():
            step.latest.life_cycle = LifeCycle("QUEUED")
        expired = LifeCycle("SKIPPED", "MAXIMUM_CONCURRENT_RUNS_REACHED", "The run waited in the queue for too long.")
        state.schedule_for(run, state.timing.queued, _stop, run, expired)
    else:
        _start(state, run)
    return run


def _open_round(state: State, run: Run, tasks: Iterable[Json], only: Collection[str] | None) -> None:
    """Give each of these tasks, or those of them that are named, a new attempt that has not begun."""
    chosen = [task for task in tasks if only is None or task["task_key"] in only]
    keys = {task["task_key"] for task in chosen}
    for task in chosen:
        key = task["task_key"]
        step = run.steps.get(key)
        if step is None:
            step = run.steps[key] = Step(key, task, attempt_ended)
        step.settings, step.done, step.stopped, step.failures = task, False, False, 0
        # What was left out of the run cannot be waited for.
        step.needs = [need for need in tasks_graph.needs_of(task) if need[0] in keys or need[0] in run.steps]
        step.waiting_for = sum(key in keys for key, _ in step.needs)
        _add_attempt(state, run, step)
    for step in run.steps.values():
        step.followers = []
    for step in run.steps.values():
        for need, _ in step.needs:
            run.steps[need].followers.append(step.key)
    run.open_steps = len(chosen)


def _add_attempt(state: State, run: Run, step: Step, parent: TaskRun | None = None) -> TaskRun:
    run_id = state.ids.new()
    task = TaskRun(run_id, run, step, len(step.attempts), step.attempts[0].run_id if step.attempts else run_id)
    task.parent, task.start_time = parent, state.now
    if step.attempts:
        task.item = step.latest.item
    step.attempts.append(task)
    state.jobs.task_runs[run_id] = task
    run.rounds[-1].task_run_ids.append(run_id)
    return task


def _start(state: State, run: Run) -> None:
    run.job.active[run.run_id] = run
    run.plan += 1
    if run.life_cycle.state == "QUEUED":
        run.queue_end = state.now
    run.life_cycle = LifeCycle("PENDING")
    arm_timeout(state, run)
    waiting = [step for step in run.steps.values() if not step.done]
    for step in waiting:
        step.latest.life_cycle = LifeCycle("BLOCKED")
    for step in waiting:
        if step.waiting_for == 0:
            _decide(state, step)


def _decide(state: State, step: Step) -> None:
    """Skip a task or begin it, once all tasks before it have ended."""
    task = step.latest
    if task.ended or step.stopped:
        return
    task.start_time = state.now
    run = task.run
    if step.settings.get("disabled"):
        tasks_work.end(state, task, LifeCycle("SKIPPED", "DISABLED", "The task is disabled."))
        return
    verdicts = [_need(run.steps[key], outcome) for key, outcome in step.needs]
    result = tasks_graph.reason_to_skip(step.settings.get("run_if") or "ALL_SUCCESS", verdicts) if verdicts else None
    if result is None:
        _begin(state, task)
    else:
        tasks_work.end(state, task, LifeCycle("SKIPPED", result, _WHY_SKIPPED[result]))


_WHY_SKIPPED = {
    "UPSTREAM_FAILED": "An upstream task failed.",
    "UPSTREAM_CANCELED": "An upstream task was canceled.",
    "EXCLUDED": "The conditions for this task to run were not met.",
}


def _need(step: Step, outcome: str | None) -> str:
    verdict = tasks_graph.verdict(step.latest.life_cycle)
    if verdict == tasks_graph.SUCCESS and outcome is not None and outcome != step.latest.condition:
        return tasks_graph.EXCLUDED
    return verdict


def _begin(state: State, task: TaskRun) -> None:
    seconds = _limit(state, task.settings)
    if seconds > 0:
        state.schedule_for(task, seconds, stop_task, task, tasks_work.TIMED_OUT)
    tasks_parameters.resolve(task)
    kind = kind_of(task.settings)
    if kind == "condition_task":
        tasks_kinds.decide_condition(state, task)
    elif kind == "for_each_task":
        _begin_iterations(state, task)
    elif kind == "run_job_task":
        _begin_child(state, task)
    else:
        tasks_work.work(state, task)


def _begin_iterations(state: State, task: TaskRun) -> None:
    inputs = tasks_kinds.inputs_of(state, task)
    if inputs is None:
        return
    tasks_work.running(state, task)
    nested: Json = task.settings["for_each_task"]["task"]
    settings = {"run_if": "ALL_SUCCESS", "timeout_seconds": 0, **nested}
    key = settings.setdefault("task_key", f"{task.step.key}_iteration")
    for item in inputs:
        step = Step(key, settings, attempt_ended)
        _add_attempt(state, task.run, step, task).item = item
        task.iterations.append(step)
    if inputs:
        for _ in range(task.resolved.get("concurrency") or 1):
            _begin_next(state, task)
    else:
        tasks_work.end(state, task, LifeCycle("TERMINATED", "SUCCESS"))


def _begin_next(state: State, task: TaskRun) -> None:
    if task.begun < len(task.iterations):
        iteration = task.iterations[task.begun].latest
        task.begun += 1
        iteration.start_time = state.now
        _begin(state, iteration)


def _iteration_done(state: State, task: TaskRun) -> None:
    if task.life_cycle.state != "RUNNING":
        return
    _begin_next(state, task)
    if all(step.latest.ended for step in task.iterations):
        tasks_work.end(state, task, tasks_kinds.sum_up(task))


def _begin_child(state: State, task: TaskRun) -> None:
    job = state.jobs.jobs.get(task.settings["run_job_task"]["job_id"])
    if job is None:
        message = f"Job {task.settings['run_job_task']['job_id']} does not exist."
        tasks_work.end(state, task, LifeCycle("INTERNAL_ERROR", "FAILED", message, "RESOURCE_NOT_FOUND"))
        return
    if tasks_kinds.too_deep(task.run):
        message = "Jobs that run jobs are nested too deeply."
        tasks_work.end(state, task, LifeCycle("INTERNAL_ERROR", "FAILED", message, "INVALID_RUN_CONFIGURATION"))
        return
    tasks_work.running(state, task)
    task.child = launch(
        state,
        job,
        job.settings,
        task.run.creator,
        name=job.settings["name"],
        trigger="RUN_JOB_TASK",
        overriding=tasks_kinds.child_overrides(task),
        job_parameters=tasks_kinds.child_parameters(job, task),
        queueing=job.settings.get("queue", {}).get("enabled", False),
        parent=task,
    )


def attempt_ended(state: State, task: TaskRun) -> None:
    """Retry where the settings say so; else the task, or the iteration of one, is done."""
    step = task.step
    if not step.stopped and _may_retry(task):
        step.failures += 1
        retry = _add_attempt(state, task.run, step, task.parent)
        retry.life_cycle = LifeCycle("WAITING_FOR_RETRY")
        # At most once a second: a task that fails at once, and is retried without end, would stop the clock.
        interval = max(task.settings.get("min_retry_interval_millis") or 0, 1000 - (state.now - task.start_time))
        state.schedule_for(retry, interval / 1000, _retry, retry)
    elif task.parent is not None:
        _iteration_done(state, task.parent)
    else:
        _step_done(state, task.run, step)


def _may_retry(task: TaskRun) -> bool:
    result = task.life_cycle.result
    again = result == "FAILED" or (result == "TIMEDOUT" and task.settings.get("retry_on_timeout"))
    maximum = task.settings.get("max_retries") or 0
    return bool(again) and (maximum < 0 or task.step.failures < maximum)


@scheduled("task retry")
def _retry(state: State, task: TaskRun) -> None:
    task.start_time = state.now
    _begin(state, task)


def _step_done(state: State, run: Run, step: Step) -> None:
    if step.done:
        return
    step.done = True
    run.open_steps -= 1
    for key in step.followers:
        follower = run.steps[key]
        if not follower.done:
            follower.waiting_for -= 1
            if follower.waiting_for == 0 and run.stopping is None:
                _decide(state, follower)
    if run.open_steps == 0:
        _finish(state, run, run.stopping or tasks_kinds.life_cycle_of(run))


def _finish(state: State, run: Run, life_cycle: LifeCycle) -> None:
    run.plan += 1
    run.life_cycle, run.stopping, run.end_time = life_cycle, None, state.now
    run.rounds[-1].life_cycle, run.rounds[-1].end_time = life_cycle, state.now
    for cluster_id in run.clusters.values():
        cluster = state.clusters.get(cluster_id)
        if cluster is not None:
            tasks_work.release(state, cluster)
    run.clusters = {}
    job = run.job
    job.active.pop(run.run_id, None)
    job.queued.pop(run.run_id, None)
    state.schedule(0, admit, job)
    state.schedule_for(run, _KEPT_SECONDS, forget, run)
    if job.when_run_ended is not None:
        job.when_run_ended(state, job, run)
    parent = run.parent
    if parent is not None:
        state.schedule(0, _child_ended, parent, run)


@scheduled("run forgotten")
def forget(state: State, run: Run) -> None:
    """Know nothing more of a run that has ended. Its idempotency token stays taken."""
    for one in run.rounds:
        for task_run_id in one.task_run_ids:
            state.jobs.task_runs.pop(task_run_id, None)
    state.jobs.runs.pop(run.run_id, None)


@scheduled("job admit")
def admit(state: State, job: Job) -> None:
    """Start queued runs while fewer than `max_concurrent_runs` are active."""
    while job.queued and len(job.active) < job.settings.get("max_concurrent_runs", 1):
        run = job.queued.pop(next(iter(job.queued)))
        state.touch(run)
        _start(state, run)


@scheduled("child run ended")
def _child_ended(state: State, task: TaskRun, run: Run) -> None:
    if task.life_cycle.state == "RUNNING":
        tasks_work.end(state, task, tasks_kinds.life_cycle_of_child(run))


def arm_timeout(state: State, run: Run) -> None:
    """Schedule the end of an active run by its `timeout_seconds`, also after that was changed."""
    seconds = _limit(state, run.settings)
    run.plan += 1
    if seconds > 0:
        began = run.rounds[-1].start_time if run.queue_end == 0 else run.queue_end
        state.schedule_for(run, max(0, seconds - (state.now - began) / 1000), _stop, run, tasks_work.TIMED_OUT)


def _limit(state: State, settings: Json) -> float:
    """The time limit in workspace seconds. What runs for real does not run faster because clusters start faster."""
    seconds: float = settings.get("timeout_seconds") or 0
    return state.clock.of_client(seconds) if state.part(Processes).on else seconds


def cancel(state: State, run: Run) -> None:
    """Stop a run; one that has ended stays as it is."""
    if not run.ended and run.stopping is None:
        state.touch(run)
        _stop(state, run, tasks_work.CANCELED)


@scheduled("run stop")
def _stop(state: State, run: Run, life_cycle: LifeCycle) -> None:
    run.plan += 1
    run.job.queued.pop(run.run_id, None)
    run.stopping = life_cycle
    run.life_cycle = LifeCycle("TERMINATING", message="Terminating the run")
    # The tasks of a skipped run are shown as cancelled.
    tasks = life_cycle if life_cycle.state == "TERMINATED" else tasks_work.CANCELED
    for step in run.steps.values():
        if not step.done:
            stop_task(state, step.latest, tasks)
    if run.open_steps == 0:
        _finish(state, run, life_cycle)


@scheduled("task stop")
def stop_task(state: State, task: TaskRun, life_cycle: LifeCycle) -> None:
    """Stop one attempt, and what it has started. Only an attempt that timed out may be retried."""
    task.step.stopped = life_cycle.result != "TIMEDOUT" or task.run.stopping is not None
    if task.ended or task.life_cycle.state == "TERMINATING":
        return
    for step in task.iterations:
        stop_task(state, step.latest, tasks_work.CANCELED)
        step.stopped = True
    if task.child is not None:
        cancel(state, task.child)
    if task.life_cycle.state in ("PENDING", "RUNNING"):
        tasks_work.tidy_up(state, task, life_cycle)
    else:
        tasks_work.end(state, task, life_cycle)


def repair(state: State, run: Run, keys: Collection[str], overriding: Json, parameters: dict[str, str]) -> int:
    """Run these tasks of an ended run once more, with the job's present settings; returns the repair's id."""
    if not run.ended:
        raise ApiError(400, "INVALID_STATE", f"Run {run.run_id} is in progress and cannot be repaired.")
    if not keys:
        raise invalid(f"Run {run.run_id} has no tasks to rerun.")
    repair_id = state.ids.new()
    if run.run_type == "JOB_RUN" and not run.job.deleted:
        run.settings = run.job.settings
    # The parameters of the first run do not apply to a repair, which has to name them again: apache/airflow issue
    # 64828.
    run.overriding = overriding
    run.job_parameters = tasks_parameters.of_job(run.settings, parameters)
    run.rounds.append(Round(repair_id, state.now))
    run.end_time = 0
    run.queue_end = 0
    present = {task["task_key"]: task for task in run.settings.get("tasks", [])}
    tasks = [present.get(key, step.settings) for key, step in run.steps.items()]
    _open_round(state, run, tasks, keys)
    _start(state, run)
    return repair_id
