"""WorkspaceClient.request: any endpoint, by the same session, and nothing but that endpoint.

Here are the tests of `message.py`, `service.py`.
"""

from __future__ import annotations

import aiohttp
import pytest

from databricks_async import Config, WorkspaceClient
from databricks_async.clusters.models import AutoScale, ClusterSpec, ListClustersFilterBy, State
from databricks_async.errors import (
    InvalidResponse,
    InvalidState,
    NotFound,
    OutcomeUnknown,
    TemporarilyUnavailable,
    TransportError,
)
from databricks_async.local import Fault

CREATE, LIST = "/api/2.1/clusters/create", "/api/2.1/clusters/list"
SPEC = {"spark_version": "16.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}


async def test_a_get_with_a_nested_query(workspace_client, local_workspace):
    """Mappings with dots, lists repeated, booleans in lower case, None left out; models and their words too."""
    query = {
        "filter_by": {"is_pinned": False, "cluster_states": [State.RUNNING, "PENDING"], "policy_id": None},
        "page_size": 5,
        "page_token": None,
    }
    answer = await workspace_client.request("GET", LIST, query=query)
    assert answer == {"next_page_token": "", "prev_page_token": ""}
    model = ListClustersFilterBy(is_pinned=False, cluster_states=[State.RUNNING, State.PENDING])
    await workspace_client.request("get", LIST, query={"filter_by": model, "page_size": 5})

    expected = {
        "filter_by.is_pinned": "false",
        "filter_by.cluster_states": ["RUNNING", "PENDING"],
        "page_size": "5",
    }
    assert [(call.query, call.unknown, call.body) for call in local_workspace.journal.entries] == [
        (expected, [], None)
    ] * 2


async def test_a_post_with_models_in_its_body(workspace_client, local_workspace):
    """Written as JSON, at any depth."""
    spec = ClusterSpec(spark_version="16.4.x-scala2.12", autoscale=AutoScale(min_workers=1, max_workers=2))
    spec.node_type_id = "Standard_DS3_v2"
    answer = await workspace_client.request("POST", CREATE, body=spec)
    cluster_id = answer["cluster_id"]
    local_workspace.clock.advance(600)
    body = {"cluster_id": cluster_id, "autoscale": AutoScale(min_workers=2, max_workers=4)}
    assert await workspace_client.request("POST", "/api/2.1/clusters/resize", body=body) == {}

    created, resized = (call.body for call in local_workspace.journal.entries)
    assert created == spec.as_dict()
    assert resized == {"cluster_id": cluster_id, "autoscale": {"min_workers": 2, "max_workers": 4}}


@pytest.mark.parametrize(
    ("raw", "decoded"), [(b"", None), (b"null", None), (b"{}", {}), (b'[{"a": 1}, 2]', [{"a": 1}, 2]), (b"5", 5)]
)
async def test_an_answer_is_whatever_json_it_is(workspace_client, local_workspace, raw, decoded):
    """An empty one is None."""
    local_workspace.faults.add("GET *", Fault.answer(200, raw))
    local_workspace.faults.add("POST *", Fault.answer(200, raw))
    assert await workspace_client.request("GET", LIST) == decoded
    assert await workspace_client.request("POST", LIST) == decoded


async def test_every_method_of_the_api(workspace_client, local_workspace):
    """Upper or lower case; a HEAD has no answer to decode."""
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "delete"):
        local_workspace.faults.add("*", Fault.answer(200, b"" if method == "HEAD" else b'{"a": 1}'))
        answer = await workspace_client.request(method, "/api/2.0/anything", body={} if method == "PUT" else None)
        assert answer == (None if method == "HEAD" else {"a": 1})
    assert [call.endpoint.partition(" ")[0] for call in local_workspace.journal.entries][-2:] == ["DELETE", "DELETE"]


async def test_an_unknown_endpoint_is_not_found(workspace_client):
    """Errors are those of all other calls."""
    with pytest.raises(NotFound, match="No API found") as caught:
        await workspace_client.request("GET", "/api/2.0/nothing")
    assert (caught.value.status, caught.value.error_code) == (404, "ENDPOINT_NOT_FOUND")
    assert caught.value.endpoint == "GET /api/2.0/nothing"


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/api/2.1/clusters/list",
        "//evil.example/api/2.1/clusters/list",
        "evil.example/api",
        "api/2.1/clusters/list",
        "",
        "\\\\evil.example\\api",
    ],
)
async def test_a_path_names_no_host(workspace_client, local_workspace, path):
    """The token goes to the workspace and nowhere else."""
    with pytest.raises(ValueError, match="a path begins with one '/' and names no host"):
        await workspace_client.request("GET", path)
    assert local_workspace.journal.entries == []


@pytest.mark.parametrize("path", [LIST + "?page_size=5", LIST + "?", LIST + "#top", LIST + "#"])
async def test_a_path_has_no_query(workspace_client, local_workspace, path):
    """There is an argument for it."""
    with pytest.raises(ValueError, match="put the query into query="):
        await workspace_client.request("GET", path)
    assert local_workspace.journal.entries == []


@pytest.mark.parametrize("method", ["", "TRACE", "CONNECT", "GET /x HTTP/1.1\r\nX: y\r\n\r\nGET", "OPTIONS"])
async def test_a_method_is_one_of_the_api(workspace_client, local_workspace, method):
    """And nothing that could split a request."""
    with pytest.raises(ValueError, match="is not a method of the REST API"):
        await workspace_client.request(method, LIST)
    assert local_workspace.journal.entries == []


@pytest.mark.parametrize(
    ("path", "arrives"),
    [
        ("/api/2.0/a\r\nX-Injected: yes\r\n\r\nGET /api/2.0/b HTTP/1.1", "a%0D%0AX-Injected:%20yes%0D%0A%0D%0AGET"),
        ("/api/2.0/a b", "/api/2.0/a%20b"),
        ("/api/2.0/ä", "/api/2.0/%C3%A4"),
        ("/api/2.0/a%2Fb", "/api/2.0/a%2Fb"),
        ("/api/2.0/a\\b", "/api/2.0/a%5Cb"),
        ("/api/2.0/a\x00b", "/api/2.0/a%00b"),
        ("/@evil.example/", "/@evil.example/"),
        ("/api/2.0/files/Volumes/x=1,y:2", "/api/2.0/files/Volumes/x=1,y:2"),
    ],
)
async def test_a_path_cannot_split_the_request(local_workspace, path, arrives):
    """What has no place in a path is percent-encoded, what is encoded already is left; errors stay on one line."""
    urls = []

    async def note(session, context, params):
        urls.append(params.url)

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(note)
    config = Config(host=local_workspace.url, token=local_workspace.token)
    async with WorkspaceClient(config=config, trace_configs=[trace]) as w:
        with pytest.raises(NotFound) as caught:
            await w.request("GET", path)

    assert [(url.host, url.raw_query_string) for url in urls] == [("127.0.0.1", "")]
    assert arrives in urls[0].raw_path
    (call,) = local_workspace.journal.entries
    assert "x-injected" not in call.headers
    assert str(caught.value).isprintable()


async def test_a_query_and_a_body_hold_what_can_be_written(workspace_client, local_workspace):
    """The error names the place, and nothing is sent."""
    for given in ({"query": {"a": {"b": {1, 2}}}}, {"body": {"a": {"b": {1, 2}}}}):
        with pytest.raises(ValueError, match=r"\$\.a\.b: expected something that JSON knows, got a set"):
            await workspace_client.request("POST", LIST, **given)
    assert local_workspace.journal.entries == []


@pytest.mark.parametrize("lost", [Fault.drop(after=True), Fault.error(502, "BAD_GATEWAY", after=True), Fault.cut()])
async def test_a_post_whose_answer_is_lost_is_not_sent_again(workspace_client, local_workspace, lost):
    """The caller did not say that it could be."""
    local_workspace.faults.add(f"POST {CREATE}", lost)
    with pytest.raises(OutcomeUnknown, match="it may or may not have been carried out"):
        await workspace_client.request("POST", CREATE, body=SPEC)
    assert local_workspace.journal.count(f"POST {CREATE}") == 1
    assert len((await workspace_client.request("GET", LIST))["clusters"]) == 1


async def test_a_patch_is_unsafe_and_a_put_a_delete_and_a_get_are_not(workspace_client, local_workspace):
    """Unless the caller says otherwise."""
    for method, tries in (("PATCH", 1), ("PUT", 2), ("DELETE", 2), ("GET", 2), ("HEAD", 2)):
        local_workspace.journal.clear()
        local_workspace.faults.add(f"{method} *", Fault.drop())
        with pytest.raises(OutcomeUnknown if method == "PATCH" else (NotFound, OutcomeUnknown)):
            await workspace_client.request(method, "/api/2.0/anything")
        assert local_workspace.journal.count() == tries


async def test_the_caller_knows_what_sending_twice_does(workspace_client, local_workspace):
    """A POST that reads may be repeated, a GET that does something may not."""
    events = {"cluster_id": (await workspace_client.request("POST", CREATE, body=SPEC))["cluster_id"]}
    local_workspace.faults.add("POST *", Fault.drop(after=True))
    answer = await workspace_client.request("POST", "/api/2.1/clusters/events", body=events, replay="safe")
    assert answer["total_count"] >= 1

    local_workspace.faults.add("POST *", Fault.drop())
    await workspace_client.request("POST", "/api/2.1/clusters/pin", body=events, replay="idempotent")

    local_workspace.faults.add("GET *", Fault.drop())
    with pytest.raises(OutcomeUnknown):
        await workspace_client.request("GET", LIST, replay="unsafe")

    local_workspace.faults.add("POST *", Fault.drop(after=True))
    with pytest.raises(OutcomeUnknown, match="repeated and then refused"):
        await workspace_client.request("POST", "/api/2.1/clusters/permanent-delete", body=events, replay="idempotent")


async def test_a_misspelt_replay_is_not_taken_for_another(workspace_client, local_workspace):
    """It would decide whether work is done twice."""
    with pytest.raises(ValueError, match="replay must be one of safe, idempotent, token, unsafe, not 'unsave'"):
        await workspace_client.request("POST", CREATE, body=SPEC, replay="unsave")
    assert local_workspace.journal.entries == []


async def test_a_plain_refusal_is_no_mystery(workspace_client, local_workspace):
    """A 400 to an unsafe call says that it was not carried out."""
    cluster_id = (await workspace_client.request("POST", CREATE, body=SPEC))["cluster_id"]
    local_workspace.overlay(cluster_id, state="PENDING")
    with pytest.raises(InvalidState):
        await workspace_client.request("POST", "/api/2.1/clusters/start", body={"cluster_id": cluster_id})


async def test_an_answer_that_is_not_json_is_told_so(workspace_client, local_workspace):
    """Without its content; for an unsafe call the outcome is open."""
    local_workspace.faults.add("*", Fault.answer(200, b"{secret"), times=2)
    with pytest.raises(InvalidResponse, match="expected JSON") as caught:
        await workspace_client.request("GET", LIST)
    assert "secret" not in str(caught.value)
    with pytest.raises(OutcomeUnknown, match="probably carried out"):
        await workspace_client.request("POST", CREATE, body=SPEC)


async def test_the_last_error_is_raised_when_the_budget_ends(local_workspace):
    """With the number of tries."""
    config = Config(host=local_workspace.url, token=local_workspace.token, retry_timeout_seconds=0.3)
    async with WorkspaceClient(config=config) as w:
        local_workspace.faults.add("GET *", Fault.error(503, "TEMPORARILY_UNAVAILABLE", "later"), times=100)
        with pytest.raises(TemporarilyUnavailable, match="later") as caught:
            await w.request("GET", LIST)
    assert caught.value.attempts == local_workspace.journal.count() > 1
    assert not isinstance(caught.value, TransportError)


async def test_a_large_body_is_sent_whole(workspace_client, local_workspace):
    """More than a megabyte, also when it has to be sent again; without a warning of aiohttp's."""
    local_workspace.faults.add("POST /api/2.0/large", Fault.error(429, "REQUEST_LIMIT_EXCEEDED", after=True))
    with pytest.raises(NotFound):
        await workspace_client.request("POST", "/api/2.0/large", body={"content": "x" * 2**21})
    assert [len(call.body["content"]) for call in local_workspace.journal.calls("POST /api/2.0/large")] == [2**21] * 2
