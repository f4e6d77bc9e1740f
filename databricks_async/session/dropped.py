"""A client that is dropped without having been closed: one warning, which says where it was made, and nothing open."""

from __future__ import annotations

import asyncio
import sys
import warnings
import weakref
from functools import partial
from typing import Any, TypeAlias

import aiohttp

from databricks_async.session.connections import Connector

Place: TypeAlias = tuple[str, int]
"""A file, and a line of it."""


def watch_for_drop(
    owner: object, opened: list[aiohttp.ClientSession], made_at: Place | None
) -> weakref.finalize[..., object]:
    """See to what `owner` has opened in the running loop, if it is dropped or the program ends. `detach` calls it off.

    Their connections are closed, also when the loop is closed or the last reference goes in another thread. Without
    `made_at` nothing is said of it.
    """
    connections = _Connections(opened)
    before_the_loop_ends: Any = sys.get_asyncgen_hooks().firstiter
    if before_the_loop_ends is not None:
        before_the_loop_ends(connections)
    return weakref.finalize(owner, _dropped, connections, asyncio.get_running_loop(), made_at)


class _Connections:
    """Those of a client. A loop closes them where it closes asynchronous generators: before it ends itself.

    It keeps no reference to either. A closed loop can close no connection any more, and uvloop warns of each that is
    open then.
    """

    def __init__(self, opened: list[aiohttp.ClientSession]) -> None:
        self._opened = opened

    async def aclose(self) -> None:
        """Close those without a request. The generators that end meanwhile may have requests to make."""
        for http in self._opened:
            if isinstance(http.connector, Connector):
                await http.connector.empty()

    def end(self, loop: asyncio.AbstractEventLoop) -> None:
        """Close all, without their loop if it is closed."""
        for http in self._opened:
            connector = http.connector
            http.detach()  # aiohttp says nothing more of it
            if isinstance(connector, Connector):
                end = partial(connector.end, loop)
                if loop.is_running() and not _is_running_here(loop):
                    loop.call_soon_threadsafe(end)
                else:
                    end()


def _dropped(connections: _Connections, loop: asyncio.AbstractEventLoop, made_at: Place | None) -> None:
    connections.end(loop)
    if made_at is not None:
        file, line = made_at
        said = (
            f"a WorkspaceClient was not closed: write `async with`, or `await w.aclose()`; it was made at {file}:{line}"
        )
        warnings.warn_explicit(said, ResourceWarning, file, line)


def _is_running_here(loop: asyncio.AbstractEventLoop) -> bool:
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False
