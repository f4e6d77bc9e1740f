"""A folder of this machine to a tree of the workspace."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Protocol, TypeAlias

import attrs

from databricks_async.errors import OutcomeUnknown
from databricks_async.pager import Pager
from databricks_async.workspace.content import Download
from databricks_async.workspace.models import ExportFormat, ImportFormat, Language, ObjectInfo, ObjectType
from databricks_async.workspace.paths import absolute, truth
from databricks_async.workspace.trees.names import InWorkspace, in_workspace, name_in
from databricks_async.workspace.trees.pool import (
    Outcome,
    Progress,
    TreeFailure,
    TreeItem,
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
        source: Path,
        *,
        format: ImportFormat,  # noqa: A002 (the field's own name)
        language: Language | None,
        overwrite: bool,
    ) -> None: ...


@attrs.frozen
class _Source:
    """A file to import."""

    path: str
    there: InWorkspace
    size: int
    modified_at: int
    """Epoch milliseconds."""


@attrs.frozen
class _Folder:
    """A folder below the one that is read."""

    path: str
    name: str


@attrs.define(eq=False)
class _Target:
    """A folder of the workspace that files go to."""

    path: str
    there: dict[str, ObjectInfo] = attrs.Factory(dict)
    """What is in it already, by name; read only to leave out what has not changed."""
    made: asyncio.Task[Outcome] | None = None

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
    on_progress: Callable[[Progress], None] | None,
    concurrency: int,
) -> TreeReport:
    home, root = os.fspath(local_dir), _Target(whole_path(absolute(path)))
    real_home = await asyncio.to_thread(os.path.realpath, home)
    put = _Import(workspace, overwrite=overwrite, skip_unchanged=skip_unchanged)
    folders = list[tuple[str, str]]()
    async with open_pool(concurrency, on_progress) as workers:

        async def start_all(entries: list[_Entry], target: _Target) -> None:
            for entry in entries:
                if isinstance(entry, _Folder):
                    folders.append((entry.path, target.inside(entry.name)))
                elif isinstance(entry, _Source):
                    await workers.start(entry.path, entry.there.kind, partial(put.one, entry, target))
                else:
                    workers.note(entry)

        entries = await asyncio.to_thread(_read, home, real_home)
        await put.make(root)
        await start_all(entries, root)
        while folders:
            local, there = folders.pop()
            target = _Target(there)
            target.made = await workers.start(local, ObjectType.DIRECTORY, partial(put.folder, local, target))
            try:
                entries = await asyncio.to_thread(_read, local, real_home)
            except OSError as error:
                workers.note(TreeFailure(local, error), ObjectType.DIRECTORY)
            else:
                await start_all(entries, target)
    return workers.report


class _Import:
    """Imports folders and files."""

    def __init__(self, workspace: ImportCalls, *, overwrite: bool, skip_unchanged: bool) -> None:
        self._workspace = workspace
        self._overwrite = truth("overwrite", overwrite)
        self._skip_unchanged = truth("skip_unchanged", skip_unchanged)

    async def make(self, target: _Target) -> None:
        if target.path != "/":
            await self._workspace.mkdirs(target.path)
        if self._skip_unchanged:
            listed = await self._workspace.list(target.path).collect()
            target.there = {name: info for info in listed if (name := name_in(target.path, info.path or ""))}

    async def folder(self, local: str, target: _Target) -> Outcome:
        await self.make(target)
        return TreeItem(local, target.path, ObjectType.DIRECTORY, 0)

    async def one(self, source: _Source, target: _Target) -> Outcome:
        if target.made is not None:
            # In the same pool and started before this, so it does not wait for a place that this one has.
            await asyncio.wait((target.made,))
            if isinstance(target.made.result(), TreeFailure):
                return TreeSkip(source.path, "its folder could not be made")
        there = source.there
        goal = target.inside(there.name)
        if there.name in target.there and await self._is_there(source, target.there[there.name]):
            return TreeSkip(source.path, "unchanged")
        try:
            await self._workspace.upload(
                goal, Path(source.path), format=there.format, language=there.language, overwrite=self._overwrite
            )
        except OutcomeUnknown:
            # Its answer was lost, and what was sent again met what the first try had made.
            if not await self._is_there(source, await self._workspace.get_status(goal)):
                raise
        return TreeItem(source.path, goal, there.kind, source.size)

    async def _is_there(self, source: _Source, info: ObjectInfo) -> bool:
        """Whether the object is this file: it has the file's time, as after an export, or the same content."""
        there, size = source.there, info.size
        if info.object_type != there.kind or (there.kind == ObjectType.FILE and size not in (None, source.size)):
            return False
        if info.modified_at == source.modified_at:
            return True
        if there.format == ImportFormat.JUPYTER:
            return False  # the service writes it in its own way: no content to compare
        form = ExportFormat.SOURCE if there.kind == ObjectType.NOTEBOOK else ExportFormat.AUTO
        with await asyncio.to_thread(open, source.path, "rb") as file:
            async for chunk in self._workspace.download(info.path or "", format=form):
                if await asyncio.to_thread(file.read, len(chunk)) != chunk:
                    return False
            return not await asyncio.to_thread(file.read, 1)


def _read(folder: str, home: str) -> list[_Entry]:
    """What is in a folder and what it becomes, by name; `home` is the real path of the whole tree."""
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    takers = dict[str, str]()
    read = list[_Entry]()
    for entry in entries:
        try:
            one = _entry(entry, home)
        except (OSError, ValueError) as error:
            one = TreeFailure(entry.path, error)
        if isinstance(one, _Folder | _Source):
            name = one.name if isinstance(one, _Folder) else one.there.name
            taker = takers.setdefault(name, entry.path)
            if taker != entry.path:
                problem = f"{taker!r} has the same name in the workspace"
                one = TreeFailure(entry.path, FileExistsError(errno.EEXIST, problem, entry.path))
        read.append(one)
    return read


def _entry(entry: os.DirEntry[str], home: str) -> _Entry:
    if entry.is_symlink():
        real = os.path.realpath(entry.path, strict=True)
        if not Path(real).is_relative_to(home):
            raise PermissionError(errno.EPERM, "a symbolic link that leads out of the tree is not followed", entry.path)
        if os.path.isdir(real):
            return TreeSkip(entry.path, "a symbolic link to a folder is not followed")
    if entry.is_dir():
        return _Folder(entry.path, entry.name)
    if not entry.is_file():
        return TreeSkip(entry.path, "neither a file nor a folder")
    status = entry.stat()
    return _Source(entry.path, in_workspace(entry.path), status.st_size, status.st_mtime_ns // 1_000_000)
