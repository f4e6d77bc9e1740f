"""How long a token is used: clocks that are wrong or jump, tokens that look expired, renewals that bring nothing."""

from __future__ import annotations

import asyncio
import time

import pytest

from databricks_async.auth import Token
from databricks_async.errors import AuthError, InvalidCredential, Unauthenticated
from databricks_async.local import Fault
from databricks_async.message import Request, Response
from databricks_async.session.stats import Stats
from databricks_async.session.tokens import Tokens, authenticated

LIST = "GET /api/2.1/clusters/list"


class Clocks:
    """Both clocks of this machine, as a test sets them."""

    def __init__(self, monkeypatch):
        self.wall, self.monotonic = 1_800_000_000.0, 5_000.0
        monkeypatch.setattr(time, "time", lambda: self.wall)
        monkeypatch.setattr(time, "monotonic", lambda: self.monotonic)

    def pass_(self, seconds):
        self.wall += seconds
        self.monotonic += seconds


@pytest.fixture
def clocks(monkeypatch):
    return Clocks(monkeypatch)


class Source:
    """A credential that counts, and returns what the test makes."""

    def __init__(self, make):
        self.make = make
        self.asked = 0

    async def __call__(self):
        self.asked += 1
        return self.make(self.asked)


def tokens_of(make):
    source = Source(make)
    return source, Tokens(source, Stats())


async def settled(tokens):
    """A token, when what runs in the background has ended."""
    token = await tokens.get()
    for _ in range(10):
        await asyncio.sleep(0)
    return token


@pytest.mark.parametrize("jump", ["suspended", "set ahead", "plain"])
async def test_a_life_in_seconds_is_counted_on_both_clocks(clocks, jump):
    """The earlier end counts: the monotonic clock stands still in a suspended machine."""
    _, tokens = tokens_of(lambda n: Token(f"t{n}", expires_in=3600))
    assert (await settled(tokens)).value == "t1"
    clocks.wall += 3570
    clocks.monotonic += 3570 if jump == "plain" else 0
    assert (await tokens.get()).value == "t2"


async def test_a_clock_that_is_set_back_does_not_prolong_a_life(clocks):
    """Nor that of a token with an absolute end."""
    for make in (lambda n: Token(f"t{n}", expires_in=3600), lambda n: Token(f"t{n}", clocks.wall + 3600)):
        _, tokens = tokens_of(make)
        await tokens.get()
        clocks.wall -= 7200
        clocks.monotonic += 3570
        assert (await tokens.get()).value == "t2"


async def test_two_ends_and_the_earlier_one_counts(clocks):
    """An answer may give both."""
    assert Token("t", clocks.wall + 100, expires_in=50).expires_at == clocks.wall + 50
    assert Token("t", clocks.wall + 20, expires_in=50).expires_at == clocks.wall + 20


async def test_a_clock_two_hours_ahead(clocks):
    """A token that looks expired as it comes is used, and renewed at most once in 30 seconds."""
    end = clocks.wall + 3600
    source, tokens = tokens_of(lambda n: Token(f"t{n}", end))
    await tokens.get()
    clocks.wall += 7200
    for _ in range(100):
        await settled(tokens)
    assert source.asked == 2
    clocks.pass_(31)
    for _ in range(100):
        await settled(tokens)
    assert source.asked == 3


async def test_a_token_that_looks_expired_and_is_refused(clocks):
    """It is renewed once, and then the refusal is the caller's for 30 seconds."""
    source, tokens = tokens_of(lambda n: Token(f"t{n}", clocks.wall - 10))

    async def refuse(request):
        return Response(401, {}, b"")

    send = authenticated(refuse, tokens)
    for _ in range(100):
        assert (await send(Request("GET /x", "/x"))).status == 401
    assert source.asked == 2
    clocks.pass_(31)
    await send(Request("GET /x", "/x"))
    assert source.asked <= 4


@pytest.mark.parametrize("off", [-120, 120])
async def test_a_clock_off_by_two_minutes(connect, workspace, monkeypatch, off):
    """The service refuses what it finds too old; the call is sent again with a new token."""
    workspace.add_service_principal("p", "s", token_seconds=600)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + off)
    client = connect(client_id="p", client_secret="s")
    for _ in range(3):
        await client.clusters.list().collect()
        workspace.clock.advance(590)
    assert client.stats.tokens >= 2
    assert {call.status for call in workspace.journal.calls(LIST)} <= {200, 401, 403}


async def test_a_hundred_refused_at_once_renew_once(clocks):
    """Also when the renewal brings the same token again, as a command line's cache does."""
    for make, fetches in ((lambda n: Token(f"t{n}"), 2), (lambda n: Token("same"), 2)):
        source, tokens = tokens_of(make)

        async def refuse_first(request):
            await asyncio.sleep(0)
            value = request.headers["Authorization"]
            return Response(401 if value in ("Bearer t1", "Bearer same") else 200, {}, b"")

        send = authenticated(refuse_first, tokens)
        for _ in range(3):
            await asyncio.gather(*(send(Request("GET /x", "/x")) for _ in range(100)))
        assert source.asked == fetches


async def test_a_renewal_that_fails_is_asked_for_once_by_all_who_were_refused(clocks):
    """Those whose refusal comes late share the failure; the next call tries again."""

    def make(asked):
        if asked == 2:
            raise OSError("down")
        return Token(f"t{asked}")

    source, tokens = tokens_of(make)
    old = await tokens.get()
    results = await asyncio.gather(*(tokens.renew(old) for _ in range(50)), return_exceptions=True)
    results += [await asyncio.gather(tokens.renew(old), return_exceptions=True)]
    assert source.asked == 2
    assert all(isinstance(result, AuthError) for result in results[:50])
    assert (await tokens.get()).value == "t3"
    assert (await tokens.renew(old)).value == "t3"


async def test_a_credential_that_hangs_is_given_up(connect):
    """No caller waits for ever, and nothing is left."""

    async def credential():
        await asyncio.Event().wait()

    client = connect(credential=credential, retry_timeout_seconds=0, http_timeout_seconds=0.05)
    for _ in range(2):
        with pytest.raises(AuthError, match=r"the credential failed: no token within 0\.05 s"):
            await client.clusters.list().collect()


async def test_a_slow_renewal_holds_up_nobody_with_a_good_token(connect, workspace):
    """It goes on in the background."""
    gate = asyncio.Event()
    gate.set()

    async def credential():
        await gate.wait()
        return Token(workspace.issue_token("x"), expires_in=61)

    workspace.add_service_principal("x", "s")
    client = connect(credential=credential)
    await client.clusters.list().collect()
    gate.clear()
    async with asyncio.timeout(5):
        await asyncio.gather(*(client.clusters.list().collect() for _ in range(50)))


# What is nearly a credential


class WithGetToken:
    def get_token(self, *scopes):
        return "dapi0123456789"


class AccessToken:
    token = "dapi0123456789"
    expires_on = 2_000_000_000


async def gives_text():
    return "dapi0123456789"


async def gives_access_token():
    return AccessToken()


async def gives_bearer():
    return Token("Bearer dapi0123456789")


async def gives_line():
    return Token("dapi0123456789\n")


async def gives_milliseconds():
    return Token("dapi0123456789", time.time() * 1000)


async def gives_datetime():
    import datetime

    return Token("dapi0123456789", datetime.datetime.now(datetime.UTC))


async def gives_duration():
    return Token("dapi0123456789", 3600)


def sync_text():
    return "dapi0123456789"


def sync_token():
    return Token("dapi0123456789")


@pytest.mark.parametrize(
    ("credential", "said"),
    [
        ("dapi0123456789", "not text: give a token as token="),
        (b"dapi0123456789", "not text"),
        (Token("dapi0123456789"), "not a Token: give its text as token="),
        (5, "not a int"),
        (Source, "not a class: make an instance of Source"),
    ],
    ids=["text", "bytes", "token", "number", "class"],
)
async def test_what_is_no_credential_is_refused_when_it_is_handed_in(connect, credential, said):
    """Before anything is sent, with what came and what it should be."""
    with pytest.raises(InvalidCredential, match="takes an async function that returns a Token") as raised:
        connect(credential=credential)
    assert said in str(raised.value)
    assert "0123456789" not in str(raised.value)


async def test_a_coroutine_is_not_the_function(connect):
    """It is closed, so that Python does not complain as well."""
    with pytest.raises(InvalidCredential, match="give the function without calling it"):
        connect(credential=gives_text())


@pytest.mark.parametrize(
    ("credential", "said"),
    [
        (gives_text, "a credential gives a Token, not a str: return Token"),
        (
            gives_access_token,
            "not a AccessToken: return Token(value, expires_at), imported from databricks_async, or pass",
        ),
        (sync_text, "this one gave a str at once: make it an async function"),
        (sync_token, "this one gave a Token at once: make it an async function"),
        (gives_bearer, "begins with 'Bearer '"),
        (gives_line, "ends with a line end"),
        (gives_milliseconds, "looks like milliseconds"),
        (gives_datetime, "not a datetime: give value.timestamp()"),
        (gives_duration, "looks like a duration: use expires_in="),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_what_is_nearly_a_credential_is_refused(connect, workspace, credential, said):
    """Nothing is converted in silence, nothing is sent, and the error says what came and what it should be."""
    with pytest.raises(AuthError, match="the credential failed: ") as raised:
        await connect(credential=credential).clusters.list().collect()
    assert said in str(raised.value)
    assert "0123456789" not in str(raised.value)
    assert workspace.journal.count() == 0


@pytest.mark.parametrize(
    "secret",
    [
        "dapi0123456789abcdef",
        "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl",
        "Bearer abc.def-ghi",
        "client_secret=Hush-1",
        '{"access_token": "Hush-1"}',
        "Zx98Q~abcdefghijklmnopqrstuvwxyz0123456",
    ],
)
async def test_the_error_of_a_credential_in_its_own_words(connect, caplog, secret):
    """What looks like a secret is masked, and an error that holds one is not shown as the cause."""

    async def credential():
        raise OSError(f"the vault said no to {secret}, ask Ann")

    with pytest.raises(AuthError, match=r"the credential failed: OSError: the vault said no to .*, ask Ann") as raised:
        await connect(credential=credential).clusters.list().collect()
    hidden = secret.removeprefix("Bearer ").rpartition("=")[2].removeprefix('{"access_token": "').removesuffix('"}')
    assert "***" in str(raised.value)
    assert hidden not in str(raised.value) + caplog.text
    assert raised.value.__cause__ is None


async def test_a_harmless_error_stays_the_cause(connect):
    """With its traceback, for the author of the credential."""

    async def credential():
        raise OSError("down")

    with pytest.raises(AuthError, match="the credential failed: OSError: down") as raised:
        await connect(credential=credential).clusters.list().collect()
    assert isinstance(raised.value.__cause__, OSError)


# Who was refused


async def test_a_refused_call_says_where_and_as_whom(connect, workspace):
    """The host, the way, and where its settings come from."""
    wrong = "dapi0123456789abcdef0123456789abcdef"
    with pytest.raises(Exception, match="Invalid access token") as raised:
        await connect(token=wrong).clusters.list().collect()
    assert f"Invalid access token; sent to {workspace.url} as pat: token (argument)" in raised.value.message

    workspace.faults.add(LIST, Fault.answer(401, "go away"))

    async def credential():
        return Token(workspace.token)

    with pytest.raises(Unauthenticated, match=f"sent to {workspace.url} as the credential that was passed"):
        await connect(credential=credential).clusters.list().collect()


@pytest.mark.parametrize("is_taken_elsewhere", [True, False])
async def test_a_new_token_that_other_calls_have_used_may_be_revoked_too(clocks, is_taken_elsewhere):
    """One that no call was let in with is no better than the one before it: another will not be, either."""
    request, sent = Request(LIST, "/api/2.1/clusters/list"), []

    async def send(with_token):
        sent.append(with_token.headers["Authorization"])
        if len(sent) == 2 and is_taken_elsewhere:
            assert (await authenticate(request)).status == 200
            return Response(401, {}, b"")
        return Response(401 if len(sent) < 3 else 200, {}, b"")

    source, tokens = tokens_of(lambda n: Token(f"t{n}", expires_in=3600))
    authenticate = authenticated(send, tokens)
    response = await authenticate(request)
    assert (response.status, response.attempts) == ((200, 3) if is_taken_elsewhere else (401, 2))
    assert source.asked == len(set(sent)) == response.attempts
