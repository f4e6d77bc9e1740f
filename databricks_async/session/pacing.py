"""Limits: calls in flight, a gate for each endpoint family, and what a refusal does to everyone."""

from __future__ import annotations

import asyncio
import logging
import math
import random
import re
from collections import deque
from functools import lru_cache

from databricks_async.error_bodies import read_error
from databricks_async.errors import DatabricksError, LifecycleError, asked_to_wait, is_quota
from databricks_async.message import Request, Response, Send
from databricks_async.session.stats import Stats

log = logging.getLogger("databricks_async")

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0
_FIRST_WINDOW = 10.0
"""A crowd that begins all at once learns the limit of a service from a few refusals, not from hundreds."""
_CONCURRENT = re.compile(r"concurrent limit of ([0-9]{1,4}) ")
"""The one limit that the service tells by itself."""
_IDLE_SECONDS = 0.5
_BURST_SECONDS = 0.01
"""What a timer that fires late may make up for."""


class Rate:
    """How many calls a second the service takes, as far as its refusals have shown.

    A service that refuses again and again at once would cost a pause each time, so the rate is set a tenth below what
    was found, comes back to it in the time of five seconds' calls, stays near it, and only then looks for more. A first
    finding, from a burst or between two refusals, is too low: from there it doubles until the next refusal.
    """

    def __init__(self) -> None:
        self.per_second = math.inf
        self._found = math.inf
        self._doubling = False
        self._since = 0.0
        self._answers = 0

    def start(self, now: float) -> None:
        """Answers count from now on."""
        self._since, self._answers = now, 0

    def answered(self) -> None:
        self._answers += 1
        if self._doubling:
            self.per_second += 0.5
        elif self._found < math.inf:
            self.per_second = self._found * (1 + 0.1 * (self._answers / self._found / 5 - 1) ** 3)

    def refused(self, now: float, pause: float) -> None:
        """The service refused a call; the next one is sent after this pause."""
        seconds = max(now - self._since, _BURST_SECONDS)
        self._doubling = self.per_second == math.inf or seconds < pause
        if self._doubling:
            # What was taken until now is what the service has saved up, and it saves up in the pause too.
            found = self._answers / (seconds + pause)
        else:
            found = max(0.7 * self.per_second, 0.9 * self._answers / seconds)
        # Never less than one call a pause: after that the service takes calls, it said.
        self.per_second = max(1.0, 1 / max(pause, _BURST_SECONDS), min(found, self.per_second))
        self._found = self.per_second / 0.9
        self.start(now + pause)


class Family:
    """The endpoints that share a limit of the service, and the calls that wait to be sent to them.

    A refusal shuts the gate for all of them. When it opens they are let through one by one at the rate that was
    learned, those who were refused first: one queue, one timer.
    """

    def __init__(self, most: int, patience: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._most = most
        self._patience = patience
        self._rate = Rate()
        self._rate.start(self._loop.time())
        self._window = min(_FIRST_WINDOW, most)
        self._in_flight = 0
        # Futures that become True with a place and False without hope; with the time at which their patience began.
        self._refused: deque[tuple[asyncio.Future[bool], float]] = deque()
        self._waiting: deque[tuple[asyncio.Future[bool], float]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._next_at = 0.0
        self._shut_until = 0.0
        self._refusals = 0
        self._answered_at = 0.0
        self._last_refusal = Response(429, {}, b"")

    def try_enter(self) -> bool:
        """Takes a place if there is one and nobody waits for it."""
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
        """Waits for a place, in front of all those who were never refused if it was. The last refusal if in vain."""
        turn = self._loop.create_future()
        if refused_since is None:
            self._waiting.append((turn, self._loop.time()))
        else:
            self._refused.append((turn, refused_since))
        self._admit()
        try:
            admitted = await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.result():  # it got a place in the same moment
                self.leave()
            raise
        return None if admitted else self._last_refusal

    def leave(self) -> None:
        self._in_flight -= 1
        if self._waiting or self._refused:
            self._admit()

    def answered(self) -> None:
        """An answer came that was no refusal."""
        if self._window < self._most:
            self._window = min(self._most, self._window + 0.25)
        self._refusals = 0
        self._answered_at = self._loop.time()
        self._rate.answered()

    def refuse(self, refusal: Response, sent_at: float) -> float:
        """Shuts the gate for everybody. Returns the seconds that the service asked for, or those of our own choice."""
        self._last_refusal = refusal
        now = self._loop.time()
        # One step for all the calls that were already under way.
        wave = sent_at >= self._shut_until
        self._refusals += wave
        # "0" and a date that has passed say nothing: a service that goes on refusing would be asked without a pause.
        growth = 2 ** max(0, self._refusals - 1)
        pause = asked_to_wait(refusal) or min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * growth)
        # Never sooner than asked; a little later, so that several processes do not come back in step.
        shut = min(pause, self._patience) * random.uniform(1.0, 1.1)  # noqa: S311
        named = _CONCURRENT.search(read_error(refusal).message) if wave else None
        if named is not None and 0 < int(named[1]) < self._window:
            self._window = self._most = int(named[1])
        elif wave:
            self._rate.refused(now, shut)
        self._shut_until = self._next_at = max(self._shut_until, now + shut)
        return pause

    def close(self) -> None:
        """Sends everybody away who waits."""
        if self._timer is not None:
            self._timer.cancel()
        for turn, _ in (*self._refused, *self._waiting):
            if not turn.done():
                turn.set_result(False)
        self._refused.clear()
        self._waiting.clear()

    def _enter(self) -> None:
        if self._next_at:
            self._next_at = max(self._next_at, self._loop.time() - _BURST_SECONDS) + 1 / self._rate.per_second
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
                turn.set_result(True)

    def _open(self) -> None:
        self._timer = None
        self._admit()
        if self._refusals:
            self._give_up(self._loop.time() - self._patience)

    def _give_up(self, too_early: float) -> None:
        """Whoever was refused gives up after its own patience; the others, when nobody has got through for long."""
        for turn, since in self._refused:
            if not turn.done() and since < too_early:
                turn.set_result(False)
        for turn, since in self._waiting:
            if not turn.done() and max(since, self._answered_at) < too_early:
                turn.set_result(False)


class Pacer:
    """All the gates of one session."""

    def __init__(self, most_in_flight: int, patience: float, stats: Stats) -> None:
        self._most = most_in_flight
        self._patience = patience
        self._stats = stats
        self._slots = asyncio.Semaphore(most_in_flight)
        self._families: dict[str, Family] = {}
        self._closed = False

    def paced(self, send: Send) -> Send:
        """Sends when there is room. A refusal (429, or 503 that says when to come back) is not a try: the call waits
        for its gate and goes again, until its patience ends and the refusal becomes its answer."""
        slots, loop = self._slots, asyncio.get_running_loop()
        family_of = lru_cache(maxsize=1024)(self._family)

        async def pace(request: Request) -> Response:
            family = family_of(request.endpoint)
            sends, refused_since = 0, None
            while True:
                if sends or not family.try_enter():
                    refusal = await family.enter(refused_since)
                    if self._closed:
                        raise LifecycleError("the client was closed while this call waited for its turn")
                    if refusal is not None:
                        return Response(refusal.status, refusal.headers, refusal.body, sends)
                try:
                    async with slots:
                        sent_at = loop.time()
                        response = await send(request)
                    sends += response.attempts
                    response.attempts = sends
                    if not _is_refusal(response):
                        family.answered()
                        return response
                    if is_quota(response):
                        return response
                    self._stats.refused += 1
                    pause = family.refuse(response, sent_at)
                except DatabricksError as error:
                    error.attempts += sends
                    raise
                finally:
                    family.leave()
                log.info("%s: refused with %d, next try in %.1f s", request.endpoint, response.status, pause)
                refused_since = sent_at if refused_since is None else refused_since
                if loop.time() + pause > refused_since + self._patience:
                    return response

        return pace

    def close(self) -> None:
        """Ends the waiting of all calls, with a `LifecycleError`."""
        self._closed = True
        for family in self._families.values():
            family.close()

    def _family(self, endpoint: str) -> Family:
        """The service counts by API: `clusters` for `GET /api/2.1/clusters/get`."""
        parts = endpoint.partition(" ")[2].strip("/").split("/")
        name = parts[2] if len(parts) > 2 and parts[0] == "api" else parts[0]
        if name not in self._families:
            self._families[name] = Family(self._most, self._patience)
        return self._families[name]


def _is_refusal(response: Response) -> bool:
    return response.status == 429 or (response.status == 503 and asked_to_wait(response) is not None)
