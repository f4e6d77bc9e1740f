"""What users may name: where it is, that it is all there, and the error in a wrong place."""

from __future__ import annotations

import ast
import importlib
import inspect
import subprocess
import sys
import types
import typing
from pathlib import Path

import pytest

import databricks_async
from databricks_async import WorkspaceClient
from databricks_async.client import API_VERSIONS
from databricks_async.front_door import public_names

TESTS = Path(__file__).parent
SERVICES = [f"databricks_async.{service}" for service in sorted(API_VERSIONS)]
MODELS = ["databricks_async.clusters.models", "databricks_async.jobs.models"]
DOORS = [
    "databricks_async",
    "databricks_async.errors",
    "databricks_async.events",
    "databricks_async.local",
    "databricks_async.otel",
    "databricks_async.pictures",
    *SERVICES,
]


def test_the_public_names_are_pinned():
    """To add one is a decision: write it into the list. To take one away breaks programs."""
    offered = {f"{door}.{name}" for door in DOORS if door not in SERVICES for name in _offered_by(door)}
    assert sorted(offered) == (TESTS / "public_names.txt").read_text(encoding="utf-8").split()


@pytest.mark.parametrize("door", SERVICES)
def test_the_public_names_of_a_service_are_pinned(door):
    """In a list beside its tests."""
    pinned = TESTS / door.rpartition(".")[2] / "public_names.txt"
    assert sorted(_offered_by(door)) == pinned.read_text(encoding="utf-8").split()


@pytest.mark.parametrize("door", DOORS)
def test_each_public_name_is_there(door):
    """It can be imported, and `dir` shows it."""
    module = importlib.import_module(door)
    for name in module.__all__:
        assert getattr(module, name) is not None
        assert name in dir(module)


@pytest.mark.parametrize("door", ["databricks_async", *SERVICES, *MODELS])
def test_type_checkers_see_what_python_does(door):
    """The names that a package imports for type checkers are those that it offers."""
    module = importlib.import_module(door)
    if not hasattr(module, "__path__"):
        return  # a service of one file offers what is written there
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    seen = set()
    for node in block.body:
        for alias in node.names:
            seen |= {alias.name} if alias.name != "*" else set(_offered_by(node.module))
    assert {name for name in seen if name[0].isupper()} == set(module.__all__)


def _get(module, name):
    return getattr(importlib.import_module(module), name)


def _offered_by(name):
    return public_names(importlib.import_module(name))


def _classes(annotation):
    """All classes of this package in an annotation."""
    if isinstance(annotation, list):
        for part in annotation:
            yield from _classes(part)
    elif typing.get_origin(annotation) is not None:
        yield from _classes([typing.get_origin(annotation), *typing.get_args(annotation)])
    elif isinstance(annotation, type) and annotation.__module__.startswith("databricks_async."):
        yield annotation


@pytest.mark.parametrize("door", SERVICES)
def test_all_that_a_method_takes_or_returns_is_at_the_door(door):
    """Of its service, or of the package."""
    service = door.rpartition(".")[2]
    client = WorkspaceClient(host="http://localhost:1", token="x")
    methods = {
        name: method
        for name, method in inspect.getmembers(type(getattr(client, service)), inspect.isfunction)
        if not name.startswith("_")
    }
    assert methods
    module = importlib.import_module(door)
    offered = {name: getattr(home, name) for home in (databricks_async, module) for name in home.__all__}
    for name, method in methods.items():
        namespace = {**vars(sys.modules[method.__module__]), **offered}
        for annotation in typing.get_type_hints(method, globalns=namespace).values():
            for cls in _classes(annotation):
                homes = [home for home in (module, databricks_async) if cls.__name__ in home.__all__]
                assert homes, f"{name} takes or returns a {cls.__name__}"
                assert getattr(homes[0], cls.__name__) is cls


@pytest.mark.parametrize(
    ("door", "name", "place"),
    [
        ("databricks_async", "ClusterDetails", "databricks_async.clusters"),
        ("databricks_async", "ClusterSpec", "databricks_async.clusters and in databricks_async.jobs"),
        ("databricks_async", "LocalWorkspace", "databricks_async.local"),
        ("databricks_async", "NotFound", "databricks_async.errors"),
        ("databricks_async.clusters", "RunWait", "databricks_async.jobs"),
        ("databricks_async.jobs", "ClusterDetails", "databricks_async.clusters"),
        ("databricks_async.jobs", "WorkspaceClient", "databricks_async"),
        ("databricks_async.errors", "RunWait", "databricks_async.jobs"),
    ],
)
def test_a_wrong_place_says_the_right_one(door, name, place):
    """As an attribute and in an import."""
    with pytest.raises(AttributeError, match=f"^module '{door}' has no attribute '{name}': it is in {place}$"):
        getattr(importlib.import_module(door), name)
    with pytest.raises(ImportError, match=f"^cannot import name '{name}' from '{door}': it is in {place}$"):
        exec(f"from {door} import {name}")  # noqa: S102


@pytest.mark.parametrize("door", ["databricks_async", "databricks_async.clusters", "databricks_async.errors"])
@pytest.mark.parametrize("name", ["Nonsense", "nonsense", "_nonsense", "__nonsense__"])
def test_a_name_that_is_nowhere_is_an_ordinary_error(door, name):
    """Also for `hasattr`, `getattr` with a default, and imports."""
    module = importlib.import_module(door)
    assert not hasattr(module, name)
    with pytest.raises(AttributeError, match=f"^module '{door}' has no attribute '{name}'$"):
        getattr(module, name)
    with pytest.raises(ImportError, match=f"cannot import name '{name}' from '{door}'"):
        exec(f"from {door} import {name}")  # noqa: S102


def test_everything_can_be_imported_with_a_star():
    """As programs of notebooks do."""
    namespace = {}
    exec("from databricks_async import *\nfrom databricks_async.clusters import *", namespace)  # noqa: S102
    assert {"WorkspaceClient", "ClusterSpec", "ClusterWait"} <= namespace.keys()


def test_models_are_not_imported_before_they_are_used():
    """The packages are imported with the client, and cost nothing by themselves."""
    program = (
        "import sys, databricks_async.clusters, databricks_async.jobs, databricks_async.workspace\n"
        "from databricks_async import WorkspaceClient\n"
        "WorkspaceClient(host='http://localhost:1', token='x')\n"
        "print([name for name in sys.modules if 'models' in name or name in ('aiohttp', 'cattrs')])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"


def test_reading_one_cluster_imports_only_the_models_that_it_is_made_of():
    """Events, listings, offers and the bodies of requests take as long again."""
    program = (
        "import sys, databricks_async.clusters.api\n"
        "from databricks_async import codec\n"
        "from databricks_async.clusters.api import ClusterDetails\n"
        'codec.decode(b\'{"cluster_id": "1", "driver": {}}\', ClusterDetails)\n'
        "loaded = [name for name in sys.modules if name.startswith('databricks_async.')]\n"
        "print(*sorted(name.split('.', 1)[1] for name in loaded if '.models.' in name or name.endswith('.select')))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    homes = ("details", "enums", "machines", "spec", "storage")
    assert done.stdout.split() == [f"clusters.models.{home}" for home in homes]


@pytest.mark.parametrize("service", SERVICES)
def test_modules_of_models_list_their_classes(service):
    """In `__all__`, by which type checkers and `import *` tell them from what the module imports."""
    modules = {cls.__module__ for name in _offered_by(service) if isinstance(cls := _get(service, name), type)}
    modules = [name for name in modules if ".models" in name]
    assert modules or not hasattr(importlib.import_module(service), "__path__")
    for module in map(importlib.import_module, modules):
        defined = {name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__}
        classes = {name for name in defined if isinstance(vars(module)[name], type) and not name.startswith("_")}
        assert set(module.__all__) == classes, module.__name__


@pytest.mark.parametrize("door", MODELS)
def test_packages_of_models_offer_nothing_that_is_not_theirs(door):
    """No class of another package, and no module that theirs import."""
    module = importlib.import_module(door)
    assert {getattr(module, name).__module__.rpartition(".")[0] for name in module.__all__} == {door}
    assert {name for name in dir(module) if name[0].isupper()} - {*module.__all__} == {"TYPE_CHECKING"}
    assert not {"attrs", "datetime", "timedelta"} & {*dir(module)}


def test_a_name_that_was_used_is_as_fast_as_any():
    """It is looked up once and kept in the module."""
    module = importlib.import_module("databricks_async.clusters")
    assert isinstance(module, types.ModuleType)
    spec = module.ClusterSpec
    assert vars(module)["ClusterSpec"] is spec
