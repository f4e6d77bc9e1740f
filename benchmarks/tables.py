"""The tables of `python -m benchmarks`: from rows of figures to Markdown, into the manual's chapter and the README."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks.picture import number

Row = Mapping[str, Any]

OF_SPEED = ("calls", "content", "conversion", "instructions", "pages", "startup", "trees")
"""The benchmarks whose aims the chapter shows; the others are about more than speed, or too many."""


def compared(rows: Sequence[Row]) -> list[str]:
    """What each contender took."""
    lines: list[list[str]] = []
    before = ""
    for row in rows:
        if "cpu" in row and "measure" in row:
            what = f"{row['measure']}, {row['unit']}"
            lines.append(["" if what == before else what, row["contender"], _spread(row["cpu"]), _spread(row["wall"])])
            before = what
    return _table(["what", "with", "CPU time", "wall time"], lines)


def requests(rows: Sequence[Row]) -> list[str]:
    """What each operation sends."""
    sent: dict[str, list[str]] = {}
    for row in rows:
        if "sent" in row:
            what = row["measure"].removeprefix("Requests to ")
            sent.setdefault(what, [what]).append(number(row["sent"][0]))
    return _table(["requests", "databricks-async", "official SDK"], sent.values())


def instructions(rows: Sequence[Row]) -> list[str]:
    """What was counted by valgrind."""
    return _table(
        ["instructions of", "with", "thousands"],
        [
            [row["instructions"], row["contender"], f"{row['count'] / 1000:,.1f}"]
            for row in rows
            if "instructions" in row
        ],
    )


def growth(rows: Sequence[Row]) -> list[str]:
    """What an item costs where there are few, ten, and a hundred times as many."""
    grown: dict[str, list[Row]] = {}
    for row in rows:
        if "growth" in row:
            grown.setdefault(row["growth"], []).append(row)
    return _table(
        ["what", "so many", "calls of functions each", "CPU microseconds each"],
        [
            [
                what,
                " / ".join(f"{row['size']:,}" for row in sizes),
                " / ".join(number(row["calls"]) for row in sizes),
                " / ".join(number(1e6 * row["cpu"]) for row in sizes),
            ]
            for what, sizes in grown.items()
        ],
    )


def judged(rows: Sequence[Row]) -> list[str]:
    """What had an aim."""
    return _table(
        ["benchmark", "what it defends", "measured", "aim", ""],
        [
            [
                f"`{row['benchmark']}`",
                f"{row['subject']}: {row['what']}" if row["subject"] else row["what"],
                f"{row['value']:.3g}",
                row["aim"],
                "" if row["held"] else "missed",
            ]
            for row in rows
            if "held" in row
        ],
    )


def everything(rows: Sequence[Row], described: Sequence[str]) -> str:
    """All tables as one page."""
    lines = [f"Measured {' '.join(described)}. Medians, with the smallest and the largest of all rounds."]
    for table in (compared, requests, instructions, growth, judged):
        lines += table(rows)
    return "\n".join(lines) + "\n"


def write_chapter(rows: Sequence[Row], described: Sequence[str]) -> None:
    """Put the figures into the manual's chapter, and what they were measured on into the README."""
    from databricks_async.manual.tools import HOME, ROOT, with_part

    measured = [f"Measured {' '.join(described)}."]
    parts = {
        HOME / "performance.md": {
            "compared": [*measured, *compared(rows)],
            "requests": requests(rows)[1:],
            "instructions": instructions(rows)[1:],
            "growth": growth(rows)[1:],
            "aims": judged([row for row in rows if row["benchmark"] in OF_SPEED])[1:],
        },
        ROOT / "README.md": {"measured": measured},
    }
    for file, of_file in parts.items():
        text = file.read_text(encoding="utf-8")
        for name, lines in of_file.items():
            text = with_part(text, name, lines)
        file.write_text(text, encoding="utf-8")


def _table(head: list[str], rows: Iterable[list[str]]) -> list[str]:
    body = [f"| {' | '.join(row)} |" for row in rows]
    return ["", f"| {' | '.join(head)} |", "|---" * len(head) + "|", *body] if body else []


def _spread(three: list[float]) -> str:
    median, low, high = (number(value) for value in three)
    return f"{median} ({low} to {high})"
