"""Limits: calls in flight, a gate for each endpoint family, and what a refusal does to everyone."""

from __future__ import annotations

import asyncio
import copy
import logging
import math
import random
import re
from collections import deque
from functools import lru_cache
from typing import TypeAlias

from databricks_async.error_bodies import read_error
from databricks_async.errors import AuthError, DatabricksError, LifecycleError, asked_to_wait, is_quota
from databricks_async.message import Request, Response, Send
from databricks_async.session.stats import Stats

log = logging.getLogger("databricks_async")

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0
_FIRST_WINDOW = 10.0
"""A crowd that begins all at once learns the limit of a service from a few refusals, not from hundreds."""
_CONCURRENT = re.compile(r"concurrent limit of ([0-9]{1,4}) ")
"""The one limit that the service tells by itself."""
_NAMED_SECONDS = 30.0
"""How long a limit that the service told is kept to before more is tried."""
_MEMORY_SECONDS = 120.0
"""A rate is forgotten when nothing was refused for so long."""
_IDLE_SECONDS = 0.5
_BURST_SECONDS = 0.01
"""What a timer that fires late may make up for."""


Ending: TypeAlias = Response | AuthError | None
"""How the waiting for a place ends: with a refusal, for lack of a token, or with a place."""


class Rate:
    """How many calls a second the service takes, as far as its refusals have shown.

    A healthy service refuses a call now and then: a rate is learned when most of a crowd is refused at once, or when
    refusals come back soon after a pause. It is forgotten when none came for long.

    A service that refuses again and again at once would cost a pause each time, so the rate is set a tenth below what
    was found, comes back to it in the time of five seconds' calls, stays near it, and only then looks for more. A first
    finding, from a burst or between two refusals, is too low: from there it doubles, ever faster, until the next
    refusal.
    """

    def __init__(self) -> None:
        self.per_second = self._found = self._suspected = math.inf
        self._doubling = False
        self._suspicious_until = self._forgotten_at = -math.inf
        self._since = 0.0
        self._answers = 0

    def start(self, now: float) -> None:
        """Answers count from now on."""
        self._since, self._answers = now, 0

    def gap(self, now: float) -> float:
        """The seconds from a call that is sent now to the next one."""
        if now > self._forgotten_at:
            self.per_second = self._found = math.inf
        return 1 / self.per_second

    def answered(self, now: float) -> None:
        self._answers += 1
        if self._doubling:
            self.per_second += max(0.5, (now - self._since) / 2 - 1)
        elif self._found < math.inf:
            self.per_second = self._found * (1 + 0.1 * (self._answers / self._found / 5 - 1) ** 3)

    def refused(self, now: float, pause: float) -> None:
        """The service refused a call; the next one is sent after this pause."""
        seconds = max(now - self._since, _BURST_SECONDS)
        self._doubling = self.per_second == math.inf or seconds < pause
        if self._doubling:
            # What was taken until now is what the service had saved up, and it saves up in the pause too.
            found = self._answers / (seconds + pause)
        else:
            found = max(0.6 * self.per_second, 0.9 * self._answers / (seconds + pause))
        again = self.per_second < math.inf or now < self._suspicious_until
        # Never less than one call a pause: after that the service takes calls, it said.
        least = max(1.0, 1 / max(pause, _BURST_SECONDS))
        self._suspected = max(least, min(found, self.per_second)) if self._answers or again else math.inf
        if again:
            self.learn()
        self._suspicious_until = now + 10 * pause
        self._forgotten_at = now + 10 * pause + _MEMORY_SECONDS
        self.start(now + pause)

    def learn(self) -> None:
        """The last refusal was no accident."""
        self.per_second = self._suspected
        self._found = self.per_second / 0.9


class Family:
    """The endpoints that share a limit of the service, and the calls that wait to be sent to them.

    A refusal shuts the gate for all of them and halves how many may be in flight. When it opens they are let through,
    those who were refused first and one by one if a rate was learned: one queue, one timer.
    """

    def __init__(self, most: int, patience: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._most = most
        self._patience = patience
        self._rate = Rate()
        self._rate.start(self._loop.time())
        self._window = min(_FIRST_WINDOW, most)
        self._named = 0
        self._named_until = 0.0
        self._in_flight = 0
        # Futures that become None with a place, and else what ends the call; with the time their patience began.
        self._refused: deque[tuple[asyncio.Future[Ending], float]] = deque()
        self._waiting: deque[tuple[asyncio.Future[Ending], float]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._next_at = 0.0
        self._shut_until = 0.0
        self._refusals = 0
        self._crowd = 0.0
        """How many were in flight when the gate was shut, and how many of them were refused since."""
        self._crowd_refused = 0
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
        most = self._named if now < self._named_until else self._most
        if self._window < most:
            self._window = min(most, self._window + 0.25)
        self._refusals = 0
        self._rate.answered(now)

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
        if wave:
            self._crowd, self._crowd_refused = self._in_flight, 0
        self._crowd_refused += 1
        if named is not None and 0 < int(named[1]) < self._window:
            self._window = self._named = int(named[1])
            self._named_until = now + shut + _NAMED_SECONDS
            self._crowd = math.inf  # a limit of calls at once says nothing of a rate
        elif wave:
            self._window = max(1.0, self._window / 2)
            self._rate.refused(now, shut)
        elif self._crowd_refused > max(1, self._crowd / 2):
            self._rate.learn()
        self._shut_until = self._next_at = max(self._shut_until, now + shut)
        return pause

    def close(self) -> None:
        """Sends everybody away who waits."""
        if self._timer is not None:
            self._timer.cancel()
        self.send_away(self._last_refusal)

    def send_away(self, ending: Response | AuthError) -> None:
        """Ends the calls that wait."""
        for turn, _ in (*self._refused, *self._waiting):
            if not turn.done():
                turn.set_result(ending)
        self._refused.clear()
        self._waiting.clear()

    def _enter(self) -> None:
        if self._next_at:
            now = self._loop.time()
            gap = self._rate.gap(now)
            self._next_at = max(self._next_at, now - _BURST_SECONDS) + gap if gap else 0.0
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
            self._give_up(self._loop.time() - self._patience)

    def _give_up(self, too_early: float) -> None:
        """Whoever was refused gives up after its own patience; the others, when nobody has got through for long."""
        for turn, since in self._refused:
            if not turn.done() and since < too_early:
                turn.set_result(self._last_refusal)
        for turn, since in self._waiting:
            if not turn.done() and max(since, self._answered_at) < too_early:
                turn.set_result(self._last_refusal)


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
                    if isinstance(error, AuthError):
                        # It is theirs too: without it each would ask for a token as its turn comes.
                        for every in self._families.values():
                            every.send_away(error)
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
