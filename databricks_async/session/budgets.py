"""For how long, and how often, a call is sent again: one budget for each class of failure."""

from __future__ import annotations

import math

import attrs

from databricks_async.config import Config

_UNREACHABLE_SECONDS = 30.0
"""A host that cannot be reached at all is given up sooner than a service that answers badly."""
_FIRST_CONTACT_SECONDS = 4.0
"""A host that refuses and has never answered is given up sooner still: it is probably another one than was meant."""


@attrs.frozen(eq=False, repr=False)
class Budget:
    """What a call may spend on failures of one class."""

    seconds: float
    """From the first such failure."""
    attempts: float = math.inf
    """How many tries may fail so; the error of the last one is raised."""


@attrs.frozen(eq=False, repr=False)
class Budgets:
    """The budgets of one call."""

    connect: Budget
    """For tries that never left this machine; counted anew when the host was reached meanwhile."""
    server: Budget
    """For tries that were lost on the way, or answered with 408, 500, 502, 503 or 504."""
    throttled: Budget
    """For tries that were refused for a limit of the service."""
    first_contact_seconds: float
    """In place of all these for a host that refuses the connection and has never answered."""

    @classmethod
    def within(cls, seconds: float) -> Budgets:
        """The budgets of a call that may go on trying for so long."""
        server = Budget(seconds)
        return cls(Budget(min(_UNREACHABLE_SECONDS, seconds)), server, server, min(_FIRST_CONTACT_SECONDS, seconds))

    @classmethod
    def of(cls, config: Config) -> Budgets:
        """The budgets that the settings give; what they leave open follows from `retry_timeout_seconds`."""
        usual = cls.within(config.retry_timeout_seconds)

        def budget(seconds: float | None, attempts: int | None, default: Budget) -> Budget:
            return Budget(default.seconds if seconds is None else seconds, attempts or math.inf)

        connect = budget(config.connect_retry_seconds, config.connect_retry_attempts, usual.connect)
        return cls(
            connect,
            budget(config.server_retry_seconds, config.server_retry_attempts, usual.server),
            budget(config.throttled_retry_seconds, config.throttled_retry_attempts, usual.throttled),
            usual.first_contact_seconds if config.connect_retry_seconds is None else connect.seconds,
        )

    @property
    def longest(self) -> float:
        """Seconds after which no budget is left."""
        return max(self.connect.seconds, self.server.seconds, self.throttled.seconds)


class Spent:
    """What one call has spent of its budgets, at its gate apart."""

    def __init__(self, budgets: Budgets) -> None:
        self._budgets = budgets
        self._failing_since = self._unreachable_since = self._lost_since = math.inf
        self._unreachable = self._lost = 0

    def ends_at(self, now: float, *, never_left: bool, is_wrong_host: bool) -> float:
        """Count a try that failed now. Returns until when another one may begin."""
        self._failing_since = min(self._failing_since, now)
        if never_left:
            self._unreachable += 1
            self._unreachable_since = min(self._unreachable_since, now)
            budget, attempts, since = self._budgets.connect, self._unreachable, self._unreachable_since
        else:
            self._unreachable, self._unreachable_since = 0, math.inf
            self._lost += 1
            self._lost_since = min(self._lost_since, now)
            budget, attempts, since = self._budgets.server, self._lost, self._lost_since
        if attempts >= budget.attempts:
            return -math.inf
        seconds = self._budgets.first_contact_seconds if is_wrong_host else budget.seconds
        # Failures that alternate between the classes end as well.
        return min(since + seconds, self._failing_since + self._budgets.longest)
