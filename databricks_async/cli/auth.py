"""`databricks-async auth`: log in, see which way to authorize is in use, and check that the workspace takes it."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

from databricks_async import Config, DatabricksError, WorkspaceClient
from databricks_async.cli import login
from databricks_async.cli.ending import run_to_the_end
from databricks_async.session.session import Session


def run(argv: Sequence[str]) -> int:
    """Do one thing. Returns 0 if all went well, 1 if something failed; a wrong command line exits with 2."""
    options = _parser().parse_args(argv)
    try:
        exit_code: int = options.do(options)
    except (DatabricksError, OSError) as error:
        print(f"databricks-async auth {options.action}: {error}", file=sys.stderr)
        return 1
    return exit_code


def config_of(options: argparse.Namespace) -> Config:
    """The configuration that the command line, the environment and the profile make."""
    return Config.resolve(host=options.host, profile=options.profile, auth_type=options.auth_type)


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--host", help="the workspace's address (default: DATABRICKS_HOST, or the profile's)")
    common.add_argument("--profile", help="the profile of ~/.databrickscfg to use, before the environment")
    common.add_argument("--auth-type", help="the one way to use (default: the first that is configured and serves)")

    parser = argparse.ArgumentParser(
        prog="databricks-async auth",
        description="Which way to authorize is in use, and whether it works. Secrets are never shown.",
    )
    actions = parser.add_subparsers(dest="action", metavar="action", required=True)
    describe = actions.add_parser(
        "describe", parents=[common], help="show each setting, where it comes from, and the way that serves"
    )
    describe.set_defaults(do=lambda options: run_to_the_end(_describe(config_of(options))))
    check = actions.add_parser("check", parents=[common], help="call the workspace, and say who it takes you for")
    check.set_defaults(do=lambda options: run_to_the_end(_check(config_of(options))))
    login_action = actions.add_parser(
        "login", parents=[common], help="log in by browser or device code; the next client finds the login"
    )
    login.add_arguments(login_action)
    login_action.set_defaults(do=lambda options: login.run(config_of(options), device_code=options.device_code))
    demo = actions.add_parser("demo", help="one call with each way, against peers on this machine")
    demo.set_defaults(do=_demo)
    return parser


def _demo(options: argparse.Namespace) -> int:
    from databricks_async.cli import auth_demo

    return auth_demo.run()


async def _describe(config: Config) -> int:
    """The settings also where no way serves: they show why."""
    failure = None
    _keep_log_quiet()
    session = Session(config)
    try:
        await session.authenticate()
    except DatabricksError as error:
        failure = error
    finally:
        await session.close()
    for name, value, source in config.shown():
        print(f"{name} = {value}" + (f"  ({source})" if source else ""))
    if failure is not None:
        print(f"databricks-async auth describe: {failure}", file=sys.stderr)
    return int(failure is not None)


def _keep_log_quiet() -> None:
    """Python prints warnings that no handler wants, and the error says the same once more."""
    logging.getLogger("databricks_async").addHandler(logging.NullHandler())


async def _check(config: Config) -> int:
    _keep_log_quiet()
    async with WorkspaceClient(config=config) as w:
        me = await w.current_user.me()
        print(f"{config.known_host()} takes this for {me.user_name} ({config.credentials_origin()})")
    return 0
