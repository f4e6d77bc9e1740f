"""Certificates and proxies: whom the client trusts, and which way it goes.

Tests `session/network.py`.
"""

from __future__ import annotations

import asyncio
import base64
import datetime
import os
import ssl

import aiohttp
import pytest
import trustme

from databricks_async import Config
from databricks_async.errors import CertificateError, ConfigError, ConnectError, ConnectionLost
from databricks_async.local import LocalWorkspace
from databricks_async.session.network import find_proxy
from support.processes import STRICT_PYTHON, own_output

SCRIPT = """
import asyncio, sys
import aiohttp
from databricks_async import WorkspaceClient

async def main():
    asyncio.get_running_loop().slow_callback_duration = 60  # a machine under load is slow
    async with WorkspaceClient(host=sys.argv[1], token="dapi0", retry_timeout_seconds=0) as w:
        print(await w.clusters.list().collect())

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def authority():
    """Signs certificates that no system trusts."""
    return trustme.CA()


@pytest.fixture
def context(authority):
    """What a server at 127.0.0.1 and workspace.test shows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "workspace.test").configure_cert(context)
    return context


@pytest.fixture
def trusting(authority):
    """What a client knows that trusts this authority."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


async def run(url, **environment):
    """A program of its own: aiohttp reads the certificates of the machine when it is imported."""
    process = await asyncio.create_subprocess_exec(
        *(*STRICT_PYTHON, "-c", SCRIPT, url),
        env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(20):
        out, err = await process.communicate()
    return process.returncode, out.decode(), own_output(err)


class Proxy:
    """An HTTP proxy that tunnels to one place, whatever is asked for, or refuses."""

    def __init__(self, port=None, status="403 Forbidden"):
        self._port = port
        self._status = status
        self.asked = []

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.address = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        self._tasks = set()
        return self

    async def __aexit__(self, *_):
        self._server.close()
        await asyncio.gather(*self._tasks)
        await self._server.wait_closed()

    async def _serve(self, reader, writer):
        self._tasks.add(asyncio.current_task())
        self.asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        if self._port is None:
            writer.write(f"HTTP/1.1 {self._status}\r\nContent-Length: 0\r\n\r\n".encode())
        else:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
            await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))
        writer.close()


async def pump(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()


@pytest.fixture
async def tls_server(server, context):
    """The server, with a certificate."""
    await server.close()
    await server.start(context)
    return server


# Certificates


async def test_a_certificate_of_nobody_known_is_refused(tls_server, connect):
    """At once, without another try, and before anything was sent."""
    with pytest.raises(
        CertificateError, match=f"^the TLS certificate of 127.0.0.1:{tls_server.port} is not trusted"
    ) as raised:
        await connect(tls_server.url, retry_timeout_seconds=300).clusters.list().collect()
    assert isinstance(raised.value, ConnectError)
    assert (raised.value.attempts, tls_server.received) == (1, [])
    assert isinstance(raised.value.__cause__, ssl.SSLCertVerificationError)


async def test_a_certificate_for_another_name_is_refused(tls_server, connect, authority, trusting):
    """Also when its authority is trusted."""
    connector = aiohttp.TCPConnector(ssl=trusting, resolver=Resolver(tls_server.port))
    async with aiohttp.ClientSession(connector=connector) as http:
        client = connect(f"https://other.test:{tls_server.port}", session=http)
        with pytest.raises(CertificateError, match=r"the TLS certificate of other\.test"):
            await client.clusters.list().collect()
        client = connect(f"https://workspace.test:{tls_server.port}", session=http)
        assert await client.clusters.list().collect() == []


async def test_a_lent_session_may_trust_more(tls_server, connect, trusting):
    """The way to a private authority for one client."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusting)) as http:
        assert await connect(tls_server.url, session=http).clusters.list().collect() == []
    assert tls_server.received[0].startswith(b"GET /api/2.1/clusters/list")


async def test_the_machine_may_trust_more(tls_server, authority, tmp_path):
    """`SSL_CERT_FILE` is the way to a private authority for a whole program; nothing warns at its end."""
    file = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    assert await run(tls_server.url, SSL_CERT_FILE=str(file)) == (0, "[]\n", "")


async def test_a_server_without_tls(connect):
    """An https address of a plain server: no connection, and nothing was asked."""
    async with LocalWorkspace() as workspace:
        with pytest.raises(ConnectError, match=r"no connection to 127\.0\.0\.1"):
            await connect(workspace.url.replace("http", "https")).clusters.list().collect()
        assert workspace.journal.count() == 0


async def test_a_handshake_that_hangs_never_left(connect):
    """It is given up after half of the request's time and can be tried again, however unsafe the call."""
    done = asyncio.Event()

    async def hold(reader, writer):
        await reader.read()
        writer.close()
        done.set()

    async with await asyncio.start_server(hold, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        client = connect(f"https://127.0.0.1:{port}", http_timeout_seconds=0.2)
        with pytest.raises(ConnectError, match=f"no connection to 127.0.0.1:{port} within 0.1 s"):
            await client.clusters.list().collect()
        await asyncio.wait_for(done.wait(), 1)


# Proxies


class Resolver(aiohttp.abc.AbstractResolver):
    """Every name is this machine."""

    def __init__(self, port):
        self._port = port

    async def resolve(self, host, port=0, family=0):
        return [{"hostname": host, "host": "127.0.0.1", "port": self._port, "family": 2, "proto": 0, "flags": 0}]

    async def close(self):
        pass


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy"])
@pytest.mark.parametrize("scheme", ["http://", ""])
async def test_a_proxy_is_used(connect, monkeypatch, variable, scheme):
    """It is asked for a tunnel to the workspace; the token is not for it."""
    async with Proxy() as proxy:
        monkeypatch.setenv(variable, scheme + proxy.address)
        with pytest.raises(ConnectError, match=r"the proxy refused a connection to workspace.test with 403") as raised:
            await connect("https://workspace.test").clusters.list().collect()
    assert raised.value.attempts == len(proxy.asked) == 1
    assert proxy.asked[0].startswith("CONNECT workspace.test:443 HTTP/1.1\r\n")
    assert "authorization" not in proxy.asked[0].lower()
    assert "dapi" not in proxy.asked[0]


async def test_a_proxys_password_goes_to_it_alone(connect, monkeypatch, caplog):
    """It is not shown in the error, nor in anything that the error came from."""
    import traceback

    async with Proxy(status="407 Proxy Authentication Required") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://someone:hunter2@{proxy.address}")
        with pytest.raises(ConnectError, match=r"the proxy refused a connection .* with 407") as raised:
            await connect("https://workspace.test").clusters.list().collect()
    assert f"Basic {base64.b64encode(b'someone:hunter2').decode()}" in proxy.asked[0]
    assert "hunter2" not in "".join(traceback.format_exception(raised.value)) + caplog.text


async def test_a_proxy_that_is_not_there(connect, monkeypatch):
    """The request never left; the error names the proxy, without its password."""
    async with Proxy() as proxy:
        pass
    monkeypatch.setenv("HTTPS_PROXY", f"http://someone:hunter2@{proxy.address}")
    with pytest.raises(ConnectError, match=f"no connection to workspace.test.*{proxy.address}") as raised:
        await connect("https://workspace.test").clusters.list().collect()
    assert "hunter2" not in str(raised.value)


async def test_a_call_through_a_proxy(tls_server, authority, tmp_path):
    """The tunnel ends at the workspace, whose certificate is checked for the workspace's name."""
    file = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    async with Proxy(tls_server.port) as proxy:
        environment = {"SSL_CERT_FILE": str(file), "HTTPS_PROXY": f"http://{proxy.address}"}
        code, out, err = await run("https://workspace.test", **environment)
        assert (code, out, err) == (0, "[]\n", "")
        code, _, err = await run("https://other.test", **environment)
        assert code == 1
        assert "CertificateError: the TLS certificate of other.test is not trusted" in err
    assert b"authorization: bearer dapi0" in tls_server.received[0].lower()


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "ALL_PROXY"])
async def test_this_machine_is_reached_without_a_proxy(server, connect, monkeypatch, variable):
    """A local workspace is not to be looked for elsewhere."""
    async with Proxy() as proxy:
        monkeypatch.setenv(variable, f"http://{proxy.address}")
        assert await connect(server.url).clusters.list().collect() == []
    assert proxy.asked == []


@pytest.mark.parametrize("entry", ["workspace.invalid", ".invalid", "*", "other.example, workspace.invalid"])
async def test_some_hosts_are_reached_without_a_proxy(connect, monkeypatch, entry):
    """Those of NO_PROXY."""
    async with Proxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.address}")
        monkeypatch.setenv("NO_PROXY", entry)
        with pytest.raises(ConnectError, match=r"the host workspace\.invalid is not known"):
            await connect("https://workspace.invalid").clusters.list().collect()
    assert proxy.asked == []


async def test_a_proxy_of_another_kind_is_said_to_be_so(connect, monkeypatch):
    """Nothing is sent past it."""
    monkeypatch.setenv("HTTPS_PROXY", "socks5://someone:hunter2@127.0.0.1:1080")
    with pytest.raises(ConfigError, match="the proxy of the environment has the scheme 'socks5'") as raised:
        await connect("https://workspace.test").clusters.list().collect()
    assert "hunter2" not in str(raised.value)


async def test_a_broken_tunnel(connect, monkeypatch):
    """A proxy that says anything but HTTP."""
    async with Proxy(status="abc") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.address}")
        with pytest.raises((ConnectError, ConnectionLost)) as raised:
            await connect("https://workspace.test").clusters.list().collect()
    assert len(str(raised.value)) < 300


# The ways of a company's network


@pytest.fixture
def bundle(authority, tmp_path):
    file = tmp_path / "company.pem"
    authority.cert_pem.write_to_path(str(file))
    return file


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
async def test_a_companys_authority_is_found_as_by_other_programs(tls_server, connect, bundle, monkeypatch, variable):
    """The variables for which such machines are set up; looked at when the client is first used."""
    monkeypatch.setenv(variable, str(bundle))
    assert await connect(tls_server.url).clusters.list().collect() == []


async def test_a_companys_authority_is_a_setting_too(tls_server, connect, bundle, monkeypatch, authority):
    """It comes before the environment, and also for a lent session."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/such/file")
    assert await connect(tls_server.url, ca_bundle=str(bundle)).clusters.list().collect() == []
    async with aiohttp.ClientSession() as http:
        client = connect(tls_server.url, ca_bundle=str(bundle), session=http)
        assert await client.clusters.list().collect() == []


async def test_a_bundle_replaces_the_authorities_of_the_machine(tls_server, connect, tmp_path, monkeypatch, bundle):
    """REQUESTS_CA_BUNDLE comes first, as with requests."""
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other))
    monkeypatch.setenv("CURL_CA_BUNDLE", str(bundle))
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    with pytest.raises(CertificateError, match=r"its authority is unknown.*set ca_bundle.*REQUESTS_CA_BUNDLE"):
        await connect(tls_server.url).clusters.list().collect()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "")
    assert await connect(tls_server.url).clusters.list().collect() == []


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "cannot be read: No such file"), ("hello", "holds no certificates"), ("", "holds no certificates")],
)
async def test_a_bundle_that_cannot_be_used_is_named(tls_server, connect, tmp_path, monkeypatch, content, said):
    """By its variable and its path, each time, before anything is sent."""
    path = tmp_path / "company.pem"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv("CURL_CA_BUNDLE", str(path))
    client = connect(tls_server.url)
    for _ in range(2):
        with pytest.raises(ConfigError, match=rf"^CURL_CA_BUNDLE names '{path}', which {said}"):
            await client.clusters.list().collect()
    assert tls_server.received == []


NOW = datetime.datetime.now(datetime.UTC)
PROBLEMS = {
    "unknown": (["127.0.0.1"], {}, "its authority is unknown; if it is your company's own, set ca_bundle"),
    "name": (["other.test"], {}, "it was issued for another name; check the host"),
    "expired": (["127.0.0.1"], {"not_after": NOW - datetime.timedelta(days=1)}, "it has expired"),
    "early": (["127.0.0.1"], {"not_before": NOW + datetime.timedelta(days=1)}, "it is not yet valid; check the clock"),
}


@pytest.mark.parametrize("problem", PROBLEMS)
async def test_a_certificate_error_says_what_is_wrong_with_it(server, connect, authority, bundle, problem):
    """And what to do about it; nothing is sent, and nothing tried again."""
    names, validity, said = PROBLEMS[problem]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    (trustme.CA() if problem == "unknown" else authority).issue_cert(*names, **validity).configure_cert(context)
    await server.close()
    await server.start(context)
    client = connect(server.url, ca_bundle=str(bundle), retry_timeout_seconds=300)
    with pytest.raises(CertificateError, match=f"the TLS certificate of .* is not trusted: {said}") as raised:
        await client.clusters.list().collect()
    assert (raised.value.attempts, server.received) == (1, [])


@pytest.mark.parametrize("variable", ["ALL_PROXY", "all_proxy"])
async def test_a_proxy_for_everything_is_used(connect, monkeypatch, variable):
    """Unless there is one for https."""
    async with Proxy() as proxy, Proxy(status="402 Payment Required") as other:
        monkeypatch.setenv(variable, f"http://{other.address}")
        with pytest.raises(ConnectError, match="with 402"):
            await connect("https://workspace.test").clusters.list().collect()
        monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.address}")
        with pytest.raises(ConnectError, match="with 403"):
            await connect("https://workspace.test").clusters.list().collect()


@pytest.mark.parametrize(
    ("entry", "proxied"),
    [("10.0.0.0/8", False), ("192.168.0.0/16, 10.1.2.0/24", False), ("10.1.2.3", False), ("11.0.0.0/8", True)],
)
def test_addresses_are_reached_without_a_proxy_by_network(monkeypatch, entry, proxied):
    """As requests and curl read NO_PROXY."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.test:3128")
    monkeypatch.setenv("NO_PROXY", entry)
    assert (find_proxy("https://10.1.2.3")[0] is not None) == proxied


async def test_a_proxy_is_a_setting_too(tls_server, connect, bundle, monkeypatch):
    """It is used whatever the environment says, its login goes to it alone, and `repr` does not show it."""
    monkeypatch.setenv("NO_PROXY", "*")
    async with Proxy(tls_server.port) as proxy:
        client = connect(
            "https://workspace.test", proxy=f"http://someone:hunter2@{proxy.address}", ca_bundle=str(bundle)
        )
        assert await client.clusters.list().collect() == []
        await client.aclose()
    assert "hunter2" not in repr(client.config) + client.config.describe()
    assert base64.b64encode(b"someone:hunter2").decode() in proxy.asked[0]
    assert b"hunter2" not in tls_server.received[0]
    assert "dapi" not in proxy.asked[0]


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1080", "ftp://127.0.0.1", "socks5h://user:hunter2@p:1"])
def test_a_proxy_of_another_kind_is_refused_as_a_setting(proxy):
    """When it is set."""
    with pytest.raises(ConfigError, match="only http and https proxies are supported") as raised:
        Config(host="https://workspace.test", token="dapi0123456789", proxy=proxy)
    assert "hunter2" not in str(raised.value)


async def test_a_token_in_clear_goes_through_no_proxy(connect):
    """A local workspace is plain http: only a proxy on this machine may see it."""
    client = connect("http://127.0.0.1:8765", proxy="http://proxy.test:3128")
    with pytest.raises(ConfigError, match="plain http, and a proxy would see the token"):
        await client.clusters.list().collect()
