"""RedisGate: one gate for the clients of many machines, kept in Redis (extra `redis`)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from redis.asyncio import Redis

# One hash a limit: the time of the next place (the generic cell rate algorithm, which is a token bucket in one number),
# the rate, and since when it has been so. By the clock of Redis, so that those of the machines need not agree.
_STATE = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1e6
local limit = tonumber(ARGV[1])
local state = redis.call('HMGET', KEYS[1], 'next', 'rate', 'at')
local next = tonumber(state[1]) or 0
local seconds = math.max(0, now - (tonumber(state[3]) or now))
local rate = math.min(limit, (tonumber(state[2]) or limit) * (1 + 0.01 * seconds))
local function keep()
    redis.call('HSET', KEYS[1], 'next', string.format('%.6f', next), 'rate', string.format('%.6f', rate),
        'at', string.format('%.6f', now))
    redis.call('EXPIRE', KEYS[1], math.ceil(math.max(3600, next - now + 60)))
end
"""
_ENTER = (
    _STATE
    + """
local place = math.max(next, now - (tonumber(ARGV[2]) - 1) / rate)
next = place + 1 / rate
keep()
return string.format('%.6f', math.max(0, place - now))
"""
)
# Of all the refusals of one moment only the first lowers the rate: the gate is shut then.
_REFUSED = (
    _STATE
    + """
local opens = now + tonumber(ARGV[2])
if next < opens then
    if tonumber(redis.call('HGET', KEYS[1], 'shut') or 0) < now then
        rate = math.max(limit / 10, rate * 0.9)
    end
    redis.call('HSET', KEYS[1], 'shut', string.format('%.6f', opens))
    next = opens
end
keep()
return ''
"""
)


class RedisGate:
    """A token bucket for each limit of each workspace, kept by a Redis that all machines reach.

    `limits` are calls a second by endpoint family (`{"jobs/create": 20}`), `per_second` that of all other families,
    and `burst` how many calls may go at once after a pause; by default the calls of one second. A refusal shuts the
    gate for all machines for the seconds that the service asks for, and lowers the rate by a tenth, to a tenth of the
    limit at least; it comes back by a hundredth a second. `redis` is a `redis.asyncio.Redis`, which stays the caller's
    to close. Each call costs one round trip to it.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        per_second: float = 30.0,
        limits: Mapping[str, float] | None = None,
        burst: int | None = None,
        prefix: str = "databricks-async",
    ) -> None:
        self._limits = dict(limits or {})
        for name, limit in {"per_second": per_second, **self._limits}.items():
            if not 0 < limit < math.inf:
                raise ValueError(f"{name} must be a number of calls a second above 0, not {limit!r}")
        if burst is not None and burst < 1:
            raise ValueError(f"burst must be 1 at least, not {burst!r}")
        self._per_second = per_second
        self._burst = burst
        self._prefix = prefix
        self._enter = redis.register_script(_ENTER)
        self._refused = redis.register_script(_REFUSED)

    async def enter(self, host: str, family: str) -> float:
        """Take a place for one call. Returns in how many seconds it comes. Raises `redis.RedisError`."""
        limit = self._limit(family)
        burst = max(1.0, limit) if self._burst is None else self._burst
        return float(await self._enter(keys=[self._key(host, family)], args=[limit, burst]))

    async def refused(self, host: str, family: str, seconds: float) -> None:
        """Shut the gate for so many seconds. Raises `redis.RedisError`."""
        await self._refused(keys=[self._key(host, family)], args=[self._limit(family), seconds])

    def _limit(self, family: str) -> float:
        return self._limits.get(family, self._per_second)

    def _key(self, host: str, family: str) -> str:
        return f"{self._prefix}:{host}:{family}"
