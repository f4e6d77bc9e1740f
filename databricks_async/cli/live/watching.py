"""Runs and clusters watched: a picture in place on a terminal, a line for each change elsewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from databricks_async.cli.live.boards import ClusterBoard, RunBoard
from databricks_async.cli.live.keys import until_q
from databricks_async.cli.live.screen import Screen
from databricks_async.cli.output import times
from databricks_async.cli.output.exits import DONE, NOT_AS_WANTED, code_of, code_of_several
from databricks_async.cli.output.streams import Stream, shown
from databricks_async.cli.output.tables import Line
from databricks_async.cli.running import Run as Call
from databricks_async.clusters.changes import ClusterChange
from databricks_async.errors import DatabricksError, OperationFailed
from databricks_async.jobs.changes import AnyChange, TaskChange
from databricks_async.jobs.models import BaseRun
from databricks_async.watch import Changes

_EVERY_SECONDS = 2.0
_LEAVES_ONLY = "Ctrl-C stops the watching only."


async def follow_runs(
    call: Call,
    changes: Changes[AnyChange],
    stream: Stream,
    *,
    below: Sequence[str] = (),
    bell: bool = False,
    tell: Callable[[AnyChange], None] | None = None,
) -> dict[int, BaseRun | None]:
    """Show runs until they have ended. Returns each as it was seen last; None if it was deleted."""
    board = RunBoard(call.out, stream, lambda: changes.age, below)
    is_silent = call.out.options.quiet or call.out.format != "text"
    async with _shown(stream if tell is None and not is_silent else None, board.draw) as redraw:
        async for change in changes:
            board.take(change)
            if redraw is not None:
                redraw()
            elif tell is not None:
                tell(change)
    if bell and stream.is_terminal:
        stream.write("\a")
        stream.flush()
    return {run_id: board.run(run_id) for run_id in board.ids}


async def watch_runs(call: Call, run_ids: Sequence[int], *, every: float | None, bell: bool) -> int:
    """`runs watch`: to the end of all of them. Returns the exit code."""
    out = call.out
    call.goes_on = "The watching has ended; what was watched goes on."
    if len(run_ids) == 1:
        call.goes_on = f"The run goes on. Stop it: databricks-async jobs cancel-run {run_ids[0]}"
    changes = call.w.jobs.watch_runs(run_ids, every=every or _EVERY_SECONDS)
    tell = None if out.stdout.is_live and out.format == "text" and not out.options.quiet else _run_teller(call)
    found = await follow_runs(call, changes, out.stdout, below=[_LEAVES_ONLY], bell=bell, tell=tell)
    codes = [await _ended(call, run_id, run, alone=len(found) == 1) for run_id, run in found.items()]
    return code_of_several(codes)


async def _ended(call: Call, run_id: int, run: BaseRun | None, *, alone: bool) -> int:
    """The exit code of a run that has ended; its failure is raised if it is the only one, else told."""
    if run is not None and run.succeeded:
        return DONE
    try:
        if run is None:
            raise OperationFailed(f"run {run_id} was deleted while it was watched")
        await call.w.jobs.wait_run(run_id).result()
    except DatabricksError as error:
        if alone:
            raise
        call.out.note(str(error))
        return code_of(error)
    return DONE


def _run_teller(call: Call) -> Callable[[AnyChange], None]:
    """A line a change: for people, as JSON, or the id of a run that has ended."""
    out = call.out
    if out.options.quiet:

        def tell_id(change: AnyChange) -> None:
            if not isinstance(change, TaskChange) and change.after is not None and change.after.ended:
                out.line(str(change.run_id))

        return tell_id
    if out.format == "json":
        return lambda change: out.json(change_object(change), indent=False)
    return _Lines(out.line)


def note_changes(call: Call) -> Callable[[AnyChange], None]:
    """A line a change on standard error, beside a result."""
    return _Lines(call.out.note)


class _Lines:
    """Writes a line a change. Those of tasks wait until the name of their run is known: it comes with the same poll."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._names: dict[int, str] = {}
        self._waiting: dict[int, list[TaskChange]] = {}

    def __call__(self, change: AnyChange) -> None:
        run_id = change.run_id
        if isinstance(change, TaskChange):
            if run_id not in self._names:
                self._waiting.setdefault(run_id, []).append(change)
                return
        elif change.after is not None:
            self._names[run_id] = change.after.run_name or ""
        for task in self._waiting.pop(run_id, ()):
            self._write(change_line(task, self._names.get(run_id, "")))
        self._write(change_line(change, self._names.get(run_id, "")))


def change_line(change: AnyChange, run_name: str) -> str:
    """`2026-11-26 07:46:41 "nightly/clean" TERMINATED SUCCESS`: the form of the Databricks CLI, local time."""
    from databricks_async.cli.listings.jobs import state_words

    name = run_name or f"run {change.run_id}"
    if isinstance(change, TaskChange):
        name += f"/{change.task_key}"
    when = f"{change.when.astimezone():%Y-%m-%d %H:%M:%S} " if change.when is not None else ""
    words = "DELETED" if change.after is None else state_words(change.after)
    return shown(f'{when}"{name}" {words} {change.why}'.rstrip())


def change_object(change: AnyChange) -> dict[str, Any]:
    """A change for scripts: the run or the task as the service has it, and the words before and after."""
    from databricks_async.cli.output.states import word_of_run

    task_key = {"task_key": change.task_key} if isinstance(change, TaskChange) else {}
    return {
        "when": times.rfc3339(change.when) if change.when is not None else None,
        "run_id": change.run_id,
        **task_key,
        "before": word_of_run(change.before) if change.before is not None else None,
        "after": word_of_run(change.after) if change.after is not None else None,
        "why": change.why,
        "task" if task_key else "run": change.after,
    }


# --- clusters --------------------------------------------------------------------------------------------------------


async def watch_clusters(call: Call, cluster_ids: Sequence[str] | None, *, until: str | None, every: float) -> int:
    """`clusters watch`: until all are in a state, or for ever. Returns the exit code."""
    out = call.out
    call.goes_on = "The watching has ended; the clusters go on."
    watch = call.w.clusters.watch
    changes = watch(every=every) if cluster_ids is None else watch(cluster_ids, every=every)
    board = ClusterBoard(out, lambda: changes.age, every, show_all=cluster_ids is None)
    is_live = out.stdout.is_live and out.format == "text" and not out.options.quiet
    async with _shown(out.stdout if is_live else None, board.draw) as redraw:
        code = await _watched(call, changes, board, until, len(cluster_ids or ()), redraw)
    if code:
        failed = [cluster for cluster in board.clusters() if cluster.state == "TERMINATED"]
        names = ", ".join(str(cluster.cluster_name or cluster.cluster_id) for cluster in failed)
        raise OperationFailed(f"{names} ended TERMINATED, and not {until}", last=failed)
    return code


async def _watched(
    call: Call,
    changes: Changes[ClusterChange],
    board: ClusterBoard,
    until: str | None,
    count: int,
    redraw: Callable[[], None] | None,
) -> int:
    async for change in changes:
        board.take(change)
        if redraw is not None:
            redraw()
        else:
            _tell_cluster(call, change)
        states = [cluster.state for cluster in board.clusters()]
        if until is None or change.after is None:
            continue
        if len(states) >= count and all(state == until for state in states):
            return DONE
        if change.before is not None and change.after.state == "TERMINATED" and until != "TERMINATED":
            return NOT_AS_WANTED
    return DONE


def _tell_cluster(call: Call, change: ClusterChange) -> None:
    out = call.out
    before = change.before.state if change.before is not None else None
    after = change.after.state if change.after is not None else "DELETED"
    if out.options.quiet:
        out.line(change.cluster_id)
        return
    if out.format == "json":
        when = times.rfc3339(change.when) if change.when is not None else None
        found = {"when": when, "cluster_id": change.cluster_id, "before": before, "after": after, "why": change.why}
        out.json({**found, "cluster": change.after}, indent=False)
        return
    known = change.after or change.before
    name = (known and known.cluster_name) or ""
    fields = [change.when and times.rfc3339(change.when), change.cluster_id, name, before, after, change.why]
    out.fields([str(field or "") for field in fields])


@asynccontextmanager
async def _shown(stream: Stream | None, draw: Callable[[], list[Line]]) -> AsyncIterator[Callable[[], None] | None]:
    """A picture in place on a terminal, which `q` ends as Ctrl-C does; nothing elsewhere."""
    if stream is None or not stream.is_live:
        yield None
        return
    async with until_q(), Screen(stream, draw, every=1.0) as screen:
        yield screen.redraw
