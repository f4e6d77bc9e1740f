"""Tables that fit: columns as wide as they need, and what does not fit left out by rule, no word cut in silence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from databricks_async.cli.output.columns import Column
from databricks_async.pictures.words import cells

Line: TypeAlias = list[tuple[str, str]]
"""Pieces of a line, each with the name of its style or none."""

MIN_COLUMNS = 50
"""On a narrower terminal each row is a stack of lines."""
_MIN_NAME = 12
_MIN_WORDS = 16


class Row(NamedTuple):
    """A row to show: its sign, the style of sign and state, and a cell for each column."""

    sign: str
    style: str
    cells: Sequence[str]


def cells_of(text: str) -> int:
    """The columns that text takes on a terminal."""
    return len(text) if text.isascii() else cells(text)


def cut(text: str, width: int, *, ascii_only: bool = False) -> str:
    """A name that is made to fit, and shows it: `enrich_with…`."""
    if cells_of(text) <= width:
        return text
    kept = text
    while kept and cells_of(kept) > width - 1:
        kept = kept[:-1]
    return (kept + ("~" if ascii_only else "…"))[: max(width, 0)]


def cut_words(text: str, width: int, *, ascii_only: bool = False) -> str:
    """A sentence with as many of its words as fit, and a sign that there are more."""
    if cells_of(text) <= width:
        return text
    kept, more = "", " ~" if ascii_only else " …"
    for word in text.split():
        if cells_of(kept) + cells_of(word) + (1 if kept else 0) > width - 2:
            break
        kept += f" {word}" if kept else word
    return kept + more if kept else cut(text, width, ascii_only=ascii_only)


def wrapped(text: str, width: int | None, *, ascii_only: bool = False, whole: bool = False) -> list[str]:
    """Lines of whole words; one that is longer than a line has a line of its own, cut visibly unless wanted `whole`."""
    lines, line = list[str](), ""
    for word in text.split():
        if width is not None and line and cells_of(line) + 1 + cells_of(word) > width:
            lines.append(line)
            line = ""
        line += f" {word}" if line else word
    lines.append(line)
    return lines if width is None or whole else [cut(one, width, ascii_only=ascii_only) for one in lines]


def pad(text: str, width: int, *, right: bool = False) -> str:
    space = " " * (width - cells_of(text))
    return space + text if right else text + space


def lay_out(
    columns: Sequence[Column],
    rows: Sequence[Row],
    width: int | None,
    *,
    header: bool = True,
    ascii_only: bool = False,
) -> list[Line]:
    """The lines of a table of at most this width."""
    if width is not None and width < MIN_COLUMNS:
        return _stacked(columns, rows, width, ascii_only)
    used = [
        index for index, column in enumerate(columns) if column.keep or any(row.cells[index] != "-" for row in rows)
    ]
    widths = {
        index: max([cells_of(columns[index].name), *(cells_of(row.cells[index]) for row in rows)]) for index in used
    }
    signs = 2 if any(row.sign for row in rows) else 0
    if width is not None:
        _fit(columns, widths, width - signs)
    lines = list[Line]()
    if header:
        lines.append([(_joined([(columns[i], columns[i].name, widths[i]) for i in widths], signs), "dim")])
    state = next((index for index in widths if columns[index].name == "STATE"), None)
    for row in rows:
        pieces: Line = [(pad(row.sign, signs), row.style)] if signs else []
        for position, index in enumerate(widths):
            column, text = columns[index], row.cells[index]
            if column.shorten == "words":
                text = cut_words(text, widths[index], ascii_only=ascii_only)
            text = pad(cut(text, widths[index], ascii_only=ascii_only), widths[index], right=column.right)
            pieces.append((text, row.style if index == state else ""))
            if position < len(widths) - 1:
                pieces.append(("  ", ""))
        lines.append(_stripped(pieces))
    return lines


def _fit(columns: Sequence[Column], widths: dict[int, int], room: int) -> None:
    """Shorten sentences, leave out columns from the right, then shorten names: in this order, until all fits."""

    def excess() -> int:
        return sum(widths.values()) + 2 * (len(widths) - 1) - room

    for index in [index for index in widths if columns[index].shorten == "words"]:
        if (over := excess()) > 0:
            widths[index] = max(min(widths[index], _MIN_WORDS), widths[index] - over)
    for index in [*widths][::-1]:
        if excess() > 0 and not columns[index].keep and columns[index].shorten != "name":
            del widths[index]
    for index in [*widths][::-1]:
        if (over := excess()) > 0 and columns[index].shorten == "name":
            widths[index] = max(min(widths[index], _MIN_NAME), widths[index] - over)
    for index in [*widths][::-1]:
        if excess() > 0 and not columns[index].keep:
            del widths[index]
    for index in [*widths][::-1]:
        if (over := excess()) > 0:  # an id that no terminal has room for
            widths[index] = max(1, widths[index] - over)


def _joined(cells: Sequence[tuple[Column, str, int]], indent: int) -> str:
    return " " * indent + "  ".join(pad(text, width, right=column.right) for column, text, width in cells).rstrip()


def _stripped(line: Line) -> Line:
    """Without blanks at its end."""
    while line and not line[-1][0].strip():
        line.pop()
    if line:
        line[-1] = (line[-1][0].rstrip(), line[-1][1])
    return line


def _stacked(columns: Sequence[Column], rows: Sequence[Row], width: int, ascii_only: bool) -> list[Line]:
    lines = list[Line]()
    for row in rows:
        first = True
        for column, text in zip(columns, row.cells, strict=True):
            if text == "-":
                continue
            if first:
                sign = f"{row.sign} " if row.sign else ""
                lines.append([(sign, row.style), (cut(text, width - len(sign), ascii_only=ascii_only), "bold")])
                first = False
                continue
            label = f"    {column.name.lower()} "
            room = width - len(label)
            text = cut_words(text, room, ascii_only=ascii_only) if column.shorten == "words" else text
            style = row.style if column.name == "STATE" else ""
            lines.append([(label, "dim"), (cut(text, room, ascii_only=ascii_only), style)])
    return lines
