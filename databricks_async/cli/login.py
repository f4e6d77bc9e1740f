"""`databricks-async auth login`: log a person in, by browser or device code, for the next client to find."""

from __future__ import annotations

from databricks_async import Config
from databricks_async.cli.running import Run
from databricks_async.errors import ConfigError
from databricks_async.session.session import Session

_LOGINS = ("external-browser", "azure-browser")


async def log_in(run: Run, config: Config, *, device_code: bool) -> None:
    """Log in the configured way: `azure-browser` if that is the auth_type, else Databricks' own `external-browser`."""
    from databricks_async.auth.interactive import log_in

    if config.auth_type not in (*_LOGINS, "pat", "oauth-m2m", "azure-client-secret", None):
        raise ConfigError(
            f"auth_type is {config.auth_type!r}, which needs no login here: use --auth-type {' or '.join(_LOGINS)}"
        )
    if not config.host:
        raise ConfigError("no host (DATABRICKS_HOST, or --host)")

    def show(line: str) -> None:
        # What to do is no note: without it nothing goes on.
        run.out.stderr.write(f"{line}\n")
        run.out.stderr.flush()

    session = Session(config)
    try:
        await log_in(config, session.web(), show, device_code=device_code)
    finally:
        await session.close()
    way = config.auth_type if config.auth_type in _LOGINS else "external-browser"
    if run.out.format == "json":
        run.out.json({"host": config.host, "auth_type": way})
    else:
        run.out.line(f"logged in at {config.host} ({way})")
    if config.auth_type not in (*_LOGINS, None):
        run.out.note(f"the next client uses {config.auth_type} all the same, whose settings are set")
