"""The person or application that is logged in with the Azure CLI (`az`) or the Databricks CLI (`databricks`)."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from databricks_async.auth.azure import AnyLogin, find_tenant
from databricks_async.auth.subprocesses import MAX_SECONDS, Output, find_tool, run_tool
from databricks_async.auth.token import Credential, Token, header_value
from databricks_async.auth.token_endpoint import Grant, claims
from databricks_async.auth.web import Web
from databricks_async.config import Config
from databricks_async.error_bodies import one_line
from databricks_async.errors import AuthError, CredentialUnavailable
from databricks_async.secret import HiddenStr, hide

_UNKNOWN_LIFE_SECONDS = 300.0
"""What az promises of a token that it does not give an end for."""
_NOT_LOGGED_IN = ("az login", "AADSTS70043", "AADSTS700082", "No subscription found")
_TENANT_REFUSED = "Tenant shouldn't be specified"
_SUBSCRIPTION = re.compile(r"/subscriptions/([^/]+)", re.IGNORECASE)
_DATABRICKS_NOT_LOGGED_IN = (
    "OAuth is not configured for this host",
    "refresh token is invalid",
    "databricks auth login",
    "profile configured",
)
_OLD_DATABRICKS = ("No such command", "unknown command", "Usage: databricks [OPTIONS]")


def azure_cli(config: Config, web: Web) -> Credential:
    """The person, service principal or managed identity that `az login` logged in."""
    return _AzureCli(config, web)


class _AzureCli(AnyLogin):
    def __init__(self, config: Config, web: Web) -> None:
        super().__init__(config, web, self._grant)
        self._found_tenant: str | None = None

    async def _grant(self, audience: str) -> Grant:
        az = find_tool("az")
        found = _SUBSCRIPTION.match(self._config.azure_workspace_resource_id or "")
        # A guest's tokens are of the home tenant unless the workspace's is named.
        options = {"--subscription": found[1] if found else None, "--tenant": await self._tenant()}
        while True:
            chosen = [part for name, value in options.items() if value for part in (name, value)]
            output = await run_tool(
                az,
                *("account", "get-access-token", "--resource", audience, "--output", "json", *chosen),
                seconds=time_limit(self._config),
                environment={"AZURE_CORE_NO_COLOR": "true", "AZURE_CORE_COLLECT_TELEMETRY": "false"},
            )
            if output.exit_code == 0:
                return _azure_grant(output)
            said = output.stderr
            if options["--tenant"] and _TENANT_REFUSED in said:
                options["--tenant"] = None  # a managed identity is logged in
            elif options["--subscription"] and re.search(r"subscription\b.*\bnot found", said, re.IGNORECASE):
                options["--subscription"] = None  # a person may have the workspace, and not the subscription
            else:
                raise _azure_refusal(said)

    async def _tenant(self) -> str | None:
        if self._config.azure_tenant_id or not self._config.host:
            return self._config.azure_tenant_id
        if self._found_tenant is None:
            try:
                self._found_tenant = await find_tenant(self._config, self._web)
            except AuthError:
                return None  # without it az takes the tenant that it is logged in to, which is the right one for most
        return self._found_tenant


def _azure_grant(output: Output) -> Grant:
    fields, value = _printed(output, "accessToken", "az")
    end = _number(fields.get("expires_on"))
    if end is None:
        end = _local_time(fields.get("expiresOn"))
    if end is None:
        end = _number(claims(value).get("exp"))
    asked_at = time.monotonic()
    return Grant(value, asked_at, expires_in=_UNKNOWN_LIFE_SECONDS if end is None else None, expires_at=end)


def _local_time(text: Any) -> float | None:
    """Seconds since the epoch of az's local time without an offset; null and N/A say nothing."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, TypeError, OverflowError, OSError):
        return None


def _azure_refusal(said: str) -> AuthError:
    words = one_line(said.replace("ERROR: ", ""), 500)
    if any(sign in said for sign in _NOT_LOGGED_IN):
        return CredentialUnavailable(f"az is not logged in, or its login has ended; run az login ({words})")
    return AuthError(f"az gave no token: {words or 'it said nothing'}")


def databricks_cli(config: Config, web: Web) -> Credential:
    """The login of `databricks auth login`, by the profile if one is set, else by the host."""

    async def fetch() -> Token:
        path = find_tool(config.databricks_cli_path or "databricks")
        chosen = ("--profile", config.profile) if config.profile else ("--host", config.host)
        # Settings of the environment would be other ways than the login that is asked for.
        environment = {"DATABRICKS_CONFIG_FILE": config.config_file} if config.config_file else {}
        output = await run_tool(path, "auth", "token", *chosen, seconds=time_limit(config), environment=environment)
        if output.exit_code != 0:
            raise _databricks_refusal(output.stderr or output.stdout.decode("utf-8", "replace"), config)
        fields, value = _printed(output, "access_token", "databricks")
        return Token(value, _rfc3339(fields.get("expiry")))

    return fetch


def _rfc3339(text: Any) -> float | None:
    """Seconds since the epoch of a time with its offset; nanoseconds are cut. UTC if it has none."""
    if not isinstance(text, str) or not text:
        return None
    try:
        when = datetime.fromisoformat(text)
        return when.replace(tzinfo=when.tzinfo or UTC).timestamp()
    except (ValueError, OverflowError):
        raise AuthError("databricks printed a token whose 'expiry' is not a time") from None


def _databricks_refusal(said: str, config: Config) -> AuthError:
    words = one_line(said.replace("Error: ", ""), 500)
    if any(sign in said for sign in _OLD_DATABRICKS):
        return CredentialUnavailable(
            "databricks is an old version without `auth token`: install the Databricks CLI 0.207.1+"
        )
    if any(sign in said for sign in _DATABRICKS_NOT_LOGGED_IN):
        login = f"--profile {config.profile}" if config.profile else f"--host {config.host}"
        return CredentialUnavailable(f"databricks is not logged in; run databricks auth login {login} ({words})")
    return AuthError(f"databricks gave no token: {words or 'it said nothing'}")


def time_limit(config: Config) -> float:
    """Seconds that a tool may take: never more than the call's own budget."""
    return min(MAX_SECONDS, config.http_timeout_seconds, config.retry_timeout_seconds or math.inf)


def _printed(output: Output, name: str, tool: str) -> tuple[Mapping[str, Any], HiddenStr]:
    """The JSON object that a tool printed, without the token, and the token. No error shows what was printed."""
    try:
        fields = {
            key: hide(value) if key == name else value for key, value in orjson.loads(memoryview(output.stdout)).items()
        }
        return fields, header_value(fields.get(name))
    except (ValueError, AttributeError):
        raise AuthError(f"{tool} printed no JSON object with a usable {name!r}") from None


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (ValueError, TypeError):
        return None
    return number if math.isfinite(number) and number > 0 else None
