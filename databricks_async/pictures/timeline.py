"""Timeline: when what happened in a run or in the life of a cluster, as a plain value that draws itself."""

from __future__ import annotations

from typing import Any

import attrs

from databricks_async.pictures import svg
from databricks_async.pictures.axis import idle_stretches
from databricks_async.pictures.bars import Bar
from databricks_async.pictures.kinds import Kind


@attrs.frozen(kw_only=True, repr=False)
class Timeline:
    """What happened when: a bar for each attempt at a task, or for each life of a cluster.

    A notebook shows it as a picture; `svg()` is the same as text.
    """

    title: str
    """What it is about: `run 123 (nightly)`."""
    state: str
    """How that stands, in the service's word."""
    kind: Kind
    """What that means: good, bad, stopped, ..."""
    bars: tuple[Bar, ...] = ()
    column: str = "TASK"
    """What the names of the bars are."""

    @property
    def start(self) -> int | None:
        """Epoch milliseconds; None if nothing has begun."""
        return min((part.start for bar in self.bars for part in bar.parts), default=None)

    @property
    def end(self) -> int | None:
        """Epoch milliseconds, of what is known so far if it goes on; None if nothing has begun."""
        return max((part.end for bar in self.bars for part in bar.parts), default=None)

    @property
    def idle(self) -> tuple[tuple[int, int], ...]:
        """Stretches, from and to in epoch milliseconds, that the picture cuts out: nothing runs in them.

        Each would take more than a quarter of the axis.
        """
        return tuple(idle_stretches(self.bars))

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain values that JSON knows; times are epoch milliseconds, durations milliseconds."""
        bars = [
            {
                "name": bar.name,
                "attempt": bar.attempt,
                "state": bar.state,
                "kind": bar.kind,
                "start": bar.start,
                "waited_ms": bar.milliseconds("waiting"),
                "setup_ms": bar.milliseconds("setup"),
                "run_ms": bar.milliseconds("running"),
                "cleanup_ms": bar.milliseconds("cleanup"),
                "end": bar.end,
                "note": bar.note,
                "parts": [attrs.asdict(part) for part in bar.parts],
            }
            for bar in self.bars
        ]
        return {
            "title": self.title,
            "state": self.state,
            "kind": self.kind,
            "start": self.start,
            "end": self.end,
            "idle": [[start, end] for start, end in self.idle],
            "bars": bars,
        }

    def svg(self) -> str:
        """The picture as one SVG file: no script, nothing from elsewhere, light or dark as its surroundings are.

        Up to 200 bars have a row each; of more, those that failed, run and wait come first, and the rest is summed up.
        """
        return svg.draw(self.title, self.state, self.kind, self.bars, self.column)

    def _repr_svg_(self) -> str:
        return self.svg()

    def __repr__(self) -> str:
        return f"<Timeline of {self.title}: {self.state}, {len(self.bars)} bars>"
