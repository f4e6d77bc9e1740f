"""The exit codes: one row for each, with the fault of the local workspace and the command that meet it.

Here are the tests of `cli/output/exits.py`, `cli/output/errors.py`, `cli/help.py`.
"""

from __future__ import annotations

import asyncio
import errno
import io
import json
import signal
import sys
from collections.abc import Callable
from typing import NamedTuple

import pytest

from cli.conftest import Run
from databricks_async import DatabricksError, errors
from databricks_async.cli import main
from databricks_async.cli.output.exits import EXITS, code_of, code_of_several
from databricks_async.local import Fault, LocalWorkspace
from support.processes import STRICT_PYTHON, own_output

GET, LIST = "GET */clusters/get", "GET */clusters/list"
ID = "0923-164208-abcdefgh"
CLUSTER = json.dumps({"spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1})
BAD_TOKEN = Fault.error(403, "PERMISSION_DENIED", "Invalid access token")
TASK = {"task_key": "a", "notebook_task": {"notebook_path": "/Shared/a"}}
SUBMIT = json.dumps({"run_name": "r", "tasks": [TASK]})
SLOW = "slow"


class Row(NamedTuple):
    """A fault, a command that meets it, and the exit code; the error code that `-o json` reports, if it is an error."""

    code: int
    argv: tuple[str, ...]
    error_code: str | None = None
    endpoint: str = ""
    fault: Fault | None = None
    arrange: Callable[[LocalWorkspace], object] = lambda workspace: None


def _failing_task(workspace: LocalWorkspace) -> None:
    workspace.script_task("a", error="ValueError: no price")


def _slow_task(workspace: LocalWorkspace) -> None:
    workspace.script_task("a", duration=1e12)


def _half_a_tree(workspace: LocalWorkspace) -> None:
    workspace.add_object("/Shared/a", b"", language="PYTHON")
    workspace.faults.add("GET */workspace/export", Fault.error(400, "BAD_REQUEST"))


ROWS = (
    Row(0, ("clusters", "list")),
    Row(0, ("jobs", "submit", "--json", SUBMIT)),
    Row(1, ("clusters", "get", ID), "BAD_REQUEST", GET, Fault.error(400, "BAD_REQUEST")),
    Row(1, ("workspace", "export", "/Shared", "{tmp}/tree"), arrange=_half_a_tree),
    Row(2, ("clusters", "get")),
    Row(2, ("clusters", "list", "--columns", "nothing")),
    Row(2, ("workspace", "list", "relative"), "ValueError"),
    Row(3, ("jobs", "submit", "--json", SUBMIT), "RunFailed", arrange=_failing_task),
    Row(3, ("clusters", "create", "--json", CLUSTER), "OperationFailed", arrange=LocalWorkspace.fail_next_start),
    Row(4, ("clusters", "list", "--profile", "nobody"), "ConfigError"),
    Row(4, ("auth", "check"), "UNAUTHENTICATED", "GET */Me", Fault.error(401, "UNAUTHENTICATED")),
    Row(5, ("clusters", "get", ID), "INVALID_PARAMETER_VALUE"),
    Row(5, ("clusters", "get", "no-such-name"), "ResourceDoesNotExist"),
    Row(5, ("workspace", "cat", "/Shared/nothing"), "RESOURCE_DOES_NOT_EXIST"),
    Row(5, ("workspace", "import", "{tmp}/nothing", "/Shared/x"), "FileNotFoundError"),
    Row(4, ("auth", "check"), "PERMISSION_DENIED", "GET */Me", BAD_TOKEN),
    Row(6, ("clusters", "list"), "PERMISSION_DENIED", LIST, Fault.error(403, "PERMISSION_DENIED")),
    Row(7, ("clusters", "get", ID), "INVALID_STATE", GET, Fault.error(400, "INVALID_STATE")),
    Row(7, ("clusters", "get", ID), "RESOURCE_CONFLICT", GET, Fault.error(409, "RESOURCE_CONFLICT")),
    Row(8, ("jobs", "submit", "--json", SUBMIT, "--timeout", "0.2"), "OperationTimeout", arrange=_slow_task),
    Row(9, ("clusters", "get", ID), "QUOTA_EXCEEDED", GET, Fault.error(429, "QUOTA_EXCEEDED")),
    Row(9, ("clusters", "get", ID), "NOT_IMPLEMENTED", GET, Fault.error(501, "NOT_IMPLEMENTED")),
    Row(
        10,
        ("clusters", "create", "--json", CLUSTER),
        "OutcomeUnknown",
        "POST */clusters/create",
        Fault.drop(after=True),
    ),
)
BY_SIGNAL = {130: signal.SIGINT, 143: signal.SIGTERM}
SAID = {130: "The run goes on. Stop it: databricks-async jobs cancel-run ", 143: "The run is cancelled: "}
READER_GONE = 141


def test_every_exit_code_has_a_row() -> None:
    """Those below, the two signals, and the reader that goes away."""
    assert {row.code for row in EXITS} == {*(row.code for row in ROWS), *BY_SIGNAL, READER_GONE}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.code}-{'-'.join(row.argv[:2])}-{row.error_code}")
@pytest.mark.usefixtures("quick_polls")
async def test_exit_codes(row: Row, cli: Run, local_workspace: LocalWorkspace, tmp_path) -> None:
    """Each fault has its code, and says with `-o json` what it was; nothing is on standard output but a result."""
    row.arrange(local_workspace)
    if row.fault is not None:
        local_workspace.faults.add(row.endpoint, row.fault)
    argv = [word.replace("{tmp}", str(tmp_path)) for word in row.argv]
    code, out, err = await cli(*argv, "-o", "json")
    assert code == row.code, err
    assert "Traceback" not in err
    if row.error_code is not None:
        error = json.loads(err)
        assert (error["error_code"], error["exit_code"]) == (row.error_code, row.code)
        assert {"message", "status", "request_id"} <= set(error)
    if out:
        json.loads(out)


@pytest.mark.parametrize(("code", "number"), BY_SIGNAL.items())
@pytest.mark.usefixtures("cli")
async def test_signals_end_a_command(code: int, number: signal.Signals, local_workspace: LocalWorkspace) -> None:
    """Ctrl-C and SIGTERM leave nothing behind, and say what goes on and how to stop it, or that it was cancelled."""
    local_workspace.script_task("a", duration=1e12)
    process = await asyncio.create_subprocess_exec(
        *(*STRICT_PYTHON, "-m", "databricks_async", "jobs", "submit", "--json", SUBMIT),
        *(["--cancel-on-exit"] if code == 143 else []),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    await local_workspace.journal.until(lambda journal: journal.count("GET */runs/get") >= 1)
    process.send_signal(number)
    out, err = await process.communicate()
    assert (process.returncode, out) == (code, b"")
    assert own_output(err).splitlines()[-1].startswith(SAID[code])
    assert local_workspace.journal.count("POST */runs/cancel") == (1 if code == 143 else 0)
    await local_workspace.journal.until(lambda journal: journal.connections == 0)


async def test_a_reader_that_goes_away_ends_a_command_in_silence(
    cli: Run, monkeypatch: pytest.MonkeyPatch, local_workspace: LocalWorkspace
) -> None:
    """Whatever it writes next."""

    class Gone:
        encoding = "utf-8"

        def isatty(self) -> bool:
            return False

        def write(self, text: str) -> None:
            raise BrokenPipeError(errno.EPIPE, "gone")

        def flush(self) -> None: ...

        def fileno(self) -> int:
            raise OSError

    local_workspace.add_object("/Shared/a", b"")
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", Gone())
        patch.setattr(sys, "stderr", io.StringIO())  # which is given up as well
        assert await asyncio.to_thread(main, ["workspace", "list", "/Shared"]) == READER_GONE


def test_codes_of_errors() -> None:
    """An error has the code of the first row that names its class, or one above it; every class has one."""
    classes = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, DatabricksError)]
    codes = {one.__name__: code_of(one("x")) for one in classes}
    assert codes["MissingResource"] == codes["ResourceDoesNotExist"] == 5
    assert codes["CertificateError"] == codes["RequestTimeout"] == codes["RequestLimitExceeded"] == 9
    assert codes["CredentialUnavailable"] == codes["ConfigError"] == 4
    assert codes["Aborted"] == codes["AlreadyExists"] == 7
    assert code_of(PermissionError(errno.EACCES, "no")) == 6
    assert code_of(OSError(errno.ENOSPC, "full")) == 1
    assert set(codes.values()) <= {row.code for row in EXITS}


def test_the_code_of_several_things() -> None:
    """That of the failures if all are one, else 1."""
    assert [code_of_several(codes) for codes in ((), (0, 0), (0, 3), (3, 3), (3, 5))] == [0, 0, 3, 3, 1]


async def test_help_shows_the_table(command: Run) -> None:
    """Each code with its words, in order."""
    code, out, err = await command("help", "exit-codes")
    assert (code, err) == (0, "")
    for row in EXITS:
        assert f"  {row.code} " in out
        assert row.when.split()[0] in out


@pytest.mark.usefixtures("quick_polls")
async def test_a_failed_run_names_its_tasks(cli: Run, local_workspace: LocalWorkspace) -> None:
    """The error has them with their errors, and standard output the run at its end."""
    local_workspace.script_task("a", error="ValueError: no price", error_trace="Traceback …")
    code, out, err = await cli("jobs", "submit", "--json", SUBMIT, "-o", "json")
    error, run = json.loads(err), json.loads(out)
    assert code == 3
    assert run["run_id"] == error["run_id"]
    (task,) = error["failed_tasks"]
    assert (task["task_key"], task["result"], task["error"]) == ("a", "FAILED", "ValueError: no price")


async def test_an_error_is_one_line(cli: Run) -> None:
    """With the command's whole name."""
    code, out, err = await cli("clusters", "get", ID)
    assert (code, out) == (5, "")
    assert err.startswith(f"databricks-async clusters get: Cluster {ID} does not exist")
    assert err.count("\n") == 1
    # On a terminal as many as it takes, of whole words.
    said = (await cli("clusters", "get", ID, terminal=50)).err.splitlines()
    assert " ".join(said)[:90] == err[:90]
    assert max(map(len, said)) <= 50
