"""Tasks that do no work themselves: conditions, for-each and run-job; and how the tasks of a run decide its result."""

from __future__ import annotations

import operator
from collections.abc import Callable

import orjson

from databricks_async.local.jobs import parameters as tasks_parameters
from databricks_async.local.jobs import references
from databricks_async.local.jobs import task_graph as tasks_graph
from databricks_async.local.jobs import task_work as tasks_work
from databricks_async.local.jobs.state import Job, LifeCycle, Run, TaskRun
from databricks_async.local.state import Json, State

_MAX_ITERATIONS = 5000


_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GREATER_THAN": operator.gt,
    "GREATER_THAN_OR_EQUAL": operator.ge,
    "LESS_THAN": operator.lt,
    "LESS_THAN_OR_EQUAL": operator.le,
}


def decide_condition(state: State, task: TaskRun) -> None:
    """Texts are equal or not; all other comparisons are of numbers."""
    left, right, op = (task.resolved[name] for name in ("left", "right", "op"))
    tasks_work.running(state, task)
    if op in ("EQUAL_TO", "NOT_EQUAL"):
        true = (left == right) == (op == "EQUAL_TO")
    else:
        try:
            true = _COMPARISONS[op](float(left), float(right))
        except ValueError:
            message = f"The condition compares {left!r} with {right!r}, and both must be numbers."
            tasks_work.end(state, task, LifeCycle("INTERNAL_ERROR", "FAILED", message, "INVALID_RUN_CONFIGURATION"))
            return
    task.condition = "true" if true else "false"
    tasks_work.end(state, task, LifeCycle("TERMINATED", "SUCCESS"))


def inputs_of(state: State, task: TaskRun) -> list[str] | None:
    """What a for-each task goes over; None where the task ended because that is no array."""
    text = task.resolved["inputs"]
    try:
        inputs = orjson.loads(text)
    except orjson.JSONDecodeError:
        inputs = None
    if isinstance(inputs, list) and len(inputs) <= _MAX_ITERATIONS:
        return [references.as_text(one) for one in inputs]
    message = f"The inputs of a for-each task must be a JSON array of at most {_MAX_ITERATIONS} items, not {text:.60}"
    tasks_work.end(state, task, LifeCycle("INTERNAL_ERROR", "FAILED", message, "INVALID_RUN_CONFIGURATION"))
    return None


def sum_up(task: TaskRun) -> LifeCycle:
    """The result of a for-each task, from those of its iterations."""
    verdicts = [tasks_graph.verdict(step.latest.life_cycle) for step in task.iterations]
    failed = verdicts.count(tasks_graph.FAILED)
    if failed:
        return LifeCycle("TERMINATED", "FAILED", f"{failed} of {len(verdicts)} iterations failed")
    if tasks_graph.CANCELED in verdicts:
        return tasks_work.CANCELED
    return LifeCycle("TERMINATED", "SUCCESS")


def stats(task: TaskRun) -> Json:
    """The statistics of a for-each task."""
    ended = [step.latest for step in task.iterations if step.latest.ended]
    good = [one for one in ended if tasks_graph.verdict(one.life_cycle) == tasks_graph.SUCCESS]
    messages: dict[str, int] = {}
    for one in ended:
        if one not in good and one.life_cycle.result != "CANCELED":
            message = one.error or one.life_cycle.message
            messages[message] = messages.get(message, 0) + 1
    return {
        "task_run_stats": {
            "total_iterations": len(task.iterations),
            "scheduled_iterations": task.begun,
            "active_iterations": sum(not step.latest.ended for step in task.iterations[: task.begun]),
            "completed_iterations": len(ended),
            "succeeded_iterations": len(good),
            "failed_iterations": len(ended) - len(good),
        },
        "error_message_stats": [
            {"error_message": message, "count": count, "termination_category": "RUN_EXECUTION_ERROR"}
            for message, count in messages.items()
        ],
    }


_MAX_LEVELS = 3


def too_deep(run: Run) -> bool:
    """Whether a run may not start another job's: jobs could run each other without end."""
    for _ in range(_MAX_LEVELS):
        if run.parent is None:
            return False
        run = run.parent.run
    return True


def child_overrides(task: TaskRun) -> Json:
    """The legacy parameters that a run-job task passes to its job."""
    return {name: task.resolved[name] for name in tasks_parameters.LEGACY if name in task.resolved}


def child_parameters(job: Job, task: TaskRun) -> list[Json]:
    """The job parameters of the run that a run-job task starts."""
    return tasks_parameters.of_job(job.settings, task.resolved.get("job_parameters") or {})


def life_cycle_of_child(run: Run) -> LifeCycle:
    """The result of a run-job task, from that of the run that it started."""
    life_cycle = run.life_cycle
    if life_cycle.result in ("SUCCESS", "SUCCESS_WITH_FAILURES"):
        return LifeCycle("TERMINATED", "SUCCESS")
    if life_cycle.result == "CANCELED":
        return tasks_work.CANCELED
    return LifeCycle("TERMINATED", "FAILED", f"Run {run.run_id} failed with message: {life_cycle.message}")


def life_cycle_of(run: Run) -> LifeCycle:
    """The result of a run, from those of its tasks: the last ones of each branch decide."""
    steps = list(run.steps.values())
    verdicts = {step.key: tasks_graph.verdict(step.latest.life_cycle) for step in steps}
    leaves = [verdicts[step.key] for step in steps if not step.followers]
    failed = [
        step
        for step in steps
        if verdicts[step.key] == tasks_graph.FAILED and step.latest.life_cycle.result != "UPSTREAM_FAILED"
    ]
    if tasks_graph.FAILED in leaves and failed:
        first = min(failed, key=lambda step: step.latest.end_time)
        why = first.latest.life_cycle
        said = why.message.rstrip(".")
        message = f"Task {first.key} failed with message: {said}." if said else f"Task {first.key} failed."
        if any(verdicts[key] == tasks_graph.FAILED for key in first.followers):
            message += " This caused all downstream tasks to get skipped."
        if all(step.latest.life_cycle.result == "TIMEDOUT" for step in failed):
            return LifeCycle("TERMINATED", "TIMEDOUT", message, why.code)
        # So the service answers: INTERNAL_ERROR for the run, although its task is TERMINATED.
        return LifeCycle("INTERNAL_ERROR", "FAILED", message, why.code)
    if tasks_graph.CANCELED in leaves:
        return tasks_work.CANCELED
    if tasks_graph.FAILED in verdicts.values():
        return LifeCycle("TERMINATED", "SUCCESS_WITH_FAILURES")
    return LifeCycle("TERMINATED", "SUCCESS")
