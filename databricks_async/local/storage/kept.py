"""Kept: the file of a workspace, open from its start to its end; nothing where it has none."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from databricks_async.local.state import State

if TYPE_CHECKING:  # imported where there is a file: SQLite and the converters take their time
    from databricks_async.local.storage.store import Store

AnyPath: TypeAlias = str | os.PathLike[str]


class Kept:
    """Fills the state from `path` and writes it there, or fills it from `snapshot`."""

    def __init__(self, path: AnyPath | None, snapshot: AnyPath | None, seed: int) -> None:
        if path is not None and snapshot is not None:
            raise TypeError("give a path, which is written, or a snapshot, which is not; not both")
        self._path = None if path is None else Path(path)
        self._snapshot = None if snapshot is None else Path(snapshot)
        self._seed = seed
        self._is_closed = path is not None or snapshot is not None
        self._store: Store | None = None

    def open(self, state: State) -> None:
        """Raises StorageError when the file cannot be used."""
        if self._path is not None:
            from databricks_async.local.storage.store import Store

            self._store = state.keeper = Store(self._path, state, self._seed)
        elif self._snapshot is not None and self._is_closed:
            from databricks_async.local.storage.store import load_snapshot

            load_snapshot(self._snapshot, state, self._seed)
        self._is_closed = False
        for user in state.users:
            state.tree.add_home(user, state.clock.now())
        state.keep()

    def close(self, state: State) -> None:
        """What the workspace holds stays there, and is read anew at the next start."""
        store, self._store, state.keeper = self._store, None, None
        self._is_closed = self._is_closed or self._path is not None
        if store is not None:
            store.close()

    def replace(self, before: State, state: State) -> None:
        """Keep this state from now on in place of the one before."""
        before.keeper, state.keeper = None, self._store
        if self._store is not None:
            self._store.replace(state)

    def check_open(self) -> None:
        """Raise RuntimeError where a change would be lost."""
        if self._is_closed:
            raise RuntimeError("a workspace with a path or a snapshot has its contents between its start and its end")

    def save(self, path: AnyPath, state: State) -> None:
        """Write all of it into a new file."""
        from databricks_async.local.storage.store import save_snapshot

        state.settle()
        save_snapshot(Path(path), state)
