"""`databricks-async workspace`, against a local workspace."""

from __future__ import annotations

import asyncio
import os
import pty
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from databricks_async.cli import main
from databricks_async.local import Fault, LocalWorkspace
from support.processes import STRICT_PYTHON, own_output

COMMAND = (*STRICT_PYTHON, "-m", "databricks_async.cli", "workspace")
LIST = "GET /api/{v}/workspace/list"
PY = b"# Databricks notebook source\nprint(1)\n"

Run = Callable[..., Awaitable[tuple[int, str, str]]]


@pytest.fixture
def run(local_workspace: LocalWorkspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command with this workspace in its environment: exit code, standard output, standard error."""
    monkeypatch.setenv("DATABRICKS_HOST", local_workspace.url)
    monkeypatch.setenv("DATABRICKS_TOKEN", local_workspace.token)

    async def run(*argv: str) -> tuple[int, str, str]:
        code = await asyncio.to_thread(main, ["workspace", *argv])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def tree(local_workspace: LocalWorkspace) -> None:
    """A notebook and two files below /Shared."""
    local_workspace.add_object("/Shared/etl", PY, language="PYTHON")
    local_workspace.add_object("/Shared/data/a.csv", b"1,2\n")
    local_workspace.add_object("/Shared/data/b.csv", b"")


@pytest.mark.usefixtures("tree")
async def test_ls(run: Run) -> None:
    """One path a line, sorted; only what is in the folder itself."""
    assert await run("ls", "/Shared") == (0, "/Shared/data\n/Shared/etl\n", "")


@pytest.mark.usefixtures("tree")
async def test_ls_recursive_and_long(run: Run) -> None:
    """All below, with type, language, size and time."""
    code, out, err = await run("ls", "-r", "--long", "/Shared")
    assert (code, err) == (0, "")
    rows = {line.split()[-1]: line.split() for line in out.splitlines()}
    assert set(rows) == {"/Shared/data", "/Shared/etl", "/Shared/data/a.csv", "/Shared/data/b.csv"}
    assert rows["/Shared/etl"][:2] == ["NOTEBOOK", "PYTHON"]
    assert rows["/Shared/data/a.csv"][:2] == ["FILE", "4"]


@pytest.mark.usefixtures("tree")
async def test_ls_tells_what_it_could_not_list(run: Run, local_workspace: LocalWorkspace) -> None:
    """On standard error, with exit code 1; the rest is there."""
    body = '{"objects":[{"object_type":"DIRECTORY","path":"/Shared/data"},{"object_type":"FILE","path":"/Shared/x"}]}'
    local_workspace.faults.add(LIST, Fault.answer(200, body), Fault.error(403, "PERMISSION_DENIED", "not yours"))
    code, out, err = await run("ls", "-r", "/Shared")
    assert (code, out) == (1, "/Shared/data\n/Shared/x\n")
    assert err.startswith("failed /Shared/data: not yours")
    assert err.count("\n") == 1


async def test_names_cannot_drive_the_terminal(run: Run, local_workspace: LocalWorkspace) -> None:
    """Escape sequences and line ends are shown, not sent."""
    local_workspace.add_object("/Shared/\x1b[2Jhö\n", b"")
    assert await run("ls", "/Shared") == (0, "/Shared/\\x1b[2Jhö\\n\n", "")


@pytest.mark.usefixtures("run")
async def test_names_that_the_terminal_cannot_show(local_workspace: LocalWorkspace) -> None:
    """Are shown in other letters, and do not end the list."""
    local_workspace.add_object("/Shared/\U0001f9f1", b"")
    process = await asyncio.create_subprocess_exec(
        *(*COMMAND, "ls", "/Shared"), env={**os.environ, "PYTHONIOENCODING": "ascii"}, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert (process.returncode, out) == (0, b"/Shared/\\U0001f9f1\n")


async def test_words_of_the_service_cannot_drive_the_terminal(
    run: Run, local_workspace: LocalWorkspace, tmp_path: Path
) -> None:
    """Nor can types and languages that this version does not know."""
    body = '{"objects":[{"object_type":"\\u001b[2J","language":"\\u001b[3J","path":"/Shared/x"}]}'
    local_workspace.faults.add(LIST, *[Fault.answer(200, body)] * 2)
    assert (await run("ls", "-l", "/Shared"))[1].split() == ["\\x1b[2J", "\\x1b[3J", "/Shared/x"]
    assert (await run("export", "/Shared", str(tmp_path)))[
        2
    ] == "skipped /Shared/x: objects of the type \\x1b[2J have no file form\n"


@pytest.mark.usefixtures("tree")
async def test_export_and_import(run: Run, tmp_path: Path) -> None:
    """There and back; one line says what was done, and no bar is drawn where there is no terminal."""
    local = tmp_path / "tree"
    code, out, err = await run("export", "/Shared", str(local))
    assert (code, err) == (0, "")
    assert out == f"4 exported ({len(PY) + 4} bytes) to {local}\n"
    assert (local / "etl.py").read_bytes() == PY
    assert (await run("import", str(local), "/Users/copy"))[:2] == (
        0,
        f"4 imported ({len(PY) + 4} bytes) to /Users/copy\n",
    )
    assert (await run("ls", "/Users/copy"))[1] == "/Users/copy/data\n/Users/copy/etl\n"


@pytest.mark.usefixtures("tree")
async def test_what_exists_is_a_failure_and_can_be_left_out_or_replaced(run: Run, tmp_path: Path) -> None:
    """Exit code 1 and one line a failure; `--skip-unchanged` and `--overwrite` heal it."""
    local = str(tmp_path)
    await run("export", "/Shared", local)
    code, out, err = await run("export", "/Shared", local)
    assert (code, out) == (1, f"1 exported (0 bytes) to {local}, 3 failed\n")
    assert len(err.splitlines()) == 3
    assert all(line.startswith("failed /Shared/") and "overwritten unasked" in line for line in err.splitlines())
    code, out, err = await run("export", "/Shared", local, "--skip-unchanged")
    assert (code, out, err) == (0, f"1 exported (0 bytes) to {local}, 3 skipped\n", "")
    assert (await run("export", "/Shared", local, "--overwrite"))[0] == 0
    assert (await run("import", local, "/Shared"))[0] == 1
    assert (await run("import", local, "/Shared", "--overwrite"))[0] == 0
    assert (await run("import", local, "/Shared", "--skip-unchanged"))[0] == 0


@pytest.mark.usefixtures("tree")
async def test_rm(run: Run) -> None:
    """A folder with something in it needs `-r`."""
    code, out, err = await run("rm", "/Shared/data")
    assert (code, out) == (1, "")
    assert err.startswith("databricks-async workspace rm: Folder (/Shared/data) is not empty")
    assert await run("rm", "-r", "/Shared/data") == (0, "", "")
    assert (await run("ls", "-r", "/Shared"))[1] == "/Shared/etl\n"


async def test_errors_are_one_clear_line(
    run: Run, local_workspace: LocalWorkspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing path or folder, a wrong token, a wrong host, no settings at all: exit code 1 and no traceback."""
    seen = [
        await run("ls", "/Shared/nothing"),
        await run("ls", "relative"),
        await run("export", "/Shared/nothing", str(tmp_path / "x")),
        await run("import", str(tmp_path / "nothing"), "/Shared"),
        await run("ls", "/", "--profile", "nobody"),
        await run("ls", "/", "--host", "ftp://nothing"),
    ]
    local_workspace.faults.add(LIST, Fault.answer(200, "<html>Welcome!</html>", {"Content-Type": "text/html"}))
    seen.append(await run("ls", "/"))
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapi-wrong")
    seen.append(await run("ls", "/"))
    monkeypatch.delenv("DATABRICKS_TOKEN")
    seen.append(await run("ls", "/"))
    monkeypatch.delenv("DATABRICKS_HOST")
    seen.append(await run("ls", "/", "--profile", "nobody"))
    expected = ("doesn't exist", "begin with '/'", "doesn't exist", "nothing", "no credentials")
    expected += ("scheme 'ftp'", "web page", "Invalid access token", "DATABRICKS_TOKEN", "no such file")
    for (code, out, err), words in zip(seen, expected, strict=True):
        assert (code, out) == (1, "")
        assert err.startswith("databricks-async workspace ")
        assert words in err
        assert err.count("\n") == 1


async def test_profiles(run: Run, local_workspace: LocalWorkspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Host and token of a profile."""
    config = Path(os.environ["HOME"]) / ".databrickscfg"
    config.write_text(f"[mine]\nhost = {local_workspace.url}\ntoken = {local_workspace.token}\n")
    monkeypatch.delenv("DATABRICKS_HOST")
    monkeypatch.delenv("DATABRICKS_TOKEN")
    assert await run("ls", "/", "--profile", "mine") == (0, "/Repos\n/Shared\n/Users\n", "")


@pytest.mark.parametrize("argv", [[], ["ls"], ["fly", "/"], ["export", "/Shared"], ["ls", "/", "--nonsense"]])
async def test_a_wrong_command_line_is_2(run: Run, argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """With the usage on standard error."""
    with pytest.raises(SystemExit) as caught:
        await run(*argv)
    assert caught.value.code == 2
    assert "usage: databricks-async workspace" in capsys.readouterr().err


@pytest.mark.usefixtures("run")
async def test_ctrl_c_ends_it_cleanly(local_workspace: LocalWorkspace, tmp_path: Path) -> None:
    """Exit code 130, not a word, no temporary file, no connection."""
    local_workspace.add_object("/Shared/a", b"x")
    local_workspace.faults.add("GET /api/{v}/workspace/export", Fault.hang(), times=10)
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "export", "/Shared", str(tmp_path), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    await local_workspace.journal.until(lambda journal: journal.count("*/workspace/export") == 1)
    process.send_signal(signal.SIGINT)
    out, err = await process.communicate()
    assert (process.returncode, out, own_output(err)) == (130, b"", "")
    assert os.listdir(tmp_path) == []
    await local_workspace.journal.until(lambda journal: journal.connections == 0)


async def test_a_host_that_cannot_be_reached_is_told_before_it_is_given_up(unused_tcp_port: int) -> None:
    """While it is tried again; Ctrl-C ends that too."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *("ls", "/", "--host", f"http://127.0.0.1:{unused_tcp_port}"),
        env={**os.environ, "DATABRICKS_TOKEN": "dapi-any"},
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    while not (first := own_output(line := await process.stderr.readline())):
        assert line
    assert first.startswith("GET /api/2.0/workspace/list: ConnectError")
    assert "trying again in" in first
    process.send_signal(signal.SIGINT)
    assert (own_output(await process.stderr.read()), await process.wait()) == ("", 130)


@pytest.mark.usefixtures("run")
async def test_a_reader_that_has_seen_enough(local_workspace: LocalWorkspace) -> None:
    """`ls -r / | head -1` ends without a traceback."""
    for number in range(5000):
        local_workspace.add_object(f"/Shared/{number:0100}", b"")
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "ls", "-r", "/", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    await process.stdout.readline()
    process.stdout._transport.close()  # type: ignore[attr-defined]  # there is no public way to close it
    err = await process.stderr.read()
    assert (await process.wait(), own_output(err)) == (1, "")


@pytest.mark.usefixtures("run", "tree")
async def test_a_bar_on_a_terminal(tmp_path: Path) -> None:
    """It is drawn on standard error, and gone in the end."""

    async def drawn(*arguments: str) -> tuple[int | None, bytes, bytes]:
        ours, theirs = pty.openpty()
        process = await asyncio.create_subprocess_exec(
            *COMMAND, *arguments, stdout=asyncio.subprocess.PIPE, stderr=theirs
        )
        os.close(theirs)
        out, _ = await process.communicate()
        err = await asyncio.to_thread(os.read, ours, 100_000)
        os.close(ours)
        return process.returncode, out, err

    code, out, err = await drawn("export", "/Shared", str(tmp_path / "x"))
    assert (code, out.startswith(b"4 exported"), b"exporting /Shared" in err) == (0, True, True)
    code, out, err = await drawn("import", str(tmp_path / "x"), "/Shared/again")
    assert (code, out.startswith(b"4 imported"), b"importing " in err) == (0, True, True)
