"""How far a run is and how it ended, in the older fields (`state`) and the newer ones (`status`)."""

from __future__ import annotations

from datetime import datetime, timedelta

import attrs

from databricks_async.codec import Model
from databricks_async.epoch import from_epoch_ms, from_ms
from databricks_async.jobs.models.run_enums import (
    QueueDetailsCodeCode,
    RunLifeCycleState,
    RunLifecycleStateV2State,
    RunResultState,
    TerminationCodeCode,
    TerminationTypeType,
)

__all__ = [
    "QueueDetails",
    "RunState",
    "RunStatus",
    "TerminationDetails",
]


@attrs.define(kw_only=True, repr=False, eq=False)
class RunState(Model):
    """How far a run is and how it ended, in the older form."""

    life_cycle_state: RunLifeCycleState | None = None
    """Where the run is in its life."""
    queue_reason: str | None = None
    """Why it waits in the queue."""
    result_state: RunResultState | None = None
    """Only when the run has ended."""
    state_message: str | None = None
    """Why it is in this state, for people."""
    user_cancelled_or_timedout: bool | None = None
    """Whether a user or a time limit ended it."""


@attrs.define(kw_only=True, repr=False, eq=False)
class QueueDetails(Model):
    """What a run waits for in the queue."""

    code: QueueDetailsCodeCode | None = None
    """Why it waits, in one word."""
    message: str | None = None
    """The explanation, for people."""


@attrs.define(kw_only=True, repr=False, eq=False)
class TerminationDetails(Model):
    """Why a run ended."""

    code: TerminationCodeCode | None = None
    """How and why it ended, in one word."""
    message: str | None = None
    """The explanation, for people."""
    type: TerminationTypeType | None = None
    """Whose doing it was: success, or an error of the client, the service or the cloud."""


@attrs.define(kw_only=True, repr=False, eq=False)
class RunStatus(Model):
    """How far a run is and how it ended, in the newer form."""

    queue_details: QueueDetails | None = None
    """Why it waits in the queue."""
    state: RunLifecycleStateV2State | None = None
    """Where the run is in its life."""
    termination_details: TerminationDetails | None = None
    """How and why it ended; absent before."""


_KNOWN = frozenset(RunLifeCycleState)
_ENDED = {RunLifeCycleState.TERMINATED, RunLifeCycleState.SKIPPED, RunLifeCycleState.INTERNAL_ERROR}
_SUCCESSES = {RunResultState.SUCCESS, RunResultState.SUCCESS_WITH_FAILURES}
_SUCCESS_CODES = {TerminationCodeCode.SUCCESS, TerminationCodeCode.SUCCESS_WITH_FAILURES}


class _StateProperties:
    """Properties that follow from `state` and `status`, which say the same (`state` counts), and from the times."""

    __slots__ = ()

    state: RunState | None
    """How it stands, as older versions say it."""
    status: RunStatus | None
    """How it stands."""
    start_time: int | None
    """Epoch milliseconds."""
    end_time: int | None
    """Epoch milliseconds; 0 before the end."""

    @property
    def ended(self) -> bool:
        """Whether it is over, however it ended. False for words that this version does not know."""
        if self.state is not None and self.state.life_cycle_state in _KNOWN:
            return self.state.life_cycle_state in _ENDED
        return self.status is not None and self.status.state == RunLifecycleStateV2State.TERMINATED

    @property
    def succeeded(self) -> bool:
        """Whether it is over and did its work. Skipped, excluded, cancelled and timed out runs did not."""
        if not self.ended:
            return False
        if self.state is not None and self.state.life_cycle_state in _KNOWN:
            terminated = self.state.life_cycle_state == RunLifeCycleState.TERMINATED
            return terminated and self.state.result_state in _SUCCESSES
        details = self.status.termination_details if self.status is not None else None
        return details is not None and details.code in _SUCCESS_CODES

    @property
    def start(self) -> datetime | None:
        """`start_time` with a time zone (UTC)."""
        return from_epoch_ms(self.start_time)

    @property
    def end(self) -> datetime | None:
        """`end_time` with a time zone (UTC). None before the end."""
        return from_epoch_ms(self.end_time)


class _TimeProperties(_StateProperties):
    """`duration` as well, which follows from the durations of the phases."""

    __slots__ = ()

    setup_duration: int | None
    """Milliseconds until the cluster was there."""
    execution_duration: int | None
    """Milliseconds of the work itself."""
    cleanup_duration: int | None
    """Milliseconds of cleaning up."""
    run_duration: int | None
    """Milliseconds of the run and all its repairs."""
    queue_duration: int | None
    """Milliseconds in the queue."""

    @property
    def duration(self) -> timedelta | None:
        """How long it took, without the time in the queue. None before the end, and where it is not reported."""
        if not self.end_time:
            return None
        parts = (self.setup_duration, self.execution_duration, self.cleanup_duration)
        milliseconds = self.run_duration or sum(part or 0 for part in parts)
        return from_ms(milliseconds)


def end_of(run: _StateProperties) -> str:
    """The state of a run or a task in one word: its result once it has one, else its state."""
    if run.state is not None and (word := run.state.result_state or run.state.life_cycle_state):
        return word
    if run.status is None:
        return "UNKNOWN"
    details = run.status.termination_details
    return (details and details.code) or run.status.state or "UNKNOWN"
