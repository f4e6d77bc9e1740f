"""When to poll again: quick after a change, slow when nothing happens or the service refuses, and never in step."""

from __future__ import annotations

import random
from datetime import timedelta

_SLOWEST = 2.5
"""A quiet thing is polled every so many ticks."""
_SPREAD = (1.0, 1.2)
"""Intervals vary by so much, so that programs that began together do not poll together. With `_SLOWEST` this makes
three ticks at most, and never less than one."""
_QUIET = 0.5
"""An interval is so much of the time since the last change."""
_THROTTLED_TICKS = 12.0
"""For so long after a refusal all is polled slowly."""


class Pace:
    """The intervals between polls of one reader. All times are those of the event loop."""

    def __init__(self) -> None:
        self._changed_at = self._refused_at = float("-inf")
        self._refusals = 0
        self.spread()

    def spread(self) -> None:
        """A round of polls begins: the next one comes a little earlier or later than this one did."""
        self._factor = random.uniform(*_SPREAD)  # noqa: S311

    def changed(self, now: float) -> None:
        """Something changed, or somebody came: poll quickly."""
        self._changed_at = now

    def refused(self, now: float, refusals: int) -> None:
        """The service has refused so many requests so far. Polls get slower with each new one."""
        if refusals > self._refusals:
            self._refusals, self._refused_at = refusals, now

    def next(self, polled_at: float, tick: float) -> float:
        """When something that was polled then is polled again, one to three ticks later."""
        if polled_at < self._refused_at + _THROTTLED_TICKS * tick:
            interval = _SLOWEST * tick
        else:
            interval = min(max(_QUIET * (polled_at - self._changed_at), tick), _SLOWEST * tick)
        return polled_at + interval * self._factor

    def quickest(self, polled_at: float, tick: float) -> float:
        """The earliest time at which it may be polled again."""
        return polled_at + tick * self._factor


def tick_of(every: float | timedelta | None, default: float) -> float:
    """The seconds of a tick that a caller asked for."""
    if every is None:
        return default
    seconds = every.total_seconds() if isinstance(every, timedelta) else every
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        raise TypeError(f"every must be seconds, a timedelta or None, not {type(every).__name__}")
    if not 0 < seconds < float("inf"):
        raise ValueError(f"every must be more than 0 seconds, not {seconds}")
    return float(seconds)
