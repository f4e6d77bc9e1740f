"""Bodies of failed answers: the service's own errors, those of what stands before it, and what is no error at all."""

from __future__ import annotations

import http
from collections.abc import Callable

import orjson

from databricks_async.message import Response

_JSON, _HTML, _TEXT = "application/json", "text/html; charset=utf-8", "text/plain; charset=utf-8"

_CODES = {
    400: "INVALID_PARAMETER_VALUE",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    409: "RESOURCE_CONFLICT",
    429: "REQUEST_LIMIT_EXCEEDED",
    500: "INTERNAL_ERROR",
    503: "TEMPORARILY_UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_LONG_BYTES = 1024 * 1024


def _reason(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def _json(status: int) -> bytes:
    code = _CODES.get(status, "INTERNAL_ERROR" if status >= 500 else "BAD_REQUEST")
    return orjson.dumps({"error_code": code, "message": f"{_reason(status)} (planned)"})


def _details(status: int) -> bytes:
    # The types of google.rpc, as the service's newer errors carry them (databricks-sdk-go apierr/details.go).
    details = [
        {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "PLANNED", "domain": "databricks.example"},
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retry_delay": "1s"},
        {"@type": "type.googleapis.com/google.rpc.RequestInfo", "request_id": "planned"},
    ]
    return orjson.dumps({**orjson.loads(_json(status)), "details": details})


def _number(status: int) -> bytes:
    # The gateway's errors: a number for a code, the request id in the text.
    return orjson.dumps({"error_code": status, "message": f"{_reason(status)} [ReqId: planned]"})


def _scim(status: int) -> bytes:
    schemas = ["urn:ietf:params:scim:api:messages:2.0:Error"]
    return orjson.dumps({"schemas": schemas, "detail": _reason(status), "status": str(status)})


def _oauth(status: int) -> bytes:
    code = "temporarily_unavailable" if status >= 500 or status == 429 else "invalid_request"
    return orjson.dumps({"error": code, "error_description": _reason(status)})


def _html(status: int) -> bytes:
    title = f"{status} {_reason(status)}"
    return f"<html><head><title>{title}</title></head><body><h1>{title}</h1><hr>nginx</body></html>".encode()


# Each with its content type, and the body for a status.
BODIES: dict[str, tuple[str, Callable[[int], bytes]]] = {
    "json": (_JSON, _json),
    "details": (_JSON, _details),
    "number": (_JSON, _number),
    "scim": (_JSON, _scim),
    "oauth": (_JSON, _oauth),
    "html": (_HTML, _html),
    "text": (_TEXT, lambda status: f"upstream connect error or disconnect: {_reason(status)}".encode()),
    "empty": (_TEXT, lambda _: b""),
    "null": (_JSON, lambda _: b"null"),
    "array": (_JSON, lambda status: b"[" + _json(status) + b"]"),
    "half": (_JSON, lambda status: _json(status)[:-20]),
    "latin": (_TEXT, lambda _: "Dienst vorübergehend nicht verfügbar".encode("latin-1")),
    "long": (_HTML, lambda status: _html(status).ljust(_LONG_BYTES, b".")),
}

ANY = "any"
"""Stands for one of them, drawn at each strike."""


def answer(status: int, body: str, retry_after: float | str | None = None) -> Response:
    """The answer of this status with the body of this name."""
    content_type, make = BODIES[body]
    headers = {"Content-Type": content_type}
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    return Response(status, headers, make(status))


_CHANGED = bytes(value ^ 0xA5 for value in range(256))


def garbled(body: bytes) -> bytes:
    """The first half of it as it was, and the rest in other bytes: no JSON, and no UTF-8."""
    half = len(body) // 2
    return body[:half] + (body[half:].translate(_CHANGED) or b"\xff")


def truncated(body: bytes) -> bytes:
    """The first half of it."""
    return body[: len(body) // 2]
