"""A local workspace with a clock moved by hand, clients of it, and clusters in any state."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from databricks_async import Config, WorkspaceClient
from databricks_async.local import Clock, LocalWorkspace

SPEC = {"cluster_name": "etl", "spark_version": "16.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 2}


class Maker:
    """Makes clusters in the state that a test begins with."""

    def __init__(self, w: WorkspaceClient, workspace: LocalWorkspace) -> None:
        self._w = w
        self._advance = workspace.clock.advance

    async def pending(self, **changes: Any) -> str:
        return (await self._w.clusters.create(SPEC | changes)).cluster_id

    async def running(self, **changes: Any) -> str:
        cluster_id = await self.pending(**changes)
        self._advance(300)
        return cluster_id

    async def resizing(self) -> str:
        return (await self._w.clusters.resize(await self.running(), num_workers=3)).cluster_id

    async def restarting(self) -> str:
        return (await self._w.clusters.restart(await self.running())).cluster_id

    async def terminating(self, **changes: Any) -> str:
        return (await self._w.clusters.delete(await self.running(**changes))).cluster_id

    async def terminated(self, **changes: Any) -> str:
        cluster_id = await self.terminating(**changes)
        self._advance(30)
        return cluster_id


@pytest.fixture
def spec() -> dict[str, Any]:
    """What the service needs to know to create a cluster, and a name."""
    return dict(SPEC)


@pytest.fixture
def version() -> str:
    """The version of the Clusters API; tests that mean both parametrize it."""
    return "2.1"


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

        def connect(*, token: str | None = None, trace_configs: Any = (), **settings: Any) -> WorkspaceClient:
            config = Config(
                host=workspace.url, token=token or workspace.token, **({"poll_interval_seconds": 0.005} | settings)
            )
            client = WorkspaceClient(config=config, api_versions={"clusters": version}, trace_configs=trace_configs)
            stack.push_async_callback(client.aclose)
            return client

        yield connect


@pytest.fixture
def w(connect: Callable[..., WorkspaceClient]) -> WorkspaceClient:
    """A client of an admin."""
    return connect()


@pytest.fixture
def make(w: WorkspaceClient, workspace: LocalWorkspace) -> Maker:
    """Clusters in the state that a test begins with."""
    return Maker(w, workspace)
