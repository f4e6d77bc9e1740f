"""Many callers against limits of all kinds, in virtual time: how long they take, and how many calls are refused."""

from __future__ import annotations

import asyncio
import itertools
import math
import random

import pytest

from databricks_async.message import Request, Response
from databricks_async.session.budgets import Budget
from databricks_async.session.pacing import Pacer
from databricks_async.session.rate import Rate
from databricks_async.session.stats import Stats
from support.virtual_loop import VirtualLoop

READ = Request("GET /api/2.1/clusters/list", "/api/2.1/clusters/list")


class LimitedService:
    """Takes `per_second` calls after a `burst`, or so many at once; each takes `latency`, more or less.

    The calls of whose number and time `unwell` is true are refused for no reason. Until `named_until` a limit of 20
    calls at once is in force, and named in the refusals.
    """

    def __init__(
        self,
        loop,
        per_second=math.inf,
        burst=30,
        retry_after=1,
        latency=0.05,
        concurrent=math.inf,
        unwell=lambda number, now: False,
        named_until=0.0,
    ):
        self._loop = loop
        self._per_second = per_second
        self._burst = self._saved = burst
        self._retry_after = retry_after
        self._latency = latency
        self._concurrent = concurrent
        self._unwell = unwell
        self._named_until = named_until
        self._started = loop.time()
        self._seen_at = 0.0
        self._random = random.Random(1)  # noqa: S311 (repeatable, not secret)
        self.in_flight = self.taken = self.refused = 0

    async def send(self, request):
        latency = self._latency * self._random.uniform(0.7, 1.3)
        await asyncio.sleep(latency / 2)
        now = self._loop.time() - self._started
        if self._per_second < math.inf:
            self._saved = min(self._burst, self._saved + (now - self._seen_at) * self._per_second)
            self._seen_at = now
        names_the_limit = now < self._named_until and self.in_flight >= 20
        unwell = self._unwell(self.taken + self.refused, now)
        if self._saved < 1 or self.in_flight >= self._concurrent or unwell or names_the_limit:
            self.refused += 1
            await asyncio.sleep(latency / 2)
            headers = {} if self._retry_after is None else {"retry-after": str(self._retry_after)}
            named = b'{"message": "Workspace 1 exceeded the concurrent limit of 20 requests."}'
            return Response(429, headers, named if names_the_limit else b"")
        if self._per_second < math.inf:
            self._saved -= 1
        self.taken += 1
        self.in_flight += 1
        await asyncio.sleep(latency / 2)
        self.in_flight -= 1
        return Response(200, {}, b"")


def run_processes(count, calls=600, callers=100, seed=0, **limits):
    """So many calls by several clients that share no more than the service.

    Returns the seconds it took, the service, and of which part of its calls each had an answer by half time.
    """
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        loop = runner.get_loop()
        random.seed(seed)
        service = LimitedService(loop, **limits)
        done = [[] for _ in range(count)]

        async def process(mine):
            await asyncio.sleep(random.uniform(0, 0.1))  # noqa: S311 (repeatable, not secret)
            pacer = Pacer(100, Budget(300.0), Stats())
            paced, numbers = pacer.paced(service.send), itertools.count()

            async def caller():
                while next(numbers) < calls // count:
                    assert (await paced(READ)).status == 200
                    mine.append(loop.time())

            await asyncio.gather(*(caller() for _ in range(callers // count)))
            pacer.close()

        async def all_processes():
            await asyncio.gather(*map(process, done))

        started = loop.time()
        runner.run(all_processes())
        seconds = loop.time() - started
        return seconds, service, [sum(at < started + seconds / 2 for at in mine) / (calls / count) for mine in done]


def run_callers(calls=600, callers=100, budget=300.0, **limits):
    """So many calls by so many callers. Returns the seconds it took, and the service."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        loop = runner.get_loop()
        service = LimitedService(loop, **limits)
        numbers = itertools.count()

        async def caller(paced):
            while next(numbers) < calls:
                assert (await paced(READ)).status == 200

        async def all_callers():
            pacer = Pacer(100, Budget(budget), Stats())
            paced = pacer.paced(service.send)
            await asyncio.gather(*(caller(paced) for _ in range(callers)))
            pacer.close()

        started = loop.time()
        runner.run(all_callers())
        return loop.time() - started, service


@pytest.mark.parametrize("latency", [0.02, 0.1])
@pytest.mark.parametrize("retry_after", [1, None])
def test_callers_reach_the_rate_of_the_service(retry_after, latency):
    """600 calls at 30 a second: little more than the 19 seconds that they must take, and under 5 % are refused."""
    seconds, service = run_callers(per_second=30, burst=30, retry_after=retry_after, latency=latency)
    assert seconds <= 19 * 1.15
    assert service.refused / (service.refused + 600) < 0.05


@pytest.mark.parametrize(
    ("limits", "ideal", "max_refused"),
    [
        ({"per_second": 30, "burst": 5, "retry_after": 1}, 19.8, 0.05),
        ({"per_second": 30, "burst": 5, "retry_after": None}, 19.8, 0.05),
        ({"per_second": 30, "burst": 100}, 16.7, 0.1),
        ({"per_second": 10, "burst": 10}, 59, 0.1),
        ({"per_second": 100, "burst": 10}, 5.9, 0.1),
        ({"concurrent": 5, "latency": 0.3, "retry_after": None}, 18, 0.1),
        ({"concurrent": 20, "latency": 0.3, "retry_after": None}, 4.5, 0.1),
    ],
)
def test_limits_of_any_kind_are_learned(limits, ideal, max_refused):
    """Large or small, of a rate or of calls at once, whatever the service says: no call is given up, few refused."""
    seconds, service = run_callers(**limits)
    assert seconds <= ideal * 2.5
    assert service.refused / (service.refused + 600) < max_refused


@pytest.mark.parametrize("latency", [0.003, 0.02, 0.05])
def test_a_small_burst_costs_little(latency):
    """At 30 a second and bursts of 5 each pause of a second overflows the bucket of the service: few are needed."""
    seconds, service = run_callers(per_second=30, burst=5, retry_after=1, latency=latency)
    assert seconds <= 19.8 * 1.14
    assert service.refused / (service.refused + 600) < 0.03


def test_a_small_burst_costs_little_from_afar():
    """Answers come after 70 to 160 ms, so that the first burst takes long, and tells little: the mean of 15 runs."""
    times = [
        run_callers(per_second=30, burst=5, retry_after=retry_after, latency=latency)[0]
        for latency in (0.07, 0.09, 0.11, 0.13, 0.16)
        for retry_after in (1, 0.3, None)
    ]
    assert sum(times) / 15 <= 19.8 * 1.18


def test_a_high_rate_is_lowered_by_a_few_calls_a_second():
    """And by more when several are refused at once; a low one by a share."""
    for rate_before, refused, left in ((40.0, 1, 32.0), (100.0, 2, 84.0), (100.0, 9, 73.0), (8.0, 1, 5.84)):
        rate = Rate(usual=rate_before)
        rate.start(0.0)
        refuse(rate, sent_at=0.1)
        rate.answered(1.3, sent_at=1.2)
        rate.per_second = rate_before
        for _ in range(refused):
            rate.refused(1.5)
        assert rate.reopen(2.5, pause=1.0)
        assert rate.per_second == pytest.approx(left)


@pytest.mark.parametrize("retry_after", [1, None])
@pytest.mark.parametrize(
    ("count", "burst", "most_time"),
    [(2, 5, 1.16), (2, 30, 1.14), (3, 5, 1.2), (3, 30, 1.17), (4, 5, 1.15), (4, 30, 1.14)],
)
def test_processes_come_to_share_a_service(count, burst, most_time, retry_after):
    """That know nothing of each other: little is wasted, and by half time each has half of its share or more."""
    limits = {"per_second": 30, "burst": burst, "retry_after": retry_after, "latency": 0.01}
    runs = [run_processes(count, seed=seed, **limits) for seed in range(16)]
    ideal = (600 - burst) / 30
    assert sum(seconds for seconds, _, _ in runs) / 16 <= ideal * most_time
    refused = sum(service.refused for _, service, _ in runs) / 16
    assert refused <= (600 + refused) * 0.05
    for _, _, parts in runs:
        assert min(parts) >= 0.25


def test_processes_that_are_asked_to_wait_for_a_moment_are_not_refused_all_the_time():
    """Four, and a service that says in hundredths of a second when it takes the next call."""
    seconds, service, parts = run_processes(4, per_second=30, burst=5, latency=0.01, retry_after=0.02)
    assert seconds <= 19.8 * 1.2
    assert service.refused < 60
    assert min(parts) >= 0.25


def test_a_process_takes_what_others_leave():
    """A client that is alone again has the whole service after a while."""
    runs = [run_processes(2, calls=1200, seed=seed, per_second=30, burst=30, latency=0.01) for seed in range(12)]
    assert sum(seconds for seconds, _, _ in runs) / 12 <= 39 * 1.12


def test_the_fewer_calls_were_refused_the_sooner_a_rate_is_tried():
    """15 calls a second: what others left is looked for after twenty pauses, or after one when none was for long."""

    def grows(pauses, taken):
        rate = Rate(usual=15.0)
        rate.start(0.0)
        refuse(rate, sent_at=0.1)
        for _ in range(taken):
            rate.answered(1.1, sent_at=1.1)
        before = rate.per_second
        rate.answered(1.1 + pauses, sent_at=1.1)
        return rate.per_second - before > 0.1

    for taken, early, late in ((1, 19.9, 20.1), (200, 2.2, 2.4), (350, 1.0, 1.1), (2000, 1.0, 1.1)):
        assert not grows(early, taken)
        assert grows(late, taken)


def test_a_rate_that_is_learned_anew_is_tried_as_late_as_the_first():
    """A forgotten rate leaves no boldness behind."""
    rate = Rate(usual=15.0)
    rate.start(0.0)
    refuse(rate, sent_at=0.1)
    for _ in range(350):
        rate.answered(1.1, sent_at=1.1)
    rate.next_at(500.0, 500.0)
    assert rate.per_second == math.inf
    refuse(rate, sent_at=500.0)
    rate.answered(510.0, sent_at=509.0)
    assert rate.per_second == pytest.approx(15.0, abs=0.1)


def test_many_refusals_do_not_make_a_rate_timid_for_long():
    """Fifty at once: at 8 calls a second what others left is looked for after six to seven pauses, not twenty."""
    rate = Rate(usual=8.0)
    rate.start(0.0)
    refuse(rate, sent_at=0.1)
    for _ in range(50):
        rate.refused(1.2)
    rate.reopen(2.2, pause=1.0)
    rate.per_second = 8.0
    rate.answered(8.2, sent_at=2.3)
    assert rate.per_second == pytest.approx(8.0, abs=0.1)
    rate.answered(8.8, sent_at=2.3)
    assert rate.per_second > 8.3


def test_a_low_rate_grows_step_by_step():
    """By half a call a second with each answer at the most: many processes are not refused all the time."""
    rate = Rate(usual=2.0)
    rate.start(0.0)
    refuse(rate, sent_at=0.1)
    rate.answered(1.2, sent_at=1.1)
    assert rate.per_second == pytest.approx(2.5)


def test_a_long_run_wastes_next_to_nothing():
    """6,000 calls: one in a hundred is refused at most."""
    seconds, service = run_callers(calls=6000, per_second=30, burst=30)
    assert seconds <= 199 * 1.05
    assert service.refused < 60


def test_ten_thousand_at_once_all_get_through():
    """Though most of them wait for longer than a call's budget: the queue moves on."""
    seconds, service = run_callers(calls=10_000, callers=10_000, per_second=30, burst=30, budget=60.0)
    assert seconds <= 333 * 1.1
    assert service.taken == 10_000


def test_a_service_without_a_limit_is_not_slowed_down():
    """5,000 calls, 100 at once: it takes less than a second until so many are in flight."""
    seconds, service = run_callers(calls=5000, latency=0.05)
    assert seconds <= 2.5 + 0.9
    assert service.refused == 0


@pytest.mark.parametrize("retry_after", [1, None])
@pytest.mark.parametrize("accident", [0, 5, 50, 500, 1500])
def test_one_refusal_is_one_pause(accident, retry_after):
    """3,000 calls, 100 at once, of which a healthy service refuses one: half a second or what it asks for is lost."""
    seconds, service = run_callers(
        calls=3000, latency=0.015, retry_after=retry_after, unwell=lambda number, _: number == accident
    )
    assert service.refused == 1
    assert seconds <= 0.6 + 1.1 * (retry_after or 0.5) + 0.2


def test_one_refusal_costs_the_seconds_that_it_asks_for():
    """10,000 calls, 100 at once: those two seconds more and not a tenth."""
    without, _ = run_callers(calls=10_000, latency=0.02)
    seconds, service = run_callers(calls=10_000, latency=0.02, retry_after=2, unwell=lambda number, _: number == 4000)
    assert service.refused == 1
    assert seconds - without <= 2.0


@pytest.mark.parametrize("accidents", [(500, 1500, 2500), (1000, 1001)], ids=["apart", "together"])
def test_a_few_refusals_cost_a_healthy_service_their_pauses(accidents):
    """3,000 calls, 100 at once; two that are refused together are one pause."""
    without, _ = run_callers(calls=3000, latency=0.015)
    seconds, service = run_callers(calls=3000, latency=0.015, unwell=lambda number, _: number in accidents)
    assert service.refused == len(accidents)
    assert seconds - without <= 1.17 * len({number // 10 for number in accidents})


def test_accidents_cost_a_healthy_service_little():
    """One call in 1,000 is refused by chance, of 1,000 a second: no rate is learned from that, or not for long."""
    times = []
    for seed in range(4):
        chance = random.Random(seed)  # noqa: S311 (repeatable, not secret)
        seconds, service = run_callers(
            calls=20_000, latency=0.1, retry_after=0.05, unwell=lambda *_, chance=chance: chance.random() < 0.001
        )
        assert 10 <= service.refused <= 40
        times.append(seconds)
    assert sum(times) / 4 <= 20 * 1.2


@pytest.mark.parametrize(("taken", "refusals"), [(60, 4), (40, 2)])
def test_rare_refusals_tell_a_rate_when_they_come_back_again_and_again(taken, refusals):
    """Each pause of a second would be lost; those that are not rare tell it when they come back once."""
    rate, now, told = Rate(), 10.0, []
    rate.start(now)
    for _ in range(refusals):
        for number in range(taken):
            rate.answered(now + number / 100, sent_at=now + number / 100)
        now += 1.0
        rate.refused(now)
        now += 1.0
        told.append(rate.reopen(now, pause=1.0))
    assert told == [False] * (refusals - 1) + [True]


def test_a_late_refusal_of_a_call_that_was_under_way_tells_nothing_new():
    """It was sent before the gate was shut, and comes when that is open again."""
    rate = Rate()
    rate.start(0.0)
    rate.refused(1.0)
    assert not rate.reopen(1.1, pause=0.05)
    rate.refused(1.05)
    assert not rate.reopen(1.2, pause=0.05)
    assert rate.per_second == math.inf


def test_late_refusals_are_not_among_those_in_a_row():
    """Of three refusals that come back soon, each with a late one: the fourth tells a rate, and not the second."""
    rate, now, told = Rate(), 10.0, []
    rate.start(now)
    for _ in range(4):
        for number in range(60):
            rate.answered(now + number / 100, sent_at=now + number / 100)
        rate.refused(now + 0.6)
        told.append(rate.reopen(now + 1.6, pause=1.0))
        rate.refused(now + 0.61)
        assert not rate.reopen(now + 1.7, pause=1.0)
        now += 1.7
    assert told == [False] * 3 + [True]


def test_one_refusal_of_a_single_caller_is_one_pause():
    """Nothing is learned from a single caller either."""
    seconds, _ = run_callers(calls=200, callers=1, latency=0.01, retry_after=None, unwell=lambda number, _: number == 3)
    assert seconds <= 2.0 + 0.55 + 0.2


def test_a_bad_moment_is_overcome():
    """Callers that are refused for a second, also after a pause, are careful then, and soon as fast as before."""
    seconds, _ = run_callers(calls=10_000, latency=0.015, retry_after=None, unwell=lambda _, now: 0.3 < now < 1.3)
    assert seconds <= 10


def test_a_limit_that_was_named_is_not_for_ever():
    """20 calls at once for ten seconds: after half a minute without it callers are as fast as the service."""
    seconds, service = run_callers(calls=4000, latency=0.5, named_until=10.0)
    assert seconds <= 60  # 40 calls a second until then and 200 later; with 20 at once to the end it would be 100
    assert service.refused < 40


@pytest.mark.parametrize("taken", [1000, 2048, 4095, 4096, 4097, 6144, 12_000])
def test_what_was_learned_outlasts_the_times_that_are_kept(taken):
    """1,000 calls a second are taken for up to 12 s: a refusal after any number of them tells the same rate."""
    rate = Rate(usual=1100)
    rate.start(0.0)
    refuse(rate, sent_at=1.0)
    for number in range(taken):
        rate.answered(2.02 + number / 1000, sent_at=2.0 + number / 1000)
    refuse(rate, sent_at=2.0 + taken / 1000)
    assert 970 <= rate.per_second <= 1030


@pytest.mark.parametrize(("burst", "seconds"), [(3, 0.0), (12, 0.54), (30, 1.0)])
def test_nothing_is_sent_until_the_service_can_have_saved_up_its_burst(burst, seconds):
    """After a refusal of a call that is paced; with a small burst calls go on at once, only more slowly."""
    rate = Rate()
    rate.start(0.0)
    for number in range(burst):
        rate.answered(0.02 + number / 100, sent_at=number / 100)
    refuse(rate, sent_at=burst / 100)
    now = burst / 100 + 1.0
    for _ in range(2):
        for _ in range(8):
            now += 1 / rate.per_second
            rate.answered(now, sent_at=now)
        now += 1.5
        rate.per_second = 20.0
        rate.refused(now)
        assert rate.slow_down(now, sent_at=now, pause=1.0)
    assert rate.next_at(now, now) - now == pytest.approx(max(seconds, 1 / (0.84 * rate.per_second)), abs=0.02)


def test_who_is_refused_at_once_goes_on_with_a_few_calls_a_second():
    """Of several processes that begin together some have no luck: they are not left behind."""
    rate = Rate()
    rate.start(0.0)
    refuse(rate, sent_at=0.01)
    rate.answered(1.2, sent_at=1.19)
    rate.refused(1.5)
    assert rate.slow_down(1.5, sent_at=1.5, pause=1.0)
    assert rate.per_second == 7.8


def refuse(rate, sent_at):
    """Eight calls at once."""
    for _ in range(8):
        rate.refused(sent_at)
    assert rate.reopen(sent_at + 1.0, pause=1.0)
