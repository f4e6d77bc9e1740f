"""Limits: what a refusal does to all callers, which wait how long, and that no place is ever lost.

Here are the tests of `session/gate.py`.
"""

from __future__ import annotations

import asyncio
import time
from email.utils import formatdate

import pytest

from databricks_async.errors import LifecycleError, ResourceExhausted, TooManyRequests
from databricks_async.local import Fault, RateLimit
from databricks_async.message import Request, Response
from databricks_async.session.budgets import Budget
from databricks_async.session.pacing import Pacer
from databricks_async.session.stats import Stats
from support.pacing import ELSEWHERE, LIST, OTHER, READ, Service, loop_steps, refusal, start

pytestmark = pytest.mark.usefixtures("virtual_time")

# What is left to others


async def test_calls_that_are_not_needed_yet_leave_a_quarter_of_the_window_to_others():
    """And all of it while a call waits, after a refusal, and where a rate was given."""
    service = Service()
    pacer = Pacer(100, Budget(10.0, 100), Stats())
    send = pacer.paced(service.send)
    assert pacer.has_room(READ.endpoint, 0)
    assert pacer.has_room(READ.endpoint, 5)
    assert not pacer.has_room(READ.endpoint, 6)
    calls = start(send, 3)
    await loop_steps()
    assert not pacer.has_room(READ.endpoint, 0)
    assert pacer.has_room(ELSEWHERE.endpoint, 0)
    await service.answer(refusal(1), None)
    assert not pacer.has_room(READ.endpoint, 0)
    await service.answer_all(calls)
    assert pacer.has_room(ELSEWHERE.endpoint, 0)
    assert not Pacer(100, Budget(10.0, 100), Stats(), {"clusters": 10}).has_room(READ.endpoint, 0)


# What Retry-After says


@pytest.mark.parametrize(
    ("retry_after", "minimum", "maximum"),
    [(0.05, 0.05, 0.2), (0.3, 0.3, 0.5), (None, 0.5, 0.8), (0, 0.5, 0.8), (-5, 0.5, 0.8), ("soon", 0.5, 0.8)],
)
async def test_a_refused_call_goes_again_after_the_time_asked_for(workspace, connect, retry_after, minimum, maximum):
    """Never sooner, and not much later; after half a second where the header says nothing."""
    workspace.faults.add(LIST, Fault.too_many_requests(retry_after))
    client = connect()
    assert await client.clusters.list().collect() == []
    first, second = workspace.journal.entries
    assert minimum <= second.at - first.at < maximum
    assert (client.stats.refused, client.stats.retries, client.stats.sent) == (1, 0, 2)


async def test_a_date_says_when_too(workspace, connect):
    """One in the future is waited for, one in the past is no answer to when."""
    past, future = formatdate(time.time() - 60, usegmt=True), formatdate(time.time() + 2, usegmt=True)
    workspace.faults.add(LIST, Fault.too_many_requests(past), Fault.too_many_requests(future))
    assert await connect().clusters.list().collect() == []
    at = [call.at for call in workspace.journal.entries]
    assert at[1] - at[0] >= 0.5
    assert at[2] - at[0] >= 1.0


@pytest.mark.parametrize("retry_after", [7, 3600, "Fri, 31 Dec 2100 23:59:59 GMT"])
async def test_a_pause_beyond_the_budget_is_not_begun(workspace, connect, retry_after):
    """The refusal is raised at once, and says what was asked for."""
    workspace.faults.add(LIST, Fault.too_many_requests(retry_after))
    started = time.monotonic()
    with pytest.raises(TooManyRequests, match="Too many requests") as raised:
        await connect(retry_timeout_seconds=0.3).clusters.list().collect()
    assert time.monotonic() - started < 0.25
    assert raised.value.attempts == workspace.journal.count() == 1
    assert raised.value.retry_after > 6


async def test_the_body_may_say_when_instead(workspace, connect):
    """A RetryInfo among the details counts as the header does, also for a 503."""
    body = '{"message": "m", "details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retry_delay": "0.1s"}]}'
    workspace.faults.add(LIST, Fault.answer(429, body), Fault.answer(503, body))
    client = connect()
    assert await client.clusters.list().collect() == []
    at = [call.at for call in workspace.journal.entries]
    assert 0.2 <= at[2] - at[0] < 0.45
    assert client.stats.refused == 2


async def test_refusals_in_a_row_pause_longer_each_time(workspace, connect):
    """Half a second, then more: a service that says nothing is not asked in an even beat."""
    workspace.faults.add(LIST, Fault.too_many_requests(), Fault.too_many_requests())
    assert await connect().clusters.list().collect() == []
    at = [call.at for call in workspace.journal.entries]
    assert 0.5 <= at[1] - at[0] < 0.8
    assert 0.8 <= at[2] - at[1] < 0.97


async def test_an_exhausted_budget_raises_the_refusal(workspace, connect):
    """With all attempts, after the budget and not after much more."""
    workspace.faults.add(LIST, Fault.too_many_requests(0.05), times=1000)
    started = time.monotonic()
    with pytest.raises(TooManyRequests) as raised:
        await connect(retry_timeout_seconds=0.3).clusters.list().collect()
    assert 0.2 < time.monotonic() - started < 0.6
    assert 4 <= raised.value.attempts == workspace.journal.count() <= 6
    assert raised.value.elapsed == pytest.approx(0.3, abs=0.2)


@pytest.mark.parametrize(
    ("code", "message"), [("QUOTA_EXCEEDED", "m"), ("RESOURCE_EXHAUSTED", "The quota of 1000 clusters is reached")]
)
async def test_a_quota_is_not_waited_for(workspace, connect, code, message):
    """Time does not heal it: one request, no gate shut for the others, and no refusal counted."""
    workspace.faults.add(LIST, Fault.error(429, code, message))
    client = connect()
    started = time.monotonic()
    with pytest.raises(TooManyRequests) as raised:
        await client.clusters.list().collect()
    assert await client.clusters.list().collect() == []
    assert time.monotonic() - started < 0.25
    assert (raised.value.error_code, workspace.journal.count(), client.stats.refused) == (code, 2, 0)
    assert isinstance(raised.value, ResourceExhausted) == (code == "RESOURCE_EXHAUSTED")


# What it does to the others


async def test_a_refusal_holds_its_endpoint_family_only(workspace, connect):
    """The service counts by API: other methods of it wait too, other APIs do not."""
    workspace.faults.add(LIST, Fault.too_many_requests(0.3))
    client = connect()
    refused = asyncio.create_task(client.clusters.list().collect())
    await workspace.journal.until(lambda journal: journal.entries and journal.entries[0].status == 429)
    await loop_steps()
    started = time.monotonic()
    await client.libraries.all_cluster_statuses().collect()
    assert time.monotonic() - started < 0.2
    await client.clusters.list_zones()
    assert time.monotonic() - started >= 0.2
    await refused
    assert workspace.journal.calls(OTHER)[0].at < workspace.journal.calls(LIST)[1].at


async def test_those_who_were_refused_go_first_in_their_order():
    """No refused call is passed by later ones, nor by another refused one."""
    service, order = Service(), []
    paced = Pacer(2, Budget(10), Stats()).paced(service.send)

    async def call(name):
        await paced(READ)
        order.append(name)

    tasks = [asyncio.create_task(call(name)) for name in "abcd"]
    await loop_steps()
    await service.answer(refusal(0.01), refusal(0.01))
    await service.answer_all(tasks)
    assert order == ["a", "b", "c", "d"]


async def test_many_callers_begin_with_a_few():
    """Two at first, and soon half as many more with each round: few are refused by a limit; without one soon all go."""
    service = Service()
    tasks = start(Pacer(100, Budget(10), Stats()).paced(service.send), 600)
    await loop_steps()
    sizes = await service.answer_all(tasks)
    assert sizes[:8] == [2] * 5 + [3, 3, 3]
    assert max(sizes[:20]) == 100


async def test_slow_first_answers_hold_up_no_crowd():
    """Ten are sent within half a second, though none was answered yet; then answers decide."""
    service = Service()
    tasks = start(Pacer(100, Budget(10), Stats()).paced(service.send), 50)
    await asyncio.sleep(0.5)
    assert len(service.open) == 10
    await asyncio.sleep(5)
    assert len(service.open) == 10
    await service.answer_all(tasks)


async def test_an_endless_shut_gate_ends_all_calls():
    """Those who were refused and those who were never sent; the latter say that they never were."""
    service = Service()

    async def refuse(request):
        service.calls.append(request)
        return refusal(0.02)

    paced = Pacer(4, Budget(0.2), Stats()).paced(refuse)
    async with asyncio.timeout(3):
        responses = await asyncio.gather(*start(paced, 40))
    assert {response.status for response in responses} == {429}
    assert sum(response.attempts for response in responses) == len(service.calls)
    assert min(response.attempts for response in responses) == 0


async def test_a_long_queue_is_no_reason_to_give_up():
    """The budget ends when no call gets through, not when many were before."""

    async def slow(request):
        nonlocal sent
        sent += 1
        if sent % 10 == 0:
            return refusal(0.01)
        await asyncio.sleep(0.005)
        return Response(200, {}, b"")

    sent = 0
    paced = Pacer(2, Budget(2.0), Stats()).paced(slow)
    started = time.monotonic()
    responses = await asyncio.gather(*start(paced, 80))
    assert time.monotonic() - started > 2.5
    assert {response.status for response in responses} == {200}


async def test_without_a_refusal_no_call_gives_up():
    """A call that waits only for those before it was not refused."""
    service = Service()
    paced = Pacer(1, Budget(0.01), Stats()).paced(service.send)
    first, second = start(paced, 2)
    await asyncio.sleep(0.05)
    await service.answer(None)
    await service.answer(None)
    assert [(await task).status for task in (first, second)] == [200, 200]


# Cancelled while waiting


async def test_a_caller_cancelled_at_the_gate_takes_no_place():
    """Neither while it waits nor after: all places are there for those who stay."""
    service = Service()
    paced = Pacer(2, Budget(10), Stats()).paced(service.send)
    busy = start(paced, 2)
    waiting = start(paced, 4)
    await loop_steps()
    for task in waiting[:3]:
        task.cancel()
    await loop_steps()
    await service.answer(None, None)
    assert len(service.open) == 1
    await service.answer(None)
    await asyncio.gather(*busy, waiting[3])
    more = start(paced, 3)
    await loop_steps()
    assert len(service.open) == 2
    await service.answer(None, None)
    await service.answer(None)
    await asyncio.gather(*more)
    assert service.in_flight_max == 2


@pytest.mark.parametrize("steps", range(8))
async def test_a_caller_cancelled_as_it_is_admitted_gives_its_place_back(steps):
    """In whatever step of the loop the cancellation meets the admission."""
    service = Service()
    paced = Pacer(1, Budget(10), Stats()).paced(service.send)
    busy, waiting, last = start(paced, 3)
    await loop_steps()
    service.open[0].set_result(Response(200, {}, b""))
    await loop_steps(steps)
    waiting.cancel()
    await loop_steps()
    assert waiting.cancelled()
    await service.answer(None, None)
    await asyncio.gather(busy, last)
    (after,) = start(paced)
    await loop_steps()
    await service.answer(None)
    await after


async def test_a_caller_cancelled_in_flight_gives_its_place_back():
    """And the next one is sent."""
    service = Service()
    paced = Pacer(1, Budget(10), Stats()).paced(service.send)
    busy, waiting = start(paced, 2)
    await loop_steps()
    busy.cancel()
    await loop_steps()
    assert len(service.calls) == 2
    await service.answer(None, None)
    assert (await waiting).status == 200


async def test_a_failure_gives_the_place_back():
    """Whatever the layers below raise."""

    async def fail(request):
        raise ValueError("no")

    paced = Pacer(1, Budget(10), Stats()).paced(fail)
    for task in start(paced, 3):
        with pytest.raises(ValueError, match="no"):
            await task


async def test_a_deadline_of_the_caller_ends_the_waiting_at_a_shut_gate(workspace, connect):
    """For the call that was refused and for one that was not sent at all."""
    workspace.faults.add(LIST, Fault.too_many_requests(60))
    client = connect()
    started = time.monotonic()

    async def impatient():
        async with asyncio.timeout(0.1):
            await client.clusters.list().collect()

    results = await asyncio.gather(impatient(), impatient(), return_exceptions=True)
    with pytest.raises(TimeoutError):
        await impatient()
    assert [type(result) for result in results].count(TimeoutError) >= 1
    assert time.monotonic() - started < 1.0


async def test_closing_ends_the_waiting():
    """All calls at a gate raise at once, shut or only full; none is sent afterwards."""
    service = Service()
    pacer = Pacer(1, Budget(100), Stats())
    paced = pacer.paced(service.send)
    tasks = start(paced, 3) + start(paced, 3, ELSEWHERE)
    await loop_steps()
    await service.answer(refusal(50))
    pacer.close()
    results = await asyncio.wait_for(asyncio.gather(*tasks[:3], return_exceptions=True), 1)
    assert {type(result) for result in results} == {LifecycleError}
    await service.answer(None)
    await asyncio.gather(*tasks, return_exceptions=True)
    assert len(service.calls) == 2


@pytest.mark.parametrize("gone", [[0], [1], [0, 1], [0, 1, 2]])
async def test_a_slot_goes_on_to_the_next_call_when_its_own_is_cancelled(gone):
    """In the moment in which it gets the slot, or while it waits for one: none is lost, whatever the families."""
    service = Service()
    paced = Pacer(1, Budget(100), Stats()).paced(service.send)
    (first,) = start(paced)
    await loop_steps()
    waiting = [start(paced, request=Request(f"GET /api/2.0/{name}", "/"))[0] for name in ("jobs", "workspace", "me")]
    await loop_steps()
    assert len(service.calls) == 1
    service.open[0].set_result(Response(200, {}, b""))
    await asyncio.sleep(0)
    assert first.done()  # the next one has a slot, and does not know it yet
    for index in gone:
        waiting[index].cancel()
    left = [task for index, task in enumerate(waiting) if index not in gone]
    await service.answer_all([*left, *start(paced)])
    assert all(task.result().status == 200 for task in left)
    assert service.in_flight_max == 1


# Many callers over real HTTP


@pytest.mark.parametrize(
    "limit",
    [
        RateLimit(per_second=300, burst=50, retry_after=0.2),
        RateLimit(per_second=300, burst=50, retry_after=None),
        RateLimit(per_second=None, concurrent=5),
        RateLimit(per_second=300, burst=50, retry_after=0.2, concurrent=8),
    ],
    ids=["retry-after", "no retry-after", "concurrent", "both"],
)
async def test_many_callers_get_through(workspace, connect, limit):
    """200 callers at once against a limit: no call is given up, and few requests are wasted."""
    workspace.rate_limit = limit
    workspace.faults.add(LIST, Fault.delay(0.01), times=1000)
    client = connect()
    async with asyncio.timeout(10):
        results = await asyncio.gather(*(client.clusters.list().collect() for _ in range(200)))
    assert results == [[]] * 200
    assert workspace.journal.count() == 200 + limit.refused
    assert client.stats.refused == limit.refused <= 60
    assert client.stats.retries == 0


async def test_many_callers_share_the_connections(workspace, connect):
    """400 calls at once: no more are in flight than there are connections, and no more sockets are opened."""
    client = connect(max_connections=20)
    await asyncio.gather(*(client.clusters.list_zones() for _ in range(400)))
    assert workspace.journal.count() == 400
    assert workspace.journal.in_flight_max <= workspace.journal.connections_opened <= 20
