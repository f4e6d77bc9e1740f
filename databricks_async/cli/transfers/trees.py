"""Whole trees, with a bar that is true from the start: it has an end only when the end is known."""

from __future__ import annotations

import asyncio
import os
import shlex
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from databricks_async.cli.live.screen import Screen
from databricks_async.cli.output import times
from databricks_async.cli.output.streams import shown
from databricks_async.cli.output.tables import Line, cells_of, cut
from databricks_async.cli.running import Run
from databricks_async.cli.transfers import summary
from databricks_async.errors import DatabricksError
from databricks_async.workspace.trees.names import below
from databricks_async.workspace.trees.patterns import Patterns, patterns
from databricks_async.workspace.trees.pool import TreeProgress

_MIN_BAR, _MAX_BAR = 8, 40


async def export(run: Run, path: str, local: str, **settings: Any) -> int:
    """Export a tree, and say what became of it."""
    async with _bar(run, f"exporting {path}", lambda: _count_objects(run, path, _wanted(settings))) as bar:
        run.goes_on = lambda: _interrupted(bar, "exported", ["export", path, local])
        report = await run.w.workspace.export_tree(path, local, on_progress=bar.advance, **settings)
    return summary.show(run, report, "exported", local)


async def import_(run: Run, local: str, path: str, **settings: Any) -> int:
    """Import a local folder, and say what became of it."""
    wanted = _wanted(settings)
    async with _bar(run, f"importing {local}", lambda: asyncio.to_thread(_count_files, local, wanted)) as bar:
        run.goes_on = lambda: _interrupted(bar, "imported", ["import", local, path])
        report = await run.w.workspace.import_tree(local, path, on_progress=bar.advance, **settings)
    return summary.show(run, report, "imported", path)


def _interrupted(bar: Bar, done: str, command: Sequence[str]) -> str:
    again = shlex.join(["databricks-async", "workspace", *command, "--skip-unchanged"])
    return f"{bar.done:,} objects were dealt with, and none is half {done}. To go on: {again}"


class Bar:
    """How far a transfer is, as a line."""

    def __init__(self, run: Run, title: str) -> None:
        self._stream = run.out.stderr
        self._title = shown(title)
        self._began = asyncio.get_running_loop().time()
        self.total: int | None = None
        """Known when all is counted; before, the line says so."""
        self.done = 0
        self._bytes = 0

    def advance(self, progress: TreeProgress) -> None:
        self.done = progress.done
        self._bytes += progress.bytes

    def draw(self) -> list[Line]:
        """Counts always; bar, bytes and time as there is room; the title gives way first."""
        width = (self._stream.width or 80) - 1
        seconds = asyncio.get_running_loop().time() - self._began
        total = self.total and max(self.total, self.done)
        counts = f"{self.done:,} of {total:,}" if total else f"{self.done:,}, still counting"
        beside = [counts]
        for text in (times.size(self._bytes), times.duration(seconds)):
            if sum(map(cells_of, beside)) + len(text) + 3 * len(beside) + _MIN_BAR < width:
                beside.append(text)
        tail = " · ".join(beside) if not self._stream.is_ascii else " | ".join(beside)
        room = width - cells_of(tail) - 1
        length = min(_MAX_BAR, max(_MIN_BAR, room // 2)) if total else 0
        title = cut(self._title, room - length - 1, ascii_only=self._stream.is_ascii) if room - length > 8 else ""
        line: Line = [(f"{title} ", "")] if title else []
        if total and room > length:
            filled = length * self.done // total
            full, empty = ("=", "-") if self._stream.is_ascii else ("█", "░")
            line += [(full * filled, "green"), (empty * (length - filled), "dim"), (" ", "")]
        return [[*line, (tail, "")]]


@asynccontextmanager
async def _bar(run: Run, title: str, count: Callable[[], Awaitable[int | None]]) -> AsyncIterator[Bar]:
    """A bar on a terminal, and nothing anywhere else."""
    bar = Bar(run, title)
    if not run.out.stderr.is_live or run.options.quiet or run.out.format == "json":
        yield bar
        return

    async def counted() -> None:
        bar.total = await count()

    counting = asyncio.create_task(counted(), name="databricks_async: count")
    try:
        async with Screen(run.out.stderr, bar.draw, every=0.2):
            yield bar
    finally:
        counting.cancel()
        await asyncio.wait((counting,))


def _wanted(settings: dict[str, Any]) -> Patterns:
    return patterns(include=settings["include"], exclude=settings["exclude"])


async def _count_objects(run: Run, path: str, wanted: Patterns) -> int | None:
    """What the transfer deals with: of what is left out the folder, and not what is below it."""
    try:
        async with run.w.workspace.walk(path) as walk:
            count = 0
            async for info in walk:
                count += not wanted.is_below_left_out(below(walk.path, info.path or ""))
            return count
    except DatabricksError:  # the transfer meets it too, and reports it
        return None


def _count_files(local: str, wanted: Patterns) -> int:
    count = 0
    for folder, folders, files in os.walk(local):
        count += len(folders) + len(files)
        inside = os.path.relpath(folder, local).replace(os.sep, "/").removeprefix(".").removeprefix("/")
        folders[:] = [
            name for name in folders if not wanted.leave_out(f"{inside}/{name}" if inside else name, is_folder=True)
        ]
    return count
