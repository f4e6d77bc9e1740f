"""The retry bucket: what keeps many callers from hammering a service that is down."""

from __future__ import annotations

import asyncio
import logging
import math
from collections import deque

from databricks_async.errors import LifecycleError

log = logging.getLogger("databricks_async")

_CAPACITY = 50.0
_ONE = 1 - 1e-6
"""One retry, less what the rounding of timers leaves out."""
_REFILL = 0.5
"""Of one success: a third of all first tries may fail before the bucket runs empty."""
_PROBES_PER_SECOND = 1.0
_LATER_PROBES_PER_SECOND = 1 / 3
"""After a minute in which nothing succeeded."""
_FAST_PROBING_SECONDS = 60.0


class RetryBucket:
    """The retries that all calls of a client to one host share: 50, of which each takes one.

    A success gives half a retry, and the one back that it took itself. An empty bucket delays retries, in their order:
    one a second goes on as a probe, one in three seconds when nothing has succeeded for a minute. When the service is
    back the calls that wait go on ever faster, as its successes fill the bucket. First tries are never delayed.
    """

    def __init__(self) -> None:
        self._retries = _CAPACITY
        self._counted_at = -math.inf
        self._empty_since = math.inf
        self._warned_at = -math.inf
        self._waiting: deque[asyncio.Future[bool]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    async def take(self, seconds: float, *, first: bool = False) -> bool:
        """Wait for a retry, for so long at most, and with `first` before those that wait already.

        Returns whether there was one. Raises `LifecycleError` when closed.
        """
        loop = asyncio.get_running_loop()
        if (first or not self._waiting) and self._has_one(loop.time()):
            self._retries -= 1
            return True
        if loop.time() > self._warned_at + _FAST_PROBING_SECONDS:
            self._warned_at = loop.time()
            log.warning("too many retries have failed: they go on one by one until the service is back")
        turn: asyncio.Future[bool] = loop.create_future()
        if first:
            self._waiting.appendleft(turn)
        else:
            self._waiting.append(turn)
        if self._timer is None:
            self._set_timer()
        try:
            await asyncio.wait((turn,), timeout=max(0.0, seconds))
        except asyncio.CancelledError:
            if turn.done():  # it got one in the same moment
                self._give(1.0)
            raise
        finally:
            turn_came = turn.done()
            turn.cancel()
        if turn_came and not turn.result():
            raise LifecycleError("the client was closed while this waited for its next try")
        return turn_came

    def succeeded(self, *, again: bool) -> None:
        """A try has been answered as by a service that works; `again` if it was a retry."""
        self._empty_since = math.inf
        if self._retries < _CAPACITY:
            self._give(_REFILL + again)

    def close(self) -> None:
        """End the calls that wait."""
        if self._timer is not None:
            self._timer.cancel()
        for turn in self._waiting:
            if not turn.done():
                turn.set_result(False)
        self._waiting.clear()

    def _give(self, retries: float) -> None:
        self._retries = min(_CAPACITY, self._retries + retries)
        while self._waiting and self._retries >= _ONE:
            turn = self._waiting.popleft()
            if not turn.done():  # else its caller has gone
                self._retries -= 1
                turn.set_result(True)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting:
            self._set_timer()

    def _has_one(self, now: float) -> bool:
        """Whether there is a retry, with the probes of the time since the last look."""
        if self._counted_at > -math.inf:
            self._retries = min(_CAPACITY, self._retries + (now - self._counted_at) * self._probes_per_second(now))
        self._counted_at = now
        if self._retries < _ONE:
            self._empty_since = min(self._empty_since, now)
        return self._retries >= _ONE

    def _probes_per_second(self, now: float) -> float:
        is_long_since = now - self._empty_since > _FAST_PROBING_SECONDS
        return _LATER_PROBES_PER_SECOND if is_long_since else _PROBES_PER_SECOND

    def _set_timer(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._has_one(now)
        seconds = max(0.0, 1.0 - self._retries) / self._probes_per_second(now)
        self._timer = loop.call_at(now + seconds, self._probe)

    def _probe(self) -> None:
        self._timer = None
        self._has_one(asyncio.get_running_loop().time())
        while self._waiting and self._waiting[0].done():
            self._waiting.popleft()
        self._give(0.0)
