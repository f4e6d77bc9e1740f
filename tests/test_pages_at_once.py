"""Listings of the local workspace, several pages at once: the items are those that come page by page."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from databricks_async import WorkspaceClient
from databricks_async.errors import LifecycleError
from databricks_async.local import Clock, Fault, LocalWorkspace
from databricks_async.pager import Pager

CLUSTER = {
    "cluster_name": "etl",
    "spark_version": "16.4.x-scala2.12",
    "node_type_id": "Standard_DS3_v2",
    "num_workers": 1,
}
JOB = {
    "name": "a",
    "max_concurrent_runs": 1000,
    "tasks": [{"task_key": "a", "notebook_task": {"notebook_path": "/a"}}],
}

_gaps = st.lists(st.sampled_from([0, 0, 1, 1, 2, 60, 3600]), min_size=1, max_size=30)
"""Seconds between one and the next."""


def local(check: Callable[[WorkspaceClient, LocalWorkspace], Awaitable[None]], **versions: str) -> None:
    """Run it with a workspace and a client of its own, of which nothing is left."""

    async def run() -> None:
        async with (
            LocalWorkspace(clock=Clock.by_hand()) as workspace,
            WorkspaceClient(host=workspace.url, token=workspace.token, api_versions=versions) as w,
        ):
            await check(w, workspace)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())


async def read(pager: Pager[Any], change: Callable[[], Awaitable[object]], seed: int) -> list[Any]:
    """All items; now and then something changes after one."""
    chance, found = random.Random(seed), []  # noqa: S311
    async for item in pager:
        found.append(item)
        if chance.random() < 0.2:
            await change()
    return found


async def test_a_long_listing_takes_few_round_trips(virtual_time):
    """Through all layers: in flight are as many as the pacing has learned to be no burden, and 16 at most."""
    async with (
        LocalWorkspace(clock=Clock.by_hand()) as workspace,
        WorkspaceClient(host=workspace.url, token=workspace.token) as w,
    ):
        cluster_id = (await w.clusters.create(CLUSTER)).cluster_id
        workspace.add_events(cluster_id, 1499)
        workspace.faults.add("POST /api/{v}/clusters/events", Fault.delay(0.1), probability=1.0)
        seconds = asyncio.get_running_loop().time
        began = seconds()
        assert len(await w.clusters.events(cluster_id, page_size=15).collect()) == 1500
        assert seconds() - began < 0.1 * 100 / 3.5
        assert 12 <= workspace.journal.in_flight_max <= 16
        assert w.stats.calls - 1 <= 1.35 * 100


def reading() -> list[asyncio.Task[Any]]:
    """The tasks that read pages ahead."""
    return [task for task in asyncio.all_tasks() if "_outcome" in repr(task.get_coro())]


@pytest.mark.parametrize("number", [30, 60, 160, 300])
@pytest.mark.parametrize("how", ["break", "drop", "close"])
def test_leaving_a_loop_leaves_no_request_under_way(number, how):
    """By `break`, by dropping the iterator, and by closing the client, which the loop then reports."""

    async def check(w: WorkspaceClient, workspace: LocalWorkspace) -> None:
        cluster_id = (await w.clusters.create(CLUSTER)).cluster_id
        workspace.add_events(cluster_id, 500)
        pager = w.clusters.events(cluster_id, page_size=20)
        if how == "break":
            left = number
            async for _ in pager:
                left -= 1
                if not left:
                    break
        else:
            items = aiter(pager)
            for _ in range(number):
                await anext(items)
            assert len(reading()) in (range(1, 2) if number < 40 else range(1, 17))
            if how == "close":
                await w.aclose()
                with pytest.raises(LifecycleError):
                    [_ async for _ in items]
            else:
                del items
        for _ in range(5):
            await asyncio.sleep(0)
        assert reading() == []

    local(check)


@pytest.mark.parametrize("version", ["2.0", "2.1"])
def test_events_are_those_that_were_there(version, pytestconfig):
    """In both orders, also where many happen in one moment, and while others happen."""

    @settings(max_examples=pytestconfig.getoption("listings"), deadline=None, database=None)
    @given(gaps=_gaps, page_size=st.integers(1, 4), order=st.sampled_from(["DESC", "ASC"]), seed=st.integers(0, 100))
    def check_listing(gaps: list[int], page_size: int, order: str, seed: int) -> None:
        async def check(w: WorkspaceClient, workspace: LocalWorkspace) -> None:
            cluster_id = (await w.clusters.create(CLUSTER)).cluster_id
            for number, gap in enumerate(gaps):
                workspace.clock.advance(gap)
                workspace.add_events(cluster_id, 1, type=("RESIZING", "PINNED")[number % 2])

            async def change() -> None:
                workspace.clock.advance(10)
                workspace.add_events(cluster_id, 3)

            end = workspace.clock.now() if order == "ASC" else None
            list_events = partial(w.clusters.events, cluster_id, order=order, page_size=page_size, end_time=end)
            before = await list_events(concurrency=1).collect()
            assert len(before) > len(gaps)
            assert await read(list_events(), change, seed) == before

        local(check, clusters=version)

    check_listing()


@pytest.mark.parametrize("version", ["2.1", "2.2"])
def test_runs_are_those_that_were_there(version, pytestconfig):
    """Those that are of the wanted state all the time; also while others start, and some end."""

    @settings(max_examples=pytestconfig.getoption("listings"), deadline=None, database=None)
    @given(
        gaps=_gaps,
        page_size=st.integers(1, 4),
        state=st.sampled_from(["", "active_only", "completed_only"]),
        seed=st.integers(0, 100),
    )
    def check_listing(gaps: list[int], page_size: int, state: str, seed: int) -> None:
        async def check(w: WorkspaceClient, workspace: LocalWorkspace) -> None:
            job_id = (await w.jobs.create(JOB)).job_id
            for gap in gaps:
                workspace.clock.advance(gap)
                await w.jobs.run_now(job_id)

            async def change() -> None:
                workspace.clock.advance(5)
                await w.jobs.run_now(job_id)

            filters: dict[str, Any] = {state: True} if state else {}
            list_runs = partial(w.jobs.list_runs, job_id=job_id, page_size=page_size)
            before = [run.run_id async for run in list_runs(**filters, concurrency=1)]
            found = [run.run_id for run in await read(list_runs(**filters), change, seed)]
            after = [run.run_id async for run in list_runs(**filters, concurrency=1)]
            everything = [run.run_id async for run in list_runs(concurrency=1)]
            assert found == before or state
            assert {*before} & {*after} <= {*found} <= {*before} | {*after}
            assert found == [run_id for run_id in everything if run_id in {*found}]

        local(check, jobs=version)

    check_listing()
