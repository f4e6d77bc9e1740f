"""States as people see them: a sign, its ASCII form and a style, for clusters, runs and their tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from databricks_async.pictures.kinds import SYMBOLS, Kind, cluster_kind, run_kind

if TYPE_CHECKING:
    from databricks_async.clusters.models import ClusterDetails
    from databricks_async.jobs.models import BaseRun, RunTask


class Sign(NamedTuple):
    """How a kind of states looks. The meaning is in sign and word too, never in the colour alone."""

    symbol: str
    ascii: str
    style: str


_ASCII: Final[dict[str, str]] = {"✓": "v", "✗": "x"}
_STYLES: Final[dict[Kind, str]] = {
    "waiting": "dim",
    "moving": "yellow",
    "good": "green",
    "half good": "yellow",
    "bad": "red",
    "not run": "dim",
    "stopped": "",
    "unknown": "",
}
SIGNS: Final[dict[Kind, Sign]] = {
    kind: Sign(symbol, _ASCII.get(symbol, symbol), _STYLES[kind]) for kind, symbol in SYMBOLS.items()
}


def sign_of_cluster(cluster: ClusterDetails) -> Sign:
    """A terminated cluster is bad news only if a failure ended it; one that comes up moves."""
    reason = cluster.termination_reason
    kind = cluster_kind(cluster.state or "", reason.type if reason is not None else None)
    return SIGNS["moving" if kind == "waiting" else kind]


def word_of_run(run: BaseRun | RunTask) -> str:
    """Its result once it has one, else its state."""
    from databricks_async.jobs.models.run_state import end_of

    return end_of(run)


def kind_of_run(run: BaseRun | RunTask) -> Kind:
    """By the result, or the state; a code of this version's future is good or bad as the run is."""
    kind = run_kind(word_of_run(run))
    if kind == "unknown" and run.ended:
        return "good" if run.succeeded else "bad"
    return kind


def sign_of_run(run: BaseRun | RunTask) -> Sign:
    """Of its kind."""
    return SIGNS[kind_of_run(run)]
