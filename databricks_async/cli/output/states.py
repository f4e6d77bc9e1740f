"""States as people see them: a sign, its ASCII form, a style, for clusters, runs and their tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from databricks_async.clusters.models import ClusterDetails
    from databricks_async.jobs.models import BaseRun, RunTask


class Sign(NamedTuple):
    """How a class of states looks. The meaning is in sign and word too, never in the colour alone."""

    symbol: str
    ascii: str
    style: str


WAITING = Sign(".", ".", "dim")
MOVING = Sign("*", "*", "yellow")
GOOD = Sign("✓", "v", "green")
HALF_GOOD = Sign("!", "!", "yellow")
BAD = Sign("✗", "x", "red")
NOT_RUN = Sign("-", "-", "dim")
STOPPED = Sign("/", "/", "")
UNKNOWN = Sign("?", "?", "")

_CLUSTERS = {
    "PENDING": MOVING,
    "RUNNING": GOOD,
    "RESTARTING": MOVING,
    "RESIZING": MOVING,
    "TERMINATING": MOVING,
    "ERROR": BAD,
}
_RUNS = {
    **dict.fromkeys(("PENDING", "QUEUED", "BLOCKED", "WAITING_FOR_RETRY", "WAITING"), WAITING),
    **dict.fromkeys(("RUNNING", "TERMINATING"), MOVING),
    "SUCCESS": GOOD,
    "SUCCESS_WITH_FAILURES": HALF_GOOD,
    **dict.fromkeys(("FAILED", "TIMEDOUT", "INTERNAL_ERROR", "ERROR", "EVICTED"), BAD),
    **dict.fromkeys(
        (
            *("SKIPPED", "EXCLUDED", "DISABLED", "MAXIMUM_CONCURRENT_RUNS_REACHED"),
            *("UPSTREAM_FAILED", "UPSTREAM_CANCELED", "UPSTREAM_EVICTED"),
        ),
        NOT_RUN,
    ),
    "CANCELED": STOPPED,
}
_FAILURES = ("CLIENT_ERROR", "SERVICE_FAULT", "CLOUD_FAILURE")


def sign_of_cluster(cluster: ClusterDetails) -> Sign:
    """A terminated cluster is bad news only if a failure ended it."""
    if cluster.state == "TERMINATED":
        reason = cluster.termination_reason
        return BAD if reason is not None and reason.type in _FAILURES else STOPPED
    return _CLUSTERS.get(cluster.state or "", UNKNOWN)


def word_of_run(run: BaseRun | RunTask) -> str:
    """Its result once it has one, else its state."""
    from databricks_async.jobs.models.run_state import end_of

    return end_of(run)


def sign_of_run(run: BaseRun | RunTask) -> Sign:
    """By the result, or the state."""
    sign = _RUNS.get(word_of_run(run), UNKNOWN)
    if sign is UNKNOWN and run.ended:
        return GOOD if run.succeeded else BAD  # a termination code, such as CLOUD_FAILURE
    return sign
