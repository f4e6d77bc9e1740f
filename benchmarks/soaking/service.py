"""The service of the soak: a local workspace on a bad day, which writes down what it has really done."""

from __future__ import annotations

import contextlib
import functools
import os
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web
from soaking.ledger import Effects

from databricks_async.local import Clock, LocalWorkspace
from databricks_async.local.admin import Admin

SPEED = 20_000
"""Workspace seconds in a real one: 60 days, for which ended runs are kept, pass in four minutes."""
CLIENT_ID, CLIENT_SECRET = "soak", "soak-secret"
TOKEN_SECONDS = 60.0
FOLDER = "/Shared/soak"
PLANTS = ("doubled", "lost", "wrong")

# Together a fifth of all requests. Bodies of files are never changed: nothing would say so. No stale reads, which are
# answers like any other to a client. Tokens are revoked at distances: a call brings one new token, not two.
BAD_DAY = (
    *("*=drop@2.4%", "*=drop,after@2.4%", "*=reset@2%", "*=reset,after@2%", "*=reset,midway@2%", "*=cut@2%"),
    *("*=503@2.2%", "*=500/any@1.8%", "*=502/html@1.2%", "*=500/any,after@2.4%"),
    *("* /api/*/clusters/*=truncate@0.4%", "* /api/*/clusters/*=garble@0.4%", "* /api/*/jobs/*=garble@0.4%"),
    *("*=slow-headers=0.1@0.2%", "*=slow-body=0.1@0.2%", "*=delay=0.05@0.5%", "*=clock=5,every=3001"),
    *("*=429,retry-after=0.05@0.05%", "*=hang@0.04%", "*=hang,after@0.04%", "* /api/*/jobs/*=length=-7@0.05%"),
    *("* /api/*=revoke,every=5003,skip=1000", "*=refuse=0.05,every=7001,skip=2000", "CONNECT=stall@0.2%"),
)

_Marker = Callable[[dict[str, Any]], object]


def _tag(settings: str) -> _Marker:
    """The mark that an edit leaves in the tags of what it changes."""
    return lambda given: given[settings]["tags"]["edit"]


def _by(*names: str) -> _Marker:
    return lambda given: " ".join(str(given[name]) for name in names)


_MODULES = {
    "clusters.endpoints": {
        "clusters/create": (_by("cluster_name"), "cluster_id"),
        "clusters/edit": (lambda given: given["custom_tags"]["edit"], None),
        "clusters/update": (lambda given: given["cluster"]["custom_tags"]["edit"], None),
        "clusters/resize": (_by("cluster_id", "num_workers"), None),
        **{
            f"clusters/{word}": (_by("cluster_id"), None)
            for word in ("start", "restart", "delete", "permanent-delete", "pin", "unpin")
        },
    },
    "clusters.libraries": {
        f"libraries/{word}": (lambda given: given["libraries"][0]["pypi"]["package"], None)
        for word in ("install", "uninstall")
    },
    "clusters.permissions": {
        "permissions/clusters/{cluster_id}": (lambda given: given["access_control_list"][0]["user_name"], None)
    },
    "jobs.endpoints": {
        "jobs/create": (_by("name"), "job_id"),
        "jobs/update": (_tag("new_settings"), None),
        "jobs/reset": (_tag("new_settings"), None),
        "jobs/delete": (_by("job_id"), None),
    },
    "jobs.permissions": {
        "permissions/jobs/{job_id}": (lambda given: given["access_control_list"][0]["user_name"], None)
    },
    "jobs.run_endpoints": {
        "jobs/run-now": (lambda given: given["job_parameters"]["mark"], "run_id"),
        "jobs/runs/submit": (_by("run_name"), "run_id"),
        "jobs/runs/repair": (_by("run_id"), "repair_id"),
        "jobs/runs/cancel": (_by("run_id"), None),
        "jobs/runs/delete": (_by("run_id"), None),
    },
    "objects.endpoints": {"workspace/mkdirs": (_by("path"), None), "workspace/delete": (_by("path"), None)},
    "objects.permissions": {"permissions/objects": (lambda given: given["access_control_list"][0]["user_name"], None)},
    "objects.content": {"workspace/import": (_by("path"), None)},
}
"""Of each write the mark by which the client knows it, and the field of the answer that names what it made."""

_NAMES = {"permissions/{workspace_object_type}/{workspace_object_id}": "permissions/objects"}

_PLANTED = {"doubled": "jobs/create", "lost": "workspace/import", "wrong": "clusters/get"}


def _watch_writes(effects: Effects, plant: str | None, seed: int) -> None:
    """Have the endpoints of this process write down what they have done; a few misbehave if that is planted."""
    chance = random.Random(seed)
    for module, kinds in _MODULES.items():
        routes = import_module(f"databricks_async.local.{module}").ROUTES
        for line, function in list(routes.items()):
            method, _, path = line.partition(" ")
            kind = _NAMES.get(path.removeprefix("/api/{v}/"), path.removeprefix("/api/{v}/"))
            if method != "GET" and kind in kinds:
                function = _written_down(function, kind, *kinds[kind], effects)
            if plant is not None and _PLANTED[plant] == kind:
                function = _planted(function, plant, chance)
            routes[line] = function


def _written_down(
    function: Callable[..., Any], kind: str, marker: _Marker, made: str | None, effects: Effects
) -> Callable[..., Any]:
    @functools.wraps(function)
    def endpoint(state: Any, **given: Any) -> Any:
        answer = function(state, **given)
        effects.did(kind, str(marker(given)), "" if made is None else answer[made])
        return answer

    return endpoint


def _planted(function: Callable[..., Any], plant: str, chance: random.Random) -> Callable[..., Any]:
    """Now and then it does its work twice, or not at all, or answers what is not so."""

    @functools.wraps(function)
    def endpoint(state: Any, **given: Any) -> Any:
        if chance.random() > 0.3:
            return function(state, **given)
        if plant == "lost":
            return {}
        answer = function(state, **given)
        if plant == "doubled":
            return function(state, **given)
        return {**answer, "cluster_name": "another"}

    return endpoint


class _Server:
    """Answers `/_local/soak` with figures of this process, and the rest of `/_local` as ever."""

    def __init__(self, workspace: LocalWorkspace, effects: Effects) -> None:
        self._workspace = workspace
        self._admin = Admin(workspace)
        self._effects = effects
        self._requests = 0
        self._struck = Counter[str]()
        workspace.journal.on_done = self._count
        workspace.journal.keep = 500

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path != "/_local/soak":
            return await self._admin(request)
        self._effects.flush()
        journal = self._workspace.journal
        figures = {
            "requests": self._requests,
            "struck": self._struck,
            "connections": journal.connections,
            "cpu": time.process_time(),
        }
        return web.Response(body=orjson.dumps(figures), content_type="application/json")

    def _count(self, call: Any) -> None:
        self._requests += 1
        if call.fault is not None:
            self._struck[call.fault] += 1


@contextlib.asynccontextmanager
async def serve(
    effects_path: Path, faults: Iterable[str], seed: int, plant: str | None
) -> AsyncIterator[dict[str, Any]]:
    """The workspace, as long as it is open; yields what a client has to know of it."""
    effects = Effects(effects_path)
    _watch_writes(effects, plant, seed)
    workspace = LocalWorkspace(clock=Clock.sped_up(SPEED), seed=seed)
    workspace.admin = _Server(workspace, effects)
    for name in ("pending", "terminating", "restarting", "resizing", "installing", "task"):
        setattr(workspace.timing, name, 0.2 * SPEED)
    workspace.timing.cleanup = 0.05 * SPEED
    workspace.script_task("fails", duration=0.2 * SPEED, error="as planned")
    workspace.add_service_principal(CLIENT_ID, CLIENT_SECRET, token_seconds=TOKEN_SECONDS)
    workspace.add_object(FOLDER)
    workspace.faults.plan(*faults)
    workspace.faults.seed(seed)
    async with workspace:
        yield {"url": workspace.url, "token": workspace.token, "pid": os.getpid()}
