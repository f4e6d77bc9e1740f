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

    async def send(
        self, method: str, path: str | URL, /, *, token: str | None = None, **kwargs: Any
    ) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token or self.token}", **kwargs.pop("headers", {})}
        url = URL(f"{self.workspace.url}{path}", encoded=isinstance(path, URL))
        async with self.session.request(method, url, headers=headers, **kwargs) as response:
            return response.status, await response.json()

    async def get(self, path: str, /, *, token: str | None = None, **params: str) -> tuple[int, Any]:
        return await self.send("GET", path, token=token, params=params)

    async def post(self, path: str, /, *, token: str | None = None, **body: Any) -> tuple[int, Any]:
        return await self.send("POST", path, token=token, json=body)

    async def ok(self, method: str, path: str, /, **params: Any) -> Any:
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


class JobsWire:
    """Makes jobs and runs, and reports their states."""

    def __init__(self, wire: Wire, version: str = "2.2") -> None:
        self.wire = wire
        self.version = version

    async def send(self, method: str, path: str, **params: Any) -> tuple[int, Any]:
        where = {"params": params} if method == "GET" else {"json": params}
        return await self.wire.send(method, f"/api/{self.version}/jobs/{path}", **where)

    async def ok(self, method: str, path: str, **params: Any) -> Any:
        return await self.wire.ok(method, f"/api/{self.version}/jobs/{path}", **params)

    async def refused(self, method: str, path: str, **params: Any) -> str:
        """The message of a refusal with 400."""
        status, answer = await self.send(method, path, **params)
        assert status == 400, answer
        return str(answer["message"])

    async def create(self, *tasks: Any, **settings: Any) -> int:
        return int((await self.ok("POST", "create", tasks=list(tasks), **settings))["job_id"])

    async def run_now(self, job_id: int, **params: Any) -> int:
        return int((await self.ok("POST", "run-now", job_id=job_id, **params))["run_id"])

    async def submit(self, *tasks: Any, **settings: Any) -> int:
        return int((await self.ok("POST", "runs/submit", tasks=list(tasks), **settings))["run_id"])

    async def get(self, run_id: int, **params: str) -> Any:
        return await self.ok("GET", "runs/get", run_id=run_id, **params)

    async def state(self, run_id: int) -> str:
        """For example `RUNNING`, or `TERMINATED SUCCESS`."""
        return _words(await self.get(run_id))

    async def tasks(self, run_id: int) -> dict[str, str]:
        """The same for the latest attempt at each task."""
        return {task["task_key"]: _words(task) for task in (await self.get(run_id))["tasks"]}

    async def task(self, run_id: int, key: str) -> Any:
        """The latest attempt at a task."""
        return [task for task in (await self.get(run_id))["tasks"] if task["task_key"] == key][-1]

    async def output(self, run_id: int, key: str) -> Any:
        return await self.ok("GET", "runs/get-output", run_id=(await self.task(run_id, key))["run_id"])


def _words(shown: Any) -> str:
    state, status = shown["state"], shown["status"]
    life, ended = state["life_cycle_state"], "result_state" in state
    # The older and the newer words must agree wherever they are looked at.
    newer = "TERMINATED" if ended else {"WAITING_FOR_RETRY": "WAITING"}.get(life, life)
    assert status["state"] == newer
    assert ("termination_details" in status) == ended == (shown["end_time"] != 0)
    return f"{life} {state['result_state']}" if ended else str(life)


@pytest.fixture
async def jobs(wire: Wire) -> JobsWire:
    return JobsWire(wire)


@pytest.fixture
async def workspace() -> AsyncIterator[LocalWorkspace]:
    async with LocalWorkspace(clock=Clock.by_hand()) as workspace:
        yield workspace


@pytest.fixture
async def wire(workspace: LocalWorkspace) -> AsyncIterator[Wire]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield Wire(workspace, session)
