"""Trees that keep to their folder while others plant links in it, and what a killed export leaves behind.

Tests `workspace/files.py` and `workspace/folders.py`.
"""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from databricks_async import WorkspaceClient
from databricks_async.local import Fault, LocalWorkspace
from databricks_async.workspace import files, folders
from databricks_async.workspace.trees import export as export_module
from databricks_async.workspace.trees import import_ as import_module

EXPORT = "GET /api/{v}/workspace/export"
IMPORT = "POST /api/{v}/workspace/import"


@pytest.fixture(params=["open folders", "paths"])
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With names relative to open folders, and as on a system that has no such thing."""
    if request.param == "paths":
        monkeypatch.setattr(folders, "HAS_DIR_FD", False)
    return str(request.param)


@pytest.fixture
def local(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    folder.mkdir()
    return folder


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret").write_bytes(b"secret")
    return folder


def swap(path: Path, target: Path) -> None:
    """Plant a link in place of what is there."""
    path.rename(path.with_name(f"{path.name}.aside"))
    path.symlink_to(target)


def names_of_files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


async def uploaded(w: WorkspaceClient) -> list[bytes]:
    return [
        await w.workspace.download(info.path or "").read()
        async for info in w.workspace.walk("/Shared")
        if info.object_type == "FILE"
    ]


async def test_an_export_follows_no_folder_that_became_a_link(
    w: WorkspaceClient, workspace: LocalWorkspace, local: Path, outside: Path, system: str
) -> None:
    """After the folder was made and looked at, before its files come."""
    for number in range(4):
        workspace.add_object(f"/Shared/t/deep/{number}", b"x")
    make = export_module._Export._is_there

    def planted(self: object, info: object, place: str) -> bool:
        found = make(self, info, place)  # type: ignore[arg-type]
        if not (local / "deep").is_symlink():
            swap(local / "deep", outside)
        return found

    export_module._Export._is_there = planted  # type: ignore[method-assign]
    try:
        report = await w.workspace.export_tree("/Shared/t", local, concurrency=1)
    finally:
        export_module._Export._is_there = make  # type: ignore[method-assign]
    assert {failure.path for failure in report.failures} == {f"/Shared/t/deep/{number}" for number in range(4)}
    assert {type(failure.error) for failure in report.failures} == {PermissionError}
    assert os.listdir(outside) == ["secret"]


async def test_an_export_follows_no_link_that_is_planted_during_a_download(
    w: WorkspaceClient, workspace: LocalWorkspace, local: Path, outside: Path
) -> None:
    """The file goes where its folder was opened, whatever its path leads to by then."""
    workspace.add_object("/Shared/t/deep/a", b"x")
    workspace.faults.add(EXPORT, Fault.delay(0.2))
    folder = asyncio.Event()  # made, also for itself and not only for the file
    export = asyncio.create_task(w.workspace.export_tree("/Shared/t", local, on_progress=lambda _: folder.set()))
    await workspace.journal.until(lambda journal: journal.in_flight == 1 and journal.count(EXPORT) == 1)
    await folder.wait()
    swap(local / "deep", outside)
    (await export).raise_for_failures()
    assert os.listdir(outside) == ["secret"]
    assert os.listdir(local / "deep.aside") == ["a"]


@pytest.mark.parametrize("what", ["a file", "a folder", "an inner file"])
async def test_an_import_sends_nothing_that_has_taken_the_place_of_a_file(
    w: WorkspaceClient, workspace: LocalWorkspace, local: Path, outside: Path, what: str, system: str
) -> None:
    """A link that is planted after the look: a failure, and the secret that it points to stays here."""
    (local / "deep").mkdir()
    (local / "deep" / "secret").write_bytes(b"harmless")
    (local / "secret").write_bytes(b"harmless")
    read = import_module._read

    def planted(*args: object) -> object:
        entries = read(*args)  # type: ignore[arg-type]
        if args[1] is None and what != "an inner file":
            swap(
                local / ("secret" if what == "a file" else "deep"), outside / "secret" if what == "a file" else outside
            )
        elif args[1] is not None and what == "an inner file":
            swap(local / "deep", outside)
        return entries

    import_module._read = planted  # type: ignore[assignment]
    try:
        report = await w.workspace.import_tree(local, "/Shared/t")
    finally:
        import_module._read = read
    assert len(report.failures) == 1
    assert isinstance(report.failures[0].error, OSError)
    assert set(await uploaded(w)) == {b"harmless"}


async def test_an_import_sends_no_other_file_of_the_tree_either(w: WorkspaceClient, local: Path) -> None:
    """What was looked at is what is sent: not what was renamed over it, nor what was written since."""
    for name in ("renamed", "written", "kept"):
        (local / name).write_bytes(b"old")
    read = import_module._read

    def changed(*args: object) -> object:
        entries = read(*args)  # type: ignore[arg-type]
        (local / "other").write_bytes(b"new")
        (local / "other").rename(local / "renamed")
        (local / "written").write_bytes(b"newer")
        return entries

    import_module._read = changed  # type: ignore[assignment]
    try:
        report = await w.workspace.import_tree(local, "/Shared/t")
    finally:
        import_module._read = read
    assert {Path(failure.path).name for failure in report.failures} == {"renamed", "written"}
    assert "is not what was there when the tree was read" in str(report.failures[0].error)
    assert await uploaded(w) == [b"old"]


async def test_links_within_the_tree_are_followed(
    w: WorkspaceClient, workspace: LocalWorkspace, local: Path, outside: Path, system: str
) -> None:
    """Absolute and relative ones, up and down; a loop of them is not."""
    (local / "real" / "deep").mkdir(parents=True)
    (local / "relative").symlink_to("real/deep")
    (local / "absolute").symlink_to(local / "real")
    (local / "real" / "up").symlink_to("../real/deep/..")
    (local / "loop").symlink_to("loop")
    (local / "far").symlink_to("../outside")
    for folder in ("relative", "absolute", "real/up", "loop", "far"):
        workspace.add_object(f"/Shared/t/{folder}/{folder.replace('/', '-')}", b"x")
    report = await w.workspace.export_tree("/Shared/t", local)
    assert {failure.path.split("/")[3] for failure in report.failures} == {"loop", "far"}
    assert (local / "real" / "deep" / "relative").is_file()
    assert (local / "real" / "absolute").is_file()
    assert (local / "real" / "real-up").is_file()
    assert os.listdir(outside) == ["secret"]


@pytest.mark.parametrize("kind", ["pipe", "device", "link to a device", "link to a pipe"])
async def test_only_regular_files_are_replaced(
    w: WorkspaceClient, workspace: LocalWorkspace, tmp_path: Path, kind: str
) -> None:
    """As root, saving to /dev/null would replace it for the whole machine."""
    workspace.add_object("/Shared/x", b"x")
    target = tmp_path / "x"
    if kind == "pipe":
        os.mkfifo(target)
    elif kind == "device":
        try:
            os.mknod(target, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        except PermissionError:
            target = Path("/dev/null")
    elif kind == "link to a pipe":
        os.mkfifo(tmp_path / "pipe")
        target.symlink_to(tmp_path / "pipe")
    else:
        target.symlink_to("/dev/null")
    before = os.lstat(target)
    with pytest.raises(FileExistsError, match="is no regular file, and only those are replaced"):
        await w.workspace.download("/Shared/x").save(target, overwrite=True)
    assert os.path.samestat(os.lstat(target), before)
    assert workspace.journal.count(EXPORT) == 0


KILLED = """
import asyncio, os, signal, sys
from databricks_async import WorkspaceClient

async def main():
    async with WorkspaceClient(host=sys.argv[1], token=sys.argv[2]) as w:
        await w.workspace.export_tree("/Shared/t", sys.argv[3])

asyncio.run(main())
"""


async def test_what_a_killed_export_leaves_is_removed_by_the_next(
    w: WorkspaceClient, workspace: LocalWorkspace, local: Path
) -> None:
    """At once, in each of its folders; and an import never sends it."""
    for name in ("a", "deep/b"):
        workspace.add_object(f"/Shared/t/{name}", b"x" * 100_000)
    workspace.faults.add(EXPORT, Fault.hang(), times=2)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, workspace.url, workspace.token, str(local), stderr=subprocess.DEVNULL
    )
    await workspace.journal.until(lambda journal: journal.in_flight == 2)
    process.kill()
    await process.wait()
    scraps = names_of_files(local)
    assert len(scraps) == 2
    assert {name[:18] + name[-5:] for name in scraps} == {".databricks-async-.part"}

    workspace.faults.clear()
    report = await w.workspace.import_tree(local, "/Shared/copy")
    assert {(Path(skip.path).name, skip.reason) for skip in report.skipped} == {
        (name, "a temporary file of an export") for name in scraps
    }
    report = await w.workspace.export_tree("/Shared/t", local)
    report.raise_for_failures()
    assert names_of_files(local) == ["a", "b"]


async def test_what_others_are_writing_is_not_removed(
    w: WorkspaceClient, workspace: LocalWorkspace, local: Path
) -> None:
    """A process that lives, another machine's, and files that only look alike."""
    with folders.opened_folder(str(local)) as folder:
        mine = files.begin(folder, "x", overwrite=False)
        parts = mine.name.split("-")
        kept = {
            mine.name,
            "-".join([*parts[:2], parts[2], str(os.getppid()), *parts[4:]]),
            "-".join([*parts[:2], "00000000", "999999999", *parts[4:]]),
            ".databricks-async-notes.part",
        }
        gone = {
            "-".join([*parts[:3], "999999999", *parts[4:]]),
            "-".join([*parts[:4], "00000000", parts[5]]),
        }
        for name in (kept | gone) - {mine.name}:
            (local / name).write_bytes(b"")
        workspace.add_object("/Shared/t/a", b"x")
        await w.workspace.export_tree("/Shared/t", local)
        assert set(os.listdir(local)) == kept | {"a"}
        files.discard(mine)


@pytest.mark.parametrize(("first", "second"), [("Report", "REPORT"), ("caf\u00e9", "cafe\u0301")])
@pytest.mark.parametrize("folds", [True, False])
async def test_names_that_are_one_on_this_file_system(
    w: WorkspaceClient,
    workspace: LocalWorkspace,
    local: Path,
    monkeypatch: pytest.MonkeyPatch,
    first: str,
    second: str,
    folds: bool,
) -> None:
    """The second one is a failure, also with `overwrite`: it would replace the first. Elsewhere both are files."""
    look = folders.Folder.look

    def found(folder: folders.Folder, name: str) -> os.stat_result | None:
        # Of the file that the export tries it with, every other writing is there too.
        return look(folder, name) or (os.stat(local) if name.lower().startswith(".databricks") else None)

    if folds:
        monkeypatch.setattr(folders.Folder, "look", found)
    for name in (first, second):
        workspace.add_object(f"/Shared/t/{name}", name.encode())
    report = await w.workspace.export_tree("/Shared/t", local, overwrite=True)
    assert len(report.failures) == folds
    assert len(names_of_files(local)) == 2 - folds
    if folds:
        assert isinstance(report.failures[0].error, FileExistsError)


async def test_hidden_names_are_reported_and_others_can_be_left_out(w: WorkspaceClient, local: Path) -> None:
    """`.env` and `.git` are easily forgotten."""
    for name in (".env", ".git/config", "src/main.py", "src/main.pyc", "data/raw/big", "data/small"):
        (local / name).parent.mkdir(parents=True, exist_ok=True)
        (local / name).write_bytes(b"1")
    report = await w.workspace.import_tree(local, "/Shared/t")
    assert sorted(report.hidden) == [str(local / ".env"), str(local / ".git")]
    assert len(await uploaded(w)) == 6

    await w.workspace.delete("/Shared/t", recursive=True)
    report = await w.workspace.import_tree(local, "/Shared/t", exclude=[".git/", ".env", "*.pyc", "data/raw"])
    report.raise_for_failures()
    assert report.hidden == []
    excluded = {skip.path for skip in report.skipped if skip.reason == "excluded"}
    assert excluded == {str(local / name) for name in (".git", ".env", "src/main.pyc", "data/raw")}
    assert {item.target for item in report.done if item.bytes} == {"/Shared/t/src/main.py", "/Shared/t/data/small"}
    with pytest.raises(TypeError, match="exclude takes a list of patterns"):
        await w.workspace.import_tree(local, "/Shared/t", exclude=".git")
