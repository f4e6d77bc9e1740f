"""Clock: the time of a local workspace, moved by the test or by itself."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

_BY_HAND_START = datetime(2025, 9, 23, 16, 42, 8, tzinfo=UTC)


class Clock:
    """What time it is in the workspace. Make one with `by_hand`, `real` or `sped_up`."""

    def __init__(self, start: datetime, factor: float) -> None:
        self._start = int(start.timestamp() * 1000)
        self._factor = factor
        self._began = time.monotonic()
        self._advanced = 0.0
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        now = datetime.fromtimestamp(self.now() / 1000, UTC).isoformat(timespec="seconds")
        return f"<Clock at {now}, {f'{self._factor:g} seconds a second' if self._factor else 'moved by hand'}>"

    @classmethod
    def by_hand(cls, start: datetime = _BY_HAND_START) -> Clock:
        """A clock that stands still until `advance` moves it: every run of a test sees the same times and ids."""
        return cls(start, 0.0)

    @classmethod
    def real(cls) -> Clock:
        """The time of day: starting a cluster takes minutes, as it does in the cloud."""
        return cls(datetime.now(UTC), 1.0)

    @classmethod
    def sped_up(cls, factor: float) -> Clock:
        """The time of day to begin with, then `factor` workspace seconds in each real one."""
        return cls(datetime.now(UTC), factor)

    def advance(self, seconds: float) -> None:
        """Jump ahead by this many workspace seconds. What falls due on the way happens in order, at its own time."""
        if seconds < 0:
            raise ValueError(f"a clock only moves forward, not by {seconds} s")
        with self._lock:  # tests move it from threads of their own
            self._advanced += seconds

    def now(self) -> int:
        """The workspace's time, in milliseconds since 1970."""
        passed = self._advanced
        if self._factor:
            passed += (time.monotonic() - self._began) * self._factor
        return self._start + int(passed * 1000)

    def client_time(self) -> float:
        """Seconds as a client's own clock counts them: real ones, plus what was advanced.

        Token lifetimes and rate limits go by it. A client measures `expires_in` and `Retry-After` with its own watch,
        which does not run faster because clusters here start faster.
        """
        return time.monotonic() + self._advanced

    def of_client(self, seconds: float) -> float:
        """How many workspace seconds pass while a client's clock counts so many."""
        return seconds * (self._factor or 1.0)

    def epoch_time(self) -> float:
        """The same as seconds since 1970: by this the end of a signed token counts."""
        return time.time() + self._advanced

    def go_on_from(self, moment: int) -> None:
        """Stand at this moment, in epoch milliseconds, and go on from there. Clients' own clocks are left alone."""
        with self._lock:
            self._start += moment - self.now()


def checked_clock(clock: Clock) -> Clock:
    """The clock. Raises TypeError for what is none, such as `Clock.by_hand` without parentheses."""
    if isinstance(clock, Clock):
        return clock
    write = "Clock.sped_up(1000)" if clock == Clock.sped_up else f"Clock.{getattr(clock, '__name__', 'by_hand')}()"
    raise TypeError(f"clock must be a Clock, not a {type(clock).__name__}: write clock={write}")
