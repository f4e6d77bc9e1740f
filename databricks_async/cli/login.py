"""`databricks-async auth login`: log a person in, by browser or device code, for the next client to find."""

from __future__ import annotations

import argparse
import sys

from databricks_async import Config
from databricks_async.cli.ending import run_to_the_end
from databricks_async.errors import ConfigError
from databricks_async.session.session import Session

_LOGINS = ("external-browser", "azure-browser")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `login` takes beside the options of every action."""
    parser.add_argument(
        "--device-code",
        action="store_true",
        help="show a code to enter on any other device, where there is no browser (azure-browser only)",
    )


def run(config: Config, *, device_code: bool) -> int:
    """Log in the configured way: `azure-browser` if that is the auth_type, else Databricks' own `external-browser`."""
    if config.auth_type not in (*_LOGINS, "pat", "oauth-m2m", "azure-client-secret", None):
        raise ConfigError(
            f"auth_type is {config.auth_type!r}, which needs no login here: use --auth-type {' or '.join(_LOGINS)}"
        )
    if not config.host:
        raise ConfigError("no host (DATABRICKS_HOST, or --host)")
    run_to_the_end(_log_in(config, device_code))
    way = config.auth_type if config.auth_type in _LOGINS else "external-browser"
    print(f"logged in at {config.host} ({way})")
    if config.auth_type not in (*_LOGINS, None):
        print(f"the next client uses {config.auth_type} all the same, whose settings are set", file=sys.stderr)
    return 0


async def _log_in(config: Config, device_code: bool) -> None:
    from databricks_async.auth.interactive import log_in

    session = Session(config)
    try:
        await log_in(config, session.web(), _show, device_code=device_code)
    finally:
        await session.close()


def _show(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
