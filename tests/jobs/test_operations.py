"""Every operation of the Jobs API, at both versions, against a workspace behind real HTTP.

Here are the tests of `jobs/api.py`.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter

import pytest

from databricks_async.errors import InvalidParameterValue, InvalidState, ResourceDoesNotExist
from databricks_async.jobs.models import (
    CreateJob,
    JobParameterDefinition,
    JobPermissionLevel,
    JobSettings,
    QueueSettings,
    RepairRun,
    RunNow,
    RunType,
    SubmitRun,
)

pytestmark = pytest.mark.parametrize("version", ["2.1", "2.2"])


@pytest.mark.parametrize("given", ["a model", "a mapping", "keywords", "keywords with models"])
async def test_each_task_of_a_body_is_read_once_and_written_once(w, task, version, given):
    """Counted are the calls of the functions that are generated for the class: a large job has 1,000 tasks."""
    settings = CreateJob(name="nightly", tasks=[task(f"task_{number}") for number in range(7)])
    fields = settings.as_dict()
    calls = Counter()

    def count(frame, event, _):
        if event == "call":
            # One for objects of the same keys hands others on to the one for any object: that is one reading.
            name, caller = (each.f_code.co_name.partition("_of_keys_")[0] for each in (frame, frame.f_back))
            calls[name] += name != caller

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        if given == "a model":
            job = await w.jobs.create(settings)
        elif given == "a mapping":
            job = await w.jobs.create(fields)
        elif given == "keywords":
            job = await w.jobs.create(**fields)
        else:
            job = await w.jobs.create(name="nightly", tasks=settings.tasks)
    finally:
        sys.setprofile(before)
    assert (calls["read_Task"], calls["write_Task"]) == (7, 7)
    assert (calls["read_CreateJob"], calls["write_CreateJob"]) == (1, 1)
    assert len((await w.jobs.get(job.job_id)).settings.tasks) == 7


async def test_create_and_get(w, workspace, task, version):
    """From a model, a mapping, keywords; what comes back is what went there, with the service's defaults."""
    settings = CreateJob(name="nightly", tasks=[task("a"), task("b", "a", timeout_seconds=60)], tags={"team": "data"})
    for job_id in (
        (await w.jobs.create(settings)).job_id,
        (await w.jobs.create(settings.as_dict())).job_id,
        (await w.jobs.create(name="nightly", tasks=settings.tasks, tags={"team": "data"})).job_id,
    ):
        job = await w.jobs.get(job_id)
        assert job.job_id == job_id
        assert job.created is not None
        assert job.settings.name == "nightly"
        assert job.settings.tags == {"team": "data"}
        assert [one.task_key for one in job.settings.tasks] == ["a", "b"]
        assert job.settings.tasks[1].depends_on[0].task_key == "a"
        assert job.settings.tasks[1].timeout_seconds == 60
    assert {call.endpoint for call in workspace.journal.calls("POST *")} == {f"POST /api/{version}/jobs/create"}


async def test_list(w, task):
    """The newest first, by pages, by name in any case."""
    ids = [(await w.jobs.create(name=f"j{number}", tasks=[task("a")])).job_id for number in range(5)]
    assert [job.job_id async for job in w.jobs.list(page_size=2)] == ids[::-1]
    assert [job.job_id async for job in w.jobs.list(max_items=2)] == ids[:2:-1]
    assert [job.job_id async for job in w.jobs.list(name="J3")] == [ids[3]]
    page = await anext(w.jobs.list(page_size=3).pages())
    rest = await w.jobs.list(page_token=page.next_page_token).collect()
    assert [job.job_id for job in rest] == ids[1::-1]
    assert all(job.settings.tasks is None for job in rest)


async def test_update_and_reset(w, task):
    """Update changes what is named, reset replaces it all."""
    job_id = (await w.jobs.create(name="a", tasks=[task("x"), task("y")], tags={"k": "v"}, timeout_seconds=9)).job_id
    await w.jobs.update(job_id, JobSettings(name="b", tasks=[task("x", timeout_seconds=5)]), fields_to_remove="tags")
    settings = (await w.jobs.get(job_id)).settings
    assert (settings.name, settings.timeout_seconds, settings.tags) == ("b", 9, None)
    assert {one.task_key: one.timeout_seconds for one in settings.tasks}["x"] == 5
    assert len(settings.tasks) == 2
    await w.jobs.update(job_id, {"tasks": [task("z", "x")]})
    await w.jobs.update(job_id, fields_to_remove=["tasks/y"])
    assert [one.task_key for one in (await w.jobs.get(job_id)).settings.tasks] == ["x", "z"]
    await w.jobs.reset(job_id, JobSettings(name="c"))
    settings = (await w.jobs.get(job_id)).settings
    assert (settings.name, settings.tasks or [], settings.timeout_seconds or 0) == ("c", [], 0)


async def test_delete(w, task, finish):
    """The job is gone, its runs can still be read."""
    job_id = (await w.jobs.create(name="a", tasks=[task("x")])).job_id
    wait = await w.jobs.run_now(job_id)
    finish()
    await w.jobs.delete(job_id)
    with pytest.raises(ResourceDoesNotExist):
        await w.jobs.get(job_id)
    assert (await w.jobs.get_run(wait.run_id)).job_id == job_id
    with pytest.raises(InvalidParameterValue):
        await w.jobs.run_now(job_id)


async def test_run_now(w, task, finish, workspace):
    """With parameters, which the tasks are given, by id or model or mapping."""
    seen = []
    workspace.script_task("a", call=lambda parameters: seen.append(parameters))
    parameters = [JobParameterDefinition(name="day", default="monday")]
    job = {"name": "j", "tasks": [task("a")], "parameters": parameters, "max_concurrent_runs": 9}
    job_id = (await w.jobs.create(job)).job_id
    for request in (job_id, RunNow(job_id=job_id), {"job_id": job_id}):
        await w.jobs.run_now(request)
    wait = await w.jobs.run_now(job_id, job_parameters={"day": "friday"}, queue=QueueSettings(enabled=True))
    finish()
    run = await wait.result()
    assert run.run_type == RunType.JOB_RUN
    assert run.job_id == job_id
    assert [(one.name, one.default, one.value) for one in run.job_parameters] == [("day", "monday", "friday")]
    assert sorted(parameters["day"] for parameters in seen) == ["friday", "monday", "monday", "monday"]


async def test_only_some_tasks(w, task, finish):
    """Those that `only` names."""
    job_id = (await w.jobs.create(name="j", tasks=[task("a"), task("b")])).job_id
    wait = await w.jobs.run_now(job_id, only=["b"])
    finish()
    run = await wait.result()
    assert [one.task_key for one in run.tasks if one.succeeded] == ["b"]


async def test_submit(w, once, finish):
    """A run without a job, from a model, a mapping, keywords."""
    tasks = [once("a"), once("b", "a")]
    for wait in (
        await w.jobs.submit(SubmitRun(run_name="once", tasks=tasks)),
        await w.jobs.submit({"run_name": "once", "tasks": [one.as_dict() for one in tasks]}),
        await w.jobs.submit(run_name="once", tasks=tasks),
    ):
        finish()
        run = await wait.result()
        assert (run.run_name, run.run_type) == ("once", RunType.SUBMIT_RUN)
        assert run.start < run.end
        assert [one.task_key for one in run.tasks] == ["a", "b"]


async def test_list_runs(w, task, once, finish, workspace):
    """The latest first; by job, state, type and time."""
    job_id = (await w.jobs.create(name="j", tasks=[task("a")], max_concurrent_runs=9)).job_id
    old = (await w.jobs.run_now(job_id)).run_id
    finish()
    now = workspace.clock.now()
    new = (await w.jobs.run_now(job_id)).run_id
    workspace.clock.advance(1)
    single = (await w.jobs.submit(tasks=[once("a")])).run_id

    async def ids(**filters):
        return [run.run_id async for run in w.jobs.list_runs(**filters)]

    assert await ids() == [single, new, old]
    assert await ids(page_size=1) == [single, new, old]
    assert await ids(job_id=job_id) == [new, old]
    assert await ids(active_only=True) == [single, new]
    assert await ids(completed_only=True) == [old]
    assert await ids(run_type="SUBMIT_RUN") == [single]
    assert await ids(start_time_from=now) == [single, new]
    assert await ids(start_time_to=now - 1) == [old]
    assert await ids(max_items=1) == [single]
    assert not [run async for run in w.jobs.list_runs() if run.tasks is not None]
    assert not [run async for run in w.jobs.list_runs(expand_tasks=True) if not run.tasks]


async def test_cancel_run(w, once, finish):
    """The wait ends when it has stopped; cancelling what has ended is fine."""
    wait = await w.jobs.submit(tasks=[once("a")])
    cancelling = await w.jobs.cancel_run(wait.run_id)
    finish()
    run = await cancelling.result()
    assert run.state.result_state == "CANCELED"
    assert (await w.jobs.cancel_run_and_wait(wait.run_id)).state.result_state == "CANCELED"


async def test_cancel_all_runs(w, task, finish):
    """Of one job."""
    job_id = (await w.jobs.create(name="j", tasks=[task("a")], max_concurrent_runs=5)).job_id
    waits = [await w.jobs.run_now(job_id) for _ in range(3)]
    await w.jobs.cancel_all_runs(job_id)
    finish()
    assert {(await wait.result(check=False)).state.result_state for wait in waits} == {"CANCELED"}


async def test_delete_run(w, once, finish):
    """Only when it has ended."""
    wait = await w.jobs.submit(tasks=[once("a")])
    with pytest.raises((InvalidState, InvalidParameterValue)):
        await w.jobs.delete_run(wait.run_id)
    finish()
    await w.jobs.delete_run(wait.run_id)
    with pytest.raises(ResourceDoesNotExist):
        await w.jobs.get_run(wait.run_id)


async def test_get_run_output_and_export_run(w, workspace, once, finish):
    """Of a task's own run."""
    workspace.script_task("a", output="42")
    wait = await w.jobs.submit(tasks=[once("a")])
    finish()
    (one,) = (await wait.result()).tasks
    output = await w.jobs.get_run_output(one.run_id)
    assert output.notebook_output.result == "42"
    assert output.metadata.run_id == one.run_id
    (view,) = (await w.jobs.export_run(one.run_id, "CODE")).views
    assert view.type == "NOTEBOOK"
    assert "<html" in view.content.lower()


async def test_repair_run(w, workspace, once, finish):
    """What failed and what depends on it; a second repair names the first."""
    workspace.script_task("b", error="boom", times=2)
    wait = await w.jobs.submit(tasks=[once("a"), once("b", "a"), once("c", "b")])
    finish()
    first = await w.jobs.repair_run(wait.run_id, rerun_tasks=["b"])
    finish()
    with pytest.raises(InvalidParameterValue):
        await w.jobs.repair_run(wait.run_id, rerun_all_failed_tasks=True)
    again = RepairRun(run_id=wait.run_id, rerun_all_failed_tasks=True, latest_repair_id=first.repair_id)
    second = await w.jobs.repair_run(again)
    finish()
    run = await second.result()
    assert run.succeeded
    history = (await w.jobs.get_run(wait.run_id, include_history=True)).repair_history
    assert [item.type for item in history] == ["ORIGINAL", "REPAIR", "REPAIR"]
    assert [item.id for item in history[1:]] == [first.repair_id, second.repair_id]


async def test_and_wait(w, workspace, task, once, finish):
    """Each in one line: the workspace's clock runs ahead while they wait."""
    job_id = (await w.jobs.create(name="j", tasks=[task("a")])).job_id

    async def meanwhile(call):
        workspace.journal.clear()
        running = asyncio.create_task(call)
        await workspace.journal.until(lambda journal: journal.count("GET /api/{v}/jobs/runs/get") > 0)
        finish()
        return await running

    run = await meanwhile(w.jobs.run_now_and_wait(job_id, timeout=60))
    assert run.succeeded
    assert (await meanwhile(w.jobs.submit_and_wait(tasks=[once("a")]))).succeeded
    assert (await meanwhile(w.jobs.repair_run_and_wait(run.run_id, rerun_tasks=["a"]))).succeeded


async def test_permissions(w, task):
    """Of one job: its owner's, those given, those changed."""
    job_id = (await w.jobs.create(name="j", tasks=[task("a")])).job_id
    levels = await w.jobs.get_permission_levels(job_id)
    assert JobPermissionLevel.CAN_MANAGE_RUN in [level.permission_level for level in levels.permission_levels]
    owner = {"user_name": "admin@example.com", "permission_level": "IS_OWNER"}
    ann = {"user_name": "ann@example.com", "permission_level": "CAN_VIEW"}
    await w.jobs.set_permissions(job_id, [owner, ann])
    await w.jobs.update_permissions(job_id, [ann | {"permission_level": "CAN_MANAGE"}])
    entries = (await w.jobs.get_permissions(job_id)).access_control_list
    (levels,) = [entry.all_permissions for entry in entries if entry.user_name == "ann@example.com"]
    assert [level.permission_level for level in levels] == ["CAN_MANAGE"]
