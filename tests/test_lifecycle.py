"""When a client opens, what it shares, and that nothing is left of it.

Here are the tests of `session/session.py`, `session/stats.py`.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import aiohttp
import pytest

from databricks_async import Config, WorkspaceClient
from databricks_async.errors import DatabricksError, LifecycleError, OutcomeUnknown
from databricks_async.local import Fault, LocalWorkspace

pytestmark = pytest.mark.usefixtures("virtual_time")

LIST = "GET /api/2.1/clusters/list"
CREATE = "POST /api/2.1/clusters/create"
SPEC = {"cluster_name": "x", "spark_version": "16.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}


def listing(client):
    return client.clusters.list().collect()


# Opening


def test_making_a_client_opens_nothing(monkeypatch):
    """No socket, no task, no loop needed: also at import time of the program that makes one."""

    def refuse(*_, **__):
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    client = WorkspaceClient(host="https://adb-1.2.azuredatabricks.net", client_id="a", client_secret="b")
    assert client.clusters is client.clusters
    assert repr(client) == "<WorkspaceClient for https://adb-1.2.azuredatabricks.net>"


@pytest.mark.parametrize("module", ["aiohttp", "cattrs", "backoff", "yarl"])
def test_importing_the_package_is_cheap(module):
    """What takes long to import is imported by the first call."""
    script = f"import sys; from databricks_async import WorkspaceClient; sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False, timeout=20).returncode == 0


async def test_the_first_call_opens_one_connection(workspace, connect):
    """And the calls after it go over the same."""
    async with connect() as w:
        assert workspace.journal.connections_opened == 0
        for _ in range(5):
            await listing(w)
        assert workspace.journal.connections_opened == 1


# Closing


async def test_closing_twice_or_unused(workspace, connect):
    """Does no harm, and sends nothing."""
    unused = connect()
    await unused.aclose()
    await unused.aclose()
    async with connect() as w:
        await listing(w)
    await w.aclose()
    assert workspace.journal.count() == 1


async def test_a_closed_client_says_so(workspace, connect):
    """Used or not before, in whatever way; nothing is sent."""
    unused = connect()
    await unused.aclose()
    async with connect() as used:
        await listing(used)
        wait = await used.clusters.create(SPEC)
    before = workspace.journal.count()
    for call in (
        listing(unused),
        listing(used),
        used.clusters.get("x"),
        used.request("GET", "/api/2.0/x"),
        wait.result(timeout=5),
        used.clusters.ensure_cluster_is_running("x"),
        anext(used.clusters.watch("x")),
    ):
        with pytest.raises(LifecycleError, match="this client was closed: make a new one"):
            await call
    assert workspace.journal.count() == before


async def test_an_exception_in_the_body_closes_too(workspace, connect):
    """And goes on as it was."""

    async def body(w):
        async with w:
            await listing(w)
            raise KeyError("mine")

    w = connect()
    with pytest.raises(KeyError, match="mine"):
        await body(w)
    with pytest.raises(LifecycleError):
        await listing(w)


async def test_closing_ends_readings_under_way(workspace, connect):
    """Each call raises LifecycleError at once: in flight, waiting to be sent, or waiting to be sent again."""
    workspace.faults.add("GET /api/2.1/clusters/get", Fault.hang(), times=3)
    workspace.faults.add("GET /api/2.1/clusters/list-zones", Fault.answer(500, headers={"Retry-After": "60"}))
    workspace.faults.add("GET /api/2.0/libraries/*", Fault.too_many_requests(60), times=2)
    w = connect(max_connections=5)
    calls = [w.clusters.get("x") for _ in range(3)]
    calls += [
        w.clusters.list_zones(),
        w.libraries.cluster_status("x").collect(),
        w.libraries.cluster_status("x").collect(),
    ]
    tasks = [asyncio.create_task(call) for call in calls]
    await workspace.journal.until(lambda journal: journal.count() >= 5 and journal.in_flight == 3)
    await asyncio.sleep(0.01)
    tasks += [asyncio.create_task(w.clusters.get("x")) for _ in range(20)]
    await asyncio.sleep(0)
    async with asyncio.timeout(2):
        await w.aclose()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [LifecycleError] * len(tasks)


async def test_closing_leaves_the_outcome_of_a_write_open(workspace, connect):
    """An unsafe call in flight may have been carried out; the error says how to find out."""
    workspace.faults.add(CREATE, Fault.hang(after=True))
    w = connect()
    task = asyncio.create_task(w.clusters.create(SPEC))
    await workspace.journal.until(lambda journal: journal.in_flight == 1)
    await w.aclose()
    with pytest.raises(OutcomeUnknown, match=r"the client was closed before the answer came.*clusters\.list"):
        await task


@pytest.mark.parametrize("steps", range(12))
@pytest.mark.parametrize("oauth", [False, True], ids=["token", "oauth"])
async def test_closing_at_any_moment_of_a_call(connect, service_principal, oauth, steps):
    """Also while it connects, or fetches its token: never a hang, never a foreign cancellation."""
    w = connect(**(service_principal if oauth else {}))
    tasks = [asyncio.create_task(listing(w)) for _ in range(3)]
    for _ in range(steps):
        await asyncio.sleep(0)
    async with asyncio.timeout(2):
        await w.aclose()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(result == [] or isinstance(result, DatabricksError) for result in results), results


async def test_closing_while_names_are_resolved(workspace, connect):
    """aiohttp cancels those who wait for a name; our callers get an error that says what happened."""
    w = WorkspaceClient(config=Config(host=workspace.url.replace("127.0.0.1", "localhost"), token=workspace.token))
    tasks = [asyncio.create_task(listing(w)) for _ in range(3)]
    for _ in range(4):
        await asyncio.sleep(0)
    async with asyncio.timeout(2):
        await w.aclose()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(result) for result in results} <= {LifecycleError, list}


async def test_closing_ends_a_wait_and_a_start(workspace, connect):
    """What polls in the background of a call ends with the client."""
    w = connect(poll_interval_seconds=0.01)
    wait = await w.clusters.create(SPEC)
    tasks = [
        asyncio.create_task(wait.result()),
        asyncio.create_task(w.clusters.ensure_cluster_is_running(wait.cluster_id)),
        asyncio.create_task(w.clusters.ensure_cluster_is_running(wait.cluster_id)),
    ]
    await workspace.journal.until(lambda journal: journal.count("GET /api/2.1/clusters/get") > 4)
    async with asyncio.timeout(2):
        await w.aclose()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [LifecycleError] * 3


@pytest.mark.parametrize("steps", range(6))
async def test_closing_as_a_wait_begins(workspace, connect, steps):
    """At any of its first steps, before what polls for it has taken its own."""
    w = connect()
    cluster_id = (await w.clusters.create(SPEC)).cluster_id
    waiting = asyncio.create_task(w.clusters.wait_running(cluster_id).result())
    for _ in range(steps):
        await asyncio.sleep(0)
    await w.aclose()
    async with asyncio.timeout(5):
        with pytest.raises(LifecycleError):
            await waiting


# Loops


def test_a_client_belongs_to_one_loop():
    """In another one it says so, and cannot be closed there; a client for each loop works."""

    async def use(w):
        return await w.clusters.list().collect()

    with asyncio.Runner() as one, asyncio.Runner() as other:
        workspace = LocalWorkspace()
        one.run(workspace.start())
        w = WorkspaceClient(config=Config(host=workspace.url, token=workspace.token))
        assert one.run(use(w)) == []
        with pytest.raises(LifecycleError, match="another event loop"):
            other.run(use(w))
        with pytest.raises(LifecycleError, match="closed in the event loop in which it was used"):
            other.run(w.aclose())
        assert one.run(use(w)) == []
        one.run(w.aclose())
        one.run(workspace.close())


def test_clients_in_two_threads():
    """Each thread its loop, each loop its client."""
    results = []

    async def use(url, token):
        async with WorkspaceClient(config=Config(host=url, token=token)) as w:
            results.append(await asyncio.gather(*(w.clusters.list().collect() for _ in range(50))))

    async def main():
        async with LocalWorkspace() as workspace:
            threads = [
                threading.Thread(target=lambda: asyncio.run(use(workspace.url, workspace.token))) for _ in range(3)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                await asyncio.to_thread(thread.join)

    asyncio.run(main())
    assert results == [[[]] * 50] * 3


async def test_two_clients_at_once_know_nothing_of_each_other(workspace, connect, service_principal):
    """Own connections, tokens, gates and counters."""
    workspace.faults.add(LIST, Fault.too_many_requests(60))
    async with connect() as one, connect(**service_principal) as other:
        held = asyncio.create_task(listing(one))
        await workspace.journal.until(lambda journal: journal.count(LIST) == 1 and journal.in_flight == 0)
        await listing(other)
        assert not held.done()
        assert (one.stats.refused, other.stats.refused) == (1, 0)
        assert [call.user for call in workspace.journal.calls(LIST)] == [None, "id"]
        await one.aclose()
        with pytest.raises(LifecycleError):
            await held
        await listing(other)


# The session: our own, or lent


@pytest.fixture
def netrc(tmp_path, monkeypatch):
    """Somebody else's credentials for this machine."""
    file = tmp_path / "netrc"
    file.write_text("machine 127.0.0.1 login someone password hunter2\ndefault login anyone password hunter3\n")
    file.chmod(0o600)
    monkeypatch.setenv("NETRC", str(file))
    (Path(os.environ["HOME"]) / ".netrc").write_text(file.read_text())


async def test_our_own_session_brings_nothing_of_others(workspace, connect, netrc):
    """No cookie is sent back, no netrc is read."""
    cookies = {"Set-Cookie": "session=1; Path=/"}
    workspace.faults.add(LIST, Fault.answer(200, "{}", cookies))
    async with connect() as w:
        await listing(w)
        await listing(w)
    assert [call.status for call in workspace.journal.entries] == [200, 200]
    assert not any("cookie" in call.headers for call in workspace.journal.entries)


async def test_what_is_sent_with_every_request(workspace, connect):
    """Who we are, what we understand, and the workspace where it is configured."""
    async with connect(workspace_id="123") as w:
        await listing(w)
    headers = workspace.journal.entries[0].headers
    assert headers["accept"] == "application/json"
    assert headers["user-agent"].startswith("databricks-async/")
    assert headers["x-databricks-workspace-id"] == "123"


async def test_trace_configs_are_called(workspace, connect):
    """The way to metrics and traces of each request."""
    seen = []

    async def started(session, context, params):
        seen.append((params.method, params.url.path, "Authorization" in params.headers))

    tracing = aiohttp.TraceConfig()
    tracing.on_request_start.append(started)
    async with connect(trace_configs=[tracing]) as w:
        await listing(w)
    assert seen == [("GET", "/api/2.1/clusters/list", True)]


async def test_a_lent_session_stays_open(workspace, connect):
    """Its owner closes it; calls that are under way end with the client all the same."""
    workspace.faults.add(LIST, Fault.hang())
    async with aiohttp.ClientSession() as http:
        w = connect(session=http)
        task = asyncio.create_task(listing(w))
        await workspace.journal.until(lambda journal: journal.in_flight == 1)
        await w.aclose()
        with pytest.raises(LifecycleError):
            await task
        assert not http.closed
        async with connect(session=http) as w:
            await listing(w)
        assert not http.closed


@pytest.mark.parametrize("limits", [{"limit": 3}, {"limit": 0, "limit_per_host": 3}, {"limit": 7, "limit_per_host": 3}])
async def test_a_lent_session_keeps_its_own_limit(workspace, connect, limits):
    """Calls wait before they take a connection, so none runs out of time while it waits for a connection."""
    workspace.faults.add("*", Fault.delay(0.01), times=1000)
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(**limits)) as http,
        connect(session=http, http_timeout_seconds=0.2, retry_timeout_seconds=0) as w,
    ):
        await asyncio.gather(*(listing(w) for _ in range(100)))
    assert workspace.journal.in_flight_max == workspace.journal.connections_opened == 3


async def test_a_lent_session_without_a_limit_gets_ours(workspace, connect):
    """`limit=0` is aiohttp's word for none."""
    workspace.faults.add("*", Fault.delay(0.01), times=1000)
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http,
        connect(session=http, max_connections=4) as w,
    ):
        await asyncio.gather(*(listing(w) for _ in range(40)))
    assert workspace.journal.in_flight_max == 4


@pytest.mark.parametrize(
    "settings",
    [
        {"trust_env": True},
        {"cookies": {"theirs": "1"}},
        {"headers": {"Authorization": "Basic theirs", "Accept": "text/html", "X-Theirs": "1"}},
        {"raise_for_status": True},
        {"timeout": aiohttp.ClientTimeout(total=1e-6)},
        {"base_url": "http://127.0.0.1:9/theirs/"},
        {"skip_auto_headers": ["User-Agent", "Content-Type"]},
    ],
    ids=lambda settings: next(iter(settings)),
)
async def test_the_settings_of_a_lent_session_do_no_harm(workspace, connect, netrc, settings):
    """Our token goes with the request, our deadline counts, redirects and errors are ours."""
    workspace.faults.add(LIST, Fault.answer(302, headers={"Location": "/api/2.1/clusters/list-zones"}))
    async with aiohttp.ClientSession(**settings) as http, connect(session=http) as w:
        with pytest.raises(DatabricksError, match="redirect"):
            await listing(w)
        await listing(w)
        with pytest.raises(DatabricksError, match="does not exist"):
            await w.clusters.get("x")
    assert {call.user for call in workspace.journal.entries} <= {"admin@example.com", None}
    assert [call.endpoint for call in workspace.journal.entries] == [LIST, LIST, "GET /api/2.1/clusters/get"]


@pytest.mark.filterwarnings("ignore:.*auth.*deprecated:DeprecationWarning")
async def test_the_credentials_of_a_lent_session_are_not_ours(workspace, connect):
    """It may have some for other services."""
    async with (
        aiohttp.ClientSession(auth=aiohttp.BasicAuth("someone", "hunter2")) as http,
        connect(session=http) as w,
    ):
        await listing(w)
    assert workspace.journal.entries[0].user == "admin@example.com"


async def test_the_middlewares_of_a_lent_session_run(workspace, connect):
    """They are part of what was lent."""
    seen = []

    async def theirs(request, handler):
        seen.append(request.url.path)
        return await handler(request)

    async with aiohttp.ClientSession(middlewares=[theirs]) as http, connect(session=http) as w:
        await listing(w)
    assert seen == ["/api/2.1/clusters/list"]


async def test_a_lent_session_that_was_closed(connect):
    """Says so, and is not tried again."""
    http = aiohttp.ClientSession()
    await http.close()
    w = connect(session=http)
    with pytest.raises(LifecycleError, match="Session is closed"):
        await listing(w)
    await w.aclose()


# Many calls


async def test_two_thousand_calls_use_a_hundred_sockets(workspace, connect):
    """`max_connections` is how many sockets there are at once.

    On a slow machine some are idle for too long, and replaced.
    """
    async with connect() as w:
        await asyncio.gather(*(listing(w) for _ in range(2000)))
        assert workspace.journal.connections <= 100
        assert workspace.journal.connections_opened <= 200
        assert workspace.journal.in_flight_max <= 100
    assert workspace.journal.count() == 2000
