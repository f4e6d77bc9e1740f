"""What import takes and export gives, in every format, and what both refuse.

Here are the tests of `local/objects/sizes.py`.
"""

from __future__ import annotations

import base64
import io
import zipfile

import orjson
import pytest

STATUS = "/api/2.0/workspace/get-status"
LIST = "/api/2.0/workspace/list"
IMPORT = "/api/2.0/workspace/import"
EXPORT = "/api/2.0/workspace/export"
PYTHON = b"# Databricks notebook source\nprint(1)\n"
HEADERS = {
    "py": b"# Databricks notebook source\n",
    "sql": b"-- Databricks notebook source\n",
    "scala": b"// Databricks notebook source\n",
    "r": b"# Databricks notebook source\n",
    "R": b"# Databricks notebook source\n",
}
LANGUAGES = {"py": "PYTHON", "sql": "SQL", "scala": "SCALA", "r": "R", "R": "R"}
LIMIT = 10_485_760


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def zipped(**entries: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def broken() -> bytes:
    """A zip file whose compressed content is damaged."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.py", b"1" * 100)
    whole = bytearray(buffer.getvalue())
    start = 30 + len("a.py")
    whole[start : start + 3] = b"\xff\xff\xff"
    return bytes(whole)


async def send(wire, path, content, fields):
    # aiohttp warns of bodies over a megabyte that are plain bytes.
    body = io.BytesIO(orjson.dumps({"path": path, "content": b64(content), **fields}))
    return await wire.send("POST", IMPORT, data=body, headers={"Content-Type": "application/json"})


async def put(wire, path, content, **fields):
    """Import what must be taken, as a file unless told otherwise."""
    assert await send(wire, path, content, {"format": "RAW"} | fields) == (200, {})


async def refused(wire, path, content=b"", **fields):
    """The status, code and message of an import that must be refused."""
    status, answer = await send(wire, path, content, fields)
    assert status != 200
    return status, answer["error_code"], answer["message"]


async def take(wire, path, **params):
    """What export gives, decoded."""
    return base64.b64decode((await wire.ok("GET", EXPORT, path=path, **params))["content"])


async def download(wire, path, **params):
    """The status, content type and body of a direct download."""
    params = {"path": path, "direct_download": "true", **params}
    headers = {"Authorization": f"Bearer {wire.token}"}
    async with wire.session.get(wire.workspace.url + EXPORT, params=params, headers=headers) as response:
        return response.status, response.content_type, await response.read()


async def kind(wire, path):
    status = await wire.ok("GET", STATUS, path=path)
    return status["object_type"], status.get("language")


async def listed(wire, path):
    """All objects below a directory, with their types."""
    found = {}
    for one in (await wire.ok("GET", LIST, path=path)).get("objects", []):
        found[one["path"]] = one["object_type"]
        if one["object_type"] == "DIRECTORY":
            found |= await listed(wire, one["path"])
    return found


@pytest.mark.parametrize("content", [b"", b"\x00\xff\r\n", PYTHON])
@pytest.mark.parametrize("path", ["/Shared/data", "/Shared/x.py", "/Shared/x.ipynb"])
async def test_raw_is_a_file_with_its_bytes(wire, content, path):
    """Whatever its name and first line; base64 in JSON or as it is."""
    await put(wire, path, content)
    assert await kind(wire, path) == ("FILE", None)
    for format_ in ("SOURCE", "AUTO", "RAW"):
        assert await take(wire, path, format=format_) == content
        assert await download(wire, path, format=format_) == (200, "application/octet-stream", content)


@pytest.mark.parametrize("extension", HEADERS)
async def test_auto_knows_notebooks_by_extension_and_first_line(wire, extension):
    """And takes the extension off."""
    await put(wire, f"/Shared/a.b.{extension}", HEADERS[extension] + b"1", format="AUTO")
    assert await kind(wire, "/Shared/a.b") == ("NOTEBOOK", LANGUAGES[extension])
    assert await take(wire, "/Shared/a.b", format="AUTO") == HEADERS[extension] + b"1"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.py", b"print(1)"),
        ("x.py", b"\n" + PYTHON),
        ("x.py", b"# Databricks notebook sources\n"),
        ("x.sql", PYTHON),
        ("x.txt", PYTHON),
        ("x", PYTHON),
        (".py", PYTHON),
        ("x.py", b""),
        ("x.zip", b"PK\x05\x06" + bytes(18)),
    ],
)
async def test_auto_takes_anything_else_for_a_file(wire, name, content):
    """Under the name given, byte for byte."""
    await put(wire, f"/Shared/{name}", content, format="AUTO")
    assert await kind(wire, f"/Shared/{name}") == ("FILE", None)
    assert await take(wire, f"/Shared/{name}") == content


async def test_auto_knows_jupyter_notebooks_by_extension(wire):
    """Their language is in them."""
    notebook = {
        "cells": [{"cell_type": "code", "source": ["1\n", "2"], "metadata": {}}],
        "metadata": {"language_info": {"name": "scala"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    await put(wire, "/Shared/nb.ipynb", orjson.dumps(notebook), format="AUTO")
    assert await kind(wire, "/Shared/nb") == ("NOTEBOOK", "SCALA")
    assert await take(wire, "/Shared/nb") == b"// Databricks notebook source\n1\n2\n"


async def test_source_without_the_header_line_gets_it(wire):
    """SOURCE is the default of both; the name stays as it is."""
    await put(wire, "/Shared/nb.py", b"print(1)", format="SOURCE", language="PYTHON")
    assert await kind(wire, "/Shared/nb.py") == ("NOTEBOOK", "PYTHON")
    answer = await wire.ok("GET", EXPORT, path="/Shared/nb.py")
    assert answer == {"content": b64(b"# Databricks notebook source\nprint(1)"), "file_type": "py"}


async def test_overwrite_replaces_the_content_of_the_same_object(wire, workspace):
    """The object keeps its id and its time of creation."""
    await put(wire, "/Shared/nb", b"1", format="SOURCE", language="PYTHON")
    before = await wire.ok("GET", STATUS, path="/Shared/nb")
    workspace.clock.advance(5)
    await put(wire, "/Shared/nb", b"2", format="SOURCE", language="SQL", overwrite=True)
    after = await wire.ok("GET", STATUS, path="/Shared/nb")
    assert after == before | {"language": "SQL", "modified_at": before["modified_at"] + 5000}
    assert await take(wire, "/Shared/nb") == b"-- Databricks notebook source\n2"


async def test_what_exists_is_not_replaced_unasked(wire, workspace):
    """RESOURCE_ALREADY_EXISTS for a notebook, a file and a directory."""
    workspace.add_object("/Shared/nb", b"1", language="SQL")
    workspace.add_object("/Shared/file", b"1")
    for path in ("/Shared/nb", "/Shared/file", "/Shared"):
        message = f"Path ({path}) already exists."
        assert await refused(wire, path, b"2", format="RAW") == (400, "RESOURCE_ALREADY_EXISTS", message)


@pytest.mark.parametrize(
    ("path", "fields", "requested", "existing"),
    [
        ("/Shared/nb", {"format": "RAW"}, "FILE", "NOTEBOOK"),
        ("/Shared/file", {"language": "SQL"}, "NOTEBOOK", "FILE"),
        ("/Shared", {"format": "RAW"}, "FILE", "DIRECTORY"),
        ("/Shared", {"language": "SQL"}, "NOTEBOOK", "DIRECTORY"),
    ],
)
async def test_nothing_is_replaced_by_another_kind(wire, workspace, path, fields, requested, existing):
    """Not even with overwrite."""
    workspace.add_object("/Shared/nb", b"1", language="SQL")
    workspace.add_object("/Shared/file", b"1")
    message = f"Requested node type [{requested}] is different from the existing node type [{existing}]"
    expected = (400, "INVALID_PARAMETER_VALUE", message)
    assert await refused(wire, path, b"2", overwrite=True, **fields) == expected


@pytest.mark.parametrize("path", ["/Shared/no/such/nb", "/Shared/file/nb"])
async def test_import_makes_no_parents(wire, workspace, path):
    """404, with the words of the service."""
    workspace.add_object("/Shared/file", b"1")
    message = f"The parent folder ({path.rpartition('/')[0]}) does not exist."
    assert await refused(wire, path, format="RAW") == (404, "RESOURCE_DOES_NOT_EXIST", message)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"content": "YQ==", "format": "SOURCE"}, "language"),
        ({"content": "YQ=="}, "language"),
        ({"content": "YQ", "format": "RAW"}, "base64"),
        ({"content": "Y*Q=", "format": "RAW"}, "base64"),
        ({"content": "ü", "format": "RAW"}, "base64"),
        ({"format": "RAW"}, "content"),
        ({"content": 1, "format": "RAW"}, "content"),
        ({"content": "", "format": "raw"}, "format"),
        ({"content": "", "language": "COBOL"}, "language"),
        ({"content": b64(b"PK\x03\x04 no zip"), "format": "DBC"}, "DBC"),
        ({"content": b64(b"PK\x03\x04 no zip"), "format": "SOURCE"}, "SOURCE"),
        ({"content": b64(zipped()), "format": "DBC"}, "empty"),
        ({"content": b64(zipped(**{"a.python": b"{}"})), "format": "DBC"}, "DBC"),
        ({"content": b64(broken()), "format": "SOURCE"}, "SOURCE"),
        ({"content": b64(b"{"), "format": "JUPYTER"}, "JUPYTER"),
        ({"content": b64(b"[]"), "format": "JUPYTER"}, "JUPYTER"),
        ({"content": b64(b'{"nbformat": 3, "worksheets": []}'), "format": "JUPYTER"}, "JUPYTER"),
        ({"content": b64(b"<html></html>"), "format": "HTML"}, "HTML"),
        ({"content": "", "format": "DBC", "overwrite": True}, "overwrite"),
    ],
)
async def test_what_cannot_be_read_is_refused(wire, body, words):
    """400, and the message names what is wrong."""
    status, answer = await wire.post(IMPORT, path="/Shared/x", **body)
    assert (status, answer["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert words in answer["message"]
    assert await listed(wire, "/Shared") == {}


@pytest.mark.parametrize("path", ["x", "/Shared/..", "/Shared/a//b/"])
async def test_bad_paths_are_refused(wire, path):
    """Relative ones, and names that nothing can have."""
    assert (await refused(wire, path, format="RAW"))[0] in (400, 404)


async def test_base64_may_have_line_breaks(wire):
    """As some encoders put them in."""
    await wire.ok("POST", IMPORT, path="/Shared/x", content="YW\r\nI=\n", format="RAW")
    assert await take(wire, "/Shared/x") == b"ab"


async def test_json_takes_and_gives_ten_megabytes_and_no_more(wire, workspace):
    """A file of 10,485,760 bytes passes both ways; one byte more passes neither, save as a direct download."""
    await put(wire, "/Shared/most", bytes(LIMIT))
    assert len(await take(wire, "/Shared/most")) == LIMIT
    status, code, message = await refused(wire, "/Shared/more", bytes(LIMIT + 1), format="RAW")
    assert (status, code, message) == (400, "MAX_NOTEBOOK_SIZE_EXCEEDED", "Size exceeds 10485760 bytes.")
    workspace.add_object("/Shared/more", bytes(LIMIT + 1))
    status, answer = await wire.get(EXPORT, path="/Shared/more")
    assert (status, answer["error_code"]) == (400, "MAX_NOTEBOOK_SIZE_EXCEEDED")
    assert len((await download(wire, "/Shared/more"))[2]) == LIMIT + 1


async def test_a_direct_download_of_a_notebook_has_the_limit_too(wire, workspace):
    """Only files may be larger."""
    workspace.add_object("/Shared/nb", bytes(LIMIT), language="PYTHON")
    status, content_type, body = await download(wire, "/Shared/nb")
    assert (status, content_type) == (400, "application/json")
    assert orjson.loads(body)["error_code"] == "MAX_NOTEBOOK_SIZE_EXCEEDED"


@pytest.mark.parametrize(
    ("path", "format_"),
    [
        ("/Shared", "HTML"),
        ("/Shared", "JUPYTER"),
        ("/Shared", "R_MARKDOWN"),
        ("/Shared", "RAW"),
        ("/Shared/file", "HTML"),
        ("/Shared/file", "JUPYTER"),
        ("/Shared/file", "R_MARKDOWN"),
        ("/Shared/file", "DBC"),
    ],
)
async def test_what_has_no_such_format_is_refused(wire, workspace, path, format_):
    """Directories are archives, files are bytes."""
    workspace.add_object("/Shared/file", b"1")
    status, answer = await wire.get(EXPORT, path=path, format=format_)
    assert (status, answer["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


@pytest.mark.parametrize("params", [{}, {"direct_download": "true"}])
async def test_what_does_not_exist_cannot_be_exported(wire, params):
    """404 as JSON, also where bytes were asked for."""
    status, answer = await wire.get(EXPORT, path="/Shared/x", **params)
    assert (status, answer["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")


@pytest.fixture
def project(workspace):
    """A directory with notebooks in all languages, a file, and an empty directory."""
    for name, language in (("py", "PYTHON"), ("sql", "SQL"), ("scala", "SCALA"), ("r", "R")):
        workspace.add_object(f"/Shared/project/nb {name}", HEADERS[name] + b"1\n", language=language)
    workspace.add_object("/Shared/project/below/é.py", HEADERS["py"] + b"2\n", language="PYTHON")
    workspace.add_object("/Shared/project/below/data.bin", b"\0\1")
    workspace.add_object("/Shared/project/empty")


def opened(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.usefixtures("project")
async def test_a_directory_is_a_zip_of_sources(wire):
    """SOURCE has the notebooks, AUTO the files as well; each notebook has the extension of its language."""
    source, auto = [opened(await take(wire, "/Shared/project", format=one)) for one in ("SOURCE", "AUTO")]
    assert source == {
        "project/": b"",
        "project/nb py.py": HEADERS["py"] + b"1\n",
        "project/nb sql.sql": HEADERS["sql"] + b"1\n",
        "project/nb scala.scala": HEADERS["scala"] + b"1\n",
        "project/nb r.r": HEADERS["r"] + b"1\n",
        "project/below/": b"",
        "project/below/é.py.py": HEADERS["py"] + b"2\n",
        "project/empty/": b"",
    }
    assert auto == source | {"project/below/data.bin": b"\0\1"}


@pytest.mark.usefixtures("project")
async def test_a_direct_download_of_a_directory_is_the_archive(wire):
    """The same entries as in JSON."""
    status, content_type, body = await download(wire, "/Shared/project", format="AUTO")
    assert (status, content_type) == (200, "application/octet-stream")
    assert opened(body) == opened(await take(wire, "/Shared/project", format="AUTO"))


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("format_", ["DBC", "SOURCE"])
async def test_an_archive_restores_its_directory(wire, format_):
    """All notebooks and directories, though no files."""
    archive = await take(wire, "/Shared/project", format=format_)
    await put(wire, "/Shared/again", archive, format=format_)
    before, after = await listed(wire, "/Shared/project"), await listed(wire, "/Shared/again")
    del before["/Shared/project/below/data.bin"]
    assert {path.replace("/project", "/again"): one for path, one in before.items()} == after
    for path, one in after.items():
        if one == "NOTEBOOK":
            original = path.replace("/again", "/project")
            assert await take(wire, path) == await take(wire, original)
            assert await kind(wire, path) == await kind(wire, original)


async def test_an_archive_of_one_notebook_restores_the_notebook(wire):
    """At the path that was asked for, in its language."""
    await put(wire, "/Shared/nb", HEADERS["sql"] + b"select 1\n", format="SOURCE", language="SQL")
    await put(wire, "/Shared/again", await take(wire, "/Shared/nb", format="DBC"), format="DBC")
    assert await kind(wire, "/Shared/again") == ("NOTEBOOK", "SQL")
    assert await take(wire, "/Shared/again") == HEADERS["sql"] + b"select 1\n"


@pytest.mark.usefixtures("project")
async def test_an_archive_is_not_put_where_something_is(wire):
    """Nor where there is no directory for it."""
    archive = await take(wire, "/Shared/project", format="DBC")
    assert (await refused(wire, "/Shared/project", archive, format="DBC"))[1] == "RESOURCE_ALREADY_EXISTS"
    assert (await refused(wire, "/Shared/no/such", archive, format="DBC"))[0] == 404


@pytest.mark.usefixtures("project")
async def test_sources_of_a_directory_may_be_overwritten(wire):
    """What has the same name is replaced, the rest stays."""
    archive = await take(wire, "/Shared/project", format="SOURCE")
    await put(wire, "/Shared/project/nb py", b"changed", format="SOURCE", language="PYTHON", overwrite=True)
    await put(wire, "/Shared/project/extra", b"")
    await put(wire, "/Shared/project", archive, format="SOURCE", overwrite=True)
    assert await take(wire, "/Shared/project/nb py") == HEADERS["py"] + b"1\n"
    assert await kind(wire, "/Shared/project/extra") == ("FILE", None)


async def test_a_zip_made_by_hand_is_a_directory(wire):
    """Without entries for directories, and with scripts that lack the header line."""
    content = zipped(**{"a.py": b"1", "b/c.sql": b"2", "b/d.txt": b"3"})
    await put(wire, "/Shared/x", content, format="SOURCE")
    assert await listed(wire, "/Shared/x") == {
        "/Shared/x/a": "NOTEBOOK",
        "/Shared/x/b": "DIRECTORY",
        "/Shared/x/b/c": "NOTEBOOK",
        "/Shared/x/b/d.txt": "FILE",
    }


@pytest.mark.parametrize("name", ["../up.py", "/etc/x.py", "a/../../x.py"])
async def test_an_archive_leads_nowhere_else(wire, name):
    """Its names are checked before anything is made."""
    content = zipped(**{"fine.py": b"1", name: b"1"})
    assert (await refused(wire, "/Shared/x", content, format="SOURCE"))[1] == "INVALID_PARAMETER_VALUE"
    assert await listed(wire, "/Shared") == {}


async def test_a_notebook_and_a_file_of_its_source_name_can_share_an_archive(wire, workspace):
    """They are two objects of the workspace and two entries of one name."""
    workspace.add_object("/Shared/d/a", PYTHON, language="PYTHON")
    workspace.add_object("/Shared/d/a.py", b"file")
    with zipfile.ZipFile(io.BytesIO(await take(wire, "/Shared/d", format="AUTO"))) as archive:
        assert [archive.read(one) for one in archive.infolist()] == [b"", PYTHON, b"file"]


async def test_dashboards_are_files_of_another_kind(wire, workspace):
    """Made of `.lvdash.json`, exported as they are, in archives of files; no notebooks, and not found in those."""
    content = b'{"pages": []}'
    workspace.add_object("/Shared/d")
    for format_ in ("AUTO", "RAW"):
        await put(wire, f"/Shared/d/{format_}.lvdash.json", content, format=format_)
    workspace.add_object("/Shared/d/own.lvdash.json", content)
    found = (await wire.ok("GET", "/api/2.0/workspace/list", path="/Shared/d"))["objects"]
    assert [one["object_type"] for one in found] == ["DASHBOARD"] * 3
    assert all(len(one["resource_id"]) == 32 and "size" not in one for one in found)
    for format_ in ("SOURCE", "AUTO", "RAW"):
        assert await take(wire, "/Shared/d/own.lvdash.json", format=format_) == content
    for format_ in ("JUPYTER", "DBC", "HTML"):
        status, answer = await wire.get("/api/2.0/workspace/export", path=found[0]["path"], format=format_)
        assert (status, answer["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    archive = await take(wire, "/Shared/d", format="AUTO")
    await put(wire, "/Shared/e", archive, format="SOURCE")
    assert set((await listed(wire, "/Shared/e")).values()) == {"DASHBOARD"}
    assert zipfile.ZipFile(io.BytesIO(await take(wire, "/Shared/d"))).namelist() == ["d/"]
