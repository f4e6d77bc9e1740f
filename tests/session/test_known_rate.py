"""A refusal of a rate that is known: calls go on more slowly, and only the refused one waits for as long as was asked.

Here are the tests of `session/rate.py` and `session/gate.py` together.
"""

from __future__ import annotations

import asyncio

import pytest

from databricks_async.errors import LifecycleError
from databricks_async.message import Request, Response
from databricks_async.session.budgets import Budget
from databricks_async.session.pacing import Pacer
from databricks_async.session.stats import Stats
from support.pacing import loop_steps, refusal

pytestmark = pytest.mark.usefixtures("virtual_time")

CREATE = "POST /api/2.2/jobs/create"
"""20 calls a second are documented: one bad moment is enough to go on with them."""


class Calls:
    """Many callers of an endpoint whose rate is known after a second; calls of the numbers in `refused` are refused."""

    def __init__(self):
        self._loop = asyncio.get_running_loop()
        self.sent = []
        self.refused = set()
        self.latency = 0.01
        self.pacer = Pacer(100, Budget(60.0), Stats())
        self._paced = self.pacer.paced(self._send)
        self.tasks = [asyncio.create_task(self._call(number)) for number in range(200)]

    async def _call(self, number):
        return (await self._paced(Request(CREATE, f"/api/2.2/jobs/create?{number}", replay="unsafe"))).status

    async def _send(self, request):
        at, number = self._loop.time(), request.path
        self.sent.append((at, number))
        number_sent = len(self.sent)
        await asyncio.sleep(self.latency)
        if number_sent <= 2 or number_sent in self.refused:
            return refusal(1)
        return Response(200, {}, b"")

    async def until_refused(self, *numbers):
        """Wait until the calls of these numbers were refused. Returns the last one, as when and what was sent."""
        self.refused = set(numbers)
        while len(self.sent) < max(numbers):  # noqa: ASYNC110 (time is virtual)
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.02)
        return self.sent[max(numbers) - 1]

    def between(self, start, end):
        return [path for at, path in self.sent if start < at < end]


@pytest.fixture
async def calls():
    calls = Calls()
    yield calls
    for task in calls.tasks:
        task.cancel()
    await asyncio.gather(*calls.tasks, return_exceptions=True)


async def test_calls_go_on_more_slowly(calls):
    """At a good half of the rate, and after a second, with the refused one, at four fifths of it."""
    at, path = await calls.until_refused(20)
    await asyncio.sleep(2)
    assert 9 <= len(calls.between(at + 0.01, at + 1.0)) <= 12
    assert [when for when, what in calls.sent if what == path][1] >= at + 1.0
    assert path in calls.between(at + 1.0, at + 1.3)
    assert 13 <= len(calls.between(at + 1.1, at + 2.0)) <= 16


async def test_a_second_refusal_lowers_the_rate_again(calls):
    """Calls were taken since the first one: the rate was lowered too little."""
    at, _ = await calls.until_refused(20, 24)
    await asyncio.sleep(2)
    assert 7 <= len(calls.between(at + 0.02, at + 1.0)) <= 10
    assert 10 <= len(calls.between(at + 1.0, at + 2.0)) <= 13


async def test_a_refusal_of_all_after_the_rate_was_lowered_shuts_the_gate(calls):
    """Also in the second of care: the service refuses more than what is above its rate."""
    at, _ = await calls.until_refused(20, 21)
    await asyncio.sleep(2)
    assert calls.between(at + 0.02, at + 1.0) == []
    assert len(calls.between(at + 1.0, at + 2.0)) > 5


async def test_a_refusal_before_any_answer_shuts_the_gate(calls):
    """Also of calls that are paced: nothing is known of a rate of which no call was taken."""
    at, _ = await calls.until_refused(3)
    await asyncio.sleep(2)
    assert calls.between(at + 0.02, at + 1.0) == []


@pytest.mark.parametrize("latency", [0.12, 0.35])
async def test_calls_under_way_are_refused_for_the_same_reason(calls, latency):
    """Three or five that were in flight when the rate was lowered: it is lowered once, and calls go on."""
    await calls.until_refused(12)
    await asyncio.sleep(3)
    calls.latency = latency
    await asyncio.sleep(1)
    first = len(calls.sent) + 1
    at, _ = await calls.until_refused(first, first + 1)
    await asyncio.sleep(2)
    assert len(calls.between(at + 0.02, at + 1.0)) >= 5
    assert 7 <= len(calls.between(at + 1.1, at + 2.0)) <= 13


async def test_a_refused_call_that_waits_alone_is_given_up(calls):
    """Its caller is cancelled, or the client closed: nothing is sent again for it, and all others go on or end."""
    _, first = await calls.until_refused(20)
    calls.tasks[int(first.partition("?")[2])].cancel()
    await asyncio.sleep(2)
    assert [path for _, path in calls.sent].count(first) == 1
    _, second = await calls.until_refused(len(calls.sent) + 5)
    calls.pacer.close()
    await loop_steps()
    with pytest.raises(LifecycleError):
        await calls.tasks[int(second.partition("?")[2])]
    assert all(task.done() for task in calls.tasks)


async def test_all_get_through(calls):
    """200 calls, of which every fifteenth is refused."""
    calls.refused = set(range(15, 300, 15))
    assert set(await asyncio.gather(*calls.tasks)) == {200}
    assert len(calls.sent) == 200 + 2 + len([number for number in calls.refused if number <= len(calls.sent)])
