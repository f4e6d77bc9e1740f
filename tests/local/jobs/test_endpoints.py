"""Jobs: made, shown, changed, deleted, and refused where they make no sense.

Here are the tests of `local/jobs/settings.py`, `local/jobs/state.py`, `local/values.py`.
"""

from __future__ import annotations

import pytest

START = 1758645728000  # 2025-09-23 16:42:08 UTC, where a clock moved by hand begins.
NEW = {"spark_version": "16.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}


def notebook(key, *needs, **settings):
    task = {"task_key": key, "notebook_task": {"notebook_path": "/nb"}, **settings}
    return task | {"depends_on": [{"task_key": need} for need in needs]} if needs else task


async def shown(jobs, job_id):
    return (await jobs.ok("GET", "get", job_id=job_id))["settings"]


@pytest.mark.parametrize("version", ["2.0", "2.1", "2.2"])
async def test_a_job_is_shown_as_it_was_asked_for_with_defaults(jobs, version):
    """Version 2.2 queues by default, which it says."""
    jobs.version = version
    job_id = await jobs.create(notebook("a"))
    job = await jobs.ok("GET", "get", job_id=job_id)
    settings = job.pop("settings")

    assert job == {
        "job_id": job_id,
        "creator_user_name": "admin@example.com",
        "run_as_user_name": "admin@example.com",
        "created_time": START,
    }
    assert settings.pop("queue", None) == ({"enabled": True} if version == "2.2" else None)
    assert settings == {
        "name": "Untitled",
        "format": "MULTI_TASK",
        "max_concurrent_runs": 1,
        "timeout_seconds": 0,
        "email_notifications": {},
        "webhook_notifications": {},
        "tasks": [
            {
                "task_key": "a",
                "notebook_task": {"notebook_path": "/nb", "source": "WORKSPACE"},
                "run_if": "ALL_SUCCESS",
                "timeout_seconds": 0,
                "email_notifications": {},
                "webhook_notifications": {},
            }
        ],
    }


async def test_nothing_is_lost_between_get_and_reset(jobs, workspace):
    """Neither what nothing here knows, nor empty maps, nor new settings at the top; lists must have entries."""
    task = notebook("a", future={"x": [1, {}, None]}, libraries=[])
    schedule = {"quartz_cron_expression": "0 0 8 * * ?", "timezone_id": "UTC", "new": 1}
    unknown = {"new_top": {"deep": True}, "name": "n", "tags": {}, "schedule": schedule, "tasks": [task]}
    job_id = await jobs.create(notebook("b"))
    await jobs.ok("POST", "reset", job_id=job_id, new_settings=unknown)
    before = await shown(jobs, job_id)
    await jobs.ok("POST", "reset", job_id=job_id, new_settings=before)

    assert await shown(jobs, job_id) == before
    assert before["new_top"] == {"deep": True}
    assert before["tasks"][0]["future"] == {"x": [1, {}, None]}
    assert (before["tags"], before["schedule"]) == ({}, schedule)
    assert "libraries" not in before["tasks"][0]


async def test_unknown_parameters_are_noted(jobs, workspace):
    """As the service ignores them, the journal tells."""
    await jobs.create(notebook("a"), max_concurent_runs=3)
    assert workspace.journal.calls("POST /api/2.2/jobs/create")[0].unknown == ["max_concurent_runs"]


async def test_update_merges_by_keys(jobs):
    """Tasks and job clusters by their keys, all else is replaced; fields can be removed, tasks among them."""
    clusters = [{"job_cluster_key": key, "new_cluster": NEW} for key in ("x", "y")]
    job_id = await jobs.create(
        notebook("a"), notebook("b", "a"), job_clusters=clusters, tags={"k": "v"}, description="d", name="old"
    )
    bigger = {"job_cluster_key": "y", "new_cluster": NEW | {"num_workers": 9}}
    settings = {
        "name": "new",
        "tags": {"l": "w"},
        "tasks": [notebook("c", "a"), notebook("a", max_retries=1)],
        "job_clusters": [bigger],
    }
    await jobs.ok("POST", "update", job_id=job_id, new_settings=settings)
    merged = await shown(jobs, job_id)
    removed = ["tasks/b", "job_clusters/x", "description"]
    await jobs.ok("POST", "update", job_id=job_id, fields_to_remove=removed)
    less = await shown(jobs, job_id)

    assert [task["task_key"] for task in merged["tasks"]] == ["a", "b", "c"]
    assert merged["tasks"][0]["max_retries"] == 1
    sizes = [(cluster["job_cluster_key"], cluster["new_cluster"]["num_workers"]) for cluster in merged["job_clusters"]]
    assert sizes == [("x", 1), ("y", 9)]
    assert (merged["name"], merged["tags"], merged["description"]) == ("new", {"l": "w"}, "d")
    assert [task["task_key"] for task in less["tasks"]] == ["a", "c"]
    assert [cluster["job_cluster_key"] for cluster in less["job_clusters"]] == ["y"]
    assert "description" not in less
    wrong = {"job_id": job_id, "fields_to_remove": ["tags/l"]}
    assert "nested" in await jobs.refused("POST", "update", **wrong)
    assert "unknown task 'a'" in await jobs.refused("POST", "update", job_id=job_id, fields_to_remove=["tasks/a"])
    assert await shown(jobs, job_id) == less


async def test_an_update_that_cannot_be_merged_is_refused(jobs):
    """Entries without a key, keys that are no text, the same key twice."""
    job_id = await jobs.create(notebook("a"))
    for tasks in ([{}], [{"task_key": []}], [notebook("b")] * 2, "x"):
        await jobs.refused("POST", "update", job_id=job_id, new_settings={"tasks": tasks})
    assert [task["task_key"] for task in (await shown(jobs, job_id))["tasks"]] == ["a"]


async def test_reset_replaces_everything_but_run_as(jobs):
    """Which the service keeps."""
    job_id = await jobs.create(notebook("a"), tags={"k": "v"}, run_as={"user_name": "ann@example.com"})
    await jobs.ok("POST", "reset", job_id=job_id, new_settings={"name": "n", "tasks": [notebook("b")]})
    settings = await shown(jobs, job_id)
    assert [task["task_key"] for task in settings["tasks"]] == ["b"]
    assert "tags" not in settings
    assert settings["run_as"] == {"user_name": "ann@example.com"}
    assert (await jobs.ok("GET", "get", job_id=job_id))["run_as_user_name"] == "ann@example.com"


async def test_runs_keep_the_settings_that_they_began_with(jobs, workspace):
    """Whatever becomes of the job."""
    job_id = await jobs.create(notebook("a"), notebook("b", "a"))
    run_id = await jobs.run_now(job_id)
    await jobs.ok("POST", "reset", job_id=job_id, new_settings={"tasks": [notebook("z")]})
    workspace.clock.advance(120)
    assert await jobs.tasks(run_id) == {"a": "TERMINATED SUCCESS", "b": "TERMINATED SUCCESS"}


async def test_a_deleted_job_does_not_exist(jobs):
    """In the service's words, for each operation but `delete`, which does nothing."""
    job_id = await jobs.create(notebook("a"))
    await jobs.ok("POST", "delete", job_id=job_id)
    gone = f"Job {job_id} does not exist."
    assert await jobs.refused("GET", "get", job_id=job_id) == gone
    for path, params in {"update": {}, "reset": {"new_settings": {}}, "run-now": {}}.items():
        assert await jobs.refused("POST", path, job_id=job_id, **params) == gone
    assert await jobs.ok("POST", "delete", job_id=job_id) == {}
    assert "jobs" not in await jobs.ok("GET", "list")


WRONG_TASKS = {
    "duplicate": ([notebook("a"), notebook("a")], "Duplicate task_key 'a'"),
    "unknown dependency": ([notebook("a", "x")], "Task 'a' depends on unknown task 'x'"),
    "cycle": ([notebook("a", "c"), notebook("b", "a"), notebook("c", "b"), notebook("d")], "a -> c -> b -> a"),
    "itself": ([notebook("a", "a")], "a -> a"),
    "too many": ([notebook(f"t{n}") for n in range(1001)], "1001 exceeds the limit of 1000"),
    "two kinds": ([notebook("a", spark_python_task={"python_file": "/f"})], "exactly one kind"),
    "no kind": ([{"task_key": "a"}], "exactly one kind"),
    "no key": ([{"notebook_task": {"notebook_path": "/nb"}}], "tasks[0].task_key"),
    "no object": (["a"], "tasks"),
    "no path": ([{"task_key": "a", "notebook_task": {}}], "notebook_task.notebook_path"),
    "no operator": ([{"task_key": "a", "condition_task": {"left": "", "right": ""}}], "condition_task.op"),
    "odd run_if": ([notebook("a", run_if="SOMETIMES")], "run_if must be one of"),
    "text for a number": ([notebook("a", max_retries="many")], "max_retries must be an integer"),
    "no job cluster": ([notebook("a", job_cluster_key="x")], "unknown job_cluster_key 'x'"),
    "two clusters": ([notebook("a", existing_cluster_id="x", new_cluster=NEW)], "only one of"),
    "odd cluster": ([notebook("a", new_cluster=NEW | {"node_type_id": "m5.large"})], "Node type m5.large"),
    "odd size": ([notebook("a", new_cluster=NEW | {"num_workers": []})], "num_workers must be an integer"),
    "a jar anywhere": ([{"task_key": "a", "spark_jar_task": {}}], "one of job_cluster_key, new_cluster, or existing"),
    "no settings": ([{"task_key": "a", "pipeline_task": 5}], "tasks[0].pipeline_task must be an object"),
    "number for a text": (
        [{"task_key": "a", "dbt_task": {"commands": [{}]}}],
        "dbt_task.commands[0] must be a string",
    ),
    "within for-each": (
        [{"task_key": "a", "for_each_task": {"inputs": "[]", "task": {"task_key": "b"}}}],
        "Task 'b' must have exactly one kind",
    ),
}


@pytest.mark.parametrize("path", ["create", "runs/submit"])
@pytest.mark.parametrize("name", WRONG_TASKS)
async def test_tasks_that_make_no_sense_are_refused(jobs, path, name):
    """By name, before anything is made."""
    tasks, message = WRONG_TASKS[name]
    status, answer = await jobs.send("POST", path, tasks=tasks)
    assert (status, answer["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert message in answer["message"]
    assert "jobs" not in await jobs.ok("GET", "list")
    assert "runs" not in await jobs.ok("GET", "runs/list")


@pytest.mark.parametrize("version", ["2.1", "2.2"])
async def test_a_notebook_needs_a_cluster_where_there_is_no_serverless_compute(jobs, workspace, version):
    """A workspace has it unless the test says otherwise."""
    jobs.version = version
    bare = {"task_key": "a", "notebook_task": {"notebook_path": "/nb"}}
    await jobs.create(bare)
    workspace.serverless = False
    assert "must be specified" in await jobs.refused("POST", "create", tasks=[bare])
    await jobs.create(bare | {"new_cluster": NEW})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_concurrent_runs": 1001}, "max_concurrent_runs must be between 0 and 1000"),
        ({"max_concurrent_runs": -1}, "max_concurrent_runs must be between 0 and 1000"),
        ({"job_clusters": [{"job_cluster_key": "x", "new_cluster": NEW}] * 2}, "Duplicate job_cluster_key 'x'"),
        ({"job_clusters": [{"new_cluster": NEW}]}, "job_clusters[0].job_cluster_key"),
        ({"parameters": [{"name": "p", "default": ""}] * 2}, "Duplicate job parameter 'p'"),
        ({"parameters": [{"name": "p", "default": 5}]}, "parameters[0].default must be a string"),
        ({"parameters": [{"name": "p"}]}, "parameters[0].default"),
        (
            {"job_clusters": [{"job_cluster_key": "x", "new_cluster": NEW | {"num_workers": "many"}}]},
            "new_cluster.num_workers must be an integer",
        ),
        ({"name": 5}, "name must be a string"),
        ({"tasks": {}}, "tasks must be an array"),
    ],
)
async def test_settings_that_make_no_sense_are_refused(jobs, settings, message):
    """By create as by reset."""
    job_id = await jobs.create(notebook("a"))
    assert message in await jobs.refused("POST", "create", **({"tasks": []} | settings))
    assert message in await jobs.refused("POST", "reset", job_id=job_id, new_settings=settings)


async def test_there_must_be_something_to_run(jobs):
    """A job without tasks can be made, not run; nor can a run without tasks."""
    job_id = await jobs.create()
    assert "no tasks to run" in await jobs.refused("POST", "run-now", job_id=job_id)
    assert "Missing required field: tasks" in await jobs.refused("POST", "runs/submit", tasks=[])


async def test_ids_differ_and_are_held_by_every_client(jobs):
    """Those of jobs, runs and task runs; all have 14 to 16 digits and are exact as doubles."""
    job_id = await jobs.create(notebook("a"))
    run_id = await jobs.run_now(job_id)
    task_run_id = (await jobs.task(run_id, "a"))["run_id"]
    assert len({job_id, run_id, task_run_id}) == 3
    assert all(10**13 <= one < 2**53 for one in (job_id, run_id, task_run_id))
