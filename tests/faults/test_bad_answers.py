"""Answers that no service should give: each becomes one typed error with a short message."""

from __future__ import annotations

import asyncio
import gzip
import socket

import pytest

from databricks_async.errors import (
    BadRequest,
    ConnectError,
    ConnectionLost,
    DatabricksError,
    InternalError,
    InvalidResponse,
    NotFound,
    OutcomeUnknown,
    PermissionDenied,
    PrivateLinkValidationError,
    RequestTimeout,
    ResourceDoesNotExist,
)
from databricks_async.local import Fault, LocalWorkspace

pytestmark = pytest.mark.usefixtures("virtual_time")

SPEC = {"cluster_name": "x", "spark_version": "16.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}


def http(body=b"", status="200 OK", *headers, length=None, kind="application/json"):
    """An HTTP answer, as it goes over the wire."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", *headers]
    if length is not None or not any("Transfer-Encoding" in line for line in headers):
        lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


HTML = b"<!doctype html><html><head><title>Sign in to Databricks</title></head><body></body></html>"
ANSWERS = {
    "nothing": (b"", ConnectionLost, "closed the connection without an answer"),
    "another protocol": (b"SSH-2.0-OpenSSH_9.6\r\n", ConnectionLost, "not HTTP"),
    "binary": (bytes(range(256)), ConnectionLost, "not HTTP"),
    "no status": (b"HTTP/1.1 abc OK\r\n\r\n", ConnectionLost, "not HTTP"),
    "a status of 4 digits": (b"HTTP/1.1 2000 OK\r\n\r\n", ConnectionLost, "not HTTP"),
    "half a head": (b"HTTP/1.1 200 OK\r\nContent-Ty", ConnectionLost, "closed the connection"),
    "a header without a colon": (b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", ConnectionLost, "not HTTP"),
    "a header of 1 MB": (
        http(b"{}", "200 OK", "X-Huge: " + "x" * 1_000_000),
        InvalidResponse,
        "line of more than 64 KiB",
    ),
    "100,000 headers": (http(b"{}", "200 OK", *["X: y"] * 100_000), InvalidResponse, "headers of more than 256 KiB"),
    "a length that is none": (http(b"{}", length="many"), ConnectionLost, "not HTTP"),
    "a length below zero": (http(b"{}", length="-5"), ConnectionLost, "not HTTP"),
    "two lengths": (http(b"{}", "200 OK", "Content-Length: 7"), ConnectionLost, "not HTTP"),
    "a broken chunk": (
        http(b"xyz\r\n{}\r\n", "200 OK", "Transfer-Encoding: chunked"),
        ConnectionLost,
        "broke off|not HTTP",
    ),
    "an unfinished chunk": (http(b"ff\r\n{", "200 OK", "Transfer-Encoding: chunked"), ConnectionLost, "broke off"),
    "a body cut off": (http(b'{"clus', length=500), ConnectionLost, "broke off in the middle"),
    "not gzip": (http(b"{}", "200 OK", "Content-Encoding: gzip"), ConnectionLost, "broke off"),
    "half a gzip": (
        http(gzip.compress(b'{"clusters": []}' * 50)[:-20], "200 OK", "Content-Encoding: gzip"),
        DatabricksError,
        "broke off|not what the API promises",
    ),
    "half a JSON": (http(b'{"clusters": [{"cluster_id": "1'), InvalidResponse, "not what the API promises"),
    "no UTF-8": (http(b'{"clusters": [{"cluster_id": "\xff\xfe"}]}'), InvalidResponse, "not what the API promises"),
    "no body": (http(b""), InvalidResponse, "not what the API promises"),
    "JSON of another kind": (http(b'"clusters"'), InvalidResponse, "not what the API promises"),
    "a list": (http(b"[1, 2]"), InvalidResponse, "not what the API promises"),
    "a field of another kind": (http(b'{"clusters": "none"}'), InvalidResponse, "not what the API promises.*clusters"),
    "deep JSON": (http(b"[" * 100_000), InvalidResponse, "not what the API promises"),
    "a login page": (http(HTML, kind="text/html"), InvalidResponse, r"web page \(Sign in to Databricks\)"),
    "a page that says it is JSON": (http(HTML), InvalidResponse, "web page"),
    "an error in disguise": (
        http(b'{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no such thing"}'),
        ResourceDoesNotExist,
        "no such thing",
    ),
    "an error with no more than a code": (http(b'{"error_code": "PERMISSION_DENIED"}'), PermissionDenied, "."),
    "a redirect": (
        http(b"", "302 Found", "Location: https://login.example/x?secret=1"),
        InvalidResponse,
        "redirect to https://login.example/x, which is not followed",
    ),
    "a redirect to nowhere": (http(b"", "307 Temporary Redirect"), InvalidResponse, "without an address"),
    "a private link": (
        http(b"", "303 See Other", "Location: /login.html?error=private-link-validation-error:1"),
        PrivateLinkValidationError,
        "Azure Private Link",
    ),
    "an unknown status": (http(b"{}", "999 What"), InvalidResponse, "unknown HTTP status 999"),
    "an unknown 4xx": (http(b"", "499 Gone Away"), DatabricksError, "499"),
    "an unknown 5xx": (http(b"what", "599 What"), InternalError, "what"),
    "a 404 page": (http(HTML, "404 Not Found", kind="text/html"), NotFound, "Sign in to Databricks"),
    "a 400 in plain text": (http(b"BAD_THING: no", "400 Bad", kind="text/plain"), BadRequest, "^no .*400 BAD_THING"),
    "a 400 of 1 MB": (http(b"word " * 200_000, "400 Bad"), BadRequest, "word word"),
    "a 400 with a token": (http(b"Bearer abc.def refused", "400 Bad"), BadRequest, r"Bearer \*\*\* refused"),
    "a 400 of no text": (http(b"\xff\x00\x01", "400 Bad"), BadRequest, "."),
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_a_bad_answer_is_a_typed_error(server, connect, name):
    """One line that says what came, whose text is short; and the next call is not harmed."""
    server.answer, kind, said = ANSWERS[name]
    client = connect(server.url)
    with pytest.raises(kind, match=said) as raised:
        async with asyncio.timeout(5):
            await client.clusters.list().collect()
    error, text = raised.value, str(raised.value)
    assert isinstance(error, DatabricksError)
    assert kind is DatabricksError or type(error) is kind
    assert (error.endpoint, error.attempts) == ("GET /api/2.1/clusters/list", 1)
    assert len(text) < 700
    assert text.isprintable()
    assert len(server.received) == 1

    await server.hung_up()
    server.answer = http(b"{}")
    assert await client.clusters.list().collect() == []


@pytest.mark.parametrize(
    "name", ["nothing", "binary", "half a head", "a body cut off", "half a JSON", "no UTF-8", "no body"]
)
async def test_after_an_unreadable_answer_an_unsafe_call_may_have_been_done(server, connect, name):
    """So it says: the cluster may exist, and this is how to find it."""
    server.answer = ANSWERS[name][0]
    with pytest.raises(OutcomeUnknown, match=r"look through clusters\.list") as raised:
        await connect(server.url, retry_timeout_seconds=5).clusters.create(SPEC)
    assert len(server.received) == 1
    assert isinstance(raised.value.__cause__, DatabricksError)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_never_followed(status, connect):
    """The other server gets no connection, and so neither the token nor anything else."""
    async with LocalWorkspace() as workspace, LocalWorkspace() as elsewhere:
        location = {"Location": f"{elsewhere.url}/api/2.1/clusters/list"}
        workspace.faults.add("*", Fault.answer(status, headers=location), times=2)
        client = connect(workspace.url, token=workspace.token)
        with pytest.raises(InvalidResponse, match="redirect"):
            await client.clusters.list().collect()
        with pytest.raises(InvalidResponse, match="redirect"):
            await client.clusters.create(SPEC)
        assert elsewhere.journal.connections_opened == 0
        assert workspace.journal.count() == 2
        await client.aclose()


# No answer


async def test_a_closed_port(connect):
    """No server listens: the error names the address, and says nothing of TLS."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(ConnectError, match=f"no connection to 127.0.0.1:{port}") as raised:
        await connect(f"http://127.0.0.1:{port}").clusters.list().collect()
    assert raised.value.attempts == 1
    assert "ssl" not in str(raised.value)


async def test_an_unknown_host(connect):
    """A name that does not exist, by the standard, for ever."""
    with pytest.raises(ConnectError, match=r"the host no-such-host\.invalid is not known") as raised:
        await connect("https://no-such-host.invalid").clusters.list().collect()
    assert "dapi" not in str(raised.value)


async def test_a_server_that_goes_away(connect):
    """In the middle of a call, and for the calls after it; when it is back, they work."""
    workspace = LocalWorkspace()
    await workspace.start()
    client = connect(workspace.url, token=workspace.token)
    await client.clusters.list().collect()
    workspace.faults.add("*", Fault.hang())
    call = asyncio.create_task(client.clusters.list().collect())
    await workspace.journal.until(lambda journal: journal.in_flight == 1)
    await workspace.close()
    with pytest.raises(ConnectionLost):
        await call
    with pytest.raises(ConnectError):
        await client.clusters.list().collect()
    await workspace.start()
    assert await client.clusters.list().collect() == []
    await client.aclose()
    await workspace.close()


async def test_a_silent_server(server, connect):
    """It takes the request and says nothing: the error says how long that was."""
    gone = asyncio.Event()

    async def say_nothing(reader, writer):
        await reader.read()
        gone.set()

    server.answer = say_nothing
    with pytest.raises(RequestTimeout, match=r"^no complete answer within 0\.1 s \(GET /api/2.1/clusters/list\)$"):
        await connect(server.url, http_timeout_seconds=0.1).clusters.list().collect()
    await asyncio.wait_for(gone.wait(), 1)


async def test_a_server_that_drips(server, connect):
    """An answer that never ends is not waited for longer than any other."""

    async def drip(reader, writer):
        writer.write(http(b"", length=10**6))
        while not writer.is_closing():
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.005)

    server.answer = drip
    with pytest.raises(RequestTimeout, match=r"no complete answer within 0\.1 s"):
        await connect(server.url, http_timeout_seconds=0.1).clusters.list().collect()


async def test_a_server_that_answers_twice(server, connect):
    """An answer without a request is not taken for the answer to the next call."""

    async def answer_twice(reader, writer):
        writer.write(http(b"{}") + http(b'{"clusters": [{"cluster_id": "forged"}]}'))
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(http(b"{}"))

    server.answer = answer_twice
    client = connect(server.url, retry_timeout_seconds=5)
    for _ in range(3):
        assert await client.clusters.list().collect() == []
    await client.aclose()
