"""Faults: the failures that a test has planned, queued by endpoint."""

from __future__ import annotations

import contextlib
import random
import re
import threading
from collections.abc import Mapping
from typing import Literal

import attrs
import orjson

from databricks_async import display
from databricks_async.local.patterns import matches
from databricks_async.message import Response

_MAX_SHOWN = 3


@attrs.frozen(repr=False)
class Fault:
    """One failure. `after` means that the request takes effect and only its answer suffers."""

    kind: Literal["delay", "answer", "drop", "cut", "hang"]
    after: bool = False
    response: Response | None = None
    latency: float = 0.0
    """Real seconds that pass before anything else, or before the answer if `after`."""

    def __repr__(self) -> str:
        latency = f", {self.latency:g} s" if self.latency else ""
        return f"<Fault {self.name}{latency}>"

    def _repr_html_(self) -> str:
        answer = self.response
        return display.table(
            f"Fault {self.name}",
            [
                ("latency", f"{self.latency:g} s" if self.latency else None),
                ("headers", None if answer is None else ", ".join(sorted(answer.headers))),
                ("body", None if answer is None else f"{len(answer.body)} bytes"),
            ],
        )

    @classmethod
    def answer(
        cls,
        status: int,
        body: bytes | str = b"",
        headers: Mapping[str, str] | None = None,
        *,
        after: bool = False,
        latency: float = 0.0,
    ) -> Fault:
        """Send this answer instead of the service's own, whatever it is: HTML, half a JSON, nothing."""
        raw = body.encode() if isinstance(body, str) else body
        return cls("answer", after, Response(status, dict(headers or {}), raw), latency)

    @classmethod
    def error(
        cls, status: int, error_code: str, message: str = "scripted", *, after: bool = False, latency: float = 0.0
    ) -> Fault:
        """Send an error in the service's own format."""
        body = orjson.dumps({"error_code": error_code, "message": message})
        return cls.answer(status, body, after=after, latency=latency)

    @classmethod
    def too_many_requests(cls, retry_after: float | str | None = None) -> Fault:
        """Refuse with 429, with or without `Retry-After`: seconds, or any text such as an HTTP date."""
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        body = b'{"error_code":"REQUEST_LIMIT_EXCEEDED","message":"Too many requests."}'
        return cls.answer(429, body, headers)

    @classmethod
    def drop(cls, *, after: bool = False, latency: float = 0.0) -> Fault:
        """Close the connection without an answer: before the request takes effect, or after."""
        return cls("drop", after, None, latency)

    @classmethod
    def cut(cls, *, latency: float = 0.0) -> Fault:
        """Close the connection in the middle of the answer's body. The request took effect."""
        return cls("cut", True, None, latency)

    @classmethod
    def delay(cls, seconds: float, *, after: bool = False) -> Fault:
        """Take this many real seconds. Adds to the fault queued behind it, if there is one."""
        return cls("delay", after, None, seconds)

    @classmethod
    def hang(cls, *, after: bool = False) -> Fault:
        """Never answer: ends when the client or the workspace closes the connection."""
        return cls("hang", after)

    def slower(self, seconds: float) -> Fault:
        """The same with so many more seconds of latency."""
        return attrs.evolve(self, latency=self.latency + seconds)

    @property
    def name(self) -> str:
        """How the journal calls it, for example `answer 503` or `drop after`."""
        words: list[str] = [self.kind]
        if self.response is not None:
            words.append(str(self.response.status))
        if self.after and self.kind != "cut":
            words.append("after")
        return " ".join(words)

    def __str__(self) -> str:
        """The name as one word, with what tells it from others: `pytest.mark.parametrize("fault", FAULTS, ids=str)`.

        For example `answer-503-TEMPORARILY_UNAVAILABLE-after`, or `delay-0.5s`.
        """
        words = self.name.split()
        if self.response is not None:
            words[2:2] = _details(self.response)
        if self.latency:
            words.append(f"{self.latency:g}s")
        return "-".join(words)


def _details(response: Response) -> list[str]:
    """Its `Retry-After` and its error code, without what is no part of one word."""
    found = []
    if retry_after := response.headers.get("Retry-After"):
        found.append(f"retry-after-{retry_after}")
    with contextlib.suppress(orjson.JSONDecodeError, LookupError, TypeError):  # no error in the service's format
        found.append(str(orjson.loads(response.body)["error_code"]))
    return [re.sub(r"[^\w.]+", "-", text) for text in found]


@attrs.define
class _Planned:
    endpoint: str
    fault: Fault
    left: int | None
    probability: float | None

    def __str__(self) -> str:
        often = "" if self.left in (None, 1) else f" {self.left} times"
        share = "" if self.probability is None else f" with probability {self.probability:g}"
        return f"{self.fault} for {self.endpoint}{often}{share}"


class Faults:
    """The faults that wait for their request. For each request the first one added that fits strikes.

    Its methods are safe in any thread.
    """

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)  # noqa: S311 (repeatable, not secret)
        self._planned: list[_Planned] = []
        self._lock = threading.Lock()

    def add(self, endpoint: str, *faults: Fault, times: int | None = None, probability: float | None = None) -> None:
        """Have these faults strike requests to an endpoint, one fault a request, in this order.

        `*` and `{v}` in the endpoint are wildcards. Each fault strikes once, or as often as `times` says; with a
        `probability` it strikes that share of the requests for ever, or until it has struck `times` times. The share
        is drawn from the workspace's seed, so every run of a test draws the same.
        """
        left = 1 if times is None and probability is None else times
        with self._lock:
            self._planned.extend(_Planned(endpoint, fault, left, probability) for fault in faults)

    def clear(self) -> None:
        """Remove all planned faults."""
        with self._lock:
            self._planned.clear()

    def __len__(self) -> int:
        """How many strikes are still planned, not counting those of a probability without an end."""
        with self._lock:
            return sum(planned.left or 0 for planned in self._planned)

    def __repr__(self) -> str:
        with self._lock:
            shown = [str(planned) for planned in self._planned[:_MAX_SHOWN]]
            left_out = len(self._planned) - len(shown)
        more = [f"{left_out} more"] if left_out else []
        return f"<Faults: {', '.join(shown + more) or 'none'}>"

    def take(self, endpoint: str) -> Fault | None:
        """The fault for a request that has just come in. The server's part."""
        with self._lock:
            return self._take(endpoint)

    def _take(self, endpoint: str) -> Fault | None:
        delay: Fault | None = None
        for planned in list(self._planned):
            if not matches(planned.endpoint, endpoint):
                continue
            if planned.probability is not None and self._random.random() >= planned.probability:
                continue
            if planned.fault.kind == "delay" and delay is not None:
                continue
            if planned.left is not None:
                planned.left -= 1
                if not planned.left:
                    self._planned.remove(planned)
            if planned.fault.kind != "delay":
                return planned.fault if delay is None else planned.fault.slower(delay.latency)
            delay = planned.fault
        return delay
