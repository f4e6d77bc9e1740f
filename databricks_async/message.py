"""Request, Response and Send: the values that every layer passes on. No I/O."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any, Final, Literal, Protocol, TypeAlias, TypeVar
from urllib.parse import quote

import attrs

T = TypeVar("T")

Replay: TypeAlias = Literal["safe", "idempotent", "token", "unsafe"]
"""What sending a request twice does: nothing (`safe`), nothing more (`idempotent`), nothing more as long as the request
carries the same token (`token`), the work again (`unsafe`)."""

Chunks: TypeAlias = Callable[[], AsyncIterator[bytes]]
"""A body too large to hold: each call begins it anew, so that it can be sent again whole."""


class Stream(Protocol):
    """The body of an answer while it is still on its way."""

    async def read(self) -> bytes:
        """The next bytes; none at the end. Raises `TransportError` when the rest cannot come."""
        ...

    def close(self) -> None:
        """End the reading and give up the connection. May be called twice, and at the end."""
        ...


class Report(Protocol):
    """What the layers tell of one call, while anyone wants to know."""

    async def sent(
        self,
        send: Callable[[Request], Awaitable[Response | BaseException]],
        request: Request,
        host: str,
        headers: Mapping[str, str],
    ) -> Response | BaseException:
        """Send one request of the call to this host, with these headers besides its own."""
        ...

    async def waited(self, turn: Awaitable[T]) -> T:
        """Wait for the call's turn among those of its endpoint family."""
        ...

    def refused(self, status: int, seconds: float) -> None:
        """The service has refused a request, and wants no other before so many seconds."""
        ...

    def retrying(self, error: str, status: int | None, seconds: float) -> None:
        """A request has failed with this class of exception, and is sent again after so many seconds."""
        ...


_NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})
"""Shared: thousands of requests may wait."""


@attrs.define
class Request:
    """One call of the REST API. A value: layers make a changed copy, they never change one."""

    endpoint: str
    """The manual's own line, for example `GET /api/2.1/clusters/get`: keys pacing, errors and journals."""
    path: str
    """The path with its parameters filled in, percent-encoded."""
    query: str = ""
    """The percent-encoded query, without the question mark."""
    body: bytes | Chunks | None = attrs.field(default=None, repr=False)
    headers: Mapping[str, str] = attrs.field(default=_NO_HEADERS, repr=lambda headers: repr(sorted(headers)))
    replay: Replay = "safe"
    lookup: str = ""
    """For an unsafe call: how a person finds out whether it was carried out."""
    stream: bool = False
    """Whether the body of a good answer is read by the caller, piece by piece."""
    report: Report | None = attrs.field(default=None, repr=False, eq=False)
    """Who is told what becomes of it; None while there is no one."""

    @property
    def method(self) -> str:
        return self.endpoint.partition(" ")[0]

    def with_headers(self, headers: Mapping[str, str]) -> Request:
        """A copy that also carries these headers. They stay the same object if it has none yet: a layer may know it."""
        merged = {**self.headers, **headers} if self.headers else headers
        return Request(
            *(self.endpoint, self.path, self.query, self.body, merged, self.replay, self.lookup, self.stream),
            self.report,
        )


@attrs.define
class Response:
    """A complete answer: its body has been read, unless it is a stream."""

    status: int
    headers: Mapping[str, str] = attrs.field(repr=lambda headers: repr(sorted(headers)))
    """Names in lower case, or a case-insensitive mapping."""
    body: bytes = attrs.field(repr=False)
    attempts: int = 1
    """How often the request was sent to get this answer."""
    stream: Stream | None = attrs.field(default=None, repr=False)
    """The body of a good answer to a request that asked for it so; `body` is then empty."""
    error_body: Any = attrs.field(default=None, repr=False, eq=False)
    """What `error_bodies.read_error` found in the body, which it reads once for all layers."""
    report: Report | None = attrs.field(default=None, repr=False, eq=False)
    """That of its request, for a stream that is asked for again."""


Send: TypeAlias = Callable[[Request], Awaitable[Response]]
"""What a layer wraps and what it returns."""


_is_plain = re.compile(r"[A-Za-z0-9_.~-]*").fullmatch
"""Names and most values: a look costs a fifth of quoting."""


def flatten_query(params: Mapping[str, Any]) -> str:
    """Encode a query the way the service reads it.

    None is left out, booleans are `true`/`false` at any depth, lists repeat their name, and mappings are flattened
    with dots: `{"filter_by": {"is_pinned": True}}` is `filter_by.is_pinned=true`.
    """
    text = ""
    for name, value in params.items():
        if type(value) is str:  # as most are
            text += f"&{_quoted(name)}={_quoted(value)}"
        else:
            for inner, said in _pairs({name: value}, ""):
                text += f"&{_quoted(inner)}={_quoted(said)}"
    return text[1:]


def _quoted(text: str) -> str:
    return text if _is_plain(text) else quote(text, safe="")


def _pairs(params: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in params.items():
        for one in value if isinstance(value, list | tuple) else (value,):
            if one is None:
                continue
            if isinstance(one, Mapping):
                yield from _pairs(one, f"{prefix}{name}.")
            elif isinstance(one, bool):
                yield prefix + name, "true" if one else "false"
            else:
                yield prefix + name, str(one.value if isinstance(one, Enum) else one)
