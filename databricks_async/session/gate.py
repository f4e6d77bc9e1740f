"""One endpoint family: the limiter of its calls in flight, and the gate that a refusal shuts for all of them."""

from __future__ import annotations

import asyncio
import copy
import math
import random
import re
from collections import deque
from typing import TypeAlias

from databricks_async.error_bodies import read_error
from databricks_async.errors import AuthError, asked_to_wait
from databricks_async.message import Response
from databricks_async.session.rate import BURST_SECONDS, Rate

_FIRST_PAUSE_SECONDS = 0.5
_MAX_PAUSE_SECONDS = 30.0
_FIRST_WINDOW = 10.0
"""Many calls that begin at once learn the limit of a service from a few refusals, not from hundreds."""
_CONCURRENCY_LIMIT = re.compile(r"concurrent limit of ([0-9]{1,4}) ")
"""The one limit whose number the service states in its refusal."""
_STATED_SECONDS = 30.0
"""How long a stated limit is kept before more calls in flight are tried."""
_IDLE_SECONDS = 0.5

Ending: TypeAlias = Response | AuthError | None
"""How the waiting for a place ends: with a refusal, with the error of a missing token, or with a place (None)."""


class Family:
    """The endpoints that share a limit of the service, and the calls that wait to be sent to them.

    The window limits the calls in flight, by additive increase and multiplicative decrease (AIMD): a refusal halves it
    and shuts the gate for all calls. When the gate opens they are let through, refused ones first, and one by one if a
    rate was learned: one queue, one timer.
    """

    def __init__(self, max_in_flight: int, budget: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._max_in_flight = max_in_flight
        self._budget = budget
        self._rate = Rate()
        self._rate.start(self._loop.time())
        self._window = min(_FIRST_WINDOW, max_in_flight)
        self._stated_limit = 0
        self._stated_until = 0.0
        self._in_flight = 0
        # Futures that become None with a place, and else what ends the call; with the time their budget began.
        self._refused: deque[tuple[asyncio.Future[Ending], float]] = deque()
        self._waiting: deque[tuple[asyncio.Future[Ending], float]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._next_at = 0.0
        self._shut_until = 0.0
        self._refusals = 0
        self._in_flight_when_shut = 0.0
        self._refused_since_shut = 0
        self._answered_at = 0.0
        self._last_refusal = Response(429, {}, b"")

    def try_enter(self) -> bool:
        """Take a place if there is one and no call waits for it."""
        if (
            self._waiting
            or self._refused
            or self._in_flight >= self._window
            or (self._next_at and self._loop.time() < self._next_at)
        ):
            return False
        self._enter()
        return True

    async def enter(self, refused_since: float | None) -> Response | None:
        """Wait for a place; a call that was refused goes before those that were not. The last refusal if in vain."""
        turn: asyncio.Future[Ending] = self._loop.create_future()
        if refused_since is None:
            self._waiting.append((turn, self._loop.time()))
        else:
            self._refused.append((turn, refused_since))
        self._admit()
        try:
            ending = await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.result() is None:  # it got a place in the same moment
                self.leave()
            raise
        if isinstance(ending, AuthError):
            # For each caller its own: the layers note on it what became of that call.
            raise copy.copy(ending) from ending.__cause__
        return ending

    def leave(self) -> None:
        self._in_flight -= 1
        if self._waiting or self._refused:
            self._admit()

    def answered(self) -> None:
        """An answer came that was no refusal."""
        self._answered_at = now = self._loop.time()
        limit = self._stated_limit if now < self._stated_until else self._max_in_flight
        if self._window < limit:
            self._window = min(limit, self._window + 0.25)
        self._refusals = 0
        self._rate.answered(now)

    def refuse(self, refusal: Response, sent_at: float) -> float:
        """Shut the gate for all calls. Returns the seconds that the service asked for, or those chosen here."""
        self._last_refusal = refusal
        now = self._loop.time()
        # One step back for all the calls that were already under way.
        is_first = sent_at >= self._shut_until
        self._refusals += is_first
        # "0" and a date that has passed say nothing: a service that goes on refusing would be asked without a pause.
        growth = 2 ** max(0, self._refusals - 1)
        pause = asked_to_wait(refusal) or min(_MAX_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * growth)
        # Never sooner than asked; a little later, so that several processes do not come back in step.
        shut = min(pause, self._budget) * random.uniform(1.0, 1.1)  # noqa: S311
        stated = _CONCURRENCY_LIMIT.search(read_error(refusal).message) if is_first else None
        if is_first:
            self._in_flight_when_shut, self._refused_since_shut = self._in_flight, 0
        self._refused_since_shut += 1
        if stated is not None and 0 < int(stated[1]) < self._window:
            self._window = self._stated_limit = int(stated[1])
            self._stated_until = now + shut + _STATED_SECONDS
            self._in_flight_when_shut = math.inf  # a limit of calls in flight says nothing of a rate
        elif is_first:
            self._window = max(1.0, self._window / 2)
            self._rate.refused(now, shut)
        elif self._refused_since_shut > max(1, self._in_flight_when_shut / 2):
            self._rate.learn()
        self._shut_until = self._next_at = max(self._shut_until, now + shut)
        return pause

    def close(self) -> None:
        """End all calls that wait."""
        if self._timer is not None:
            self._timer.cancel()
        self.send_away(self._last_refusal)

    def send_away(self, ending: Response | AuthError) -> None:
        """End the calls that wait, with this."""
        for turn, _ in (*self._refused, *self._waiting):
            if not turn.done():
                turn.set_result(ending)
        self._refused.clear()
        self._waiting.clear()

    def _enter(self) -> None:
        if self._next_at:
            now = self._loop.time()
            gap = self._rate.gap(now)
            self._next_at = max(self._next_at, now - BURST_SECONDS) + gap if gap else 0.0
        elif not self._in_flight and (now := self._loop.time()) > self._answered_at + _IDLE_SECONDS:
            self._rate.start(now)
        self._in_flight += 1

    def _admit(self) -> None:
        while (queue := self._refused or self._waiting) and self._in_flight < self._window:
            if self._next_at > self._loop.time():
                if self._timer is None:
                    self._timer = self._loop.call_at(self._next_at, self._open)
                return
            turn, _ = queue.popleft()
            if not turn.done():  # else its caller has gone
                self._enter()
                turn.set_result(None)

    def _open(self) -> None:
        self._timer = None
        self._admit()
        if self._refusals:
            self._give_up(self._loop.time() - self._budget)

    def _give_up(self, too_early: float) -> None:
        """End refused calls whose own budget is spent; the others when no call has got through for as long."""
        for turn, since in self._refused:
            if not turn.done() and since < too_early:
                turn.set_result(self._last_refusal)
        for turn, since in self._waiting:
            if not turn.done() and max(since, self._answered_at) < too_early:
                turn.set_result(self._last_refusal)
