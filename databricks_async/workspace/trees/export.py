"""Export: a tree of the workspace becomes a folder of this machine."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
from collections.abc import Callable, Iterable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Protocol

from databricks_async.aio import off_loop
from databricks_async.workspace.content import Download
from databricks_async.workspace.files import name_key, remove_scraps
from databricks_async.workspace.folders import Root
from databricks_async.workspace.models import ExportFormat, ObjectInfo, ObjectType
from databricks_async.workspace.paths import boolean
from databricks_async.workspace.trees.names import below, local_name
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
from databricks_async.workspace.trees.walk import Walk

_MAX_MODIFIED_AT = 253_402_300_800_000
"""The year 10000 in epoch milliseconds: no file system takes more."""
_FOLDERS = (ObjectType.DIRECTORY, ObjectType.REPO)
_EXPORTED = (ObjectType.NOTEBOOK, ObjectType.FILE, ObjectType.DASHBOARD)


class ExportCalls(Protocol):
    """The calls with which a tree is exported; `Workspace` has them."""

    def walk(self, path: str, *, concurrency: int) -> Walk: ...

    def download(self, path: str, *, format: ExportFormat) -> Download: ...  # noqa: A002 (the field's own name)


async def export_tree(
    workspace: ExportCalls,
    path: str,
    local_dir: str | os.PathLike[str],
    *,
    notebooks: ExportFormat | str,
    overwrite: bool,
    skip_unchanged: bool,
    on_progress: Callable[[TreeProgress], None] | None,
    concurrency: int,
    include: Iterable[str] = (),
    exclude: Iterable[str] = (),
) -> TreeReport:
    notebooks = ExportFormat(notebooks)
    if notebooks not in (ExportFormat.SOURCE, ExportFormat.JUPYTER):
        raise ValueError(f"notebooks of a tree are exported as SOURCE or JUPYTER, not as {notebooks}")
    wanted = patterns(include=include, exclude=exclude)
    export = _Export(workspace, Path(local_dir), notebooks, overwrite=overwrite, skip_unchanged=skip_unchanged)
    await asyncio.to_thread(export.check_folder)
    with closing(export):
        walk = workspace.walk(path, concurrency=concurrency)
        return await _exported(export, walk, wanted, concurrency, on_progress)


async def _exported(
    export: _Export,
    tree: Walk,
    wanted: Patterns,
    concurrency: int,
    on_progress: Callable[[TreeProgress], None] | None,
) -> TreeReport:
    excluded = set[str]()
    async with open_pool(concurrency, on_progress) as workers, tree as walk:
        ready = False
        async for info in walk:
            if not ready:
                # What is wrong with it would be wrong for each object.
                await off_loop(export.open)
                ready = True
            found = info.path or ""
            inside = below(walk.path, found)
            is_folder = info.object_type in _FOLDERS
            if inside.rpartition("/")[0] in excluded:
                if is_folder:
                    excluded.add(inside)
                continue
            if wanted.leave_out(inside, is_folder=is_folder):
                if is_folder:
                    excluded.add(inside)
                workers.note(TreeSkip(found, "excluded"), info.object_type)
                continue
            try:
                target = export.claim(walk.path, info)
            except (ValueError, OSError) as error:
                workers.note(TreeFailure(found, error), info.object_type)
                continue
            if target is not None:
                await workers.start(found, info.object_type, partial(export.one, info, target))
        for failure in walk.failures:
            workers.note(failure)
    await off_loop(export.open)  # an empty tree is a folder too
    return workers.report


class _Export:
    """Decides for each object where it goes, and writes it there."""

    def __init__(
        self, workspace: ExportCalls, folder: Path, notebooks: ExportFormat, *, overwrite: bool, skip_unchanged: bool
    ) -> None:
        self.folder = folder
        self._workspace = workspace
        self._notebooks = notebooks
        self._overwrite = boolean("overwrite", overwrite)
        self._skip_unchanged = boolean("skip_unchanged", skip_unchanged)
        self._root: Root | None = None
        self._key: Callable[[str], str] = str
        self._claims: dict[str, str] = {}
        self._refused = set[str]()
        self._tidy = set[str]()

    @property
    def root(self) -> Root:
        assert self._root is not None  # noqa: S101 (for the type checker)
        return self._root

    def check_folder(self) -> None:
        if self.folder.exists() and not self.folder.is_dir():
            problem = "the tree needs a folder to go to, and this is a file"
            raise NotADirectoryError(errno.ENOTDIR, problem, str(self.folder))

    def open(self) -> None:
        """Make the folder, and keep it open: whatever its path leads to later, the tree goes into this one."""
        if self._root is None:
            os.makedirs(self.folder, exist_ok=True)
            self._root = Root(str(self.folder))
            with self._root.folder("") as folder:
                self._key = name_key(folder)

    def close(self) -> None:
        if self._root is not None:
            self._root.close()

    def claim(self, root: str, info: ObjectInfo) -> str | None:
        """The place of an object below the folder, which then is its own; None below a folder that has no place.

        Raises `ValueError` if it has no possible name here and `FileExistsError` if another object has it.
        """
        path = info.path or ""
        folder, _, name = below(root, path).rpartition("/")
        is_folder = info.object_type in _FOLDERS
        try:
            if folder in self._refused:
                raise ValueError("its folder has no place")
            place = os.path.join(folder, local_name(info, name, self._notebooks))
            other = self._claims.setdefault(self._key(os.path.normcase(place)), path)
            if other != path:
                raise FileExistsError(errno.EEXIST, f"this is where {other!r} of the workspace goes", place)
        except (ValueError, OSError):
            if is_folder:
                self._refused.add(f"{folder}/{name}" if folder else name)
            if folder in self._refused:
                return None
            raise
        return place

    async def one(self, info: ObjectInfo, place: str) -> TreeOutcome:
        path, kind = info.path or "", info.object_type or ObjectType("")
        target = str(self.folder / place)
        if kind in _FOLDERS:
            await asyncio.to_thread(self._make, place)
            return TreeItem(path, target, kind, 0)
        if kind not in _EXPORTED:
            return TreeSkip(path, f"objects of the type {kind or 'unknown'} have no file form")
        if await asyncio.to_thread(self._is_there, info, place):
            return TreeSkip(path, "unchanged", target)
        form = self._notebooks if kind == ObjectType.NOTEBOOK else ExportFormat.AUTO
        modified_at = info.modified_at
        if modified_at is not None and not 0 <= modified_at < _MAX_MODIFIED_AT:
            modified_at = None
        inside, name = os.path.split(place)
        # Set before the file appears: with another time it would count as changed when the export is run again.
        size = await self._workspace.download(path, format=form).save_in(
            self.root.folder(inside), name, overwrite=self._overwrite, modified_at=modified_at
        )
        return TreeItem(path, target, kind, size)

    def _make(self, inside: str) -> None:
        with self.root.folder(inside, make=True) as folder:
            if inside not in self._tidy:
                self._tidy.add(inside)
                remove_scraps(folder)

    def _is_there(self, info: ObjectInfo, place: str) -> bool:
        """Whether the file is the object as it is now: an export gives it the object's time, to the millisecond."""
        inside, name = os.path.split(place)
        self._make(inside)
        with self.root.folder(inside) as folder:
            existing = folder.look(name)
        if existing is None:
            return False
        if self._skip_unchanged and info.modified_at is not None and stat.S_ISREG(existing.st_mode):
            same_size = info.size is None or info.size == existing.st_size
            if existing.st_mtime_ns // 1_000_000 == info.modified_at and same_size:
                return True
        if not self._overwrite:
            target = str(self.folder / place)
            raise FileExistsError(errno.EEXIST, "exists already, and nothing is overwritten unasked", target)
        return False
