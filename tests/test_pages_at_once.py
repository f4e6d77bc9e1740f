"""Listings of the local workspace, several pages at once: the items are those that come page by page."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from databricks_async import WorkspaceClient
from databricks_async.local import Clock, LocalWorkspace
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
_few = settings(max_examples=4, deadline=None, database=None)


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


@pytest.mark.parametrize("version", ["2.0", "2.1"])
@_few
@given(gaps=_gaps, page_size=st.integers(1, 4), order=st.sampled_from(["DESC", "ASC"]), seed=st.integers(0, 100))
def test_events_are_those_that_were_there(version, gaps, page_size, order, seed):
    """In both orders, also where many happen in one moment, and while others happen."""

    async def check(w: WorkspaceClient, workspace: LocalWorkspace) -> None:
        cluster_id = (await w.clusters.create(CLUSTER)).cluster_id
        for number, gap in enumerate(gaps):
            workspace.clock.advance(gap)
            workspace.add_events(cluster_id, 1, type=("RESIZING", "PINNED")[number % 2])

        async def change() -> None:
            workspace.clock.advance(10)
            workspace.add_events(cluster_id, 3)

        wanted = {"order": order, "page_size": page_size, "end_time": workspace.clock.now() if order == "ASC" else None}
        before = await w.clusters.events(cluster_id, **wanted, concurrency=1).collect()
        assert len(before) > len(gaps)
        assert await read(w.clusters.events(cluster_id, **wanted), change, seed) == before

    local(check, clusters=version)


@pytest.mark.parametrize("version", ["2.1", "2.2"])
@_few
@given(
    gaps=_gaps,
    page_size=st.integers(1, 4),
    state=st.sampled_from([None, "active", "completed"]),
    seed=st.integers(0, 100),
)
def test_runs_are_those_that_were_there(version, gaps, page_size, state, seed):
    """Those that are of the wanted state all the time; also while others start, and some end."""

    async def check(w: WorkspaceClient, workspace: LocalWorkspace) -> None:
        job_id = (await w.jobs.create(JOB)).job_id
        for gap in gaps:
            workspace.clock.advance(gap)
            await w.jobs.run_now(job_id)

        async def change() -> None:
            workspace.clock.advance(5)
            await w.jobs.run_now(job_id)

        wanted: dict[str, Any] = {"job_id": job_id, "page_size": page_size}
        if state is not None:
            wanted[f"{state}_only"] = True

        async def ids() -> list[int | None]:
            return [run.run_id async for run in w.jobs.list_runs(**wanted, concurrency=1)]

        before = await ids()
        found = [run.run_id for run in await read(w.jobs.list_runs(**wanted), change, seed)]
        after = await ids()
        if state is None:
            assert found == before
        assert len(found) == len({*found})
        assert {*before} & {*after} <= {*found} <= {*before} | {*after}
        everything = [run.run_id async for run in w.jobs.list_runs(job_id=job_id, concurrency=1)]
        assert found == [run_id for run_id in everything if run_id in {*found}]

    local(check, jobs=version)
