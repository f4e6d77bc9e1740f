"""`az` and `databricks`: their output, their errors, and that nothing of them is left running.

Of `auth/subprocesses.py` too.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from datetime import datetime

import pytest

from databricks_async.auth.command_lines import azure_cli, databricks_cli
from databricks_async.config import Config
from databricks_async.errors import AuthError, CredentialUnavailable
from databricks_async.local.identity_peers.tokens import sign

HOST = "https://adb-1.2.azuredatabricks.net"
RESOURCE_ID = "/subscriptions/s-1/resourceGroups/rg/providers/Microsoft.Databricks/workspaces/ws"
GET_TOKEN = "account get-access-token --resource 2ff814a6-3304-4ab8-85cb-cd0e6f879c1d --output json"


@pytest.fixture(autouse=True)
def path(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/usr/bin{os.pathsep}/bin")


@pytest.fixture
def prints(write_tool):
    """A tool that prints this JSON."""

    def prints(name, value):
        return write_tool(name, f"cat <<'END'\n{json.dumps(value)}\nEND")

    return prints


def azure(**settings):
    config = Config(host=HOST, auth_type="azure-cli", **{"azure_tenant_id": "t"} | settings)
    return azure_cli(config, None)


def databricks(**settings):
    return databricks_cli(Config(host=HOST, auth_type="databricks-cli", **settings), None)


def alive(pid: int) -> bool:
    """Whether a process runs, zombies not counted."""
    try:
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def local(epoch):
    """As az prints it."""
    return datetime.fromtimestamp(epoch).strftime("%Y-%m-%d %H:%M:%S.%f")


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Tokyo"])
@pytest.mark.parametrize("form", ["both", "expiresOn", "expires_on as text", "wrong expiresOn"])
async def test_when_a_token_of_az_ends(zone, form, prints, monkeypatch):
    """`expires_on` first, else `expiresOn` as local time, in any zone."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        end = int(time.time()) + 1800
        fields = {
            "both": {"expires_on": end, "expiresOn": local(end)},
            "expiresOn": {"expiresOn": local(end)},
            "expires_on as text": {"expires_on": str(end), "expiresOn": None},
            "wrong expiresOn": {"expires_on": end, "expiresOn": local(end + 9999)},
        }
        prints("az", {"accessToken": "abc", **fields[form]})
        assert (await azure()()).expires_at == pytest.approx(end, abs=1)
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()


@pytest.mark.parametrize("unknown", [None, "N/A", ""])
async def test_a_managed_identity_has_no_end_in_az(unknown, prints):
    """Then the token's own `exp` counts, else five minutes."""
    end = int(time.time()) + 1800
    prints("az", {"accessToken": sign({"exp": end}), "expiresOn": unknown})
    assert (await azure()()).expires_at == end
    prints("az", {"accessToken": "opaque", "expiresOn": unknown})
    assert (await azure()()).expires_at == pytest.approx(time.time() + 300, abs=5)


async def test_az_is_asked_for_json_and_the_tenant(prints, runs):
    prints("az", {"accessToken": "abc"})
    await azure()()
    await azure(azure_workspace_resource_id=RESOURCE_ID)()
    assert runs("az") == [f"{GET_TOKEN} --tenant t", f"{GET_TOKEN} --subscription s-1 --tenant t"]


async def test_a_tenant_is_not_named_to_a_managed_identity(write_tool, runs):
    write_tool(
        "az",
        'case "$*" in *--tenant*)',
        """echo "ERROR: Tenant shouldn't be specified for managed identity account" >&2; exit 1;;""",
        "esac",
        """echo '{"accessToken": "abc", "expiresOn": null}'""",
    )
    assert (await azure()()).value == "abc"
    assert runs("az") == [f"{GET_TOKEN} --tenant t", GET_TOKEN]


async def test_a_subscription_that_the_person_has_not_is_left_out(write_tool, runs):
    write_tool(
        "az",
        'case "$*" in *--subscription*) echo "ERROR: Subscription \'s-1\' not found. Check the spelling" >&2; exit 1;;',
        "esac",
        """echo '{"accessToken": "abc", "expiresOn": null}'""",
    )
    assert (await azure(azure_workspace_resource_id=RESOURCE_ID)()).value == "abc"
    assert len(runs("az")) == 2


@pytest.mark.parametrize("person", [True, False])
async def test_the_headers_of_a_person_and_of_a_service_principal(person, identity, peers, connect, workspace, runs):
    """With a resource id: a person's token needs no management token, a service principal's does."""
    identity.write_az(peers.folder, "who", person=person)
    client = connect({"ARM_ENVIRONMENT": "public"}, azure_workspace_resource_id=RESOURCE_ID)
    await client.current_user.me()
    headers = workspace.journal.calls("GET /api/*")[0].headers
    assert headers["x-databricks-azure-workspace-resource-id"] == RESOURCE_ID
    assert ("x-databricks-azure-sp-management-token" in headers) is not person
    assert len(runs("az")) == 1 + (not person)


@pytest.mark.parametrize(
    "said",
    [
        "ERROR: Please run 'az login' to setup account.",
        "ERROR: AADSTS70043: The refresh token has expired. To re-authenticate, please run: az login",
        "ERROR: AADSTS700082: The refresh token has expired due to inactivity.",
    ],
)
async def test_nobody_is_logged_in(said, write_tool, runs):
    """The way is not there: the chain goes on. It is not run again."""
    write_tool("az", f'echo "{said}" >&2', "exit 1")
    with pytest.raises(CredentialUnavailable, match="az is not logged in, or its login has ended; run az login"):
        await azure()()
    assert len(runs("az")) == 1


async def test_another_error_of_az_is_shown_without_secrets(write_tool, runs):
    write_tool(
        "az", 'echo "ERROR: AADSTS50076: use eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln dapi0123456789ab" >&2', "exit 1"
    )
    with pytest.raises(AuthError) as raised:
        await azure()()
    assert raised.value.message == "az gave no token: AADSTS50076: use *** ***"
    assert len(runs("az")) == 1


@pytest.mark.parametrize("name", ["az", "databricks"])
@pytest.mark.parametrize("printed", ["", "[]", "a table", '{"accessToken": null}', '{"accessToken": "s3cr3t two"}'])
async def test_odd_output_is_not_shown(name, printed, write_tool):
    write_tool(name, f"echo '{printed}'")
    with pytest.raises(AuthError, match=f"{name} printed no JSON object with a usable") as raised:
        await (azure() if name == "az" else databricks())()
    assert "s3cr3t" not in str(raised.value)


@pytest.mark.parametrize("make", [azure, databricks])
async def test_a_tool_that_is_not_installed(make):
    with pytest.raises(CredentialUnavailable, match="is not installed, or not on PATH"):
        await make()()


async def test_a_tool_that_never_ends_is_killed_with_all_that_it_started(write_tool, tmp_path):
    """Within the call's own budget, here 0.5 s, or 30 s at most."""
    write_tool("az", f"sleep 600 & echo $! > {tmp_path}/child", f"echo $$ > {tmp_path}/own", "wait")
    with pytest.raises(AuthError, match=r"az did not end within 0\.5 s"):
        await azure(retry_timeout_seconds=0.5)()
    for name in ("child", "own"):
        assert not alive(int((tmp_path / name).read_text()))


async def test_a_cancelled_call_kills_the_tool(write_tool, tmp_path):
    write_tool("az", f"echo $$ > {tmp_path}/new", f"mv {tmp_path}/new {tmp_path}/own", "sleep 600")
    task = asyncio.create_task(azure()())
    while not (tmp_path / "own").exists() and not task.done():  # noqa: ASYNC110 (a file tells nobody)
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not alive(int((tmp_path / "own").read_text()))


async def test_tools_run_one_at_a_time(write_tool, tmp_path):
    """They share a cache of tokens, which two at once would spoil."""
    lock = tmp_path / "lock"
    write_tool("az", f"mkdir {lock} || exit 3", "sleep 0.05", f"rmdir {lock}", """echo '{"accessToken": "abc"}'""")
    tokens = await asyncio.gather(*(azure()() for _ in range(5)))
    assert [token.value for token in tokens] == ["abc"] * 5


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Tokyo"])
@pytest.mark.parametrize(
    ("expiry", "epoch"),
    [
        ("2026-11-26T09:00:00.123456789Z", 1795683600.123456),
        ("2026-11-26T09:00:00Z", 1795683600),
        ("2026-11-26T04:00:00-05:00", 1795683600),
        ("2026-11-26T18:00:00.5+09:00", 1795683600.5),
    ],
)
async def test_when_a_token_of_databricks_ends(zone, expiry, epoch, prints, monkeypatch):
    """RFC 3339 with its offset, wherever the machine stands."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        prints("databricks", {"access_token": "abc", "token_type": "Bearer", "expiry": expiry})
        assert (await databricks()()).expires_at == pytest.approx(epoch, abs=1e-3)
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()


async def test_databricks_is_asked_by_profile_or_host(prints, runs):
    prints("databricks", {"access_token": "abc", "expiry": "2099-01-01T00:00:00Z"})
    await databricks()()
    await databricks(profile="dev")()
    assert runs("databricks") == [f"auth token --host {HOST}", "auth token --profile dev"]


async def test_another_databricks_than_the_one_on_the_path(prints, runs, tmp_path):
    path = prints("mine", {"access_token": "abc", "expiry": "2099-01-01T00:00:00Z"})
    assert (await databricks(databricks_cli_path=str(path))()).value == "abc"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Error: databricks OAuth is not configured for this host", "databricks is not logged in; run databricks auth"),
        ("Error: A new access token could not be retrieved because the refresh token is invalid.", "is not logged in"),
        ("Error: No such command 'auth'.", "is an old version"),
    ],
)
async def test_databricks_is_not_there(said, told, write_tool):
    write_tool("databricks", f'echo "{said}" >&2', "exit 1")
    with pytest.raises(CredentialUnavailable, match=told):
        await databricks()()


async def test_another_error_of_databricks(write_tool):
    write_tool("databricks", 'echo "Error: something else" >&2', "exit 1")
    with pytest.raises(AuthError, match="databricks gave no token: something else"):
        await databricks()()
