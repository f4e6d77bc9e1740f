"""One good poll in spite of bad ones, and the intervals between polls."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from databricks_async.aio import Sleep
from databricks_async.errors import (
    CertificateError,
    DeadlineExceeded,
    InternalError,
    InvalidResponse,
    TemporarilyUnavailable,
    TooManyRequests,
    TransportError,
)

log = logging.getLogger("databricks_async")

T = TypeVar("T")

_MAX_GROWTH = 10.0
"""Intervals grow to this many times the first one."""
_MAX_FAILING_SECONDS = 600.0
"""How long polls may fail before the failure is raised."""
_TRANSIENT_ERRORS = (
    TransportError,
    InvalidResponse,
    TooManyRequests,
    InternalError,
    TemporarilyUnavailable,
    DeadlineExceeded,
)


class PollInterval:
    """The pauses between two polls: spread, growing while nothing changes, short again after a change."""

    def __init__(self, first: float, sleep: Sleep = asyncio.sleep) -> None:
        self._first = self._next = first
        self._sleep = sleep

    def copy(self) -> PollInterval:
        """The same, from its start, for something else to poll."""
        return PollInterval(self._first, self._sleep)

    def reset(self) -> None:
        """Something changed: poll often again."""
        self._next = self._first

    async def pause(self) -> None:
        # Spread, so that many watchers that began together do not poll together.
        await self._sleep(self._next * random.uniform(0.8, 1.2))  # noqa: S311
        self._next = min(self._next * 1.5, self._first * _MAX_GROWTH)


async def poll(name: str, read: Callable[[], Awaitable[T]], interval: PollInterval) -> T:
    """The result of one good poll. Lost connections, 5xx and 429 are raised only after 10 minutes of nothing else."""
    now = asyncio.get_running_loop().time
    give_up_at = now() + _MAX_FAILING_SECONDS
    interval = interval.copy()
    while True:
        try:
            return await read()
        except _TRANSIENT_ERRORS as error:
            # A certificate does not mend itself, and a redirect points elsewhere for good.
            is_permanent = isinstance(error, CertificateError) or (
                isinstance(error, InvalidResponse) and error.status != 200
            )
            if is_permanent or now() > give_up_at:
                raise
            log.warning("%s: a poll failed, polling goes on: %s", name, error)
        await interval.pause()
