"""The README is true: every Python example runs, and the two commands are two lines."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import sys
from pathlib import Path

import pytest

from databricks_async import WorkspaceClient
from databricks_async.local import LocalWorkspace
from support.processes import STRICT_PYTHON

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
TESTS = [code for code in PYTHON if "def test_" in code]
SCRIPTS = [code for code in PYTHON if "asyncio.run(" in code]
SNIPPETS = [code for code in PYTHON if code not in TESTS and code not in SCRIPTS]


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
