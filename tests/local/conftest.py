"""A local workspace with a clock moved by hand, and a raw HTTP client for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from yarl import URL

from databricks_async.local import Clock, LocalWorkspace

SPEC = {"cluster_name": "etl", "spark_version": "16.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 2}


class Wire:
    """Sends requests and gives back (status, decoded JSON)."""

    def __init__(self, workspace: LocalWorkspace, session: aiohttp.ClientSession) -> None:
        self.workspace = workspace
        self.session = session
        self.token = workspace.token

    async def send(self, method: str, path: str | URL, *, token: str | None = None, **kwargs: Any) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token or self.token}", **kwargs.pop("headers", {})}
        url = URL(f"{self.workspace.url}{path}", encoded=isinstance(path, URL))
        async with self.session.request(method, url, headers=headers, **kwargs) as response:
            return response.status, await response.json()

    async def get(self, path: str, *, token: str | None = None, **params: str) -> tuple[int, Any]:
        return await self.send("GET", path, token=token, params=params)

    async def post(self, path: str, *, token: str | None = None, **body: Any) -> tuple[int, Any]:
        return await self.send("POST", path, token=token, json=body)

    async def ok(self, method: str, path: str, **params: Any) -> Any:
        """The answer of a request that must succeed."""
        where = {"params": params} if method == "GET" else {"json": params}
        status, answer = await self.send(method, path, **where)
        assert status == 200, answer
        return answer

    async def create(self, **changes: Any) -> str:
        """A new cluster, PENDING."""
        answer = await self.ok("POST", "/api/2.1/clusters/create", **(SPEC | changes))
        return str(answer["cluster_id"])

    async def running(self, **changes: Any) -> str:
        """A new cluster, RUNNING."""
        cluster_id = await self.create(**changes)
        self.workspace.clock.advance(300)
        return cluster_id

    async def cluster(self, cluster_id: str) -> Any:
        return await self.ok("GET", "/api/2.1/clusters/get", cluster_id=cluster_id)

    async def state(self, cluster_id: str) -> str:
        return str((await self.cluster(cluster_id))["state"])

    async def events(self, cluster_id: str) -> list[Any]:
        """The newest 500 events, oldest first."""
        answer = await self.ok("POST", "/api/2.0/clusters/events", cluster_id=cluster_id, limit=500)
        return list(reversed(answer["events"]))


@pytest.fixture
async def workspace() -> AsyncIterator[LocalWorkspace]:
    async with LocalWorkspace(clock=Clock.by_hand()) as workspace:
        yield workspace


@pytest.fixture
async def wire(workspace: LocalWorkspace) -> AsyncIterator[Wire]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield Wire(workspace, session)
