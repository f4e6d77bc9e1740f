"""Writer: knows what a file holds of a workspace, and writes what differs from it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator
from typing import Any

from databricks_async.local.clusters.policies import Policy
from databricks_async.local.jobs.state import Job, Run, TaskRun
from databricks_async.local.objects.tree import Node
from databricks_async.local.state import Cluster, Json, State
from databricks_async.local.storage import documents
from databricks_async.local.storage.watched import Noted

_CLOCK_SECONDS = 1.0
"""Real seconds after which the time is written though nothing else has changed."""
_TABLES = ("facts", "clusters", "events", "policies", "jobs", "runs", "objects", "tokens", "actions")
"""All but the contents of objects, which can be large and are compared one by one."""


def everything(state: State) -> Iterator[Any]:
    """All that has documents: directories before what they hold, and jobs as their runs come."""
    jobs = state.jobs
    for kind in (state.clusters, state.policies, state.tree.by_id, jobs.jobs, jobs.runs):
        yield from kind.values()


class Writer:
    """Writes into one file, which holds nothing yet or what was just read of it."""

    def __init__(self, file: sqlite3.Connection, state: State, *, opened: int) -> None:
        self._file = file
        self._state = state
        self._opened = opened
        """How often the file was opened to write, this time included."""
        self._in_transaction = False
        self._forget()
        if opened > 1:
            self._contents.update((node.object_id, node.content) for node in state.tree.by_id.values() if node.content)

    def _forget(self) -> None:
        self._is_known = False
        """Whether the file holds what the rest says."""
        self._documents: dict[tuple[str, str], int] = {}
        """The hash of each document, by its table and id."""
        self._contents: dict[int, bytes] = {}
        self._events: dict[str, tuple[int, Any]] = {}
        """How many events each cluster has, and the last of them."""
        self._actions: set[int] = set()
        self._scheduled = (-1, -1)
        self._facts: dict[str, str] = {}
        self._clock_at = 0.0

    def commit(self, touched: Iterable[Any]) -> None:
        """Write these, what is scheduled and what has no document, as far as it differs: all of it or nothing."""
        if not self._is_known:
            touched = everything(self._state)
        try:
            if not self._is_known:
                # In the present form, whichever release wrote it before.
                for table in _TABLES:
                    self._execute(f"DELETE FROM {table}")  # noqa: S608 (a name of ours)
            self._write(touched)
            if self._in_transaction:
                self._execute("COMMIT")
                self._in_transaction = False
        except BaseException:
            if self._in_transaction:
                self._in_transaction = False
                self._file.rollback()
            self._forget()
            raise
        self._is_known = True

    def write_clock(self) -> None:
        """Have the next commit write the time though nothing else has changed."""
        self._clock_at = 0.0

    def _write(self, touched: Iterable[Any]) -> None:
        state, jobs = self._state, self._state.jobs
        for thing in _each_once(touched):
            if isinstance(thing, Cluster):
                is_there = dict.get(state.clusters, thing.cluster_id) is thing
                self._write_document("clusters", thing.cluster_id, documents.simple(thing) if is_there else None)
                self._write_events(thing.cluster_id, thing.events if is_there else [])
            elif isinstance(thing, Policy):
                is_there = dict.get(state.policies, thing.policy_id) is thing
                self._write_document("policies", thing.policy_id, documents.simple(thing) if is_there else None)
            elif isinstance(thing, Node):
                self._write_object(thing)
            elif isinstance(thing, Job):
                self._write_document("jobs", str(thing.job_id), documents.of_job(thing, state))
            else:
                is_there = dict.get(jobs.runs, thing.run_id) is thing or any(documents.linked(thing))
                self._write_document("runs", str(thing.run_id), documents.of_run(thing, state) if is_there else None)
                if not is_there and thing.run_type == "SUBMIT_RUN":
                    self._write_document("jobs", str(thing.job.job_id), None)
        if not self._is_known:
            self._execute("DELETE FROM contents WHERE id NOT IN (SELECT id FROM objects)")
        self._write_tokens("run", jobs.tokens)
        self._write_tokens("cluster", state.cluster_tokens)
        self._write_actions()
        self._write_facts()

    def _write_document(self, table: str, key: str, document: Json | None) -> None:
        """Insert, change or delete (None) a row, if that is a change."""
        if document is None:
            if self._documents.pop((table, key), None) is not None:
                self._execute(f"DELETE FROM {table} WHERE id = ?", key)  # noqa: S608 (a name of ours)
            return
        text = documents.write(document)
        if self._documents.get((table, key)) != hash(text):
            self._execute(
                f"INSERT INTO {table} (id, document) VALUES (?, ?) "  # noqa: S608 (a name of ours)
                "ON CONFLICT (id) DO UPDATE SET document = excluded.document",
                key,
                text,
            )
            self._documents[table, key] = hash(text)

    def _write_events(self, cluster_id: str, events: list[Json]) -> None:
        known, last = self._events.get(cluster_id, (0, None))
        if known and (len(events) < known or events[known - 1] is not last):  # not only appended to
            self._execute("DELETE FROM events WHERE cluster_id = ?", cluster_id)
            known = 0
        for position in range(known, len(events)):
            row = (cluster_id, position, documents.write(events[position]))
            self._execute("INSERT INTO events (cluster_id, position, document) VALUES (?, ?, ?)", *row)
        if events:
            self._events[cluster_id] = (len(events), events[-1])
        else:
            self._events.pop(cluster_id, None)

    def _write_object(self, node: Node) -> None:
        number = node.object_id
        is_there = dict.get(self._state.tree.by_id, number) is node
        self._write_document("objects", str(number), documents.of_object(node) if is_there else None)
        known = self._contents.get(number, b"")
        content = node.content if is_there else b""
        if content is known:
            return
        if content:
            self._execute("INSERT OR REPLACE INTO contents (id, content) VALUES (?, ?)", str(number), content)
            self._contents[number] = content
        elif self._contents.pop(number, None) is not None:
            self._execute("DELETE FROM contents WHERE id = ?", str(number))

    def _write_tokens(self, kind: str, tokens: dict[str, Any]) -> None:
        for token in tokens.changed if self._is_known and isinstance(tokens, Noted) else list(tokens):
            row = (kind, token, str(tokens[token]))
            self._execute("INSERT OR REPLACE INTO tokens (kind, token, id) VALUES (?, ?, ?)", *row)
        if isinstance(tokens, Noted):
            tokens.changed.clear()

    def _write_actions(self) -> None:
        """What is scheduled: each is written once, and deleted when it was done."""
        state = self._state
        if self._scheduled == (state.count, len(state.due)):
            return
        present = {number for _, number, _ in state.due}
        for number in self._actions - present:
            self._execute("DELETE FROM actions WHERE number = ?", number)
        for moment, number, due in state.due:
            document = documents.of_due(due) if number not in self._actions else None
            if document is not None:
                row = (number, moment, documents.write(document))
                self._execute("INSERT INTO actions (number, moment, document) VALUES (?, ?, ?)", *row)
        self._actions, self._scheduled = present, (state.count, len(state.due))

    def _write_facts(self) -> None:
        versions = documents.write(self._state.jobs.table_versions)
        facts = {"opened": str(self._opened), "table_versions": versions}
        if self._in_transaction or time.monotonic() - self._clock_at > _CLOCK_SECONDS:
            self._clock_at = time.monotonic()
            facts["now"] = str(self._state.now)
        for name, value in facts.items():
            if self._facts.get(name) != value:
                self._execute("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)", name, value)
                self._facts[name] = value

    def _execute(self, statement: str, *values: Any) -> None:
        if not self._in_transaction:
            self._file.execute("BEGIN IMMEDIATE")
            self._in_transaction = True
        self._file.execute(statement, values)


def _each_once(touched: Iterable[Any]) -> list[Any]:
    """What has documents of its own among what was touched; jobs and runs in the order in which they were made."""
    found: dict[int, Any] = {}
    for thing in touched:
        if isinstance(thing, TaskRun):
            thing = thing.run
        if isinstance(thing, Run):
            found |= {id(run.job): run.job for run in (thing, *documents.linked(thing))}
            found |= {id(run): run for run in documents.linked(thing)}
        if isinstance(thing, Cluster | Policy | Node | Job | Run):
            found[id(thing)] = thing
    return sorted(found.values(), key=lambda thing: thing.sequence if isinstance(thing, Job | Run) else 0)
