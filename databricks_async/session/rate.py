"""How many calls a second a service takes, learned from its refusals."""

from __future__ import annotations

import math

_MEMORY_SECONDS = 120.0
"""A rate is forgotten when nothing was refused for so long."""
BURST_SECONDS = 0.01
"""What a timer that fires late may make up for."""


class Rate:
    """How many calls a second the service takes, as far as its refusals have shown.

    A healthy service refuses a call now and then: a rate is learned when more than half of the calls in flight are
    refused at once, or when refusals come back soon after a pause. It is forgotten when none came for long.

    Each refusal costs a pause, so the rate grows as the window of CUBIC does (RFC 9438): it is set a tenth below what
    was found, comes back to it in the time of five seconds' calls, stays near it, and only then looks for more. A first
    finding, from a burst or between two refusals, is too low: from there the rate doubles, ever faster, until the next
    refusal, as in slow start.
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
        seconds = max(now - self._since, BURST_SECONDS)
        self._doubling = self.per_second == math.inf or seconds < pause
        if self._doubling:
            # What was taken until now is what the service had saved up, and it saves up in the pause too.
            found = self._answers / (seconds + pause)
        else:
            found = max(0.6 * self.per_second, 0.9 * self._answers / (seconds + pause))
        again = self.per_second < math.inf or now < self._suspicious_until
        # Never less than one call a pause: after that time, says the service, it takes calls.
        minimum = max(1.0, 1 / max(pause, BURST_SECONDS))
        self._suspected = max(minimum, min(found, self.per_second)) if self._answers or again else math.inf
        if again:
            self.learn()
        self._suspicious_until = now + 10 * pause
        self._forgotten_at = now + 10 * pause + _MEMORY_SECONDS
        self.start(now + pause)

    def learn(self) -> None:
        """The last refusal was no accident: keep to the rate that it showed."""
        self.per_second = self._suspected
        self._found = self.per_second / 0.9
