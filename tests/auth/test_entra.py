"""Service principals of Entra: what is sent, to whom, and what the person is told when it is refused.

Of `auth/azure.py`, `auth/certificates.py`, `auth/token_endpoint.py`, `auth/web.py` and `session/outside.py` too.
"""

from __future__ import annotations

import ssl
import time

import aiohttp
import pytest
import trustme
from aiohttp.abc import AbstractResolver

from databricks_async import Config
from databricks_async.auth.azure import CLOUDS, application_id, authority_of, cloud_of
from databricks_async.auth.entra import token_url
from databricks_async.cli import auth_demo
from databricks_async.cli.auth_demo import CLIENT_ID
from databricks_async.errors import AuthError
from databricks_async.local import Fault, LocalIdentity, LocalWorkspace
from databricks_async.local.identity_peers import tokens

TOKEN = "POST /{tenant}/oauth2/v2.0/token"
SECRET = "s3cret~value-of-forty-characters.0123456789"
RESOURCE_ID = "/subscriptions/s-1/resourceGroups/rg/providers/Microsoft.Databricks/workspaces/ws"
MANAGEMENT = "x-databricks-azure-sp-management-token"
RESOURCE = "x-databricks-azure-workspace-resource-id"
APPLICATION = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d"


@pytest.fixture
def principal(identity, connect):
    """Makes clients of a service principal with a secret."""

    def principal(secret=SECRET, **settings):
        identity.add_application(CLIENT_ID, client_secret=SECRET, workspace_user=settings.pop("user", True))
        return connect(
            azure_client_id=CLIENT_ID, azure_client_secret=secret, azure_authority_host=identity.url, **settings
        )

    return principal


async def test_the_request_is_that_of_the_specification(identity, principal):
    """Version 2, the application's own scope, no other fields."""
    await principal(azure_tenant_id=identity.tenant_id).current_user.me()
    (call,) = identity.journal.entries
    assert call.body == {
        "grant_type": "client_credentials",
        "client_id": CLIENT_ID,
        "client_secret": "***",
        "scope": f"{APPLICATION}/.default",
    }
    assert "authorization" not in call.headers


async def test_without_a_resource_id_there_is_one_token_and_no_azure_header(workspace, principal):
    await principal().current_user.me()
    headers = workspace.journal.calls("GET /api/*")[0].headers
    assert MANAGEMENT not in headers
    assert RESOURCE not in headers


async def test_one_who_is_no_user_is_let_in_by_resource_id_and_management_token(workspace, identity, principal):
    """Both headers, for the workspace alone; the peers check them."""
    identity.add_workspace(RESOURCE_ID, "unused")
    client = principal(user=False, azure_workspace_resource_id=RESOURCE_ID)
    assert (await client.current_user.me()).user_name == CLIENT_ID
    assert [call.body["scope"] for call in identity.journal.calls(TOKEN)] == [
        "https://management.core.windows.net//.default",
        f"{APPLICATION}/.default",
    ]
    headers = workspace.journal.calls("GET /api/*")[0].headers
    assert (headers[MANAGEMENT], headers[RESOURCE]) == ("***", RESOURCE_ID)
    for journal in (identity.journal, workspace.journal):
        for call in journal.entries:
            assert call.endpoint.startswith("GET /api/") or not {MANAGEMENT, RESOURCE} & set(call.headers)


async def test_a_personal_access_token_carries_no_azure_header(workspace, connect):
    client = connect(token=workspace.token, azure_workspace_resource_id=RESOURCE_ID)
    await client.current_user.me()
    assert not {MANAGEMENT, RESOURCE} & set(workspace.journal.entries[0].headers)


@pytest.mark.parametrize("form", ["pem", "pem, encrypted key", "pkcs12", "pkcs12 with a password", "two certificates"])
async def test_a_certificate(form, identity, connect, tmp_path):
    """Any common form of the file; the peer verifies the signature with the certificate's key."""
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        NoEncryption,
        PrivateFormat,
        load_pem_private_key,
        pkcs12,
    )
    from cryptography.x509 import load_pem_x509_certificate

    certificate, key = auth_demo.make_certificate()
    loaded, private, password = load_pem_x509_certificate(certificate), load_pem_private_key(key, None), None
    path = tmp_path / "certificate"
    if form == "pem, encrypted key":
        password = "pass"
        key = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"pass"))
    content = certificate + key
    if form == "two certificates":
        content = auth_demo.make_certificate()[0] + content
    if form == "pkcs12":
        content = pkcs12.serialize_key_and_certificates(b"x", private, loaded, None, NoEncryption())
    if form == "pkcs12 with a password":
        password = "pass"
        content = pkcs12.serialize_key_and_certificates(b"x", private, loaded, None, BestAvailableEncryption(b"pass"))
    path.write_bytes(content)
    path.chmod(0o600)
    identity.add_application(CLIENT_ID, certificate=certificate)
    client = connect(
        azure_client_id=CLIENT_ID,
        azure_client_certificate_path=str(path),
        azure_client_certificate_password=password,
        azure_authority_host=identity.url,
    )
    assert (await client.current_user.me()).user_name == CLIENT_ID
    (call,) = identity.journal.entries
    assert sorted(call.body) == ["client_assertion", "client_assertion_type", "client_id", "grant_type", "scope"]


def test_an_assertion_is_that_of_the_manual(tmp_path):
    """PS256 with the SHA-256 thumbprint; audience, issuer, subject, a new id each time, ten minutes."""
    from databricks_async.auth.certificates import signed_assertion

    certificate, key = auth_demo.make_certificate()
    (tmp_path / "c.pem").write_bytes(key + certificate)
    url = "https://login.microsoftonline.com/t/oauth2/v2.0/token"
    made = [signed_assertion(str(tmp_path / "c.pem"), None, client_id="c", audience=url) for _ in range(2)]
    header, claims = tokens.parts(made[0])
    assert header == {"alg": "PS256", "typ": "JWT", "x5t#S256": tokens.thumbprints(certificate)[1]}
    assert tokens.verify_assertion(made[0], [certificate]) == claims
    assert (claims["aud"], claims["iss"], claims["sub"]) == (url, "c", "c")
    assert claims["exp"] - claims["nbf"] == 600
    assert abs(claims["nbf"] - time.time()) < 60
    assert tokens.parts(made[1])[1]["jti"] != claims["jti"]
    assert repr(made[0]) == "***"


@pytest.mark.parametrize(
    ("content", "password", "said"),
    [
        (None, None, "No such file or directory"),
        (b"", None, "cannot be used"),
        (b"-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n", None, "cannot be used"),
        ("key alone", None, "no certificate that belongs to its private key"),
        ("certificate alone", None, "no RSA private key"),
        ("another key", None, "no certificate that belongs to its private key"),
        ("encrypted", None, "password is wrong or missing (ARM_CLIENT_CERTIFICATE_PASSWORD)"),
        ("encrypted", "wr0ng-one", "cannot be used"),
    ],
)
async def test_a_certificate_that_cannot_be_used(content, password, said, identity, connect, tmp_path):
    """The error names the file and what is wrong with it, and nothing is sent to the token endpoint."""
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        PrivateFormat,
        load_pem_private_key,
    )

    certificate, key = auth_demo.make_certificate()
    encrypted = load_pem_private_key(key, None).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"pass")
    )
    forms = {
        "key alone": key,
        "certificate alone": certificate,
        "another key": auth_demo.make_certificate()[1] + certificate,
        "encrypted": certificate + encrypted,
    }
    path = tmp_path / "certificate"
    if content is not None:
        path.write_bytes(forms.get(content, content))
    client = connect(
        azure_client_id=CLIENT_ID,
        azure_tenant_id=identity.tenant_id,
        azure_client_certificate_path=str(path),
        azure_client_certificate_password=password,
        azure_authority_host=identity.url,
    )
    with pytest.raises(AuthError) as raised:
        await client.current_user.me()
    assert said in str(raised.value)
    assert str(path) in str(raised.value)
    assert "wr0ng-one" not in str(raised.value)
    assert identity.journal.entries == []


async def test_a_certificate_without_the_extra(identity, connect, tmp_path, monkeypatch):
    """The error says what to install."""
    monkeypatch.setitem(__import__("sys").modules, "cryptography.hazmat.primitives", None)
    client = connect(
        azure_client_id=CLIENT_ID,
        azure_tenant_id=identity.tenant_id,
        azure_client_certificate_path=str(tmp_path / "x"),
        azure_authority_host=identity.url,
    )
    with pytest.raises(AuthError, match=r"pip install 'databricks-async\[azure\]'"):
        await client.current_user.me()


async def test_a_federated_token_file_is_read_anew(workspace, identity, peers, connect):
    """The kubelet renews the file: the second token is asked for with the new one."""
    settings, variables = auth_demo.azure_workload_identity(peers)
    client = connect(variables, **settings)
    await client.current_user.me()
    path = peers.folder / "azure-identity-token"
    path.write_text(identity.id_token("somebody:else", "api://AzureADTokenExchange"))
    workspace.revoke_tokens()
    with pytest.raises(AuthError, match="AADSTS700213"):
        await client.current_user.me()


async def test_errors_of_entra_say_what_to_do(principal):
    """The service's own words, without trace ids, and an advice."""
    with pytest.raises(AuthError) as raised:
        await principal(secret="its-id").current_user.me()
    error = raised.value
    assert error.message == (
        f"no Entra token for the service principal '{CLIENT_ID}': AADSTS7000215: Invalid client secret provided. "
        "(the client secret is wrong: give its value, not its id)"
    )
    assert (error.status, error.error_code) == (401, "invalid_client")


async def test_an_unknown_client_and_an_unknown_tenant(identity, connect):
    with pytest.raises(AuthError, match=r"AADSTS700016.*check ARM_CLIENT_ID and ARM_TENANT_ID"):
        await connect(
            azure_client_id="nobody", azure_client_secret="x", azure_authority_host=identity.url
        ).current_user.me()
    with pytest.raises(AuthError, match=r"AADSTS90002.*check ARM_TENANT_ID"):
        await connect(
            azure_client_id="nobody", azure_client_secret="x", azure_authority_host=identity.url, azure_tenant_id="t"
        ).current_user.me()


async def test_a_redirect_of_the_token_endpoint_is_not_followed(identity, principal):
    """The secret goes to no other host, whatever the answer says."""
    async with LocalWorkspace() as elsewhere:
        moved = Fault.answer(307, headers={"Location": f"{elsewhere.url}/oidc/v1/token"})
        identity.faults.add(TOKEN, moved)
        with pytest.raises(AuthError, match=r"answered with a redirect to http://127\.0\.0\.1"):
            await principal().current_user.me()
        assert elsewhere.journal.entries == []


@pytest.mark.parametrize(
    "fault", [Fault.answer(503, '{"error": "temporarily_unavailable"}'), Fault.too_many_requests(0), Fault.drop()]
)
async def test_what_is_transient_is_repeated(fault, identity, principal):
    """503, 429 and lost connections of the token endpoint, within the call's budget."""
    identity.faults.add(TOKEN, fault)
    await principal().current_user.me()
    assert identity.journal.count(TOKEN) == 2


async def test_a_token_endpoint_that_is_down_ends_with_the_budget(identity, principal):
    identity.faults.add(TOKEN, Fault.answer(503, '{"error": "temporarily_unavailable"}'), times=100)
    with pytest.raises(AuthError, match="temporarily_unavailable") as raised:
        await principal(retry_timeout_seconds=0.3).current_user.me()
    assert raised.value.status == 503
    assert raised.value.attempts == identity.journal.count(TOKEN) > 1


async def test_an_endless_answer_is_given_up(identity, principal):
    identity.faults.add(TOKEN, Fault.answer(200, b"x" * 3 * 2**20))
    with pytest.raises(AuthError, match="answered with more than 1048576 bytes"):
        await principal().current_user.me()


@pytest.mark.parametrize(
    "answer", ["{}", "[]", "", '{"access_token": "a b"}', '{"access_token": "abc", "expires_in": "soon"}']
)
async def test_an_answer_without_a_token(answer, identity, principal):
    identity.faults.add(TOKEN, Fault.answer(200, answer))
    with pytest.raises(AuthError, match=r"the answer has no usable '(access_token|expires_in)'"):
        await principal().current_user.me()


async def test_a_tenant_that_has_moved_is_found_anew(workspace, identity, principal):
    """404 of the token endpoint: the next call asks the workspace again."""
    client = principal(retry_timeout_seconds=0)
    identity.faults.add(TOKEN, Fault.answer(404))
    with pytest.raises(AuthError):
        await client.current_user.me()
    await client.current_user.me()
    assert workspace.journal.count("GET /aad/auth") == 2


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault.answer(404), "was not found, set ARM_TENANT_ID: Not Found"),
        (Fault.answer(302, headers={"Location": "/login.html"}), "names none"),
        (Fault.answer(200, "<html>"), "it has no login page of Entra"),
    ],
)
async def test_a_tenant_that_is_not_found(fault, said, workspace, principal):
    workspace.faults.add("GET /aad/auth", fault)
    with pytest.raises(AuthError, match="set ARM_TENANT_ID") as raised:
        await principal().current_user.me()
    assert said in raised.value.message


@pytest.mark.parametrize(
    ("host", "cloud", "login"),
    [
        ("https://adb-1.2.azuredatabricks.net", "PUBLIC", "https://login.microsoftonline.com"),
        ("https://adb-1.2.databricks.azure.us", "USGOVERNMENT", "https://login.microsoftonline.us"),
        ("https://adb-1.2.databricks.azure.cn", "CHINA", "https://login.chinacloudapi.cn"),
    ],
)
def test_the_cloud_is_known_by_the_host(host, cloud, login):
    config = Config(host=host, token="t", azure_environment="public")
    assert cloud_of(config) is CLOUDS[cloud]
    assert token_url(config, "t") == f"{login}/t/oauth2/v2.0/token"


@pytest.mark.parametrize("name", ["usgovernment", "AzureUSGovernment", "USGOVERNMENT"])
def test_the_cloud_of_another_host_is_that_of_arm_environment(name):
    assert cloud_of(Config(host="https://dbx.example", token="t", azure_environment=name)).name == "USGOVERNMENT"


def test_without_a_host_it_is_the_public_one():
    assert cloud_of(Config(azure_workspace_resource_id=RESOURCE_ID, token="t")).name == "PUBLIC"


@pytest.mark.parametrize("given", ["login.example", "https://login.example/", "https://login.example"])
def test_an_authority_host_may_be_written_in_any_way(given):
    config = Config(host="https://adb-1.2.azuredatabricks.net", token="t", azure_authority_host=given)
    assert authority_of(config) == "https://login.example"


def test_databricks_own_zones_have_applications_of_their_own():
    assert application_id(Config(host="https://x.dev.azuredatabricks.net", token="t")).startswith("62a912ac")
    assert application_id(Config(host="https://x.staging.azuredatabricks.net", token="t")).startswith("4a67d088")
    assert application_id(Config(host="https://x.azuredatabricks.net", token="t")) == APPLICATION


async def test_a_host_of_no_cloud_has_a_clear_error(workspace, connect):
    client = connect(azure_client_id=CLIENT_ID, azure_client_secret="x", azure_tenant_id="t")
    with pytest.raises(AuthError, match=r"ends in none of \.azuredatabricks\.net.*set ARM_ENVIRONMENT"):
        await client.current_user.me()
    assert workspace.journal.entries == []


async def test_a_plain_http_authority_gets_no_secret(connect):
    client = connect(
        azure_client_id=CLIENT_ID, azure_client_secret="x", azure_tenant_id="t", azure_authority_host="http://a.example"
    )
    with pytest.raises(AuthError, match="plain http, which would send a secret unencrypted"):
        await client.current_user.me()


class _Resolver(AbstractResolver):
    """Every name is this machine, at the peers' port: the hosts of Azure, as far as the client can tell."""

    def __init__(self, ports):
        self.ports = ports

    async def resolve(self, host, port=0, family=0):
        port = next((mine for end, mine in self.ports.items() if host.endswith(end)), port)
        return [{"hostname": host, "host": "127.0.0.1", "port": port, "family": 2, "proto": 0, "flags": 0}]

    async def close(self):
        pass


async def test_the_host_is_found_by_the_resource_id(workspace, connect):
    """Over https and by Azure's own names: Entra, Resource Manager, then the workspace that it names."""
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    names = ["*.azuredatabricks.net", "login.microsoftonline.com", "management.azure.com", "localhost"]
    authority.issue_cert(*names).configure_cert(server)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    async with LocalIdentity(workspace, tls=server) as identity:
        identity.add_application(CLIENT_ID, client_secret=SECRET)
        identity.add_workspace(RESOURCE_ID, "adb-1.2.azuredatabricks.net")
        port = int(identity.url.rpartition(":")[2])
        connector = aiohttp.TCPConnector(
            ssl=trusting, resolver=_Resolver({"microsoftonline.com": port, "azure.com": port})
        )
        async with aiohttp.ClientSession(connector=connector, headers={"X-Mine": "for the workspace"}) as session:
            client = connect(
                {"DATABRICKS_HOST": ""},
                azure_client_id=CLIENT_ID,
                azure_client_secret=SECRET,
                azure_tenant_id=identity.tenant_id,
                azure_workspace_resource_id=RESOURCE_ID,
                session=session,
                retry_timeout_seconds=0,
            )
            # The workspace itself speaks no TLS here: the call gets as far as its address.
            with pytest.raises(Exception, match=r"adb-1\.2\.azuredatabricks\.net"):
                await client.current_user.me()
        assert [call.endpoint.partition(" ")[2] for call in identity.journal.entries][:2] == [
            "/{tenant}/oauth2/v2.0/token",
            "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Databricks/workspaces/{name}",
        ]
        assert not [call for call in identity.journal.entries if "x-mine" in call.headers]
        assert "host=https://adb-1.2.azuredatabricks.net" in client.config.describe()
