"""The clusters that tasks run on."""

from __future__ import annotations

import pytest

NEW = {"spark_version": "16.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}
JOB_CLUSTERS = [{"job_cluster_key": "main", "new_cluster": NEW}]


def notebook(key, *needs, **settings):
    task = {"task_key": key, "notebook_task": {"notebook_path": f"/nb/{key}"}, **settings}
    return task | {"depends_on": [{"task_key": need} for need in needs]} if needs else task


async def test_tasks_share_a_job_cluster(jobs, wire, workspace):
    """They are PENDING until it is up, the second finds it running, and it ends with the run."""
    tasks = [notebook("a", job_cluster_key="main"), notebook("b", "a", job_cluster_key="main")]
    job_id = await jobs.create(*tasks, job_clusters=JOB_CLUSTERS)
    run_id = await jobs.run_now(job_id)
    pending = await jobs.state(run_id), await jobs.tasks(run_id)
    workspace.clock.advance(300)
    running = await jobs.state(run_id), await jobs.tasks(run_id)
    cluster_id = (await jobs.task(run_id, "a"))["cluster_instance"]["cluster_id"]
    cluster = await wire.cluster(cluster_id)
    workspace.clock.advance(120)
    first, second = await jobs.task(run_id, "a"), await jobs.task(run_id, "b")

    assert pending == ("PENDING", {"a": "PENDING", "b": "BLOCKED"})
    assert running == ("RUNNING", {"a": "RUNNING", "b": "BLOCKED"})
    assert (cluster["state"], cluster["cluster_source"]) == ("RUNNING", "JOB")
    assert cluster["cluster_name"] == f"job-{job_id}-run-{run_id}-main"
    assert (first["setup_duration"], first["execution_duration"]) == (300_000, 60_000)
    assert (second["setup_duration"], second["execution_duration"]) == (0, 60_000)
    assert first["cluster_instance"] == second["cluster_instance"]
    assert first["cluster_instance"]["spark_context_id"] == str(cluster["spark_context_id"])
    assert await jobs.state(run_id) == "TERMINATED SUCCESS"
    assert await wire.state(cluster_id) == "TERMINATING"


async def test_a_new_cluster_belongs_to_its_task(jobs, wire, workspace):
    """It is taken down behind the task, which is TERMINATING meanwhile."""
    run_id = await jobs.submit(notebook("a", new_cluster=NEW), notebook("b", new_cluster=NEW))
    workspace.clock.advance(360)
    stopping = await jobs.task(run_id, "a")
    workspace.clock.advance(5)
    ended = await jobs.task(run_id, "a")
    clusters = [(await jobs.task(run_id, key))["cluster_instance"]["cluster_id"] for key in "ab"]

    assert stopping["state"]["life_cycle_state"] == "TERMINATING"
    assert ended["state"]["result_state"] == "SUCCESS"
    assert (ended["setup_duration"], ended["execution_duration"], ended["cleanup_duration"]) == (300_000, 60_000, 5000)
    assert ended["run_duration"] == 365_000
    assert len(set(clusters)) == 2
    assert [await wire.state(cluster_id) for cluster_id in clusters] == ["TERMINATING"] * 2


@pytest.mark.parametrize("where", ["new_cluster", "job_cluster_key"])
async def test_a_cluster_that_does_not_start_fails_its_task(jobs, workspace, where):
    """INTERNAL_ERROR, with CLUSTER_ERROR in the newer words."""
    workspace.fail_next_start()
    value = NEW if where == "new_cluster" else "main"
    job_id = await jobs.create(notebook("a", **{where: value}), notebook("b", "a"), job_clusters=JOB_CLUSTERS)
    run_id = await jobs.run_now(job_id)
    workspace.clock.advance(300)
    task, run = await jobs.task(run_id, "a"), await jobs.get(run_id)

    assert await jobs.tasks(run_id) == {"a": "INTERNAL_ERROR FAILED", "b": "SKIPPED UPSTREAM_FAILED"}
    assert "CLOUD_PROVIDER_LAUNCH_FAILURE" in task["state"]["state_message"]
    details = run["status"]["termination_details"]
    assert (details["code"], details["type"]) == ("CLUSTER_ERROR", "CLOUD_FAILURE")
    assert await jobs.state(run_id) == "INTERNAL_ERROR FAILED"


async def test_a_retry_gets_another_cluster(jobs, workspace):
    """Where the first did not start."""
    workspace.fail_next_start()
    task = notebook("a", job_cluster_key="main", max_retries=1)
    run_id = await jobs.run_now(await jobs.create(task, job_clusters=JOB_CLUSTERS))
    workspace.clock.advance(660)
    assert await jobs.state(run_id) == "TERMINATED SUCCESS"
    assert len({task["cluster_instance"]["cluster_id"] for task in (await jobs.get(run_id))["tasks"]}) == 2


async def test_an_existing_cluster_is_used_as_it_is(jobs, wire, workspace):
    """At once where it runs; where it is down it is started, also when it has yet to come down. It outlives the run."""
    cluster_id = await wire.running()
    running = await jobs.submit(notebook("a", existing_cluster_id=cluster_id))
    first = await jobs.tasks(running)
    workspace.clock.advance(60)
    done = await jobs.state(running), await wire.state(cluster_id)
    await wire.ok("POST", "/api/2.1/clusters/delete", cluster_id=cluster_id)
    waiting = await jobs.submit(notebook("a", existing_cluster_id=cluster_id))
    second = await jobs.tasks(waiting)
    workspace.clock.advance(30 + 300)
    third = await jobs.tasks(waiting)

    assert first == {"a": "RUNNING"}
    assert done == ("TERMINATED SUCCESS", "RUNNING")
    assert second == {"a": "PENDING"}
    assert third == {"a": "RUNNING"}


async def test_a_task_keeps_its_cluster_awake(jobs, wire, workspace):
    """Idleness is counted from the end of its work."""
    cluster_id = await wire.running(autotermination_minutes=10)
    workspace.script_task("a", duration=3600)
    await jobs.submit(notebook("a", existing_cluster_id=cluster_id))
    workspace.clock.advance(3600 + 599)
    assert await wire.state(cluster_id) == "RUNNING"
    workspace.clock.advance(1)
    assert await wire.state(cluster_id) == "TERMINATING"


async def test_a_cluster_taken_away_fails_its_task(jobs, wire, workspace):
    """While the task waits for it, and while it runs."""
    cluster_id = await wire.create()
    pending = await jobs.submit(notebook("a", existing_cluster_id=cluster_id))
    await wire.ok("POST", "/api/2.1/clusters/delete", cluster_id=cluster_id)
    assert await jobs.tasks(pending) == {"a": "INTERNAL_ERROR FAILED"}
    workspace.clock.advance(30)
    running = await jobs.submit(notebook("a", existing_cluster_id=cluster_id))
    workspace.clock.advance(310)
    await wire.ok("POST", "/api/2.1/clusters/delete", cluster_id=cluster_id)
    assert await jobs.tasks(running) == {"a": "INTERNAL_ERROR FAILED"}


async def test_cancelling_takes_the_cluster_down(jobs, wire, workspace):
    """While it still starts, too."""
    run_id = await jobs.submit(notebook("a", new_cluster=NEW))
    cluster_id = (await jobs.task(run_id, "a"))["cluster_instance"]["cluster_id"]
    await jobs.ok("POST", "runs/cancel", run_id=run_id)
    workspace.clock.advance(35)
    assert await jobs.state(run_id) == "TERMINATED CANCELED"
    assert await wire.state(cluster_id) == "TERMINATED"
