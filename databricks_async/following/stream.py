"""Stream: what happens, as it happens, as an async iterator that can be taken up again after a restart."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

from databricks_async.aio import Sleep
from databricks_async.errors import DatabricksError, ResourceDoesNotExist
from databricks_async.polling.pace import tick_of
from databricks_async.polling.things import is_transient
from databricks_async.suggest import refuse

log = logging.getLogger("databricks_async")

T = TypeVar("T")
Item = TypeVar("Item")
Item_co = TypeVar("Item_co", covariant=True)

_SLOWEST: Final = 3.0
"""While nothing happens, polls are so many times as far apart."""


class Feed(Protocol[T, Item_co]):
    """Where a stream gets its items, and what it remembers of them."""

    @property
    def is_behind(self) -> bool:
        """Whether the next read brings more of what has happened already."""
        ...

    async def read(self) -> list[T]:
        """What was not taken yet, in order. Called when all that it returned before was taken."""
        ...

    def take(self, item: T, /) -> Item_co:
        """An item reaches the caller: returns what the caller gets."""
        ...

    def token(self) -> str:
        """What was taken so far."""
        ...


class Stream(AsyncIterator[Item], Generic[Item]):
    """What happens, as it happens: `async for item in stream` brings each item once, in order, and goes on for good.

    Polls that fail (connection lost, 5xx, 429) are repeated; after `fail_after` seconds of nothing else the failure is
    raised. A loop that an error, `break`, or a timeout of one step (`asyncio.wait_for(anext(stream), 15)`) ended can be
    taken up again with the same stream: nothing is left out or repeated. Nothing is sent, and nothing runs, but while a
    caller waits for the next item. Closing the client ends that waiting with a `LifecycleError`; a service that passes
    the items on takes it for the end.
    """

    def __init__(
        self,
        name: str,
        feed: Feed[Any, Item],
        *,
        every: float | timedelta | None,
        fail_after: float | None,
        default: float,
        sleep: Sleep,
    ) -> None:
        self._name = name
        self._feed = feed
        self._tick = tick_of(every, default)
        self._fail_after = float("inf") if fail_after is None else fail_after
        self._sleep = sleep
        self._ready = deque[Any]()
        self._pause: float | None = None
        self._poll_at = self._failing_since = float("-inf")
        self._good_at: float | None = None
        self._is_busy = False
        self.deleted = False
        """Whether it ended because what it is about does not exist any more."""

    @property
    def token(self) -> str:
        """Stands for all that was returned so far: `since=token` goes on behind it, in any program, on any day.

        Store it when an item has been dealt with. It names the items of a while, and is as long as it takes.
        """
        return self._feed.token()

    @property
    def age(self) -> float | None:
        """Seconds since the last good poll; None before the first one. Grows while polls fail, or none is made."""
        return None if self._good_at is None else asyncio.get_running_loop().time() - self._good_at

    def __aiter__(self) -> Stream[Item]:
        return self

    if not TYPE_CHECKING:  # to type checkers there are none
        __iter__ = __await__ = refuse("a stream is asynchronous: write `async for item in stream`")

    async def __anext__(self) -> Item:
        if self._is_busy:
            raise RuntimeError("two tasks wait for the next item of one stream: give each its own")
        self._is_busy = True
        try:
            while not self._ready and not self.deleted:
                await self._poll()
        finally:
            self._is_busy = False
        if not self._ready:
            raise StopAsyncIteration
        return self._feed.take(self._ready.popleft())

    async def _poll(self) -> None:
        now = asyncio.get_running_loop().time
        if self._pause is not None and not self._feed.is_behind:
            await self._sleep(max(self._poll_at - now(), 0.0))
        found = await self._read()
        self._ready.extend(found)
        is_quiet = self._pause is not None and not found
        self._pause = min((self._pause or 0) * 1.5, self._tick * _SLOWEST) if is_quiet else self._tick
        # A time, not a pause that begins with each call: a caller may wait with a timeout shorter than that, again and
        # again. Spread, so that programs that began together do not poll together.
        self._poll_at = now() + self._pause * random.uniform(1.0, 1.2)  # noqa: S311

    async def _read(self) -> list[Any]:
        """The result of one good poll, in spite of bad ones. A thing that is gone ends the stream."""
        now = asyncio.get_running_loop().time
        while True:
            began = now()
            try:
                found = await self._feed.read()
                self._good_at, self._failing_since = began, float("-inf")
                return found
            except ResourceDoesNotExist:
                if self._good_at is None:
                    raise
                self.deleted = True
                return []
            except DatabricksError as error:
                if self._failing_since < 0:
                    self._failing_since = began
                if now() > self._failing_since + self._fail_after or not is_transient(error):
                    self._failing_since = float("-inf")
                    raise
                log.warning("%s: a poll failed, polling goes on: %s", self._name, error)
            await self._sleep(self._tick * random.uniform(1.0, _SLOWEST))  # noqa: S311

    def __repr__(self) -> str:
        return f"<Stream of {self._name}>"
