"""A gate that several clients share: what it is asked, and what becomes of the calls that wait.

Here are the tests of `session/shared.py`.
"""

from __future__ import annotations

import asyncio
import logging

import pytest

from databricks_async import WorkspaceClient
from databricks_async.errors import LifecycleError
from databricks_async.local import Fault

LIST = "GET /api/2.1/clusters/list"


class Gate:
    """Gives out places after these seconds, the last one for ever, and remembers what it was asked."""

    def __init__(self, *seconds):
        self._seconds = list(seconds)
        self.entered = []
        self.refusals = []

    async def enter(self, host, family):
        self.entered.append((host, family))
        return self._seconds.pop(0) if len(self._seconds) > 1 else self._seconds[0]

    async def refused(self, host, family, seconds):
        self.refusals.append((host, family, seconds))


def connect(workspace, gate, **settings):
    return WorkspaceClient(host=workspace.url, token=workspace.token, gate=gate, **settings)


@pytest.mark.usefixtures("virtual_time")
async def test_a_call_waits_for_its_place(workspace):
    """Each try asks, with the workspace and the family; a refusal is reported with the seconds that are asked for."""
    gate, loop = Gate(2.0, 0.0), asyncio.get_running_loop()
    workspace.faults.add(LIST, Fault.too_many_requests(3))
    async with connect(workspace, gate) as client:
        started = loop.time()
        await client.clusters.list().collect()
        assert loop.time() - started == pytest.approx(5, abs=0.2)
    assert gate.entered == [(workspace.url, "clusters")] * 2
    assert gate.refusals == [(workspace.url, "clusters", 3.0)]


@pytest.mark.usefixtures("virtual_time")
async def test_waiting_for_a_place_ends_with_the_caller_and_with_the_client(workspace):
    """By a time limit, by a cancellation and by closing: nothing is sent, and places of the client are free again."""
    client = connect(workspace, Gate(100.0), max_connections=2)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await client.clusters.list_zones()
    waiting = [asyncio.create_task(client.clusters.list_zones()) for _ in range(4)]
    await asyncio.sleep(1)
    waiting[0].cancel()
    await asyncio.sleep(1)
    await client.aclose()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [asyncio.CancelledError, *[LifecycleError] * 3]
    assert workspace.journal.count() == 0


class Broken(Gate):
    async def enter(self, host, family):
        raise ConnectionError("password=hidden")

    async def refused(self, host, family, seconds):
        raise ConnectionError("password=hidden")


class Hanging(Gate):
    async def enter(self, host, family):
        await asyncio.Event().wait()


@pytest.mark.usefixtures("virtual_time")
@pytest.mark.parametrize(
    ("gate", "warnings"),
    [(Broken(0.0), 1), (Hanging(0.0), 1), (Gate(None), 0), (Gate("soon"), 0), (Gate(-1.0), 0), (Gate(float("nan")), 0)],
    ids=["raises", "hangs", "none", "text", "negative", "not a number"],
)
async def test_a_broken_gate_stops_no_call(workspace, gate, warnings, caplog):
    """It is passed by after a second at most; one warning a minute says so, without what the error says."""
    loop = asyncio.get_running_loop()
    workspace.faults.add(LIST, Fault.too_many_requests(1))
    async with connect(workspace, gate) as client:
        started = loop.time()
        await client.clusters.list().collect()
        assert loop.time() - started < 3.5
    assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == warnings
    assert "hidden" not in caplog.text


async def test_a_gate_must_be_one():
    """Before anything is sent."""
    with pytest.raises(TypeError, match=r"databricks_async\.gates\.Gate; int has not"):
        WorkspaceClient(host="http://127.0.0.1:1", token="dapi0", gate=7)
