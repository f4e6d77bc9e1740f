"""Fixtures for users' own tests: a local workspace, and a client of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_asyncio import fixture

    from databricks_async.client import WorkspaceClient
    from databricks_async.local import LocalWorkspace
else:
    try:
        from pytest_asyncio import fixture
    except ImportError:  # the plugin is loaded wherever the package is installed: other tests go on without it

        def fixture(function):
            @pytest.fixture(name=function.__name__)
            def missing():
                pytest.fail(f"the fixture {function.__name__!r} needs pytest-asyncio", pytrace=False)

            return missing


@fixture
async def local_workspace() -> AsyncIterator[LocalWorkspace]:
    """A running local workspace, empty, in which clusters start in a third of a second."""
    from databricks_async.local import LocalWorkspace

    async with LocalWorkspace() as workspace:
        yield workspace


@fixture
async def workspace_client(
    local_workspace: LocalWorkspace, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[WorkspaceClient]:
    """A client of `local_workspace`, which ignores the settings of the machine; it polls without long pauses."""
    import os

    from databricks_async.client import WorkspaceClient
    from databricks_async.config import Config

    for name in [name for name in os.environ if name.startswith(("DATABRICKS_", "ARM_"))]:
        monkeypatch.delenv(name)
    config = Config(host=local_workspace.url, token=local_workspace.token, poll_interval_seconds=0.005)
    async with WorkspaceClient(config=config) as client:
        yield client
