"""The spans of requests, by the instrumentation of aiohttp, without what may be secret."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import aiohttp
import attrs
from opentelemetry.instrumentation._semconv import _StabilityMode
from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor, create_trace_config
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import Span, TracerProvider

from databricks_async.events import shown

if TYPE_CHECKING:
    from types import SimpleNamespace

    from yarl import URL

    from databricks_async.session.session import Session


def trace_requests(
    session: Session,
    resend_count: Callable[[], int],
    tracer_provider: TracerProvider | None = None,
    meter_provider: MeterProvider | None = None,
) -> None:
    """Have each request of the session make a span, unless those of all sessions do."""

    def count(span: Span, params: aiohttp.TraceRequestStartParams) -> None:
        if sent_before := resend_count():
            span.set_attribute("http.request.resend_count", sent_before)

    config = create_trace_config(
        url_filter=_shown,
        request_hook=count,
        tracer_provider=tracer_provider,
        meter_provider=meter_provider,
        # By itself it has the names that came before the conventions were stable.
        sem_conv_opt_in_mode=_StabilityMode.HTTP,
    )
    (record,) = config.on_request_exception

    async def record_bare(
        session: aiohttp.ClientSession, trace: SimpleNamespace, params: aiohttp.TraceRequestExceptionParams
    ) -> None:
        await record(session, trace, attrs.evolve(params, exception=_bare(params.exception)))

    config.on_request_exception[:] = [record_bare]
    if not AioHttpClientInstrumentor().is_instrumented_by_opentelemetry:
        session.trace(config)


def _shown(url: URL) -> str:
    return f"{url.origin()}{shown.target(url.raw_path, url.raw_query_string)}"


def _bare(error: BaseException) -> BaseException:
    """An error of the same name: the words and frames of aiohttp's own hold the address and the headers."""
    bare: type[Exception] = type(type(error).__name__, (Exception,), {"__module__": type(error).__module__})
    return bare()
