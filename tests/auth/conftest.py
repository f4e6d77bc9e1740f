"""The identity peers that a local workspace trusts, and clients that log in with them."""

from __future__ import annotations

import asyncio
import shlex
import socket
from contextlib import AsyncExitStack

import pytest

from databricks_async import WorkspaceClient
from databricks_async.cli.auth_demo import Peers, environment
from databricks_async.local import LocalIdentity


@pytest.fixture
def requests_are_known():
    """The peers are asked for much that no service knows."""
    return False


@pytest.fixture
async def identity(workspace):
    """The peers of the workspace; the same of them."""
    async with LocalIdentity(workspace) as identity:
        yield identity
        async with asyncio.timeout(5):
            await identity.journal.until(lambda journal: journal.connections == 0)


@pytest.fixture
def peers(workspace, identity, tmp_path):
    return Peers(workspace, identity, tmp_path)


@pytest.fixture
async def connect(peers):
    """Makes clients that find these variables and no other ones, and the arguments."""
    async with AsyncExitStack() as exits:

        def connect(variables=None, **settings):
            exits.enter_context(environment(peers, variables or {}))
            client = WorkspaceClient(**settings)
            exits.push_async_callback(client.aclose)
            return client

        yield connect


@pytest.fixture
def write_tool(tmp_path):
    """Makes an executable of that name on the PATH: it notes its arguments, then runs these lines of a shell."""

    def write_tool(name, *lines):
        path = tmp_path / name
        log = shlex.quote(f"{path}.log")
        path.write_text("\n".join(["#!/bin/sh", f"printf '%s\\n' \"$*\" >> {log}", *lines, ""]))
        path.chmod(0o755)
        return path

    return write_tool


@pytest.fixture
def runs(tmp_path):
    """The arguments with which a tool was run so far."""

    def runs(name):
        log = tmp_path / f"{name}.log"
        return log.read_text().splitlines() if log.exists() else []

    return runs


@pytest.fixture
def free_port():
    """A port at which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
