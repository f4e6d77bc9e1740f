"""`export_tree`: a tree of the workspace in a local folder, and nowhere else.

Here are the tests of `workspace/trees/names.py`.
"""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from databricks_async import Config, WorkspaceClient
from databricks_async.errors import LifecycleError, ResourceDoesNotExist, Unauthenticated
from databricks_async.local import Fault, LocalWorkspace, RateLimit
from databricks_async.workspace.trees.pool import TreeProgress

LIST = "GET /api/{v}/workspace/list"
EXPORT = "GET /api/{v}/workspace/export"
Seen = Callable[[Path], dict[str, bytes | None]]
PY = b"# Databricks notebook source\nprint(1)\n"
SQL = b"-- Databricks notebook source\nSELECT 1\n"
SCALA = b"// Databricks notebook source\nprintln(1)\n"


@pytest.fixture
def retry_seconds() -> float:
    """What fails for good is not waited for."""
    return 0.2


@pytest.fixture
def local(tmp_path: Path) -> Path:
    """Where the tree goes; made by the export."""
    return tmp_path / "new" / "tree"


async def test_kinds_and_names_are_kept(w: WorkspaceClient, workspace: LocalWorkspace, local: Path, seen: Seen) -> None:
    """Notebooks become sources with an extension and a header line, files their bytes, and empty folders come along."""
    workspace.add_object("/Shared/t/etl", PY, language="PYTHON")
    workspace.add_object("/Shared/t/deep/er/job", SCALA, language="SCALA")
    workspace.add_object("/Shared/t/deep/headless", b"SELECT 1", language="SQL")
    workspace.add_object("/Shared/t/stats", PY, language="R")
    workspace.add_object("/Shared/t/x.py", PY, language="PYTHON")
    workspace.add_object("/Shared/t/deep/helpers.py", b"x = 1\n")
    workspace.add_object("/Shared/t/deep/häßlich & 100% #1?.bin", bytes(range(256)))
    workspace.add_object("/Shared/t/empty")
    report = await w.workspace.export_tree("/Shared/t", local)
    report.raise_for_failures()
    found = seen(local)
    assert (found.pop("deep/headless.sql") or b"").startswith(b"-- Databricks notebook source\nSELECT 1")
    assert found == {
        "etl.py": PY,
        "deep/er/job.scala": SCALA,
        "stats.r": PY,
        "x.py.py": PY,
        "deep/helpers.py": b"x = 1\n",
        "deep/häßlich & 100% #1?.bin": bytes(range(256)),
        "empty": None,
    }
    assert report.ok
    assert report.bytes == sum(len(content or b"") for content in seen(local).values())
    assert {(item.path, item.target, item.kind) for item in report.done} >= {
        ("/Shared/t/etl", str(local / "etl.py"), "NOTEBOOK"),
        ("/Shared/t/empty", str(local / "empty"), "DIRECTORY"),
    }


async def test_notebooks_as_ipynb(w: WorkspaceClient, workspace: LocalWorkspace, local: Path, seen: Seen) -> None:
    """When asked; files are not touched by that."""
    workspace.add_object("/Shared/t/etl", PY, language="PYTHON")
    workspace.add_object("/Shared/t/file", b"x")
    await w.workspace.export_tree("/Shared/t", local, notebooks="JUPYTER")
    assert sorted(seen(local)) == ["etl.ipynb", "file"]
    assert b'"nbformat"' in (local / "etl.ipynb").read_bytes()
    with pytest.raises(ValueError, match="SOURCE or JUPYTER"):
        await w.workspace.export_tree("/Shared/t", local, notebooks="HTML")


async def test_one_object_and_an_empty_folder_are_trees_too(
    w: WorkspaceClient, workspace: LocalWorkspace, local: Path, seen: Seen
) -> None:
    """The object goes into the folder; the empty folder is made."""
    workspace.add_object("/Shared/etl", PY, language="PYTHON")
    await w.workspace.export_tree("/Shared/etl", local)
    assert seen(local) == {"etl.py": PY}
    await w.workspace.mkdirs("/Shared/empty")
    report = await w.workspace.export_tree("/Shared/empty", local / "more" / "empty")
    assert (report.done, seen(local / "more")) == ([], {"empty": None})


async def test_nothing_is_overwritten_unasked(
    w: WorkspaceClient, workspace: LocalWorkspace, local: Path, seen: Seen
) -> None:
    """What exists is a failure of its own; with `overwrite` it is replaced, without a half-written file in between."""
    workspace.add_object("/Shared/t/a", b"new")
    workspace.add_object("/Shared/t/b", b"new")
    os.makedirs(local)
    (local / "a").write_bytes(b"mine")
    report = await w.workspace.export_tree("/Shared/t", local)
    assert seen(local) == {"a": b"mine", "b": b"new"}
    assert [failure.path for failure in report.failures] == ["/Shared/t/a"]
    with pytest.raises(ExceptionGroup, match="1 of 2 objects failed") as caught:
        report.raise_for_failures()
    assert isinstance(caught.value.exceptions[0], FileExistsError)
    assert caught.value.exceptions[0].__notes__ == ["at '/Shared/t/a'"]
    report = await w.workspace.export_tree("/Shared/t", local, overwrite=True)
    assert (report.ok, seen(local)) == (True, {"a": b"new", "b": b"new"})


async def test_what_has_not_changed_can_be_left_out(
    w: WorkspaceClient, workspace: LocalWorkspace, local: Path, seen: Seen
) -> None:
    """An export gives each file the object's time; only what changed on either side since then is fetched again."""
    for name in ("same", "edited_there", "edited_here"):
        await w.workspace.import_(f"/Shared/{name}", PY, language="PYTHON")
    await w.workspace.export_tree("/Shared", local)
    info = await w.workspace.get_status("/Shared/same")
    assert (local / "same.py").stat().st_mtime_ns == (info.modified_at or 0) * 1_000_000
    await w.workspace.import_("/Shared/edited_there", PY + b"2", language="PYTHON", overwrite=True)
    (local / "edited_here.py").write_bytes(b"mine")
    workspace.journal.clear()
    report = await w.workspace.export_tree("/Shared", local, skip_unchanged=True)
    (skip,) = report.skipped
    assert (skip.path, skip.reason, skip.target) == ("/Shared/same", "unchanged", str(local / "same.py"))
    assert {failure.path for failure in report.failures} == {"/Shared/edited_there", "/Shared/edited_here"}
    assert workspace.journal.count(EXPORT) == 0
    report = await w.workspace.export_tree("/Shared", local, skip_unchanged=True, overwrite=True)
    assert (len(report.skipped), len(report.done), workspace.journal.count(EXPORT)) == (1, 2, 2)
    assert seen(local) == {"same.py": PY, "edited_there.py": PY + b"2", "edited_here.py": PY}


async def test_two_objects_for_one_file(w: WorkspaceClient, workspace: LocalWorkspace, local: Path, seen: Seen) -> None:
    """The notebook `x` and the file `x.py`, even with `overwrite`: the second is a failure, the first is kept."""
    workspace.add_object("/Shared/t/x", PY, language="PYTHON")
    workspace.add_object("/Shared/t/x.py", b"file")
    workspace.add_object("/Shared/t/y", SQL, language="SQL")
    workspace.add_object("/Shared/t/y.sql/inside", b"lost")
    report = await w.workspace.export_tree("/Shared/t", local, overwrite=True)
    assert seen(local) == {"x.py": PY, "y.sql": SQL}
    assert [failure.path for failure in report.failures] == ["/Shared/t/x.py", "/Shared/t/y.sql"]
    assert "'/Shared/t/x' of the workspace" in str(report.failures[0].error)


@pytest.mark.parametrize("name", ["..", ".", "../../evil", "a/b", "/etc/passwd", "nul\0byte", "x" * 300])
async def test_hostile_names_stay_inside(
    w: WorkspaceClient, workspace: LocalWorkspace, tmp_path: Path, name: str, seen: Seen
) -> None:
    """Whatever names the service lists, for files, notebooks and folders: a failure, and nothing else is written."""
    local = tmp_path / "tree"
    for kind, extra in (("FILE", ""), ("NOTEBOOK", ',"language":"PYTHON"'), ("DIRECTORY", "")):
        shown = name.replace("\0", "\\u0000")
        path = shown if name.startswith("/") else f"/Shared/{shown}"
        body = f'{{"objects":[{{"object_type":"{kind}","path":"{path}"{extra}}}]}}'
        workspace.faults.add(LIST, Fault.answer(200, body))
        if kind != "DIRECTORY":
            workspace.faults.add(EXPORT, Fault.answer(200, "evil", {"Content-Type": "application/octet-stream"}))
        report = await w.workspace.export_tree("/Shared", local, overwrite=True)
        workspace.faults.clear()
        assert len({failure.path for failure in report.failures}) == 1, (kind, report)
        assert not [item for item in report.done if item.bytes]
    assert seen(tmp_path) == {"tree": None}


async def test_links_that_lead_out_are_not_followed(
    w: WorkspaceClient, workspace: LocalWorkspace, local: Path, tmp_path: Path, seen: Seen
) -> None:
    """A link below the folder to somewhere else takes nothing; a link in place of a file is replaced itself."""
    workspace.add_object("/Shared/t/out/x", b"new")
    workspace.add_object("/Shared/t/out/sub")
    workspace.add_object("/Shared/t/in/y", b"new")
    workspace.add_object("/Shared/t/link", b"new")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_bytes(b"old")
    (local / "real").mkdir(parents=True)
    (local / "out").symlink_to(outside)
    (local / "in").symlink_to(local / "real")
    (local / "link").symlink_to(outside / "file")
    report = await w.workspace.export_tree("/Shared/t", local, overwrite=True)
    assert {failure.path for failure in report.failures} == {"/Shared/t/out", "/Shared/t/out/x", "/Shared/t/out/sub"}
    assert {type(failure.error) for failure in report.failures} == {PermissionError}
    assert seen(outside) == {"file": b"old"}
    assert (local / "real" / "y").read_bytes() == b"new"
    assert (local / "link").read_bytes() == b"new"
    assert not (local / "link").is_symlink()


async def test_what_has_no_file_form_is_skipped(w: WorkspaceClient, workspace: LocalWorkspace, local: Path) -> None:
    """Experiments, alerts and unknown types; a notebook in an unknown language is a failure."""
    kinds = ("MLFLOW_EXPERIMENT", "ALERT", "LIBRARY", "NEW")
    listed = ",".join(f'{{"object_type":"{kind}","path":"/Shared/{kind}"}}' for kind in kinds)
    cobol = '{"object_type":"NOTEBOOK","language":"COBOL","path":"/Shared/old"}'
    workspace.faults.add(LIST, Fault.answer(200, f'{{"objects":[{listed},{cobol}]}}'))
    report = await w.workspace.export_tree("/Shared", local)
    assert {skip.path: skip.reason for skip in report.skipped} == {
        f"/Shared/{kind}": f"objects of the type {kind} have no file form" for kind in kinds
    }
    assert [(failure.path, "COBOL" in str(failure.error)) for failure in report.failures] == [("/Shared/old", True)]


async def test_dashboards_are_exported_and_brought_back(
    w: WorkspaceClient, workspace: LocalWorkspace, local: Path
) -> None:
    """As the JSON that they are; a backup has them."""
    content = b'{"pages": [{"name": "sales", "displayName": "Sales"}]}'
    workspace.add_object("/Shared/team/sales.lvdash.json", content)
    (listed,) = [one async for one in w.workspace.list("/Shared/team")]
    assert listed.object_type == "DASHBOARD"
    report = await w.workspace.export_tree("/Shared/team", local)
    assert [item.kind for item in report.done] == ["DASHBOARD"]
    assert (local / "sales.lvdash.json").read_bytes() == content
    (await w.workspace.import_tree(local, "/Shared/again")).raise_for_failures()
    again = await w.workspace.get_status("/Shared/again/sales.lvdash.json")
    assert (again.object_type, again.resource_id is None) == ("DASHBOARD", False)
    unchanged = await w.workspace.import_tree(local, "/Shared/again", overwrite=True, skip_unchanged=True)
    assert [skip.reason for skip in unchanged.skipped] == ["unchanged"]


async def test_one_failure_does_not_stop_the_rest(
    w: WorkspaceClient, workspace: LocalWorkspace, local: Path, seen: Seen
) -> None:
    """Gone, forbidden, broken for good, a folder that cannot be listed: each is reported, and all others are there."""
    for number in range(12):
        workspace.add_object(f"/Shared/t/{number}", b"x")
    workspace.faults.add(EXPORT, Fault.error(404, "RESOURCE_DOES_NOT_EXIST"), Fault.error(403, "PERMISSION_DENIED"))
    report = await w.workspace.export_tree("/Shared/t", local)
    assert (len(report.done), len(report.failures)) == (10, 2)
    assert len(seen(local)) == 10


async def test_a_failed_listing_is_a_failure(
    w: WorkspaceClient, workspace: LocalWorkspace, local: Path, seen: Seen
) -> None:
    """Of that folder; it is there, and empty."""
    workspace.add_object("/Shared/t/secret/x", b"x")
    workspace.add_object("/Shared/t/y", b"x")
    listed = ",".join(
        f'{{"object_type":"{kind}","path":"/Shared/t/{name}"}}'
        for kind, name in (("DIRECTORY", "secret"), ("FILE", "y"))
    )
    workspace.faults.add(LIST, Fault.answer(200, f'{{"objects":[{listed}]}}'), Fault.error(403, "PERMISSION_DENIED"))
    report = await w.workspace.export_tree("/Shared/t", local)
    assert [failure.path for failure in report.failures] == ["/Shared/t/secret"]
    assert seen(local) == {"secret": None, "y": b"x"}


async def test_what_concerns_everything_ends_the_export(
    w: WorkspaceClient, workspace: LocalWorkspace, local: Path, seen: Seen
) -> None:
    """A token that is not accepted any more is raised, and not reported a thousand times."""
    for number in range(100):
        workspace.add_object(f"/Shared/t/{number}", b"x")
    await w.workspace.export_tree("/Shared/t/0", local)
    workspace.journal.clear()
    workspace.faults.add(EXPORT, Fault.error(401, "UNAUTHENTICATED"), times=1000)
    with pytest.raises(Unauthenticated):
        await w.workspace.export_tree("/Shared/t", local, skip_unchanged=True)
    assert workspace.journal.count(EXPORT) < 100
    assert seen(local) == {"0": b"x"}


async def test_a_full_disk_ends_the_export(
    w: WorkspaceClient, workspace: LocalWorkspace, local: Path, monkeypatch: pytest.MonkeyPatch, seen: Seen
) -> None:
    """With the system's own error, after few requests, and without leftovers."""
    for number in range(200):
        workspace.add_object(f"/Shared/t/{number}", b"x")

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "link", full)
    monkeypatch.setattr(os, "rename", full)
    with pytest.raises(OSError, match="No space left"):
        await w.workspace.export_tree("/Shared/t", local)
    assert workspace.journal.count(EXPORT) < 200
    assert seen(local) == {}


async def test_a_wrong_place_is_reports_before_anything_is_exported(
    w: WorkspaceClient, workspace: LocalWorkspace, tmp_path: Path
) -> None:
    """A file in place of the folder or above it, a relative path; nothing is made for a tree that does not exist."""
    reports: list[TreeProgress] = []
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(NotADirectoryError, match="file"):
        await w.workspace.export_tree("/Shared", tmp_path / "file")
    with pytest.raises(ValueError, match="begin with '/'"):
        await w.workspace.export_tree("Shared", tmp_path / "x")
    with pytest.raises(ValueError, match="concurrency"):
        await w.workspace.export_tree("/Shared", tmp_path / "x", concurrency=0)
    assert workspace.journal.count() == 0
    workspace.add_object("/Shared/t/a", b"x")
    with pytest.raises(NotADirectoryError, match="file"):
        await w.workspace.export_tree("/Shared/t", tmp_path / "file" / "below", on_progress=reports.append)
    assert (reports, workspace.journal.count(LIST), workspace.journal.count(EXPORT)) == ([], 1, 0)
    with pytest.raises(ResourceDoesNotExist):
        await w.workspace.export_tree("/Shared/nothing", tmp_path / "x")
    assert not (tmp_path / "x").exists()


async def test_progress_is_reports(w: WorkspaceClient, workspace: LocalWorkspace, local: Path) -> None:
    """After each object, failed and skipped ones included; an error of the listener passes through."""
    workspace.add_object("/Shared/t/a", b"12345")
    workspace.add_object("/Shared/t/f/b", b"12345")
    reports: list[TreeProgress] = []
    await w.workspace.export_tree("/Shared/t", local, on_progress=reports.append)
    assert [progress.done for progress in reports] == [1, 2, 3]
    assert {(progress.path, progress.kind, progress.bytes) for progress in reports} == {
        ("/Shared/t/a", "FILE", 5),
        ("/Shared/t/f", "DIRECTORY", 0),
        ("/Shared/t/f/b", "FILE", 5),
    }
    assert reports[-1].found == 3

    def fail(_: TreeProgress) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await w.workspace.export_tree("/Shared/t", local, on_progress=fail)


@pytest.mark.usefixtures("virtual_time")
async def test_no_more_transfers_at_a_time_than_asked(
    w: WorkspaceClient, workspace: LocalWorkspace, local: Path
) -> None:
    """As the server sees it; the listing is over by then."""
    for number in range(20):
        workspace.add_object(f"/Shared/t/{number}", b"x")
    workspace.faults.add(EXPORT, Fault.delay(1), probability=1.0)
    await w.workspace.export_tree("/Shared/t", local, concurrency=3)
    assert workspace.journal.in_flight_max == 3


async def test_rate_limits_lose_nothing(workspace: LocalWorkspace, local: Path, seen: Seen) -> None:
    """Refused downloads come back."""
    for number in range(60):
        workspace.add_object(f"/Shared/t/{number}", b"x")
    workspace.rate_limit = limit = RateLimit(per_second=100, burst=1, retry_after=0.02, endpoint=EXPORT)
    async with WorkspaceClient(config=Config(host=workspace.url, token=workspace.token)) as w:
        report = await w.workspace.export_tree("/Shared/t", local)
    assert (report.ok, len(seen(local))) == (True, 60)
    assert limit.refused


@pytest.mark.parametrize("how", ["cancel", "close"])
async def test_an_export_cut_short_leaves_nothing_behind(
    w: WorkspaceClient, workspace: LocalWorkspace, local: Path, how: str, seen: Seen
) -> None:
    """Cancelled, or its client closed, in the middle of downloads: no temporary files, no tasks, no requests."""
    for number in range(50):
        workspace.add_object(f"/Shared/t/{number}", b"x" * 100_000)
    workspace.faults.add(EXPORT, *[Fault.delay(0.001)] * 10)
    export = asyncio.create_task(w.workspace.export_tree("/Shared/t", local))
    await workspace.journal.until(lambda journal: journal.count(EXPORT) >= 8)
    workspace.faults.add(EXPORT, Fault.hang(), times=100)
    await workspace.journal.until(lambda journal: len(workspace.faults) < 95)
    if how == "cancel":
        export.cancel()
        with pytest.raises(asyncio.CancelledError):
            await export
    else:
        await w.aclose()
        with pytest.raises(LifecycleError):
            await export
    await workspace.journal.until(lambda journal: journal.in_flight == 0)
    assert all(len(content or b"") == 100_000 for content in seen(local).values()), "a file is half written"
    assert all(name.isdigit() for name in seen(local)), "a temporary file is left"


async def test_an_export_that_was_cut_short_can_be_taken_up(
    w: WorkspaceClient, workspace: LocalWorkspace, local: Path
) -> None:
    """A file has its object's time from the moment it appears, so that nothing is in the way of the next export."""
    for number in range(40):
        workspace.add_object(f"/Shared/t/{number}", b"x")

    async def cut_short(folder: Path, count: int) -> None:
        def cut(progress: TreeProgress) -> None:
            if progress.done == count:
                export.cancel()

        export = asyncio.create_task(w.workspace.export_tree("/Shared/t", folder, on_progress=cut))
        await asyncio.wait((export,))
        assert export.cancelled()

    for count in range(1, 20):
        await cut_short(local / str(count), count)
        again = await w.workspace.export_tree("/Shared/t", local / str(count), skip_unchanged=True)
        again.raise_for_failures()
