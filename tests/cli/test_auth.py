"""`databricks-async auth`, `configure`, `api` and `completion`, against a local workspace.

Here are the tests of `cli/auth.py`, `cli/login.py`, `cli/auth_demo.py`, `cli/configure.py`, `cli/profile_file.py`,
`cli/listings/profiles.py`, `cli/api.py`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from cli.conftest import Run
from databricks_async.local import Fault, LocalWorkspace


async def test_describe(command: Run, local_workspace: LocalWorkspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each setting with its source, and the way; no secret, and no call of the API."""
    monkeypatch.setenv("DATABRICKS_TOKEN", local_workspace.token)
    argv = ("auth", "describe", "--host", f"{local_workspace.url}/?o=12")
    code, out, err = await command(*argv, "-o", "text")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        f"host = {local_workspace.url}  (argument)",
        "token = ***  (from DATABRICKS_TOKEN)",
        "auth_type = pat",
        "workspace_id = 12  (from the address in host (argument))",
    ]
    found = json.loads((await command(*argv)).out)
    assert (found["host"], found["auth_type"]) == (local_workspace.url, "pat")
    assert {"name": "token", "value": "***", "source": "from DATABRICKS_TOKEN"} in found["settings"]
    assert local_workspace.journal.entries == []


async def test_describe_where_no_way_serves(command: Run, local_workspace: LocalWorkspace) -> None:
    """The settings are shown all the same, with the reasons of each way."""
    code, out, err = await command("auth", "describe", "-o", "text", "--host", local_workspace.url)
    assert code == 4
    assert out.splitlines()[-1] == "auth_type = open  (the first call picks it)"
    # Above it is what is tried again, where that takes long.
    said = err.splitlines()[-1]
    assert said.startswith("databricks-async auth describe: no credentials: no way to authorize serves. Tried: ")


async def test_check(cli: Run, local_workspace: LocalWorkspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who the workspace takes the caller for; a refusal is an error that says as whom."""
    code, out, err = await cli("auth", "check", "-o", "text")
    assert (code, err) == (0, "")
    assert out.startswith(f"{local_workspace.url} takes this for ")
    assert out.endswith(" (pat: token (from DATABRICKS_TOKEN))\n")
    name = json.loads((await cli("auth", "check")).out)["user_name"]
    assert (await cli("auth", "check", "-q")).out == f"{name}\n"
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapi0123456789abcdef")
    code, out, err = await cli("auth", "check")
    assert (code, out) == (4, "")
    assert "Invalid access token" in err
    assert f"sent to {local_workspace.url} as pat: token (from DATABRICKS_TOKEN)" in err


@pytest.mark.parametrize("action", ["describe", "check"])
async def test_a_configuration_that_cannot_be(command: Run, action: str) -> None:
    """One line."""
    code, out, err = await command("auth", action, "--auth-type", "azure_cli", "--host", "h")
    assert (code, out) == (4, "")
    assert err == f"databricks-async auth {action}: auth_type (argument) is 'azure_cli': did you mean 'azure-cli'?\n"


async def test_a_profile_that_is_missing_is_named(cli: Run) -> None:
    """Also where there is no file, and the environment has a host and a token."""
    code, _, err = await cli("clusters", "list", "--profile", "nope")
    assert code == 4
    assert "there is no nope profile" in err
    (Path(os.environ["HOME"]) / ".databrickscfg").write_text("[mine]\nhost = h\n")
    assert "has no nope profile" in (await cli("clusters", "list", "-p", "nope")).err


async def test_configure(command: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The token comes from standard input; other profiles and comments stay; the file is for its owner alone."""
    path = Path(os.environ["HOME"]) / ".databrickscfg"
    path.write_text("; mine\n[DEFAULT]\nhost = https://a\n\n[old]\nhost = https://b\ntoken = dapi-b\n# the end\n")
    path.chmod(0o644)
    argv = ("configure", "--host", "https://c.example", "--profile", "new")
    code, out, err = await command(*argv, typed="dapi-c\n")
    assert (code, out, "wrote the profile new" in err, "dapi-c" in err) == (0, "", True, False)
    assert path.read_text().startswith("; mine\n[DEFAULT]\nhost = https://a\n\n[old]")
    assert path.read_text().endswith("# the end\n\n[new]\nhost = https://c.example\ntoken = dapi-c\n")
    assert path.stat().st_mode & 0o777 == 0o600
    assert (await command(*argv, typed="dapi-d\n")).code == 7
    assert (await command(*argv, "--overwrite", typed="dapi-d\n")).code == 0
    assert path.read_text().count("[new]") == 1
    assert "dapi-c" not in path.read_text()
    listed = (await command("auth", "profiles")).lines
    assert listed == ["DEFAULT\thttps://a\t", "old\thttps://b\t", "new\thttps://c.example\t"]
    found = json.loads((await command("auth", "profiles", "-o", "json")).out)
    assert [one["name"] for one in found] == ["DEFAULT", "old", "new"]
    assert (await command("configure", "-p", "x", typed="dapi-d\n")).code == 2
    assert (await command("configure", "-p", "x", "--host", "https://c")).code == 2
    assert (await command("configure", "-p", "a]b", "--host", "https://c", typed="dapi-d\n")).code == 2


async def test_api(cli: Run, local_workspace: LocalWorkspace) -> None:
    """Any endpoint: the answer as JSON, nothing if there is none, the service's own errors."""
    assert json.loads((await cli("api", "get", "/api/2.1/clusters/list?page_size=1")).out)["next_page_token"] == ""
    assert local_workspace.journal.entries[-1].query == {"page_size": "1"}
    made = await cli("api", "post", "/api/2.0/workspace/mkdirs", "--json", '{"path": "/Shared/x"}')
    assert (made.code, made.out) == (0, "{}\n")
    assert (await cli("workspace", "ls", "/Shared")).out == "/Shared/x\n"
    assert (await cli("api", "get", "/api/2.0/nothing")).code == 5
    assert (await cli("api", "get", "nothing")).code == 2
    local_workspace.faults.add("POST */workspace/mkdirs", Fault.drop(after=True))
    assert (await cli("api", "post", "/api/2.0/workspace/mkdirs", "--json", '{"path": "/Shared/y"}')).code == 10
