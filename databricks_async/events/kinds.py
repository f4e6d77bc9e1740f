"""The events of a client: what happened to a call, a request, a token or a page, as frozen values without secrets."""

from __future__ import annotations

import time

import attrs


@attrs.frozen(kw_only=True)
class Event:
    """What all events have."""

    at: float = attrs.field(factory=time.time)
    """When it happened, in seconds since the epoch."""


@attrs.frozen(kw_only=True)
class CallEvent(Event):
    """An event of one call: of a method of the client, or of a login that asks for a token."""

    call: int
    """The number of the call, the same in all its events; each client counts its own."""
    endpoint: str
    """The manual's own line, such as `GET /api/2.1/clusters/get`. Elsewhere than at the workspace the method and the
    origin: `POST https://login.microsoftonline.com`."""
    family: str
    """The endpoints that share a limit with this one: an API such as `clusters`, or a path such as `jobs/create`; of
    requests for tokens `login`."""


@attrs.frozen(kw_only=True)
class CallStarted(CallEvent):
    """A call begins. It ends with one `CallEnded`, whatever happens."""


@attrs.frozen(kw_only=True)
class CallEnded(CallEvent):
    """A call has its answer, has failed, or was cancelled."""

    seconds: float
    """How long it took, pauses included."""
    attempts: int
    """The requests sent for it."""
    retries: int
    """Those that were sent again after a failure."""
    refusals: int
    """Those that the service refused for a rate limit."""
    status: int | None = None
    """The status of the last answer; None if none came."""
    error: str | None = None
    """The class of the exception that the caller gets, such as `NotFound` or `CancelledError`; None if it gets none."""
    request_id: str | None = None
    """The service's id of the last request, if it gave one."""


@attrs.frozen(kw_only=True)
class RequestSent(CallEvent):
    """A request is about to be sent. It ends with one `ResponseReceived` or `RequestFailed`."""

    attempt: int
    """1 is the first request of its call."""
    method: str
    host: str
    """Scheme, name and port of the host: `https://adb-1.2.azuredatabricks.net`."""
    target: str
    """The path and the query; values that are not known to be harmless are `***`."""


@attrs.frozen(kw_only=True)
class ResponseReceived(CallEvent):
    """An answer came, with any status: read to its end, unless the caller reads it as a stream."""

    attempt: int
    status: int
    seconds: float
    """Since `RequestSent`."""
    request_id: str | None = None
    """The service's id of the request, if it gave one."""


@attrs.frozen(kw_only=True)
class RequestFailed(CallEvent):
    """No answer came: no connection, a connection that was lost, out of time, cancelled."""

    attempt: int
    error: str
    """The class of the exception, such as `ConnectionLost` or `CancelledError`."""
    seconds: float
    """Since `RequestSent`."""


@attrs.frozen(kw_only=True)
class RetryScheduled(CallEvent):
    """A request has failed, and is sent again after a pause."""

    attempt: int
    """The one that failed."""
    seconds: float
    """The pause."""
    error: str
    """The class of the exception, such as `ConnectionLost` or `TemporarilyUnavailable`."""
    status: int | None = None
    """The status of the answer; None if none came."""


@attrs.frozen(kw_only=True)
class RequestRefused(CallEvent):
    """The service refuses a request for a rate limit: 429, or 503 with a time. All calls of the family pause."""

    attempt: int
    status: int
    seconds: float
    """How long the service wants no other."""


@attrs.frozen(kw_only=True)
class CallWaited(CallEvent):
    """A call has waited for its turn: for other calls to end, or for the end of a pause. Under 1 ms is no wait."""

    seconds: float


@attrs.frozen(kw_only=True)
class TokenFetched(Event):
    """The credential gave a token."""

    seconds: float
    """How long it took."""
    expires_at: float | None
    """When the token ends, in seconds since the epoch; None if that is not known."""
    is_renewal: bool
    """Whether there was one before."""


@attrs.frozen(kw_only=True)
class TokenFailed(Event):
    """The credential gave no token."""

    seconds: float
    error: str
    """The class of the exception, such as `AuthError`."""
    is_renewal: bool
    """Whether there was one before."""


@attrs.frozen(kw_only=True)
class PageReceived(Event):
    """One page of a listing came."""

    endpoint: str
    """The manual's own line, such as `GET /api/2.1/clusters/list`."""
    items: int
    """How many it has."""
    is_last: bool
