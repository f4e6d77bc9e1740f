"""The service's time, epoch milliseconds, as a datetime.

Each field of epoch milliseconds has a property that is its moment in UTC, called as the field without its `_time`,
`_at`, `_ms` or `_timestamp`: `start_time` is `start`, `created_at` is `created`. `timestamp` is `time`, and
`last_attempted` is `last_attempt`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_EXCEPTIONS = {"timestamp": "time", "last_attempted": "last_attempt"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def name_of_moment(field: str) -> str:
    """What the property of a field of epoch milliseconds is called, by the rule above."""
    if field in _EXCEPTIONS:
        return _EXCEPTIONS[field]
    return re.sub("_(time|at|ms|timestamp)$", "", field)


def from_epoch_ms(milliseconds: int | None) -> datetime | None:
    """The moment in UTC, exact to the millisecond.

    None and 0, which the service sends for "not yet", are None; so is what no calendar knows.
    """
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds) if milliseconds else None
    except OverflowError:
        return None


def from_ms(milliseconds: int | None) -> timedelta | None:
    """A duration. None and 0 are None, and so is what no timedelta can hold."""
    try:
        return timedelta(milliseconds=milliseconds) if milliseconds else None
    except OverflowError:
        return None


def to_epoch_ms(name: str, moment: int | datetime | None) -> int | None:
    """Milliseconds as they are sent: those given, or those of a datetime with a time zone."""
    if isinstance(moment, datetime):
        if moment.tzinfo is None:
            raise ValueError(
                f"{name} has no time zone: write datetime(..., tzinfo=UTC), or {name}.astimezone() if local"
            )
        return round((moment - _EPOCH) / timedelta(milliseconds=1))
    if isinstance(moment, float):
        how = "write datetime.fromtimestamp(seconds, UTC), or int(seconds * 1000)"
        raise TypeError(f"{name} must be epoch milliseconds or a datetime, not float: {how}")
    if moment is not None and type(moment) is not int:
        raise TypeError(f"{name} must be epoch milliseconds or a datetime, not {type(moment).__name__}")
    return moment
