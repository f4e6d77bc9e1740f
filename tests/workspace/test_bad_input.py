"""What cannot be right is refused before anything is sent, in words that name it.

Here are the tests of `workspace/paths.py`.
"""

from __future__ import annotations

import io
import os
from datetime import datetime
from pathlib import Path

import pytest

from databricks_async.errors import MaxNotebookSizeExceeded


@pytest.fixture
def ask(w, tmp_path):
    """Every operation with a path."""
    operations = w.workspace
    return {
        "list": lambda path: operations.list(path).collect(),
        "get_status": operations.get_status,
        "mkdirs": operations.mkdirs,
        "delete": operations.delete,
        "import_": lambda path: operations.import_(path, b""),
        "export": operations.export,
        "download": lambda path: operations.download(path).read(),
        "upload": lambda path: operations.upload(path, b""),
    }


OPERATIONS = ["list", "get_status", "mkdirs", "delete", "import_", "export", "download", "upload"]


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    ("path", "error", "words"),
    [
        ("", ValueError, "path is empty"),
        ("  ", ValueError, "path is empty"),
        ("Users/x", ValueError, "path must begin with '/': 'Users/x'"),
        ("./x", ValueError, "must begin with '/'"),
        ("/\ud800", ValueError, "not valid Unicode"),
        (None, TypeError, "path must be a str, not NoneType"),
        (b"/x", TypeError, "path must be a str, not bytes"),
        (Path("/x"), TypeError, "path must be a str, not PosixPath"),
        (7, TypeError, "path must be a str, not int"),
    ],
)
async def test_a_path_is_absolute_text(workspace, ask, operation, path, error, words):
    """For all operations in the same words."""
    with pytest.raises(error, match=words):
        await ask[operation](path)
    assert workspace.journal.entries == []


@pytest.mark.parametrize("send", ["import_", "upload"])
@pytest.mark.parametrize(
    ("content", "more", "error", "words"),
    [
        (7, {}, TypeError, "must be bytes, "),
        (None, {}, TypeError, "must be bytes, "),
        ([b"x"], {}, TypeError, "must be bytes, "),
        (Path("/nowhere/x"), {}, FileNotFoundError, "/nowhere/x"),
        (Path("/"), {}, IsADirectoryError, "'/'"),
        (b"", {"format": 7}, TypeError, "format must be a str, not int"),
        (b"", {"language": b"PYTHON"}, TypeError, "language must be a str, not bytes"),
        (b"", {"overwrite": "false"}, TypeError, "overwrite must be a bool, not str"),
    ],
)
async def test_content_and_how_to_take_it(workspace, w, send, content, more, error, words):
    """A flag is no text, a folder no file."""
    with pytest.raises(error, match=words):
        await getattr(w.workspace, send)("/Users/x", content, **more)
    assert workspace.journal.entries == []


async def test_a_stream_gives_bytes(workspace, w):
    """And not text."""

    async def words():
        yield "text"

    with pytest.raises(TypeError, match="the stream must give bytes, not str"):
        await w.workspace.upload("/Users/x", words())
    assert workspace.journal.entries == []


async def test_a_file_is_binary_and_can_be_read_again(workspace, w):
    """What cannot be sent a second time is refused before the first."""
    with pytest.raises(TypeError, match="open it with 'rb'"):
        await w.workspace.upload("/Users/x", io.StringIO("text"))
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as file, os.fdopen(writer, "wb"), pytest.raises(TypeError, match="only once"):
        await w.workspace.upload("/Users/x", file)
    with pytest.raises(TypeError, match="content must be bytes, text or a Path, not BytesIO"):
        await w.workspace.import_("/Users/x", io.BytesIO(b""))
    assert workspace.journal.entries == []


async def test_text_where_it_could_be_a_path(workspace, w):
    """Is refused by upload: it would be stored as content. For import_ it is content, and must be such."""
    with pytest.raises(TypeError, match="the Path of a file"):
        await w.workspace.upload("/Users/x", "data.csv")
    with pytest.raises(UnicodeEncodeError, match="surrogates"):
        await w.workspace.import_("/Users/x", "\ud800")
    assert workspace.journal.entries == []


async def test_a_file_that_may_not_be_read(workspace, w, tmp_path):
    """The system's own words."""
    local = tmp_path / "x"
    local.touch()
    local.chmod(0)
    if os.access(local, os.R_OK):  # an administrator may read anything but this
        local = Path("/proc/self/mem")
    with pytest.raises(OSError, match=r"Permission denied|Input/output error|Invalid argument"):
        await w.workspace.import_("/Users/x", local)
    assert workspace.journal.entries == []


@pytest.mark.parametrize("kind", ["bytes", "file"])
async def test_too_much_for_json(workspace, w, tmp_path, kind):
    """The error that the service would answer, without sending 10 MB for it."""
    local = tmp_path / "x"
    with local.open("wb") as file:
        file.truncate(10_485_761)
    with pytest.raises(MaxNotebookSizeExceeded, match="10485761 bytes") as caught:
        await w.workspace.import_("/Users/x", bytes(10_485_761) if kind == "bytes" else local)
    assert (caught.value.error_code, caught.value.status) == ("MAX_NOTEBOOK_SIZE_EXCEEDED", None)
    assert caught.value.endpoint == "POST /api/2.0/workspace/import"
    assert workspace.journal.entries == []


@pytest.mark.parametrize("send", ["import_", "upload"])
async def test_a_pipe_is_no_file(workspace, w, tmp_path, send):
    """To open one would wait for a writer, perhaps for ever."""
    os.mkfifo(tmp_path / "pipe")
    for special in (tmp_path / "pipe", Path("/dev/null")):
        with pytest.raises(ValueError, match="is no regular file"):
            await getattr(w.workspace, send)("/Users/x", special)
    assert workspace.journal.entries == []


async def test_too_much_for_a_form(workspace, w, tmp_path):
    """500 MiB are the most; a stream is not read beyond that."""
    local = tmp_path / "x"
    with local.open("wb") as file:
        file.truncate(500 * 2**20 + 1)
    with pytest.raises(MaxNotebookSizeExceeded, match="524288001 bytes"):
        await w.workspace.upload("/Users/x", local)
    assert workspace.journal.entries == []


@pytest.mark.parametrize(
    ("moment", "error", "words"),
    [
        (datetime(2024, 1, 1), ValueError, "no time zone"),
        ("2024-01-01", TypeError, "epoch milliseconds or a datetime, not str"),
        (1.5, TypeError, "not float"),
        (True, TypeError, "not bool"),
    ],
)
def test_a_moment(w, moment, error, words):
    """The time zone must be known; the error comes from the call, not from reading the list."""
    with pytest.raises(error, match=words):
        w.workspace.list("/", notebooks_modified_after=moment)


@pytest.mark.parametrize("flag", ["false", 1, None])
async def test_recursive_is_a_bool(workspace, w, flag):
    """`"false"` would delete everything."""
    with pytest.raises(TypeError, match="recursive must be a bool"):
        await w.workspace.delete("/Users", recursive=flag)
    assert workspace.journal.entries == []


@pytest.mark.parametrize("flag", ["false", 1, None])
@pytest.mark.parametrize("name", ["overwrite", "skip_unchanged"])
async def test_nothing_local_is_overwritten_by_mistake(workspace, w, tmp_path, flag, name):
    """A flag that is not a bool would replace files."""
    (tmp_path / "x").write_text("mine")
    with pytest.raises(TypeError, match=f"{name} must be a bool"):
        await w.workspace.export_tree("/Users", tmp_path, **{name: flag})
    with pytest.raises(TypeError, match=f"{name} must be a bool"):
        await w.workspace.import_tree(tmp_path, "/Users", **{name: flag})
    with pytest.raises(TypeError, match="overwrite must be a bool"):
        await w.workspace.download("/Users/x").save(tmp_path / "x", overwrite=flag)
    assert workspace.journal.entries == []


@pytest.mark.parametrize(
    ("kind", "number", "error"),
    [("", "1", ValueError), ("notebooks", "", ValueError), ("notebooks", None, TypeError), (7, "1", TypeError)],
)
async def test_permissions_are_of_something(workspace, w, kind, number, error):
    """A kind of object and its number."""
    with pytest.raises(error):
        await w.workspace.get_permissions(kind, number)
    with pytest.raises(ValueError, match=r"access_control_list\[1\]"):
        await w.workspace.set_permissions("notebooks", 1, [{}, {"user_nam": "x"}])
    assert workspace.journal.entries == []


async def test_a_download_is_told_at_once(w):
    """Where it is said, not where it is read."""
    with pytest.raises(ValueError, match="must begin with '/'"):
        w.workspace.download("x")
    with pytest.raises(TypeError, match="format must be a str"):
        w.workspace.download("/x", format=7)
