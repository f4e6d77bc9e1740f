"""What a test puts into a local workspace, and how it decides what happens there."""

from __future__ import annotations

import bisect
import functools
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Concatenate, ParamSpec, TypeVar

from databricks_async.local.clock import Clock
from databricks_async.local.clusters import policies
from databricks_async.local.errors import does_not_exist
from databricks_async.local.jobs import run_view, schedules, task_work
from databricks_async.local.jobs.state import TaskCall, TaskScript
from databricks_async.local.objects.notebooks import Language
from databricks_async.local.objects.tree import Kind, kind_of, parent_of
from databricks_async.local.state import Cluster, ScriptedFailure, State
from databricks_async.local.storage.kept import Kept

ADMIN = "admin@example.com"
"""The person whose token a workspace has from the start."""

P = ParamSpec("P")
R = TypeVar("R")
W = TypeVar("W", bound="Contents")


def in_turn(method: Callable[Concatenate[W, P], R]) -> Callable[Concatenate[W, P], R]:
    """Have a method take turns with the requests, which may be served in another thread than the caller's."""

    @functools.wraps(method)
    def take_turn(self: W, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with self._state.lock:
            try:
                return method(self, *args, **kwargs)
            finally:
                self._state.keep()

    return take_turn


def changes_contents(method: Callable[Concatenate[W, P], R]) -> Callable[Concatenate[W, P], R]:
    """The same for a method that changes what a file keeps: the file has to be open."""

    @functools.wraps(method)
    def check(self: W, /, *args: P.args, **kwargs: P.kwargs) -> R:
        self._kept.check_open()
        return method(self, *args, **kwargs)

    return in_turn(check)


class Contents:
    """A workspace as far as its clusters, jobs, runs and objects go; `LocalWorkspace` says the rest."""

    clock: Clock
    _state: State
    _kept: Kept

    @changes_contents
    def add_policy(self, name: str, definition: str | Mapping[str, Any], *, policy_id: str | None = None) -> str:
        """Make a cluster policy, and return its id: the given one, or one drawn by chance.

        `definition` maps paths of settings to rules, as JSON or decoded:
        `{"node_type_id": {"type": "allowlist", "values": [...], "defaultValue": ...}}`. Clusters with this `policy_id`
        get its fixed values, and its defaults if they have `apply_policy_default_values`; breaking a rule is refused. A
        workspace without policies accepts any `policy_id`; one with policies refuses those that it does not have.
        """
        policy_id = policy_id or f"{self._state.random.getrandbits(64):016X}"
        rules = policies.parse(definition)
        self._state.policies[policy_id] = policies.Policy(policy_id, name, rules, ADMIN, self.clock.now())
        return policy_id

    @in_turn
    def fail_next_start(
        self,
        code: str = "CLOUD_PROVIDER_LAUNCH_FAILURE",
        type: str = "CLOUD_FAILURE",  # noqa: A002 (the field's own name)
        parameters: dict[str, str] | None = None,
        *,
        cluster_name: str | None = None,
    ) -> None:
        """Have the next cluster that comes up, or the next of this name, end TERMINATED for this reason."""
        reason = {"code": code, "type": type, "parameters": parameters or {}}
        self._state.failing_starts.append(ScriptedFailure(cluster_name, reason))

    @in_turn
    def fail_next_library(self, message: str = "Library installation failed", *, library: str | None = None) -> None:
        """Have the next library end FAILED, or the next one whose name holds this text."""
        self._state.failing_libraries.append(ScriptedFailure(library, {"message": message}))

    @changes_contents
    def add_object(
        self,
        path: str,
        content: bytes | None = None,
        *,
        language: Language | None = None,
        listed_in: str | None = None,
    ) -> None:
        """Put a file into the workspace, a notebook if it has a language, or a directory if it has no content.

        A file whose name ends with `.lvdash.json` is a dashboard.

        Directories on the way to it are made. Any path will do, also one that the API would refuse. It stands in the
        listing of its directory, or of `listed_in`: so `/Shared/..`, or `/etc/passwd`, can be listed in `/Shared`.
        """
        self._state.settle()
        tree, now = self._state.tree, self._state.now
        if tree.find(path) is not None:
            raise ValueError(f"{path} already exists")
        directory = listed_in or parent_of(path)
        tree.add_directories(directory, now)
        kind: Kind = "DIRECTORY" if content is None else "NOTEBOOK" if language else kind_of(path, content)
        tree.add(path, kind, now, content=content or b"", language=language, directory=directory)

    @changes_contents
    def add_events(
        self,
        cluster_id: str,
        count: int,
        *,
        type: str = "AUTOSCALING_STATS_REPORT",  # noqa: A002 (the field's own name)
        every: float = 1.0,
    ) -> None:
        """Give a cluster a history: so many events, one every so many seconds, the last one now."""
        cluster = self._cluster(cluster_id)
        for back in reversed(range(count)):
            event = {
                "cluster_id": cluster_id,
                "timestamp": self._state.now - round(back * every * 1000),
                "type": type,
                "details": {},
            }
            bisect.insort(cluster.events, event, key=lambda other: other["timestamp"])

    @changes_contents
    def touch(self, cluster_id: str) -> None:
        """Count the cluster as used now: its time until autotermination starts anew."""
        cluster = self._cluster(cluster_id)
        cluster.last_activity_time = self._state.now

    @changes_contents
    def overlay(self, /, cluster_id: str, **fields: Any) -> None:
        """Have a cluster's answers show these fields, as a future service might: `state="HIBERNATED"`, a new one."""
        self._cluster(cluster_id).overlay.update(fields)

    @in_turn
    def script_task(
        self,
        name: str,
        *,
        duration: float | None = None,
        result_state: str = "SUCCESS",
        output: str | None = None,
        error: str | None = None,
        error_trace: str | None = None,
        logs: str | None = None,
        call: TaskCall | None = None,
        times: int | None = None,
    ) -> None:
        """Decide how tasks end that have this task_key, notebook_path, python_file, main_class_name or entry_point.

        `duration` is in seconds of workspace time, `timing.task` by default. `output` is what a notebook exits with,
        for a SQL task its rows as a JSON array of objects, or the state of its alert. An `error` makes the task
        FAILED. `call` gets the resolved parameters (a list of them as "0", "1", ...) when the task has taken its
        time, with the first request after that; it returns what the notebook exits with, or that and the task values
        that it sets: `("done", {"rows": "7"})`. What it raises makes the task FAILED, with its text and traceback.
        The script applies to that many executions (`times`), then the next one of the name, or the default. One
        without `times` replaces an earlier one that has none either.
        """
        self._state.settle()
        script = TaskScript(name, duration, result_state, output, error, error_trace, logs, call, times)
        task_work.add_script(self._state, script)

    @changes_contents
    def file_arrived(self, location: str) -> None:
        """Report a new file, for example `/Volumes/main/raw/a.csv`: jobs start whose `file_arrival` trigger watches it.

        That is a trigger whose `url` is this location or a directory above it. `wait_after_last_change_seconds` and
        `min_time_between_triggers_seconds` go by the workspace's clock; without them the runs start at once, where the
        service looks about once a minute. Paused triggers, and those of deleted jobs, do nothing.
        """
        self._state.settle()
        schedules.file_arrived(self._state, location)
        self._state.settle()

    @changes_contents
    def table_updated(self, name: str, *, version: int | None = None) -> None:
        """Report a commit to a table, such as `main.sales.orders`: jobs start whose `table_update` trigger watches it.

        With the condition `ALL_UPDATED` only once all tables of the trigger were updated. `version` is what
        `{{job.trigger.table_update.<table>.version}}` shows, by default one more than the last; the rest is as in
        `file_arrived`.
        """
        self._state.settle()
        schedules.table_updated(self._state, name, version)
        self._state.settle()

    @changes_contents
    def run_backfill(
        self, job_id: int, *moments: datetime, job_parameters: Mapping[str, str] | None = None
    ) -> list[int]:
        """Start a run for each moment, as "Run backfill" of the web UI does; returns their run ids.

        `{{backfill.iso_date}}` and its like stand for the moment, in the job's parameters and in these, which override
        them. Runs beyond `max_concurrent_runs` are queued. Raises ApiError if there is no such job.
        """
        self._state.settle()
        return schedules.backfill(self._state, job_id, list(moments), dict(job_parameters or {}))

    @changes_contents
    def overlay_run(self, /, run_id: int, **fields: Any) -> None:
        """Have a run's answers, or those of one attempt at a task, show these fields, as a future service might."""
        self._state.settle()
        run_view.overlay(self._state, run_id, fields)

    @property
    def notebooks_must_exist(self) -> bool:
        """Whether a task fails whose notebook is not in the workspace; False runs it all the same."""
        return self._state.jobs.notebooks_must_exist

    @notebooks_must_exist.setter
    def notebooks_must_exist(self, wanted: bool) -> None:
        self._state.jobs.notebooks_must_exist = wanted

    @property
    def serverless(self) -> bool:
        """Whether notebooks, Python scripts and wheels may do without a cluster; False refuses such tasks with 400."""
        return self._state.jobs.serverless

    @serverless.setter
    def serverless(self, wanted: bool) -> None:
        self._state.jobs.serverless = wanted

    def _cluster(self, cluster_id: str) -> Cluster:
        self._state.settle()
        cluster = self._state.clusters.get(cluster_id)
        if cluster is None:
            raise does_not_exist(cluster_id)
        return cluster
