"""The axis of a timeline: time to places, with idle stretches cut out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final, TypeAlias

from databricks_async.pictures.bars import Bar

Stretch: TypeAlias = tuple[int, int]
"""From and to, in epoch milliseconds."""

_MAX_IDLE_SHARE: Final = 4
"""An idle stretch that takes more than this part of the axis (a quarter) is cut out."""
_STEPS: Final = (
    *(number * 10**power for power in range(3) for number in (1, 2, 5)),
    *(seconds * 1000 for seconds in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800)),
    *(hours * 3_600_000 for hours in (1, 2, 3, 6, 12, 24, 48, 168, 336)),
)


def idle_stretches(bars: Iterable[Bar]) -> list[Stretch]:
    """The stretches to cut out: nothing runs in them, and each would take more than a quarter of the axis."""
    parts = [part for bar in bars for part in bar.parts]
    busy = sorted((part.start, part.end) for part in parts if part.phase != "waiting")
    if not busy:
        return []
    start, end = min(part.start for part in parts), max(part.end for part in parts)
    gaps: list[Stretch] = []
    reached = start
    for begin, until in [*busy, (end, end)]:
        if begin > reached:
            gaps.append((reached, begin))
        reached = max(reached, until)
    # From the shortest on, each stays if the axis that is drawn in the end is four times as long.
    axis = end - start - sum(until - begin for begin, until in gaps)
    cut = []
    for begin, until in sorted(gaps, key=lambda gap: (gap[1] - gap[0], gap)):
        if (until - begin) * _MAX_IDLE_SHARE <= axis + until - begin:
            axis += until - begin
        else:
            cut.append((begin, until))
    return sorted(cut)


class Axis:
    """Places of moments between 0 and `length`; each idle stretch takes `gap`, whatever its time."""

    def __init__(self, start: int, end: int, cut: Sequence[Stretch], length: float, gap: float) -> None:
        self.start, self.end, self.length = start, max(end, start + 1), length
        shown = self.end - start - sum(until - begin for begin, until in cut)
        self._scale = (length - gap * len(cut)) / max(shown, 1)
        knots, reached, place = [(start, 0.0)], start, 0.0
        for begin, until in cut:
            place += (begin - reached) * self._scale
            knots.append((begin, place))
            place += gap
            knots.append((until, place))
            reached = until
        knots.append((self.end, length))
        self._knots = knots
        self._cut = cut

    def place(self, moment: int) -> float:
        """Where a moment is; those outside of the axis are at its ends."""
        if moment <= self.start:
            return 0.0
        for (begin, left), (until, right) in pairwise(self._knots):
            if moment <= until:
                return left + (right - left) * (moment - begin) / max(until - begin, 1)
        return self.length

    def ticks(self, distance: float) -> list[int]:
        """Round times since the start, in milliseconds, at least `distance` apart where nothing is cut out."""
        step = next((step for step in _STEPS if step * self._scale >= distance), 0)
        if not step:
            step = _STEPS[-1]
            while step * self._scale < distance:
                step *= 2
        ticks: list[int] = []
        reached = self.start
        for begin, until in [*self._cut, (self.end + 1, 0)]:
            first = -(-(reached - self.start) // step) * step
            ticks += range(first, begin - self.start, step)
            reached = until
        return ticks
