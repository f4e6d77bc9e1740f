"""What a misspelt name was probably meant to be."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(name: str, names: Iterable[str], otherwise: str = "") -> str:
    """`did you mean 'num_workers'?`; `otherwise` if no name is near."""
    from difflib import get_close_matches  # here, because only mistakes need it

    near = get_close_matches(name, [*names], n=1)
    return f"did you mean {near[0]!r}?" if near else otherwise
