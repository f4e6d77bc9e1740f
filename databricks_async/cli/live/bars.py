"""Bars of a timeline in the cells of a terminal: waiting, setup, running, cleaning up told apart by sign."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from databricks_async.cli.output.states import SIGNS
from databricks_async.cli.output.tables import Line
from databricks_async.pictures.axis import Axis, Stretch
from databricks_async.pictures.bars import Bar, Phase
from databricks_async.pictures.words import duration, exact

_PHASES: Final[dict[Phase, tuple[str, str]]] = {
    "waiting": ("·", "."),
    "setup": ("░", "-"),
    "running": ("█", "="),
    "cleanup": ("▒", "~"),
}
_ONGOING: Final = ("▶", ">")
_FAILED: Final = ("✗", "x")
_DIM: Final[tuple[Phase, ...]] = ("waiting",)
_MIN_TICK_CELLS: Final = 10
KEY: Final = "· waiting  ░ setup  █ running  ▒ cleaning up  ▶ goes on  ✗ failed"
ASCII_KEY: Final = ". waiting  - setup  = running  ~ cleaning up  > goes on  x failed"


def axis_of(start: int | None, end: int | None, idle: Sequence[Stretch], width: int) -> Axis:
    """Time to cells; each idle stretch takes as many as its label."""
    begin = start or 0
    gap = float(max((len(_label(stretch)) for stretch in idle), default=0))
    if gap * len(idle) > width / 2:
        gap = 1.0
    return Axis(begin, end if end is not None else begin + 1, idle, float(max(width, 1)), gap)


def draw(bars: Sequence[Bar], axis: Axis, *, ascii_only: bool = False) -> Line:
    """The attempts at one task in one line; one attempt alone is a line too."""
    width = int(axis.length)
    cells = [(" ", "")] * width
    for bar in bars:
        style = SIGNS[bar.kind].style
        last = None
        for part in bar.parts:
            first = min(int(axis.place(part.start)), width - 1)
            last = max(first, min(round(axis.place(part.end)), width) - 1)
            letter = _PHASES[part.phase][ascii_only]
            cells[first : last + 1] = [(letter, "dim" if part.phase in _DIM else style)] * (last + 1 - first)
        if last is not None and bar.is_ongoing:
            cells[last] = (_ONGOING[ascii_only], style)
        elif last is not None and bar.kind == "bad":
            cells[last] = (_FAILED[ascii_only], style)
    return [("".join(letter for letter, _ in same), style) for style, same in groupby(cells, lambda cell: cell[1])]


def ruler(axis: Axis, idle: Sequence[Stretch]) -> str:
    """Times since the start, and how long each stretch is that was cut out."""
    width = int(axis.length)
    text = [" "] * width

    def put(place: int, label: str) -> None:
        room = text[max(0, place - 1) : place + len(label) + 1]
        if place >= 0 and place + len(label) <= width and all(one == " " for one in room):
            text[place : place + len(label)] = label

    for stretch in idle:
        put(int(axis.place(stretch[0])), _label(stretch))
    for tick in axis.ticks(_MIN_TICK_CELLS):
        put(int(axis.place(axis.start + tick)), exact(tick))
    return "".join(text).rstrip()


def took(bar: Bar) -> str:
    """How long it took, or `-`."""
    return duration(bar.milliseconds()) if bar.parts else "-"


def _label(stretch: Stretch) -> str:
    return f"··{duration(stretch[1] - stretch[0])}··"
