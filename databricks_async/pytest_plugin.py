"""Fixtures for users' own tests: a local workspace, a client of it, and what a test may choose about both.

They are synchronous and serve from a thread of their own. So they need no other plugin and go with any: pytest-asyncio
in both modes and with loops of any scope, anyio, and tests that are not asynchronous.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    import aiohttp

    from databricks_async.client import WorkspaceClient
    from databricks_async.local import Clock, LocalWorkspace

_CLOSING_SECONDS = 10.0
"""For a client whose loop runs in another thread; it closes in less than a second."""


@pytest.fixture(scope="session")
def local_workspace_speed() -> float:
    """Workspace seconds in a real one: 1000, so that a cluster starts in a third of a second. Override it."""
    return 1000.0


@pytest.fixture(scope="session")
def local_workspace_clock(local_workspace_speed: float) -> Callable[[], Clock]:
    """What makes the clock of each workspace. Override it: `return Clock.by_hand`, without parentheses.

    With parentheses it is one clock, which all workspaces share and each test finds as the one before left it.
    """
    from databricks_async.local import Clock

    return partial(Clock.sped_up, local_workspace_speed)


@pytest.fixture(scope="session")
def local_workspace_options() -> Mapping[str, Any]:
    """More arguments of `LocalWorkspace`, such as `{"seed": 7}`: none. Override it."""
    return {}


@pytest.fixture
def local_workspace(
    local_workspace_clock: Callable[[], Clock] | Clock, local_workspace_options: Mapping[str, Any]
) -> Iterator[LocalWorkspace]:
    """A running local workspace for this test, empty.

    To share one, override it by `module_local_workspace` or `session_local_workspace`.
    """
    yield from _serve(local_workspace_clock, local_workspace_options)


@pytest.fixture(scope="module")
def module_local_workspace(
    local_workspace_clock: Callable[[], Clock] | Clock, local_workspace_options: Mapping[str, Any]
) -> Iterator[LocalWorkspace]:
    """A running local workspace for all tests of the module."""
    yield from _serve(local_workspace_clock, local_workspace_options)


@pytest.fixture(scope="session")
def session_local_workspace(
    local_workspace_clock: Callable[[], Clock] | Clock, local_workspace_options: Mapping[str, Any]
) -> Iterator[LocalWorkspace]:
    """A running local workspace for all tests."""
    yield from _serve(local_workspace_clock, local_workspace_options)


@pytest.fixture
def local_workspace_env(local_workspace: LocalWorkspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients made without arguments, of this library or the official SDK, speak to `local_workspace` in this test."""
    for name in [name for name in os.environ if name.startswith(("DATABRICKS_", "ARM_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("DATABRICKS_HOST", local_workspace.url)
    monkeypatch.setenv("DATABRICKS_TOKEN", local_workspace.token)
    # The official SDK asks a proxy for addresses of this machine too.
    unproxied = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
    host = urlsplit(local_workspace.url).hostname
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, f"{unproxied},{host}" if unproxied else f"{host}")


@pytest.fixture(scope="session")
def workspace_api_versions() -> Mapping[str, str] | None:
    """The versions of the REST API for `workspace_client`: today's. Override it, for example by `{"jobs": "2.1"}`."""
    return None


@pytest.fixture
def workspace_client(
    local_workspace: LocalWorkspace, local_workspace_env: None, workspace_api_versions: Mapping[str, str] | None
) -> Iterator[WorkspaceClient]:
    """A client of `local_workspace`, which polls without long pauses; `local_workspace_env` comes with it.

    It belongs to the event loop of its first call, and is closed when that loop or the test ends.
    """
    from databricks_async.client import WorkspaceClient
    from databricks_async.config import Config

    config = Config(host=local_workspace.url, token=local_workspace.token, poll_interval_seconds=0.005)
    ending = _Ending()
    client = WorkspaceClient(config=config, api_versions=workspace_api_versions, trace_configs=[ending.trace()])
    ending.close = client.aclose
    yield client
    ending.come()


def _serve(clock: Callable[[], Clock] | Clock, options: Mapping[str, Any]) -> Iterator[LocalWorkspace]:
    from databricks_async.local import Clock, LocalWorkspace

    made = clock if isinstance(clock, Clock) else clock()
    with LocalWorkspace(**{"clock": made, **options}) as workspace:
        yield workspace


class _Ending:
    """Closes a client in the loop of its first call, which no fixture can know beforehand.

    The loop may end before the fixture does: an asynchronous generator that was begun in it ends with it.
    """

    close: Callable[[], Any]

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._generator: AsyncGenerator[None, None] | None = None

    def trace(self) -> aiohttp.TraceConfig:
        """Sees the first call."""
        import aiohttp

        config = aiohttp.TraceConfig()
        config.on_request_start.append(self._begin)
        return config

    async def _begin(self, *_: object) -> None:
        if self._generator is None:
            self._loop = asyncio.get_running_loop()
            self._generator = self._end_with_loop()
            await anext(self._generator)

    async def _end_with_loop(self) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            await self.close()

    def come(self) -> None:
        """The test has ended."""
        loop, generator = self._loop, self._generator
        if loop is None or generator is None or loop.is_closed():
            return
        if loop.is_running():  # in another thread, such as that of FastAPI's TestClient
            asyncio.run_coroutine_threadsafe(_end(generator), loop).result(_CLOSING_SECONDS)
        else:
            loop.run_until_complete(_end(generator))


async def _end(generator: AsyncGenerator[None, None]) -> None:
    await generator.aclose()
