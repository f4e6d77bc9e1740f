"""Who waits for what: the things and listings that callers follow, and how they get their news."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

from databricks_async.errors import DatabricksError
from databricks_async.polling.things import Follower, Polled, Scope, Thing, copied, expired

K = TypeVar("K")
T = TypeVar("T")

_MAX_DELAY_TICKS = 0.5
"""For so long news wait for others that may come with them."""


class Callers(ABC, Generic[K, T]):
    """The followers of a reader."""

    def __init__(self) -> None:
        self._things: WeakValueDictionary[K, Thing[K, T]] = WeakValueDictionary()
        self._scopes: WeakValueDictionary[object, Scope[K, T]] = WeakValueDictionary()
        self._followed: dict[K, Thing[K, T]] = {}
        self._followed_scopes: dict[object, Scope[K, T]] = {}
        self._followers = set[Follower[K, T]]()
        self._news: dict[Follower[K, T], float] = {}
        """Who is told of news when all polls under way have ended, and when at the latest."""

    @abstractmethod
    def _wake(self) -> None:
        """Something is to be looked at."""

    def thing(self, key: K) -> Thing[K, T]:
        """What is known of a thing, shared by all who follow it."""
        if (thing := self._things.get(key)) is None:
            thing = self._things[key] = Thing(key=key)
        return thing

    def scope(self, key: object) -> Scope[K, T]:
        """What is known of a listing, shared by all who follow it."""
        if (scope := self._scopes.get(key)) is None:
            scope = self._scopes[key] = Scope(key=key)
        return scope

    def _register(self, follower: Follower[K, T], requests: int) -> None:
        self._followers.add(follower)
        for thing in follower.things():
            thing.followers.add(follower)
            if thing.tick is not None or len(thing.followers) == 1:
                thing.tick = follower.tick if thing.tick is None else min(thing.tick, follower.tick)
            thing.wanted = requests
            self._followed[thing.key] = thing
        if (scope := follower.scope()) is not None:
            scope.followers.add(follower)
            self._followed_scopes[scope.key] = scope

    def _leave(self, follower: Follower[K, T]) -> None:
        if follower in self._followers:
            self._followers.discard(follower)
            self._news.pop(follower, None)
            for thing in follower.things():
                self.release(follower, thing)
            if (scope := follower.scope()) is not None:
                scope.followers.discard(follower)
                if not scope.followers:
                    self._followed_scopes.pop(scope.key, None)
            if not self._followers:
                self._wake()

    def has_news(self, follower: Follower[K, T], *, may_have_more: bool) -> None:
        """A caller that follows several things is told when all polls under way have ended: there may be more news."""
        if not may_have_more:
            self._tell(follower, None)
        elif follower not in self._news and follower in self._followers:
            self._news[follower] = asyncio.get_running_loop().time() + _MAX_DELAY_TICKS * follower.tick
            self._wake()

    def _tell_news(self, until: float) -> float:
        """Tell those whose time has come. Returns when the next one's comes."""
        for follower, at in [*self._news.items()]:
            if at <= until:
                del self._news[follower]
                if follower.future is not None and not follower.future.done():
                    follower.future.set_result(None)
        return min(self._news.values(), default=float("inf"))

    def release(self, follower: Follower[K, T], thing: Thing[K, T]) -> None:
        """A caller that follows several things has seen the end of one."""
        thing.followers.discard(follower)
        thing.tick = None
        if not thing.followers:
            self._followed.pop(thing.key, None)

    def _tell(self, follower: Follower[K, T], news: object) -> None:
        if follower.future is not None and not follower.future.done():
            follower.future.set_result(news)
        self._leave(follower)

    def _fail(self, follower: Follower[K, T], error: BaseException) -> None:
        """End its waiting with an error of its own."""
        if isinstance(error, DatabricksError):
            error = copied(error)
        if follower.future is not None and not follower.future.done():
            follower.future.set_exception(error)
        self._leave(follower)

    def _expire(self, page_at: float | None, now: float) -> float:
        """End the waiting of those whose things were not seen for too long. Returns when the next one does."""
        polled: list[Polled[K, T]] = [*self._followed.values(), *self._followed_scopes.values()]
        found, next_at = expired(polled, page_at, now)
        for follower, error in found:
            self._fail(follower, error)
        return next_at
