"""Page tokens: opaque to clients, and refused when they are not ours."""

from __future__ import annotations

import base64
import binascii

import orjson

from .errors import invalid
from .state import Json


def encode(kind: str, position: Json) -> str:
    """A token that says where a listing of this kind goes on."""
    return base64.urlsafe_b64encode(orjson.dumps([kind, position])).decode()


def decode(kind: str, token: str) -> Json:
    """Where a listing goes on, from a token of the same kind."""
    try:
        made_for, position = orjson.loads(base64.urlsafe_b64decode(token.encode()))
    except (binascii.Error, ValueError, TypeError):
        made_for, position = None, None
    if made_for != kind or not isinstance(position, dict):
        raise invalid(f"Invalid page_token {token!r:.40}")
    return position


def around(kind: str, position: Json, total: int) -> Json:
    """The tokens of the pages after and before the one at `position`; "" where there is none."""
    following = position["offset"] + position["size"]
    previous = max(0, position["offset"] - position["size"])
    return {
        "next_page_token": encode(kind, {**position, "offset": following}) if following < total else "",
        "prev_page_token": encode(kind, {**position, "offset": previous}) if position["offset"] > 0 else "",
    }
