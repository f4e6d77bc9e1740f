"""The official SDK's Jobs API, unchanged, against the local workspace."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from databricks.sdk.errors import InvalidParameterValue, OperationFailed, PermissionDenied, ResourceDoesNotExist
from databricks.sdk.service import compute, jobs

from databricks_async.local import Fault, LocalWorkspace


def notebook(key: str, *needs: str, **settings: Any) -> jobs.Task:
    path = jobs.NotebookTask(f"/nb/{key}", base_parameters={"day": "{{job.parameters.day}}"})
    depends_on = [jobs.TaskDependency(need) for need in needs]
    return jobs.Task(key, notebook_task=path, depends_on=depends_on or None, **settings)


def cluster() -> compute.ClusterSpec:
    return compute.ClusterSpec(spark_version="16.4.x-scala2.12", node_type_id="Standard_DS3_v2", num_workers=1)


def results(run: jobs.Run) -> dict[str, Any]:
    """The result of the latest attempt at each task."""
    return {task.task_key: task.state.result_state for task in run.tasks}


def nothing_unknown(workspace: LocalWorkspace) -> None:
    assert workspace.journal.unknown_routes == []
    assert [call.unknown for call in workspace.journal.entries if call.unknown] == []


async def test_a_job_from_its_creation_to_its_end(workspace, connect):
    """Create, get, update, reset, delete: what the SDK reads it can write back."""

    def work() -> list[Any]:
        w = connect()
        job_clusters = [jobs.JobCluster("main", new_cluster=cluster())]
        created = w.jobs.create(
            name="nightly",
            tasks=[notebook("a", job_cluster_key="main"), notebook("b", "a", job_cluster_key="main")],
            job_clusters=job_clusters,
            parameters=[jobs.JobParameterDefinition("day", "mon")],
            schedule=jobs.CronSchedule("0 0 * * * ?", "UTC", pause_status=jobs.PauseStatus.PAUSED),
            tags={"team": "a"},
        )
        first = w.jobs.get(created.job_id)
        w.jobs.update(created.job_id, new_settings=jobs.JobSettings(name="daily"), fields_to_remove=["schedule"])
        second = w.jobs.get(created.job_id)
        w.jobs.reset(created.job_id, second.settings)
        third = w.jobs.get(created.job_id)
        w.jobs.delete(created.job_id)
        with pytest.raises(ResourceDoesNotExist):
            w.jobs.get(created.job_id)
        return [first, second, third]

    first, second, third = await asyncio.to_thread(work)
    assert (first.settings.name, second.settings.name) == ("nightly", "daily")
    assert [task.task_key for task in first.settings.tasks] == ["a", "b"]
    assert first.settings.tasks[1].run_if == jobs.RunIf.ALL_SUCCESS
    assert first.settings.schedule.pause_status == jobs.PauseStatus.PAUSED
    assert second.settings.schedule is None
    assert third == second
    nothing_unknown(workspace)


async def test_jobs_of_250_tasks_come_whole(workspace, connect):
    """By get, by list with their tasks, and as the run of one."""

    def work() -> list[Any]:
        w = connect()
        for n in range(3):
            w.jobs.create(name=f"j{n}", tasks=[notebook(f"t{i:03}") for i in range(250)])
        listed = list(w.jobs.list(expand_tasks=True, limit=2))
        got = w.jobs.get(listed[0].job_id)
        run = w.jobs.run_now(listed[0].job_id).result()
        return [listed, got, run, next(iter(w.jobs.list_runs(expand_tasks=True)))]

    listed, got, run, first = await asyncio.to_thread(work)
    keys = [f"t{i:03}" for i in range(250)]
    assert [job.settings.name for job in listed] == ["j2", "j1", "j0"]
    assert [[task.task_key for task in job.settings.tasks] for job in listed] == [keys] * 3
    assert [task.task_key for task in got.settings.tasks] == keys
    assert [task.task_key for task in run.tasks] == [task.task_key for task in first.tasks] == keys
    nothing_unknown(workspace)


async def test_run_now_waits_for_the_end(workspace, connect):
    """Its own waiter sees it; the outputs of the tasks can be read, that of the run cannot."""
    workspace.script_task("a", call=lambda given: (f"exit {given['day']}", {"rows": "7"}))

    def work() -> list[Any]:
        w = connect()
        parameters = [jobs.JobParameterDefinition("day", "mon")]
        check = jobs.ConditionTask(jobs.ConditionTaskOp.EQUAL_TO, "{{tasks.a.values.rows}}", "7")
        tasks = [
            notebook("a", new_cluster=cluster()),
            jobs.Task("if", condition_task=check, depends_on=[jobs.TaskDependency("a")]),
            jobs.Task(
                "each",
                for_each_task=jobs.ForEachTask('["x", "y"]', notebook("one")),
                depends_on=[jobs.TaskDependency("if", outcome="true")],
            ),
        ]
        job_id = w.jobs.create(tasks=tasks, parameters=parameters).job_id
        run = w.jobs.run_now_and_wait(job_id, job_parameters={"day": "tue"}, timeout=timedelta(minutes=1))
        output = w.jobs.get_run_output(run.tasks[0].run_id)
        with pytest.raises(InvalidParameterValue, match="multiple tasks"):
            w.jobs.get_run_output(run.run_id)
        exported = w.jobs.export_run(run.tasks[0].run_id)
        return [run, output, exported, w.jobs.get_run(run.tasks[2].run_id)]

    run, output, exported, each = await asyncio.to_thread(work)
    success = jobs.RunResultState.SUCCESS
    assert (run.state.life_cycle_state, run.state.result_state) == (jobs.RunLifeCycleState.TERMINATED, success)
    assert run.status.termination_details.code == jobs.TerminationCodeCode.SUCCESS
    assert results(run) == {"a": success, "if": success, "each": success}
    assert run.tasks[1].condition_task.outcome == "true"
    assert run.job_parameters == [jobs.JobParameter(default="mon", name="day", value="tue")]
    assert output.notebook_output.result == "exit tue"
    assert output.metadata.job_run_id == run.run_id
    assert exported.views[0].type == jobs.ViewType.NOTEBOOK
    assert [one.state.result_state for one in each.iterations] == [success, success]
    nothing_unknown(workspace)


async def test_a_failed_run_is_repaired(workspace, connect):
    """The SDK's waiter raises for the first run, and is content with the repair."""
    workspace.script_task("a", error="boom", error_trace="line 1", times=1)

    def work() -> list[Any]:
        w = connect()
        job_id = w.jobs.create(tasks=[notebook("a"), notebook("b", "a")]).job_id
        waiter = w.jobs.run_now(job_id)
        with pytest.raises(OperationFailed, match="Task a failed with message: Workload failed"):
            waiter.result()
        failed = w.jobs.get_run(waiter.run_id)
        output = w.jobs.get_run_output(failed.tasks[0].run_id)
        w.jobs.repair_run_and_wait(waiter.run_id, rerun_all_failed_tasks=True)
        return [failed, output, w.jobs.get_run(waiter.run_id, include_history=True)]

    failed, output, repaired = await asyncio.to_thread(work)
    state = jobs.RunResultState
    assert results(failed) == {"a": state.FAILED, "b": state.UPSTREAM_FAILED}
    assert (output.error, output.error_trace) == ("boom", "line 1")
    assert results(repaired) == {"a": state.SUCCESS, "b": state.SUCCESS}
    assert [one.type.value for one in repaired.repair_history] == ["ORIGINAL", "REPAIR"]
    nothing_unknown(workspace)


async def test_submit_cancel_and_delete(workspace, connect):
    """With one run for one idempotency token."""
    workspace.script_task("endless", duration=1e12)

    def work() -> list[Any]:
        w = connect()
        task = jobs.SubmitTask("endless", notebook_task=jobs.NotebookTask("/nb"))
        first, again = [w.jobs.submit(run_name="x", tasks=[task], idempotency_token="t").run_id for _ in range(2)]
        active = [run.run_id for run in w.jobs.list_runs(active_only=True)]
        canceled = w.jobs.cancel_run_and_wait(first)
        w.jobs.cancel_all_runs(all_queued_runs=True)
        w.jobs.delete_run(first)
        with pytest.raises(ResourceDoesNotExist):
            w.jobs.get_run(first)
        return [first, again, active, canceled]

    first, again, active, canceled = await asyncio.to_thread(work)
    assert first == again
    assert active == [first]
    assert canceled.state.result_state == jobs.RunResultState.CANCELED
    assert canceled.run_name == "x"
    nothing_unknown(workspace)


async def test_runs_are_listed_to_the_last(workspace, connect):
    """Through the pages, with filters."""

    def work() -> list[Any]:
        w = connect()
        job_id = w.jobs.create(tasks=[notebook("a")], max_concurrent_runs=100).job_id
        started = [w.jobs.run_now(job_id).run_id for _ in range(30)]
        w.jobs.submit(tasks=[jobs.SubmitTask("a", notebook_task=jobs.NotebookTask("/nb"))])
        of_job = [run.run_id for run in w.jobs.list_runs(job_id=job_id, limit=7)]
        of_kind = [run.run_id for run in w.jobs.list_runs(run_type=jobs.RunType.JOB_RUN)]
        return [started[::-1], of_job, of_kind]

    started, of_job, of_kind = await asyncio.to_thread(work)
    assert of_job == of_kind == started
    nothing_unknown(workspace)


async def test_permissions(workspace, connect):
    """Set, update, get, the levels there are; and what others may not see."""
    workspace.add_user("ann@example.com", "dapi-ann")

    def work() -> list[Any]:
        w = connect()
        job_id = str(w.jobs.create(tasks=[notebook("a")]).job_id)
        with pytest.raises(PermissionDenied):
            connect("dapi-ann").jobs.get(int(job_id))
        level = jobs.JobPermissionLevel
        owner = jobs.JobAccessControlRequest(user_name="admin@example.com", permission_level=level.IS_OWNER)
        ann = jobs.JobAccessControlRequest(user_name="ann@example.com", permission_level=level.CAN_VIEW)
        w.jobs.set_permissions(job_id, access_control_list=[owner])
        updated = w.jobs.update_permissions(job_id, access_control_list=[ann])
        connect("dapi-ann").jobs.get(int(job_id))
        levels = w.jobs.get_permission_levels(job_id).permission_levels
        return [updated, w.jobs.get_permissions(job_id), [one.permission_level.value for one in levels]]

    updated, got, levels = await asyncio.to_thread(work)
    assert updated == got
    principals = [one.user_name or one.group_name for one in got.access_control_list]
    assert principals == ["admin@example.com", "ann@example.com", "admins"]
    assert levels == ["CAN_VIEW", "CAN_MANAGE_RUN", "CAN_MANAGE", "IS_OWNER"]
    nothing_unknown(workspace)


async def test_lost_answers_start_runs_again(workspace, connect):
    """What the README says of the SDK: it sends submit again without a token. Ours is in tests/jobs."""
    workspace.faults.add("POST /api/{v}/jobs/runs/submit", Fault.drop(after=True), times=2)
    client = await asyncio.to_thread(connect)
    tasks = [jobs.SubmitTask("a", notebook_task=jobs.NotebookTask("/nb"))]
    await asyncio.to_thread(lambda: client.jobs.submit(tasks=tasks))
    assert workspace.journal.count("POST /api/{v}/jobs/runs/submit") == 3
    assert len(await asyncio.to_thread(lambda: [*client.jobs.list_runs()])) == 3
