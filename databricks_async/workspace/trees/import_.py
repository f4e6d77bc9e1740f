"""Import: a folder of this machine becomes a tree of the workspace."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
from collections.abc import Callable, Iterable
from contextlib import closing
from functools import partial
from typing import BinaryIO, Protocol, TypeAlias

import attrs

from databricks_async.aio import off_loop
from databricks_async.errors import OutcomeUnknown
from databricks_async.pager import Pager
from databricks_async.workspace.content import Download
from databricks_async.workspace.files import is_scrap
from databricks_async.workspace.folders import Root
from databricks_async.workspace.models import ExportFormat, ImportFormat, Language, ObjectInfo, ObjectType
from databricks_async.workspace.paths import absolute, boolean
from databricks_async.workspace.trees.names import InWorkspace, in_workspace, may_be_notebook, name_in
from databricks_async.workspace.trees.patterns import Patterns, patterns
from databricks_async.workspace.trees.pool import (
    TreeFailure,
    TreeItem,
    TreeOutcome,
    TreeProgress,
    TreeReport,
    TreeSkip,
    open_pool,
)
from databricks_async.workspace.trees.walk import whole_path


class ImportCalls(Protocol):
    """The calls with which a tree is imported; `Workspace` has them."""

    def list(self, path: str) -> Pager[ObjectInfo]: ...

    def download(self, path: str, *, format: ExportFormat) -> Download: ...  # noqa: A002 (the field's own name)

    async def get_status(self, path: str) -> ObjectInfo: ...

    async def mkdirs(self, path: str) -> None: ...

    async def upload(
        self,
        path: str,
        source: BinaryIO,
        *,
        format: ImportFormat,  # noqa: A002 (the field's own name)
        language: Language | None,
        overwrite: bool,
    ) -> None: ...


@attrs.frozen
class _Source:
    """A file to import, as it was when it was looked at."""

    path: str
    inside: str
    """The path below the folder that is imported."""
    becomes: InWorkspace
    seen: os.stat_result

    @property
    def size(self) -> int:
        return self.seen.st_size

    @property
    def modified_at(self) -> int:
        """Epoch milliseconds."""
        return self.seen.st_mtime_ns // 1_000_000


@attrs.frozen
class _Folder:
    """A folder below the one that is read, as it was when it was looked at."""

    path: str
    inside: str
    name: str
    seen: os.stat_result


@attrs.define(eq=False)
class _Target:
    """A folder of the workspace that files go to."""

    path: str
    existing: dict[str, ObjectInfo] = attrs.Factory(dict)
    """What is in it already, by name; read only to leave out what has not changed."""
    made: asyncio.Task[TreeOutcome] | None = None

    def inside(self, name: str) -> str:
        return f"{self.path.rstrip('/')}/{name}"


_Entry: TypeAlias = _Source | _Folder | TreeSkip | TreeFailure


async def import_tree(
    workspace: ImportCalls,
    local_dir: str | os.PathLike[str],
    path: str,
    *,
    overwrite: bool,
    skip_unchanged: bool,
    on_progress: Callable[[TreeProgress], None] | None,
    concurrency: int,
    include: Iterable[str] = (),
    exclude: Iterable[str] = (),
) -> TreeReport:
    home, root = os.fspath(local_dir), _Target(whole_path(absolute(path)))
    wanted = patterns(include=include, exclude=exclude)
    local = await off_loop(Root, home, undo=Root.close)
    with closing(local):
        put = _Import(workspace, local, overwrite=overwrite, skip_unchanged=skip_unchanged)
        folders = list[tuple[_Folder, str]]()
        async with open_pool(concurrency, on_progress) as workers:

            async def start_all(entries: list[_Entry], target: _Target) -> None:
                for entry in entries:
                    if isinstance(entry, TreeSkip | TreeFailure):
                        workers.note(entry)
                        continue
                    if os.path.basename(entry.path).startswith("."):
                        workers.report.hidden.append(entry.path)
                    if isinstance(entry, _Folder):
                        folders.append((entry, target.inside(entry.name)))
                    else:
                        await workers.start(entry.path, entry.becomes.kind, partial(put.one, entry, target))

            entries = await asyncio.to_thread(_read, local, None, wanted)
            await put.make(root)
            await start_all(entries, root)
            while folders:
                folder, goal = folders.pop()
                target = _Target(goal)
                target.made = await workers.start(
                    folder.path, ObjectType.DIRECTORY, partial(put.folder, folder.path, target)
                )
                try:
                    entries = await asyncio.to_thread(_read, local, folder, wanted)
                except OSError as error:
                    workers.note(TreeFailure(folder.path, error), ObjectType.DIRECTORY)
                else:
                    await start_all(entries, target)
        return workers.report


class _Import:
    """Imports folders and files."""

    def __init__(self, workspace: ImportCalls, local: Root, *, overwrite: bool, skip_unchanged: bool) -> None:
        self._workspace = workspace
        self._local = local
        self._overwrite = boolean("overwrite", overwrite)
        self._skip_unchanged = boolean("skip_unchanged", skip_unchanged)

    async def make(self, target: _Target) -> None:
        if target.path != "/":
            await self._workspace.mkdirs(target.path)
        if self._skip_unchanged:
            listed = await self._workspace.list(target.path).collect()
            target.existing = {name: info for info in listed if (name := name_in(target.path, info.path or ""))}

    async def folder(self, local: str, target: _Target) -> TreeOutcome:
        await self.make(target)
        return TreeItem(local, target.path, ObjectType.DIRECTORY, 0)

    async def one(self, source: _Source, target: _Target) -> TreeOutcome:
        if target.made is not None:
            # In the same pool and started before this, so it does not wait for a place that this one has.
            await asyncio.wait((target.made,))
            if isinstance(target.made.result(), TreeFailure):
                return TreeSkip(source.path, "its folder could not be made")
        becomes = source.becomes
        goal = target.inside(becomes.name)
        if becomes.name in target.existing and await self._is_there(source, target.existing[becomes.name]):
            return TreeSkip(source.path, "unchanged", goal)
        try:
            with await off_loop(_open, self._local, source, undo=_close) as file:
                await self._workspace.upload(
                    goal, file, format=becomes.format, language=becomes.language, overwrite=self._overwrite
                )
        except OutcomeUnknown:
            # Its answer was lost, and what was sent again met what the first try had made.
            if not await self._is_there(source, await self._workspace.get_status(goal)):
                raise
        return TreeItem(source.path, goal, becomes.kind, source.size)

    async def _is_there(self, source: _Source, info: ObjectInfo) -> bool:
        """Whether the object is this file: it has the file's time, as after an export, or the same content."""
        becomes, size = source.becomes, info.size
        if info.object_type != becomes.kind or (becomes.kind == ObjectType.FILE and size not in (None, source.size)):
            return False
        if info.modified_at == source.modified_at:
            return True
        if becomes.format == ImportFormat.JUPYTER:
            return False  # the service writes it in its own way: no content to compare
        form = ExportFormat.SOURCE if becomes.kind == ObjectType.NOTEBOOK else ExportFormat.AUTO
        with await off_loop(_open, self._local, source, undo=_close) as file:
            async for chunk in self._workspace.download(info.path or "", format=form):
                if await asyncio.to_thread(file.read, len(chunk)) != chunk:
                    return False
            return not await asyncio.to_thread(file.read, 1)


def _open(local: Root, source: _Source) -> BinaryIO:
    """The file that was looked at, and no other that has taken its place since."""
    file = os.fdopen(local.open_file(source.inside), "rb")
    if _traits(os.fstat(file.fileno())) != _traits(source.seen):
        file.close()
        raise _changed(source.path)
    return file


def _close(file: BinaryIO) -> None:
    file.close()


def _traits(seen: os.stat_result) -> tuple[int, ...]:
    return seen.st_dev, seen.st_ino, stat.S_IFMT(seen.st_mode), seen.st_size, seen.st_mtime_ns


def _changed(path: str) -> OSError:
    return OSError(errno.EBUSY, "is not what was there when the tree was read", path)


def _read(local: Root, folder: _Folder | None, wanted: Patterns) -> list[_Entry]:
    """What is in a folder and what it becomes, by name; None is the whole tree's own folder."""
    inside = "" if folder is None else folder.inside
    with local.folder(inside) as opened:
        if folder is not None and not os.path.samestat(opened.status(), folder.seen):
            raise _changed(folder.path)
        with os.scandir(opened.path if opened.descriptor is None else opened.descriptor) as found:
            entries = sorted(found, key=lambda entry: entry.name)
        owners = dict[str, str]()
        read = list[_Entry]()
        for entry in entries:
            path, below = os.path.join(local.path, inside, entry.name), os.path.join(inside, entry.name)
            try:
                one = _entry(local, entry, path, below, wanted)
            except (OSError, ValueError) as error:
                one = TreeFailure(path, error)
            if isinstance(one, _Folder | _Source):
                name = one.name if isinstance(one, _Folder) else one.becomes.name
                owner = owners.setdefault(name, path)
                if owner != path:
                    problem = f"{owner!r} has the same name in the workspace"
                    one = TreeFailure(path, FileExistsError(errno.EEXIST, problem, path))
            read.append(one)
    return read


def _entry(local: Root, entry: os.DirEntry[str], path: str, inside: str, wanted: Patterns) -> _Entry:
    name, shown = entry.name, inside.replace(os.sep, "/")
    if is_scrap(name):
        return TreeSkip(path, "a temporary file of an export")
    is_link = entry.is_symlink()
    is_folder = not is_link and entry.is_dir(follow_symlinks=False)
    if wanted.leave_out(shown, is_folder=is_folder):
        return TreeSkip(path, "excluded")
    if is_folder:
        return _Folder(path, inside, name, entry.stat(follow_symlinks=False))
    if not is_link and not entry.is_file(follow_symlinks=False):
        return TreeSkip(path, "neither a file nor a folder")
    if not is_link and not may_be_notebook(name):
        return _Source(path, inside, in_workspace(name), entry.stat(follow_symlinks=False))
    descriptor = local.open_file(inside)
    try:
        seen = os.fstat(descriptor)
        if stat.S_ISDIR(seen.st_mode):
            return TreeSkip(path, "a symbolic link to a folder is not followed")
        if not stat.S_ISREG(seen.st_mode):
            return TreeSkip(path, "neither a file nor a folder")
        first_line = os.read(descriptor, 200).partition(b"\n")[0]
    finally:
        os.close(descriptor)
    return _Source(path, inside, in_workspace(name, first_line), seen)
