"""Page tokens: opaque to clients, and refused when they are not ours."""

from __future__ import annotations

import base64
import binascii
import zlib

import orjson

from databricks_async.local.errors import ApiError, invalid
from databricks_async.local.state import Json


def encode(kind: str, position: Json) -> str:
    """A token that says where a listing of this kind goes on."""
    content = orjson.dumps([kind, position])
    return base64.urlsafe_b64encode(zlib.crc32(content).to_bytes(4, "big") + content).decode()


def decode(kind: str, token: str) -> Json:
    """Where a listing goes on, from a token of the same kind."""
    try:
        raw = base64.urlsafe_b64decode(token.encode())
    except (binascii.Error, ValueError):
        raise _invalid(token) from None
    content = raw[4:]
    if zlib.crc32(content).to_bytes(4, "big") != raw[:4] or not content:
        raise _invalid(token)
    made_for, position = orjson.loads(content)
    if made_for != kind:
        raise _invalid(token)
    return dict(position)


def _invalid(token: str) -> ApiError:
    return invalid(f"Invalid page_token {token!r:.40}")


def around(kind: str, position: Json, total: int) -> Json:
    """The tokens of the pages after and before the one at `position`; "" where there is none."""
    following = position["offset"] + position["size"]
    previous = max(0, position["offset"] - position["size"])
    return {
        "next_page_token": encode(kind, {**position, "offset": following}) if following < total else "",
        "prev_page_token": encode(kind, {**position, "offset": previous}) if position["offset"] > 0 else "",
    }
