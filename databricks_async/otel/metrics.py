"""The metrics of a client, made of its events."""

from __future__ import annotations

from collections.abc import Callable

from opentelemetry.metrics import MeterProvider, get_meter

from databricks_async.events.kinds import (
    CallEnded,
    CallEvent,
    CallWaited,
    Event,
    RequestFailed,
    RequestRefused,
    RequestSent,
    ResponseReceived,
    RetryScheduled,
    TokenFailed,
    TokenFetched,
)
from databricks_async.otel.spans import NAME, Attributes, server
from databricks_async.session.stats import LOGIN
from databricks_async.version import __version__

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class Metrics:
    """A handler of events. `host` is the address of the workspace, once it is known."""

    def __init__(self, host: Callable[[], str], provider: MeterProvider | None = None) -> None:
        self._host = host
        meter = get_meter(NAME, __version__, provider)
        prefix, buckets = "databricks.client", _SECONDS
        self._calls = meter.create_counter(f"{prefix}.calls", "{call}", "Calls that have ended.")
        self._durations = meter.create_histogram(
            f"{prefix}.call.duration", "s", "Duration of calls.", explicit_bucket_boundaries_advisory=buckets
        )
        self._retries = meter.create_counter(f"{prefix}.retries", "{request}", "Requests sent again after a failure.")
        self._refusals = meter.create_counter(
            f"{prefix}.refusals", "{request}", "Requests that the service refused for a rate limit."
        )
        self._in_flight = meter.create_up_down_counter(f"{prefix}.in_flight", "{request}", "Requests under way.")
        self._waits = meter.create_histogram(
            f"{prefix}.wait.duration",
            "s",
            "How long calls waited for their turn.",
            explicit_bucket_boundaries_advisory=buckets,
        )
        self._tokens = meter.create_counter(f"{prefix}.tokens", "{token}", "Tokens that were asked for.")

    def __call__(self, event: Event) -> None:
        if isinstance(event, CallEvent):
            self._count(event)
        elif isinstance(event, TokenFetched):
            self._tokens.add(1, self._where())
        elif isinstance(event, TokenFailed):
            self._tokens.add(1, {**self._where(), "error.type": event.error})

    def _count(self, event: CallEvent) -> None:
        where = {} if event.family == LOGIN else self._where()
        about: Attributes = {**where, "databricks.family": event.family}
        if isinstance(event, RequestSent):
            self._in_flight.add(1, about)
        elif isinstance(event, ResponseReceived | RequestFailed):
            self._in_flight.add(-1, about)
        elif isinstance(event, CallWaited):
            self._waits.record(event.seconds, about)
        elif isinstance(event, RequestRefused):
            self._refusals.add(1, {**about, "http.response.status_code": event.status})
        elif isinstance(event, RetryScheduled):
            self._retries.add(1, {**about, **_outcome(event.status, event.error)})
        elif isinstance(event, CallEnded):
            method = event.endpoint.partition(" ")[0]
            about = {**about, "http.request.method": method, **_outcome(event.status, event.error)}
            self._calls.add(1, about)
            self._durations.record(event.seconds, about)

    def _where(self) -> Attributes:
        return server(host) if (host := self._host()) else {}


def _outcome(status: int | None, error: str | None) -> Attributes:
    known = {"http.response.status_code": status, "error.type": error}
    return {name: value for name, value in known.items() if value is not None}
