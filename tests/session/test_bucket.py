"""Many callers of a service that fails: what they send it, how long they go on, and how they come back.

Here are the tests of `session/bucket.py` and `session/budgets.py`.
"""

from __future__ import annotations

import asyncio
import logging
import random

import pytest

from databricks_async.errors import (
    ConnectError,
    DatabricksError,
    InternalError,
    LifecycleError,
    TemporarilyUnavailable,
    TooManyRequests,
)
from databricks_async.local import Fault
from databricks_async.message import Request, Response
from databricks_async.session.bucket import RetryBucket
from databricks_async.session.budgets import Budget, Budgets
from databricks_async.session.pacing import Pacer
from databricks_async.session.retry import retrying
from databricks_async.session.stats import Stats

pytestmark = pytest.mark.usefixtures("virtual_time")

LIST = "GET /api/2.1/clusters/list"
READ = Request(LIST, "/api/2.1/clusters/list")


class Service:
    """Fails as `fails` says of a request's number and time, and knows when it was asked. An answer takes 50 ms."""

    def __init__(self, fails, failure=500):
        self._fails = fails
        self._failure = failure
        self._started = asyncio.get_running_loop().time()
        self.asked_at = []

    async def send(self, request):
        now = asyncio.get_running_loop().time() - self._started
        self.asked_at.append(now)
        await asyncio.sleep(0.05)
        if not self._fails(len(self.asked_at), now):
            return Response(200, {}, b"")
        if isinstance(self._failure, int):
            return Response(self._failure, {}, b"")
        raise self._failure("no luck")

    def calls(self, count, budgets, bucket=None):
        """So many calls at once, through the layers of one client."""
        paced = Pacer(100, budgets.throttled, Stats()).paced(self.send)
        send = retrying(paced, budgets, Stats(), bucket=bucket)
        return asyncio.gather(*(send(READ) for _ in range(count)), return_exceptions=True)


def always(number, now):
    return True


# When nothing works


@pytest.mark.parametrize(
    ("failure", "kind", "seconds"),
    [(500, InternalError, 300.0), (503, TemporarilyUnavailable, 60.0), (ConnectError, ConnectError, 30.0)],
)
async def test_a_service_that_is_down_is_not_hammered(failure, kind, seconds):
    """1,000 callers add a fifth to their own requests at most, and each goes on until its own time is over."""
    service = Service(always, failure)
    errors = await service.calls(1000, Budgets.within(seconds))
    assert 1000 < len(service.asked_at) <= 1200
    assert {type(error) for error in errors} == {kind}
    # The last pause is not begun when it would end too late; it has 20 seconds at most.
    assert min(error.elapsed for error in errors) >= max(seconds / 2, seconds - 20)
    # Of a call, its turn to be sent first included.
    assert max(error.elapsed for error in errors) <= seconds + 10
    assert sum(error.attempts for error in errors) == len(service.asked_at)


async def test_an_empty_bucket_lets_one_probe_a_second_through():
    """For all callers together; one in three seconds when a minute has brought nothing."""
    service = Service(always)
    await service.calls(1000, Budgets.within(120.0))
    later = [sum(start <= at < start + 30 for at in service.asked_at) for start in (20, 80)]
    assert 29 <= later[0] <= 31
    assert 9 <= later[1] <= 11


async def test_who_is_waited_for_comes_first():
    """A token that is fetched from the same host: calls that got a retry before could do nothing with it."""
    bucket, loop = RetryBucket(), asyncio.get_running_loop()
    while await bucket.take(0.0):
        pass
    others = [asyncio.create_task(bucket.take(1000.0)) for _ in range(400)]
    await asyncio.sleep(0.5)
    began = loop.time()
    assert await bucket.take(1000.0, first=True)
    assert loop.time() - began < 1.1
    assert sum(other.done() for other in others) <= 1
    for other in others:
        other.cancel()
    await asyncio.gather(*others, return_exceptions=True)


async def test_a_caller_alone_is_not_delayed():
    """Its tries come after its own pauses, however many of its calls have failed before."""
    loop, asked, pauses = asyncio.get_running_loop(), [], []

    async def fail(request):
        asked.append(loop.time())
        return Response(500, {}, b"")

    async def pause(seconds):
        pauses.append(seconds)
        await asyncio.sleep(seconds)

    send = retrying(fail, Budgets.within(300), Stats(), pause)
    for _ in range(5):
        del asked[:], pauses[:]
        with pytest.raises(InternalError) as raised:
            await send(READ)
        assert raised.value.attempts == len(asked) == len(pauses) + 1 > 15
        assert asked[-1] - asked[0] == pytest.approx(sum(pauses))


# When a part of it works


async def test_a_service_that_fails_now_and_then_meets_no_empty_bucket(caplog):
    """A fifth of all tries fail: no retry of 5,000 calls waits for the success of another one."""
    share = 0.2
    random_ = random.Random(7)  # noqa: S311 (repeatable, not secret)
    service = Service(lambda number, now: random_.random() < share)
    with caplog.at_level(logging.WARNING, "databricks_async"):
        results = await service.calls(5000, Budgets.within(300.0))
    assert {result.status for result in results} == {200}
    assert len(service.asked_at) == pytest.approx(5000 / (1 - share), rel=0.05)
    assert caplog.records == []


async def test_a_service_that_is_back_is_soon_busy(caplog):
    """After 40 seconds without an answer 1,000 callers are through in a few seconds: each success lets others go on."""
    service = Service(lambda number, now: now < 40)
    with caplog.at_level(logging.WARNING, "databricks_async"):
        results = await service.calls(1000, Budgets.within(300.0))
    assert {result.status for result in results} == {200}
    assert sum(at < 40 for at in service.asked_at) <= 1000 + 50 + 40
    assert max(service.asked_at) < 45
    (record,) = [record for record in caplog.records if "one by one" in record.getMessage()]
    assert record.levelno == logging.WARNING


# Whoever waits for a retry can go


async def empty_bucket():
    bucket = RetryBucket()
    for _ in range(50):
        assert await bucket.take(0.0)
    return bucket


async def test_the_time_of_a_caller_ends_its_waiting():
    """Then there was no retry for it, and the next one is for the others."""
    loop, bucket = asyncio.get_running_loop(), await empty_bucket()
    started = loop.time()
    assert await asyncio.gather(bucket.take(0.5), bucket.take(0.6), bucket.take(5)) == [False, False, True]
    assert loop.time() - started == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("steps", range(4))
async def test_a_caller_cancelled_as_its_turn_comes_leaves_it_to_the_next(steps):
    """In whatever step of the loop the two meet."""
    bucket = await empty_bucket()
    gone, stays = (asyncio.create_task(bucket.take(60)) for _ in range(2))
    await asyncio.sleep(0)
    bucket.succeeded(again=True)
    for _ in range(steps):
        await asyncio.sleep(0)
    gone.cancel()
    (outcome,) = await asyncio.gather(gone, return_exceptions=True)
    started = asyncio.get_running_loop().time()
    assert await stays
    waited = asyncio.get_running_loop().time() - started
    # A success gave one and a half.
    assert waited == pytest.approx(0.0 if isinstance(outcome, asyncio.CancelledError) else 0.5, abs=0.01)


async def test_closing_ends_the_waiting():
    """With an error of its own."""
    bucket = await empty_bucket()
    waiting = [asyncio.create_task(bucket.take(60)) for _ in range(3)]
    await asyncio.sleep(0)
    bucket.close()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {LifecycleError}


async def test_closing_a_client_ends_calls_that_wait_for_a_retry(workspace, connect):
    """At once, though their budgets are not spent."""
    workspace.faults.add("*", Fault.answer(503), times=10_000)
    client = connect()
    calls = [asyncio.create_task(client.clusters.list().collect()) for _ in range(60)]
    await workspace.journal.until(lambda journal: journal.count() > 115)
    await client.aclose()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {LifecycleError}


# Budgets


@pytest.mark.parametrize(
    ("fault", "setting", "kind"),
    [
        (Fault.answer(500), "server_retry", InternalError),
        (Fault.too_many_requests(1), "throttled_retry", TooManyRequests),
    ],
)
async def test_a_class_of_failures_has_a_budget_of_its_own(workspace, connect, fault, setting, kind):
    """In tries or in seconds; the settings of the other classes do not count."""
    workspace.faults.add(LIST, fault, times=10_000)
    others = {f"{name}_retry_attempts": 1 for name in ("connect", "server", "throttled")}
    others.pop(f"{setting}_attempts")
    for budget, minimum, maximum in (("attempts", 3, 3), ("seconds", 2, 20)):
        workspace.journal.clear()
        value = 3 if budget == "attempts" else 10.0
        with pytest.raises(kind) as raised:
            await connect(**{f"{setting}_{budget}": value}, **others).clusters.list().collect()
        assert minimum <= workspace.journal.count() == raised.value.attempts <= maximum
        assert budget == "attempts" or 2 < raised.value.elapsed <= 10


async def test_a_host_that_is_started_later_is_waited_for(clock):
    """`connect_retry_seconds` counts also for a host that has never answered."""

    class Refused(ConnectError):
        is_refusal = True

    async def fail(request):
        raise Refused("nothing listens")

    usual = Budgets.within(300)
    longer = Budgets(Budget(120.0), usual.server, usual.throttled, 120.0)
    for budgets, minimum, maximum in ((usual, 1, 4), (longer, 60, 120)):
        del clock.pauses[:]
        with pytest.raises(ConnectError):
            await retrying(fail, budgets, Stats(), clock.pause)(READ)
        assert minimum <= sum(clock.pauses) <= maximum


async def test_failures_of_two_classes_in_turn_come_to_an_end(clock):
    """Though each contact gives the other class its seconds anew."""
    numbers = iter(range(10**6))

    async def fail(request):
        if next(numbers) % 2:
            raise ConnectError("no")
        return Response(500, {}, b"")

    with pytest.raises(DatabricksError):
        await retrying(fail, Budgets.within(100), Stats(), clock.pause)(READ)
    assert 60 < sum(clock.pauses) <= 100
