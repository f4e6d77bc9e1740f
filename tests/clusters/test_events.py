"""Events: both versions, both orders, filters, pages of any size, and listings that the service makes hard.

Here are the tests of `pager.py`.
"""

from __future__ import annotations

import asyncio
import json

import pytest

from databricks_async.clusters.models import EventType, GetEventsOrder
from databricks_async.errors import BadRequest, PagingError
from databricks_async.local import Fault

pytestmark = pytest.mark.parametrize("version", ["2.0", "2.1"])

EVENTS = "POST /api/{v}/clusters/events"
START = 1758645728000
"""When the clock moved by hand begins, and the cluster of `history` with it."""


@pytest.fixture
async def history(workspace, make):
    """A cluster with 123 events: those of its start, and one a second from 1000 s on."""
    cluster_id = await make.running()
    workspace.clock.advance(819)
    workspace.add_events(cluster_id, 120)
    workspace.journal.clear()
    return cluster_id


@pytest.fixture
def canned(workspace):
    """Has the next requests for events answered with these bodies."""

    def canned(*bodies):
        # "after": only requests that were dealt with have their body in the journal.
        workspace.faults.add(EVENTS, *(Fault.answer(200, json.dumps(body), after=True) for body in bodies))

    return canned


def page(version, events, token):
    """A page of the version's own kind; no key for the next page at all when `token` is `...`."""
    body = {"events": events}
    if token is not ...:
        older = {"cluster_id": "c", "offset": token} if token else {"": {}}.get(token)
        body |= {"next_page": older} if version == "2.0" else {"next_page_token": token}
    return body


def event(timestamp, kind="RUNNING"):
    return {"cluster_id": "c", "timestamp": timestamp, "type": kind}


def seconds(events):
    """When they happened, in seconds since the cluster was made."""
    return [(event.timestamp - START) / 1000 for event in events]


async def test_the_newest_event_comes_first_unless_asked_otherwise(w, history):
    """All of them in either order, and in no third one."""
    newest_first = await w.clusters.events(history).collect()
    oldest_first = await w.clusters.events(history, order="ASC").collect()

    assert seconds(oldest_first) == [0, 300, 300, *range(1000, 1120)]
    assert oldest_first == newest_first[::-1]
    assert newest_first == await w.clusters.events(history, order=GetEventsOrder.DESC).collect()


@pytest.mark.parametrize(
    ("page_size", "sizes"), [(None, None), (50, [50, 50, 23]), (500, [123]), (123, [123]), (100, [100, 23])]
)
async def test_pages_have_the_size_that_was_asked_for(w, workspace, history, version, page_size, sizes):
    """One request a page, and none more; as many as the version gives unless asked otherwise."""
    pages = [page async for page in w.clusters.events(history, page_size=page_size).pages()]
    usual = [50, 50, 23] if version == "2.0" else [123]

    assert [len(page.items) for page in pages] == (sizes or usual)
    assert workspace.journal.count(EVENTS) == len(pages)
    assert [page.next_page_token is None for page in pages] == [False] * (len(pages) - 1) + [True]


@pytest.mark.parametrize(
    ("max_items", "page_size", "found", "requests"),
    [
        (0, None, 0, 0),
        (1, None, 1, 1),
        (50, 50, 50, 1),
        (51, 50, 51, 2),
        (123, 50, 123, 3),
        (1000, 50, 123, 3),
        (7, 500, 7, 1),
    ],
)
async def test_max_items_is_the_total(w, workspace, history, max_items, page_size, found, requests):
    """No request is made before an event is wanted, and none is for more events than are wanted in all."""
    pager = w.clusters.events(history, max_items=max_items, page_size=page_size)
    everything = await w.clusters.events(history).collect()
    workspace.journal.clear()

    assert await pager.collect() == everything[:found]
    calls = workspace.journal.calls(EVENTS)
    assert len(calls) == requests
    assert all(call.body.get("limit", call.body.get("page_size")) <= max_items for call in calls)


async def test_a_time_and_a_type_can_be_asked_for(w, history):
    """Both ends of the time are included; types are words, members, or just one of them."""
    within = w.clusters.events(history, start_time=START + 1_010_000, end_time=START + 1_012_000)
    assert seconds(await within.collect()) == [1012, 1011, 1010]

    for kinds in (["RUNNING", "CREATING"], (EventType.RUNNING, EventType.CREATING), iter(["CREATING", "RUNNING"])):
        found = await w.clusters.events(history, event_types=kinds).collect()
        assert [event.type for event in found] == [EventType.RUNNING, EventType.CREATING]
    for kind in ("CREATING", EventType.CREATING):
        assert seconds(await w.clusters.events(history, event_types=kind).collect()) == [0]
    assert await w.clusters.events(history, event_types=["NODES_LOST"]).collect() == []


async def test_filters_hold_on_every_page(w, workspace, history):
    """Not only on the first."""
    found = w.clusters.events(
        history,
        order="ASC",
        start_time=START + 1_000_000,
        end_time=START + 1_010_000,
        event_types=["AUTOSCALING_STATS_REPORT"],
        page_size=4,
    )
    assert seconds(await found.collect()) == list(range(1000, 1011))
    assert workspace.journal.count(EVENTS) == 3


@pytest.mark.parametrize("order", ["ASC", "DESC"])
async def test_a_listing_goes_on_from_any_page(connect, w, workspace, history, order):
    """The token of a page is all that another client, much later, needs to have the rest."""
    whole = await w.clusters.events(history, order=order).collect()
    taken = 0
    async for page in w.clusters.events(history, order=order, page_size=50).pages():
        taken += len(page.items)
        rest = connect().clusters.events(history, order=order, page_size=50, page_token=page.next_page_token)
        assert await rest.collect() == (whole[taken:] if page.next_page_token else whole)


async def test_events_that_happen_meanwhile_do_not_shift_the_pages(w, workspace, history):
    """No event comes twice, and none is passed over."""
    before = await w.clusters.events(history).collect()
    seen = []
    async for page in w.clusters.events(history, page_size=50).pages():
        seen += page.items
        workspace.clock.advance(10)
        workspace.add_events(history, 3)
    assert seen == before


async def test_every_loop_over_a_pager_starts_anew(w, workspace, history):
    """A pager is a listing to be made, not one under way."""
    pager = w.clusters.events(history, page_size=100)
    assert workspace.journal.entries == []
    assert [event async for event in pager] == await pager.collect()
    assert workspace.journal.count(EVENTS) == 4


async def test_leaving_a_loop_leaves_nothing(w, workspace, history):
    """No task, not even for a moment, and no request for a page that is not read."""
    tasks = asyncio.all_tasks()
    async for _ in w.clusters.events(history, page_size=50):
        tasks = asyncio.all_tasks()
        break
    async for _ in w.clusters.events(history, page_size=50).pages():
        break
    assert asyncio.all_tasks() == tasks
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == tasks
    assert workspace.journal.count(EVENTS) == 2


@pytest.mark.parametrize("end", [..., None, ""], ids=["absent", "null", "empty"])
async def test_an_empty_page_is_not_the_end_but_a_page_without_a_successor_is(w, workspace, canned, version, end):
    """Whether its token is absent, null or empty."""
    canned(
        page(version, [], "t1"),
        page(version, None, "t2"),
        page(version, [event(1)], "t3"),
        page(version, [event(2)], end),
    )
    pages = [page async for page in w.clusters.events("c").pages()]

    assert [[event.timestamp for event in page.items] for page in pages] == [[], [], [1], [2]]
    asked = [call.body.get("offset" if version == "2.0" else "page_token") for call in workspace.journal.entries]
    assert asked == [None, "t1", "t2", "t3"]
    workspace.journal.clear()


async def test_an_answer_without_events_is_no_events(w, canned):
    """The service leaves out what is empty."""
    canned({})
    assert await w.clusters.events("c").collect() == []


async def test_a_repeated_token_raises(w, workspace, canned, version):
    """After the items of all pages so far; the same request is not made a third time."""
    canned(page(version, [event(1)], "t1"), page(version, [event(2)], "t2"), page(version, [event(3)], "t1"))
    events = aiter(w.clusters.events("c"))
    assert [(await anext(events)).timestamp for _ in range(3)] == [1, 2, 3]
    with pytest.raises(PagingError, match="same page token twice"):
        await anext(events)
    assert workspace.journal.count(EVENTS) == 3
    workspace.journal.clear()


async def test_a_token_that_leads_to_itself_raises(w, workspace, canned, version):
    """Also when the listing began with it."""
    canned(page(version, [event(1)], "t1"))
    first = await anext(w.clusters.events("c").pages())
    canned(page(version, [event(2)], "t1"))
    with pytest.raises(PagingError):
        await w.clusters.events("c", page_token=first.next_page_token).collect()
    workspace.journal.clear()


async def test_both_styles_of_paging_are_understood(w, workspace, canned):
    """A token goes before the older object; an object alone is the whole next request."""
    older = {"cluster_id": "c", "end_time": 5, "offset": 50, "limit": 50}
    canned(
        {"events": [event(1)], "next_page": older},
        {"events": [event(2)], "next_page": {"cluster_id": "c", "page_token": "t"}, "next_page_token": "t"},
        {"events": [event(3)], "next_page": {}, "next_page_token": ""},
    )
    assert [event.timestamp for event in await w.clusters.events("c").collect()] == [1, 2, 3]
    first, second, third = (call.body for call in workspace.journal.entries)
    assert second == older
    assert third == first | {"page_token": "t"}
    workspace.journal.clear()


async def test_an_error_in_mid_listing_is_raised_and_the_loop_can_be_taken_up_again(w, workspace, history):
    """It is not taken for the end; the iterator that failed asks for the same page when it is asked again."""
    pages = w.clusters.events(history, page_size=50).pages()
    whole = list((await anext(pages)).items)
    workspace.faults.add(EVENTS, Fault.error(400, "BAD_REQUEST", "not now"))
    with pytest.raises(BadRequest, match="not now"):
        await anext(pages)
    async for page in pages:
        whole += page.items
    assert whole == await w.clusters.events(history).collect()


async def test_an_event_from_tomorrow_is_a_value(w, canned):
    """Its type is a word that this version does not know, and its fields are kept."""
    details = {"user": "ann", "cause": "SOMETHING_NEW", "mood": "good"}
    canned({"events": [event(1, "TELEPORTED") | {"details": details}]})
    (only,) = await w.clusters.events("c").collect()

    assert (only.type, only.type.is_known, only.details.cause) == ("TELEPORTED", False, "SOMETHING_NEW")
    assert only.details.as_dict() == details


@pytest.mark.parametrize("token", ["{bad", '{"cluster_id": "another"}'])
async def test_a_token_of_another_listing_is_refused(w, workspace, token):
    """A page token of 2.0 is a whole request: it must not turn this listing into another one."""
    with pytest.raises(ValueError, match="page_token is none of a page of the events of cluster c"):
        await w.clusters.events("c", page_token=token).collect()
    assert workspace.journal.count() == 0
