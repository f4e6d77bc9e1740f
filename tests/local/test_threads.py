"""A local workspace in a thread of its own: `with`, its end, and its methods in other threads than the one that serves.

Here are the tests of `local/http/loop_thread.py`, `local/turns.py`, and of the locks of `local/state.py`,
`local/journal.py`, `local/faults.py` and `local/clock.py`.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from databricks_async import WorkspaceClient
from databricks_async.errors import DatabricksError, LifecycleError
from databricks_async.local import Clock, Fault, LocalWorkspace


def others():
    return [thread.name for thread in threading.enumerate() if thread.name == "local workspace"]


async def paths(ws, **settings):
    async with WorkspaceClient(host=ws.url, token=ws.token, **settings) as w:
        return [found.path async for found in w.workspace.list("/Shared")]


def test_a_plain_with_serves_programs_without_a_loop_and_with_several():
    with LocalWorkspace() as ws:
        ws.add_object("/Shared/etl", b"print(1)", language="PYTHON")
        assert [asyncio.run(paths(ws)) for _ in range(2)] == [["/Shared/etl"]] * 2
        assert others() == ["local workspace"]
        host, port = "127.0.0.1", int(ws.url.rpartition(":")[2])
    assert others() == []
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, port)).close()
    with ws:  # what it holds stays, as with `async with`
        assert asyncio.run(paths(ws)) == ["/Shared/etl"]
        assert ws.url == f"http://{host}:{port}"


async def test_a_plain_with_does_not_need_the_loop_that_it_stands_in():
    with LocalWorkspace() as ws:
        ws.faults.add("GET /api/{v}/workspace/list", Fault.hang())
        hanging = asyncio.create_task(paths(ws, retry_timeout_seconds=0.1))
        await ws.journal.until(lambda journal: journal.in_flight == 1)
    with pytest.raises(DatabricksError):
        await hanging
    assert others() == []


def test_what_cannot_start_leaves_no_thread():
    with LocalWorkspace() as ws:
        with pytest.raises(RuntimeError, match="already started"), ws:
            pass
        with pytest.raises(OSError, match="in use"), LocalWorkspace(port=int(ws.url.rpartition(":")[2])):
            pass
        assert others() == ["local workspace"]
        assert asyncio.run(paths(ws)) == []
    assert others() == []


def test_a_method_waits_for_the_request_that_is_served():
    """Here for a task's function, which is called while a request is dealt with."""
    order: list[str] = []
    called, added = threading.Event(), threading.Event()

    def work(parameters: dict[str, str]) -> None:
        called.set()
        added.wait(0.05)  # time enough for the other thread to come in between
        order.append("task")

    def add() -> None:
        called.wait(5)
        ws.add_object("/Shared/etl", b"1")
        order.append("object")
        added.set()

    async def submit() -> None:
        async with WorkspaceClient(host=ws.url, token=ws.token, poll_interval_seconds=0.005) as w:
            wait = await w.jobs.submit(tasks=[{"task_key": "load", "notebook_task": {"notebook_path": "/load"}}])
            await wait.result()

    with LocalWorkspace(clock=Clock.sped_up(1e6)) as ws, ThreadPoolExecutor() as threads:
        ws.script_task("load", call=work)
        other = threads.submit(add)
        asyncio.run(submit())
        other.result(5)
    assert order == ["task", "object"]


@pytest.fixture
def hasty_threads():
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_everything_at_once(hasty_threads):
    """From several threads, while requests are served: each call takes effect once, and none fails."""
    rounds, workers = 25, 4

    def use(worker: int) -> None:
        for number in range(rounds):
            name = f"{worker}-{number}"
            ws.add_object(f"/Shared/{name}", b"1", language="PYTHON")
            ws.add_user(f"{name}@example.com", f"token-{name}")
            ws.add_service_principal(name, "secret")
            ws.script_task(name, duration=1)
            ws.fail_next_start(cluster_name=name)
            ws.add_policy(name, {})
            ws.faults.add("GET /nowhere", Fault.drop())
            ws.clock.advance(1)
            ws.issue_token(name)
            ws.revoke_tokens(f"token-{name}")
            assert ws.journal.count("GET /nowhere") == 0
            assert repr(ws.faults).startswith("<Faults")
            assert "Journal" in repr(ws.journal)

    async def ask() -> int:
        asked = 0
        async with WorkspaceClient(host=ws.url, token=ws.token) as w:
            while any(not one.done() for one in working) or not asked:
                await asyncio.gather(w.workspace.list("/Users").collect(), w.clusters.list().collect())
                asked += 2
            assert len(await w.workspace.list("/Shared").collect()) == rounds * workers
        return asked + 1

    with LocalWorkspace(clock=Clock.by_hand()) as ws, ThreadPoolExecutor() as threads:
        began = ws.clock.now()
        working = [threads.submit(use, worker) for worker in range(workers)]
        asked = asyncio.run(ask())
        for one in working:
            one.result()
        assert ws.journal.count() == asked
        assert ws.clock.now() - began == rounds * workers * 1000
        assert len(ws.faults) == rounds * workers
        ws.faults.clear()
        ws.journal.clear()
        assert (len(ws.faults), ws.journal.count()) == (0, 0)


async def test_the_journal_wakes_what_waits_in_other_loops():
    """In one that has ended there is nothing to wake."""
    with LocalWorkspace() as ws:
        ended = asyncio.new_event_loop()
        lost = ended.create_task(ws.journal.until(lambda journal: journal.count() == 1))

        def begin_and_cancel() -> None:
            ended.run_until_complete(asyncio.sleep(0))
            lost.cancel()
            ended.run_until_complete(asyncio.wait([lost]))
            ended.close()

        await asyncio.to_thread(begin_and_cancel)
        waiting = asyncio.create_task(ws.journal.until(lambda journal: journal.count() == 1))
        await asyncio.sleep(0)
        assert not waiting.done()
        await asyncio.to_thread(asyncio.run, paths(ws))
        await waiting


async def test_a_client_belongs_to_the_loop_of_its_async_with():
    with LocalWorkspace() as ws:
        async with WorkspaceClient(host=ws.url, token=ws.token) as w:
            with pytest.raises(LifecycleError, match=r"another event loop, .*the same loop_scope"):
                await asyncio.to_thread(asyncio.run, w.workspace.get_status("/Shared"))
            assert ws.journal.count() == 0
            assert (await w.workspace.get_status("/Shared")).path == "/Shared"
