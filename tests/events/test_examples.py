"""The examples of the docstrings run as they stand."""

from __future__ import annotations

import ast
import inspect
import re
from types import ModuleType

import pytest

from databricks_async import events, otel
from databricks_async.local import Fault, LocalWorkspace

LIST = "GET /api/2.1/clusters/list"

pytestmark = pytest.mark.usefixtures("virtual_time")


@pytest.mark.parametrize(
    ("module", "printed"),
    [(events, f"{LIST} failed with ConnectionLost\nclusters: no request for 2.0 s\n"), (otel, "")],
    ids=["events", "otel"],
)
async def test_an_example_runs(
    workspace: LocalWorkspace,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    module: ModuleType,
    printed: str,
) -> None:
    """Against a workspace that fails once and refuses once."""
    monkeypatch.setenv("DATABRICKS_HOST", workspace.url)
    monkeypatch.setenv("DATABRICKS_TOKEN", workspace.token)
    workspace.faults.add(LIST, Fault.drop(), Fault.too_many_requests(2))
    (code,) = re.findall(r"^    from databricks_async .*?(?=^\S)", module.__doc__ or "", re.MULTILINE | re.DOTALL)
    compiled = compile(inspect.cleandoc(code), "docstring", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    await eval(compiled, {})  # noqa: S307 (a coroutine, for the code awaits at top level)
    assert workspace.journal.count(LIST) == 3
    assert capsys.readouterr().out == printed
