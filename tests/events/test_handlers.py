"""Handlers can neither break a call nor hold it up, and nothing of them outlives their client."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable, Coroutine
from types import FrameType
from typing import Any

import pytest

from databricks_async import Token, WorkspaceClient
from databricks_async.events import CallEnded, Event
from databricks_async.local import LocalWorkspace

Connect = Callable[..., WorkspaceClient]

pytestmark = pytest.mark.usefixtures("virtual_time")


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "databricks_async.events"]


@pytest.mark.parametrize("error", [ValueError("mine"), asyncio.CancelledError()])
@pytest.mark.parametrize("is_async", [False, True])
async def test_what_a_handler_raises_reaches_no_call(
    connect: Connect, caplog: pytest.LogCaptureFixture, error: BaseException, is_async: bool
) -> None:
    """It is logged once, with its traceback, and the other handlers get each event."""
    seen: list[Event] = []

    def fail(event: Event) -> None:
        raise error

    async def fail_later(event: Event) -> None:
        raise error

    async with connect(on_event=[fail_later if is_async else fail, seen.append]) as w:
        for _ in range(3):
            await w.clusters.list().collect()
    assert len([event for event in seen if isinstance(event, CallEnded)]) == 3
    (message,) = errors(caplog)
    assert "fail" in message
    assert "logged this once" in message
    assert caplog.records[-1].exc_info is not None


async def test_an_async_handler_sees_all_events_in_their_order(connect: Connect) -> None:
    """One after the other, also those of the client's end."""
    seen: list[Event] = []
    at_once: list[Event] = []

    async def handle(event: Event) -> None:
        await asyncio.sleep(0.001)
        seen.append(event)

    async with connect(on_event=(at_once.append, handle)) as w:
        await asyncio.gather(*(w.clusters.list().collect() for _ in range(10)))
    assert seen == at_once != []


async def test_a_slow_handler_holds_up_neither_calls_nor_the_end(
    connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    """It is 1,000 events behind at most, then it misses some; the client waits a second for it."""
    loop = asyncio.get_running_loop()
    begun: list[Event] = []

    async def hang(event: Event) -> None:
        begun.append(event)
        await asyncio.sleep(3600)

    started = loop.time()
    async with connect(on_event=hang) as w:
        for _ in range(260):
            await w.clusters.list().collect()
        ended = loop.time()
    assert ended - started < 30
    assert loop.time() - ended == pytest.approx(1.0, abs=0.1)
    assert len(begun) == 1
    assert [message.partition(" is ")[2] for message in errors(caplog)] == [
        "1000 events behind: it misses some from here on"
    ]


async def test_a_handler_may_close_its_client(connect: Connect) -> None:
    """It does not wait for itself."""
    w = connect(on_event=lambda event: close() if isinstance(event, CallEnded) else None)

    async def close() -> None:
        await w.aclose()

    await w.clusters.list().collect()
    await asyncio.sleep(1)
    with pytest.raises(Exception, match="closed"):
        await w.clusters.list().collect()


async def test_a_handler_that_cannot_be_cancelled(connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    """The client ends without it, and says so."""
    release = asyncio.Event()

    async def stay(event: Event) -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    async with connect(on_event=stay) as w:
        await w.clusters.list().collect()
    assert ["goes on although it was cancelled" in message for message in errors(caplog)] == [True]
    release.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def test_a_client_dropped_with_its_loop_leaves_no_warning(workspace: LocalWorkspace) -> None:
    """The coroutines that have not begun are closed."""

    async def handle(event: Event) -> None:
        await asyncio.sleep(3600)

    async def use() -> None:
        w = WorkspaceClient(host=workspace.url, token=workspace.token, on_event=handle)
        await w.clusters.list().collect()
        await asyncio.sleep(0)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            if task.get_name() == "databricks_async: on_event":
                task.cancel()
                await asyncio.wait((task,))
        await w.aclose()

    await use()


async def test_a_handler_may_return_anything_that_is_awaited(connect: Connect) -> None:
    """Tasks and futures are waited for, beside the calls."""
    done: list[Event] = []

    async def later(event: Event) -> None:
        await asyncio.sleep(0.01)
        done.append(event)

    def handle(event: Event) -> asyncio.Task[None]:
        return asyncio.create_task(later(event))

    async with connect(on_event=handle) as w:
        await w.clusters.list().collect()
    assert isinstance(done[-1], CallEnded)


async def test_a_client_without_handlers_makes_no_reports(w: WorkspaceClient) -> None:
    """While the log does not want them either: not one line of this package runs."""
    await w.clusters.list().collect()
    ran: list[str] = []

    def note(frame: FrameType, event: str, argument: Any) -> None:
        if event == "call" and "/databricks_async/" in frame.f_code.co_filename:
            ran.append(frame.f_code.co_filename)

    sys.setprofile(note)
    try:
        await w.clusters.list().collect()
    finally:
        sys.setprofile(None)
    assert len(ran) > 20
    assert [name for name in ran if "/databricks_async/events/" in name] == []


def test_a_call_that_is_dropped_ends_without_its_loop() -> None:
    """As when Python finds it after the end of its loop: an async handler is not begun, and nothing warns."""
    at_once: list[Event] = []
    later: list[Event] = []

    async def credential() -> Token:
        await asyncio.sleep(3600)
        raise AssertionError

    async def handle(event: Event) -> None:
        later.append(event)

    async def main() -> Coroutine[Any, Any, Any]:
        async with WorkspaceClient(
            host="http://localhost:1", credential=credential, on_event=[at_once.append, handle]
        ) as w:
            call = w.current_user.me()
            call.send(None)
            await asyncio.sleep(0)
            return call

    asyncio.run(main()).close()
    assert [type(event).__name__ for event in at_once] == ["CallStarted", "CallEnded"]
    assert isinstance(at_once[-1], CallEnded)
    assert at_once[-1].error == "GeneratorExit"
    assert later == at_once[:-1]


@pytest.mark.parametrize("wrong", [5, [print, "print"]])
def test_what_is_no_handler(wrong: Any) -> None:
    """Is refused when the client is made."""
    with pytest.raises(TypeError, match="on_event"):
        WorkspaceClient(host="http://localhost:1", token="x", on_event=wrong)


def test_the_loggers_of_the_library_are_of_its_name() -> None:
    """So that one line of a program's set-up silences or shows them all."""
    names = [name for name in logging.root.manager.loggerDict if "databricks_async" in name]
    assert {"databricks_async.events", "databricks_async.http"} <= set(names)
    assert all(name.startswith("databricks_async") for name in names)
