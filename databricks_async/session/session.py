"""The connection pool's life, and the line that stacks the layers."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Coroutine, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from databricks_async.aio import off_loop
from databricks_async.auth.handed_in import check_credential, handed_in
from databricks_async.auth.token import AzureCredential, Credential
from databricks_async.config import Config
from databricks_async.config.user_agent import user_agent
from databricks_async.errors import DatabricksError, LifecycleError, PermissionDenied, Unauthenticated
from databricks_async.events.handlers import Handler, Handlers
from databricks_async.message import Request, Response, Send, Stream
from databricks_async.session.families import checked_limits
from databricks_async.session.stats import Stats

if TYPE_CHECKING:
    import aiohttp

    from databricks_async.auth.web import Web
    from databricks_async.events.reports import Reports
    from databricks_async.gates import Gate
    from databricks_async.session.bucket import RetryBucket
    from databricks_async.session.budgets import Budgets
    from databricks_async.session.dropped import Place
    from databricks_async.session.pacing import Pacer
    from databricks_async.session.tokens import Tokens

T = TypeVar("T")

_is_logged = logging.getLogger("databricks_async.http").isEnabledFor

_KEEP_ALIVE_SECONDS = 30.0
"""Longer than the usual pause between two polls, shorter than the gateway keeps an idle connection."""


class Session:
    """Everything between a Request and its Response. Opens on the first call, in the event loop of that call."""

    def __init__(
        self,
        config: Config,
        *,
        credential: Credential | AzureCredential | None = None,
        http: aiohttp.ClientSession | None = None,
        trace_configs: Sequence[aiohttp.TraceConfig] = (),
        rate_limits: Mapping[str, float] | None = None,
        gate: Gate | None = None,
        made_at: Place | None = None,
        on_event: Handler | Iterable[Handler] | None = None,
    ) -> None:
        """`made_at` is where the program has made its client, for the warning of one that it never closes."""
        if credential is not None:
            check_credential(credential)
        self.config = config
        self.stats = Stats()
        self.handlers = Handlers(on_event)
        self.transfers = asyncio.Semaphore(config.max_connections)
        """For what keeps a file open: a program may not have many more open than this."""
        self._credential = credential
        self._lent = http
        self._trace_configs = list(trace_configs)
        self._rate_limits = checked_limits(rate_limits or {})
        self._gate = gate
        self._made_at = made_at
        self._owner: asyncio.AbstractEventLoop | None = None
        """The loop of `async with`, or of the first call."""
        self._loop: asyncio.AbstractEventLoop | None = None
        """The same, once the session is open."""
        self._closed = False
        self._closing: asyncio.Future[None]
        self._endings = AsyncExitStack()
        self._background = set[asyncio.Task[Any]]()
        self._send: Send
        self._reports: Reports
        self._tokens: Tokens
        self._pacer: Pacer
        self._budgets: Budgets
        self._bucket: RetryBucket

    async def enter(self) -> None:
        """Belong to the running event loop from now on, and import what the first call needs, in a thread.

        Raises `LifecycleError` when another loop was first.
        """
        self.bind()
        await _imported()

    def bind(self) -> None:
        """Belong to the running event loop from now on. Raises `LifecycleError` when another one was first."""
        loop = asyncio.get_running_loop()
        if self._owner is not None and self._owner is not loop:
            raise LifecycleError(_OTHER_LOOP)
        if self._closed:
            raise LifecycleError("this client was closed: make a new one")
        self._owner = loop

    def send(self, request: Request) -> Awaitable[Response]:
        """Send one request through all layers. Raises `LifecycleError` when closed or in another event loop.

        No coroutine of its own: thousands of calls may wait in here.
        """
        if self._loop is not asyncio.get_running_loop() or self._closed:
            return self._open_and_send(request)
        self.stats.calls += 1
        if self.handlers.any or _is_logged(logging.DEBUG):
            return self._reports.report(self._send, request)
        return self._send(request)

    async def _open_and_send(self, request: Request) -> Response:
        await self._opened()
        return await self.send(request)

    async def authenticate(self) -> None:
        """Get a token, as the first call would. Raises `AuthError` when there is none to be had."""
        if self._loop is not asyncio.get_running_loop() or self._closed:
            await self._opened()
        await self._tokens.get()

    def web(self) -> Web:
        """How a login reaches any address: with this session's connections, limits and retries."""
        if self._loop is not asyncio.get_running_loop() or self._closed:
            self._open()
        return self._web

    async def stream(self, request: Request) -> Stream:
        """Send one request, and get the body of its answer to read. Until then all is as in `send`.

        A connection that is lost later is made up for: the request is sent again, the answer read up to that point.
        The stream has to be read to its end or closed.
        """
        from databricks_async.session.streams import Resumed

        response = await self.send(request)
        again = self._reports.reported(self._send)
        return Resumed(again, request, response, self._budgets.server, self.stats, self.pause, self._bucket)

    def trace(self, config: aiohttp.TraceConfig) -> None:
        """Have aiohttp report to it too; a lent session has its own. Raises `LifecycleError` after the first call."""
        if self._loop is not None:
            raise LifecycleError("a client is instrumented before its first call, and this one has made some")
        if self._lent is None:
            self._trace_configs.append(config)

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run something beside the caller: cancelled, if it has not ended, when the client is closed."""
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task

    def has_room(self, endpoint: str, under_way: int) -> bool:
        """Whether one more call may be sent to an open session that no caller waits for yet; see `Family.has_room`."""
        return self._pacer.has_room(endpoint, under_way)

    async def close(self) -> None:
        """End all that the session started, calls under way too: they raise `LifecycleError`, or `OutcomeUnknown`.

        The caller's own aiohttp session stays open. May be called twice.
        """
        if self._closed:
            return
        if self._loop is not None and self._loop is not asyncio.get_running_loop():
            raise LifecycleError("a client is closed in the event loop in which it was used, which is not this one")
        self._closed = True
        await self._endings.aclose()

    async def _opened(self) -> None:
        """Open the session, if no other call has done so meanwhile."""
        self.bind()
        await _imported()
        if self._loop is None or self._closed:
            self._open()

    def _open(self) -> None:
        self.bind()
        # On the first call: importing aiohttp takes longer than all the rest together.
        from databricks_async.auth.chain import Chain
        from databricks_async.auth.web import Web
        from databricks_async.events.reports import Reports
        from databricks_async.session.bucket import RetryBucket
        from databricks_async.session.budgets import Budgets
        from databricks_async.session.connections import Connector, own_session
        from databricks_async.session.dropped import watch_for_drop
        from databricks_async.session.network import find_authorities, find_proxy
        from databricks_async.session.outside import Outside
        from databricks_async.session.pacing import Pacer
        from databricks_async.session.retry import retrying
        from databricks_async.session.shared import SharedPlaces
        from databricks_async.session.tokens import Tokens, authenticated
        from databricks_async.session.transport import Transport

        loop, config, stats = asyncio.get_running_loop(), self.config, self.stats
        self._endings.push_async_callback(self.handlers.aclose)  # the last of all: until then there are events
        http = self._lent
        # A lent session brings its own, unless the settings name others.
        is_own = http is None
        proxy_for = partial(find_proxy, setting=config.proxy)
        authorities = find_authorities(config.ca_bundle) if is_own or config.ca_bundle else None
        opened: list[aiohttp.ClientSession] = []
        if http is None:
            http = own_session(
                # The limit is the pacer's: streams are read when their calls have made way for others.
                connector=Connector(limit=0, keepalive_timeout=_KEEP_ALIVE_SECONDS),
                trace_configs=self._trace_configs,
            )
            opened.append(http)
            self._endings.push_async_callback(http.close)
        common = {"Accept": "application/json", "User-Agent": user_agent(config)}
        headers = {**common, "X-Databricks-Workspace-Id": config.workspace_id} if config.workspace_id else common
        transports: list[Transport] = []

        def proxy_of(host: str) -> tuple[str | None, dict[str, str]]:
            return find_proxy(host, config.proxy)

        def connect(host: str) -> None:
            proxy = proxy_for(host) if is_own or config.proxy else (None, {})
            seconds, max_bytes = config.http_timeout_seconds, config.max_answer_bytes
            transports.append(Transport(http, host, headers, seconds, stats, *proxy, max_bytes, authorities))
            buckets.setdefault(host, self._bucket)

        self._reports = reports = Reports(
            self.handlers,
            lambda endpoint: stats.of(endpoint).family,
            body_bytes=config.debug_truncate_bytes,
            with_headers=config.debug_headers,
        )
        self._budgets = budgets = Budgets.of(config)
        self._bucket = RetryBucket()
        buckets: dict[str, RetryBucket] = {}

        def bucket_of(origin: str) -> RetryBucket:
            return buckets.setdefault(origin, RetryBucket())

        if config.host:
            connect(config.host)
        shared = SharedPlaces(self._gate, config.known_host) if self._gate is not None else None
        self._pacer = pacer = Pacer(
            _most_connections(http, config), budgets.throttled, stats, self._rate_limits, shared
        )
        stats.count_families(self._rate_limits, pacer.load)
        outside = Outside(
            *(http, config, stats, budgets, bucket_of, self.pause, proxy_for, common, opened, authorities),
            reported=reports.reported,
            lent=not is_own,
        )
        self._web = web = Web(outside.connect, config.known_host)
        chain = None if self._credential is not None else Chain(config, web)
        self._tokens = tokens = Tokens(
            chain or handed_in(self._credential, config, web),
            stats,
            # Longer than any way may take by itself.
            seconds=budgets.longest + config.http_timeout_seconds,
            hide=config.hide_secrets,
            handlers=self.handlers,
        )

        def send(request: Request) -> Awaitable[Response]:
            if not transports:
                connect(config.known_host())  # found with the first token
            return transports[0].send(request)

        paced, amend = pacer.paced(authenticated(send, tokens)), partial(_name_caller, config=config)
        self._send = retrying(paced, budgets, stats, self.pause, self._bucket, amend=amend)

        self._closing = loop.create_future()
        self._endings.push_async_callback(outside.aclose)
        if chain is not None:
            self._endings.push_async_callback(chain.aclose)
        self._endings.push_async_callback(tokens.close)

        def close() -> None:
            for transport in transports:
                transport.close()
            for bucket in (self._bucket, *buckets.values()):
                bucket.close()

        for end in (close, outside.close, pacer.close, partial(self._closing.set_result, None)):
            self._endings.callback(end)  # the last one is called first
        self._endings.push_async_callback(self._end_background)
        self._endings.callback(watch_for_drop(self, opened, self._made_at if is_own else None).detach)
        self._loop = loop

    async def _end_background(self) -> None:
        if tasks := [*self._background]:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def pause(self, seconds: float) -> None:
        """Sleep, unless the client is closed meanwhile."""
        await asyncio.wait((self._closing,), timeout=seconds)
        if self._closed:
            raise LifecycleError("the client was closed while this waited for its next try")


_IMPORTED = (
    "aiohttp",
    "databricks_async.codec",
    "databricks_async.service",
    "databricks_async.auth.chain",
    "databricks_async.auth.web",
    "databricks_async.events.reports",
    "databricks_async.session.connections",
    "databricks_async.session.dropped",
    "databricks_async.session.network",
    "databricks_async.session.outside",
    "databricks_async.session.pacing",
    "databricks_async.session.retry",
    "databricks_async.session.tokens",
    "databricks_async.session.transport",
)
"""What the first call needs, and nothing before it."""


async def _imported() -> None:
    """Import it in a thread: it takes longer than all the rest together, and the loop may have other things to do."""
    if any(name not in sys.modules for name in _IMPORTED):
        await off_loop(lambda: [import_module(name) for name in _IMPORTED])


def _most_connections(http: aiohttp.ClientSession, config: Config) -> int:
    """As many calls in flight as there are connections: a call waits for its turn here, not in aiohttp's timeouts."""
    connector = http.connector
    limits = (connector.limit, connector.limit_per_host) if connector is not None else ()
    return min((limit for limit in limits if limit), default=config.max_connections)


def _name_caller(error: DatabricksError, config: Config) -> None:
    """Take the configuration's secrets out of an error, and let one that refuses the caller say where, and as whom."""
    message = config.hide_secrets(error.message)
    if isinstance(error, Unauthenticated | PermissionDenied):
        message = message.removesuffix(".") + f"; sent to {config.known_host()} as {config.credentials_origin()}"
    error.message, error.args = message, (message,)


_OTHER_LOOP = (
    "this client belongs to another event loop, that of its `async with` or of its first call: make one client for "
    "each loop. In pytest, give the test and the fixture that makes the client the same loop_scope; FastAPI's "
    "TestClient has one loop for all requests only under `with`"
)
