"""What a workspace begins with: JSON as the service shows it.

Here are the tests of `local/seeds.py`.
"""

from __future__ import annotations

import base64

import pytest

from databricks_async import WorkspaceClient
from databricks_async.local import Clock, LocalWorkspace

SPEC = {"spark_version": "16.4.x-scala2.12", "node_type_id": "Standard_DS3_v2"}
TASK = {"task_key": "load", "notebook_task": {"notebook_path": "/Shared/load"}}


async def test_what_one_workspace_shows_another_takes(wire, workspace, jobs):
    """Clusters in all states, jobs, notebooks and files, with their ids: both show the same then."""
    running = await wire.running(cluster_name="gold", autotermination_minutes=30)
    ended = await wire.running(cluster_name="silver", num_workers=0)
    await wire.ok("POST", "/api/2.1/clusters/delete", cluster_id=ended)
    workspace.clock.advance(60)
    pending = await wire.create(cluster_name="bronze")
    job_id = await jobs.create(TASK, name="nightly", parameters=[{"name": "day", "default": "today"}])
    workspace.add_object("/Shared/deep/load", b"print(1)", language="PYTHON")
    workspace.add_object("/Shared/deep/data.csv", b"a,b")
    shown = {
        "clusters": (await wire.ok("GET", "/api/2.1/clusters/list"))["clusters"],
        "jobs": [await jobs.ok("GET", "get", job_id=job_id)],
        "objects": [],
    }
    for name in ("load", "data.csv"):
        path = f"/Shared/deep/{name}"
        one = await wire.ok("GET", "/api/2.0/workspace/get-status", path=path)
        exported = await wire.ok("GET", "/api/2.0/workspace/export", path=path)
        shown["objects"].append(one | {"content": exported["content"]})
    async with LocalWorkspace(clock=Clock.by_hand()) as other:
        other.clock.advance(24 * 3600)
        other.load(shown)
        async with WorkspaceClient(host=other.url, token=other.token) as w:
            states = {c.cluster_id: c.state.value async for c in w.clusters.list()}
            assert states == {running: "RUNNING", ended: "TERMINATED", pending: "PENDING"}
            again = await w.clusters.get(running)
            assert (again.cluster_name, again.autotermination_minutes, again.num_workers) == ("gold", 30, 2)
            assert again.start_time == next(c for c in shown["clusters"] if c["cluster_id"] == running)["start_time"]
            gone = await w.clusters.get(ended)
            assert gone.termination_reason.code.value == "USER_REQUEST"
            assert (
                gone.terminated_time
                == next(c for c in shown["clusters"] if c["cluster_id"] == ended)["terminated_time"]
            )
            job = await w.jobs.get(job_id)
            assert (job.settings.name, job.settings.parameters[0].default) == ("nightly", "today")
            assert job.created_time == shown["jobs"][0]["created_time"]
            assert await w.workspace.export("/Shared/deep/load") == base64.b64decode(shown["objects"][0]["content"])
            status = await w.workspace.get_status("/Shared/deep/data.csv")
            assert (status.size, status.modified_at) == (3, shown["objects"][1]["modified_at"])
            # They live on: a cluster that was coming up does, a job runs, new ones get other ids.
            other.clock.advance(300)
            assert (await w.clusters.get(pending)).state.value == "RUNNING"
            assert (await w.jobs.run_now(job_id)).run_id not in (job_id, None)
            made = await w.clusters.create(num_workers=0, **SPEC)
            assert made.cluster_id not in states
            assert {event.cluster_id async for event in w.clusters.events(running)} == {running}


async def test_answers_of_the_real_service_are_taken(wire, workspace):
    """Autoscaling clusters show two sizes, those of pools a node type that nobody asked for, old ones old times."""
    workspace.load(
        [
            {"cluster_id": "a", "state": "RUNNING", "autoscale": {"min_workers": 2, "max_workers": 8}, "num_workers": 5}
            | SPEC,
            {"cluster_id": "p", "state": "RUNNING", "instance_pool_id": "pool", "num_workers": 1, "new_field": 7}
            | SPEC,
            {"cluster_id": "o", "state": "ERROR", "terminated_time": 1, "num_workers": 0, "pinned_by_user_name": "1"}
            | SPEC,
        ]
    )
    assert [await wire.state(cluster_id) for cluster_id in "apo"] == ["RUNNING", "RUNNING", "TERMINATED"]
    assert (await wire.cluster("a"))["autoscale"] == {"min_workers": 2, "max_workers": 8}


def test_a_single_object_and_empty_lists():
    """As `clusters get` prints one, and as a new workspace lists nothing."""
    workspace = LocalWorkspace()
    workspace.load({"clusters": [], "has_more": False, "next_page_token": ""})
    workspace.load({"path": "/Shared/a", "object_type": "DIRECTORY", "object_id": 7})
    workspace.load({"path": "/Shared/a/b", "content": base64.b64encode(b"text").decode()})
    workspace.load({"path": "/Shared/a/c", "object_type": "NOTEBOOK", "language": "SQL"})
    with pytest.raises(ValueError, match=r"object \(/Shared/a/b\): Path \(/Shared/a/b\) already exists"):
        workspace.load({"path": "/Shared/a/b", "content": ""})


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (7, "the seed: an object or a list is expected, not int"),
        ([[1]], r"\[0\]\[0\]: an object or a list is expected"),
        ({"warehouses": [{}]}, "warehouses is none of clusters, jobs, objects, notebooks"),
        ({"clusters": [{"cluster_id": "1"} | SPEC, {"cluster_id": "1"}]}, r"clusters\[0\] \(1\): .*size"),
        ({"cluster_id": "1", "num_workers": "many"} | SPEC, r"cluster \(1\): .*num_workers must be an integer"),
        ({"job_id": "x", "settings": {"tasks": [TASK]}}, r"job \(x\): Parameter job_id must be an integer"),
        ({"settings": {"tasks": [{"task_key": "a"}, {"task_key": "a"}]}}, r"job \(new\): "),
        ({"settings": [1]}, r"job \(new\): settings is an object, not list"),
        ({"cluster_id": "1", "spec": "x"}, r"cluster \(1\): spec is an object, not str"),
        (
            {"cluster_id": "1", "num_workers": 0, "state": "ERROR", "termination_reason": 7} | SPEC,
            "termination_reason is",
        ),
        ({"path": "/Shared/a", "content": "?"}, r"object \(/Shared/a\): The content is not valid base64"),
    ],
)
def test_what_is_wrong_is_named(shown, said):
    """With its place in the file."""
    with pytest.raises(ValueError, match=said):
        LocalWorkspace().load(shown)


def test_an_id_is_taken_once():
    """A second cluster or job of the same id is refused."""
    workspace = LocalWorkspace()
    for shown in ({"cluster_id": "1", "num_workers": 0} | SPEC, {"job_id": 1, "settings": {"tasks": [TASK]}}):
        workspace.load(shown)
        with pytest.raises(ValueError, match="of this id is there already"):
            workspace.load(shown)
