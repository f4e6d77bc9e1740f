"""The list of clusters: pages, filters and order of API 2.1, and the whole list of 2.0."""

from __future__ import annotations

import json

import pytest

from databricks_async.clusters.models import ListClustersFilterBy, ListClustersSortBy, State
from databricks_async.errors import PagingError
from databricks_async.local import Fault

LIST = "GET /api/{v}/clusters/list"


@pytest.fixture
async def names(workspace, make):
    """25 pending clusters, in the order in which they are listed."""
    names = [f"c{number:02}" for number in range(25)]
    for name in names:
        await make.pending(cluster_name=name)
    workspace.journal.clear()
    return names


def named(clusters):
    return [cluster.cluster_name for cluster in clusters]


async def test_pages_follow_each_other(w, workspace, names):
    """As large as asked for, the last one shorter, and each goes on from a token of the one before it."""
    pages = [page async for page in w.clusters.list(page_size=10).pages()]

    assert [len(page.items) for page in pages] == [10, 10, 5]
    assert named(cluster for page in pages for cluster in page.items) == names
    assert named(await w.clusters.list(page_size=10, page_token=pages[0].next_page_token).collect()) == names[10:]
    assert [call.query["page_size"] for call in workspace.journal.entries] == ["10"] * 5


async def test_a_page_is_as_large_as_the_service_allows_unless_asked_otherwise(w, workspace, names):
    """One request for 25 clusters, not two."""
    assert named(await w.clusters.list().collect()) == names
    assert [call.query for call in workspace.journal.entries] == [{"page_size": "100"}]


async def test_max_items_of_one_makes_one_request_for_one(w, workspace, names):
    """A total, not the size of a page."""
    assert named(await w.clusters.list(max_items=1).collect()) == names[:1]
    assert [call.query for call in workspace.journal.entries] == [{"page_size": "1"}]


@pytest.mark.parametrize("max_items", [1, 10, 11, 25, 30])
async def test_max_items_cuts_the_last_page(w, workspace, names, max_items):
    """And needs no request more than its items do."""
    assert named(await w.clusters.list(page_size=10, max_items=max_items).collect()) == names[:max_items]
    assert workspace.journal.count(LIST) == -(-min(max_items, 25) // 10)


@pytest.mark.parametrize("filter_by", [{"is_pinned": True}, ListClustersFilterBy(is_pinned=True)])
async def test_is_pinned_goes_out_as_true(w, workspace, make, names, filter_by):
    """In lower case, as the service writes it, though it is nested."""
    await w.clusters.pin(await make.pending(cluster_name="pinned"))

    assert named(await w.clusters.list(filter_by=filter_by).collect()) == ["pinned"]
    assert workspace.journal.calls(LIST)[-1].query == {"filter_by.is_pinned": "true", "page_size": "100"}
    assert named(await w.clusters.list(filter_by={"is_pinned": False}).collect()) == names
    assert workspace.journal.calls(LIST)[-1].query["filter_by.is_pinned"] == "false"


async def test_several_words_of_a_filter_repeat_their_name(w, workspace, make):
    """States as members or as words, and policies."""
    running, terminating = await make.running(cluster_name="up"), await make.terminating(cluster_name="down")
    await make.pending(cluster_name="soon")
    wanted = ListClustersFilterBy(cluster_states=[State.RUNNING, State.TERMINATING])
    found = await w.clusters.list(filter_by=wanted).collect()

    assert [cluster.cluster_id for cluster in found] == [running, terminating]
    assert workspace.journal.calls(LIST)[-1].query["filter_by.cluster_states"] == ["RUNNING", "TERMINATING"]
    assert await w.clusters.list(filter_by={"policy_id": "none has it"}).collect() == []


@pytest.mark.parametrize("sort_by", [{"field": "CLUSTER_NAME", "direction": "DESC"}, ...])
async def test_an_order_can_be_asked_for(w, workspace, names, sort_by):
    """And holds over all pages."""
    if sort_by is ...:
        sort_by = ListClustersSortBy(field="CLUSTER_NAME", direction="DESC")
    assert named(await w.clusters.list(sort_by=sort_by, page_size=10).collect()) == names[::-1]
    assert workspace.journal.entries[0].query == {
        "sort_by.field": "CLUSTER_NAME",
        "sort_by.direction": "DESC",
        "page_size": "10",
    }


@pytest.mark.parametrize("end", [{}, {"next_page_token": None}, {"next_page_token": ""}])
async def test_an_empty_page_with_a_token_goes_on(w, workspace, end):
    """Until there is no token: absent, null or empty."""
    cluster = {"cluster_id": "0923-164208-meows279"}
    bodies = [{"next_page_token": "a"}, {"clusters": [], "next_page_token": "b"}, {"clusters": [cluster]} | end]
    workspace.faults.add(LIST, *(Fault.answer(200, json.dumps(body)) for body in bodies))

    assert [one.cluster_id for one in await w.clusters.list().collect()] == ["0923-164208-meows279"]
    assert [call.query.get("page_token") for call in workspace.journal.entries] == [None, "a", "b"]


async def test_a_repeated_token_raises(w, workspace):
    """The listing would never end."""
    workspace.faults.add(LIST, Fault.answer(200, b'{"clusters": [], "next_page_token": "a"}'), times=2)
    with pytest.raises(PagingError):
        await w.clusters.list().collect()
    assert workspace.journal.count(LIST) == 2


@pytest.mark.parametrize("version", ["2.0"])
async def test_api_2_0_lists_everything_at_once(w, workspace, names):
    """One request without parameters; `max_items` still cuts."""
    assert named(await w.clusters.list().collect()) == names
    assert named(await w.clusters.list(max_items=3).collect()) == names[:3]
    assert [call.query for call in workspace.journal.entries] == [{}, {}]


@pytest.mark.parametrize("version", ["2.0"])
async def test_api_2_0_lists_what_a_kind_of_work_may_use(w, workspace, make):
    """`can_use_client` is its one filter."""
    await make.pending(cluster_name="no jobs", workload_type={"clients": {"jobs": False}})
    await make.pending(cluster_name="all")

    assert named(await w.clusters.list(can_use_client="JOBS").collect()) == ["all"]
    assert workspace.journal.calls(LIST)[-1].query == {"can_use_client": "JOBS"}
