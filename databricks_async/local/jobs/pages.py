"""Pages of jobs and runs: lists of them, and the long arrays within one of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from databricks_async.local import paging
from databricks_async.local.errors import invalid
from databricks_async.local.state import Json

MAX_ENTRIES = 100
"""The entries of an array that version 2.2 shows on one page, and 2.1 at all."""


def page_of_arrays(kind: str, arrays: Json, about: int, version: str, page_token: str) -> tuple[Json, Json]:
    """The entries of each array that are on this page, and the token of the next one."""
    if version != "2.2":
        # Arrays that are too long are left out, and nothing says so.
        return {name: entries for name, entries in arrays.items() if len(entries) <= MAX_ENTRIES}, {}
    offset = 0
    if page_token:
        position = paging.decode(kind, page_token)
        if position["id"] != about:
            raise invalid(f"page_token {page_token!r:.40} belongs to another {kind}")
        offset = position["offset"]
    end = offset + MAX_ENTRIES
    more = any(len(entries) > end for entries in arrays.values())
    shown = {name: entries[offset:end] for name, entries in arrays.items()}
    return shown, {"next_page_token": paging.encode(kind, {"id": about, "offset": end})} if more else {}


def first_entries(arrays: Json, version: str) -> tuple[Json, Json]:
    """The same for an entry of a list, which says only whether there is more."""
    if version != "2.2":
        return {name: entries for name, entries in arrays.items() if len(entries) <= MAX_ENTRIES}, {}
    more = any(len(entries) > MAX_ENTRIES for entries in arrays.values())
    shown = {name: entries[:MAX_ENTRIES] for name, entries in arrays.items()}
    return shown, {"has_more": True} if more else {}


class Numbered(Protocol):
    """What a list is made of. Newer ones have higher numbers."""

    sequence: int


Item = TypeVar("Item", bound=Numbered)


def page_of_list(
    kind: str, everything: Sequence[Item], fits: Callable[[Json, Item], bool], position: Json, page_token: str
) -> tuple[list[Item], Json]:
    """One page, newest first, and the tokens of those around it.

    `position` holds the filters and `size`; a token goes on with those that it was made for. A token names an entry
    and not a distance, so that what is added in the meantime moves nothing from one page to another.
    """
    if page_token:
        position = {**paging.decode(kind, page_token), "size": position["size"]}
    size = position["size"]
    below, above = position.pop("below", None), position.pop("above", None)
    offset = position.pop("offset", 0)
    if above is not None:
        newer = [item for item in reversed(everything) if item.sequence > above and fits(position, item)]
        size = min(size, len(newer))
        below = newer[-size].sequence + 1 if newer else 0
    # Not all are looked at: lists are long.
    page: list[Item] = []
    has_newer = has_older = False
    for item in reversed(everything):
        if below is not None and item.sequence >= below:
            has_newer = has_newer or fits(position, item)
        elif not fits(position, item):
            continue
        elif offset:
            has_newer, offset = True, offset - 1
        elif len(page) < size:
            page.append(item)
        else:
            has_older = True
            break
    tokens: Json = {"next_page_token": "", "prev_page_token": ""}
    if page and has_older:
        tokens["next_page_token"] = paging.encode(kind, {**position, "below": page[-1].sequence})
    if page and has_newer:
        tokens["prev_page_token"] = paging.encode(kind, {**position, "above": page[0].sequence})
    return page, tokens
