"""Managed identities: which one, which endpoint, never through a proxy, and waiting while IMDS is updated."""

from __future__ import annotations

import asyncio

import pytest

from databricks_async.auth import managed_identity
from databricks_async.errors import AuthError, CredentialUnavailable
from databricks_async.local import Fault, LocalWorkspace

IMDS = "GET /metadata/identity/oauth2/token"
APP_SERVICE = "GET /msi/token"
RESOURCE_ID = "/subscriptions/s-1/resourceGroups/rg/providers/Microsoft.Databricks/workspaces/ws"
APPLICATION = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d"


@pytest.fixture
def machine(identity, connect):
    """Makes clients on a machine with IMDS."""

    def machine(**settings):
        return connect(identity.imds_environment() | {"ARM_ENVIRONMENT": "public"}, **settings)

    return machine


async def test_the_request_is_that_of_the_manual(identity, machine):
    identity.add_managed_identity("system", system_assigned=True)
    assert (await machine().current_user.me()).user_name == "system"
    (call,) = identity.journal.entries
    assert call.query == {"api-version": "2018-02-01", "resource": APPLICATION}
    assert call.headers["metadata"] == "true"


@pytest.mark.parametrize(
    ("setting", "value", "parameter"),
    [
        ("azure_client_id", "mine", "client_id"),
        ("azure_msi_object_id", "object", "object_id"),
        ("azure_msi_resource_id", "/subscriptions/s/mine", "msi_res_id"),
    ],
)
async def test_a_user_assigned_identity_is_picked_by_any_id(setting, value, parameter, identity, machine):
    identity.add_managed_identity("another")
    identity.add_managed_identity("mine", object_id="object", resource_id="/subscriptions/s/mine")
    assert (await machine(**{setting: value}).current_user.me()).user_name == "mine"
    assert identity.journal.entries[0].query[parameter] == value


@pytest.mark.parametrize("setting", ["azure_client_id", "azure_msi_object_id", "azure_msi_resource_id"])
async def test_app_service_names_them_otherwise(setting, identity, connect):
    values = {"azure_client_id": "mine", "azure_msi_object_id": "object", "azure_msi_resource_id": "/s/mine"}
    identity.add_managed_identity("another")
    identity.add_managed_identity("mine", object_id="object", resource_id="/s/mine")
    variables = identity.app_service_environment() | {"ARM_ENVIRONMENT": "public"}
    client = connect(variables, **{setting: values[setting]})
    assert (await client.current_user.me()).user_name == "mine"
    (call,) = identity.journal.entries
    assert (call.endpoint, call.query["api-version"]) == (APP_SERVICE, "2019-08-01")
    assert call.headers["x-identity-header"] == "***"


async def test_both_headers_with_a_resource_id(workspace, identity, machine):
    """One that is no user of the workspace is let in by its role in Azure."""
    identity.add_managed_identity("mine", workspace_user=False)
    identity.add_workspace(RESOURCE_ID, "unused")
    assert (await machine(azure_workspace_resource_id=RESOURCE_ID).current_user.me()).user_name == "mine"
    audiences = [call.query["resource"] for call in identity.journal.entries]
    assert audiences == ["https://management.core.windows.net/", APPLICATION]


async def test_it_is_asked_only_on_request(identity, connect, workspace):
    """In AKS the machine's identity is another than the pod's."""
    identity.add_managed_identity("node")
    variables = {"AZURE_POD_IDENTITY_AUTHORITY_HOST": identity.url, "ARM_ENVIRONMENT": "public"}
    with pytest.raises(AuthError, match=r"azure-msi \(ARM_USE_MSI\)"):
        await connect(variables).current_user.me()
    with pytest.raises(AuthError, match="azure-msi"):
        await connect(variables | {"ARM_USE_MSI": "false"}).current_user.me()
    assert identity.journal.entries == []
    assert (await connect(variables, auth_type="azure-msi").current_user.me()).user_name == "node"


async def test_several_identities_and_no_id(identity, machine):
    identity.add_managed_identity("one")
    identity.add_managed_identity("two")
    with pytest.raises(AuthError, match="no token for the managed identity: Multiple user assigned identities exist"):
        await machine().current_user.me()
    assert len(identity.journal.entries) == 1


async def test_an_identity_that_is_not_there_is_asked_for_once(identity, machine):
    identity.add_managed_identity("mine")
    with pytest.raises(AuthError, match="Identity not found") as raised:
        await machine(azure_client_id="other").current_user.me()
    assert raised.value.status == 400
    assert len(identity.journal.entries) == 1


@pytest.mark.parametrize(
    "fault", [Fault.answer(410), Fault.answer(404, "404 page not found"), Fault.too_many_requests(), Fault.answer(500)]
)
async def test_while_imds_is_updated_it_is_asked_again(fault, identity, machine, monkeypatch):
    """404 and 410 for up to 70 s, 429 and 5xx within the budget."""
    monkeypatch.setattr(managed_identity, "_FIRST_PAUSE_SECONDS", 0.01)
    identity.add_managed_identity("mine")
    identity.faults.add(IMDS, fault)
    assert (await machine().current_user.me()).user_name == "mine"
    assert identity.journal.count(IMDS) == 2


async def test_an_update_that_does_not_end_is_given_up(identity, machine, monkeypatch):
    monkeypatch.setattr(managed_identity, "_FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(managed_identity, "_UPDATING_SECONDS", 0.3)
    identity.faults.add(IMDS, Fault.answer(410, "gone"), times=1000)
    with pytest.raises(AuthError, match="gone") as raised:
        await machine().current_user.me()
    assert raised.value.status == 410
    assert identity.journal.count(IMDS) >= 2


async def test_never_through_a_proxy(identity, machine, workspace, monkeypatch):
    """The request would leave the machine; the proxy's answer would be another machine's identity."""
    identity.add_managed_identity("mine")
    async with LocalWorkspace() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert (await machine().current_user.me()).user_name == "mine"
        assert proxy.journal.connections_opened == 0


async def test_a_machine_outside_of_azure(connect, workspace, free_port):
    """No such endpoint: the error asks whether this is a machine of Azure."""
    variables = {"AZURE_POD_IDENTITY_AUTHORITY_HOST": f"http://127.0.0.1:{free_port}", "ARM_USE_MSI": "true"}
    client = connect(variables | {"ARM_ENVIRONMENT": "public"}, auth_type="azure-msi", retry_timeout_seconds=0)
    with pytest.raises(CredentialUnavailable, match="is this a machine of Azure with a managed identity"):
        await client.current_user.me()


async def test_docker_desktop_answers_for_an_address_that_it_cannot_reach(identity, machine):
    identity.faults.add(IMDS, Fault.answer(403, "connecting to 169.254.169.254:80: A socket operation: unreachable"))
    with pytest.raises(AuthError, match="is no machine of Azure"):
        await machine(auth_type="azure-msi").current_user.me()


@pytest.mark.parametrize(
    "variables",
    [
        {"IMDS_ENDPOINT": "http://localhost:40342"},
        {"IDENTITY_HEADER": "h", "IDENTITY_SERVER_THUMBPRINT": "t"},
        {"IDENTITY_ENDPOINT": "", "MSI_ENDPOINT": "http://localhost:1", "MSI_SECRET": "s"},
    ],
)
async def test_endpoints_that_are_not_offered_say_what_to_do(variables, identity, machine, connect):
    """Azure Arc and Service Fabric: azure-identity does them, and is handed in."""
    variables = {"IDENTITY_ENDPOINT": identity.url, "ARM_USE_MSI": "true", "ARM_ENVIRONMENT": "public", **variables}
    with pytest.raises(AuthError, match=r"hand in azure.identity.aio.ManagedIdentityCredential\(\)"):
        await connect(variables).current_user.me()


async def test_app_service_refuses(identity, connect):
    identity.add_managed_identity("mine")
    variables = identity.app_service_environment() | {"ARM_ENVIRONMENT": "public", "IDENTITY_HEADER": "wrong"}
    with pytest.raises(AuthError, match="no token for the managed identity: Unauthorized"):
        await connect(variables).current_user.me()


async def test_a_cancelled_call_leaves_nothing(identity, machine):
    identity.faults.add(IMDS, Fault.hang())
    client = machine()
    task = asyncio.create_task(client.current_user.me())
    await identity.journal.until(lambda journal: journal.count(IMDS) == 1)
    task.cancel()
    await asyncio.wait([task])
    await client.aclose()
