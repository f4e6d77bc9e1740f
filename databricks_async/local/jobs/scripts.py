"""What a test decides about runs: how tasks end, and which fields answers show."""

from __future__ import annotations

from databricks_async.local.errors import invalid
from databricks_async.local.jobs.state import TaskScript
from databricks_async.local.objects.tree import canonical
from databricks_async.local.state import Json, State


def add(state: State, script: TaskScript) -> None:
    """Append a script. One of its name that applies without end is removed: this one would never apply."""
    script.name = canonical(script.name)
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
