"""The feed of new runs: which are new, whatever the service does to its pages meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from databricks_async.following import tokens
from databricks_async.jobs.models import BaseRun
from databricks_async.pager import Pager

OVERLAP_MS: Final = 60_000
"""So far back from the latest start others are looked for that appeared late."""
_KIND: Final = "runs1"


class RunFeed:
    """See `Feed`. `runs(start_time_from=)` lists runs, the latest first."""

    def __init__(self, job_id: int | None, runs: Callable[..., Pager[BaseRun]], since: int | str | None) -> None:
        self._job_id = job_id
        self._runs = runs
        self._since: int | None = None
        """Runs that were started before are none of this stream; None until the first poll says what is new."""
        self._newest = 0
        self._taken: dict[int, int] = {}
        """The runs that were taken, or are old, with their starts: those of the last minute."""
        if isinstance(since, str):
            self._resume(since)
        else:
            self._since = since

    @property
    def is_behind(self) -> bool:
        return False

    async def read(self) -> list[BaseRun]:
        if self._since is None:
            await self._begin()
            return []
        start = max(self._since, self._newest - OVERLAP_MS)
        new: dict[int, BaseRun] = {}
        is_moving = True
        while is_moving:
            before, pages = len(new), 0
            async for page in self._runs(start_time_from=start).pages():
                pages += 1
                for run in page.items:
                    if run.run_id is not None and run.run_id not in self._taken:
                        new.setdefault(run.run_id, run)
            # A run that is deleted meanwhile moves others from a page that comes to one that was read already.
            is_moving = pages > 1 and len(new) > before
        # Of those that were started in one millisecond the listing has the latest first.
        oldest_first = [*new.values()][::-1]
        return sorted(oldest_first, key=lambda run: run.start_time or self._newest)

    def take(self, run: BaseRun) -> BaseRun:
        if run.run_id is not None:
            self._note(run.run_id, run.start_time or self._newest)
        return run

    def token(self) -> str:
        taken = [[run_id, self._newest - start] for run_id, start in self._taken.items()]
        position = {"job": self._job_id, "since": self._since, "newest": self._newest, "taken": taken}
        return tokens.encode(_KIND, position)

    async def _begin(self) -> None:
        """What is there at the first poll is old."""
        runs: list[BaseRun] = []
        async for run in self._runs():
            runs.append(run)
            if (run.start_time or 0) < (runs[0].start_time or 0) - OVERLAP_MS:
                break
        for run in runs:
            self.take(run)
        self._since = 0

    def _note(self, run_id: int, start: int) -> None:
        self._taken[run_id] = start
        if start > self._newest:
            self._newest = start
            oldest = start - OVERLAP_MS
            for known in [known for known, began in self._taken.items() if began < oldest]:
                del self._taken[known]

    def _resume(self, token: str) -> None:
        position = tokens.decode(_KIND, token)
        if position.get("job") != self._job_id:
            raise ValueError("since is the token of a stream of the runs of another job")
        try:
            since = position["since"]
            self._since, self._newest = None if since is None else int(since), int(position["newest"])
            self._taken = {int(run_id): self._newest - int(back) for run_id, back in position["taken"]}
        except (KeyError, TypeError, ValueError):
            raise ValueError("since is a token that was changed") from None
