"""`databricks-async configure`: write a profile of the configuration file."""

from __future__ import annotations

import errno
import sys
from typing import TYPE_CHECKING

import click

from databricks_async.cli.commands import Command

if TYPE_CHECKING:
    from databricks_async.cli.running import Run


@click.command(
    "configure",
    cls=Command,
    examples="""
    databricks-async configure --host https://adb-….azuredatabricks.net
    databricks-async configure --host "$HOST" --profile ci < token.txt
    """,
)
@click.option("--overwrite", is_flag=True, help="replace the profile if there is one of this name")
async def command(run: Run, overwrite: bool) -> None:
    """Write host and personal access token into a profile of ~/.databrickscfg, which others cannot read.

    The token is asked for, or read from standard input: as an option, everybody on this machine would see it.
    """
    from databricks_async.cli.listings.profiles import config_path, read_profiles
    from databricks_async.cli.profile_file import write_profile
    from databricks_async.config import Config

    name = run.options.profile or "DEFAULT"
    path = config_path()
    at_terminal = sys.stdin is not None and sys.stdin.isatty()
    if any(row.name == name for row in read_profiles(path)) and not overwrite:
        raise FileExistsError(errno.EEXIST, f"there is a profile {name}: --overwrite replaces it", path)
    host = run.options.host or (click.prompt("Host", err=True) if at_terminal else None)
    if not host:
        raise click.UsageError("--host is missing")
    token = click.prompt("Personal access token", hide_input=True, err=True) if at_terminal else _from_stdin()
    if not token:
        raise click.UsageError("the token is expected on standard input, which is empty")
    config = Config(host=host, token=token)  # refuses what cannot be
    write_profile(path, name, {"host": config.host or host, "token": token})
    run.out.note(f"wrote the profile {name} to {path}; `databricks-async auth check` tries it")


def _from_stdin() -> str:
    return sys.stdin.readline().strip() if sys.stdin is not None else ""
