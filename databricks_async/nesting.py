"""How deep an answer may be nested: what reads, copies or pickles it calls itself for each level."""

from __future__ import annotations

from typing import Any, Final

import orjson

MAX_DEPTH: Final = 200
_MAX_DEPTH_OF_ORJSON: Final = 254
"""What it writes at most; it reads 1024 levels."""


def is_too_deep(body: bytes | str, value: Any) -> bool:
    """Whether the value of a JSON text has more than `MAX_DEPTH` levels, found as fast as it can be written."""
    if isinstance(body, str):
        body = body.encode(errors="replace")
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return False
    for _ in range(_MAX_DEPTH_OF_ORJSON - MAX_DEPTH):
        value = [value]
    try:
        orjson.dumps(value)
    except orjson.JSONEncodeError:
        return True
    return False
