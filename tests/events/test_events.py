"""What handlers are told: each event of a call, in order and in pairs, and no secret.

Here are the tests of `events/kinds.py` and `events/reports.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from databricks_async import WorkspaceClient
from databricks_async.errors import NotFound, TemporarilyUnavailable
from databricks_async.events import (
    CallEnded,
    CallEvent,
    CallStarted,
    CallWaited,
    Event,
    PageReceived,
    RequestFailed,
    RequestRefused,
    RequestSent,
    ResponseReceived,
    RetryScheduled,
    TokenFailed,
    TokenFetched,
)
from databricks_async.local import Fault, LocalWorkspace, RateLimit

Connect = Callable[..., WorkspaceClient]
GET, LIST = "GET /api/2.1/clusters/get", "GET /api/2.1/clusters/list"
PLANTED = "planted-Secret-3141"

pytestmark = pytest.mark.usefixtures("virtual_time")


@pytest.fixture
def seen() -> list[Event]:
    return []


@pytest.fixture
def client_settings(workspace: LocalWorkspace, seen: list[Event]) -> dict[str, Any]:
    return {"host": workspace.url, "token": workspace.token, "on_event": seen.append}


def kinds(events: list[Event]) -> list[type[Event]]:
    return [type(event) for event in events]


def of(events: list[Any], kind: Any) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


async def test_a_call_in_full(w: WorkspaceClient, seen: list[Any]) -> None:
    """A token, then the call: begun, sent, answered, ended."""
    await w.clusters.spark_versions()
    assert kinds(seen) == [CallStarted, TokenFetched, RequestSent, ResponseReceived, CallEnded]
    started, token, sent, received, ended = seen
    endpoint = "GET /api/2.1/clusters/spark-versions"
    assert {event.endpoint for event in (started, sent, received, ended)} == {endpoint}
    assert {event.call for event in (started, sent, received, ended)} == {1}
    assert (sent.method, sent.host, sent.target) == ("GET", w.config.host, "/api/2.1/clusters/spark-versions")
    assert (received.status, received.attempt, sent.attempt) == (200, 1, 1)
    assert received.request_id == ended.request_id != None  # noqa: E711
    assert (ended.status, ended.error, ended.attempts, ended.retries, ended.refusals) == (200, None, 1, 0, 0)
    assert (token.is_renewal, token.expires_at) == (False, None)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        sent.attempt = 2


async def test_an_error_has_its_class(w: WorkspaceClient, seen: list[Any]) -> None:
    """As the caller gets it; the answer that it was made of came as any other."""
    with pytest.raises(NotFound):
        await w.clusters.get("none")
    (ended,) = of(seen, CallEnded)
    assert (ended.status, ended.error) == (400, "MissingResource")
    assert [event.status for event in of(seen, ResponseReceived)] == [400]


async def test_a_retry(workspace: LocalWorkspace, w: WorkspaceClient, seen: list[Any]) -> None:
    """What failed, and the pause; each request is one try more."""
    workspace.faults.add(LIST, Fault.error(503, "TEMPORARILY_UNAVAILABLE"), Fault.drop())
    await w.clusters.list().collect()
    first, second = of(seen, RetryScheduled)
    assert (first.attempt, first.error, first.status) == (1, "TemporarilyUnavailable", 503)
    assert (second.attempt, second.error, second.status) == (2, "ConnectionLost", None)
    assert [event.attempt for event in of(seen, RequestSent)] == [1, 2, 3]
    assert [event.error for event in of(seen, RequestFailed)] == ["ConnectionLost"]
    (ended,) = of(seen, CallEnded)
    assert (ended.attempts, ended.retries, ended.refusals) == (3, 2, 0)
    assert ended.seconds == pytest.approx(first.seconds + second.seconds, abs=0.01)


async def test_what_is_not_sent_again_is_no_retry(workspace: LocalWorkspace, connect: Connect, seen: list[Any]) -> None:
    """The last failure of a budget ends the call."""
    workspace.faults.add(LIST, Fault.error(503, "TEMPORARILY_UNAVAILABLE"), times=10)
    with pytest.raises(TemporarilyUnavailable):
        await connect(server_retry_attempts=1).clusters.list().collect()
    assert of(seen, RetryScheduled) == []
    assert [(event.status, event.error) for event in of(seen, CallEnded)] == [(503, "TemporarilyUnavailable")]


async def test_a_refusal_and_the_wait_for_the_gate(
    workspace: LocalWorkspace, w: WorkspaceClient, seen: list[Any]
) -> None:
    """How long the service asks for, and how long the call then waited."""
    workspace.faults.add(LIST, Fault.too_many_requests(2))
    await w.clusters.list().collect()
    (refused,), (waited,), (ended,) = of(seen, RequestRefused), of(seen, CallWaited), of(seen, CallEnded)
    assert (refused.family, refused.status, refused.seconds, refused.attempt) == ("clusters", 429, 2.0, 1)
    assert waited.family == "clusters"
    assert 2.0 <= waited.seconds < 2.1
    assert (ended.attempts, ended.retries, ended.refusals) == (2, 0, 1)


async def test_the_calls_of_a_crowd_wait(workspace: LocalWorkspace, w: WorkspaceClient, seen: list[Any]) -> None:
    """Each has its number, and all its events."""
    workspace.rate_limit = RateLimit(per_second=20, burst=5)
    await asyncio.gather(*(w.clusters.list().collect() for _ in range(30)))
    assert sorted(event.call for event in of(seen, CallEnded)) == list(range(1, 31))
    for number in range(1, 31):
        own = [event for event in of(seen, CallEvent) if event.call == number]
        assert (type(own[0]), type(own[-1])) == (CallStarted, CallEnded)
        assert len(of(own, RequestSent)) == len(of(own, ResponseReceived)) >= 1


async def test_a_login_has_its_own_calls(
    workspace: LocalWorkspace, service_principal: dict[str, str], connect: Connect, seen: list[Any]
) -> None:
    """The requests for a token are seen, and that a later one is a renewal."""
    w = connect(**service_principal)
    await w.current_user.me()
    workspace.faults.add("GET /api/2.0/preview/scim/v2/Me", Fault.revoke_token())
    await w.current_user.me()
    endpoints = [event.endpoint for event in of(seen, CallEnded)]
    assert "POST /oidc/v1/token" in endpoints
    assert [event.is_renewal for event in of(seen, TokenFetched)] == [False, True]
    assert all(event.expires_at > event.at for event in of(seen, TokenFetched))


async def test_a_token_that_is_not_there(connect: Connect, seen: list[Any]) -> None:
    """The class of the failure, and no words of the credential's."""

    async def credential() -> Any:
        raise ValueError(PLANTED)

    with pytest.raises(Exception, match="the credential failed"):
        await connect(credential=credential).clusters.list().collect()
    assert [(event.error, event.is_renewal) for event in of(seen, TokenFailed)] == [("AuthError", False)]
    assert [event.error for event in of(seen, CallEnded)] == ["AuthError"]
    assert of(seen, RequestSent) == []


async def test_pages(workspace: LocalWorkspace, w: WorkspaceClient, seen: list[Any]) -> None:
    """How many items each has, and which is the last."""
    for number in range(5):
        await w.workspace.mkdirs(f"/d/{number}")
        await w.jobs.create(name=str(number))
    await w.jobs.list(page_size=2).collect()
    assert [(event.items, event.is_last) for event in of(seen, PageReceived)] == [(2, False), (2, False), (1, True)]
    assert {event.endpoint for event in of(seen, PageReceived)} == {"GET /api/2.2/jobs/list"}


async def test_a_cancelled_call_has_its_end_too(workspace: LocalWorkspace, w: WorkspaceClient, seen: list[Any]) -> None:
    """Whatever it was at: each beginning has its end."""
    await w.clusters.list().collect()
    workspace.faults.add(LIST, Fault.hang())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await w.clusters.list().collect()
    assert [event.error for event in of(seen, RequestFailed)] == ["CancelledError"]
    assert [event.error for event in of(seen, CallEnded)] == [None, "CancelledError"]


async def test_a_download_that_is_taken_up_again(
    workspace: LocalWorkspace, w: WorkspaceClient, seen: list[Any]
) -> None:
    """The request for the rest is a call of its own."""
    await w.workspace.upload("/file", b"x" * 300_000, format="AUTO")
    seen.clear()
    workspace.faults.add("GET /api/2.0/workspace/export", Fault.cut())
    assert len(await w.workspace.download("/file").read()) == 300_000
    first, again = of(seen, CallEnded)
    assert (first.error, again.error) == (None, None)
    assert [(event.call, event.error) for event in of(seen, RetryScheduled)] == [(first.call, "ConnectionLost")]


@pytest.mark.parametrize("requests_are_known", [False])
async def test_no_event_has_a_secret(workspace: LocalWorkspace, connect: Connect, seen: list[Any]) -> None:
    """Not of the token, of parameters, of bodies, or of a metadata service's address."""
    w = connect(token=None, metadata_service_url=f"{workspace.url}/{PLANTED}")
    with pytest.raises(Exception, match="metadata service"):
        await w.clusters.list().collect()
    w = connect(token=workspace.token)
    for query in ({"value": PLANTED}, {"cluster_id": workspace.token}, {PLANTED: 1}, {"a": {"b": PLANTED}}):
        with pytest.raises(NotFound):
            await w.request("GET", "/api/2.0/secrets/none", query=query, body=None)
    with pytest.raises(NotFound):
        await w.request("POST", "/api/2.0/secrets/put", body={"string_value": PLANTED})
    shown = repr(seen)
    assert "/api/2.0/secrets/none?value=***" in shown
    assert "endpoint='GET /***'" in shown
    assert PLANTED not in shown
    assert workspace.token not in shown
