"""The admin endpoint of a local workspace, `/_local`: what Python tests say to it, for tests in any language.

`HELP` documents it with curl, and is what `GET /_local` answers.
"""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web

from databricks_async.local.admin.calls import CALLS, Declared, described, read_body
from databricks_async.local.errors import ApiError

if TYPE_CHECKING:
    from databricks_async.local.workspace import LocalWorkspace

HELP = """\
The admin endpoint of a local Databricks workspace. The token is that of the workspace; it answers this machine only.

  local() { curl -sS -H "Authorization: Bearer $DATABRICKS_TOKEN" "$DATABRICKS_HOST/_local/$@"; }

Time, in workspace seconds
  local clock                                                   what time it is
  local clock -d '{"advance": 3600}'                            an hour later

Faults, in the words of `serve --fault`
  local faults -d '{"plan": "GET */clusters/get=503:2"}'        add one
  local faults -d '{"plan": ["*=429,retry-after=1@10%"], "seed": 7}'
  local faults                                                  what is planned
  local faults -X DELETE                                        none any more
  local rate_limit -d '{"per_second": 30, "burst": 30, "retry_after": 1, "concurrent": null}'
  local rate_limit -X DELETE

Journal: every request, in order
  local 'journal?endpoint=POST%20*/runs/submit&last=10'         calls that fit, the latest 10 of them
  local journal -X DELETE                                       forget them

Tasks, clusters, files: each is the method of LocalWorkspace of this name
  local script_task -d '{"name": "load", "result_state": "FAILED", "error": "no such file", "times": 1}'
  local fail_next_start -d '{"code": "CLOUD_PROVIDER_RESOURCE_STOCKOUT"}'
  local timing -d '{"pending": 5, "task": 2}'                   how long things take
  local add_object -d '{"path": "/Shared/etl", "language": "PYTHON", "content": "cHJpbnQoMSk="}'
  local load -d @seed.json                                      clusters, jobs, objects as the service shows them
  local reset -d '{}'                                           all as at the start
  local stop -d '{}'                                            the end, of `serve`

Others: """


class Admin:
    """Answers the requests under `/_local` of one workspace: `workspace.admin = Admin(workspace)`.

    `prepare` is called after each reset, to put back what the workspace began with; `stop` when it shall end.
    """

    def __init__(
        self,
        workspace: LocalWorkspace,
        *,
        prepare: Callable[[], None] | None = None,
        stop: Callable[[], None] | None = None,
    ) -> None:
        self._workspace = workspace
        self._prepare = prepare
        self._stop = stop

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request. Refuses one from another machine with 403, and one without the token with 401."""
        try:
            self._check(request)
            body = await request.read()
            answer = self._answer(request, request.path.strip("/").partition("/")[2], body)
        except ApiError as error:
            return _json(error.body(), error.status)
        return web.Response(text=answer) if isinstance(answer, str) else _json(answer)

    def _check(self, request: web.BaseRequest) -> None:
        peer = ipaddress.ip_address((request.remote or "0.0.0.0").partition("%")[0])  # noqa: S104 (an unknown one)
        peer = getattr(peer, "ipv4_mapped", None) or peer
        if not peer.is_loopback:
            raise ApiError(403, "PERMISSION_DENIED", "The admin endpoint answers its own machine only.")
        given = request.headers.get("Authorization", "")
        if not secrets.compare_digest(given.encode(), f"Bearer {self._workspace.token}".encode()):
            raise ApiError(401, "UNAUTHENTICATED", "The admin endpoint takes the workspace's token as a bearer token.")

    def _answer(self, request: web.BaseRequest, name: str, body: bytes) -> Any:
        if not name:
            return HELP + ", ".join(sorted({name for _, name in CALLS})) + "\n"
        if (request.method, name) == ("POST", "stop") and self._stop is not None:
            self._stop()
            return {}
        declared = CALLS.get((request.method, name))
        if declared is None:
            methods = sorted(method for method, known in CALLS if known == name)
            if methods:
                raise ApiError(405, "METHOD_NOT_ALLOWED", f"/_local/{name} takes {', '.join(methods)}")
            raise ApiError(404, "NOT_FOUND", f"There is no /_local/{name}: see GET /_local")
        return self._perform(declared, read_body(request, body))

    def _perform(self, declared: Declared, given: Any) -> Any:
        try:
            answer = declared.call(self._workspace, given)
        except (ValueError, TypeError) as error:
            raise ApiError(400, "INVALID_PARAMETER_VALUE", str(error)) from None
        if declared.is_reset and self._prepare is not None:
            self._prepare()
        return {} if answer is None else answer


def _json(answer: Any, status: int = 200) -> web.Response:
    body = orjson.dumps(answer, default=described) + b"\n"
    return web.Response(status=status, body=body, content_type="application/json")
