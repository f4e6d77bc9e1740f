"""`import_tree`: a local folder in the workspace, and back again."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from databricks_async import Config, WorkspaceClient
from databricks_async.errors import (
    LifecycleError,
    MaxNotebookSizeExceeded,
    PermissionDenied,
    ResourceAlreadyExists,
    Unauthenticated,
)
from databricks_async.local import Fault, LocalWorkspace, RateLimit
from databricks_async.workspace.trees.pool import TreeProgress

IMPORT = "POST /api/{v}/workspace/import"
MKDIRS = "POST /api/{v}/workspace/mkdirs"
EXPORT = "GET /api/{v}/workspace/export"
Seen = Callable[[Path], dict[str, bytes | None]]
PY = b"# Databricks notebook source\nprint(1)\n"
TREE: Mapping[str, bytes | None] = {
    "etl.py": PY,
    "query.sql": b"-- Databricks notebook source\nSELECT 1\n",
    "deep/er/job.scala": b"// Databricks notebook source\nprintln(1)\n",
    "deep/er/stats.r": b"# Databricks notebook source\nprint('r')\n",
    "deep/er/x.py.py": PY,
    "deep/helpers.py": b"def f():\n    return 1\n",
    "deep/not.sql": b"SELECT '-- Databricks notebook source'\n",
    "deep/data.bin": bytes(range(256)) * 5,
    "deep/empty.txt": b"",
    "deep/.hidden": b"h",
    "deep/häßlich & 100% #1?.csv": b"a,b\r\n1,2\r\n",
    "empty": None,
}
"""Files with their bytes; None is a folder."""


@pytest.fixture
def retry_seconds() -> float:
    """What fails for good is not waited for."""
    return 0.2


@pytest.fixture
def local(tmp_path: Path) -> Path:
    """The folder to import."""
    path = tmp_path / "tree"
    path.mkdir()
    return path


def plant(folder: Path, tree: Mapping[str, bytes | None]) -> None:
    """Make these files and folders."""
    for name, content in tree.items():
        path = folder / name
        (path if content is None else path.parent).mkdir(parents=True, exist_ok=True)
        if content is not None:
            path.write_bytes(content)


async def there(w: WorkspaceClient, path: str) -> dict[str, str]:
    """All objects below a folder of the workspace that are no folders, and their types."""
    found = {str(info.path)[len(path) + 1 :]: str(info.object_type) async for info in w.workspace.walk(path)}
    return {name: kind for name, kind in found.items() if kind != "DIRECTORY"}


async def test_extension_and_first_line_tell_notebooks_from_files(w: WorkspaceClient, local: Path) -> None:
    """A notebook loses its extension, a file keeps its name; missing folders above the target are made."""
    plant(local, TREE)
    report = await w.workspace.import_tree(local, "/Shared/a/b/")
    report.raise_for_failures()
    assert await there(w, "/Shared/a/b") == {
        "etl": "NOTEBOOK",
        "query": "NOTEBOOK",
        "deep/er/job": "NOTEBOOK",
        "deep/er/stats": "NOTEBOOK",
        "deep/er/x.py": "NOTEBOOK",
        "deep/helpers.py": "FILE",
        "deep/not.sql": "FILE",
        "deep/data.bin": "FILE",
        "deep/empty.txt": "FILE",
        "deep/.hidden": "FILE",
        "deep/häßlich & 100% #1?.csv": "FILE",
    }
    languages = {info.path: info.language async for info in w.workspace.walk("/Shared/a/b/deep/er")}
    assert list(dict(sorted(languages.items())).values()) == ["SCALA", "R", "PYTHON"]
    assert (await w.workspace.get_status("/Shared/a/b/empty")).object_type == "DIRECTORY"
    assert {(item.path, item.target, item.kind) for item in report.done} >= {
        (str(local / "etl.py"), "/Shared/a/b/etl", "NOTEBOOK"),
        (str(local / "deep"), "/Shared/a/b/deep", "DIRECTORY"),
    }
    assert report.bytes == sum(len(content or b"") for content in TREE.values())


async def test_out_and_in_and_out_again_is_the_same(
    w: WorkspaceClient, local: Path, tmp_path: Path, seen: Seen
) -> None:
    """The same names, the same bytes."""
    plant(local, TREE)
    (await w.workspace.import_tree(local, "/Shared/one")).raise_for_failures()
    (await w.workspace.export_tree("/Shared/one", tmp_path / "a")).raise_for_failures()
    (await w.workspace.import_tree(tmp_path / "a", "/Shared/two")).raise_for_failures()
    (await w.workspace.export_tree("/Shared/two", tmp_path / "b")).raise_for_failures()
    assert seen(tmp_path / "a") == seen(tmp_path / "b") == dict(sorted(TREE.items()))


async def test_ipynb_files_become_notebooks(w: WorkspaceClient, local: Path, tmp_path: Path, seen: Seen) -> None:
    """And come back as such when asked for."""
    plant(local, {"etl.py": PY})
    await w.workspace.import_tree(local, "/Shared/one")
    await w.workspace.export_tree("/Shared/one", tmp_path / "a", notebooks="JUPYTER")
    (await w.workspace.import_tree(tmp_path / "a", "/Shared/two")).raise_for_failures()
    assert await there(w, "/Shared/two") == {"etl": "NOTEBOOK"}
    await w.workspace.export_tree("/Shared/two", tmp_path / "b", notebooks="JUPYTER")
    assert list(seen(tmp_path / "b")) == ["etl.ipynb"]


async def test_a_first_line_in_other_writing(w: WorkspaceClient, local: Path) -> None:
    """Windows line ends, an extension in capitals, a header without a line end; and a header in the wrong language."""
    plant(
        local,
        {
            "crlf.py": PY.replace(b"\n", b"\r\n"),
            "capital.R": b"# Databricks notebook source\n1",
            "bare.py": b"# Databricks notebook source",
            "wrong.sql": PY,
            "later.py": b"\n" + PY,
            ".py": PY,
        },
    )
    (await w.workspace.import_tree(local, "/Shared/t")).raise_for_failures()
    assert await there(w, "/Shared/t") == {
        **{"crlf": "NOTEBOOK", "capital": "NOTEBOOK", "bare": "NOTEBOOK"},
        **{"wrong.sql": "FILE", "later.py": "FILE", ".py": "FILE"},
    }


async def test_nothing_is_overwritten_unasked(w: WorkspaceClient, local: Path) -> None:
    """What exists is a failure of its own; `overwrite` replaces it, but never by another kind of object."""
    plant(local, {"a": b"new", "n.py": PY, "f.py": b"file", "k.py": PY})
    await w.workspace.import_("/Shared/a", b"old", format="RAW")
    await w.workspace.import_("/Shared/k", b"file", format="RAW")
    report = await w.workspace.import_tree(local, "/Shared")
    assert {failure.path for failure in report.failures} == {str(local / "a"), str(local / "k.py")}
    assert {type(failure.error) for failure in report.failures} == {ResourceAlreadyExists}
    assert await w.workspace.download("/Shared/a", format="AUTO").read() == b"old"
    report = await w.workspace.import_tree(local, "/Shared", overwrite=True)
    assert [failure.path for failure in report.failures] == [str(local / "k.py")]
    assert await w.workspace.download("/Shared/a", format="AUTO").read() == b"new"
    assert await w.workspace.download("/Shared/k", format="AUTO").read() == b"file"


async def test_what_is_the_same_can_be_left_out(w: WorkspaceClient, workspace: LocalWorkspace, local: Path) -> None:
    """The same bytes, whatever the times say; a changed byte of the same size counts, and so does another kind."""
    plant(local, {"f": b"12345", "g": b"12345", "h": b"12345", "n.py": PY, "deep/m.py": PY, "deep/o.py": PY})
    await w.workspace.import_tree(local, "/Shared/t")
    plant(local, {"g": b"12346", "h": b"123456", "deep/o.py": PY + b"2", "deep/p": b"new"})
    workspace.journal.clear()
    report = await w.workspace.import_tree(local, "/Shared/t", skip_unchanged=True)
    same = {str(local / name) for name in ("f", "n.py", "deep/m.py")}
    changed = {str(local / name) for name in ("g", "h", "deep/o.py")}
    assert {skip.path for skip in report.skipped} == same
    assert {failure.path for failure in report.failures} == changed
    assert workspace.journal.count(IMPORT) == 4
    report = await w.workspace.import_tree(local, "/Shared/t", skip_unchanged=True, overwrite=True)
    assert report.ok
    assert {item.path for item in report.done if item.kind != "DIRECTORY"} == changed
    report = await w.workspace.import_tree(local, "/Shared/t", skip_unchanged=True)
    assert (len(report.skipped), report.failures) == (7, [])


async def test_what_was_just_exported_is_not_even_read(
    w: WorkspaceClient, workspace: LocalWorkspace, local: Path, tmp_path: Path
) -> None:
    """A file that has its object's time, to the millisecond, is that object."""
    plant(local, TREE)
    await w.workspace.import_tree(local, "/Shared/t")
    await w.workspace.export_tree("/Shared/t", tmp_path / "a")
    workspace.journal.clear()
    report = await w.workspace.import_tree(tmp_path / "a", "/Shared/t", skip_unchanged=True)
    assert (len(report.skipped), report.failures) == (11, [])
    targets = {Path(skip.path).relative_to(tmp_path / "a").as_posix(): skip.target for skip in report.skipped}
    assert all(target and target.startswith("/Shared/t/") for target in targets.values())
    assert workspace.journal.count(EXPORT) == workspace.journal.count(IMPORT) == 0


async def test_two_files_for_one_object(w: WorkspaceClient, local: Path) -> None:
    """Even with `overwrite` the second is a failure, and the first is kept."""
    plant(local, {"x": b"file", "x.py": PY, "y.py": PY, "y.sql": b"-- Databricks notebook source\n", "z/in": b""})
    plant(local, {"z.py": PY})
    report = await w.workspace.import_tree(local, "/Shared/t", overwrite=True)
    assert {failure.path for failure in report.failures} == {str(local / name) for name in ("x.py", "y.sql", "z.py")}
    assert await there(w, "/Shared/t") == {"x": "FILE", "y": "NOTEBOOK", "z/in": "FILE"}
    assert "has the same name in the workspace" in str(report.failures[0].error)


async def test_links_are_followed_inside_the_tree_only(w: WorkspaceClient, local: Path, tmp_path: Path) -> None:
    """Those that lead out are failures, loops do not hang, links to folders are skipped, a pipe is no file."""
    plant(local, {"real": b"1", "folder/file": b"2"})
    plant(tmp_path, {"secret": b"s"})
    (local / "good").symlink_to("real")
    (local / "out").symlink_to(tmp_path / "secret")
    (local / "sly").symlink_to("folder/../../secret")
    (local / "loop").symlink_to("loop")
    (local / "broken").symlink_to("nothing")
    (local / "folder" / "up").symlink_to("..")
    (local / "outside").symlink_to(tmp_path)
    os.mkfifo(local / "pipe")
    report = await w.workspace.import_tree(local, "/Shared/t")
    assert await there(w, "/Shared/t") == {"real": "FILE", "folder/file": "FILE", "good": "FILE"}
    assert {Path(failure.path).name for failure in report.failures} == {"out", "sly", "loop", "broken", "outside"}
    assert {Path(skip.path).name for skip in report.skipped} == {"up", "pipe"}


async def test_a_name_that_cannot_be_sent_is_a_failure(w: WorkspaceClient, local: Path) -> None:
    """One that is not Unicode; all others are imported."""
    plant(local, {"good": b"1", "bad\udcff": b"2", "folder\udcff/x": b"3"})
    report = await w.workspace.import_tree(local, "/Shared/t")
    assert {Path(failure.path).name for failure in report.failures} == {"bad\udcff", "folder\udcff"}
    assert await there(w, "/Shared/t") == {"good": "FILE"}


async def test_files_over_the_limits_are_failures_of_their_own(w: WorkspaceClient, local: Path) -> None:
    """A notebook of more than 10 MiB, a file of more than 500 MiB; the rest is imported."""
    plant(local, {"big.py": PY + b"#" * 10_485_760, "small": b"1"})
    with (local / "huge").open("wb") as file:
        file.truncate(500 * 1024 * 1024 + 1)
    report = await w.workspace.import_tree(local, "/Shared/t")
    assert {Path(failure.path).name: type(failure.error) for failure in report.failures} == {
        "big.py": MaxNotebookSizeExceeded,
        "huge": MaxNotebookSizeExceeded,
    }
    assert await there(w, "/Shared/t") == {"small": "FILE"}


async def test_a_folder_that_cannot_be_made_takes_its_files_with_it(
    w: WorkspaceClient, workspace: LocalWorkspace, local: Path
) -> None:
    """It is the failure; what is in it is skipped, and the rest goes on."""
    plant(local, {"blocked/a": b"1", "blocked/sub/b": b"2", "free/c": b"3"})
    await w.workspace.mkdirs("/Shared/t")
    await w.workspace.import_("/Shared/t/blocked", b"", format="RAW")
    report = await w.workspace.import_tree(local, "/Shared/t")
    assert {Path(failure.path).name for failure in report.failures} == {"blocked", "sub"}
    assert {(Path(skip.path).name, skip.reason) for skip in report.skipped} == {
        ("a", "its folder could not be made"),
        ("b", "its folder could not be made"),
    }
    assert await there(w, "/Shared/t/free") == {"c": "FILE"}


async def test_one_failure_does_not_stop_the_rest(w: WorkspaceClient, workspace: LocalWorkspace, local: Path) -> None:
    """Each is reported with its file."""
    plant(local, {f"f{number}": b"x" for number in range(12)})
    workspace.faults.add(IMPORT, Fault.error(403, "PERMISSION_DENIED"), times=2)
    report = await w.workspace.import_tree(local, "/Shared/t")
    assert [type(failure.error) for failure in report.failures] == [PermissionDenied] * 2
    assert len(report.done) == 10


async def test_what_concerns_everything_ends_the_import(
    w: WorkspaceClient, workspace: LocalWorkspace, local: Path
) -> None:
    """A token that is not accepted any more is raised, and not reported a thousand times."""
    plant(local, {f"f{number}": b"x" for number in range(100)})
    workspace.faults.add(IMPORT, Fault.error(401, "UNAUTHENTICATED"), times=1000)
    with pytest.raises(Unauthenticated):
        await w.workspace.import_tree(local, "/Shared/t")
    assert workspace.journal.count(IMPORT) < 100


async def test_a_wrong_place_is_reports_before_anything_is_sent(
    w: WorkspaceClient, workspace: LocalWorkspace, local: Path
) -> None:
    """No such folder, a file in its place, a relative path."""
    plant(local, {"file": b""})
    with pytest.raises(FileNotFoundError, match="nothing"):
        await w.workspace.import_tree(local / "nothing", "/Shared")
    with pytest.raises(NotADirectoryError, match="file"):
        await w.workspace.import_tree(local / "file", "/Shared")
    with pytest.raises(ValueError, match="begin with '/'"):
        await w.workspace.import_tree(local, "Shared")
    with pytest.raises(ValueError, match="concurrency"):
        await w.workspace.import_tree(local, "/Shared", concurrency=0)
    assert workspace.journal.count() == 0


async def test_the_target_itself_must_be_possible(w: WorkspaceClient, local: Path) -> None:
    """Its error is raised."""
    await w.workspace.import_("/Shared/file", b"", format="RAW")
    with pytest.raises(ResourceAlreadyExists):
        await w.workspace.import_tree(local, "/Shared/file")


async def test_progress_is_reports(w: WorkspaceClient, local: Path) -> None:
    """After each object."""
    plant(local, {"a": b"12345", "f/b.py": PY})
    reports: list[TreeProgress] = []
    await w.workspace.import_tree(local, "/Shared/t", on_progress=reports.append)
    assert [progress.done for progress in reports] == [1, 2, 3]
    assert {(Path(progress.path).name, progress.kind, progress.bytes) for progress in reports} == {
        ("a", "FILE", 5),
        ("f", "DIRECTORY", 0),
        ("b.py", "NOTEBOOK", len(PY)),
    }
    assert reports[-1].found == 3


@pytest.mark.usefixtures("virtual_time")
async def test_no_more_transfers_at_a_time_than_asked(
    w: WorkspaceClient, workspace: LocalWorkspace, local: Path
) -> None:
    """As the server sees it."""
    plant(local, {f"f{number}": b"x" for number in range(20)})
    workspace.faults.add(IMPORT, Fault.delay(1), probability=1.0)
    await w.workspace.import_tree(local, "/Shared/t", concurrency=3)
    assert workspace.journal.in_flight_max == 3


async def test_rate_limits_lose_nothing(workspace: LocalWorkspace, local: Path) -> None:
    """Refused uploads are sent again, whole."""
    tree = {f"f{number}": bytes([number]) * 1000 for number in range(60)}
    plant(local, tree)
    workspace.rate_limit = limit = RateLimit(per_second=100, burst=1, retry_after=0.02, endpoint=IMPORT)
    async with WorkspaceClient(config=Config(host=workspace.url, token=workspace.token)) as w:
        (await w.workspace.import_tree(local, "/Shared/t")).raise_for_failures()
        assert limit.refused
        for name, content in tree.items():
            assert await w.workspace.download(f"/Shared/t/{name}", format="AUTO").read() == content


@pytest.mark.parametrize("how", ["cancel", "close"])
async def test_an_import_cut_short_leaves_nothing_behind(
    w: WorkspaceClient, workspace: LocalWorkspace, local: Path, how: str
) -> None:
    """Cancelled, or its client closed, in the middle of uploads: no tasks, no requests."""
    plant(local, {f"d{number % 5}/f{number}": b"x" * 100_000 for number in range(50)})
    workspace.faults.add(IMPORT, Fault.hang(), times=100)
    importing = asyncio.create_task(w.workspace.import_tree(local, "/Shared/t"))
    await workspace.journal.until(lambda journal: journal.count(IMPORT) >= 8)
    if how == "cancel":
        importing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await importing
    else:
        await w.aclose()
        with pytest.raises(LifecycleError):
            await importing
    await workspace.journal.until(lambda journal: journal.in_flight == 0)


async def test_an_unreadable_folder_or_file_is_a_failure(
    w: WorkspaceClient, local: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of its own; the rest is imported."""
    plant(local, {"open": b"1", "locked.py": PY, "vault/x": b"2"})
    system_open = os.open

    def guarded(path: str, *args: int, **kwargs: int) -> int:
        if str(path).endswith(("vault", "locked.py")):
            raise PermissionError(13, "Permission denied", path)
        return system_open(path, *args, **kwargs)

    monkeypatch.setattr(os, "open", guarded)
    report = await w.workspace.import_tree(local, "/Shared/t")
    assert {Path(failure.path).name for failure in report.failures} == {"locked.py", "vault"}
    assert await there(w, "/Shared/t") == {"open": "FILE"}
