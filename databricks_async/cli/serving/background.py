"""Serves in a process of its own, and returns to the shell once that listens: `eval "$(databricks-async serve …)"`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from typing import Any

from databricks_async.cli.serving.settings import TOKEN_VARIABLE, Settings

_EXPORT_LINES = 2


def run(settings: Settings) -> int:
    """Start it, print its two `export` lines, and return 0; return its exit code if it ends instead.

    What it says on stderr until then is said here. It goes on when this process and its terminal end.
    """
    environment = dict(os.environ)
    if settings.token is not None:
        environment[TOKEN_VARIABLE] = settings.token  # a command line shows in the list of processes
    apart: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP}
    # Not a pipe: the reader would be gone while the other process goes on.
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603 (this program)
            [sys.executable, "-m", "databricks_async.cli", "serve", *settings.arguments()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=said,
            env=environment,
            **apart,
        )
        assert process.stdout is not None  # noqa: S101 (a pipe was asked for)
        try:
            lines = [process.stdout.readline() for _ in range(_EXPORT_LINES)]
        except BaseException:
            process.kill()
            process.wait()
            raise
        code = None if all(lines) else process.wait()
        said.seek(0)
        sys.stderr.write(said.read().decode("utf-8", "backslashreplace"))
        if code is not None:
            return code
        print(f"It goes on in the background. Stop it: kill {process.pid}", file=sys.stderr, flush=True)
        sys.stdout.write(b"".join(lines).decode())
        sys.stdout.flush()
        process.stdout.close()
        process.returncode = 0  # it is not ours any more: no ResourceWarning that it still runs
    return 0
