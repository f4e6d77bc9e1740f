"""A run as a tree of its tasks, with bars: what is done, what runs, what waits for what."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from databricks_async.cli.live import bars
from databricks_async.cli.output import times
from databricks_async.cli.output.states import SIGNS, sign_of_run, word_of_run
from databricks_async.cli.output.streams import Stream, shown
from databricks_async.cli.output.tables import Line, cells_of, cut, pad
from databricks_async.epoch import to_epoch_ms
from databricks_async.jobs.models import BaseRun, RunTask
from databricks_async.pictures import Bar
from databricks_async.pictures.kinds import Kind

_MAX_DEPTH = 6
"""Deeper tasks stand below each other: a chain of a hundred is no staircase."""
_MIN_BAR = 8
ORDER: tuple[Kind, ...] = ("bad", "moving", "waiting", "unknown", "stopped", "half good", "not run", "good")


class _Row(NamedTuple):
    branch: str
    name: str
    bars: Sequence[Bar]

    @property
    def kind(self) -> Kind:
        return self.bars[-1].kind


def lines_of(run: BaseRun, now: datetime, stream: Stream, read: str = "", below: Sequence[str] = ()) -> list[Line]:
    """The picture of a run, in lines that fit the terminal; the lines `below` are left out first."""
    width, height, ascii_only = stream.width or 80, stream.height, stream.is_ascii
    timeline = run.timeline(now=None if run.ended else to_epoch_ms("now", now))
    rows = _rows(run, timeline.bars, ascii_only)
    lines = [_head(run, now, read, width, ascii_only)]
    room = max(3, height - 2)
    rows, rest = _chosen(rows, room - 1)
    names = [f"{row.branch}{_sign(row, ascii_only)} {row.name}" for row in rows]
    took = ["-" if not row.bars[-1].parts else bars.took(row.bars[-1]) for row in rows]
    time_width = max([4, *map(len, took)])
    name_width = min(max([8, *map(cells_of, names)]), max(12, (width - time_width) // 2))
    length = width - name_width - time_width - 4
    axis = bars.axis_of(timeline.start, timeline.end, timeline.idle, length)
    for row, its_time in zip(rows, took, strict=True):
        line = _named(row, name_width, ascii_only)
        line.append((f"  {pad(its_time, time_width, right=True)}", ""))
        if length >= _MIN_BAR and any(bar.parts for bar in row.bars):
            line += [("  ", ""), *bars.draw(row.bars, axis, ascii_only=ascii_only)]
        lines.append(_noted(line, row, width, ascii_only))
    if rest:
        lines.append([(f"{'...' if ascii_only else '…'} {rest}", "dim")])
    for text in (bars.ASCII_KEY if ascii_only else bars.KEY, *below):
        if text and cells_of(text) <= width and len(lines) < room:
            lines.append([(text, "dim")])
    return lines


def _head(run: BaseRun, now: datetime, read: str, width: int, ascii_only: bool) -> Line:
    """Name, id, state, for how long, how long it waited, how old the picture is: as much as fits."""
    sign, word = sign_of_run(run), word_of_run(run)
    dot = " | " if ascii_only else " · "
    took = (run.end or now) - run.start if run.start is not None else None
    state = f"{word} after" if run.ended else f"{word} for"
    parts = [f"run {run.run_id}", f"{state} {times.duration(took.total_seconds())}" if took is not None else word]
    if run.queue_duration:
        parts.append(f"waited {times.duration(run.queue_duration / 1000)}")
    if read and not run.ended:
        parts.append(read)
    symbol = sign.ascii if ascii_only else sign.symbol
    while len(parts) > 2 and len(symbol) + 1 + 12 + sum(cells_of(part) + 3 for part in parts) > width:
        parts.pop()
    tail = dot.join(["", *parts])
    name = cut(shown(run.run_name or "run"), max(1, width - 2 - cells_of(tail)), ascii_only=ascii_only)
    return [
        (f"{symbol} ", sign.style),
        (name, "bold"),
        (cut(tail, width - 2 - cells_of(name), ascii_only=ascii_only), ""),
    ]


def _rows(run: BaseRun, found: Sequence[Bar], ascii_only: bool) -> list[_Row]:
    attempts: dict[str, list[Bar]] = {}
    for bar in found:
        attempts.setdefault(bar.name, []).append(bar)
    latest: dict[str, RunTask] = {str(task.task_key): task for task in run.tasks or ()}
    parents = {key: [str(one.task_key) for one in task.depends_on or ()] for key, task in latest.items()}
    children: dict[str, list[str]] = {}
    for key in attempts:
        of = parents.get(key, [])
        # A task that waits for several stands at the root, behind them.
        parent = of[0] if len(of) == 1 and of[0] in attempts else ""
        children.setdefault(parent, []).append(key)
    rows = list[_Row]()
    corner, tee, line, fork = ("`", "|", "| ", "-+ ") if ascii_only else ("└", "├", "│ ", "─┬ ")

    def add(keys: list[str], indent: str, depth: int) -> None:
        for position, key in enumerate(keys):
            is_last = position == len(keys) - 1
            below = children.get(key, [])
            deeper = bool(below) and depth < _MAX_DEPTH
            rows.append(_Row(f"{indent}{corner if is_last else tee}{fork if deeper else ' '}", key, attempts[key]))
            add(below, indent + ("  " if is_last else line) if deeper else indent, depth + 1)

    add(children.get("", []), "", 0)
    return rows


def _chosen(rows: list[_Row], room: int) -> tuple[list[_Row], str]:
    """All rows as a tree, or where there are too many those that matter, and what the rest is."""
    if len(rows) <= room:
        return rows, ""
    ordered = sorted(rows, key=lambda row: ORDER.index(row.kind))
    kept, left = ordered[: room - 1], ordered[room - 1 :]
    good = sum(row.kind == "good" for row in left)
    words = f"{len(left)} that succeeded" if good == len(left) else f"{len(left)} more"
    return [row._replace(branch="") for row in kept], words


def _sign(row: _Row, ascii_only: bool) -> str:
    sign = SIGNS[row.kind]
    return sign.ascii if ascii_only else sign.symbol


def _named(row: _Row, width: int, ascii_only: bool) -> Line:
    sign = _sign(row, ascii_only)
    room = max(1, width - cells_of(row.branch) - 2)
    name = cut(shown(row.name), room, ascii_only=ascii_only)
    return [(row.branch, "dim"), (sign, SIGNS[row.kind].style), (f" {pad(name, room)}", "")]


def _noted(line: Line, row: _Row, width: int, ascii_only: bool) -> Line:
    """With the note of the latest attempt, or how many attempts there were, if there is room for it."""
    bar = row.bars[-1]
    note = bar.note or (f"attempt {bar.attempt}" if bar.attempt > 1 else "")
    while line and not line[-1][0].strip():
        line.pop()
    line[-1] = (line[-1][0].rstrip(), line[-1][1])
    taken = sum(cells_of(text) for text, _ in line)
    if note and taken + 2 + cells_of(note) <= width:
        line.append((f"  {shown(note)}", "dim"))
    return line
