"""Tasks that run for real: what they get, how they end, and that nothing of them is left.

Here are the tests of `local/jobs/processes/`.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import sys
import zipfile
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest

from databricks_async import RunFailed, WorkspaceClient
from databricks_async.jobs import Run, RunOutput
from databricks_async.local import LocalWorkspace
from databricks_async.local.jobs.processes.pool import RUNNER

HOME = "/Shared/flow"

NOTEBOOK = """# Databricks notebook source
# MAGIC %md
# MAGIC # The first step

# COMMAND ----------

# MAGIC %run ./helpers

# COMMAND ----------

# DBTITLE 1,Work
import asyncio

dbutils.widgets.text("day", "monday")
dbutils.widgets.text("unset", "a default")
await asyncio.sleep(0)
dbutils.jobs.taskValues.set("rows", [1, 2])
dbutils.jobs.taskValues.set(key="name", value="first")
print("seen by people")

# COMMAND ----------

dbutils.notebook.exit(double(dbutils.widgets.get("day")) + dbutils.widgets.get("unset"))

# COMMAND ----------

raise AssertionError("after the exit")
"""
HELPERS = "# Databricks notebook source\ndef double(text):\n    return text * 2\n"
JUPYTER = json.dumps(
    {
        "cells": [
            {"cell_type": "markdown", "metadata": {}, "source": ["# Text\n"]},
            {
                "cell_type": "code",
                "metadata": {},
                "execution_count": None,
                "outputs": [],
                "source": ["rows = dbutils.jobs.taskValues.get('notebook', 'rows', debugValue=[])\n", "len(rows)"],
            },
            {
                "cell_type": "code",
                "metadata": {},
                "execution_count": None,
                "outputs": [],
                "source": ["dbutils.notebook.exit(sum(rows))"],
            },
        ],
        "metadata": {"language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
)
# As `from databricks.sdk.runtime import dbutils` does it, whose import takes a second.
SCRIPT = """
import os, sys
import beside
from dbruntime import UserNamespaceInitializer

dbutils = UserNamespaceInitializer.getOrCreate().get_namespace_globals()["dbutils"]
assert __name__ == "__main__" and open("data.txt").read() == "data"
dbutils.jobs.taskValues.set("host", os.environ["DATABRICKS_HOST"])
dbutils.jobs.taskValues.set("token", os.environ["DATABRICKS_TOKEN"])
print(sys.argv[1:], beside.NAME, os.environ.get("AZURE_CLIENT_SECRET"))
"""
MAIN = "import sys\n\ndef main():\n    print(sys.argv)\n\ndef other():\n    print('other')\n"
# Connections end with the process that has them.
HANGING = """
import socket, subprocess, sys, time

connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
if len(sys.argv) == 2:
    subprocess.run([sys.executable, "-S", "-E", __file__, sys.argv[1], "child"])
time.sleep(600)
"""


def wheel() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("our_flow/__init__.py", MAIN)
        archive.writestr("our_flow-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: our-flow\nVersion: 1.0\n")
        archive.writestr("our_flow-1.0.dist-info/entry_points.txt", "[console_scripts]\nrun = our_flow:main\n")
    return file.getvalue()


@pytest.fixture
async def workspace() -> AsyncIterator[LocalWorkspace]:
    async with LocalWorkspace(run_tasks=True) as workspace:
        workspace.add_object(f"{HOME}/beside.py", b"NAME = 'beside'")
        workspace.add_object(f"{HOME}/data.txt", b"data")
        workspace.add_object(f"{HOME}/script.py", SCRIPT.encode())
        workspace.add_object(f"{HOME}/hanging.py", HANGING.encode())
        workspace.add_object(f"{HOME}/first", NOTEBOOK.encode(), language="PYTHON")
        workspace.add_object(f"{HOME}/helpers", HELPERS.encode(), language="PYTHON")
        yield workspace


@pytest.fixture
async def w(workspace: LocalWorkspace) -> AsyncIterator[WorkspaceClient]:
    async with WorkspaceClient(host=workspace.url, token=workspace.token, poll_interval_seconds=0.02) as client:
        yield client


async def outputs(w: WorkspaceClient, run: Run) -> dict[str, RunOutput]:
    return {
        task.task_key: await w.jobs.get_run_output(task.run_id)
        for task in run.tasks or ()
        if task.task_key and task.run_id is not None
    }


def script(name: str, *parameters: str, **settings: Any) -> dict[str, Any]:
    return {"spark_python_task": {"python_file": f"{HOME}/{name}", "parameters": [*parameters]}, **settings}


async def test_a_flow_runs_from_end_to_end(
    w: WorkspaceClient, workspace: LocalWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "of another workspace")
    await w.workspace.import_(f"{HOME}/second", JUPYTER.encode(), format="JUPYTER")
    await w.workspace.upload(f"{HOME}/our_flow-1.0-py3-none-any.whl", wheel(), format="AUTO")
    library = {"whl": f"/Workspace{HOME}/our_flow-1.0-py3-none-any.whl"}
    package = {"package_name": "our-flow", "named_parameters": {"strict": "true"}}
    run = await w.jobs.submit_and_wait(
        tasks=[
            {
                "task_key": "notebook",
                "notebook_task": {"notebook_path": f"{HOME}/first", "base_parameters": {"day": "friday"}},
            },
            {
                "task_key": "jupyter",
                "depends_on": [{"task_key": "notebook"}],
                "notebook_task": {"notebook_path": f"{HOME}/second"},
            },
            {
                "task_key": "script",
                "depends_on": [{"task_key": "notebook"}],
                **script("script.py", "{{tasks.notebook.values.rows}}", "{{tasks.notebook.values.name}}"),
                "environment_key": "plain",
            },
            {
                "task_key": "wheel",
                "python_wheel_task": {**package, "entry_point": "run"},
                "environment_key": "wheels",
            },
            {
                "task_key": "function",
                "python_wheel_task": {"package_name": "our-flow", "entry_point": "other"},
                "existing_cluster_id": (await w.clusters.create_and_wait(num_workers=0, **MACHINES)).cluster_id,
                "libraries": [library],
            },
        ],
        environments=[
            {"environment_key": "plain", "spec": {"client": "1"}},
            {"environment_key": "wheels", "spec": {"client": "1", "dependencies": [library["whl"]]}},
        ],
    )
    found = await outputs(w, run)
    assert found["notebook"].notebook_output is not None
    assert found["notebook"].notebook_output.result == "fridayfridaya default"
    assert found["notebook"].logs is None
    assert found["jupyter"].notebook_output is not None
    assert found["jupyter"].notebook_output.result == "3"
    assert found["script"].logs == "['[1,2]', 'first'] beside None\n"
    assert found["wheel"].logs == "['our-flow', '--strict=true']\n"
    assert found["function"].logs == "other\n"
    assert {one.error for one in found.values()} == {None}
    views = await w.jobs.export_run(found["notebook"].metadata.run_id)  # type: ignore[union-attr,arg-type]
    assert "seen by people" in str(views)


MACHINES = {"spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_DS3_v2"}


async def test_failures_say_why(w: WorkspaceClient, workspace: LocalWorkspace) -> None:
    sources = {
        "exit.py": "import sys\nprint('before')\nsys.exit(3)",
        "good.py": "import sys\nsys.exit(0)",
        "raise.py": "def inner():\n    raise LookupError('nothing\\nof it')\n\ninner()\n",
        "abort.py": "import os\nprint('last words', flush=True)\nos.abort()",
    }
    for name, source in sources.items():
        workspace.add_object(f"{HOME}/{name}", source.encode())
    cell = b"# Databricks notebook source\nx = 1\n\n# COMMAND ----------\n\ndbutils.widgets.get('none')"
    workspace.add_object(f"{HOME}/widget", cell, language="PYTHON")
    workspace.add_object(f"{HOME}/sql", b"# Databricks notebook source\n# MAGIC %sql select 1", language="PYTHON")
    workspace.script_task("scripted", error="as the test says")
    tasks = [{"task_key": name.partition(".")[0], **script(name)} for name in (*sources, "missing.py")]
    tasks += [{"task_key": "scripted", **script("good.py")}]
    for task in tasks:
        task["environment_key"] = "e"
    tasks += [{"task_key": name, "notebook_task": {"notebook_path": f"{HOME}/{name}"}} for name in ("widget", "sql")]
    with pytest.raises(RunFailed) as caught:
        await w.jobs.submit_and_wait(tasks=tasks, environments=[{"environment_key": "e", "spec": {"client": "1"}}])
    found = await outputs(w, caught.value.run)
    errors = {name: one.error for name, one in found.items()}
    assert errors == {
        "exit": "SystemExit: 3",
        "good": None,
        "raise": "LookupError: nothing\nof it",
        "abort": "The Python process exited with exit code 134 (SIGABRT: Aborted).",
        "missing": f"Cannot read the python file {HOME}/missing.py. Please check driver logs for more details.",
        "scripted": "as the test says",
        "widget": "InputWidgetNotDefined: No input widget named none is defined",
        "sql": "NotImplementedError: %sql: a local workspace runs Python cells only",
    }
    assert (found["exit"].logs or "").startswith("before\n")
    assert found["abort"].logs == "last words\n"
    trace = found["raise"].error_trace or ""
    assert 'raise.py", line 2, in inner' in trace
    assert "runner.py" not in trace
    assert f'{HOME}/widget (cell 2)", line 1' in (found["widget"].error_trace or "")
    state = found["exit"].metadata and found["exit"].metadata.state
    assert state is not None
    assert (state.result_state, state.state_message) == ("FAILED", "Workload failed, see run output for details")


class Witness:
    """A server to which processes connect: their connections end with them."""

    async def __aenter__(self) -> Witness:
        self._arrived = asyncio.Queue[asyncio.Event]()
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = str(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ended = asyncio.Event()
        await self._arrived.put(ended)
        with suppress(ConnectionError):
            await reader.read()
        writer.close()
        ended.set()

    async def arrivals(self, count: int) -> list[asyncio.Event]:
        """The ends of the next processes that connect."""
        return [await self._arrived.get() for _ in range(count)]


HANGS = {"environments": [{"environment_key": "e", "spec": {"client": "1"}}]}


async def test_cancelled_runs_and_timeouts_kill_all_that_was_started(
    w: WorkspaceClient, workspace: LocalWorkspace
) -> None:
    async with Witness() as witness:
        wait = await w.jobs.submit(
            tasks=[
                {"task_key": "cancelled", **script("hanging.py", witness.port), "environment_key": "e"},
                {
                    "task_key": "late",
                    **script("hanging.py", witness.port),
                    "environment_key": "e",
                    "timeout_seconds": 3600,
                },
            ],
            **HANGS,
        )
        processes = await witness.arrivals(4)
        run = await w.jobs.get_run(wait.run_id)
        tasks = {task.task_key: task.run_id for task in run.tasks or ()}
        await w.jobs.cancel_run(tasks["cancelled"] or 0)
        workspace.clock.advance(3600 * 1000 - 100_000)
        assert (await w.jobs.get_run(wait.run_id)).state.life_cycle_state == "RUNNING"  # type: ignore[union-attr]
        workspace.clock.advance(200_000)
        with pytest.raises(RunFailed):
            await wait.result()
        for ended in processes:
            await ended.wait()
        run = await w.jobs.get_run(wait.run_id)
        results = {task.task_key: task.state and task.state.result_state for task in run.tasks or ()}
        assert results == {"cancelled": "CANCELED", "late": "TIMEDOUT"}


async def test_nothing_outlives_the_workspace(w: WorkspaceClient, workspace: LocalWorkspace) -> None:
    async with Witness() as witness:
        task = {"task_key": "a", **script("hanging.py", witness.port), "environment_key": "e"}
        wait = await w.jobs.submit(tasks=[task], **HANGS)
        processes = await witness.arrivals(2)
        await workspace.close()
        for ended in processes:
            await ended.wait()
        await workspace.start()
        workspace.clock.advance(10_000)
        with pytest.raises(RunFailed, match="was lost when the workspace was closed"):
            await wait.result()
        await w.jobs.submit(tasks=[task], **HANGS)
        processes = await witness.arrivals(2)
        workspace.reset()
        for ended in processes:
            await ended.wait()


@pytest.mark.skipif(os.name != "posix", reason="a pipe that is passed on")
async def test_a_process_ends_when_that_of_the_workspace_is_killed(tmp_path: Any) -> None:
    """The pipe between them breaks then."""
    async with Witness() as witness:
        (tmp_path / "hanging.py").write_text(HANGING)
        task = {
            "kind": "script",
            "path": "hanging.py",
            "argv": ["hanging.py", witness.port],
            "directory": str(tmp_path),
        }
        (tmp_path / "task.json").write_text(json.dumps({**task, "wheels": [], "parameters": {}, "values": {}}))
        reader, writer = os.pipe()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", RUNNER, tmp_path, str(reader), pass_fds=[reader], start_new_session=True
        )
        os.close(reader)
        processes = await witness.arrivals(2)
        os.close(writer)
        for ended in processes:
            await ended.wait()
        assert await process.wait() == -9


async def test_the_network_cannot_run_programs() -> None:
    with pytest.raises(ValueError, match="would let the network run programs on this machine"):
        LocalWorkspace(host="0.0.0.0", run_tasks=True)  # noqa: S104
    workspace = LocalWorkspace(host="::1", run_tasks=True)
    assert workspace.token != LocalWorkspace().token
    assert workspace.logins.error is not None
    assert LocalWorkspace(run_tasks=True, token="mine").token == "mine"


async def test_nothing_runs_unless_it_is_asked_for() -> None:
    async with (
        LocalWorkspace() as workspace,
        WorkspaceClient(host=workspace.url, token=workspace.token, poll_interval_seconds=0.005) as w,
    ):
        workspace.add_object(f"{HOME}/script.py", b"raise AssertionError")
        task = {"task_key": "a", **script("script.py"), "environment_key": "e"}
        run = await w.jobs.submit_and_wait(tasks=[task], **HANGS)
        assert (await outputs(w, run))["a"].logs is None
