"""Local folders that others change meanwhile: each step is taken from an open folder, and no link leads out."""

from __future__ import annotations

import errno
import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import attrs

_MAX_LINKS: Final = 40
"""As the system allows in one path."""
_FOLLOW_NOTHING: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_FOLDER: Final = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | _FOLLOW_NOTHING
# To open a pipe would wait for a writer, and nothing could end that.
_FILE: Final = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0) | _FOLLOW_NOTHING

_CALLS: Final = {os.open, os.stat, os.mkdir, os.link, os.rename, os.unlink, os.readlink}
HAS_DIR_FD: Final = os.supports_dir_fd >= _CALLS and os.scandir in os.supports_fd
"""Whether this system takes a name relative to an open folder; Windows does not."""


@attrs.frozen
class Folder:
    """An open folder; on a system without such a thing its path, which is looked at anew after each opening."""

    path: str
    descriptor: int | None

    def at(self, name: str) -> str:
        return name if self.descriptor is not None else os.path.join(self.path, name)

    @property
    def where(self) -> dict[str, Any]:
        """The argument with which a call takes a name of this folder."""
        return {} if self.descriptor is None else {"dir_fd": self.descriptor}

    @property
    def both(self) -> dict[str, Any]:
        """The same for a call that takes two names."""
        here = self.descriptor
        return {} if here is None else {"src_dir_fd": here, "dst_dir_fd": here}

    def look(self, name: str) -> os.stat_result | None:
        """What is there, a link itself and not what it points to; None if nothing is."""
        try:
            return os.stat(self.at(name), follow_symlinks=False, **self.where)
        except FileNotFoundError:
            return None

    def status(self) -> os.stat_result:
        return os.stat(self.path if self.descriptor is None else self.descriptor)

    def full(self, name: str) -> str:
        return os.path.join(self.path, name)


@contextmanager
def opened_folder(path: str) -> Iterator[Folder]:
    """A folder that the caller named: links on the way to it are followed."""
    if not HAS_DIR_FD:
        yield Folder(path, None)
        return
    descriptor = os.open(path or ".", _FOLDER & ~getattr(os, "O_NOFOLLOW", 0))
    try:
        yield Folder(path, descriptor)
    finally:
        os.close(descriptor)


class Root:
    """A folder below which everything is opened. Links are followed as long as they stay below it."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._real = os.path.realpath(path)
        self._descriptor: int | None = None
        if HAS_DIR_FD:
            self._descriptor = os.open(path, _FOLDER & ~getattr(os, "O_NOFOLLOW", 0))

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    @contextmanager
    def folder(self, inside: str, *, make: bool = False) -> Iterator[Folder]:
        """The folder of this path below the root; with `make` those that are missing are made."""
        path = os.path.join(self.path, inside)
        if self._descriptor is None:
            self._check(path)
            if make:
                os.makedirs(path, exist_ok=True)
                self._check(path)
            yield Folder(path, None)
            return
        descriptor = self._walk(inside, make=make, file=False)
        try:
            yield Folder(path, descriptor)
        finally:
            os.close(descriptor)

    def open_file(self, inside: str) -> int:
        """A descriptor of the file of this path below the root, to read from."""
        if self._descriptor is not None:
            return self._walk(inside, make=False, file=True)
        path = os.path.join(self.path, inside)
        self._check(path)
        descriptor = os.open(path, _FILE & ~getattr(os, "O_NOFOLLOW", 0))
        try:
            self._check(path)
            if not os.path.samestat(os.fstat(descriptor), os.stat(os.path.realpath(path))):
                raise _leads_out(path)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _check(self, path: str) -> None:
        real = os.path.realpath(path)
        if real != self._real and not real.startswith(self._real.rstrip(os.sep) + os.sep):
            raise _leads_out(path)

    def _walk(self, inside: str, *, make: bool, file: bool) -> int:
        """The last one of a chain of descriptors, each opened from the one before it, none through a link."""
        path = os.path.join(self.path, inside)
        assert self._descriptor is not None  # noqa: S101 (for the type checker)
        open_ones = [os.dup(self._descriptor)]
        parts, links = deque(inside.split(os.sep)), 0
        try:
            while parts:
                part = parts.popleft()
                if part in ("", "."):
                    continue
                if part == "..":
                    if len(open_ones) == 1:
                        raise _leads_out(path)
                    os.close(open_ones.pop())
                    continue
                is_file = file and not any(part not in ("", ".") for part in parts)
                try:
                    open_ones.append(_step(open_ones[-1], part, make=make, file=is_file))
                    continue
                except OSError as error:
                    target = _target(open_ones[-1], part)
                    if target is None:
                        error.filename = path
                        raise
                links += 1
                if links > _MAX_LINKS:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
                if os.path.isabs(target):
                    self._check(target)
                    target = os.path.relpath(os.path.realpath(target), self._real)
                    while len(open_ones) > 1:
                        os.close(open_ones.pop())
                parts.extendleft(reversed(target.split(os.sep)))
            return open_ones.pop()
        finally:
            for descriptor in open_ones:
                os.close(descriptor)


def _step(folder: int, name: str, *, make: bool, file: bool) -> int:
    if file:
        return os.open(name, _FILE, dir_fd=folder)
    try:
        return os.open(name, _FOLDER, dir_fd=folder)
    except FileNotFoundError:
        if not make:
            raise
    with suppress(FileExistsError):  # another task was quicker
        os.mkdir(name, dir_fd=folder)
    return os.open(name, _FOLDER, dir_fd=folder)


def _target(folder: int, name: str) -> str | None:
    """Where a link leads; None if it is none."""
    try:
        return os.readlink(name, dir_fd=folder)
    except OSError:
        return None


def _leads_out(path: str) -> PermissionError:
    return PermissionError(errno.EPERM, "a symbolic link leads out of the folder", path)
