"""Random operations, cancelled at a random await: afterwards nothing is held, nothing runs, and the next call works.

pytest tests/faults/test_cancelled_anywhere.py --cancellations 10000
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
from contextlib import suppress
from tempfile import TemporaryDirectory

import pytest

from databricks_async import Config, WorkspaceClient
from databricks_async.aio import gather
from databricks_async.errors import DatabricksError
from databricks_async.local import Fault

SPEC = {"cluster_name": "x", "spark_version": "16.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}
TASK = {"task_key": "a", "notebook_task": {"notebook_path": "/a"}}
NAMES = itertools.count()


# Calls, one and many


async def call(w, known):
    await w.clusters.list_zones()


async def create(w, known):
    await w.clusters.create(SPEC)


async def crowd(w, known):
    await asyncio.gather(*(w.clusters.list_zones() for _ in range(5)))


async def group(w, known):
    async with asyncio.TaskGroup() as tasks:
        for _ in range(3):
            tasks.create_task(w.clusters.get(known["cluster"]))


async def limited(w, known):
    with suppress(TimeoutError):
        async with asyncio.timeout(0.01 * next(NAMES) % 0.1):
            await asyncio.gather(w.clusters.list_zones(), w.clusters.wait_running(known["cluster"]).result())


async def pages(w, known):
    async for _ in w.clusters.events(known["cluster"], page_size=5):
        await asyncio.sleep(0)


# Waits, watches and streams


async def wait(w, known):
    await w.clusters.wait_running(known["cluster"]).result()


async def ensure(w, known):
    await asyncio.gather(*(w.clusters.ensure_cluster_is_running(known["down"]) for _ in range(2)))


async def watch(w, known):
    async for _ in w.clusters.watch(known["cluster"]):
        pass


async def watch_all(w, known):
    async for _ in w.clusters.watch(events=True):
        pass


async def watch_runs(w, known):
    async for _ in w.jobs.watch_runs(active=True):
        pass


async def follow(w, known):
    async for _ in w.clusters.follow_events(known["cluster"]):
        await asyncio.sleep(0)


async def follow_runs(w, known):
    async for _ in w.jobs.follow_runs(since=0):
        await asyncio.sleep(0)


# Runs


async def run(w, known):
    await (await w.jobs.run_now(known["job"])).result()


async def run_to_cancel(w, known):
    wait = await w.jobs.run_now(known["job"])
    async with wait.cancel_run_on_exit():
        await wait.result()


async def many_runs(w, known):
    async with w.jobs.run_many([{"job_id": known["job"]}] * 3) as outcomes:
        async for _ in outcomes:
            pass


async def many_runs_to_cancel(w, known):
    async with w.jobs.run_many([{"job_id": known["job"]}] * 3, cancel_on_exit=True) as outcomes:
        async for _ in outcomes:
            pass


# Content and trees


async def upload(w, known):
    async def content():
        for _ in range(3):
            yield b"x" * 1000
            await asyncio.sleep(0)

    await w.workspace.upload(f"/Shared/{next(NAMES)}", content(), format="AUTO")


async def upload_files(w, known):
    file = known["files"] / "a.txt"
    uploads = (w.workspace.upload(f"/Shared/{next(NAMES)}", file, format="AUTO") for _ in range(3))
    await asyncio.gather(*uploads)


async def download(w, known):
    async for _ in w.workspace.download("/Shared/file"):
        await asyncio.sleep(0)


async def save(w, known):
    with TemporaryDirectory(dir=known["scratch"]) as folder:
        await gather(w.workspace.download("/Shared/file").save(f"{folder}/{name}") for name in "abc")


async def walk(w, known):
    async for _ in w.workspace.walk("/"):
        await asyncio.sleep(0)


async def export_tree(w, known):
    with TemporaryDirectory(dir=known["scratch"]) as folder:
        try:
            await w.workspace.export_tree("/Shared/tree", folder)
        finally:
            assert {name for _, _, names in os.walk(folder) for name in names} <= {"a.txt", "b.txt", "c.txt"}


async def import_tree(w, known):
    await w.workspace.import_tree(known["files"], "/Shared/imported", overwrite=True)


# Closing


async def closing(w, known):
    async with WorkspaceClient(config=w.config) as other:
        await asyncio.gather(*(other.clusters.list_zones() for _ in range(3)))


async def closing_all(w, known):
    """In the middle of everything."""
    other = WorkspaceClient(config=w.config)
    scenes = (call, wait, watch_all, follow, download, many_runs, ensure, import_tree)
    tasks = [asyncio.create_task(scene(other, known)) for scene in scenes]
    known["under way"] = other, tasks
    await asyncio.sleep(0.001 * (next(NAMES) % 50))
    await other.aclose()


async def has_ended(other, tasks):
    """All that was under way when a client was closed ends by itself, also if the closing was cut off."""
    if tasks:
        await other.aclose()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        assert result is None or isinstance(result, DatabricksError | ExceptionGroup), repr(result)


SCENES = (
    *(call, create, crowd, group, limited, pages, wait, ensure, watch, watch_all, watch_runs, follow, follow_runs),
    *(run, run_to_cancel, many_runs, many_runs_to_cancel, upload, upload_files, download, save, walk),
    *(export_tree, import_tree, closing, closing_all),
)
FAULTS = (
    Fault.too_many_requests(0.05),
    Fault.drop(),
    Fault.drop(after=True),
    Fault.cut(),
    Fault.answer(503),
    Fault.delay(0.05),
    Fault.hang(),
    Fault.slow_body(0.05),
)


class Places:
    """A gate that many clients could share. Counts those that wait in it."""

    waiting = 0

    async def enter(self, host, family):
        self.waiting += 1
        try:
            await asyncio.sleep(0.001)
        finally:
            self.waiting -= 1
        return 0.0

    async def refused(self, host, family, seconds):
        await asyncio.sleep(0.001)


def ours():
    """What the library runs beside the callers."""
    return {task for task in asyncio.all_tasks() if task.get_name().startswith("databricks_async")}


async def use_all_limits(w, known):
    """More calls, transfers and polls than there is room for at a time: none may be held by what has gone."""
    calls = [w.clusters.list_zones() for _ in range(3)]
    calls += [
        w.workspace.download("/Shared/small").save(known["files"].parent / f"{name}", overwrite=True) for name in "abc"
    ]
    await asyncio.gather(*calls)
    assert (await anext(w.clusters.watch(known["cluster"]))).state == "PENDING"


def open_files():
    return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0


async def cancelled_at_random(task, random_):
    """Cancel it after some turns of the loop, or some time, now and then once more. Returns how it ended."""
    if random_.random() < 0.5:
        for _ in range(random_.randrange(60)):
            await asyncio.sleep(0)
    else:
        await asyncio.sleep(random_.choice((0.001, 0.01, 0.1, 1.0)) * random_.random())
    task.cancel()
    if random_.random() < 0.2:
        for _ in range(random_.randrange(5)):
            await asyncio.sleep(0)
        task.cancel()
    (outcome,) = await asyncio.gather(task, return_exceptions=True)
    return outcome


@pytest.fixture
async def known(workspace, tmp_path):
    """What the scenes use."""
    files = tmp_path / "files"
    (files / "b").mkdir(parents=True)
    for name in ("a.txt", "b/b.txt", "b/c.txt"):
        (files / name).write_bytes(b"x" * 2000)
        workspace.add_object(f"/Shared/tree/{name}", b"x" * 2000)
    workspace.add_object("/Shared/file", b"x" * 5000)
    workspace.add_object("/Shared/small", b"x")
    (tmp_path / "scratch").mkdir()
    async with WorkspaceClient(config=Config(host=workspace.url, token=workspace.token)) as w:
        down = (await w.clusters.create(SPEC)).cluster_id
        workspace.clock.advance(300)
        await w.clusters.delete(down)
        workspace.clock.advance(60)
        cluster = (await w.clusters.create(SPEC)).cluster_id
        job = (await w.jobs.create(name="j", tasks=[TASK], max_concurrent_runs=1000)).job_id
    workspace.add_events(cluster, 30)
    return {"cluster": cluster, "down": down, "job": job, "files": files, "scratch": tmp_path / "scratch"}


@pytest.mark.usefixtures("virtual_time")
async def test_cancelled_anywhere(workspace, known, service_principal, pytestconfig):
    """The pool is whole, no task is left, limits are given back, and the next call works."""
    settings = {"max_connections": 2, "retry_timeout_seconds": 5, "poll_interval_seconds": 0.01}
    config = Config(host=workspace.url, **service_principal, **settings)
    random_ = random.Random(5)  # noqa: S311 (repeatable, not secret)
    cancelled, places, files = 0, Places(), 0
    async with WorkspaceClient(config=config, gate=places) as w:
        for number in range(pytestconfig.getoption("cancellations")):
            scene = random_.choice(SCENES)
            if random_.random() < 0.3:
                workspace.faults.add("*", random_.choice(FAULTS))
            if random_.random() < 0.1:
                workspace.revoke_tokens()
            outcome = await cancelled_at_random(asyncio.create_task(scene(w, known)), random_)
            cancelled += isinstance(outcome, asyncio.CancelledError)
            what = f"{number}: {scene.__name__}: {outcome!r}"
            assert outcome is None or isinstance(outcome, asyncio.CancelledError | DatabricksError), what
            workspace.faults.clear()
            async with asyncio.timeout(60):
                await has_ended(*known.pop("under way", (w, ())))
                await use_all_limits(w, known)
                while left := ours():
                    await asyncio.wait(left)
            assert workspace.journal.connections <= 2, what
            assert places.waiting == 0, what
            assert os.listdir(known["scratch"]) == [], what
            files = files or open_files()
            assert open_files() <= files + 4, what  # both sides of two connections
            if number % 50 == 0:
                workspace.journal.clear()
                await w.jobs.cancel_all_runs(known["job"])
                workspace.clock.advance(0.001)
                for cluster in await w.clusters.list().collect():
                    if cluster.cluster_id not in (known["cluster"], known["down"]):
                        await w.clusters.permanent_delete(cluster.cluster_id)
    assert cancelled > pytestconfig.getoption("cancellations") / 4
    assert ours() == set()
