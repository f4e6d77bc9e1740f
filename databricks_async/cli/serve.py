"""`databricks-async serve`: a local workspace for other programs, until Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import shlex
import signal
import sys
from collections.abc import Sequence

from databricks_async.config import is_loopback
from databricks_async.local import Clock, LocalWorkspace
from databricks_async.local.workspace import DEFAULT_TOKEN

_TOKEN_VARIABLE = "DATABRICKS_LOCAL_TOKEN"  # noqa: S105 (a name)

_KEPT_CALLS = 1000
"""The journal is not read here, and would grow for as long as this runs."""


def run(argv: Sequence[str]) -> int:
    """Serve until Ctrl-C or SIGTERM, then return 0; return 1 if the address cannot be had.

    Wrong arguments end the program with exit code 2.
    """
    parser = argparse.ArgumentParser(
        prog="databricks-async serve",
        description="Run an in-memory Databricks workspace that any Databricks client can talk to.",
    )
    parser.add_argument("--port", type=int, default=8765, help="0 picks a free one (default: %(default)s)")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    parser.add_argument(
        "--token",
        default=os.environ.get(_TOKEN_VARIABLE) or None,
        help=f"the personal access token to accept (default: ${_TOKEN_VARIABLE}, which no list of processes shows, "
        "else a random one)",
    )
    parser.add_argument(
        "--speed",
        type=_number,
        default=60.0,
        help="workspace seconds a second: a cluster starts in 300 of them (default: %(default)g)",
    )
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="PATTERN=WHAT[:COUNT][@PROBABILITY]",
        help="have requests fail: 'GET */clusters/get=503:2', 'POST *=drop,after@0.1', '*=429/html,retry-after=2@5%%'; "
        "all words are in help(databricks_async.local.LocalWorkspace().faults.plan)",
    )
    parser.add_argument("--fault-seed", type=int, default=0, metavar="N", help="what probabilities are drawn from")
    options = parser.parse_args(argv)
    if not is_loopback(options.host):
        if options.token == DEFAULT_TOKEN:
            parser.error("this token is known to everyone: give another one, or none for a random one")
        print(
            f"databricks-async serve: warning: on {options.host} the whole network can reach this workspace, "
            "and what it sends and gets is not encrypted",
            file=sys.stderr,
        )
    workspace = LocalWorkspace(
        clock=Clock.sped_up(options.speed),
        token=options.token or f"dapi{secrets.token_hex(16)}",
        host=options.host,
        port=options.port,
    )
    workspace.journal.keep = _KEPT_CALLS
    workspace.faults.seed(options.fault_seed)
    try:
        workspace.faults.plan(*options.fault)
    except ValueError as error:
        parser.error(f"--fault: {error}")
    try:
        asyncio.run(_serve(workspace))
    except KeyboardInterrupt:
        # Only where the event loop takes no signal handlers, as on Windows.
        return 0
    except (OSError, OverflowError) as error:
        print(f"databricks-async serve: cannot listen on {options.host}:{options.port}: {error}", file=sys.stderr)
        return 1
    return 0


async def _serve(workspace: LocalWorkspace) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stopped.set)
        except NotImplementedError:
            break
    async with workspace:
        url = _local(workspace.url)
        print(f"A local Databricks workspace listens on {url}")
        print(f"export DATABRICKS_HOST={shlex.quote(url)}")
        print(f"export DATABRICKS_TOKEN={shlex.quote(workspace.token)}", flush=True)
        await stopped.wait()


def _local(url: str) -> str:
    """The address for clients of this machine; they take no plain http of any other."""
    return url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")


def _number(text: str) -> float:
    factor = float(text)
    if not 0 < factor < 1e9:
        raise argparse.ArgumentTypeError(f"must be greater than 0, not {text}")
    return factor
