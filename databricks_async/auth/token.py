"""What a credential gives: a token and when it ends."""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Protocol, TypeAlias

import attrs

from databricks_async.secret import HiddenStr, hide

_MILLISECONDS = 1e11
"""Seconds since the epoch reach this in the year 5138."""
_A_DURATION = 1e8
"""Seconds since the epoch were below this until 1973: so few are a duration."""


def header_value(value: object) -> HiddenStr:
    """A token as it came, if it can be sent in a header. The ValueError does not show it."""
    if isinstance(value, str) and value and value.isascii() and value.isprintable() and " " not in value:
        return HiddenStr(value)
    raise ValueError(f"a token is ASCII text without spaces, and this one {_fault(value)}")


def _fault(value: object) -> str:
    if value is None:
        return "is missing"
    if not isinstance(value, str):
        return f"is of the type {'bytes' if isinstance(value, bytes) else type(value).__name__}"
    if not value.strip():
        return "is empty"
    if value[:7].lower() == "bearer ":
        return "begins with 'Bearer ': give what stands after it"
    if value.rstrip("\r\n") != value:
        return "ends with a line end: strip it"
    return "has spaces or control characters in it" if value.isascii() else "has characters that are not ASCII"


def _epoch_seconds(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, datetime):
        raise ValueError("expires_at is seconds since the epoch, not a datetime: give value.timestamp()")  # noqa: TRY004
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(
            f"expires_at is seconds since the epoch, a number, not a {type(value).__name__}: {value!r:.40}"
        )
    if value > _MILLISECONDS:
        raise ValueError(
            f"expires_at is seconds since the epoch, and {value!r} looks like milliseconds: divide by 1000"
        )
    if 0 < value < _A_DURATION:
        raise ValueError(f"expires_at is seconds since the epoch, and {value!r} looks like a duration: use expires_in=")
    return float(value)


def _duration(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"expires_in is a number of seconds from now, not a {type(value).__name__}: {value!r:.40}")
    return float(value)


@attrs.frozen(init=False, repr=False)
class Token:
    """A bearer token. Its value stays out of every repr.

    `expires_at` is the end in seconds since the epoch; None is a token that does not end by itself. `expires_in`
    says it in seconds from now, counted on the wall clock and on the monotonic one: the earlier end
    counts. `extra_headers` go with the token to the workspace, and to no other host.

    Raises `ValueError` for a value that is no token, and for times that are datetimes, milliseconds or durations.
    """

    value: str
    expires_at: float | None = None
    headers: dict[str, str] = attrs.field(eq=False, factory=dict)
    """What a request carries: `Authorization`, and the extra headers."""
    ends_at_monotonic: float | None = attrs.field(eq=False, default=None)
    """The end on the monotonic clock, for a token whose life is known in seconds."""

    def __init__(
        self,
        value: str,
        expires_at: float | None = None,
        *,
        expires_in: float | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> None:
        value = hide(value)
        value = header_value(value)
        end, life = _epoch_seconds(expires_at), _duration(expires_in)
        if life is not None:
            end = min(time.time() + life, math.inf if end is None else end)
        extra = {name: HiddenStr(text) for name, text in (extra_headers or {}).items()}
        self.__attrs_init__(  # pyright: ignore[reportAttributeAccessIssue]
            value=value,
            expires_at=end,
            headers={**extra, "Authorization": HiddenStr(f"Bearer {value}")},
            ends_at_monotonic=None if life is None else time.monotonic() + life,
        )

    def __repr__(self) -> str:
        return f"Token(expires_at={getattr(self, 'expires_at', None)})"  # a traceback shows it half made


Credential: TypeAlias = Callable[[], Awaitable[Token]]
"""Fetches a token. Called by one task at a time, and again when the token is about to end or was refused.

An `AuthError` that it raises reaches the callers as it is, any other error inside one.
"""


class AzureCredential(Protocol):
    """An asynchronous credential of the Azure SDK, as `azure.identity.aio` has them. Its owner closes it."""

    def get_token(self, *scopes: str, **options: Any) -> Awaitable[Any]: ...
