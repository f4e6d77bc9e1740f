"""Which cluster, job or run an argument means: an id, or an exact name."""

from __future__ import annotations

import re
from collections.abc import AsyncIterable, Callable
from typing import Any

import click

from databricks_async.cli.named import names
from databricks_async.cli.running import Run
from databricks_async.errors import ResourceDoesNotExist
from databricks_async.suggest import did_you_mean

_MAX_NEAR = 1000
_CLUSTER_ID = re.compile(r"\d{4}-\d{6}-\w+")


async def cluster_id(run: Run, text: str) -> str:
    """The id of a cluster."""
    if _CLUSTER_ID.fullmatch(text):
        return text
    found = await _named(run, "cluster", text, run.w.clusters.list(), lambda one: (one.cluster_id, one.cluster_name))
    return str(found)


async def job_id(run: Run, text: str) -> int:
    """The id of a job."""
    if text.isdecimal():
        return int(text)
    # The service looks for the name in upper or lower case; a name that is near is looked for among the newest.
    listed = run.w.jobs.list(name=text)
    found = [job.job_id async for job in listed if job.settings is not None and job.settings.name == text]
    if len(found) == 1 and found[0] is not None:
        return found[0]
    if found:
        raise _several("job", text, found)
    newest = run.w.jobs.list(max_items=_MAX_NEAR)
    job = await _named(run, "job", text, newest, lambda one: (one.job_id, one.settings and one.settings.name))
    return int(job)


def run_id(text: str) -> int:
    """The id of a run. Runs have no names of their own."""
    if not text.isdecimal():
        raise click.UsageError(f"RUN is the id of a run, a number, not {text!r}: `runs list --job JOB` shows them")
    return int(text)


async def _named(
    run: Run, kind: str, text: str, listed: AsyncIterable[Any], read: Callable[[Any], tuple[Any, str | None]]
) -> Any:
    known = [read(one) async for one in listed]
    names.remember(kind, known, run.options.where)
    found = [item_id for item_id, name in known if name == text]
    if len(found) > 1:
        raise _several(kind, text, found)
    if not found:
        hint = did_you_mean(text, [name for _, name in known if name])
        raise ResourceDoesNotExist(
            f"there is no {kind} with the id or the exact name {text!r}" + (hint and f": {hint}")
        )
    return found[0]


def _several(kind: str, text: str, found: list[Any]) -> click.UsageError:
    ids = ", ".join(map(str, found[:10])) + (", ..." if len(found) > 10 else "")
    return click.UsageError(f"{len(found)} {kind}s are named {text!r}: give the id of one: {ids}")
