"""Jobs and runs read: one of them whole, many page by page, new ones as they come."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from databricks_async.aio import gather
from databricks_async.codec import check_word
from databricks_async.epoch import to_epoch_ms
from databricks_async.errors import NotFound
from databricks_async.following.stream import Stream
from databricks_async.jobs.following import RunFeed
from databricks_async.jobs.models import (
    BaseJob,
    BaseRun,
    Job,
    ListJobsResponse,
    ListRunsResponse,
    Run,
    RunType,
)
from databricks_async.jobs.paging import fill_in, joined, lacks_items
from databricks_async.pager import Pager, Places, size_of_page
from databricks_async.polling.following import FAIL_AFTER_SECONDS
from databricks_async.service import Service, number, received_id
from databricks_async.suggest import has_no
from databricks_async.wait import Timeout, seconds_of

if TYPE_CHECKING:
    from databricks_async.session.session import Session

log = logging.getLogger("databricks_async")

W = TypeVar("W", Job, Run)

_MAX_RUNS = 25
_ALL_READ = "all pages are read: leave it out"


def _by_start(run: BaseRun) -> int | None:
    return None if run.start_time is None else -run.start_time


_RUNS_BY_START = Places(_by_start, lambda place, page_token: f"start_time_to={max(1, 1 - place)}&{page_token}")
"""Runs come "in descending order by start time", as the API's documentation says; offsets end at 10,000, and move with
each new run."""


class Listings(Service):
    """The methods of `w.jobs` that read jobs and runs."""

    def __init__(self, session: Session, version: str) -> None:
        super().__init__(session, version)
        self._asks_newer = version < "2.2"
        """Whether an object that lacks items is read with 2.2, which gives them page by page."""

    @has_no(page_token=_ALL_READ)
    async def get(self, job_id: int, *, include_trigger_state: bool | None = None) -> Job:
        """Describe one job, whole: with more than 100 tasks it is read page by page. Raises `ResourceDoesNotExist`.

        API 2.1 leaves out the tasks of a job that has more than 100; such a job is read once more with 2.2.

        `GET /api/2.2/jobs/get`: https://docs.databricks.com/api/azure/workspace/jobs/get
        """
        query = {"job_id": number("job_id", job_id), "include_trigger_state": include_trigger_state}
        return await self._read_whole("GET /api/{v}/jobs/get", Job, query)

    @has_no(page_token=_ALL_READ)
    async def get_run(
        self, run_id: int, *, include_history: bool | None = None, include_resolved_values: bool | None = None
    ) -> Run:
        """Describe one run, whole, as `get` does a job; for 60 days. Raises `ResourceDoesNotExist`.

        `include_history` brings `repair_history`, `include_resolved_values` the values of parameters in tasks.

        `GET /api/2.2/jobs/runs/get`: https://docs.databricks.com/api/azure/workspace/jobs/getrun
        """
        query = {
            "run_id": number("run_id", run_id),
            "include_history": include_history,
            "include_resolved_values": include_resolved_values,
        }
        return await self._read_whole("GET /api/{v}/jobs/runs/get", Run, query)

    async def _read_whole(self, endpoint: str, kind: type[W], query: Mapping[str, object]) -> W:
        item = await self._read_all_pages(endpoint, kind, query)
        if not self._asks_newer or not lacks_items(item):
            return item
        try:
            return await self._read_all_pages(endpoint.replace("{v}", "2.2"), kind, query)
        except NotFound as error:
            # The object was there a moment ago: what is not there is version 2.2, and then nothing was left out.
            log.info("%s: this service has no version 2.2, which is not asked again", error.endpoint)
            self._asks_newer = False
            return item

    async def _read_all_pages(self, endpoint: str, kind: type[W], query: Mapping[str, object]) -> W:
        pages = self._list(endpoint, kind, lambda answer: [answer], lambda answer: answer.next_page_token, query=query)
        return await joined(pages.pages(), endpoint.replace("{v}", self._version))

    async def _fill_in_runs(self, runs: Sequence[BaseRun]) -> None:
        cut = [run for run in runs if run.has_more or (self._asks_newer and lacks_items(run))]
        await gather(fill_in(run, partial(self.get_run, received_id("run_id", run.run_id))) for run in cut)

    async def _fill_in_jobs(self, jobs: Sequence[BaseJob]) -> None:
        cut = [job for job in jobs if job.has_more or (self._asks_newer and lacks_items(job))]
        await gather(fill_in(job, partial(self.get, received_id("job_id", job.job_id))) for job in cut)

    def follow_runs(
        self,
        job_id: int | None = None,
        *,
        since: int | datetime | str | None = None,
        every: Timeout = None,
        fail_after: Timeout = FAIL_AFTER_SECONDS,
    ) -> Stream[BaseRun]:
        """Follow the new runs of a job, or of all jobs: each once, when it is first seen, in the order of their starts.

        `async for run in w.jobs.follow_runs(job_id)` begins with the first run that is started after its first poll;
        or with those started from `since` on: epoch milliseconds, an aware datetime, or the `token` of an earlier
        stream, which goes on behind the last run that it returned. `every` is how many seconds lie between two polls
        (`GET /api/2.2/jobs/runs/list`), up to three times as many while nothing happens; by default
        `poll_interval_seconds`. Polls that fail do not end it before `fail_after` seconds of nothing else.

        A run is as the listing shows it at that moment, without its tasks; `wait_run(run.run_id)` follows it to its
        end. Runs that were skipped are there too. One that appears later than others that were started after it is
        returned then, if it was started not more than a minute before them.
        """
        job_id = None if job_id is None else number("job_id", job_id)
        moment = since if isinstance(since, str) else to_epoch_ms("since", since)
        return Stream(
            "the runs of all jobs" if job_id is None else f"the runs of job {job_id}",
            RunFeed(job_id, partial(self.list_runs, job_id=job_id, concurrency=1), moment),
            every=every,
            fail_after=seconds_of(fail_after, "fail_after"),
            default=self._session.config.poll_interval_seconds,
            sleep=self._session.pause,
        )

    # --- listings (last: `list` hides the builtin from here on) ------------------------------------------------------

    @has_no(limit="write page_size= for how many one request brings, max_items= for how many in all")
    def list_runs(
        self,
        *,
        job_id: int | None = None,
        active_only: bool | None = None,
        completed_only: bool | None = None,
        expand_tasks: bool | None = None,
        run_type: RunType | str | None = None,
        start_time_from: int | datetime | None = None,
        start_time_to: int | datetime | None = None,
        offset: int | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        max_items: int | None = None,
        concurrency: int | None = None,
    ) -> Pager[BaseRun]:
        """Runs of the last 60 days, the latest first: of all jobs or one.

        `start_time_from` and `start_time_to` are epoch milliseconds or aware datetimes. `expand_tasks` brings the tasks
        and job clusters, all of them: runs with more than a page holds are read by themselves, concurrently (one that
        is deleted meanwhile stays as it was listed, with `has_more`). `page_size` is how many runs one request brings:
        25 at most, and by default. `page_token` goes on after the page that gave it, `offset` leaves out so many of the
        latest. At most `concurrency` pages are read at once, by default 16, for some requests more (see `Pager`); from
        a `page_token` on, the next one while the caller works.

        `GET /api/2.2/jobs/runs/list`: https://docs.databricks.com/api/azure/workspace/jobs/listruns
        """
        if active_only and completed_only:
            raise ValueError("active_only and completed_only exclude each other")
        check_word(RunType, run_type, "run_type")
        query = {
            "job_id": None if job_id is None else number("job_id", job_id),
            "active_only": active_only,
            "completed_only": completed_only,
            "expand_tasks": expand_tasks,
            "run_type": run_type,
            "start_time_from": to_epoch_ms("start_time_from", start_time_from),
            "start_time_to": to_epoch_ms("start_time_to", start_time_to),
            "offset": None if offset is None else number("offset", offset),
            "limit": size_of_page(page_size, _MAX_RUNS, _MAX_RUNS, max_items),
        }

        return self._list(
            "GET /api/{v}/jobs/runs/list",
            ListRunsResponse,
            lambda answer: answer.runs,
            lambda answer: answer.next_page_token,
            query=query,
            has_more=lambda answer: answer.has_more,
            fill_in=self._fill_in_runs if expand_tasks else None,
            places=_RUNS_BY_START,
            page_token=page_token,
            max_items=max_items,
            concurrency=concurrency,
        )

    @has_no(limit="write page_size= for how many one request brings, max_items= for how many in all")
    def list(
        self,
        *,
        name: str | None = None,
        expand_tasks: bool | None = None,
        offset: int | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        max_items: int | None = None,
        concurrency: int | None = None,
    ) -> Pager[BaseJob]:
        """All jobs, the newest first, or those of this name (in upper or lower case).

        `expand_tasks`, `offset` and `page_token` are as in `list_runs`. `page_size` is how many jobs one request
        brings: 100 at most, and by default (25 with API 2.1). With `concurrency=1` no page is read before it is asked
        for.

        `GET /api/2.2/jobs/list`: https://docs.databricks.com/api/azure/workspace/jobs/list
        """
        maximum = 25 if self._version < "2.2" else 100
        query = {
            "name": name,
            "expand_tasks": expand_tasks,
            "offset": None if offset is None else number("offset", offset),
            "limit": size_of_page(page_size, maximum, maximum, max_items),
        }

        return self._list(
            "GET /api/{v}/jobs/list",
            ListJobsResponse,
            lambda answer: answer.jobs,
            lambda answer: answer.next_page_token,
            query=query,
            has_more=lambda answer: answer.has_more,
            fill_in=self._fill_in_jobs if expand_tasks else None,
            page_token=page_token,
            max_items=max_items,
            concurrency=concurrency,
        )
