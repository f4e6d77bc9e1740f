"""How deep an answer may be nested: what reads, copies or pickles it calls itself for each level."""

from __future__ import annotations

import threading
from typing import Any, Final

import orjson

MAX_DEPTH: Final = 200
_MAX_DEPTH_OF_ORJSON: Final = 254
"""What it writes at most; it reads 1024 levels."""
_SUSPICIOUS_DEPTH: Final = 100
"""Models without what they do not know are far less deep than the rest to `MAX_DEPTH`."""


def is_too_deep(body: bytes | str, value: Any) -> bool:
    """Whether the value of a JSON text has more than `MAX_DEPTH` levels, found as fast as it can be written."""
    return len(body) > MAX_DEPTH and _is_deeper(value, MAX_DEPTH)


def _is_deeper(value: Any, levels: int) -> bool:
    for _ in range(_MAX_DEPTH_OF_ORJSON - levels):
        value = [value]
    try:
        orjson.dumps(value)
    except orjson.JSONEncodeError:
        return True
    return False


class _Suspicion(threading.local):
    met = False


_suspicion = _Suspicion()


def suspect(value: Any) -> None:
    """Look at a value that a model does not know, and may be of any depth, while the model is read.

    Whatever is known has a depth of its own, so that this costs a small part of looking at whole answers.
    """
    _suspicion.met = _suspicion.met or _is_deeper(value, _SUSPICIOUS_DEPTH)


def was_suspicious() -> bool:
    """Whether `suspect` has met such a value in this thread since this was last asked."""
    met, _suspicion.met = _suspicion.met, False
    return met
