"""What a state means: its kind, and the sign and colour of each kind, the same wherever states are shown."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

Kind: TypeAlias = Literal["waiting", "moving", "good", "half good", "bad", "not run", "stopped", "unknown"]

SYMBOLS: Final[dict[Kind, str]] = {
    "waiting": ".",
    "moving": "*",
    "good": "✓",
    "half good": "!",
    "bad": "✗",
    "not run": "-",
    "stopped": "/",
    "unknown": "?",
}
COLOURS: Final[dict[Kind, str]] = {
    "waiting": "#8a8a8a",
    "moving": "#3b82c4",
    "good": "#2e8b57",
    "half good": "#b7791f",
    "bad": "#d1453b",
    "not run": "#c2649a",
    "stopped": "#8e6bbf",
    "unknown": "#8a8a8a",
}
"""Each has a contrast of 3.4:1 or more with white and with the dark backgrounds #1e1e1e and #0d1117."""

_RUNS: Final[dict[Kind, tuple[str, ...]]] = {
    "waiting": ("PENDING", "QUEUED", "BLOCKED", "WAITING_FOR_RETRY", "WAITING"),
    "moving": ("RUNNING", "TERMINATING"),
    "good": ("SUCCESS",),
    "half good": ("SUCCESS_WITH_FAILURES",),
    "bad": (
        "FAILED",
        "TIMEDOUT",
        "INTERNAL_ERROR",
        # Termination codes, where a run has no result in the older form.
        "BREAKING_CHANGE",
        "BUDGET_POLICY_LIMIT_EXCEEDED",
        "CLOUD_FAILURE",
        "CLUSTER_ERROR",
        "CLUSTER_REQUEST_LIMIT_EXCEEDED",
        "DRIVER_ERROR",
        "FEATURE_DISABLED",
        "INVALID_CLUSTER_REQUEST",
        "INVALID_RUN_CONFIGURATION",
        "LIBRARY_INSTALLATION_ERROR",
        "MAX_SPARK_CONTEXTS_EXCEEDED",
        "REPOSITORY_CHECKOUT_FAILED",
        "RESOURCE_NOT_FOUND",
        "RUN_EXECUTION_ERROR",
        "STORAGE_ACCESS_ERROR",
        "UNAUTHORIZED_ERROR",
        "WORKSPACE_RUN_LIMIT_EXCEEDED",
    ),
    "not run": (
        "SKIPPED",
        "EXCLUDED",
        "DISABLED",
        "UPSTREAM_FAILED",
        "UPSTREAM_CANCELED",
        "UPSTREAM_EVICTED",
        "MAXIMUM_CONCURRENT_RUNS_REACHED",
        "MAX_CONCURRENT_RUNS_EXCEEDED",
        "MAX_JOB_QUEUE_SIZE_EXCEEDED",
    ),
    "stopped": ("CANCELED", "USER_CANCELED"),
}
_CLUSTERS: Final[dict[Kind, tuple[str, ...]]] = {
    "waiting": ("PENDING",),
    "moving": ("RESTARTING", "RESIZING", "TERMINATING"),
    "good": ("RUNNING",),
    "bad": ("ERROR",),
    "stopped": ("TERMINATED",),
}
_RUN_KINDS: Final[dict[str, Kind]] = {word: kind for kind, words in _RUNS.items() for word in words}
_CLUSTER_KINDS: Final[dict[str, Kind]] = {word: kind for kind, words in _CLUSTERS.items() for word in words}


def run_kind(word: str) -> Kind:
    """The kind of a run's or a task's state, result or termination code."""
    return _RUN_KINDS.get(word, "unknown")


def cluster_kind(state: str, reason_type: str | None = None) -> Kind:
    """The kind of a cluster's state; a cluster is TERMINATED badly if the type of its reason is no SUCCESS."""
    if state == "TERMINATED" and reason_type not in (None, "SUCCESS"):
        return "bad"
    return _CLUSTER_KINDS.get(state, "unknown")
