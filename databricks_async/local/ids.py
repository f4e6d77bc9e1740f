"""Ids: the numbers of jobs, runs, repairs and workspace objects."""

from __future__ import annotations

import random
from collections.abc import Set

_SMALL = (10**13, 2**53)
_LARGE = (2**53, 2**63)


class Ids:
    """Draws numbers, none of them twice.

    They have 14 to 16 digits and are below 2**53, as the service's are, so that clients which read numbers as doubles
    (JavaScript, jq before 1.7) hold them exactly. `large` draws 64-bit numbers above that instead, which such clients
    confuse with their neighbours.
    """

    def __init__(self, seed: int = 0, *, large: bool = False) -> None:
        # A generator of its own: how many ids were drawn changes nothing else that is drawn by chance.
        self._random = random.Random(seed)  # noqa: S311 (repeatable, not secret)
        self._bounds = _LARGE if large else _SMALL
        self._drawn: set[int] = set()

    def new(self) -> int:
        """A number that this method has not returned before."""
        while True:
            number = self._random.randrange(*self._bounds)
            if number not in self._drawn:
                self._drawn.add(number)
                return number

    def begin_anew(self, seed: str, taken: Set[int]) -> None:
        """Draw from another seed from now on, and none of these."""
        self._random.seed(seed)
        self._drawn |= taken

    def reserve(self, number: int) -> None:
        """Never return this number, which came from elsewhere."""
        self._drawn.add(number)
