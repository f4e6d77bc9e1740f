"""Patterns by which objects of a tree are taken or left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from databricks_async import WorkspaceClient
from databricks_async.local import LocalWorkspace
from databricks_async.workspace.trees.patterns import patterns


@pytest.mark.parametrize(
    ("inside", "is_folder", "left_out"),
    [
        ("a.py", False, False),
        ("src/a.py", False, False),
        ("src/a.csv", False, True),
        ("src", True, False),
        (".git", True, True),
        ("data/raw", True, True),
        ("data/b.py", False, False),
        ("x.pyc", False, True),
    ],
)
def test_patterns(inside: str, is_folder: bool, left_out: bool) -> None:
    """Of names and of paths; `include` is about what is no folder."""
    wanted = patterns(include=["*.py"], exclude=[".git/", "data/raw"])
    assert wanted.leave_out(inside, is_folder=is_folder) is left_out


@pytest.mark.parametrize("name", ["include", "exclude"])
def test_one_text_is_no_list(name: str) -> None:
    """Its letters would be patterns."""
    with pytest.raises(TypeError, match=f"{name} takes a list of patterns"):
        patterns(**{name: ".git"})  # type: ignore[arg-type]


async def test_export_and_import_some(w: WorkspaceClient, workspace: LocalWorkspace, tmp_path: Path) -> None:
    """Excluded directories are left out with all below them, and are named once."""
    for path in ("a.csv", "b.txt", "data/c.csv", "tmp/d.csv", "tmp/deep/e.csv"):
        workspace.add_object(f"/Shared/t/{path}", b"x")
    report = await w.workspace.export_tree("/Shared/t", tmp_path, include=["*.csv"], exclude=["tmp"])
    assert {item.path for item in report.done if item.bytes} == {"/Shared/t/a.csv", "/Shared/t/data/c.csv"}
    assert {skip.path for skip in report.skipped} == {"/Shared/t/b.txt", "/Shared/t/tmp"}
    assert not (tmp_path / "tmp").exists()
    report = await w.workspace.import_tree(tmp_path, "/Shared/again", include=["a.*"])
    assert [item.target for item in report.done if item.bytes] == ["/Shared/again/a.csv"]
    with pytest.raises(TypeError, match="exclude takes a list of patterns"):
        await w.workspace.export_tree("/Shared/t", tmp_path, exclude="tmp")
