"""Quartz cron expressions: which the service accepts, and when they fire.

The grammar is that of Quartz 2.3's `CronExpression`, which the API's documentation of `quartz_cron_expression` refers
to: six or seven fields, names for months and days of the week, `?`, `L`, `L-3`, `W`, `LW`, `6#3`, `6L`, steps, and
ranges that wrap around. Where the class is more lenient than its documentation (`JANUARY` for `JAN`, `W` in a list,
an eighth field), the documentation decides.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import product
from typing import NoReturn

import attrs

_MONTHS = {
    name: number
    for number, name in enumerate(
        ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"], 1
    )
}
_DAYS = {name: number for number, name in enumerate(["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"], 1)}
_MAX_YEAR = 2099
_ANY_YEAR = range(1970, _MAX_YEAR + 1)


class CronError(ValueError):
    """The expression is not one; the text says why."""


@attrs.frozen
class _Field:
    """One of the seven fields: its name, the values it takes, their names, and the largest step."""

    name: str
    low: int
    high: int
    max_step: int
    names: dict[str, int] = attrs.field(factory=dict)

    def number(self, text: str) -> int:
        if text in self.names:
            return self.names[text]
        if not text.isdecimal() or not text.isascii():
            _refuse(f"{text!r} is no value of the {self.name} field")
        value = int(text)
        if not self.low <= value <= self.high:
            _refuse(f"{self.name} must be between {self.low} and {self.high}, not {value}")
        return value

    def values(self, text: str) -> set[int]:
        """The values that a list of numbers, ranges and steps stands for."""
        found: set[int] = set()
        for part in text.split(","):
            found |= self._part(part)
        return found

    def _part(self, part: str) -> set[int]:
        base, slash, step_text = part.partition("/")
        step = 1
        if slash:
            if not step_text.isdecimal() or int(step_text) > self.max_step:
                _refuse(f"the step of {part!r} in the {self.name} field must be a number up to {self.max_step}")
            step = int(step_text)
            slash = slash if step else ""  # a step of 0 is none
            step = step or 1
        if base in ("*", "") and part:
            return set(range(self.low, self.high + 1, step))
        first, dash, last = base.partition("-")
        start = self.number(first)
        if not dash:
            return set(range(start, self.high + 1, step)) if slash else {start}
        end = self.number(last)
        if end >= start:
            return set(range(start, end + 1, step))
        if self.name == "year":
            _refuse(f"the years {part!r} end before they begin")
        # FRI-MON, 22-2: on past the last value.
        size = self.high - self.low + 1
        return {(value - self.low) % size + self.low for value in range(start, end + size + 1, step)}


_SECOND = _Field("second", 0, 59, 59)
_MINUTE = _Field("minute", 0, 59, 59)
_HOUR = _Field("hour", 0, 23, 23)
_DAY = _Field("day-of-month", 1, 31, 31)
_MONTH = _Field("month", 1, 12, 12, _MONTHS)
_WEEKDAY = _Field("day-of-week", 1, 7, 7, _DAYS)
_YEAR = _Field("year", 1970, _MAX_YEAR, _MAX_YEAR)


def _refuse(reason: str) -> NoReturn:
    raise CronError(reason)


@attrs.frozen
class Cron:
    """A parsed expression."""

    seconds: list[int]
    minutes: list[int]
    hours: list[int]
    months: set[int]
    years: set[int]
    day: str
    """The day-of-month field, `?` where the day of the week decides."""
    weekday: str

    @classmethod
    def parse(cls, expression: str) -> Cron:
        """Read an expression. Raises CronError."""
        fields = expression.upper().split()
        if not 6 <= len(fields) <= 7:
            _refuse(f"an expression has 6 or 7 fields, not {len(fields)}")
        second, minute, hour, day, month, weekday, year = fields if len(fields) == 7 else [*fields, "*"]
        if (day == "?") == (weekday == "?"):
            _refuse("exactly one of day-of-month and day-of-week must be '?'")
        cron = cls(
            sorted(_SECOND.values(second)),
            sorted(_MINUTE.values(minute)),
            sorted(_HOUR.values(hour)),
            _MONTH.values(month),
            _YEAR.values(year),
            day,
            weekday,
        )
        cron._days(2000, 1)  # the fields of days are read for each month: refuse them now
        return cron

    def next_after(self, after: datetime, zone: tzinfo) -> datetime | None:
        """The first time later than `after`, in UTC; None if there is none up to 2099.

        Times of day that a change of the clocks skips fire as much later; those that it repeats fire the second time,
        as Java's calendar has it.
        """
        local = after.astimezone(zone)
        floor = local.replace(tzinfo=None, microsecond=0)
        if local.utcoffset() != (after + timedelta(hours=3)).astimezone(zone).utcoffset():
            floor -= timedelta(hours=3)  # within the repeated hours, earlier times of day are yet to come
        for candidate in self._from(floor):
            moment = _in_utc(candidate, zone)
            if moment > after:
                return moment
        return None

    def _from(self, floor: datetime) -> Iterator[datetime]:
        """All times of day from this one on, without a time zone, in order."""
        for year in sorted(year for year in self.years if year >= floor.year):
            for month in sorted(self.months):
                if (year, month) < (floor.year, floor.month):
                    continue
                for day in self._days(year, month):
                    if date(year, month, day) < floor.date():
                        continue
                    today = date(year, month, day) == floor.date()
                    hours = [hour for hour in self.hours if not today or hour >= floor.hour]
                    for hour, minute, second in product(hours, self.minutes, self.seconds):
                        candidate = datetime(year, month, day, hour, minute, second)
                        if candidate >= floor:
                            yield candidate

    def _days(self, year: int, month: int) -> list[int]:
        """The days of this month on which it fires, in order."""
        length = calendar.monthrange(year, month)[1]
        days = (
            _by_weekday(self.weekday, year, month, length)
            if self.day == "?"
            else _by_day(self.day, year, month, length)
        )
        return sorted(day for day in days if 1 <= day <= length)


def _in_utc(local: datetime, zone: tzinfo) -> datetime:
    later = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if later.astimezone(zone).replace(tzinfo=None) == local:
        return later
    return local.replace(tzinfo=zone).astimezone(UTC)  # skipped by a change of the clocks


def _by_day(text: str, year: int, month: int, length: int) -> set[int]:
    if "," in text and re.search("[LW]", text):
        _refuse("'L' and 'W' cannot be combined with other days of the month")
    last = re.fullmatch(r"L(?:-(\d{1,2}))?(W)?", text)
    if last:
        offset = int(last[1] or 0)
        if offset > 30:
            _refuse("the offset from the last day must be at most 30")
        day = max(1, length - offset)
        return {_nearest_weekday(year, month, day, length) if last[2] else day}
    single = re.fullmatch(r"(\d{1,2})W", text)
    if single:
        return {_nearest_weekday(year, month, min(_DAY.number(single[1]), length), length)}
    return _DAY.values(text)


def _nearest_weekday(year: int, month: int, day: int, length: int) -> int:
    """The day itself, or the Friday before or the Monday after it, within the same month."""
    weekday = date(year, month, day).isoweekday()
    if weekday == 6:
        return day - 1 if day > 1 else day + 2
    if weekday == 7:
        return day + 1 if day < length else day - 2
    return day


def _by_weekday(text: str, year: int, month: int, length: int) -> set[int]:
    if "," in text and ("#" in text or re.search(r"L(?:,|$)", text)):
        _refuse("'L' and '#' cannot be combined with other days of the week")
    if text == "L":
        text = "7"
    nth = re.fullmatch(r"(\d|[A-Z]{3})#(\d+)", text)
    if nth:
        if not 1 <= int(nth[2]) <= 5:
            _refuse("a number between 1 and 5 must follow '#'")
        days = _days_of(_WEEKDAY.number(nth[1]), year, month, length)
        return set(days[int(nth[2]) - 1 : int(nth[2])])
    last = re.fullmatch(r"(\d|[A-Z]{3})L", text)
    if last:
        return {_days_of(_WEEKDAY.number(last[1]), year, month, length)[-1]}
    return {day for weekday in _WEEKDAY.values(text) for day in _days_of(weekday, year, month, length)}


def _days_of(weekday: int, year: int, month: int, length: int) -> list[int]:
    """The days of a month that fall on this day of the week, which Quartz counts from Sunday, 1."""
    first = (weekday - 1 - date(year, month, 1).isoweekday()) % 7 + 1
    return list(range(first, length + 1, 7))
