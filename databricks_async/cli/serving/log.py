"""The request log of `serve`: a line for each request that was dealt with."""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TextIO
from urllib.parse import urlencode

from databricks_async.local.journal import without_secrets

if TYPE_CHECKING:
    from databricks_async.local import Call


class RequestLog:
    """Writes lines such as `2026-11-26T07:51:13.123Z GET /api/2.1/clusters/get?cluster_id=x 200 3 ms ann@example.com`.

    `-` is stderr; a file is appended to, and made for its owner alone. Raises OSError when it cannot be opened. A
    stream that takes no more, such as a full disk, ends the log and not the workspace.
    """

    def __init__(self, name: str) -> None:
        self._file: TextIO | None
        if name == "-":
            self._file = sys.stderr
        else:
            opened = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            self._file = os.fdopen(opened, "a", buffering=1, encoding="utf-8", errors="backslashreplace")

    def __call__(self, call: Call) -> None:
        """Write a request down."""
        if self._file is None:
            return
        query = f"?{urlencode(without_secrets(call.query), doseq=True)}" if call.query else ""
        status = "-" if call.status is None else call.status
        took = round((time.monotonic() - call.at) * 1000)
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        words = [now, f"{call.endpoint}{query}", status, f"{took} ms", call.user or "-"]
        if call.fault:
            words.append(f"[{call.fault}]")
        try:
            print(*words, file=self._file, flush=True)
        except (OSError, ValueError):
            self._file = None

    def close(self) -> None:
        """Close the file."""
        if self._file is not None and self._file is not sys.stderr:
            self._file.close()
