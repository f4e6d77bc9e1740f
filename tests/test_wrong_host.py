"""A host that is not the one that was meant is told soon, and so is what is not there."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trustme

from databricks_async import WorkspaceClient
from databricks_async.errors import (
    AuthError,
    ConfigError,
    ConnectError,
    InvalidParameterValue,
    NotFound,
    OutcomeUnknown,
    ResourceDoesNotExist,
    TransportError,
    error_from,
)
from databricks_async.local import Fault, LocalWorkspace
from databricks_async.message import Request, Response

Connect = Callable[..., WorkspaceClient]


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@pytest.mark.usefixtures("virtual_time")
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_host_that_refuses_is_told_within_five_seconds(connect: Connect, closed_port: int, scheme: str) -> None:
    w = connect(f"{scheme}://127.0.0.1:{closed_port}")
    with pytest.raises(ConnectError, match="http or https") as caught:
        await w.clusters.list().collect()
    assert caught.value.elapsed is not None
    assert caught.value.elapsed < 5
    assert caught.value.attempts > 1


@pytest.mark.usefixtures("virtual_time")
async def test_a_service_that_was_there_is_waited_for(workspace: LocalWorkspace, w: WorkspaceClient) -> None:
    await w.clusters.list().collect()
    workspace.faults.add("GET /api/{v}/clusters/list", Fault.drop(), times=100)
    with pytest.raises(TransportError) as caught:
        await w.clusters.list().collect()
    assert caught.value.elapsed is not None
    assert caught.value.elapsed > 20


@pytest.mark.usefixtures("virtual_time")
async def test_http_where_https_was_asked_for(workspace: LocalWorkspace, connect: Connect) -> None:
    w = connect(workspace.url.replace("http:", "https:"))
    with pytest.raises(ConnectError, match="http or https") as caught:
        await w.clusters.list().collect()
    assert caught.value.elapsed is not None
    assert caught.value.elapsed < 5


async def test_https_where_http_was_asked_for(connect: Connect) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    async with server:
        w = connect(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        with pytest.raises(TransportError, match="http or https") as caught:
            await w.clusters.list().collect()
        assert caught.value.elapsed is not None
        assert caught.value.elapsed < 5
        with pytest.raises(OutcomeUnknown, match="http or https"):
            await w.clusters.create(spark_version="15.4.x-scala2.12", num_workers=1)


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("https://accounts.azuredatabricks.net", "an account's address: give that of a workspace"),
        ("accounts.cloud.databricks.com", "an account's address: give that of a workspace"),
        ("https://login.microsoftonline.com/tenant", "a login page's address"),
        ("https://www.databricks.com", "a website's address"),
        ("https://portal.azure.com/#home", "the Azure portal's address"),
        (5, "must be text, the address of a workspace"),
    ],
)
def test_an_address_that_is_no_workspace_is_told_at_once(host: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        WorkspaceClient(host=host, token="t")
    WorkspaceClient(host="https://accounts.example.com", token="t")


@pytest.mark.parametrize("credential", ["dapi0123456789", lambda: "dapi0123456789"], ids=["text", "sync"])
async def test_what_is_no_credential_says_what_is(workspace: LocalWorkspace, credential: Any) -> None:
    with pytest.raises(AuthError, match=r"async|awaited") as caught:
        async with WorkspaceClient(host=workspace.url, credential=credential) as w:
            await w.clusters.list().collect()
    assert "dapi0123456789" not in str(caught.value)


def test_a_web_page_where_the_service_has_none() -> None:
    page = Response(404, {"content-type": "text/html"}, b"<html><title>Data and AI company</title></html>")
    error = error_from(Request("GET /api/2.1/clusters/list", "/api/2.1/clusters/list"), page)
    assert error is not None
    assert "web page (Data and AI company): is this the address of a workspace?" in str(error)


@pytest.mark.parametrize(
    "call",
    [
        lambda w: w.clusters.get("0000-000000-absent00"),
        lambda w: w.clusters.start("0000-000000-absent00"),
        lambda w: w.clusters.restart("0000-000000-absent00"),
        lambda w: w.clusters.delete("0000-000000-absent00"),
        lambda w: w.clusters.permanent_delete("0000-000000-absent00"),
        lambda w: w.clusters.resize("0000-000000-absent00", num_workers=1),
        lambda w: w.clusters.pin("0000-000000-absent00"),
        lambda w: w.clusters.events("0000-000000-absent00").collect(),
        lambda w: w.jobs.get(1),
        lambda w: w.jobs.run_now(1),
        lambda w: w.jobs.update(1, {"name": "x"}),
        lambda w: w.jobs.reset(1, {"name": "x"}),
        lambda w: w.jobs.get_run(1),
        lambda w: w.jobs.cancel_run(1),
        lambda w: w.jobs.delete_run(1),
        lambda w: w.jobs.get_run_output(1),
        lambda w: w.jobs.repair_run(1, rerun_all_failed_tasks=True),
    ],
)
async def test_what_is_not_there_is_told_alike(
    w: WorkspaceClient, call: Callable[[WorkspaceClient], Awaitable[Any]]
) -> None:
    with pytest.raises(ResourceDoesNotExist) as caught:
        await call(w)
    assert caught.value.error_code == "INVALID_PARAMETER_VALUE"
    assert isinstance(caught.value, InvalidParameterValue)
    assert isinstance(caught.value, NotFound)


async def test_a_path_that_is_not_there_keeps_its_code(w: WorkspaceClient) -> None:
    for call in (w.workspace.get_status("/absent"), w.workspace.delete("/absent"), w.workspace.export("/absent")):
        with pytest.raises(ResourceDoesNotExist) as caught:
            await call
        assert caught.value.error_code == "RESOURCE_DOES_NOT_EXIST"
