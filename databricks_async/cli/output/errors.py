"""How an error is told: one clear line, or with `-o json` one object, on standard error."""

from __future__ import annotations

import os
import sys
from typing import Any

from databricks_async.cli.output.exits import code_of
from databricks_async.cli.output.streams import Stream, shown


def report(stderr: Stream, command: str, error: BaseException, *, as_json: bool) -> int:
    """Tell an error, and return the exit code that it means."""
    code = code_of(error)
    if as_json:
        import orjson

        stderr.write(f"{orjson.dumps(as_object(error, code)).decode()}\n")
        stderr.flush()
    else:
        say(stderr, f"{command}: {reason(error)}")
    return code


def say(stderr: Stream, text: str) -> None:
    """A message in one line; on a terminal in as many as it takes, of whole words: addresses and paths are copied."""
    from databricks_async.cli.output.tables import wrapped

    for line in wrapped(shown(text), stderr.width, whole=True):
        stderr.write(f"{line}\n")
    stderr.flush()


def reason(error: BaseException) -> str:
    """What went wrong, in one line."""
    if isinstance(error, UnicodeEncodeError) and sys.getfilesystemencoding() != "utf-8":
        named = error.object[error.start : error.end]
        return f"this locale has no letter for {named!a}: set LC_ALL=C.UTF-8, or PYTHONUTF8=1"
    if isinstance(error, OSError) and error.strerror and not hasattr(error, "error_code"):
        name = f": {os.fsdecode(error.filename)}" if isinstance(error.filename, str | bytes) else ""
        return f"{error.strerror}{name}"
    return str(error) or type(error).__name__


def as_object(error: BaseException, code: int) -> dict[str, Any]:
    """An error for scripts. That of a failed run has the errors of its tasks."""
    found: dict[str, Any] = {
        "error_code": getattr(error, "error_code", None) or type(error).__name__,
        "message": getattr(error, "message", None) or reason(error),
        "status": getattr(error, "status", None),
        "request_id": getattr(error, "request_id", None),
        "exit_code": code,
    }
    if getattr(error, "endpoint", None):
        found["endpoint"] = error.endpoint  # type: ignore[attr-defined]
    failed = getattr(error, "failed_tasks", None)
    if failed is not None:
        found["run_id"] = getattr(getattr(error, "run", None), "run_id", None)
        found["run_page_url"] = getattr(error, "run_page_url", None)
        found["failed_tasks"] = [
            {
                "task_key": task.task_key,
                "run_id": task.run_id,
                "result": task.result,
                "error": task.error,
                "error_trace": task.error_trace,
            }
            for task in failed
        ]
    return found
