"""Every public name says what the caller gets, and the methods of the REST API which endpoint they call."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import attrs
import pytest

from databricks_async.client import API_VERSIONS, WorkspaceClient
from databricks_async.documentation import field_docs
from databricks_async.front_door import public_names
from databricks_async.local.http.routes import table
from support.models import public_models

DOORS = [
    "databricks_async",
    *(f"databricks_async.{one}" for one in ("errors", "events", "local", "otel", "pictures", *API_VERSIONS)),
]
PAGES = "https://docs.databricks.com/api/azure/workspace"
"""The service's documentation."""
UNIT = re.compile(r"(milli)?seconds?\b|minutes?\b|hours?\b|days?\b|bytes?\b|[KMG]i?B\b|epoch|in `unit`", re.IGNORECASE)
QUANTITY = re.compile(r"time|timeout|duration|timestamp|interval|size|bytes|_at$|_ms$|_mb$|_gb$")


def names() -> Iterator[tuple[str, str, Any]]:
    for door in DOORS:
        module = importlib.import_module(door)
        yield from ((door, name, getattr(module, name)) for name in public_names(module))


NAMES = [*names()]


def methods_of(kind: type[Any]) -> Iterator[tuple[str, Any]]:
    """The public methods and properties of a class that are written in this package."""
    for name, member in inspect.getmembers_static(kind):
        found = member.__func__ if isinstance(member, classmethod | staticmethod) else member
        found = found.fget if isinstance(found, property) else getattr(found, "func", found)
        found = inspect.unwrap(found) if callable(found) else found
        if not name.startswith("_") and inspect.isfunction(found) and found.__module__.startswith("databricks_async"):
            yield name, found


def test_every_public_name_has_a_docstring() -> None:
    """Classes one of their own, type aliases the text below them."""
    missing = []
    for door, name, value in NAMES:
        if isinstance(value, type):
            own = vars(value).get("__doc__")  # of a model: without the list of its fields
            text = own if isinstance(own, str) else inspect.getdoc(value)
        else:
            text = texts_of_aliases().get(name) or (inspect.getdoc(value) if inspect.isfunction(value) else None)
        if not (text or "").strip():
            missing.append(f"{door}.{name}")
    assert len(NAMES) > 400
    assert missing == []


def texts_of_aliases() -> dict[str, str]:
    found: dict[str, str] = {}
    for module in (
        "auth.token",
        "events.handlers",
        "message",
        "wait",
        "jobs.changes",
        "jobs.many",
        "workspace.sources",
    ):
        body = ast.parse(inspect.getsource(importlib.import_module(f"databricks_async.{module}"))).body
        for node, below in pairwise(body):
            if (
                isinstance(node, ast.AnnAssign)
                and isinstance(below, ast.Expr)
                and isinstance(below.value, ast.Constant)
            ):
                found[ast.unparse(node.target)] = str(below.value.value)
    return found


def test_every_public_method_has_a_docstring_and_types() -> None:
    """Properties too. What it takes and returns is in its annotations."""
    count, missing = 0, []
    for door, name, value in NAMES:
        if not isinstance(value, type) or issubclass(value, dict):
            continue
        for method, function in methods_of(value):
            count += 1
            signature = inspect.signature(function)
            untyped = [one for one in [*signature.parameters.values()][1:] if one.annotation is one.empty]
            if not inspect.getdoc(function) or untyped or signature.return_annotation is signature.empty:
                missing.append(f"{door}.{name}.{method}")
    assert count > 500
    assert missing == []


def test_numbers_say_their_unit() -> None:
    """Fields of models that hold a time, a duration or a size, by their names or by their lines of meaning."""
    without = [
        f"{model.__name__}.{field.name}: {docs.get(field.name)}"
        for model in {*public_models()}
        for docs in (field_docs(model),)
        for field in attrs.fields(model)
        if QUANTITY.search(field.name) and re.match("int|float", str(field.type))
        if not UNIT.search(f"{field.name.replace('_', ' ')} {docs.get(field.name)}")
    ]
    assert without == []


SERVICES = [
    (service, name, function)
    for service in API_VERSIONS
    for name, function in methods_of(type(getattr(WorkspaceClient(host="http://localhost:1", token="x"), service)))
]


@pytest.mark.parametrize("service", API_VERSIONS)
def test_methods_of_the_rest_api_link_its_documentation(service: str) -> None:
    """Each that calls one endpoint names it, and its page. The endpoint is one of the local workspace's routes."""
    version = API_VERSIONS[service]
    linked = 0
    for name, function in ((name, function) for of, name, function in SERVICES if of == service):
        text = inspect.getdoc(function) or ""
        endpoints = set(re.findall(r'"((?:GET|POST|PUT|PATCH) /api/[^"]+)"', inspect.getsource(function)))
        found = re.findall(r"^`([A-Z]+ /api/\S+)`: (\S+)$", text, re.MULTILINE)
        if len(endpoints) == 1 and not found and name not in NOT_OF_THE_API:
            pytest.fail(f"w.{service}.{name} does not say that it calls {endpoints}")
        for endpoint, page in found:
            linked += 1
            assert not endpoints or endpoint in {one.replace("{v}", version) for one in endpoints}
            assert table().find(*endpoint.split(" ", 1))[0], f"w.{service}.{name}: there is no {endpoint}"
            operation = {"upload": "import", "download": "export"}.get(name, name).replace("_", "")
            assert page == f"{PAGES}/{service.replace('_', '')}/{operation}"
    assert linked == {"clusters": 21, "jobs": 20, "libraries": 4, "workspace": 12, "current_user": 1}[service]


NOT_OF_THE_API = {"poll_run", "history"}
"""Methods of this library, which ask for what one of the API asks for."""
