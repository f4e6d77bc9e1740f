"""The route table: which function serves `POST /api/2.1/clusters/create`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib import import_module
from pkgutil import walk_packages
from urllib.parse import unquote

import attrs

from databricks_async.local.http.versions import served
from databricks_async.local.params import Declared, declared_by
from databricks_async.local.state import Endpoint


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
        # Of two patterns that fit a path, the one with fewer parameters is taken.
        for route in sorted(routes, key=lambda route: route.endpoint.count("{")):
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
    """The routes of all APIs in all their versions; built once, on first use.

    A module of the local workspace serves an API if it has `ROUTES`: a row for each endpoint, and its function. If it
    has `VERSIONS`, the rows are served for each of them in the place of `{v}`.
    """
    local = import_module(__name__.removesuffix(".http.routes"))
    modules = [import_module(info.name) for info in walk_packages(local.__path__, f"{local.__name__}.")]
    rows: dict[str, Endpoint] = {}
    for module in modules:
        rows |= served(getattr(module, "ROUTES", {}), getattr(module, "VERSIONS", ("",)))
    return Routes(Route(line, function, declared_by(function)) for line, function in rows.items())
