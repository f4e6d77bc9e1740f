"""The command line: `databricks-async <command>`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib import import_module

from databricks_async.version import __version__

# One row a command: its name, the module that has `run(argv) -> exit code`, and a line for `--help`.
# A module is imported when its command is used, so that none of them slows the others down.
COMMANDS = [
    ("auth", "databricks_async.cli.auth", "log in, show which way to authorize is in use, and check it"),
    ("demo", "databricks_async.cli.demo", "show the library at work on a local workspace"),
    ("serve", "databricks_async.cli.serve", "run a local workspace that any Databricks client can talk to"),
    ("workspace", "databricks_async.cli.workspace", "list, export, import and delete notebooks, files and whole trees"),
]


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; `argv` is `sys.argv[1:]` by default."""
    parser = argparse.ArgumentParser(
        prog="databricks-async", description="A native asyncio client for Azure Databricks."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command", required=True)
    for name, _, summary in COMMANDS:
        commands.add_parser(name, help=summary, add_help=False)
    chosen, rest = parser.parse_known_args(argv)
    module = next(module for name, module, _ in COMMANDS if name == chosen.command)
    try:
        exit_code: int = import_module(module).run(rest)
    except KeyboardInterrupt:
        return 130  # what a shell expects of a program that Ctrl-C ended
    return exit_code
