"""Runs commands in this process against a local workspace, in a pipe or on a terminal."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NamedTuple

import pytest

from databricks_async import WorkspaceClient
from databricks_async.cli import main
from databricks_async.local import Clock, LocalWorkspace


class Result(NamedTuple):
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


Run = Callable[..., Awaitable[Result]]


class _File(io.TextIOWrapper):
    """A stream of text in memory, which may be a terminal."""

    def __init__(self, is_terminal: bool, encoding: str) -> None:
        super().__init__(io.BytesIO(), encoding=encoding, write_through=True)
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal

    def text(self) -> str:
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue().decode()


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command: with `terminal=80` on a terminal of so many columns, else with pipes."""

    async def command(
        *argv: str,
        terminal: int | None = None,
        term: str = "xterm-256color",
        encoding: str = "utf-8",
        typed: str | None = None,
    ) -> Result:
        out, err = _File(terminal is not None, encoding), _File(terminal is not None, encoding)
        given = io.StringIO(typed or "")
        given.isatty = lambda: typed is not None and terminal is not None  # type: ignore[method-assign]
        with monkeypatch.context() as patch:
            if terminal is not None:
                patch.setenv("COLUMNS", str(terminal))
                patch.setenv("LINES", "30")
                patch.setenv("TERM", term)
            for name, file in (("stdout", out), ("stderr", err), ("stdin", given)):
                patch.setattr(sys, name, file)
            code = await asyncio.to_thread(main, argv)
        return Result(code, out.text(), err.text())

    return command


@pytest.fixture
async def local_workspace() -> AsyncIterator[LocalWorkspace]:
    """One in which five minutes take 3 ms, so that the first poll of most waits is the last."""
    async with LocalWorkspace(clock=Clock.sped_up(1e5)) as workspace:
        yield workspace


@pytest.fixture
def cli(
    command: Run,
    local_workspace: LocalWorkspace,
    workspace_client: WorkspaceClient,  # it clears the environment
    monkeypatch: pytest.MonkeyPatch,
) -> Run:
    """The same, with a local workspace in the environment."""
    monkeypatch.setenv("DATABRICKS_HOST", local_workspace.url)
    monkeypatch.setenv("DATABRICKS_TOKEN", local_workspace.token)
    monkeypatch.delenv("DATABRICKS_CONFIG_FILE")
    return command
