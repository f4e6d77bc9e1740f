"""Names of files on this machine (trees/names.py)."""

from __future__ import annotations

import ntpath
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from databricks_async.workspace import ExportFormat, ObjectInfo, ObjectType
from databricks_async.workspace.trees import names

RESERVED = [
    "con",
    "NUL.txt",
    "Aux .py",
    "com1",
    "LPT9.log",
    "com\u00b9",
    "CONIN$",
    "a:b",
    "a?",
    "tab\t",
    "end.",
    "end ",
]
FREE = ["console", "null.txt", "com10", "a.con", ".env", "d\u00e9j\u00e0 vu", "a b"]


@pytest.mark.parametrize("name", RESERVED)
def test_what_windows_takes_for_something_else_is_a_failure_there(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the name in the message; on other systems it is a name like any other."""
    info = ObjectInfo(path=f"/{name}", object_type=ObjectType.FILE)
    assert names.local_name(info, name, ExportFormat.SOURCE) == name
    monkeypatch.setattr(names, "_ON_WINDOWS", True)
    with pytest.raises(ValueError, match="cannot be the name of a file on this machine"):
        names.local_name(info, name, ExportFormat.SOURCE)


@pytest.mark.parametrize("name", FREE)
def test_other_names_are_kept(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "_ON_WINDOWS", True)
    assert names.local_name(ObjectInfo(path=f"/{name}", object_type=ObjectType.FILE), name, ExportFormat.SOURCE) == name


if sys.version_info >= (3, 13):

    @given(st.one_of(st.sampled_from(RESERVED + FREE), st.text(max_size=6)))
    def test_python_itself_agrees(name: str) -> None:
        """But for COM0 and LPT0, which Windows' manual reserves as well; and it reads paths, with drives, not names."""
        if not name.casefold().startswith(("com0", "lpt0")) and name not in (".", "..") and not set(name) & set(":/\\"):
            assert names.is_reserved(name) == ntpath.isreserved(name)
