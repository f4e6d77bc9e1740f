"""An operation under way: one line that changes in place on a terminal, a line for each change elsewhere."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable
from datetime import datetime
from typing import NamedTuple, TypeVar

from databricks_async.cli.live.screen import Screen
from databricks_async.cli.output import times
from databricks_async.cli.output.states import Sign
from databricks_async.cli.output.streams import shown
from databricks_async.cli.output.tables import Line, cut_words
from databricks_async.cli.output.writer import Output

T = TypeVar("T")


class Standing(NamedTuple):
    """How something stands."""

    sign: Sign
    name: str
    word: str
    message: str = ""


async def follow(out: Output, changes: AsyncIterable[T], standing: Callable[[T], Standing]) -> T | None:
    """Show each change on standard error until there are no more. Returns the last one."""
    if out.options.quiet or out.format == "json":
        return await _last(changes)
    if not out.stderr.is_live:
        return await _lines(out, changes, standing)
    last: T | None = None
    began = datetime.now().astimezone()
    found: Standing | None = None

    def draw() -> list[Line]:
        if found is None:
            return [[("", "")]]
        sign = found.sign.ascii if out.stderr.is_ascii else found.sign.symbol
        took = times.duration((datetime.now().astimezone() - began).total_seconds())
        width = out.stderr.width or 80
        line: Line = [(f"{sign} ", found.sign.style)]
        rest = f"{shown(found.name)} {shown(found.word)} {took} {shown(found.message)}".rstrip()
        return [[*line, (cut_words(rest, width - 3, ascii_only=out.stderr.is_ascii), "")]]

    async with Screen(out.stderr, draw) as screen:
        async for last in changes:
            found = standing(last)
            screen.redraw()
    return last


async def _lines(out: Output, changes: AsyncIterable[T], standing: Callable[[T], Standing]) -> T | None:
    last: T | None = None
    async for last in changes:
        found = standing(last)
        out.note(change_line(found))
    return last


def change_line(found: Standing) -> str:
    """`2026-11-26 07:46:41 "gold" PENDING Finding instances`: the form that the Databricks CLI gives to changes."""
    return f'{datetime.now():%Y-%m-%d %H:%M:%S} "{found.name}" {found.word} {found.message}'.rstrip()


async def _last(changes: AsyncIterable[T]) -> T | None:
    last: T | None = None
    async for change in changes:
        last = change
    return last
