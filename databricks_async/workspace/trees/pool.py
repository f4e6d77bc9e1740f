"""What all work on whole trees shares: the report of what became of each object, and the pool that does the work."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias

import attrs

from databricks_async.errors import (
    AuthError,
    ConfigError,
    ConnectError,
    DatabricksError,
    LifecycleError,
    TemporarilyUnavailable,
    TooManyRequests,
    Unauthenticated,
)
from databricks_async.pager import checked_concurrency
from databricks_async.workspace.models import ObjectType

CONCURRENCY = 16
"""How many transfers are under way at a time."""
LISTINGS = 32
"""How many folders are listed at a time: an answer is small, and nothing else is waited for."""

_FATAL_ERRORS = (
    AuthError,
    ConfigError,
    ConnectError,
    LifecycleError,
    TemporarilyUnavailable,
    TooManyRequests,
    Unauthenticated,
)
_FATAL_ERRNOS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO}


def is_fatal(error: Exception) -> bool:
    """Whether all the rest would fail like this too: no connection, a bad token, no end of refusals, a full disk."""
    return isinstance(error, _FATAL_ERRORS) or (isinstance(error, OSError) and error.errno in _FATAL_ERRNOS)


@attrs.frozen
class TreeItem:
    """An object that was transferred, or a folder that was made."""

    path: str
    """Where it came from: in the workspace for an export, on this machine for an import."""
    target: str
    """Where it is now."""
    kind: ObjectType
    bytes: int
    """Its size; 0 for a folder."""


@attrs.frozen
class TreeSkip:
    """An object that was left as it is."""

    path: str
    reason: str
    target: str | None = None
    """Where it is already, if it is unchanged; else None."""


@attrs.frozen
class TreeFailure:
    """An object, or a folder and all below it, that something went wrong with."""

    path: str
    error: Exception


TreeOutcome: TypeAlias = TreeItem | TreeSkip | TreeFailure


@attrs.frozen
class TreeReport:
    """What became of each object of a tree."""

    done: list[TreeItem]
    skipped: list[TreeSkip]
    failures: list[TreeFailure]
    hidden: list[str] = attrs.Factory(list)
    """Of an import: the local files and folders whose names begin with a dot, such as `.env` and `.git`. They are
    imported like any other, unless `exclude` names them."""

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return not self.failures

    @property
    def bytes(self) -> int:
        """How much was transferred."""
        return sum(item.bytes for item in self.done)

    def raise_for_failures(self) -> None:
        """Raise all failures as one `ExceptionGroup`, if there are any. Each error names its object in a note."""
        if self.failures:
            summary = (
                f"{len(self.failures)} of {len(self.done) + len(self.skipped) + len(self.failures)} objects failed"
            )
            raise ExceptionGroup(summary, [failure.error for failure in self.failures])


@attrs.frozen
class TreeProgress:
    """How far the work on a tree is, reported after each object: transferred, skipped or failed."""

    path: str
    """The object that was dealt with last."""
    kind: ObjectType | None
    bytes: int
    """How much of it was transferred."""
    done: int
    """How many objects were dealt with."""
    found: int
    """How many are known so far; this grows while the tree is still being read."""


class Pool:
    """Works on many objects at once, and keeps account of them."""

    def __init__(self, group: asyncio.TaskGroup, size: int, on_progress: Callable[[TreeProgress], None] | None) -> None:
        self._group = group
        self._free = asyncio.Semaphore(size)
        self._on_progress = on_progress
        self._found = 0
        self.report = TreeReport([], [], [])

    async def start(
        self, path: str, kind: ObjectType | None, work: Callable[[], Awaitable[TreeOutcome]]
    ) -> asyncio.Task[TreeOutcome]:
        """Do this as soon as a worker is free; returns when it has begun."""
        self._found += 1
        await self._free.acquire()
        return self._group.create_task(self._do(path, kind, work))

    def note(self, outcome: TreeOutcome, kind: ObjectType | None = None) -> None:
        """Account for an object that needs no work."""
        self._found += 1
        self._account(outcome, kind)

    async def _do(self, path: str, kind: ObjectType | None, work: Callable[[], Awaitable[TreeOutcome]]) -> TreeOutcome:
        try:
            outcome = await work()
        except (DatabricksError, OSError, ValueError) as error:
            if is_fatal(error):
                raise
            outcome = TreeFailure(path, error)
        finally:
            self._free.release()
        self._account(outcome, kind)
        return outcome

    def _account(self, outcome: TreeOutcome, kind: ObjectType | None) -> None:
        report, size = self.report, 0
        if isinstance(outcome, TreeItem):
            report.done.append(outcome)
            size = outcome.bytes
        elif isinstance(outcome, TreeSkip):
            report.skipped.append(outcome)
        else:
            outcome.error.add_note(f"at {outcome.path!r}")
            report.failures.append(outcome)
        if self._on_progress is not None:
            done = len(report.done) + len(report.skipped) + len(report.failures)
            self._on_progress(TreeProgress(outcome.path, kind, size, done, self._found))


@asynccontextmanager
async def open_pool(size: int, on_progress: Callable[[TreeProgress], None] | None) -> AsyncIterator[Pool]:
    """A pool of this size. At its end all its work has ended: well, or cancelled after a fatal error."""
    size, failure = checked_concurrency(size), None
    group = asyncio.TaskGroup()
    made = Pool(group, size, on_progress)
    try:
        async with group:
            yield made
    except BaseExceptionGroup as errors:
        failure = errors.exceptions[0]
    if failure is not None:
        if made.report.done:
            failure.add_note(f"{len(made.report.done)} objects were done before this")
        raise failure
