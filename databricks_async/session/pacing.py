"""Limits: calls in flight, a gate for each endpoint family, and what a refusal does to everyone."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque

from databricks_async.errors import is_quota, retry_after_seconds
from databricks_async.message import Request, Response, Send
from databricks_async.session.stats import Stats

log = logging.getLogger("databricks_async")

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0


class Family:
    """The endpoints that share a limit of the service, and the calls that wait to be sent to them.

    A refusal shuts the gate for all of them and halves the window of calls in flight; each answer after that widens
    the window a little, so that a crowd which waited does not arrive all at once. One queue, one timer.
    """

    __slots__ = ("_loop", "_most", "_refusals", "_timer", "_waiting", "in_flight", "opens_at", "refusal", "window")

    def __init__(self, most: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._most = most
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._refusals = 0
        self.in_flight = 0
        self.window = float(most)
        self.opens_at = 0.0
        self.refusal: Response | None = None
        """The last refusal; it goes back to those who give up waiting."""

    def try_enter(self) -> bool:
        if self._waiting or self.in_flight >= self.window or self._loop.time() < self.opens_at:
            return False
        self.in_flight += 1
        return True

    async def enter(self, until: float, *, first: bool) -> bool:
        """Waits for a place, in front of all others if `first`; False when there was none `until` then."""
        turn = self._loop.create_future()
        (self._waiting.appendleft if first else self._waiting.append)(turn)
        self._admit()
        try:
            async with asyncio.timeout_at(until):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():  # a place was given in the same moment
                self.leave()
            if isinstance(error, TimeoutError):
                return False
            raise
        return True

    def leave(self) -> None:
        self.in_flight -= 1
        if self._waiting:
            self._admit()

    def answered(self) -> None:
        """An answer came that was no refusal."""
        if self._refusals or self.window < self._most:
            self.window = min(self._most, self.window + 1 / self.window)
            self._refusals = 0

    def refuse(self, refusal: Response, sent_at: float, longest: float) -> float:
        """Shuts the gate for everybody. Returns the seconds that the service asked for, or that we wait if it did not."""
        self.refusal = refusal
        now = self._loop.time()
        asked = retry_after_seconds(refusal.headers)
        if sent_at >= self.opens_at:  # one step for all the calls that were already under way
            self.window = max(1.0, min(self.window, self.in_flight) / 2)
            self._refusals += 1
        pause = asked
        if pause is None:
            pause = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2 ** (self._refusals - 1))
        # Never sooner than asked; a little later, so that several processes do not come back in step.
        self.opens_at = max(self.opens_at, now + min(pause, longest) * random.uniform(1.0, 1.1))  # noqa: S311
        return pause

    def _admit(self) -> None:
        while self._waiting and self.in_flight < self.window:
            wait = self.opens_at - self._loop.time()
            if wait > 0:
                if self._timer is None:
                    self._timer = self._loop.call_later(wait, self._open)
                return
            turn = self._waiting.popleft()
            if not turn.done():  # else its caller has gone
                self.in_flight += 1
                turn.set_result(None)

    def _open(self) -> None:
        self._timer = None
        self._admit()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


class Pacer:
    """All the gates of one session."""

    def __init__(self, most_in_flight: int, patience: float, stats: Stats) -> None:
        self._most = most_in_flight
        self._patience = patience
        self._stats = stats
        self._slots = asyncio.Semaphore(most_in_flight)
        self._families: dict[str, Family] = {}
        self._by_endpoint: dict[str, Family] = {}

    def paced(self, send: Send) -> Send:
        """Sends when there is room. A refusal (429, or 503 with Retry-After) is not a try: the call waits for its
        gate and goes again, until its patience ends and the refusal becomes its answer."""
        by_endpoint, slots, loop = self._by_endpoint, self._slots, asyncio.get_running_loop()

        async def pace(request: Request) -> Response:
            family = by_endpoint.get(request.endpoint) or self._family(request.endpoint)
            sends, give_up_at = 0, 0.0
            while True:
                if sends or not family.try_enter():
                    give_up_at = give_up_at or loop.time() + self._patience
                    if not await family.enter(give_up_at, first=sends > 0):
                        refusal = family.refusal or Response(429, {}, b"")
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
                    self._stats.refused += 1
                    if is_quota(response):
                        return response
                    asked = family.refuse(response, sent_at, self._patience)
                finally:
                    family.leave()
                log.info("%s: refused with %d, next try in %.1f s", request.endpoint, response.status, asked)
                give_up_at = give_up_at or sent_at + self._patience
                if loop.time() + asked > give_up_at:
                    return response

        return pace

    def close(self) -> None:
        for family in self._families.values():
            family.close()

    def _family(self, endpoint: str) -> Family:
        """The service counts by API: `clusters` for `GET /api/2.1/clusters/get`."""
        parts = endpoint.partition(" ")[2].strip("/").split("/")
        name = parts[2] if len(parts) > 2 and parts[0] == "api" else parts[0]
        family = self._families.get(name)
        if family is None:
            family = self._families[name] = Family(self._most)
        self._by_endpoint[endpoint] = family
        return family


def _is_refusal(response: Response) -> bool:
    status = response.status
    return status == 429 or (status == 503 and retry_after_seconds(response.headers) is not None)
