"""The file of a workspace: where it is, its tables and their version, its modes, and who may write it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from databricks_async.local.errors import StorageError

VERSION = 1
"""Of the tables and documents. A release reads all versions up to its own."""
_APPLICATION = 0x64617379
"""Says in the file's header whose it is."""
_BUSY_SECONDS = 0.5
"""How long a read or write waits for others, which read for a moment at most."""
_FILE, _LOCK = "workspace.sqlite3", "workspace.lock"

_TABLES = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE clusters (position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, document TEXT NOT NULL);
CREATE TABLE events (
    cluster_id TEXT NOT NULL, position INTEGER NOT NULL, document TEXT NOT NULL, PRIMARY KEY (cluster_id, position)
) WITHOUT ROWID;
CREATE TABLE policies (position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, document TEXT NOT NULL);
CREATE TABLE jobs (position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, document TEXT NOT NULL);
CREATE TABLE runs (position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, document TEXT NOT NULL);
CREATE TABLE objects (position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, document TEXT NOT NULL);
CREATE TABLE contents (id TEXT PRIMARY KEY, content BLOB NOT NULL);
CREATE TABLE tokens (kind TEXT NOT NULL, token TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (kind, token));
CREATE TABLE actions (number INTEGER PRIMARY KEY, moment INTEGER NOT NULL, document TEXT NOT NULL);
"""


class Lock:
    """Held by the one process that writes a directory. The system takes it back when that process dies."""

    def __init__(self, directory: Path) -> None:
        path = directory / _LOCK
        create_private(path)
        self._connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            self._connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            self._connection.close()
            if "locked" not in str(error):
                raise StorageError(f"{path} cannot be locked: {error}") from error
            raise StorageError(
                f"{directory} is in use by another local workspace: one at a time writes it. End that one, use another "
                "directory, or load a copy with LocalWorkspace(snapshot=...)"
            ) from None

    def release(self) -> None:
        """Let others write."""
        self._connection.close()


def prepare(directory: Path) -> Path:
    """Make the directory if it is missing, and return the path of its file, which may be missing."""
    if directory.is_file():
        raise StorageError(
            f"{directory} is a file, not a directory; load a single file with LocalWorkspace(snapshot=...)"
        )
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{directory} cannot be made: {error.strerror}") from error
    return directory / _FILE


def create_private(path: Path) -> None:
    """An empty file that only its owner reads, unless there is one. SQLite gives its other files the same mode."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}") from error


def open_file(path: Path) -> sqlite3.Connection:
    """The file to write, with its tables. Raises StorageError if it is none of a workspace, or too new."""
    create_private(path)
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    with _closed_on_errors(connection, path):
        if _version(connection, path) is None:
            # All or nothing: a process that is killed here leaves an empty file.
            connection.executescript(
                f"BEGIN;{_TABLES}PRAGMA application_id = {_APPLICATION};PRAGMA user_version = {VERSION};COMMIT;"
            )
    return connection


def begin_log(connection: sqlite3.Connection) -> None:
    """Write to a log beside the file from now on: a commit is whole when the process is killed, and costs no flush."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")


def open_snapshot(path: Path) -> sqlite3.Connection:
    """The file, or that of the directory, to read only. Raises StorageError as `open_file` does."""
    file = path / _FILE if path.is_dir() else path
    if not file.is_file():
        raise StorageError(f"there is no workspace in {path}")
    connection = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    with _closed_on_errors(connection, file):
        if _version(connection, file) is None:
            raise StorageError(f"{file} holds no workspace")
    return connection


def close_file(connection: sqlite3.Connection) -> None:
    """Leave one file without others beside it, unless somebody reads it now."""
    with contextlib.suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()


def _version(connection: sqlite3.Connection, path: Path) -> int | None:
    """The version of a workspace's file, None for an empty one."""
    ((application,),) = connection.execute("PRAGMA application_id")
    ((version,),) = connection.execute("PRAGMA user_version")
    ((tables,),) = connection.execute("SELECT count(*) FROM sqlite_master")
    if not (application or version or tables):
        return None
    if application != _APPLICATION:
        raise StorageError(f"{path} is an SQLite file, but not that of a local workspace")
    if version > VERSION:
        raise StorageError(
            f"{path} was written by a newer release of databricks-async (version {version} of the tables; this one "
            f"reads up to {VERSION}): upgrade, or use another directory"
        )
    return int(version)


@contextlib.contextmanager
def _closed_on_errors(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        connection.close()
        if isinstance(error, sqlite3.Error):
            raise StorageError(f"{path} cannot be read as the file of a local workspace: {error}") from error
        raise
