"""What polls of clusters cost: counted, for waits and watches of one client."""

from __future__ import annotations

import asyncio

import pytest

from databricks_async.local import Fault

pytestmark = pytest.mark.usefixtures("virtual_time")

GET, LIST = "GET /api/{v}/clusters/get", "GET /api/{v}/clusters/list"


@pytest.fixture
def w(connect):
    """A client whose tick is a second."""
    return connect(poll_interval_seconds=1)


async def pending(w, spec, count):
    """The ids of so many clusters that stay as they are until the clock is moved."""
    waits = await asyncio.gather(*(w.clusters.create(spec | {"cluster_name": str(number)}) for number in range(count)))
    return [wait.cluster_id for wait in waits]


async def ticks(workspace, count):
    """Let so many ticks pass. Returns how often clusters were read and listed meanwhile."""
    workspace.journal.clear()
    await asyncio.sleep(count)
    return workspace.journal.count(GET), workspace.journal.count(LIST)


def waiting(w, ids):
    return [asyncio.create_task(w.clusters.wait_running(cluster_id).result()) for cluster_id in ids]


async def ended(tasks):
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


@pytest.mark.parametrize("version", ["2.0", "2.1"])
async def test_three_hundred_waits_share_three_pages(w, workspace, spec, version):
    """A tick; one with API 2.0, which has no pages. The ends cost nothing more."""
    ids = await pending(w, spec, 300)
    tasks = waiting(w, ids)
    gets, lists = await ticks(workspace, 20)
    pages = 3 if version == "2.1" else 1
    assert gets == 0
    assert pages * 20 / 3 <= lists <= pages * 20
    workspace.journal.clear()
    workspace.clock.advance(300)
    clusters = await asyncio.gather(*tasks)
    assert [cluster.cluster_id for cluster in clusters] == ids
    assert {cluster.state for cluster in clusters} == {"RUNNING"}
    assert (workspace.journal.count(GET), workspace.journal.count(LIST)) == (0, pages)


async def test_three_waits_among_five_hundred_do_not_list(w, workspace, spec):
    """Three requests a tick are fewer than five pages."""
    tasks = waiting(w, (await pending(w, spec, 500))[:3])
    gets, lists = await ticks(workspace, 20)
    assert lists == 0
    assert gets <= 3 * 20
    await ended(tasks)


async def test_ten_waits_among_five_hundred_list(w, workspace, spec):
    """Five pages a tick are fewer than ten requests; of what was seen on the first of them no other is read."""
    tasks = waiting(w, (await pending(w, spec, 500))[-10:])
    gets, lists = await ticks(workspace, 20)
    assert gets + lists <= 5 * 20
    assert lists >= 20 / 3
    await ended(tasks)


async def test_six_waits_among_a_thousand_soon_stop_listing(w, workspace, spec):
    """It is tried, given up when it costs as much as polls one by one, and tried again ever more seldom."""
    ids = await pending(w, spec, 1000)
    tasks = waiting(w, sorted(ids)[-6:])
    await ticks(workspace, 60)
    gets, lists = await ticks(workspace, 60)
    assert lists <= 10
    assert 6 * 60 / 3 - 12 <= gets <= 6 * 60
    await ended(tasks)


async def test_a_hundred_watchers_of_one_cluster_are_one(w, workspace, spec):
    """One request a tick at most; all of them see the same."""
    (cluster_id,) = await pending(w, spec, 1)

    async def watched():
        return [
            cluster.state async for cluster in w.clusters.watch(cluster_id, until=lambda one: one.state == "RUNNING")
        ]

    tasks = [asyncio.create_task(watched()) for _ in range(100)]
    gets, lists = await ticks(workspace, 10)
    assert (gets <= 10, lists) == (True, 0)
    workspace.clock.advance(300)
    assert await asyncio.gather(*tasks) == [["PENDING", "RUNNING"]] * 100


async def test_polls_are_quick_after_a_change_and_slow_when_nothing_happens(w, workspace, spec):
    """Of anything that is followed: from one tick down to three."""
    first, second = await pending(w, spec, 2)
    tasks = waiting(w, [first, second])
    await ticks(workspace, 20)
    gets, _ = await ticks(workspace, 30)
    assert 2 * 30 / 3 <= gets <= 2 * 30 / 2.4
    await w.clusters.delete(first)
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED, timeout=3)
    gets, _ = await ticks(workspace, 3)
    assert gets >= 2
    await ended(tasks)


async def test_each_caller_sets_its_own_tick(w, workspace, spec):
    """And no other is polled more often for it."""
    slow, quick = await pending(w, spec, 2)
    tasks = [
        asyncio.create_task(w.clusters.wait_running(slow, every=60).result()),
        asyncio.create_task(w.clusters.wait_running(quick).result(every=0.5)),
    ]
    await ticks(workspace, 60)
    asked = [call.query["cluster_id"] for call in workspace.journal.calls(GET)]
    assert asked.count(slow) <= 2
    assert 60 / 1.5 - 1 <= asked.count(quick) <= 60 / 0.5
    await ended(tasks)


@pytest.mark.parametrize("every", [0, -1, float("nan"), float("inf"), "1", True])
async def test_an_interval_that_is_none_is_refused(w, every):
    """Before anything is sent."""
    for call in (
        lambda: w.clusters.watch("x", every=every),
        lambda: w.clusters.wait_running("x", every=every),
    ):
        with pytest.raises((ValueError, TypeError), match="every must be"):
            call()
    with pytest.raises((ValueError, TypeError), match="every must be"):
        await w.clusters.start("x").result(every=every)


async def test_refusals_make_polls_slow(connect, workspace, spec):
    """However often things change meanwhile."""
    w = connect(poll_interval_seconds=1, retry_timeout_seconds=20)
    first, second = await pending(w, spec, 2)
    tasks = waiting(w, [first, second])
    await ticks(workspace, 1)
    workspace.faults.add(GET, Fault.too_many_requests(0.1))
    await ticks(workspace, 2)
    for number in range(3):
        workspace.overlay(first, state_message=str(number))
        gets, _ = await ticks(workspace, 3)
        assert gets <= 2 * 2
    await ended(tasks)


async def test_a_slow_batch_delays_and_repeats_nothing(w, workspace, spec):
    """No poll begins before it has ended."""
    tasks = waiting(w, await pending(w, spec, 20))
    await ticks(workspace, 5)
    workspace.faults.add(LIST, Fault.delay(20))
    gets, lists = await ticks(workspace, 20)
    assert (gets, lists) <= (0, 4)
    assert workspace.journal.in_flight_max == 1
    await ended(tasks)


@pytest.mark.parametrize("status", [404, 403])
async def test_a_service_without_listings_is_polled_one_by_one(w, workspace, spec, status):
    """After one try; one that forbids them may allow them later."""
    ids = await pending(w, spec, 20)
    workspace.faults.add(
        LIST, Fault.error(status, "ENDPOINT_NOT_FOUND" if status == 404 else "PERMISSION_DENIED"), times=9
    )
    tasks = waiting(w, ids)
    gets, lists = await ticks(workspace, 10)
    assert lists == 1 if status == 404 else lists <= 2
    assert gets >= 20 * 10 / 3
    workspace.faults.clear()
    workspace.clock.advance(300)
    await asyncio.gather(*tasks)


async def test_a_listing_that_fails_alone_is_replaced(connect, workspace, spec):
    """One poll of a cluster by itself shows that; when that fails too, no other is sent."""
    w = connect(poll_interval_seconds=1, retry_timeout_seconds=0)
    tasks = waiting(w, await pending(w, spec, 20))
    workspace.faults.add(LIST, Fault.error(500, "INTERNAL_ERROR"))
    workspace.faults.add(GET, Fault.error(500, "INTERNAL_ERROR"))
    assert await ticks(workspace, 0.9) == (1, 1)
    workspace.faults.add(LIST, Fault.error(500, "INTERNAL_ERROR"))
    gets, lists = await ticks(workspace, 4)
    assert gets >= 20
    assert lists == 1
    workspace.clock.advance(300)
    await asyncio.gather(*tasks)


async def test_what_a_listing_does_not_show_is_polled_by_itself(w, workspace, spec):
    """Clusters that have been down for more than a month, for example."""
    old = await pending(w, spec, 2)
    workspace.clock.advance(300)
    for cluster_id in old:
        await w.clusters.delete(cluster_id)
    workspace.clock.advance(31 * 24 * 3600)
    tasks = waiting(w, await pending(w, spec, 20))
    downs = await asyncio.gather(*(w.clusters.wait_terminated(cluster_id).result() for cluster_id in old))
    assert [cluster.cluster_id for cluster in downs] == old
    assert workspace.journal.count(GET) == 2
    await ended(tasks)


async def test_no_cluster_is_polled_twice_at_the_same_time(w, workspace, spec):
    """Whatever comes and goes while an answer takes long."""
    (cluster_id,) = await pending(w, spec, 1)
    workspace.faults.add(GET, Fault.delay(5), times=9)
    tasks = []
    workspace.journal.clear()
    for _ in range(12):
        tasks += waiting(w, [cluster_id])
        await asyncio.sleep(1)
    assert workspace.journal.in_flight_max == 1
    await ended(tasks)
    workspace.faults.clear()


async def test_what_was_asked_before_an_action_does_not_count(w, workspace, spec):
    """A wait for a start is not ended by a poll that was on its way when the cluster was started."""
    (cluster_id,) = await pending(w, spec, 1)
    await w.clusters.delete(cluster_id)
    workspace.clock.advance(60)
    workspace.faults.add(GET, Fault.delay(5, after=True))
    watching = asyncio.create_task(anext(w.clusters.watch(cluster_id)))
    await workspace.journal.until(lambda journal: journal.in_flight == 1)
    wait = await w.clusters.start(cluster_id)
    result = asyncio.create_task(wait.result())
    await watching
    workspace.clock.advance(300)
    assert (await result).state == "RUNNING"


async def test_a_cluster_whose_poll_hangs_holds_up_no_other(connect, workspace, spec):
    """The listing shows it no more, so it is read by itself; what happens to others is seen meanwhile."""
    w = connect(poll_interval_seconds=1, http_timeout_seconds=50)
    gone, other = await pending(w, spec, 2)
    changes = w.clusters.watch()
    await anext(changes), await anext(changes)
    workspace.faults.add(GET, Fault.hang())
    await w.clusters.permanent_delete(gone)
    coming = asyncio.create_task(anext(changes))
    await asyncio.sleep(5)
    workspace.clock.advance(300)
    async with asyncio.timeout(10):
        change = await coming
    assert (change.cluster_id, change.after.state) == (other, "RUNNING")
    change = await anext(changes)
    assert (change.cluster_id, change.after) == (gone, None)


async def test_watchers_that_are_told_at_the_same_time_share_one_model(w, workspace, spec):
    """A dozen of them do not need a dozen times the memory, nor the time to read it."""
    ids = await pending(w, spec, 3)
    early, first, second = (w.clusters.watch() for _ in range(3))
    for _ in ids:
        await anext(early)
    for _ in ids:
        one, other = await asyncio.gather(anext(first), anext(second))
        assert one.after is other.after
    workspace.clock.advance(300)
    for _ in ids:
        one, other = await asyncio.gather(anext(first), anext(second))
        assert one.before is other.before
        assert one.after is other.after
