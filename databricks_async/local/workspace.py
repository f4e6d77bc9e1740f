"""LocalWorkspace: an in-memory Databricks workspace that speaks HTTP, to test against."""

from __future__ import annotations

import bisect
import random
import secrets
import ssl
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Any, Self

from databricks_async.local import seeds
from databricks_async.local.clock import Clock, checked_clock
from databricks_async.local.clusters import policies
from databricks_async.local.clusters.catalog import Catalog
from databricks_async.local.errors import does_not_exist
from databricks_async.local.fault_queue import Faults
from databricks_async.local.http import oauth
from databricks_async.local.http.loop_thread import LoopThread
from databricks_async.local.http.server import Handler, Server
from databricks_async.local.ids import Ids
from databricks_async.local.jobs import run_view, schedules, task_work
from databricks_async.local.jobs.processes.pool import Processes
from databricks_async.local.jobs.state import TaskCall, TaskScript
from databricks_async.local.journal import Journal
from databricks_async.local.limits import RateLimit, checked_limit
from databricks_async.local.logins import IdentityProvider, Logins
from databricks_async.local.objects.notebooks import Language
from databricks_async.local.objects.tree import Kind, kind_of, parent_of
from databricks_async.local.state import Cluster, Durations, ScriptedFailure, ServicePrincipal, State, Token, User
from databricks_async.local.storage.kept import AnyPath, Kept
from databricks_async.local.turns import changes_state, in_turn
from databricks_async.local.values import is_loopback

DEFAULT_TOKEN = "dapi00000000000000000000000000000000"  # noqa: S105 (opens nothing but this workspace)
_ADMIN = "admin@example.com"


def _new_state(clock: Clock, seed: int, large_ids: bool, catalog: Catalog) -> State:
    randomness = random.Random(seed)  # noqa: S311 (repeatable, not secret)
    return State(clock, randomness, Ids(seed, large=large_ids), catalog)


class LocalWorkspace:
    """A Databricks workspace in this process, on a port of this machine.

    ```python
    async with LocalWorkspace() as ws:
        client = WorkspaceClient(host=ws.url, token=ws.token)
    ```

    `async with` serves in the event loop that it stands in: client and workspace share it, and take turns in a fixed
    order. `with` serves from a thread with a loop of its own, for callers that block (synchronous tests, the official
    SDK, FastAPI's TestClient) and for tests with several loops. Either way its methods, `clock`, `journal` and
    `faults` may be used from any thread; the functions given to `script_task` are called in the thread that serves.

    `clock` says how fast clusters live: by default a thousand times faster than in the cloud, so that a start takes
    0.3 s. `token` is the personal access token of an admin. `port` 0 picks a free one. `seed` decides everything that
    is drawn by chance. Ids of jobs, runs, repairs and workspace objects are below 2**53, as the service's are;
    `large_ids` draws 64-bit ones, to test what reads them. `node_types` and `spark_versions` are added to those that
    the workspace lists: names, or entries as `list-node-types` and `spark-versions` answer them; Azure's and those of
    supported runtimes are known. `tls` serves https with its certificate. Nothing is opened before `start`,
    `async with` or `with`; `close` closes every connection.

    `run_tasks` has Python notebooks, `spark_python_task` and `python_wheel_task` run for real, each in a process of
    this interpreter with the rights of this program: that runs the code of all who can reach the workspace and have a
    token. So it listens on this machine only, `token` is a random one if none is given, and browser logins are
    refused until `logins.error` is None. See `databricks_async.local` for what such tasks have.

    `path` is a directory, made if it is missing, whose SQLite file keeps clusters, policies, jobs, runs and objects:
    written as they change, whole also when the process is killed. One workspace at a time has it open; another gets a
    StorageError. The workspace's clock stands still while it is closed, so that what was under way goes on where it
    was. `snapshot` is such a directory, or a file of `save`: loaded at the start, and never written. Tokens, persons,
    service principals, scripts of tasks, `timing`, `journal` and `faults` are this object's own, and in no file.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        token: str = DEFAULT_TOKEN,
        host: str = "127.0.0.1",
        port: int = 0,
        seed: int = 0,
        large_ids: bool = False,
        node_types: Iterable[str | Mapping[str, Any]] = (),
        spark_versions: Iterable[str | Mapping[str, Any]] = (),
        run_tasks: bool = False,
        tls: ssl.SSLContext | None = None,
        path: AnyPath | None = None,
        snapshot: AnyPath | None = None,
    ) -> None:
        self.clock = checked_clock(clock or Clock.sped_up(1000))
        if run_tasks and not is_loopback(host):
            raise ValueError(f"run_tasks on {host!r} would let the network run programs on this machine")
        # Others of this machine know the default token, too.
        token = f"dapi{secrets.token_hex(16)}" if run_tasks and token == DEFAULT_TOKEN else token
        self.token = token
        self.journal = Journal()
        """Every request so far."""
        self.faults = Faults(seed, now=self.clock.client_time)
        """The failures planned for the next requests."""
        self._make_state = partial(_new_state, self.clock, seed, large_ids, Catalog(node_types, spark_versions))
        self._state = self._make_state()
        self._server = Server(self._state, self.journal, self.faults)
        self._address = (host, port)
        self._tls = tls
        self._seed = seed
        self._kept = Kept(path, snapshot, seed)
        self._thread: LoopThread | None = None
        self._run_tasks = run_tasks
        self._begin()

    async def start(self) -> None:
        """Open the file, if there is one, and listen in this event loop.

        Raises OSError when the port is taken, and StorageError when the file cannot be used.
        """
        self._server.check_not_started()
        try:
            with self._state.lock:
                self._kept.open(self._state)
            self._address = await self._server.start(*self._address, self._tls)
        except BaseException:
            with self._state.lock:
                self._kept.close(self._state)
            raise
        with self._state.lock:
            self._state.url = self.url
            for run in self._state.jobs.runs.values():
                run.workspace_url = self.url

    async def close(self) -> None:
        """Stop listening, drop every connection, also in the middle of a request, and kill the processes of tasks.

        Clusters and runs stay as they are. To be called in the event loop of `start`; what `with` began ends with it.
        """
        try:
            await self._server.close()
        finally:  # a caller that is cancelled meanwhile leaves no process and no locked file
            self._state.part(Processes).close()
            with self._state.lock:
                self._kept.close(self._state)

    @changes_state
    def save(self, path: AnyPath) -> None:
        """Write all clusters, jobs, runs and objects into a new file, for `LocalWorkspace(snapshot=path)`.

        Raises FileExistsError when there is one, and StorageError when it cannot be written.
        """
        self._kept.save(path, self._state)

    def __repr__(self) -> str:
        return f"<LocalWorkspace at {self.url if self._address[1] else 'no address yet'}>"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __enter__(self) -> Self:
        thread = LoopThread("local workspace")
        try:
            thread.run(self.start())
        except BaseException:
            thread.stop()
            raise
        self._thread = thread
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            try:
                thread.run(self.close())
            finally:
                thread.stop()

    def reset(self) -> None:
        """Forget everything: as a new workspace of the same seed and token, at the present time of the same clock.

        Clusters, jobs, objects, users, scripts, timing, faults, limits and the journal are gone.
        """
        with self._state.lock:
            before = self._state
            self._state = state = self._make_state()
            state.url, state.lock, state.identity_provider = before.url, before.lock, before.identity_provider
            self._server.replace(state)
            self._kept.replace(before, state)
            self.rate_limit = None
            self.faults.clear()
            self.journal.clear()
            before.part(Processes).stop_all()
            self._begin()
            state.keep()

    def _begin(self) -> None:
        self.add_user(_ADMIN, self.token, admin=True)
        self._state.part(Processes).on = self._run_tasks
        if self._run_tasks:
            self.logins.error = ("access_denied", "Where tasks run for real, browsers do not log in unasked")

    def add_observer(self, token: str) -> None:
        """Let a program in that only looks: a live page beside the tests, and not a part of them.

        Its token stands for the workspace's own, and is kept in no file. Its requests are in no journal, no fault
        strikes them, and no limit counts them.
        """
        self._server.observers[token] = self.token

    @in_turn
    def load(self, shown: Any) -> None:
        """Put in clusters, jobs and workspace objects as the service shows them.

        `shown` is decoded JSON: one of them, a list, or `{"clusters": [...], "jobs": [...], "objects": [...]}`; a
        notebook or file may have its `content`, in base64 as `export` answers it. Ids, settings, creators, states and
        times are kept; a cluster that runs counts as used now. Before the start it is what a new `path` begins with.
        Raises ValueError, which says what is wrong with which of them.
        """
        self._state.settle()
        seeds.load(self._state, shown, self._state.users[_ADMIN])

    @property
    def admin(self) -> Handler | None:
        """What answers requests under `/_local`, as `databricks_async.local.admin.Admin` does; None answers 404."""
        return self._server.admin

    @admin.setter
    def admin(self, handler: Handler | None) -> None:
        self._server.admin = handler

    @property
    def url(self) -> str:
        """Where the workspace listens, for example `http://127.0.0.1:43211`."""
        host, port = self._address
        if not port:
            raise RuntimeError("the local workspace has no address before it is started")
        scheme = "http" if self._tls is None else "https"
        return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"

    @property
    def timing(self) -> Durations:
        """How long things take, in seconds of workspace time; set its fields to change it."""
        return self._state.timing

    @property
    def rate_limit(self) -> RateLimit | None:
        """From where on requests are refused with 429; None takes all."""
        return self._server.rate_limit

    @rate_limit.setter
    def rate_limit(self, limit: RateLimit | None) -> None:
        self._server.rate_limit = checked_limit(limit)

    @in_turn
    def add_user(self, name: str, token: str, *, admin: bool = False) -> None:
        """Let a person in with this personal access token. One who is no admin sees what was granted, or is own."""
        user = self._state.users.setdefault(name, User(name, admin))
        user.admin = admin
        self._state.tree.add_home(name, self.clock.now())
        self._state.add_token(token, Token(user))

    @in_turn
    def add_service_principal(
        self, client_id: str, client_secret: str, *, token_seconds: float = 3600, admin: bool = True
    ) -> None:
        """Let a client fetch access tokens of this lifetime from `/oidc/v1/token`."""
        user = self._state.users.setdefault(client_id, User(client_id, admin))
        self._state.tree.add_home(client_id, self.clock.now())
        self._state.service_principals[client_id] = ServicePrincipal(user, client_secret, token_seconds)

    @property
    def logins(self) -> Logins:
        """Logins by browser at the workspace itself: who logs in, for how long, or why not."""
        return self._state.logins

    @property
    def identity_provider(self) -> IdentityProvider | None:
        """The Entra that the workspace trusts, once a `LocalIdentity` of it has started."""
        return self._state.identity_provider

    @identity_provider.setter
    def identity_provider(self, provider: IdentityProvider | None) -> None:
        self._state.identity_provider = provider

    @in_turn
    def add_entra_token(self, value: str, name: str, seconds: float, workspace_user: bool) -> None:
        """Take a token of Entra for this person, service principal or managed identity from now on.

        One that is no `workspace_user` has to show its role in Azure beside it.
        """
        user = self._state.users.setdefault(name, User(name, True))
        self._state.tree.add_home(name, self.clock.now())
        expires_at = self.clock.client_time() + seconds
        self._state.add_token(value, Token(user, expires_at, from_oauth=True, needs_role=not workspace_user))

    @in_turn
    def issue_token(self, client_id: str) -> str:
        """An access token of a service principal, without a request for it."""
        return oauth.issue(self._state, self._state.service_principals[client_id])

    @in_turn
    def revoke_tokens(self, *tokens: str) -> None:
        """Answer 401 to these tokens from now on; without arguments to all that `/oidc/v1/token` has issued."""
        for value, token in self._state.tokens.items():
            if value in tokens or (not tokens and token.from_oauth):
                token.revoked = True

    @changes_state
    def add_policy(self, name: str, definition: str | Mapping[str, Any], *, policy_id: str | None = None) -> str:
        """Make a cluster policy, and return its id: the given one, or one drawn by chance.

        `definition` maps paths of settings to rules, as JSON or decoded:
        `{"node_type_id": {"type": "allowlist", "values": [...], "defaultValue": ...}}`. Clusters with this `policy_id`
        get its fixed values, and its defaults if they have `apply_policy_default_values`; breaking a rule is refused. A
        workspace without policies accepts any `policy_id`; one with policies refuses those that it does not have.
        """
        policy_id = policy_id or f"{self._state.random.getrandbits(64):016X}"
        rules = policies.parse(definition)
        self._state.policies[policy_id] = policies.Policy(policy_id, name, rules, _ADMIN, self.clock.now())
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

    @changes_state
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

    @changes_state
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

    @changes_state
    def touch(self, cluster_id: str) -> None:
        """Count the cluster as used now: its time until autotermination starts anew."""
        cluster = self._cluster(cluster_id)
        cluster.last_activity_time = self._state.now

    @changes_state
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

    @changes_state
    def file_arrived(self, location: str) -> None:
        """Report a new file, for example `/Volumes/main/raw/a.csv`: jobs start whose `file_arrival` trigger watches it.

        That is a trigger whose `url` is this location or a directory above it. `wait_after_last_change_seconds` and
        `min_time_between_triggers_seconds` go by the workspace's clock; without them the runs start at once, where the
        service looks about once a minute. Paused triggers, and those of deleted jobs, do nothing.
        """
        self._state.settle()
        schedules.file_arrived(self._state, location)
        self._state.settle()

    @changes_state
    def table_updated(self, name: str, *, version: int | None = None) -> None:
        """Report a commit to a table, such as `main.sales.orders`: jobs start whose `table_update` trigger watches it.

        With the condition `ALL_UPDATED` only once all tables of the trigger were updated. `version` is what
        `{{job.trigger.table_update.<table>.version}}` shows, by default one more than the last; the rest is as in
        `file_arrived`.
        """
        self._state.settle()
        schedules.table_updated(self._state, name, version)
        self._state.settle()

    @changes_state
    def run_backfill(
        self, job_id: int, *moments: datetime, job_parameters: Mapping[str, str] | None = None
    ) -> list[int]:
        """Start a run for each moment, as "Run backfill" of the web UI does; returns their run ids.

        `{{backfill.iso_date}}` and its like stand for the moment, in the job's parameters and in these, which override
        them. Runs beyond `max_concurrent_runs` are queued. Raises ApiError if there is no such job.
        """
        self._state.settle()
        return schedules.backfill(self._state, job_id, list(moments), dict(job_parameters or {}))

    @changes_state
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
