"""The Jobs API: `w.jobs`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, Unpack, overload
from uuid import uuid4

import attrs

from databricks_async.codec import Model, build, given_as
from databricks_async.codec.given import Given
from databricks_async.errors import DatabricksError, OutcomeUnknown
from databricks_async.jobs.many import AlikeRequest, Outcomes, RunRequest
from databricks_async.jobs.models import (
    BaseRun,
    CreateJob,
    CreateResponse,
    ExportRunOutput,
    GetJobPermissionLevelsResponse,
    Job,
    JobAccessControlRequest,
    JobPermissions,
    JobSettings,
    RepairRun,
    RepairRunResponse,
    Run,
    RunNow,
    RunNowResponse,
    RunOutput,
    SubmitRun,
    SubmitRunResponse,
    ViewsToExport,
)
from databricks_async.jobs.models.checks import check_tasks
from databricks_async.jobs.runs import RunWait, is_skipped, outputs_of
from databricks_async.jobs.single_task import settings_of, with_tasks
from databricks_async.jobs.watching import RunWatches
from databricks_async.permissions import Permissions
from databricks_async.service import number, received_id
from databricks_async.wait import Timeout, answer_callback, starts

if TYPE_CHECKING:
    from databricks_async.jobs.keywords import JobKeywords, RepairRunKeywords, RunNowKeywords
    from databricks_async.jobs.submit_keywords import SubmitKeywords
    from databricks_async.session.session import Session

log = logging.getLogger("databricks_async")

M = TypeVar("M", bound=Model)

AccessControl: TypeAlias = Iterable[JobAccessControlRequest | Mapping[str, Any]]

_FIRST_POLL_SECONDS = 10.0
"""How long a started run is looked at, at most, before the call returns."""


class Jobs(RunWatches):
    """Jobs and their runs: made, changed, started, repaired, waited for, listed.

    What starts a run returns a `RunWait`, and has a twin `..._and_wait` that waits for its end. Times are epoch
    milliseconds, ids whole numbers. An unknown job or run raises `ResourceDoesNotExist`.
    """

    def __init__(self, session: Session, version: str) -> None:
        super().__init__(session, version)
        self._permissions = Permissions(
            session,
            "/api/2.0/permissions/jobs/{job_id}",
            JobAccessControlRequest,
            JobPermissions,
            GetJobPermissionLevelsResponse,
        )

    # --- jobs --------------------------------------------------------------------------------------------------------

    async def create(
        self, settings: CreateJob | Job | Given[JobSettings] | None = None, /, **fields: Unpack[JobKeywords]
    ) -> CreateResponse:
        """Create a job from its settings: a model, a mapping (such as the JSON of the web UI), or fields as keywords.

        A single task may stand beside the settings, as in version 2.0: `create(name=..., notebook_task=...)`.

        The result has the `job_id`. A lost answer raises `OutcomeUnknown` and nothing is sent again: the job may exist,
        and the error says how to find it.

        `POST /api/2.2/jobs/create`: https://docs.databricks.com/api/azure/workspace/jobs/create
        """
        body = build(CreateJob, with_tasks(CreateJob, settings_of(settings)), **with_tasks(CreateJob, fields))
        filter_by = f"name={body.name!r}" if body.name else ""
        return await self._call(
            "POST /api/{v}/jobs/create",
            CreateResponse,
            body=body,
            lookup=f"look through jobs.list({filter_by}) for a created_time not before this call",
        )

    async def update(
        self,
        job_id: int,
        new_settings: Given[JobSettings] | None = None,
        *,
        fields_to_remove: Iterable[str] | None = None,
    ) -> None:
        """Change some settings of a job: each field given replaces the job's, a whole list or object at a time.

        Tasks and job clusters are merged by their keys. `fields_to_remove` names what to take out: top-level fields,
        or `tasks/key` and `job_clusters/key`.

        `POST /api/2.2/jobs/update`: https://docs.databricks.com/api/azure/workspace/jobs/update
        """
        if isinstance(fields_to_remove, str):
            fields_to_remove = (fields_to_remove,)
        settings = None
        if new_settings is not None:
            settings = build(JobSettings, new_settings)
        await self._act(
            "POST /api/{v}/jobs/update",
            job_id=number("job_id", job_id),
            new_settings=settings,
            fields_to_remove=None if fields_to_remove is None else [*fields_to_remove],
        )

    async def reset(self, job_id: int, new_settings: Job | Given[JobSettings]) -> None:
        """Replace all settings of a job. To change some, start from `(await w.jobs.get(job_id)).settings`.

        `POST /api/2.2/jobs/reset`: https://docs.databricks.com/api/azure/workspace/jobs/reset
        """
        given = with_tasks(CreateJob, settings_of(new_settings))
        if not given:
            raise ValueError("reset replaces all settings: without any it would empty the job")
        settings = build(JobSettings, given)
        check_tasks(settings.tasks, settings.job_clusters or (), complete=True)
        await self._act("POST /api/{v}/jobs/reset", job_id=number("job_id", job_id), new_settings=settings)

    async def delete(self, job_id: int) -> None:
        """Delete a job. Its runs can still be read for 60 days, those under way go on.

        `POST /api/2.2/jobs/delete`: https://docs.databricks.com/api/azure/workspace/jobs/delete
        """
        lookup = f"jobs.get({job_id}) raises ResourceDoesNotExist once it is deleted"
        await self._act("POST /api/{v}/jobs/delete", lookup=lookup, job_id=number("job_id", job_id))

    # --- starting and stopping runs ----------------------------------------------------------------------------------

    @starts
    async def run_now(self, job: int | Given[RunNow] | None = None, /, **fields: Unpack[RunNowKeywords]) -> RunWait:
        """Start a run of a job, given by its id or as a `RunNow`; the other fields of `RunNow` are keywords.

        A lost answer never starts a second run: the call carries an `idempotency_token`, made for it unless one is
        given; when no answer comes at all, it is in the `OutcomeUnknown`. A token of yours that was used before returns
        the run of that time: with such a token a `GET .../jobs/runs/get` follows, which `RunWait.is_old` is known from.

        `POST /api/2.2/jobs/run-now`: https://docs.databricks.com/api/azure/workspace/jobs/runnow
        """
        if job is not None and "job_id" in fields:
            raise TypeError("run_now() got the job twice: write run_now(job_id, ...) without job_id=")
        body = _request(RunNow, "job_id", job, fields)
        return await self._start("POST /api/{v}/jobs/run-now", RunNowResponse, body)

    @starts
    async def submit(self, run: Given[SubmitRun] | None = None, /, **fields: Unpack[SubmitKeywords]) -> RunWait:
        """Start a one-time run, without a job, from a `SubmitRun`, a mapping, or the same fields as keywords.

        A single task may stand beside them: `submit(run_name=..., notebook_task=..., existing_cluster_id=...)`.

        A lost answer never starts a second run; see `run_now`, also for what a token of yours costs.

        `POST /api/2.2/jobs/runs/submit`: https://docs.databricks.com/api/azure/workspace/jobs/submit
        """
        body = build(SubmitRun, with_tasks(SubmitRun, given_as(run)), **with_tasks(SubmitRun, fields))
        return await self._start("POST /api/{v}/jobs/runs/submit", SubmitRunResponse, body)

    @starts
    async def repair_run(
        self, run: int | Given[RepairRun] | None = None, /, **fields: Unpack[RepairRunKeywords]
    ) -> RunWait:
        """Run tasks of an ended run again: `rerun_tasks=["key"]` or `rerun_all_failed_tasks=True`.

        The wait ends when the run has ended again; the next repair of the run needs its `repair_id` as the
        `latest_repair_id` (after a restart: the last id in the `repair_history` of `get_run`). A
        lost answer raises `OutcomeUnknown` and nothing is sent again: the repair may be under way.

        `POST /api/2.2/jobs/runs/repair`: https://docs.databricks.com/api/azure/workspace/jobs/repairrun
        """
        if run is not None and "run_id" in fields:
            raise TypeError("repair_run() got the run twice: write repair_run(run_id, ...) without run_id=")
        body = _request(RepairRun, "run_id", run, fields)
        if body.rerun_tasks is not None:  # the service refuses a key that stands twice
            body = attrs.evolve(body, rerun_tasks=[*dict.fromkeys(body.rerun_tasks)])
        answer = await self._call(
            "POST /api/{v}/jobs/runs/repair",
            RepairRunResponse,
            body=body,
            lookup=f"the repair_history of jobs.get_run({body.run_id}, include_history=True) shows it, "
            "if it was carried out",
        )
        wait = RunWait(self, body.run_id, self._reader)
        wait.response = answer
        wait.repair_id = answer.repair_id
        return wait

    @starts
    async def cancel_run(self, run_id: int) -> RunWait:
        """Cancel a run. The wait ends when it has stopped; its result is the run, however it ended.

        `POST /api/2.2/jobs/runs/cancel`: https://docs.databricks.com/api/azure/workspace/jobs/cancelrun
        """
        await self._act("POST /api/{v}/jobs/runs/cancel", run_id=number("run_id", run_id))
        return RunWait(self, run_id, self._reader, check=False)

    async def cancel_all_runs(self, job_id: int | None = None, *, all_queued_runs: bool | None = None) -> None:
        """Cancel the active runs of a job, or with `all_queued_runs` and no job the queued runs of the workspace.

        Returns when the service has taken it on. Sent again after a lost answer, it meets runs begun meanwhile too.

        `POST /api/2.2/jobs/runs/cancel-all`: https://docs.databricks.com/api/azure/workspace/jobs/cancelallruns
        """
        if job_id is None and not all_queued_runs:
            raise ValueError("cancel_all_runs needs a job_id, or all_queued_runs=True")
        job_id = None if job_id is None else number("job_id", job_id)
        await self._act("POST /api/{v}/jobs/runs/cancel-all", job_id=job_id, all_queued_runs=all_queued_runs)

    async def delete_run(self, run_id: int) -> None:
        """Forget a run that has ended. Its idempotency token stays taken.

        `POST /api/2.2/jobs/runs/delete`: https://docs.databricks.com/api/azure/workspace/jobs/deleterun
        """
        lookup = f"jobs.get_run({run_id}) raises ResourceDoesNotExist once it is deleted"
        await self._act("POST /api/{v}/jobs/runs/delete", lookup=lookup, run_id=number("run_id", run_id))

    @overload
    def run_many(  # pyright: ignore[reportOverlappingOverload] (the first one that fits counts)
        self,
        requests: Iterable[AlikeRequest],
        *,
        max_active: int = ...,
        timeout: Timeout = ...,
        retries: int = ...,
        cancel_on_exit: bool = ...,
    ) -> Outcomes[AlikeRequest]: ...

    @overload
    def run_many(
        self,
        requests: Iterable[RunRequest],
        *,
        max_active: int = ...,
        timeout: Timeout = ...,
        retries: int = ...,
        cancel_on_exit: bool = ...,
    ) -> Outcomes[RunRequest]: ...

    def run_many(
        self,
        requests: Iterable[Any],
        *,
        max_active: int = 100,
        timeout: Timeout = None,
        retries: int = 0,
        cancel_on_exit: bool = False,
    ) -> Outcomes[Any]:
        """Start many runs, at most `max_active` of them at a time, and report each as it ends, well or not.

        `async with w.jobs.run_many(requests) as outcomes: async for outcome in outcomes: ...`. A request is a `RunNow`,
        a `SubmitRun` or a mapping. `timeout` is in seconds, for one run from its start, repairs included.

        A run that failed is repaired (`POST /api/2.2/jobs/runs/repair` of its failed tasks) and followed again, up to
        `retries` times, before it is reported; not one that was cancelled or never began. `outcomes.progress` says how
        far all are. With `cancel_on_exit` leaving the block, however, cancels the runs that have not ended; one that
        cannot be cancelled is a `DatabricksError`, or a note of the error that ended the block.
        """
        return Outcomes(self, requests, max_active, timeout, retries, cancel_on_exit)

    # --- reading runs ------------------------------------------------------------------------------------------------

    async def poll_run(self, run_id: int) -> BaseRun:
        """How a run stands, in one small request: with at most the first 100 of its tasks."""
        return await self._poll_one(number("run_id", run_id))

    async def get_run_output(self, run_id: int) -> RunOutput:
        """The output and the error of one task's run (`RunTask.run_id`): 5 MB of it at most, see `is_truncated`.

        The run of a job itself has none: `get_run_outputs` gathers those of its tasks.

        `GET /api/2.2/jobs/runs/get-output`: https://docs.databricks.com/api/azure/workspace/jobs/getrunoutput
        """
        return await self._call("GET /api/{v}/jobs/runs/get-output", RunOutput, run_id=number("run_id", run_id))

    async def get_run_outputs(self, run: int | BaseRun) -> dict[str, RunOutput]:
        """The outputs of a run's tasks by task key, fetched concurrently; of tasks that have ended and did run.

        Each is what `get_run_output` returns. The iterations of a for-each task `each` are `each[0]`, `each[1]`, ...
        """
        if not isinstance(run, Run):
            run = await self.get_run(received_id("run_id", run.run_id) if isinstance(run, BaseRun) else run)
        return await outputs_of(self, run)

    async def export_run(self, run_id: int, views_to_export: ViewsToExport | str | None = None) -> ExportRunOutput:
        """The notebooks of one task's run as HTML, and its dashboards if `views_to_export` asks for them.

        `GET /api/2.2/jobs/runs/export`: https://docs.databricks.com/api/azure/workspace/jobs/exportrun
        """
        return await self._call(
            "GET /api/{v}/jobs/runs/export",
            ExportRunOutput,
            run_id=number("run_id", run_id),
            views_to_export=views_to_export,
        )

    # --- permissions -------------------------------------------------------------------------------------------------

    async def get_permission_levels(self, job_id: int) -> GetJobPermissionLevelsResponse:
        """The permission levels that can be given on a job, with what they allow.

        `GET /api/2.0/permissions/jobs/{job_id}/permissionLevels`: https://docs.databricks.com/api/azure/workspace/jobs/getpermissionlevels
        """
        return await self._permissions.levels(job_id=str(number("job_id", job_id)))

    async def get_permissions(self, job_id: int) -> JobPermissions:
        """Who may do what with a job, inherited permissions included.

        `GET /api/2.0/permissions/jobs/{job_id}`: https://docs.databricks.com/api/azure/workspace/jobs/getpermissions
        """
        return await self._permissions.get(job_id=str(number("job_id", job_id)))

    async def set_permissions(self, job_id: int, access_control_list: AccessControl) -> JobPermissions:
        """Replace the direct permissions of a job by these; one of them must be its owner.

        `PUT /api/2.0/permissions/jobs/{job_id}`: https://docs.databricks.com/api/azure/workspace/jobs/setpermissions
        """
        return await self._permissions.set(access_control_list, job_id=str(number("job_id", job_id)))

    async def update_permissions(self, job_id: int, access_control_list: AccessControl) -> JobPermissions:
        """Add these permissions to a job's, or change them for the users and groups named.

        `PATCH /api/2.0/permissions/jobs/{job_id}`: https://docs.databricks.com/api/azure/workspace/jobs/updatepermissions
        """
        return await self._permissions.update(access_control_list, job_id=str(number("job_id", job_id)))

    # --- and waiting for the end -------------------------------------------------------------------------------------

    @answer_callback
    async def run_now_and_wait(
        self,
        job: int | Given[RunNow] | None = None,
        /,
        *,
        timeout: Timeout = None,
        check: bool = True,
        **fields: Unpack[RunNowKeywords],
    ) -> Run:
        """`run_now`, then its wait's result: the run that ended well; with `check=False` also one that failed."""
        return await self.run_now(job, **fields).result(timeout, check=check)

    @answer_callback
    async def submit_and_wait(
        self,
        run: Given[SubmitRun] | None = None,
        /,
        *,
        timeout: Timeout = None,
        check: bool = True,
        **fields: Unpack[SubmitKeywords],
    ) -> Run:
        """`submit`, then its wait's result: the run that ended well; with `check=False` also one that failed."""
        return await self.submit(run, **fields).result(timeout, check=check)

    @answer_callback
    async def repair_run_and_wait(
        self,
        run: int | Given[RepairRun] | None = None,
        /,
        *,
        timeout: Timeout = None,
        check: bool = True,
        **fields: Unpack[RepairRunKeywords],
    ) -> Run:
        """`repair_run`, then its wait's result: the run that ended well; with `check=False` also one that failed."""
        return await self.repair_run(run, **fields).result(timeout, check=check)

    @answer_callback
    async def cancel_run_and_wait(self, run_id: int, *, timeout: Timeout = None) -> Run:
        """`cancel_run`, then the run at its end, however it ended."""
        return await self.cancel_run(run_id).result(timeout)

    # --- inside ------------------------------------------------------------------------------------------------------

    async def _poll_one(self, run_id: int) -> Run:
        return await self._call("GET /api/{v}/jobs/runs/get", Run, run_id=run_id)

    async def _act(self, endpoint: str, **settings: Any) -> None:
        """A write that answers nothing and may be sent twice."""
        await self._call(endpoint, type(None), replay="idempotent", **settings)

    async def _start(
        self, endpoint: str, answer: type[RunNowResponse] | type[SubmitRunResponse], body: RunNow | SubmitRun
    ) -> RunWait:
        given = body.idempotency_token
        body.idempotency_token = token = given or uuid4().hex
        try:
            started = await self._call(
                endpoint,
                answer,
                replay="token",
                body=body,
                lookup=f"the same call with idempotency_token={token!r} brings its run, if there is one",
            )
        except OutcomeUnknown as error:
            error.idempotency_token = token
            raise
        wait = RunWait(self, started.run_id, self._reader, grace_period=True)
        wait.response = started
        if given is not None:
            try:
                async with asyncio.timeout(_FIRST_POLL_SECONDS):
                    wait.last = run = await self._poll_one(started.run_id)
                # A run that was skipped ended at once, now or then.
                wait.is_old = None if is_skipped(run) else run.ended
            except (DatabricksError, TimeoutError) as error:  # the run is there, and is seen later
                log.info("run %d cannot be read yet: %s", started.run_id, error)
        return wait


def _request(kind: type[M], name: str, given: int | Given[M] | None, fields: Mapping[str, Any]) -> M:
    """A request about one job or run, given by its id or whole."""
    given = given_as(given)
    if given is None or isinstance(given, Model | Mapping):
        if name in fields:
            number(name, fields[name])
        return build(kind, given, **fields)
    return build(kind, **{name: number(name, given)}, **fields)
