"""The web service streams, goes on where a browser was, refuses what is wrong, and ends cleanly.

Of `manual/recipes/web_service.py`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator

import httpx
import pytest
import uvicorn

from databricks_async import WorkspaceClient
from databricks_async.local import Fault, LocalWorkspace
from databricks_async.manual.recipes import web_service


@pytest.fixture
async def http(found_workspace: LocalWorkspace) -> AsyncIterator[httpx.AsyncClient]:
    """Asks the service, which is stopped with its streams open; the fixtures see that nothing is left running."""
    config = uvicorn.Config(web_service.app, log_config=None, ws="none", lifespan="on")
    server = web_service.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        async with asyncio.timeout(30), httpx.AsyncClient(base_url=address, timeout=30) as client:
            yield client
            server.should_exit = True  # what a signal does
            await serving


async def messages(answer: httpx.Response) -> AsyncIterator[tuple[str, dict[str, str]]]:
    """The id of each, and its data."""
    found = ""
    async for line in answer.aiter_lines():
        name, _, value = line.partition(": ")
        if name == "id":
            found = value
        elif name == "data":
            yield found, json.loads(value)


async def test_streams(http: httpx.AsyncClient, cluster: str) -> None:
    """A browser that comes back gets what it had not; all see what changes."""
    async with http.stream("GET", f"/clusters/{cluster}/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        got = messages(answer)
        last, first = await anext(got)
        _, second = await anext(got)
        assert first != second
    again = {"Last-Event-ID": last}
    async with http.stream("GET", f"/clusters/{cluster}/events", headers=again) as answer:
        assert (await anext(messages(answer)))[1] == second
    async with http.stream("GET", "/clusters") as answer, WorkspaceClient() as w:
        got = messages(answer)
        assert (await anext(got))[1] == {"cluster_id": cluster, "state": "RUNNING"}
        await w.clusters.delete(cluster)
        while (await anext(got))[1]["state"] != "TERMINATED":
            pass


async def test_refusals(http: httpx.AsyncClient, found_workspace: LocalWorkspace, cluster: str) -> None:
    """What is wrong from the start is an answer with a status."""
    assert (await http.get("/clusters/unknown/events")).status_code == 404
    wrong = await http.get(f"/clusters/{cluster}/events", headers={"Last-Event-ID": "nonsense"})
    assert wrong.status_code == 400
    found_workspace.faults.add("GET /api/{v}/clusters/get", Fault.error(403, "PERMISSION_DENIED"))
    assert (await http.get(f"/clusters/{cluster}/events")).status_code == 502
    # What goes wrong later is the last event of the stream.
    found_workspace.faults.add("POST /api/{v}/clusters/events", Fault.error(403, "PERMISSION_DENIED"))
    assert (await http.get(f"/clusters/{cluster}/events")).text.startswith("event: failure\ndata: ")


async def test_stopping(found_workspace: LocalWorkspace, cluster: str, caplog: pytest.LogCaptureFixture) -> None:
    """A stream that is open gets the end of its answer, and nothing is logged as wrong."""
    server = web_service.Server(uvicorn.Config(web_service.app, log_config=None, ws="none", lifespan="on"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        async with (
            asyncio.timeout(30),
            httpx.AsyncClient(base_url=address, timeout=30) as client,
            client.stream("GET", f"/clusters/{cluster}/events") as answer,
        ):
            got = messages(answer)
            await anext(got)
            server.should_exit = True
            async for _ in got:  # httpx raises if the answer is not whole
                pass
            await serving
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
