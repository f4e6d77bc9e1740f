"""What a transfer or a deletion would do: `-n` only looks."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

from databricks_async.aio import off_loop
from databricks_async.cli.output.columns import Column
from databricks_async.cli.running import Run
from databricks_async.cli.transfers.single import is_folder
from databricks_async.errors import ResourceDoesNotExist
from databricks_async.workspace.models import ExportFormat
from databricks_async.workspace.trees.names import below, in_workspace, local_name, may_be_notebook
from databricks_async.workspace.trees.patterns import Patterns, patterns


class Step(NamedTuple):
    """What would become of one object."""

    action: str
    """export, import, replace, delete; exists, where something is in the way; unnameable."""
    path: str
    target: str

    def as_dict(self) -> dict[str, str]:
        return self._asdict()


COLUMNS = (
    Column("ACTION", lambda step: step.action, keep=True),
    Column("PATH", lambda step: step.path, shorten="name", keep=True),
    Column("TARGET", lambda step: step.target, shorten="name"),
)


async def show(run: Run, steps: AsyncIterator[Step]) -> None:
    """Write the plan."""
    found = [step async for step in steps]
    await run.out.rows(found, COLUMNS, item_id=lambda step: step.path, limit=len(found))
    run.out.note(f"Nothing was done: {len(found):,} objects were looked at (-n).")


async def export(run: Run, path: str, local: str, **settings: Any) -> AsyncIterator[Step]:
    """What an export of this tree would do; whether something has changed is only seen by one."""
    wanted = patterns(include=settings["include"], exclude=settings["exclude"])
    async with run.w.workspace.walk(path) as walk:
        async for info in walk:
            found = info.path or ""
            inside = below(walk.path, found)
            if is_folder(info) or _is_left_out(wanted, inside):
                continue
            try:
                folder, _, name = inside.rpartition("/")
                target = os.path.join(local, folder, local_name(info, name, ExportFormat.SOURCE))
            except ValueError:
                yield Step("unnameable", found, "")
                continue
            exists = await off_loop(os.path.lexists, target)
            yield Step(_action("export", exists, **settings), found, target)


async def import_(run: Run, local: str, path: str, **settings: Any) -> AsyncIterator[Step]:
    """What an import of this folder would do."""
    wanted = patterns(include=settings["include"], exclude=settings["exclude"])
    there = set[str]()
    try:
        async with run.w.workspace.walk(path) as walk:
            there = {info.path or "" async for info in walk}
    except ResourceDoesNotExist:
        pass  # all is new
    for inside in await off_loop(_files, local):
        if _is_left_out(wanted, inside):
            continue
        source = os.path.join(local, *inside.split("/"))
        folder, _, name = inside.rpartition("/")
        becomes = in_workspace(name, await off_loop(_first_line, source))
        goal = "/".join(part for part in (path.rstrip("/"), folder, becomes.name) if part)
        yield Step(_action("import", goal in there, **settings), source, goal)


async def delete(run: Run, path: str) -> AsyncIterator[Step]:
    """What a deletion would delete."""
    info = await run.w.workspace.get_status(path)
    if is_folder(info):
        async with run.w.workspace.walk(path) as walk:
            async for one in walk:
                yield Step("delete", one.path or "", "")
    yield Step("delete", info.path or path, "")


def _action(action: str, exists: bool, *, overwrite: bool, skip_unchanged: bool, **_: Any) -> str:
    if not exists:
        return action
    if overwrite:
        return "replace" if not skip_unchanged else "replace if changed"
    return "skip if unchanged" if skip_unchanged else "exists"


def _is_left_out(wanted: Patterns, inside: str) -> bool:
    return wanted.is_below_left_out(inside) or wanted.leave_out(inside, is_folder=False)


def _files(local: str) -> list[str]:
    if not os.path.isdir(local):
        raise NotADirectoryError(f"no folder: {local}")
    found = [os.path.join(folder, name) for folder, _, files in os.walk(local) for name in files]
    return sorted(os.path.relpath(path, local).replace(os.sep, "/") for path in found)


def _first_line(source: str) -> bytes:
    if not may_be_notebook(source):
        return b""
    with open(source, "rb") as file:
        return file.readline(200)
