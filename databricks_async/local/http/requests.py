"""Requests: from a request's bytes to an answer's bytes, without the network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import attrs
import orjson

from databricks_async.local.errors import ApiError, StorageError
from databricks_async.local.http.identity import authenticate
from databricks_async.local.http.multipart import Form
from databricks_async.local.http.routes import Route
from databricks_async.local.journal import Call, without_secrets
from databricks_async.local.params import Reading
from databricks_async.local.state import State
from databricks_async.message import Response

_JSON = {"content-type": "application/json"}


@attrs.define
class Arrived:
    """A request as it was read, and the row of the route table that it belongs to."""

    call: Call
    route: Route | None
    path_params: dict[str, str]
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: bytes
    form: Form | None = None
    """A multipart body, in place of `body`."""


def answer(state: State, request: Arrived) -> Response:
    """Serve one request. Never raises for what a client did."""
    with state.lock:
        try:
            state.unchecked = []
            state.settle()
            served = _serve(state, request)
            response = served if isinstance(served, Response) else Response(200, _JSON, orjson.dumps(served))
        except ApiError as error:
            response = refusal(error, request.call)
        try:
            state.keep()  # what is answered is written
        except StorageError as error:
            return refusal(ApiError(500, "INTERNAL_ERROR", str(error)), request.call)
        return response


def refusal(error: ApiError, call: Call) -> Response:
    """The answer that reports an error."""
    content = error.body()
    headers = {**_JSON, **error.headers}
    if isinstance(error.error_code, int):
        # Errors of the service's gateway have a number for a code, and the request id in the text.
        headers["x-databricks-reason-phrase"] = error.message
        content["message"] = f"{error.message} [ReqId: {call.request_id}]"
    return Response(error.status, headers, orjson.dumps(content))


def decode_pairs(encoded: str) -> dict[str, Any]:
    """A decoded query or form: text, and a list of texts where a name is repeated."""
    pairs: dict[str, Any] = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True):
        if name not in pairs:
            pairs[name] = value
        elif isinstance(pairs[name], list):
            pairs[name].append(value)
        else:
            pairs[name] = [pairs[name], value]
    return pairs


def _serve(state: State, request: Arrived) -> dict[str, Any] | Response:
    call, route = request.call, request.route
    method, _, path = call.endpoint.partition(" ")
    authorization = request.headers.get("Authorization")
    from_server: dict[str, Any] = {"authorization": authorization, "host": f"http://{request.headers.get('Host')}"}
    from_server["upload"] = request.form.content if request.form else None
    is_api = path.startswith("/api/")
    if is_api:
        caller = from_server["caller"] = authenticate(state, request.headers)
        call.user = caller.name
    params, is_form = _decode_body(request, is_api)
    if route is None:
        raise ApiError(404, "ENDPOINT_NOT_FOUND", f"No API found for '{method} {_without_version(path)}'")
    declared, state.unchecked = route.declared, call.unchecked
    found = declared.read(params, Reading(is_form, call.unknown, call.unchecked))
    from_server["query"] = call.query
    if call.query and "query" not in declared.from_the_server:
        found |= declared.read(_nest(call.query), Reading(True, call.unknown, call.unchecked))
    found |= request.path_params
    declared.check_required(found)
    return route.function(state, **found, **{name: from_server[name] for name in declared.from_the_server})


def _decode_body(request: Arrived, is_api: bool) -> tuple[dict[str, Any], bool]:
    """The parameters in the body, and whether they are a form's; what the journal may keep goes into the call.

    Outside the API, where tokens are fetched, it keeps no secret and nothing that could not be decoded.
    """
    call = request.call
    if request.form is not None:
        call.body = request.form.summary()
        return request.form.fields, True
    if not request.body:
        return {}, False
    if _is_form(request, is_api):
        form = decode_pairs(request.body.decode("utf-8", "replace"))
        call.body = without_secrets(form)
        return form, True
    call.body = request.body if is_api else b"***"
    try:
        decoded = orjson.loads(request.body)
    except orjson.JSONDecodeError as error:
        raise ApiError(400, "MALFORMED_REQUEST", f"Could not parse request object: {error}") from None
    if not isinstance(decoded, dict):
        raise ApiError(400, "MALFORMED_REQUEST", "Invalid JSON given in the body of the request - expected a map")
    call.body = decoded if is_api else without_secrets(decoded)
    return decoded, False


def _is_form(request: Arrived, is_api: bool) -> bool:
    """Whether the body is a form. `curl -d` says so of every body: a JSON object is read as JSON all the same.

    The service's own examples send JSON with `curl -d` and no content type (reference of the Jobs API 2.0). Tokens
    are only fetched with forms.
    """
    if not request.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
        return False
    return not (is_api and request.body.lstrip().startswith((b"{", b"[")))


def _nest(pairs: dict[str, Any]) -> dict[str, Any]:
    """`{"filter_by.is_pinned": "true"}` as `{"filter_by": {"is_pinned": "true"}}`."""
    nested: dict[str, Any] = {}
    for name, value in pairs.items():
        *parents, last = name.split(".")
        inner = nested
        for parent in parents:
            below = inner.get(parent)
            if not isinstance(below, dict):
                below = inner[parent] = {}
            inner = below
        inner[last] = value
    return nested


def _without_version(path: str) -> str:
    # The service names `/clusters/nothing` for `/api/2.1/clusters/nothing`.
    parts = path.split("/", 3)
    return f"/{parts[3]}" if len(parts) == 4 and parts[1] == "api" else path
