"""The exit codes: one table, from which errors get their code and `help exit-codes` its lines."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterable
from typing import NamedTuple


class Exit(NamedTuple):
    """An exit code, when a command ends with it, and the errors of the library that mean it."""

    code: int
    when: str
    errors: tuple[str, ...] = ()
    """Names in `databricks_async.errors`; the first row that has an error's class, or one above it, counts."""
    errnos: tuple[int, ...] = ()
    """Of errors of the operating system."""


DONE, FAILED, WRONG_COMMAND_LINE, NOT_AS_WANTED, REFUSED, TIME_IS_UP = 0, 1, 2, 3, 4, 8
INTERRUPTED, READER_GONE, TERMINATED = 130, 141, 143

# Scripts depend on these numbers: rows may be added, a number keeps its meaning for good.
EXITS = (
    Exit(DONE, "Done; of a run: it succeeded."),
    Exit(FAILED, "Another failure; or a part of a tree, or of several things, failed."),
    Exit(WRONG_COMMAND_LINE, "The command line is wrong, or a package is missing (the message names it)."),
    Exit(NOT_AS_WANTED, "The run or the cluster ended otherwise than wanted.", ("OperationFailed",)),
    Exit(REFUSED, "No credentials, or the workspace refused them.", ("ConfigError", "AuthError")),
    Exit(5, "Not found: a cluster, job, run, path, or file of this machine.", ("NotFound",), (errno.ENOENT,)),
    Exit(6, "Not allowed.", ("PermissionDenied",), (errno.EACCES, errno.EPERM)),
    Exit(7, "A conflict, or the wrong state for this.", ("ResourceConflict", "InvalidState"), (errno.EEXIST,)),
    Exit(TIME_IS_UP, "The time of --timeout is up; what was begun goes on.", ("OperationTimeout",)),
    Exit(
        9,
        "Not reached: no connection, or the service refused (429) or failed (5xx) to the end.",
        (
            "TransportError",
            "TooManyRequests",
            "InternalError",
            "TemporarilyUnavailable",
            "DeadlineExceeded",
            "NotImplemented",
        ),
    ),
    Exit(10, "Open whether it was carried out: look before doing it again.", ("OutcomeUnknown",)),
    Exit(INTERRUPTED, "Ended by Ctrl-C."),
    Exit(READER_GONE, "The reader of the output went away."),
    Exit(TERMINATED, "Ended by SIGTERM."),
)


class Terminated(BaseException):
    """SIGTERM came, and the cleaning up is done."""


def code_of(error: BaseException) -> int:
    """The exit code that an error means."""
    # Before the errors are imported, none of them can have been raised.
    errors = sys.modules.get("databricks_async.errors")
    if errors is not None and isinstance(error, errors.DatabricksError):
        if errors.is_about_token(error):
            return REFUSED
        for row in EXITS:
            if any(isinstance(error, getattr(errors, name)) for name in row.errors):
                return row.code
        return FAILED
    if isinstance(error, OSError):
        return next((row.code for row in EXITS if error.errno in row.errnos), FAILED)
    if isinstance(error, ValueError | TypeError) and not isinstance(error, UnicodeError):
        return WRONG_COMMAND_LINE  # the library refuses what it is given before anything is sent
    return FAILED


def code_of_several(codes: Iterable[int]) -> int:
    """The exit code of several things: that of the failures if it is one and the same, else 1."""
    failed = {code for code in codes if code}
    return failed.pop() if len(failed) == 1 else FAILED if failed else DONE
