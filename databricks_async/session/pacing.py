"""The pacing of one session: a limit on its calls in flight, and a gate for each endpoint family."""

from __future__ import annotations

import asyncio
import logging
from functools import lru_cache

import attrs

from databricks_async.errors import AuthError, DatabricksError, LifecycleError, asked_to_wait, is_quota
from databricks_async.message import Request, Response, Send
from databricks_async.session.budgets import Budget
from databricks_async.session.gate import Family
from databricks_async.session.stats import Stats

log = logging.getLogger("databricks_async")


class Pacer:
    """All the gates of one session."""

    def __init__(self, max_in_flight: int, budget: Budget, stats: Stats) -> None:
        self._max_in_flight = max_in_flight
        self._budget = budget
        self._stats = stats
        self._slots = asyncio.Semaphore(max_in_flight)
        self._families: dict[str, Family] = {}
        self._closed = False

    def paced(self, send: Send) -> Send:
        """Sends when there is room. A refusal (429, or 503 that says when to come back) is not a try: the call waits
        for its gate and goes again, until its budget is spent and the refusal becomes its answer."""
        slots, budget, loop = self._slots, self._budget, asyncio.get_running_loop()
        family_of = lru_cache(maxsize=1024)(self._family)

        async def pace(request: Request) -> Response:
            family = family_of(request.endpoint)
            sends, refusals, refused_since = 0, 0, None
            while True:
                if sends or not family.try_enter():
                    refusal = await family.enter(refused_since)
                    if self._closed:
                        raise LifecycleError("the client was closed while this call waited for its turn")
                    if refusal is not None:
                        return attrs.evolve(refusal, attempts=sends)
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
                    refusals += 1
                    pause = family.refuse(response, sent_at)
                except DatabricksError as error:
                    error.attempts += sends
                    if isinstance(error, AuthError):
                        # All calls that wait need this token: without this each would ask for one as its turn comes.
                        for every in self._families.values():
                            every.send_away(error)
                    raise
                finally:
                    family.leave()
                refused_since = sent_at if refused_since is None else refused_since
                if refusals >= budget.attempts or loop.time() + pause > refused_since + budget.seconds:
                    return response
                log.info("%s: refused with %d, next try in %.1f s", request.endpoint, response.status, pause)

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
            self._families[name] = Family(self._max_in_flight, self._budget.seconds)
        return self._families[name]


def _is_refusal(response: Response) -> bool:
    return response.status == 429 or (response.status == 503 and asked_to_wait(response) is not None)
