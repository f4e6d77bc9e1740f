"""The first call of a process: what it imports does not hold up the loop."""

from __future__ import annotations

import asyncio

import pytest

from support.processes import STRICT_PYTHON, own_output

SCRIPT = """
import asyncio, sys, threading
from databricks_async import WorkspaceClient

class Finder:
    threads = {}
    def find_spec(self, name, path=None, target=None):
        self.threads[name] = threading.current_thread()

sys.meta_path.insert(0, Finder())

async def main(url, token, way):
    if way == "async with":
        async with WorkspaceClient(host=url, token=token) as w:
            assert "aiohttp" in sys.modules
    else:
        w = WorkspaceClient(host=url, token=token)
        await asyncio.gather(*(w.request("GET", "/api/2.1/clusters/list-zones") for _ in range(3)))
        assert w.stats.sent == 3
        await w.aclose()

asyncio.run(main(*sys.argv[1:]))
for name in ("aiohttp", "databricks_async.session.transport"):
    assert Finder.threads[name] is not threading.main_thread(), name
"""


@pytest.mark.parametrize("way", ["async with", "the first calls"])
async def test_what_the_first_call_needs_is_imported_in_a_thread(workspace, way):
    """By `async with`, or by the first calls, also when several come at once."""
    process = await asyncio.create_subprocess_exec(
        *(*STRICT_PYTHON, "-c", SCRIPT, workspace.url, workspace.token, way),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert (own_output(output), process.returncode) == ("", 0)
