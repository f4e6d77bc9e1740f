"""Clients of a version of the Jobs API, and jobs to run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from databricks_async.jobs.models import NotebookTask, SubmitTask, Task, TaskDependency
from databricks_async.local import LocalWorkspace

LONG = 100_000.0
"""Seconds by which all that was started has ended."""


def _task(key: str, *after: str, **fields: Any) -> Task:
    depends_on = [TaskDependency(task_key=other) for other in after] or None
    return Task(task_key=key, notebook_task=NotebookTask(notebook_path=f"/jobs/{key}"), depends_on=depends_on, **fields)


@pytest.fixture
def task() -> Callable[..., Task]:
    """Makes a notebook task, behind others: `task("load", "extract")`."""
    return _task


@pytest.fixture
def once() -> Callable[..., SubmitTask]:
    """The same for a one-time run."""
    return lambda key, *after, **fields: SubmitTask.from_dict(_task(key, *after, **fields).as_dict())


@pytest.fixture
def version() -> str:
    """The version of the Jobs API; tests that mean both parametrize it."""
    return "2.2"


@pytest.fixture
def api_versions(version: str) -> dict[str, str]:
    return {"jobs": version}


@pytest.fixture
def finish(workspace: LocalWorkspace) -> Callable[[], None]:
    """Lets all that was started come to its end."""
    return lambda: workspace.clock.advance(LONG)
