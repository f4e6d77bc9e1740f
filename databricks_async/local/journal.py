"""Journal: every request that reached a local workspace, for assertions."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Any, TypeAlias

import attrs

from databricks_async import display
from databricks_async.local.patterns import matches, meant_by

_Waiting: TypeAlias = "tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]"

_TOP = ("id", "key", "name", "path", "state", "status", "type")
"""What a line shows of a request: the last word of a name of its query or body."""


@attrs.define(repr=False)
class Call:
    """One request, and what became of it. Holds no token and no Authorization value.

    Its `repr` is a short line without what the body may hold of secrets: `body` and `query` have all.
    """

    endpoint: str
    """The manual's own line, `POST /api/2.1/clusters/create`; for an unknown route the method and the path."""
    time: int
    """When it came, in epoch milliseconds of the workspace's clock."""
    at: float
    """The same in real seconds of `time.monotonic`, to measure how requests were spaced."""
    headers: dict[str, str]
    """Names in lower case; values that could be secrets are `***`."""
    query: dict[str, Any]
    """The decoded query: text, or a list of texts where a name was repeated."""
    body: Any = None
    """The decoded JSON or form, None without a body; the raw bytes where it could not be decoded."""
    user: str | None = None
    """Who asked, once the token was accepted."""
    status: int | None = None
    """The status sent; None if the connection was dropped or no answer was sent."""
    unknown: list[str] = attrs.field(factory=list)
    """Names of parameters that the service does not know and ignored."""
    unchecked: list[str] = attrs.field(factory=list)
    """Names of parameters that were accepted without the checks of the service."""
    fault: str | None = None
    """The fault that struck, for example `drop after`."""
    known_route: bool = True
    request_id: str = ""

    def __repr__(self) -> str:
        status = "no answer" if self.status is None else str(self.status)
        told = [display.cut(f"{name}={value!r}", 60) for name, value in self._essentials()]
        told += [f"{name}={value!r}" for name, value in self._oddities()]
        return display.cut(f"<Call {display.cut(self.endpoint, 150)}: {', '.join([status, *told])}", 398) + ">"

    def _repr_html_(self) -> str:
        at = datetime.fromtimestamp(self.time / 1000, UTC).isoformat(timespec="milliseconds")
        rows = [("time", at), ("status", "no answer" if self.status is None else self.status), ("user", self.user)]
        return display.table(f"Call {self.endpoint}", [*rows, *self._essentials(), *self._oddities()])

    def _essentials(self) -> list[tuple[str, object]]:
        """The ids, names and states among the parameters, and how many others there are."""
        given = without_secrets({**self.query, **(self.body if isinstance(self.body, dict) else {})})
        found = [
            (name, value)
            for name, value in given.items()
            if isinstance(value, str | int) and name.rpartition("_")[2] in _TOP
        ]
        others = len(given) - len(found) + (self.body is not None and not isinstance(self.body, dict))
        return [*found, *([("others", others)] if others else [])]

    def _oddities(self) -> list[tuple[str, object]]:
        odd = {"fault": self.fault, "unknown": self.unknown, "unchecked": self.unchecked}
        return [(name, value) for name, value in odd.items() if value]


@attrs.define(repr=False)
class Journal:
    """All requests in the order of their arrival, and the load they made. Its methods are safe in any thread."""

    entries: list[Call] = attrs.field(factory=list)
    in_flight: int = 0
    """Requests being dealt with now."""
    in_flight_max: int = 0
    """The maximum at once so far."""
    connections: int = 0
    """TCP connections open now."""
    connections_opened: int = 0
    """TCP connections opened so far."""
    keep: int | None = None
    """At least so many of the latest requests are remembered, and at most twice as many; None keeps all."""
    on_done: Callable[[Call], None] | None = attrs.field(default=None, eq=False, repr=False)
    """Called with each request once it was dealt with: for a log."""
    endpoints: Collection[str] = attrs.field(default=(), init=False, eq=False)
    """All that are served, by which misspelt ones are found. The server's part."""
    _waiting: list[_Waiting] = attrs.field(factory=list, init=False, eq=False)
    _lock: threading.RLock = attrs.field(factory=threading.RLock, init=False, eq=False)

    def __repr__(self) -> str:
        latest = "".join(f", the latest {call!r}" for call in self.entries[-1:])
        return display.cut(f"<Journal: {len(self.entries)} calls, {self.connections} connections{latest}", 398) + ">"

    async def until(self, condition: Callable[[Journal], bool]) -> None:
        """Wait until the journal looks so: `await ws.journal.until(lambda journal: journal.in_flight == 2)`.

        In any event loop, whichever the workspace is served in.
        """
        loop = asyncio.get_running_loop()
        while True:
            with self._lock:
                if condition(self):
                    return
                waiting: asyncio.Future[None] = loop.create_future()
                self._waiting.append((loop, waiting))
            await waiting

    def calls(self, endpoint: str = "*") -> list[Call]:
        """The requests to an endpoint; `*` and `{v}` in it are wildcards.

        Raises ValueError for an endpoint that fits nothing and is probably misspelt.
        """
        with self._lock:
            found = [call for call in self.entries if matches(endpoint, call.endpoint)]
        if not found and (meant := meant_by(endpoint, self.endpoints)) is not None:
            raise ValueError(f"no endpoint fits {endpoint!r}: did you mean {meant!r}?")
        return found

    def count(self, endpoint: str = "*") -> int:
        """How many requests an endpoint got; `*` and `{v}` in it are wildcards."""
        return len(self.calls(endpoint))

    @property
    def unknown_routes(self) -> list[str]:
        """The requests for which the service has no API, for example `GET /api/2.0/nothing`."""
        return [call.endpoint for call in self.calls() if not call.known_route]

    def clear(self) -> None:
        """Forget the requests so far and start the high-water mark anew."""
        with self._lock:
            self.entries.clear()
            self.in_flight_max = self.in_flight

    def arrived(self, call: Call) -> None:
        """Write a request down as it comes in. The server's part, like what follows."""
        with self._lock:
            self.entries.append(call)
            if self.keep is not None and len(self.entries) > 2 * self.keep:
                del self.entries[: -self.keep]  # many at once: cutting a list at its front moves all the rest
            self.in_flight += 1
            if self.in_flight > self.in_flight_max:
                self.in_flight_max = self.in_flight
            self._changed()

    def left(self, call: Call) -> None:
        """A request has been dealt with."""
        with self._lock:
            self.in_flight -= 1
            self._changed()
        if self.on_done is not None:
            self.on_done(call)

    def connected(self) -> None:
        """A connection was opened."""
        with self._lock:
            self.connections += 1
            self.connections_opened += 1
            self._changed()

    def disconnected(self) -> None:
        """A connection was closed, by either side."""
        with self._lock:
            self.connections -= 1
            self._changed()

    def _changed(self) -> None:
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        here = asyncio.get_running_loop()
        for loop, future in waiting:
            if loop is here:
                _wake(future)
            else:
                with contextlib.suppress(RuntimeError):  # the loop has ended, and what waited in it
                    loop.call_soon_threadsafe(_wake, future)


def _wake(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)


_SECRET_FIELDS = ("secret", "token", "password", "assertion", "code")


def without_secrets(fields: dict[str, Any]) -> dict[str, Any]:
    """A copy in which the values of telling names are `***`."""
    return {
        name: "***" if any(word in name.lower() for word in _SECRET_FIELDS) else value for name, value in fields.items()
    }


def safe_headers(headers: Any) -> dict[str, str]:
    """Headers with lower-case names, without what could be a secret."""
    safe = {}
    for name, value in headers.items():
        name = name.lower()
        secret = name in ("authorization", "proxy-authorization", "cookie", "x-identity-header") or "token" in name
        safe[name] = "***" if secret else value
    return safe
