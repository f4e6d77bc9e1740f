"""Bars and their parts: what one attempt at a task, or one life of a cluster, spent its time on."""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs

from databricks_async.pictures.kinds import Kind

Phase: TypeAlias = Literal["waiting", "setup", "running", "cleanup"]


@attrs.frozen
class Part:
    """A stretch of time that was spent on one thing."""

    phase: Phase
    start: int
    """Epoch milliseconds."""
    end: int
    """Epoch milliseconds; not before `start`."""

    @property
    def milliseconds(self) -> int:
        """How long it took."""
        return self.end - self.start


@attrs.frozen(kw_only=True)
class Bar:
    """One attempt at a task, or one life of a cluster."""

    name: str
    """The key of the task; for a cluster when it was started."""
    attempt: int = 1
    """Which attempt at the task, counted from 1."""
    state: str
    """The result if there is one, else the state, in the service's word."""
    kind: Kind
    """What that means: good, bad, stopped, ..."""
    parts: tuple[Part, ...] = ()
    """In order, and without overlaps; none if it never began."""
    is_ongoing: bool = False
    """Whether it had not ended when it was read: it is drawn with an open end."""
    note: str = ""
    """What it waits for, how many iterations it has done, or why a cluster ended; may be empty."""

    @property
    def start(self) -> int | None:
        """Epoch milliseconds; None if it never began."""
        return self.parts[0].start if self.parts else None

    @property
    def end(self) -> int | None:
        """Epoch milliseconds; None if it never began, or has not ended."""
        return self.parts[-1].end if self.parts and not self.is_ongoing else None

    def milliseconds(self, phase: Phase | None = None) -> int:
        """How long it took: in all, or in one phase."""
        return sum(part.milliseconds for part in self.parts if phase in (None, part.phase))


def parts_between(*bounds: tuple[Phase, int], start: int) -> tuple[Part, ...]:
    """One part after the other, from `start`; each ends at its bound, and none before its start. Empty ones go."""
    parts = []
    for phase, bound in bounds:
        if bound > start:
            parts.append(Part(phase, start, bound))
            start = bound
    return tuple(parts)
