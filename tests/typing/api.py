"""How the public API looks to type checkers. Never run: mypy and pyright read it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, assert_type

from databricks_async import (
    Config,
    DatabricksError,
    OutcomeUnknown,
    Page,
    Pager,
    RunFailed,
    Stream,
    Timeline,
    Token,
    WorkspaceClient,
)
from databricks_async.clusters import (
    AutoScale,
    ClusterDetails,
    ClusterEvent,
    ClusterSpec,
    ClusterWait,
    EventType,
    State,
)
from databricks_async.clusters import Nonsense as Nonsense  # type: ignore[attr-defined]  # pyright: ignore
from databricks_async.errors import OperationFailed
from databricks_async.jobs import (
    BaseRun,
    FailedTask,
    Failure,
    JobSettings,
    Run,
    RunJobTask,
    RunNow,
    RunOutput,
    RunRequest,
    RunsProgress,
    RunWait,
    SubmitRun,
    Success,
    Task,
)
from databricks_async.jobs.models import attrs as attrs  # type: ignore[attr-defined]
from databricks_async.libraries import Library, LibraryFullStatus
from databricks_async.local import Clock, Fault, LocalWorkspace, RateLimit
from databricks_async.workspace import ObjectInfo, TreeFailure, TreeReport


async def clients() -> None:
    async with WorkspaceClient() as w:
        assert_type(w, WorkspaceClient)
    WorkspaceClient(host="https://adb-1.2.azuredatabricks.net", token="dapi", retry_timeout_seconds=60)
    WorkspaceClient(config=Config.resolve(profile="work"), api_versions={"clusters": "2.0"})

    async def fetch() -> Token:
        return Token("value", expires_at=0.0)

    await WorkspaceClient(host="https://adb-1.2.azuredatabricks.net", credential=fetch).aclose()


async def clusters(w: WorkspaceClient) -> None:
    wait = await w.clusters.create(ClusterSpec(spark_version="15.4.x-scala2.12", autoscale=AutoScale(min_workers=1)))
    assert_type(wait, ClusterWait)
    assert_type(wait.cluster_id, str)
    cluster = await wait.result(timeout=600)
    assert_type(cluster, ClusterDetails)
    assert_type(cluster.cluster_id, str | None)
    assert_type(cluster.state, State | None)
    await w.clusters.create({"spark_version": "15.4.x-scala2.12"})
    assert_type(w.clusters.follow_events("c", since="..."), Stream[ClusterEvent])
    assert_type(await w.clusters.history("c"), Timeline)
    await w.clusters.create(spark_version="15.4.x-scala2.12", num_workers=1)
    async for change in wait:
        assert_type(change, ClusterDetails)
    async for change in w.clusters.watch(wait.cluster_id):
        assert_type(change, ClusterDetails)
    spec = cluster.to_spec()
    assert_type(spec, ClusterSpec)
    spec.num_workers = 3
    assert_type(await w.clusters.edit_and_wait(wait.cluster_id, spec), ClusterDetails)
    assert_type(await w.clusters.select_spark_version(long_term_support=True), str)
    assert_type(await w.clusters.select_node_type(min_cores=4), str)
    assert_type(await w.request("GET", "/api/2.0/clusters/list"), Any)


async def listings(w: WorkspaceClient) -> None:
    events = w.clusters.events("id", order="ASC", event_types=[EventType.RUNNING, "EDITED"], max_items=5)
    assert_type(events, Pager[ClusterEvent])
    async for event in events:
        assert_type(event, ClusterEvent)
    async for page in w.clusters.list(filter_by={"is_pinned": True}).pages():
        assert_type(page, Page[ClusterDetails])
        assert_type(page.next_page_token, str | None)
    await w.libraries.install("id", [Library(jar="dbfs:/a.jar"), {"whl": "/a.whl"}])
    assert_type(await w.libraries.cluster_status("id").collect(), list[LibraryFullStatus])


async def jobs(w: WorkspaceClient) -> None:
    job = await w.jobs.create(
        JobSettings(name="nightly", tasks=[Task(task_key="a", run_job_task=RunJobTask(job_id=1))])
    )
    await w.jobs.create({"name": "nightly"})
    await w.jobs.create(name="nightly")
    assert_type((await w.jobs.get(job.job_id)).settings, JobSettings | None)
    wait = await w.jobs.run_now(job.job_id, job_parameters={"day": "1"})
    assert_type(wait, RunWait)
    async for change in wait:
        assert_type(change, BaseRun)
    run = await wait.result(timeout=3600, check=False)
    assert_type(run, Run)
    assert_type(await w.jobs.run_now(1).result(3600, check=False), Run)
    assert_type(await w.jobs.run_now_and_wait(1, check=False), Run)
    assert_type(run.succeeded, bool)
    assert_type(await w.jobs.get_run_outputs(run), dict[str, RunOutput])
    assert_type(w.jobs.list_runs(active_only=True), Pager[BaseRun])
    async with w.jobs.wait_run(1).cancel_run_on_exit() as same:
        assert_type(same, RunWait)
    requests: list[RunRequest] = [RunNow(job_id=1), {"job_id": 2}, SubmitRun(tasks=[])]
    async with w.jobs.run_many(requests, max_active=10) as outcomes:
        async for outcome in outcomes:
            assert_type(outcome, Success[RunRequest] | Failure[RunRequest])
            assert_type(outcome.error, Exception | None)
            assert_type(outcomes.progress, RunsProgress)
    async with w.jobs.run_many([RunNow(job_id=1), {"job_id": 2}], retries=2) as mixed:
        async for each in mixed:
            assert_type(each.request, RunRequest)
    async with w.jobs.run_many(RunNow(job_id=number) for number in range(3)) as alike:
        async for one in alike:
            assert_type(one.request, RunNow)
            if one.error is None:
                assert_type(one, Success[RunNow])
                assert_type(await w.jobs.get_run_outputs(one.run), dict[str, RunOutput])
            else:
                assert_type(one.error, Exception)
            if one.run is not None:
                assert_type(await w.jobs.get_run_outputs(one.run), dict[str, RunOutput])
    async with w.jobs.run_many([{"job_id": 2}], cancel_on_exit=True) as mappings:
        async for outcome_of_mapping in mappings:
            assert_type(outcome_of_mapping.request, Mapping[str, Any])
    assert_type(w.jobs.follow_runs(1), Stream[BaseRun])
    assert_type(run.timeline(), Timeline)
    try:
        await w.jobs.submit_and_wait({"tasks": []}, timeout=60)
    except RunFailed as error:
        assert_type(error.run, Run)
        assert_type(error.failed_tasks, list[FailedTask])


async def workspace(w: WorkspaceClient) -> None:
    assert_type(w.workspace.list("/"), Pager[ObjectInfo])
    assert_type(await w.workspace.export("/x"), bytes)
    async for chunk in w.workspace.download("/x"):
        assert_type(chunk, bytes)
    assert_type(await w.workspace.download("/x").save("x"), int)
    await w.workspace.upload("/x", Path("x"), overwrite=True)
    async with w.workspace.walk("/") as walk:
        async for info in walk:
            assert_type(info, ObjectInfo)
    report = await w.workspace.export_tree("/", "backup")
    assert_type(report, TreeReport)
    assert_type(report.failures, list[TreeFailure])
    assert_type((await w.current_user.me()).user_name, str | None)


async def errors(w: WorkspaceClient) -> None:
    try:
        await w.clusters.ensure_cluster_is_running("id", timeout=60)
    except OutcomeUnknown as error:
        assert_type(error.lookup, str)
    except OperationFailed as error:
        assert_type(error.message, str)
    except DatabricksError as error:
        assert_type(error.status, int | None)


async def local() -> None:
    async with LocalWorkspace(clock=Clock.by_hand()) as ws:
        ws.faults.add("GET /api/{v}/clusters/get", Fault.drop(after=True), times=2)
        ws.rate_limit = RateLimit(per_second=30, burst=30)
        assert_type(ws.journal.count("*"), int)
        assert_type(ws.url, str)
