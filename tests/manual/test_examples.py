"""README and manual are true: every Python example runs against a local workspace.

Tries `manual/tools/examples.py`, and the chapters of `manual/`.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import json
import logging
import os
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from databricks_async import WorkspaceClient
from databricks_async.local import Clock, Fault, LocalWorkspace
from databricks_async.manual.tools.examples import Example, examples, write

ALL = [*examples()]


def of_kind(*kinds: str) -> pytest.MarkDecorator:
    found = [example for example in ALL if example.kind in kinds]
    assert found
    return pytest.mark.parametrize("example", found, ids=lambda example: example.name)


@pytest.fixture(scope="module")
def local_workspace_clock() -> Clock:
    """So fast that what an example waits for has happened before it polls a second time."""
    return Clock.sped_up(20_000)


@pytest.fixture(scope="module")
def local_workspace(module_local_workspace: LocalWorkspace) -> LocalWorkspace:
    return module_local_workspace


@pytest.fixture
def cluster_id(local_workspace: LocalWorkspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A running cluster of a workspace that environment and profile name, and that holds nothing else."""
    for name in [name for name in os.environ if name.startswith(("DATABRICKS_", "ARM_"))]:
        monkeypatch.delenv(name)
    profile = {"host": local_workspace.url, "token": local_workspace.token, "poll_interval_seconds": 0.01}
    lines = ["[DEFAULT]", *(f"{name} = {value}" for name, value in profile.items()), ""]
    file = tmp_path / "databrickscfg"
    file.touch(mode=0o600)
    file.write_text("\n".join(lines))
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(file))
    monkeypatch.setenv("DATABRICKS_CONFIG_PROFILE", "DEFAULT")
    monkeypatch.setenv("DATABRICKS_HOST", local_workspace.url)
    monkeypatch.setenv("DATABRICKS_TOKEN", local_workspace.token)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.chdir(tmp_path)
    local_workspace.reset()
    local_workspace.load(
        {
            "cluster_id": "0923-164208-meows279",
            "cluster_name": "manual",
            "spark_version": "15.4.x-scala2.12",
            "node_type_id": "Standard_DS3_v2",
            "num_workers": 1,
            "state": "RUNNING",
        }
    )
    local_workspace.add_events("0923-164208-meows279", 120)
    yield "0923-164208-meows279"
    assert local_workspace.journal.unknown_routes == []
    assert [call.unknown for call in local_workspace.journal.entries if call.unknown] == []


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """Examples that show how to see the log leave it as it is for other tests."""
    ours, root = logging.getLogger("databricks_async.http"), logging.getLogger()
    level, root_level, handlers = ours.level, root.level, [*root.handlers]
    yield
    ours.setLevel(level)
    root.setLevel(root_level)
    root.handlers[:] = handlers


@of_kind("snippet")
async def test_an_example_runs(example: Example, cluster_id: str) -> None:
    """As it stands; no route or parameter is unknown to the service."""
    compiled = compile(example.code, example.name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    outcome = eval(compiled, {"cluster_id": cluster_id})  # noqa: S307 (a coroutine where the code awaits at top level)
    if inspect.iscoroutine(outcome):
        await outcome


@of_kind("script", "official")
def test_a_program_runs(example: Example, cluster_id: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A whole program, or one of the official SDK, which prints something."""
    exec(compile(example.code, example.name, "exec"), {"__name__": "__main__"})  # noqa: S102
    assert capsys.readouterr().out or "list" in example.code


@of_kind("app")
async def test_a_web_service_streams_and_ends(
    example: Example, cluster_id: str, local_workspace: LocalWorkspace, caplog: pytest.LogCaptureFixture
) -> None:
    """States and events as they come; a stream goes on behind its last id; stopping ends each stream whole."""
    tasks = asyncio.all_tasks()
    app: dict[str, Any] = {"__name__": "app"}
    exec(compile(example.code, example.name, "exec"), app)  # noqa: S102
    # Streams that the service does not end itself would keep it for good.
    server = app["Server"](uvicorn.Config(app["app"], log_config=None, ws="none", lifespan="on"))
    listening = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    address = f"http://127.0.0.1:{listening.getsockname()[1]}/clusters/{cluster_id}"
    async with asyncio.timeout(60), httpx.AsyncClient(timeout=60) as http, WorkspaceClient() as w:
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
            events = answer.aiter_lines()
            again = [line async for line in first(events, 2)]
            assert again[0] == f"id: {ids[1]}"
            lines = states.aiter_lines()
            seen = [json.loads((await anext(lines)).removeprefix("data: "))["state"]]
            await anext(lines)
            await w.clusters.delete_and_wait(cluster_id)
            while seen[-1] != "TERMINATED":
                line = await anext(lines)
                seen += [json.loads(line.removeprefix("data: "))["state"]] if line else []
            assert (seen[0], seen[-1]) == ("RUNNING", "TERMINATED")
            server.should_exit = True  # what a signal does
            await serving
            # Whole: httpx raises if an answer ends before its last chunk.
            assert [line async for line in lines] == [""]
            assert [line async for line in events if line.startswith("event:")] == []
    del app, server, serving
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == tasks
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@of_kind("app")
async def test_a_web_service_says_what_is_wrong(
    example: Example, cluster_id: str, local_workspace: LocalWorkspace
) -> None:
    """Before a stream begins by a status, later by an event."""
    app: dict[str, Any] = {"__name__": "app"}
    exec(compile(example.code, example.name, "exec"), app)  # noqa: S102
    service = app["app"]
    transport = httpx.ASGITransport(service)
    async with (
        service.router.lifespan_context(service),
        httpx.AsyncClient(transport=transport, base_url="http://service") as http,
    ):
        path = f"/clusters/{cluster_id}"
        for stream in ("states", "events"):
            assert (await http.get(f"/clusters/unknown/{stream}")).status_code == 404
            assert (await http.get(f"/clusters/%20/{stream}")).status_code == 400
        assert (await http.get(f"{path}/events", headers={"Last-Event-ID": "nonsense"})).status_code == 400
        refused = Fault.error(400, "INVALID_STATE", "not now")
        local_workspace.faults.add("GET /api/{v}/clusters/get", refused)
        assert (await http.get(f"{path}/events")).status_code == 502
        local_workspace.faults.add("POST /api/{v}/clusters/events", refused)
        local_workspace.faults.add("GET /api/{v}/clusters/get", refused, skip=2)
        for stream in ("events", "states"):
            answer = await http.get(f"{path}/{stream}")
            assert answer.status_code == 200
            assert answer.text.startswith('event: failure\ndata: "not now (')
            assert answer.text.endswith('"\n\n')


async def first(lines: AsyncIterator[str], count: int) -> AsyncIterator[str]:
    for _ in range(count):
        yield await anext(lines)


def test_the_tests_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The examples of a user's own tests are collected and pass, in a directory without any configuration."""
    tests = [example for example in ALL if example.kind == "test"]
    for number, example in enumerate(tests):
        (tmp_path / f"test_{number}.py").write_text(example.code, encoding="utf-8")
    passed = Passed()
    options = ["-q", "--rootdir", str(tmp_path), "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov"]
    options += ["-o", "asyncio_default_fixture_loop_scope=function"]
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    monkeypatch.chdir(tmp_path)
    assert pytest.main([*options, str(tmp_path)], plugins=[passed]) == pytest.ExitCode.OK
    assert passed.count == sum(example.code.count("def test_") for example in tests)


class Passed:
    """Counts the tests that pass in a pytest within this one."""

    count = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.count += report.when == "call" and report.passed


def test_code_fits_beside_the_list_of_chapters() -> None:
    """No line of an example is so long that a page cuts it."""
    long = [f"{example.name}: {line}" for example in ALL for line in example.code.splitlines() if len(line) > 100]
    assert [line for line in long if not line.startswith("README")] == []


def test_examples_are_written_out_for_the_type_checker(tmp_path: Path) -> None:
    """Each as a module that Python can read."""
    assert write(tmp_path / "examples") == len(ALL) > 40
    for file in (tmp_path / "examples").glob("*.py"):
        ast.parse(file.read_text(encoding="utf-8"))
