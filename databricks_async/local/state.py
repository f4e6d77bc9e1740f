"""State: everything that a local workspace knows, and what is scheduled in it."""

from __future__ import annotations

import heapq
import random
import threading
import zlib
from collections.abc import Callable
from copy import deepcopy
from typing import Any, Protocol, TypeAlias, TypeVar, TypeVarTuple, Unpack

import attrs

from databricks_async.local.clock import Clock
from databricks_async.local.clusters.catalog import Catalog
from databricks_async.local.clusters.policies import Policy
from databricks_async.local.ids import Ids
from databricks_async.local.jobs.state import Jobs
from databricks_async.local.logins import IdentityProvider, Logins
from databricks_async.local.objects.tree import Tree
from databricks_async.local.values import Json as Json
from databricks_async.message import Response

P = TypeVar("P")
Ts = TypeVarTuple("Ts")
A = TypeVar("A", bound=Callable[..., None])

Endpoint: TypeAlias = Callable[..., Json | Response]
"""`(state, **params) -> answer`, a Response where that is no JSON. Its signature declares the parameters: names, types,
which of them are required."""


@attrs.define
class Durations:
    """How long things take, in seconds of workspace time."""

    pending: float = 300.0
    terminating: float = 30.0
    restarting: float = 240.0
    resizing: float = 60.0
    installing: float = 30.0
    """One library, once its cluster runs."""
    task: float = 60.0
    """One execution of a task whose script has no duration."""
    cleanup: float = 5.0
    """Stopping a task that was cancelled or ran out of time, or tidying up behind one with a cluster of its own."""
    queued: float = 48 * 3600.0
    """The maximum time of a run in its job's queue."""
    continuous: float = 30.0
    """Between a run of a continuous job and the next; doubled for each failure in a row, up to an hour."""


@attrs.define
class User:
    """A person or a service principal."""

    name: str
    admin: bool

    @property
    def user_id(self) -> str:
        """The number by which other services of a workspace know the user."""
        return str(zlib.crc32(self.name.encode()))


@attrs.define
class Token:
    """What a bearer token stands for."""

    user: User
    expires_at: float | None = None
    """In seconds of `Clock.client_time`; None never ends."""
    revoked: bool = False
    from_oauth: bool = False
    needs_role: bool = False
    """Whether its owner is no user of the workspace, but has a role on it in Azure."""


@attrs.define
class ServicePrincipal:
    """A client that may ask for tokens."""

    user: User
    client_secret: str = attrs.field(repr=False)
    token_seconds: float


@attrs.define
class InstalledLibrary:
    """A library of one cluster, and how far its installation got."""

    library: Json
    status: str = "PENDING"
    messages: list[str] = attrs.field(factory=list)


@attrs.define(eq=False)
class Cluster:
    """One cluster: what was asked for, and what became of it."""

    cluster_id: str
    spec: Json
    creator: str
    start_time: int
    state: str = "PENDING"
    state_message: str = ""
    workers: int = 0
    asked: Json = attrs.field(default=attrs.Factory(lambda self: self.spec, takes_self=True))
    """The settings as they were asked for; `spec` also has what a policy filled in."""
    source: str = "API"
    job_tags: dict[str, str] = attrs.field(factory=dict)
    """`JobId` and `RunName` of a cluster that a run made."""
    plan: int = 0
    """Incremented whenever the cluster takes another course, which invalidates what was scheduled before."""
    driver: Json | None = None
    executors: list[Json] = attrs.field(factory=list)
    spark_context_id: int | None = None
    last_state_loss_time: int = 0
    last_activity_time: int | None = None
    last_restarted_time: int | None = None
    terminated_time: int | None = None
    termination_reason: Json | None = None
    pinned_by: str | None = None
    """The id of the user who pinned it."""
    events: list[Json] = attrs.field(factory=list, repr=False)
    """Oldest first."""
    libraries: list[InstalledLibrary] = attrs.field(factory=list)
    grants: dict[tuple[str, str], str] = attrs.field(factory=dict)
    """("user_name", "ann@example.com") -> "CAN_RESTART": granted directly on this cluster."""
    overlay: Json = attrs.field(factory=dict)
    """Fields that replace those of this cluster in answers, set by a test."""

    @property
    def pinned(self) -> bool:
        return self.pinned_by is not None


@attrs.define
class ScriptedFailure:
    """A failure that waits for the cluster or library that it applies to."""

    name: str | None
    """The cluster's name, or a part of the library; None takes the first that comes."""
    details: Json


class Planned(Protocol):
    """A thing with a future: a cluster, a run, an attempt at a task."""

    plan: int
    """Counts up with each change of course, so that what was scheduled for an older one lapses."""


@attrs.frozen(order=False)
class Due:
    """An action that waits for its moment."""

    planned: Planned | None
    plan: int
    action: Callable[..., None]
    args: tuple[Any, ...]


_KEPT_TOKEN_SECONDS = 3600.0
"""A client that still sends a token so long after its end is told that it has ended."""

ACTIONS: dict[str, Callable[..., None]] = {}
"""All that is ever scheduled, by the names that stand for it in files."""


def scheduled(name: str) -> Callable[[A], A]:
    """Let a function be scheduled. It takes the state, and clusters, jobs, runs, tasks or JSON: no other object."""

    def register(action: A) -> A:
        ACTIONS[name] = action
        return action

    return register


class Keeper(Protocol):
    """What keeps the state in a file."""

    def commit(self) -> None:
        """Write what has changed."""
        ...


@attrs.define(eq=False)
class State:
    """Everything. Endpoint functions take it as their first argument."""

    clock: Clock
    random: random.Random
    ids: Ids = attrs.field(factory=Ids)
    catalog: Catalog = attrs.field(factory=Catalog)
    timing: Durations = attrs.field(factory=Durations)
    now: int = 0
    """The moment being dealt with, in epoch milliseconds: a transition's own time, or that of the request."""
    clusters: dict[str, Cluster] = attrs.field(factory=dict)
    cluster_tokens: dict[str, str] = attrs.field(factory=dict)
    """idempotency_token -> the id of the last cluster that was made with it."""
    tree: Tree = attrs.field(default=attrs.Factory(lambda self: Tree(self.ids), takes_self=True))
    policies: dict[str, Policy] = attrs.field(factory=dict)
    users: dict[str, User] = attrs.field(factory=dict)
    tokens: dict[str, Token] = attrs.field(factory=dict, repr=False)
    service_principals: dict[str, ServicePrincipal] = attrs.field(factory=dict)
    failing_starts: list[ScriptedFailure] = attrs.field(factory=list)
    failing_libraries: list[ScriptedFailure] = attrs.field(factory=list)
    jobs: Jobs = attrs.field(factory=Jobs)
    logins: Logins = attrs.field(factory=lambda: Logins("admin@example.com"))
    identity_provider: IdentityProvider | None = None
    url: str = ""
    """Where the workspace listens, once it does."""
    lock: threading.RLock = attrs.field(factory=threading.RLock, repr=False)
    """Held by each request, and by each method of the workspace, while it reads or changes anything here."""
    unchecked: list[str] = attrs.field(factory=list)
    """Names of parameters of the present request that were accepted without the service's checks, for the journal."""
    _parts: dict[type[Any], Any] = attrs.field(factory=dict, repr=False)
    due: list[tuple[int, int, Due]] = attrs.field(factory=list, repr=False)
    """A heap of what is scheduled: moments in epoch milliseconds, and numbers that count up."""
    count: int = 0
    """How much was scheduled so far."""
    touched: list[Any] | None = None
    """What may have changed since it was last written; None where nothing is kept in a file."""
    keeper: Keeper | None = None

    def add_token(self, value: str, token: Token) -> None:
        """Let a bearer token in. Those that ended an hour ago are forgotten, as ones that never were."""
        past = self.clock.client_time() - _KEPT_TOKEN_SECONDS
        for ended in [old for old, one in self.tokens.items() if one.expires_at is not None and one.expires_at < past]:
            del self.tokens[ended]
        self.tokens[value] = token

    def part(self, kind: type[P]) -> P:
        """What one API keeps for itself, in a class of its own; made on first use."""
        found: P | None = self._parts.get(kind)
        if found is None:
            found = self._parts[kind] = kind()
        return found

    def copy(self) -> State:
        """The workspace as it is now, to be looked at later: nothing changes it, and nothing falls due in it."""
        names = ("clusters", "cluster_tokens", "tree", "policies", "jobs", "_parts")
        with self.lock:
            self.settle()
            # Copied at once, so that what they share is shared in the copy, too; people and tokens are those of today.
            today = {id(user): user for user in self.users.values()}
            copied = deepcopy({name: getattr(self, name) for name in names}, today)
        return attrs.evolve(self, due=[], touched=None, parts=copied.pop("_parts"), **copied)

    def schedule(self, seconds: float, action: Callable[[State, Unpack[Ts]], None], *args: *Ts) -> None:
        """Have an action happen this many workspace seconds after the present moment. It must be `scheduled`."""
        self._schedule(seconds, Due(None, 0, action, args))

    def schedule_for(
        self, planned: Planned, seconds: float, action: Callable[[State, Unpack[Ts]], None], *args: *Ts
    ) -> None:
        """The same, unless the plan of this thing has changed by then."""
        self._schedule(seconds, Due(planned, planned.plan, action, args))

    def _schedule(self, seconds: float, due: Due) -> None:
        self.count += 1
        heapq.heappush(self.due, (self.now + round(seconds * 1000), self.count, due))

    def settle(self) -> None:
        """Do all that has fallen due, in order and each at its own time, then stand at the present moment."""
        present = self.clock.now()
        while self.due and self.due[0][0] <= present:
            self.now, _, due = heapq.heappop(self.due)
            if due.planned is None or due.planned.plan == due.plan:
                self.perform(due.action, *due.args)
        self.now = present

    def perform(self, action: Callable[..., None], *args: object) -> None:
        """Do something that was put off until now."""
        self.touch(*args)
        action(self, *args)

    def touch(self, *things: object) -> None:
        """Have these written if they have changed: what no lookup by id leads to, and no scheduled action names."""
        if self.touched is not None:
            self.touched += things

    def keep(self) -> None:
        """Have what has changed written, where there is a file."""
        if self.keeper is not None:
            self.keeper.commit()


def take(failures: list[ScriptedFailure], fits: Callable[[str], bool]) -> Json | None:
    """Remove and return the first scripted failure whose name fits, or that has none."""
    for index, failure in enumerate(failures):
        if failure.name is None or fits(failure.name):
            return failures.pop(index).details
    return None
