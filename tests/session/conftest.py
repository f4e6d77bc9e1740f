"""The layers stacked by hand over real HTTP, and a time that takes no time."""

from __future__ import annotations

import time

import aiohttp
import pytest

from databricks_async.auth import Token
from databricks_async.session.budgets import Budget, Budgets
from databricks_async.session.pacing import Pacer
from databricks_async.session.retry import retrying
from databricks_async.session.stats import Stats
from databricks_async.session.tokens import Tokens, authenticated
from databricks_async.session.transport import Transport


@pytest.fixture
def requests_are_known():
    return False


class Layers:
    """What a session stacks, with pauses that take no time."""

    def __init__(self, http, url, token, budget, timeout):
        async def credential():
            return Token(token)

        self.stats = Stats()
        self.pauses = []
        self.transport = Transport(http, url, {}, timeout, self.stats)
        self.pacer = Pacer(100, Budget(budget), self.stats)
        self.tokens = Tokens(credential, self.stats)
        paced = self.pacer.paced(authenticated(self.transport.send, self.tokens))
        self.send = retrying(paced, Budgets.within(budget), self.stats, self.pause)

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
