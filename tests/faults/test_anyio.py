"""Under the cancel scopes of anyio, which cancel again at each turn of the loop: what waits on costs no CPU.

FastAPI and MCP servers cancel so.
"""

from __future__ import annotations

import asyncio
import selectors
import threading

import anyio
import pytest

from databricks_async import WorkspaceClient
from databricks_async.aio import off_loop
from databricks_async.local import Clock, Fault, LocalWorkspace

SPEC = {"cluster_name": "x", "spark_version": "16.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}
TASK = {"task_key": "a", "notebook_task": {"notebook_path": "/a"}}
MAX_TURNS = 400
"""A loop that never rests makes tens of thousands in the same time."""


class Counting(selectors.DefaultSelector):
    """Counts the turns of a loop."""

    turns = 0

    def select(self, timeout=None):
        Counting.turns += 1
        return super().select(timeout)


def run(scene):
    """Run it, in a loop that counts. Returns its result."""
    Counting.turns = 0
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(Counting())) as runner:
        return runner.run(scene)


def test_work_in_a_thread_is_waited_for_at_rest():
    """The caller that is cancelled gets its cancellation when the thread has ended, and the loop has rested."""
    ended = threading.Event()

    async def scene():
        with anyio.CancelScope() as scope:
            loop = asyncio.get_running_loop()
            loop.call_later(0.05, scope.cancel)
            loop.call_later(0.4, ended.set)
            await off_loop(ended.wait, 20)
        return scope.cancelled_caught

    assert run(scene())
    assert ended.is_set()
    assert Counting.turns < 50


async def hanging(w, cluster_id, job_id, faults):
    faults.add("*", Fault.hang(), times=5)
    await w.clusters.list_zones()


async def refused(w, cluster_id, job_id, faults):
    faults.add("*", Fault.too_many_requests(60))
    await w.clusters.list_zones()


async def backing_off(w, cluster_id, job_id, faults):
    faults.add("*", Fault.answer(500, headers={"Retry-After": "60"}))
    await w.clusters.list_zones()


async def waiting(w, cluster_id, job_id, faults):
    await w.clusters.wait_running(cluster_id).result()


async def watching(w, cluster_id, job_id, faults):
    async for _ in w.clusters.watch(cluster_id):
        pass


async def cancelling_on_exit(w, cluster_id, job_id, faults):
    wait = await w.jobs.run_now(job_id)
    faults.add("POST /api/2.2/jobs/runs/cancel", Fault.delay(0.3))
    async with wait.cancel_run_on_exit():
        await wait.result()


@pytest.mark.parametrize(
    "scene",
    [hanging, refused, backing_off, waiting, watching, cancelling_on_exit],
    ids=lambda scene: scene.__name__,
)
def test_a_cancelled_operation_ends_at_rest(scene):
    """At once, or when what must be waited for has ended; the client works on."""

    async def cancelled():
        async with LocalWorkspace(clock=Clock.by_hand()) as ws:
            async with WorkspaceClient(host=ws.url, token=ws.token, poll_interval_seconds=0.05) as w:
                cluster_id = (await w.clusters.create(SPEC)).cluster_id
                job_id = (await w.jobs.create(name="j", tasks=[TASK])).job_id
                with anyio.CancelScope() as scope:
                    asyncio.get_running_loop().call_later(0.2, scope.cancel)
                    await scene(w, cluster_id, job_id, ws.faults)
                turns = Counting.turns
                ws.faults.clear()
                await w.libraries.all_cluster_statuses().collect()
            async with asyncio.timeout(5):
                await ws.journal.until(lambda journal: journal.connections == 0)
            return scope.cancelled_caught, turns

    caught, turns = run(cancelled())
    assert caught
    assert turns < MAX_TURNS
