"""The places of a service: each one that was forgotten is named here, or by an import contract in pyproject.toml."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from functools import cached_property
from pathlib import Path

import pytest

import databricks_async
from databricks_async import WorkspaceClient
from databricks_async.client import API_VERSIONS
from databricks_async.local.http.routes import table
from databricks_async.service import Service

TESTS = Path(__file__).parent
MODULES = sorted(info.name for info in pkgutil.iter_modules(databricks_async.__path__))
_ENDPOINT = re.compile(r"(?:GET|HEAD|POST|PUT|PATCH|DELETE) /\S+")


def sources(service: str) -> list[Path]:
    """The files of a service: those of its package, or its one module."""
    path = Path(databricks_async.__path__[0], service)
    return sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]


def endpoints(service: str) -> set[str]:
    """What the methods of a service call: the service's own line stands in each of them."""
    constants = [
        node.value
        for path in sources(service)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    return {text for text in constants if _ENDPOINT.fullmatch(text)}


def test_the_map_names_every_module():
    """In the docstring of the package: each once, and nothing that is not there."""
    mapped = re.findall(r"^    (\w+) +\S", databricks_async.__doc__.partition("The map")[2], re.MULTILINE)
    assert len(mapped) == len(set(mapped))
    assert set(MODULES) - set(mapped) == set(), "not in the map"
    assert set(mapped) - set(MODULES) == set(), "in the map, and not there"


def test_every_service_is_in_the_version_table():
    """A module or package with a `Service` in it has a row in `client.API_VERSIONS`, and no other has."""
    classes = [cls for name in MODULES for path in sources(name) for cls in _services(path)]
    modules = {module for module, _ in classes} - {"permissions"}  # a part of other services
    assert modules - API_VERSIONS.keys() == set(), "not in API_VERSIONS"
    assert API_VERSIONS.keys() - modules == set(), "in API_VERSIONS without a Service"


def _services(path: Path) -> list[tuple[str, str]]:
    text = path.read_text(encoding="utf-8")
    if "Service" not in text:
        return []
    tree = ast.parse(text)
    package = path.relative_to(databricks_async.__path__[0]).with_suffix("").parts[0]
    found = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    return [(package, cls.name) for cls in found if "Service" in [ast.unparse(base) for base in cls.bases]]


@pytest.mark.parametrize("service", API_VERSIONS)
def test_the_client_offers_the_service(service):
    """As an attribute of the same name, with the version that the table says."""
    assert isinstance(vars(WorkspaceClient).get(service), cached_property), f"WorkspaceClient has no {service}"
    version = "9.9"
    client = WorkspaceClient(host="http://localhost:1", token="x", api_versions={service: version})
    offered = getattr(client, service)
    assert isinstance(offered, Service)
    assert offered._version == version
    assert type(offered).__name__ in importlib.import_module(f"databricks_async.{service}").__all__


@pytest.mark.parametrize("service", API_VERSIONS)
def test_the_local_workspace_serves_what_the_service_calls(service):
    """In the version of the table: a test of the service is a test over HTTP."""
    called = endpoints(service)
    assert called
    served = {re.sub(r"\{\w+\}", "{}", line) for line in table().endpoints}
    wanted = {line.replace("{v}", API_VERSIONS[service]) for line in called}
    assert {line for line in wanted if re.sub(r"\{\w+\}", "{}", line) not in served} == set()


@pytest.mark.parametrize("service", API_VERSIONS)
def test_the_service_has_tests_and_a_line_in_the_change_log(service):
    """The tests have a folder of the same name."""
    assert [*(TESTS / service).glob("test_*.py")], f"tests/{service} is missing"
    assert f"`w.{service}" in (TESTS.parent / "CHANGELOG.md").read_text(encoding="utf-8")
