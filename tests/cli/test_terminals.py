"""Commands as a person sees them, on terminals of every kind and width; and as scripts read them, in every pipe.

The suite looks at a part of it; `--all-terminals` looks at all widths and commands, the demo included.
"""

from __future__ import annotations

import asyncio
import errno
import io
import json
import os
import pty
import re
import sys
from typing import NamedTuple

import pyte
import pytest

from cli.conftest import Run
from cli.test_clusters import SPEC
from cli.test_runs import task
from databricks_async import WorkspaceClient
from databricks_async.cli import main
from databricks_async.cli.output.tables import cells_of
from databricks_async.local import LocalWorkspace
from support.processes import STRICT_PYTHON

WIDTHS = (50, 60, 80, 140)


class Kind(NamedTuple):
    """A kind of terminal."""

    environment: dict[str, str]
    term: str = "xterm-256color"
    encoding: str = "utf-8"
    has_color: bool = False
    is_live: bool = True


KINDS = {
    "colour": Kind({}, has_color=True),
    "NO_COLOR": Kind({"NO_COLOR": "1"}),
    "dumb": Kind({}, term="dumb", is_live=False),
    "ascii": Kind({}, encoding="ascii", has_color=True),
    "latin": Kind({"LC_ALL": "C"}, encoding="latin-1", has_color=True),
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A part of the widths, or all of them."""
    if "width" in metafunc.fixturenames:
        every = metafunc.config.getoption("--all-terminals")
        metafunc.parametrize("width", WIDTHS if every else (50, 80))


@pytest.fixture
async def run_id(
    cli: Run, quick_polls: None, workspace_client: WorkspaceClient, local_workspace: LocalWorkspace
) -> str:
    """A cluster that failed, one that runs, and a failed run of three tasks."""
    local_workspace.fail_next_start("CLOUD_PROVIDER_RESOURCE_STOCKOUT", "CLOUD_FAILURE", cluster_name="training")
    for name in ("training", "a cluster with a name that is long"):
        async for _ in await workspace_client.clusters.create(cluster_name=name, **SPEC):  # type: ignore[arg-type]
            pass
    tasks = [task("extract"), task("enrich_with_prices", "extract"), task("report", "enrich_with_prices")]
    await workspace_client.jobs.create(name="nightly-sales", tasks=tasks)
    local_workspace.script_task("enrich_with_prices", error="ValueError: no price for three products of the season")
    for number in range(20):
        local_workspace.add_object(f"/Shared/project/notebook {number:02}", b"x", language="PYTHON")
    run = await cli("jobs", "run-now", "nightly-sales", "-o", "json")
    found: str = str(json.loads(run.out)["run_id"])
    return found


def seen(written: str, width: int) -> tuple[list[str], bool]:
    """What a terminal of this width shows in the end, all of it, and whether the cursor is hidden."""
    screen = pyte.Screen(width, 400)
    screen.set_mode(pyte.modes.LNM)  # a terminal driver makes a line end of each "\n"
    pyte.Stream(screen).feed(written)
    return [line.rstrip() for line in screen.display], screen.cursor.hidden


@pytest.mark.parametrize("kind", KINDS)
async def test_terminals(
    kind: str, width: int, cli: Run, run_id: str, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No line is longer than the screen, colours and signs are those it has, the cursor is back in the end."""
    looks = KINDS[kind]
    for name, value in looks.environment.items():
        monkeypatch.setenv(name, value)
    commands = (
        ("clusters", "list"),
        ("clusters", "list", "-l"),
        ("runs", "list"),
        ("runs", "get", run_id),
        ("runs", "timeline", run_id),
        ("runs", "watch", run_id),
        ("workspace", "ls", "-l", "/Shared/project"),
        ("workspace", "export", "/Shared/project", str(tmp_path / "tree")),
    )
    for argv in commands:
        code, out, err = await cli(*argv, terminal=width, term=looks.term, encoding=looks.encoding)
        written = out + err
        assert code in (0, 3), err
        assert "Traceback" not in written
        assert looks.encoding == "utf-8" or written.isascii() or looks.encoding == "latin-1"
        assert ("\x1b[" in written) <= (looks.has_color or looks.is_live)
        if not looks.is_live:
            assert "\x1b" not in written
        if kind == "NO_COLOR":
            assert not re.search(r"\x1b\[[0-9;]*m", written)
        assert not seen(written, width)[1]
        shown, _ = seen(out, 400)
        is_message = argv[0] == "runs" and argv[1] == "watch" and not looks.is_live  # lines for scripts are never cut
        if not is_message and argv[1] != "export":
            assert max(map(cells_of, shown)) <= width, (argv, shown)
            assert any(shown)


@pytest.mark.parametrize("argv", [("runs", "watch"), ("jobs", "run-now", "nightly-sales")], ids=" ".join)
async def test_a_real_terminal(argv: tuple[str, ...], run_id: str, local_workspace: LocalWorkspace) -> None:
    """The picture stays whole, also when `q` or Ctrl-C ends it; the tree and what goes on are there; code 130."""
    local_workspace.script_task("extract", duration=1e12)
    if argv[0] == "runs":
        argv = (*argv, str(await _started(local_workspace)))
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *(*STRICT_PYTHON, "-m", "databricks_async"),
        *argv,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "COLUMNS": "80", "LINES": "24", "TERM": "xterm-256color"},
    )
    os.close(theirs)
    written = bytearray()
    while b"extract" not in written:
        written += await asyncio.to_thread(os.read, ours, 65536)
    if argv[0] == "runs":
        os.write(ours, b"q")
    else:
        process.send_signal(2)
    while True:
        try:
            found = await asyncio.to_thread(os.read, ours, 65536)
        except OSError:  # the other end is closed
            break
        written += found
    os.close(ours)
    assert await process.wait() == 130
    shown, is_hidden = seen(written.decode(), 80)
    assert not is_hidden
    assert any(line.startswith("└─┬ * extract") or "─┬ * extract" in line for line in shown)
    assert any(line.startswith("The run goes on. Stop it: databricks-async jobs cancel-run ") for line in shown)


async def _started(local_workspace: LocalWorkspace) -> int:
    async with WorkspaceClient(host=local_workspace.url, token=local_workspace.token) as w:
        (job,) = await w.jobs.list().collect()
        return (await w.jobs.run_now(job.job_id)).run_id


# --- pipes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("environment", [{}, {"FORCE_COLOR": "1"}, {"FORCE_COLOR": "1", "NO_COLOR": "1"}], ids=str)
async def test_pipes(environment: dict[str, str], cli: Run, run_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No cursor is moved and no data is coloured, whatever the environment says; JSON parses, also beside a log."""
    for name, value in {**environment, "COLUMNS": "40"}.items():
        monkeypatch.setenv(name, value)
    for argv in (("clusters", "list"), ("runs", "list"), ("runs", "timeline", run_id), ("runs", "watch", run_id)):
        code, out, err = await cli(*argv)
        assert code in (0, 3)
        assert "\x1b" not in out + err
        code, out, err = await cli(*argv, "-o", "json", "--debug")
        for text in out.splitlines() if argv[1] == "watch" else [out]:
            json.loads(text)


class Ending:
    """An output that takes so many lines: then its reader goes away, or its device is full."""

    encoding = "utf-8"

    def __init__(self, lines: int, reason: int = errno.EPIPE) -> None:
        self._left = lines
        self._reason = reason

    def isatty(self) -> bool:
        return False

    def write(self, text: str) -> int:
        self._left -= text.count("\n")
        if self._left < 0:
            raise OSError(self._reason, os.strerror(self._reason))  # a BrokenPipeError, if that is the reason
        return len(text)

    def flush(self) -> None: ...

    def fileno(self) -> int:
        raise OSError(errno.EBADF, "no file")


@pytest.mark.parametrize("lines", [1, 12, 100])
async def test_readers_that_go_away(
    lines: int, cli: Run, local_workspace: LocalWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After 1, 12 and 100 lines: in silence, 141, in every form; a full device is one line, and 1."""
    for number in range(60):
        local_workspace.add_object(f"/Shared/{number:03}", b"")
    for form in ("text", "csv", "json"):
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", Ending(lines))
            patch.setattr(sys, "stderr", errors := io.StringIO())
            code = await asyncio.to_thread(main, ["workspace", "ls", "/Shared", "-o", form])
        assert (code, errors.getvalue()) == (141 if lines < 60 else 0, "")
    monkeypatch.setattr(sys, "stdout", Ending(lines, errno.ENOSPC))
    monkeypatch.setattr(sys, "stderr", errors := io.StringIO())
    code = await asyncio.to_thread(main, ["workspace", "ls", "/Shared"])
    said = f"databricks-async workspace ls: {os.strerror(errno.ENOSPC)}\n"
    assert (code, errors.getvalue()) == ((1, said) if lines < 60 else (0, ""))


async def test_the_demo_on_terminals(pytestconfig: pytest.Config, command: Run) -> None:
    """At two widths: no line is longer than the screen. It takes seconds: only with `--all-terminals`."""
    for width in (60, 140) if pytestconfig.getoption("--all-terminals") else ():
        code, out, _ = await command("demo", terminal=width)
        assert code == 0
        assert max(map(cells_of, seen(out, 400)[0])) <= width
