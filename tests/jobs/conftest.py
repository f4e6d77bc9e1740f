"""A local workspace with a clock moved by hand, clients of it, and jobs to run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from databricks_async import Config, WorkspaceClient
from databricks_async.jobs.models import NotebookTask, SubmitTask, Task, TaskDependency
from databricks_async.local import Clock, LocalWorkspace

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
async def workspace() -> AsyncIterator[LocalWorkspace]:
    """Whatever a test sends must be known to the service; a test that strays on purpose clears the journal."""
    async with LocalWorkspace(clock=Clock.by_hand()) as workspace:
        yield workspace
        assert workspace.journal.unknown_routes == []
        assert [(call.endpoint, call.unknown) for call in workspace.journal.entries if call.unknown] == []
    assert asyncio.all_tasks() == {asyncio.current_task()}, "something was left running"


@pytest.fixture
async def connect(workspace: LocalWorkspace, version: str) -> AsyncIterator[Callable[..., WorkspaceClient]]:
    """Makes clients that poll without long pauses."""
    async with AsyncExitStack() as stack:

        def connect(*, token: str | None = None, **settings: Any) -> WorkspaceClient:
            config = Config(
                host=workspace.url, token=token or workspace.token, **({"poll_interval_seconds": 0.005} | settings)
            )
            client = WorkspaceClient(config=config, api_versions={"jobs": version})
            stack.push_async_callback(client.aclose)
            return client

        yield connect


@pytest.fixture
def w(connect: Callable[..., WorkspaceClient]) -> WorkspaceClient:
    """A client of an admin."""
    return connect()


@pytest.fixture
def finish(workspace: LocalWorkspace) -> Callable[[], None]:
    """Lets all that was started come to its end."""
    return lambda: workspace.clock.advance(LONG)
