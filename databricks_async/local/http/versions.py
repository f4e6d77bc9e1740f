"""Versions: one function that serves several versions of an API, and gets the one that was asked."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterable, Mapping

from databricks_async.local.state import Endpoint, Json, State
from databricks_async.message import Response


def served(rows: Mapping[str, Endpoint], versions: Iterable[str]) -> dict[str, Endpoint]:
    """The rows for each of these versions in the place of `{v}`; functions with a parameter `version` get it."""
    return {
        line.replace("{v}", version): _with_version(function, version)
        for version in versions
        for line, function in rows.items()
    }


def _with_version(function: Endpoint, version: str) -> Endpoint:
    signature = inspect.signature(function)
    if "version" not in signature.parameters:
        return function

    @functools.wraps(function)
    def endpoint(state: State, **params: object) -> Json | Response:
        return function(state, version=version, **params)

    # Requests are read by the signature: a client cannot send the version as a parameter.
    sent = [parameter for name, parameter in signature.parameters.items() if name != "version"]
    endpoint.__signature__ = signature.replace(parameters=sent)  # type: ignore[attr-defined]
    return endpoint
