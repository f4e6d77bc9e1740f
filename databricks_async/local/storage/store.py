"""Store: writes what has changed in a workspace into its file, and makes the workspace of it again."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from databricks_async.local.clusters.policies import Policy
from databricks_async.local.errors import StorageError
from databricks_async.local.state import Cluster, State
from databricks_async.local.storage import documents
from databricks_async.local.storage.file import Lock, begin_log, close_file, open_file, open_snapshot, prepare
from databricks_async.local.storage.watched import Noted, Watched
from databricks_async.local.storage.writer import Writer, everything


class Store:
    """The file of one directory, for as long as this process has its workspace open.

    Opening it fills the state with what the file holds, or a new file with what the state holds.
    """

    def __init__(self, directory: Path, state: State, seed: int) -> None:
        path = prepare(directory)
        self._state = state
        self._lock = Lock(directory)
        try:
            self._file = open_file(path)
            try:
                opened = load(self._file, state)
                begin_log(self._file)
            except BaseException:
                self._file.close()
                raise
        except BaseException:
            self._lock.release()
            raise
        if opened:
            draw_others(state, f"{seed}/{opened}")
        self._writer = Writer(self._file, state, opened=opened + 1)
        self._touched = list[Any]()
        self._watch()

    def _watch(self) -> None:
        state, touched = self._state, self._touched
        jobs, tree = state.jobs, state.tree
        state.touched = touched
        state.clusters, state.policies = Watched(touched, state.clusters), Watched(touched, state.policies)
        jobs.jobs, jobs.runs = Watched(touched, jobs.jobs), Watched(touched, jobs.runs)
        jobs.task_runs = Watched(touched, jobs.task_runs)
        tree.by_path, tree.by_id = Watched(touched, tree.by_path), Watched(touched, tree.by_id)
        jobs.tokens, state.cluster_tokens = Noted(jobs.tokens), Noted(state.cluster_tokens)

    def replace(self, state: State) -> None:
        """Keep this state from now on; the one before is in no file any more."""
        self._unwatch()
        self._state = state
        self._writer = Writer(self._file, state, opened=1)
        self._touched.clear()
        self._watch()

    def commit(self) -> None:
        """Write what has changed. Raises StorageError when that cannot be done; the next call tries it again."""
        touched = self._touched[:]
        self._touched.clear()
        try:
            self._writer.commit(touched)
        except sqlite3.Error as error:
            raise StorageError(f"the workspace's file cannot be written: {error}") from error

    def close(self) -> None:
        """Write the last of it, and let others open the file. The state stays, and is not written any more."""
        try:
            self._writer.write_clock()
            self.commit()
        finally:
            close_file(self._file)
            self._lock.release()
            self._unwatch()

    def _unwatch(self) -> None:
        state, jobs, tree = self._state, self._state.jobs, self._state.tree
        state.touched = None
        state.clusters, state.policies = dict(state.clusters), dict(state.policies)
        jobs.jobs, jobs.runs, jobs.task_runs = dict(jobs.jobs), dict(jobs.runs), dict(jobs.task_runs)
        tree.by_path, tree.by_id = dict(tree.by_path), dict(tree.by_id)
        jobs.tokens, state.cluster_tokens = dict(jobs.tokens), dict(state.cluster_tokens)


def load_snapshot(path: Path, state: State, seed: int) -> None:
    """Make the workspace of a file, or of that in a directory, which stays as it is."""
    file = open_snapshot(path)
    try:
        load(file, state)
    finally:
        file.close()
    draw_others(state, f"{seed}/snapshot")


def save_snapshot(path: Path, state: State) -> None:
    """Write all of a workspace into a new file. Raises FileExistsError when there is one."""
    if path.exists():
        raise FileExistsError(f"{path} exists already")
    file = open_file(path)
    try:
        Writer(file, state, opened=1).commit(list(everything(state)))
    finally:
        close_file(file)


def draw_others(state: State, seed: str) -> None:
    """Draw other numbers by chance than those that were drawn for what the file holds."""
    state.random = random.Random(seed)  # noqa: S311 (repeatable, not secret)
    jobs = state.jobs
    state.ids.begin_anew(seed, {*jobs.jobs, *jobs.runs, *jobs.task_runs, *state.tree.by_id, *jobs.tokens.values()})


def load(file: sqlite3.Connection, state: State) -> int:
    """Put what the file holds in place of what the state holds; returns how often the file was opened, 0 for a new one.

    What is no part of it stays: persons and their tokens, scripts of tasks, durations.
    """
    file.execute("BEGIN")  # all of one moment, also while another process writes
    try:
        facts = dict(file.execute("SELECT name, value FROM facts"))
        if facts:
            _load(file, facts, state)
    except (LookupError, TypeError, ValueError) as error:
        raise StorageError(f"the workspace's file cannot be understood: {type(error).__name__}: {error}") from error
    finally:
        file.execute("ROLLBACK")
    return int(facts.get("opened", 0))


def _load(file: sqlite3.Connection, facts: dict[str, str], state: State) -> None:
    def rows(table: str) -> Iterator[dict[str, Any]]:
        for (text,) in file.execute(f"SELECT document FROM {table} ORDER BY position"):  # noqa: S608 (a name of ours)
            yield documents.read(text)

    def tokens(kind: str) -> Iterator[tuple[str, str]]:
        return file.execute("SELECT token, id FROM tokens WHERE kind = ?", (kind,))

    now = int(facts["now"])
    state.clock.go_on_from(now)
    state.now = now
    state.clusters = {one.cluster_id: one for one in (documents.from_simple(row, Cluster) for row in rows("clusters"))}
    state.policies = {one.policy_id: one for one in (documents.from_simple(row, Policy) for row in rows("policies"))}
    for cluster_id, text in file.execute("SELECT cluster_id, document FROM events ORDER BY cluster_id, position"):
        state.clusters[cluster_id].events.append(documents.read(text))
    state.cluster_tokens = dict(tokens("cluster"))

    tree = state.tree
    tree.by_path, tree.by_id = {}, {}
    contents = dict(file.execute("SELECT id, content FROM contents"))
    for row in rows("objects"):
        node = documents.to_object(row, contents.get(str(row["object_id"]), b""), tree.by_id)
        tree.by_path[node.path] = tree.by_id[node.object_id] = node

    jobs = state.jobs
    read = [documents.to_job(row) for row in rows("jobs")]
    known = {job.job_id: job for job, _ in read}
    jobs.jobs = {job.job_id: job for job, is_listed in read if is_listed}
    jobs.runs, jobs.task_runs, jobs.waiting = {}, {}, {}
    runs = documents.Runs(state, known)
    for row in rows("runs"):
        runs.add(row)
    runs.finish()
    jobs.tokens = {token: int(run_id) for token, run_id in tokens("run")}
    jobs.table_versions = documents.read(facts["table_versions"])
    jobs.sequence = max([0, *(job.sequence for job in known.values()), *(run.sequence for run in jobs.runs.values())])

    state.due = []
    for number, moment, text in file.execute("SELECT number, moment, document FROM actions ORDER BY moment, number"):
        due = documents.to_due(documents.read(text), state, known)
        if due is not None:
            state.due.append((moment, number, due))  # in order, which is a heap
    state.count = max((number for _, number, _ in state.due), default=0)
