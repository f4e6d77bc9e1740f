"""`databricks-async auth`: log in, see which way to authorize is in use, and check that the workspace takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from databricks_async.cli.commands import Group

if TYPE_CHECKING:
    from databricks_async.cli.running import Run
    from databricks_async.config import Config

command = Group(
    "auth",
    help="Which way to authorize is in use, and whether it works. Secrets are never shown.",
    no_args_is_help=True,
)


@command.command(
    "describe",
    output="Each setting, where it comes from, and the way that serves. JSON: an object with host, auth_type, and the "
    "settings with name, value and source.",
)
async def describe(run: Run) -> None:
    """Show each setting, where it comes from, and the way that serves.

    Nothing is asked of the API. Where no way serves, the settings are shown all the same, with the reasons.
    """
    from databricks_async import DatabricksError
    from databricks_async.session.session import Session

    config, failure = _config(run), None
    session = Session(config)
    try:
        await session.authenticate()
    except DatabricksError as error:
        failure = error
    finally:
        await session.close()
    settings = config.shown()
    if run.out.wants_object:
        found = [{"name": name, "value": value, "source": source or None} for name, value, source in settings]
        way = next((value for name, value, _ in settings if name == "auth_type"), None)
        run.out.json({"host": config.known_host() or None, "auth_type": way, "settings": found})
    else:
        for name, value, source in settings:
            run.out.line(f"{name} = {value}" + (f"  ({source})" if source else ""))
    if failure is not None:
        raise failure


@command.command("check", output="Who the workspace takes the caller for. JSON: host, user_name, credentials.")
async def check(run: Run) -> None:
    """Call the workspace once, and say who it takes you for. The exit code says whether it works."""
    me = await run.w.current_user.me()
    config = run.w.config
    host, origin = config.known_host(), config.credentials_origin()
    if run.options.quiet:
        run.out.line(str(me.user_name))
    elif run.out.wants_object:
        run.out.json({"host": host, "user_name": me.user_name, "credentials": origin})
    else:
        run.out.line(f"{host} takes this for {me.user_name} ({origin})")


@command.command("profiles", output="Columns: name, host, auth type. JSON: an array.")
async def profiles(run: Run) -> None:
    """List the profiles of the configuration file."""
    from databricks_async.cli.listings.profiles import PROFILE_COLUMNS, config_path, read_profiles

    rows = read_profiles(config_path())
    await run.out.rows(rows, PROFILE_COLUMNS, item_id=lambda row: row.name, limit=len(rows))


@command.command("login", examples="databricks-async auth login --host https://adb-….azuredatabricks.net")
@click.option("--device-code", is_flag=True, help="show a code to enter on any other device (azure-browser only)")
async def login(run: Run, device_code: bool) -> None:
    """Log in by browser or device code; the next client finds the login."""
    from databricks_async.cli import login as module

    await module.log_in(run, _config(run), device_code=device_code)


@command.command("demo")
def demo() -> int:
    """One call with each way, against peers on this machine."""
    from databricks_async.cli import auth_demo

    return auth_demo.run()


def _config(run: Run) -> Config:
    from databricks_async import Config

    options = run.options
    return Config.resolve(host=options.host, profile=options.profile, auth_type=options.auth_type)
