"""One attempt at a task that does work: it gets a cluster, runs its script's time, and ends."""

from __future__ import annotations

import contextlib
import signal
import traceback
from difflib import get_close_matches

from databricks_async.local.clusters import lifecycle
from databricks_async.local.errors import ApiError, StorageError
from databricks_async.local.jobs import clusters
from databricks_async.local.jobs.processes.pool import Ended, Processes
from databricks_async.local.jobs.processes.preparation import Missing, work_of
from databricks_async.local.jobs.state import LifeCycle, TaskRun, TaskScript
from databricks_async.local.jobs.task_rules import kind_of
from databricks_async.local.objects.tree import canonical
from databricks_async.local.state import Cluster, Json, State, scheduled

IN_RUN = "In run"
"""The service's message of what is RUNNING: the tests of apache-airflow-providers-databricks."""
TIMED_OUT = LifeCycle("TERMINATED", "TIMEDOUT", "Run timed out.", "CANCELED")
CANCELED = LifeCycle("TERMINATED", "CANCELED", "Run cancelled.", "USER_CANCELED")


def work(state: State, task: TaskRun) -> None:
    """Begin: on the task's cluster, or at once where it has none."""
    settings, run = task.settings, task.run
    existing, key = settings.get("existing_cluster_id"), settings.get("job_cluster_key")
    if existing is not None:
        cluster = state.clusters.get(existing)
        if cluster is None or cluster.source == "JOB":
            message = f"Cluster {existing} does not exist."
            end(state, task, LifeCycle("INTERNAL_ERROR", "FAILED", message, "RESOURCE_NOT_FOUND"))
            return
    elif key is not None:
        known = state.clusters.get(run.clusters.get(key, ""))
        if known is not None and known.state not in ("TERMINATING", "TERMINATED"):
            cluster = known
        else:
            specs = {one["job_cluster_key"]: one.get("new_cluster") for one in run.settings.get("job_clusters", [])}
            if specs.get(key) is None:
                _execute(state, task, None)  # a serverless job cluster
                return
            created = _create(state, task, specs[key], key)
            if created is None:
                return
            cluster = created
            run.clusters[key] = cluster.cluster_id
    elif settings.get("new_cluster") is not None:
        created = _create(state, task, settings["new_cluster"], task.step.key)
        if created is None:
            return
        cluster = created
        task.owns_cluster = True
    else:
        _execute(state, task, None)
        return
    task.cluster_id = cluster.cluster_id
    task.life_cycle = LifeCycle("PENDING", message="Waiting for cluster")
    if cluster.state == "TERMINATING":
        wait(state, task, cluster)
    else:
        _look(state, task, cluster)


def _create(state: State, task: TaskRun, asked: Json, key: str) -> Cluster | None:
    """A new cluster of the run; None where the service refuses to create it, which ends the task."""
    run = task.run
    # learn.microsoft.com/azure/databricks/admin/account-settings/usage-detail-tags: the tags of job clusters.
    tags = {"JobId": str(run.job.job_id), "RunName": run.name}
    try:
        return clusters.create(state, asked, f"job-{run.job.job_id}-run-{run.run_id}-{key}", run.creator, tags)
    except ApiError as error:
        # The words: learn.microsoft.com/azure/databricks/kb/jobs/job-fails-limit, for another cause.
        message = (
            f"Unexpected failure while creating the cluster for the job. Cause {error.error_code}: {error.message}"
        )
        end(state, task, LifeCycle("INTERNAL_ERROR", "FAILED", message, "INVALID_CLUSTER_REQUEST"))
        return None


def wait(state: State, task: TaskRun, cluster: Cluster) -> None:
    """Have the task look at its cluster when that starts or terminates."""
    state.jobs.waiting.setdefault(cluster.cluster_id, {})[task.run_id] = (_look, task)


def _look(state: State, task: TaskRun, cluster: Cluster) -> None:
    """Begin, wait or end, by the state of the task's cluster."""
    running = task.life_cycle.state == "RUNNING"
    if cluster.state == "TERMINATING":
        why = f"Cluster '{cluster.cluster_id}' was terminated. Reason: {cluster.state_message}"
        message = why if running else f"Unexpected failure while waiting for the cluster to be ready. {why}"
        task.owns_cluster = False
        end(state, task, LifeCycle("INTERNAL_ERROR", "FAILED", message, "CLUSTER_ERROR"))
    elif cluster.state in ("RUNNING", "RESIZING") and not running:
        _execute(state, task, cluster)
    else:
        if cluster.state == "TERMINATED":
            lifecycle.start(state, cluster, task.run.creator)
        wait(state, task, cluster)


def _execute(state: State, task: TaskRun, cluster: Cluster | None) -> None:
    running(state, task)
    missing = _missing_notebook(state, task)
    if missing is not None:
        end(state, task, LifeCycle("INTERNAL_ERROR", "FAILED", missing, "RESOURCE_NOT_FOUND"))
        return
    script = _script(state, task)
    if script is None:
        if state.part(Processes).on and _begin_process(state, task, cluster):
            return
        script = TaskScript(task.step.key)
    duration = state.timing.task if script.duration is None else script.duration
    if cluster is not None:
        task.spark_context_id = cluster.spark_context_id
        # A cluster with work to do is not idle.
        cluster.last_activity_time = state.now + round(duration * 1000)
        wait(state, task, cluster)
    state.schedule_for(task, duration, _complete, task, script)


def _begin_process(state: State, task: TaskRun, cluster: Cluster | None) -> bool:
    """Have the task run for real; False for one that does not run here."""
    try:
        work = work_of(state, task)
    except Missing as missing:
        end(state, task, LifeCycle("INTERNAL_ERROR", "FAILED", str(missing), "RESOURCE_NOT_FOUND"))
        return True
    if work is None:
        return False
    if cluster is not None:
        task.spark_context_id = cluster.spark_context_id
        cluster.last_activity_time = state.now + _LONG_MS
        wait(state, task, cluster)
    plan = task.plan

    def tick() -> None:
        with state.lock:
            state.settle()

    def ended(outcome: Ended) -> None:
        with state.lock:
            state.settle()
            if task.plan == plan:
                state.perform(_process_ended, task, outcome)
            state.settle()
            with contextlib.suppress(StorageError):  # the next request says so, and tries it again
                state.keep()

    state.part(Processes).start(task.run_id, work, ended, tick)
    _look_after(state, task)
    return True


_LONG_MS = 365 * 86_400_000


@scheduled("task process")
def _look_after(state: State, task: TaskRun) -> None:
    """End a task whose process is not there: it ran when the workspace was closed."""
    if task.run_id in state.part(Processes):
        state.schedule_for(task, state.clock.of_client(_LOOK_SECONDS), _look_after, task)
    else:
        message = "The process of the task was lost when the workspace was closed."
        end(state, task, LifeCycle("INTERNAL_ERROR", "FAILED", message, "DRIVER_ERROR"))


_LOOK_SECONDS = 5.0


def _process_ended(state: State, task: TaskRun, outcome: Ended) -> None:
    result = outcome.result
    task.output, task.error, task.error_trace = (result.get(name) for name in ("output", "error", "error_trace"))
    if "notebook_task" in task.settings:
        task.printed = outcome.logs
    else:
        task.logs = outcome.logs
    if task.error is None and (outcome.exit_code or not result):
        task.error = f"The Python process exited with exit code {outcome.exit_code}{_signal(outcome.exit_code)}."
    task.step.values |= result.get("values") or {}
    _close(state, task, _life_cycle("SUCCESS" if task.error is None else "FAILED"))


def _signal(exit_code: int) -> str:
    try:
        number = signal.Signals(exit_code - 128)
    except ValueError:
        return ""
    return f" ({number.name}: {signal.strsignal(number)})"


def running(state: State, task: TaskRun) -> None:
    """The attempt does its work from now on."""
    task.life_cycle = LifeCycle("RUNNING", message=IN_RUN)
    task.execution_start = state.now
    if task.run.life_cycle.state == "PENDING":
        task.run.life_cycle = LifeCycle("RUNNING", message=IN_RUN)


def _missing_notebook(state: State, task: TaskRun) -> str | None:
    notebook = task.settings.get("notebook_task")
    if not state.jobs.notebooks_must_exist or notebook is None:
        return None
    if notebook.get("source", "GIT" if "git_source" in task.run.settings else None) == "GIT":
        return None
    path = notebook["notebook_path"]
    node = state.tree.find(path)
    if node is not None and node.kind == "NOTEBOOK":
        return None
    return (
        f'Unable to access the notebook "{path}". Either it does not exist, or the identity used to run this job, '
        f"{task.run.creator}, lacks the required permissions."
    )


def add_script(state: State, script: TaskScript) -> None:
    """Append a script. One of its name that applies without end is removed: this one would never apply."""
    _check(script)
    script.name = canonical(script.name)
    scripts = state.jobs.scripts
    scripts[:] = [one for one in scripts if one.name != script.name or one.times is not None]
    scripts.append(script)


def _check(script: TaskScript) -> None:
    duration, result = script.duration, script.result_state
    if duration is not None and (not isinstance(duration, int | float) or isinstance(duration, bool)):
        raise TypeError(f"duration must be seconds, not {duration!r}")
    if duration is not None and not 0 <= duration < float("inf"):
        raise ValueError(f"duration must be 0 seconds or more, not {duration}")
    if not isinstance(result, str):
        raise TypeError(f"result_state must be text such as 'FAILED', not {result!r}")
    # Other words are taken: a newer service may have them.
    meant = None if result in _RESULTS else get_close_matches(result.upper(), _RESULTS, 1, 0.8)
    if meant:
        raise ValueError(f"no run ends with the result_state {result!r}: did you mean {meant[0]!r}?")


_RESULTS = (
    *("SUCCESS", "SUCCESS_WITH_FAILURES", "FAILED", "TIMEDOUT", "CANCELED", "EXCLUDED", "DISABLED"),
    *("UPSTREAM_FAILED", "UPSTREAM_CANCELED", "MAXIMUM_CONCURRENT_RUNS_REACHED"),
)


def _script(state: State, task: TaskRun) -> TaskScript | None:
    names = _names(task)
    scripts = state.jobs.scripts
    for index, script in enumerate(scripts):
        if script.name in names:
            if script.times is not None:
                script.times -= 1
                if script.times <= 0:
                    del scripts[index]
            return script
    return None


def _names(task: TaskRun) -> set[str]:
    kind = kind_of(task.settings)
    names = {task.step.key, task.parent.step.key if task.parent else task.step.key}
    fields = ("notebook_path", "python_file", "main_class_name", "entry_point")
    return names | {canonical(task.settings[kind][name]) for name in fields if name in task.settings[kind]}


@scheduled("task complete")
def _complete(state: State, task: TaskRun, script: TaskScript) -> None:
    task.output, task.logs = script.output, script.logs
    task.error, task.error_trace = script.error, script.error_trace
    if script.call is not None:
        try:
            given = script.call(dict(task.parameters))
            output, values = given if isinstance(given, tuple) else (given, {})
            if output is not None and not isinstance(output, str):
                raise TypeError(f"call must return text, None or (text, values), not {type(output).__name__}")
        except Exception as error:
            task.error, task.error_trace = f"{type(error).__name__}: {error}", traceback.format_exc()
        else:
            task.output = script.output if output is None else output
            task.step.values |= values
    _close(state, task, _life_cycle("FAILED" if task.error is not None else script.result_state))


def _close(state: State, task: TaskRun, life_cycle: LifeCycle) -> None:
    if task.owns_cluster:
        tidy_up(state, task, life_cycle)
    else:
        end(state, task, life_cycle)


def _life_cycle(result: str) -> LifeCycle:
    if result == "FAILED":
        return LifeCycle("TERMINATED", "FAILED", "Workload failed, see run output for details")
    return TIMED_OUT if result == "TIMEDOUT" else LifeCycle("TERMINATED", result)


def tidy_up(state: State, task: TaskRun, life_cycle: LifeCycle) -> None:
    """TERMINATING for a while, then the end."""
    task.plan += 1
    state.part(Processes).stop(task.run_id)
    task.life_cycle = LifeCycle("TERMINATING", message="Terminating the spark cluster" if task.owns_cluster else "")
    task.execution_end = state.now
    state.schedule_for(task, state.timing.cleanup, end, task, life_cycle)


@scheduled("task end")
def end(state: State, task: TaskRun, life_cycle: LifeCycle) -> None:
    """This attempt is over."""
    task.plan += 1
    state.part(Processes).stop(task.run_id)
    task.life_cycle = life_cycle
    task.start_time = task.start_time or state.now
    task.end_time = state.now
    if task.execution_start and not task.execution_end:
        task.execution_end = state.now
    cluster = state.clusters.get(task.cluster_id or "")
    if cluster is not None:
        state.jobs.waiting.get(cluster.cluster_id, {}).pop(task.run_id, None)
        cluster.last_activity_time = min(cluster.last_activity_time or state.now, state.now)
        if task.owns_cluster:
            release(state, cluster)
    # Not at once: a thousand tasks that each end the next one would be a thousand calls deep.
    state.schedule(0, _when_ended, task)


@scheduled("task ended")
def _when_ended(state: State, task: TaskRun) -> None:
    task.step.when_ended(state, task)


def release(state: State, cluster: Cluster) -> None:
    """Take down a cluster whose work is done."""
    if cluster.state not in ("TERMINATING", "TERMINATED"):
        lifecycle.terminate(state, cluster, {"code": "JOB_FINISHED", "type": "SUCCESS", "parameters": {}})
