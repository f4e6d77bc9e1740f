"""What the token service may answer, and where a secret never goes.

Here are the tests of `auth/oauth.py`.
"""

from __future__ import annotations

import base64
import time

import orjson
import pytest

from databricks_async.auth import Token
from databricks_async.auth.oauth import machine_to_machine
from databricks_async.auth.web import Web
from databricks_async.config import Config
from databricks_async.errors import AuthError
from databricks_async.local import Fault, LocalWorkspace
from databricks_async.message import Response

pytestmark = pytest.mark.usefixtures("virtual_time")

DISCOVERY = "GET /oidc/.well-known/oauth-authorization-server"
TOKEN = "POST /oidc/v1/token"
ID, SECRET = "client", "dose0123456789abcdef"
HOST = "https://adb-1.2.azuredatabricks.net"


class Service:
    """A Send that answers discovery and token requests with these values, and remembers the requests."""

    def __init__(self, token=None, discovery=None):
        self.token = {"access_token": "abc", "expires_in": 3600} if token is None else token
        self.discovery = {"token_endpoint": f"{HOST}/oidc/v1/token"} if discovery is None else discovery
        self.requests = []

    async def __call__(self, request):
        self.requests.append(request)
        value = self.discovery if request.endpoint == DISCOVERY else self.token
        return Response(200, {}, value if isinstance(value, bytes) else orjson.dumps(value))

    def credential(self, **changes):
        config = Config(**{"host": HOST, "client_id": ID, "client_secret": SECRET} | changes)
        return machine_to_machine(config, Web(lambda origin, **_: self, lambda: HOST))


async def test_the_request_is_that_of_the_standard():
    """RFC 6749: HTTP Basic with both parts encoded, and a form."""
    service = Service()
    credential = service.credential(client_id="a:b", client_secret="c+d/é %", scopes="one two")
    assert service.requests == []
    token = await credential()
    discovery, asked = service.requests
    assert (discovery.endpoint, discovery.headers, discovery.body) == (DISCOVERY, {}, None)
    assert (asked.endpoint, asked.path, asked.replay) == (TOKEN, "/oidc/v1/token", "safe")
    assert asked.body == b"grant_type=client_credentials&scope=one+two"
    scheme, _, value = asked.headers["Authorization"].partition(" ")
    assert (scheme, base64.b64decode(value)) == ("Basic", b"a%3Ab:c%2Bd%2F%C3%A9%20%25")
    assert "c+d" not in repr(asked)
    assert "Basic" not in repr({**asked.headers})
    assert token == Token("abc", token.expires_at)


async def test_discovery_is_asked_once():
    """The second token takes one request."""
    service = Service()
    credential = service.credential()
    await credential()
    await credential()
    assert [request.endpoint for request in service.requests] == [DISCOVERY, TOKEN, TOKEN]


@pytest.mark.parametrize(
    ("expires_in", "life"), [(3600, 3600), ("3600", 3600), (59.5, 59.5), (None, 3600), ("absent", 3600)]
)
async def test_when_a_token_ends(expires_in, life):
    """A number or text; an hour where the service does not say."""
    answer = {"access_token": "abc", "expires_in": expires_in}
    if expires_in == "absent":
        del answer["expires_in"]
    before = time.time()
    token = await Service(answer).credential()()
    assert before + life <= token.expires_at <= time.time() + life


@pytest.mark.parametrize(
    ("answer", "field"),
    [
        ({}, "access_token"),
        ({"access_token": ""}, "access_token"),
        ({"access_token": None}, "access_token"),
        ({"access_token": ["abc"]}, "access_token"),
        ({"access_token": "two words"}, "access_token"),
        ({"access_token": "a\r\nX-Evil: 1"}, "access_token"),
        ({"access_token": "abc", "expires_in": "soon"}, "expires_in"),
        ({"access_token": "abc", "expires_in": 0}, "expires_in"),
        ({"access_token": "abc", "expires_in": -1}, "expires_in"),
        ({"access_token": "abc", "expires_in": "NaN"}, "expires_in"),
        ({"access_token": "abc", "expires_in": {}}, "expires_in"),
        ([], "access_token"),
        (b"", "access_token"),
        (b'{"access_token": "ab', "access_token"),
        (b"\xff", "access_token"),
    ],
)
async def test_an_answer_without_a_token(answer, field):
    """Whatever came instead: the error names the field and the request, and shows nothing of the answer."""
    with pytest.raises(AuthError) as raised:
        await Service(answer).credential()()
    assert str(raised.value) == (
        f"no token for the service principal 'client': the answer has no usable '{field}' ({TOKEN}: 200)"
    )


@pytest.mark.parametrize(
    "discovery",
    [{}, [], b"", b"<html>", *({"token_endpoint": value} for value in (None, 5, "https://[x", "https://host:port/x"))],
)
async def test_a_discovery_without_an_endpoint(discovery):
    """No guessing: the error names what is missing, and the next call asks again."""
    service = Service(discovery=discovery)
    credential = service.credential()
    with pytest.raises(AuthError, match=r"has no usable 'token_endpoint'|is not a JSON object|a web page"):
        await credential()
    service.discovery = {"token_endpoint": f"{HOST}/oidc/v1/token"}
    assert (await credential()).value == "abc"


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://evil.example/oidc/v1/token",
        "http://adb-1.2.azuredatabricks.net/oidc/v1/token",
        "https://adb-1.2.azuredatabricks.net:8443/oidc/v1/token",
        "https://adb-1.2.azuredatabricks.net@evil.example/oidc/v1/token",
        "https://adb-1.2.azuredatabricks.net.evil.example/oidc/v1/token",
        "//evil.example/oidc/v1/token",
        "/oidc/v1/token",
        HOST,
    ],
)
async def test_a_token_endpoint_elsewhere_is_refused(endpoint):
    """The secret is sent to the configured host, over https, and nowhere else."""
    service = Service(discovery={"token_endpoint": endpoint})
    with pytest.raises(AuthError, match=r"no secret is sent there|has no usable 'token_endpoint'"):
        await service.credential()()
    assert [request.endpoint for request in service.requests] == [DISCOVERY]


@pytest.mark.parametrize(
    "endpoint", ["https://ADB-1.2.azuredatabricks.net/x", "https://adb-1.2.azuredatabricks.net:443/x"]
)
async def test_the_same_host_in_other_letters(endpoint):
    """Case and the default port make no other host."""
    service = Service(discovery={"token_endpoint": endpoint})
    assert (await service.credential()()).value == "abc"
    assert service.requests[1].path == "/x"


async def test_another_server_never_sees_the_secret(workspace, connect):
    """Over real HTTP: the second server gets no request at all."""
    workspace.add_service_principal(ID, SECRET)
    async with LocalWorkspace() as elsewhere:
        elsewhere.add_service_principal(ID, SECRET)
        answer = orjson.dumps({"token_endpoint": f"{elsewhere.url}/oidc/v1/token"})
        workspace.faults.add(DISCOVERY, Fault.answer(200, answer))
        client = connect(client_id=ID, client_secret=SECRET)
        with pytest.raises(AuthError, match="another host"):
            await client.clusters.list().collect()
        assert elsewhere.journal.connections_opened == 0
        assert workspace.journal.count() == 1
        await client.clusters.list().collect()


@pytest.mark.parametrize("endpoint", [DISCOVERY, TOKEN])
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault.answer(404), "Not Found"),
        (Fault.answer(404, "<html><title>No such page</title></html>", {"content-type": "text/html"}), "No such page"),
        (Fault.answer(200, "<html><title>Sign in</title></html>", {"content-type": "text/html"}), "web page"),
        (Fault.answer(302, headers={"Location": "https://login.example/x"}), "redirect to https://login.example/x"),
        (Fault.answer(403, "Public access is not allowed for workspace: 1"), "Public access is not allowed"),
        (Fault.cut(), "broke off"),
    ],
    ids=["404", "404 page", "200 page", "302", "403", "cut"],
)
async def test_a_token_service_that_is_none(workspace, connect, endpoint, fault, said):
    """A wrong host, a proxy's page, a private workspace: one clear error that names the request."""
    workspace.add_service_principal(ID, SECRET)
    workspace.faults.add(endpoint, fault, times=10)
    with pytest.raises(AuthError, match=said) as raised:
        await connect(client_id=ID, client_secret=SECRET, retry_timeout_seconds=0).clusters.list().collect()
    assert raised.value.endpoint == endpoint
    assert str(raised.value).startswith("no token for the service principal 'client': ")
    assert len(str(raised.value)) < 300
