"""Times and sizes: as people read them, as scripts take them, and as they are given to commands."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
"""In English, whatever the locale says: all else is English too."""
_UNITS = ("B", "KB", "MB", "GB", "TB", "PB")


def parse_duration(text: str) -> float:
    """Seconds of `90`, `90s`, `30m`, `1h30m`, `2d`. Raises ValueError."""
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    if not re.fullmatch(r"(\d+(\.\d+)?[smhdw])+", text):
        raise ValueError(f"{text!r} is no duration: write 90s, 30m, 1h30m or 2d")
    return sum(float(number) * _SECONDS[unit] for number, unit in re.findall(r"([\d.]+)([smhdw])", text))


def parse_moment(text: str, now: datetime | None = None) -> datetime:
    """A moment: so long ago (`1h`, `2d`), or a date or time as in RFC 3339; local without a zone. Raises ValueError."""
    try:
        return (now or datetime.now(UTC)) - timedelta(seconds=parse_duration(text))
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time: write 1h, 2d, 2026-11-26 or 2026-11-26T07:00:00+01:00") from None
    return moment.astimezone() if moment.tzinfo is None else moment


def duration(seconds: float) -> str:
    """`45s`, `2m05s`, `1h05m`, `3d04h`. Less than nothing is `0s`: clocks differ."""
    whole = max(0, int(seconds))
    days, hours, minutes = whole // 86400, whole // 3600 % 24, whole // 60 % 60
    if days:
        return f"{days}d{hours:02}h"
    if hours:
        return f"{hours}h{minutes:02}m"
    return f"{minutes}m{whole % 60:02}s" if minutes else f"{whole % 60}s"


def moment(value: datetime, now: datetime, *, utc: bool) -> str:
    """`today 02:00:12`, `25 Nov 02:00`, `25 Nov 2024 02:00`: local time, or UTC, which is then said."""
    value, now = (value.astimezone(UTC), now.astimezone(UTC)) if utc else (value.astimezone(), now.astimezone())
    zone = " UTC" if utc else ""
    if value.date() == now.date():
        return f"today {value:%H:%M:%S}{zone}"
    day = f"{value.day} {_MONTHS[value.month - 1]}"
    return f"{day} {value:%H:%M}{zone}" if value.year == now.year else f"{day} {value:%Y %H:%M}{zone}"


def rfc3339(value: datetime) -> str:
    """UTC, to the millisecond: `2026-11-26T07:46:41.102+00:00`."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds")


def size(count: int) -> str:
    """`512 B`, `1.2 MB`: decimal units."""
    value, unit = float(count), 0
    while value >= 999.95 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{count} B" if unit == 0 else f"{value:.1f} {_UNITS[unit]}"
