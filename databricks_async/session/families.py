"""Endpoint families: which calls count against the same limit of the service, and how high it is said to be."""

from __future__ import annotations

import math
from collections.abc import Mapping

DOCUMENTED: Mapping[str, float] = {
    # https://learn.microsoft.com/azure/databricks/resources/limits, and for imports
    # https://github.com/databricks/cli/pull/5165. Workspaces differ: the numbers are where learning begins.
    "jobs/create": 20.0,
    "jobs/run-now": 20.0,
    "jobs/runs/submit": 35.0,
    "jobs/runs/get": 100.0,
    "workspace/export": 60.0,
    "workspace/import": 30.0,
}
"""Calls a second of endpoints that have a limit of their own. All others share that of their API."""


def family_of(endpoint: str, limits: Mapping[str, float]) -> str:
    """The longest of the names in `limits` that the path begins with, else the API: `clusters` for
    `GET /api/2.1/clusters/get`."""
    parts = endpoint.partition(" ")[2].strip("/").split("/")
    if len(parts) > 2 and parts[0] == "api":
        parts = parts[2:]
    for end in range(len(parts), 0, -1):
        if (name := "/".join(parts[:end])) in limits:
            return name
    return parts[0]


def checked_limits(given: Mapping[str, float]) -> dict[str, float]:
    """Rate limits that a caller gives: calls a second by endpoint family. Raises `ValueError` or `TypeError`."""
    for name, per_second in given.items():
        if not isinstance(name, str) or not name.strip("/") or name != name.strip("/") or name.startswith("api/"):
            raise ValueError(f"rate_limits: {name!r} names no endpoints: write for example 'clusters' or 'jobs/create'")
        if isinstance(per_second, bool) or not isinstance(per_second, int | float):
            raise TypeError(f"rate_limits: {name} must be a number of calls a second, not {per_second!r}")
        if not 0 < per_second < math.inf:
            raise ValueError(f"rate_limits: {name} must be a number of calls a second above 0, not {per_second!r}")
    return {name: float(per_second) for name, per_second in given.items()}
