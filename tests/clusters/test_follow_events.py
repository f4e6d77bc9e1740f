"""Following events: each once and in order, whatever happens to the pages, the connection and the program.

Here are the tests of `clusters/following.py`, `following/stream.py` and `following/tokens.py`.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from datetime import UTC, datetime

import pytest

from databricks_async.clusters import ClusterEvent
from databricks_async.clusters.following import OVERLAP_MS, EventFeed
from databricks_async.errors import (
    BadRequest,
    ConnectionLost,
    InternalError,
    LifecycleError,
    ResourceDoesNotExist,
)
from databricks_async.following.stream import Stream
from databricks_async.local import Fault
from databricks_async.pager import Page, Pager

EVENTS = "POST /api/{v}/clusters/events"
START = 1758645728000


@pytest.fixture
async def cluster_id(workspace, make):
    """A running cluster with three events, and a journal without requests."""
    cluster_id = await make.running()
    workspace.journal.clear()
    return cluster_id


async def take(stream, count):
    return [await anext(stream) for _ in range(count)]


def words(events):
    return [event.type for event in events]


@pytest.mark.usefixtures("virtual_time")
@pytest.mark.parametrize("version", ["2.0", "2.1"])
async def test_what_was_and_what_comes(w, workspace, cluster_id):
    """From the first event on, then each as it appears; several of one millisecond in the service's order."""
    stream = w.clusters.follow_events(cluster_id)
    assert words(await take(stream, 3)) == ["CREATING", "RUNNING", "DRIVER_HEALTHY"]
    assert workspace.journal.count(EVENTS) == 1
    coming = asyncio.create_task(take(stream, 5))
    await workspace.journal.until(lambda journal: journal.count(EVENTS) >= 4)
    workspace.clock.advance(10)
    await w.clusters.pin(cluster_id)
    workspace.add_events(cluster_id, 3, every=0)
    await w.clusters.delete(cluster_id)
    await asyncio.wait_for(coming, 60)
    assert words(coming.result())[0] in ("PINNED", "AUTOSCALING_STATS_REPORT")
    assert Counter(words(coming.result()))["AUTOSCALING_STATS_REPORT"] == 3
    assert words(coming.result())[-1] == "TERMINATING"


@pytest.mark.usefixtures("virtual_time")
async def test_it_begins_where_it_is_told_to(w, workspace, cluster_id):
    """Milliseconds, datetimes and tokens; the moment itself counts."""
    for since in (START + 300_000, datetime.fromtimestamp(START / 1000 + 300, UTC)):
        assert (await anext(w.clusters.follow_events(cluster_id, since=since))).type == "RUNNING"
    stream = w.clusters.follow_events(cluster_id)
    await take(stream, 2)
    rest = w.clusters.follow_events(cluster_id, since=stream.token)
    assert words([await anext(rest)]) == ["DRIVER_HEALTHY"]
    assert w.clusters.follow_events(cluster_id, since=rest.token).token == rest.token
    unused = w.clusters.follow_events(cluster_id)
    assert words(await take(w.clusters.follow_events(cluster_id, since=unused.token), 1)) == ["CREATING"]


@pytest.mark.usefixtures("virtual_time")
async def test_a_stream_waits_quietly(w, workspace, cluster_id):
    """One request a poll, between one and three ticks apart; quick again after something happened."""
    loop = asyncio.get_running_loop()
    stream = w.clusters.follow_events(cluster_id, every=10)
    await take(stream, 3)
    assert stream.age < 1
    began = loop.time()
    coming = asyncio.create_task(anext(stream))
    await workspace.journal.until(lambda journal: journal.count(EVENTS) >= 11)
    assert 10 * 10 <= loop.time() - began <= 10 * 36
    workspace.add_events(cluster_id, 1)
    await coming
    assert workspace.journal.count(EVENTS) <= 12
    began = loop.time()
    coming = asyncio.create_task(anext(stream))
    await workspace.journal.until(lambda journal: journal.count(EVENTS) >= 13)
    assert loop.time() - began <= 12.1
    coming.cancel()
    with pytest.raises(asyncio.CancelledError):
        await coming


@pytest.mark.usefixtures("virtual_time")
async def test_bad_polls_do_not_end_it(connect, workspace, cluster_id):
    """Neither is an event lost or repeated; a failure that lasts is raised, and the stream can be taken up again."""
    w = connect(retry_timeout_seconds=0)
    stream = w.clusters.follow_events(cluster_id)
    workspace.faults.add(EVENTS, Fault.error(500, "INTERNAL_ERROR"), Fault.drop(), Fault.too_many_requests())
    assert words(await take(stream, 3)) == ["CREATING", "RUNNING", "DRIVER_HEALTHY"]
    workspace.faults.add(EVENTS, Fault.error(400, "BAD_REQUEST", "not now"))
    workspace.add_events(cluster_id, 2, every=0)
    with pytest.raises(BadRequest, match="not now"):
        await anext(stream)
    assert words(await take(stream, 2)) == ["AUTOSCALING_STATS_REPORT"] * 2


@pytest.mark.usefixtures("virtual_time")
async def test_a_failure_that_lasts_is_raised(w):
    """After so many seconds of nothing else."""

    async def fail(token):
        raise InternalError("broken")

    loop = asyncio.get_running_loop()
    stream = Stream(
        "x",
        EventFeed("c", lambda **_: Pager(fail), None),
        every=None,
        fail_after=90,
        default=1,
        sleep=asyncio.sleep,
    )
    began = loop.time()
    with pytest.raises(InternalError, match="broken"):
        await anext(stream)
    assert 90 <= loop.time() - began <= 94
    assert stream.age is None


@pytest.mark.usefixtures("virtual_time")
async def test_a_deleted_cluster_ends_it_and_an_unknown_one_is_an_error(w, workspace, cluster_id):
    """All that happened up to then was seen."""
    with pytest.raises(ResourceDoesNotExist):
        await anext(w.clusters.follow_events("0923-164208-nothing"))
    stream = w.clusters.follow_events(cluster_id)
    await anext(stream)
    await w.clusters.permanent_delete(cluster_id)
    assert words([event async for event in stream]) == ["RUNNING", "DRIVER_HEALTHY"]
    assert await anext(stream, None) is None
    assert stream.deleted


@pytest.mark.usefixtures("virtual_time")
async def test_leaving_leaves_nothing(w, workspace, cluster_id):
    """No task, no request; a closed client ends it, in the pause between two polls too."""
    stream = w.clusters.follow_events(cluster_id)
    tasks = asyncio.all_tasks()
    async for _ in stream:
        break
    assert asyncio.all_tasks() == tasks
    assert workspace.journal.count(EVENTS) == 1
    assert words(await take(stream, 2)) == ["RUNNING", "DRIVER_HEALTHY"]
    coming = asyncio.create_task(anext(stream))
    await workspace.journal.until(lambda journal: journal.count(EVENTS) >= 3)
    with pytest.raises(RuntimeError, match="two tasks wait"):
        await anext(stream)
    await w.aclose()
    with pytest.raises(LifecycleError):
        await coming
    assert repr(stream) == f"<Stream of the events of cluster {cluster_id}>"


async def test_mistakes_are_told_before_anything_is_sent(w, workspace):
    """Wrong types, tokens of other streams and of other clusters."""
    other = w.clusters.follow_events("other").token
    runs = w.jobs.follow_runs(1).token
    for since in (other, runs, "", "events1.", "events1.AAAA", "events1.W10", "events1.e30", "2026-01-01"):
        with pytest.raises(ValueError, match="since"):
            w.clusters.follow_events("c", since=since)
    changed = w.clusters.follow_events("c").token
    with pytest.raises(ValueError, match="since is a token that was changed"):
        w.clusters.follow_events("c", since="events1.eyJjbHVzdGVyIjoiYyJ9")
    assert changed.startswith("events1.")
    with pytest.raises(TypeError, match="since must be epoch milliseconds or a datetime"):
        w.clusters.follow_events("c", since=1.5)
    with pytest.raises(ValueError, match="no time zone"):
        w.clusters.follow_events("c", since=datetime(2026, 1, 1))
    for every, error in ((0, ValueError), (float("nan"), ValueError), ("1", TypeError), (True, TypeError)):
        with pytest.raises(error, match="every must be"):
            w.clusters.follow_events("c", every=every)
    with pytest.raises(ValueError, match="cluster_id is empty"):
        w.clusters.follow_events(" ")
    assert workspace.journal.count() == 0


@pytest.mark.usefixtures("virtual_time")
@pytest.mark.parametrize("version", ["2.0", "2.1"])
async def test_a_busy_cluster_over_http(connect, w, workspace, cluster_id):
    """Bursts of equal events between any two requests, late ones, faults, new programs: each event exactly once."""
    chance = random.Random(13)  # noqa: S311
    total = 3

    async def write():
        nonlocal total
        for _ in range(25):
            seen = workspace.journal.count(EVENTS)
            await workspace.journal.until(
                lambda journal, seen=seen: journal.count(EVENTS) >= seen + chance.randint(1, 3)
            )
            workspace.clock.advance(chance.choice([0, 0, 0.001, 60, 4000]))
            count, every = chance.choice([(1, 0), (7, 0), (600, 0), (90, 0.01), (30, 60)])
            workspace.add_events(cluster_id, count, every=every, type=f"KIND_{chance.randint(1, 3)}")
            total += count
            faults = [Fault.error(500, "INTERNAL_ERROR"), Fault.drop(after=True), Fault.delay(1)]
            workspace.faults.add(EVENTS, *chance.sample(faults, chance.choice([0, 0, 1, 2])))

    writing = asyncio.create_task(write())
    got, client = [], w
    stream = client.clusters.follow_events(cluster_id, every=1)
    while not (writing.done() and len(got) >= total):
        got.append(await asyncio.wait_for(anext(stream), 3600))
        if chance.random() < 0.01:  # the program ends, and another one goes on
            client = connect(retry_timeout_seconds=chance.choice([0, 300]))
            stream = client.clusters.follow_events(cluster_id, since=stream.token, every=1)
    await writing
    workspace.faults.clear()
    there = await w.clusters.events(cluster_id, order="ASC", page_size=500).collect()
    assert len(there) == total > 1000
    assert counted(got) == counted(there)


def counted(events):
    return Counter((event.timestamp, str(event.as_dict())) for event in events)


class Service:
    """Events in pages by offset, as the service gives them; `meanwhile` is called before each request."""

    def __init__(self, page_size, meanwhile=lambda: None, *, counts=True):
        self.events = []
        self.requests = 0
        self._page_size = page_size
        self._meanwhile = meanwhile
        self._counts = counts

    def write(self, *events):
        self.events += events
        self.events.sort(key=lambda event: event.timestamp)

    def reorder(self, chance):
        """The order within a millisecond is the service's to choose, if it is not cut by a page."""
        if self.events and chance.random() < 0.3:
            time = chance.choice(self.events).timestamp
            alike = [one for one in self.events if one.timestamp == time]
            if len(alike) <= self._page_size:
                self.events = [one for one in self.events if one.timestamp != time]
                self.write(*chance.sample(alike, len(alike)))

    def list(self, *, start_time, end_time):
        async def fetch(token):
            self._meanwhile()
            self.requests += 1
            found = [one for one in self.events if start_time <= one.timestamp <= (end_time or 2**63)]
            offset = int(token or 0)
            following = offset + self._page_size
            token = str(following) if following < len(found) else None
            return Page(found[offset:following], token, None, len(found) if self._counts else None)

        return Pager(fetch)


async def drained(feed):
    """All that a feed has now."""
    got = []
    while True:
        found = await feed.read()
        got += [feed.take(one) for one in found]
        if not found and not feed.is_behind:
            return got


@pytest.mark.parametrize(
    ("total", "late", "counts"), [(10_000, 0, True), (10_000, 0.02, True), (1_000, 0.02, False)], ids=str
)
async def test_ten_thousand_events_at_random_times(total, late, counts):
    """Many equal, many of one millisecond, some late; errors and restarts at any place.

    Without late ones they come in the service's own order. A service that does not count them is asked for more.
    """
    chance = random.Random(7)  # noqa: S311
    service = None
    now, left = OVERLAP_MS, total

    def meanwhile():
        nonlocal now, left
        if chance.random() < 0.2:
            raise ConnectionLost("gone")
        count = min(left, chance.choice([0, 1, 3, 40, 700]))
        now += chance.choice([0, 0, 1, 50, 100_000])
        times = [now - (chance.randint(0, OVERLAP_MS // 2) if chance.random() < late else 0) for _ in range(count)]
        service.write(*(made(time, chance.randint(1, 3)) for time in times))
        left -= count
        if late:
            service.reorder(chance)

    service = Service(500, meanwhile, counts=counts)
    feed, got = EventFeed("c", service.list, None), []
    while left or len(got) < total:
        assert service.requests < 5000
        try:
            found = await feed.read()
        except ConnectionLost:
            continue
        taken = len(found) if chance.random() < 0.8 else chance.randint(0, len(found))
        got += [feed.take(one) for one in found[:taken]]
        if taken < len(found) or chance.random() < 0.05:  # the program ends, and another one goes on
            feed = EventFeed("c", service.list, feed.token())
    assert counted(got) == counted(service.events)
    assert late or got == service.events
    assert await _nothing_more(feed)


async def _nothing_more(feed):
    while True:
        try:
            return await feed.read() == []
        except ConnectionLost:
            continue


def made(time, number):
    return ClusterEvent(cluster_id="c", timestamp=time, type="RESIZING", details=None, unknown_fields={"n": number})
