"""A command at work: its client, its output, its time limit, and what is said when it is interrupted."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

from databricks_async import WorkspaceClient
from databricks_async.aio import time_limit
from databricks_async.cli.ending import run_to_the_end
from databricks_async.cli.options import Options
from databricks_async.cli.output import times
from databricks_async.cli.output.exits import Terminated
from databricks_async.cli.output.streams import Stream, shown
from databricks_async.cli.output.writer import Output
from databricks_async.errors import OperationTimeout

if TYPE_CHECKING:
    import aiohttp

_SILENT_SECONDS = 1.0


class Run:
    """What a command's function gets: options, output, and a client on first use."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.out = Output(options)
        self._client: WorkspaceClient | None = None
        self.goes_on: str | Callable[[], str] = ""
        """What goes on when the command ends early, and how to stop it or to go on."""

    @property
    def w(self) -> WorkspaceClient:
        """The client that the options, the environment and the profile make."""
        if self._client is None:
            options = self.options
            traces = [_dates(self.out), *([_trace(self.out.stderr)] if options.debug else [])]
            settings = {"host": options.host, "profile": options.profile, "auth_type": options.auth_type}
            self._client = WorkspaceClient(trace_configs=traces, **settings)  # type: ignore[arg-type]
        return self._client

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Run]:
        try:
            yield self
        finally:
            if self._client is not None:
                await self._client.aclose()

    def what_goes_on(self) -> str:
        return self.goes_on() if callable(self.goes_on) else self.goes_on


def start(options: Options, function: Callable[..., Awaitable[int | None]], arguments: Mapping[str, Any]) -> int:
    """Run a command's function to its end. Returns its exit code; raises what it raises."""
    run = Run(options)
    try:
        with _waits_told(run):
            return run_to_the_end(_within(run, function, arguments)) or 0
    except (KeyboardInterrupt, Terminated, OperationTimeout):
        if words := run.what_goes_on():
            run.out.note(words)
        raise


async def _within(run: Run, function: Callable[..., Awaitable[int | None]], arguments: Mapping[str, Any]) -> int | None:
    seconds = run.options.timeout

    def expired() -> OperationTimeout:
        limit = times.duration(seconds or 0) if (seconds or 0) >= 1 else f"{seconds:g}s"
        return OperationTimeout(f"not done after {limit} (--timeout)")

    async with run.open(), time_limit(seconds, expired):
        return await function(run, **arguments)


class _Notices(logging.Handler):
    """Report why nothing seems to happen: what is tried again, if it takes long, and not each time."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self._run = run
        self._silent_until = time.monotonic() + _SILENT_SECONDS

    def emit(self, record: logging.LogRecord) -> None:
        if self._run.options.debug:
            self._run.out.stderr.write(f"{shown(record.getMessage())}\n")
            self._run.out.stderr.flush()
            return
        now = time.monotonic()
        if now >= self._silent_until:
            self._silent_until = now + 5 * _SILENT_SECONDS
            self._run.out.note(record.getMessage())


@contextmanager
def _waits_told(run: Run) -> Iterator[None]:
    log, notices = logging.getLogger("databricks_async"), _Notices(run)
    level = log.level
    log.addHandler(notices)
    log.setLevel(logging.DEBUG if run.options.debug else logging.INFO)
    try:
        yield
    finally:
        log.setLevel(level)
        log.removeHandler(notices)


def _dates(out: Output) -> aiohttp.TraceConfig:
    """Keep the service's time. Those who issue tokens have clocks of their own."""
    import aiohttp

    trace = aiohttp.TraceConfig()

    async def end(_: object, context: object, params: aiohttp.TraceRequestEndParams) -> None:
        if params.response.status == 200 and params.url.path.startswith("/api/"):
            out.dated(params.response.headers.get("Date", ""))

    trace.on_request_end.append(end)
    return trace


def _trace(stderr: Stream) -> aiohttp.TraceConfig:
    """A line for each request and answer. Neither headers nor bodies are shown: they may hold secrets."""
    import aiohttp

    trace = aiohttp.TraceConfig()

    async def begin(_: object, context: Any, params: aiohttp.TraceRequestStartParams) -> None:
        context.began = asyncio.get_running_loop().time()

    async def end(_: object, context: Any, params: aiohttp.TraceRequestEndParams) -> None:
        took = (asyncio.get_running_loop().time() - context.began) * 1000
        url = shown(str(params.url.with_user(None)))
        stderr.write(f"{params.method} {url} {params.response.status} in {took:.0f} ms\n")
        stderr.flush()

    async def fail(_: object, context: Any, params: aiohttp.TraceRequestExceptionParams) -> None:
        stderr.write(f"{params.method} {shown(str(params.url))} {type(params.exception).__name__}\n")
        stderr.flush()

    trace.on_request_start.append(begin)
    trace.on_request_end.append(end)
    trace.on_request_exception.append(fail)
    return trace


def is_at_terminal(run: Run) -> bool:
    """Whether someone can answer a question."""
    return sys.stdin is not None and sys.stdin.isatty() and run.out.stderr.is_terminal
