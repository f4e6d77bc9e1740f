"""The body of an answer that is read piece by piece, to its end in spite of lost connections."""

from __future__ import annotations

import logging
import math
import time
import zlib
from collections.abc import Iterator

from databricks_async.aio import Sleep
from databricks_async.error_bodies import header
from databricks_async.errors import ConnectionLost, DatabricksError, TransportError
from databricks_async.message import Request, Response, Send, Stream
from databricks_async.session.bucket import RetryBucket
from databricks_async.session.budgets import Budget
from databricks_async.session.pauses import growing_pauses
from databricks_async.session.stats import Stats

log = logging.getLogger("databricks_async.retry")


class Resumed:
    """The body of an answer, whole in spite of lost connections: it is asked for again and read up to where it was.

    A content that has changed meanwhile is a `ConnectionLost`, never a mixture. Connections that are lost again and
    again are given up when `budget` is spent, counted anew when any of them has brought something new.
    After an error it can be read on.
    """

    def __init__(
        self,
        send: Send,
        request: Request,
        response: Response,
        budget: Budget,
        stats: Stats,
        sleep: Sleep,
        bucket: RetryBucket,
    ) -> None:
        self._send = send
        self._report = response.report
        self._request = request
        self._budget = budget
        self._stats = stats
        self._sleep = sleep
        self._bucket = bucket
        self._started = time.monotonic()
        self._attempts = response.attempts
        self._length = _length(response)
        self._stream: Stream | None = response.stream or _Complete(response.body)
        self._given = self._checksum = 0
        self._passed = self._checksum_passed = 0
        self._lost_at = -1
        self._losses = 0
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
        if not self._given:
            self._length = length  # nothing of the lost answer counts, which may have been wrong
        elif None not in (length, self._length) and length != self._length:
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
            self._lost_at, self._give_up_at, self._losses = self._given, now + self._budget.seconds, 0
            self._pauses = growing_pauses()
        self._losses += 1
        seconds = next(self._pauses)
        if now + seconds > self._give_up_at or self._losses >= self._budget.attempts:
            raise failure
        log.info("%s: %s; reading on in %.1f s", self._request.endpoint, type(failure).__name__, seconds)
        if self._report is not None:
            self._report.retrying(type(failure).__name__, failure.status, seconds)
        await self._sleep(seconds)
        if not await self._bucket.take(self._give_up_at - time.monotonic()):
            failure.elapsed = time.monotonic() - self._started
            raise failure
        self._stats.retries += 1
        self._stats.of(self._request.endpoint).retried += 1

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
