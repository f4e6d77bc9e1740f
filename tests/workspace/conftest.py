"""A folder of the workspace to work in, and a look at a local one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from databricks_async import WorkspaceClient


@pytest.fixture
def workspace_clock() -> None:
    """The time of day, as local files have it."""


@pytest.fixture
def retry_seconds() -> float:
    """The seconds for which a client tries again."""
    return 300.0


@pytest.fixture
def w(connect: Callable[..., WorkspaceClient], retry_seconds: float) -> WorkspaceClient:
    """A client of an admin."""
    return connect(retry_timeout_seconds=retry_seconds)


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
