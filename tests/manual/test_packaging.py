"""What goes into a wheel, and what stays in the repository."""

from __future__ import annotations

from pathlib import Path

from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parent.parent.parent


def test_the_manual_is_not_in_the_wheel() -> None:
    """All of the package is, and nothing else."""
    files = {file.distribution_path for file in WheelBuilder(str(ROOT)).recurse_included_files()}
    package = {path.relative_to(ROOT).as_posix() for path in (ROOT / "databricks_async").rglob("*.py")}
    manual = {path for path in package if path.startswith("databricks_async/manual/")}
    assert manual
    assert {file for file in files if file.endswith(".py")} == package - manual
    assert not any("/manual/" in file for file in files)
    assert "databricks_async/py.typed" in files
