"""Clients of a version of the Clusters API, and clusters in any state."""

from __future__ import annotations

from typing import Any

import pytest

from databricks_async import WorkspaceClient
from databricks_async.local import LocalWorkspace

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
def api_versions(version: str) -> dict[str, str]:
    return {"clusters": version}


@pytest.fixture
def make(w: WorkspaceClient, workspace: LocalWorkspace) -> Maker:
    """Clusters in the state that a test begins with."""
    return Maker(w, workspace)
