"""Output: the results of a command, as tables, cards, lines, CSV or JSON, and what is said beside them."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import AsyncIterable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from databricks_async.cli.options import Options
from databricks_async.cli.output import tables
from databricks_async.cli.output.columns import Column, for_people, for_scripts, sort_key
from databricks_async.cli.output.errors import say
from databricks_async.cli.output.states import Sign
from databricks_async.cli.output.streams import shown, standard_streams
from databricks_async.cli.output.tables import Line, Row

_SAME_CLOCK = timedelta(seconds=2)
"""A `Date` has whole seconds, and an answer takes its time."""
MAX_ROWS = 200
"""What a listing shows on a terminal unless --limit says otherwise."""


class Output:
    """What a command writes. Results go to standard output, and nothing else does."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.stdout, self.stderr = standard_streams(color=options.color, ascii_only=options.ascii)
        self.format = options.output
        self._date = ""
        self._dated_at = 0.0

    @property
    def now(self) -> datetime:
        """The service's time: that of its last answer, and what has passed since; before there is one, this machine's.

        Elapsed times count by it: clocks differ, and that of a local workspace may run a thousand times as fast.
        """
        from databricks_async.error_bodies import http_date

        here = datetime.now(UTC)
        if (dated := http_date(self._date)) is None:
            return here
        there = dated + timedelta(seconds=time.monotonic() - self._dated_at)
        return here if abs(there - here) < _SAME_CLOCK else there

    def dated(self, date: str) -> None:
        """Note the `Date` of an answer that has just come."""
        self._date, self._dated_at = date, time.monotonic()

    # --- one piece at a time -----------------------------------------------------------------------------------------

    def line(self, text: str = "") -> None:
        """A line of the result, at once."""
        self.stdout.write(f"{text}\n")
        self.stdout.flush()

    def sentence(self, text: str) -> None:
        """A line of the result that is a sentence: on a terminal as many lines as it takes."""
        for line in tables.wrapped(text, self.stdout.width, whole=True) if self.stdout.width else [text]:
            self.line(line)

    def styled(self, line: Line) -> None:
        """A line of the result, made of styled pieces."""
        self.line(self.dressed(line))

    def dressed(self, line: Line) -> str:
        """A line as text, with colours if there are any."""
        return "".join(self.stdout.style(text, style) for text, style in line)

    def json(self, value: Any, *, indent: bool = True) -> None:
        """A JSON value: a thing over several lines, or one record of a stream in one line."""
        self.line(to_json(value, indent=indent))

    def note(self, text: str) -> None:
        """Something said beside the result, on standard error; not where scripts read that, or asked for ids only."""
        if self.format == "json" or self.options.quiet:
            return
        say(self.stderr, text)

    def sign(self, sign: Sign) -> str:
        return sign.ascii if self.stdout.is_ascii else sign.symbol

    # --- listings ----------------------------------------------------------------------------------------------------

    async def rows(
        self,
        items: AsyncIterable[Any] | Iterable[Any],
        columns: Sequence[Column],
        *,
        sign: Callable[[Any], Sign] | None = None,
        item_id: Callable[[Any], object],
        long: bool = False,
        limit: int | None = None,
        order: Callable[[Any], Any] | None = None,
    ) -> int:
        """Write a listing in the form that was asked for. Returns how many items there were.

        `order` is the key by which tables and lines are sorted, unless --sort is given; without either they are
        written as they come. `limit` ends the reading.
        """
        chosen = self.columns(columns, long=long)
        quiet, table = self.options.quiet, self.format == "text" and self.stdout.is_terminal
        if limit is None and table and not quiet:
            return await self._table(items, columns, chosen, sign, order)
        if self.options.sort or (order is not None and self.format != "json"):
            items = self._sorted(await _collected(items, limit), columns, order)
        if table and not quiet:
            return await self._table(items, columns, chosen, sign, None, limit)
        if self.format == "json":
            return await self._array(items, limit, item_id)
        if self.format == "csv" and self.options.header and not quiet:
            self.line(_csv([column.key for column in chosen]))
        count = 0
        async for item in _first(items, limit):
            if quiet:
                self.line(shown(str(item_id(item))))
            else:
                self.record(chosen, item)
            count += 1
        return count

    def record(self, columns: Sequence[Column], item: Any) -> None:
        """One item as a line for scripts: fields between tabs, or CSV."""
        self.fields([for_scripts(column, item) for column in columns])

    def fields(self, fields: Sequence[str]) -> None:
        """One record for scripts."""
        fields = [shown(field) for field in fields]
        self.line(_csv(fields) if self.format == "csv" else "\t".join(fields))

    def csv(self, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Rows as CSV."""
        for row in [header, *rows] if self.options.header else rows:
            self.line(_csv([shown(field) for field in row]))

    def columns(self, columns: Sequence[Column], *, long: bool = False) -> list[Column]:
        """Those that are asked for."""
        by_key = {column.key: column for column in columns}
        if self.options.columns is None:
            return [column for column in columns if long or not column.long]
        return [by_key[self._known(name, by_key, "--columns")] for name in self.options.columns]

    async def _table(
        self,
        items: AsyncIterable[Any] | Iterable[Any],
        columns: Sequence[Column],
        chosen: Sequence[Column],
        sign: Callable[[Any], Sign] | None,
        order: Callable[[Any], Any] | None,
        limit: int | None = None,
    ) -> int:
        if order is not None or (self.options.sort and limit is None):
            found = self._sorted(await _collected(items, None), columns, order)
        else:
            found = await _collected(items, MAX_ROWS + 1 if limit is None else limit)
        visible = found if limit is not None else found[:MAX_ROWS]
        for line in self.table(visible, chosen, sign):
            self.styled(line)
        if len(visible) < len(found):
            self.note(f"Only the first {MAX_ROWS} are shown: --limit {10 * MAX_ROWS} shows more.")
        return len(visible)

    def table(
        self, items: Sequence[Any], columns: Sequence[Column], sign: Callable[[Any], Sign] | None = None
    ) -> list[Line]:
        """The lines of a table for people."""
        utc, rows, now = self.options.utc, list[Row](), self.now
        for item in items:
            its = sign(item) if sign is not None else None
            cells = [for_people(column, item, now, utc=utc) for column in columns]
            rows.append(Row(self.sign(its) if its else "", its.style if its else "", cells))
        return tables.lay_out(
            columns, rows, self.stdout.width, header=self.options.header, ascii_only=self.stdout.is_ascii
        )

    def _sorted(self, items: list[Any], columns: Sequence[Column], order: Callable[[Any], Any] | None) -> list[Any]:
        if not self.options.sort:
            return sorted(items, key=order) if order is not None else items
        by_key = {column.key: column for column in columns}
        column = by_key[self._known(self.options.sort.removeprefix("-"), by_key, "--sort")]
        reverse = self.options.sort.startswith("-")
        return sorted(items, key=lambda item: sort_key(column, item), reverse=reverse)

    def _known(self, name: str, columns: Mapping[str, Column], option: str) -> str:
        name = name.strip().lower()
        if name not in columns:
            raise click.UsageError(f"{option}: no column {name!r}: there are {', '.join(columns)}")
        return name

    async def _array(
        self, items: AsyncIterable[Any] | Iterable[Any], limit: int | None, item_id: Callable[[Any], object]
    ) -> int:
        count = 0
        try:
            async for item in _first(items, limit):
                self.stdout.write("[\n" if count == 0 else ",\n")
                self.stdout.write(to_json(item_id(item) if self.options.quiet else item, indent=False))
                count += 1
        finally:
            if count:  # whatever ended it, what is there is a whole array
                self.line("\n]")
        if not count:
            self.line("[]")
        return count

    # --- things ------------------------------------------------------------------------------------------------------

    @property
    def wants_object(self) -> bool:
        """Whether a thing is written as JSON: asked for, or in a pipe where nothing else was."""
        piped = self.options.format is None and not self.stdout.is_terminal
        return self.format == "json" or (piped and self.format == "text")

    def thing(
        self,
        item: Any,
        columns: Sequence[Column],
        *,
        item_id: Callable[[Any], object],
        sign: Callable[[Any], Sign] | None = None,
        title: str = "",
    ) -> None:
        """One thing: a card for people, JSON in a pipe."""
        if self.options.quiet:
            self.line(shown(str(item_id(item))))
        elif self.format == "csv":
            chosen = self.columns(columns, long=True)
            if self.options.header:
                self.line(_csv([column.key for column in chosen]))
            self.record(chosen, item)
        elif self.wants_object:
            self.json(item)
        else:
            self.card(item, self.columns(columns, long=True), sign, title)

    def card(
        self, item: Any, columns: Sequence[Column], sign: Callable[[Any], Sign] | None = None, title: str = ""
    ) -> None:
        """A line for each value that there is, long ones over several."""
        if title:
            its = sign(item) if sign is not None else None
            head = [(f"{self.sign(its)} ", its.style)] if its else []
            width = self.stdout.width
            self.styled(
                [
                    *head,
                    (tables.cut(shown(title), width - 2 if width else 10_000, ascii_only=self.stdout.is_ascii), "bold"),
                ]
            )
        cells = [(column, for_people(column, item, self.now, utc=self.options.utc)) for column in columns]
        cells = [(column, text) for column, text in cells if text != "-"]
        indent = max((len(column.name) for column, _ in cells), default=0) + 4
        room = None if self.stdout.width is None else max(10, self.stdout.width - indent)
        for column, text in cells:
            style = sign(item).style if sign is not None and column.name == "STATE" else ""
            for number, line in enumerate(tables.wrapped(text, room, ascii_only=self.stdout.is_ascii)):
                label = f"  {column.name.lower()}" if number == 0 else ""
                self.styled([(f"{label:<{indent}}", "dim"), (line, style)])


def to_json(value: Any, *, indent: bool = False) -> str:
    """Models and plain values as the service would write them."""
    import orjson

    def plain(one: Any) -> Any:
        as_dict = getattr(one, "as_dict", None)
        if as_dict is None:
            raise TypeError(f"{type(one).__name__} is no JSON")
        return as_dict()

    value = plain(value) if hasattr(value, "as_dict") else value
    return orjson.dumps(value, default=plain, option=orjson.OPT_INDENT_2 if indent else 0).decode()


def _csv(fields: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(fields)
    return text.getvalue()


async def _first(items: AsyncIterable[Any] | Iterable[Any], limit: int | None) -> AsyncIterable[Any]:
    count = 0
    if limit == 0:
        return
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield item
            count += 1
            if count == limit:
                return
    else:
        for item in items:
            yield item
            count += 1
            if count == limit:
                return


async def _collected(items: AsyncIterable[Any] | Iterable[Any], limit: int | None) -> list[Any]:
    return [item async for item in _first(items, limit)]
