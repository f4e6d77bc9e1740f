"""Local files that appear when they are complete, and what a process that was killed has left of others."""

from __future__ import annotations

import errno
import hashlib
import os
import platform
import re
import secrets
import stat
import unicodedata
from collections.abc import Callable
from typing import Any, BinaryIO, Final

import attrs

from databricks_async.workspace.folders import Folder

# The machine, the process, and which of all those that have had its number: where the file was begun.
_MACHINE: Final = hashlib.blake2b(platform.node().encode(), digest_size=4).hexdigest()
_LIFE: Final = secrets.token_hex(4)
_SCRAP: Final = re.compile(
    r"\.databricks-async-([0-9a-f]{8})-([0-9]+)-([0-9a-f]{8})-[0-9a-f]{16}\.part(?:\u00e9|e\u0301)?"
)


@attrs.frozen
class Unfinished:
    """A file that is being written beside its place."""

    folder: Folder
    name: str
    file: BinaryIO


def is_scrap(name: str) -> bool:
    """Whether a file of this name is one that is being written, or that was when its process was killed."""
    return _SCRAP.fullmatch(name) is not None


def begin(folder: Folder, name: str, *, overwrite: bool) -> Unfinished:
    """A temporary file in the same folder, so that it can take its place at once."""
    mode = _check_replaceable(folder, name, overwrite=overwrite)
    temporary = f".databricks-async-{_MACHINE}-{os.getpid()}-{_LIFE}-{secrets.token_hex(8)}.part"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    # Not made by `tempfile`: only its owner could read it, and then the file that it becomes.
    descriptor = os.open(folder.at(temporary), flags, 0o666, **folder.where)
    made = Unfinished(folder, temporary, os.fdopen(descriptor, "wb"))
    try:
        if mode is not None:
            os.chmod(descriptor if os.chmod in os.supports_fd else folder.at(temporary), mode & 0o777)
    except BaseException:
        discard(made)
        raise
    return made


def finish(unfinished: Unfinished, rest: bytearray, modified_at: int | None) -> None:
    """Write the rest and close it; `modified_at` in epoch milliseconds is its time of modification."""
    file = unfinished.file
    file.write(rest)
    file.flush()
    if modified_at is not None:
        times = (modified_at * 1_000_000, modified_at * 1_000_000)
        os.utime(file.fileno() if os.utime in os.supports_fd else unfinished.folder.full(unfinished.name), ns=times)
    file.close()


def publish(unfinished: Unfinished, name: str, *, overwrite: bool) -> None:
    """Give it its name."""
    folder, temporary = unfinished.folder, unfinished.folder.at(unfinished.name)
    if overwrite:
        _check_replaceable(folder, name, overwrite=True)
        replace = os.rename if folder.descriptor is not None else os.replace
        replace(temporary, folder.at(name), **folder.both)
        return
    options: dict[str, Any] = {"follow_symlinks": False} if os.link in os.supports_follow_symlinks else {}
    try:
        os.link(temporary, folder.at(name), **folder.both, **options)  # refuses what exists, as renaming would not
    except FileExistsError:
        raise FileExistsError(
            errno.EEXIST, "was made meanwhile: give overwrite=True to replace it", folder.full(name)
        ) from None
    except OSError:
        # A file system without links.
        if folder.look(name) is not None:
            raise
        os.rename(temporary, folder.at(name), **folder.both)


def discard(unfinished: Unfinished) -> None:
    """Close and remove it; if it has its name by now, only the temporary one goes."""
    unfinished.file.close()
    try:
        os.unlink(unfinished.folder.at(unfinished.name), **unfinished.folder.where)
    except FileNotFoundError:
        return  # it was renamed


def name_key(folder: Folder) -> Callable[[str], str]:
    """What names have in common that are one file in this folder: some file systems fold case, some Unicode forms."""
    probe = f".databricks-async-{_MACHINE}-{os.getpid()}-{_LIFE}-{secrets.token_hex(8)}.part"
    letters = unicodedata.normalize("NFC", probe + "\u00e9")
    descriptor = os.open(folder.at(letters), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, **folder.where)
    os.close(descriptor)
    try:
        folds_case = folder.look(letters.upper()) is not None
        folds_form = folder.look(unicodedata.normalize("NFD", letters)) is not None
    finally:
        os.unlink(folder.at(letters), **folder.where)

    def key(name: str) -> str:
        name = name.casefold() if folds_case else name
        return unicodedata.normalize("NFC", name) if folds_form else name

    return key


def remove_scraps(folder: Folder) -> None:
    """Remove what processes of this machine that are gone were writing into a folder when they ended."""
    with os.scandir(folder.path if folder.descriptor is None else folder.descriptor) as entries:
        names = [entry.name for entry in entries if _is_left_behind(entry.name)]
    for name in names:
        try:
            os.unlink(folder.at(name), **folder.where)
        except FileNotFoundError:
            continue  # another export was quicker


def _is_left_behind(name: str) -> bool:
    found = _SCRAP.fullmatch(name)
    if found is None or found[1] != _MACHINE:
        return False
    process = int(found[2])
    if process == os.getpid():
        return found[3] != _LIFE
    if os.name == "nt":
        return False  # there the question would end the process
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False  # another user's
    return False


def _check_replaceable(folder: Folder, name: str, *, overwrite: bool) -> int | None:
    """The mode of the file that will be replaced, if there is one; raises `OSError` for what is not replaced."""
    there = folder.look(name)
    if there is None:
        return None
    path = folder.full(name)
    if stat.S_ISLNK(there.st_mode):
        try:
            # The link itself is replaced, but not one to a device or a pipe.
            there = os.stat(folder.at(name), **folder.where)
        except FileNotFoundError:
            if overwrite:
                return None
            raise _exists(path) from None
    if stat.S_ISDIR(there.st_mode):
        raise IsADirectoryError(errno.EISDIR, "is a directory: name the file to write", path)
    if not overwrite:
        raise _exists(path)
    if not stat.S_ISREG(there.st_mode):
        raise FileExistsError(errno.EEXIST, "is no regular file, and only those are replaced", path)
    return there.st_mode


def _exists(path: str) -> FileExistsError:
    return FileExistsError(errno.EEXIST, "exists: give overwrite=True to replace it", path)
