"""The only module that sends through aiohttp: one request, one complete answer or a typed error."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import lru_cache

import aiohttp
from yarl import URL

from databricks_async.errors import CertificateError, ConnectError, ConnectionLost, DatabricksError, RequestTimeout
from databricks_async.message import Request, Response
from databricks_async.session.stats import Stats

CONNECT_SECONDS = 30.0


class Deadlines:
    """One timer for all requests in flight: a timer for each would cost a tenth of a request.

    Every entry gets the same time, so the oldest is always the first to end. An entry that runs out has its task
    cancelled; `stop` tells that cancellation from the caller's own.
    """

    __slots__ = ("_entries", "_expired", "_loop", "_seconds", "_timer")

    def __init__(self, seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._seconds = seconds
        self._entries: dict[asyncio.Task[object], float] = {}
        self._expired: set[asyncio.Task[object]] = set()
        self._timer: asyncio.TimerHandle | None = None

    def start(self, task: asyncio.Task[object]) -> None:
        self._entries[task] = at = self._loop.time() + self._seconds
        if self._timer is None:
            self._timer = self._loop.call_at(at, self._check)

    def stop(self, task: asyncio.Task[object]) -> bool:
        """Whether the time of this task ran out, and its cancellation has to be taken back."""
        self._entries.pop(task, None)
        if task not in self._expired:
            return False
        self._expired.discard(task)
        return True

    def _check(self) -> None:
        self._timer = None
        now = self._loop.time()
        for task, at in list(self._entries.items()):
            if at > now:
                self._timer = self._loop.call_at(at, self._check)
                return
            del self._entries[task]
            self._expired.add(task)
            task.cancel()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


class Transport:
    """Sends requests to one host through one aiohttp session."""

    def __init__(
        self, session: aiohttp.ClientSession, host: str, headers: Mapping[str, str], timeout: float, stats: Stats
    ) -> None:
        self._session = session
        self._headers = dict(headers)
        self._stats = stats
        self._seconds = timeout
        self._deadlines = Deadlines(timeout)
        # No timer of aiohttp's own once connected; connecting has its own, because what never left may be sent again.
        self._timeout = aiohttp.ClientTimeout(total=None, connect=CONNECT_SECONDS, sock_connect=CONNECT_SECONDS)

        @lru_cache(maxsize=1024)
        def url(path: str, query: str) -> URL:
            return URL(f"{host}{path}?{query}" if query else host + path, encoded=True)

        self._url = url

    async def send(self, request: Request) -> Response:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("databricks_async needs a running task")
        cancelling = task.cancelling()
        deadlines = self._deadlines
        deadlines.start(task)
        self._stats.sent += 1
        try:
            answer = await self._session.request(
                request.method,
                self._url(request.path, request.query),
                data=request.body,
                headers={**self._headers, **request.headers},
                allow_redirects=False,
                raise_for_status=False,
                timeout=self._timeout,
            )
            response = Response(answer.status, answer.headers, await answer.read())
        except asyncio.CancelledError:
            if deadlines.stop(task) and task.uncancel() <= cancelling:
                raise RequestTimeout(
                    f"no complete answer within {self._seconds:g} s", endpoint=request.endpoint
                ) from None
            raise
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # aiohttp raises ValueError and OSError of its own for some broken answers and connections.
            if deadlines.stop(task):
                task.uncancel()
            raise self._failure(error, request) from error
        deadlines.stop(task)
        return response

    def close(self) -> None:
        self._deadlines.close()

    def _failure(self, error: Exception, request: Request) -> DatabricksError:
        host = self._url("", "").authority
        reason = str(error) or type(error).__name__
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            return CertificateError(f"the TLS certificate of {host} is not trusted", endpoint=request.endpoint)
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            return ConnectError(f"no connection to {host} within {CONNECT_SECONDS:g} s", endpoint=request.endpoint)
        if isinstance(error, aiohttp.ClientConnectorDNSError):
            return ConnectError(f"the host {host} is not known: check its spelling", endpoint=request.endpoint)
        if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ClientProxyConnectionError):
            return ConnectError(f"no connection to {host}: {reason}", endpoint=request.endpoint)
        if isinstance(error, aiohttp.ServerDisconnectedError):
            return ConnectionLost(f"{host} closed the connection without an answer", endpoint=request.endpoint)
        if isinstance(error, aiohttp.ClientPayloadError):
            return ConnectionLost(f"{host} broke off in the middle of its answer", endpoint=request.endpoint)
        if isinstance(error, aiohttp.ClientResponseError):
            return ConnectionLost(f"{host} answered with something that is not HTTP", endpoint=request.endpoint)
        return ConnectionLost(f"the connection to {host} was lost: {reason}", endpoint=request.endpoint)
