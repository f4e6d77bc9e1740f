"""RateLimit: how much a local workspace takes before it answers 429."""

from __future__ import annotations

import attrs

from databricks_async.local.errors import ApiError
from databricks_async.local.patterns import matches


@attrs.define
class RateLimit:
    """A token bucket and a limit on concurrency over the endpoints that fit `endpoint`.

    Time is the client's, not the sped-up one of clusters. Discovery and token requests are never limited.
    """

    per_second: float | None = 30.0
    """Requests a second in the long run; None limits concurrency only."""
    burst: int = 30
    """Requests at once after a pause."""
    retry_after: float | str | None = 1
    """The `Retry-After` header of a refusal: seconds or any text; None leaves it out, as the service often does."""
    concurrent: int | None = None
    """Requests in flight at once. Refusals of this kind never carry `Retry-After`."""
    endpoint: str = "*"
    """Which endpoints count; `*` and `{v}` are wildcards."""
    refused: int = 0
    """How many requests were refused so far."""
    _tokens: float = attrs.field(init=False, default=attrs.Factory(lambda self: float(self.burst), takes_self=True))
    _refilled_at: float | None = attrs.field(init=False, default=None)
    _in_flight: int = attrs.field(init=False, default=0)

    def covers(self, endpoint: str) -> bool:
        """Whether requests to this endpoint count."""
        return matches(self.endpoint, endpoint)

    def enter(self, at: float) -> None:
        """Let a request in at this client time, or refuse it. Each one let in must `leave`."""
        if self.concurrent is not None and self._in_flight >= self.concurrent:
            self.refused += 1
            raise _refusal(f"Workspace exceeded the concurrent limit of {self.concurrent} requests.", None)
        if self.per_second is not None:
            last = at if self._refilled_at is None else self._refilled_at
            self._tokens = min(float(self.burst), self._tokens + max(0.0, at - last) * self.per_second)
            self._refilled_at = at
            if self._tokens < 1:
                self.refused += 1
                raise _refusal("RPC token bucket limit has been exceeded.", self.retry_after)
            self._tokens -= 1
        self._in_flight += 1

    def leave(self) -> None:
        """A request that was let in has been answered."""
        self._in_flight -= 1


def checked_limit(limit: RateLimit | None) -> RateLimit | None:
    """The limit. Raises TypeError for what is none."""
    if limit is None or isinstance(limit, RateLimit):
        return limit
    raise TypeError(f"rate_limit must be a RateLimit or None, not {limit!r}: write RateLimit(per_second=5)")


def _refusal(message: str, retry_after: float | str | None) -> ApiError:
    error = ApiError(429, "REQUEST_LIMIT_EXCEEDED", message)
    if retry_after is not None:
        error.headers["Retry-After"] = str(retry_after)
    return error
