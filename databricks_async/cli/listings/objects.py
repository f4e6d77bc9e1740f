"""Objects of the workspace, as rows."""

from __future__ import annotations

from collections.abc import AsyncIterator

from databricks_async.cli.named import names
from databricks_async.cli.output.columns import Column
from databricks_async.cli.output.exits import DONE, FAILED
from databricks_async.cli.running import Run
from databricks_async.cli.transfers.summary import tell_failures
from databricks_async.workspace.models import ObjectInfo
from databricks_async.workspace.trees.pool import TreeFailure

OBJECT_COLUMNS = (
    Column("TYPE", lambda info: info.object_type, keep=True, long=True),
    Column("LANGUAGE", lambda info: info.language, long=True),
    Column("SIZE", lambda info: info.size, kind="size", right=True, long=True),
    Column("MODIFIED", lambda info: info.modified, kind="moment", long=True),
    Column("PATH", lambda info: info.path, shorten="name", keep=True),
)


async def listed(run: Run, path: str, recursive: bool, failures: list[TreeFailure]) -> AsyncIterator[ObjectInfo]:
    """What is in a directory, or all below it; paths are kept for Tab."""
    found = list[tuple[object, object]]()
    if not recursive:
        async for info in run.w.workspace.list(path):
            found.append((info.path, None))
            yield info
    else:
        async with run.w.workspace.walk(path) as walk:
            async for info in walk:
                found.append((info.path, None))
                yield info
        failures += walk.failures
    names.remember("path", found, run.options.where)


def tell_unlisted(run: Run, failures: list[TreeFailure]) -> int:
    """Name the directories that could not be listed. Returns the exit code."""
    tell_failures(run, failures)
    return FAILED if failures else DONE
