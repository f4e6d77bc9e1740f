"""The one reader of a kind of things: it polls what any caller follows, and hands what it sees to all of them."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Collection, Coroutine, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

from databricks_async.aio import wait_through
from databricks_async.errors import (
    DatabricksError,
    LifecycleError,
    NotFound,
    NotImplemented,  # noqa: A004 (the service's 501)
    RequestTimeout,
)
from databricks_async.polling.callers import Callers
from databricks_async.polling.listing import Listing
from databricks_async.polling.pace import Pace
from databricks_async.polling.things import (
    NEVER,
    Background,
    Follower,
    HasItems,
    Item,
    Scope,
    Snapshot,
    Source,
    Thing,
    is_transient,
)

log = logging.getLogger("databricks_async")

K = TypeVar("K")
T = TypeVar("T")

_MAX_WORKERS = 100
"""So many things are polled by themselves at a time."""


class Reader(Callers[K, T], Generic[K, T]):
    """Polls all that its followers wait for: one thing by `get`, many by a listing, whichever takes fewer requests.

    It runs only while somebody waits. No thing is polled twice at the same time, or again within a tick.
    """

    def __init__(
        self, what: str, source: Source[K, T], background: Background, *, tick: float, page_seconds: float
    ) -> None:
        """`page_seconds` is how long a page of a listing may take, tries included."""
        super().__init__()
        self.tick = tick
        """Seconds from one poll to the next, unless a caller says otherwise."""
        self._page_seconds = page_seconds
        self._what = what
        self._source = source
        self._background = background
        self._pace = Pace()
        self._listing = Listing()
        self._requests = 0
        self._batch_at: float | None = None
        """When the last batch poll began; None if things are polled one by one."""
        self._page_at: float | None = None
        """When the page was asked for that is on its way."""
        self._batch: asyncio.Task[None] | None = None
        self._polls = set[asyncio.Task[None]]()
        self._lent: dict[Thing[K, T], list[Follower[K, T]]] = {}
        """Followers of a scope, for as long as a thing of it is polled by itself."""
        self._task: asyncio.Task[None] | None = None
        self._woken: asyncio.Future[None] | None = None

    @property
    def requests(self) -> int:
        """How many requests were sent: what the next ones show is newer than now."""
        return self._requests

    def hint(self, thing: Thing[K, T], value: T) -> None:
        """Say what is known of a thing that has not been polled yet."""
        if thing.where is None:
            thing.where = self._source.where(value)

    # --- callers -----------------------------------------------------------------------------------------------------

    async def wait(self, follower: Follower[K, T]) -> Any:
        """Wait for what the follower calls news, and return it. Raises what ends its polls."""
        if follower.future is not None:
            raise RuntimeError(f"{follower.name} is waited for already: each task needs an iterator of its own")
        follower.future = future = asyncio.get_running_loop().create_future()
        self._enter(follower)
        try:
            return await future
        except asyncio.CancelledError:
            follower.back_by = asyncio.get_running_loop().time() + follower.tick
            raise
        finally:
            follower.future = None
            self._leave(follower)
            if not self._followers and (task := self._task) is not None:
                self._task = None
                task.cancel()
                if (cancelled := await wait_through((task,))) is not None:
                    raise cancelled

    def _enter(self, follower: Follower[K, T]) -> None:
        now = asyncio.get_running_loop().time()
        if follower.entered_at is None:
            self._pace.changed(now)
        if now > follower.back_by:
            follower.entered_at = now
        follower.back_by = NEVER
        self._register(follower, self._requests)
        if self._task is None:
            self._task = self._background.start(self._run())
            self._task.set_name(f"databricks_async: poll {self._what}s")
            self._task.add_done_callback(self._stopped)
        self._wake()

    # --- the loop ----------------------------------------------------------------------------------------------------

    def _wake(self) -> None:
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)

    async def _run(self) -> None:
        task = asyncio.current_task()
        try:
            async with asyncio.TaskGroup() as group:
                while self._followers and self._task is task:
                    await self._sleep_until(self._begin_polls(group))
                for poll in self._polls:
                    poll.cancel()
        except BaseExceptionGroup as failures:
            self._end(task, failures.exceptions[0])
        else:
            self._end(task, None)

    def _stopped(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():  # also before its first step, when none of it has run
            self._end(task, LifecycleError("the client was closed while this was waited for"))

    def _end(self, task: asyncio.Task[None] | None, error: BaseException | None) -> None:
        if self._task is not task:
            return  # it was called off when the last follower had left; others may have come since
        self._task = None
        if error is not None:
            for follower in [*self._followers]:
                self._fail(follower, error)

    async def _sleep_until(self, at: float) -> None:
        loop = asyncio.get_running_loop()
        self._woken = loop.create_future()
        timer = loop.call_at(at, self._wake) if at < float("inf") else None
        try:
            await self._woken
        finally:
            self._woken = None
            if timer is not None:
                timer.cancel()

    def _begin_polls(self, group: asyncio.TaskGroup) -> float:
        """Begin the polls that are due. Returns when to look again."""
        now = asyncio.get_running_loop().time()
        self._pace.refused(now, self._background.stats.refused)
        look_at = min(self._expire(self._page_at, now), self._tell_news(now))
        if self._batch is not None:
            return look_at
        scope_dues = [(self._scope_due_at(scope), scope) for scope in self._followed_scopes.values()]
        dues = [(self._due_at(thing), thing) for thing in self._followed.values() if thing.asked_at is None]
        scopes = [scope for at, scope in scope_dues if at <= now]
        due = [thing for at, thing in dues if at <= now]
        if not due and not scopes:
            return min([look_at, *(at for at, _ in scope_dues), *(at for at, _ in dues)])
        self._pace.spread()
        soon_at = now + min(map(_tick, due), default=0.0)
        soon = [thing for at, thing in dues if at <= soon_at]
        if scopes:
            self._batch = self._begin(group, self._poll_scopes(group, scopes, soon))
        elif self._listing.pays(len(soon)):
            self._batch_at = now
            self._batch = self._begin(group, self._poll_batch(group, soon))
        else:
            self._batch_at = None
            self._listing.gets += len(due)
            self._begin_each(group, due)
        return now  # to find out when the next ones are due

    def _begin(self, group: asyncio.TaskGroup, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = group.create_task(work, name=f"databricks_async: poll {self._what}s")
        self._polls.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._polls.discard(task)
        if self._batch is task:
            self._batch = None
        if not self._polls:
            self._tell_news(float("inf"))
        self._wake()

    def _due_at(self, thing: Thing[K, T]) -> float:
        tick = _tick(thing)
        if thing.polled_at > NEVER:
            return self._pace.next(thing.polled_at, tick)
        # What is new is polled at once, or with all others if those share a batch poll.
        return NEVER if self._batch_at is None else self._pace.quickest(self._batch_at, tick)

    def _scope_due_at(self, scope: Scope[K, T]) -> float:
        if scope.polled_at == NEVER:
            return NEVER
        return self._pace.next(scope.polled_at, min(follower.tick for follower in scope.followers))

    # --- polls -------------------------------------------------------------------------------------------------------

    def _queue(self, things: Sequence[Thing[K, T]]) -> deque[Thing[K, T]]:
        for thing in things:
            thing.asked_at = float("inf")
        return deque(things)

    async def _work(self, queue: deque[Thing[K, T]]) -> None:
        """Poll one thing after the other by itself. Several take from one queue."""
        try:
            while queue:
                thing = queue.popleft()
                try:
                    if thing.followers:
                        await self._poll(thing)
                finally:
                    self._ended_alone(thing)
                self._wake()
        finally:
            while queue:
                self._ended_alone(queue.popleft())

    def _ended_alone(self, thing: Thing[K, T]) -> None:
        thing.asked_at = None
        for follower in self._lent.pop(thing, ()):
            self.release(follower, thing)  # others may have come for it meanwhile, and gone

    async def _poll(self, thing: Thing[K, T]) -> None:
        self._requests += 1
        number = self._requests
        thing.polled_at = thing.asked_at = now = asyncio.get_running_loop().time()
        try:
            item = await self._source.get(thing)
            self._saw(thing, self._read(thing, item, listed=False), number, now)
        except DatabricksError as error:
            self._failed((thing,), error)

    async def _poll_batch(self, group: asyncio.TaskGroup, soon: Sequence[Thing[K, T]]) -> None:
        """Poll these by a listing, and each that it does not show by itself."""
        count, is_narrowed = len(soon), all(thing.where is not None for thing in soon)
        wanted = {thing.key: thing for thing in soon}
        try:
            pages = await self._read_pages(wanted, budget=count - 1)
        except DatabricksError as error:
            await self._without_listing(group, wanted, error)
            return
        finally:
            self._page_at = None
        if pages is None:
            self._listing.exceeded(count, is_narrowed=is_narrowed)
        else:
            self._listing.read(count, pages)
        missing = [thing for thing in wanted.values() if thing.followers]
        self._listing.gets += len(missing)
        await self._poll_each(group, missing)
        if pages is not None:
            self._listing.missed(count, sum(bool(thing.followers) for thing in missing))

    async def _read_pages(self, wanted: dict[K, Thing[K, T]], budget: int) -> int | None:
        """Read pages until all that is wanted was seen, and taken out. None if that takes more pages than pay."""
        began_at, count = asyncio.get_running_loop().time(), 0
        pages = self._source.pages([*wanted.values()])
        while wanted and count < budget:
            number, page = await self._read_page(pages)
            if page is None:
                return count
            count += 1
            for item in page.items:
                key = self._source.key(item)
                thing = None if key is None else self._followed.get(key)
                if thing is not None and thing.asked_at is None and self._listed(thing, item, number, began_at):
                    wanted.pop(thing.key, None)
        return None if wanted else count

    async def _read_page(self, pages: AsyncIterator[HasItems]) -> tuple[int, HasItems | None]:
        """The number of the request, and the next page, if there is one."""
        self._requests += 1
        number, self._page_at = self._requests, asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self._page_seconds):
                return number, await anext(pages, None)
        except TimeoutError as error:
            if isinstance(error, DatabricksError):
                raise
            raise RequestTimeout(f"no page of the list of {self._what}s in {self._page_seconds:g} s") from None

    async def _poll_scopes(
        self, group: asyncio.TaskGroup, scopes: Sequence[Scope[K, T]], soon: Sequence[Thing[K, T]]
    ) -> None:
        """Poll all that these listings show, which may spare polls of single things."""
        wanted = {thing.key: thing for thing in soon}
        spares = False
        for scope in scopes:
            try:
                await self._read_scope(group, scope, wanted)
                spares = spares or self._source.is_universal(scope.key)
            except DatabricksError as error:
                self._scope_failed(scope, error)
            finally:
                self._page_at = None
        if spares:
            await self._poll_each(group, wanted.values())

    async def _read_scope(self, group: asyncio.TaskGroup, scope: Scope[K, T], wanted: dict[K, Thing[K, T]]) -> None:
        scope.polled_at = began_at = asyncio.get_running_loop().time()
        shown: dict[K, Thing[K, T]] = {}
        alone: dict[K, Thing[K, T]] = {}
        """What the listing does not show, or not with all that has to be known."""
        pages = self._source.all_pages(scope.key)
        while True:
            number, page = await self._read_page(pages)
            if page is None:
                break
            for item in page.items:
                if (key := self._source.key(item)) is None:
                    continue
                thing = shown[key] = scope.shown[key] = self.thing(key)
                if thing.asked_at is not None or self._listed(thing, item, number, began_at, parts=True):
                    wanted.pop(key, None)
                    alone.pop(key, None)
                    for follower in [*scope.followers]:
                        follower.see(thing)
                    if thing.seen is not None:
                        thing.seen.forget()
                else:
                    alone[key] = thing
        scope.shown, scope.good_at = shown, began_at
        scope.failing_since = scope.error = None
        for follower in scope.followers:
            alone |= {thing.key: thing for thing in follower.unlisted(shown)}
            for thing in alone.values():
                if follower not in thing.followers:
                    thing.followers.add(follower)
                    thing.wanted = self._requests
                    self._lent.setdefault(thing, []).append(follower)
        await self._poll_each(group, alone.values())
        for key in alone:
            wanted.pop(key, None)

    def _scope_failed(self, scope: Scope[K, T], error: DatabricksError) -> None:
        if not is_transient(error):
            for follower in [*scope.followers]:
                self._fail(follower, error)
            return
        if scope.followers:
            log.warning("%s: a poll failed, polling goes on: %s", next(iter(scope.followers)).name, error)
        scope.error = error
        if scope.failing_since is None:
            scope.failing_since = scope.polled_at

    async def _poll_each(self, group: asyncio.TaskGroup, things: Collection[Thing[K, T]]) -> None:
        """Poll these by themselves. What has no answer within a tick is not waited for: the others are due again."""
        followed = [thing for thing in things if thing.followers and thing.asked_at is None]
        if followed:
            polls = self._begin_each(group, followed)
            await asyncio.wait(polls, timeout=min(map(_tick, followed)))

    def _begin_each(self, group: asyncio.TaskGroup, things: Sequence[Thing[K, T]]) -> list[asyncio.Task[None]]:
        queue = self._queue(things)
        return [self._begin(group, self._work(queue)) for _ in range(min(len(things), _MAX_WORKERS))]

    async def _without_listing(
        self, group: asyncio.TaskGroup, wanted: dict[K, Thing[K, T]], error: DatabricksError
    ) -> None:
        """A batch poll failed: find out whether things can be polled one by one."""
        things = [thing for thing in wanted.values() if thing.followers]
        if isinstance(error, NotFound | NotImplemented):
            log.info("%ss are polled one by one: there is no list of them: %s", self._what, error)
            self._listing.is_there = False
        elif not is_transient(error):
            log.info("%ss are polled one by one for a while: %s", self._what, error)
            self._listing.failed(len(wanted))
        elif things:
            # One of them shows whether it is the listing that fails, or everything.
            first = things.pop()
            await self._work(self._queue([first]))
            if first.failing_since is not None:
                for thing in things:
                    thing.polled_at = first.polled_at
                self._failed(things, error)
                return
            log.info("%ss are polled one by one for a while: a batch poll failed: %s", self._what, error)
            self._listing.failed(len(wanted))
        await self._poll_each(group, things)

    # --- what polls show ---------------------------------------------------------------------------------------------

    def _read(self, thing: Thing[K, T], item: Item, *, listed: bool) -> Snapshot[T]:
        """Raises `InvalidResponse` for what cannot be read."""
        mark = self._source.mark(item)
        if thing.seen is not None and mark == thing.seen.mark:
            return thing.seen
        decode = partial(self._source.decode, listed=listed)
        value = decode(item)
        seen = Snapshot(item, value, mark, decode, self._source.served_at())
        seen.is_enough = self._source.is_enough(value, parts=False)
        seen.is_whole = self._source.is_enough(value, parts=True)
        return seen

    def _listed(self, thing: Thing[K, T], item: Item, number: int, began_at: float, *, parts: bool = False) -> bool:
        """A listing shows a thing; whether that spares a poll of it by itself."""
        try:
            seen = self._read(thing, item, listed=True)
        except DatabricksError as error:
            thing.polled_at = began_at
            self._failed((thing,), error)
            return True
        parts = parts or any(follower.wants_parts for follower in thing.followers)
        if not (seen.is_whole if parts else seen.is_enough):
            return False
        thing.polled_at = began_at
        self._saw(thing, seen, number, began_at)
        return True

    def _saw(self, thing: Thing[K, T], seen: Snapshot[T], number: int, began_at: float) -> None:
        is_change, is_expected = seen is not thing.seen, thing.number <= thing.wanted
        thing.seen, thing.number, thing.good_at = seen, number, began_at
        thing.failing_since = thing.error = None
        if is_change:
            thing.where = self._source.where(seen.value())
            self._pace.changed(asyncio.get_running_loop().time())
        if is_change or is_expected:
            for follower in [*thing.followers]:
                if follower.see(thing):
                    self._tell(follower, seen.value())
            seen.forget()

    def _failed(self, things: Collection[Thing[K, T]], error: DatabricksError) -> None:
        is_logged = False
        for thing in things:
            if not is_transient(error):
                for follower in [*thing.followers]:
                    if isinstance(error, NotFound):
                        thing.gone_at = self._source.served_at()
                        if follower.miss(thing, error):
                            self._tell(follower, None)
                    else:
                        self._fail(follower, error)
                continue
            if not is_logged and thing.followers:
                log.warning("%s: a poll failed, polling goes on: %s", next(iter(thing.followers)).name, error)
                is_logged = True
            thing.error = error
            if thing.failing_since is None:
                thing.failing_since = thing.polled_at


def _tick(thing: Thing[Any, Any]) -> float:
    if thing.tick is None:
        thing.tick = min(follower.tick for follower in thing.followers)
    return thing.tick
