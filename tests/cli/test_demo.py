"""`databricks-async demo`, as a process.

Here are the tests of `cli/demonstration/`, `cli/live/console.py`, `cli/ending.py`.
"""

from __future__ import annotations

import asyncio
import errno
import io
import os
import re
import signal
import sys

import pytest

from cli.test_terminals import Ending
from databricks_async.cli import main
from support.processes import STRICT_PYTHON, own_output

DEMO = (*STRICT_PYTHON, "-m", "databricks_async.cli", "demo")


async def test_the_demo_tells_plain_lines_in_a_pipe() -> None:
    """It ends well, shows every bad day it promises, moves no cursor and wraps nothing, whatever variables say."""
    process = await asyncio.create_subprocess_exec(
        *DEMO,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "FORCE_COLOR": "1", "COLUMNS": "50"},
    )
    output, errors = await process.communicate()
    assert (process.returncode, own_output(errors)) == (0, "")
    out = output.decode()
    assert not re.search(r"\x1b\[[0-9;?]*[A-HJKhl]|\r", out)
    out = re.sub(r"\x1b\[[0-9;]*m", "", out)
    assert max(map(len, out.splitlines())) > 100
    assert "7 run; one failed" in out
    assert "CLOUD_PROVIDER_RESOURCE_STOCKOUT" in out
    assert "733 events in pages of 200, 200, 200, 133" in out
    assert "OutcomeUnknown" in out
    assert "found by that hint: 1 cluster" in out
    assert "asked three times, 1 run" in out
    assert "enrich FAILED: ValueError: no price for 3 products" in out
    assert out.count("UPSTREAM_FAILED") == 2
    assert "report of monday: 1,000 rows" in out
    assert "9 clusters terminated and deleted, 0 left" in out
    assert "9 / 9" in out
    assert "Nothing lost, nothing done twice." in out
    refused, renewed = (
        next(line.split()[-1] for line in out.splitlines() if line.startswith(row))
        for row in ("refused by rate limits", "tokens renewed")
    )
    assert (int(refused), renewed) == (2, "1")


@pytest.mark.parametrize("times", [1, 2])
async def test_ctrl_c_ends_the_demo_quietly(times: int) -> None:
    """No traceback and no warning, whatever was under way, also for who is impatient; it says that nothing goes on."""
    process = await asyncio.create_subprocess_exec(
        *DEMO, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    while b"Eight clusters" not in (line := await process.stdout.readline()):
        assert line, await process.communicate()
    for _ in range(times):
        process.send_signal(signal.SIGINT)
        await asyncio.sleep(0)
    _, err = await process.communicate()
    assert process.returncode == 130
    said = "The demo has ended; nothing of it goes on.\n"
    assert own_output(err) in ([said] if times == 1 else [said, ""])


@pytest.mark.parametrize(
    ("reason", "code", "said"),
    [(errno.EPIPE, 141, ""), (errno.ENOSPC, 1, f"databricks-async demo: {os.strerror(errno.ENOSPC)}\n")],
    ids=["the reader goes away", "the device is full"],
)
async def test_an_output_that_ends_ends_the_demo(
    reason: int, code: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After some lines: with the code for it, in a line or in silence, and with nothing that was under way."""
    monkeypatch.setattr(sys, "stdout", Ending(12, reason))
    monkeypatch.setattr(sys, "stderr", errors := io.StringIO())
    assert (await asyncio.to_thread(main, ["demo"]), errors.getvalue()) == (code, said)
