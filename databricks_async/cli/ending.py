"""How a command ends: by itself, by Ctrl-C, or by SIGTERM."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from databricks_async.cli.output.exits import INTERRUPTED, Terminated

T = TypeVar("T")

before_leaving: list[Callable[[], None]] = []
"""What must be done even when the cleaning up is skipped: the cursor is shown again."""


def run_to_the_end(main: Coroutine[Any, Any, T]) -> T:
    """`asyncio.run`, in which Ctrl-C or SIGTERM cancels, and the cleaning up is done before the program ends.

    Raises KeyboardInterrupt or `Terminated` when that is done. A second Ctrl-C skips the cleaning up.
    """
    came: list[int] = []

    async def run() -> T:
        task = asyncio.current_task()

        def stop(number: int) -> None:
            came.append(number)
            if len(came) > 1:
                for action in before_leaving:
                    action()
                os._exit(INTERRUPTED)
            if task is not None:
                task.cancel()

        # On Windows, and in a thread, asyncio.run does what it can.
        with suppress(NotImplementedError, RuntimeError, ValueError):
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, stop, number)
        return await main

    try:
        return asyncio.run(run())
    except asyncio.CancelledError:
        if came:
            raise (KeyboardInterrupt if came[0] == signal.SIGINT else Terminated) from None
        raise
