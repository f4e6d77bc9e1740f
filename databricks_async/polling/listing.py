"""Whether a listing takes fewer requests than polling one by one: decided by counts, not by how fast a machine is."""

from __future__ import annotations

_MIN_TO_TRY = 4
"""A listing of unknown length is tried from so many things on."""
_MIN_ROUNDS, _MAX_ROUNDS = 4, 64
"""After so many rounds without it, a listing that did not pay is tried again; twice as many each time."""


class Listing:
    """What is known of a listing: its pages, and how much it does not show."""

    def __init__(self) -> None:
        self.is_there = True
        self.gets = 0
        """Polls one by one since the last try."""
        self._pages: int | None = None
        self._missing = 0.0
        """The share of things that the listing did not show, and that were polled by themselves."""
        self._rounds = 0

    def pays(self, count: int) -> bool:
        """Whether so many things are polled with fewer requests by the listing, as far as is known."""
        if not self.is_there or count < 2:
            return False
        if self._pages is None:
            return count >= _MIN_TO_TRY and self.gets >= self._rounds * count
        if self._pages + self._missing * count < count:
            return True
        if self.gets >= self._rounds * count:
            self._pages = None  # it may have become shorter
            return self.pays(count)
        return False

    def read(self, count: int, pages: int) -> None:
        """So many things were looked for in so many pages."""
        self._pages, self._missing = pages, 0.0
        self._rounds = _MIN_ROUNDS

    def missed(self, count: int, missing: int) -> None:
        """Of so many things some were not there."""
        self._missing = missing / count
        if self._pages is not None and self._pages + missing >= count:
            self._rest()

    def exceeded(self, count: int, *, is_narrowed: bool) -> None:
        """As many things could not be found in fewer pages; `is_narrowed` if all was known of them that helps."""
        self._pages, self._missing = count, 0.0
        if is_narrowed:
            self._rest()
        else:
            self.gets, self._rounds = 0, 1

    def failed(self, count: int) -> None:
        """It could not be read."""
        self._pages, self._missing = count, 1.0
        self._rest()

    def _rest(self) -> None:
        self.gets = 0
        self._rounds = min(max(2 * self._rounds, _MIN_ROUNDS), _MAX_ROUNDS)
