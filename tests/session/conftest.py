"""A local workspace and clients of it; the layers stacked by hand over real HTTP; and a time that takes no time."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack

import aiohttp
import pytest

from databricks_async import Config, WorkspaceClient
from databricks_async.auth import Token
from databricks_async.local import Clock, LocalWorkspace
from databricks_async.session.pacing import Pacer
from databricks_async.session.retry import checked, retrying
from databricks_async.session.stats import Stats
from databricks_async.session.tokens import Tokens, authenticated
from databricks_async.session.transport import Transport


@pytest.fixture
async def workspace():
    """When a test has ended no connection is held and nothing runs."""
    async with LocalWorkspace(clock=Clock.by_hand()) as workspace:
        yield workspace
        async with asyncio.timeout(5):
            await workspace.journal.until(lambda journal: journal.connections == 0)
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.fixture
async def connect(workspace):
    """Makes clients of the workspace."""
    async with AsyncExitStack() as exits:

        def connect(*, credential=None, session=None, trace_configs=(), **settings):
            if credential is None and "client_id" not in settings:
                settings = {"token": workspace.token} | settings
            settings = {"host": workspace.url, "poll_interval_seconds": 0.005} | settings
            config = Config(needs_credential=credential is None, **settings)
            client = WorkspaceClient(config=config, credential=credential, session=session, trace_configs=trace_configs)
            exits.push_async_callback(client.aclose)
            return client

        yield connect


class Layers:
    """What a session stacks, with pauses that take no time."""

    def __init__(self, http, url, token, budget, timeout):
        async def credential():
            return Token(token)

        self.stats = Stats()
        self.pauses = []
        self.transport = Transport(http, url, {}, timeout, self.stats)
        self.pacer = Pacer(100, budget, self.stats)
        self.tokens = Tokens(credential, self.stats)
        paced = self.pacer.paced(authenticated(self.transport.send, self.tokens))
        self.send = retrying(checked(paced), budget, self.stats, self.pause)

    async def pause(self, seconds):
        self.pauses.append(seconds)


@pytest.fixture
async def stack(workspace):
    """Stacks the layers over a real connection."""
    async with aiohttp.ClientSession() as http:

        def stack(url=None, *, budget=300.0, timeout=60.0):
            return Layers(http, url or workspace.url, workspace.token, budget, timeout)

        yield stack


class VirtualTime:
    """`time.monotonic` for tests of the clockwork alone: only `pause` moves it."""

    def __init__(self):
        self.now = 1000.0
        self.pauses = []

    def __call__(self):
        return self.now

    async def pause(self, seconds):
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    clock = VirtualTime()
    monkeypatch.setattr(time, "monotonic", clock)
    return clock
