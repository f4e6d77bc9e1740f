"""Large content: multipart imports, direct downloads, and what goes wrong on the way.

Here are the tests of `local/http/multipart.py`.
"""

from __future__ import annotations

import asyncio
import hashlib
import io

import aiohttp
import pytest

from databricks_async.local import Fault, RateLimit

STATUS = "/api/2.0/workspace/get-status"
IMPORT = "/api/2.0/workspace/import"
EXPORT = "/api/2.0/workspace/export"
MB = 1024 * 1024
HEADER = b"# Databricks notebook source\n"
NAMES = ["with space", "ümläut-日本", "100%", "50%25", "a#b", "a?b", "a&b=c", "a+b", 'a "quoted" b', "back\\slash"]


async def upload(wire, path, content, **fields):
    """The status and answer of a multipart import, the content as a file."""
    form = aiohttp.FormData()
    for name, value in {"path": path, **fields}.items():
        form.add_field(name, value)
    form.add_field("content", content if hasattr(content, "__aiter__") else io.BytesIO(content), filename="content")
    return await wire.send("POST", IMPORT, data=form)


async def download(wire, path):
    params = {"path": path, "direct_download": "true"}
    headers = {"Authorization": f"Bearer {wire.token}"}
    async with wire.session.get(wire.workspace.url + EXPORT, params=params, headers=headers) as response:
        assert response.status == 200
        return await response.read()


async def pieces(count, digest=None):
    """So many megabytes, no two the same."""
    for number in range(count):
        piece = number.to_bytes(4, "big") * (MB // 4)
        if digest is not None:
            digest.update(piece)
        yield piece


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("content", [b"", b"\r\n--", b"\0\xff" * 1000])
async def test_a_multipart_import_takes_any_name_and_content(wire, name, content):
    """Byte for byte."""
    assert await upload(wire, f"/Shared/{name}", content, format="RAW") == (200, {})
    assert await download(wire, f"/Shared/{name}") == content


async def test_the_fields_of_a_form_are_those_of_the_json_body(wire):
    """Language and overwrite as text."""
    assert (await upload(wire, "/Shared/nb", b"1", format="SOURCE", language="SQL"))[0] == 200
    status, answer = await upload(wire, "/Shared/nb", b"1", language="SQL", overwrite="false")
    assert (status, answer["error_code"]) == (400, "RESOURCE_ALREADY_EXISTS")
    assert (await upload(wire, "/Shared/nb", b"2", language="SQL", overwrite="true"))[0] == 200
    assert await download(wire, "/Shared/nb") == b"-- Databricks notebook source\n2"


async def test_the_content_may_come_first_and_as_a_plain_field(wire):
    """The order of the parts says nothing."""
    form = aiohttp.FormData()
    form.add_field("content", "é", content_type="text/plain; charset=utf-8")
    form.add_field("format", "RAW")
    form.add_field("path", "/Shared/x")
    assert (await wire.send("POST", IMPORT, data=form))[0] == 200
    assert await download(wire, "/Shared/x") == "é".encode()


async def test_files_of_many_megabytes_pass_whole(wire):
    """48 MB in, of unknown length, and out again."""
    digest = hashlib.sha256()
    assert await upload(wire, "/Shared/big", pieces(48, digest), format="AUTO") == (200, {})
    status = await wire.ok("GET", STATUS, path="/Shared/big")
    assert (status["object_type"], status["size"]) == ("FILE", 48 * MB)
    assert hashlib.sha256(await download(wire, "/Shared/big")).digest() == digest.digest()


async def test_the_journal_keeps_the_size_alone(wire, workspace):
    """The fields of the form, and how long the content was."""
    await upload(wire, "/Shared/x", b"secret content", format="RAW", overwrite="true")
    body = {"path": "/Shared/x", "format": "RAW", "overwrite": "true", "content": "<14 bytes>"}
    assert workspace.journal.entries[-1].body == body
    assert "secret content" not in repr(workspace.journal.entries[-1])


@pytest.mark.parametrize(("name", "fields"), [("nb", {"language": "PYTHON"}), ("nb.py", {"format": "AUTO"})])
async def test_a_notebook_has_the_small_limit_in_a_form_too(wire, name, fields):
    """10,485,760 bytes."""
    content = HEADER + bytes(10 * MB)
    status, answer = await upload(wire, f"/Shared/{name}", content, **fields)
    assert (status, answer["error_code"]) == (400, "MAX_NOTEBOOK_SIZE_EXCEEDED")
    assert (await upload(wire, f"/Shared/{name}", content[: 10 * MB], **fields))[0] == 200


async def test_a_body_that_is_announced_too_large_is_refused_unread(wire):
    """500 MB are the most that a file may have; the answer comes before the body."""
    headers = {"Content-Length": str(502 * MB), "Content-Type": "multipart/form-data; boundary=x"}

    async def beginning():
        yield b"--x\r\n"
        await asyncio.Event().wait()

    status, answer = await wire.send("POST", IMPORT, data=beginning(), headers=headers)
    assert (status, answer["error_code"]) == (400, "MAX_NOTEBOOK_SIZE_EXCEEDED")


@pytest.mark.parametrize(
    ("content_type", "body", "code"),
    [
        ("multipart/form-data", b"", "MALFORMED_REQUEST"),
        ("multipart/form-data; boundary=x", b"", "MALFORMED_REQUEST"),
        ("multipart/form-data; boundary=x", b"no boundary", "MALFORMED_REQUEST"),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\nno name\r\n--x--\r\n", "MALFORMED_REQUEST"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="content"\r\n\r\ncut off',
            "MALFORMED_REQUEST",
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="path"\r\n\r\n\xff\r\n--x--\r\n',
            "MALFORMED_REQUEST",
        ),
        ("multipart/form-data; boundary=x", b"--x--\r\n", "INVALID_PARAMETER_VALUE"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="path"\r\n\r\n/Shared/x\r\n--x--\r\n',
            "INVALID_PARAMETER_VALUE",
        ),
    ],
)
async def test_broken_forms_are_refused(wire, content_type, body, code):
    """As 400, in the service's own format."""
    status, answer = await wire.send("POST", IMPORT, data=body, headers={"Content-Type": content_type})
    assert (status, answer["error_code"]) == (400, code)


async def test_only_an_import_is_read_as_a_form(wire):
    """Elsewhere a multipart body is no JSON, and the limit on bodies is the usual one."""
    form = aiohttp.FormData()
    form.add_field("path", "/Shared/x", filename="x")
    status, answer = await wire.send("POST", "/api/2.0/workspace/mkdirs", data=form)
    assert (status, answer["error_code"]) == (400, "MALFORMED_REQUEST")
    form = aiohttp.FormData()
    form.add_field("content", pieces(65), filename="x")
    status, answer = await wire.send("POST", "/api/2.0/workspace/mkdirs", data=form)
    assert (status, answer["error_code"]) == (413, "MAX_REQUEST_SIZE_EXCEEDED")


async def test_a_download_can_be_cut_off(wire, workspace):
    """The length is promised and half of it sent."""
    workspace.add_object("/Shared/x", bytes(6 * MB))
    workspace.faults.add("GET /api/{v}/workspace/export", Fault.cut())
    params = {"path": "/Shared/x", "direct_download": "true"}
    headers = {"Authorization": f"Bearer {wire.token}"}
    async with wire.session.get(workspace.url + EXPORT, params=params, headers=headers) as response:
        assert response.content_length == 6 * MB
        assert len(await response.content.readexactly(3 * MB)) == 3 * MB
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.content.read(1)
    assert len(await download(wire, "/Shared/x")) == 6 * MB


@pytest.mark.parametrize(("fault", "stored"), [(Fault.drop(), False), (Fault.drop(after=True), True)])
async def test_an_upload_can_be_dropped(wire, workspace, fault, stored):
    """Before it takes effect or after."""
    workspace.faults.add("POST /api/{v}/workspace/import", fault)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await upload(wire, "/Shared/x", b"1", format="RAW")
    assert ((await wire.get(STATUS, path="/Shared/x"))[0] == 200) is stored


async def test_rate_limits_cover_transfers(wire, workspace):
    """A refused upload is read, and leaves nothing behind."""
    workspace.rate_limit = RateLimit(per_second=0.001, burst=1, endpoint="* /api/{v}/workspace/*")
    first = await upload(wire, "/Shared/a", b"1", format="RAW")
    second = await upload(wire, "/Shared/b", pieces(3), format="RAW")
    workspace.rate_limit = None
    assert (first[0], second[0]) == (200, 429)
    assert (await wire.get(STATUS, path="/Shared/b"))[0] == 404


async def test_an_upload_that_breaks_off_never_was(wire, workspace):
    """The client leaves in the middle of the body."""

    async def half():
        yield bytes(MB)
        raise OSError("the disk is gone")

    with pytest.raises((OSError, aiohttp.ClientError)):
        await upload(wire, "/Shared/x", half(), format="RAW")
    await workspace.journal.until(lambda journal: journal.entries and not journal.in_flight)
    assert workspace.journal.entries[0].status is None
    assert (await wire.get(STATUS, path="/Shared/x"))[0] == 404


async def test_a_client_may_leave_in_the_middle_of_a_download(wire, workspace):
    """The connection ends and the workspace serves on."""
    workspace.add_object("/Shared/x", bytes(64 * MB))
    params = {"path": "/Shared/x", "direct_download": "true"}
    headers = {"Authorization": f"Bearer {wire.token}"}
    async with wire.session.get(workspace.url + EXPORT, params=params, headers=headers) as response:
        await response.content.read(10)
        response.close()
    await workspace.journal.until(lambda journal: journal.in_flight == 0)
    assert (await wire.get(STATUS, path="/Shared/x"))[0] == 200


async def test_the_workspace_may_close_in_the_middle_of_a_download(wire, workspace):
    """Nothing waits for the slow reader."""
    workspace.add_object("/Shared/x", bytes(64 * MB))
    params = {"path": "/Shared/x", "direct_download": "true"}
    headers = {"Authorization": f"Bearer {wire.token}"}
    async with wire.session.get(workspace.url + EXPORT, params=params, headers=headers) as response:
        await response.content.read(10)
        await asyncio.wait_for(workspace.close(), 5)
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()
