"""The history of a cluster: a bar for each of its lives, made of its events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs

from databricks_async.clusters.models import ClusterDetails, ClusterEvent, EventType, State, TerminationReason
from databricks_async.pictures import Bar, Part, Timeline
from databricks_async.pictures.bars import Phase
from databricks_async.pictures.kinds import cluster_kind
from databricks_async.pictures.words import moment

_BEGINS: Final = {EventType.CREATING, EventType.STARTING}
_PHASES: Final[dict[EventType, Phase]] = {
    EventType.CREATING: "setup",
    EventType.STARTING: "setup",
    EventType.RESTARTING: "setup",
    EventType.RUNNING: "running",
    EventType.RESIZING: "running",
    EventType.UPSIZE_COMPLETED: "running",
    EventType.TERMINATING: "cleanup",
}
"""What an event begins or shows; other events come in any phase."""
_STATES: Final[dict[Phase, tuple[State, ...]]] = {
    "setup": (State.PENDING, State.RESTARTING),
    "running": (State.RUNNING, State.RESIZING),
    "cleanup": (State.TERMINATING,),
}
"""The states of a cluster in a phase; the first one where its own is not known."""


@attrs.define
class _Life:
    """A cluster from a start to its end: when which phase began, and why it ended."""

    phases: list[tuple[Phase, int]]
    reason: TerminationReason | None = None

    @property
    def phase(self) -> Phase:
        return self.phases[-1][0]


def history_of(
    cluster_id: str,
    cluster: ClusterDetails,
    events: Sequence[ClusterEvent],
    *,
    now: int | None = None,
    until: int | None = None,
) -> Timeline:
    """`events` are in the order of time. What goes on is drawn up to `now`, or to `until` where the events end.

    No event says when a cluster was down at last: it is known of the latest life alone, from the cluster itself.
    """
    lives = _lives(events)
    known = [event.timestamp or 0 for event in events]
    known += [cluster.terminated_time or 0, cluster.last_activity_time or 0, cluster.start_time or 0]
    now = max(known) if now is None else now
    now = now if until is None else min(now, until)
    bars = [_ended(life, life.phases[-1][1]) for life in lives[:-1]]
    bars += [_latest(life, cluster, now, whole=until is None) for life in lives[-1:]]
    state = str(cluster.state or "UNKNOWN")
    return Timeline(
        title=f"cluster {cluster_id}" + (f" ({cluster.cluster_name})" if cluster.cluster_name else ""),
        state=state,
        kind=cluster_kind(state, _type(cluster.termination_reason)),
        bars=tuple(bars),
        column="STARTED",
    )


def _lives(events: Sequence[ClusterEvent]) -> list[_Life]:
    lives: list[_Life] = []
    for event in events:
        phase = None if event.type is None else _PHASES.get(event.type)
        if phase is None or event.timestamp is None:
            continue
        is_over = not lives or lives[-1].phase == "cleanup"
        if event.type in _BEGINS or (is_over and (phase != "cleanup" or not lives)):
            lives.append(_Life([(phase, event.timestamp)]))
        elif phase != lives[-1].phase or event.type == EventType.RESTARTING:
            lives[-1].phases.append((phase, event.timestamp))
        if phase == "cleanup":
            lives[-1].reason = None if event.details is None else event.details.reason
    return lives


def _latest(life: _Life, cluster: ClusterDetails, now: int, *, whole: bool) -> Bar:
    """The latest life, of which the cluster itself says how it stands unless the events end earlier."""
    began = life.phases[-1][1]
    terminated = cluster.terminated_time or 0
    if life.phase == "cleanup" and whole and cluster.state == State.TERMINATED and terminated >= began:
        return _ended(life, terminated)
    states = _STATES[life.phase]
    state = next((known for known in states if whole and known == cluster.state), states[0])
    return Bar(
        name=moment(life.phases[0][1]),
        state=str(state),
        kind=cluster_kind(state),
        parts=_parts(life, max(now, began)),
        is_ongoing=True,
        note=_code(life.reason),
    )


def _ended(life: _Life, end: int) -> Bar:
    return Bar(
        name=moment(life.phases[0][1]),
        state="TERMINATED",
        kind=cluster_kind("TERMINATED", _type(life.reason)),
        parts=_parts(life, end),
        note=_code(life.reason),
    )


def _parts(life: _Life, end: int) -> tuple[Part, ...]:
    ends = [*(began for _, began in life.phases[1:]), end]
    bounds = zip(life.phases, ends, strict=True)
    return tuple(Part(phase, start, until) for (phase, start), until in bounds if until > start)


def _type(reason: TerminationReason | None) -> str | None:
    return None if reason is None else reason.type


def _code(reason: TerminationReason | None) -> str:
    return "" if reason is None or reason.code is None else str(reason.code)
