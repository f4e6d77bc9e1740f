"""`databricks-async auth`, against a local workspace."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from databricks_async.cli import main
from databricks_async.local import LocalWorkspace

Run = Callable[..., Awaitable[tuple[int, str, str]]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command: exit code, standard output, standard error."""

    async def run(*argv: str) -> tuple[int, str, str]:
        code = await asyncio.to_thread(main, ["auth", *argv])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


async def test_describe(run: Run, local_workspace: LocalWorkspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each setting with its source, and the way; no secret, and no call of the API."""
    monkeypatch.setenv("DATABRICKS_TOKEN", local_workspace.token)
    code, out, err = await run("describe", "--host", f"{local_workspace.url}/?o=12")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        f"host = {local_workspace.url}  (argument)",
        "token = ***  (from DATABRICKS_TOKEN)",
        "auth_type = pat",
        "workspace_id = 12  (from the address in host (argument))",
    ]
    assert local_workspace.journal.entries == []


async def test_describe_where_no_way_serves(run: Run, local_workspace: LocalWorkspace) -> None:
    """The settings are shown all the same, with the reasons of each way."""
    code, out, err = await run("describe", "--host", local_workspace.url)
    assert code == 1
    assert out.splitlines()[-1] == "auth_type = open  (the first call picks it)"
    assert err.startswith("databricks-async auth describe: no credentials: no way to authorize serves. Tried: ")
    assert err.count("\n") == 1


async def test_check(run: Run, local_workspace: LocalWorkspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who the workspace takes the caller for; a refusal is an error that says as whom."""
    monkeypatch.setenv("DATABRICKS_HOST", local_workspace.url)
    monkeypatch.setenv("DATABRICKS_TOKEN", local_workspace.token)
    code, out, err = await run("check")
    assert (code, err) == (0, "")
    assert out.startswith(f"{local_workspace.url} takes this for ")
    assert out.endswith(" (pat: token (from DATABRICKS_TOKEN))\n")
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapi0123456789abcdef")
    code, out, err = await run("check")
    assert (code, out) == (1, "")
    assert "Invalid access token" in err
    assert f"sent to {local_workspace.url} as pat: token (from DATABRICKS_TOKEN)" in err


@pytest.mark.parametrize("action", ["describe", "check"])
async def test_a_configuration_that_cannot_be(run: Run, action: str) -> None:
    """One line."""
    code, out, err = await run(action, "--auth-type", "azure_cli", "--host", "h")
    assert (code, out) == (1, "")
    assert err == f"databricks-async auth {action}: auth_type (argument) is 'azure_cli': did you mean 'azure-cli'?\n"
