"""Clients of the official SDK, unchanged, against the local workspace."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config

from databricks_async.local import Clock, LocalWorkspace


@pytest.fixture
async def workspace() -> AsyncIterator[LocalWorkspace]:
    """So fast that a cluster runs, and a run has ended, before the SDK's waiters first ask and then sleep for seconds.

    The SDK keeps its connections open.
    """
    async with LocalWorkspace(clock=Clock.sped_up(1_000_000)) as workspace:
        yield workspace


@pytest.fixture
def connect(workspace: LocalWorkspace, tmp_path: Path) -> Callable[..., WorkspaceClient]:
    """Makes clients that know nothing of this machine's own configuration."""
    config_file = tmp_path / "databrickscfg"
    config_file.touch()

    def connect(token: str | None = None, **settings: Any) -> WorkspaceClient:
        if token or not settings:
            settings = {"token": token or workspace.token, "auth_type": "pat"} | settings
        return WorkspaceClient(config=Config(host=workspace.url, config_file=str(config_file), **settings))

    return connect
