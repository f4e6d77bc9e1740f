"""Random operations, cancelled at a random await: afterwards nothing is held, nothing runs, and the next call works.

pytest tests/faults/test_cancelled_anywhere.py --cancellations 10000
"""

from __future__ import annotations

import asyncio
import itertools
import random

import pytest

from databricks_async import Config, WorkspaceClient
from databricks_async.errors import DatabricksError
from databricks_async.local import Fault

SPEC = {"cluster_name": "x", "spark_version": "16.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}
TASK = {"task_key": "a", "notebook_task": {"notebook_path": "/a"}}
NAMES = itertools.count()


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


async def pages(w, known):
    async for _ in w.clusters.events(known["cluster"], page_size=5):
        await asyncio.sleep(0)


async def wait(w, known):
    await w.clusters.wait_running(known["cluster"]).result()


async def watch(w, known):
    async for _ in w.clusters.watch(known["cluster"]):
        pass


async def run(w, known):
    await (await w.jobs.run_now(known["job"])).result()


async def many_runs(w, known):
    async with w.jobs.run_many([{"job_id": known["job"]}] * 3) as outcomes:
        async for _ in outcomes:
            pass


async def upload(w, known):
    async def content():
        for _ in range(3):
            yield b"x" * 1000
            await asyncio.sleep(0)

    await w.workspace.upload(f"/Shared/{next(NAMES)}", content(), format="AUTO")


async def download(w, known):
    async for _ in w.workspace.download("/Shared/file"):
        await asyncio.sleep(0)


async def tree(w, known):
    async for _ in w.workspace.walk("/"):
        await asyncio.sleep(0)


async def closing(w, known):
    async with WorkspaceClient(config=w.config) as other:
        await asyncio.gather(*(other.clusters.list_zones() for _ in range(3)))


SCENES = (call, create, crowd, group, pages, wait, watch, run, many_runs, upload, download, tree, closing)
FAULTS = (
    Fault.too_many_requests(0.05),
    Fault.drop(),
    Fault.drop(after=True),
    Fault.cut(),
    Fault.answer(503),
    Fault.delay(0.05),
)


def ours():
    """What the library runs beside the callers."""
    return {task for task in asyncio.all_tasks() if task.get_name().startswith("databricks_async")}


@pytest.mark.usefixtures("virtual_time")
async def test_cancelled_anywhere(workspace, pytestconfig):
    """The pool is whole, no task is left, limits are given back, and the next call works."""
    settings = {"max_connections": 2, "retry_timeout_seconds": 5, "poll_interval_seconds": 0.01}
    random_ = random.Random(5)  # noqa: S311 (repeatable, not secret)
    cancelled = 0
    async with WorkspaceClient(config=Config(host=workspace.url, token=workspace.token, **settings)) as w:
        known = {"cluster": (await w.clusters.create(SPEC)).cluster_id}
        known["job"] = (await w.jobs.create(name="j", tasks=[TASK])).job_id
        workspace.add_events(known["cluster"], 30)
        await w.workspace.upload("/Shared/file", b"x" * 5000, format="AUTO")
        for number in range(pytestconfig.getoption("cancellations")):
            scene = random_.choice(SCENES)
            if random_.random() < 0.3:
                workspace.faults.add("*", random_.choice(FAULTS))
            task = asyncio.create_task(scene(w, known))
            if random_.random() < 0.5:
                for _ in range(random_.randrange(60)):
                    await asyncio.sleep(0)
            else:
                await asyncio.sleep(random_.choice((0.001, 0.01, 0.1, 1.0)) * random_.random())
            task.cancel()
            (outcome,) = await asyncio.gather(task, return_exceptions=True)
            cancelled += isinstance(outcome, asyncio.CancelledError)
            what = f"{number}: {scene.__name__}: {outcome!r}"
            assert outcome is None or isinstance(outcome, asyncio.CancelledError | DatabricksError), what
            workspace.faults.clear()
            async with asyncio.timeout(60):
                await asyncio.gather(*(w.clusters.list_zones() for _ in range(3)))
                while left := ours():
                    await asyncio.wait(left)
            assert workspace.journal.connections <= 2, what
            if number % 50 == 0:
                workspace.journal.clear()
    assert cancelled > pytestconfig.getoption("cancellations") / 4
    assert ours() == set()
