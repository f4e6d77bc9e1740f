"""Traces and metrics, as the SDK of OpenTelemetry exports them.

Here are the tests of `otel/`.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import aiohttp
import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from databricks_async import WorkspaceClient
from databricks_async.errors import DatabricksError, LifecycleError, NotFound, OutcomeUnknown
from databricks_async.local import Fault, LocalWorkspace
from databricks_async.otel import instrument

Connect = Callable[..., WorkspaceClient]
GET, LIST = "GET /api/2.1/clusters/get", "GET /api/2.1/clusters/list"
PLANTED = "planted-Secret-3141"

pytestmark = pytest.mark.usefixtures("virtual_time")


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def tracers(exporter: InMemorySpanExporter) -> Iterator[TracerProvider]:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield provider
    provider.shutdown()


@pytest.fixture
def reader() -> InMemoryMetricReader:
    return InMemoryMetricReader()


@pytest.fixture
def meters(reader: InMemoryMetricReader) -> Iterator[MeterProvider]:
    provider = MeterProvider([reader], shutdown_on_exit=False)
    yield provider
    provider.shutdown()


@pytest.fixture
def instrumented(connect: Connect, tracers: TracerProvider, meters: MeterProvider) -> Connect:
    def instrumented(**settings: Any) -> WorkspaceClient:
        w = connect(**settings)
        instrument(w, tracer_provider=tracers, meter_provider=meters)
        return w

    return instrumented


@pytest.fixture
async def w(instrumented: Connect) -> AsyncIterator[WorkspaceClient]:
    yield instrumented()
    assert trace.get_current_span() is trace.INVALID_SPAN, "a span was left in the context"


def calls(exporter: InMemorySpanExporter) -> list[ReadableSpan]:
    """The spans of calls, as they ended."""
    return [span for span in exporter.get_finished_spans() if span.kind is SpanKind.INTERNAL]


def requests(exporter: InMemorySpanExporter, call: ReadableSpan) -> list[ReadableSpan]:
    """The spans of the requests of a call."""
    spans = [span for span in exporter.get_finished_spans() if span.parent and span.kind is SpanKind.CLIENT]
    return [span for span in spans if span.parent and span.parent.span_id == call.context.span_id]


def points(reader: InMemoryMetricReader) -> dict[str, list[Any]]:
    data = reader.get_metrics_data()
    metrics = [one for resource in data.resource_metrics for scope in resource.scope_metrics for one in scope.metrics]
    return {metric.name: list(metric.data.data_points) for metric in metrics}


async def test_a_call_and_its_request(w: WorkspaceClient, exporter: InMemorySpanExporter) -> None:
    """One span by the name of the endpoint, and one below it, with the attributes of the conventions."""
    cluster_id = await w.clusters.create(
        spark_version="15.4.x-scala2.12", node_type_id="Standard_DS3_v2", num_workers=0
    )
    exporter.clear()
    await w.clusters.get(cluster_id.cluster_id)
    (call,) = calls(exporter)
    (request,) = requests(exporter, call)
    host, port = w.config.host.removeprefix("http://").split(":")
    url = f"{w.config.host}/api/2.1/clusters/get?cluster_id={cluster_id.cluster_id}"
    assert (call.name, call.kind, call.status.status_code) == (GET, SpanKind.INTERNAL, StatusCode.UNSET)
    attributes = dict(call.attributes or {})
    assert attributes.pop("databricks.request_id")
    assert attributes == {
        "http.request.method": "GET",
        "url.template": "/api/2.1/clusters/get",
        "url.full": url,
        "server.address": host,
        "server.port": int(port),
        "http.response.status_code": 200,
        "databricks.family": "clusters",
        "databricks.retries": 0,
        "databricks.refusals": 0,
    }
    assert (request.name, request.kind) == ("GET", SpanKind.CLIENT)
    assert dict(request.attributes or {}) == {
        "http.request.method": "GET",
        "url.full": url,
        "server.address": host,
        "server.port": int(port),
        "http.response.status_code": 200,
    }
    assert len(exporter.get_finished_spans()) == 2


async def test_tries_are_children_of_their_call(
    workspace: LocalWorkspace, w: WorkspaceClient, exporter: InMemorySpanExporter
) -> None:
    """Each with its number; retries, refusals and waits are counted and are events of the call."""
    workspace.faults.add(LIST, Fault.error(503, "X"), Fault.drop(), Fault.too_many_requests(2))
    await w.clusters.list().collect()
    (call,) = calls(exporter)
    tries = requests(exporter, call)
    assert [(span.attributes or {}).get("http.request.resend_count") for span in tries] == [None, 1, 2, 3]
    assert [(span.attributes or {}).get("http.response.status_code") for span in tries] == [503, None, 429, 200]
    assert [span.status.status_code for span in tries] == [StatusCode.ERROR] * 3 + [StatusCode.UNSET]
    attributes = call.attributes or {}
    assert attributes["http.request.resend_count"] == 3
    assert (attributes["databricks.retries"], attributes["databricks.refusals"]) == (2, 1)
    assert call.status.status_code is StatusCode.UNSET
    assert [event.name for event in call.events] == ["retry", "retry", "refusal", "wait"]
    assert dict(call.events[1].attributes or {}).keys() == {"databricks.seconds", "error.type"}


async def test_an_error(w: WorkspaceClient, exporter: InMemorySpanExporter) -> None:
    """The class that the caller gets, and the status of the answer."""
    with pytest.raises(NotFound):
        await w.clusters.get("none")
    (call,) = calls(exporter)
    assert (call.status.status_code, call.status.description) == (StatusCode.ERROR, "MissingResource")
    attributes = call.attributes or {}
    assert (attributes["error.type"], attributes["http.response.status_code"]) == ("MissingResource", 400)


async def test_what_ends_without_an_answer(
    workspace: LocalWorkspace, w: WorkspaceClient, exporter: InMemorySpanExporter
) -> None:
    """A lost answer and a cancelled call have their spans, and leave none in the context."""
    workspace.faults.add("POST /api/2.2/jobs/create", Fault.drop(after=True))
    with pytest.raises(OutcomeUnknown):
        await w.jobs.create(name="a")
    workspace.faults.add(LIST, Fault.hang())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await w.clusters.list().collect()
    lost, cancelled = calls(exporter)
    assert [(span.attributes or {})["error.type"] for span in (lost, cancelled)] == ["OutcomeUnknown", "CancelledError"]
    assert [len(requests(exporter, span)) for span in (lost, cancelled)] == [1, 1]
    assert trace.get_current_span() is trace.INVALID_SPAN


async def test_each_of_many_calls_has_its_own_requests(
    workspace: LocalWorkspace, w: WorkspaceClient, tracers: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    """At the same time, under a span of the program's, over retries: one trace, and no request under another call."""
    workspace.faults.add(GET, Fault.drop(), times=7)
    with tracers.get_tracer("test").start_as_current_span("job") as job:
        found = await asyncio.gather(*(w.clusters.get(f"c{i}") for i in range(40)), return_exceptions=True)
        assert trace.get_current_span() is job
    assert {type(one).__name__ for one in found} == {"MissingResource"}
    spans = [span for span in calls(exporter) if span.name == GET]
    assert len(spans) == 40
    assert {span.parent.span_id for span in spans if span.parent} == {job.get_span_context().span_id}
    assert len({span.context.trace_id for span in exporter.get_finished_spans()}) == 1
    assert sum(len(requests(exporter, span)) for span in spans) == 47
    for span in spans:
        urls = {(request.attributes or {})["url.full"] for request in requests(exporter, span)}
        assert urls == {(span.attributes or {})["url.full"]}


async def test_the_service_is_told_of_the_trace(
    workspace: LocalWorkspace, w: WorkspaceClient, exporter: InMemorySpanExporter
) -> None:
    """Each request has a `traceparent` with its own span."""
    seen: list[str] = []

    async def look(session: Any, context: Any, params: aiohttp.TraceRequestHeadersSentParams) -> None:
        seen.append(params.headers["traceparent"])

    config = aiohttp.TraceConfig()
    config.on_request_headers_sent.append(look)
    w._session.trace(config)
    await w.clusters.list().collect()
    (call,) = calls(exporter)
    (request,) = requests(exporter, call)
    assert [one[:52] for one in seen] == [f"00-{request.context.trace_id:032x}-{request.context.span_id:016x}"]


async def test_a_login_is_part_of_the_call_that_waits_for_it(
    service_principal: dict[str, str], instrumented: Connect, exporter: InMemorySpanExporter
) -> None:
    """Its requests are calls below the first one."""
    await instrumented(**service_principal).clusters.list().collect()
    spans = {span.name: span for span in calls(exporter)}
    login, call = spans["POST /oidc/v1/token"], spans[LIST]
    assert login.parent is not None
    assert login.parent.span_id == call.context.span_id
    assert [span.name for span in requests(exporter, login)] == ["POST"]


async def test_metrics(
    workspace: LocalWorkspace, instrumented: Connect, service_principal: dict[str, str], reader: InMemoryMetricReader
) -> None:
    """Calls by their outcome, retries, refusals, waits, tokens; nothing is in flight at the end."""
    w = instrumented(**service_principal)
    workspace.faults.add(LIST, Fault.drop(), Fault.too_many_requests(2))
    await w.clusters.list().collect()
    with pytest.raises(NotFound):
        await w.clusters.get("none")
    found = points(reader)
    assert found.keys() == {
        "databricks.client.calls",
        "databricks.client.call.duration",
        "databricks.client.retries",
        "databricks.client.refusals",
        "databricks.client.in_flight",
        "databricks.client.wait.duration",
        "databricks.client.tokens",
        "http.client.request.duration",
    }
    host, port = w.config.host.removeprefix("http://").split(":")
    where = {"server.address": host, "server.port": int(port)}
    clusters = {**where, "databricks.family": "clusters"}
    outcomes = {
        (
            one.attributes["databricks.family"],
            one.attributes["http.request.method"],
            one.attributes.get("error.type"),
        ): one
        for one in found["databricks.client.calls"]
    }
    assert {key: point.value for key, point in outcomes.items()} == {
        ("login", "GET", None): 1,
        ("login", "POST", None): 1,
        ("clusters", "GET", None): 1,
        ("clusters", "GET", "MissingResource"): 1,
    }
    failed = outcomes["clusters", "GET", "MissingResource"].attributes
    assert failed == {
        **clusters,
        "http.request.method": "GET",
        "http.response.status_code": 400,
        "error.type": "MissingResource",
    }
    (retry,) = found["databricks.client.retries"]
    assert (retry.value, retry.attributes) == (1, {**clusters, "error.type": "ConnectionLost"})
    (refusal,) = found["databricks.client.refusals"]
    assert (refusal.value, refusal.attributes) == (1, {**clusters, "http.response.status_code": 429})
    (wait,) = found["databricks.client.wait.duration"]
    assert (wait.count, wait.attributes) == (1, clusters)
    assert 2.0 <= wait.sum < 2.1
    (token,) = found["databricks.client.tokens"]
    assert (token.value, token.attributes) == (1, where)
    in_flight = {point.attributes["databricks.family"]: point for point in found["databricks.client.in_flight"]}
    assert {family: point.value for family, point in in_flight.items()} == {"login": 0, "clusters": 0}
    assert (in_flight["login"].attributes, in_flight["clusters"].attributes) == (
        {"databricks.family": "login"},
        clusters,
    )
    durations = [p for p in found["databricks.client.call.duration"] if p.attributes["databricks.family"] == "clusters"]
    assert sorted(point.count for point in durations) == [1, 1]
    assert max(point.sum for point in durations) >= 2.0


async def test_what_is_in_flight(workspace: LocalWorkspace, w: WorkspaceClient, reader: InMemoryMetricReader) -> None:
    """Requests under way at the moment of the export; a cancelled one is no more."""
    await w.clusters.list().collect()
    workspace.faults.add(LIST, Fault.hang(), times=3)
    tasks = [asyncio.create_task(w.clusters.list().collect()) for _ in range(3)]
    await asyncio.sleep(1)
    assert [point.value for point in points(reader)["databricks.client.in_flight"]] == [3]
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert [point.value for point in points(reader)["databricks.client.in_flight"]] == [0]


@pytest.mark.parametrize("requests_are_known", [False])
async def test_no_secret_is_exported(
    workspace: LocalWorkspace, instrumented: Connect, exporter: InMemorySpanExporter, reader: InMemoryMetricReader
) -> None:
    """Not in attributes, events or names, whatever fails: of queries, answers that are no HTTP, a login's address."""
    w = instrumented()
    for fault in (Fault.answer(404), Fault.garble(), Fault.drop()):
        workspace.faults.add("GET /api/2.0/none", fault, times=20)
        with pytest.raises(DatabricksError):
            await w.request("GET", "/api/2.0/none", query={"value": PLANTED}, replay="unsafe")
        workspace.faults.clear()
    with pytest.raises(DatabricksError):
        await instrumented(token=None, metadata_service_url=f"{workspace.url}/{PLANTED}").clusters.list().collect()
    exported = "".join(span.to_json() for span in exporter.get_finished_spans()) + str(reader.get_metrics_data())
    assert "/api/2.0/none?value=***" in exported
    assert PLANTED not in exported
    assert workspace.token not in exported


async def test_what_aiohttp_says_of_an_answer_that_is_no_http_is_not_exported(
    instrumented: Connect, exporter: InMemorySpanExporter
) -> None:
    """Its exception has the whole address: only the name of its class is recorded."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"no HTTP at all\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        w = instrumented(host=f"http://127.0.0.1:{port}", token="x", server_retry_attempts=1)
        with pytest.raises(DatabricksError):
            await w.request("GET", "/api/2.0/none", query={"value": PLANTED})
        await w.aclose()
    (call,) = calls(exporter)
    (request,) = requests(exporter, call)
    (event,) = request.events
    assert str((event.attributes or {})["exception.type"]).startswith("aiohttp.")
    assert PLANTED not in request.to_json()


async def test_the_session_of_a_program_that_instruments_them_all(
    workspace: LocalWorkspace, connect: Connect, tracers: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    """Makes the spans of requests once, and below those of calls."""
    AioHttpClientInstrumentor().instrument(tracer_provider=tracers)
    try:
        w = connect()
        instrument(w, tracer_provider=tracers)
        await w.clusters.list().collect()
    finally:
        AioHttpClientInstrumentor().uninstrument()
    (call,) = calls(exporter)
    assert len(requests(exporter, call)) == 1
    assert len(exporter.get_finished_spans()) == 2


async def test_a_lent_session_keeps_what_it_has(
    connect: Connect, tracers: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    """The calls are seen; its requests are its owner's matter."""
    async with aiohttp.ClientSession() as session:
        w = connect(session=session)
        instrument(w, tracer_provider=tracers)
        await w.clusters.list().collect()
        assert session.trace_configs == []
    assert [span.name for span in exporter.get_finished_spans()] == [LIST]


async def test_a_client_is_instrumented_once_and_before_its_first_call(connect: Connect) -> None:
    """Its session is made then."""
    w = connect()
    await w.clusters.list().collect()
    with pytest.raises(LifecycleError, match="before its first call"):
        instrument(w)
    w = connect()
    instrument(w)
    with pytest.raises(LifecycleError, match="instrumented already"):
        instrument(w)


async def test_without_a_provider_nothing_is_recorded(w: WorkspaceClient, connect: Connect) -> None:
    """The API alone does nothing, and calls go on as ever."""
    client = connect()
    instrument(client)
    assert await client.clusters.list().collect() == []


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra the import says how to get it."""
    for name in [name for name in sys.modules if name.startswith("databricks_async.otel")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "opentelemetry.instrumentation.aiohttp_client", None)
    with pytest.raises(ImportError, match=r"pip install 'databricks-async\[otel\]'"):
        importlib.import_module("databricks_async.otel")
