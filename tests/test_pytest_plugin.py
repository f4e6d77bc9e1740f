"""The fixtures in somebody else's project: in pytest's own processes, with and without pytest-asyncio."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

CONTENTS = """
import asyncio
import pytest

@pytest.mark.asyncio
async def test_both(local_workspace, workspace_client):
    assert [cluster async for cluster in workspace_client.clusters.list()] == []
    assert local_workspace.journal.count() == 1

@pytest.mark.asyncio
async def test_alone(local_workspace):
    assert local_workspace.journal.count() == 0
"""

NO_ASYNCIO = """
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name == "pytest_asyncio":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Refuse())
"""


def run(tmp_path, contents, *arguments, before="", **environment):
    (tmp_path / "test_theirs.py").write_text(contents)
    script = f"import sys, pytest\n{before}\nsys.exit(pytest.main(sys.argv[1:]))"
    process = subprocess.run(
        [sys.executable, "-c", script, "-q", "-p", "no:cacheprovider", "-W", "error", "--rootdir=.", *arguments],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return process.returncode, process.stdout + process.stderr


@pytest.mark.parametrize("mode", ["strict", "auto"])
def test_the_fixtures_work_in_both_modes(tmp_path, mode):
    """Of pytest-asyncio; whatever the machine has in its environment is not looked at."""
    code, output = run(
        tmp_path,
        CONTENTS,
        f"--asyncio-mode={mode}",
        *("-o", "asyncio_default_fixture_loop_scope=function"),
        DATABRICKS_HOST="https://elsewhere.invalid",
        DATABRICKS_TOKEN="dapi0",
        DATABRICKS_CLIENT_ID="id",
        ARM_CLIENT_ID="id",
        HTTP_PROXY="http://127.0.0.1:9",
    )
    assert code == 0, output
    assert "2 passed" in output


def test_without_pytest_asyncio_other_tests_run(tmp_path):
    """The plugin is loaded wherever the package is installed: it says what is missing only to those who use it."""
    contents = "def test_of_theirs():\n    pass\n\ndef test_of_ours(workspace_client):\n    pass\n"
    plugin = ("-p", "databricks_async.pytest_plugin")
    code, output = run(tmp_path, contents, *plugin, before=NO_ASYNCIO, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    assert code == 1
    assert "the fixture 'workspace_client' needs pytest-asyncio" in output
    assert "1 passed, 1 error" in output
