"""What the admin endpoint can be asked for: a function for each, and the parameters that it declares."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl

import attrs
import orjson
from aiohttp import web

from databricks_async.local import params
from databricks_async.local.errors import ApiError, invalid
from databricks_async.local.journal import Call
from databricks_async.local.limits import RateLimit

if TYPE_CHECKING:
    from databricks_async.local.workspace import LocalWorkspace
else:
    LocalWorkspace = Any

Language = Literal["PYTHON", "SQL", "SCALA", "R"]


def read_clock(workspace: LocalWorkspace) -> Any:
    return {"now": workspace.clock.now()}


def move_clock(workspace: LocalWorkspace, *, advance: float) -> Any:
    workspace.clock.advance(advance)
    return read_clock(workspace)


def read_faults(workspace: LocalWorkspace) -> Any:
    return {"planned": workspace.faults.described(), "strikes_left": len(workspace.faults)}


def add_faults(workspace: LocalWorkspace, *, plan: Any, seed: int | None = None) -> Any:
    lines = [plan] if isinstance(plan, str) else plan
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise invalid("plan is a text such as 'GET */clusters/get=503:2', or a list of them")
    workspace.faults.plan(*lines)
    if seed is not None:
        workspace.faults.seed(seed)
    return read_faults(workspace)


def clear_faults(workspace: LocalWorkspace) -> None:
    workspace.faults.clear()


def read_rate_limit(workspace: LocalWorkspace) -> Any:
    limit = workspace.rate_limit
    return {} if limit is None else {name: getattr(limit, name) for name in (*_LIMITS, "refused")}


_LIMITS = ("per_second", "burst", "retry_after", "concurrent", "endpoint")


def set_rate_limit(
    workspace: LocalWorkspace,
    *,
    per_second: float | None = None,
    burst: int = 30,
    retry_after: Any = None,
    concurrent: int | None = None,
    endpoint: str = "*",
) -> Any:
    if per_second is None and concurrent is None:
        raise invalid("a rate limit needs per_second, concurrent, or both")
    if (per_second is not None and per_second <= 0) or burst < 1:
        raise invalid("per_second is greater than 0, and burst 1 or more")
    if retry_after is not None and not isinstance(retry_after, int | float | str):
        raise invalid("retry_after is a number of seconds, or a text")
    workspace.rate_limit = RateLimit(per_second, burst, retry_after, concurrent, endpoint)
    return read_rate_limit(workspace)


def clear_rate_limit(workspace: LocalWorkspace) -> None:
    workspace.rate_limit = None


def read_journal(workspace: LocalWorkspace, *, endpoint: str = "*", last: int | None = None) -> Any:
    journal = workspace.journal
    calls = journal.calls(endpoint)
    return {
        "count": len(calls),
        "in_flight": journal.in_flight,
        "in_flight_max": journal.in_flight_max,
        "connections": journal.connections,
        "unknown_routes": journal.unknown_routes,
        "calls": calls if last is None else calls[max(0, len(calls) - last) :],
    }


def clear_journal(workspace: LocalWorkspace) -> None:
    workspace.journal.clear()


def read_timing(workspace: LocalWorkspace) -> Any:
    return attrs.asdict(workspace.timing)


def set_timing(workspace: LocalWorkspace, **seconds: float) -> Any:
    for name, value in seconds.items():
        if name not in attrs.fields_dict(type(workspace.timing)):
            raise invalid(f"timing has no {name!r}: it has {', '.join(attrs.fields_dict(type(workspace.timing)))}")
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise invalid(f"{name} is a number of seconds, not {value!r}")
    for name, value in seconds.items():
        setattr(workspace.timing, name, float(value))
    return read_timing(workspace)


def reset(workspace: LocalWorkspace) -> None:
    workspace.reset()


def add_user(workspace: LocalWorkspace, *, name: str, token: str, admin: bool = False) -> None:
    workspace.add_user(name, token, admin=admin)


def add_service_principal(
    workspace: LocalWorkspace,
    *,
    client_id: str,
    client_secret: str,
    token_seconds: float = 3600,
    admin: bool = True,
) -> None:
    workspace.add_service_principal(client_id, client_secret, token_seconds=token_seconds, admin=admin)


def revoke_tokens(workspace: LocalWorkspace, *, tokens: list[str] | None = None) -> None:
    workspace.revoke_tokens(*(tokens or ()))


def add_policy(workspace: LocalWorkspace, *, name: str, definition: Any, policy_id: str | None = None) -> Any:
    if not isinstance(definition, str | dict):
        raise invalid("definition is an object, or its JSON as a text")
    return {"policy_id": workspace.add_policy(name, definition, policy_id=policy_id)}


def fail_next_start(
    workspace: LocalWorkspace,
    *,
    code: str = "CLOUD_PROVIDER_LAUNCH_FAILURE",
    type: str = "CLOUD_FAILURE",  # noqa: A002 (the field's own name)
    parameters: dict[str, str] | None = None,
    cluster_name: str | None = None,
) -> None:
    workspace.fail_next_start(code, type, parameters, cluster_name=cluster_name)


def fail_next_library(
    workspace: LocalWorkspace, *, message: str = "Library installation failed", library: str | None = None
) -> None:
    workspace.fail_next_library(message, library=library)


def add_object(
    workspace: LocalWorkspace, *, path: str, content: str | None = None, language: Language | None = None
) -> None:
    try:
        decoded = None if content is None else base64.b64decode(content, validate=True)
    except binascii.Error as error:
        raise invalid(f"content is base64: {error}") from None
    workspace.add_object(path, decoded, language=language)


def add_events(
    workspace: LocalWorkspace,
    *,
    cluster_id: str,
    count: int,
    type: str = "AUTOSCALING_STATS_REPORT",  # noqa: A002 (the field's own name)
    every: float = 1.0,
) -> None:
    workspace.add_events(cluster_id, count, type=type, every=every)


def touch(workspace: LocalWorkspace, *, cluster_id: str) -> None:
    workspace.touch(cluster_id)


def overlay(workspace: LocalWorkspace, *, cluster_id: str, fields: dict[str, Any]) -> None:
    workspace.overlay(cluster_id, **fields)


def overlay_run(workspace: LocalWorkspace, *, run_id: int, fields: dict[str, Any]) -> None:
    workspace.overlay_run(run_id, **fields)


def script_task(
    workspace: LocalWorkspace,
    *,
    name: str,
    duration: float | None = None,
    result_state: str = "SUCCESS",
    output: str | None = None,
    error: str | None = None,
    error_trace: str | None = None,
    logs: str | None = None,
    times: int | None = None,
) -> None:
    workspace.script_task(
        name,
        duration=duration,
        result_state=result_state,
        output=output,
        error=error,
        error_trace=error_trace,
        logs=logs,
        times=times,
    )


def file_arrived(workspace: LocalWorkspace, *, location: str) -> None:
    workspace.file_arrived(location)


def table_updated(workspace: LocalWorkspace, *, name: str, version: int | None = None) -> None:
    workspace.table_updated(name, version=version)


def run_backfill(
    workspace: LocalWorkspace, *, job_id: int, moments: list[str], job_parameters: dict[str, str] | None = None
) -> Any:
    parsed = [datetime.fromisoformat(moment) for moment in moments]
    return {"run_ids": workspace.run_backfill(job_id, *parsed, job_parameters=job_parameters)}


@attrs.frozen
class Declared:
    """One thing to ask for."""

    function: Callable[..., Any]
    parameters: params.Declared | None
    """None takes the body as it is."""

    @property
    def is_reset(self) -> bool:
        return self.function is reset

    def call(self, workspace: LocalWorkspace, given: Any) -> Any:
        """Do it. Raises ApiError and ValueError, which say what is wrong."""
        if self.parameters is None:
            return self.function(workspace, given)
        if not isinstance(given, dict):
            raise invalid("the body is a JSON object")
        if self.function is set_timing:
            return self.function(workspace, **given)
        unknown: list[str] = []
        found = self.parameters.read(given, params.Reading(False, unknown))
        if unknown:
            raise invalid(f"unknown: {', '.join(unknown)}; it takes {', '.join(self.parameters.readers) or 'nothing'}")
        self.parameters.check_required(found)
        return self.function(workspace, **found)


def load(workspace: LocalWorkspace, shown: Any) -> None:
    workspace.load(shown)


_METHODS = (
    *(add_user, add_service_principal, revoke_tokens, add_policy, fail_next_start, fail_next_library, add_object),
    *(add_events, touch, overlay, overlay_run, script_task, file_arrived, table_updated, run_backfill, reset),
)

CALLS: dict[tuple[str, str], Declared] = {
    **{("POST", method.__name__): Declared(method, params.declared_by(method)) for method in _METHODS},
    ("POST", "load"): Declared(load, None),
    ("GET", "clock"): Declared(read_clock, params.declared_by(read_clock)),
    ("POST", "clock"): Declared(move_clock, params.declared_by(move_clock)),
    ("GET", "faults"): Declared(read_faults, params.declared_by(read_faults)),
    ("POST", "faults"): Declared(add_faults, params.declared_by(add_faults)),
    ("DELETE", "faults"): Declared(clear_faults, params.declared_by(clear_faults)),
    ("GET", "rate_limit"): Declared(read_rate_limit, params.declared_by(read_rate_limit)),
    ("POST", "rate_limit"): Declared(set_rate_limit, params.declared_by(set_rate_limit)),
    ("DELETE", "rate_limit"): Declared(clear_rate_limit, params.declared_by(clear_rate_limit)),
    ("GET", "journal"): Declared(read_journal, params.declared_by(read_journal)),
    ("DELETE", "journal"): Declared(clear_journal, params.declared_by(clear_journal)),
    ("GET", "timing"): Declared(read_timing, params.declared_by(read_timing)),
    ("POST", "timing"): Declared(set_timing, params.declared_by(set_timing)),
}


def read_body(request: web.BaseRequest, body: bytes) -> Any:
    """What is asked for: the JSON of the body, or of a GET the query."""
    if request.method == "GET":
        return dict(parse_qsl(request.query_string, keep_blank_values=True))
    if not body.strip():
        return {}
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ApiError(400, "MALFORMED_REQUEST", f"the body is no JSON: {error}") from None


def described(value: Any) -> Any:
    """A value of the journal as JSON."""
    if isinstance(value, Call):
        return {field.name: getattr(value, field.name) for field in attrs.fields(Call)}
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    raise TypeError(f"{type(value).__name__} has no JSON")
