"""What asyncio lacks: who is waited for, what a cancellation ends, and which timeout it was."""

from __future__ import annotations

import asyncio
import threading

import pytest

from databricks_async.aio import SingleFlight, gather, off_loop, time_limit, wait_through


async def loop_steps(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


class Work:
    """A piece of work that ends when the test says so."""

    def __init__(self) -> None:
        self.begun = self.cancelled = 0
        self.end: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def __call__(self) -> str:
        self.begun += 1
        try:
            return await asyncio.shield(self.end)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise


async def test_a_time_limit_raises_its_own_error():
    """When the time is over."""
    with pytest.raises(LookupError, match="too late"):
        async with time_limit(0.0, lambda: LookupError("too late")):
            await asyncio.get_running_loop().create_future()


async def test_a_timeout_of_the_block_is_not_taken_for_the_limit():
    """It is raised as it is."""
    with pytest.raises(TimeoutError, match="inner"):
        async with time_limit(60.0, lambda: LookupError("too late")):
            raise TimeoutError("inner")


async def test_none_is_without_limit():
    """And the value of the block comes out."""
    async with time_limit(None, lambda: LookupError("too late")):
        await asyncio.sleep(0)


async def test_waiting_goes_on_through_cancellations():
    """Until all is done, and what was added meanwhile; then the cancellation is returned."""
    loop = asyncio.get_running_loop()
    first, second = loop.create_future(), loop.create_future()
    futures = {first}
    waiting = asyncio.create_task(wait_through(futures))
    await loop_steps()
    for _ in range(2):
        waiting.cancel()
        await loop_steps()
    futures.add(second)
    first.set_result(None)
    await loop_steps()
    assert not waiting.done()
    second.set_result(None)
    assert isinstance(await waiting, asyncio.CancelledError)
    assert await wait_through(futures) is None


async def test_a_thread_is_waited_for_by_a_caller_that_is_cancelled():
    """What it made is undone."""
    go_on, undone = threading.Event(), list[str]()

    def work(value: str) -> str:
        go_on.wait(10)
        return value

    calling = asyncio.create_task(off_loop(work, "made", undo=undone.append))
    await loop_steps()
    calling.cancel()
    await loop_steps()
    assert not calling.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await calling
    assert undone == ["made"]
    assert await off_loop(work, "kept", undo=undone.append) == "kept"
    assert undone == ["made"]


async def test_gather_keeps_the_order():
    """Of the calls, not of their ends."""
    last = asyncio.get_running_loop().create_future()

    async def slow() -> int:
        return await last

    async def fast() -> int:
        last.set_result(1)
        return 2

    assert await gather([slow(), fast()]) == [1, 2]


async def test_a_failure_ends_the_other_calls():
    """And is raised itself, not in a group."""
    slow = Work()

    async def fail() -> str:
        await loop_steps()
        raise LookupError("no")

    with pytest.raises(LookupError, match="no"):
        await gather([slow(), fail()])
    assert slow.cancelled == 1


async def test_all_callers_share_one_flight():
    """One that is cancelled leaves it to the others."""
    work = Work()
    flight = SingleFlight(work, "test")
    callers = [asyncio.create_task(flight.join()) for _ in range(3)]
    await loop_steps()
    callers[0].cancel()
    await loop_steps()
    assert (work.begun, work.cancelled, flight.is_under_way, flight.is_wanted) == (1, 0, True, True)
    work.end.set_result("done")
    assert [(await caller).result() for caller in callers[1:]] == ["done", "done"]
    await loop_steps()
    assert (flight.is_under_way, flight.is_wanted) == (False, False)
    assert (await flight.join()).result() == "done"
    assert work.begun == 2


async def test_a_flight_ends_with_its_last_caller():
    """A caller who comes in the same moment begins a new one."""
    work = Work()
    flight = SingleFlight(work, "test")
    first = asyncio.create_task(flight.join())
    await loop_steps()
    first.cancel()
    await asyncio.sleep(0)
    second = asyncio.create_task(flight.join())
    await loop_steps()
    assert (work.begun, work.cancelled) == (2, 1)
    work.end.set_result("done")
    assert (await second).result() == "done"
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_a_flight_that_is_kept_goes_on_without_callers():
    """Until it is cancelled; a later caller joins it."""
    work = Work()
    flight = SingleFlight(work, "test", keep=True)
    first = asyncio.create_task(flight.join())
    await loop_steps()
    first.cancel()
    await loop_steps()
    second = asyncio.create_task(flight.join())
    await loop_steps()
    assert (work.begun, work.cancelled) == (1, 0)
    await flight.cancel()
    assert (await second).cancelled()


async def test_a_failure_reaches_all_callers():
    """And the next caller begins anew."""
    work = Work()
    flight = SingleFlight(work, "test")
    callers = [asyncio.create_task(flight.join()) for _ in range(2)]
    await loop_steps()
    work.end.set_exception(LookupError("no"))
    for caller in callers:
        assert isinstance((await caller).exception(), LookupError)
    work.end = asyncio.get_running_loop().create_future()
    work.end.set_result("done")
    assert (await flight.join()).result() == "done"


async def test_a_failure_that_no_caller_sees_is_quiet(caplog):
    """Asyncio would report an exception that was never retrieved."""
    work = Work()
    flight = SingleFlight(work, "test", keep=True)
    flight.begin()
    await loop_steps()
    work.end.set_exception(LookupError("no"))
    await loop_steps()
    del flight, work
    await loop_steps()
    assert caplog.records == []
