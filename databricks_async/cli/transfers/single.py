"""One notebook or file, from the workspace or to it."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import Any, BinaryIO

from databricks_async.aio import off_loop
from databricks_async.cli.output import times
from databricks_async.cli.output.streams import shown
from databricks_async.cli.running import Run
from databricks_async.errors import ResourceDoesNotExist
from databricks_async.workspace.models import ExportFormat, ImportFormat, Language, ObjectInfo, ObjectType
from databricks_async.workspace.trees.names import in_workspace, local_name, may_be_notebook

_FOLDERS = (ObjectType.DIRECTORY, ObjectType.REPO)
_EXTENSIONS = {"JUPYTER": ".ipynb", "HTML": ".html", "DBC": ".dbc", "R_MARKDOWN": ".Rmd"}


def is_folder(info: ObjectInfo) -> bool:
    return info.object_type in _FOLDERS


async def cat(run: Run, info: ObjectInfo) -> None:
    """The content of an object on standard output: bytes as they are; on a terminal as text that cannot drive it."""
    download = run.w.workspace.download(info.path or "", format=_format(info, None))
    if run.out.stdout.is_terminal:
        for line in (await download.read()).decode(errors="replace").splitlines():
            run.out.line(shown(line.expandtabs()))
        return
    run.out.stdout.flush()
    target = _binary(run)
    async for chunk in download:
        target.write(chunk)
    target.flush()


async def export(
    run: Run,
    info: ObjectInfo,
    local: str | None,
    *,
    format: str | None,  # noqa: A002 (the option's own name)
    overwrite: bool,
    skip_unchanged: bool,
    dry_run: bool,
) -> None:
    """Write an object into a local file: the one named, or one of its own name in the folder named."""
    wanted = _format(info, format)
    path = info.path or ""
    target = Path(local or ".")
    if local is None or local.endswith(os.sep) or await off_loop(target.is_dir):
        target /= _local_name(info, wanted)
    there = await off_loop(_seen, target)
    if there is not None and skip_unchanged and there.st_mtime_ns // 1_000_000 == info.modified_at:
        return _told(run, "unchanged", path, str(target), 0)
    if there is not None and not overwrite:
        raise FileExistsError(errno.EEXIST, "exists already: --overwrite replaces it", str(target))
    if dry_run:
        return _told(run, "would export", path, str(target), 0)
    if str(target.parent) != ".":
        await off_loop(lambda: target.parent.mkdir(parents=True, exist_ok=True))
    download = run.w.workspace.download(path, format=wanted)
    size = await download.save(target, overwrite=overwrite, modified_at=info.modified_at)
    return _told(run, "exported", path, str(target), size)


async def import_(
    run: Run,
    local: str,
    path: str,
    *,
    format: str | None,  # noqa: A002 (the option's own name)
    language: str | None,
    overwrite: bool,
    skip_unchanged: bool,
    dry_run: bool,
) -> None:
    """Import a local file as the object named, or under its own name into the directory named."""
    source = Path(local)
    seen = await off_loop(source.stat)
    becomes = in_workspace(source.name, await off_loop(_first_line, source))
    try:
        info: ObjectInfo | None = await run.w.workspace.get_status(path)
    except ResourceDoesNotExist:
        info = None
    goal = path
    if info is not None and is_folder(info):
        goal, info = f"{path.rstrip('/')}/{becomes.name}", None
        if skip_unchanged:
            listed = await run.w.workspace.list(path).collect()
            info = next((one for one in listed if one.path == goal), None)
    if info is not None and skip_unchanged and info.modified_at == seen.st_mtime_ns // 1_000_000:
        return _told(run, "unchanged", local, goal, 0)
    if dry_run:
        return _told(run, "would import", local, goal, 0)
    parent = goal.rpartition("/")[0]
    if parent and info is None and path == goal:
        await run.w.workspace.mkdirs(parent)
    settings: dict[str, Any] = {"format": ImportFormat(format) if format else becomes.format}
    if language or (not format and becomes.language):
        settings["language"] = Language(language) if language else becomes.language
    await run.w.workspace.upload(goal, source, overwrite=overwrite, **settings)
    return _told(run, "imported", local, goal, seen.st_size)


def _told(run: Run, done: str, path: str, target: str, size: int) -> None:
    if run.options.quiet:
        run.out.line(shown(target))
    elif run.out.format == "json":
        run.out.json({"outcome": done, "path": path, "target": target, "bytes": size})
    elif run.out.format == "csv":
        run.out.csv(["outcome", "path", "target", "bytes"], [[done, path, target, str(size)]])
    else:
        run.out.sentence(f"{done} {shown(path)}" + (f" ({times.size(size)})" if size else "") + f" to {shown(target)}")


def _format(info: ObjectInfo, wanted: str | None) -> ExportFormat:
    if wanted:
        return ExportFormat(wanted)
    return ExportFormat.SOURCE if info.object_type == ObjectType.NOTEBOOK else ExportFormat.AUTO


def _local_name(info: ObjectInfo, wanted: ExportFormat) -> str:
    name = (info.path or "").rpartition("/")[2]
    extension = _EXTENSIONS.get(wanted)
    if extension is not None and info.object_type == ObjectType.NOTEBOOK:
        return name + extension
    return local_name(info, name, ExportFormat.SOURCE)


def _first_line(source: Path) -> bytes:
    if not may_be_notebook(source.name):
        return b""
    with source.open("rb") as file:
        return file.readline(200)


def _seen(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except FileNotFoundError:
        return None


def _binary(run: Run) -> BinaryIO:
    file = run.out.stdout.file
    return getattr(file, "buffer", sys.stdout.buffer)
