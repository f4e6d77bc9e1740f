"""No secret in an error, in what it came from, in the frames of its traceback, or in a log.

Tests `sent_secrets.py`.
"""

from __future__ import annotations

import asyncio
import base64
import copy
import gzip
import json
import logging
import pickle
import ssl
import traceback

import pytest
import trustme

from databricks_async.errors import AuthError, DatabricksError, InvalidResponse, OperationFailed
from databricks_async.sent_secrets import remember_headers

TOKEN = "dapi-Zm9vYmFyYmF6cXV4-17"
SECRET = "client/secret+with=signs"
SPEC = {"cluster_name": "x", "spark_version": "16.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}


def with_length(body, status="200 OK", *headers):
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def hang(reader, writer):
    await reader.read()


ANSWERS = {
    "nothing": b"",
    "half a head": b"HTTP/1.1 200 OK\r\nConte",
    "no HTTP": b"\x00\x01\x02",
    "half a body": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
    "no gzip": with_length(b"{}", "200 OK", "Content-Encoding: gzip"),
    "too long": with_length(gzip.compress(bytes(10**6)), "200 OK", "Content-Encoding: gzip"),
    "a long header": with_length(b"{}", "200 OK", "X: " + "x" * 70_000),
    "no JSON": with_length(b"{", "200 OK"),
    "a page": with_length(b"<html>", "200 OK", "Content-Type: text/html"),
    "a redirect": with_length(b"", "302 Found", "Location: https://elsewhere.test/"),
    "a refusal": with_length(b"{}", "403 Forbidden"),
    "a failure": with_length(b"{}", "503 Busy"),
    "silence": hang,
}


async def content():
    yield b"1"


CALLS = {
    "a read": lambda w: w.clusters.get("c1"),
    "a listing": lambda w: w.jobs.list().collect(),
    "an unsafe call": lambda w: w.clusters.create(SPEC),
    "a call with a token": lambda w: w.jobs.run_now(1),
    "a stream": lambda w: w.workspace.download("/x").read(),
    "an upload": lambda w: w.workspace.upload("/x", content(), format="RAW"),
    "any other": lambda w: w.request("PATCH", "/api/2.0/x", body={"a": 1}),
}


def chain(error):
    """The error and all that it came from."""
    found, waiting = [], [error]
    while waiting:
        one = waiting.pop()
        if one is not None and one not in found:
            found.append(one)
            waiting += [one.__cause__, one.__context__, *getattr(one, "exceptions", ())]
    return found


def frames(error):
    """All frames that a report of the error may show, but those of the tests."""
    return [
        frame
        for one in chain(error)
        for frame, _ in traceback.walk_tb(one.__traceback__)
        if "/tests/" not in frame.f_code.co_filename
    ]


def assert_bare(error, *secrets):
    assert not [one for one in chain(error) if type(one).__module__.startswith("aiohttp")]
    shown = "".join(traceback.format_exception(error)) + repr(chain(error)) + str([vars(one) for one in chain(error)])
    for frame in frames(error):
        assert "/aiohttp/" not in frame.f_code.co_filename
        shown += repr(frame.f_locals)
    for secret in secrets:
        assert secret not in shown


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("call", CALLS)
async def test_a_failed_call_shows_no_secret(server, connect, call, answer):
    """In its chain, and in the locals of its frames, which Sentry, rich and pytest -l show."""
    server.answer = ANSWERS[answer]
    w = connect(server.url, token=TOKEN, http_timeout_seconds=0.1, max_answer_bytes=1000)
    try:
        await CALLS[call](w)
    except DatabricksError as error:
        assert_bare(error, TOKEN)
    else:
        assert call in ("a stream", "an upload", "a call with a token")  # which take this for an answer


async def test_a_cancelled_call_shows_no_secret(server, connect):
    """Nor one that a time limit of the caller ends."""
    server.answer = hang
    w = connect(server.url, token=TOKEN)
    for call in CALLS.values():
        with pytest.raises(TimeoutError) as raised:
            async with asyncio.timeout(0.05):
                await call(w)
        assert_bare(raised.value, TOKEN)


async def test_a_call_without_a_connection_shows_no_secret(server, connect):
    """Refused, unknown, not trusted; the system's own error is what it came from."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    await server.close()
    hosts = [server.url, "https://no-such-host.invalid"]
    await server.start(context)
    for host in (*hosts, server.url):
        with pytest.raises(DatabricksError) as raised:
            await connect(host, token=TOKEN).clusters.get("c1")
        assert_bare(raised.value, TOKEN)
        assert isinstance(raised.value.__cause__, OSError)


ECHOES = {
    "a refusal": lambda said: with_length(json.dumps({"error_code": "X", "message": f"no: {said}"}).encode(), "400 No"),
    "its code": lambda said: with_length(json.dumps({"error_code": said, "message": "no"}).encode(), "400 No"),
    "its text": lambda said: with_length(f"what is {said}?".encode(), "500 Oops"),
    "its page": lambda said: with_length(f"<html><title>{said}</title>".encode(), "502 Oops"),
    "an id": lambda said: with_length(b"{}", "400 No", f"X-Request-Id: {said}"),
    "an address": lambda said: with_length(b"", "302 Found", f"Location: https://elsewhere.test/{said}"),
    "a page": lambda said: with_length(f"<html><title>{said}</title>".encode(), "200 OK", "Content-Type: text/html"),
}


@pytest.mark.parametrize("echo", ECHOES)
async def test_what_was_sent_is_not_echoed(server, connect, echo, caplog):
    """The very strings: tokens of any kind, and secrets that look like nothing."""
    caplog.set_level(logging.DEBUG)
    for token in (TOKEN, "0123-abcd-plain-words"):
        server.answer = ECHOES[echo](f"Bearer {token}" if echo == "its text" else token)
        with pytest.raises(DatabricksError) as raised:
            await connect(server.url, token=token).clusters.get("c1")
        assert "***" in str(raised.value)
        assert token not in str(raised.value) + repr(raised.value) + raised.value.message + caplog.text
        await server.hung_up()


async def test_a_reason_that_echoes_a_token_is_masked(server, connect):
    """Also in an answer that is no error itself."""
    state = {"cluster_id": "c1", "state": "ERROR", "state_message": f"cannot start with {TOKEN}"}
    server.answer = with_length(json.dumps(state).encode())
    w = connect(server.url, token=TOKEN, poll_interval_seconds=0.01)
    with pytest.raises(OperationFailed) as raised:
        await w.clusters.wait_running("c1").result(timeout=5)
    assert TOKEN not in str(raised.value)


@pytest.mark.parametrize("echo", ["secret", "basic"])
async def test_a_client_secret_is_not_echoed(server, connect, echo):
    """Nor its Basic form."""
    basic = base64.b64encode(f"me:{SECRET}".encode()).decode()
    said = SECRET if echo == "secret" else basic
    body = json.dumps({"error": "invalid_client", "error_description": f"bad: {said}"}).encode()
    discovered = json.dumps({"token_endpoint": f"{server.url}/token"}).encode()

    async def answer(reader, writer):
        asked_for_token = server.received[-1].startswith(b"POST")
        writer.write(with_length(body, "401 Unauthorized") if asked_for_token else with_length(discovered))

    server.answer = answer
    w = connect(server.url, token=None, client_id="me", client_secret=SECRET)
    with pytest.raises(AuthError) as raised:
        await w.clusters.get("c1")
    assert_bare(raised.value, SECRET, basic)


async def test_a_client_is_not_pickled(server, connect):
    """Used or not, nor copied; and says why."""
    w = connect(server.url, token=TOKEN)
    for _ in range(2):
        for keep in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match="a client is not pickled or copied: it holds secrets and connections"):
                keep(w)
        server.answer = with_length(b"{}")
        await w.clusters.list().collect()


def test_short_words_are_not_taken_for_secrets():
    """A token of a test, such as `t`, would mask half of each message."""
    remember_headers({"Authorization": "Bearer t"})
    assert str(InvalidResponse("no t, x or abc")) == "no t, x or abc"
