"""What a reader polls, for whom, and with what help: things, followers, and the protocols of both sides."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Iterable, Sequence
from copy import copy
from datetime import datetime
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

import attrs
import orjson

from databricks_async.errors import (
    CertificateError,
    DatabricksError,
    DeadlineExceeded,
    InternalError,
    InvalidResponse,
    NotFound,
    RequestTimeout,
    TemporarilyUnavailable,
    TooManyRequests,
    TransportError,
)

K = TypeVar("K")
T = TypeVar("T")
E = TypeVar("E", bound=DatabricksError)

Item: TypeAlias = dict[str, Any]
"""A thing as the service describes it."""

NEVER = float("-inf")
"""A time before all others."""
_TRANSIENT_ERRORS = (
    TransportError,
    InvalidResponse,
    TooManyRequests,
    InternalError,
    TemporarilyUnavailable,
    DeadlineExceeded,
)


def is_transient(error: DatabricksError) -> bool:
    """Whether another poll may go well."""
    # A certificate does not mend itself, and a redirect points elsewhere for good.
    if isinstance(error, CertificateError) or (isinstance(error, InvalidResponse) and error.status != 200):
        return False
    return isinstance(error, _TRANSIENT_ERRORS)


def copied(error: E) -> E:
    """The same error, to be raised by another caller: one that many raise would grow with each."""
    own = copy(error)
    own.__cause__, own.__suppress_context__ = error.__cause__, error.__suppress_context__
    return own


class Snapshot(Generic[T]):
    """What a poll showed: kept as packed JSON, a fifth of the memory of a model, and read when asked for."""

    __slots__ = ("_body", "_decode", "_value", "is_enough", "is_whole", "mark", "served_at")

    def __init__(
        self, item: Item, value: T, mark: int, decode: Callable[[Item], T], served_at: datetime | None
    ) -> None:
        self._body = zlib.compress(orjson.dumps(item), 1)
        self._value: T | None = value
        self._decode = decode
        self.mark = mark
        """Differs if anything differs."""
        self.served_at = served_at
        """The service's clock then."""
        self.is_enough = self.is_whole = True
        """Whether an item of a listing says all about a thing that its callers need; and about its parts."""

    def value(self) -> T:
        """The model: the same one for all who are told at the same time."""
        if self._value is None:
            self._value = self._decode(orjson.loads(zlib.decompress(self._body)))
        return self._value

    def forget(self) -> None:
        """All have been told: from now on the JSON is enough."""
        self._value = None


@attrs.define(eq=False, repr=False)
class Polled(Generic[K, T]):
    """What is polled, and for whom."""

    polled_at: float = NEVER
    """When its last poll began."""
    good_at: float | None = None
    """When the last good poll of it began."""
    asked_at: float | None = None
    """When the poll of it by itself that is under way began: infinite before its turn, None if there is none."""
    failing_since: float | None = None
    """When the first of the polls began that failed since the last good one."""
    error: DatabricksError | None = None
    """Why the last poll failed."""
    followers: set[Follower[K, T]] = attrs.field(factory=set)


@attrs.define(eq=False, repr=False, kw_only=True)
class Thing(Polled[K, T], Generic[K, T]):
    """One thing, and what is known of it. Exists for as long as a caller holds it."""

    key: K
    seen: Snapshot[T] | None = None
    """As it was at the last poll that showed a change."""
    where: object = None
    """What is known of it that helps to find it in a listing."""
    gone_at: datetime | None = None
    """The service's clock when it was not there."""
    number: int = 0
    """The request that showed it last."""
    tick: float | None = None
    """The shortest of its followers; None if that has to be found."""
    wanted: int = 0
    """The last request that was sent before the last follower came."""


@attrs.define(eq=False, repr=False, kw_only=True)
class Scope(Polled[K, T], Generic[K, T]):
    """All things that a listing shows. Exists for as long as a caller holds it."""

    key: object
    shown: dict[K, Thing[K, T]] = attrs.field(factory=dict)
    """What was listed."""


class Source(Protocol[K, T]):
    """What a reader has to know about a kind of things."""

    def get(self, thing: Thing[K, T], /) -> Awaitable[Item]:
        """Describe one thing."""
        ...

    def pages(self, things: Sequence[Thing[K, T]], /) -> AsyncIterator[HasItems]:
        """The pages of a listing that shows these things, if it can, and few others."""
        ...

    def all_pages(self, scope: object, /) -> AsyncIterator[HasItems]:
        """The pages of a listing that shows all things of a scope."""
        ...

    def is_universal(self, scope: object, /) -> bool:
        """Whether the listing of a scope shows whatever another listing would show."""
        ...

    def served_at(self) -> datetime | None:
        """The service's clock."""
        ...

    def key(self, item: Any, /) -> K | None:
        """None if the item is none."""
        ...

    def mark(self, item: Item, /) -> int:
        """Differs if anything differs that a caller may want to know."""
        ...

    def decode(self, item: Item, /, *, listed: bool) -> T:
        """Raises `InvalidResponse`."""
        ...

    def where(self, value: T, /) -> object:
        """What helps to find it in a listing."""
        ...

    def is_enough(self, value: T, /, *, parts: bool) -> bool:
        """Whether an item of a listing says all about a thing that its callers need, maybe with its parts."""
        ...


class HasItems(Protocol):
    """A page."""

    @property
    def items(self) -> Sequence[Any]: ...


class Counts(Protocol):
    """What the session counts."""

    @property
    def refused(self) -> int: ...


class Background(Protocol):
    """What the client's session gives a reader: tasks that end with the client, and a count of refusals."""

    @property
    def stats(self) -> Counts: ...

    def start(self, work: Coroutine[Any, Any, None], /) -> asyncio.Task[None]: ...


class Follower(Generic[K, T]):
    """A caller that waits for news of things. The reader calls it back, and never keeps it after it has left."""

    __slots__ = ("__weakref__", "back_by", "entered_at", "fail_after", "future", "name", "tick")

    wants_parts = False
    """Whether it cares for what a thing is made of: the tasks of a run."""

    def __init__(self, name: str, tick: float, fail_after: float | None) -> None:
        self.name = name
        self.tick = tick
        self.fail_after = fail_after
        """Seconds of nothing but bad polls after which it fails; None is never."""
        self.entered_at: float | None = None
        self.back_by = NEVER
        """Until then a caller whose wait was cancelled, as a timeout does, has not been away."""
        self.future: asyncio.Future[Any] | None = None

    def things(self) -> Collection[Thing[K, T]]:
        """What it follows by itself."""
        return ()

    def scope(self) -> Scope[K, T] | None:
        """The listing that it follows."""
        return None

    def see(self, thing: Thing[K, T]) -> bool:
        """A good poll; whether this is the news that was waited for."""
        raise NotImplementedError

    def miss(self, thing: Thing[K, T], error: NotFound) -> bool:
        """It is not there; whether this is news."""
        raise NotImplementedError

    def unlisted(self, shown: Collection[K]) -> list[Thing[K, T]]:
        """Its scope has been listed: what it has seen there before and was not shown now."""
        return []


def expired(
    polled: Iterable[Polled[Any, Any]], page_at: float | None, now: float
) -> tuple[list[tuple[Follower[Any, Any], DatabricksError]], float]:
    """Those who wait for things without a good poll for too long, with the error for each; and when the next one does.

    `page_at` is when the page of a listing was asked for that is on its way.
    """
    found, next_at = [], float("inf")
    for one in polled:
        since = one.failing_since
        if since is None:
            since = page_at if one.asked_at is None else one.asked_at
        if since is None:
            continue
        for follower in one.followers:
            if follower.fail_after is None or follower.entered_at is None:
                continue
            at = max(since, follower.entered_at, NEVER if one.good_at is None else one.good_at) + follower.fail_after
            if at > now:
                next_at = min(next_at, at)
                continue
            error = copied(one.error or RequestTimeout(f"{follower.name}: a poll was not answered"))
            error.add_note(f"{follower.name}: no good poll for {follower.fail_after:g} s")
            found.append((follower, error))
    return found, next_at
