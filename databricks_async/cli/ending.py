"""How a command ends: by itself, or by Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


def run_to_the_end(main: Coroutine[Any, Any, T]) -> T:
    """`asyncio.run`, in which a second Ctrl-C does not stop the cleanup that the first one began.

    Raises KeyboardInterrupt when that is done.
    """
    interrupted = False

    async def run() -> T:
        task = asyncio.current_task()

        def interrupt() -> None:
            nonlocal interrupted
            if not interrupted and task is not None:
                interrupted = True
                task.cancel()

        # On Windows, and in a thread, asyncio.run does what it can.
        with suppress(NotImplementedError, RuntimeError, ValueError):
            asyncio.get_running_loop().add_signal_handler(signal.SIGINT, interrupt)
        return await main

    try:
        return asyncio.run(run())
    except asyncio.CancelledError:
        if interrupted:
            raise KeyboardInterrupt from None
        raise
