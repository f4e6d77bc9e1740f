"""Columns: what one cell of a listing is, for people and for scripts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple, TypeAlias

from databricks_async.cli.output import times
from databricks_async.cli.output.streams import shown

Kind: TypeAlias = Literal["text", "elapsed", "moment", "size"]


class Column(NamedTuple):
    """A column of a listing. The order of columns is that in which they are shown; the last are left out first."""

    name: str
    """The heading, and in lower case what `--columns`, `--sort` and CSV call it."""
    value: Callable[[Any], Any]
    """What scripts get: text, a number, a datetime, a timedelta, None."""
    kind: Kind = "text"
    """How people see it: a moment as the time since, or as a local time; a number as a size."""
    right: bool = False
    keep: bool = False
    """Never left out, however narrow the terminal is: ids and states."""
    shorten: Literal["", "name", "words"] = ""
    """What may be done where it does not fit: cut the end of a name, or leave out the last words of a sentence."""
    long: bool = False
    """Only with `-l`, or when `--columns` names it."""
    show: Callable[[Any, datetime], str] | None = None
    """What people see where that is more than the value."""

    @property
    def key(self) -> str:
        return self.name.lower().replace(" ", "_")


def for_people(column: Column, item: Any, now: datetime, *, utc: bool) -> str:
    """A cell of a table; `-` where there is nothing."""
    if column.show is not None:
        return shown(column.show(item, now)) or "-"
    value = column.value(item)
    if value is None or value == "":
        return "-"
    if isinstance(value, datetime):
        if column.kind == "elapsed":
            return times.duration((now - value).total_seconds())
        return times.moment(value, now, utc=utc)
    if isinstance(value, timedelta):
        return times.duration(value.total_seconds())
    if column.kind == "size" and isinstance(value, int):
        return times.size(value)
    return shown(str(value))


def for_scripts(column: Column, item: Any) -> str:
    """A field of a line or of CSV, in full: RFC 3339, seconds, bytes; empty where there is nothing."""
    value = column.value(item)
    if value is None:
        return ""
    if isinstance(value, datetime):
        return times.rfc3339(value)
    if isinstance(value, timedelta):
        return f"{value.total_seconds():.3f}".rstrip("0").rstrip(".")
    if isinstance(value, bool):
        return str(value).lower()
    return shown(str(value))


def sort_key(column: Column, item: Any) -> tuple[bool, Any]:
    """By the value; what has none comes last, or first in descending order."""
    value = column.value(item)
    return (value is None, str(value).lower() if isinstance(value, str) else 0 if value is None else value)
