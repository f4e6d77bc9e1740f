"""A run's timeline on a terminal: a row for each attempt at a task, in the same places of one axis."""

from __future__ import annotations

import html
import os
from contextlib import suppress

import attrs
import click

from databricks_async.aio import off_loop
from databricks_async.cli.live import bars
from databricks_async.cli.output.columns import Column
from databricks_async.cli.output.states import SIGNS
from databricks_async.cli.output.streams import shown
from databricks_async.cli.output.tables import Line, cells_of, cut, pad
from databricks_async.epoch import from_epoch_ms
from databricks_async.pictures import Bar, Timeline
from databricks_async.pictures.rows import rows_of

_MIN_BAR = 12
_NARROW = 60

RECORD_COLUMNS = (
    Column("TASK", lambda bar: bar.name),
    Column("ATTEMPT", lambda bar: bar.attempt),
    Column("STATE", lambda bar: bar.state),
    Column("START", lambda bar: from_epoch_ms(bar.start)),
    Column("WAITED MS", lambda bar: bar.milliseconds("waiting")),
    Column("SETUP MS", lambda bar: bar.milliseconds("setup")),
    Column("RUN MS", lambda bar: bar.milliseconds("running")),
    Column("CLEANUP MS", lambda bar: bar.milliseconds("cleanup")),
    Column("END", lambda bar: from_epoch_ms(bar.end)),
)


def without_waiting(timeline: Timeline) -> Timeline:
    """From the first start on: the time before it is left out."""
    begun = [part.start for bar in timeline.bars for part in bar.parts if part.phase != "waiting"]
    if not begun:
        return timeline
    start = min(begun)
    kept = []
    for bar in timeline.bars:
        parts = tuple(attrs.evolve(part, start=max(part.start, start)) for part in bar.parts if part.end > start)
        kept.append(attrs.evolve(bar, parts=parts))
    return attrs.evolve(timeline, bars=tuple(bar for bar in kept if bar.parts or bar.kind == "waiting"))


def lines_of(timeline: Timeline, width: int | None, *, ascii_only: bool = False, header: bool = True) -> list[Line]:
    """The timeline in lines of at most this width."""
    width = 100 if width is None else width
    rows = rows_of(timeline.bars)
    names = [_name(bar) for bar in rows]
    times = [bars.took(bar) for bar in rows]
    state_width = max([len("STATE"), *(cells_of(shown(bar.state)) for bar in rows)])
    time_width = max([len("TIME"), *map(len, times)])
    name_width = max([len("TASK"), *map(cells_of, names)])
    room = width - 2 - time_width - 2 - 2
    has_states = width >= _NARROW or room - state_width - 2 - min(name_width, 14) >= _MIN_BAR
    room -= state_width + 2 if has_states else 0
    name_width = min(name_width, max(8, room - max(_MIN_BAR, room * 3 // 5)))
    length = max(1, room - name_width)
    axis = bars.axis_of(timeline.start, timeline.end, timeline.idle, length)
    lines = list[Line]()
    if header:
        head = f"  {pad(timeline.column, name_width)}  " + (f"{pad('STATE', state_width)}  " if has_states else "")
        lines.append([((head + pad("TIME", time_width, right=True) + "  " + bars.ruler(axis, timeline.idle)), "dim")])
    for bar, name, took in zip(rows, names, times, strict=True):
        sign = SIGNS[bar.kind]
        line: Line = [(f"{sign.ascii if ascii_only else sign.symbol} ", sign.style)]
        line.append((f"{pad(_short(name, name_width, ascii_only), name_width)}  ", ""))
        if has_states:
            line.append((f"{pad(shown(bar.state), state_width)}  ", sign.style))
        line.append((f"{pad(took, time_width, right=True)}  ", ""))
        if bar.parts:
            line += bars.draw([bar], axis, ascii_only=ascii_only)
        elif bar.note:
            line.append((cut(shown(bar.note), length, ascii_only=ascii_only), "dim"))
        lines.append(line)
    return [_fitted(line, width) for line in lines]


async def save(timeline: Timeline, path: str) -> None:
    """Write a picture, which appears when it is complete."""
    kind = os.path.splitext(path)[1].lower()
    if kind not in (".svg", ".html"):
        raise click.UsageError(f"--out takes a file that ends with .svg or .html, not {path}")
    picture = timeline.svg()
    if kind == ".html":
        head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(timeline.title)}</title>'
        picture = f'{head}<meta name="color-scheme" content="light dark"><body>{picture}</body></html>\n'

    def write() -> None:
        new = f"{path}.{os.getpid()}"
        try:
            file = open(new, "x", encoding="utf-8")  # noqa: SIM115 (a file of this name is somebody else's, and stays)
        except OSError as error:
            if not isinstance(error, FileExistsError):
                error.filename = path
            raise
        with file:
            try:
                file.write(picture)
                file.flush()
                os.replace(new, path)
            except BaseException:
                with suppress(FileNotFoundError):
                    os.unlink(new)
                raise

    await off_loop(write)


def _name(bar: Bar) -> str:
    return shown(bar.name) + (f" #{bar.attempt}" if bar.attempt > 1 else "")


def _short(name: str, width: int, ascii_only: bool) -> str:
    """A name that is cut keeps the number of its attempt: `enrich_with… #2`."""
    head, sign, number = name.rpartition(" #")
    if not sign or not number.isdecimal():
        return cut(name, width, ascii_only=ascii_only)
    return f"{cut(head, width - len(number) - 2, ascii_only=ascii_only)} #{number}"


def _fitted(line: Line, width: int) -> Line:
    """Without blanks at its end."""
    while line and not line[-1][0].strip():
        line.pop()
    if line:
        line[-1] = (line[-1][0].rstrip(), line[-1][1])
    return line
