"""`databricks-async workspace`, against a local workspace.

Here are the tests of `cli/workspace.py`, `cli/listings/objects.py`, `cli/transfers/`.
"""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import signal
from pathlib import Path

import pytest

from cli.conftest import Run
from databricks_async.local import Fault, LocalWorkspace
from support.processes import STRICT_PYTHON, own_output

COMMAND = (*STRICT_PYTHON, "-m", "databricks_async.cli", "workspace")
LIST = "GET /api/{v}/workspace/list"
PY = b"# Databricks notebook source\nprint(1)\n"


@pytest.fixture
def tree(local_workspace: LocalWorkspace) -> None:
    """A notebook and two files below /Shared."""
    local_workspace.add_object("/Shared/etl", PY, language="PYTHON")
    local_workspace.add_object("/Shared/data/a.csv", b"1,2\n")
    local_workspace.add_object("/Shared/data/b.csv", b"")


# --- listing ---------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("tree")
async def test_ls(cli: Run) -> None:
    """One path a line, sorted; only what is in the folder itself. `list` is the same."""
    assert await cli("workspace", "ls", "/Shared") == (0, "/Shared/data\n/Shared/etl\n", "")
    assert (await cli("workspace", "list", "/Shared")).out == "/Shared/data\n/Shared/etl\n"


@pytest.mark.usefixtures("tree")
async def test_ls_recursive_and_long(cli: Run) -> None:
    """All below, sorted, with type, language, bytes and time; on a terminal local times and sizes that people read."""
    code, out, err = await cli("workspace", "ls", "-r", "--long", "/Shared")
    assert (code, err) == (0, "")
    rows = [line.split("\t") for line in out.splitlines()]
    assert [row[-1] for row in rows] == ["/Shared/data", "/Shared/data/a.csv", "/Shared/data/b.csv", "/Shared/etl"]
    assert rows[3][:2] == ["NOTEBOOK", "PYTHON"]
    assert (rows[1][0], rows[1][2]) == ("FILE", "4")
    assert rows[1][3].endswith("+00:00")
    table = (await cli("workspace", "ls", "-r", "-l", "/Shared", "--utc", terminal=80)).lines
    assert table[0].split() == ["\x1b[2mTYPE", "LANGUAGE", "SIZE", "MODIFIED", "PATH\x1b[0m"]
    assert "4 B" in table[2]
    assert " UTC " in table[2]


@pytest.mark.usefixtures("tree")
async def test_ls_tells_what_it_could_not_list(cli: Run, local_workspace: LocalWorkspace) -> None:
    """On standard error, with exit code 1; the rest is there."""
    body = '{"objects":[{"object_type":"DIRECTORY","path":"/Shared/data"},{"object_type":"FILE","path":"/Shared/x"}]}'
    local_workspace.faults.add(LIST, Fault.answer(200, body), Fault.error(403, "PERMISSION_DENIED", "not yours"))
    code, out, err = await cli("workspace", "ls", "-r", "/Shared")
    assert (code, out) == (1, "/Shared/data\n/Shared/x\n")
    assert err.startswith("failed /Shared/data: not yours")
    assert err.count("\n") == 1


async def test_names_cannot_drive_the_terminal(cli: Run, local_workspace: LocalWorkspace) -> None:
    """Escape sequences and line ends are shown, not sent."""
    local_workspace.add_object("/Shared/\x1b[2Jhö\n", b"\x1b[3Jx\n")
    assert await cli("workspace", "ls", "/Shared") == (0, "/Shared/\\x1b[2Jhö\\n\n", "")
    shown = await cli("workspace", "cat", "/Shared/\x1b[2Jhö\n", terminal=80)
    assert shown.out == "\\x1b[3Jx\n"


async def test_names_that_a_terminal_cannot_show(cli: Run, local_workspace: LocalWorkspace) -> None:
    """Are shown in other letters; in a pipe they are what they are, in every locale."""
    local_workspace.add_object("/Shared/\U0001f9f1", b"")
    assert (await cli("workspace", "ls", "/Shared", encoding="ascii", terminal=80)).lines[-1] == "/Shared/\\U0001f9f1"
    assert (await cli("workspace", "ls", "/Shared", encoding="ascii")).out == "/Shared/\U0001f9f1\n"


async def test_words_of_the_service_cannot_drive_the_terminal(
    cli: Run, local_workspace: LocalWorkspace, tmp_path: Path
) -> None:
    """Nor can types and languages that this version does not know."""
    body = '{"objects":[{"object_type":"\\u001b[2J","language":"\\u001b[3J","path":"/Shared/x"}]}'
    local_workspace.faults.add(LIST, *[Fault.answer(200, body)] * 2)
    assert (await cli("workspace", "ls", "-l", "/Shared")).out.split() == ["\\x1b[2J", "\\x1b[3J", "/Shared/x"]
    assert (await cli("workspace", "export", "/Shared", str(tmp_path))).err == (
        "skipped /Shared/x: objects of the type \\x1b[2J have no file form\n"
    )


@pytest.mark.usefixtures("tree")
async def test_get_status(cli: Run) -> None:
    """JSON in a pipe, a card on a terminal."""
    assert json.loads((await cli("workspace", "get-status", "/Shared/etl")).out)["object_type"] == "NOTEBOOK"
    card = (await cli("workspace", "get-status", "/Shared/etl", "--color", "never", terminal=60)).lines
    assert card[0].split() == ["type", "NOTEBOOK"]


# --- trees -----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("tree")
async def test_export_and_import(cli: Run, tmp_path: Path) -> None:
    """There and back; one line says what was done, and no bar is drawn where there is no terminal."""
    local = tmp_path / "tree"
    code, out, err = await cli("workspace", "export", "/Shared", str(local))
    assert (code, err) == (0, "")
    assert out == f"exported 2 files and 1 notebook ({len(PY) + 4} B) in 1 directory to {local}\n"
    assert (local / "etl.py").read_bytes() == PY
    assert (await cli("workspace", "import-dir", str(local), "/Users/copy"))[:2] == (
        0,
        f"imported 2 files and 1 notebook ({len(PY) + 4} B) in 1 directory to /Users/copy\n",
    )
    assert (await cli("workspace", "ls", "/Users/copy")).out == "/Users/copy/data\n/Users/copy/etl\n"


@pytest.mark.usefixtures("tree")
async def test_what_exists_is_a_failure_and_can_be_left_out_or_replaced(cli: Run, tmp_path: Path) -> None:
    """Exit code 1, and one line for each kind of failure, with the options that help."""
    local = str(tmp_path)
    argv = ("workspace", "export", "/Shared", local)
    await cli(*argv)
    code, out, err = await cli(*argv)
    assert (code, out) == (1, f"exported nothing to {local}; 3 failed\n")
    assert err.count("\n") == 1
    assert "exists already" in err
    assert "(--overwrite replaces what is there, --skip-unchanged leaves out what is the same)" in err
    assert await cli(*argv, "--skip-unchanged") == (0, f"exported nothing to {local}; 3 unchanged\n", "")
    assert (await cli(*argv, "--overwrite")).code == 0
    back = ("workspace", "import", local, "/Shared")
    code, _, err = await cli(*back)
    assert (code, "--overwrite" in err) == (1, True)
    assert (await cli(*back, "--overwrite")).code == 0
    assert (await cli(*back, "--skip-unchanged")).code == 0


async def test_many_failures_of_a_kind_are_one_line(cli: Run, local_workspace: LocalWorkspace, tmp_path: Path) -> None:
    """With three of the paths; JSON and CSV name all."""
    for number in range(20):
        local_workspace.add_object(f"/Shared/{number:02}", b"x")
    argv = ("workspace", "export", "/Shared", str(tmp_path))
    await cli(*argv)
    err = (await cli(*argv)).err
    assert err.count("\n") == 1
    assert "and 17 more (-o json names all)" in err
    report = json.loads((await cli(*argv, "-o", "json")).out)
    assert len(report["failed"]) == 20
    assert {one["exit_code"] for one in report["failed"]} == {7}
    rows = list(csv.DictReader(io.StringIO((await cli(*argv, "-o", "csv")).out)))
    assert [row["outcome"] for row in rows] == ["failed"] * 20
    assert len((await cli(*argv, "--overwrite", "-q")).lines) == 20


@pytest.mark.usefixtures("tree")
async def test_include_exclude_and_only_looking(cli: Run, tmp_path: Path) -> None:
    """Patterns of names and paths; `-n` shows what would be done, and does nothing."""
    local = str(tmp_path / "tree")
    argv = ("workspace", "export", "/Shared", local)
    assert (await cli(*argv, "-n", "--exclude", "data")).lines == [f"export\t/Shared/etl\t{local}/etl.py"]
    assert os.listdir(tmp_path) == []
    assert (await cli(*argv, "--include", "*.csv", "--exclude", "data/b.*")).out.startswith("exported 1 file (4 B)")
    assert sorted(os.listdir(local)) == ["data"]
    plan = {line.split("\t")[1]: line.split("\t")[0] for line in (await cli(*argv, "-n")).lines}
    assert plan == {"/Shared/etl": "export", "/Shared/data/a.csv": "exists", "/Shared/data/b.csv": "export"}
    back = ("workspace", "import", local, "/Shared", "-n")
    assert (await cli(*back)).lines == [f"exists\t{local}/data/a.csv\t/Shared/data/a.csv"]
    assert (await cli(*back, "--overwrite")).lines[0].startswith("replace\t")
    new = await cli("workspace", "import", local, "/Users/new", "-n", "-o", "json")
    assert json.loads(new.out)[0]["action"] == "import"
    assert (await cli("workspace", "ls", "/Users")).out.count("new") == 0


@pytest.mark.usefixtures("tree")
async def test_a_bar_on_a_terminal(cli: Run, tmp_path: Path) -> None:
    """It is drawn on standard error, with an end only when the end is known, at every width; it ends full."""
    for width in (50, 60, 80, 140):
        code, out, err = await cli("workspace", "export", "/Shared", str(tmp_path / str(width)), terminal=width)
        assert (code, out.startswith("exported 2 files")) == (0, True)
        assert "4 of 4" in err
        assert "\x1b[?25h" in err
    code, out, err = await cli("workspace", "import", str(tmp_path / "80"), "/Shared/again", terminal=80)
    assert (code, out.startswith("imported 2 files"), "4 of 4" in err) == (0, True, True)
    # Of a folder that is left out there is no more to do than to leave it out.
    assert (await cli("workspace", "mkdirs", "/Shared/data/deep/down")).code == 0
    (tmp_path / "80" / "data" / "deep").mkdir()
    for argv in (("export", "/Shared", str(tmp_path / "some")), ("import", str(tmp_path / "80"), "/Shared/some")):
        _, _, err = await cli("workspace", *argv, "--exclude", "data", terminal=80)
        assert ("5 of 5" if argv[0] == "export" else "2 of 2") in err


async def test_a_terminal_that_cannot_draw(
    cli: Run, tree: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`TERM=dumb`: no bar, and no empty line either."""
    code, _, err = await cli("workspace", "export", "/Shared", str(tmp_path), "--ascii", terminal=60, term="dumb")
    assert (code, err) == (0, "")


# --- one object ------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("tree")
async def test_one_object_out(cli: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the file named, into the folder named, into this folder, to standard output; nothing is replaced unasked."""
    monkeypatch.chdir(tmp_path)
    code, out, _ = await cli("workspace", "export", "/Shared/etl", "one.py")
    assert (code, out) == (0, f"exported /Shared/etl ({len(PY)} B) to one.py\n")
    assert (tmp_path / "one.py").read_bytes() == PY
    assert (await cli("workspace", "export", "/Shared/etl")).code == 0
    assert (await cli("workspace", "export", "/Shared/data/a.csv", "--file", "sub/")).code == 0
    assert (sorted(os.listdir()), os.listdir("sub")) == (["etl.py", "one.py", "sub"], ["a.csv"])
    assert (await cli("workspace", "export", "/Shared/etl", "one.py")).code == 7
    assert "unchanged" in (await cli("workspace", "export", "/Shared/etl", "one.py", "--skip-unchanged")).out
    assert "would export" in (await cli("workspace", "export", "/Shared/etl", "new.py", "-n")).out
    assert not (tmp_path / "new.py").exists()
    assert (await cli("workspace", "export", "/Shared/etl", "one.py", "--overwrite", "-q")).out == "one.py\n"
    assert (await cli("workspace", "export", "/Shared/etl", "--format", "JUPYTER")).code == 0
    assert json.loads((tmp_path / "etl.ipynb").read_text())["cells"]
    assert (await cli("workspace", "export", "/Shared/etl", "-")).out == PY.decode()
    assert (await cli("workspace", "cat", "/Shared/data/a.csv")).out == "1,2\n"
    assert (await cli("workspace", "cat", "/Shared/data")).code != 0
    assert (await cli("workspace", "export", "/Shared", "-")).code == 2
    assert (await cli("workspace", "export", "/Shared/etl", "a", "--file", "b")).code == 2


async def test_one_object_in(cli: Run, local_workspace: LocalWorkspace, tmp_path: Path) -> None:
    """As the object named, or into the directory named; what it becomes is decided as in trees."""
    source = tmp_path / "etl.py"
    source.write_bytes(PY)
    assert (await cli("workspace", "import", str(source), "/Shared")).out.endswith("to /Shared/etl\n")
    assert (await cli("workspace", "import", str(source), "/Shared/new/other")).code == 0
    assert (await cli("workspace", "import", "/Shared/third", "--file", str(source))).code == 0
    kinds = [line.split("\t") for line in (await cli("workspace", "ls", "-lr", "/Shared")).lines]
    assert {row[-1]: row[0] for row in kinds} == {
        "/Shared/etl": "NOTEBOOK",
        "/Shared/new": "DIRECTORY",
        "/Shared/new/other": "NOTEBOOK",
        "/Shared/third": "NOTEBOOK",
    }
    assert (await cli("workspace", "import", str(source), "/Shared/etl")).code == 7
    assert (await cli("workspace", "import", str(source), "/Shared/etl", "--overwrite")).code == 0
    plain = tmp_path / "query.txt"
    plain.write_text("select 1")
    as_sql = ("--format", "SOURCE", "--language", "SQL")
    assert (await cli("workspace", "import", str(plain), "/Shared/q", *as_sql, "-o", "json")).code == 0
    assert "select 1" in (await cli("workspace", "cat", "/Shared/q")).out
    assert "would import" in (await cli("workspace", "import", str(plain), "/Shared/n", "-n")).out
    assert (await cli("workspace", "import", str(plain))).code == 2
    assert (await cli("workspace", "import", str(tmp_path), "/Shared", *as_sql)).code == 2


@pytest.mark.usefixtures("tree")
async def test_rm(cli: Run, local_workspace: LocalWorkspace) -> None:
    """A folder with something in it needs `-r`, which asks on a terminal; `-n` only looks."""
    code, out, err = await cli("workspace", "rm", "/Shared/data")
    assert (code, out) == (1, "")
    assert err.startswith("databricks-async workspace rm: Folder (/Shared/data) is not empty: -r deletes it")
    assert (await cli("workspace", "rm", "-n", "/Shared/data")).lines == [
        "delete\t/Shared/data/a.csv\t",
        "delete\t/Shared/data/b.csv\t",
        "delete\t/Shared/data\t",
    ]
    refused = await cli("workspace", "rm", "-r", "/Shared/data", terminal=80, typed="n\n")
    assert (refused.code, "for good?" in refused.err, "Nothing was deleted." in refused.err) == (1, True, True)
    assert local_workspace.journal.count("POST */workspace/delete") == 1
    assert (await cli("workspace", "delete", "-r", "/Shared/data", terminal=80, typed="y\n")).code == 0
    assert (await cli("workspace", "mkdirs", "/Shared/data/deep")).code == 0
    assert await cli("workspace", "rm", "-r", "/Shared/data") == (0, "", "")
    assert (await cli("workspace", "ls", "-r", "/Shared")).out == "/Shared/etl\n"


# --- endings ---------------------------------------------------------------------------------------------------------


async def test_errors_are_one_clear_line(
    cli: Run, local_workspace: LocalWorkspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing path or folder, a wrong token, a wrong host, no settings at all: a code by cause and no traceback."""
    seen = [
        await cli("workspace", "ls", "/Shared/nothing"),
        await cli("workspace", "ls", "relative"),
        await cli("workspace", "export", "/Shared/nothing", str(tmp_path / "x")),
        await cli("workspace", "import", str(tmp_path / "nothing"), "/Shared"),
        await cli("workspace", "ls", "/", "--profile", "nobody"),
        await cli("workspace", "--host", "ftp://nothing", "ls", "/"),
    ]
    local_workspace.faults.add(LIST, Fault.answer(200, "<html>Welcome!</html>", {"Content-Type": "text/html"}))
    seen.append(await cli("workspace", "ls", "/"))
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapi-wrong")
    seen.append(await cli("workspace", "ls", "/"))
    monkeypatch.delenv("DATABRICKS_TOKEN")
    seen.append(await cli("workspace", "ls", "/"))
    monkeypatch.delenv("DATABRICKS_HOST")
    seen.append(await cli("--profile", "nobody", "workspace", "ls", "/"))
    expected = ((5, "doesn't exist"), (2, "begin with '/'"), (5, "doesn't exist"), (5, "nothing"), (4, "nobody"))
    expected += ((4, "scheme 'ftp'"), (1, "web page"), (4, "Invalid access token"), (4, "DATABRICKS_TOKEN"))
    for (code, out, err), (wanted, words) in zip(seen, (*expected, (4, "no such file")), strict=True):
        assert (code, out) == (wanted, "")
        assert err.startswith("databricks-async workspace ")
        assert words in err
        assert err.count("\n") == 1


async def test_profiles(cli: Run, local_workspace: LocalWorkspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Host and token of a profile; the option stands before or behind the command."""
    config = Path(os.environ["HOME"]) / ".databrickscfg"
    config.write_text(f"[mine]\nhost = {local_workspace.url}\ntoken = {local_workspace.token}\n")
    monkeypatch.delenv("DATABRICKS_HOST")
    monkeypatch.delenv("DATABRICKS_TOKEN")
    argv = ["workspace", "ls", "/"]
    for place in range(4):
        found = await cli(*argv[:place], "-p", "mine", *argv[place:])
        assert found == (0, "/Repos\n/Shared\n/Users\n", "")


@pytest.mark.parametrize(
    "argv", [[], ["ls"], ["fly", "/"], ["export"], ["ls", "/", "--nonsense"], ["ls", "/", "--rec"]]
)
async def test_a_wrong_command_line_is_2(cli: Run, argv: list[str]) -> None:
    """With the usage on standard error."""
    code, out, err = await cli("workspace", *argv)
    assert (code, out) == (2, "")
    assert "Usage: databricks-async workspace" in err


@pytest.mark.usefixtures("cli")
async def test_ctrl_c_ends_it_cleanly(local_workspace: LocalWorkspace, tmp_path: Path) -> None:
    """Exit code 130, no temporary file, no connection; it says how to go on."""
    local_workspace.add_object("/Shared/a", b"x")
    local_workspace.faults.add("GET /api/{v}/workspace/export", Fault.hang(), times=10)
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "export", "/Shared", str(tmp_path), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    await local_workspace.journal.until(lambda journal: journal.count("*/workspace/export") == 1)
    process.send_signal(signal.SIGINT)
    out, err = await process.communicate()
    assert (process.returncode, out) == (130, b"")
    go_on = f"To go on: databricks-async workspace export /Shared {tmp_path} --skip-unchanged\n"
    assert own_output(err) == f"0 objects were dealt with, and none is half exported. {go_on}"
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


@pytest.mark.usefixtures("cli")
async def test_a_reader_that_has_seen_enough(local_workspace: LocalWorkspace) -> None:
    """`ls -r / | head -1` ends without a traceback, with the code that a shell gives to a broken pipe."""
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
    assert (await process.wait(), own_output(err)) == (141, "")
