"""A local workspace, clients of it, and the layers stacked by hand over real HTTP, with pauses that take no time."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack

import aiohttp
import pytest

from databricks_async import Config, WorkspaceClient
from databricks_async.auth import Token
from databricks_async.local import Clock, LocalWorkspace
from databricks_async.message import Request, Response
from databricks_async.session.pacing import Pacer
from databricks_async.session.retry import checked, retrying
from databricks_async.session.stats import Stats
from databricks_async.session.tokens import Tokens, authenticated
from databricks_async.session.transport import Transport

SPEC = b'{"cluster_name": "etl", "spark_version": "16.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}'
GET = Request("GET /api/2.1/clusters/list", "/api/2.1/clusters/list")
CREATE = Request(
    "POST /api/2.1/clusters/create",
    "/api/2.1/clusters/create",
    body=SPEC,
    headers={"Content-Type": "application/json"},
    replay="unsafe",
    lookup="look through clusters.list()",
)


def write(action: str, cluster_id: str) -> Request:
    """A write that does nothing more when it is sent twice."""
    path = f"/api/2.1/clusters/{action}"
    body = b'{"cluster_id": "%s"}' % cluster_id.encode()
    return Request(f"POST {path}", path, body=body, headers={"Content-Type": "application/json"}, replay="idempotent")


def answers(*outcomes):
    """A Send that answers with these in turn, the last one for ever; exceptions are raised, numbers are statuses."""
    left = list(outcomes)

    async def send(request):
        outcome = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(outcome, type):
            outcome = outcome("lost")
        if isinstance(outcome, Exception):
            raise outcome
        return Response(outcome, {}, b"") if isinstance(outcome, int) else outcome

    return send


class Layers:
    """What a session stacks, one part beside the other."""

    def __init__(self, http, url, token, budget, timeout):
        self.stats = Stats()
        self.pauses = []
        self.transport = Transport(http, url, {}, timeout, self.stats)
        self.pacer = Pacer(100, budget, self.stats)

        async def credential():
            return Token(token)

        self.tokens = Tokens(credential, self.stats)
        paced = self.pacer.paced(authenticated(self.transport.send, self.tokens))
        self.send = retrying(checked(paced), budget, self.stats, self.pause)

    async def pause(self, seconds):
        self.pauses.append(seconds)

    async def close(self):
        self.pacer.close()
        self.transport.close()
        await self.tokens.close()


@pytest.fixture
async def workspace():
    """After a test nothing may run and no connection be held."""
    async with LocalWorkspace(clock=Clock.by_hand()) as workspace:
        yield workspace
        async with asyncio.timeout(5):
            await workspace.journal.until(lambda journal: journal.connections == 0)
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.fixture
async def connect(workspace):
    """Makes clients of the workspace."""
    async with AsyncExitStack() as stack:

        def connect(**arguments):
            for name in ("credential", "session", "trace_configs"):
                if name in arguments:
                    stack_arguments[name] = arguments.pop(name)
            if "client_id" not in arguments and "credential" not in stack_arguments:
                arguments.setdefault("token", workspace.token)
            config = Config(
                host=arguments.pop("host", workspace.url),
                needs_credential="credential" not in stack_arguments,
                **{"poll_interval_seconds": 0.005} | arguments,
            )
            client = WorkspaceClient(config=config, **stack_arguments)
            stack_arguments.clear()
            stack.push_async_callback(client.aclose)
            return client

        stack_arguments = {}
        yield connect


@pytest.fixture
async def stack(workspace):
    """Stacks the layers by hand."""
    async with aiohttp.ClientSession() as http, AsyncExitStack() as exits:

        def stack(*, url=None, budget=300.0, timeout=60.0):
            layers = Layers(http, url or workspace.url, workspace.token, budget, timeout)
            exits.push_async_callback(layers.close)
            return layers

        yield stack


class VirtualTime:
    """`time.monotonic` for a test of the clockwork alone; `pause` moves it."""

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
