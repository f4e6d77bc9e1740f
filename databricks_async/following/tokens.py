"""Resume tokens: where a stream stands, as text that can be stored, and read again with care."""

from __future__ import annotations

import base64
import json
from typing import Any


def encode(kind: str, position: dict[str, Any]) -> str:
    """A token of this kind."""
    content = json.dumps(position, separators=(",", ":"), sort_keys=True).encode()
    return f"{kind}.{base64.urlsafe_b64encode(content).decode().rstrip('=')}"


def decode(kind: str, token: str) -> dict[str, Any]:
    """What a token of this kind was made of. Raises `ValueError` for any other text."""
    named, _, content = token.partition(".")
    position = None
    if named == kind:
        try:
            position = json.loads(base64.b64decode(content + "=" * (-len(content) % 4), b"-_", validate=True))
        except (ValueError, RecursionError):
            position = None
    if isinstance(position, dict):
        return position
    raise ValueError(
        f"since={token[:40]!r} is neither a moment nor a token of such a stream: give epoch milliseconds, "
        "a datetime, or the token of an earlier one"
    )
