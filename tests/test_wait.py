"""Wait and Watch by themselves: how long they put up with an object that cannot be read.

Here are the tests of `polling/following.py`, `polling/pace.py`, `polling/things.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import attrs
import pytest

from databricks_async import Wait, Watch, errors
from databricks_async.errors import (
    CertificateError,
    DatabricksError,
    RequestTimeout,
    ResourceDoesNotExist,
    TemporarilyUnavailable,
)
from databricks_async.polling.following import Following
from databricks_async.polling.reader import Reader
from databricks_async.session.stats import Stats


@pytest.fixture
async def later() -> Callable[[float], None]:
    """Moves the event loop's own clock ahead, for good: the loop ends with the test."""
    loop = asyncio.get_running_loop()
    real, ahead = loop.time, [0.0]
    loop.time = lambda: real() + sum(ahead)
    return ahead.append


@attrs.define
class Reading:
    """Something to read that fails with these errors, one a reading, and then gives a word."""

    errors: list[DatabricksError]
    before: Callable[[], None] = lambda: None
    count: int = 0

    async def get(self, _: object) -> dict[str, object]:
        self.before()
        self.count += 1
        if self.errors:
            raise self.errors.pop(0)
        return {"word": "done", "count": self.count}

    def served_at(self) -> None:
        return None

    def where(self, word: str) -> None:
        return None

    def is_enough(self, word: str, *, parts: bool) -> bool:
        return True

    def mark(self, item: dict[str, object]) -> int:
        return self.count

    def decode(self, item: dict[str, object], *, listed: bool) -> str:
        return str(item["word"])


class Background:
    """What a session gives a reader."""

    stats = Stats()
    start = staticmethod(asyncio.create_task)


def reader_of(read: Reading) -> Reader[str, str]:
    return Reader("thing", read, Background(), tick=0.001, page_seconds=60)


def wait_for(read: Reading, *, grace_period: bool = False) -> Wait[str]:
    return Wait(
        "the thing",
        reader_of(read),
        "it",
        key=str,
        ended=lambda word: word == "done",
        failure=lambda _: None,
        grace_period=grace_period,
    )


def watch(read: Reading, key: Callable[[str], object] = str) -> Watch[str]:
    reader = reader_of(read)
    return Watch(Following("it", reader, reader.thing("it"), tick=0.001, fail_after=600), key)


async def test_readings_that_fail_for_ten_minutes_are_passed_on(later):
    """The last failure is raised, by a wait and by a watch."""
    for make in (
        lambda read: wait_for(read).result(),
        lambda read: anext(watch(read)),
    ):
        errors = [TemporarilyUnavailable(f"down {number}") for number in range(10)]
        read = Reading(errors, before=lambda: later(149.0))
        with pytest.raises(TemporarilyUnavailable, match="down 4"):
            await make(read)
        assert read.count == 5


async def test_ten_minutes_begin_with_the_first_reading_that_fails(later):
    """However long the consumer took to ask for the next one."""
    read = Reading([])
    changes = watch(read, lambda _: read.count)
    assert await anext(changes) == "done"
    later(3600.0)
    read.errors = [TemporarilyUnavailable("once")]
    assert await anext(changes) == "done"


async def test_a_request_that_timed_out_is_not_taken_for_the_end_of_the_waits_own_time(later):
    """Though both are TimeoutErrors."""
    read = Reading([RequestTimeout("no answer") for _ in range(10)], before=lambda: later(149.0))
    with pytest.raises(RequestTimeout, match="no answer"):
        await wait_for(read).result(timeout=3600)


@pytest.mark.parametrize("error", [CertificateError("not trusted"), errors.NotImplemented("no such thing")])
async def test_what_another_reading_cannot_heal_is_raised_at_once(error):
    """A certificate that is not trusted now will not be trusted later."""
    read = Reading([error])
    with pytest.raises(type(error)):
        await wait_for(read).result()
    assert read.count == 1


async def test_the_grace_period_is_half_a_minute(later):
    """For an object that was just created to be found, and no longer; any other has none."""
    missing = [ResourceDoesNotExist("not there yet") for _ in range(10)]
    read = Reading([*missing[:3]], before=lambda: later(9.0))
    assert await wait_for(read, grace_period=True).result() == "done"
    assert read.count == 4

    read = Reading([*missing], before=lambda: later(9.0))
    with pytest.raises(ResourceDoesNotExist):
        await wait_for(read, grace_period=True).result()
    assert read.count == 4

    read = Reading([*missing])
    with pytest.raises(ResourceDoesNotExist):
        await wait_for(read).result()
    assert read.count == 1
