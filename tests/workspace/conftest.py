"""A local workspace with a folder to work in, and clients of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from databricks_async import Config, WorkspaceClient
from databricks_async.local import LocalWorkspace


@pytest.fixture
async def workspace() -> AsyncIterator[LocalWorkspace]:
    """Whatever a test sends must be known to the service; in the end no connection is held and nothing runs."""
    async with LocalWorkspace() as workspace:
        yield workspace
        assert workspace.journal.unknown_routes == []
        assert [(call.endpoint, call.unknown) for call in workspace.journal.entries if call.unknown] == []
        async with asyncio.timeout(5):
            await workspace.journal.until(lambda journal: journal.connections == 0)
    assert asyncio.all_tasks() == {asyncio.current_task()}, "something was left running"


@pytest.fixture
async def connect(workspace: LocalWorkspace) -> AsyncIterator[Callable[..., WorkspaceClient]]:
    """Makes clients of the workspace."""
    async with AsyncExitStack() as stack:

        def connect(**settings: Any) -> WorkspaceClient:
            if "client_id" not in settings:
                settings = {"token": workspace.token} | settings
            client = WorkspaceClient(config=Config(host=workspace.url, **settings))
            stack.push_async_callback(client.aclose)
            return client

        yield connect


@pytest.fixture
def patience() -> float:
    """The seconds for which a client tries again."""
    return 300.0


@pytest.fixture
def w(connect: Callable[..., WorkspaceClient], patience: float) -> WorkspaceClient:
    """A client of an admin."""
    return connect(retry_timeout_seconds=patience)


@pytest.fixture
async def folder(w: WorkspaceClient) -> str:
    """A folder that exists."""
    await w.workspace.mkdirs("/Users/someone")
    return "/Users/someone"


@pytest.fixture
def seen() -> Callable[[Path], dict[str, bytes | None]]:
    """Looks at a local folder: all files with their bytes, hidden ones included, and its empty folders."""

    def seen(folder: Path) -> dict[str, bytes | None]:
        return {
            path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
            for path in sorted(folder.rglob("*"))
            if path.is_file() or not any(path.iterdir())
        }

    return seen
