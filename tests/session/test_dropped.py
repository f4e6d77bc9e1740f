"""Clients that nobody closes, and loops that end under them: one warning that names the place, and nothing open.

Here are the tests of `session/dropped.py`.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import ssl
import subprocess
import sys
import warnings
from contextlib import contextmanager

import aiohttp
import pytest
import trustme

from databricks_async import WorkspaceClient
from databricks_async.local import Clock, Fault, LocalWorkspace
from support.processes import STRICT_PYTHON, own_output

SPEC = {"cluster_name": "x", "spark_version": "16.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}


@contextmanager
def warned(monkeypatch, caplog):
    """Collects the warnings of a block, of what it leaves to be freed as well. Nothing else may be complained of."""
    unraisable = []
    monkeypatch.setattr(sys, "unraisablehook", unraisable.append)
    gc.collect()
    with warnings.catch_warnings(record=True) as caught, caplog.at_level(logging.WARNING):
        warnings.simplefilter("always")
        yield caught
        gc.collect()
    assert unraisable == []
    assert caplog.messages == []


@pytest.fixture
def warnings_of(monkeypatch, caplog):
    return lambda: warned(monkeypatch, caplog)


@pytest.fixture
def served(request, tmp_path):
    """A workspace in a thread of its own, over http unless a test says otherwise, and the settings of its clients."""
    tls, settings = None, {}
    if getattr(request, "param", "http") == "https":
        authority = trustme.CA()
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(tls)
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        settings["ca_bundle"] = str(tmp_path / "ca.pem")
    with LocalWorkspace(tls=tls, clock=Clock.by_hand()) as workspace:
        yield workspace, {"host": workspace.url, "token": workspace.token, **settings}


both_schemes = pytest.mark.parametrize("served", ["http", "https"], indirect=True)


def line_of(function, text):
    """The file, and the line in it where a function has this text."""
    code, first = function.__code__.co_filename, function.__code__.co_firstlineno
    with open(code) as file:
        return code, next(number for number, line in enumerate(file, 1) if number > first and text in line)


async def used(settings):
    """A client that was used, and is open."""
    w = WorkspaceClient(**settings)  # here
    await asyncio.gather(*(w.clusters.list_zones() for _ in range(3)))
    return w


def check(caught, count=1):
    """Each warning is ours, and says where the client was made."""
    file, line = line_of(used, "# here")
    assert [(one.category, one.filename, one.lineno) for one in caught] == [(ResourceWarning, file, line)] * count
    assert {f"it was made at {file}:{line}" in str(one.message) for one in caught} == {True}


async def none_open(workspace):
    """Waits until the workspace has seen the end of each connection."""
    async with asyncio.timeout(5):
        await workspace.journal.until(lambda journal: journal.connections == 0)


@both_schemes
def test_dropped_while_its_loop_runs(served, warnings_of):
    """In the loop, and in another thread: the connections end at once, and the loop goes on."""
    workspace, settings = served

    async def main():
        for collect in (lambda: asyncio.to_thread(gc.collect), lambda: asyncio.sleep(0, gc.collect())):
            await used(settings)
            await collect()
            await none_open(workspace)
        async with WorkspaceClient(**settings) as w:
            await w.clusters.list_zones()

    with warnings_of() as caught:
        asyncio.run(main())
    check(caught, 2)


def of_uvloop(caught):
    """What uvloop says of its own when it is closed with connections, which asyncio does without a word."""
    return [one for one in caught if str(one.message).startswith("unclosed resource <TCPTransport ")]


@both_schemes
@pytest.mark.parametrize("kept", [False, True], ids=["dropped in its loop", "dropped later"])
def test_open_when_its_loop_is_closed(served, warnings_of, kept):
    """By `asyncio.run`, by hand as asyncio's manual has it, and in one go, which leaves the client no time."""
    workspace, settings = served

    async def main(held):
        w = await used(settings)
        if kept:
            held.append(w)

    with warnings_of() as caught:
        held = []
        asyncio.run(main(held))
        for is_in_one_go in (False, True):
            loop = asyncio.new_event_loop()
            loop.run_until_complete(main(held))
            if not is_in_one_go:
                loop.run_until_complete(loop.shutdown_asyncgens())
                loop.run_until_complete(none_open(workspace))
            assert of_uvloop(caught) == []
            loop.close()
        assert len(held) == 3 * kept
        held.clear()
    check([one for one in caught if one not in of_uvloop(caught)], 3)
    asyncio.run(none_open(workspace))


def test_what_ends_with_the_loop_has_its_requests(served, warnings_of):
    """A generator that is closed with the loop may clean up behind itself, and leaves no connection."""
    workspace, settings = served

    async def cluster(w):
        cluster_id = (await w.clusters.create(SPEC)).cluster_id
        try:
            yield cluster_id
        finally:
            await w.clusters.permanent_delete(cluster_id)

    async def main():
        w = await used(settings)
        open_clusters.append(cluster(w))
        await anext(open_clusters[0])
        assert len(await w.clusters.list().collect()) == 1

    with warnings_of() as caught:
        open_clusters = []
        asyncio.run(main())
        asyncio.run(none_open(workspace))
        open_clusters.clear()
    check(caught)
    assert workspace.journal.count("*/permanent-delete") == 1


async def waits(w, cluster_id, job_id):
    await w.clusters.wait_running(cluster_id).result()


async def watches(w, cluster_id, job_id):
    async for _ in w.clusters.watch():
        pass


async def follows(w, cluster_id, job_id):
    async for _ in w.clusters.follow_events(cluster_id):
        pass


async def starts_many(w, cluster_id, job_id):
    async with w.jobs.run_many([{"job_id": job_id}] * 3) as outcomes:
        async for _ in outcomes:
            pass


async def downloads(w, cluster_id, job_id):
    async for _ in w.workspace.download("/Shared/file"):
        await asyncio.sleep(60)


async def hangs(w, cluster_id, job_id):
    await w.libraries.all_cluster_statuses().collect()


async def backs_off(w, cluster_id, job_id):
    await w.clusters.spark_versions()


async def is_refused(w, cluster_id, job_id):
    await w.workspace.list("/").collect()


def test_tasks_under_way_when_the_loop_ends(served, warnings_of):
    """`asyncio.run` returns in the middle of all that a client can do: its tasks are cancelled, and it is dropped."""
    workspace, settings = served
    workspace.add_object("/Shared/file", b"x" * 3_000_000)

    async def main():
        w = await used(settings | {"poll_interval_seconds": 0.02})
        cluster_id = (await w.clusters.create(SPEC)).cluster_id
        job_id = (await w.jobs.create(name="j", notebook_task={"notebook_path": "/a"})).job_id
        workspace.faults.add("GET */all-cluster-statuses", Fault.hang())
        workspace.faults.add("GET */spark-versions", Fault.answer(500, headers={"Retry-After": "60"}))
        workspace.faults.add("GET */workspace/list", Fault.too_many_requests(60))
        scenes = (waits, watches, follows, starts_many, downloads, hangs, backs_off, is_refused)
        tasks = [asyncio.create_task(scene(w, cluster_id, job_id)) for scene in scenes]
        workspace.journal.clear()
        async with asyncio.timeout(20):
            await workspace.journal.until(
                lambda journal: journal.count("*/runs/get") + journal.count("*/runs/list") > 1
            )
        assert not any(task.done() for task in tasks)
        return tasks

    with warnings_of() as caught:
        tasks = asyncio.run(main())
        assert all(task.cancelled() for task in tasks)
        tasks.clear()
    check(caught)


def test_what_it_offers_outlives_it(served, warnings_of):
    """Its services and pagers go on when the client itself is forgotten, and the last one takes the connections."""
    _, settings = served

    async def main():
        pager = (await used(settings)).clusters.list()
        gc.collect()
        assert await pager.collect() == []
        assert caught == []

    with warnings_of() as caught:
        asyncio.run(main())
    check(caught)


def test_no_warning_without_reason(served, warnings_of):
    """Never used, closed, closed by a cancelled task, or with a session that was lent."""
    workspace, settings = served
    workspace.add_service_principal("id", "secret")
    oauth = {"host": workspace.url, "client_id": "id", "client_secret": "secret"}

    async def main():
        WorkspaceClient(**settings)
        await (await used(settings)).aclose()
        closing = asyncio.create_task((await used(settings)).aclose())
        await asyncio.sleep(0)
        closing.cancel()
        await asyncio.wait((closing,))
        async with aiohttp.ClientSession() as http:
            for lent in (settings, oauth):
                await WorkspaceClient(session=http, **lent).clusters.list_zones()
                gc.collect()
            assert not http.closed

    with warnings_of() as caught:
        asyncio.run(main())
    assert caught == []


PROGRAM = """
import asyncio, sys, warnings
from databricks_async import WorkspaceClient
warnings.simplefilter("always")

async def main():
    await w.clusters.list_zones()

w = WorkspaceClient(host=sys.argv[1], token=sys.argv[2])
asyncio.run(main())
"""


def test_open_at_the_end_of_the_program():
    """As a global variable, which the interpreter frees last."""
    with LocalWorkspace() as workspace:
        command = [*STRICT_PYTHON, "-c", PROGRAM, workspace.url, workspace.token]
        ran = subprocess.run(command, check=False, timeout=60, capture_output=True)
    assert ran.returncode == 0
    said = own_output(ran.stdout + ran.stderr)
    # From 3.13 on the line of the program follows.
    (warning,) = (line for line in said.splitlines() if line.strip() not in PROGRAM)
    assert "ResourceWarning" in warning
    assert "it was made at <string>:9" in warning
