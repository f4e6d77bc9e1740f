"""Ids that every client holds exactly, those that read numbers as doubles included."""

from __future__ import annotations

import pytest

from databricks_async import WorkspaceClient
from databricks_async.local import Clock, LocalWorkspace

TASK = {"task_key": "one", "notebook_task": {"notebook_path": "/Shared/a"}}


@pytest.fixture(params=[False, True])
async def workspace(request):
    """With the service's ids, then with large ones."""
    async with LocalWorkspace(clock=Clock.by_hand(), large_ids=request.param) as workspace:
        workspace.large = request.param
        yield workspace


async def ids(wire, jobs, workspace):
    """One of each kind: job, run, attempt at a task, repair, and the objects of the workspace."""
    workspace.script_task("one", error="boom", times=1)
    job_id = await jobs.create(TASK)
    run_id = await jobs.run_now(job_id)
    workspace.clock.advance(120)
    task_run_id = (await jobs.task(run_id, "one"))["run_id"]
    repair = await jobs.ok("POST", "runs/repair", run_id=run_id, rerun_tasks=["one"])
    await wire.ok("POST", "/api/2.0/workspace/mkdirs", path="/Shared/a/b")
    objects = (await wire.ok("GET", "/api/2.0/workspace/list", path="/Shared"))["objects"]
    submitted = await jobs.submit(TASK)
    return [job_id, run_id, task_run_id, repair["repair_id"], submitted, *(one["object_id"] for one in objects)]


async def test_ids_are_exact_as_doubles_unless_large_ones_are_wanted(wire, jobs, workspace):
    """14 to 16 digits below 2**53, or 64-bit numbers above it; never the same one twice."""
    found = await ids(wire, jobs, workspace)
    assert len(set(found)) == len(found) == 6
    low, high = (2**53, 2**63) if workspace.large else (10**13, 2**53)
    assert all(low <= one < high for one in found)
    assert all(int(float(one)) == one for one in found) is not workspace.large


async def test_every_workspace_of_a_seed_draws_the_same_ids():
    """So that runs of a test can be compared."""
    first, again, other = (LocalWorkspace(seed=seed) for seed in (1, 1, 2))
    drawn = []
    for workspace in (first, again, other):
        async with workspace:
            workspace.add_object("/Shared/a", b"")
            drawn.append(await object_id(workspace, "/Shared/a"))
    assert drawn[0] == drawn[1] != drawn[2]


async def object_id(workspace, path):
    async with WorkspaceClient(host=workspace.url, token=workspace.token) as w:
        return (await w.workspace.get_status(path)).object_id
