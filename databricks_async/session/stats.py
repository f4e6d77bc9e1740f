"""Counts of what the session did, for a person or a dashboard to read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

import attrs

from databricks_async import display
from databricks_async.session.families import DOCUMENTED, family_of

LOGIN = "login"
"""The family of requests for tokens, and of all else that is no path of the API."""


class Counts:
    """The counters of one family."""

    __slots__ = ("family", "refused", "retried", "sent")

    def __init__(self, family: str) -> None:
        self.family = family
        self.sent = self.refused = self.retried = 0


@attrs.frozen(kw_only=True)
class FamilyStats:
    """What became of the calls to the endpoints that share a limit: three counters, and how many there are now."""

    sent: int = 0
    """Requests sent."""
    refused: int = 0
    """Requests that the service refused for its rate limits."""
    retried: int = 0
    """Requests sent again after a failure."""
    in_flight: int = 0
    """Calls that are under way now."""
    waiting: int = 0
    """Calls that wait for their turn now."""


class _ByFamily:
    """The counters by family. No fields of `Stats`: those are the totals."""

    __slots__ = ("_counts", "_gates", "_limits", "of")

    of: Callable[[str], Counts]
    """The counters of an endpoint's family."""

    def count_families(
        self, limits: Mapping[str, float], gates: Callable[[], Mapping[str, tuple[int, int]]] = dict
    ) -> None:
        """Count by the families of these limits; `gates` says how many calls of each are in flight, and wait."""
        self._limits = {**DOCUMENTED, **limits}
        self._counts: dict[str, Counts] = {}
        self._gates = gates
        self.of = lru_cache(maxsize=1024)(self._counts_of)

    def _counts_of(self, endpoint: str) -> Counts:
        is_api = endpoint.partition(" ")[2].startswith("/api/")
        family = family_of(endpoint, self._limits) if is_api else LOGIN
        return self._counts.setdefault(family, Counts(family))


@attrs.define
class Stats(_ByFamily):
    """Counters of one client since it was made; they only grow. `print` shows them with those of the families.

    As text for Prometheus, in a handler of `/metrics`:

    ```python
    def exposition(stats: Stats) -> str:
        lines = ["# TYPE databricks_calls_total counter", f"databricks_calls_total {stats.calls}"]
        lines += ["# TYPE databricks_tokens_total counter", f"databricks_tokens_total {stats.tokens}"]
        for field in ("sent", "refused", "retried", "in_flight", "waiting"):
            kind = "gauge" if field in ("in_flight", "waiting") else "counter"
            name = f"databricks_{field}_total" if kind == "counter" else f"databricks_{field}"
            lines.append(f"# TYPE {name} {kind}")
            for family, counts in stats.families.items():
                lines.append(f'{name}{{family="{family}"}} {getattr(counts, field)}')
        return "\\n".join(lines) + "\\n"
    ```
    """

    calls: int = 0
    """Calls made by the program."""
    sent: int = 0
    """Requests sent for them, tokens' own included."""
    refused: int = 0
    """Requests that the service refused for its rate limits; each was sent again when the gate opened."""
    retries: int = 0
    """Requests sent again after a failure."""
    tokens: int = 0
    """Tokens fetched; the first one counts."""

    def __attrs_post_init__(self) -> None:
        self.count_families({})

    @property
    def families(self) -> dict[str, FamilyStats]:
        """The counts of each endpoint family that was called, as they are now: of an API such as `clusters`, of a path
        with a limit of its own such as `jobs/create`, and of `login`, the requests for tokens."""
        gates = self._gates()
        return {
            name: FamilyStats(
                sent=counts.sent,
                refused=counts.refused,
                retried=counts.retried,
                in_flight=in_flight,
                waiting=waiting,
            )
            for name in sorted({*self._counts, *gates})
            for counts, (in_flight, waiting) in ((self._counts.get(name, Counts(name)), gates.get(name, (0, 0))),)
        }

    def __getstate__(self) -> tuple[int, ...]:
        """A copy has the totals: whatever else there is belongs to the client."""
        return attrs.astuple(self)

    def __setstate__(self, totals: tuple[int, ...]) -> None:
        self.calls, self.sent, self.refused, self.retries, self.tokens = totals
        self.count_families({})

    def __str__(self) -> str:
        names = [field.name for field in attrs.fields(FamilyStats)]
        rows = [("family", *names)]
        rows += [(family, *map(str, attrs.astuple(counts))) for family, counts in self.families.items()]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [", ".join(f"{name} {value}" for name, value in attrs.asdict(self).items())]
        for first, *rest in rows if len(rows) > 1 else ():
            cells = [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)]
            lines.append("  ".join((first.ljust(widths[0]), *cells)))
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        families = [
            (name, ", ".join(f"{field} {value}" for field, value in attrs.asdict(counts).items()))
            for name, counts in self.families.items()
        ]
        return display.table("Stats", [*attrs.asdict(self).items(), *families])
