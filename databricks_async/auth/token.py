"""What a credential gives: a token and when it ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

import attrs


@attrs.frozen
class Token:
    """A bearer token. Its value stays out of every repr."""

    value: str = attrs.field(repr=False)
    expires_at: float | None = None
    """Seconds since the epoch; None for a token that does not end by itself."""
    headers: dict[str, str] = attrs.field(init=False, repr=False, eq=False)

    @headers.default
    def _bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.value}"}


Credential: TypeAlias = Callable[[], Awaitable[Token]]
"""Fetches a token. Called by one task at a time, and again when the token is about to end or was refused."""
