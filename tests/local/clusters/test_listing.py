"""The list of clusters and the events of one, page by page.

Here are the tests of `local/paging.py`.
"""

from __future__ import annotations

import pytest

DAY = 24 * 3600


async def pages(wire, **params):
    """All pages of version 2.1 of the list, as lists of names."""
    found, token = [], ""
    while True:
        answer = await wire.ok("GET", "/api/2.1/clusters/list", page_token=token, **params)
        found.append([cluster["cluster_name"] for cluster in answer["clusters"]])
        token = answer["next_page_token"]
        if not token:
            return found


async def test_version_2_0_lists_everything_at_once(wire):
    """Without tokens."""
    for number in range(25):
        await wire.create(cluster_name=f"c{number:02}")
    answer = await wire.ok("GET", "/api/2.0/clusters/list")
    assert list(answer) == ["clusters"]
    assert [cluster["cluster_name"] for cluster in answer["clusters"]] == [f"c{number:02}" for number in range(25)]


async def test_version_2_1_pages_with_tokens(wire):
    """Twenty a page unless asked for another number; "" ends the listing."""
    names = [f"c{number:02}" for number in range(25)]
    for name in names:
        await wire.create(cluster_name=name)
    assert await pages(wire) == [names[:20], names[20:]]
    assert await pages(wire, page_size="10") == [names[:10], names[10:20], names[20:]]


async def test_a_page_knows_the_one_before_it(wire):
    """`prev_page_token` leads back, and is "" on the first page."""
    for number in range(5):
        await wire.create(cluster_name=f"c{number}")
    first = await wire.ok("GET", "/api/2.1/clusters/list", page_size="2")
    second = await wire.ok("GET", "/api/2.1/clusters/list", page_token=first["next_page_token"])
    back = await wire.ok("GET", "/api/2.1/clusters/list", page_token=second["prev_page_token"])
    assert first["prev_page_token"] == ""
    assert back == first


@pytest.mark.parametrize("params", [{"page_size": "101"}, {"page_size": "-1"}, {"page_token": "nonsense"}])
async def test_impossible_pages_are_refused(wire, params):
    """400, naming the parameter."""
    status, answer = await wire.get("/api/2.1/clusters/list", **params)
    assert (status, answer["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert next(iter(params)) in answer["message"]


async def test_a_token_of_another_listing_is_refused(wire, workspace):
    """A token says what it was made for."""
    cluster_id = await wire.running()
    workspace.add_events(cluster_id, 100)
    events = await wire.ok("POST", "/api/2.1/clusters/events", cluster_id=cluster_id)
    status, answer = await wire.get("/api/2.1/clusters/list", page_token=events["next_page_token"])
    assert (status, answer["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


async def test_filters_and_orders_of_version_2_1(wire, workspace):
    """States repeat their name, booleans may be written as Python writes them."""
    await wire.running(cluster_name="b", policy_id="p")
    pinned = await wire.create(cluster_name="c")
    await wire.create(cluster_name="a")
    await wire.ok("POST", "/api/2.1/clusters/pin", cluster_id=pinned)

    async def names(*params):
        status, answer = await wire.send("GET", "/api/2.1/clusters/list", params=params)
        assert status == 200, answer
        return [cluster["cluster_name"] for cluster in answer.get("clusters", [])]

    assert await names() == ["b", "c", "a"]
    assert await names(("sort_by.field", "CLUSTER_NAME")) == ["a", "b", "c"]
    assert await names(("sort_by.field", "CLUSTER_NAME"), ("sort_by.direction", "DESC")) == ["c", "b", "a"]
    assert await names(("filter_by.cluster_states", "RUNNING")) == ["b"]
    assert await names(("filter_by.cluster_states", "RUNNING"), ("filter_by.cluster_states", "PENDING")) == [
        "b",
        "c",
        "a",
    ]
    assert await names(("filter_by.is_pinned", "True")) == ["c"]
    assert await names(("filter_by.is_pinned", "false")) == ["b", "a"]
    assert await names(("filter_by.policy_id", "p")) == ["b"]
    assert await names(("filter_by.cluster_sources", "JOB")) == []
    assert workspace.journal.entries[-1].query == {"filter_by.cluster_sources": "JOB"}


async def test_an_unknown_state_in_a_filter_is_refused(wire):
    """By its nested name."""
    status, answer = await wire.get("/api/2.1/clusters/list", **{"filter_by.cluster_states": "ASLEEP"})
    assert status == 400
    assert "filter_by.cluster_states" in answer["message"]


async def test_lists_forget_clusters_a_month_after_their_end(wire, workspace):
    """Unless they are pinned; `get` still knows them."""
    old, pinned = await wire.create(cluster_name="old"), await wire.create(cluster_name="pinned")
    for cluster_id in (old, pinned):
        await wire.ok("POST", "/api/2.1/clusters/delete", cluster_id=cluster_id)
    await wire.ok("POST", "/api/2.1/clusters/pin", cluster_id=pinned)
    workspace.clock.advance(30 * DAY)
    assert await pages(wire) == [["pinned", "old"]]
    workspace.clock.advance(31)
    assert await pages(wire) == [["pinned"]]
    assert [one["cluster_name"] for one in (await wire.ok("GET", "/api/2.0/clusters/list"))["clusters"]] == ["pinned"]
    assert await wire.state(old) == "TERMINATED"


async def test_version_2_0_can_list_by_client(wire):
    """`can_use_client` looks at the workload type."""
    await wire.create(cluster_name="jobs", workload_type={"clients": {"jobs": True, "notebooks": False}})
    await wire.create(cluster_name="both")
    answer = await wire.ok("GET", "/api/2.0/clusters/list", can_use_client="NOTEBOOKS")
    assert [cluster["cluster_name"] for cluster in answer["clusters"]] == ["both"]


@pytest.mark.parametrize("order", ["ASC", "DESC"])
@pytest.mark.parametrize("version", ["2.0", "2.1"])
async def test_next_page_is_the_next_body_until_there_is_none(wire, workspace, version, order):
    """300 events and the three of the start, in order and each once, though new ones arrive on the way."""
    cluster_id = await wire.running()
    workspace.add_events(cluster_id, 300)
    body, found, sizes = {"cluster_id": cluster_id, "limit": 120, "order": order}, [], []
    while body:
        answer = await wire.ok("POST", f"/api/{version}/clusters/events", **body)
        assert answer["total_count"] == 303
        found += answer["events"]
        sizes.append(len(answer["events"]))
        body = answer.get("next_page")
        workspace.clock.advance(1)
        await wire.ok("POST", f"/api/2.1/clusters/{'pin' if len(sizes) % 2 else 'unpin'}", cluster_id=cluster_id)
    times = [event["timestamp"] for event in found]
    assert sizes == [120, 120, 63]
    assert times == sorted(times, reverse=order == "DESC")
    assert len({(event["timestamp"], event["type"]) for event in found}) == 303


async def test_version_2_1_also_pages_events_with_tokens(wire, workspace):
    """`next_page_token` is "" on the last page, where `next_page` is missing."""
    cluster_id = await wire.running()
    workspace.add_events(cluster_id, 97)
    token, sizes = "", []
    while True:
        answer = await wire.ok(
            "POST", "/api/2.1/clusters/events", cluster_id=cluster_id, page_size=40, page_token=token
        )
        sizes.append(len(answer["events"]))
        token = answer["next_page_token"]
        assert ("next_page" in answer) == bool(token)
        if not token:
            break
    assert sizes == [40, 40, 20]
    assert answer["prev_page_token"]


async def test_events_are_filtered_by_type_and_time(wire, workspace):
    """Both ends of the time belong to it."""
    cluster_id = await wire.running()
    workspace.add_events(cluster_id, 10, type="NODES_LOST", every=0)
    now = workspace.clock.now()
    body = {"cluster_id": cluster_id, "event_types": ["NODES_LOST", "RUNNING"], "start_time": now, "end_time": now}
    assert (await wire.ok("POST", "/api/2.0/clusters/events", **body))["total_count"] == 11
    assert "events" not in await wire.ok("POST", "/api/2.0/clusters/events", **(body | {"start_time": now + 1}))
    assert "events" not in await wire.ok("POST", "/api/2.0/clusters/events", **(body | {"end_time": now - 1}))


@pytest.mark.parametrize(
    ("version", "body"),
    [
        ("2.0", {"limit": 501}),
        ("2.0", {"limit": 0}),
        ("2.0", {"offset": -1}),
        ("2.0", {"offset": 10}),
        ("2.0", {"order": "UP"}),
        ("2.0", {"event_types": "RUNNING"}),
        ("2.0", {"event_types": ["JUMPING"]}),
        ("2.1", {"page_size": 501}),
        ("2.1", {"page_size": -1}),
        ("2.1", {"page_token": "bm90IG91cnM="}),
        ("2.1", {"limit": 501}),
        ("2.1", {"offset": 10}),
    ],
)
async def test_impossible_questions_about_events_are_refused(wire, version, body):
    """400; an offset from the newest end needs an `end_time`, or new events would shift it."""
    cluster_id = await wire.running()
    status, answer = await wire.post(f"/api/{version}/clusters/events", cluster_id=cluster_id, **body)
    assert (status, answer["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    offset = "offset" in body
    assert ("end_time" if offset and body["offset"] > 0 else next(iter(body))) in answer["message"]


async def test_offsets_reach_any_page_directly(wire, workspace):
    """With a fixed `end_time`, so pages can be fetched at once."""
    cluster_id = await wire.running()
    workspace.add_events(cluster_id, 100)
    end = workspace.clock.now()
    for version in ("2.0", "2.1"):
        answer = await wire.ok(
            "POST", f"/api/{version}/clusters/events", cluster_id=cluster_id, end_time=end, offset=100, limit=50
        )
        assert len(answer["events"]) == 3
