"""The session's edge, to the letter: the URLs, headers and bodies that leave it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Any
from unittest.mock import Mock

import aioresponses.core
import pytest
from aiohttp import ClientResponse
from yarl import URL

from databricks_async import WorkspaceClient
from databricks_async.clusters.models import ListClustersFilterBy, State

Edge = aioresponses.core.aioresponses
HOST = "https://adb-1234567890123456.7.azuredatabricks.net"


@pytest.fixture
def edge(monkeypatch: pytest.MonkeyPatch) -> Iterator[Edge]:
    """Answers in place of the network."""
    # aioresponses does not know the argument that aiohttp 3.14 added.
    response = partial(ClientResponse, stream_writer=Mock(output_size=0))
    monkeypatch.setattr(aioresponses.core, "ClientResponse", response)
    with Edge() as answers:
        yield answers


@pytest.fixture
async def w() -> AsyncIterator[WorkspaceClient]:
    async with WorkspaceClient(host=HOST + "/?o=1234567890123456#job/5", token="dapi-secret") as client:
        yield client


def sent(edge: Edge) -> list[tuple[str, URL, dict[str, Any]]]:
    return [(method, url, call.kwargs) for (method, url), calls in edge.requests.items() for call in calls]


async def test_a_get_in_full(edge: Edge, w: WorkspaceClient) -> None:
    """The URL, the token, and who asks; redirects are not followed."""
    url = URL(f"{HOST}/api/2.1/clusters/get?cluster_id=0923-164208-meows279")
    edge.get(url, body=b'{"cluster_id": "0923-164208-meows279"}')
    await w.clusters.get("0923-164208-meows279")
    ((method, asked, request),) = sent(edge)
    assert (method, asked) == ("GET", url)
    assert request["headers"]["Authorization"] == "Bearer dapi-secret"
    assert request["headers"]["Accept"] == "application/json"
    assert request["headers"]["User-Agent"].startswith("databricks-async/")
    assert "Content-Type" not in request["headers"]
    assert request["allow_redirects"] is False


async def test_a_post_in_full(edge: Edge, w: WorkspaceClient) -> None:
    """The body is JSON and holds what was given, no more."""
    edge.post(f"{HOST}/api/2.1/clusters/create", body=b'{"cluster_id": "1"}')
    await w.clusters.create(spark_version="15.4.x-scala2.12", num_workers=0, spark_conf={}, custom_tags={"a": "ä"})
    ((_, _, request),) = sent(edge)
    assert request["headers"]["Content-Type"] == "application/json"
    assert json.loads(request["data"]) == {
        "spark_version": "15.4.x-scala2.12",
        "num_workers": 0,
        "spark_conf": {},
        "custom_tags": {"a": "ä"},
    }


@pytest.mark.parametrize(
    ("cluster_id", "query"),
    [
        ("a/b?c", "cluster_id=a%2Fb%3Fc"),
        ("a b+c&d=e", "cluster_id=a%20b%2Bc%26d%3De"),
        ("ü%2F#", "cluster_id=%C3%BC%252F%23"),
        ("..", "cluster_id=.."),
    ],
)
async def test_an_id_stays_one_value_of_the_query(edge: Edge, w: WorkspaceClient, cluster_id: str, query: str) -> None:
    """Whatever stands in an id, it reaches the service as that id."""
    edge.get(URL(f"{HOST}/api/2.1/clusters/get?{query}", encoded=True), body=b'{"cluster_id": "x"}')
    await w.clusters.get(cluster_id)
    ((_, asked, _),) = sent(edge)
    assert asked.query["cluster_id"] == cluster_id


async def test_an_id_stays_one_segment_of_the_path(edge: Edge, w: WorkspaceClient) -> None:
    """A slash or question mark in a path parameter does not change the endpoint."""
    path = "/api/2.0/permissions/clusters/a%2F..%2Fb%3Fc%23d"
    edge.get(URL(HOST + path, encoded=True), body=b"{}")
    await w.clusters.get_permissions("a/../b?c#d")
    ((_, asked, _),) = sent(edge)
    assert asked.raw_path == path


async def test_filters_are_flattened(edge: Edge, w: WorkspaceClient) -> None:
    """Nested names are joined with dots, lists repeat their name, booleans are in lower case, None is left out."""
    query = "filter_by.cluster_states=RUNNING&filter_by.cluster_states=NEW_STATE&filter_by.is_pinned=true&page_size=100"
    edge.get(f"{HOST}/api/2.1/clusters/list?{query}", body=b"{}")
    states = [State.RUNNING, State("NEW_STATE")]
    pager = w.clusters.list(filter_by=ListClustersFilterBy(cluster_states=states, is_pinned=True))
    assert await pager.collect() == []
    ((_, asked, _),) = sent(edge)
    assert sorted(asked.query_string.split("&")) == sorted(query.split("&"))


async def test_the_next_page_of_2_0_is_sent_back_as_it_came(edge: Edge) -> None:
    """`next_page` is the whole body of the next request, unknown members included."""
    url = f"{HOST}/api/2.0/clusters/events"
    next_page = {"cluster_id": "1", "offset": 50, "limit": 50, "end_time": 7, "newer": {"than": "us"}}
    edge.post(url, body=json.dumps({"events": [{"cluster_id": "1"}], "next_page": next_page}).encode())
    edge.post(url, body=b'{"events": [{"cluster_id": "1"}]}')
    async with WorkspaceClient(host=HOST, token="dapi-secret", api_versions={"clusters": "2.0"}) as w:
        assert len(await w.clusters.events("1", order="ASC").collect()) == 2
    first, second = (json.loads(request["data"]) for _, _, request in sent(edge))
    assert first == {"cluster_id": "1", "order": "ASC", "limit": 50}
    assert second == next_page


async def test_the_workspace_is_named_where_hosts_have_several(edge: Edge) -> None:
    """A configured workspace id goes out as a header."""
    edge.get(f"{HOST}/api/2.1/clusters/list-zones", body=b"{}")
    async with WorkspaceClient(host=HOST, token="dapi-secret", workspace_id="42") as w:
        await w.clusters.list_zones()
    ((_, _, request),) = sent(edge)
    assert request["headers"]["X-Databricks-Workspace-Id"] == "42"
