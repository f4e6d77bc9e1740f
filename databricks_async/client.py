"""WorkspaceClient: opens one session and offers the services."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self, Unpack, cast, get_args
from urllib.parse import quote

from databricks_async.config import Arguments, Config, hidden
from databricks_async.documentation import KeywordSignature
from databricks_async.message import Replay, flatten_query
from databricks_async.session.session import Session
from databricks_async.suggest import did_you_mean, refuse

if TYPE_CHECKING:
    import aiohttp

    from databricks_async.auth.token import AzureCredential, Credential
    from databricks_async.clusters.api import Clusters
    from databricks_async.current_user import CurrentUser
    from databricks_async.events.handlers import Handler
    from databricks_async.gates import Gate
    from databricks_async.jobs.api import Jobs
    from databricks_async.libraries.api import Libraries
    from databricks_async.session.stats import Stats
    from databricks_async.workspace.api import Workspace

API_VERSIONS = {
    "clusters": "2.1",
    "jobs": "2.2",
    "libraries": "2.0",
    "workspace": "2.0",
    "current_user": "2.0",
}
"""The versions that the service has today."""

_NOT_HERE = {
    "api_client": "write `await w.request(method, path)` in place of `w.api_client.do(method, path)`",
    "close": "write `await w.aclose()`, or make the client with `async with`",
    "get_workspace_id": "write `w.config.workspace_id`, which the settings say",
}
_PATHS = {
    "cluster_policies": "policies/clusters/...",
    "dbfs": "dbfs/...",
    "groups": "preview/scim/v2/Groups",
    "instance_pools": "instance-pools/...",
    "pipelines": "pipelines",
    "repos": "repos",
    "secrets": "secrets/...",
    "service_principals": "preview/scim/v2/ServicePrincipals",
    "users": "preview/scim/v2/Users",
    "warehouses": "sql/warehouses",
}
"""Where APIs without methods here are, below `/api/2.0/`."""


class WorkspaceClient:
    """One Azure Databricks workspace, for one event loop.

    ```python
    # Set DATABRICKS_HOST and DATABRICKS_TOKEN, or write a profile into ~/.databrickscfg.
    async with WorkspaceClient() as w:
        async for cluster in w.clusters.list():
            print(cluster.cluster_name, cluster.state)
    ```

    Making one sends nothing; a client without `async with` is closed with `await w.aclose()`. It belongs to the event
    loop of its `async with`, or of its first call; in any other it raises `LifecycleError`.

    Settings (`host`, `token`, `client_id`, `client_secret`, `profile`, ...) are those of `Config.resolve`; what is not
    given comes from the environment or a profile. `config` brings them all made. `credential` gives the tokens in
    place of the configuration's. `session` lends an aiohttp session, which is used and never closed; without it the
    client has its own, with `max_connections` connections at most and these `trace_configs`. `api_versions` picks the
    versions of the REST API, for example `{"clusters": "2.0"}`.

    How many calls a second the service takes is learned from its refusals, for each API and for a few endpoints that
    have a limit of their own. `rate_limits` says for some how many there may be at most, from the first call on:
    `{"clusters": 10, "jobs/create": 5}`. `gate` lets many clients share their limits (`databricks_async.gates`).

    `on_event` is told what the client does (`databricks_async.events`). The logger `databricks_async.http` has one line
    for each request at DEBUG: method, path, status, duration, attempt, request id. Parameters, headers
    (`debug_headers`) and bodies (`debug_truncate_bytes`) show what is known to be harmless, and `***` for all else.
    `product` and `product_version` name the program in the `User-Agent`.
    """

    if not TYPE_CHECKING:
        __signature__ = KeywordSignature(Arguments)

    def __init__(
        self,
        *,
        config: Config | None = None,
        credential: Credential | AzureCredential | None = None,
        session: aiohttp.ClientSession | None = None,
        trace_configs: Sequence[aiohttp.TraceConfig] = (),
        api_versions: Mapping[str, str] | None = None,
        rate_limits: Mapping[str, float] | None = None,
        gate: Gate | None = None,
        on_event: Handler | Iterable[Handler] | None = None,
        **settings: Unpack[Arguments],
    ) -> None:
        settings = hidden(settings)
        if config is None:
            config = Config.resolve(needs_credential=credential is None, **settings)
        elif settings:
            raise TypeError("give a config or single settings, not both")
        if session is not None and trace_configs:
            raise TypeError("a lent session brings its own trace_configs")
        self.config = config
        self._versions = _checked_versions(api_versions or {})
        if gate is not None and not (
            callable(getattr(gate, "enter", None)) and callable(getattr(gate, "refused", None))
        ):
            raise TypeError(f"gate must have the methods of databricks_async.gates.Gate; {type(gate).__name__} has not")
        made_in = sys._getframe(1)
        self._session = Session(
            config,
            credential=credential,
            http=session,
            trace_configs=trace_configs,
            rate_limits=rate_limits,
            gate=gate,
            made_at=(made_in.f_code.co_filename, made_in.f_lineno),
            on_event=on_event,
        )

    @cached_property
    def clusters(self) -> Clusters:
        """The Clusters API."""
        from databricks_async.clusters.api import Clusters

        return Clusters(self._session, self._versions["clusters"])

    @cached_property
    def libraries(self) -> Libraries:
        """The Libraries API: what is installed on clusters."""
        from databricks_async.libraries.api import Libraries

        return Libraries(self._session, self._versions["libraries"])

    @cached_property
    def jobs(self) -> Jobs:
        """The Jobs API: jobs, and their runs."""
        from databricks_async.jobs.api import Jobs

        return Jobs(self._session, self._versions["jobs"])

    @cached_property
    def workspace(self) -> Workspace:
        """The Workspace API: notebooks, files and folders."""
        from databricks_async.workspace.api import Workspace

        return Workspace(self._session, self._versions["workspace"])

    @cached_property
    def current_user(self) -> CurrentUser:
        """Who the token stands for."""
        from databricks_async.current_user import CurrentUser

        return CurrentUser(self._session, self._versions["current_user"])

    @property
    def stats(self) -> Stats:
        """Counts of calls, requests, refusals, retries and tokens since the client was made."""
        return self._session.stats

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: object = None,
        replay: Replay | None = None,
    ) -> Any:
        """Call any endpoint of the REST API, also one that this library has no method for.

        Goes through the same session: token, limits, retries and errors. `path` begins with `/api/`; `query` may hold
        nested mappings, lists and booleans; `body` is sent as JSON; both may hold models. Returns the decoded JSON
        answer, None when it is empty.

        `replay` says what sending it twice does: "safe" and "idempotent" are sent again when an answer is lost, and so
        is "token", which says that the body carries an idempotency token; "unsafe" raises `OutcomeUnknown` instead. By
        default GET is safe, PUT and DELETE are idempotent, POST and PATCH are unsafe.
        """
        from databricks_async.codec import to_dict
        from databricks_async.service import answer_as, json_request

        method = method.upper()
        if method not in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
            raise ValueError(f"{method!r} is not a method of the REST API")
        if not path.startswith("/") or path.startswith("//"):
            raise ValueError(f"a path begins with one '/' and names no host: {path!r}")
        if "?" in path or "#" in path:
            raise ValueError("put the query into query=; a '?' or '#' that belongs to a name is written %3F or %23")
        if replay not in (None, *get_args(Replay)):
            raise ValueError(f"replay must be one of {', '.join(get_args(Replay))}, not {replay!r}")
        quoted = quote(path, safe="/%:@!$&'()*+,;=~-._")
        pairs = flatten_query(to_dict(query or {}))
        request = json_request(f"{method} {quoted}", quoted, query=pairs, body=body, replay=replay)
        response = await self._session.send(request)
        return answer_as(cast("type[Any]", Any), request, response) if response.body else None

    async def aclose(self) -> None:
        """Close all connections and end what runs in the background. May be called twice."""
        await self._session.close()

    async def __aenter__(self) -> Self:
        await self._session.enter()
        return self

    if not TYPE_CHECKING:  # to type checkers there are none
        __enter__ = __exit__ = refuse("this client is asynchronous: write `async with WorkspaceClient() as w`")

        def __getattr__(self, name: str) -> NoReturn:
            if name.startswith("_"):
                raise AttributeError(f"WorkspaceClient has no attribute {name!r}", name=name, obj=self)
            if (problem := _NOT_HERE.get(name)) is None:
                known = f'"GET", "/api/2.0/{_PATHS[name]}"' if name in _PATHS else "method, path"
                meant = "" if name in _PATHS else did_you_mean(name, API_VERSIONS)
                problem = f"{meant or 'it is not here'} (any endpoint can be called: `await w.request({known})`)"
            raise AttributeError(f"w.{name}: {problem}", name=name, obj=self)

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a client is not pickled or copied: it holds secrets and connections; make one where it is needed"
        )

    def __repr__(self) -> str:
        config = getattr(self, "config", None)  # a traceback shows it half made
        host = config and (config.known_host() or config.azure_workspace_resource_id)
        return f"<WorkspaceClient for {host}>"


def _checked_versions(given: Mapping[str, str]) -> dict[str, str]:
    for service, version in given.items():
        if service not in API_VERSIONS:
            raise ValueError(f"api_versions has no {service!r}: it knows {sorted(API_VERSIONS)}")
        if not isinstance(version, str) or not re.fullmatch(r"[0-9]\.[0-9]", version):
            raise ValueError(f"api_versions: {service} must be a version such as '2.1', not {version!r}")
    return {**API_VERSIONS, **given}
