"""Pipelines: the id token, its audience, the exchange at the workspace, and that both are kept.

Of `auth/oidc.py` and `auth/token_file.py`.
"""

from __future__ import annotations

import asyncio

import pytest

from databricks_async.cli import auth_demo
from databricks_async.cli.auth_demo import CLIENT_ID
from databricks_async.errors import AuthError
from databricks_async.local import Fault, LocalWorkspace
from databricks_async.local.identity_peers import tokens

EXCHANGE = "POST /oidc/v1/token"
GITHUB = "GET /github/token"
METADATA = "GET /.well-known/databricks-config"
DEVOPS = "POST /devops/*"


@pytest.fixture
def workflow(identity, connect):
    """Makes clients in a GitHub workflow."""

    def workflow(variables=None, **settings):
        return connect(identity.github_environment() | (variables or {}), **{"client_id": CLIENT_ID} | settings)

    return workflow


async def test_a_thousand_calls_in_a_pipeline_make_one_id_token_and_one_exchange(workspace, identity, workflow):
    """Where the official SDK makes both anew for each call."""
    identity.add_federation_policy(client_id=CLIENT_ID)
    client = workflow()
    await client.current_user.me()
    for _ in range(100):
        await asyncio.gather(*(client.current_user.me() for _ in range(10)))
    assert (identity.journal.count(GITHUB), workspace.journal.count(EXCHANGE)) == (1, 1)
    assert workspace.journal.count("GET /api/*") == 1001


async def test_the_exchange_is_that_of_the_manual(workspace, identity, workflow):
    identity.add_federation_policy(client_id=CLIENT_ID)
    await workflow().current_user.me()
    (call,) = workspace.journal.calls(EXCHANGE)
    assert call.body == {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token": "***",
        "subject_token_type": "***",
        "scope": "all-apis",
        "client_id": CLIENT_ID,
    }
    assert "authorization" not in call.headers
    (asked,) = identity.journal.calls(GITHUB)
    assert asked.query == {"job": "1", "audience": f"{workspace.url}/oidc/v1/token"}
    assert asked.headers["authorization"] == "***"


@pytest.mark.parametrize(
    ("told", "settings", "audience"),
    [
        ({}, {"token_audience": "mine"}, "mine"),
        ({"token_federation_default_oidc_audiences": ["first", "second"]}, {}, "first"),
        ({"account_id": "account"}, {}, "account"),
        ({"account_id": "account", "workspace_id": "1"}, {}, "{url}/oidc/v1/token"),
        ({}, {"account_id": "mine"}, "mine"),
        ({}, {"account_id": "mine", "workspace_id": "1"}, "{url}/oidc/v1/token"),
    ],
)
async def test_the_audience(told, settings, audience, workspace, identity, workflow):
    """As the official SDK chooses it."""
    import orjson

    identity.add_federation_policy(client_id=CLIENT_ID)
    workspace.faults.add(METADATA, Fault.answer(200, orjson.dumps(told)))
    await workflow(**settings).current_user.me()
    assert identity.journal.entries[0].query["audience"] == audience.format(url=workspace.url)


async def test_a_workspace_without_metadata(workspace, identity, workflow):
    identity.add_federation_policy(client_id=CLIENT_ID)
    workspace.faults.add(METADATA, Fault.answer(404))
    await workflow().current_user.me()
    assert identity.journal.entries[0].query["audience"] == f"{workspace.url}/oidc/v1/token"


async def test_no_policy_fits(identity, workflow):
    """The workspace's own words; the chain goes no further."""
    identity.add_federation_policy(client_id=CLIENT_ID, subject="repo:other")
    with pytest.raises(
        AuthError, match="gave no token for the id token of GitHub: No federation policy fits"
    ) as raised:
        await workflow().current_user.me()
    assert raised.value.error_code == "invalid_grant"


async def test_a_workflow_without_permission(connect):
    with pytest.raises(AuthError, match=r"github-oidc \(ACTIONS_ID_TOKEN_REQUEST_URL"):
        await connect({"DATABRICKS_CLIENT_ID": CLIENT_ID}).current_user.me()


async def test_a_missing_secret_is_not_reported_before_the_pipeline_is_tried(identity, workflow):
    """client_id beside the pipeline's own variables is one way, not two."""
    identity.add_federation_policy(client_id=CLIENT_ID)
    client = workflow()
    assert (await client.current_user.me()).user_name == CLIENT_ID
    assert "auth_type=github-oidc (in use)" in client.config.describe()


async def test_the_id_tokens_of_github_are_new_for_each_token_of_entra(workspace, identity, peers, connect):
    settings, variables = auth_demo.github_oidc_azure(peers)
    client = connect(variables, **settings)
    await client.current_user.me()
    workspace.revoke_tokens()
    await client.current_user.me()
    assert identity.journal.count(GITHUB) == 2
    assert {call.query["audience"] for call in identity.journal.calls(GITHUB)} == {"api://AzureADTokenExchange"}


async def test_github_is_unavailable_for_a_moment(identity, workflow):
    identity.faults.add(GITHUB, Fault.answer(503))
    identity.add_federation_policy(client_id=CLIENT_ID)
    await workflow().current_user.me()
    assert identity.journal.count(GITHUB) == 2


async def test_github_refuses(identity, workflow):
    with pytest.raises(AuthError, match="no id token from GitHub: The token of this job is not valid"):
        await workflow({"ACTIONS_ID_TOKEN_REQUEST_TOKEN": "another"}).current_user.me()


async def test_the_request_to_azure_devops(workspace, identity, peers, connect):
    """A refusal is no redirect to a page, and the audience is always the same."""
    settings, variables = auth_demo.azure_devops_oidc(peers)
    await connect(variables, **settings).current_user.me()
    (call,) = identity.journal.calls(DEVOPS)
    assert call.query == {"api-version": "7.2-preview.1"}
    assert call.headers["x-tfs-fedauthredirect"] == "Suppress"
    with pytest.raises(AuthError, match="no id token from Azure DevOps: The token of this job is not valid"):
        await connect(variables | {"SYSTEM_ACCESSTOKEN": "another"}, **settings).current_user.me()


async def test_a_step_that_does_not_map_its_token(peers, connect):
    settings, variables = auth_demo.azure_devops_oidc(peers)
    del variables["SYSTEM_ACCESSTOKEN"]
    with pytest.raises(AuthError, match=r"azure-devops-oidc \(SYSTEM_ACCESSTOKEN\)"):
        await connect(variables, auth_type="azure-devops-oidc", **settings).current_user.me()


async def test_the_file_is_read_anew(workspace, identity, peers, connect):
    """Its owner renews it; the second exchange is with the new one."""
    settings, variables = auth_demo.file_oidc(peers)
    client = connect(variables, **settings)
    await client.current_user.me()
    path = peers.folder / "id-token"
    path.write_text(identity.id_token("ci", "somebody else"))
    workspace.revoke_tokens()
    with pytest.raises(AuthError, match="No federation policy fits"):
        await client.current_user.me()
    path.unlink()
    with pytest.raises(AuthError, match=r"the id token file .*/id-token cannot be used: No such file or directory"):
        await client.current_user.me()
    path.write_text("two words")
    with pytest.raises(AuthError, match="it holds no token"):
        await client.current_user.me()


async def test_a_variable_of_another_name(identity, connect):
    identity.add_federation_policy(subject="ci", client_id=CLIENT_ID)
    variables = {"DATABRICKS_OIDC_TOKEN_ENV": "MY_TOKEN", "DATABRICKS_CLIENT_ID": CLIENT_ID}
    client = connect(variables | {"MY_TOKEN": identity.id_token("ci", "x")})
    assert (await client.current_user.me()).user_name == CLIENT_ID


async def test_an_exchanged_token_lives_as_long_as_its_id_token(workspace, identity, connect):
    """The peers say so, and the client renews by it."""
    identity.add_federation_policy(subject="ci")
    client = connect({"DATABRICKS_OIDC_TOKEN": identity.id_token("ci", "x", seconds=35)})
    await client.current_user.me()
    await client.current_user.me()
    assert workspace.journal.count(EXCHANGE) == 2


async def test_a_forged_id_token_is_refused(workspace, identity, connect):
    """The workspace verifies the signature with the issuer's key."""
    identity.add_federation_policy(subject="ci")
    header, claims, signature = identity.id_token("ci", "x").split(".")
    forged = tokens.decode(claims).replace(b'"sub":"ci"', b'"sub":"me"')
    for token in (f"{header}.{tokens.encode(forged)}.{signature}", "no.jwt", identity.id_token("ci", "x", seconds=-5)):
        with pytest.raises(AuthError, match="The subject token is not valid"):
            await connect({"DATABRICKS_OIDC_TOKEN": token}).current_user.me()


async def test_the_metadata_service_must_lie_on_this_machine(connect):
    with pytest.raises(AuthError, match="must be an address on this machine"):
        await connect({"DATABRICKS_METADATA_SERVICE_URL": "http://10.0.0.1/token"}).current_user.me()


@pytest.mark.parametrize("as_text", [True, False])
async def test_the_metadata_service(as_text, workspace, identity, connect):
    """`expires_on` is a number or text."""
    import time

    import orjson

    end = int(time.time()) + 3600
    body = {"access_token": identity.access_token("ann", person=True), "expires_on": str(end) if as_text else end}
    identity.faults.add("GET /metadata-service", Fault.answer(200, orjson.dumps(body)))
    await connect(identity.metadata_environment()).current_user.me()
    (call,) = identity.journal.entries
    assert call.headers["x-databricks-metadata-version"] == "1"
    assert call.headers["x-databricks-host"] == workspace.url


async def test_discovery_that_names_another_host_gets_no_id_token(workspace, identity, connect):
    import orjson

    async with LocalWorkspace() as elsewhere:
        answer = orjson.dumps({"token_endpoint": f"{elsewhere.url}/oidc/v1/token"})
        workspace.faults.add("GET /oidc/.well-known/oauth-authorization-server", Fault.answer(200, answer))
        with pytest.raises(AuthError, match="lies on another host"):
            await connect({"DATABRICKS_OIDC_TOKEN": identity.id_token("ci", "x")}).current_user.me()
        assert elsewhere.journal.entries == []


async def test_a_token_endpoint_that_has_moved_is_discovered_anew(workspace, identity, connect):
    """404 at the old address: discovered once more within the same call."""
    identity.add_federation_policy(subject="ci")
    workspace.add_service_principal("sp", "secret")
    import orjson

    old = orjson.dumps({"token_endpoint": f"{workspace.url}/oidc/v0/token"})
    workspace.faults.add("GET /oidc/.well-known/oauth-authorization-server", Fault.answer(200, old))
    await connect(client_id="sp", client_secret="secret").current_user.me()
    assert [call.endpoint for call in workspace.journal.entries][:4] == [
        "GET /oidc/.well-known/oauth-authorization-server",
        "POST /oidc/v0/token",
        "GET /oidc/.well-known/oauth-authorization-server",
        EXCHANGE,
    ]
