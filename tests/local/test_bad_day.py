"""Whole bad days: what can go wrong on the wire, in the workspace and in time, in Python and in words.

Here are the tests of `local/failures/bodies.py`, `local/failures/notation.py`, `local/fault_queue.py`,
`local/http/answers.py` and `local/http/connections.py`.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import struct
import time
from contextlib import suppress
from email.utils import parsedate_to_datetime

import aiohttp
import pytest
import trustme

from databricks_async import WorkspaceClient
from databricks_async.errors import OutcomeUnknown
from databricks_async.local import Clock, Fault, LocalWorkspace
from databricks_async.local.failures.bodies import BODIES

_IP_LOCAL_PORT_RANGE = 51  # of linux/in.h
GET = "GET /api/{v}/clusters/get"
CREATE = "POST /api/{v}/clusters/create"
LIST = "/api/2.1/clusters/list"


async def raw(workspace, path=LIST):
    """All bytes that come for a request, until the other side closes."""
    host, port = workspace.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, port)
    head = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {workspace.token}\r\nConnection: close\r\n\r\n"
    writer.write(head.encode())
    try:
        return await reader.read()
    finally:
        writer.close()


async def status(wire, path=LIST, **kwargs):
    """The status of an answer, whatever its body."""
    headers = {"Authorization": f"Bearer {wire.token}"}
    async with wire.session.get(wire.workspace.url + path, headers=headers, **kwargs) as response:
        await response.read()
        return response.status


@pytest.mark.parametrize("how", [{}, {"after": True}, {"midway": True}])
async def test_a_reset_is_one(wire, workspace, how):
    """The other side reads ECONNRESET, not an end of file; the request takes effect unless it came before."""
    workspace.faults.add("*", Fault.reset(**how), times=2)
    with pytest.raises(ConnectionResetError):
        await raw(workspace)
    with pytest.raises(aiohttp.ClientError):
        await wire.create()
    assert len((await wire.ok("GET", LIST)).get("clusters", [])) == (1 if how else 0)
    assert workspace.journal.entries[0].fault == " ".join(["reset", *how])


async def test_half_a_body_is_sent_as_if_it_were_all(wire, workspace):
    """The length fits: only the JSON shows it."""
    whole = json.dumps(await wire.ok("GET", "/api/2.1/clusters/spark-versions"), separators=(",", ":")).encode()
    workspace.faults.add("*", Fault.truncate(), Fault.garble())
    bodies = [(await raw(workspace, "/api/2.1/clusters/spark-versions")).partition(b"\r\n\r\n")[2] for _ in range(2)]
    half = len(whole) // 2
    assert bodies[0] == whole[:half]
    assert bodies[1][:half] == whole[:half]
    assert len(bodies[1]) == len(whole)
    with pytest.raises(UnicodeDecodeError):
        bodies[1].decode()


async def test_a_length_that_is_too_small_leaves_bytes_behind(workspace):
    """They stand where the next answer should."""
    workspace.faults.add("*", Fault.wrong_length(-2))
    head, _, body = (await raw(workspace, "/api/2.1/clusters/list-zones")).partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    assert len(body) == length + 2
    assert json.loads(body)["default_zone"]


async def test_a_length_that_is_too_large_keeps_the_client_waiting(wire, workspace):
    """Until it hangs up."""
    workspace.faults.add("*", Fault.wrong_length(10))
    async with wire.session.get(workspace.url + LIST, headers={"Authorization": f"Bearer {wire.token}"}) as response:
        call = asyncio.ensure_future(response.read())
        await workspace.journal.until(lambda journal: journal.in_flight == 1)
        await asyncio.sleep(0)
        assert not call.done()
        call.cancel()
        await asyncio.wait([call])
    await workspace.journal.until(lambda journal: journal.in_flight == 0)


@pytest.mark.usefixtures("virtual_time")
async def test_slow_headers_and_slow_bodies_come_in_pieces(wire, workspace):
    """All of it, over the time that was asked for."""
    workspace.faults.plan("*=slow-headers=5", "*=slow-body=7")
    for seconds in (5, 7):
        began = time.monotonic()
        assert (await wire.get("/api/2.1/clusters/spark-versions"))[1]["versions"]
        assert time.monotonic() - began == pytest.approx(seconds)
    workspace.faults.add("*", Fault.slow_headers(60))
    async with asyncio.timeout(10):
        with pytest.raises(asyncio.TimeoutError):
            await status(wire, timeout=aiohttp.ClientTimeout(sock_read=2.9))


@pytest.mark.parametrize("body", BODIES)
async def test_errors_have_all_kinds_of_bodies(wire, workspace, body):
    """Each raised as what its status says, with `Retry-After` where it was asked for."""
    workspace.faults.plan(f"*=503/{body},retry-after=7")
    async with wire.session.get(workspace.url + LIST, headers={"Authorization": f"Bearer {wire.token}"}) as response:
        content = await response.read()
    assert (response.status, response.headers["Retry-After"]) == (503, "7")
    assert (content == b"") == (body == "empty")
    workspace.faults.add(CREATE, Fault.failure(500, body))
    async with WorkspaceClient(host=workspace.url, token=workspace.token) as client:
        with pytest.raises(OutcomeUnknown) as raised:
            await client.clusters.create(spark_version="16.4.x-scala2.12", node_type_id="Standard_DS3_v2")
    assert raised.value.__cause__.status == 500


async def test_any_body_is_drawn_at_each_strike(wire, workspace):
    """By the seed."""
    drawn = []
    for seed in (1, 1, 2):
        workspace.faults.seed(seed)
        workspace.faults.add("*", Fault.failure(500, "any"), times=8)
        drawn.append([(await raw(workspace)).partition(b"\r\n\r\n")[2][:200] for _ in range(8)])
    assert drawn[0] == drawn[1] != drawn[2]
    assert len(set(drawn[0])) > 3


async def test_a_stale_read_does_not_know_the_last_write(wire, workspace):
    """A cluster that was just made is not found, one that was just terminated still runs; the next read is right."""
    first = await wire.running()
    workspace.faults.add("*", Fault.stale(), times=3)
    second = await wire.create()
    code, answer = await wire.get("/api/2.1/clusters/get", cluster_id=second)
    assert (code, answer["message"]) == (400, f"Cluster {second} does not exist")
    assert [c["cluster_id"] for c in (await wire.ok("GET", LIST))["clusters"]] == [first]
    await wire.ok("POST", "/api/2.1/clusters/delete", cluster_id=first)
    assert [await wire.state(first) for _ in range(2)] == ["RUNNING", "TERMINATING"]
    assert await wire.state(second) == "PENDING"
    assert [call.fault for call in workspace.journal.entries if call.fault] == ["stale"] * 3


async def test_a_stale_read_knows_nothing_that_came_after_it_was_planned(wire, workspace):
    """Also what came by itself, in jobs and clusters."""
    cluster_id = await wire.create()
    task = {"task_key": "a", "notebook_task": {"notebook_path": "/a"}}
    run_id = (await wire.ok("POST", "/api/2.2/jobs/runs/submit", tasks=[task]))["run_id"]
    workspace.faults.add("*", Fault.stale(), times=2)
    workspace.clock.advance(300)
    stale = await wire.ok("GET", "/api/2.2/jobs/runs/get", run_id=run_id)
    assert stale["state"]["life_cycle_state"] != "TERMINATED"
    assert await wire.state(cluster_id) == "PENDING"
    assert await wire.state(cluster_id) == "RUNNING"
    fresh = await wire.ok("GET", "/api/2.2/jobs/runs/get", run_id=run_id)
    assert fresh["state"]["life_cycle_state"] == "TERMINATED"


async def test_a_revoked_token_stays_revoked(wire, workspace):
    """From this request on."""
    workspace.faults.add(GET, Fault.revoke_token())
    assert [(await wire.get(LIST))[0], (await wire.get("/api/2.1/clusters/get"))[0]] == [200, 401]
    assert (await wire.get(LIST))[1]["message"].startswith("The access token was revoked.")


async def test_the_clock_jumps(wire, workspace):
    """A cluster has started meanwhile."""
    cluster_id = await wire.create()
    workspace.faults.plan("GET *=clock=300")
    assert await wire.state(cluster_id) == "RUNNING"


async def test_the_date_of_an_answer_is_wrong(wire, workspace):
    """By the seconds that were asked for, and nothing else is."""
    workspace.faults.add("*", Fault.wrong_date(-3600))
    async with wire.session.get(workspace.url + LIST, headers={"Authorization": f"Bearer {wire.token}"}) as response:
        date = parsedate_to_datetime(response.headers["Date"])
    assert date.timestamp() == workspace.clock.now() // 1000 - 3600
    assert response.status == 200


@pytest.mark.usefixtures("virtual_time")
async def test_connections_are_refused_for_a_while(wire, workspace):
    """The port is closed, then it is the same one."""
    url = workspace.url
    workspace.faults.add(CREATE, Fault.refuse(30))
    with pytest.raises(aiohttp.ClientError):
        await wire.create()
    began = time.monotonic()
    with pytest.raises(aiohttp.ClientConnectorError, match="Connect call failed"):
        await wire.get(LIST)
    await asyncio.sleep(30.1)
    assert await status(wire) == 200
    assert (workspace.url, time.monotonic() - began) == (url, pytest.approx(30.1))


async def test_idle_connections_end_when_others_are_refused(wire, workspace):
    """A request on one of them would wait for its answer for ever."""
    host, port = workspace.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(f"GET {LIST} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {workspace.token}\r\n\r\n".encode())
    assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
    workspace.faults.add(CREATE, Fault.refuse(30))
    with pytest.raises(aiohttp.ClientError):
        await wire.create()
    async with asyncio.timeout(10):
        assert (await reader.read()).endswith(b"}")
    writer.close()


async def test_a_form_whose_connection_is_closed_before_it_is_read_was_never_sent(workspace, caplog):
    """The server says nothing of it."""
    host, port = workspace.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await reader.readline()
    connections = workspace._server._connections
    (protocol,) = connections._transports
    head = (
        f"POST /api/2.0/workspace/import HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {workspace.token}\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000\r\n\r\n"
    )
    form = '--b\r\nContent-Disposition: form-data; name="path"\r\n\r\n/Shared/x\r\n--b'
    protocol.data_received((head + form).encode())
    connections.close_all()
    await reader.read()
    await workspace.journal.until(lambda journal: journal.count("POST /api/{v}/workspace/import") == 1)
    await asyncio.sleep(0)
    assert caplog.records == []
    writer.close()


async def test_nobody_gets_the_port_of_a_workspace_that_refuses():
    """Whoever tries to connect to it, and had it for an end of his own, would be connected to himself."""
    async with LocalWorkspace() as workspace:
        workspace.faults.plan("*=refuse=3600")
        host, port = workspace.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert await reader.read() == b""
        reset_at_end = struct.pack("ii", 1, 0)  # nothing of the connection is left, which would keep the port
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset_at_end)
        writer.transport.abort()
        await asyncio.sleep(0.05)
        with socket.socket() as other:
            with suppress(OSError):  # Linux before 6.3 chooses among all ports
                other.setsockopt(socket.IPPROTO_IP, _IP_LOCAL_PORT_RANGE, struct.pack("HH", int(port), int(port)))
            with pytest.raises(OSError):  # noqa: PT011 (it says that no port can be had)
                other.connect((host, int(port)))


async def test_a_workspace_that_refuses_can_be_closed():
    """It does not come back."""
    async with LocalWorkspace() as workspace, aiohttp.ClientSession() as session:
        workspace.faults.plan("*=refuse=3600:2")
        with pytest.raises(aiohttp.ClientError):
            await session.get(workspace.url)
        await workspace.close()
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(workspace.url)


async def test_a_connection_stalls_until_somebody_hangs_up(wire, workspace):
    """It is accepted, and that is all; requests on others are not struck."""
    assert await status(wire) == 200
    workspace.faults.plan("CONNECT=stall:2")
    assert await status(wire) == 200
    host, port = workspace.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, port)
    stalled = asyncio.ensure_future(raw(workspace))
    await workspace.journal.until(lambda journal: journal.connections == 3)
    writer.close()
    await workspace.journal.until(lambda journal: journal.connections == 2)
    assert await reader.read() == b""
    assert (not stalled.done(), len(workspace.faults), workspace.journal.in_flight) == (True, 0, 0)
    await workspace.close()
    await asyncio.wait([stalled])


@pytest.fixture
def both_sides_of_tls():
    """Of a server, and of clients that trust it."""
    authority = trustme.CA()
    served, trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(served)
    authority.configure_trust(trusting)
    return served, trusting


async def test_a_tls_handshake_stalls(both_sides_of_tls):
    """The client gives up by its own time limit; the next handshake goes on, and https serves as http does."""
    served, trusting = both_sides_of_tls
    connector = aiohttp.TCPConnector(ssl=trusting)
    async with LocalWorkspace(clock=Clock.by_hand(), tls=served) as workspace:
        assert workspace.url.startswith("https://127.0.0.1:")
        async with aiohttp.ClientSession(connector=connector) as session:
            workspace.faults.add("*", Fault.stall())
            with pytest.raises(aiohttp.ServerTimeoutError):
                await session.get(workspace.url + LIST, timeout=aiohttp.ClientTimeout(sock_connect=0.02))
            assert workspace.journal.entries == []
            headers = {"Authorization": f"Bearer {workspace.token}"}
            for _ in range(2):
                async with session.get(workspace.url + LIST, headers=headers) as response:
                    assert response.status == 200
            # One that does not trust the certificate does no harm.
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await session.get(workspace.url + LIST, ssl=ssl.create_default_context())
            async with session.get(workspace.url + LIST, headers=headers) as response:
                assert response.status == 200
        await workspace.journal.until(lambda journal: journal.connections == 0)


@pytest.mark.parametrize("leaves", [False, True])
async def test_a_tls_handshake_comes_byte_by_byte(both_sides_of_tls, leaves):
    """As a slow network brings it, and from a client that leaves in its middle."""
    served, trusting = both_sides_of_tls
    received, to_send = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(received, to_send, server_hostname="127.0.0.1")
    async with LocalWorkspace(tls=served) as workspace:
        reader, writer = await asyncio.open_connection(*workspace.url.removeprefix("https://").split(":"))
        while not client.cipher():
            with suppress(ssl.SSLWantReadError):
                client.do_handshake()
            for byte in to_send.read():
                writer.write(bytes([byte]))
                await asyncio.sleep(0)
            if leaves:
                break
            received.write(await reader.read(1 << 16))
        writer.close()
        async with asyncio.timeout(5):
            await workspace.journal.until(lambda journal: journal.connections == 0)
        assert workspace.journal.connections_opened == 1


async def test_a_schedule_says_which_requests_are_struck(wire, workspace):
    """So many are spared, then one in so many is struck."""
    workspace.faults.plan("GET *=503,skip=2,every=3:3")
    assert [await status(wire) for _ in range(11)] == [200, 200, 503, 200, 200, 503, 200, 200, 503, 200, 200]
    workspace.faults.add("GET *", Fault.answer(500), every=2)
    assert [await status(wire) for _ in range(4)] == [500, 200, 500, 200]


async def test_a_schedule_says_when(wire, workspace):
    """By the clock that the test advances."""
    workspace.faults.plan("GET *=503,from=10,until=20", "POST *=503")
    found = []
    for _ in range(4):
        found.append([await status(wire) for _ in range(2)])
        workspace.clock.advance(7)
    assert found == [[200, 200], [200, 200], [503, 503], [200, 200]]


async def test_words_are_those_of_python(wire, workspace):
    """Count, probability, patterns, and what stands behind commas."""
    workspace.faults.plan("GET */clusters/list=429/empty,retry-after=2:2", "POST *=drop,after@20%")
    assert len(workspace.faults) == 2
    assert [await status(wire) for _ in range(3)] == [429, 429, 200]
    seen = []
    for _ in range(40):
        try:
            seen.append((await wire.post("/api/2.1/clusters/list-zones"))[0])
        except aiohttp.ClientError:
            seen.append("drop after")
    assert 2 <= seen.count("drop after") <= 16


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("GET */clusters/get", "is no PATTERN=WHAT"),
        ("=503", "is no PATTERN=WHAT"),
        ("*=", "is no PATTERN=WHAT"),
        ("*=503:", "unknown fault '503:'"),
        ("clusters/get=503", "is no pattern of endpoints"),
        ("*=rest", "unknown fault 'rest': did you mean 'reset'"),
        ("*=503/htlm", "unknown body 'htlm': did you mean 'html'"),
        ("*=200", "400 to 599, not 200"),
        ("*=drop/html", "'drop' has no body"),
        ("*=drop=2", "'drop' takes no value"),
        ("*=drop,retry-after=2", "'retry-after' stands behind a status"),
        ("*=drop,after=2", "'after' takes no value"),
        ("*=drop,midway", "'midway' stands behind 'reset' only"),
        ("*=stale,after", "'after' does not stand behind 'stale'"),
        ("*=drop,afetr", "unknown option 'afetr': did you mean 'after'"),
        ("*=delay", "'delay' needs a number: delay=2"),
        ("*=delay=soon", "delay needs a number, not 'soon'"),
        ("*=delay=nan", "delay needs a finite number"),
        ("*=slow-body=-1", "0 s or more, not -1 s"),
        ("*=length=0", "wrong by 0 bytes is right"),
        ("*=drop@1.5", "a probability is 0 to 1, not 1.5"),
        ("*=drop,every=0", "every is 1 or more"),
        ("*=drop,from=5,until=5", "between an earlier and a later moment"),
        ("GET *=stall", "its endpoint is CONNECT or *, not GET *"),
    ],
)
async def test_words_that_mean_nothing_are_explained(workspace, line, said):
    """And nothing is planned, not even what stood before them."""
    with pytest.raises(ValueError, match=said.replace("*", r"\*")):
        workspace.faults.plan("*=503", line)
    assert len(workspace.faults) == 0
