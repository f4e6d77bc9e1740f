"""Logins of persons: by browser and by device code, the login that is kept, and its renewal by many processes.

Of `auth/interactive.py`, `auth/redirect.py`, `auth/store.py`, `cli/login.py`, `local/logins.py` and
`local/http/grants.py`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import stat
import sys
import time
import urllib.error
import urllib.request

import pytest

from databricks_async.auth import interactive, redirect
from databricks_async.auth.store import Login, LoginStore
from databricks_async.cli import auth_demo, main
from databricks_async.errors import AuthError
from databricks_async.local import Fault

AUTHORIZE = "GET /oidc/v1/authorize"
TOKEN = "POST /oidc/v1/token"
ENTRA_TOKEN = "POST /{tenant}/oauth2/v2.0/token"
LOGINS = pytest.mark.parametrize(
    "way", [auth_demo.external_browser, auth_demo.azure_browser], ids=lambda way: way.__name__
)


def token_requests(peers):
    journals = (peers.workspace.journal.calls(TOKEN), peers.identity.journal.calls(ENTRA_TOKEN))
    return [(call.body or {}).get("grant_type") for calls in journals for call in calls]


def login_files(peers):
    return sorted((peers.folder / ".databricks-async" / "logins").iterdir())


@LOGINS
async def test_a_login_is_kept_for_the_next_client(way, peers, connect):
    """One browser, one code; the next client, as in another process, finds the access token."""
    settings, variables = way(peers)
    await connect(variables, **settings).current_user.me()
    await connect(variables, **settings).current_user.me()
    assert token_requests(peers) == ["authorization_code"]


@LOGINS
async def test_a_login_is_for_its_owners_eyes(way, peers, connect):
    """The file has mode 0600, its folder 0700."""
    settings, variables = way(peers)
    await connect(variables, **settings).current_user.me()
    for path in login_files(peers):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(login_files(peers)[0].parent.stat().st_mode) == 0o700


@LOGINS
async def test_the_refresh_token_renews_it(way, peers, connect, workspace):
    """No browser is opened for it."""
    settings, variables = way(peers)
    client = connect(variables, **settings)
    await client.current_user.me()
    workspace.revoke_tokens()
    await asyncio.gather(*(client.current_user.me() for _ in range(50)))
    workspace.revoke_tokens()
    await client.current_user.me()
    assert token_requests(peers) == ["authorization_code", "refresh_token", "refresh_token"]


@LOGINS
async def test_a_login_that_has_ended_is_made_anew(way, peers, connect, workspace, identity):
    """Where that way was asked for: a browser is opened again."""
    settings, variables = way(peers)
    client = connect(variables, **settings)
    await client.current_user.me()
    workspace.revoke_tokens()
    workspace.logins.end()
    identity.end_logins()
    await client.current_user.me()
    assert token_requests(peers) == ["authorization_code", "refresh_token", "authorization_code"]


async def test_a_login_is_found_without_auth_type(peers, connect):
    """Databricks' own; and without a login nothing is opened or written: the chain goes on."""
    settings, variables = auth_demo.external_browser(peers)
    del variables["DATABRICKS_AUTH_TYPE"]
    with pytest.raises(AuthError, match="external-browser: not logged in: run databricks-async auth login"):
        await connect(variables, **settings).current_user.me()
    assert not (peers.folder / ".databricks-async").exists()
    assert peers.workspace.journal.count(AUTHORIZE) == 0
    await connect(variables, auth_type="external-browser").current_user.me()
    client = connect(variables, **settings)
    await client.current_user.me()
    assert "auth_type=external-browser (in use)" in client.config.describe()
    assert token_requests(peers) == ["authorization_code"]


@LOGINS
async def test_the_page_refuses(way, peers, connect, workspace, identity):
    """Its own words, at once."""
    workspace.logins.error = ("access_denied", "The user declined.")
    identity.refuse_logins()
    settings, variables = way(peers)
    with pytest.raises(AuthError, match=r"the login page refused: access_denied: The user declined\.") as raised:
        await connect(variables, **settings).current_user.me()
    assert raised.value.error_code == "access_denied"


async def test_a_browser_that_cannot_be_opened(peers, connect):
    settings, variables = auth_demo.external_browser(peers)
    variables["BROWSER"] = "/no/such/browser"
    with pytest.raises(AuthError, match="no browser can be opened here, run databricks-async auth login"):
        await connect(variables, **settings).current_user.me()


@pytest.fixture
async def listening():
    async with redirect.Redirect(range(1)) as listening:
        yield listening


def fetch(url, data=None):
    try:
        with urllib.request.urlopen(url, data, timeout=10) as answer:  # noqa: S310 (loopback)
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


async def test_the_state_is_checked(listening):
    """An answer to another login is refused, and the wait goes on."""
    for query in ("code=evil", "code=evil&state=other", "error=evil&state="):
        assert (await asyncio.to_thread(fetch, f"{listening.url}/?{query}"))[0] == 400
    assert (await asyncio.to_thread(fetch, f"{listening.url}/favicon.ico"))[0] == 404
    status, page = await asyncio.to_thread(fetch, f"{listening.url}/?code=good&state={listening.state}")
    assert (status, "You may close this window" in page) == (200, True)
    assert await listening.code(5) == "good"
    status, page = await asyncio.to_thread(fetch, f"{listening.url}/?code=second&state={listening.state}")
    assert "already" in page
    assert await listening.code(5) == "good"


async def test_a_code_may_come_in_a_form(listening):
    """response_mode=form_post keeps it out of the browser's history."""
    form = f"code=good&state={listening.state}".encode()
    assert (await asyncio.to_thread(fetch, listening.url, form))[0] == 200
    assert await listening.code(5) == "good"
    assert repr(await listening.code(5)) == "***"


async def test_what_the_page_says_is_escaped(listening):
    query = f"error=x&error_description=%3Cscript%3E&state={listening.state}"
    _, page = await asyncio.to_thread(fetch, f"{listening.url}/?{query}")
    assert "<script>" not in page
    with pytest.raises(AuthError, match="x: <script>"):
        await listening.code(5)


async def test_odd_connections_do_no_harm(listening):
    port = int(listening.url.rpartition(":")[2])
    for sent in (
        b"",
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"x" * 70000,
        b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n",
    ):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        writer.write_eof()
        writer.close()
    assert (await asyncio.to_thread(fetch, f"{listening.url}/?code=good&state={listening.state}"))[0] == 200


async def test_nobody_comes(listening):
    with pytest.raises(AuthError, match=r"no login within 0\.01 s"):
        await listening.code(0.01)


async def test_a_taken_port_is_passed_over():
    async with redirect.Redirect(range(18020, 18040)) as first, redirect.Redirect(range(18020, 18040)) as second:
        assert first.url != second.url


async def test_a_device_code(identity, peers, connect, monkeypatch):
    """Polled while it is pending, more slowly when asked to, until the person has entered it."""
    monkeypatch.setattr(interactive, "_SLOWER_SECONDS", 0.0)
    settings, variables = auth_demo.azure_browser(peers)
    client = connect(variables, **settings)
    shown = []

    def show(line):
        shown.append(line)
        identity.faults.add(ENTRA_TOKEN, Fault.answer(400, '{"error": "slow_down"}'))

    real_sleep = asyncio.sleep
    pauses = []

    async def sleep(seconds):
        pauses.append(seconds)
        if len(pauses) == 3:
            identity.enter_device_code(identity.user_codes[0])
        await real_sleep(0)

    monkeypatch.setattr(interactive.asyncio, "sleep", sleep)
    await interactive.log_in(client.config, client._session.web(), show, device_code=True)
    assert pauses == [5, 5, 5]
    assert identity.user_codes[0] in shown[0]
    assert token_requests(peers) == [None, *["urn:ietf:params:oauth:grant-type:device_code"] * 2]
    assert (await client.current_user.me()).user_name == "ann@example.com"
    assert len(token_requests(peers)) == 3


async def test_a_device_code_that_is_declined(identity, peers, connect, monkeypatch):
    identity.refuse_logins("authorization_declined", "The user declined.")
    client = connect(auth_demo.azure_browser(peers)[1])
    real_sleep = asyncio.sleep
    monkeypatch.setattr(interactive.asyncio, "sleep", lambda _: real_sleep(0))
    with pytest.raises(AuthError) as raised:
        await interactive.log_in(client.config, client._session.web(), print, device_code=True)
    assert raised.value.error_code == "authorization_declined"


@LOGINS
async def test_the_command_logs_in_and_the_next_client_finds_it(way, peers, connect, capsys):
    settings, variables = way(peers)
    with auth_demo.environment(peers, variables):
        assert await asyncio.to_thread(main, ["auth", "login", "--host", peers.workspace.url]) == 0
    out, err = capsys.readouterr()
    assert out == f"logged in at {peers.workspace.url} ({way.__name__.replace('_', '-')})\n"
    assert err.startswith("Log in at http://127.0.0.1:")
    variables["BROWSER"] = "/no/such/browser"
    await connect(variables, **settings).current_user.me()
    assert token_requests(peers) == ["authorization_code"]


async def test_the_command_with_a_device_code_for_databricks_says_how(peers, capsys):
    with auth_demo.environment(peers, {}):
        assert await asyncio.to_thread(main, ["auth", "login", "--device-code"]) == 4
    assert "DATABRICKS_AUTH_TYPE=azure-browser, ARM_CLIENT_ID and ARM_TENANT_ID" in capsys.readouterr().err


async def test_the_command_in_a_way_without_a_login(peers, capsys):
    with auth_demo.environment(peers, {}):
        assert await asyncio.to_thread(main, ["auth", "login", "--auth-type", "azure-cli"]) == 4
    assert "use --auth-type external-browser or azure-browser" in capsys.readouterr().err


RENEW = """
import asyncio, sys
from databricks_async import WorkspaceClient

async def main():
    async with WorkspaceClient(auth_type="external-browser") as w:
        sys.stdin.readline()
        print((await w.current_user.me()).user_name)

asyncio.run(main())
"""


async def test_five_processes_renew_once(peers, connect, workspace):
    """A refresh token is good for one use: one process uses it, the others read its result."""
    settings, variables = auth_demo.external_browser(peers)
    workspace.logins.token_seconds = 45  # less than a client starts a call with
    await connect(variables, **settings).current_user.me()
    workspace.logins.token_seconds = 3600
    workspace.faults.add(TOKEN, Fault.delay(0.3))
    pipe = asyncio.subprocess.PIPE
    processes = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", RENEW, stdin=pipe, stdout=pipe) for _ in range(5)
    ]
    outputs = await asyncio.gather(*(process.communicate(b"\n") for process in processes))
    assert [out for out, _ in outputs] == [b"admin@example.com\n"] * 5
    assert token_requests(peers) == ["authorization_code", "refresh_token"]


class Keyring:
    """A keyring in memory; `get_keyring` tells the client that there is one."""

    def __init__(self, *, full=False):
        self.kept, self.full = {}, full

    def get_keyring(self):
        return self

    def get_password(self, service, name):
        return self.kept.get((service, name))

    def set_password(self, service, name, password):
        if self.full:
            raise RuntimeError("too long")
        self.kept[service, name] = password


@pytest.mark.parametrize("full", [False, True])
async def test_the_refresh_token_is_in_the_keyring_if_it_takes_it(full, monkeypatch):
    keyring = Keyring(full=full)
    monkeypatch.setattr("databricks_async.auth.store._keyring", lambda: keyring)
    store = LoginStore("a", "b")
    async with store.locked(5):
        await store.save(Login("refresh-1", "access-1", 5.0))
    (path,) = [path for path in store._folder.iterdir() if path.suffix == ".json"]
    assert ("refresh-1" in path.read_text()) is full
    assert list(keyring.kept.values()) == ([] if full else ["refresh-1"])
    assert await LoginStore("a", "b").load() == Login("refresh-1", "access-1", 5.0)
    assert await LoginStore("a", "c").load() is None


async def test_half_a_file_is_no_login(caplog):
    store = LoginStore("a")
    async with store.locked(5):
        await store.save(Login("refresh-1", "access-1", 5.0))
    store._path.write_text('{"refresh_token": "re')
    assert await store.load() is None


async def test_a_file_that_others_may_read_gives_a_warning(caplog):
    store = LoginStore("a")
    async with store.locked(5):
        await store.save(Login("refresh-1", "access-1", 5.0))
    store._path.chmod(0o644)
    with caplog.at_level(logging.WARNING):
        await store.load()
    assert "others may read it: chmod 600" in caplog.text
    assert "refresh-1" not in caplog.text


async def test_a_lock_that_is_not_given_back(monkeypatch):
    store = LoginStore("a")
    async with store.locked(5):
        with pytest.raises(AuthError, match="another process has been renewing this login for 0 s"):
            async with LoginStore("a").locked(0):
                pass


async def test_a_saved_login_is_whole_though_its_caller_is_cancelled():
    """The old refresh token is dead by then: the new one must not be lost."""
    store = LoginStore("a")
    async with store.locked(5):
        task = asyncio.create_task(store.save(Login("refresh-2", "access-2", 5.0)))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await store.load()).refresh_token == "refresh-2"


def test_a_login_shows_no_token():
    assert repr(Login("refresh-1", "access-1", 5.0)) == "Login(expires_at=5.0)"


def test_browser_may_be_several_commands(monkeypatch, tmp_path):
    """As the variable is defined: a list of commands, of which the first one that can be run is taken."""
    done = tmp_path / "done"
    script = tmp_path / "second"
    script.write_text(f'#!/bin/sh\necho "$1" > {done}.new; mv {done}.new {done}\n')
    script.chmod(0o755)
    monkeypatch.setenv("BROWSER", f"/no/such/one{os.pathsep}{script} %s")
    assert redirect._open_browser("http://x/?a=b") is True
    deadline = time.monotonic() + 30
    while not done.exists() and time.monotonic() < deadline:
        time.sleep(0.001)
    assert done.read_text() == "http://x/?a=b\n"
