"""The rows of a timeline: one for each bar; of very many bars those that matter, and the rest summed up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from databricks_async.pictures.bars import Bar, Part
from databricks_async.pictures.kinds import Kind

MAX_ROWS: Final = 200
"""A page with thousands of rows shows nothing, and is slow."""
_ORDER: Final[tuple[Kind, ...]] = (
    "bad",
    "moving",
    "waiting",
    "stopped",
    "half good",
    "unknown",
    "not run",
    "good",
)


def rows_of(bars: Sequence[Bar], limit: int = MAX_ROWS) -> list[Bar]:
    """At most `limit` bars: where there are more, those of a kind that has no room any more become one bar."""
    if len(bars) <= limit:
        return [*bars]
    room = limit - len(_ORDER)
    kept, sums = set[Kind](), list[Bar]()
    for kind in _ORDER:
        alike = [bar for bar in bars if bar.kind == kind]
        if len(alike) <= room:
            kept.add(kind)
            room -= len(alike)
        else:
            sums.append(_sum_of(alike))
    return [*(bar for bar in bars if bar.kind in kept), *sums]


def _sum_of(bars: Sequence[Bar]) -> Bar:
    """One bar for many of a kind: from the first start to the last end."""
    parts = [part for bar in bars for part in bar.parts]
    whole: tuple[Part, ...] = ()
    if parts:
        is_waiting = all(part.phase == "waiting" for part in parts)
        start, end = min(part.start for part in parts), max(part.end for part in parts)
        whole = (Part("waiting" if is_waiting else "running", start, end),)
    words = sorted({bar.state for bar in bars})
    state = words[0] if len(words) == 1 else f"{len(words)} states"
    is_ongoing = any(bar.is_ongoing for bar in bars)
    return Bar(name=f"… {len(bars)} more", state=state, kind=bars[0].kind, parts=whole, is_ongoing=is_ongoing)
