"""Cancelled at any moment, by its caller or by Ctrl-C: nothing is held, nothing runs on, nothing warns."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Coroutine

import pytest

from databricks_async import Config, WorkspaceClient
from databricks_async.errors import RequestTimeout
from databricks_async.local import Fault
from support.processes import STRICT_PYTHON, own_output

GET = "GET /api/2.1/clusters/get"
LIST = "GET /api/2.1/clusters/list"
TOKEN = "POST /oidc/v1/token"
EXPORT = "GET /api/2.0/workspace/export"
SPEC = {"cluster_name": "x", "spark_version": "16.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}


@pytest.fixture
async def terminated(workspace, connect):
    """The id of a cluster that is down."""
    client = connect(workspace.url, token=workspace.token)
    cluster_id = (await client.clusters.create(SPEC)).cluster_id
    workspace.clock.advance(300)
    await client.clusters.delete(cluster_id)
    workspace.clock.advance(60)
    await client.aclose()
    workspace.add_events(cluster_id, 100)
    return cluster_id


class Stepped(Coroutine):
    """A coroutine whose task is cancelled at its n-th await: while it waits there, or just as the waiting ends."""

    def __init__(self, coroutine, step, when):
        self._coroutine = coroutine
        self._step = step
        self._when = when
        self.steps = 0
        self.task = asyncio.create_task(self)

    def send(self, value):
        awaited = self._coroutine.send(value)
        self.steps += 1
        if self.steps == self._step:
            if awaited is not None and self._when == "as it ends":
                # Called before the task's own callback, which wakes it up.
                awaited.add_done_callback(lambda _: self.task.cancel())
            else:
                asyncio.get_running_loop().call_soon(self.task.cancel)
        return awaited

    def throw(self, *error):
        return self._coroutine.throw(*error)

    def close(self):
        self._coroutine.close()

    def __await__(self):
        return self._coroutine.__await__()


async def plain(w, workspace, cluster_id):
    await w.clusters.list_zones()


async def created(w, workspace, cluster_id):
    await w.clusters.create(SPEC)


async def refused_and_lost(w, workspace, cluster_id):
    workspace.faults.add(GET, Fault.too_many_requests(0.01), Fault.drop())
    await w.clusters.get(cluster_id)


async def paged(w, workspace, cluster_id):
    assert len(await w.clusters.events(cluster_id, page_size=2, max_items=6).collect()) == 6


async def in_a_crowd(w, workspace, cluster_id):
    others = [asyncio.create_task(w.clusters.list_zones()) for _ in range(2)]
    try:
        await asyncio.sleep(0)
        await w.clusters.list_zones()
    finally:
        await asyncio.gather(*others)


async def waited_for(w, workspace, cluster_id):
    wait = await w.clusters.start(cluster_id)
    reading = asyncio.create_task(workspace.journal.until(lambda journal: journal.count(GET) > 2))
    reading.add_done_callback(lambda _: workspace.clock.advance(300))
    try:
        await wait.result()
    finally:
        reading.cancel()


async def brought_up(w, workspace, cluster_id):
    reading = asyncio.create_task(workspace.journal.until(lambda journal: journal.count(GET) > 2))
    reading.add_done_callback(lambda _: workspace.clock.advance(300))
    try:
        await w.clusters.ensure_cluster_is_running(cluster_id)
    finally:
        reading.cancel()


SCENES = (plain, created, refused_and_lost, paged, in_a_crowd, waited_for, brought_up)


@pytest.mark.usefixtures("virtual_time")
@pytest.mark.parametrize("when", ["while it waits", "as it ends"])
@pytest.mark.parametrize("oauth", [False, True], ids=["token", "oauth"])
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
async def test_cancelled_at_every_await(workspace, terminated, service_principal, scene, oauth, when):
    """The caller is cancelled, its place and connection are free again, and the client works on and closes."""
    who = service_principal if oauth else {"token": workspace.token}
    settings = {"max_connections": 2, "retry_timeout_seconds": 1, "poll_interval_seconds": 0.002} | who
    step, ended = 0, False
    while not ended:
        step += 1
        workspace.journal.clear()
        async with WorkspaceClient(config=Config(host=workspace.url, **settings)) as w:
            stepped = Stepped(scene(w, workspace, terminated), step, when)
            async with asyncio.timeout(5):
                (result,) = await asyncio.gather(stepped.task, return_exceptions=True)
                ended = stepped.steps < step
                assert result is None if ended else isinstance(result, asyncio.CancelledError | None)
                workspace.faults.clear()
                await asyncio.gather(*(w.clusters.list_zones() for _ in range(5)))
                for cluster in await w.clusters.list().collect():
                    if cluster.cluster_id != terminated:
                        await w.clusters.permanent_delete(cluster.cluster_id)
                await w.clusters.delete(terminated)
                workspace.clock.advance(60)
        assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("databricks_async")]
        async with asyncio.timeout(5):
            await workspace.journal.until(lambda journal: journal.connections == 0)
    assert step > 1


@pytest.mark.usefixtures("virtual_time")
@pytest.mark.parametrize("offset", [-0.002, -0.001, 0.0, 0.001, 0.002])
async def test_a_deadline_about_the_time_of_a_cancellation(workspace, connect, offset):
    """A call that was cancelled never goes on to its next try, whichever came first."""
    workspace.faults.add(LIST, Fault.hang(), times=100)
    client = connect(workspace.url, token=workspace.token, http_timeout_seconds=0.03, retry_timeout_seconds=1)
    task = asyncio.create_task(client.clusters.list().collect())
    await workspace.journal.until(lambda journal: journal.in_flight == 1)
    asyncio.get_running_loop().call_later(0.03 + offset, task.cancel)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert workspace.journal.count() == 1
    with pytest.raises(RequestTimeout):
        await (
            connect(workspace.url, token=workspace.token, http_timeout_seconds=0.03, retry_timeout_seconds=0)
            .clusters.list()
            .collect()
        )
    await client.aclose()


# Ctrl-C

SCRIPT = """
import asyncio, faulthandler, sys, tempfile
import aiohttp
from databricks_async import Config, WorkspaceClient

TASK = {"task_key": "a", "notebook_task": {"notebook_path": "/a"}}

faulthandler.dump_traceback_later(20, exit=True)

async def call(w, cluster_id):
    await w.clusters.list().collect()

async def in_a_group(w, cluster_id):
    async with asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(w.clusters.list().collect())

async def page(w, cluster_id):
    async for _ in w.clusters.events(cluster_id, page_size=1):
        pass

async def wait(w, cluster_id):
    await (await w.clusters.start(cluster_id)).result()

async def bring_up(w, cluster_id):
    await asyncio.gather(*(w.clusters.ensure_cluster_is_running(cluster_id) for _ in range(3)))

async def in_all_at_once(w, cluster_id):
    async def many():
        async with w.jobs.run_many([{"run_name": "x", "tasks": [TASK]}] * 3, cancel_on_exit=True) as outcomes:
            async for _ in outcomes:
                pass

    async def follow():
        async for _ in w.clusters.follow_events(cluster_id):
            pass

    async def watch():
        async for _ in w.clusters.watch():
            pass

    async def tree():
        with tempfile.TemporaryDirectory() as folder:
            await w.workspace.export_tree("/Shared", folder)

    async with asyncio.TaskGroup() as group:
        for scene in (many(), follow(), watch(), tree(), wait(w, cluster_id)):
            group.create_task(scene)

async def main(url, credentials, scene, cluster_id):
    one, _, two = credentials.partition(":")
    who = {"client_id": one, "client_secret": two} if two else {"token": one}
    async with WorkspaceClient(config=Config(host=url, poll_interval_seconds=0.01, **who)) as w:
        await globals()[scene](w, cluster_id)

try:
    asyncio.run(main(*sys.argv[1:]))
except KeyboardInterrupt:
    sys.exit(7)
"""

INTERRUPTED = {
    "in flight, several": ("in_a_group", LIST, Fault.hang(), 5),
    "in a back-off": ("call", LIST, Fault.answer(500, headers={"Retry-After": "60"}), 1),
    "at a shut gate": ("in_a_group", LIST, Fault.too_many_requests(60), 1),
    "while it fetches a token": ("call", TOKEN, Fault.hang(), 1),
    "in a wait": ("wait", GET, None, 3),
    "while it starts a cluster": ("bring_up", GET, None, 3),
    "in runs, streams, watches and trees": ("in_all_at_once", EXPORT, Fault.hang(), 1),
    "in a loop over pages": ("page", "POST /api/2.1/clusters/events", Fault.delay(0.01), 3),
}


@pytest.mark.parametrize("name", INTERRUPTED)
async def test_ctrl_c(workspace, terminated, service_principal, name):
    """The program ends at once, without a warning in Python's own development mode, and hangs up."""
    scene, endpoint, fault, count = INTERRUPTED[name]
    credentials = ":".join(service_principal.values()) if endpoint == TOKEN else workspace.token
    workspace.journal.clear()
    workspace.add_object("/Shared/file", b"x")
    if fault is not None:
        workspace.faults.add(endpoint, fault, times=100)
    process = await asyncio.create_subprocess_exec(
        *(*STRICT_PYTHON, "-c", SCRIPT),
        *(workspace.url, credentials, scene, terminated),
        env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(120):
            await workspace.journal.until(lambda journal: journal.count(endpoint) >= count)
            process.send_signal(signal.SIGINT)
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert (own_output(output), process.returncode) == ("", 7)
