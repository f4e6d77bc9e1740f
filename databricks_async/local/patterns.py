"""Endpoint patterns: `POST /api/*/clusters/create`, for faults, limits and questions to the journal."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from functools import lru_cache

_BETWEEN_WORDS = re.compile(r"([ /*]|\{v\})")
_ALIKE = 0.75
"""From which ratio of difflib on a word is taken for another one that was misspelt."""


@lru_cache(maxsize=8192)
def matches(pattern: str, endpoint: str) -> bool:
    """Whether an endpoint fits: `*` stands for anything, `{v}` for any version, the rest is literal."""
    parts = re.split(r"\*|\{v\}", pattern)
    return re.fullmatch(".*".join(map(re.escape, parts)), endpoint) is not None


def meant_by(pattern: str, endpoints: Iterable[str]) -> str | None:
    """What a pattern was probably meant to be that fits none of these endpoints; None if it fits one, or is like none.

    One that is like none may be the endpoint of an API that is not served here.
    """
    endpoints = [*endpoints]
    if any(matches(pattern, endpoint) for endpoint in endpoints):
        return None
    words = {word.casefold(): word for endpoint in endpoints for word in _BETWEEN_WORDS.split(endpoint)}

    def nearest(word: str) -> str:
        near = [word.casefold()] if word.casefold() in words else get_close_matches(word.casefold(), words, 1, _ALIKE)
        return words[near[0]] if near else word

    # What stands between the words is kept, wildcards too.
    parts = _BETWEEN_WORDS.split(pattern)
    meant = "".join(part if index % 2 else nearest(part) for index, part in enumerate(parts))
    path = meant[meant.find("/") :] if "/" in meant else f"/{meant}"
    for endpoint in endpoints:
        method = endpoint.partition(" ")[0]
        for candidate in (meant, f"{method} {path}", f"*/{meant}"):
            if matches(candidate, endpoint):
                return candidate
    return None
