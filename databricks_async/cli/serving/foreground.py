"""Serves a local workspace until it is told to stop."""

from __future__ import annotations

import asyncio
import secrets
import shlex
import signal
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from databricks_async.cli.serving.log import RequestLog
from databricks_async.cli.serving.settings import Settings, read_seed
from databricks_async.config import is_loopback
from databricks_async.local import Clock, LocalWorkspace, RateLimit, StorageError
from databricks_async.local.admin import Admin
from databricks_async.local.workspace import DEFAULT_TOKEN

_KEPT_CALLS = 10_000
"""The journal would grow for as long as this runs."""

_PAGE_POLL_SECONDS = 0.5
"""The workspace is in this process."""


class WrongOption(ValueError):
    """An option that cannot be served; says which."""


def run(settings: Settings) -> int:
    """Serve until Ctrl-C, SIGTERM or `POST /_local/stop`, then return 0; return 1 if the address or data cannot be had.

    Raises WrongOption before anything is opened.
    """
    workspace = _workspace(settings)
    try:
        seeds = [(name, read_seed(name)) for name in settings.seeds]
        log = None if settings.log is None else RequestLog(settings.log)
    except OSError as error:
        raise WrongOption(f"--log: {error}") from None
    except ValueError as error:
        raise WrongOption(f"--seed: {error}") from None
    _prepare(workspace, settings, seeds)
    workspace.journal.on_done = log
    try:
        asyncio.run(_serve(workspace, settings, seeds))
    except KeyboardInterrupt:
        # Only where the event loop takes no signal handlers, as on Windows.
        return 0
    except StorageError as error:
        print(f"databricks-async serve: {error}", file=sys.stderr)
        return 1
    except (OSError, OverflowError) as error:
        print(f"databricks-async serve: cannot listen on {settings.host}:{settings.port}: {error}", file=sys.stderr)
        return 1
    finally:
        if log is not None:
            log.close()
    return 0


def _workspace(settings: Settings) -> LocalWorkspace:
    if settings.run_tasks and not is_loopback(settings.host):
        raise WrongOption(f"--run-tasks on {settings.host} would let the network run programs on this machine")
    if not is_loopback(settings.host):
        if settings.token == DEFAULT_TOKEN:
            raise WrongOption("this token is known to everyone: give another one, or none for a random one")
        secrecy = "" if settings.tls_cert else ", and what it sends and gets is not encrypted"
        print(
            f"databricks-async serve: warning: on {settings.host} the whole network can reach this workspace{secrecy}",
            file=sys.stderr,
        )
    workspace = LocalWorkspace(
        clock=Clock.sped_up(settings.speed),
        token=settings.token or f"dapi{secrets.token_hex(16)}",
        host=settings.host,
        port=settings.port,
        tls=_tls(settings),
        run_tasks=settings.run_tasks,
        path=settings.data,
    )
    workspace.journal.keep = _KEPT_CALLS
    workspace.faults.seed(settings.fault_seed)
    return workspace


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if settings.tls_cert is not None and settings.ui:
        raise WrongOption("--ui reads over plain http: it does not go with --tls-cert")
    if settings.tls_cert is None:
        if settings.tls_key is not None:
            raise WrongOption("--tls-key needs --tls-cert")
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(settings.tls_cert, settings.tls_key)
    except OSError as error:  # ssl.SSLError is one, too
        raise WrongOption(f"--tls-cert: {error}") from None
    return context


def _prepare(workspace: LocalWorkspace, settings: Settings, seeds: list[tuple[str, Any]]) -> None:
    """Put in what the workspace begins with, also after a reset."""
    for name, shown in seeds:
        try:
            workspace.load(shown)
        except ValueError as error:
            raise WrongOption(f"--seed: {name}: {error}") from None
    try:
        workspace.faults.plan(*settings.faults)
    except ValueError as error:
        raise WrongOption(f"--fault: {error}") from None
    if settings.rate is not None:
        workspace.rate_limit = RateLimit(per_second=settings.rate, burst=max(1, round(settings.rate)))


async def _serve(workspace: LocalWorkspace, settings: Settings, seeds: list[tuple[str, Any]]) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stopped.set)
        except (NotImplementedError, RuntimeError, ValueError):  # on Windows, and in a thread
            break
    workspace.admin = Admin(workspace, prepare=lambda: _prepare(workspace, settings, seeds), stop=stopped.set)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(workspace)
        url = _local(workspace.url)
        print(f"A local Databricks workspace listens on {url}", file=sys.stderr, flush=True)
        if settings.ui:
            page = await stack.enter_async_context(_page(workspace, url, settings))
            print(f"Page: {page}", file=sys.stderr, flush=True)
        print(f"export DATABRICKS_HOST={shlex.quote(url)}")
        print(f"export DATABRICKS_TOKEN={shlex.quote(workspace.token)}", flush=True)
        await stopped.wait()
    kept = f"it is kept in {settings.data}" if settings.data is not None else "nothing of it is kept"
    print(f"The workspace has ended; {kept}.", file=sys.stderr, flush=True)


@asynccontextmanager
async def _page(workspace: LocalWorkspace, url: str, settings: Settings) -> AsyncIterator[str]:
    """Serve the page of the workspace, at the same address, and yield its URL."""
    from databricks_async.cli.page.live import live_page
    from databricks_async.client import WorkspaceClient
    from databricks_async.config import Config

    token = f"dapi{secrets.token_hex(16)}"
    workspace.add_observer(token)
    config = Config(host=url, token=token, poll_interval_seconds=_PAGE_POLL_SECONDS)
    address = ("127.0.0.1" if is_loopback(settings.host) else settings.host, settings.ui_port)
    async with (
        WorkspaceClient(config=config) as client,
        live_page(client, *address, now=workspace.clock.now, speed=settings.speed) as page,
    ):
        yield _local(page)


def _local(url: str) -> str:
    """The address for clients of this machine; they take no plain http of any other."""
    return url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
