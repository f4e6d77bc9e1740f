"""The README is true: every Python example runs, and the two commands are two lines."""

from __future__ import annotations

import ast
import asyncio
import inspect
import json
import re
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from databricks_async import WorkspaceClient
from databricks_async.local import LocalWorkspace
from support.processes import STRICT_PYTHON

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
TESTS = [code for code in PYTHON if "def test_" in code]
SCRIPTS = [code for code in PYTHON if "asyncio.run(" in code]
APPS = [code for code in PYTHON if "FastAPI(" in code]
SNIPPETS = [code for code in PYTHON if code not in TESTS and code not in SCRIPTS and code not in APPS]


@pytest.fixture
async def cluster_id(
    local_workspace: LocalWorkspace, workspace_client: WorkspaceClient, monkeypatch: pytest.MonkeyPatch
) -> str:
    """A running cluster of the workspace that the environment names."""
    monkeypatch.setenv("DATABRICKS_HOST", local_workspace.url)
    monkeypatch.setenv("DATABRICKS_TOKEN", local_workspace.token)
    cluster = await workspace_client.clusters.create_and_wait(
        cluster_name="readme", spark_version="15.4.x-scala2.12", node_type_id="Standard_DS3_v2", num_workers=1
    )
    local_workspace.add_events(cluster.cluster_id, 250)
    return cluster.cluster_id


def test_there_are_examples_of_each_kind() -> None:
    """The patterns above find what they look for."""
    assert SNIPPETS
    assert SCRIPTS
    assert TESTS
    assert APPS


@pytest.mark.parametrize("code", SNIPPETS, ids=lambda code: f"line {README[: README.index(code)].count(chr(10)) + 1}")
async def test_an_example_runs(
    code: str, cluster_id: str, local_workspace: LocalWorkspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each example, as it stands, against a local workspace; no route or parameter is unknown to the service."""
    monkeypatch.chdir(tmp_path)
    compiled = compile(code, "README.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    outcome = eval(compiled, {"cluster_id": cluster_id})  # noqa: S307 (a coroutine where the code awaits at top level)
    if inspect.iscoroutine(outcome):
        await outcome
    assert local_workspace.journal.unknown_routes == []
    assert [call.unknown for call in local_workspace.journal.entries if call.unknown] == []


@pytest.mark.parametrize("code", SCRIPTS)
async def test_a_script_runs(code: str, cluster_id: str) -> None:
    """A whole program, as a process of its own, prints the cluster that runs."""
    process = await asyncio.create_subprocess_exec(*STRICT_PYTHON, "-c", code, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert (process.returncode, out.decode()) == (0, "readme RUNNING\n")


@pytest.mark.parametrize("code", APPS)
async def test_a_web_service_streams_and_ends(
    code: str, cluster_id: str, local_workspace: LocalWorkspace, workspace_client: WorkspaceClient
) -> None:
    """States and events as they come; a stream goes on behind its last id; stopping leaves nothing behind."""
    tasks = asyncio.all_tasks()
    app: dict[str, Any] = {}
    exec(compile(code, "README.md", "exec"), app)  # noqa: S102
    config = uvicorn.Config(app["app"], port=0, log_config=None, ws="none", timeout_graceful_shutdown=1, lifespan="on")
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    address = f"http://127.0.0.1:{listening.getsockname()[1]}/clusters/{cluster_id}"
    async with asyncio.timeout(60), httpx.AsyncClient(timeout=60) as http:
        async with http.stream("GET", f"{address}/events") as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            lines = answer.aiter_lines()
            ids = [line.removeprefix("id: ") async for line in first(lines, 6) if line.startswith("id: ")]
        assert len(ids) == 2
        headers = {"Last-Event-ID": ids[0]}
        async with (
            http.stream("GET", f"{address}/events", headers=headers) as answer,
            http.stream("GET", f"{address}/states") as states,
        ):
            again = [line async for line in first(answer.aiter_lines(), 2)]
            assert again[0] == f"id: {ids[1]}"
            lines = states.aiter_lines()
            seen = [json.loads((await anext(lines)).removeprefix("data: "))["state"]]
            await anext(lines)
            await workspace_client.clusters.delete_and_wait(cluster_id)
            while seen[-1] != "TERMINATED":
                line = await anext(lines)
                seen += [json.loads(line.removeprefix("data: "))["state"]] if line else []
            assert (seen[0], seen[-1]) == ("RUNNING", "TERMINATED")
            server.should_exit = True  # what a signal does
            await serving
    del app
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == tasks
    assert local_workspace.journal.unknown_routes == []


async def first(lines: AsyncIterator[str], count: int) -> AsyncIterator[str]:
    for _ in range(count):
        yield await anext(lines)


async def test_the_test_example_passes(tmp_path: Path) -> None:
    """The example of a user's own test is collected and passes, in a directory without any configuration."""
    for number, code in enumerate(TESTS):
        (tmp_path / f"test_{number}.py").write_text(code, encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "pytest", "-q", str(tmp_path), "--rootdir", str(tmp_path), "-p", "no:cacheprovider",
        cwd=tmp_path, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
    assert f"{len(TESTS)} passed" in out.decode()


def test_the_quick_start_is_two_commands() -> None:
    """Exactly two lines of the Quick start begin with `python3 -m venv`: the demo, then the tests."""
    start = README.partition("## Quick start")[2].partition("\n## ")[0]
    commands = re.findall(r"^```sh\n(.*?)^```", start, re.MULTILINE | re.DOTALL)
    assert len(commands) == 2
    assert all(command.startswith("python3 -m venv ") and command.count("\n") == 1 for command in commands)
    assert commands[0].endswith("databricks-async demo\n")
    assert commands[1].endswith("pytest -n auto\n")
