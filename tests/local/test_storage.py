"""A workspace that stays: what a directory keeps from one start to the next, and snapshots.

Here are the tests of `local/storage/store.py`, `local/storage/writer.py`, `local/storage/documents.py`,
`local/storage/watched.py`, `local/storage/file.py` and `local/storage/kept.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import sqlite3
import stat

import pytest

from databricks_async import WorkspaceClient
from databricks_async.errors import DatabricksError, InvalidParameterValue, OutcomeUnknown, PermissionDenied
from databricks_async.local import Clock, Fault, LocalWorkspace, StorageError
from support.processes import STRICT_PYTHON, own_output

CLUSTER = {"spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}
NOTEBOOK = {"notebook_task": {"notebook_path": "/Shared/etl"}}


@contextlib.asynccontextmanager
async def opened(path=None, **options):
    """A workspace that a test's clock moves, and a client of it."""
    async with (
        LocalWorkspace(path=path, clock=Clock.by_hand(), **options) as ws,
        WorkspaceClient(host=ws.url, token=ws.token, poll_interval_seconds=0.005) as w,
    ):
        yield ws, w


def rows(file):
    """All that a file holds, but for the time, which it holds of the latest change, and how often it was opened."""
    with contextlib.closing(sqlite3.connect(file)) as connection:
        found = {}
        for table in ("clusters", "policies", "jobs", "runs", "objects"):
            found[table] = connection.execute(f"SELECT id, document FROM {table} ORDER BY position").fetchall()  # noqa: S608
        for table in ("events", "contents", "tokens"):
            found[table] = sorted(connection.execute(f"SELECT * FROM {table}"))  # noqa: S608
        found["facts"] = sorted(connection.execute("SELECT * FROM facts WHERE name = 'table_versions'"))
        actions = connection.execute("SELECT moment, document FROM actions ORDER BY number").fetchall()
        found["actions"] = [(moment, json.loads(document)) for moment, document in actions]
        return found


async def everything(w, *, objects=True):
    """What the service shows of all that a workspace holds."""
    clusters = [one.as_dict() async for one in w.clusters.list()]
    events = {one["cluster_id"]: [e.as_dict() async for e in w.clusters.events(one["cluster_id"])] for one in clusters}
    libraries = [one.as_dict() async for one in w.libraries.all_cluster_statuses()]
    jobs = [one.as_dict() async for one in w.jobs.list(expand_tasks=True)]
    runs = [(await w.jobs.get_run(one.run_id)).as_dict() async for one in w.jobs.list_runs(expand_tasks=True)]
    shown = {"clusters": clusters, "events": events, "libraries": libraries, "jobs": jobs, "runs": runs, "objects": {}}
    if objects:
        async with w.workspace.walk("/") as walk:
            async for found in walk:
                is_directory = found.object_type == "DIRECTORY"
                content = None if is_directory else await w.workspace.export(found.path, format="AUTO")
                shown["objects"][found.path] = (found.as_dict(), content)
    for run in runs:  # the port is another one each time
        run["run_page_url"] = None
        for task in run.get("tasks", ()):
            task["run_page_url"] = None
    return shown


async def fill(ws, w):
    """One of each, in states of all kinds."""
    ws.add_policy("small", {"num_workers": {"type": "range", "maxValue": 3}}, policy_id="P1")
    ws.add_object("/Shared/a.csv", b"1,2\n")
    ws.add_object("/Shared/sales.lvdash.json", b"{}")
    cells = [{"cell_type": "code", "source": "1", "metadata": {"tags": ["x"]}, "outputs": [], "execution_count": 1}]
    jupyter = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    await w.workspace.import_("/Shared/etl", json.dumps(jupyter), format="JUPYTER")
    await w.workspace.mkdirs("/Shared/gone/deep")
    await w.workspace.delete("/Shared/gone", recursive=True)
    running = await w.clusters.create(**CLUSTER, cluster_name="running", autotermination_minutes=60, policy_id="P1")
    ended = await w.clusters.create(
        **CLUSTER, cluster_name="ended", init_scripts=[{"workspace": {"destination": "/i"}}]
    )
    await w.libraries.install(running.cluster_id, [{"pypi": {"package": "numpy"}}, {"jar": "/x.jar"}])
    ws.clock.advance(301)
    await w.clusters.pin(running.cluster_id)
    await w.clusters.delete(ended.cluster_id)
    child = await w.jobs.create(name="child", tasks=[{"task_key": "c", **NOTEBOOK}])
    loop = {"inputs": '["1", "2", "3"]', "concurrency": 2, "task": {"task_key": "one", **NOTEBOOK}}
    check = {"op": "EQUAL_TO", "left": "{{job.parameters.day}}", "right": "monday"}
    tasks = [
        {"task_key": "load", **NOTEBOOK, "existing_cluster_id": running.cluster_id, "max_retries": 2},
        {"task_key": "loop", "for_each_task": loop, "depends_on": [{"task_key": "load"}]},
        {"task_key": "check", "condition_task": check},
        {"task_key": "child", "run_job_task": {"job_id": child.job_id}, "depends_on": [{"task_key": "loop"}]},
        {"task_key": "own", **NOTEBOOK, "new_cluster": CLUSTER, "timeout_seconds": 900},
    ]
    job = await w.jobs.create(
        name="parent", tasks=tasks, parameters=[{"name": "day", "default": "monday"}], max_concurrent_runs=2,
        queue={"enabled": True},
    )  # fmt: skip
    ws.script_task("load", error="no such table", duration=20, times=1)
    for token in ("first", "second", "third"):
        await w.jobs.run_now(job.job_id, idempotency_token=token)
    every_minute = {"quartz_cron_expression": "0 * * * * ?", "timezone_id": "UTC"}
    await w.jobs.create(name="cron", tasks=[{"task_key": "a", **NOTEBOOK}], schedule=every_minute)
    await w.jobs.create(name="always", tasks=[{"task_key": "a", **NOTEBOOK}], continuous={"pause_status": "UNPAUSED"})
    watch = {"file_arrival": {"url": "/Volumes/raw", "wait_after_last_change_seconds": 60}}
    await w.jobs.create(name="files", tasks=[{"task_key": "a", **NOTEBOOK}], trigger=watch)
    ws.file_arrived("/Volumes/raw/1.csv")
    ws.table_updated("main.sales.orders")
    await w.jobs.submit(run_name="once", tasks=[{"task_key": "a", **NOTEBOOK}], timeout_seconds=10)
    deleted = await w.jobs.submit(run_name="gone", tasks=[{"task_key": "a", **NOTEBOOK}], idempotency_token="gone")
    await w.jobs.cancel_run(deleted.run_id)
    ws.clock.advance(7)
    await w.jobs.delete_run(deleted.run_id)
    return job


async def test_all_of_it_is_there_after_a_restart(tmp_path):
    async with opened(tmp_path / "data") as (ws, w):
        await fill(ws, w)
        before = await everything(w)
    assert {kind: len(found) > 0 for kind, found in before.items()} == dict.fromkeys(before, True)
    async with opened(tmp_path / "data") as (ws, w):
        assert await everything(w) == before
        assert (await w.workspace.export("/Shared/etl", format="JUPYTER")).count(b'"x"') == 1
        with pytest.raises(InvalidParameterValue, match="num_workers"):
            await w.clusters.create(**{**CLUSTER, "num_workers": 4}, policy_id="P1")


def course(shown):
    """How it went: what is drawn by chance left out."""
    runs = [
        (run["run_name"], run["start_time"], run.get("end_time"), run["state"], [
            (task["task_key"], task["attempt_number"], task["start_time"], task["end_time"], task["state"])
            for task in run.get("tasks", ())
        ])
        for run in shown["runs"]
    ]  # fmt: skip
    clusters = [(one["state"], one.get("terminated_time"), one.get("termination_reason")) for one in shown["clusters"]]
    events = [[(event["timestamp"], event["type"]) for event in found] for found in shown["events"].values()]
    statuses = [[one["status"] for one in found.get("library_statuses", ())] for found in shown["libraries"]]
    return json.loads(json.dumps([sorted(runs, key=str), clusters, events, statuses]).replace("cluster_id", ""))


EVERY = 8
"""Moves from one comparison to the next; 1 finds the move that was not written."""

STEPS = (5, 31, 64, 250, 11, 3600)


async def test_what_is_under_way_goes_on_as_if_nothing_had_been(tmp_path):
    """Retries, iterations, queues, schedules, time limits, libraries, idle clusters: a restart at any point of it."""
    async with opened() as (ws, w):
        await fill(ws, w)
        whole = []
        for seconds in STEPS:
            ws.clock.advance(seconds)
            whole.append(course(await everything(w, objects=False)))
    async with opened(tmp_path / "data") as (ws, w):
        await fill(ws, w)
    for seconds, expected in zip(STEPS, whole, strict=True):
        async with opened(tmp_path / "data") as (ws, w):
            ws.clock.advance(seconds)
            assert course(await everything(w, objects=False)) == expected


async def holds_all(ws, data, folder):
    """Whether the directory holds just what the workspace writes when it writes itself as a whole."""
    number = len(list(folder.iterdir()))
    ws.save(folder / f"{number}-whole")
    read = []
    for path in (data, folder / f"{number}-whole"):  # read, so that what has lapsed is in neither
        async with LocalWorkspace(snapshot=path, clock=Clock.by_hand()) as copy:
            copy.save(folder / f"{number}-{len(read)}")
        read.append(rows(folder / f"{number}-{len(read)}"))
    return read[0] == read[1]


@pytest.mark.parametrize("seed", [3])
async def test_every_change_is_written_at_once(tmp_path, seed):
    """Whatever is done in whichever order: the file never lacks anything, and holds nothing that is gone."""
    dice = random.Random(seed)  # noqa: S311
    saves = tmp_path / "saves"
    saves.mkdir()
    async with opened(tmp_path / "data", seed=seed) as (ws, w):
        job = await fill(ws, w)
        assert await holds_all(ws, tmp_path / "data", saves)

        async def one(listing):
            return dice.choice(await listing.collect() or [None])

        async def cluster():
            return getattr(await one(w.clusters.list()), "cluster_id", "none")

        async def run():
            return getattr(await one(w.jobs.list_runs()), "run_id", 1)

        async def any_job():
            return getattr(await one(w.jobs.list()), "job_id", 1)

        async def add():
            ws.add_object(f"/Shared/{dice.random()}", b"1" * dice.randrange(9))

        async def arrive():
            ws.file_arrived("/Volumes/raw/2.csv")

        async def commit():
            ws.table_updated("main.sales.orders")

        async def history():
            ws.add_events(await cluster(), 3, every=100)

        async def overlay():
            ws.overlay(await cluster(), default_tags={"a": str(dice.random())})

        async def move():
            ws.clock.advance(dice.choice([0, 1, 30, 61, 400]))

        moves = [
            add, arrive, commit, history, overlay, move, move, move,
            lambda: w.clusters.create(**CLUSTER, idempotency_token=str(dice.randrange(3))),
            lambda: w.clusters.start(dice_cluster), lambda: w.clusters.delete(dice_cluster),
            lambda: w.clusters.restart(dice_cluster), lambda: w.clusters.resize(dice_cluster, num_workers=2),
            lambda: w.clusters.unpin(dice_cluster), lambda: w.clusters.permanent_delete(dice_cluster),
            lambda: w.libraries.uninstall(dice_cluster, [{"pypi": {"package": "numpy"}}]),
            lambda: w.jobs.run_now(job.job_id), lambda: w.jobs.cancel_run(dice_run),
            lambda: w.jobs.cancel_all_runs(dice_job), lambda: w.jobs.delete_run(dice_run),
            lambda: w.jobs.repair_run(dice_run, rerun_all_failed_tasks=True), lambda: w.jobs.delete(dice_job),
            lambda: w.jobs.update(dice_job, new_settings={"timeout_seconds": 50, "max_concurrent_runs": 3}),
            lambda: w.jobs.update(dice_job, new_settings={"continuous": {"pause_status": "PAUSED"}}),
            lambda: w.workspace.import_("/Shared/etl", str(dice.random()), language="SQL", overwrite=True),
            lambda: w.workspace.delete("/Shared/a.csv"),
            lambda: w.workspace.mkdirs(f"/Shared/{dice.random()}/b"),
        ]  # fmt: skip
        done = set()
        for step in range(60):
            dice_cluster, dice_run, dice_job = await cluster(), await run(), await any_job()
            number = dice.randrange(len(moves))
            with contextlib.suppress(DatabricksError):  # not all is allowed in all states
                await moves[number]()
                done.add(number)
            if step % EVERY == 0:
                assert await holds_all(ws, tmp_path / "data", saves), f"after move {number}"
        assert len(done) > 15


SERVE = "import sys; from databricks_async.cli import main; sys.exit(main(['serve', '--port', '0', *sys.argv[1:]]))"


async def served(data):
    """A server of its own on this directory, and a client of it."""
    process = await asyncio.create_subprocess_exec(
        *(*STRICT_PYTHON, "-c", SERVE, "--speed", "1", "--data", str(data)), stdout=-1, stderr=-1
    )
    lines = [(await process.stdout.readline()).decode().strip() for _ in range(2)]
    host, token = (line.partition("=")[2] for line in lines)
    return process, WorkspaceClient(host=host, token=token)


async def test_what_was_answered_survives_kill_9(tmp_path):
    """And while the server lives, nobody else writes, but anybody may read."""
    data = tmp_path / "new" / "data"
    process, w = await served(data)
    async with w:
        cluster = await w.clusters.create(**CLUSTER)
        runs = await asyncio.gather(
            *(w.jobs.submit(tasks=[{"task_key": "a", **NOTEBOOK}], idempotency_token=f"{n}") for n in range(20))
        )
        await w.workspace.upload("/Shared/a.bin", bytes(300_000), format="RAW")
        with pytest.raises(StorageError, match=r"in use by another.*snapshot="), LocalWorkspace(path=data):
            pass
        with LocalWorkspace(snapshot=data) as copy:
            assert copy.url
        process.kill()
        await process.communicate()
    assert process.returncode == -signal.SIGKILL
    async with opened(data) as (ws, w):
        assert (await w.clusters.get(cluster.cluster_id)).state == "PENDING"
        assert {run.run_id async for run in w.jobs.list_runs()} == {run.run_id for run in runs}
        again = await w.jobs.submit(tasks=[{"task_key": "a", **NOTEBOOK}], idempotency_token="7")
        assert again.run_id == runs[7].run_id
        assert await w.workspace.export("/Shared/a.bin") == bytes(300_000)
        ws.clock.advance(600)
        assert (await w.jobs.get_run(runs[0].run_id)).state.result_state == "SUCCESS"
        assert (await w.clusters.get(cluster.cluster_id)).state == "RUNNING"
        process = await asyncio.create_subprocess_exec(
            *(*STRICT_PYTHON, "-c", SERVE, "--data", str(data)), stdout=-1, stderr=-1
        )
        out, err = await process.communicate()
    assert (process.returncode, out) == (1, b"")
    message = own_output(err)
    assert message.startswith(f"databricks-async serve: {data} is in use by another local workspace")
    assert message.count("\n") == 1


async def test_files_are_for_their_owner_alone_and_hold_no_credentials(tmp_path):
    before = os.umask(0)
    try:
        async with opened(tmp_path / "data", token="dapi-secret-1") as (ws, w):
            ws.add_user("ann@example.com", "dapi-secret-2")
            ws.add_service_principal("client", "secret-3")
            issued = ws.issue_token("client")
            await w.clusters.create(**CLUSTER)
            ws.save(tmp_path / "saved")
            found = [*(tmp_path / "data").iterdir(), tmp_path / "saved"]
            assert len(found) >= 4  # the log and its index are there while it is written
            assert {stat.S_IMODE(file.stat().st_mode) for file in found} == {0o600}
            assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
            content = b"".join(file.read_bytes() for file in found)
    finally:
        os.umask(before)
    assert b"ann@example.com" in content
    assert not [
        secret for secret in ("dapi-secret-1", "dapi-secret-2", "secret-3", issued) if secret.encode() in content
    ]
    assert sorted(file.name for file in (tmp_path / "data").iterdir()) == ["workspace.lock", "workspace.sqlite3"]


async def test_a_snapshot_is_loaded_and_left_as_it_is(tmp_path):
    """Of a directory, or a file that any workspace wrote of itself."""
    async with opened() as (ws, w):
        cluster = await w.clusters.create(**CLUSTER)
        ws.add_object("/Shared/a.csv", b"1,2")
        ws.save(tmp_path / "saved.sqlite3")
        with pytest.raises(FileExistsError):
            ws.save(tmp_path / "saved.sqlite3")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "workspace.sqlite3").write_bytes((tmp_path / "saved.sqlite3").read_bytes())
    for snapshot in (tmp_path / "data", str(tmp_path / "saved.sqlite3")):
        for _ in range(2):
            async with opened(snapshot=snapshot) as (ws, w):
                assert await w.workspace.export("/Shared/a.csv") == b"1,2"
                ws.clock.advance(300)
                assert (await w.clusters.get(cluster.cluster_id)).state == "RUNNING"
                await w.clusters.permanent_delete(cluster.cluster_id)
                await w.workspace.delete("/Shared/a.csv")
                job = await w.jobs.create(name="new", tasks=[{"task_key": "a", **NOTEBOOK}])
                assert job.job_id is not None
    assert sorted(file.name for file in tmp_path.rglob("*")) == ["data", "saved.sqlite3", "workspace.sqlite3"]
    assert (tmp_path / "data" / "workspace.sqlite3").read_bytes() == (tmp_path / "saved.sqlite3").read_bytes()


def spoil(file, *statements):
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


async def test_a_file_of_a_later_release_is_refused_or_read_as_far_as_it_is_known(tmp_path):
    """Newer tables are refused, and left as they are; a field that a newer release has added is skipped."""
    file = tmp_path / "workspace.sqlite3"
    async with opened(tmp_path) as (_, w):
        job = await w.jobs.create(name="kept", tasks=[{"task_key": "a", **NOTEBOOK}])
    for table in ("clusters", "jobs", "runs", "objects", "policies"):
        spoil(file, f"UPDATE {table} SET document = json_set(document, '$.invented', 1)")  # noqa: S608
    async with opened(tmp_path) as (_, w):
        assert (await w.jobs.get(job.job_id)).settings.name == "kept"
    spoil(file, "PRAGMA user_version = 2")
    content = file.read_bytes()
    for how in ({"path": tmp_path}, {"snapshot": tmp_path}):
        with (
            pytest.raises(StorageError, match=r"newer release .*version 2 .*reads up to 1.*upgrade"),
            LocalWorkspace(**how),
        ):
            pass
    assert file.read_bytes() == content


async def test_what_is_no_workspace_is_told(tmp_path):
    """And left as it is; the directory can be used once it is gone."""
    (tmp_path / "other").mkdir()
    spoil(tmp_path / "other" / "workspace.sqlite3", "CREATE TABLE theirs (id)")
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "workspace.sqlite3").write_bytes(b"no database, but long enough for one" * 9)
    (tmp_path / "half").mkdir()
    async with opened(tmp_path / "half"):
        pass
    spoil(tmp_path / "half" / "workspace.sqlite3", "UPDATE objects SET document = '{}'")
    for name, why in (("other", "not that of a local"), ("text", "not a database"), ("half", "cannot be understood")):
        content = (tmp_path / name / "workspace.sqlite3").read_bytes()
        for how in ({"path": tmp_path / name}, {"snapshot": tmp_path / name}):
            with pytest.raises(StorageError, match=why), LocalWorkspace(**how):
                pass
        assert (tmp_path / name / "workspace.sqlite3").read_bytes() == content
    with pytest.raises(StorageError, match="is a file"), LocalWorkspace(path=tmp_path / "text" / "workspace.sqlite3"):
        pass
    with (
        pytest.raises(StorageError, match="cannot be made"),
        LocalWorkspace(path=tmp_path / "text/workspace.sqlite3/a"),
    ):
        pass
    with pytest.raises(StorageError, match="there is no workspace in"), LocalWorkspace(snapshot=tmp_path / "nothing"):
        pass
    with pytest.raises(TypeError, match="not both"):
        LocalWorkspace(path=tmp_path, snapshot=tmp_path)
    (tmp_path / "text" / "workspace.sqlite3").unlink()
    async with opened(tmp_path / "text") as (_, w):
        assert await w.clusters.list().collect() == []


async def test_what_cannot_be_written_is_an_error_and_written_later(tmp_path):
    """An answer of 200 means that it is in the file."""
    async with opened(tmp_path) as (ws, w):
        await w.workspace.mkdirs("/Shared/first")
        with contextlib.closing(sqlite3.connect(tmp_path / "workspace.sqlite3", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(OutcomeUnknown, match="cannot be written: database is locked"):
                await w.request("POST", "/api/2.0/workspace/mkdirs", body={"path": "/Shared/second"})
            with pytest.raises(StorageError, match="cannot be written"):
                ws.add_object("/Shared/third", b"3")
        assert await w.workspace.export("/Shared/third") == b"3"
        with LocalWorkspace(snapshot=tmp_path) as copy:
            for path in ("/Shared/first", "/Shared/second", "/Shared/third"):
                with pytest.raises(ValueError, match="exists"):
                    copy.add_object(path)


async def test_contents_come_with_the_start_and_stay_at_the_end(tmp_path):
    """Before it, what would be lost is refused; persons and scripts may be added at any time."""
    ws = LocalWorkspace(path=tmp_path, clock=Clock.by_hand())
    ws.add_user("ann@example.com", "dapi-ann")
    ws.script_task("load", output="done")
    with pytest.raises(RuntimeError, match="between its start and its end"):
        ws.add_object("/Shared/a", b"1")
    for _ in range(2):
        with ws:
            async with WorkspaceClient(host=ws.url, token="dapi-ann") as w:
                await w.workspace.mkdirs("/Users/ann@example.com/project")
                with pytest.raises(PermissionDenied):
                    await w.jobs.get(1)
    with ws:
        with pytest.raises(RuntimeError, match="already started"):
            await ws.start()
        ws.add_object("/Shared/still-kept", b"1")
    with LocalWorkspace(snapshot=tmp_path) as copy, pytest.raises(ValueError, match="exists"):
        copy.add_object("/Shared/still-kept")
    with pytest.raises(RuntimeError, match="between"):
        ws.save(tmp_path / "late")


async def test_reset_empties_the_file_and_a_seed_fills_a_new_one(tmp_path):
    seed = {"path": "/Shared/seed", "object_type": "FILE", "content": "MQ=="}
    for content in (b"1", b"2"):
        ws = LocalWorkspace(path=tmp_path, clock=Clock.by_hand())
        ws.load(seed)
        async with ws, WorkspaceClient(host=ws.url, token=ws.token) as w:
            assert await w.workspace.export("/Shared/seed") == content
            await w.workspace.upload("/Shared/seed", b"2", format="RAW", overwrite=True)
    async with opened(tmp_path) as (ws, w):
        await w.clusters.create(**CLUSTER)
        ws.faults.add("GET */workspace/export", Fault.stale())
        await w.workspace.upload("/Shared/seed", b"3", format="RAW", overwrite=True)
        assert await w.workspace.export("/Shared/seed") == b"2"
        ws.reset()
        await w.workspace.mkdirs("/Shared/new")
    async with opened(tmp_path) as (_, w):
        assert await w.clusters.list().collect() == []
        assert [one.path async for one in w.workspace.list("/Shared")] == ["/Shared/new"]


async def test_a_cancelled_end_gives_the_file_back(tmp_path, monkeypatch):
    """The next workspace can have it, though the server's own end was not waited for."""
    workspace = LocalWorkspace(path=tmp_path)
    await workspace.start()
    close = workspace._server.close
    monkeypatch.setattr(workspace._server, "close", asyncio.Event().wait)
    closing = asyncio.create_task(workspace.close())
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    await close()
    async with LocalWorkspace(path=tmp_path):
        pass
