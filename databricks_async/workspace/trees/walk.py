"""Walk: all objects below a folder, listed concurrently and handed out as they are found."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from types import TracebackType
from typing import Any, Self, TypeAlias

from databricks_async.errors import DatabricksError, InvalidResponse, LifecycleError
from databricks_async.pager import Pager, checked_concurrency
from databricks_async.workspace.models import ObjectInfo, ObjectType
from databricks_async.workspace.trees.names import name_in, same_path
from databricks_async.workspace.trees.pool import TreeFailure, is_fatal

_FOLDERS = (ObjectType.DIRECTORY, ObjectType.REPO)
_MAX_WAITING = 1000
"""No folder is listed while so many objects wait for the caller."""

Listing: TypeAlias = Sequence[ObjectInfo] | DatabricksError


class Walk(AsyncIterator[ObjectInfo]):
    """Everything below a folder, folders included: `async for info in walk`.

    A folder comes before what is in it; there is no other order. A folder that cannot be listed, because it was deleted
    meanwhile, is forbidden or is broken, is added to `failures` and the walk goes on; only if it is the first one, or
    if all the others would fail like it, its error is raised. A notebook or file in place of the folder is all there
    is to find.

    At most `concurrency` folders are listed at a time; at first not so many, and never one while 1,000 objects wait for
    the caller. The loop can be left at any time: what is under way then is cancelled with the walk, at the latest when
    the client is closed; `async with` or `aclose` cancel it at once. A walk goes over its tree once; after an error it
    can be taken up again.
    """

    def __init__(
        self,
        list_folder: Callable[[str], Pager[ObjectInfo]],
        start: Callable[[Coroutine[Any, Any, Listing]], asyncio.Task[Listing]],
        path: str,
        *,
        concurrency: int,
    ) -> None:
        if not isinstance(path, str):
            raise TypeError(f"path must be a str, not {type(path).__name__}")
        self.failures: list[TreeFailure] = []
        """The folders that could not be listed."""
        self.path = whole_path(path)
        """The folder that is walked."""
        self._list = list_folder
        self._start = start
        self._concurrency = checked_concurrency(concurrency)
        self._found = deque[ObjectInfo]()
        # Last in, first out: a wide tree is not remembered as a whole before its leaves are seen.
        self._folders = [self.path]
        self._listings: dict[asyncio.Task[Listing], str] = {}
        self._done = asyncio.Queue[asyncio.Task[Listing]]()
        self._listed = 0

    async def __anext__(self) -> ObjectInfo:
        self._advance()
        while not self._found:
            if not self._listings:
                raise StopAsyncIteration
            self._take_outcome(await self._done.get())
            if not self._found:
                self._advance()
        return self._found.popleft()

    async def aclose(self) -> None:
        """End the walk and wait for what is under way. May be called twice."""
        self._folders.clear()
        self._found.clear()
        listings = [*self._listings]
        self._listings.clear()
        for listing in listings:
            listing.cancel()
        if listings:
            await asyncio.wait(listings)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __del__(self) -> None:
        for listing in getattr(self, "_listings", ()):
            loop = listing.get_loop()
            if not listing.done() and not loop.is_closed():
                loop.call_soon_threadsafe(listing.cancel)  # the garbage collector may run in any thread

    def _advance(self) -> None:
        """Take what has come, and list the next folders: few at first for a caller who has objects to look at."""
        while not self._done.empty():
            self._take_outcome(self._done.get_nowait())
        at_once = min(self._concurrency, 2 * self._listed) if self._found else self._concurrency
        while self._folders and len(self._listings) < at_once and len(self._found) < _MAX_WAITING:
            folder = self._folders.pop()
            listing = self._start(_listing(self._list, folder))
            self._listings[listing] = folder
            listing.add_done_callback(self._done.put_nowait)

    def _take_outcome(self, listing: asyncio.Task[Listing]) -> None:
        if (folder := self._listings.pop(listing, None)) is None:
            return  # the walk was closed
        outcome = listing.result() if not listing.cancelled() else LifecycleError("the client was closed")
        if not isinstance(outcome, DatabricksError):
            self._take(folder, outcome)
        elif folder == self.path or is_fatal(outcome):
            self._folders.append(folder)  # for a caller who tries again
            raise outcome
        else:
            self.failures.append(TreeFailure(folder, outcome))
        self._listed += 1

    def _take(self, folder: str, objects: Sequence[ObjectInfo]) -> None:
        for info in objects:
            path = info.path or ""
            is_folder = info.object_type in _FOLDERS
            is_all = folder == self.path and not is_folder and same_path(path, folder)
            if name_in(folder, path) is None and not is_all:
                error = InvalidResponse(f"the service listed {path!r} in {folder!r}")
                self.failures.append(TreeFailure(path, error))
                continue
            self._found.append(info)
            if is_folder:
                self._folders.append(path)


async def _listing(list_folder: Callable[[str], Pager[ObjectInfo]], folder: str) -> Listing:
    # Knows nothing of the walk, which can then be dropped while this is under way; for the same reason it never fails.
    try:
        return await list_folder(folder).collect()
    except DatabricksError as error:
        return error


def whole_path(path: str) -> str:
    """A path as the service writes it: no slash at its end, and none twice."""
    return "/" + "/".join(part for part in path.split("/") if part) if path.startswith("/") else path
