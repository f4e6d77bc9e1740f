"""How many calls a second the service takes, learned from its refusals."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence

_MEMORY_SECONDS = 120.0
"""A rate is forgotten when nothing was refused for so long."""
_MIN_TAKEN = 2048
"""Calls that were taken, of which the times are kept; up to twice as many."""
_UNPACED = 2000.0
"""So many calls a second are more than one client sends."""
_LATE_SECONDS = 0.15
"""What a busy event loop, whose timers fire late, may make up for."""
_MIN_SECONDS = 0.01
_TOLD_BURST_SECONDS = 0.9
"""A limit that was given lets the calls of nearly a second go at once: on the way some overtake others."""

# The figures below were found by simulation: limits from 10 to 1,000 calls a second, bursts from 5 to 100, with and
# without Retry-After, in one process and in up to four that know nothing of each other. tests/session/test_rate.py
# holds what they reach; benchmarks/pacing.py measures it.
_FIRST_SHARE, _FIRST_CALLS = 2.33, 10.3
"""The first rate: so many times what was taken in the time of the first burst and its pause, and so many calls more."""
_EXPONENT, _GENTLE_PAUSES = 0.48, 8.0
"""In slow start the rate grows by this share of itself in a pause, and after so many faster with each."""
_MAX_STEP = 3.0
"""Of the rate, with one answer."""
_MIN_WINDOW_SECONDS = 0.25
"""What was taken in a shorter time says nothing of a rate."""
_RARE = 50
"""A refusal of one in so many calls is an accident, however soon it came."""
_SOON, _OFTEN = 3.0, 3
"""Unless each of so many in a row came within so many pauses: they cost more time than a rate would."""
_MIN_IN_FLIGHT = 8
"""What became of fewer calls in flight says nothing of their share."""
_AFTER_SLOW_START = 0.685
"""What a slow start has found is not above this share of the rate at its end: others may have paused in it."""
_TRUST = 0.5
"""In the average of a slow start, when the first burst took long: part of it was what the service takes anyway."""
_MIN_LEFT_OF_SLOW_START, _MIN_AFTER_SLOW_START = 0.19, 7.8
"""What it has found is not below this share, nor below so many calls a second: of several some are refused at once."""
_LEFT, _LESS = 0.73, 8.0
"""A later refusal leaves this share of the rate, or takes so many calls a second from it for each refused call, if that
is less."""
_MANY = 136
"""After so many calls since the last one it leaves what was found."""
_CAREFUL = 0.84
"""The share of the rate at which calls go on after a refusal that did not shut the gate."""
_INCREASE, _MAX_INCREASE = 467_000.0, 0.5
"""The growth of a rate of one in a second; of others it is by the inverse of their seventh power. And that with one
answer, at the most."""
_HOLD, _MIN_HOLD, _MAX_HOLD = 5.8, 1.0, 20.0
"""The fourth power of a rate over the first is, for each second of a pause, the pauses after which it is looked whether
others have gone: not fewer than the second, nor more than the third."""
_PROBING = 2.0
"""From then on the rate grows by this share of itself more with each pause."""
_REFUSABLE, _MOST_UNSPENT, _MOST_OVERSPENT, _BOLDNESS = 0.055, 20.0, 2.0, 0.27
"""This share of the calls may be refused. For each refusal that is unspent of that those pauses are by this share
fewer, and for each that was too many by so much more."""


class Rate:
    """How many calls a second the service takes, as far as its refusals have shown.

    A healthy service refuses a call now and then: a rate is learned when several of the calls in flight are refused at
    once, or when refusals come back soon after a pause, again and again if they are rare. It is forgotten when none
    came for long.

    The service has a token bucket: it takes so many calls a second, and has saved up a burst. After the first refusals
    the rate grows as in slow start; at the next one the calls that were taken since tell how many it takes in a second,
    for then its bucket was empty. From there on the rate is known: a refusal lowers it, unless many calls were taken
    since the last one and tell it again, and between refusals it grows by the inverse of a power, as in binomial
    congestion control (Bansal and Balakrishnan 2001), so that several processes come to share a service: a large rate
    looks for more less often. When others have gone, nothing is refused for long, and it grows by a share of itself
    again: the sooner, the fewer of its calls were refused.

    `limit` is never exceeded, from the first call on. `usual` is where learning begins instead of in slow start.
    """

    def __init__(self, limit: float | None = None, usual: float | None = None) -> None:
        self.per_second = math.inf
        self._limit = math.inf if limit is None else limit
        self._usual = usual
        self._in_slow_start = False
        self._suspicious_until = self._forgotten_at = -math.inf
        self._paused_at, self._came_back = 0.0, 0
        self._taken = array("d")
        """When the calls were sent that were taken. Thousands of objects here would keep memory in pieces."""
        self._counted_from = self._reopened_at = 0.0
        self._burst = self._burst_seconds = 0.0
        self._unspent = 0.0
        self._refused_at, self._refused = math.inf, 0
        self._pause = 1.0
        self._careful_until = self._resting_until = -math.inf

    @property
    def burst_seconds(self) -> float:
        """For how long before now calls may be made up for that were not sent."""
        return _LATE_SECONDS if self.per_second < math.inf or self._limit == math.inf else _TOLD_BURST_SECONDS

    def begins_at(self, now: float) -> float:
        """When the first call may be sent; 0.0 if nothing paces it."""
        return 0.0 if self._limit == math.inf else now - _TOLD_BURST_SECONDS

    def start(self, now: float) -> None:
        """Answers count from now on."""
        self._counted_from = now

    def next_at(self, sent_at: float, now: float) -> float:
        """When the call after the one of `sent_at` may be sent; 0.0 if nothing paces it."""
        if now > self._forgotten_at:
            self.per_second = math.inf
        share = _CAREFUL if now < self._careful_until else 1.0
        gap = 1 / min(share * self.per_second, self._limit)
        return max(sent_at + gap, self._resting_until) if gap else 0.0

    def answered(self, now: float, sent_at: float) -> bool:
        """A call was taken. Returns whether calls are paced now, and may go sooner than was said before."""
        self._taken.append(sent_at)
        if len(self._taken) == 2 * _MIN_TAKEN:
            del self._taken[:_MIN_TAKEN]
        rate = self.per_second
        if rate == math.inf:
            return False
        self._unspent = min(_MOST_UNSPENT, self._unspent + _REFUSABLE)
        pauses = (now - self._reopened_at) / self._pause
        if self._in_slow_start:
            step = _EXPONENT + max(0.0, pauses - _GENTLE_PAUSES)
        else:
            hold = (rate / _HOLD) ** 4 * math.exp(-_BOLDNESS * self._unspent) * self._pause
            hold = max(_MIN_HOLD, min(_MAX_HOLD, hold))
            step = min(_MAX_INCREASE, _INCREASE / rate**8) + _PROBING * max(0.0, pauses - hold)
        self.per_second = rate + min(_MAX_STEP, step / self._pause)
        if self.per_second > _UNPACED:
            self.per_second = math.inf
        return True

    def refused(self, sent_at: float) -> None:
        """The service refused a call, and the gate is shut."""
        if not self._refused:
            self._refused_at = sent_at
        self._refused += 1
        if self.per_second < math.inf:
            self._unspent = max(-_MOST_OVERSPENT, self._unspent - 1)

    def slow_down(self, now: float, sent_at: float, pause: float) -> bool:
        """A refusal of a paced call: the rate is lowered, and after a rest calls go on at a share of it.

        Returns whether that is enough. A refusal before any call was taken is not about the rate alone. One of a call
        that was under way when the rate was lowered says nothing new.
        """
        if self.per_second == math.inf:
            return False
        if sent_at < self._reopened_at:
            self._refused = 0
            return True
        if all(taken < self._reopened_at for taken in self._taken):
            return False
        careful = max(1.0, pause)
        self._careful_until = now + careful
        self.reopen(now, pause)
        # The service saves up its burst in the rest and by the care: what is spared beyond that is lost.
        burst_seconds = self._burst / self.per_second - self._burst_seconds
        self._resting_until = now + min(careful, burst_seconds - (1 - _CAREFUL) * careful)
        return True

    def reopen(self, now: float, pause: float) -> bool:
        """The gate opens after this pause. Returns whether its refusals were no accident, and the rate is another."""
        refused, self._refused = self._refused, 0
        after = sum(sent_at > self._refused_at for sent_at in self._taken)
        is_accident = self._is_accident(now, refused, pause)
        self._suspicious_until = now + 10 * pause
        self._forgotten_at = now + 10 * pause + _MEMORY_SECONDS
        if is_accident and (refused == 1 or 3 * refused < after):
            return False
        before = [sent_at for sent_at in self._taken if self._counted_from <= sent_at <= self._refused_at]
        # Of the calls that were in flight so many were taken although the limit was reached.
        share = after / (after + refused) if after + refused >= _MIN_IN_FLIGHT else 0.0
        rate = self.per_second
        if rate == math.inf:
            self._begin(len(before), pause)
        else:
            since = [sent_at for sent_at in before if sent_at >= self._reopened_at]
            found = self._estimate(before)
            if self._in_slow_start:
                average = len(since) / max(self._refused_at - self._reopened_at, 0.2)
                trust = _TRUST if self._burst_seconds >= _MIN_WINDOW_SECONDS else 0.0
                found = min(min(found, average) ** (1 - trust) * average**trust, _AFTER_SLOW_START * rate)
                least = max(_MIN_LEFT_OF_SLOW_START * rate, min(_MIN_AFTER_SLOW_START, rate))
                self.per_second = max(found, share * rate, least)
                # Refused at once: nothing was found out yet.
                self._in_slow_start = not since
            elif len(since) >= _MANY:
                self.per_second = max(found, share * rate)
            else:
                self.per_second = max(_LEFT * rate, rate - _LESS * refused)
        self.per_second = max(1.0, self.per_second)
        self._pause = max(1.0, pause)
        self._counted_from, self._reopened_at = self._refused_at, now
        return True

    def _is_accident(self, now: float, refused: int, pause: float) -> bool:
        """Whether a healthy service may have refused so many, as far as the calls that were taken before them tell."""
        apart = self._refused_at - self._paused_at
        taken = sum(self._paused_at <= sent_at <= self._refused_at for sent_at in self._taken)
        self._paused_at = now
        if apart < 0:  # it was under way already when the gate was shut, and tells nothing new
            return True
        self._came_back = self._came_back + 1 if apart < _SOON * pause else 0
        if self.per_second < math.inf:
            return False
        is_rare = taken >= _RARE * refused and self._came_back < _OFTEN
        return is_rare or now >= self._suspicious_until

    def _begin(self, taken: int, pause: float) -> None:
        """The first rate."""
        self._unspent = 0.0
        if self._usual is not None:
            self.per_second = self._usual
            return
        self._burst_seconds = max(self._refused_at - self._counted_from, _MIN_SECONDS)
        self._burst = taken
        # What was taken until now is what the service had saved up, and it saves up in the pause too.
        self.per_second = _FIRST_SHARE * taken / (self._burst_seconds + max(1.0, pause)) + _FIRST_CALLS / max(
            1.0, pause
        )
        self._in_slow_start = True

    def _estimate(self, before: Sequence[float]) -> float:
        """The calls a second that the service takes, from when those before a refusal were sent.

        The bucket of the service was empty at the last refusal and is empty now: in between it has taken what it saved
        up in that time, or less if it was full meanwhile. And from any moment until now it has taken what was in its
        bucket then, which is the burst at most, and what it saved up since. Both are not more than its true rate, and
        one of them is near it.
        """
        at = self._refused_at
        counted_from = self._counted_from if len(before) < _MIN_TAKEN else before[0]
        found = len(before) / max(at - counted_from, _MIN_SECONDS)
        since = [sent_at for sent_at in before if sent_at >= self._reopened_at]
        for _ in range(3):  # the burst took its time, in which the service saved up more
            burst = max(1.0, self._burst - found * self._burst_seconds)
            for i, sent_at in enumerate(since):
                if at - sent_at >= _MIN_WINDOW_SECONDS:
                    found = max(found, (len(since) - i + 0.5 - burst) / (at - sent_at))
            found = min(found, self.per_second)
        return found
