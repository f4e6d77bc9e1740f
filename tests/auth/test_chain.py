"""The chain: which way is tried, which failure ends it, what its last error says, and what describe shows."""

from __future__ import annotations

import json

import pytest

from databricks_async import Config
from databricks_async.auth.chain import WAYS
from databricks_async.cli.auth_demo import CLIENT_ID, PERSON
from databricks_async.config.methods import NEEDS
from databricks_async.errors import AuthError, ConfigError, CredentialUnavailable
from databricks_async.local import Fault

SECRET = "planted-secret-2718"
V2 = "POST /{tenant}/oauth2/v2.0/token"
ME = "GET /api/2.0/preview/scim/v2/Me"
RESOURCE_ID = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Databricks/workspaces/w"


async def name_of(client):
    return (await client.current_user.me()).user_name


@pytest.fixture
def entra(identity):
    """The settings of a service principal of Entra."""
    identity.add_application(CLIENT_ID, client_secret=SECRET)
    return {
        "ARM_CLIENT_ID": CLIENT_ID,
        "ARM_CLIENT_SECRET": SECRET,
        "ARM_TENANT_ID": identity.tenant_id,
        "AZURE_AUTHORITY_HOST": identity.url,
        "ARM_ENVIRONMENT": "PUBLIC",
    }


def test_the_chain_has_every_way_in_the_order_of_the_table():
    """What the configuration knows, and no more."""
    assert [way.auth_type for way in WAYS] == [*NEEDS]


@pytest.mark.parametrize("status", [400, 401, 403])
async def test_a_refused_secret_never_ends_in_the_login_of_whoever_ran_az(
    peers, identity, workspace, connect, entra, status
):
    """Nor in that of the Databricks CLI: the chain ends with the refusal."""
    identity.write_az(peers.folder, PERSON)
    identity.write_databricks(peers.folder, PERSON)
    words = {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."}
    identity.faults.add(V2, Fault.answer(status, json.dumps(words)), times=10)
    with pytest.raises(AuthError, match="AADSTS7000215") as raised:
        await name_of(connect(entra))
    assert raised.value.status == status
    assert workspace.journal.count(ME) == 0
    assert not (peers.folder / "az.log").exists()


async def test_a_way_that_is_not_there_is_passed_over(peers, identity, write_tool, connect):
    """Not installed, not logged in; the next one serves."""
    write_tool("az", "echo \"Please run 'az login' to setup account.\" >&2", "exit 1")
    identity.write_databricks(peers.folder, PERSON)
    client = connect({"ARM_ENVIRONMENT": "PUBLIC"})
    assert await name_of(client) == PERSON
    assert "auth_type=databricks-cli (in use)" in client.config.describe()


async def test_the_last_error_lists_each_way_and_what_to_set(connect):
    """Those that were tried with their reason, the others with what they lack."""
    with pytest.raises(AuthError, match="no credentials: no way to authorize serves") as raised:
        await name_of(connect({"DATABRICKS_CLIENT_ID": "id"}))
    said = str(raised.value)
    for way in NEEDS:
        assert way in said
    assert "databricks-cli: databricks is not installed" in said
    assert "oauth-m2m (DATABRICKS_CLIENT_SECRET)" in said
    assert "azure-browser (DATABRICKS_AUTH_TYPE=azure-browser, ARM_CLIENT_ID)" in said
    assert "looked in" in said.lower()
    assert not said.endswith("…")


async def test_a_way_that_was_asked_for_is_the_only_one(peers, identity, connect):
    """Its own error, although another way would serve."""
    identity.write_databricks(peers.folder, PERSON)
    with pytest.raises(CredentialUnavailable, match="az"):
        await name_of(connect({"ARM_ENVIRONMENT": "PUBLIC"}, auth_type="azure-cli"))


async def test_the_chain_keeps_to_the_way_that_served(peers, identity, workspace, write_tool, connect):
    """When it fails later, another identity does not take its place."""
    identity.write_az(peers.folder, PERSON)
    identity.write_databricks(peers.folder, "bob@example.com")
    client = connect({"ARM_ENVIRONMENT": "PUBLIC"})
    assert await name_of(client) == PERSON
    write_tool("az", "echo \"Please run 'az login' to setup account.\" >&2", "exit 1")
    workspace.revoke_tokens()
    with pytest.raises(AuthError, match="az login"):
        await name_of(client)
    assert not (peers.folder / "databricks.log").exists()


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"DATABRICKS_TOKEN": "t", "ARM_CLIENT_ID": "x"}, "azure: azure_client_id (from ARM_CLIENT_ID); pat: token"),
        ({"DATABRICKS_TOKEN": "t", "DATABRICKS_METADATA_SERVICE_URL": "x"}, "metadata-service: metadata_service_url"),
        ({"DATABRICKS_OIDC_TOKEN_ENV": "t", "DATABRICKS_OIDC_TOKEN_FILE": "x"}, "env-oidc: "),
        ({"DATABRICKS_CLIENT_ID": "t", "DATABRICKS_CLIENT_SECRET": "t", "DATABRICKS_OIDC_TOKEN_FILE": "x"}, "oauth: "),
    ],
)
def test_two_ways_without_auth_type_are_an_error(variables, said, connect):
    """Which one is meant is not guessed; arguments settle it."""
    with pytest.raises(ConfigError, match="more than one authorization method configured") as raised:
        connect(variables)
    assert said in str(raised.value)
    assert connect(variables, token="t").config.auth_type == "pat"


@pytest.mark.parametrize("companion", [{"ARM_TENANT_ID": "t"}, {"DATABRICKS_AZURE_RESOURCE_ID": RESOURCE_ID}])
async def test_where_is_no_second_way(workspace, connect, companion):
    """A tenant or a resource id beside a token; and the token carries no header of Azure."""
    client = connect({"DATABRICKS_TOKEN": workspace.token, **companion})
    await name_of(client)
    headers = workspace.journal.calls(ME)[0].headers
    assert not [name for name in headers if "azure" in name]


async def test_describe_says_which_way_and_where_each_setting_came_from(identity, connect, entra):
    """Before the first call where the settings settle it, else after it."""
    client = connect(entra)
    assert "auth_type=azure-client-secret" in client.config.describe()
    assert "azure_client_secret=*** (from ARM_CLIENT_SECRET)" in client.config.describe()
    assert f"azure_tenant_id={identity.tenant_id} (from ARM_TENANT_ID)" in client.config.describe()
    assert SECRET not in client.config.describe()
    identity.add_managed_identity(CLIENT_ID)
    client = connect({"ARM_ENVIRONMENT": "PUBLIC", **identity.imds_environment()})
    assert client.config.describe().endswith("auth_type=open (the first call picks it)")
    await name_of(client)
    assert client.config.describe().endswith("auth_type=azure-msi (in use)")


async def test_no_secret_is_in_the_error_of_a_service_that_repeats_it(identity, workspace, connect, entra):
    """Whatever it looks like: the configuration knows its own."""
    words = {"error": "invalid_client", "error_description": f"AADSTS7000215: the secret {SECRET} is wrong"}
    identity.faults.add(V2, Fault.answer(401, json.dumps(words)))
    with pytest.raises(AuthError, match=r"the secret \*\*\* is wrong") as raised:
        await name_of(connect(entra))
    assert SECRET not in repr(raised.value) + str(raised.value.args) + str(raised.value.__cause__)
    workspace.faults.add(ME, Fault.error(403, "PERMISSION_DENIED", f"you with {SECRET} may not"))
    with pytest.raises(Exception, match=r"you with \*\*\* may not; sent to") as denied:
        await name_of(connect(entra))
    assert f"sent to {workspace.url} as azure-client-secret: azure_client_id (from ARM_CLIENT_ID)" in str(denied.value)


async def test_without_a_host_a_way_that_cannot_find_it_ends_the_chain(peers, identity, connect):
    """A service principal of Databricks has no part in Azure; another's login is not used in its place."""
    identity.write_az(peers.folder, PERSON)
    variables = {"DATABRICKS_HOST": "", "DATABRICKS_AZURE_RESOURCE_ID": RESOURCE_ID}
    client = connect({**variables, "DATABRICKS_CLIENT_ID": "a", "DATABRICKS_CLIENT_SECRET": "b"})
    with pytest.raises(AuthError, match=r"host \(DATABRICKS_HOST\) is not set, and oauth-m2m cannot find it"):
        await name_of(client)


async def test_a_client_without_a_host_names_its_resource(connect):
    """Until the host is found."""
    client = connect({"DATABRICKS_HOST": "", "DATABRICKS_AZURE_RESOURCE_ID": RESOURCE_ID})
    assert repr(client) == f"<WorkspaceClient for {RESOURCE_ID}>"
    with pytest.raises(ConfigError, match=r"no host \(DATABRICKS_HOST\)"):
        Config(azure_tenant_id="t")
