"""Whatever the local workspace accepts, the client reads back: each field of each object, alone and empty."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, get_args, get_origin

import pytest

from databricks_async import WorkspaceClient
from databricks_async.clusters.models import ClusterSpec
from databricks_async.codec import Model, OpenEnum, hooks
from databricks_async.errors import DatabricksError
from databricks_async.jobs.models import CreateJob, SubmitRun
from databricks_async.local import Clock, LocalWorkspace

DEEPEST = 4
CLUSTER = {
    "cluster_name": "c",
    "spark_version": "15.4.x-scala2.12",
    "node_type_id": "Standard_DS3_v2",
    "num_workers": 1,
}
TASKS = [{"task_key": "a", "notebook_task": {"notebook_path": "/a"}}]


@pytest.fixture
async def w() -> AsyncIterator[WorkspaceClient]:
    async with (
        LocalWorkspace(clock=Clock.by_hand()) as workspace,
        WorkspaceClient(host=workspace.url, token=workspace.token) as client,
    ):
        yield client


def examples_of(kind: Any, depth: int) -> Iterator[Any]:
    """Values of a type: every word of an enum; of a model the empty object, and each of its fields alone."""
    kind = hooks.required(kind)
    if kind is Any:
        yield {}
    elif get_origin(kind) is list:
        yield []
        yield from ([one] for one in examples_of(get_args(kind)[0], depth))
    elif get_origin(kind) is dict:
        yield {}
        yield from ({"a": one} for one in examples_of(get_args(kind)[1], depth))
    elif issubclass(kind, Model):
        yield {}
        if depth < DEEPEST:
            hints = hooks.hints_of(kind)
            for field in hooks.fields_of(kind):
                for one in examples_of(hints[field.name], depth + 1):
                    yield {hooks.wire_name(field): one}
    elif issubclass(kind, OpenEnum):
        yield from (word.value for word in kind)
    else:
        yield from {str: ["/a"], int: [1, "1"], float: [0.5, 1], bool: [True]}[kind]


async def accepted(w: WorkspaceClient, path: str, bodies: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    """The answers to those bodies that the workspace takes; it refuses the others as wrong."""
    answers = []
    for body in bodies:
        try:
            answers.append(await w.request("POST", path, body=body))
        except DatabricksError as error:
            assert error.status == 400, body  # noqa: PT017
    assert len(answers) > 50
    return answers


async def test_every_job_that_is_accepted_can_be_read(w: WorkspaceClient) -> None:
    """By itself and among all others."""
    bodies = ({"tasks": TASKS, **settings} for settings in examples_of(CreateJob, 0))
    ids = {answer["job_id"] for answer in await accepted(w, "/api/2.2/jobs/create", bodies)}
    for job_id in ids:
        job = await w.jobs.get(job_id)
        assert job.job_id == job_id
        await w.jobs.reset(job_id, job)
    assert {job.job_id async for job in w.jobs.list(expand_tasks=True)} == ids


async def test_every_run_that_is_accepted_can_be_read(w: WorkspaceClient) -> None:
    """By itself and among all others."""
    bodies = ({"tasks": TASKS, **settings} for settings in examples_of(SubmitRun, 0))
    ids = {answer["run_id"] for answer in await accepted(w, "/api/2.2/jobs/runs/submit", bodies)}
    for run_id in ids:
        assert (await w.jobs.get_run(run_id, include_history=True, include_resolved_values=True)).run_id == run_id
    assert {run.run_id async for run in w.jobs.list_runs(expand_tasks=True)} == ids


async def test_every_cluster_that_is_accepted_can_be_read(w: WorkspaceClient) -> None:
    """By itself, among all others, and in its events."""
    bodies = (CLUSTER | spec for spec in examples_of(ClusterSpec, 0))
    ids = {answer["cluster_id"] for answer in await accepted(w, "/api/2.1/clusters/create", bodies)}
    for cluster_id in ids:
        cluster = await w.clusters.get(cluster_id)
        assert cluster.cluster_id == cluster_id
        assert cluster.to_spec().as_dict()
        assert await w.clusters.events(cluster_id).collect()
    assert {cluster.cluster_id async for cluster in w.clusters.list()} == ids
