"""Which objects of a tree are meant: patterns of names, and of paths below the folder that is transferred."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

import attrs


@attrs.frozen
class Patterns:
    """Patterns such as `.git`, `*.pyc` and `data/*`."""

    include: list[str]
    exclude: list[str]

    def leave_out(self, inside: str, *, is_folder: bool) -> bool:
        """Whether this path below the tree's folder is not meant; `include` is about what is no folder."""
        if _fits(inside, self.exclude):
            return True
        return bool(self.include) and not is_folder and not _fits(inside, self.include)

    def is_below_left_out(self, inside: str) -> bool:
        """Whether a folder above this path is left out."""
        parts = inside.split("/")
        folders = ("/".join(parts[:count]) for count in range(1, len(parts)))
        return any(self.leave_out(one, is_folder=True) for one in folders)


def patterns(*, include: Iterable[str] = (), exclude: Iterable[str] = ()) -> Patterns:
    """Checked patterns; a slash at the end of one says nothing."""
    for name, given in (("include", include), ("exclude", exclude)):
        if isinstance(given, str):
            raise TypeError(f"{name} takes a list of patterns, not one text")
    return Patterns(*([pattern.rstrip("/") for pattern in given] for given in (include, exclude)))


def _fits(inside: str, wanted: list[str]) -> bool:
    name = inside.rpartition("/")[2]
    return any(fnmatchcase(name, pattern) or fnmatchcase(inside, pattern) for pattern in wanted)
