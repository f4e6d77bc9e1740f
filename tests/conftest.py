"""What all tests share: an environment without settings, virtual time, and a local workspace with clients of it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from databricks_async import Config, WorkspaceClient
from databricks_async.local import Clock, LocalWorkspace
from support import browser, redis_server
from support.virtual_loop import VirtualLoop, virtual_monotonic

_OURS = (
    "DATABRICKS_",
    "ARM_",
    "AZURE_",
    "ACTIONS_ID_TOKEN_",
    "SYSTEM_",
    "IDENTITY_",
    "MSI_",
    "IMDS_",
    "BROWSER",
    "GOOGLE_",
    "PYTHONUNBUFFERED",  # programs that tests start have the buffers that those of users have
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """What takes longer than the suite may, and the loop."""
    parser.addoption("--all-terminals", action="store_true", help="commands at all widths of terminals, and the demo")
    parser.addoption("--listings", type=int, default=4, help="how many random listings are read in each way")
    parser.addoption("--cancellations", type=int, default=50, help="how often random operations are cancelled")
    parser.addoption("--loop", choices=["asyncio", "uvloop"], default="asyncio", help="the event loop of all tests")


def pytest_configure(config: pytest.Config) -> None:
    """Programs that tests start get their Ctrl-C, also where a shell has started the tests in its background."""
    if config.getoption("--loop") == "uvloop" and sys.version_info < (3, 14):
        import uvloop

        # Loops that tests and fixtures run themselves, in threads too.
        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


_TESTS = Path(__file__).parent
_NEEDS = dict.fromkeys(sorted(_TESTS.rglob("test_browser.py")), browser) | {
    _TESTS / "gates" / "test_redis.py": redis_server
}
"""Tests, and the program that they need."""


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """What needs a program is run where there is one, and where one is required."""
    program = _NEEDS.get(collection_path)
    missing = program is not None and program.find() is None and not program.is_required()
    return True if missing else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for path, program in _NEEDS.items():
        if program.find() is None:
            terminalreporter.write_line(f"NOT RUN: {path}, because {program.MISSING}")


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """No variables of any way to authorize, no proxies or authorities, no browser, and an empty home directory."""
    for name in list(os.environ):
        if name.startswith((*_OURS, "SSL_CERT_")) or name.lower().endswith(("_proxy", "_ca_bundle")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    return home


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """A test that uses the fixture `virtual_time` runs on a loop in virtual time, others on that of `--loop`."""
    if "virtual_time" in getattr(item, "fixturenames", ()):
        return {"virtual": VirtualLoop}
    if item.config.getoption("--loop") == "uvloop":
        import uvloop

        return {"uvloop": uvloop.new_event_loop}
    return {"real": asyncio.new_event_loop}


@pytest.fixture
def virtual_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time passes only when there is nothing else to do, for `loop.time` and `time.monotonic` alike.

    Client and local workspace share the loop, so pauses and timeouts of any length take no time and are exact, over
    real HTTP too. Not for tests that start a process.
    """
    monkeypatch.setattr(time, "monotonic", virtual_monotonic)


@pytest.fixture
def requests_are_known() -> bool:
    """Whether the service must know each path and field that a test sends."""
    return True


@pytest.fixture
def workspace_clock() -> Clock | None:
    """The clock of the workspace: one that a test moves by hand. None is the default of a workspace."""
    return Clock.by_hand()


@pytest.fixture
async def workspace(requests_are_known: bool, workspace_clock: Clock | None) -> AsyncIterator[LocalWorkspace]:
    """A local workspace. When a test has ended, no connection is open and no task runs.

    A test that sends unknown paths or fields on purpose clears the journal.
    """
    async with LocalWorkspace(clock=workspace_clock) as workspace:
        yield workspace
        if requests_are_known:
            assert workspace.journal.unknown_routes == []
            assert [(call.endpoint, call.unknown) for call in workspace.journal.entries if call.unknown] == []
        async with asyncio.timeout(5):
            await workspace.journal.until(lambda journal: journal.connections == 0)
    assert asyncio.all_tasks() == {asyncio.current_task()}, "something was left running"


@pytest.fixture
def service_principal(workspace: LocalWorkspace) -> dict[str, str]:
    """The settings of clients that are a service principal of the workspace."""
    workspace.add_service_principal("id", "secret")
    return {"client_id": "id", "client_secret": "secret"}


@pytest.fixture
def client_settings(workspace: LocalWorkspace) -> dict[str, Any]:
    """The settings of a client where a test gives no others: it polls without long pauses."""
    return {"host": workspace.url, "token": workspace.token, "poll_interval_seconds": 0.005}


@pytest.fixture
def api_versions() -> dict[str, str] | None:
    """The versions of the APIs that clients speak; None is the default."""
    return None


@pytest.fixture
async def connect(
    client_settings: dict[str, Any], api_versions: dict[str, str] | None
) -> AsyncIterator[Callable[..., WorkspaceClient]]:
    """Makes clients, and closes them when the test has ended."""
    async with AsyncExitStack() as stack:

        def connect(
            host: str | None = None,
            *,
            credential: Any = None,
            session: Any = None,
            trace_configs: Any = (),
            on_event: Any = None,
            **settings: Any,
        ) -> WorkspaceClient:
            defaults = dict(client_settings)
            observer = defaults.pop("on_event", None)
            if credential is not None or "client_id" in settings:
                defaults.pop("token")
            if host is not None:
                settings["host"] = host
            config = Config(needs_credential=credential is None, **(defaults | settings))
            client = WorkspaceClient(
                config=config,
                credential=credential,
                session=session,
                trace_configs=trace_configs,
                on_event=on_event if on_event is not None else observer,
                api_versions=api_versions,
            )
            stack.push_async_callback(client.aclose)
            return client

        yield connect


@pytest.fixture
def w(connect: Callable[..., WorkspaceClient]) -> WorkspaceClient:
    """A client of an admin."""
    return connect()
