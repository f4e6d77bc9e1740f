"""Traces and metrics by OpenTelemetry, with the extra `otel`: `pip install 'databricks-async[otel]'`.

    from databricks_async import WorkspaceClient
    from databricks_async.otel import instrument

    w = WorkspaceClient()
    instrument(w)
    async with w:
        await w.clusters.list().collect()

Each call of the client has a span, named by its endpoint, `GET /api/2.1/clusters/get`; it is the parent of one span for
each request that was sent for it, which the instrumentation of aiohttp makes. Attributes are those of the semantic
conventions for HTTP, and no secret is in them. Metrics, each by `databricks.family` and, but for `login`, which is the
requests for tokens, by `server.address`:

    databricks.client.calls           calls that have ended, by status and error
    databricks.client.call.duration   how long they took in seconds, pauses included
    databricks.client.retries         requests sent again after a failure
    databricks.client.refusals        requests that the service refused for a rate limit
    databricks.client.in_flight       requests under way
    databricks.client.wait.duration   how long calls waited for their turn, in seconds
    databricks.client.tokens          tokens that were asked for, by error

The modules:

    spans      the span of a call
    requests   the spans of its requests, by the instrumentation of aiohttp
    metrics    the metrics
"""

from __future__ import annotations

try:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from databricks_async.otel.metrics import Metrics
    from databricks_async.otel.requests import trace_requests
    from databricks_async.otel.spans import Spans
except ImportError as error:
    raise ImportError(f"{error}: traces and metrics need pip install 'databricks-async[otel]'") from error

from databricks_async.client import WorkspaceClient
from databricks_async.errors import LifecycleError

__all__ = ["instrument"]


def instrument(
    client: WorkspaceClient,
    *,
    tracer_provider: TracerProvider | None = None,
    meter_provider: MeterProvider | None = None,
) -> None:
    """Make spans and metrics of what the client does from now on, with the providers of the program or with these.

    Once, and before the first call; else this raises `LifecycleError`. Where `AioHttpClientInstrumentor` instruments
    each session of the program, it makes the spans of requests, and so does the instrumentation of a lent session.
    """
    session = client._session
    if session.handlers.has(Spans):
        raise LifecycleError("this client is instrumented already")
    spans = Spans(tracer_provider)
    trace_requests(session, spans.resend_count, tracer_provider, meter_provider)
    session.handlers.add(spans)
    session.handlers.add(Metrics(client.config.known_host, meter_provider))
