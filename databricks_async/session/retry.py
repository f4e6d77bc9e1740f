"""What may be sent again, and when. The only module that uses backoff."""

from __future__ import annotations

import asyncio
import logging
import math
import random
import time
import zlib
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeAlias

from databricks_async.error_bodies import header
from databricks_async.errors import (
    AuthError,
    CertificateError,
    ConnectError,
    ConnectionLost,
    DatabricksError,
    LifecycleError,
    OutcomeUnknown,
    TransportError,
    error_from,
)
from databricks_async.message import Request, Response, Send, Stream
from databricks_async.session.stats import Stats

log = logging.getLogger("databricks_async")

Pause: TypeAlias = Callable[[float], Awaitable[object]]
"""Sleeps so many seconds."""

_UNREACHABLE_SECONDS = 30.0
"""A host that cannot be reached at all is given up sooner than a service that answers badly."""
_FIRST_PAUSE_SECONDS = 0.25
_LONGEST_PAUSE_SECONDS = 20.0

_LOST = frozenset({408, 500, 502, 503, 504})
"""After these the service may or may not have done the work."""
_NO_LONGER_SO = frozenset({400, 404, 409})
"""What a repeated write is told when its first try, whose answer was lost, did the work after all."""
_PASSING = (
    "UnknownWorkerEnvironmentException",
    "does not have any associated worker environments",
    "There is no worker environment with id",
    "Unknown worker environment",
    "ClusterNotReadyException",
    "Please try again later or try a faster operation.",
    "RPC token bucket limit has been exceeded",
)
"""Words in an error's message by which the service says that a read will succeed a little later."""


def checked(send: Send) -> Send:
    """Answers that are errors become exceptions."""

    async def check(request: Request) -> Response:
        response = await send(request)
        if (error := error_from(request, response)) is not None:
            raise error
        return response

    return check


def retrying(send: Send, budget: float, stats: Stats, pause: Pause = asyncio.sleep) -> Send:
    """Sends again what failed, where that cannot do the work twice, for `budget` seconds after the first failure.

    A request that never left is always sent again. One that was lost on the way, or answered with 500, 502, 503, 504
    or 408, is sent again if its `replay` class allows it; otherwise `OutcomeUnknown` is raised and nothing is sent.
    That also ends a request with a token that was lost again and again: whoever knows the token can find out.
    The error that ends a call carries the attempts and seconds that it took. `pause` sleeps between two tries.
    """

    async def retry(request: Request) -> Response:
        started = time.monotonic()
        attempts, lost, pauses = 0, False, None
        give_up_at = unreachable_until = math.inf
        while True:
            try:
                return await send(request)
            except DatabricksError as failure:
                now = time.monotonic()
                attempts += failure.attempts
                failure.attempts, failure.elapsed = attempts, now - started
                if lost and request.replay != "safe" and failure.status in _NO_LONGER_SO:
                    raise _unknown(request, failure, "was repeated and then refused") from failure
                if not _is_passing(failure, request):
                    if lost and request.replay == "token":
                        raise _unknown(request, failure, "was sent and its answer lost") from failure
                    raise
                never_left = isinstance(failure, ConnectError)
                if not never_left:
                    lost = True
                    if request.replay == "unsafe":
                        raise _unknown(request, failure, "was sent and its answer lost") from failure
                lost_for_good = lost and request.replay == "token"
                give_up_at = min(give_up_at, now + budget)
                unreachable_until = min(unreachable_until, now + _UNREACHABLE_SECONDS) if never_left else math.inf
                pauses = pauses or _pauses()
                seconds = max(next(pauses), failure.retry_after or 0.0)
                if now + seconds > min(give_up_at, unreachable_until):
                    if lost_for_good:
                        raise _unknown(request, failure, "was sent and no answer came") from failure
                    raise
                # A person waits in vain for a host that is not there: that is said aloud.
                what = f"{type(failure).__name__}: {failure.message}" if never_left else type(failure).__name__
                level = logging.WARNING if never_left else logging.INFO
                log.log(level, "%s: %s; trying again in %.1f s", request.endpoint, what, seconds)
            try:
                await pause(seconds)
            except LifecycleError as closed:
                if lost_for_good:
                    raise _unknown(request, closed, "was sent and its answer lost") from closed
                raise
            stats.retries += 1

    return retry


class Resumed:
    """The body of an answer, whole in spite of lost connections: it is asked for again and read up to where it was.

    A content that has changed meanwhile is a `ConnectionLost`, never a mixture. Connections that are lost again and
    again are given up `budget` seconds after the first one, counted anew when any of them has brought something new.
    After an error it can be read on.
    """

    def __init__(
        self, send: Send, request: Request, response: Response, budget: float, stats: Stats, pause: Pause
    ) -> None:
        self._send = send
        self._request = request
        self._budget = budget
        self._stats = stats
        self._pause = pause
        self._started = time.monotonic()
        self._attempts = response.attempts
        self._length = _length(response)
        self._stream: Stream | None = response.stream or _Complete(response.body)
        self._given = self._checksum = 0
        self._passed = self._checksum_passed = 0
        self._lost_at = -1
        self._give_up_at = math.inf
        self._pauses: Iterator[float] = iter(())

    async def read(self) -> bytes:
        try:
            while True:
                stream = self._stream = self._stream or await self._again()
                try:
                    chunk = await stream.read()
                except TransportError as failure:
                    self.close()
                    await self._pause_after(failure)
                    continue
                missing = self._given - self._passed
                new = chunk[missing:] if missing else chunk
                if missing:
                    self._pass(chunk[:missing])
                if new or not chunk:
                    self._checksum = self._checksum_passed = zlib.crc32(new, self._checksum)
                    self._given += len(new)
                    self._passed = self._given
                    if not chunk:
                        self.close()
                        self._stream = _Complete(b"")
                    return new
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
        self._stream = None

    async def _again(self) -> Stream:
        try:
            response = await self._send(self._request)
        except DatabricksError as error:
            error.attempts += self._attempts
            raise
        self._attempts += response.attempts
        self._passed = self._checksum_passed = 0
        stream = response.stream or _Complete(response.body)
        length = _length(response)
        if None not in (length, self._length) and length != self._length:
            stream.close()
            raise self._changed()
        return stream

    def _pass(self, chunk: bytes) -> None:
        """What the caller has already."""
        self._passed += len(chunk)
        self._checksum_passed = zlib.crc32(chunk, self._checksum_passed)
        if not chunk or (self._passed == self._given and self._checksum_passed != self._checksum):
            raise self._changed()

    async def _pause_after(self, failure: TransportError) -> None:
        now = time.monotonic()
        failure.attempts, failure.elapsed = self._attempts, now - self._started
        if self._given > self._lost_at:
            self._lost_at, self._give_up_at, self._pauses = self._given, now + self._budget, _pauses()
        seconds = next(self._pauses)
        if now + seconds > self._give_up_at:
            raise failure
        log.info("%s: %s; reading on in %.1f s", self._request.endpoint, type(failure).__name__, seconds)
        await self._pause(seconds)
        self._stats.retries += 1

    def _changed(self) -> ConnectionLost:
        return ConnectionLost(
            f"the connection was lost after {self._given} bytes, and the content has changed since: begin anew",
            endpoint=self._request.endpoint,
            attempts=self._attempts,
            elapsed=time.monotonic() - self._started,
        )


class _Complete:
    """A body that came with its answer."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def read(self) -> bytes:
        body, self._body = self._body, b""
        return body

    def close(self) -> None:
        """Nothing is open."""


def _length(response: Response) -> str | None:
    return header(response.headers, "content-length") or (None if response.stream else str(len(response.body)))


def _is_passing(failure: DatabricksError, request: Request) -> bool:
    """Whether a later try may end better."""
    if isinstance(failure, TransportError):
        return not isinstance(failure, CertificateError)
    if isinstance(failure, AuthError):
        return False  # its requests were sent again by a retrying of their own; this one never left
    if failure.status in _LOST:
        # A 503 that says when to come back is a refusal: it has waited at its gate, and nothing was done.
        return failure.status != 503 or failure.retry_after is None
    return request.replay == "safe" and any(words in failure.message for words in _PASSING)


def _pauses() -> Iterator[float]:
    """Growing pauses, each spread over its upper half so that many callers do not come back together."""
    import backoff  # on first failure: importing it costs as much as all of this package

    waits = backoff.expo(base=2, factor=_FIRST_PAUSE_SECONDS, max_value=_LONGEST_PAUSE_SECONDS)
    next(waits)
    for wait in waits:
        yield wait * random.uniform(0.5, 1.0)  # noqa: S311


def _unknown(request: Request, failure: DatabricksError, what: str) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"{request.endpoint} {what} ({failure.message}): it may or may not have been carried out",
        lookup=request.lookup,
        **failure.about(),
    )
