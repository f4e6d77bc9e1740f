"""Logins of persons, by browser or device code: kept, and renewed by one process at a time."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
import time
from collections.abc import Callable
from urllib.parse import urlencode

from databricks_async.auth.azure import RESOURCE_ID_HEADER, application_id, authority_of, find_tenant
from databricks_async.auth.oauth import scopes_of
from databricks_async.auth.redirect import Redirect, open_browser
from databricks_async.auth.store import Login, LoginStore
from databricks_async.auth.token import Credential, Token
from databricks_async.auth.token_endpoint import Grant, WorkspaceEndpoints, ask
from databricks_async.auth.web import Web
from databricks_async.config import Config
from databricks_async.errors import AuthError, CredentialUnavailable
from databricks_async.secret import HiddenStr, hide

_DATABRICKS_CLIENT = "databricks-cli"
_DATABRICKS_PORTS = range(8020, 8041)
"""The redirect addresses that the Databricks CLI's client has; it tries the same ones."""
_ANY_PORT = range(1)
_PERSON_SECONDS = 300.0
"""How long a person may take to log in."""
_FORCED_SECONDS = 60.0
"""A kept access token that is nearer to its end is renewed."""
_DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
_SLOWER_SECONDS = 5.0

Show = Callable[[str], None]
"""Shows a line to the person."""


def external_browser(config: Config, web: Web) -> Credential:
    """Databricks' own browser login, with the client of the Databricks CLI or `client_id`."""
    return _Person(config, _Databricks(config, web), asked_for="external-browser")


def azure_browser(config: Config, web: Web) -> Credential:
    """Entra's browser login, with the public client ARM_CLIENT_ID: the specification's AzureADToken."""
    return _Person(config, _Entra(config, web), asked_for="azure-browser")


async def log_in(config: Config, web: Web, show: Show, *, device_code: bool = False) -> None:
    """Have the person log in anew in the configured way, and keep the login for the next client."""
    if config.auth_type == "azure-browser":
        await _log_in(config, _Entra(config, web), show, device_code=device_code)
    else:
        if device_code:
            raise AuthError(
                "Databricks' own login has no device code: log in by Entra with "
                "DATABRICKS_AUTH_TYPE=azure-browser, ARM_CLIENT_ID and ARM_TENANT_ID"
            )
        await _log_in(config, _Databricks(config, web), show)


class _Databricks:
    """Where Databricks' own login happens."""

    def __init__(self, config: Config, web: Web) -> None:
        self._endpoints = WorkspaceEndpoints(web, config.host, config.discovery_url)
        self.client_id = config.client_id or _DATABRICKS_CLIENT
        self.scope = f"{scopes_of(config)} offline_access"
        self.ports = _DATABRICKS_PORTS
        self.headers: dict[str, str] = {}
        self.store = LoginStore("databricks", config.host, config.workspace_id or "", self.client_id, self.scope)
        self.what = f"no login at {config.host}"

    async def authorize_url(self) -> str:
        return await self._endpoints.find("authorization_endpoint", what=self.what)

    async def ask(self, form: dict[str, str]) -> Grant:
        return await self._endpoints.ask({**form, "client_id": self.client_id}, what=self.what)


class _Entra:
    """Where Entra's login for Azure Databricks happens."""

    def __init__(self, config: Config, web: Web) -> None:
        self._config = config
        self._web = web
        self._tenant = config.azure_tenant_id
        self.client_id = config.azure_client_id or ""
        self.scope = f"{application_id(config)}/.default offline_access"
        self.ports = _ANY_PORT
        resource_id = config.azure_workspace_resource_id
        self.headers = {RESOURCE_ID_HEADER: resource_id} if resource_id else {}
        self.store = LoginStore(
            "entra", authority_of(config), config.azure_tenant_id or config.host, self.client_id, self.scope
        )
        self.what = f"no Entra login with the client {self.client_id!r}"

    async def authorize_url(self) -> str:
        return await self._url("authorize")

    async def ask(self, form: dict[str, str]) -> Grant:
        form = {**form, "client_id": self.client_id, "scope": self.scope}
        return await ask(self._web, await self._url("token"), form, what=self.what)

    async def by_device_code(self, show: Show) -> Grant:
        url = await self._url("devicecode")
        form = {"client_id": self.client_id, "scope": self.scope}
        started = await self._web.json("POST", url, what=self.what, form=form)
        code, message = started.get("device_code"), started.get("message")
        if not isinstance(code, str):
            raise AuthError(f"{self.what}: the answer has no usable 'device_code'")
        show(str(message or f"open {started.get('verification_uri')} and enter the code {started.get('user_code')}"))
        pause = _seconds(started.get("interval"), 5.0)
        give_up_at = time.monotonic() + _seconds(started.get("expires_in"), 900.0)
        while time.monotonic() + pause < give_up_at:
            await asyncio.sleep(pause)
            try:
                return await self.ask({"grant_type": _DEVICE_CODE, "device_code": hide(code)})
            except AuthError as error:
                if error.error_code == "slow_down":
                    pause += _SLOWER_SECONDS
                elif error.error_code != "authorization_pending":
                    raise
        raise AuthError(f"{self.what}: the code was not entered in time")

    async def _url(self, name: str) -> str:
        if self._tenant is None:
            self._tenant = await find_tenant(self._config, self._web)
        return f"{authority_of(self._config)}/{self._tenant}/oauth2/v2.0/{name}"


class _Person:
    """A credential of the person who has logged in; one who has not is asked to, if that way was asked for."""

    def __init__(self, config: Config, place: _Databricks | _Entra, *, asked_for: str) -> None:
        self._config = config
        self._place = place
        self._asked_for = asked_for
        self._given: str | None = None

    async def __call__(self) -> Token:
        place = self._place
        reason = "not logged in"
        if self._config.auth_type != self._asked_for and not await place.store.exists():
            raise CredentialUnavailable(f"{reason}: run {_command(self._config)}")
        async with place.store.locked(self._config.retry_timeout_seconds + self._config.http_timeout_seconds):
            login = await place.store.load()
            if login is not None and self._is_good(login):
                return self._token(login)
            if login is not None and login.refresh_token:
                try:
                    return self._token(await _renewed(place, login.refresh_token))
                except AuthError as error:
                    if error.error_code not in ("invalid_grant", "interaction_required"):
                        raise
                    await place.store.delete()
                    reason = f"the login has ended ({error.message})"
        if self._config.auth_type != self._asked_for:
            raise CredentialUnavailable(f"{reason}: run {_command(self._config)}")
        return self._token(await _log_in(self._config, place, None))

    def _is_good(self, login: Login) -> bool:
        """Whether a kept access token serves; one that was given already serves no longer if it is asked for again."""
        left = (login.expires_at or 0.0) - time.time()
        return login.access_token is not None and login.access_token != self._given and left > _FORCED_SECONDS

    def _token(self, login: Login) -> Token:
        self._given = login.access_token
        return Token(login.access_token or "", login.expires_at, extra_headers=self._place.headers)


async def _renewed(place: _Databricks | _Entra, refresh_token: str) -> Login:
    grant = await place.ask({"grant_type": "refresh_token", "refresh_token": hide(refresh_token)})
    return await _kept(place, grant, refresh_token)


async def _kept(place: _Databricks | _Entra, grant: Grant, refresh_token: str | None = None) -> Login:
    # What the endpoint says now counts: the old refresh token may be good for nothing any more.
    login = Login(grant.refresh_token or refresh_token, grant.access_token, time.time() + grant.seconds_left())
    await place.store.save(login)
    return login


async def _log_in(
    config: Config, place: _Databricks | _Entra, show: Show | None, *, device_code: bool = False
) -> Login:
    if device_code and isinstance(place, _Entra) and show is not None:
        grant = await place.by_device_code(show)
    else:
        grant = await _by_browser(config, place, show)
    async with place.store.locked(_PERSON_SECONDS):
        return await _kept(place, grant)


async def _by_browser(config: Config, place: _Databricks | _Entra, show: Show | None) -> Grant:
    """RFC 6749 authorization code with PKCE (RFC 7636), for a native app (RFC 8252)."""
    verifier = hide(secrets.token_urlsafe(64))
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    authorize = await place.authorize_url()
    async with Redirect(place.ports) as redirect:
        query = {
            "client_id": place.client_id,
            "response_type": "code",
            "redirect_uri": redirect.url,
            "scope": place.scope,
            "state": redirect.state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        url = f"{authorize}{'&' if '?' in authorize else '?'}{urlencode(query)}"
        if show is not None:
            show(f"Log in at {url}")
        if not await open_browser(url) and show is None:
            raise AuthError(f"{place.what}: no browser can be opened here, run {_command(config)}")
        code: HiddenStr = await redirect.code(_PERSON_SECONDS)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": redirect.url,
        }
        return await place.ask(form)


def _command(config: Config) -> str:
    return f"databricks-async auth login --host {config.host}"


def _seconds(value: object, default: float) -> float:
    try:
        seconds = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return default
    return min(max(seconds, 0.0), 3600.0)
