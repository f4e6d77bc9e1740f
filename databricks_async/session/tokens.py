"""The current token: one fetch for all callers, renewed before it ends, renewed once when it is refused."""

from __future__ import annotations

import copy
import logging
import time

from databricks_async.aio import SingleFlight
from databricks_async.auth.token import Credential, Token
from databricks_async.errors import AuthError, DatabricksError, LifecycleError, is_expired_token
from databricks_async.message import Request, Response, Send
from databricks_async.session.stats import Stats

log = logging.getLogger("databricks_async")

_FORCED_SECONDS = 40.0
"""The service refuses a token 30 s before its end: from here on callers wait for a new one."""
_EARLY_SECONDS = 1200.0
_PAUSE_SECONDS = 30.0
"""After a renewal in the background failed, the next one starts no sooner."""


class Tokens:
    """Holds the token that a credential gave. All methods belong to one event loop."""

    def __init__(self, credential: Credential, stats: Stats) -> None:
        self._credential = credential
        self._stats = stats
        self._token: Token | None = None
        self._early_at = self._forced_at = 0.0
        # Kept when no caller waits any more: the next call needs the token as well.
        self._fetch = SingleFlight(self._fetch_token, "databricks_async: token", keep=True)
        self._closed = False

    async def get(self) -> Token:
        """A token that the service still takes; waits only when there is none.

        Raises `AuthError` when there is none to be had.
        """
        now = time.time()
        if self._token is not None and now < self._forced_at:
            if now >= self._early_at:
                self._early_at = now + _PAUSE_SECONDS
                self._check_open()
                self._fetch.begin()
            return self._token
        self._check_open()
        fetch = await self._fetch.join()
        if fetch.cancelled():
            if self._closed:
                raise LifecycleError("the client was closed while this call waited for a token")
            raise AuthError("the credential failed: it raised CancelledError")
        if (error := fetch.exception()) is not None:
            # For each caller its own: the layers note on it what became of that call.
            raise copy.copy(error) from error.__cause__
        return fetch.result()

    async def renew(self, refused: Token) -> Token | None:
        """Another token than the refused one, or None when the credential has no other."""
        if self._token is refused:
            self._token = None
        token = await self.get()
        return token if token.value != refused.value else None

    async def close(self) -> None:
        """Ends a fetch under way; its callers get a `LifecycleError`."""
        self._closed = True
        await self._fetch.cancel()

    def _check_open(self) -> None:
        if self._closed:
            raise LifecycleError("the client was closed before this call had a token")

    async def _fetch_token(self) -> Token:
        try:
            token = await self._ask_credential()
        except AuthError as error:
            log.warning("no new token: %s", error)
            raise
        now = time.time()
        if token.expires_at is None:
            self._early_at = self._forced_at = float("inf")
        else:
            life = max(0.0, token.expires_at - now)
            self._forced_at = token.expires_at - _FORCED_SECONDS
            self._early_at = token.expires_at - min(life / 2, _EARLY_SECONDS)
        self._stats.tokens += 1
        self._token = token
        return token

    async def _ask_credential(self) -> Token:
        try:
            token = await self._credential()
            if not isinstance(token, Token):
                raise TypeError(f"a credential gives a Token, not {type(token).__name__}")
        except AuthError:
            raise
        except Exception as error:
            # Its own words may hold a secret; they are in the cause.
            reason = error.message if isinstance(error, DatabricksError) else type(error).__name__
            raise AuthError(f"the credential failed: {reason}") from error
        return token


def authenticated(send: Send, tokens: Tokens) -> Send:
    """Adds the token. A refused token is renewed once and the request sent once more: it was not carried out."""

    async def authenticate(request: Request) -> Response:
        token = await tokens.get()
        response = await send(request.with_headers(token.headers))
        if response.status not in (401, 403) or not is_expired_token(response):
            return response
        renewed = await tokens.renew(token)
        if renewed is None:
            return response
        log.info("%s: token refused with %d, sending again with a new one", request.endpoint, response.status)
        try:
            again = await send(request.with_headers(renewed.headers))
        except DatabricksError as error:
            error.attempts += response.attempts
            raise
        again.attempts += response.attempts
        return again

    return authenticate
