"""The command line: `databricks-async <command>`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec

# One row a command: its name, the module that has it, and a line for `--help`. The module has it as `command`.
# A module is imported when its command is used, so that none of them slows the others down.
COMMANDS = [
    ("api", "databricks_async.cli.api", "call any endpoint of the REST API"),
    ("auth", "databricks_async.cli.auth", "log in, show which way to authorize is in use, and check it"),
    ("clusters", "databricks_async.cli.clusters", "list, make, start, stop, watch clusters"),
    ("completion", "databricks_async.cli.completion", "print the script with which a shell completes commands"),
    ("configure", "databricks_async.cli.configure", "write a profile of ~/.databrickscfg"),
    ("demo", "databricks_async.cli.demo", "show the library at work on a local workspace"),
    ("help", "databricks_async.cli.help", "help on a command, or on a topic such as exit-codes"),
    ("jobs", "databricks_async.cli.jobs", "list and run jobs; their runs"),
    ("runs", "databricks_async.cli.runs", "list, watch, repair, cancel runs; their outputs and timelines"),
    ("serve", "databricks_async.cli.serve", "run a local workspace that any Databricks client can talk to"),
    ("ui", "databricks_async.cli.ui", "show a workspace's clusters, runs and events on a page, live"),
    ("workspace", "databricks_async.cli.workspace", "list, export, import and delete notebooks, files and whole trees"),
]


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; `argv` is `sys.argv[1:]` by default."""
    missing = [name for name in ("click", "rich") if not _is_there(name)]
    if missing:
        print(f"the command line needs {' and '.join(missing)}: pip install 'databricks-async[cli]'", file=sys.stderr)
        return 2
    exit_code: int = import_module("databricks_async.cli.root").run(COMMANDS, argv)
    return exit_code


def _is_there(name: str) -> bool:
    return find_spec(name) is not None
