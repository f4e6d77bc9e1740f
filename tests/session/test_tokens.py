"""The current token: one fetch for all callers, early renewal, a renewal when it is refused.

Here are the tests of `auth/token.py`, `auth/pat.py`.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import time

import pytest

from databricks_async.auth import Token
from databricks_async.errors import AuthError, ConnectionLost, LifecycleError, PermissionDenied, Unauthenticated
from databricks_async.local import Fault

pytestmark = pytest.mark.usefixtures("virtual_time")

DISCOVERY = "GET /oidc/.well-known/oauth-authorization-server"
TOKEN = "POST /oidc/v1/token"
LIST = "GET /api/2.1/clusters/list"
CREATE = "POST /api/2.1/clusters/create"
SPEC = {"cluster_name": "x", "spark_version": "16.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}
ID, SECRET = "11111111-2222-3333-4444-555555555555", "dose0123456789abcdef0123456789abcdef"


@pytest.fixture
def principal(workspace, connect):
    """Makes clients of a service principal whose tokens live for so long."""

    def principal(token_seconds=3600, **settings):
        workspace.add_service_principal(ID, SECRET, token_seconds=token_seconds)
        return connect(**{"client_id": ID, "client_secret": SECRET} | settings)

    return principal


class Credential:
    """A credential that counts, and gives what the test says: a lifetime in seconds, or an exception."""

    def __init__(self, workspace, *lives):
        self._workspace = workspace
        self._lives = list(lives)
        self.asked = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self):
        self.asked += 1
        await self.gate.wait()
        life = self._lives.pop(0) if len(self._lives) > 1 else self._lives[0]
        if isinstance(life, Exception):
            raise life
        return Token(self._workspace.issue_token(ID), None if life is None else time.time() + life)

    async def taken(self, asked):
        """Wait until it was asked so often, and let the session take what it gave."""
        while self.asked < asked:  # noqa: ASYNC110 (a few steps of the loop)
            await asyncio.sleep(0)
        for _ in range(10):
            await asyncio.sleep(0)


@pytest.fixture
def later(monkeypatch):
    """Moves the time of day, by which tokens end."""
    real, passed = time.time, [0.0]
    monkeypatch.setattr(time, "time", lambda: real() + sum(passed))
    return passed.append


@pytest.fixture
def credential(workspace):
    """Makes such credentials."""
    workspace.add_service_principal(ID, SECRET)
    return lambda *lives: Credential(workspace, *lives)


def background_tasks():
    return [task for task in asyncio.all_tasks() if task.get_name().startswith("databricks_async")]


def listing(client):
    return client.clusters.list().collect()


# The first token


async def test_nothing_is_asked_before_the_first_call(workspace, principal):
    """A client that is not used fetches no token."""
    async with principal():
        pass
    assert workspace.journal.entries == []


async def test_a_thousand_cold_callers_make_one_token_request(workspace, principal):
    """Discovery once, token once, then all calls use it."""
    client = principal()
    await asyncio.gather(*(listing(client) for _ in range(1000)))
    assert (workspace.journal.count(DISCOVERY), workspace.journal.count(TOKEN)) == (1, 1)
    assert workspace.journal.count(LIST) == 1000
    assert client.stats.tokens == 1


async def test_more_callers_than_connections_get_their_token(workspace, principal):
    """Those who wait for it do not hold the connection that it needs."""
    client = principal(max_connections=1)
    async with asyncio.timeout(5):
        await asyncio.gather(*(listing(client) for _ in range(20)))
    assert workspace.journal.count(TOKEN) == 1


async def test_a_cancelled_caller_takes_nobodys_token_away(workspace, principal):
    """Not the first one either, for whom the fetch was begun."""
    workspace.faults.add(TOKEN, Fault.delay(0.1))
    client = principal()
    first, *others = [asyncio.create_task(listing(client)) for _ in range(1000)]
    await workspace.journal.until(lambda journal: journal.count(TOKEN) == 1)
    first.cancel()
    await asyncio.gather(*others)
    assert first.cancelled()
    assert workspace.journal.count(TOKEN) == 1


@pytest.mark.parametrize("fault", [Fault.delay(0.05), Fault.error(400, "INVALID", "no").slower(0.05)])
async def test_when_all_callers_are_cancelled_nothing_is_left(workspace, principal, fault, caplog):
    """The fetch goes on for the next call, or its failure goes to the log alone; no warning, no orphan."""
    workspace.faults.add(TOKEN, fault)
    client = principal()
    tasks = [asyncio.create_task(listing(client)) for _ in range(10)]
    await workspace.journal.until(lambda journal: journal.count(TOKEN) == 1)
    for task in tasks:
        task.cancel()
    assert {type(result) for result in await asyncio.gather(*tasks, return_exceptions=True)} == {asyncio.CancelledError}
    while background_tasks():  # noqa: ASYNC110 (no caller waits for it any more)
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.12)
    await listing(client)
    assert workspace.journal.count(TOKEN) == (1 if fault.kind == "delay" else 2)
    await client.aclose()
    gc.collect()
    assert not [record for record in caplog.records if record.name == "asyncio"]


async def test_a_fetch_that_nobody_waits_for_ends_with_the_client(workspace, principal):
    """Closing does not wait for the token service."""
    workspace.faults.add(TOKEN, Fault.hang())
    client = principal()
    task = asyncio.create_task(listing(client))
    await workspace.journal.until(lambda journal: journal.count(TOKEN) == 1)
    task.cancel()
    await asyncio.wait([task])
    async with asyncio.timeout(1):
        await client.aclose()
    assert background_tasks() == []


async def test_closing_tells_those_who_wait_for_a_token(workspace, principal):
    """They get a LifecycleError, not a cancellation that they did not ask for."""
    workspace.faults.add(TOKEN, Fault.hang())
    client = principal()
    tasks = [asyncio.create_task(listing(client)) for _ in range(5)]
    await workspace.journal.until(lambda journal: journal.count(TOKEN) == 1)
    await client.aclose()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [LifecycleError] * 5


# No token


async def test_a_failure_is_everybodys_and_the_next_call_tries_again(workspace, principal):
    """Each caller has an error of its own; one request was made for them all."""
    workspace.faults.add(TOKEN, Fault.answer(400, '{"error": "invalid_scope", "error_description": "no such scope"}'))
    client = principal()
    results = await asyncio.gather(*(listing(client) for _ in range(10)), return_exceptions=True)
    assert {type(result) for result in results} == {AuthError}
    assert len({id(result) for result in results}) == 10
    assert {str(result).partition(" (")[0] for result in results} == {
        f"no token for the service principal '{ID}': no such scope"
    }
    assert {(result.status, result.attempts, result.endpoint) for result in results} == {(400, 1, TOKEN)}
    assert workspace.journal.count(TOKEN) == 1
    assert workspace.journal.count(LIST) == 0
    await listing(client)
    assert (workspace.journal.count(DISCOVERY), workspace.journal.count(TOKEN)) == (1, 2)


async def test_a_failure_is_also_that_of_those_who_wait_for_their_turn(workspace, principal):
    """500 callers, of whom ten are let in at first: one request is made, and one more by the next call."""
    workspace.faults.add(TOKEN, Fault.answer(400, '{"error": "invalid_scope"}').slower(0.02), times=2)
    client = principal()
    calls = [
        *(listing(client) for _ in range(250)),
        *(client.libraries.all_cluster_statuses().collect() for _ in range(250)),
    ]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert {(type(result), result.status, result.attempts) for result in results} == {(AuthError, 400, 1)}
    assert len({id(result) for result in results}) == 500
    assert workspace.journal.count(TOKEN) == 1
    with pytest.raises(AuthError):
        await listing(client)
    await listing(client)
    assert workspace.journal.count(TOKEN) == 3


async def test_a_caller_cancelled_as_the_others_fail_is_cancelled(workspace, principal):
    """Its own cancellation goes first."""
    workspace.faults.add(TOKEN, Fault.answer(400, '{"error": "invalid_scope"}').slower(0.02))
    client = principal()
    tasks = [asyncio.create_task(listing(client)) for _ in range(30)]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    for task in tasks:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(result) for result in results} <= {AuthError, asyncio.CancelledError}
    await asyncio.gather(*(listing(client) for _ in range(30)))


@pytest.mark.parametrize(
    "fault",
    [
        Fault.too_many_requests(0.05),
        Fault.answer(503, headers={"Retry-After": "0.05"}),
        Fault.answer(503),
        Fault.answer(500),
        Fault.drop(),
        Fault.drop(after=True),
    ],
    ids=["429", "503 later", "503", "500", "dropped", "lost"],
)
@pytest.mark.parametrize("endpoint", [DISCOVERY, TOKEN])
async def test_a_passing_failure_of_the_token_service_passes(workspace, principal, endpoint, fault):
    """Its requests are sent again as others are; the call itself, unsafe or not, was not sent before."""
    workspace.faults.add(endpoint, fault)
    client = principal()
    await client.clusters.create(SPEC)
    assert workspace.journal.count(endpoint) == 2
    assert workspace.journal.count(CREATE) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_lasting_failure_of_the_token_service_is_no_unknown_outcome(workspace, principal, status):
    """What never had a token was never sent."""
    workspace.faults.add(TOKEN, Fault.answer(status, '{"message": "down"}', {"Retry-After": "0.1"}), times=100)
    with pytest.raises(AuthError, match="down") as raised:
        await principal(retry_timeout_seconds=0.25).clusters.create(SPEC)
    assert raised.value.status == status
    assert raised.value.attempts == workspace.journal.count(TOKEN) > 1
    assert workspace.journal.count(CREATE) == 0


async def test_a_wrong_secret_is_an_error_at_once(workspace, principal):
    """And says whose it is, not what it is."""
    client = principal(client_secret="dosewrong")
    with pytest.raises(AuthError, match=f"no token for the service principal '{ID}'") as raised:
        await listing(client)
    assert raised.value.status == 401
    assert workspace.journal.count(TOKEN) == 1
    assert "dosewrong" not in str(raised.value)


# Renewed early


async def test_a_token_is_used_until_it_ages(workspace, connect, credential):
    """One fetch for many calls, and one that never ends is fetched once."""
    for life in (3600, None):
        source = credential(life)
        client = connect(credential=source)
        for _ in range(5):
            await listing(client)
        assert (source.asked, client.stats.tokens) == (1, 1)


@pytest.mark.parametrize(("life", "early"), [(3600.0, 1200.0), (1000.0, 500.0)])
async def test_an_aging_token_is_renewed_behind_the_callers_backs(connect, credential, later, life, early):
    """In its last 20 minutes, or its last half: no caller waits, one fetch is made, then all use the new one."""
    source = credential(life, 3600.0)
    client = connect(credential=source)
    await listing(client)
    later(life - early - 5)
    await listing(client)
    assert source.asked == 1

    later(10)
    source.gate.clear()
    async with asyncio.timeout(5):
        await asyncio.gather(*(listing(client) for _ in range(20)))
    assert (source.asked, client.stats.tokens) == (2, 1)
    source.gate.set()
    await source.taken(2)
    later(early)
    await listing(client)
    assert (source.asked, client.stats.tokens) == (2, 2)


async def test_a_failed_renewal_disturbs_nobody(connect, credential, later, caplog):
    """The old token is used on; the next try waits half a minute, and the log has each."""
    source = credential(3600.0, OSError("the identity service is down: secret stuff"), 3600.0)
    client = connect(credential=source)
    await listing(client)
    later(3600 - 600)
    for _ in range(5):
        await listing(client)
        await source.taken(2)
    assert source.asked == 2
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "no new token: the credential failed: OSError: the identity service is down: secret stuff")
    ]
    later(31)
    await listing(client)
    await source.taken(3)
    assert client.stats.tokens == 2


async def test_a_renewal_that_fails_to_the_end_is_an_error_then(connect, credential, later):
    """When the old token cannot be used any more, callers get the error."""
    source = credential(3600.0, OSError("down"))
    client = connect(credential=source)
    await listing(client)
    later(3600 - 39)
    with pytest.raises(AuthError, match="the credential failed: OSError") as raised:
        await listing(client)
    assert isinstance(raised.value.__cause__, OSError)


async def test_a_renewal_under_way_ends_with_the_client(connect, credential, later):
    """Closing leaves no task behind."""
    source = credential(3600.0)
    client = connect(credential=source)
    await listing(client)
    later(3600 - 600)
    source.gate.clear()
    await listing(client)
    await source.taken(2)
    await client.aclose()
    assert background_tasks() == []


async def test_a_token_in_its_last_seconds_is_not_used(workspace, connect, credential):
    """The service refuses it 30 s before its end: callers wait for a new one, all for the same."""
    source = credential(39.0, 3600.0)
    client = connect(credential=source)
    await listing(client)
    await asyncio.gather(*(listing(client) for _ in range(10)))
    assert source.asked == 2


async def test_a_credential_that_gives_only_short_tokens_works(workspace, connect, credential):
    """Every call fetches one, without a loop."""
    source = credential(5.0)
    client = connect(credential=source)
    for _ in range(3):
        await listing(client)
    assert source.asked == 3


# Refused


async def test_a_revoked_token_is_renewed_once_and_the_call_repeated(workspace, principal):
    """It was not carried out, so an unsafe call is repeated too."""
    client = principal()
    await listing(client)
    workspace.revoke_tokens()
    await client.clusters.create(SPEC)
    assert [call.status for call in workspace.journal.calls(CREATE)] == [401, 200]
    assert (workspace.journal.count(TOKEN), client.stats.tokens, client.stats.retries) == (2, 2, 0)


async def test_fifty_refused_callers_make_one_renewal(workspace, principal):
    """Those whose refusal comes late find the new token there."""
    client = principal()
    await asyncio.gather(*(listing(client) for _ in range(200)))  # from now on 50 go at once
    workspace.journal.clear()
    workspace.revoke_tokens()
    workspace.faults.add(LIST, Fault.delay(0.05), times=5)
    await asyncio.gather(*(listing(client) for _ in range(50)))
    assert (workspace.journal.count(LIST), workspace.journal.count(TOKEN)) == (100, 1)


async def test_a_token_about_to_end_is_renewed_once(workspace, principal):
    """The service answers 403 in its last 30 seconds."""
    client = principal(token_seconds=3600)
    await listing(client)
    workspace.clock.advance(3600 - 20)
    await listing(client)
    assert [call.status for call in workspace.journal.calls(LIST)] == [200, 403, 200]
    assert workspace.journal.count(TOKEN) == 2


async def test_a_new_token_that_is_refused_too_ends_it(workspace, principal):
    """No loop: two requests, one renewal, and the error names both."""
    workspace.faults.add(LIST, Fault.error(401, "UNAUTHENTICATED", "go away"), times=100)
    client = principal()
    with pytest.raises(Unauthenticated, match="go away") as raised:
        await listing(client)
    assert (raised.value.attempts, workspace.journal.count(LIST), workspace.journal.count(TOKEN)) == (2, 2, 2)


async def test_a_failure_after_a_renewal_counts_both_requests(workspace, principal):
    """Attempts are requests, whatever became of them."""
    workspace.faults.add(LIST, Fault.answer(401), Fault.drop())
    client = principal(retry_timeout_seconds=0)
    with pytest.raises(ConnectionLost) as raised:
        await listing(client)
    assert (raised.value.attempts, workspace.journal.count(LIST)) == (2, 2)


async def test_other_refusals_renew_nothing(workspace, principal):
    """A 403 that does not speak of the token is what it is."""
    workspace.faults.add(LIST, Fault.error(403, "PERMISSION_DENIED", "you may not"))
    with pytest.raises(PermissionDenied):
        await listing(principal())
    assert (workspace.journal.count(LIST), workspace.journal.count(TOKEN)) == (1, 1)


@pytest.mark.parametrize(
    "fault", [None, Fault.answer(401), Fault.error(403, "PERMISSION_DENIED", "Invalid access token.")]
)
async def test_a_wrong_personal_access_token_is_sent_once(workspace, connect, fault):
    """There is no other: one request, and the service's words."""
    if fault is not None:
        workspace.faults.add(LIST, fault)
    client = connect(token="dapi0123456789abcdef0123456789abcdef")
    with pytest.raises((Unauthenticated, PermissionDenied)) as raised:
        await listing(client)
    assert (raised.value.attempts, workspace.journal.count()) == (1, 1)
    assert "dapi" not in str(raised.value)


# A credential of the caller's own


@pytest.mark.parametrize("wrong", ["text", None, 5])
async def test_a_credential_must_give_a_token(connect, wrong):
    """Anything else differs from a failure of the service."""

    async def credential():
        return wrong

    with pytest.raises(AuthError, match="the credential failed: TypeError") as raised:
        await listing(connect(credential=credential))
    assert "a credential gives a Token" in str(raised.value.__cause__)


async def test_a_credential_that_cancels_itself_is_a_failure(connect):
    """Not the end of the client, and not a cancellation of the caller."""

    async def credential():
        raise asyncio.CancelledError

    client = connect(credential=credential)
    for _ in range(2):
        with pytest.raises(AuthError, match="the credential failed: it raised CancelledError"):
            await listing(client)


@pytest.mark.parametrize("value", ["", "two words", "line\nX-Evil: 1", "ümlaut", b"bytes", None])
def test_a_token_can_be_sent(value):
    """What would break the header, or smuggle another one in, is no token; the error does not show it."""
    with pytest.raises(ValueError, match="a token is ASCII text without spaces") as raised:
        Token(value)
    assert repr(value) not in str(raised.value)


async def test_no_secret_is_shown(workspace, principal, caplog):
    """Not in logs, representations, messages or tracebacks, whatever fails."""
    import traceback

    client = principal()
    seen = []
    with caplog.at_level(logging.DEBUG):
        for endpoint, fault in [
            (DISCOVERY, Fault.answer(404)),
            (TOKEN, Fault.answer(401, '{"error": "invalid_client"}')),
            (TOKEN, Fault.answer(200, '{"access_token": "dose0123456789 broken"}')),
            (LIST, Fault.answer(401)),
            (LIST, Fault.error(403, "PERMISSION_DENIED")),
        ]:
            workspace.faults.add(endpoint, fault)
            try:
                await listing(client)
            except Exception as error:
                seen += traceback.format_exception(error)
    seen += [repr(client), repr(client.config), repr(client.stats), repr(Token(workspace.issue_token(ID))), caplog.text]
    text = "".join(seen)
    assert "AuthError" in text
    assert SECRET not in text
    assert "local-oauth-" not in text
    assert "dose0123456789" not in text
    assert "Basic " not in text
