"""The route table: which function serves `POST /api/2.1/clusters/create`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from urllib.parse import unquote

import attrs

from databricks_async.local.clusters import endpoints as clusters
from databricks_async.local.clusters import events, libraries, listing, offers, permissions, policy_endpoints
from databricks_async.local.http import identity, oauth
from databricks_async.local.http.versions import served
from databricks_async.local.jobs import endpoints as jobs
from databricks_async.local.jobs import output as runs_output
from databricks_async.local.jobs import permissions as jobs_access
from databricks_async.local.jobs import run_endpoints as runs
from databricks_async.local.objects import content
from databricks_async.local.objects import endpoints as objects
from databricks_async.local.objects import permissions as object_permissions
from databricks_async.local.params import Declared, declared_by
from databricks_async.local.state import Endpoint

# An API is a module's ROUTES and the versions that `{v}` stands for. An endpoint is a function and a row there.
APIS: list[tuple[dict[str, Endpoint], tuple[str, ...]]] = [
    (clusters.ROUTES, clusters.VERSIONS),
    (offers.ROUTES, offers.VERSIONS),
    (events.ROUTES, ()),
    (listing.ROUTES, ()),
    (libraries.ROUTES, libraries.VERSIONS),
    (permissions.ROUTES, permissions.VERSIONS),
    (policy_endpoints.ROUTES, policy_endpoints.VERSIONS),
    (jobs_access.ROUTES, jobs_access.VERSIONS),
    (served(jobs.ROUTES | runs.ROUTES | runs_output.ROUTES, jobs.VERSIONS), ()),
    (objects.ROUTES, objects.VERSIONS),
    (content.ROUTES, content.VERSIONS),
    (identity.ROUTES, identity.VERSIONS),
    (oauth.PUBLIC_ROUTES, ()),
    # Its pattern fits every path of permissions: the first pattern that fits is taken.
    (object_permissions.ROUTES, object_permissions.VERSIONS),
]


@attrs.frozen
class Route:
    """One row of the table."""

    endpoint: str
    function: Endpoint
    declared: Declared


class Routes:
    """Finds the route of a request."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._exact: dict[str, Route] = {}
        self._patterns: list[tuple[re.Pattern[str], Route]] = []
        for route in routes:
            if "{" in route.endpoint:
                pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(route.endpoint))
                self._patterns.append((re.compile(pattern), route))
            else:
                self._exact[route.endpoint] = route

    def find(self, method: str, path: str) -> tuple[Route | None, dict[str, str]]:
        """The route and the parameters that stand in the path."""
        line = f"{method} {path}"
        route = self._exact.get(line)
        if route is not None:
            return route, {}
        for pattern, candidate in self._patterns:
            match = pattern.fullmatch(line)
            if match:
                return candidate, {name: unquote(value) for name, value in match.groupdict().items()}
        return None, {}

    @property
    def endpoints(self) -> list[str]:
        """All rows, for example `GET /api/2.0/permissions/clusters/{cluster_id}`."""
        return [*self._exact, *(route.endpoint for _, route in self._patterns)]


@cache
def table() -> Routes:
    """The routes of all APIs in all their versions; built once, on first use."""
    return Routes(
        Route(line, function, declared_by(function))
        for rows, versions in APIS
        for endpoint, function in rows.items()
        for line in ([endpoint.replace("{v}", v) for v in versions] if "{v}" in endpoint else [endpoint])
    )
