"""Fault: one failure of a local workspace, and the words for it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping
from typing import Literal

import attrs
import orjson

from databricks_async import display
from databricks_async.local.failures import bodies, notation
from databricks_async.message import Response

Kind = Literal[
    "delay",
    "answer",
    "drop",
    "cut",
    "hang",
    "reset",
    "truncate",
    "garble",
    "length",
    "slow headers",
    "slow body",
    "stale",
    "revoke",
    "clock",
    "date",
    "refuse",
    "stall",
]


@attrs.frozen(repr=False)
class Fault:
    """One failure. `after` means that the request takes effect and only its answer suffers."""

    kind: Kind
    after: bool = False
    response: Response | None = None
    latency: float = 0.0
    """Real seconds that pass before anything else, or before the answer if `after`."""
    amount: float = 0.0
    """Seconds or bytes, as the kind has it."""
    midway: bool = False
    """Whether a reset comes in the middle of the answer's body."""
    any_body: bool = False
    """Whether the body of `response` is drawn anew at each strike."""

    def __repr__(self) -> str:
        latency = f", {self.latency:g} s" if self.latency else ""
        amount = f" {self.amount:g}" if self.amount else ""
        return f"<Fault {self.name}{amount}{latency}>"

    def _repr_html_(self) -> str:
        answer = self.response
        return display.table(
            f"Fault {self.name}",
            [
                ("latency", f"{self.latency:g} s" if self.latency else None),
                ("amount", f"{self.amount:g}" if self.amount else None),
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

    @classmethod
    def failure(
        cls,
        status: int,
        body: str = "json",
        *,
        retry_after: float | str | None = None,
        after: bool = False,
        latency: float = 0.0,
    ) -> Fault:
        """Send an error with one of the bodies that clients get to see in practice.

        `body` is `json` (the service's own), `details` (with details as newer errors have them), `number` (the
        gateway's), `scim`, `oauth`, `html`, `text`, `empty`, `null`, `array`, `half` (JSON that ends early),
        `latin` (no UTF-8), `long` (1 MB), or `any`: one of them, drawn at each strike.
        """
        if not 400 <= status <= 599:
            raise ValueError(f"the status of a failure is 400 to 599, not {status}")
        notation.one_of(body, [*bodies.BODIES, bodies.ANY], "body")
        any_body = body == bodies.ANY
        answer = bodies.answer(status, "json" if any_body else body, retry_after)
        return cls("answer", after, answer, latency, any_body=any_body)

    @classmethod
    def reset(cls, *, after: bool = False, midway: bool = False, latency: float = 0.0) -> Fault:
        """Reset the connection (RST): before the request takes effect, `after`, or `midway` in the answer's body."""
        return cls("reset", after or midway, None, latency, midway=midway)

    @classmethod
    def truncate(cls, *, latency: float = 0.0) -> Fault:
        """Send half of the answer's body, as if it were all. The request takes effect."""
        return cls("truncate", True, None, latency)

    @classmethod
    def garble(cls, *, latency: float = 0.0) -> Fault:
        """Send the answer with the second half of its body in other bytes. The request takes effect."""
        return cls("garble", True, None, latency)

    @classmethod
    def wrong_length(cls, by: int, *, latency: float = 0.0) -> Fault:
        """Send a Content-Length that is wrong by so many bytes. The request takes effect.

        One that is too large keeps the client waiting until it hangs up; one that is too small leaves bytes behind the
        answer, on a connection that stays open.
        """
        if not by:
            raise ValueError("a length that is wrong by 0 bytes is right")
        return cls("length", True, None, latency, by)

    @classmethod
    def slow_headers(cls, seconds: float) -> Fault:
        """Send the answer's status line and headers in pieces, over so many real seconds."""
        return cls("slow headers", True, amount=_not_negative(seconds))

    @classmethod
    def slow_body(cls, seconds: float) -> Fault:
        """Send the answer's body in pieces, over so many real seconds."""
        return cls("slow body", True, amount=_not_negative(seconds))

    @classmethod
    def stale(cls) -> Fault:
        """Answer a GET by how the workspace was before its last write, as a replica does that lags behind.

        If nothing was written since the fault was planned, by how it was then. Other requests are not struck.
        """
        return cls("stale", True)

    @classmethod
    def revoke_token(cls) -> Fault:
        """Revoke the token that the request brings, for good: this request is the first that is refused with 401."""
        return cls("revoke")

    @classmethod
    def advance_clock(cls, seconds: float) -> Fault:
        """Have the workspace's clock jump ahead by so many of its seconds, before the request takes effect."""
        return cls("clock", amount=_not_negative(seconds))

    @classmethod
    def wrong_date(cls, seconds: float) -> Fault:
        """Send a `Date` that is ahead by so many seconds, or behind if they are negative."""
        return cls("date", True, amount=seconds)

    @classmethod
    def refuse(cls, seconds: float = 1.0) -> Fault:
        """Drop the request before it takes effect, and refuse all connections for so many real seconds.

        Connections that are idle are closed, those in use when their answer has been sent.
        """
        return cls("refuse", amount=_not_negative(seconds))

    @classmethod
    def stall(cls) -> Fault:
        """Accept the next connection and never say a word on it: with https a TLS handshake that does not go on.

        It strikes connections and not requests: its endpoint is `CONNECT`, or `*`.
        """
        return cls("stall")

    def slower(self, seconds: float) -> Fault:
        """The same with so many more seconds of latency."""
        return attrs.evolve(self, latency=self.latency + seconds)

    @property
    def name(self) -> str:
        """How the journal calls it, for example `answer 503` or `drop after`."""
        words: list[str] = [self.kind]
        if self.response is not None:
            words.append(str(self.response.status))
        if self.midway:
            words.append("midway")
        elif self.after and self.kind in ("delay", "answer", "drop", "hang", "reset"):
            words.append("after")
        return " ".join(words)

    def __str__(self) -> str:
        """The name as one word, with what tells it from others: `pytest.mark.parametrize("fault", FAULTS, ids=str)`.

        For example `answer-503-TEMPORARILY_UNAVAILABLE-after`, or `delay-0.5s`.
        """
        words = self.name.split()
        if self.response is not None:
            words[2:2] = _details(self.response)
        if self.amount:
            words.append(f"{self.amount:g}")
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


def _not_negative(seconds: float) -> float:
    if seconds < 0:
        raise ValueError(f"a time is 0 s or more, not {seconds:g} s")
    return seconds


# What each word of a plan makes of its number, and whether it may be left out.
_WITH_NUMBER: dict[str, Callable[[float], Fault]] = {
    "delay": Fault.delay,
    "length": lambda by: Fault.wrong_length(round(by)),
    "slow-headers": Fault.slow_headers,
    "slow-body": Fault.slow_body,
    "clock": Fault.advance_clock,
    "date": Fault.wrong_date,
    "refuse": Fault.refuse,
}
_WORDS: dict[str, Callable[[], Fault]] = {
    "drop": Fault.drop,
    "reset": Fault.reset,
    "hang": Fault.hang,
    "cut": Fault.cut,
    "truncate": Fault.truncate,
    "garble": Fault.garble,
    "stale": Fault.stale,
    "revoke": Fault.revoke_token,
    "refuse": Fault.refuse,
    "stall": Fault.stall,
}
_MAY_COME_AFTER = ("answer", "delay", "drop", "hang", "reset")


def from_words(written: notation.Written) -> Fault:
    """What the words of one fault mean. Raises ValueError for those that have no meaning."""
    name, options = written.name, dict(written.options)
    for option in options:
        notation.one_of(option, ("after", "midway", "retry-after", "latency", *notation.SCHEDULE), "option")
    if name.isdecimal():
        fault = Fault.failure(int(name), written.body or "json", retry_after=options.pop("retry-after", None))
    elif written.body is not None:
        raise ValueError(f"{name!r} has no body: one stands behind a status, as in 503/html")
    elif written.value is not None:
        notation.one_of(name, [*_WITH_NUMBER, *_WORDS], "fault")
        if name not in _WITH_NUMBER:
            raise ValueError(f"{name!r} takes no value")
        fault = _WITH_NUMBER[name](notation.number(written.value, name))
    else:
        notation.one_of(name, [*_WITH_NUMBER, *_WORDS], "fault")
        if name not in _WORDS:
            raise ValueError(f"{name!r} needs a number: {name}=2")
        fault = _WORDS[name]()
    if "retry-after" in options:
        raise ValueError(f"'retry-after' stands behind a status, as in 429,retry-after=2, not behind {name!r}")
    for flag in ("after", "midway"):
        if options.get(flag):
            raise ValueError(f"{flag!r} takes no value")
    if "midway" in options:
        if fault.kind != "reset":
            raise ValueError("'midway' stands behind 'reset' only")
        fault = attrs.evolve(fault, midway=True, after=True)
    if "after" in options:
        if fault.kind not in _MAY_COME_AFTER:
            raise ValueError(f"'after' does not stand behind {name!r}")
        fault = attrs.evolve(fault, after=True)
    if "latency" in options:
        fault = fault.slower(_not_negative(notation.number(options["latency"], "latency")))
    return fault
