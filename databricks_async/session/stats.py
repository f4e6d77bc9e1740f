"""Counts of what the session did, for a person or a dashboard to read."""

from __future__ import annotations

import attrs


@attrs.define
class Stats:
    """Counters of one client since it was made; they only grow."""

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
