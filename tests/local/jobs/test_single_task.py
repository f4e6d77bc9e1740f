"""The single-task format: the settings of the only task at the top of a job or a run."""

from __future__ import annotations

import pytest

NEW = {"spark_version": "16.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}
WORK = {
    "notebook_task": {"notebook_path": "/nb", "base_parameters": {"n": 1}},
    "new_cluster": NEW,
    "libraries": [{"pypi": {"package": "x"}}],
    "max_retries": 1,
    "min_retry_interval_millis": 2000,
    "retry_on_timeout": True,
}


async def shown(jobs, job_id):
    return (await jobs.ok("GET", "get", job_id=job_id))["settings"]


@pytest.mark.parametrize("version", ["2.0", "2.1", "2.2"])
async def test_a_submitted_run(jobs, workspace, version):
    """Runs its one task with all that was said, at every version."""
    jobs.version = version
    workspace.script_task("/nb", error="boom", times=1)
    run_id = int(
        (await jobs.ok("POST", "runs/submit", run_name="my run, daily", timeout_seconds=3600, **WORK))["run_id"]
    )
    workspace.clock.advance(1000)
    run = await jobs.get(run_id)

    assert await jobs.state(run_id) == "TERMINATED SUCCESS"
    assert [(task["task_key"], task["attempt_number"]) for task in run["tasks"]] == [
        ("my_run__daily", 0),
        ("my_run__daily", 1),
    ]
    task = run["tasks"][0]
    assert task["notebook_task"] == {"notebook_path": "/nb", "base_parameters": {"n": "1"}, "source": "WORKSPACE"}
    assert (task["libraries"], task["max_retries"]) == (WORK["libraries"], 1)
    assert run["run_name"] == "my run, daily"
    assert workspace.journal.calls(f"POST /api/{version}/jobs/runs/submit")[0].unknown == []


@pytest.mark.parametrize("version", ["2.0", "2.1", "2.2"])
async def test_a_job(jobs, workspace, version):
    """Version 2.0 shows it as it was made, the others show one task."""
    jobs.version = version
    job_id = int((await jobs.ok("POST", "create", name="old job", **WORK))["job_id"])
    settings = await shown(jobs, job_id)
    (listed,) = (await jobs.ok("GET", "list", expand_tasks="true"))["jobs"]
    run_id = await jobs.run_now(job_id)
    workspace.clock.advance(1000)

    assert await jobs.state(run_id) == "TERMINATED SUCCESS"
    assert listed["settings"] == settings
    work = settings if version == "2.0" else settings["tasks"][0]
    assert {name: work[name] for name in WORK if name not in ("notebook_task", "new_cluster")} == {
        name: value for name, value in WORK.items() if name not in ("notebook_task", "new_cluster")
    }
    assert work["notebook_task"]["notebook_path"] == "/nb"
    assert work["new_cluster"]["num_workers"] == 1
    assert settings["format"] == ("SINGLE_TASK" if version == "2.0" else "MULTI_TASK")
    assert ("tasks" in settings) == (version != "2.0")


async def test_what_get_gives_reset_takes(jobs):
    """At version 2.0 too."""
    jobs.version = "2.0"
    job_id = int((await jobs.ok("POST", "create", name="old job", **WORK))["job_id"])
    before = await shown(jobs, job_id)
    await jobs.ok("POST", "reset", job_id=job_id, new_settings=before)
    assert await shown(jobs, job_id) == before


async def test_an_update_of_the_only_task(jobs):
    """Changes what it names: a kind takes the place of another, a cluster that of another."""
    job_id = int((await jobs.ok("POST", "create", name="old job", **WORK))["job_id"])
    changes = {"spark_jar_task": {"main_class_name": "M"}, "existing_cluster_id": "0923-x", "max_retries": 5}
    await jobs.ok("POST", "update", job_id=job_id, new_settings={"name": "new", **changes})
    (task,) = (await shown(jobs, job_id))["tasks"]
    assert {name: task.get(name) for name in (*changes, "notebook_task", "new_cluster", "libraries")} == {
        **changes,
        "notebook_task": None,
        "new_cluster": None,
        "libraries": WORK["libraries"],
    }


async def test_both_formats_at_once_are_refused(jobs):
    """Nothing is dropped in silence; nor can the only task of two be changed."""
    two = [{"task_key": key, "notebook_task": {"notebook_path": "/nb"}} for key in "ab"]
    assert "Only one of tasks and" in await jobs.refused(
        "POST", "create", tasks=two, notebook_task={"notebook_path": "/x"}
    )
    assert "Only one of tasks and max_retries" in await jobs.refused("POST", "runs/submit", tasks=two, max_retries=1)
    job_id = await jobs.create(*two)
    message = await jobs.refused("POST", "update", job_id=job_id, new_settings={"max_retries": 1})
    assert "can only be set at the top of a job with a single task" in message


@pytest.mark.parametrize(
    ("work", "message"),
    [
        ({"notebook_task": {"notebook_path": "x"}}, "Only absolute paths are currently supported"),
        ({"spark_python_task": {"python_file": "/f.py"}}, "An environment is required for serverless task Untitled."),
        ({"spark_jar_task": {"main_class_name": "M"}}, "one of job_cluster_key, new_cluster, or existing_cluster_id"),
        ({"new_cluster": NEW}, "must have exactly one kind"),
        ({"notebook_task": {"notebook_path": "/x"}, "spark_jar_task": {}}, "must have exactly one kind"),
        ({"notebook_task": {}}, "Missing required field: notebook_task.notebook_path"),
        ({"notebook_task": {"notebook_path": "/x"}, "max_retries": "many"}, "max_retries must be an integer"),
    ],
)
async def test_the_same_rules_hold(jobs, work, message):
    """As for a task in a list."""
    assert message in await jobs.refused("POST", "create", **work)
    assert message in await jobs.refused("POST", "runs/submit", **work)
