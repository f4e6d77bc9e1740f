"""Credentials of the Azure SDK: handed in, fetched once for all, left open; and azure-identity at the same peers.

Of `auth/azure_core.py` too.
"""

from __future__ import annotations

import asyncio
import gc
import ssl
import time
import warnings
from types import SimpleNamespace

import pytest
import trustme
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientSecretCredential as SynchronousCredential
from azure.identity.aio import (
    AzureCliCredential,
    CertificateCredential,
    ClientSecretCredential,
    DefaultAzureCredential,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)

from databricks_async.cli import auth_demo
from databricks_async.cli.auth_demo import CLIENT_ID, PERSON, Peers, environment
from databricks_async.errors import AuthError, InvalidCredential
from databricks_async.local import LocalIdentity

RESOURCE_ID = "/subscriptions/s-1/resourceGroups/rg/providers/Microsoft.Databricks/workspaces/ws"
TOKEN = "POST /{tenant}/oauth2/v2.0/token"
SECRET = "s3cret-of-the-application"


class Credential:
    """As the Azure SDK's: counts, and gives what the test says."""

    def __init__(self, result):
        self.result, self.asked, self.closed = result, [], False

    async def get_token(self, *scopes, **_):
        self.asked += scopes
        result = self.result(scopes[0]) if callable(self.result) else self.result
        if isinstance(result, Exception):
            raise result
        return result

    async def close(self):
        self.closed = True


@pytest.fixture
async def secure(workspace, tmp_path):
    """Peers that speak TLS, as azure-identity asks of an authority, and the CA that it has to trust."""
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    async with LocalIdentity(workspace, tls=context) as identity:
        identity.ca = str(path)
        yield identity
        async with asyncio.timeout(5):
            await identity.journal.until(lambda journal: journal.connections == 0)


def at(secure):
    return {
        "authority": secure.url,
        "connection_verify": secure.ca,
        "disable_instance_discovery": True,
        "tenant_id": secure.tenant_id,
        "client_id": CLIENT_ID,
    }


async def test_a_thousand_callers_make_one_request_and_it_stays_open(workspace, secure, connect):
    """azure-identity by itself makes one for each of them. Its owner closes it."""
    secure.add_application(CLIENT_ID, client_secret=SECRET)
    async with ClientSecretCredential(client_secret=SECRET, **at(secure)) as credential:
        client = connect(credential=credential)
        await asyncio.gather(*(client.current_user.me() for _ in range(1000)))
        assert secure.journal.count(TOKEN) == 1
        await client.aclose()
        assert (await credential.get_token("2ff814a6-3304-4ab8-85cb-cd0e6f879c1d/.default")).token


async def test_its_credentials_work_at_the_same_peers(workspace, secure, connect, tmp_path):
    """Certificate and workload identity, whose assertions the peer verifies."""
    certificate, key = auth_demo.make_certificate()
    (tmp_path / "c.pem").write_bytes(certificate + key)
    secure.add_application(CLIENT_ID, certificate=certificate)
    async with CertificateCredential(certificate_path=str(tmp_path / "c.pem"), **at(secure)) as credential:
        assert (await connect(credential=credential).current_user.me()).user_name == CLIENT_ID
    (tmp_path / "token").write_text(secure.id_token("pod", "api://AzureADTokenExchange"))
    secure.add_application(CLIENT_ID, federated=("pod", "api://AzureADTokenExchange"))
    async with WorkloadIdentityCredential(token_file_path=str(tmp_path / "token"), **at(secure)) as credential:
        assert (await connect(credential=credential).current_user.me()).user_name == CLIENT_ID


async def test_its_managed_identity_and_cli_work_at_the_same_peers(workspace, identity, peers, connect):
    identity.add_managed_identity(CLIENT_ID)
    identity.write_az(peers.folder, PERSON)
    with environment(peers, identity.app_service_environment()):
        async with ManagedIdentityCredential(client_id=CLIENT_ID) as credential:
            client = connect(identity.app_service_environment(), credential=credential)
            assert (await client.current_user.me()).user_name == CLIENT_ID
    async with AzureCliCredential() as credential:
        client = connect({}, credential=credential)
        assert (await client.current_user.me()).user_name == PERSON


async def test_the_default_credential(workspace, secure, connect, tmp_path):
    """`WorkspaceClient(credential=DefaultAzureCredential())`, which finds the environment's service principal."""
    secure.add_application(CLIENT_ID, client_secret=SECRET)
    variables = {
        "AZURE_CLIENT_ID": CLIENT_ID,
        "AZURE_TENANT_ID": secure.tenant_id,
        "AZURE_CLIENT_SECRET": SECRET,
        "AZURE_AUTHORITY_HOST": secure.url,
    }
    with environment(Peers(workspace, secure, tmp_path), variables):
        options = {"connection_verify": secure.ca, "disable_instance_discovery": True}
        async with DefaultAzureCredential(**options) as credential:
            assert (await connect(variables, credential=credential).current_user.me()).user_name == CLIENT_ID


async def test_a_wrong_secret_is_shown_in_its_own_words(secure, connect):
    secure.add_application(CLIENT_ID, client_secret=SECRET)
    async with ClientSecretCredential(client_secret="wr0ng-secret", **at(secure)) as credential:
        with pytest.raises(AuthError) as raised:
            await connect(credential=credential).current_user.me()
    assert "ClientSecretCredential gave no token: ClientAuthenticationError: " in raised.value.message
    assert "AADSTS7000215" in raised.value.message
    assert "wr0ng-secret" not in raised.value.message


async def test_what_looks_like_a_secret_is_masked(connect):
    jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl"
    error = ClientAuthenticationError(f"failed with dapi0123456789abcdef, {jwt} and Bearer abc.def-ghi")
    with pytest.raises(AuthError) as raised:
        await connect(credential=Credential(error)).current_user.me()
    assert raised.value.message.endswith(
        "gave no token: ClientAuthenticationError: failed with ***, *** and Bearer ***"
    )
    assert raised.value.__cause__ is None


async def test_it_is_not_closed(identity, connect):
    credential = Credential(AccessToken(identity.access_token(PERSON, person=True), int(time.time()) + 3600))
    client = connect(credential=credential)
    await client.current_user.me()
    await client.aclose()
    assert credential.closed is False
    assert credential.asked == ["2ff814a6-3304-4ab8-85cb-cd0e6f879c1d/.default"]


@pytest.mark.parametrize("person", [True, False])
async def test_the_headers_of_a_person_and_of_a_service_principal(person, workspace, identity, connect):
    """With a resource id, as for `az`."""
    end = int(time.time()) + 3600

    def token(scope):
        by_scope = {"2ff": lambda: identity.access_token(CLIENT_ID, person=person)}
        make = by_scope.get(scope[:3], lambda: identity.management_token(CLIENT_ID))
        return AccessToken(make(), end)

    client = connect(credential=Credential(token), azure_workspace_resource_id=RESOURCE_ID, azure_environment="public")
    await client.current_user.me()
    headers = workspace.journal.entries[0].headers
    assert headers["x-databricks-azure-workspace-resource-id"] == RESOURCE_ID
    assert ("x-databricks-azure-sp-management-token" in headers) is not person


async def test_a_synchronous_credential_is_refused(connect):
    """Before anything is asked of it; the error names the class to use."""
    said = r"synchronous.*azure\.identity\.aio\.ClientSecretCredential"
    with SynchronousCredential("t", CLIENT_ID, SECRET) as credential, pytest.raises(InvalidCredential, match=said):
        await connect(credential=credential).current_user.me()


async def test_a_synchronous_credential_of_somebody(connect):
    class Sync:
        def get_token(self, *scopes):
            return AccessToken("abc", int(time.time()) + 3600)

    with pytest.raises(InvalidCredential, match="whose get_token is synchronous"):
        await connect(credential=Sync()).current_user.me()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("abc", "returned str, not an azure.core AccessToken"),
        (None, "returned NoneType, not an azure.core AccessToken"),
        (SimpleNamespace(token="Bearer abc", expires_on=2e9), "begins with 'Bearer '"),
        (SimpleNamespace(token="abc\n", expires_on=2e9), "ends with a line end"),
        (SimpleNamespace(token="abc", expires_on=2e12), "milliseconds"),
    ],
)
async def test_what_is_nearly_a_token_is_refused(given, said, connect):
    with pytest.raises(InvalidCredential) as raised:
        await connect(credential=Credential(given)).current_user.me()
    assert said in raised.value.message


async def test_a_cancelled_call_leaves_no_open_session(secure, connect):
    """Of a credential that was cut while it asked for a token, and is closed by its owner after that."""
    from databricks_async.local import Fault

    secure.faults.add(TOKEN, Fault.hang())
    async with ClientSecretCredential(client_secret=SECRET, **at(secure)) as credential:
        client = connect(credential=credential)
        task = asyncio.create_task(client.current_user.me())
        await secure.journal.until(lambda journal: journal.count(TOKEN) == 1)
        task.cancel()
        await asyncio.wait([task])
        await client.aclose()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gc.collect()
