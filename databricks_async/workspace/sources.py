"""Content on its way out: bytes, text, files and streams, as something that can be read again from its start."""

from __future__ import annotations

import asyncio
import base64
import codecs
import inspect
import io
import os
import re
import stat
import tempfile
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from threading import Lock
from typing import Any, BinaryIO, Protocol, TypeAlias, cast

from databricks_async.aio import off_loop, wait_through
from databricks_async.errors import MaxNotebookSizeExceeded

Content: TypeAlias = bytes | bytearray | memoryview | str | os.PathLike[str]
"""What is imported: bytes, text (which is sent as UTF-8), or the path of a local file."""


class AsyncFile(Protocol):
    """A file that is read asynchronously, such as the `UploadFile` of FastAPI."""

    async def read(self, size: int = -1, /) -> bytes:
        """The next bytes, at most `size` of them; all that is left by default, none at the end."""
        ...


UploadSource: TypeAlias = (
    bytes | bytearray | memoryview | os.PathLike[str] | BinaryIO | AsyncFile | AsyncIterable[bytes]
)
"""What is uploaded: bytes, the path of a local file, an open file, or an asynchronous iterable of bytes."""

CHUNK_BYTES = 512 * 1024
"""Half of it costs a quarter more CPU time to send and a tenth to save (`benchmarks/content.py`): each chunk is a hop
into a thread. One is sent within `http_timeout_seconds`: much more would be too long for a slow line."""
_MIN_BASE64 = 8
_BASE64_LOOK = 4096
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_SPOOL_BYTES = 1024 * 1024
"""A stream of at most this length is kept in memory and not written to the disk."""


class Readable(Protocol):
    """Content of a known size."""

    size: int

    async def read(self, offset: int) -> bytes:
        """The next bytes from there on, about `CHUNK_BYTES` of them; none at the end."""
        ...


class InMemory:
    """Bytes, read in slices."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.size = len(content)

    async def read(self, offset: int) -> bytes:
        return self._content[offset : offset + CHUNK_BYTES]


class InFile:
    """What an open file holds from its present position on, read in threads."""

    def __init__(self, file: Any, name: str) -> None:
        self._file = file
        self._name = name
        self._start = file.tell()
        self._stamp = _stamp(file)
        self.size = file.seek(0, os.SEEK_END) - self._start
        # A try that was given up may still be reading.
        self._lock = Lock()
        self._reads = set[asyncio.Future[bytes]]()

    async def read(self, offset: int) -> bytes:
        count = min(CHUNK_BYTES, self.size - offset)
        work = asyncio.get_running_loop().run_in_executor(None, self._read_at, self._start + offset, count)
        self._reads.add(work)
        work.add_done_callback(self._done)
        # Unlike `off_loop` this does not hold up a caller that is cancelled: aiohttp waits for none of its own tasks.
        await asyncio.wait((work,))
        chunk = work.result()
        if not chunk and offset < self.size:
            raise ValueError(f"{self._name} became shorter while it was sent")
        return chunk

    def check_unchanged(self) -> None:
        """Raise ValueError if the file was written to since it was opened: what was sent may be a mixture."""
        if _stamp(self._file) != self._stamp:
            raise ValueError(f"{self._name} changed while it was sent: send it again")

    async def settled(self) -> None:
        """Wait until all reads have ended."""
        if (cancelled := await wait_through(self._reads)) is not None:
            raise cancelled

    def _done(self, work: asyncio.Future[bytes]) -> None:
        self._reads.discard(work)
        if not work.cancelled():
            work.exception()  # retrieved here: a try that was given up has no other reader

    def _read_at(self, position: int, count: int) -> bytes:
        with self._lock:
            self._file.seek(position)
            return cast(bytes, self._file.read(count))


async def bytes_of(content: Content, max_bytes: int, endpoint: str) -> bytes:
    """Content that is needed in one piece. Raises `MaxNotebookSizeExceeded` for more than `max_bytes` bytes."""
    if isinstance(content, os.PathLike):
        async with opened(content, max_bytes, endpoint) as file:
            chunks = list[bytes]()
            size = 0
            while size < file.size:
                chunks.append(await file.read(size))
                size += len(chunks[-1])
            return b"".join(chunks)
    data = _in_memory(content)
    if data is None:
        hint = ": upload() takes files and streams" if hasattr(content, "read") else ""
        raise TypeError(f"content must be bytes, text or a Path, not {type(content).__name__}{hint}")
    check_size(len(data), max_bytes, endpoint)
    return data


@asynccontextmanager
async def opened(source: UploadSource, max_bytes: int, endpoint: str) -> AsyncIterator[Readable]:
    """The source, ready to be read as often as it takes; closed in the end, unless the caller opened it.

    A stream, which can be read only once, is first written to a temporary file.
    """
    if isinstance(source, str):
        raise TypeError("a str could be text or a path: give text.encode(), or the Path of a file")
    data = _in_memory(source)
    if data is not None:
        check_size(len(data), max_bytes, endpoint)
        yield InMemory(data)
        return
    file: Any = source
    to_close: Any = None
    try:
        if isinstance(source, os.PathLike):
            name = os.fspath(source)
            file = to_close = await off_loop(_open, source, undo=_close)
        elif (stream := _stream_of(source)) is not None:
            name = "the stream"
            file = to_close = tempfile.SpooledTemporaryFile(_SPOOL_BYTES)  # noqa: SIM115 (closed below)
            await _spool(stream, file, max_bytes, endpoint)
        elif callable(getattr(source, "read", None)):
            name = "the file"
            _check_file(file)
        else:
            raise TypeError(
                f"source must be bytes, a Path, a file or an async iterable of bytes, not {type(source).__name__}"
            )
        readable = await off_loop(InFile, file, name)
        check_size(readable.size, max_bytes, endpoint)
        try:
            yield readable
            await off_loop(readable.check_unchanged)
        finally:
            await readable.settled()
    finally:
        if to_close is not None:
            to_close.close()


def check_size(size: int, max_bytes: int, endpoint: str) -> None:
    if size > max_bytes:
        raise MaxNotebookSizeExceeded(
            f"the content has {size} bytes, and the service takes {max_bytes} at most",
            error_code="MAX_NOTEBOOK_SIZE_EXCEEDED",
            endpoint=endpoint,
            attempts=0,
        )


def refuse_base64(content: object, *, is_file: bool) -> None:
    """Refuse base64 of text or of an archive, which other clients of this endpoint take and this one would import.

    A file may well hold base64: it is taken as bytes.
    """
    if not isinstance(content, str | bytes) or (is_file and isinstance(content, bytes)):
        return
    text = content if isinstance(content, str) else content.decode("latin-1")
    if len(text) < _MIN_BASE64 or len(text) % 4 or not _BASE64.fullmatch(text):
        return
    start = base64.b64decode(text[:_BASE64_LOOK])
    try:
        # The last character may be cut.
        decoded = codecs.getincrementaldecoder("utf-8")().decode(start, final=len(text) <= _BASE64_LOOK)
        readable = all(char.isprintable() or char in "\t\r\n" for char in decoded)
    except UnicodeDecodeError:
        readable = False
    if readable or start.startswith(b"PK"):
        how = "; a file that holds base64 is given as bytes, with format='RAW'" if isinstance(content, str) else ""
        raise ValueError(f"content is base64: give what it stands for, base64.b64decode(content){how}")


def _stamp(file: Any) -> tuple[int, int] | None:
    """Size and time of change, by which a write shows; None for an object that is no file of the system."""
    try:
        status = os.fstat(file.fileno())
    except (AttributeError, OSError):
        return None
    return status.st_size, status.st_mtime_ns


def _in_memory(source: Any) -> bytes | None:
    if isinstance(source, bytes):
        return source
    if isinstance(source, bytearray | memoryview):
        return bytes(source)
    return source.encode() if isinstance(source, str) else None


def _check_file(file: Any) -> None:
    if isinstance(file, io.TextIOBase):
        raise TypeError("the file was opened for text: open it with 'rb'")
    if not file.seekable():
        raise TypeError("the file can be read only once, and it may have to be sent again: give a Path or a stream")


def _open(path: os.PathLike[str]) -> BinaryIO:
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        # Opening a pipe waits for its writer, and nothing can end that.
        raise ValueError(f"{os.fspath(path)!r} is no regular file: give a stream of what is to be sent")
    return open(path, "rb")


def _close(file: BinaryIO) -> None:
    file.close()


def _stream_of(source: Any) -> AsyncIterable[bytes] | None:
    """What can be read only asynchronously, in pieces; None for anything else."""
    read = getattr(source, "read", None)
    if inspect.iscoroutinefunction(read):
        # Of a file opened by aiofiles, and of asyncio's own StreamReader, a loop would give lines.
        if _takes_size(read):
            return _read_in_pieces(partial(read, CHUNK_BYTES))
        if not isinstance(source, AsyncIterable):
            return _read_in_pieces(read, once=True)
    return source if isinstance(source, AsyncIterable) else None


def _takes_size(read: Callable[..., Any]) -> bool:
    try:
        inspect.signature(read).bind(CHUNK_BYTES)
    except TypeError:
        return False
    return True


async def _read_in_pieces(read: Callable[[], Awaitable[bytes]], *, once: bool = False) -> AsyncIterator[bytes]:
    while chunk := await read():
        yield chunk
        if once:
            break


async def _spool(stream: AsyncIterable[bytes], file: Any, max_bytes: int, endpoint: str) -> None:
    size, waiting = 0, bytearray()
    async for chunk in stream:
        if not isinstance(chunk, bytes | bytearray | memoryview):
            raise TypeError(f"the stream must give bytes, not {type(chunk).__name__}")
        waiting += chunk
        size += len(chunk)
        check_size(size, max_bytes, endpoint)
        if len(waiting) >= CHUNK_BYTES:
            await off_loop(file.write, waiting)
            waiting = bytearray()
    await off_loop(file.write, waiting)
    await off_loop(file.seek, 0)
