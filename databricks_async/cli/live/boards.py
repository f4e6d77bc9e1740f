"""What a watch has seen so far, as a picture: of one run its tree, of several runs or of clusters a table."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

import attrs

from databricks_async.cli.listings.clusters import reason, since, workers
from databricks_async.cli.listings.jobs import RUN_COLUMNS
from databricks_async.cli.live import tree
from databricks_async.cli.output import times
from databricks_async.cli.output.columns import Column, for_people
from databricks_async.cli.output.states import Sign, sign_of_cluster, sign_of_run
from databricks_async.cli.output.streams import Stream, shown
from databricks_async.cli.output.tables import Line, Row, cells_of, cut, lay_out
from databricks_async.cli.output.writer import Output
from databricks_async.clusters.changes import ClusterChange
from databricks_async.clusters.models import ClusterDetails
from databricks_async.jobs.changes import AnyChange, TaskChange
from databricks_async.jobs.models import BaseRun, RunLifeCycleState, RunResultState, RunState, RunTask
from databricks_async.pictures.kinds import Kind

Age = Callable[[], float | None]

_MOVING_FIRST = ("moving", "bad", "waiting")
_NEWS_SECONDS = 300.0


class RunBoard:
    """Runs and their tasks, as the changes so far show them."""

    def __init__(self, out: Output, stream: Stream, age: Age, below: Sequence[str]) -> None:
        self._out = out
        self._stream = stream
        self._age = age
        self._below = below
        self._runs: dict[int, BaseRun | None] = {}
        self._tasks: dict[int, dict[object, RunTask]] = {}

    @property
    def ids(self) -> list[int]:
        return [*self._runs]

    def take(self, change: AnyChange) -> None:
        """Note a change."""
        tasks = self._tasks.setdefault(change.run_id, {})
        if isinstance(change, TaskChange):
            self._runs.setdefault(change.run_id, None)
            if (before := change.before) is not None and _attempt(before) != _attempt(change.after):
                tasks[_attempt(before)] = _before_another(before, change.after)
            tasks[_attempt(change.after)] = change.after
            return
        self._runs[change.run_id] = change.after
        if change.after is not None:
            tasks.update((_attempt(task), task) for task in change.after.tasks or ())

    def run(self, run_id: int) -> BaseRun | None:
        """A run with all attempts at its tasks that were seen; None if it was deleted."""
        run = self._runs.get(run_id)
        return None if run is None else attrs.evolve(run, tasks=[*self._tasks[run_id].values()])

    def draw(self) -> list[Line]:
        """The tree of one run, or a table: what failed, runs and waits first, as much as there is room for."""
        runs = [run for run_id in self._runs if (run := self.run(run_id)) is not None]
        read, now = _read(self._age()), self._out.now
        if len(runs) == 1:
            below = [*self._below, f"Page: {runs[0].run_page_url}" if runs[0].run_page_url else ""]
            return tree.lines_of(runs[0], now, self._stream, read, below)
        if not runs:
            return [[("reading …" if not self._stream.is_ascii else "reading ...", "dim")]]
        runs.sort(key=lambda run: tree.ORDER.index(_kind(run)))
        room = max(3, self._stream.height - 4)
        columns = [column for column in RUN_COLUMNS if not column.long]
        rows = []
        for run in runs[:room]:
            sign = sign_of_run(run)
            cells = [for_people(column, run, now, utc=False) for column in columns]
            rows.append(Row(_symbol(sign, self._stream), sign.style, cells))
        lines = lay_out(columns, rows, self._stream.width, ascii_only=self._stream.is_ascii)
        active = sum(not run.ended for run in runs)
        more = f"{len(runs) - room} more, " if len(runs) > room else ""
        foot = f"{more}{active} of {len(runs)} not ended{f', {read}' if read else ''}"
        return [*lines, *([(one, "dim")] for one in (foot, *self._below))]


class ClusterBoard:
    """Clusters, as the changes so far show them."""

    def __init__(self, out: Output, age: Age, every: float, *, show_all: bool) -> None:
        self._out = out
        self._stream = out.stdout
        self._age = age
        self._every = every
        self._show_all = show_all
        self._clusters: dict[str, ClusterDetails] = {}
        self._before: dict[str, str] = {}
        self._changed_at: dict[str, float] = {}
        self._began: dict[str, datetime | None] = {}
        """When a change into its state was seen. Its description may say only when it was started."""

    def clusters(self) -> list[ClusterDetails]:
        return [*self._clusters.values()]

    def take(self, change: ClusterChange) -> None:
        """Note a change."""
        if change.after is None:
            self._clusters.pop(change.cluster_id, None)
            return
        self._clusters[change.cluster_id] = change.after
        if change.before is not None:
            self._before[change.cluster_id] = str(change.before.state)
            self._changed_at[change.cluster_id] = asyncio.get_running_loop().time()
            self._began[change.cluster_id] = change.when or since(change.after)

    def draw(self) -> list[Line]:
        """What moves and what changed first; what did not change is summed up where there is no room for it."""
        if not self._clusters:
            return [[("reading ..." if self._stream.is_ascii else "reading …", "dim")]]
        width, room = self._stream.width, max(3, self._stream.height - 3)
        found = sorted(self._clusters.items(), key=self._rank)
        if self._show_all:
            news = [one for one in found if one[0] in self._changed_at or self._sign(one[1]).style == "yellow"]
            visible = (news or found)[:room]
        else:
            visible = found[:room]
        now = self._out.now
        rows = [self._row(cluster_id, cluster, now) for cluster_id, cluster in visible]
        lines = lay_out(_CLUSTER_COLUMNS, rows, width, ascii_only=self._stream.is_ascii)
        lines = self._with_counts(lines, width)
        if left := len(found) - len(visible):
            dots = "..." if self._stream.is_ascii else "…"
            lines.append([(f"  {dots} {left:,} more that did not change", "dim")])
        return lines

    def _rank(self, one: tuple[str, ClusterDetails]) -> tuple[bool, float, str]:
        cluster_id, cluster = one
        moves = self._sign(cluster).style == "yellow"
        return (not moves, -self._changed_at.get(cluster_id, 0.0), cluster.cluster_name or "")

    def _row(self, cluster_id: str, cluster: ClusterDetails, now: datetime) -> Row:
        sign, before = self._sign(cluster), self._before.get(cluster_id)
        changed_at = self._changed_at.get(cluster_id, 0.0)
        is_news = before is not None and asyncio.get_running_loop().time() - changed_at < _NEWS_SECONDS
        arrow = ">" if self._stream.is_ascii else "▸"
        state = f"{before} {arrow} {cluster.state}" if is_news else str(cluster.state or "-")
        began = self._began.get(cluster_id) or since(cluster)
        lasted = times.duration((now - began).total_seconds()) if began is not None else "-"
        cells = (cluster.cluster_name or cluster_id, state, lasted, workers(cluster) or "-", _why(cluster) or "-")
        return Row(_symbol(sign, self._stream), sign.style, [shown(cell) for cell in cells])

    def _sign(self, cluster: ClusterDetails) -> Sign:
        return sign_of_cluster(cluster)

    def _with_counts(self, lines: list[Line], width: int | None) -> list[Line]:
        """How many move and run, and how old the picture is: behind the headings if there is room, else below."""
        signs = [sign_of_cluster(cluster) for cluster in self._clusters.values()]
        moving, running = sum(sign.style == "yellow" for sign in signs), sum(sign.style == "green" for sign in signs)
        dot = " | " if self._stream.is_ascii else " · "
        parts = [f"{moving} of {len(signs):,} change", f"{running:,} running", _read(self._age())]
        text = dot.join([part for part in [*parts, f"every {times.duration(self._every)}"] if part])
        head = "".join(piece for piece, _ in lines[0]) if lines else ""
        if lines and head.lstrip().startswith("NAME") and (width is None or cells_of(head) + 3 + len(text) <= width):
            return [[*lines[0], (f"   {text}", "dim")], *lines[1:]]
        return [*lines, [(cut(text, width or 80, ascii_only=self._stream.is_ascii), "dim")]]


def _nothing(_: object) -> None:
    """A cell of a board is made beside its column."""


_CLUSTER_COLUMNS = (
    Column("NAME", _nothing, shorten="name", keep=True),
    Column("STATE", _nothing, keep=True),
    Column("FOR", _nothing, right=True),
    Column("WORKERS", _nothing),
    Column("REASON", _nothing, shorten="words"),
)


def _why(cluster: ClusterDetails) -> str:
    """The reason in one word, then its type and what the cloud says."""
    ended = cluster.termination_reason
    if ended is None or not ended.code:
        return reason(cluster)
    details = ", ".join(str(value) for value in (ended.parameters or {}).values())
    return f"{ended.code} ({ended.type})" + (f": {details}" if details else "")


def _attempt(task: RunTask) -> object:
    return task.run_id or (task.task_key, task.attempt_number)


def _before_another(attempt: RunTask, following: RunTask) -> RunTask:
    """An attempt whose end no poll has shown: there is another one after those that failed, and it began then.

    The run at its end says it exactly.
    """
    if attempt.ended:
        return attempt
    failed = RunState(life_cycle_state=RunLifeCycleState.TERMINATED, result_state=RunResultState.FAILED)
    began, ended = attempt.start_time or 0, following.start_time or 0
    ran = max(0, ended - began - (attempt.setup_duration or 0)) if began and ended else None
    return attrs.evolve(attempt, state=failed, status=None, end_time=ended or None, execution_duration=ran)


def _kind(run: BaseRun) -> Kind:
    from databricks_async.cli.output.states import kind_of_run

    return kind_of_run(run)


def _symbol(sign: Sign, stream: Stream) -> str:
    return sign.ascii if stream.is_ascii else sign.symbol


def _read(age: float | None) -> str:
    return "" if age is None else f"read {times.duration(age)} ago"
