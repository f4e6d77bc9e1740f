"""The service's time, epoch milliseconds, as a datetime."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def from_epoch_ms(milliseconds: int | None) -> datetime | None:
    """The moment in UTC, exact to the millisecond. None and 0, which the service sends for "not yet", are None."""
    return _EPOCH + timedelta(milliseconds=milliseconds) if milliseconds else None
