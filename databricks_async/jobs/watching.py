"""Runs watched and waited for: the methods of `w.jobs` that share its one reader."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING

from databricks_async.jobs.changes import CHANGES_OF_STATE, AnyChange
from databricks_async.jobs.listings import Listings
from databricks_async.jobs.models import BaseRun, RunOutput
from databricks_async.jobs.polls import RunPolls
from databricks_async.jobs.runs import RunWait
from databricks_async.polling.following import FAIL_AFTER_SECONDS
from databricks_async.polling.group import Group
from databricks_async.polling.pace import tick_of
from databricks_async.polling.things import Scope
from databricks_async.service import number
from databricks_async.wait import Timeout, seconds_of
from databricks_async.watch import Changes, never

if TYPE_CHECKING:
    from databricks_async.session.session import Session


class RunWatches(Listings):
    """What follows runs without changing them."""

    def __init__(self, session: Session, version: str) -> None:
        super().__init__(session, version)
        polls = RunPolls(self._call, self._list, self._served_at, self.get_run, lambda: self._asks_newer)
        self._reader = self._new_reader("run", polls)

    @abstractmethod
    async def get_run_output(self, run_id: int) -> RunOutput: ...

    @abstractmethod
    def cancel_run(self, run_id: int) -> Awaitable[object]: ...

    def wait_run(self, run_id: int, *, every: Timeout = None) -> RunWait:
        """Wait for a run that was started elsewhere, or before this program was. Sends nothing by itself."""
        return RunWait(self, number("run_id", run_id), self._reader, every=every)

    def watch_runs(
        self,
        run_ids: int | Iterable[int] | None = None,
        *,
        job_id: int | None = None,
        active: bool = False,
        until: Callable[[AnyChange], bool] = never,
        every: Timeout = None,
        fail_after: Timeout = FAIL_AFTER_SECONDS,
    ) -> Changes[AnyChange]:
        """Follow runs and their tasks: each change of state once, the first poll of a run included.

        `watch_runs([id, id])` follows these runs to their ends; `watch_runs(job_id=id)` the active runs of a job, and
        `watch_runs(active=True)` all active runs, with those that begin later. Yields a `RunChange` for a run and a
        `TaskChange` for a task: before, after, when and why. `until` ends the iteration after the first change for
        which it is true.

        All that is waited for and watched with one client shares its polls, which are `GET /api/2.2/jobs/runs/get` or
        `GET /api/2.2/jobs/runs/list`, whichever takes fewer requests, and one `get` for each run that ended. They come
        `every` so many seconds (by default the client's `poll_interval_seconds`), up to three times as many while
        nothing changes or the service refuses requests. Polls see what is at the time: a state that begins and ends
        between two of them is not seen, nor is an attempt at a task, or by `job_id` or `active` a whole run.

        Polls that fail do not end a watch, but the last failure is raised after `fail_after` seconds of nothing else
        (None is never); meanwhile `age` says how old its picture is. Raises `ResourceDoesNotExist` for a run that was
        not there from the start. Closing the client ends a watch under way with a `LifecycleError`: in a stream take
        it for the end.
        """
        if (run_ids is not None) + (job_id is not None) + bool(active) != 1:
            raise ValueError("watch_runs needs run ids, or a job_id, or active=True")
        followed: list[int] | Scope[int, BaseRun]
        if run_ids is not None:
            followed = [number("run_id", one) for one in ([run_ids] if isinstance(run_ids, int) else run_ids)]
            name = f"{len(followed)} runs"
        elif job_id is not None:
            followed, name = self._reader.scope(number("job_id", job_id)), f"the runs of job {job_id}"
        else:
            followed, name = self._reader.scope(None), "all active runs"
        group = Group(
            name,
            self._reader,
            followed,
            CHANGES_OF_STATE,
            tick=tick_of(every, self._reader.tick),
            fail_after=seconds_of(fail_after, "fail_after"),
        )
        return Changes(group, until)
