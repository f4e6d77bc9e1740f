"""WorkspaceClient: made without a request, closed without a trace, and honest about what it was given."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from databricks_async import Config, Token, WorkspaceClient
from databricks_async.errors import ConfigError, LifecycleError
from databricks_async.local import LocalWorkspace

HOST = "https://adb-1.2.azuredatabricks.net"


def test_a_client_is_made_without_an_event_loop():
    """And shows its host and no secret."""
    w = WorkspaceClient(host=HOST, token="dapi-secret")
    assert repr(w) == f"<WorkspaceClient for {HOST}>"
    assert w.config == Config(host=HOST, token="dapi-secret")
    assert (w.clusters is w.clusters, w.libraries is w.libraries) == (True, True)
    assert w.stats.calls == 0


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"config": Config(host=HOST, token="t"), "token": "t"}, TypeError, "a config or single settings, not both"),
        ({"host": HOST, "token": "t", "hots": HOST}, TypeError, "did you mean 'host'"),
        ({"host": HOST, "auth_type": "pat"}, ConfigError, "no token"),
        ({"host": HOST, "token": "t", "api_versions": {"cluster": "2.0"}}, ValueError, "api_versions has no 'cluster'"),
        ({"host": HOST, "token": "t", "api_versions": {"clusters": 2.0}}, ValueError, "must be a version such as"),
        ({"host": HOST, "token": "t", "api_versions": {"clusters": "2.1/../x"}}, ValueError, "must be a version"),
    ],
)
def test_what_contradicts_itself_is_refused(arguments, error, says):
    """By its name, and before anything is sent."""
    with pytest.raises(error, match=says):
        WorkspaceClient(**arguments)


async def test_a_lent_session_brings_its_own_trace_configs():
    """They could not be added to it."""
    async with aiohttp.ClientSession() as session:
        with pytest.raises(TypeError, match="brings its own trace_configs"):
            WorkspaceClient(host=HOST, token="t", session=session, trace_configs=[aiohttp.TraceConfig()])


async def test_a_lent_session_is_used_and_stays_open(local_workspace):
    """Its maker closes it."""
    async with aiohttp.ClientSession() as session:
        async with WorkspaceClient(host=local_workspace.url, token=local_workspace.token, session=session) as w:
            await w.clusters.list_zones()
        assert not session.closed
        assert local_workspace.journal.connections == 1
    assert local_workspace.journal.connections_opened == 1


async def test_a_credential_takes_the_place_of_the_configurations_own(local_workspace):
    """Its token is what is sent."""
    local_workspace.add_user("ann@example.com", "dapi-ann")

    async def credential():
        return Token("dapi-ann")

    async with WorkspaceClient(host=local_workspace.url, credential=credential) as w:
        await w.clusters.list_zones()
    assert [call.user for call in local_workspace.journal.entries] == ["ann@example.com"]


async def test_calls_are_counted(workspace_client):
    """Since the client was made."""
    await asyncio.gather(*(workspace_client.clusters.list_zones() for _ in range(3)))
    assert (workspace_client.stats.calls, workspace_client.stats.sent) == (3, 3)


async def test_a_client_can_be_closed_twice_and_not_used_afterwards(local_workspace):
    """Used or not; by `async with` or by hand."""
    unused = WorkspaceClient(host=local_workspace.url, token=local_workspace.token)
    await unused.aclose()
    async with WorkspaceClient(host=local_workspace.url, token=local_workspace.token) as used:
        await used.clusters.list_zones()
        await used.aclose()
    for w in (unused, used):
        with pytest.raises(LifecycleError, match="closed"):
            await w.clusters.list_zones()
        with pytest.raises(LifecycleError, match="closed"):
            await w.request("GET", "/api/2.1/clusters/list")
    await local_workspace.journal.until(lambda journal: journal.connections == 0)


async def test_an_error_inside_closes_the_client(local_workspace):
    """And comes out as it is."""

    async def fail():
        async with WorkspaceClient(host=local_workspace.url, token=local_workspace.token) as w:
            await w.clusters.list_zones()
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    await local_workspace.journal.until(lambda journal: journal.connections == 0)


def test_a_client_belongs_to_one_event_loop():
    """The first in which it is used."""

    async def use():
        async with LocalWorkspace() as workspace:
            w = WorkspaceClient(host=workspace.url, token=workspace.token)
            await w.clusters.list_zones()
            with pytest.raises(LifecycleError, match="another event loop"):
                await asyncio.to_thread(asyncio.run, w.clusters.list_zones())
            with pytest.raises(LifecycleError, match="in the event loop in which it was used"):
                await asyncio.to_thread(asyncio.run, w.aclose())
            await w.aclose()

    asyncio.run(use())
