"""The Workspace API in one piece: what is sent, what comes back, and what happens when an answer is lost.

Here are the tests of `workspace/api.py`, `workspace/models.py`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from databricks_async.errors import (
    BadRequest,
    InvalidResponse,
    MaxNotebookSizeExceeded,
    OutcomeUnknown,
    PermissionDenied,
    ResourceAlreadyExists,
    ResourceDoesNotExist,
)
from databricks_async.local import Fault
from databricks_async.workspace.models import (
    ExportFormat,
    ImportFormat,
    Language,
    ObjectInfo,
    ObjectType,
    WorkspaceObjectAccessControlRequest,
    WorkspaceObjectPermissionLevel,
)

IMPORT = "POST /api/{v}/workspace/import"
EXPORT = "GET /api/{v}/workspace/export"
DELETE = "POST /api/{v}/workspace/delete"
NAMES = ["plain", "two words", "Straße 東京 🧱", "100%", "%41", "a#b", "what?", "a&b=c+d", '"quoted"', "a\\b", "é"]


@pytest.mark.parametrize("name", NAMES)
async def test_any_name_comes_back_as_it_was(w, folder, name):
    """Blanks, other scripts and what means something in an address, in every operation."""
    path = f"{folder}/{name}"
    await w.workspace.mkdirs(path)
    await w.workspace.import_(f"{path}/{name}", b"content", format="RAW")
    await w.workspace.upload(f"{path}/{name} 2", b"content", format="RAW")
    assert [one.path async for one in w.workspace.list(path)] == [f"{path}/{name}", f"{path}/{name} 2"]
    assert (await w.workspace.get_status(f"{path}/{name}")).path == f"{path}/{name}"
    for each in (f"{path}/{name}", f"{path}/{name} 2"):
        assert await w.workspace.export(each, format="AUTO") == b"content"
        assert await w.workspace.download(each, format="AUTO").read() == b"content"
    await w.workspace.delete(path, recursive=True)
    with pytest.raises(ResourceDoesNotExist):
        await w.workspace.get_status(path)


async def test_an_object_is_described(w, folder):
    """Words of the service as words, its times as they are and as moments."""
    before = datetime.now(UTC)
    await w.workspace.import_(f"{folder}/etl.sql", "select 1")
    notebook = await w.workspace.get_status(f"{folder}/etl.sql")
    assert (notebook.object_type, notebook.language) == (ObjectType.NOTEBOOK, Language.SQL)
    assert notebook.created == datetime.fromtimestamp(notebook.created_at / 1000, UTC)
    assert abs(notebook.modified - before) < timedelta(days=1)
    assert (await w.workspace.get_status(folder)).object_type == ObjectType.DIRECTORY


def test_what_tomorrow_brings_is_kept():
    """Unknown fields and words are values, and written back."""
    known = {"path": "/x", "object_type": "HOLOGRAM", "language": "RUST", "shape": {"sides": 3}}
    described = ObjectInfo.from_dict(known)
    assert (described.object_type, described.object_type.is_known) == ("HOLOGRAM", False)
    assert described.as_dict() == known
    assert ObjectInfo().created is None


async def test_a_list_is_walked_or_collected(w, folder):
    """An empty folder is an empty list; a file lists itself; each loop asks anew."""
    listing = w.workspace.list(folder)
    assert await listing.collect() == []
    await w.workspace.import_(f"{folder}/a", "1", language="PYTHON")
    assert [one.path for one in await listing.collect()] == [f"{folder}/a"]
    assert [one.path async for one in w.workspace.list(f"{folder}/a")] == [f"{folder}/a"]
    with pytest.raises(ResourceDoesNotExist):
        await w.workspace.list("/nowhere").collect()


@pytest.mark.parametrize("moment", [1_700_000_000_000, datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)])
async def test_a_list_since_a_moment(w, workspace, folder, moment):
    """Milliseconds and datetimes are the same question."""
    await w.workspace.list(folder, notebooks_modified_after=moment).collect()
    assert workspace.journal.entries[-1].query == {"path": folder, "notebooks_modified_after": "1700000000000"}


async def test_directories_are_made_with_all_above_them(w, folder):
    """Doing so twice is fine; a file in the way is not."""
    await w.workspace.mkdirs(f"{folder}/a/b/c")
    await w.workspace.mkdirs(f"{folder}/a/b/c")
    assert [one.path async for one in w.workspace.list(f"{folder}/a")] == [f"{folder}/a/b"]
    await w.workspace.import_(f"{folder}/file", b"", format="RAW")
    with pytest.raises(ResourceAlreadyExists):
        await w.workspace.mkdirs(f"{folder}/file/below")


async def test_a_full_directory_is_deleted_only_with_all_in_it(w, workspace, folder):
    """The flag is sent when it is given."""
    await w.workspace.mkdirs(f"{folder}/a/b")
    with pytest.raises(BadRequest) as caught:
        await w.workspace.delete(f"{folder}/a")
    assert caught.value.error_code == "DIRECTORY_NOT_EMPTY"
    await w.workspace.delete(f"{folder}/a", recursive=True)
    assert [call.body for call in workspace.journal.calls(DELETE)] == [
        {"path": f"{folder}/a"},
        {"path": f"{folder}/a", "recursive": True},
    ]
    with pytest.raises(ResourceDoesNotExist):
        await w.workspace.delete(f"{folder}/a")


async def test_depth_is_no_limit(w, folder):
    """A thousand directories below each other are made, archived, and deleted with all in them."""
    await w.workspace.mkdirs(folder + "/d" * 1000)
    assert (await w.workspace.export(f"{folder}/d")).startswith(b"PK")
    await w.workspace.delete(f"{folder}/d", recursive=True)
    assert await w.workspace.list(folder).collect() == []


@pytest.mark.parametrize(
    ("name", "language"),
    [("a.py", "PYTHON"), ("a.sql", "SQL"), ("a.scala", "SCALA"), ("a.r", "R"), ("a.R", "R"), ("A.PY", "PYTHON")],
)
@pytest.mark.parametrize("form", [None, "SOURCE", ImportFormat.SOURCE])
async def test_the_language_of_a_source_is_guessed(w, folder, tmp_path, name, language, form):
    """From the path, else from the local file, for both ways of sending."""
    local = tmp_path / name
    local.write_text("1")
    for number, send in enumerate((w.workspace.import_, w.workspace.upload)):
        await send(f"{folder}/{number}-{name}", b"1", format=form)
        await send(f"{folder}/{number} without", local, format=form)
        for path in (f"{folder}/{number}-{name}", f"{folder}/{number} without"):
            assert (await w.workspace.get_status(path)).language == language


async def test_a_language_is_not_guessed_over_a_given_one_or_for_another_format(w, workspace, folder):
    """What is given is sent as it is, words of tomorrow too."""
    await w.workspace.import_(f"{folder}/a.py", "select 1", language=Language.SQL)
    assert (await w.workspace.get_status(f"{folder}/a.py")).language == Language.SQL
    await w.workspace.import_(f"{folder}/b.py", "1", format=ImportFormat.RAW)
    assert "language" not in workspace.journal.entries[-1].body
    with pytest.raises(BadRequest):
        await w.workspace.import_(f"{folder}/c.py", "1", format="HOLOGRAM", language="RUST")
    assert workspace.journal.entries[-1].body["format"] == "HOLOGRAM"
    workspace.journal.clear()


async def test_content_may_be_bytes_text_or_a_file(w, folder, tmp_path):
    """A str is text and never a path."""
    local = tmp_path / "local"
    local.write_bytes(b"\x00\xff file")
    given = {"bytes": b"\x00\xff", "bytearray": bytearray(b"\x01"), "text": "ä", "empty": b"", "path": local}
    for name, content in given.items():
        await w.workspace.import_(f"{folder}/{name}", content, format=ImportFormat.RAW)
    found = {name: await w.workspace.export(f"{folder}/{name}", format=ExportFormat.AUTO) for name in given}
    assert found == {
        "bytes": b"\x00\xff",
        "bytearray": b"\x01",
        "text": "ä".encode(),
        "empty": b"",
        "path": b"\x00\xff file",
    }


async def test_an_import_overwrites_only_when_told(w, folder):
    """And needs a folder that exists."""
    await w.workspace.import_(f"{folder}/a", "1", language="PYTHON")
    with pytest.raises(ResourceAlreadyExists):
        await w.workspace.import_(f"{folder}/a", "2", language="PYTHON")
    await w.workspace.import_(f"{folder}/a", "3", language="PYTHON", overwrite=True)
    assert (await w.workspace.export(f"{folder}/a")).endswith(b"3")
    with pytest.raises(ResourceDoesNotExist):
        await w.workspace.import_("/Users/nobody/deep/a", "1", language="PYTHON")


@pytest.mark.parametrize("status", [200, 400])
async def test_too_large_to_export_is_one_error_whatever_its_status(w, workspace, folder, status):
    """The service has answered it with both; for a download the same."""
    workspace.faults.add(EXPORT, Fault.error(status, "MAX_NOTEBOOK_SIZE_EXCEEDED", "Size exceeds"), times=2)
    with pytest.raises(MaxNotebookSizeExceeded, match="Size exceeds"):
        await w.workspace.export(folder)
    with pytest.raises(MaxNotebookSizeExceeded, match="Size exceeds"):
        await w.workspace.download(folder).read()


async def test_ten_megabytes_in_one_piece(w, folder):
    """The most that JSON carries comes back whole."""
    content = bytes(10_485_760)
    await w.workspace.import_(f"{folder}/zeros", content, format="RAW")
    assert await w.workspace.export(f"{folder}/zeros", format="AUTO") == content


@pytest.mark.parametrize("body", [b"{}", b'{"content": null}', b'{"content": "*"}', b'{"content": "YQ"}', b"[]"])
async def test_an_export_without_content_is_not_an_empty_one(w, workspace, folder, body):
    """What cannot be read raises; an answer that leaves out what is empty says what it is of."""
    workspace.faults.add(EXPORT, Fault.answer(200, body), Fault.answer(200, b'{"file_type": "py"}'))
    with pytest.raises(InvalidResponse):
        await w.workspace.export(folder)
    assert await w.workspace.export(folder) == b""


async def test_permissions_of_an_object(w, folder):
    """Given, added, read; by the number of the object or by its text."""
    object_id = (await w.workspace.get_status(folder)).object_id
    reader = WorkspaceObjectAccessControlRequest(user_name="a@x", permission_level="CAN_READ")
    await w.workspace.set_permissions("directories", object_id, [reader])
    await w.workspace.update_permissions(
        "directories", str(object_id), [{"group_name": "users", "permission_level": "CAN_RUN"}]
    )
    known = await w.workspace.get_permissions("directories", object_id)
    direct = {
        entry.user_name or entry.group_name: entry.all_permissions[0].permission_level
        for entry in known.access_control_list
        if not entry.all_permissions[0].inherited
    }
    assert direct == {"a@x": WorkspaceObjectPermissionLevel.CAN_READ, "users": WorkspaceObjectPermissionLevel.CAN_RUN}
    levels = (await w.workspace.get_permission_levels("directories", object_id)).permission_levels
    assert WorkspaceObjectPermissionLevel.CAN_MANAGE in [level.permission_level for level in levels]


async def test_who_may_not_is_told(connect, workspace, folder):
    """A person without a grant."""
    workspace.add_user("b@x", "dapib")
    other = connect(token="dapib")
    with pytest.raises((PermissionDenied, ResourceDoesNotExist)):
        await other.workspace.delete(folder)


LOST = [Fault.drop(after=True), Fault.error(500, "INTERNAL_ERROR", after=True), Fault.cut()]


@pytest.mark.parametrize("lost", LOST, ids=lambda fault: fault.name)
async def test_writes_that_may_be_done_twice_are_repeated(w, workspace, folder, lost):
    """A directory that is there, and content that replaces."""
    workspace.faults.add("POST /api/{v}/workspace/mkdirs", lost)
    await w.workspace.mkdirs(f"{folder}/a")
    for send in (w.workspace.import_, w.workspace.upload):
        workspace.faults.add(IMPORT, lost)
        await send(f"{folder}/b", b"content", format="RAW", overwrite=True)
    assert await w.workspace.export(f"{folder}/b", format="AUTO") == b"content"
    assert workspace.journal.count(IMPORT) == 4


@pytest.mark.parametrize("lost", LOST, ids=lambda fault: fault.name)
async def test_a_repeated_write_that_is_refused_tells_where_to_look(w, workspace, folder, lost):
    """It was probably the first try that is in the way, or has deleted: neither a failure nor a success."""
    for send in (w.workspace.import_, w.workspace.upload):
        path = f"{folder}/{send.__name__}"
        workspace.faults.add(IMPORT, lost)
        with pytest.raises(OutcomeUnknown, match=r"repeated and then refused .* workspace\.get_status") as caught:
            await send(path, b"content", format="RAW")
        assert isinstance(caught.value.__cause__, ResourceAlreadyExists)
        assert caught.value.attempts == 2
        workspace.faults.add(DELETE, lost)
        with pytest.raises(OutcomeUnknown, match=r"workspace\.get_status") as caught:
            await w.workspace.delete(path)
        assert isinstance(caught.value.__cause__, ResourceDoesNotExist)
