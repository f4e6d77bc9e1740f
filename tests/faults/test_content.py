"""Streams over bad connections and from odd servers: what is slow lives, what is dead ends, what was said is heard."""

from __future__ import annotations

import asyncio

import pytest

from databricks_async.errors import (
    DatabricksError,
    InvalidResponse,
    MaxNotebookSizeExceeded,
    PermissionDenied,
    RequestTimeout,
)

pytestmark = pytest.mark.usefixtures("virtual_time")

ERROR = b'{"error_code": "MAX_NOTEBOOK_SIZE_EXCEEDED", "message": "Size exceeds 10485760 bytes"}'


def head(length, status="200 OK", **headers):
    lines = [f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return "\r\n".join([*lines, "", ""]).encode()


def chunked(*pieces):
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (*pieces, b""))


async def test_a_slow_download_is_not_cut_off(server, connect):
    """The time limit is for each wait, not for the whole."""

    async def trickle(reader, writer):
        writer.write(head(10))
        for _ in range(10):
            await asyncio.sleep(0.04)
            writer.write(b"x")
            await writer.drain()

    server.answer = trickle
    client = connect(server.url, http_timeout_seconds=0.2)
    assert await client.workspace.download("/x").read() == b"x" * 10


async def test_a_reader_may_take_its_time(server, connect):
    """What it does between two pieces is its own affair."""
    server.answer = head(10) + b"x" * 10
    client = connect(server.url, http_timeout_seconds=0.05)
    async for _ in client.workspace.download("/x"):
        await asyncio.sleep(0.15)


async def test_a_dead_download_ends(server, connect):
    """With the error of a call that gets no answer."""

    async def fall_silent(reader, writer):
        writer.write(head(10) + b"x")
        await reader.read()

    server.answer = fall_silent
    client = connect(server.url, http_timeout_seconds=0.1)
    with pytest.raises(RequestTimeout, match=r"nothing more came within 0\.1 s"):
        await client.workspace.download("/x").read()
    await server.hung_up()


async def test_a_slow_upload_is_not_cut_off(server, connect):
    """As long as the other side goes on reading."""
    received = bytearray()

    async def read_slowly(reader, writer):
        for _ in range(40):
            await asyncio.sleep(0.02)
            received.extend(await reader.read(1_000_000))
        while b"--\r\n" not in received[-4:]:
            received.extend(await reader.read(1_000_000))
        writer.write(head(2, Content_Type="application/json") + b"{}")

    server.answer = read_slowly
    client = connect(server.url, http_timeout_seconds=0.3)
    await client.workspace.upload("/x", bytes(30_000_000), format="RAW")
    assert len(received) > 30_000_000


async def test_a_dead_upload_ends(server, connect):
    """When it is not read any more."""

    async def fall_silent(reader, writer):
        await asyncio.sleep(5)

    server.answer = fall_silent
    client = connect(server.url, http_timeout_seconds=0.2)
    with pytest.raises(RequestTimeout):
        await client.workspace.upload("/x", bytes(30_000_000), format="RAW")


async def test_an_early_refusal_is_heard(server, connect):
    """Answered after the headers, while most of the content is still here: nothing waits for it to be sent."""

    async def refuse(reader, writer):
        body = b'{"error_code": "PERMISSION_DENIED", "message": "not you"}'
        writer.write(head(len(body), "403 Forbidden", Content_Type="application/json") + body)
        await writer.drain()
        await reader.read()  # until the client hangs up

    server.answer = refuse
    client = connect(server.url, http_timeout_seconds=5)
    async with asyncio.timeout(3):
        with pytest.raises(PermissionDenied, match="not you"):
            await client.workspace.upload("/x", bytes(50_000_000), format="RAW")
    await server.hung_up()


@pytest.mark.parametrize(
    ("length", "headers", "body"),
    [
        (len(ERROR), {"Content_Type": "application/json"}, ERROR),
        (len(ERROR), {"Content_Type": "application/json; charset=utf-8"}, ERROR),
        (None, {"Content_Type": "application/json", "Transfer_Encoding": "chunked"}, chunked(ERROR[:20], ERROR[20:])),
    ],
    ids=["json", "with charset", "chunked"],
)
async def test_an_error_that_says_200_is_no_content(server, connect, tmp_path, length, headers, body):
    """It is declared as JSON, and as no file."""
    server.answer = head(length, **headers) + body
    with pytest.raises(MaxNotebookSizeExceeded, match="Size exceeds"):
        await connect(server.url).workspace.download("/x").save(tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        (ERROR, {"Content_Type": "application/octet-stream"}),
        (ERROR, {}),
        (ERROR, {"Content_Type": "application/json", "Content_Disposition": "attachment; filename=error.json"}),
        (b'{"error_code": 1, "rows": []}', {"Content_Type": "application/json"}),
        (b"[" + b"1," * 100_000 + b"1]", {"Content_Type": "application/json"}),
        (b"{}", {"Content_Type": "application/json"}),
        (b"<html><title>mine</title></html>", {"Content_Type": "text/html", "Content_Disposition": "attachment"}),
    ],
    ids=["a file", "of no type", "attached", "with more in it", "long", "short", "a page"],
)
async def test_a_file_may_look_like_an_error(server, connect, content, headers):
    """It comes as it is, whatever is in it."""
    server.answer = head(len(content), **headers) + content
    assert await connect(server.url).workspace.download("/x").read() == content


@pytest.mark.parametrize(
    "answer",
    [
        head(0, "302 Found", Location="https://elsewhere/login.html"),
        head(3, "404 Not Found", Content_Type="text/plain") + b"no.",
        head(0, "500 Internal Server Error"),
        head(32, Content_Type="text/html; charset=utf-8") + b"<html><title>Sign in</title></html>"[:32],
        b"hello\r\n\r\n",
    ],
    ids=["redirect", "404", "500", "a page", "not HTTP"],
)
async def test_what_is_no_content_is_an_error(server, connect, answer):
    """As for any call."""
    server.answer = answer
    with pytest.raises(DatabricksError):
        await connect(server.url).workspace.download("/x").read()


async def test_a_length_that_was_not_told_is_no_obstacle(server, connect):
    """A download in pieces of unknown number is read to its end, and goes on after a loss."""
    pieces = [bytes([number]) * 1000 for number in range(100)]
    whole = head(None, Transfer_Encoding="chunked") + chunked(*pieces)
    answers = [whole[:-50_000], whole[:-10_000], whole]

    async def answer(reader, writer):
        writer.write(answers.pop(0))

    server.answer = answer
    client = connect(server.url, retry_timeout_seconds=30)
    assert await client.workspace.download("/x").read() == b"".join(pieces)


async def test_a_form_is_answered_with_json(server, connect):
    """Anything else is not taken for success."""

    async def answer(reader, writer):
        await reader.readuntil(b"--\r\n")
        writer.write(head(22, Content_Type="text/html") + b"<html>log in</html>   ")

    server.answer = answer
    with pytest.raises(InvalidResponse):
        await connect(server.url).workspace.upload("/x", b"y", format="RAW")
