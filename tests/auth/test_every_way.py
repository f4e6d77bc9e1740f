"""Each way in over real HTTP: one call, a thousand cold callers, and what is left behind.

Of `cli/auth_demo.py`, `auth/metadata.py` and `auth/runtime.py` too.
"""

from __future__ import annotations

import asyncio
import logging

import pytest

from databricks_async.cli import auth_demo

LIST = "GET /api/2.1/clusters/list"
WAYS = pytest.mark.parametrize("way", auth_demo.WAYS, ids=lambda way: way.__name__)

# The requests for one token: at the workspace and at the peers, and the runs of tools.
ENTRA = ["POST /{tenant}/oauth2/v2.0/token"]
DISCOVERY = "GET /oidc/.well-known/oauth-authorization-server"
EXCHANGE = [DISCOVERY, "POST /oidc/v1/token"]
REQUESTS = {
    "pat": ([], []),
    "oauth_m2m": (EXCHANGE, []),
    "azure_client_secret": (["GET /aad/auth"], ENTRA),
    "azure_client_certificate": (["GET /aad/auth"], ENTRA),
    "azure_workload_identity": ([], ENTRA),
    "azure_msi": ([], ["GET /metadata/identity/oauth2/token"]),
    "azure_msi_in_app_service": ([], ["GET /msi/token"]),
    "azure_cli": (["GET /aad/auth"], []),
    "azure_browser": (["GET /aad/auth"], ["GET /{tenant}/oauth2/v2.0/authorize", *ENTRA]),
    "github_oidc": (["GET /.well-known/databricks-config", *EXCHANGE], ["GET /github/token"]),
    "github_oidc_azure": (["GET /aad/auth"], ["GET /github/token", *ENTRA]),
    "azure_devops_oidc": (
        EXCHANGE,
        ["POST /devops/{project}/_apis/distributedtask/hubs/{hub}/plans/{plan}/jobs/{job}/oidctoken"],
    ),
    "env_oidc": (EXCHANGE, []),
    "file_oidc": (EXCHANGE, []),
    "external_browser": ([DISCOVERY, "GET /oidc/v1/authorize", "POST /oidc/v1/token"], []),
    "databricks_cli": ([], []),
    "metadata_service": ([], ["GET /metadata-service"]),
    "runtime": ([], []),
    "azure_credential": ([], []),
    "function": ([], []),
}


def endpoints(journal):
    return [call.endpoint for call in journal.entries if call.endpoint != LIST]


@WAYS
async def test_a_thousand_cold_callers_make_one_token_request(way, peers, connect, runs):
    """One fetch serves all of them, by every way; later calls fetch nothing more."""
    settings, variables = way(peers)
    client = connect(variables, **settings)
    for callers in (1000, 10):
        await asyncio.gather(*(client.clusters.list().collect() for _ in range(callers)))
    at_workspace, at_peers = REQUESTS[way.__name__]
    assert sorted(endpoints(peers.workspace.journal)) == sorted(at_workspace)
    assert endpoints(peers.identity.journal) == at_peers
    assert peers.workspace.journal.count(LIST) == 1010
    assert client.stats.tokens == 1
    tool = {"azure_cli": "az", "databricks_cli": "databricks"}.get(way.__name__)
    if tool is not None:
        assert len(runs(tool)) == 1


@WAYS
async def test_a_revoked_token_is_renewed_once(way, peers, connect):
    """A hundred calls whose token is refused fetch one other token. A way that has no other says so."""
    settings, variables = way(peers)
    client = connect(variables, **settings)
    await client.clusters.list().collect()
    peers.workspace.revoke_tokens()
    results = await asyncio.gather(*(client.clusters.list().collect() for _ in range(100)), return_exceptions=True)
    fixed = {"azure_cli", "databricks_cli"}  # tools that go on printing the token they have
    assert all(isinstance(result, Exception) == (way.__name__ in fixed) for result in results)
    if way.__name__ not in fixed:
        assert client.stats.tokens == (1 if way.__name__ in {"pat", "runtime"} else 2)


@WAYS
async def test_no_secret_is_logged(way, peers, connect, caplog):
    """At no level, by no logger."""
    caplog.set_level(logging.DEBUG)
    settings, variables = way(peers)
    client = connect(variables, **settings)
    await client.clusters.list().collect()
    secrets = [*peers.workspace._state.tokens, *peers.workspace.logins.spent, *peers.identity._state.refresh_tokens]
    secrets += [
        value for name, value in variables.items() if ("SECRET" in name or "TOKEN" in name) and "/" not in value
    ]
    told = "\n".join(record.getMessage() for record in caplog.records) + repr(client.config) + client.config.describe()
    assert not [secret for secret in secrets if len(secret) > 5 and secret in told]


@WAYS
def test_the_demo_makes_one_call_with_each_way(way):
    """What `databricks-async auth demo` shows: whom each call is made as."""
    name = asyncio.run(auth_demo.call(way))
    persons = {"pat": "admin@example.com", "external_browser": "admin@example.com", "runtime": "admin@example.com"}
    if way.__name__ in ("env_oidc", "file_oidc"):
        assert name == "ci"
    elif name != auth_demo.CLIENT_ID:
        assert name == persons.get(way.__name__, auth_demo.PERSON)
