"""Runs a command-line tool for its output: one at a time, within a time, and killed whole when its caller goes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import weakref
from collections.abc import Mapping

import attrs

from databricks_async.aio import wait_through
from databricks_async.errors import AuthError, CredentialUnavailable
from databricks_async.secret import HiddenBytes

MAX_SECONDS = 30.0

# az and databricks both rewrite a cache of tokens: two at once would get in each other's way.
_turns: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = weakref.WeakKeyDictionary()


@attrs.frozen
class Output:
    """What a tool printed, and its exit code."""

    exit_code: int
    stdout: bytes = attrs.field(repr=False)
    stderr: str = attrs.field(repr=False)


def find_tool(name: str) -> str:
    """The full path of an executable. Raises `CredentialUnavailable` if it is not installed."""
    path = shutil.which(name)
    if path is None:
        raise CredentialUnavailable(f"{name} is not installed, or not on PATH")
    return os.path.abspath(path)


async def run_tool(path: str, *arguments: str, seconds: float, environment: Mapping[str, str] | None = None) -> Output:
    """Run a tool to its end, without input. Raises `AuthError` when it takes longer than `seconds`."""
    lock = _turns.setdefault(asyncio.get_running_loop(), asyncio.Lock())
    name = os.path.basename(path)
    async with lock:
        starting = asyncio.ensure_future(
            asyncio.create_subprocess_exec(
                path,
                *arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env={**os.environ, **(environment or {})},
                # Not where the program happens to be: a tool loads what lies beside it.
                cwd=os.path.dirname(path),
                # Both tools may be scripts that start another process: all of them are to be killed.
                start_new_session=True,
            )
        )
        # Waited for to its end: a process that is abandoned while it starts would run on unnoticed.
        cancelled = await wait_through([starting])
        try:
            process = starting.result()
        except OSError as error:
            raise CredentialUnavailable(f"{path} cannot be run: {error.strerror or type(error).__name__}") from error
        try:
            if cancelled is not None:
                raise cancelled
            async with asyncio.timeout(seconds):
                stdout, stderr = await process.communicate()
        except TimeoutError:
            raise AuthError(f"{name} did not end within {seconds:g} s") from None
        finally:
            await _end(process)
    return Output(process.returncode or 0, HiddenBytes(stdout), stderr.decode("utf-8", "replace"))


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill what still runs, and wait until it is gone, also when the caller is cancelled meanwhile."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if sys.platform == "win32":
                process.kill()
            else:
                os.killpg(process.pid, signal.SIGKILL)
        if (cancelled := await wait_through([asyncio.ensure_future(process.communicate())])) is not None:
            raise cancelled
