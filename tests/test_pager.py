"""Pages read before they are asked for: the same items, little memory, nothing in vain and nothing left behind.

Here are the tests of `pager.py` that need no service; `clusters/test_events.py` has those of its pages one by one.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from bisect import bisect_left
from collections.abc import Callable
from itertools import accumulate, count
from typing import Any
from weakref import WeakSet

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from databricks_async.errors import BadRequest, NotFound, PagingError
from databricks_async.pager import Ahead, Page, Pager, Places
from support.virtual_loop import VirtualLoop

SECONDS = 0.02
"""What each page takes."""


class Items(list[Any]):
    """The items of a page, by which it is known whether it is held."""

    def __hash__(self) -> int:  # type: ignore[override]
        return id(self)


class Service:
    """Lists items, the newest first, from a time on or behind an item."""

    def __init__(self, times: list[int], size: int = 10) -> None:
        self.items = sorted(((-time, -number) for number, time in enumerate(times)))
        self.size = size
        self.asked: list[str | None] = []
        self.under_way = self.maximum = 0
        self.seconds = lambda: SECONDS
        self.has_room: Callable[[int], bool] = lambda _: True
        self.on_page: Any = lambda: None
        self.heeds_time = True
        self.held = WeakSet[Items]()

    async def fetch(self, token: str | None) -> Page[Any]:
        self.asked.append(token)
        self.under_way += 1
        self.maximum = max(self.maximum, self.under_way)
        try:
            await asyncio.sleep(self.seconds())
            return self.page(token)
        finally:
            self.under_way -= 1

    def page(self, token: str | None) -> Page[Any]:
        self.on_page()
        start = 0
        where, _, behind = (token or "").rpartition("<")
        if behind and where:
            start = bisect_left(self.items, (int(behind.split(",")[0]), int(behind.split(",")[1]) + 1))
        elif token and self.heeds_time:
            start = bisect_left(self.items, (int(token), -(10**9)))
        items = Items(self.items[start : start + self.size])
        self.held.add(items)
        more = start + self.size < len(self.items)
        return Page(items, f"t<{items[-1][0]},{items[-1][1]}" if more and items else None)

    def pager(self, *, by_time: bool = True, **settings: Any) -> Pager[Any]:
        places = Places[Any](lambda item: item[0], lambda place, token: token or str(place - 1)) if by_time else None
        start = asyncio.get_running_loop().create_task
        return Pager(self.fetch, ahead=Ahead(start, lambda number: self.has_room(number), places), **settings)

    async def is_quiet(self) -> bool:
        """Whether nothing is left of any call, once the loop has turned three times."""
        for _ in range(3):
            await asyncio.sleep(0)
        return self.under_way == 0 and asyncio.all_tasks() == {asyncio.current_task()}


@pytest.fixture(autouse=True)
def _virtual(virtual_time: None) -> None:
    """No test waits."""


def seconds() -> float:
    return asyncio.get_running_loop().time()


# When pages are asked for


@pytest.mark.parametrize("by_time", [True, False])
async def test_one_page_takes_one_request_and_no_task(by_time):
    """It costs what it did without reading ahead."""
    service = Service([*range(10)])
    tasks = 0

    def has_tasks():
        nonlocal tasks
        tasks = max(tasks, len(asyncio.all_tasks()))

    service.on_page = has_tasks
    assert [item async for item in service.pager(by_time=by_time)] == service.items
    assert await service.pager(by_time=by_time).collect() == service.items
    assert service.asked == [None, None]
    assert tasks == 1


async def test_the_second_page_is_read_from_the_middle_of_the_first_on():
    """While the caller works. One who leaves before that has had nothing read in vain."""
    service = Service([*range(20)])
    items = aiter(service.pager())
    for _ in range(5):
        await anext(items)
        await asyncio.sleep(SECONDS)
        assert len(service.asked) == 1
    for _ in range(5):
        await anext(items)
        await asyncio.sleep(SECONDS)
        assert len(service.asked) == 2
    began = seconds()
    assert len([item async for item in items]) == 10
    assert seconds() == began


async def test_a_page_is_read_while_the_caller_works_on_the_one_before():
    """Without places too, where only the next one is known: never more than that one."""
    service = Service([*range(100)])
    began = seconds()
    number = 0
    async for _ in service.pager(by_time=False):
        number += 1
        if number % 10 == 0:
            await asyncio.sleep(SECONDS)
        assert len(service.asked) <= (number - 1) // 10 + 2
    assert seconds() - began == pytest.approx(11 * SECONDS)
    assert (len(service.asked), service.maximum) == (10, 1)


@pytest.mark.parametrize("turned_off", [{"concurrency": 1}, {"page_token": "t<-100,0"}, "pages"])
async def test_pages_come_one_after_the_other_where_that_is_asked_for(turned_off):
    """With `concurrency=1`, by `pages`, and from a token on, of whose filters nothing is known, from place to place."""
    service = Service([*range(100)])
    if turned_off == "pages":
        found = [item async for page in service.pager().pages() for item in page.items]
    else:
        found = await service.pager(**turned_off).collect()
    assert found == service.items
    assert (len(service.asked), service.maximum) == (10, 1)
    assert all(token is None or "<" in token for token in service.asked)


@pytest.mark.parametrize("concurrency", [0, -1, 1.5, True, "2"])
async def test_a_concurrency_that_is_none_is_refused(concurrency):
    with pytest.raises(ValueError, match="concurrency must be a whole number from 1 on"):
        Service([]).pager(concurrency=concurrency)


@pytest.mark.parametrize(
    ("times", "round_trips", "requests"),
    [
        ([second * 1000 for second in range(5000)], 23, 235),
        ([hour * 3_600_000 + second * 1000 for hour in range(50) for second in range(100)], 33, 280),
    ],
    ids=["evenly", "in peaks"],
)
async def test_several_pages_are_read_at_once(times, round_trips, requests):
    """A long list of 200 pages takes a fraction of the time, for few requests more, and never more than 16 at once."""
    service = Service(times, 25)
    began = seconds()
    assert await service.pager().collect() == service.items
    assert seconds() - began < (round_trips + 0.5) * SECONDS
    assert len(service.asked) < requests
    assert service.maximum == 16


async def test_nothing_is_read_far_ahead_where_that_is_no_use():
    """In peaks, and where all have one time, few requests are in vain."""
    for times, most in (([7] * 500, 50), ([hour * 3_600_000 + n for hour in range(20) for n in range(25)], 75)):
        service = Service(times)
        assert await service.pager().collect() == service.items
        assert len(service.asked) <= most


@pytest.mark.parametrize("pages", [2, 3, 4, 5, 10])
async def test_a_short_list_costs_few_requests_more(pages):
    service = Service([second * 1000 for second in range(10 * pages)])
    assert await service.pager().collect() == service.items
    assert len(service.asked) <= pages + max(0, pages - 2) // 2


async def test_without_room_in_the_pacing_pages_are_read_one_by_one():
    """The next one is, for it will be needed; nothing is asked for by time that may turn out to be in vain."""
    service = Service([second * 1000 for second in range(500)])
    service.has_room = lambda _: False
    assert await service.pager().collect() == service.items
    assert service.maximum == 1


async def test_a_slow_caller_holds_few_pages():
    """Three times as many as are read at once."""
    service = Service([second * 1000 for second in range(1000)])
    most = 0
    async for _ in service.pager(concurrency=4):
        await asyncio.sleep(SECONDS)
        most = max(most, len(service.held))
    assert 9 <= most <= 12 + 1  # with the one that the caller reads


@pytest.mark.parametrize("max_items", [0, 1, 9, 10, 11, 25, 100])
async def test_no_page_is_read_beyond_what_is_wanted(max_items):
    service = Service([second * 1000 for second in range(1000)])
    assert await service.pager(max_items=max_items).collect() == service.items[:max_items]
    assert [item async for item in service.pager(max_items=max_items)] == service.items[:max_items]
    assert len(service.asked) <= 2 * (-(-max_items // 10) + 4 * (max_items == 100))
    assert await service.is_quiet()


# What the service may do


async def test_a_service_that_does_not_heed_the_time_is_read_by_tokens():
    """Each item once, and in order."""
    service = Service([second * 1000 for second in range(300)])
    service.heeds_time = False
    assert await service.pager().collect() == service.items
    assert len(service.asked) <= 30 + 8


async def test_a_service_that_takes_the_time_for_another_is_read_by_tokens():
    """One that shows nothing has not come to the end, when there were items a page ago."""
    service = Service([second * 1000 for second in range(300)])
    whole = service.page
    service.page = lambda token: whole(token) if token is None or "<" in token else Page([])
    assert await service.pager().collect() == service.items


async def test_a_service_that_refuses_the_time_is_read_by_tokens():
    """Limits of how far back a time may be are its own."""
    service = Service([second * 1000 for second in range(300)])
    whole = service.page

    def refuse(token):
        if token and "<" not in token and int(token) > -200_000:
            raise BadRequest("too long ago", status=400)
        return whole(token)

    service.page = refuse
    assert await service.pager().collect() == service.items


async def test_a_service_with_another_order_is_read_by_tokens():
    """Nothing is left out or comes twice."""
    service = Service([*range(300)])
    random.Random(3).shuffle(service.items)  # noqa: S311
    order = [*service.items]

    def page(token):
        start = 0 if token is None else int(token.partition("<")[2])
        more = start + 10 < len(order)
        return Page(order[start : start + 10], f"t<{start + 10}" if more else None)

    service.page = page
    assert await service.pager().collect() == order
    assert len(service.asked) == 30


@pytest.mark.parametrize("number", range(95, 300, 17))
async def test_an_item_without_a_time_is_not_lost(number):
    """Wherever it is."""
    service = Service([second * 1000 for second in range(500)])
    service.items[number] = (None, number)
    order = [*service.items]

    def page(token):
        _, behind, after = (token or "").rpartition("<")
        if behind:
            start = int(after)
        else:
            fitting = (at for at, item in enumerate(order) if token is None or (item[0] or 0) >= int(token))
            start = next(fitting, len(order))
        return Page(order[start : start + 10], f"t<{start + 10}" if start + 10 < len(order) else None)

    service.page = page
    assert await service.pager().collect() == order


async def test_an_error_is_raised_in_its_place_and_the_loop_can_be_taken_up_again():
    """All items before it come first, and no page is left out after it."""
    service = Service([second * 1000 for second in range(400)])
    calls = 0

    def fail():
        nonlocal calls
        calls += 1
        if calls % 7 == 0:
            raise NotFound("not now", status=404)

    service.on_page = fail
    items, found, failures = aiter(service.pager()), [], 0
    while len(found) < 400:
        try:
            found.append(await anext(items))
        except NotFound:
            failures += 1
            assert await service.is_quiet()
    assert found == service.items
    assert failures > 2


async def test_a_token_that_comes_again_raises():
    """It is not asked for twice."""
    pages = {None: "a", "a": "b", "b": "a"}
    service = Service([])
    service.page = lambda token: Page([1], pages[token])
    items = aiter(service.pager(by_time=False))
    assert [await anext(items) for _ in range(3)] == [1, 1, 1]
    for _ in range(2):
        with pytest.raises(PagingError):
            await anext(items)
    assert service.asked == [None, "a", "b"]


# What is left


@pytest.mark.parametrize("number", [1, 6, 25, 60, 110])
async def test_leaving_the_loop_leaves_nothing(number):
    """Nor does dropping the iterator without a loop."""
    service = Service([second * 1000 for second in range(1000)])
    left = number
    async for _ in service.pager():
        left -= 1
        if not left:
            break
    assert await service.is_quiet()
    items = aiter(service.pager())
    for _ in range(number):
        await anext(items)
    del items
    assert await service.is_quiet()


@pytest.mark.parametrize("steps", range(0, 72, 6))
async def test_a_caller_that_is_cancelled_leaves_nothing(steps):
    """Wherever it was; it ends when all that it began has ended."""
    service = Service([second * 1000 for second in range(2000)])
    task = asyncio.create_task(service.pager().collect())
    await asyncio.sleep(steps * SECONDS / 4)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert service.under_way == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_cancelled_iterator_can_be_taken_up_again():
    service = Service([second * 1000 for second in range(300)])
    items, found = aiter(service.pager()), []
    number = 0
    while len(found) < 300:
        number += 1
        try:
            async with asyncio.timeout(SECONDS / 2 if number % 3 else None):
                found.append(await anext(items))
        except TimeoutError:
            assert service.under_way == 0
    assert found == service.items


async def test_two_tasks_cannot_wait_for_one_iterator():
    """Each would get what the other has missed."""
    service = Service([*range(30)])
    items = aiter(service.pager())
    first = asyncio.create_task(anext(items))
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="two tasks"):
        await anext(items)
    assert await first == service.items[0]


# The same items


def test_what_is_there_all_the_time_comes_once_and_in_order(pytestconfig):
    """Whatever comes and goes while the pages are read, in whichever order they come, also to an impatient caller."""

    @settings(max_examples=5 * pytestconfig.getoption("listings"), deadline=None, database=None)
    @given(
        gaps=st.lists(st.sampled_from([0, 0, 1, 2, 50, 1000, 1000, 10**6]), max_size=150),
        size=st.integers(1, 12),
        concurrency=st.integers(2, 9),
        changes=st.lists(st.sampled_from(["new", "late", "gone", ""]), max_size=60),
        is_patient=st.booleans(),
        seed=st.integers(0, 1000),
    )
    def check_listing(
        gaps: list[int], size: int, concurrency: int, changes: list[str], is_patient: bool, seed: int
    ) -> None:
        async def check() -> None:
            times = [*accumulate(gaps, initial=10**9)]
            service, chance, to_come = Service(times, size), random.Random(seed), [*changes]  # noqa: S311
            service.seconds = lambda: chance.random()
            there, ever, numbers = set(service.items), set(service.items), count(10**6)

            def change() -> None:
                what = to_come.pop() if to_come else ""
                if what == "gone" and service.items:
                    item = chance.choice(service.items)
                    service.items.remove(item)
                    there.discard(item)
                elif what:
                    time = times[-1] + next(numbers) if what == "new" else chance.choice(times)
                    item = (-time, -next(numbers))
                    ever.add(item)
                    service.items.insert(bisect_left(service.items, item), item)

            service.on_page = change
            found, items = [], aiter(service.pager(concurrency=concurrency))
            while True:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(None if is_patient else chance.random() * 1.5):
                        async for item in items:
                            found.append(item)
                        break
            assert found == sorted(set(found))
            assert there <= set(found) <= ever
            assert await service.is_quiet()

        loop = VirtualLoop()
        try:
            loop.run_until_complete(check())
        finally:
            loop.close()

    check_listing()
