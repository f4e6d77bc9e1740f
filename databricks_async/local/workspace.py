"""LocalWorkspace: an in-memory Databricks workspace that speaks HTTP, to test against."""

from __future__ import annotations

import ipaddress
import random
import secrets
import ssl
from collections.abc import Iterable, Mapping
from functools import partial
from types import TracebackType
from typing import Any, Self

from databricks_async.local import seeds
from databricks_async.local.clock import Clock
from databricks_async.local.clusters.catalog import Catalog
from databricks_async.local.contents import ADMIN, Contents, changes_contents, in_turn
from databricks_async.local.fault_queue import Faults
from databricks_async.local.http import oauth
from databricks_async.local.http.loop_thread import LoopThread
from databricks_async.local.http.server import Handler, Server
from databricks_async.local.ids import Ids
from databricks_async.local.jobs.processes.pool import Processes
from databricks_async.local.journal import Journal
from databricks_async.local.limits import RateLimit
from databricks_async.local.logins import IdentityProvider, Logins
from databricks_async.local.state import Durations, ServicePrincipal, State, Token, User
from databricks_async.local.storage.kept import AnyPath, Kept

DEFAULT_TOKEN = "dapi00000000000000000000000000000000"  # noqa: S105 (opens nothing but this workspace)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _new_state(clock: Clock, seed: int, large_ids: bool, catalog: Catalog) -> State:
    randomness = random.Random(seed)  # noqa: S311 (repeatable, not secret)
    return State(clock, randomness, Ids(seed, large=large_ids), catalog)


class LocalWorkspace(Contents):
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

    `path` is a directory, made if it is missing, whose SQLite file keeps clusters, policies, jobs, runs and objects:
    written as they change, whole also when the process is killed. One workspace at a time has it open; another gets a
    StorageError. The workspace's clock stands still while it is closed, so that what was under way goes on where it
    was. `snapshot` is such a directory, or a file of `save`: loaded at the start, and never written. Tokens, persons,
    service principals, scripts of tasks, `timing`, `journal` and `faults` are this object's own, and in no file.

    `run_tasks` has Python notebooks, `spark_python_task` and `python_wheel_task` run for real, each in a process of
    this interpreter with the rights of this program: that runs the code of all who can reach the workspace and have a
    token. So it listens on this machine only, `token` is a random one if none is given, and browser logins are
    refused until `logins.error` is None. See `databricks_async.local` for what such tasks have.
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
        self.clock = clock or Clock.sped_up(1000)
        if run_tasks and not _is_loopback(host):
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

        Clusters and runs stay as they are.

        To be called in the event loop of `start`; what `with` began ends with it.
        """
        await self._server.close()
        self._state.part(Processes).close()
        with self._state.lock:
            self._kept.close(self._state)

    @changes_contents
    def save(self, path: AnyPath) -> None:
        """Write all clusters, jobs, runs and objects into a new file, for `LocalWorkspace(snapshot=path)`.

        Raises FileExistsError when there is one, and StorageError when it cannot be written.
        """
        self._kept.save(path, self._state)

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
        self.add_user(ADMIN, self.token, admin=True)
        self._state.part(Processes).on = self._run_tasks
        if self._run_tasks:
            self.logins.error = ("access_denied", "Where tasks run for real, browsers do not log in unasked")

    @in_turn
    def load(self, shown: Any) -> None:
        """Put in clusters, jobs and workspace objects as the service shows them.

        `shown` is decoded JSON: one of them, a list, or `{"clusters": [...], "jobs": [...], "objects": [...]}`; a
        notebook or file may have its `content`, in base64 as `export` answers it. Ids, settings, creators, states and
        times are kept; a cluster that runs counts as used now. Before the start it is what a new `path` begins with.
        Raises ValueError, which says what is wrong with which of them.
        """
        self._state.settle()
        seeds.load(self._state, shown, self._state.users[ADMIN])

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
        self._server.rate_limit = limit

    @in_turn
    def add_user(self, name: str, token: str, *, admin: bool = False) -> None:
        """Let a person in with this personal access token. One who is no admin sees what was granted, or is own."""
        user = self._state.users.setdefault(name, User(name, admin))
        user.admin = admin
        self._state.tree.add_home(name, self.clock.now())
        self._state.tokens[token] = Token(user)

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
        self._state.tokens[value] = Token(user, expires_at, from_oauth=True, needs_role=not workspace_user)

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
