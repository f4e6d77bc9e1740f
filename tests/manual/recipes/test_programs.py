"""Recipes that are programs run as they stand, and do what their docstrings say where things go wrong.

Of `manual/recipes/many_runs.py`, `manual/recipes/watcher.py`, `manual/recipes/synchronous.py`,
`manual/recipes/notebook.py`, `manual/recipes/backup.py` and `manual/recipes/idle_clusters.py`.
"""

from __future__ import annotations

import ast
import asyncio
import csv
import os
import signal
import subprocess
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from databricks_async import WorkspaceClient
from databricks_async.errors import OperationFailed, PermissionDenied, ResourceDoesNotExist
from databricks_async.local import Clock, Fault, LocalWorkspace
from databricks_async.manual.recipes import backup, idle_clusters, many_runs, synchronous, watcher

RECIPES = Path(many_runs.__file__).parent
EVENTS = "POST /api/{v}/clusters/events"
SUBMIT = "POST /api/{v}/jobs/runs/submit"


# --- many_runs -------------------------------------------------------------------------------------------------------


async def test_three_hundred_runs_end_in_a_csv(found_workspace: LocalWorkspace, tmp_path: Path) -> None:
    """Also one that fails once, one that fails twice, and one whose answer is lost. Again, it starts nothing."""
    tries: list[str] = []

    def call(parameters: dict[str, str]) -> str:
        day = parameters["day"]
        tries.append(day)
        if day == "2026-01-03" or (day == "2026-01-02" and tries.count(day) == 1):
            raise ValueError("no such table")
        return "done"

    found_workspace.script_task("/etl/load", call=call)
    found_workspace.faults.add(SUBMIT, Fault.drop())
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(300)]
    file = tmp_path / "loads.csv"
    assert await many_runs.load("year", days, file, max_active=100) == 1
    with file.open(newline="", encoding="utf-8") as opened:
        rows = [*csv.DictReader(opened)]
    assert [row["day"] for row in rows] == [str(day) for day in days]
    assert len({row["run_id"] for row in rows}) == 300
    assert [row["repairs"] for row in rows[:4]] == ["0", "1", "1", "0"]
    assert [row["day"] for row in rows if row["result"] == "failed"] == ["2026-01-03"]
    assert "no such table" in rows[2]["error"]
    ran = len(tries)
    assert await many_runs.load("year", days[:2], tmp_path / "again.csv") == 0
    assert len(tries) == ran


# --- watcher ---------------------------------------------------------------------------------------------------------


async def test_a_watcher_goes_on_where_it_ended(found_workspace: LocalWorkspace, cluster: str, tmp_path: Path) -> None:
    """It begins with what happens now, ends by SIGTERM, and brings what happened meanwhile, each once."""
    file, seen, came = tmp_path / "state.json", list[tuple[str, str]](), asyncio.Event()

    async def deal(name: str, item: watcher.Item) -> None:
        seen.append((name, str(getattr(item, "type", None) or getattr(item, "run_name", None))))
        came.set()

    async def watch(count: int, *, first: Callable[[], Awaitable[object]] | None = None) -> None:
        watching = asyncio.create_task(watcher.main(file, [cluster], deal))
        if first:
            await found_workspace.journal.until(lambda journal: journal.count(EVENTS) > 0)
            await first()
        while len(seen) < count:
            came.clear()
            await came.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        await watching

    async with WorkspaceClient() as w, asyncio.timeout(30):
        await watch(1, first=lambda: w.clusters.delete_and_wait(cluster))
        assert {name for name, _ in seen} == {cluster}
        tasks: list[Any] = [{"task_key": "load", "notebook_task": {"notebook_path": "/etl/load"}}]
        await w.jobs.submit(run_name="load", tasks=tasks)
        await w.clusters.start_and_wait(cluster)
        happened = [str(event.type) async for event in w.clusters.events(cluster, order="ASC")]
        await watch(len(happened) + 1)
    asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)
    assert [what for name, what in seen if name == "runs"] == ["load"]
    assert [what for name, what in seen if name == cluster] == happened
    assert not file.with_suffix(".new").exists()


# --- synchronous -----------------------------------------------------------------------------------------------------


def test_a_synchronous_script(threaded_workspace: LocalWorkspace, cluster: str) -> None:
    """One login and one client serve all calls; errors are raised where `run` is called."""
    with synchronous.workspace() as (w, run):
        assert synchronous.states(w, run) == {"etl": "RUNNING"}
        synchronous.restart(w, run, cluster)
        run(w.clusters.delete_and_wait(cluster))
        seen: list[str] = []
        synchronous.each_state(w, run, cluster, seen.append)
        assert seen[-1] == "RUNNING"
        with pytest.raises(ResourceDoesNotExist):
            run(w.clusters.get("nothing"))
        threaded_workspace.fail_next_start("CLOUD_PROVIDER_LAUNCH_FAILURE", "CLOUD_FAILURE")
        with pytest.raises(OperationFailed):
            synchronous.restart(w, run, cluster)


# --- notebook --------------------------------------------------------------------------------------------------------


async def test_the_cells_of_a_notebook(found_workspace: LocalWorkspace, cluster: str) -> None:
    """Each ends with something that a notebook shows."""
    found_workspace.script_task("/etl/load", output="loaded")
    names: dict[str, Any] = {}
    shown = []
    for cell in (RECIPES / "notebook.py").read_text(encoding="utf-8").split("\n# %%")[1:]:
        tree = ast.parse(cell.partition("\n")[2])
        last = tree.body[-1]
        if isinstance(last, ast.Expr):
            tree.body[-1] = ast.copy_location(ast.Assign([ast.Name("_", ast.Store())], last.value), last)
        code = compile(ast.fix_missing_locations(tree), "cell", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        outcome = eval(code, names)  # noqa: S307
        if asyncio.iscoroutine(outcome):
            await outcome
        shown.append(names.pop("_", None))
    assert "<table" in shown[2]._repr_html_()
    assert "<svg" in shown[3]._repr_svg_()
    assert shown[4] is not None


# --- backup ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone with an author."""
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "backup")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "backup@example.com")
    subprocess.run(["git", "init", "--quiet", tmp_path / "checkout"], check=True)
    return tmp_path / "checkout"


async def test_a_backup_commits_what_has_changed(found_workspace: LocalWorkspace, checkout: Path) -> None:
    """Once; what is gone from the workspace goes too, unless something could not be exported."""
    for name in ("kept", "gone"):
        found_workspace.add_object(f"/Shared/{name}", b"print(1)", language="PYTHON")
    _, committed = await backup.backup("/Shared", checkout)
    assert committed
    _, committed = await backup.backup("/Shared", checkout)
    assert not committed
    async with WorkspaceClient() as w:
        await w.workspace.delete("/Shared/gone")
        await w.workspace.import_("/Shared/new", "print(2)", language="PYTHON")
    found_workspace.faults.add("GET /api/{v}/workspace/export", Fault.error(403, "PERMISSION_DENIED"))
    report, committed = await backup.backup("/Shared", checkout)
    assert isinstance(report.failures[0].error, PermissionDenied)
    assert (committed, (checkout / "workspace" / "gone.py").exists()) == (False, True)
    _, committed = await backup.backup("/Shared", checkout)
    assert committed
    changed = backup.git(checkout, "show", "--format=", "--name-status", "--no-renames", "HEAD").splitlines()
    assert sorted(changed) == ["A\tworkspace/new.py", "D\tworkspace/gone.py"]
    assert len(backup.git(checkout, "log", "--format=%h").splitlines()) == 2
    with pytest.raises(subprocess.CalledProcessError) as raised:
        backup.git(checkout, "checkout", "nothing")
    assert "nothing" in raised.value.__notes__[0]


# --- idle_clusters ---------------------------------------------------------------------------------------------------


class TestIdleClusters:
    """Time is moved by hand."""

    @pytest.fixture
    def workspace_clock(self) -> Clock:
        return Clock.by_hand()

    async def test_found_first_and_stopped_then(self, found_workspace: LocalWorkspace, cluster: str) -> None:
        async def look(*arguments: str, hours: float = 2) -> list[str]:
            now = datetime.fromtimestamp(found_workspace.clock.now() / 1000, UTC)
            return await idle_clusters.main([*arguments], now - timedelta(hours=hours))

        assert await look("--stop") == []
        found_workspace.clock.advance(3 * 3600)
        assert await look() == [f"{cluster} etl: idle"]
        async with WorkspaceClient() as w:
            task = {"task_key": "load", "notebook_task": {"notebook_path": "/etl/load"}}
            found_workspace.script_task("load", duration=4 * 3600)
            run = await w.jobs.submit(tasks=[{**task, "existing_cluster_id": cluster}])
            found_workspace.clock.advance(3 * 3600)
            assert await look("--stop") == []  # a run is using it
            await w.jobs.cancel_run(run.run_id)
            found_workspace.clock.advance(3 * 3600)
            found_workspace.faults.add("POST /api/{v}/clusters/delete", Fault.error(403, "PERMISSION_DENIED"))
            (line,) = await look("--stop")
            assert f"{cluster} etl: not stopped: " in line
            assert await look("--stop") == [f"{cluster} etl: stopped"]
            found_workspace.clock.advance(600)
            assert (await w.clusters.get(cluster)).state == "TERMINATED"
        assert await look("--stop", hours=0) == []
