"""Rules for the tests: where those of a module are, and how they start programs."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PACKAGE = TESTS.parent / "databricks_async"
MODULES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py") if not path.name.startswith("__"))
FILES = sorted(TESTS.rglob("test_*.py"))
DOCSTRINGS = {path: ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "" for path in FILES}


@pytest.mark.parametrize("module", MODULES, ids=Path.as_posix)
def test_each_module_says_where_its_tests_are(module: Path) -> None:
    """In the test module of the mirrored name, or in one whose docstring names the module or its folder."""
    if (TESTS / module.with_name(f"test_{module.stem.strip('_')}.py")).exists():
        return
    names = [module.as_posix(), *(f"{folder.as_posix()}/" for folder in module.parents if folder.name)]
    named = [path for path, doc in DOCSTRINGS.items() if any(f"`{name}`" in doc for name in names)]
    assert named, f"no docstring of a test module names `{module.as_posix()}`"


def test_programs_are_started_in_development_mode_the_same_way() -> None:
    """By `STRICT_PYTHON` of tests/support, whose `own_output` leaves out what asyncio says about a busy machine."""
    flag = '"-X", ' + '"dev"'
    assert [path for path in FILES if flag in path.read_text(encoding="utf-8")] == []
