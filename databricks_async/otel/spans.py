"""The span of a call, made of its events; it is the current one until the call ends."""

from __future__ import annotations

from contextvars import Token
from typing import TypeAlias
from urllib.parse import urlsplit

from opentelemetry import context, trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, TracerProvider
from opentelemetry.util.types import AttributeValue

from databricks_async.events.kinds import (
    CallEnded,
    CallStarted,
    CallWaited,
    Event,
    RequestRefused,
    RequestSent,
    RetryScheduled,
)
from databricks_async.version import __version__

Attributes: TypeAlias = dict[str, AttributeValue]

NAME = "databricks_async"
"""Of the instrumentation, for tracers and meters."""


class Spans:
    """A handler of events. Events of a call come in the task of the call, so that its span is that task's."""

    def __init__(self, provider: TracerProvider | None = None) -> None:
        self._tracer = trace.get_tracer(NAME, __version__, provider)
        self._under_way: dict[int, tuple[Span, Token[context.Context]]] = {}
        self._resends: dict[int, int] = {}

    def __call__(self, event: Event) -> None:
        if isinstance(event, CallStarted):
            self._start(event)
        elif isinstance(event, CallEnded):
            self._end(event)
        elif isinstance(event, RequestSent) and (found := self._under_way.get(event.call)):
            span = found[0]
            self._resends[span.get_span_context().span_id] = event.attempt - 1
            span.set_attributes({**server(event.host), "url.full": event.host + event.target})
        elif isinstance(event, CallWaited | RequestRefused | RetryScheduled) and (
            found := self._under_way.get(event.call)
        ):
            name, attributes = _of(event)
            found[0].add_event(name, attributes)

    def resend_count(self) -> int:
        """How many requests were sent before the one that begins now, for the same call."""
        return self._resends.get(trace.get_current_span().get_span_context().span_id, 0)

    def _start(self, event: CallStarted) -> None:
        method, _, path = event.endpoint.partition(" ")
        attributes: Attributes = {"http.request.method": method, "databricks.family": event.family}
        if path.startswith("/"):
            attributes["url.template"] = path
        # Its requests are the clients' spans: this is what a program asked for.
        span = self._tracer.start_span(event.endpoint, kind=SpanKind.INTERNAL, attributes=attributes)
        self._under_way[event.call] = span, context.attach(trace.set_span_in_context(span))

    def _end(self, event: CallEnded) -> None:
        span, token = self._under_way.pop(event.call, (None, None))
        if span is None or token is None:
            return  # it began before there was this handler
        self._resends.pop(span.get_span_context().span_id, None)
        attributes: Attributes = {"databricks.retries": event.retries, "databricks.refusals": event.refusals}
        if event.attempts > 1:
            attributes["http.request.resend_count"] = event.attempts - 1
        if event.status is not None:
            attributes["http.response.status_code"] = event.status
        if event.request_id is not None:
            attributes["databricks.request_id"] = event.request_id
        if event.error is not None:
            attributes["error.type"] = event.error
            span.set_status(Status(StatusCode.ERROR, event.error))
        span.set_attributes(attributes)
        span.end()
        if event.error != "GeneratorExit":  # then it ends outside of its task, which no context can be given back to
            context.detach(token)


def server(origin: str) -> Attributes:
    """Where a request goes, as the conventions have it."""
    parts = urlsplit(origin)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    return {"server.address": parts.hostname or "", **({"server.port": port} if port else {})}


def _of(event: CallWaited | RequestRefused | RetryScheduled) -> tuple[str, Attributes]:
    seconds: Attributes = {"databricks.seconds": event.seconds}
    if isinstance(event, CallWaited):
        return "wait", seconds
    if event.status is not None:
        seconds["http.response.status_code"] = event.status
    if isinstance(event, RequestRefused):
        return "refusal", seconds
    return "retry", {**seconds, "error.type": event.error}
