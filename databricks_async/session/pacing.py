"""The pacing of one session: a limit on its calls in flight, and a gate for each endpoint family."""

from __future__ import annotations

import asyncio
import copy
import logging
from collections import deque
from collections.abc import Mapping
from functools import lru_cache

import attrs

from databricks_async.errors import AuthError, DatabricksError, LifecycleError, asked_to_wait, is_quota
from databricks_async.message import Request, Response, Send
from databricks_async.session.budgets import Budget
from databricks_async.session.families import DOCUMENTED, family_of
from databricks_async.session.gate import Family
from databricks_async.session.rate import Rate
from databricks_async.session.shared import SharedPlaces
from databricks_async.session.stats import Stats

log = logging.getLogger("databricks_async.pacing")


class Pacer:
    """All the gates of one session.

    `limits` are the calls a second that the endpoint families may not exceed. With `shared`, a call that has passed the
    gate of its family here also waits for its place there.
    """

    def __init__(
        self,
        max_in_flight: int,
        budget: Budget,
        stats: Stats,
        limits: Mapping[str, float] | None = None,
        shared: SharedPlaces | None = None,
    ) -> None:
        self._max_in_flight = max_in_flight
        self._budget = budget
        self._stats = stats
        self._limits = limits or {}
        self._shared = shared
        self._slots = _Slots(max_in_flight)
        self._families: dict[str, Family] = {}
        self._closed = False

    def paced(self, send: Send) -> Send:
        """Sends when there is room. A refusal (429, or 503 that says when to come back) is not a try: the call waits
        for its gate, as long as it was asked to, and goes again, until its budget is spent and the refusal becomes its
        answer."""
        slots, budget, loop = self._slots, self._budget, asyncio.get_running_loop()
        shared = self._shared
        family_at = lru_cache(maxsize=1024)(self._family)

        async def pace(request: Request) -> Response:
            family = family_at(request.endpoint)
            sends, refusals, refused_since, not_before = 0, 0, None, 0.0
            while True:
                if sends or not family.try_enter():
                    turn = family.enter(request.replay == "safe", refused_since, not_before)
                    try:
                        ending = await (turn if request.report is None else request.report.waited(turn))
                    except asyncio.CancelledError:
                        family.give_up(turn)
                        raise
                    if isinstance(ending, AuthError):
                        # For each caller its own: the layers note on it what became of that call.
                        raise copy.copy(ending) from ending.__cause__
                    if self._closed:
                        raise LifecycleError("the client was closed while this call waited for its turn")
                    if ending is not None:
                        return attrs.evolve(ending, attempts=sends)
                try:
                    if shared is not None:
                        place = shared.wait(family.name, budget.seconds)
                        await (place if request.report is None else request.report.waited(place))
                    if slots.free:
                        slots.free -= 1
                    else:
                        await slots.wait()
                    try:
                        sent_at = loop.time()
                        response = await send(request)
                    finally:
                        slots.release()
                    sends += response.attempts
                    response.attempts = sends
                    if not _is_refusal(response):
                        family.answered(sent_at)
                        return response
                    if is_quota(response):
                        return response
                    self._stats.refused += 1
                    self._stats.of(request.endpoint).refused += 1
                    refusals += 1
                    pause, not_before = family.refuse(response, sent_at)
                    if request.report is not None:
                        request.report.refused(response.status, pause)
                except DatabricksError as error:
                    error.attempts += sends
                    if isinstance(error, AuthError):
                        # All calls that wait need this token: without this each would ask for one as its turn comes.
                        for every in self._families.values():
                            every.send_away(error)
                    raise
                finally:
                    family.leave()
                if shared is not None:
                    await shared.refused(family.name, pause)
                refused_since = sent_at if refused_since is None else refused_since
                if refusals >= budget.attempts or loop.time() + pause > refused_since + budget.seconds:
                    return response
                log.info("%s: refused with %d, next try in %.1f s", request.endpoint, response.status, pause)

        return pace

    def load(self) -> dict[str, tuple[int, int]]:
        """How many calls of each family are in flight, and how many wait."""
        return {name: (family.in_flight, family.waiting) for name, family in self._families.items()}

    def has_room(self, endpoint: str, under_way: int) -> bool:
        """See `Family.has_room`."""
        return self._family(endpoint).has_room(under_way)

    def close(self) -> None:
        """Ends the waiting of all calls, with a `LifecycleError`."""
        self._closed = True
        for family in self._families.values():
            family.close()
        if self._shared is not None:
            self._shared.close()

    def _family(self, endpoint: str) -> Family:
        limits = {**DOCUMENTED, **self._limits}
        name = family_of(endpoint, limits)
        if name not in self._families:
            rate = Rate(limit=self._limits.get(name), usual=limits.get(name))
            self._families[name] = Family(name, self._max_in_flight, self._budget.seconds, rate)
        return self._families[name]


class _Slots:
    """The calls that may be in flight, of all families together.

    asyncio's semaphore would cost nearly a hundredth of the instructions of each call (`benchmarks/instructions.py`).
    """

    def __init__(self, free: int) -> None:
        self.free = free
        self._waiting = deque[asyncio.Future[None]]()

    async def wait(self) -> None:
        """Until a slot is handed over: while any call waits, none is free."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it got a slot in the same moment
                self.release()
            raise

    def release(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():  # else its caller has gone
                turn.set_result(None)
                return
        self.free += 1


def _is_refusal(response: Response) -> bool:
    return response.status == 429 or (response.status == 503 and asked_to_wait(response) is not None)
