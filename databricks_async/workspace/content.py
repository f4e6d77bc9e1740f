"""Content of any size in constant memory: downloads, and the form in which uploads are sent."""

from __future__ import annotations

import asyncio
import errno
import os
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import parse_qs

from databricks_async import display
from databricks_async.aio import off_loop, wait_through
from databricks_async.epoch import to_epoch_ms
from databricks_async.message import Request, Stream, flatten_query
from databricks_async.suggest import refuse
from databricks_async.workspace import files
from databricks_async.workspace.folders import Folder, opened_folder
from databricks_async.workspace.paths import boolean
from databricks_async.workspace.sources import CHUNK_BYTES, Readable

if TYPE_CHECKING:
    from databricks_async.session.session import Session


class Download:
    """The content of an object: `async for chunk in download`, `await download.read()`, `await download.save(path)`.

    Each of them asks the service anew. A loop can be left at any time; its connection is then closed. A connection that
    is lost in the middle is made up for: nothing is missing and nothing comes twice. No time limit ends a download that
    goes on, however slowly.
    """

    def __init__(self, session: Session, request: Request) -> None:
        self._session = session
        self._request = request

    def __repr__(self) -> str:
        path = display.cut(self._asked.get("path", "?"), 200)
        return f"<Download of {path}: `await download.read()`, `await download.save(path)` or `async for`>"

    def _repr_html_(self) -> str:
        how = "await download.read(), await download.save(path), or async for chunk in download"
        return display.table("Download", [*self._asked.items(), ("read it with", how)])

    @property
    def _asked(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self._request.query).items()}

    def __aiter__(self) -> AsyncIterator[bytes]:
        return _Pieces(self._session, self._request)

    if not TYPE_CHECKING:  # to type checkers there are none
        __iter__ = refuse(
            "a download is asynchronous: write `async for chunk in download`, or `await download.read()` for all"
        )
        __await__ = refuse(
            "a download is not awaited: write `await download.read()` for its bytes, or `await download.save(path)`"
        )
        __enter__ = __exit__ = __aenter__ = __aexit__ = refuse(
            "a download needs no `with`: write `await download.read()` for its bytes, or `await download.save(path)`"
        )

    async def read(self) -> bytes:
        """All of it."""
        return b"".join([chunk async for chunk in self])

    async def save(
        self, local_path: str | os.PathLike[str], *, overwrite: bool = False, modified_at: int | datetime | None = None
    ) -> int:
        """Write it into a local file. Returns the number of bytes.

        The file appears when it is complete. One that exists raises `FileExistsError` unless `overwrite` is given; the
        new one then has its permissions, and what is no regular file is never replaced. `modified_at`, in epoch
        milliseconds or an aware datetime, is its time of modification if given.
        """
        folder, name = os.path.split(os.fspath(local_path))
        overwrite = boolean("overwrite", overwrite)
        modified = to_epoch_ms("modified_at", modified_at)
        if not name:
            raise IsADirectoryError(errno.EISDIR, "is a directory: name the file to write", os.fspath(local_path))
        async with self._session.transfers:
            return await self.save_in(opened_folder(folder), name, overwrite=overwrite, modified_at=modified)

    async def save_in(
        self, folder: AbstractContextManager[Folder], name: str, *, overwrite: bool, modified_at: int | None
    ) -> int:
        """As `save`, into a folder that is opened for it."""
        begun, unfinished = await off_loop(_begin, folder, name, overwrite, undo=lambda made: made[0].close())
        with begun:
            size = 0
            waiting = bytearray()
            writer = _Writer(unfinished.file)
            try:
                async for chunk in self:
                    size += len(chunk)
                    if not waiting and len(chunk) >= CHUNK_BYTES:  # written as it came, without a copy
                        await writer.write(chunk)
                        continue
                    waiting += chunk
                    if len(waiting) >= CHUNK_BYTES:
                        await writer.write(waiting)
                        waiting = bytearray()
            finally:
                await writer.settled()
            await off_loop(files.finish, unfinished, waiting, modified_at)
            await off_loop(partial(files.publish, unfinished, name, overwrite=overwrite))
        return size


class _Writer:
    """Writes one chunk in a thread while the next one is on its way."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._work: asyncio.Future[int] | None = None

    async def write(self, chunk: bytes | bytearray) -> None:
        """Begin to write it, once the one before is written; an error of that one is raised."""
        await self.settled()
        self._work = asyncio.get_running_loop().run_in_executor(None, self._file.write, chunk)

    async def settled(self) -> None:
        """Wait until nothing is written any more, also if the caller is cancelled: the file is closed after that."""
        work, self._work = self._work, None
        if work is None:
            return
        cancelled = await wait_through((work,))
        error = work.exception()
        if cancelled is not None:
            raise cancelled
        if error is not None:
            raise error


# A class and not an async generator: a loop over one of those, left early, ends in a task of its own some time later.


class _Pieces(AsyncIterator[bytes]):
    def __init__(self, session: Session, request: Request) -> None:
        self._session = session
        self._request = request
        self._stream: Stream | None = None
        self._over = False

    async def __anext__(self) -> bytes:
        if self._over:
            raise StopAsyncIteration
        if self._stream is None:
            self._loop = asyncio.get_running_loop()
            self._stream = await self._session.stream(self._request)
        chunk = await self._stream.read()
        if not chunk:
            self._over = True
            raise StopAsyncIteration
        return chunk

    def __del__(self) -> None:
        # The loop over it was left early. The garbage collector may run in another thread.
        if self._stream is not None and not self._over and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stream.close)


def download_request(endpoint: str, query: Mapping[str, Any]) -> Request:
    """The request whose answer is the content itself."""
    # Not compressed: the length tells whether it is still the same content.
    headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
    path = endpoint.partition(" ")[2]
    return Request(endpoint, path, flatten_query(query), headers=headers, stream=True)


def upload_request(endpoint: str, fields: Mapping[str, Any], content: Readable, lookup: str) -> Request:
    """A form of these fields and the content, read anew for each try."""
    boundary = secrets.token_hex(16)
    start = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{"true" if value is True else value}\r\n'
        for name, value in fields.items()
    )
    start += (
        f'--{boundary}\r\nContent-Disposition: form-data; name="content"; filename="content"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    head, tail = start.encode(), f"\r\n--{boundary}--\r\n".encode()
    headers = {
        "Content-Type": f"multipart/form-data; boundary={boundary}",
        "Content-Length": str(len(head) + content.size + len(tail)),
    }
    path = endpoint.partition(" ")[2]
    return Request(endpoint, path, "", partial(_Form, head, content, tail), headers, "idempotent", lookup)


class _Form(AsyncIterator[bytes]):
    """The body of one try."""

    def __init__(self, head: bytes, content: Readable, tail: bytes) -> None:
        self._head = head
        self._content = content
        self._tail = tail
        self._sent = 0

    async def __anext__(self) -> bytes:
        if self._head:
            head, self._head = self._head, b""
            return head
        if self._sent < self._content.size:
            chunk = await self._content.read(self._sent)
            self._sent += len(chunk)
            return chunk
        if self._tail:
            tail, self._tail = self._tail, b""
            return tail
        raise StopAsyncIteration


def _begin(folder: AbstractContextManager[Folder], name: str, overwrite: bool) -> tuple[ExitStack, files.Unfinished]:
    with ExitStack() as stack:
        unfinished = files.begin(stack.enter_context(folder), name, overwrite=overwrite)
        stack.callback(files.discard, unfinished)
        return stack.pop_all(), unfinished
