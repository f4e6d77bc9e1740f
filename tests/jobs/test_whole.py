"""Jobs and runs of hundreds of tasks come back whole and in order.

Here are the tests of `jobs/paging.py`.
"""

from __future__ import annotations

import json

import pytest

from databricks_async import Config, WorkspaceClient
from databricks_async.errors import PagingError, ResourceDoesNotExist
from databricks_async.jobs.models import JobCluster, JobEnvironment, JobParameterDefinition, JobSettings
from databricks_async.local import Fault

KEYS = [f"t{number:03}" for number in range(250)]
BOTH = pytest.mark.parametrize("version", ["2.1", "2.2"])


def keys_of(tasks):
    return [task.task_key for task in tasks]


async def big_job(w, **fields):
    tasks = [{"task_key": key, "notebook_task": {"notebook_path": "/x"}} for key in KEYS]
    return (await w.jobs.create(name="big", tasks=tasks, **fields)).job_id


async def big_run(w):
    tasks = [{"task_key": key, "notebook_task": {"notebook_path": "/x"}} for key in KEYS]
    return (await w.jobs.submit(run_name="big", tasks=tasks)).run_id


@BOTH
async def test_get_brings_all_tasks(w, workspace):
    """At 2.1, which leaves them out, by asking 2.2."""
    job = await w.jobs.get(await big_job(w))
    assert keys_of(job.settings.tasks) == KEYS
    assert job.next_page_token is None
    assert not job.has_more


@BOTH
async def test_get_run_brings_all_tasks(w, workspace):
    """As get does."""
    run = await w.jobs.get_run(await big_run(w))
    assert keys_of(run.tasks) == KEYS
    assert len({task.run_id for task in run.tasks}) == 250


@BOTH
async def test_list_with_tasks_brings_all_of_them(w, workspace, task):
    """Of each job, big or small, in the order of the listing."""
    small = (await w.jobs.create(name="small", tasks=[task(key) for key in KEYS[:3]])).job_id
    big = await big_job(w)
    jobs = await w.jobs.list(expand_tasks=True).collect()
    assert [(job.job_id, len(job.settings.tasks)) for job in jobs] == [(big, 250), (small, 3)]
    assert keys_of(jobs[0].settings.tasks) == KEYS
    assert not jobs[0].has_more


@BOTH
async def test_list_runs_with_tasks_brings_all_of_them(w, workspace, once):
    """As list does."""
    small = (await w.jobs.submit(tasks=[once("a")])).run_id
    workspace.clock.advance(1)
    big = await big_run(w)
    runs = await w.jobs.list_runs(expand_tasks=True).collect()
    assert [(run.run_id, len(run.tasks)) for run in runs] == [(big, 250), (small, 1)]
    assert keys_of(runs[0].tasks) == KEYS


async def test_details_of_cut_items_are_fetched_concurrently(w, workspace):
    """Those of a page."""
    for _ in range(4):
        await big_job(w)
    workspace.journal.clear()
    workspace.faults.add("GET /api/{v}/jobs/get", Fault.delay(0.05), times=4)
    jobs = await w.jobs.list(expand_tasks=True).collect()
    assert [len(job.settings.tasks) for job in jobs] == [250] * 4
    assert workspace.journal.in_flight_max >= 2


async def test_details_of_cut_runs_are_fetched_concurrently(w, workspace):
    """As those of jobs."""
    for _ in range(4):
        await big_run(w)
    workspace.journal.clear()
    workspace.faults.add("GET /api/{v}/jobs/runs/get", Fault.delay(0.05), times=4)
    runs = await w.jobs.list_runs(expand_tasks=True).collect()
    assert [len(run.tasks) for run in runs] == [250] * 4
    assert workspace.journal.in_flight_max >= 2


async def test_a_service_that_speaks_the_older_version_only(connect, workspace):
    """There nothing is left out."""
    config = Config(host=workspace.url, token=workspace.token)
    async with WorkspaceClient(config=config, api_versions={"jobs": "2.1"}) as w:
        job_id = (await w.jobs.create(name="j")).job_id
        workspace.faults.add("GET /api/2.2/jobs/get", Fault.error(404, "ENDPOINT_NOT_FOUND"))
        assert (await w.jobs.get(job_id)).settings.name == "j"


async def test_a_job_deleted_while_the_list_is_read_says_that_it_is_cut(w, workspace):
    """It stays as it was listed."""
    await big_job(w)
    gone = Fault.error(400, "INVALID_PARAMETER_VALUE", "Job 1 does not exist.")
    workspace.faults.add("GET /api/{v}/jobs/get", gone)
    (job,) = await w.jobs.list(expand_tasks=True).collect()
    assert job.has_more
    assert len(job.settings.tasks) == 100


async def test_every_array_is_merged(w, workspace):
    """Also those that are complete on the first page, and those that go on longer than the tasks."""
    clusters = [
        JobCluster.from_dict(
            {
                "job_cluster_key": f"c{number}",
                "new_cluster": {
                    "spark_version": "16.4.x-scala2.12",
                    "node_type_id": "Standard_DS3_v2",
                    "num_workers": 1,
                },
            }
        )
        for number in range(90)
    ]
    parameters = [JobParameterDefinition(name=f"p{number}", default="0") for number in range(310)]
    environments = [JobEnvironment.from_dict({"environment_key": "e"})]
    job_id = await big_job(w, job_clusters=clusters, parameters=parameters, environments=environments)
    settings = (await w.jobs.get(job_id)).settings
    assert keys_of(settings.tasks) == KEYS
    assert [cluster.job_cluster_key for cluster in settings.job_clusters] == [f"c{number}" for number in range(90)]
    assert [parameter.name for parameter in settings.parameters] == [f"p{number}" for number in range(310)]
    assert len(settings.environments) == 1


async def test_arrays_that_begin_on_a_later_page_are_merged(w, workspace):
    """Known ones, and those of tomorrow's service."""
    pages = [
        b'{"job_id": 1, "settings": {"name": "x", "tasks": [{"task_key": "a"}]}, "next_page_token": "p2"}',
        b'{"job_id": 1, "settings": {"tasks": [{"task_key": "b"}], "environments": [{"environment_key": "e"}],'
        b' "robots": [1]}, "next_page_token": "p3"}',
        b'{"job_id": 1, "settings": {"tasks": [], "robots": [2]}}',
    ]
    workspace.faults.add("GET /api/{v}/jobs/get", *(Fault.answer(200, page) for page in pages))
    settings = (await w.jobs.get(1)).settings
    assert settings.name == "x"
    assert keys_of(settings.tasks) == ["a", "b"]
    assert [one.environment_key for one in settings.environments] == ["e"]
    assert settings.unknown_fields == {"robots": [1, 2]}


async def test_iterations_that_begin_on_a_later_page_are_merged(w, workspace):
    """The official SDK looks at the first page only."""
    pages = [
        b'{"run_id": 1, "tasks": [{"task_key": "a", "run_id": 2}], "next_page_token": "p2"}',
        b'{"run_id": 1, "iterations": [{"task_key": "i0", "run_id": 3}], "next_page_token": "p3"}',
        b'{"run_id": 1, "iterations": [{"task_key": "i1", "run_id": 4}]}',
    ]
    workspace.faults.add("GET /api/{v}/jobs/runs/get", *(Fault.answer(200, page) for page in pages))
    run = await w.jobs.get_run(1)
    assert (keys_of(run.tasks), keys_of(run.iterations)) == (["a"], ["i0", "i1"])


async def test_a_page_token_that_comes_back_is_an_error(w, workspace):
    """Instead of an endless loop."""
    page = b'{"job_id": 1, "settings": {"tasks": [{"task_key": "a"}]}, "next_page_token": "again"}'
    workspace.faults.add("GET /api/{v}/jobs/get", Fault.answer(200, page), times=3)
    with pytest.raises(PagingError):
        await w.jobs.get(1)


@BOTH
async def test_get_change_reset_loses_nothing(w, workspace, caplog):
    """250 tasks, and what this version of the library does not know, at any depth."""
    job_id = await big_job(w, tags={})
    job = (await w.jobs.get(job_id)).as_dict()
    job["settings"]["colour"] = {"of": ["the", "sky"]}
    job["settings"]["tasks"][249] |= {"retry_mood": "CHEERFUL", "description": None}
    job["settings"]["tasks"][249]["notebook_task"]["hologram"] = {"on": True}
    workspace.faults.add("GET /api/{v}/jobs/get", Fault.answer(200, json.dumps(job)), times=2)
    changed = (await w.jobs.get(job_id)).settings
    workspace.faults.clear()
    changed.max_concurrent_runs = 7
    await w.jobs.reset(job_id, changed)
    (call,) = workspace.journal.calls("POST /api/{v}/jobs/reset")
    assert call.body["new_settings"] == job["settings"] | {"max_concurrent_runs": 7}
    after = await w.jobs.get(job_id)
    assert (len(after.settings.tasks), after.settings.max_concurrent_runs, after.settings.tags) == (250, 7, {})
    assert not [message for message in caplog.messages if "has no field" in message]
    workspace.journal.clear()


async def test_other_long_arrays_come_whole(connect):
    """Of a job with few tasks too."""
    w = connect()
    parameters = [{"name": f"p{number}", "default": "0"} for number in range(120)]
    job_id = (
        await w.jobs.create(
            name="j", tasks=[{"task_key": "a", "notebook_task": {"notebook_path": "/x"}}], parameters=parameters
        )
    ).job_id
    settings = (await w.jobs.get(job_id)).settings
    assert [parameter.as_dict() for parameter in settings.parameters] == parameters


async def test_lists_go_past_the_offset_limits(connect, workspace):
    """By page tokens; more jobs than an offset may count."""
    w = connect()
    ids = [(await w.jobs.create(name=f"j{number}")).job_id for number in range(1050)]
    assert [job.job_id async for job in w.jobs.list()] == ids[::-1]
    assert not any("offset" in call.query for call in workspace.journal.entries)


@BOTH
async def test_a_job_that_is_not_there(w):
    """The same error whatever the version."""
    with pytest.raises(ResourceDoesNotExist):
        await w.jobs.get(12)
    with pytest.raises(ResourceDoesNotExist):
        await w.jobs.get_run(12)


@BOTH
async def test_settings_of_get_can_be_created_again(w, task):
    """A copy of a job: from the model, the whole answer, or the JSON of either."""
    job_id = (await w.jobs.create(JobSettings(name="one", tasks=[task("a")]))).job_id
    job = await w.jobs.get(job_id)
    for given in (job, job.settings, job.as_dict(), job.settings.as_dict()):
        copy = await w.jobs.get((await w.jobs.create(given)).job_id)
        assert copy.settings.as_dict() == job.settings.as_dict()
