"""What is reported of each call while anyone wants it: events for handlers, one line a try for the debug log."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from itertools import count
from typing import TypedDict, TypeVar

from databricks_async import events  # whose classes are imported when there is a handler for them
from databricks_async.errors import DatabricksError
from databricks_async.events import shown
from databricks_async.events.handlers import Handlers
from databricks_async.message import Request, Response, Send

T = TypeVar("T")

log = logging.getLogger("databricks_async.http")

_MIN_WAIT_SECONDS = 0.001
"""Shorter ones are the loop's own."""


class _About(TypedDict):
    call: int
    endpoint: str
    family: str


class Reports:
    """Makes the reports of one client's calls."""

    def __init__(
        self,
        handlers: Handlers,
        family_of: Callable[[str], str],
        *,
        body_bytes: int = 0,
        with_headers: bool = False,
    ) -> None:
        self.handlers = handlers
        self.family_of = family_of
        self.body_bytes = body_bytes
        self.with_headers = with_headers
        self._numbers = count(1)

    async def report(self, send: Send, request: Request) -> Response:
        """Send it, and report all that happens on the way."""
        report = _CallReport(self, next(self._numbers), request.endpoint)
        with_report = Request(
            request.endpoint,
            request.path,
            request.query,
            request.body,
            request.headers,
            request.replay,
            request.lookup,
            request.stream,
            report,
        )
        report.started()
        try:
            response = await send(with_report)
        except BaseException as error:
            report.ended(error)
            raise
        report.ended(response)
        response.report = report
        return response

    def reported(self, send: Send) -> Send:
        """The same as a layer, for what no method of the client calls."""

        async def report(request: Request) -> Response:
            if self.handlers.any or log.isEnabledFor(logging.DEBUG):
                return await self.report(send, request)
            return await send(request)

        return report


class _CallReport:
    """The report of one call, which goes with its request through the layers."""

    def __init__(self, reports: Reports, number: int, line: str) -> None:
        self._emit = reports.handlers.emit if reports.handlers.any else None
        self._reports = reports
        self._started = time.monotonic()
        family = reports.family_of(line)
        self._about: _About = {"call": number, "endpoint": shown.endpoint(line), "family": family}
        self._attempt = self._retries = self._refusals = 0
        self._is_retry = False
        self._request_id: str | None = None

    def started(self) -> None:
        if self._emit:
            self._emit(events.CallStarted(**self._about))

    def ended(self, outcome: Response | BaseException) -> None:
        if not self._emit:
            return
        is_answer = isinstance(outcome, Response)
        known = outcome if isinstance(outcome, Response | DatabricksError) else None
        event = events.CallEnded(
            **self._about,
            seconds=time.monotonic() - self._started,
            attempts=self._attempt,
            retries=self._retries,
            refusals=self._refusals,
            status=known.status if known is not None else None,
            error=None if is_answer else type(outcome).__name__,
            request_id=self._request_id,
        )
        self._emit(event)

    async def sent(
        self,
        send: Callable[[Request], Awaitable[Response | BaseException]],
        request: Request,
        host: str,
        headers: Mapping[str, str],
    ) -> Response | BaseException:
        """Send one request, and report it and its outcome."""
        self._attempt += 1
        self._retries += self._is_retry
        self._is_retry = False
        attempt, method, target = self._attempt, request.method, shown.target(request.path, request.query)
        if self._emit:
            self._emit(events.RequestSent(**self._about, attempt=attempt, method=method, host=host, target=target))
        started = time.monotonic()
        try:
            outcome = await send(request)
        except BaseException as error:
            self._outcome(error, time.monotonic() - started, attempt)
            raise
        seconds = time.monotonic() - started
        self._outcome(outcome, seconds, attempt)
        if log.isEnabledFor(logging.DEBUG):
            where = target if request.endpoint.partition(" ")[2].startswith("/") else host + target
            self._log(request, where, headers, outcome, seconds)
        return outcome

    async def waited(self, turn: Awaitable[T]) -> T:
        """Wait for a turn, and report for how long."""
        started = time.monotonic()
        try:
            return await turn
        finally:
            seconds = time.monotonic() - started
            if self._emit and seconds >= _MIN_WAIT_SECONDS:
                self._emit(events.CallWaited(**self._about, seconds=seconds))

    def refused(self, status: int, seconds: float) -> None:
        self._refusals += 1
        if self._emit:
            self._emit(events.RequestRefused(**self._about, attempt=self._attempt, status=status, seconds=seconds))

    def retrying(self, error: str, status: int | None, seconds: float) -> None:
        self._is_retry = True
        if self._emit:
            about, attempt = self._about, self._attempt
            self._emit(events.RetryScheduled(**about, attempt=attempt, seconds=seconds, error=error, status=status))

    def _outcome(self, outcome: Response | BaseException, seconds: float, attempt: int) -> None:
        if isinstance(outcome, Response):
            self._request_id = shown.request_id(outcome.headers)
            if self._emit:
                event = events.ResponseReceived(
                    **self._about, attempt=attempt, status=outcome.status, seconds=seconds, request_id=self._request_id
                )
                self._emit(event)
        elif self._emit:
            self._emit(
                events.RequestFailed(**self._about, attempt=attempt, error=type(outcome).__name__, seconds=seconds)
            )

    def _log(
        self,
        request: Request,
        target: str,
        headers: Mapping[str, str],
        outcome: Response | BaseException,
        seconds: float,
    ) -> None:
        answer = outcome if isinstance(outcome, Response) else None
        what = str(answer.status) if answer is not None else type(outcome).__name__
        request_id = self._request_id if answer is not None else None
        more = f", request id {request_id}" if request_id else ""
        if self._reports.with_headers:
            more += f"; request headers {shown.headers({**headers, **request.headers})}"
            more += f"; response headers {shown.headers(answer.headers)}" if answer is not None else ""
        if max_bytes := self._reports.body_bytes:
            more += "" if request.body is None else f"; request body {shown.body(request.body, max_bytes)}"
            if answer is not None:
                content = answer.body if answer.stream is None else None
                more += f"; response body {shown.body(content, max_bytes)}"
        fields = {
            "method": request.method,
            "path": target.partition("?")[0],
            "status": answer.status if answer is not None else None,
            "duration_ms": round(seconds * 1000, 1),
            "attempt": self._attempt,
            "request_id": request_id,
        }
        line = "%s %s: %s in %.1f ms, attempt %d%s"
        log.debug(line, request.method, target, what, seconds * 1000, self._attempt, more, extra=fields)
