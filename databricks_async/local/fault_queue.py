"""Faults: the failures that a test has planned, queued by endpoint and schedule."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Collection
from typing import Any

import attrs

from databricks_async.local.failures import bodies, notation
from databricks_async.local.faults import Fault, from_words
from databricks_async.local.patterns import matches, meant_by

_MAX_SHOWN = 3

CONNECT = "CONNECT"
"""The endpoint of a connection that opens; only `Fault.stall` strikes there."""


@attrs.define
class _Planned:
    endpoint: str
    fault: Fault
    left: int | None
    probability: float | None
    skip: int
    every: int
    between: tuple[float, float]
    """From when until when, by the clock of the faults."""
    seen: int = 0
    """How many requests fitted so far, within its time."""

    def __str__(self) -> str:
        often = "" if self.left in (None, 1) else f" {self.left} times"
        share = "" if self.probability is None else f" with probability {self.probability:g}"
        return f"{self.fault} for {self.endpoint}{often}{share}"

    def is_due(self, now: float) -> bool:
        """Whether the schedule has it strike this request, which fits its endpoint."""
        if not self.between[0] <= now < self.between[1]:
            return False
        self.seen += 1
        return self.seen > self.skip and not (self.seen - self.skip - 1) % self.every


class Faults:
    """The faults that wait for their request. For each request the first one added that fits strikes.

    Its methods are safe in any thread.
    """

    def __init__(self, seed: int = 0, *, now: Callable[[], float] = time.monotonic) -> None:
        self._random = random.Random(seed)  # noqa: S311 (repeatable, not secret)
        self._now = now
        self._planned: list[_Planned] = []
        self._lock = threading.Lock()
        self.before_stale: Callable[[], None] | None = None
        """Called before a stale read is planned: the server keeps what it will be answered from."""
        self.endpoints: Collection[str] = ()
        """All that are served, by which misspelt ones are found. The server's part, too."""

    def add(
        self,
        endpoint: str,
        *faults: Fault,
        times: int | None = None,
        probability: float | None = None,
        skip: int = 0,
        every: int = 1,
        between: tuple[float, float] | None = None,
    ) -> None:
        """Have these faults strike requests to an endpoint, one fault a request, in this order.

        `*` and `{v}` in the endpoint are wildcards. Each fault strikes once, or as often as `times` says; with a
        `probability` it strikes that share of the requests for ever, or until it has struck `times` times. The share
        is drawn from the workspace's seed, so every run of a test draws the same.

        A schedule: the first `skip` requests that fit are spared, then one in `every` is struck (for ever, if no
        `times` is given), and only `between` these two moments, in seconds from now: real ones, and those by which the
        clock is advanced.

        Raises ValueError for an endpoint that fits nothing and is probably misspelt. One unlike all that are served is
        taken: `Fault.answer` can stand in for an API that the workspace does not have.
        """
        self._check_endpoint(endpoint)
        if probability is not None and not 0 <= probability <= 1:
            raise ValueError(f"a probability is 0 to 1, not {probability:g}")
        if (times is not None and times < 0) or skip < 0 or every < 1:
            raise ValueError("times and skip are 0 or more, and every is 1 or more")
        start, end = between or (0.0, float("inf"))
        if not 0 <= start < end:
            raise ValueError(f"a fault strikes between an earlier and a later moment, not {start:g} and {end:g}")
        for fault in faults:
            if fault.kind == "stall" and not matches(endpoint, CONNECT):
                raise ValueError(f"a stall strikes connections: its endpoint is {CONNECT} or *, not {endpoint}")
            if fault.kind == "stale" and self.before_stale is not None:
                self.before_stale()
        for_ever = probability is not None or every > 1 or between is not None
        left = 1 if times is None and not for_ever else times
        if left == 0:
            return
        now = self._now()
        window = (now + start, now + end)
        with self._lock:
            self._planned.extend(_Planned(endpoint, fault, left, probability, skip, every, window) for fault in faults)

    def _check_endpoint(self, endpoint: str) -> None:
        if matches(endpoint, CONNECT):
            return
        meant = meant_by(endpoint, self.endpoints)
        if meant is not None:
            raise ValueError(f"no endpoint fits {endpoint!r}: did you mean {meant!r}?")
        notation.check_endpoint(endpoint)

    def plan(self, *lines: str) -> None:
        """Add faults in the words of `serve --fault`: `PATTERN=WHAT[:COUNT][@PROBABILITY]`.

            workspace.faults.plan("GET */clusters/get=503:2", "POST *=drop,after@0.1")

        All or none: raises ValueError, which says what was meant. WHAT is one of

            503  429/html  500/any      an error, with one of the bodies of `Fault.failure`
            drop  reset  hang           no answer; before the request takes effect, or `,after`
            cut  reset,midway           the connection ends in the middle of the body
            truncate  garble            half a body, a body of wrong bytes
            length=+10  length=-10      a Content-Length that is wrong
            delay=2                     so many seconds, before the request takes effect, or `,after`
            slow-headers=5  slow-body=5 in pieces, over so many seconds
            stale                       a read that does not know the last write
            revoke                      the token is revoked
            clock=3600                  the workspace's clock jumps ahead
            date=-3600                  the `Date` of the answer is wrong
            refuse=2                    no connection for so many seconds
            stall                       a connection, or TLS handshake, that does not go on: `CONNECT=stall`

        Behind it may stand `,retry-after=2` (of an error), `,latency=0.5`, `,skip=3`, `,every=5`, `,from=10` and
        `,until=20`: see `add`. Without a count it strikes once; with a probability, `every`, `from` or `until` for
        ever.
        """
        written = [notation.read(line) for line in lines]
        faults = [from_words(one) for one in written]
        for one, fault in zip(written, faults, strict=True):
            self.add(one.endpoint, fault, times=0, **_schedule(one))  # checks it
        for one, fault in zip(written, faults, strict=True):
            self.add(one.endpoint, fault, times=one.times, **_schedule(one))

    def seed(self, seed: int) -> None:
        """Draw from here on as any other run with this seed does."""
        with self._lock:
            self._random.seed(seed)

    def described(self) -> list[str]:
        """A line for each planned fault."""
        with self._lock:
            return [str(planned) for planned in self._planned]

    def clear(self) -> None:
        """Remove all planned faults."""
        with self._lock:
            self._planned.clear()

    def __len__(self) -> int:
        """How many strikes are still planned, not counting those without an end."""
        with self._lock:
            return sum(planned.left or 0 for planned in self._planned)

    def __repr__(self) -> str:
        with self._lock:
            shown = [str(planned) for planned in self._planned[:_MAX_SHOWN]]
            left_out = len(self._planned) - len(shown)
        more = [f"{left_out} more"] if left_out else []
        return f"<Faults: {', '.join(shown + more) or 'none'}>"

    @property
    def has_stale(self) -> bool:
        """Whether a stale read is planned."""
        with self._lock:
            return any(planned.fault.kind == "stale" for planned in self._planned)

    def take(self, endpoint: str) -> Fault | None:
        """The fault for a request that has just come in, or a connection (`CONNECT`). The server's part."""
        with self._lock:
            return self._take(endpoint)

    def _take(self, endpoint: str) -> Fault | None:
        delay: Fault | None = None
        now = self._now() if self._planned else 0.0
        for planned in list(self._planned):
            kind = planned.fault.kind
            if not matches(planned.endpoint, endpoint) or (kind == "stall") != (endpoint == CONNECT):
                continue
            if kind == "stale" and not endpoint.startswith("GET "):
                continue
            if not planned.is_due(now):
                continue
            if planned.probability is not None and self._random.random() >= planned.probability:
                continue
            if kind == "delay" and delay is not None:
                continue
            if planned.left is not None:
                planned.left -= 1
                if not planned.left:
                    self._planned.remove(planned)
            if kind != "delay":
                fault = self._drawn(planned.fault)
                return fault if delay is None else fault.slower(delay.latency)
            delay = planned.fault
        return delay

    def _drawn(self, fault: Fault) -> Fault:
        if not fault.any_body or fault.response is None:
            return fault
        body = self._random.choice(list(bodies.BODIES))
        drawn = bodies.answer(fault.response.status, body, fault.response.headers.get("Retry-After"))
        return attrs.evolve(fault, response=drawn)


def _schedule(written: notation.Written) -> dict[str, Any]:
    """The schedule of a fault as the arguments of `Faults.add`."""
    options = written.options
    numbers = {name: notation.number(options[name], name) for name in notation.SCHEDULE if name in options}
    found: dict[str, Any] = {"probability": written.probability}
    for name in ("skip", "every"):
        if name in numbers:
            found[name] = int(numbers[name])
    if "from" in numbers or "until" in numbers:
        found["between"] = (numbers.get("from", 0.0), numbers.get("until", float("inf")))
    return found
