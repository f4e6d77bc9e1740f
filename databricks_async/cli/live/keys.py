"""The key `q`: it ends a picture as Ctrl-C does."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from databricks_async.cli.ending import before_leaving


@asynccontextmanager
async def until_q() -> AsyncIterator[None]:
    """While the block runs, `q` sends this program Ctrl-C's signal; where there is no keyboard, nothing happens."""
    try:
        import termios
        import tty
    except ImportError:  # Windows
        yield
        return
    if sys.stdin is None or not sys.stdin.isatty():
        yield
        return
    try:
        number = sys.stdin.fileno()
        before = termios.tcgetattr(number)
    except (OSError, ValueError, termios.error):  # what says it is a terminal, and is none
        yield
        return

    def restore() -> None:
        termios.tcsetattr(number, termios.TCSADRAIN, before)

    def read() -> None:
        if os.read(number, 100).lower().startswith(b"q"):
            import signal

            os.kill(os.getpid(), signal.SIGINT)

    loop = asyncio.get_running_loop()
    tty.setcbreak(number)
    before_leaving.append(restore)
    loop.add_reader(number, read)
    try:
        yield
    finally:
        loop.remove_reader(number)
        before_leaving.remove(restore)
        restore()
