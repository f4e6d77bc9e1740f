"""Endpoint patterns: `POST /api/*/clusters/create`, for faults, limits and questions to the journal."""

from __future__ import annotations

import re
from functools import lru_cache


@lru_cache(maxsize=8192)
def matches(pattern: str, endpoint: str) -> bool:
    """Whether an endpoint fits: `*` stands for anything, `{v}` for any version, the rest is literal."""
    parts = re.split(r"\*|\{v\}", pattern)
    return re.fullmatch(".*".join(map(re.escape, parts)), endpoint) is not None
