"""What is sent again, what is raised, and for how long.

Here are the tests of `session/pauses.py`.
"""

from __future__ import annotations

import asyncio
import logging
import socket

import aiohttp
import attrs
import pytest

from databricks_async import errors
from databricks_async.errors import (
    AuthError,
    CertificateError,
    ConnectError,
    ConnectionLost,
    InternalError,
    NotFound,
    OutcomeUnknown,
    RequestTimeout,
    TemporarilyUnavailable,
)
from databricks_async.local import Fault, LocalWorkspace
from databricks_async.message import Request, Response
from databricks_async.session import connections
from databricks_async.session.budgets import Budgets
from databricks_async.session.retry import retrying
from databricks_async.session.stats import Stats

pytestmark = pytest.mark.usefixtures("virtual_time")

JSON = {"Content-Type": "application/json"}
SPEC = (
    b'{"cluster_name": "etl", "spark_version": "16.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}'
)
READ = Request("GET /api/2.1/clusters/list", "/api/2.1/clusters/list")
CREATE = Request(
    "POST /api/2.1/clusters/create",
    "/api/2.1/clusters/create",
    body=SPEC,
    headers=JSON,
    replay="unsafe",
    lookup="look through clusters.list()",
)
WRITE = attrs.evolve(CREATE, replay="idempotent", lookup="")
"""Two clusters where one was wanted show that it was sent twice: the class is what counts here."""


def answers(*outcomes):
    """A Send that gives these in turn and then the last one for ever: statuses, answers, or exceptions to raise."""
    left = list(outcomes)

    async def send(request):
        outcome = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(outcome, type):
            raise outcome("no luck")
        if isinstance(outcome, Exception):
            raise outcome
        return Response(outcome, {}, b"") if isinstance(outcome, int) else outcome

    return send


# One failure, then all is well: what is sent again, and what is raised

LOST = ("again", "again", OutcomeUnknown)
TABLE = {
    "dropped before": (Fault.drop(), *LOST),
    "dropped after": (Fault.drop(after=True), *LOST),
    "cut off": (Fault.cut(), *LOST),
    "silent": (Fault.hang(), *LOST),
    "408": (Fault.answer(408), *LOST),
    "500": (Fault.answer(500), *LOST),
    "502": (Fault.answer(502, "<html><title>Bad Gateway</title></html>"), *LOST),
    "503": (Fault.error(503, "TEMPORARILY_UNAVAILABLE"), *LOST),
    "504": (Fault.answer(504), *LOST),
    "503 later": (Fault.answer(503, headers={"Retry-After": "0.01"}), "again", "again", "again"),
    "429 later": (Fault.too_many_requests(0.01), "again", "again", "again"),
    "429": (Fault.too_many_requests(), "again", "again", "again"),
    "400": (Fault.error(400, "INVALID_PARAMETER_VALUE"), *[errors.InvalidParameterValue] * 3),
    "401": (Fault.answer(401), *[errors.Unauthenticated] * 3),
    "403": (Fault.error(403, "PERMISSION_DENIED"), *[errors.PermissionDenied] * 3),
    "404": (Fault.error(404, "RESOURCE_DOES_NOT_EXIST"), *[errors.ResourceDoesNotExist] * 3),
    "409": (Fault.error(409, "ABORTED"), *[errors.Aborted] * 3),
    "425": (Fault.answer(425), *[errors.BadRequest] * 3),
    "501": (Fault.answer(501), *[errors.NotImplemented] * 3),
}


@pytest.mark.parametrize("request_", [READ, WRITE, CREATE], ids=["safe", "idempotent", "unsafe"])
@pytest.mark.parametrize("failure", TABLE)
async def test_what_is_sent_again(workspace, stack, failure, request_):
    """Whatever cannot do the work twice; an unsafe call whose answer was lost is never sent twice."""
    fault, *by_class = TABLE[failure]
    expected = by_class[["safe", "idempotent", "unsafe"].index(request_.replay)]
    workspace.faults.add(request_.endpoint, fault)
    layers = stack(timeout=0.1 if failure == "silent" else 60.0)

    if expected == "again":
        response = await layers.send(request_)
        assert response.status == 200
        sent = 2
    else:
        with pytest.raises(expected) as raised:
            await layers.send(request_)
        sent = 1
        assert type(raised.value) is expected
        assert raised.value.attempts == 1
        assert raised.value.endpoint == request_.endpoint

    assert workspace.journal.count() == layers.stats.sent == sent
    refused = failure in ("429", "429 later", "503 later")
    assert (layers.stats.refused, layers.stats.retries) == ((1, 0) if refused else (0, sent - 1))


@pytest.mark.parametrize("request_", [READ, WRITE, CREATE], ids=["safe", "idempotent", "unsafe"])
async def test_what_never_left_is_always_sent_again(stack, request_):
    """A host that refuses the connection, and is there a moment later, has done nothing before."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    later = LocalWorkspace(port=port)
    layers = stack(f"http://127.0.0.1:{port}")

    async def open_now(seconds):
        await later.start()

    send = retrying(layers.transport.send, Budgets.within(300), layers.stats, open_now)
    headers = {"Authorization": f"Bearer {later.token}"}
    try:
        assert (await send(request_.with_headers(headers))).status == 200
        assert (later.journal.count(), layers.stats.sent, layers.stats.retries) == (1, 2, 1)
    finally:
        await later.close()


@pytest.mark.parametrize("fault", [Fault.drop(after=True), Fault.cut(), Fault.answer(504, after=True)])
async def test_an_unsafe_call_is_done_once_and_its_error_says_what_to_do(workspace, stack, fault):
    """The cluster was made although the answer was lost: the error says how to find it, and what happened."""
    workspace.faults.add(CREATE.endpoint, fault)
    with pytest.raises(OutcomeUnknown, match="may or may not have been carried out") as raised:
        await stack().send(CREATE)

    error = raised.value
    assert error.lookup == "look through clusters.list()"
    assert str(error).count(error.lookup) == 1
    assert isinstance(error.__cause__, errors.DatabricksError)
    assert error.elapsed is not None
    listed = await stack().send(READ)
    assert listed.body.count(b'"cluster_id"') == 1


@pytest.mark.parametrize("status", [400, 404, 409])
@pytest.mark.parametrize("lost", [Fault.drop(), Fault.drop(after=True), Fault.answer(500), Fault.answer(408)])
async def test_a_write_that_was_repeated_and_then_refused_has_an_unknown_outcome(workspace, stack, lost, status):
    """The first try, whose answer was lost, may have done the work that the second finds done."""
    workspace.faults.add(WRITE.endpoint, lost, Fault.error(status, "INVALID_STATE", "it is PENDING already"))
    with pytest.raises(OutcomeUnknown, match=r"repeated and then refused.*it is PENDING already") as raised:
        await stack().send(WRITE)
    assert (raised.value.status, raised.value.attempts, workspace.journal.count()) == (status, 2, 2)


@pytest.mark.parametrize(
    ("request_", "first", "second", "kind"),
    [
        (READ, ConnectionLost, 404, NotFound),
        (WRITE, ConnectError, 404, NotFound),
        (CREATE, ConnectError, 404, NotFound),
        (WRITE, ConnectionLost, 403, errors.PermissionDenied),
    ],
    ids=["a reading", "never left", "never left, unsafe", "not allowed"],
)
async def test_other_refusals_after_a_repetition_stay_what_they_are(clock, request_, first, second, kind):
    """Nothing can have been done before."""
    with pytest.raises(kind) as raised:
        await retrying(answers(first, second), Budgets.within(300), Stats(), clock.pause)(request_)
    assert (type(raised.value), raised.value.attempts) == (kind, 2)


@pytest.mark.parametrize("last", [ConnectError, CertificateError, AuthError])
async def test_a_lost_write_that_leaves_no_more_has_an_unknown_outcome(clock, last):
    """The last error alone would say that nothing was sent. A reading has no outcome: it ends with that error."""
    for request_, kind in ((WRITE, OutcomeUnknown), (READ, last)):
        send = answers(ConnectionLost, last)
        with pytest.raises(kind) as raised:
            await retrying(send, Budgets.within(300), Stats(), clock.pause)(request_)
        assert type(raised.value) is kind
        assert raised.value.attempts >= 2


async def test_a_certificate_is_not_trusted_more_a_moment_later(clock):
    """One try, however safe the call."""
    with pytest.raises(CertificateError) as raised:
        await retrying(answers(CertificateError), Budgets.within(300), Stats(), clock.pause)(READ)
    assert (raised.value.attempts, clock.pauses) == (1, [])


@pytest.mark.parametrize("request_", [READ, WRITE, CREATE], ids=["safe", "idempotent", "unsafe"])
@pytest.mark.parametrize("status", [None, 401, 404, 500, 503])
async def test_a_call_without_a_token_never_left(clock, request_, status):
    """Nothing is unknown about it, and the token's own requests were repeated already."""
    failure = AuthError("no token", status=status)
    with pytest.raises(AuthError) as raised:
        await retrying(answers(failure), Budgets.within(300), Stats(), clock.pause)(request_)
    assert (raised.value is failure, clock.pauses) == (True, [])


@pytest.mark.parametrize(
    "words",
    [
        "com.databricks.backend.manager.util.UnknownWorkerEnvironmentException",
        "ClusterNotReadyException: still starting",
        "Please try again later or try a faster operation.",
    ],
)
async def test_some_refusals_pass_by_themselves(clock, words):
    """The service says so in words, under any status: a reading goes again, a write does not."""
    refused = Response(400, {}, b'{"error_code": "BAD_REQUEST", "message": "%s"}' % words.encode())
    assert (await retrying(answers(refused, 200), Budgets.within(300), Stats(), clock.pause)(READ)).status == 200
    for request in (WRITE, CREATE):
        with pytest.raises(errors.BadRequest):
            await retrying(answers(refused, 200), Budgets.within(300), Stats(), clock.pause)(request)


# For how long


async def test_an_exhausted_budget_raises_the_last_error_of_the_service(clock):
    """With all attempts and all the time they took, after pauses that grow."""
    send = answers(500, ConnectionLost, Response(503, {"x-request-id": "last"}, b'{"message": "still down"}'))
    with pytest.raises(TemporarilyUnavailable, match="still down") as raised:
        await retrying(send, Budgets.within(60), Stats(), clock.pause)(READ)

    assert raised.value.request_id == "last"
    assert raised.value.attempts == len(clock.pauses) + 1
    assert raised.value.elapsed == pytest.approx(sum(clock.pauses))
    assert 40 - 20 < sum(clock.pauses) <= 60
    assert len(clock.pauses) >= 7
    for number, pause in enumerate(clock.pauses):
        longest = min(20.0, 0.25 * 2**number)
        assert longest / 2 <= pause <= longest


@pytest.mark.parametrize("budget", [10.0, 300.0])
async def test_a_host_out_of_reach_is_given_up_sooner(clock, budget):
    """After 30 seconds at most, or the budget: it will hardly appear, and a wrong name never."""
    with pytest.raises(ConnectError) as raised:
        await retrying(answers(ConnectError), Budgets.within(budget), Stats(), clock.pause)(READ)
    most = min(30.0, budget)
    assert most / 4 < sum(clock.pauses) <= most
    assert raised.value.attempts == len(clock.pauses) + 1


async def test_a_host_out_of_reach_has_its_seconds_each_time(clock):
    """A service that fails for a minute and is then restarted is not given up for the minute."""
    send = answers(*[500] * 9, ConnectError, 200)
    assert (await retrying(send, Budgets.within(300), Stats(), clock.pause)(READ)).status == 200
    assert sum(clock.pauses[:9]) > 30


@pytest.mark.parametrize("failure", [RequestTimeout, ConnectError, InternalError("", status=504)])
async def test_a_slow_failure_gets_another_try(clock, failure):
    """A gateway that took longer than the whole budget to say 504 is asked once more."""

    async def slow(request):
        clock.now += 500
        return await quick(request)

    quick = answers(failure, Response(200, {}, b""))
    assert (await retrying(slow, Budgets.within(5), Stats(), clock.pause)(READ)).status == 200


async def test_without_a_budget_nothing_is_sent_again(clock):
    """`retry_timeout_seconds=0` is how to say so."""
    with pytest.raises(ConnectError) as raised:
        await retrying(answers(ConnectError), Budgets.within(0), Stats(), clock.pause)(READ)
    assert (raised.value.attempts, clock.pauses) == (1, [])


async def test_a_failure_that_says_when_to_come_back_is_believed(clock):
    """Never sooner than asked; and beyond the budget at once, not after it."""
    slow_down = Response(500, {"retry-after": "7"}, b"")
    assert (await retrying(answers(slow_down, 200), Budgets.within(60), Stats(), clock.pause)(READ)).status == 200
    assert clock.pauses == [7]
    with pytest.raises(InternalError) as raised:
        await retrying(answers(slow_down, 200), Budgets.within(5), Stats(), clock.pause)(READ)
    assert (raised.value.retry_after, len(clock.pauses)) == (7, 1)


@pytest.mark.parametrize("request_", [READ, CREATE], ids=["safe", "unsafe"])
async def test_a_refusal_that_its_gate_gave_up_is_final(clock, request_):
    """A 503 with Retry-After has waited already; it was not carried out, so nothing is unknown."""
    refusal = Response(503, {"retry-after": "3600"}, b"")
    with pytest.raises(TemporarilyUnavailable) as raised:
        await retrying(answers(refusal), Budgets.within(300), Stats(), clock.pause)(request_)
    assert (raised.value.retry_after, clock.pauses) == (3600, [])


async def test_a_deadline_of_the_caller_ends_a_back_off(workspace, connect):
    """`asyncio.timeout` around a call that pauses returns in time."""
    workspace.faults.add("*", Fault.answer(500, headers={"Retry-After": "60"}))
    loop = asyncio.get_running_loop()
    started = loop.time()
    with pytest.raises(TimeoutError) as raised:
        async with asyncio.timeout(0.1):
            await connect().clusters.list().collect()
    assert not isinstance(raised.value, errors.DatabricksError)
    assert loop.time() - started < 1.0


async def test_real_pauses_and_counters(workspace, connect, caplog):
    """A client really waits, says so in the log, and counts."""
    workspace.faults.add("*", Fault.drop(), Fault.answer(502))
    client = connect()
    with caplog.at_level(logging.INFO, "databricks_async"):
        assert await client.clusters.list().collect() == []
    first, second, third = [call.at for call in workspace.journal.entries]
    assert second - first >= 0.12
    assert third - second >= 0.24
    assert [record.getMessage().partition(" in ")[0] for record in caplog.records] == [
        "GET /api/2.1/clusters/list: ConnectionLost; trying again",
        "GET /api/2.1/clusters/list: InternalError; trying again",
    ]
    assert (client.stats.calls, client.stats.sent, client.stats.retries) == (1, 3, 2)


async def test_one_warning_a_second_of_a_host_that_many_calls_cannot_reach(clock, caplog):
    """The other lines are of a level that is seldom shown."""
    send = retrying(answers(ConnectError), Budgets.within(30), Stats(), clock.pause)
    with caplog.at_level(logging.INFO, "databricks_async"):
        ended = await asyncio.gather(*(send(READ) for _ in range(100)), return_exceptions=True)
    assert {type(error) for error in ended} == {ConnectError}
    levels = [record.levelno for record in caplog.records]
    assert len(levels) > 100
    assert 1 <= levels.count(logging.WARNING) <= 1 + sum(clock.pauses)
    assert levels[:2] == [logging.WARNING, logging.INFO]


@pytest.mark.parametrize("session", ["own", "own, of an aiohttp that cannot be told", "lent"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
async def test_nothing_but_this_library_sends_again(workspace, connect, method, session, monkeypatch):
    """aiohttp would by itself repeat these methods when a connection breaks, also what must not be sent twice."""
    if session.startswith("own,"):
        monkeypatch.setattr(connections, "own_session", aiohttp.ClientSession)
    workspace.faults.add("*", Fault.drop(), times=2)
    async with aiohttp.ClientSession() as lent:
        client = connect(session=lent if session == "lent" else None)
        with pytest.raises(OutcomeUnknown):
            await client.request(method, "/api/2.0/anything", replay="unsafe")
    assert workspace.journal.count() == 1
