"""Downloads and uploads: whole whatever happens on the way, in pieces, and nothing left behind.

Here are the tests of `workspace/sources.py`.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import resource
import stat

import pytest

from databricks_async.errors import ConnectionLost, LifecycleError, MaxNotebookSizeExceeded, ResourceDoesNotExist
from databricks_async.local import Fault, RateLimit

IMPORT = "POST /api/{v}/workspace/import"
EXPORT = "GET /api/{v}/workspace/export"
CONTENT = b"".join(hashlib.sha512(number.to_bytes(4)).digest() for number in range(50_000))
"""3.2 MB without a repetition."""


@pytest.fixture
async def path(w, folder):
    """A large file of the workspace."""
    await w.workspace.upload(f"{folder}/big.bin", CONTENT, format="RAW")
    return f"{folder}/big.bin"


@pytest.fixture
def local(tmp_path):
    """The same on this machine."""
    local = tmp_path / "local.bin"
    local.write_bytes(CONTENT)
    return local


class Again:
    """A stream that can be read more than once."""

    def __aiter__(self):
        return stream()


async def stream(size=100_000):
    for start in range(0, len(CONTENT), size):
        await asyncio.sleep(0)
        yield CONTENT[start : start + size]


async def rest(pieces, read):
    async for piece in pieces:
        read += piece


async def nothing():
    return
    yield b""


# --- out


async def test_a_download_is_read_in_pieces_or_at_once(w, workspace, path):
    """Nothing is sent before; each loop asks anew; one connection serves them all."""
    asked = workspace.journal.count(EXPORT)
    download = w.workspace.download(path)
    assert workspace.journal.count(EXPORT) == asked
    pieces = [piece async for piece in download]
    assert len(pieces) > 1
    assert b"".join(pieces) == await download.read() == CONTENT
    assert workspace.journal.entries[-1].query == {"path": path, "direct_download": "true"}
    assert workspace.journal.connections_opened == 1


async def test_an_empty_file_is_no_piece_at_all(w, folder):
    """And an empty file when it is saved."""
    await w.workspace.upload(f"{folder}/empty", b"", format="RAW")
    assert [piece async for piece in w.workspace.download(f"{folder}/empty")] == []


async def test_a_notebook_is_downloaded_in_its_formats(w, folder):
    """What needs the source's language says so by its extension."""
    await w.workspace.upload(f"{folder}/a.py", b"print(1)")
    assert await w.workspace.download(f"{folder}/a.py").read() == b"# Databricks notebook source\nprint(1)"
    assert b'"nbformat"' in await w.workspace.download(f"{folder}/a.py", format="JUPYTER").read()


async def test_archives_and_markdown_go_out_and_in(w, folder):
    """A folder as DBC, a notebook as R Markdown: both become notebooks again."""
    await w.workspace.mkdirs(f"{folder}/from")
    for name in ("a.r", "b.r"):
        await w.workspace.import_(f"{folder}/from/{name}", "x <- 1\nprint(x)\n")
    before = await w.workspace.export(f"{folder}/from/a.r")
    await w.workspace.import_(f"{folder}/to", await w.workspace.export(f"{folder}/from", format="DBC"), format="DBC")
    names = [info.path async for info in w.workspace.list(f"{folder}/to")]
    assert sorted(names) == [f"{folder}/to/a.r", f"{folder}/to/b.r"]
    assert await w.workspace.export(f"{folder}/to/a.r") == before
    markdown = await w.workspace.export(f"{folder}/from/a.r", format="R_MARKDOWN")
    assert b"print(x)" in markdown
    await w.workspace.import_(f"{folder}/again", markdown, format="R_MARKDOWN")
    assert (await w.workspace.get_status(f"{folder}/again")).language == "R"


async def test_a_download_of_nothing_raises_when_it_is_read(w, workspace, folder, tmp_path):
    """And leaves no file."""
    with pytest.raises(ResourceDoesNotExist):
        await w.workspace.download(f"{folder}/nothing").save(tmp_path / "x")
    assert list(tmp_path.iterdir()) == []
    assert workspace.journal.count(EXPORT) == 1


@pytest.mark.parametrize("leave", ["break", "raise", "cancel"])
async def test_a_loop_that_is_left_gives_its_connection_up(w, workspace, path, leave):
    """At once, without a warning, and the client works on."""

    async def read():
        async for _ in w.workspace.download(path):
            if leave == "break":
                break
            if leave == "raise":
                raise KeyError
            asyncio.current_task().cancel()

    (outcome,) = await asyncio.gather(asyncio.create_task(read()), return_exceptions=True)
    assert isinstance(outcome, {"break": type(None), "raise": KeyError, "cancel": asyncio.CancelledError}[leave])
    async with asyncio.timeout(5):
        await workspace.journal.until(lambda journal: journal.connections == 0)
    assert await w.workspace.download(path).read() == CONTENT


async def test_open_downloads_do_not_hold_up_other_calls(connect, workspace, path):
    """They have connections beside those for calls."""
    client = connect(max_connections=1)
    readers = [aiter(client.workspace.download(path)) for _ in range(3)]
    for reader in readers:
        await anext(reader)
    async with asyncio.timeout(5):
        assert (await client.workspace.get_status(path)).size == len(CONTENT)


@pytest.mark.parametrize("cuts", [1, 3])
async def test_a_download_that_breaks_off_goes_on_where_it_was(w, workspace, path, tmp_path, cuts):
    """Asked for again, nothing is missing and nothing comes twice."""
    workspace.faults.add(EXPORT, *[Fault.cut()] * cuts)
    assert await w.workspace.download(path).save(tmp_path / "x") == len(CONTENT)
    assert (tmp_path / "x").read_bytes() == CONTENT
    assert workspace.journal.count(EXPORT) == cuts + 1
    assert w.stats.retries == cuts


@pytest.mark.parametrize("changed", [CONTENT[::-1], CONTENT[:-1], CONTENT[:1000], b""])
async def test_a_content_that_changed_meanwhile_is_never_mixed(w, workspace, path, tmp_path, changed):
    """Of the same length or of another."""
    workspace.faults.add(EXPORT, Fault.cut())
    pieces = aiter(w.workspace.download(path))
    assert CONTENT.startswith(await anext(pieces))
    await w.workspace.upload(path, changed, format="RAW", overwrite=True)
    with pytest.raises(ConnectionLost, match="has changed since"):
        await rest(pieces, bytearray())
    assert workspace.journal.count(EXPORT) == 2


async def test_a_download_that_always_breaks_off_ends_with_that_error(connect, workspace, path, tmp_path):
    """When its time is over; the iterator can be taken up again after it."""
    workspace.faults.add(EXPORT, Fault.cut(), times=1000)
    client = connect(retry_timeout_seconds=0.4)
    pieces = aiter(client.workspace.download(path))
    read = bytearray()
    with pytest.raises(ConnectionLost, match="middle of its answer") as caught:
        await rest(pieces, read)
    assert caught.value.attempts == workspace.journal.count(EXPORT) > 1
    assert 0 < len(read) < len(CONTENT)
    with pytest.raises(ConnectionLost):
        await client.workspace.download(path).save(tmp_path / "x")
    assert list(tmp_path.iterdir()) == []
    workspace.faults.clear()
    await rest(pieces, read)
    assert read == CONTENT


@pytest.mark.parametrize("trouble", [Fault.too_many_requests(0.01), Fault.drop(), Fault.error(500, "INTERNAL_ERROR")])
async def test_all_that_befalls_a_call_befalls_a_download(w, workspace, path, trouble):
    """Up to its headers it is one: refused, lost, failed."""
    workspace.faults.add(EXPORT, trouble)
    assert await w.workspace.download(path).read() == CONTENT
    assert workspace.journal.count(EXPORT) == 2


async def test_closing_the_client_ends_its_downloads(connect, workspace, path):
    """Between two pieces, and in the middle of waiting for one."""
    client = connect()
    idle, waiting = aiter(client.workspace.download(path)), client.workspace.download(path)
    await anext(idle)
    workspace.faults.add(EXPORT, Fault.hang())
    reading = asyncio.create_task(waiting.read())
    await workspace.journal.until(lambda journal: journal.in_flight >= 1)
    await client.aclose()
    with pytest.raises(LifecycleError):
        await reading
    with pytest.raises(LifecycleError):
        await rest(idle, bytearray())


async def test_saving_is_all_or_nothing(w, workspace, path, tmp_path):
    """A file is complete from the moment it appears; what exists stays unless `overwrite` is given."""
    target = tmp_path / "x"
    assert await w.workspace.download(path).save(str(target)) == len(CONTENT)
    assert target.read_bytes() == CONTENT
    target.write_bytes(b"mine")
    asked = workspace.journal.count(EXPORT)
    with pytest.raises(FileExistsError, match="overwrite=True"):
        await w.workspace.download(path).save(target)
    with pytest.raises(IsADirectoryError):
        await w.workspace.download(path).save(tmp_path, overwrite=True)
    with pytest.raises(FileNotFoundError):
        await w.workspace.download(path).save(tmp_path / "no" / "x")
    assert workspace.journal.count(EXPORT) == asked
    assert target.read_bytes() == b"mine"
    await w.workspace.download(path).save(target, overwrite=True)
    assert target.read_bytes() == CONTENT
    assert list(tmp_path.iterdir()) == [target]


async def test_a_saved_file_has_the_permissions_of_any_new_file(w, path, tmp_path):
    """Those of the umask, or of the file that it replaces."""
    target, other = tmp_path / "x", tmp_path / "other"
    umask = os.umask(0o027)
    try:
        await w.workspace.download(path).save(target)
        await w.workspace.download(path).save(other)
        other.chmod(0o755)
        await w.workspace.download(path).save(other, overwrite=True)
    finally:
        os.umask(umask)
    assert [stat.S_IMODE(file.stat().st_mode) for file in (target, other)] == [0o640, 0o755]


@pytest.mark.parametrize("name", ["x" * 255, "日" * 85, "🧱" * 63], ids=["ascii", "three bytes each", "four"])
async def test_the_longest_names(w, folder, tmp_path, name):
    """What a file may be called is counted in bytes."""
    await w.workspace.upload(f"{folder}/{name}", b"1", format="RAW")
    assert await w.workspace.download(f"{folder}/{name}").save(tmp_path / name) == 1
    assert [one.name for one in tmp_path.iterdir()] == [name]


async def test_hundreds_of_transfers_at_once_do_not_open_as_many_files(connect, folder, local, tmp_path):
    """Those that wait hold none; a system allows a program only so many."""
    client = connect(max_connections=10)
    local.write_bytes(CONTENT[:100_000])
    usual, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with local.open() as last:
        resource.setrlimit(resource.RLIMIT_NOFILE, (last.fileno() + 90, most))
    try:
        await asyncio.gather(*(client.workspace.upload(f"{folder}/{n}", local, format="RAW") for n in range(200)))
        await asyncio.gather(*(client.workspace.download(f"{folder}/{n}").save(tmp_path / str(n)) for n in range(200)))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (usual, most))
    assert {(tmp_path / str(n)).stat().st_size for n in range(200)} == {100_000}


async def test_a_file_that_appears_while_saving_stays(w, path, tmp_path):
    """The second one gets an error."""
    target = tmp_path / "x"
    outcomes = await asyncio.gather(
        *(w.workspace.download(path).save(target) for _ in range(3)), return_exceptions=True
    )
    assert sorted(map(str, map(type, outcomes))) == sorted(map(str, (int, FileExistsError, FileExistsError)))
    assert list(tmp_path.iterdir()) == [target]


async def test_saving_that_is_cancelled_leaves_nothing(w, workspace, path, tmp_path):
    """Wherever it is: before, while and after it writes."""
    for steps in (*range(12), *range(12, 120, 9)):
        task = asyncio.create_task(w.workspace.download(path).save(tmp_path / "x"))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait((task,))
        assert [one.name for one in tmp_path.iterdir()] in ([], ["x"])
        (tmp_path / "x").unlink(missing_ok=True)


# --- in


SOURCES = {
    "bytes": lambda local: CONTENT,
    "bytearray": lambda local: bytearray(CONTENT),
    "memoryview": lambda local: memoryview(CONTENT),
    "path": lambda local: local,
    "file": lambda local: io.BytesIO(CONTENT),
    "stream": lambda local: stream(),
    "small pieces": lambda local: stream(999),
    "iterable": lambda local: Again(),
}


@pytest.mark.parametrize("source", SOURCES)
async def test_an_upload_of_anything(w, workspace, folder, local, source):
    """In one request, which states its length."""
    await w.workspace.upload(f"{folder}/x", SOURCES[source](local), format="RAW")
    assert await w.workspace.download(f"{folder}/x").read() == CONTENT
    (call,) = workspace.journal.calls(IMPORT)
    assert call.body == {"path": f"{folder}/x", "format": "RAW", "content": f"<{len(CONTENT)} bytes>"}
    assert int(call.headers["content-length"]) > len(CONTENT)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    "trouble",
    [Fault.too_many_requests(0.01), Fault.drop(), Fault.error(503, "TEMPORARILY_UNAVAILABLE"), Fault.drop(after=True)],
    ids=lambda fault: fault.name,
)
async def test_an_upload_is_sent_again_whole(w, workspace, folder, local, source, trouble):
    """Whatever it is made of, and whatever went wrong."""
    workspace.faults.add(IMPORT, trouble)
    await w.workspace.upload(f"{folder}/x", SOURCES[source](local), format="RAW", overwrite=True)
    assert await w.workspace.download(f"{folder}/x").read() == CONTENT
    first, again = workspace.journal.calls(IMPORT)
    assert first.headers["content-length"] == again.headers["content-length"]


async def test_an_upload_goes_again_with_a_new_token(connect, workspace, service_principal, folder, local):
    """A token that is refused costs one more try, with the whole content."""
    client = connect(**service_principal)
    await client.current_user.me()
    workspace.revoke_tokens()
    await client.workspace.upload(f"{folder}/x", local, format="RAW")
    assert await client.workspace.download(f"{folder}/x").read() == CONTENT
    assert [call.status for call in workspace.journal.calls(IMPORT)] == [401, 200]
    assert client.stats.tokens == 2


async def test_uploads_wait_for_their_turn_like_calls(w, workspace, folder):
    """The limit of the service holds for them."""
    workspace.rate_limit = RateLimit(per_second=50, burst=2, retry_after=None, endpoint=IMPORT)
    await asyncio.gather(*(w.workspace.upload(f"{folder}/{n}", b"x", format="RAW") for n in range(6)))
    assert len(await w.workspace.list(folder).collect()) == 6


async def test_a_file_is_sent_from_where_it_stands(w, folder, local):
    """And left open."""
    with local.open("rb") as file:
        file.seek(1_000_000)
        await w.workspace.upload(f"{folder}/x", file, format="RAW")
        assert not file.closed
    assert await w.workspace.download(f"{folder}/x").read() == CONTENT[1_000_000:]


async def test_empty_uploads(w, folder, tmp_path):
    """From memory, a file and a stream."""
    (tmp_path / "x").touch()
    for name, source in {"memory": b"", "file": tmp_path / "x", "stream": nothing()}.items():
        await w.workspace.upload(f"{folder}/{name}", source, format="RAW")
        assert await w.workspace.download(f"{folder}/{name}").read() == b""


async def test_a_stream_that_fails_is_not_sent(w, workspace, folder):
    """Its own error arrives."""

    async def failing():
        yield CONTENT
        raise ZeroDivisionError("of the stream")

    with pytest.raises(ZeroDivisionError, match="of the stream"):
        await w.workspace.upload(f"{folder}/x", failing(), format="RAW")
    assert workspace.journal.count(IMPORT) == 0


async def test_a_file_that_changes_while_it_is_sent_is_told(w, workspace, folder, local):
    """What arrived may be a mixture of the old and the new."""

    async def change():
        await workspace.journal.until(lambda journal: journal.count(IMPORT) > 0)
        with local.open("ab") as file:
            file.write(b"more")

    workspace.faults.add(IMPORT, Fault.delay(0.1, after=True))
    changing = asyncio.create_task(change())
    with pytest.raises(ValueError, match="changed while it was sent"):
        await w.workspace.upload(f"{folder}/x", local, format="RAW")
    await changing


async def test_a_file_that_becomes_shorter_is_no_upload(w, workspace, folder, local):
    """Half a file never gets the name of the whole one, and nothing is sent again."""
    with local.open("r+b") as file:

        async def cut():
            await workspace.journal.until(lambda journal: journal.count(IMPORT) == 1)
            os.truncate(local, 1000)

        cutting = asyncio.create_task(cut())
        workspace.faults.add(IMPORT, Fault.drop())
        with pytest.raises(ValueError, match="became shorter"):
            await w.workspace.upload(f"{folder}/x", file, format="RAW")
        await cutting
    with pytest.raises(ResourceDoesNotExist):
        await w.workspace.get_status(f"{folder}/x")


async def test_an_upload_that_is_cancelled_leaves_nothing(w, workspace, folder, local):
    """Neither a file that is open, nor a connection, nor half an object."""
    for steps in (*range(12), *range(12, 120, 9)):
        source = local if steps % 2 else stream()
        task = asyncio.create_task(w.workspace.upload(f"{folder}/x", source, format="RAW"))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait((task,))
        await w.workspace.upload(f"{folder}/y", b"", format="RAW", overwrite=True)
        for found in await w.workspace.list(folder).collect():
            if found.path == f"{folder}/x":
                assert found.size == len(CONTENT)
                await w.workspace.delete(found.path)


async def test_ten_megabytes_are_no_limit(w, folder, tmp_path):
    """What JSON does not carry a form does, both ways."""
    local = tmp_path / "local"
    with local.open("wb") as file:
        file.truncate(11 * 2**20)
    with pytest.raises(MaxNotebookSizeExceeded):
        await w.workspace.import_(f"{folder}/x", local, format="RAW")
    await w.workspace.upload(f"{folder}/x", local, format="RAW")
    assert await w.workspace.download(f"{folder}/x").save(tmp_path / "copy") == 11 * 2**20
    assert (tmp_path / "copy").read_bytes() == bytes(11 * 2**20)
    with pytest.raises(MaxNotebookSizeExceeded):
        await w.workspace.export(f"{folder}/x", format="AUTO")
