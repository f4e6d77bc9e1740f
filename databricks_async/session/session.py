"""The connection pool's life, and the line that stacks the layers."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from databricks_async.auth import credential_for
from databricks_async.auth.token import Credential
from databricks_async.config import Config, is_loopback
from databricks_async.errors import LifecycleError
from databricks_async.message import Request, Response, Send
from databricks_async.session.stats import Stats
from databricks_async.version import __version__

if TYPE_CHECKING:
    import aiohttp

    from databricks_async.session.pacing import Pacer
    from databricks_async.session.tokens import Tokens
    from databricks_async.session.transport import Transport

_KEEP_ALIVE_SECONDS = 30.0
"""Longer than the usual pause between two polls, shorter than the gateway keeps an idle connection."""


class Session:
    """Everything between a Request and its Response. Opens on the first call, in the event loop of that call."""

    def __init__(
        self,
        config: Config,
        *,
        credential: Credential | None = None,
        http: aiohttp.ClientSession | None = None,
        trace_configs: Sequence[aiohttp.TraceConfig] = (),
    ) -> None:
        self.config = config
        self.stats = Stats()
        self._credential = credential
        self._lent = http
        self._trace_configs = list(trace_configs)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._send: Send
        self._own: aiohttp.ClientSession | None = None
        self._parts: tuple[Transport, Pacer, Tokens] | None = None

    async def send(self, request: Request) -> Response:
        """Send one request through all layers. Raises `LifecycleError` when closed or in another event loop."""
        if self._loop is not asyncio.get_running_loop() or self._closed:
            self._open()
        self.stats.calls += 1
        return await self._send(request)

    async def close(self) -> None:
        """End all that the session started; the caller's own aiohttp session stays open. May be called twice."""
        if self._closed:
            return
        if self._parts is not None and self._loop is not asyncio.get_running_loop():
            raise LifecycleError("a client is closed in the event loop in which it was used")
        self._closed = True
        try:
            if self._parts is not None:
                transport, pacer, tokens = self._parts
                pacer.close()
                transport.close()
                await tokens.close()
        finally:
            if self._own is not None:
                await self._own.close()

    def _open(self) -> None:
        if self._closed:
            raise LifecycleError("this client was closed: make a new one")
        if self._loop is not None:
            raise LifecycleError("this client was used in another event loop: make one client for each loop")
        # On the first call: importing aiohttp takes longer than all the rest together.
        import aiohttp

        from databricks_async.session.pacing import Pacer
        from databricks_async.session.retry import checked, retrying
        from databricks_async.session.tokens import Tokens, authenticated
        from databricks_async.session.transport import Transport

        config, stats = self.config, self.stats
        http = self._lent
        if http is None:
            http = self._own = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=config.max_connections, keepalive_timeout=_KEEP_ALIVE_SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),
                trace_configs=self._trace_configs,
                proxy=_proxy(config.host),
            )
        headers = {"Accept": "application/json", "User-Agent": _USER_AGENT}
        if config.workspace_id:
            headers["X-Databricks-Workspace-Id"] = config.workspace_id
        transport = Transport(http, config.host, headers, config.http_timeout_seconds, stats)
        budget = config.retry_timeout_seconds
        without_token = retrying(checked(transport.send), budget, stats)
        tokens = Tokens(self._credential or credential_for(config, without_token), stats)
        pacer = Pacer(_most_connections(http, config), budget, stats)

        self._send = retrying(checked(pacer.paced(authenticated(transport.send, tokens))), budget, stats)

        self._parts = transport, pacer, tokens
        self._loop = asyncio.get_running_loop()


def _most_connections(http: aiohttp.ClientSession, config: Config) -> int:
    """As many calls in flight as there are connections: a call waits for its turn here, not in aiohttp's timeouts."""
    connector = http.connector
    return (connector.limit if connector is not None else 0) or config.max_connections


def _proxy(host: str) -> str | None:
    """The proxy of the environment. aiohttp's own look-up would also read the netrc file and send what stands there."""
    parts = urlsplit(host)
    name = parts.hostname or ""
    if is_loopback(name) or proxy_bypass(name):
        return None
    return getproxies().get(parts.scheme)


_USER_AGENT = f"databricks-async/{__version__} python/{platform.python_version()} os/{platform.system().lower()}"
