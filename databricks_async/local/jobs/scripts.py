"""What a test says about runs: how tasks end, and which words answers hold."""

from __future__ import annotations

from databricks_async.local.errors import invalid
from databricks_async.local.jobs.state import TaskScript
from databricks_async.local.state import Json, State


def add(state: State, script: TaskScript) -> None:
    """Put a script behind those of its name; an endless one before it would never let it have its turn."""
    scripts = state.jobs.scripts
    scripts[:] = [one for one in scripts if one.name != script.name or one.times is not None]
    scripts.append(script)


def overlay(state: State, run_id: int, fields: Json) -> None:
    """Show these fields in the answers about a run, or about one attempt at a task."""
    state.settle()
    run = state.jobs.runs.get(run_id) or state.jobs.task_runs.get(run_id)
    if run is None:
        raise invalid(f"Run {run_id} does not exist.")
    run.overlay.update(fields)
