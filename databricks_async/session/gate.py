"""One endpoint family: the limiter of its calls in flight, and the gate that a refusal shuts for all of them."""

from __future__ import annotations

import asyncio
import math
import random
import re
from collections import deque
from typing import TypeAlias

from databricks_async.error_bodies import read_error
from databricks_async.errors import AuthError, asked_to_wait
from databricks_async.message import Response
from databricks_async.session.rate import Rate

_FIRST_PAUSE_SECONDS, _PAUSE_GROWTH = 0.5, 1.6
"""For how long a service that names no time is left alone, and how that grows while it refuses all: by less than two,
so that a process that has bad luck among others is not left behind."""
_MAX_PAUSE_SECONDS = 30.0
_FIRST_WINDOW = 1.4
_FIRST_GROWTH, _SMALL_WINDOW, _GROWTH = 0.06, 2.7, 0.45
"""Of the window, with each answer, and more when it is not small: many calls that begin at once, in several processes
too, learn the limit of a service from a few refusals, not from hundreds; without a limit 100 are in flight after 12
to 19 round trips, fewer of slow ones."""
_MIN_SHARED_WINDOW, _SHARE_AHEAD = 8.0, 0.75
"""The share of so many, or of a larger window, may be calls that are not needed yet."""
_OPEN_WINDOW = 10.0
_OPENING_SECONDS = 0.05
"""Answers may be long in coming: while there are none the window grows to ten, by one each so many seconds, until
there is a refusal."""
_CONCURRENCY_LIMIT = r"concurrent limit of ([0-9]{1,4}) "
"""The one limit whose number the service states in its refusal."""
_STATED_SECONDS = 30.0
"""How long a stated limit is kept before more calls in flight are tried."""
_IDLE_SECONDS = 0.5
_FEW_IN_FLIGHT = 6
"""A refusal of one of more calls is not alone: others of them are refused too."""

Ending: TypeAlias = Response | AuthError | None
"""How the waiting for a place ends: with a refusal, with the error of a missing token, or with a place (None)."""

_Queue: TypeAlias = deque[tuple[asyncio.Future[Ending], float]]


class _Lane:
    """The reads or the writes that wait: futures that become None with a place, and else what ends the call; with the
    time at which their budget began."""

    def __init__(self) -> None:
        self.refused: _Queue = deque()
        self.waiting: _Queue = deque()


class Family:
    """The endpoints that share a limit of the service, and the calls that wait to be sent to them.

    The window limits the calls in flight, by additive increase and multiplicative decrease (AIMD); a refusal shuts the
    gate for all calls. When it opens they are let through, refused ones first, and one by one if a rate was learned:
    one timer for all. One refusal of calls that are paced only slows them down, and the refused call waits alone.
    Reads and writes that wait take turns, so that one write does not wait for a thousand reads.
    """

    def __init__(self, name: str, max_in_flight: int, budget: float, rate: Rate) -> None:
        self.name = name
        self._loop = asyncio.get_running_loop()
        self._max_in_flight = max_in_flight
        self._budget = budget
        self._rate = rate
        self._rate.start(self._loop.time())
        self._window = min(_FIRST_WINDOW, max_in_flight)
        self._is_opening = self._window < max_in_flight
        self._stated_limit = 0
        self._stated_until = 0.0
        self._in_flight = 0
        self._lanes = (_Lane(), _Lane())
        self._lane_to_serve = 0
        self._queued = 0
        self._held: dict[asyncio.Future[Ending], asyncio.TimerHandle] = {}
        self._timer: asyncio.TimerHandle | None = None
        # Of the next call: 0.0 while nothing paces them.
        self._next_at = rate.begins_at(self._loop.time())
        self._entered_at = 0.0
        self._shut_until = 0.0
        self._pause = 0.0
        self._in_flight_when_shut = 0
        self._found_window = math.inf
        self._is_about_rate = True
        self._refusals = 0
        self._answered_at = 0.0
        self._last_refusal = Response(429, {}, b"")

    @property
    def in_flight(self) -> int:
        return self._in_flight

    @property
    def waiting(self) -> int:
        """The calls that wait for a place; those that were cancelled wait no more."""
        return sum(not turn.done() for lane in self._lanes for turn, _ in (*lane.refused, *lane.waiting))

    def try_enter(self) -> bool:
        """Take a place if there is one and no call waits for it."""
        if self._queued or self._in_flight >= self._window or (self._next_at and self._loop.time() < self._next_at):
            return False
        self._enter()
        return True

    def has_room(self, under_way: int) -> bool:
        """Whether a call that is not needed yet may go beside those that its caller has under way.

        A quarter of the window is left to others, and all of it once the service has shown, or was said, to have a
        limit: then each call that it takes is one that others do not have.
        """
        window = max(self._window, _MIN_SHARED_WINDOW)
        is_free = not self._queued and not self._next_at
        return is_free and max(self._in_flight, under_way) < _SHARE_AHEAD * window

    def enter(self, is_read: bool, refused_since: float | None, not_before: float = 0.0) -> asyncio.Future[Ending]:
        """A place to wait for, from `not_before` on; a call that was refused goes before those that were not.

        The last refusal if in vain, or the error that refuses all. No coroutine of its own: thousands may wait here.
        """
        turn: asyncio.Future[Ending] = self._loop.create_future()
        lane = self._lanes[is_read]
        if refused_since is None:
            self._queue(lane.waiting, turn, self._loop.time())
        elif not_before > self._loop.time():
            self._held[turn] = self._loop.call_at(not_before, self._release, lane.refused, turn, refused_since)
        else:
            self._queue(lane.refused, turn, refused_since)
        return turn

    def give_up(self, turn: asyncio.Future[Ending]) -> None:
        """The call that waited for its turn was cancelled."""
        if (timer := self._held.pop(turn, None)) is not None:
            timer.cancel()
        elif turn.done() and not turn.cancelled() and turn.result() is None:  # it got a place in the same moment
            self.leave()

    def _release(self, queue: _Queue, turn: asyncio.Future[Ending], since: float) -> None:
        del self._held[turn]
        self._queue(queue, turn, since)

    def _queue(self, queue: _Queue, turn: asyncio.Future[Ending], since: float) -> None:
        queue.append((turn, since))
        self._queued += 1
        if self._in_flight < self._window or self._is_opening:
            self._admit()

    def leave(self) -> None:
        self._in_flight -= 1
        if self._queued:
            self._admit()

    def answered(self, sent_at: float) -> None:
        """An answer came that was no refusal."""
        self._answered_at = now = self._loop.time()
        limit = self._stated_limit if now < self._stated_until else self._max_in_flight
        if self._window < limit:
            if self._entered_at and self._window >= 0.8 * self._found_window:
                growth = 1 / self._window
            else:
                growth = _FIRST_GROWTH if self._window < _SMALL_WINDOW else _GROWTH
            self._window = min(limit, self._window + growth)
        self._refusals = 0
        if self._rate.answered(now, sent_at) and self._entered_at:
            self._bring_forward(now)

    def refuse(self, refusal: Response, sent_at: float) -> tuple[float, float]:
        """Shut the gate for all calls, or slow them down where one refusal says that a rate is a little too high.

        Returns the seconds that the service asked for, or those chosen here, and when the refused call may wait for a
        place again.
        """
        self._last_refusal = refusal
        now = self._loop.time()
        # One step back for all the calls that were already under way.
        is_first = sent_at >= self._shut_until
        self._refusals += is_first
        # "0" and a date that has passed say nothing: a service that goes on refusing would be asked without a pause.
        growth = _PAUSE_GROWTH ** max(0, self._refusals - 1)
        pause = asked_to_wait(refusal) or min(_MAX_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * growth)
        # Never sooner than asked; a very little later, so that several processes do not come back in step.
        shut = min(pause, self._budget) * random.uniform(1.0, 1.003)  # noqa: S311
        if is_first:
            self._in_flight_when_shut = self._in_flight
            stated = re.search(_CONCURRENCY_LIMIT, read_error(refusal).message)
            self._is_about_rate = stated is None or not 0 < int(stated[1]) < self._window
            if stated is not None and not self._is_about_rate:
                self._window = self._stated_limit = int(stated[1])
                self._stated_until = now + shut + _STATED_SECONDS
        if self._is_about_rate:
            self._rate.refused(sent_at)
            if not self._pause and self._in_flight <= _FEW_IN_FLIGHT and self._rate.slow_down(now, sent_at, shut):
                self._next_at = max(self._next_at, self._rate.next_at(self._entered_at, now))
                return pause, now + shut
            self._pause = shut
        self._is_opening = False
        self._shut_until = self._next_at = max(self._shut_until, now + shut)
        self._entered_at = 0.0
        return pause, 0.0

    def close(self) -> None:
        """End all calls that wait."""
        if self._timer is not None:
            self._timer.cancel()
        self.send_away(self._last_refusal)

    def send_away(self, ending: Response | AuthError) -> None:
        """End the calls that wait, with this."""
        for turn, timer in self._held.items():
            timer.cancel()
            if not turn.done():
                turn.set_result(ending)
        self._held.clear()
        for lane in self._lanes:
            for turn, _ in (*lane.refused, *lane.waiting):
                if not turn.done():
                    turn.set_result(ending)
            lane.refused.clear()
            lane.waiting.clear()
        self._queued = 0

    def _enter(self) -> None:
        if self._next_at:
            now = self._loop.time()
            if self._pause:
                if self._rate.reopen(now, self._pause):
                    self._found_window = self._in_flight_when_shut
                    self._window = max(1.0, self._window / 2)
                self._pause = 0.0
            self._entered_at = max(self._next_at, now - self._rate.burst_seconds)
            self._next_at = self._rate.next_at(self._entered_at, now)
        elif not self._in_flight and (now := self._loop.time()) > self._answered_at + _IDLE_SECONDS:
            self._rate.start(now)
        self._in_flight += 1

    def _admit(self) -> None:
        while self._queued and self._in_flight < self._window:
            if self._next_at and self._next_at > self._loop.time():
                if self._timer is None:
                    self._timer = self._loop.call_at(self._next_at, self._open)
                return
            turn = self._next_turn()
            if not turn.done():  # else its caller has gone
                self._enter()
                turn.set_result(None)
        if self._queued and self._is_opening and self._timer is None:
            self._timer = self._loop.call_later(_OPENING_SECONDS, self._widen)

    def _widen(self) -> None:
        self._timer = None
        if self._is_opening and self._loop.time() >= self._answered_at + _OPENING_SECONDS:
            self._window = max(self._window, min(self._window + 1, _OPEN_WINDOW, self._max_in_flight))
            self._is_opening = self._window < min(_OPEN_WINDOW, self._max_in_flight)
        self._admit()

    def _next_turn(self) -> asyncio.Future[Ending]:
        first = self._lane_to_serve
        for which in (first, 1 - first):
            lane = self._lanes[which]
            if queue := lane.refused or lane.waiting:
                self._lane_to_serve = 1 - which
                self._queued -= 1
                return queue.popleft()[0]
        raise AssertionError("a call waits that is in no lane")

    def _bring_forward(self, now: float) -> None:
        """The next call, when the rate has grown since the last one was sent."""
        at = self._rate.next_at(self._entered_at, now)
        if at < self._next_at:
            self._next_at = at
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
                self._admit()

    def _open(self) -> None:
        self._timer = None
        self._admit()
        if self._refusals:
            self._give_up(self._loop.time() - self._budget)

    def _give_up(self, too_early: float) -> None:
        """End refused calls whose own budget is spent; the others when no call has got through for as long."""
        for lane in self._lanes:
            for turn, since in lane.refused:
                if not turn.done() and since < too_early:
                    turn.set_result(self._last_refusal)
            for turn, since in lane.waiting:
                if not turn.done() and max(since, self._answered_at) < too_early:
                    turn.set_result(self._last_refusal)
