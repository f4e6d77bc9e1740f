"""The places that a gate outside of this client gives out, asked for so that no call depends on it."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from typing import TypeVar

from databricks_async.errors import LifecycleError
from databricks_async.gates import Gate

log = logging.getLogger("databricks_async")

T = TypeVar("T")

_MAX_ANSWER_SECONDS = 1.0
"""A gate that takes longer to answer is passed by."""
_WARNING_SECONDS = 60.0


class SharedPlaces:
    """Asks a gate for the calls of one session. `host` says which workspace they are for."""

    def __init__(self, gate: Gate, host: Callable[[], str]) -> None:
        self._gate = gate
        self._host = host
        self._loop = asyncio.get_running_loop()
        self._closing: asyncio.Future[None] = self._loop.create_future()
        self._warned_at = -math.inf

    async def wait(self, family: str, max_seconds: float) -> None:
        """Wait for a place, for so long at most. Raises `LifecycleError` when closed."""
        seconds = await self._answer(self._gate.enter(self._host(), family))
        if isinstance(seconds, int | float) and seconds > 0:
            await asyncio.wait((self._closing,), timeout=min(seconds, max_seconds))
        if self._closing.done():
            raise LifecycleError("the client was closed while this call waited for its turn")

    async def refused(self, family: str, seconds: float) -> None:
        """The service has refused a call of this family."""
        await self._answer(self._gate.refused(self._host(), family, seconds))

    def close(self) -> None:
        """End the waiting of all calls."""
        if not self._closing.done():
            self._closing.set_result(None)

    async def _answer(self, question: Awaitable[T]) -> T | None:
        try:
            async with asyncio.timeout(_MAX_ANSWER_SECONDS):
                return await question
        except Exception as error:
            if self._loop.time() > self._warned_at + _WARNING_SECONDS:
                self._warned_at = self._loop.time()
                log.warning("the shared gate does not answer (%s): calls go on without it", type(error).__name__)
            return None
