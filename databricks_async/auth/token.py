"""What a credential gives: a token and when it ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

import attrs


def header_value(value: object) -> str:
    """A token as it came, if it can be sent in a header. The ValueError does not show it."""
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or not value or " " in value:
        raise ValueError("a token is ASCII text without spaces")
    return value


def _bearer(token: Token) -> dict[str, str]:
    return {"Authorization": f"Bearer {token.value}"}


@attrs.frozen
class Token:
    """A bearer token. Its value stays out of every repr."""

    value: str = attrs.field(repr=False, converter=header_value)
    expires_at: float | None = None
    """Seconds since the epoch; None for a token that does not end by itself."""
    headers: dict[str, str] = attrs.field(
        init=False, repr=False, eq=False, default=attrs.Factory(_bearer, takes_self=True)
    )


Credential: TypeAlias = Callable[[], Awaitable[Token]]
"""Fetches a token. Called by one task at a time, and again when the token is about to end or was refused."""
