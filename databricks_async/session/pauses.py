"""Growing pauses between two tries. The only module that uses backoff."""

from __future__ import annotations

import random
from collections.abc import Iterator

_FIRST_PAUSE_SECONDS = 0.25
_MAX_PAUSE_SECONDS = 20.0


def growing_pauses() -> Iterator[float]:
    """Seconds, each spread over its upper half so that many callers do not come back together."""
    import backoff  # on first failure: importing it costs as much as all of this package

    waits = backoff.expo(base=2, factor=_FIRST_PAUSE_SECONDS, max_value=_MAX_PAUSE_SECONDS)
    next(waits)
    for wait in waits:
        yield wait * random.uniform(0.5, 1.0)  # noqa: S311
