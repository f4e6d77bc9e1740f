"""The debug log: one line a request, with nothing in it that is not known to be harmless.

Here are the tests of `events/shown.py`.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from databricks_async import WorkspaceClient
from databricks_async.errors import DatabricksError
from databricks_async.events import shown
from databricks_async.local import Fault, LocalWorkspace
from databricks_async.sent_secrets import remember_headers

Connect = Callable[..., WorkspaceClient]
LIST = "GET /api/2.1/clusters/list"
PLANTED = "planted-Secret-3141"
SPEC = {
    "cluster_name": PLANTED,
    "spark_version": "15.4.x-scala2.12",
    "node_type_id": "Standard_DS3_v2",
    "num_workers": 3,
    "spark_env_vars": {PLANTED: PLANTED},
    "spark_conf": {"fs.azure.account.key": PLANTED},
    "custom_tags": {"a": PLANTED},
}

pytestmark = pytest.mark.usefixtures("virtual_time")


@pytest.fixture(autouse=True)
def debug(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.DEBUG, "databricks_async.http"):
        yield


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    def lines() -> list[str]:
        return [record.getMessage() for record in caplog.records if record.name == "databricks_async.http"]

    return lines


async def test_one_line_a_request(
    workspace: LocalWorkspace, w: WorkspaceClient, caplog: pytest.LogCaptureFixture, lines: Any
) -> None:
    """Method, path, status, milliseconds, attempt and request id; the same as fields of the record."""
    workspace.faults.add(LIST, Fault.error(503, "TEMPORARILY_UNAVAILABLE"), Fault.drop())
    await w.clusters.list().collect()
    first, second, third = lines()
    start = r"GET /api/2.1/clusters/list\?page_size=100: "
    assert re.fullmatch(start + r"503 in \d+\.\d ms, attempt 1(, request id \w+)?", first)
    assert re.fullmatch(start + r"ConnectionLost in \d+\.\d ms, attempt 2", second)
    assert re.fullmatch(start + r"200 in \d+\.\d ms, attempt 3, request id \w+", third)
    record: Any = [record for record in caplog.records if record.name == "databricks_async.http"][-1]
    assert (record.levelno, record.method, record.path) == (logging.DEBUG, "GET", "/api/2.1/clusters/list")
    assert (record.status, record.attempt) == (200, 3)
    assert record.request_id in third
    assert f"{record.duration_ms} ms" in third


async def test_no_line_above_debug(w: WorkspaceClient, caplog: pytest.LogCaptureFixture, lines: Any) -> None:
    """The level is asked for with each call: it may change at any time."""
    with caplog.at_level(logging.INFO, "databricks_async.http"):
        await w.clusters.list().collect()
    assert lines() == []
    await w.clusters.list().collect()
    assert len(lines()) == 1


async def test_bodies_and_headers_only_when_asked(w: WorkspaceClient, connect: Connect, lines: Any) -> None:
    """Bodies by `debug_truncate_bytes`, headers by `debug_headers`."""
    await w.clusters.create(SPEC)
    await connect(debug_truncate_bytes=1000).clusters.create(SPEC)
    await connect(debug_headers=True).clusters.create(SPEC)
    plain, bodies, headers = lines()
    assert "{" not in plain
    sent = json.loads(bodies.partition("request body ")[2].partition("; response body ")[0])
    assert sent == {
        "cluster_name": "***",
        "spark_version": "15.4.x-scala2.12",
        "node_type_id": "Standard_DS3_v2",
        "num_workers": 3,
        "spark_env_vars": "***",
        "spark_conf": "***",
        "custom_tags": "***",
    }
    assert re.fullmatch(r'\{"cluster_id":"[\w-]+"\}', bodies.partition("response body ")[2])
    assert "headers" not in bodies
    assert '"authorization":"***"' in headers
    assert '"content-type":"application/json"' in headers
    assert "body" not in headers


async def test_the_settings_are_the_official_ones(
    workspace: LocalWorkspace, monkeypatch: pytest.MonkeyPatch, lines: Any
) -> None:
    """By the official SDK's variables."""
    monkeypatch.setenv("DATABRICKS_DEBUG_TRUNCATE_BYTES", "12")
    monkeypatch.setenv("DATABRICKS_DEBUG_HEADERS", "true")
    async with WorkspaceClient(host=workspace.url, token=workspace.token) as w:
        assert (w.config.debug_truncate_bytes, w.config.debug_headers) == (12, True)
        await w.clusters.create(SPEC)
    (line,) = lines()
    assert 'request body {"cluster_na… (' in line
    assert 'response headers {"' in line


@pytest.mark.parametrize("requests_are_known", [False])
async def test_no_secret_is_in_any_line(
    workspace: LocalWorkspace, service_principal: dict[str, str], connect: Connect, caplog: Any, lines: Any
) -> None:
    """With headers, and with bodies of any length: of logins, of answers, of what is not JSON."""
    settings = {"debug_truncate_bytes": 100_000, "debug_headers": True}
    w = connect(**service_principal, **settings)
    await w.clusters.create(SPEC)
    await w.clusters.list().collect()
    await w.workspace.upload("/f", PLANTED.encode() * 100, format="AUTO")
    await w.workspace.download("/f").read()
    for body in ({"cluster_id": {"value": PLANTED}}, [PLANTED], PLANTED, {"tasks": [PLANTED, {"x": [PLANTED]}]}):
        with pytest.raises(DatabricksError):
            await w.request("POST", "/api/2.0/none", body=body, query={PLANTED: 1, "q": PLANTED})
    for answer in (PLANTED, f"<html>{PLANTED}</html>", json.dumps([[PLANTED]]), json.dumps(PLANTED)):
        workspace.faults.add(LIST, Fault.answer(400, answer, {"X-Other": PLANTED, "Location": PLANTED}))
        with pytest.raises(Exception, match=r".*"):
            await w.clusters.list().collect()
    text = "".join(lines())
    assert len(lines()) == 14
    assert PLANTED not in text
    assert "local-oauth" not in text
    assert workspace.token not in text
    assert "secret" not in re.sub("client_secret|token_endpoint_auth_methods_supported", "", text)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"cluster_id": "a"}', '{"cluster_id":"a"}'),
        (b'{"clusters": [{"cluster_id": "a", "x": {"y": 1}}]}', '{"clusters":[{"cluster_id":"a","x":"***"}]}'),
        (b'{"run_id": 5, "pass-word7": 1}', '{"run_id":5,"***":"***"}'),
        (b'"text"', '"***"'),
        (b'["a"]', '["***"]'),
        (b"[[1]]", '[["***"]]'),
        (
            b'{"tasks": ["a", {"task_key": "b"}], "state": {"x": "c"}}',
            '{"tasks":["***",{"task_key":"b"}],"state":{"x":"***"}}',
        ),
        (b'{"cluster_ids": ["a", ["b"]]}', '{"cluster_ids":["a",["b"]]}'),
        (b"not json", "*** (8 bytes)"),
        (b"", "empty"),
        (None, "streamed"),
        (b'{"runs":' + b"[" * 100 + b"]" * 100 + b"}", None),
        (b'{"path": "' + "ä".encode() * 2**20 + b'"}', f"*** ({2**21 + 12} bytes)"),
    ],
)
def test_what_is_shown_of_a_body(content: bytes | None, expected: str | None) -> None:
    """Values of known fields, wherever they are; the length of what is no JSON, or too long to be looked through."""
    found = shown.body(content, 1000)
    assert found == expected if expected is not None else "***" in found


@pytest.mark.parametrize("limit", range(1, 40))
def test_a_body_is_cut_in_bytes(limit: int) -> None:
    """Never within a character, and the whole length is said."""
    content = '{"path":"ää-日本"}'.encode()
    text, _, rest = shown.body(content, limit).partition("…")
    assert len(text.encode()) <= limit
    assert content.decode().startswith(text)
    assert rest == ("" if limit >= len(content) else f" ({len(content)} bytes)")


@pytest.mark.parametrize(
    ("path", "query", "expected"),
    [
        ("/api/2.0/x", "", "/api/2.0/x"),
        ("/api/2.0/x", "limit=5&a=b&filter_by.is_pinned=true", "/api/2.0/x?limit=5&a=***&filter_by.is_pinned=true"),
        ("/api/2.0/x", "page_token=abc&%0A=1&=&limit", "/api/2.0/x?page_token=***&***&***&limit"),
        ("/secret-path", "limit=1", "/***?limit=1"),
    ],
)
def test_what_is_shown_of_an_address(path: str, query: str, expected: str) -> None:
    """The path of an API, and the parameters that are known to be harmless."""
    assert shown.target(path, query) == expected


def test_a_secret_that_was_sent_is_shown_nowhere() -> None:
    """Not even where a harmless value stands."""
    remember_headers({"Authorization": f"Bearer {PLANTED}"})
    views = [
        shown.target(f"/api/2.0/{PLANTED}", f"cluster_id={PLANTED}"),
        shown.body(json.dumps({"cluster_id": PLANTED}).encode(), 1000),
        shown.headers({"Server": PLANTED}),
        shown.endpoint(f"GET /api/2.0/{PLANTED}"),
    ]
    assert PLANTED not in "".join(views)


def test_a_header_stays_on_its_line() -> None:
    """Whatever a server sends."""
    assert "\n" not in shown.headers({"Server": "a\r\nb\udce4", "x\ny": "z"})


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("GET /api/2.1/clusters/get", "GET /api/2.1/clusters/get"),
        ("POST /oidc/v1/token", "POST /oidc/v1/token"),
        ("GET http://localhost:5/secret?x=y", "GET http://localhost:5"),
        ("GET /secret", "GET /***"),
    ],
)
def test_what_is_shown_of_an_endpoint(line: str, expected: str) -> None:
    """Elsewhere than at the workspace no path: it may be a secret."""
    assert shown.endpoint(line) == expected
