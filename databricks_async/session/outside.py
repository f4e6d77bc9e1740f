"""Requests to other hosts than the workspace, for a token: each origin with its own connections, limits and retries."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

from databricks_async.errors import DatabricksError, error_from
from databricks_async.message import Request, Response, Send

if TYPE_CHECKING:
    from ssl import SSLContext

    import aiohttp

    from databricks_async.config import Config
    from databricks_async.session.bucket import RetryBucket
    from databricks_async.session.budgets import Budgets
    from databricks_async.session.pacing import Pacer
    from databricks_async.session.stats import Stats
    from databricks_async.session.transport import Transport

MAX_ANSWER_BYTES = 2**20
"""No token, discovery document or error is longer."""

FindProxy: TypeAlias = Callable[[str], tuple[str | None, dict[str, str]]]
"""The proxy for an origin, and the headers for the proxy."""

_TRANSIENT_STATUSES = frozenset({408, 429, 500, 502, 503, 504})


class Outside:
    """Makes the `Send` of any origin. Belongs to one session, in whose event loop it is made."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        config: Config,
        stats: Stats,
        budgets: Budgets,
        bucket_of: Callable[[str], RetryBucket],
        pause: Callable[[float], Awaitable[object]],
        find_proxy: FindProxy,
        headers: dict[str, str],
        opened: list[aiohttp.ClientSession],
        authorities: Callable[[], SSLContext] | None = None,
        *,
        reported: Callable[[Send], Send],
        lent: bool = False,
    ) -> None:
        """What it opens goes into `opened`."""
        self._http = http
        self._opened = opened
        self._lent = lent
        self._reported = reported
        self._config = config
        self._stats = stats
        self._budgets = budgets
        self._bucket_of = bucket_of
        self._pause = pause
        self._find_proxy = find_proxy
        self._headers = headers
        self._authorities = authorities
        self._own: aiohttp.ClientSession | None = None
        self._sends: dict[tuple[str, bool, float], Send] = {}
        self._transports: list[Transport] = []
        self._pacers: list[Pacer] = []

    def connect(self, origin: str, *, direct: bool = False, seconds: float = 30.0) -> Send:
        """A `Send` to this origin, such as `https://login.microsoftonline.com`.

        What is transient (429, 5xx, a lost connection) is sent again within the call's budget and then raised; any
        other answer is returned as it came, redirects too. One try takes `seconds` at most. With `direct` no proxy
        is used.
        """
        key = (origin, direct, seconds)
        if key not in self._sends:
            self._sends[key] = self._make(origin, direct, seconds)
        return self._sends[key]

    def close(self) -> None:
        """End the requests in flight."""
        for transport in self._transports:
            transport.close()
        for pacer in self._pacers:
            pacer.close()

    async def aclose(self) -> None:
        """Close what was opened beside the session's own connections."""
        if self._own is not None:
            await self._own.close()

    def _make(self, origin: str, direct: bool, seconds: float) -> Send:
        from databricks_async.session.pacing import Pacer
        from databricks_async.session.retry import retrying
        from databricks_async.session.transport import Transport

        config = self._config
        proxy: str | None = None
        proxy_headers: dict[str, str] = {}
        if not direct and self._lent and not self._http.trust_env:
            proxy = getattr(self._http, "_default_proxy", None)  # what its owner chose
        elif not direct:
            proxy, proxy_headers = self._find_proxy(origin)
        transport = Transport(
            self._session(),
            origin,
            self._headers,
            min(config.http_timeout_seconds, seconds),
            self._stats,
            proxy,
            proxy_headers,
            MAX_ANSWER_BYTES,
            self._authorities,
        )
        pacer = Pacer(1, self._budgets.throttled, self._stats)
        self._transports.append(transport)
        self._pacers.append(pacer)
        send = retrying(
            *(pacer.paced(transport.send), self._budgets, self._stats, self._pause, self._bucket_of(origin)),
            first=True,  # when all retries have run out, those that wait need the token to bring one back
            error_in=_transient_error,
        )
        return self._reported(send)

    def _session(self) -> aiohttp.ClientSession:
        """A lent session's connections, without its headers, cookies and credentials: those are not for other hosts."""
        if not self._lent:
            return self._http
        if self._own is None:
            import aiohttp

            self._own = aiohttp.ClientSession(
                connector=self._http.connector, connector_owner=False, cookie_jar=aiohttp.DummyCookieJar()
            )
            self._opened.append(self._own)
        return self._own


def _transient_error(request: Request, response: Response) -> DatabricksError | None:
    return error_from(request, response) if response.status in _TRANSIENT_STATUSES else None
