"""What the house promises of every file, and of how the files hang together."""

from __future__ import annotations

import ast
import graphlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "databricks_async"
FILES = sorted(path for folder in ("databricks_async", "tests", "benchmarks") for path in (ROOT / folder).rglob("*.py"))


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_name(path): path for path in FILES if path.is_relative_to(PACKAGE)}


def imports(name: str) -> Iterator[str]:
    """All modules of the package that a module imports: for type checkers and within functions too."""
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} has a relative import"
            for alias in node.names:
                # `from package import name` names a module of the package, or something in the package itself.
                inner = f"{node.module}.{alias.name}"
                yield from (found for found in (inner if inner in MODULES else node.module,) if found in MODULES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_short(path: Path) -> None:
    """No file has more than 500 lines."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 500


@pytest.mark.parametrize("name", MODULES)
def test_a_module_says_why_it_exists(name: str) -> None:
    """The first line of each module says its one reason to exist."""
    doc = ast.get_docstring(ast.parse(MODULES[name].read_text(encoding="utf-8")))
    assert doc
    assert doc.splitlines()[0]


def test_no_folder_is_crowded() -> None:
    """No folder of the package holds more than 22 modules, `__init__` included.

    `__main__` is where `python -m` looks, and nothing that a reader has to choose from.
    """
    counts = Counter(path.parent for path in MODULES.values() if path.name != "__main__.py")
    assert {folder.name: count for folder, count in counts.items() if count > 22} == {}


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Not even by way of others, for type checkers alone, or within a function."""
    graph = {name: set(imports(name)) for name in MODULES}
    assert sum(map(len, graph.values())) > len(MODULES)  # the imports were found
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        pytest.fail(f"a circle: {' <- '.join(error.args[1])}")
