"""The current token: one fetch for all callers, renewed before it ends, renewed when it is refused."""

from __future__ import annotations

import copy
import inspect
import logging
import math
import time
from collections.abc import Callable

import attrs

from databricks_async import events  # whose classes are imported when there is a handler for them
from databricks_async.aio import SingleFlight, time_limit
from databricks_async.auth.token import Credential, Token
from databricks_async.error_bodies import one_line
from databricks_async.errors import AuthError, DatabricksError, InvalidCredential, LifecycleError, is_expired_token
from databricks_async.events.handlers import Handlers
from databricks_async.message import Request, Response, Send
from databricks_async.session.stats import Stats

log = logging.getLogger("databricks_async.auth")

_FORCED_SECONDS = 40.0
"""The service refuses a token 30 s before its end: from here on callers wait for a new one."""
_EARLY_SECONDS = 1200.0
_PAUSE_SECONDS = 30.0
"""After a renewal that failed in the background, or that brought nothing better for a refused token, the next one
starts no sooner. Nor does that of a token that looked expired as it came: then this machine's clock is wrong."""
_MAX_WORDS = 500


@attrs.frozen(eq=False, repr=False)
class _Moment:
    """A point in time on both clocks: one may be set, the other stands still while the machine sleeps."""

    wall: float
    monotonic: float

    @classmethod
    def now(cls) -> _Moment:
        return cls(time.time(), time.monotonic())

    def plus(self, seconds: float) -> _Moment:
        return _Moment(self.wall + seconds, self.monotonic + seconds)

    def has_come(self, now: _Moment) -> bool:
        """Whether it has on either clock."""
        return now.wall >= self.wall or now.monotonic >= self.monotonic


_NEVER = _Moment(math.inf, math.inf)


class Tokens:
    """Holds the token that a credential gave. All methods belong to one event loop.

    A fetch may take `seconds`; `hide` takes the secrets of the configuration out of foreign text; `handlers` are told
    of each fetch.
    """

    def __init__(
        self,
        credential: Credential,
        stats: Stats,
        *,
        seconds: float | None = None,
        hide: Callable[[str], str] = str,
        handlers: Handlers | None = None,
    ) -> None:
        self._credential = credential
        self._stats = stats
        self._seconds = seconds
        self._hide = hide
        self._handlers = handlers or Handlers()
        self._token: Token | None = None
        self._early = self._forced = _NEVER
        self._looked_expired = self._renewal_is_vain = False
        self._next_renewal = -math.inf
        self._failure: tuple[Token, Exception] | None = None
        # Kept when no caller waits any more: the next call needs the token as well.
        self._fetch = SingleFlight(self._fetch_token, "databricks_async: token", keep=True)
        self._closed = False

    def current(self) -> Token | None:
        """The token, if the service still takes it; its renewal begins a good while before it ends."""
        if self._token is None:
            return None
        if time.time() < self._early.wall and time.monotonic() < self._early.monotonic:
            return self._token  # nearly always, and so without more calls than these
        now = _Moment.now()
        if self._forced.has_come(now):
            return None
        self._early = now.plus(_PAUSE_SECONDS)
        self._check_open()
        self._fetch.begin()
        return self._token

    async def get(self) -> Token:
        """A token that the service still takes; waits only when there is none.

        Raises `AuthError` when there is none to be had.
        """
        if (token := self.current()) is not None:
            return token
        self._check_open()
        fetch = await self._fetch.join()
        if fetch.cancelled():
            if self._closed:
                raise LifecycleError("the client was closed while this call waited for a token")
            raise AuthError("the credential failed: it raised CancelledError")
        if (error := fetch.exception()) is not None:
            raise _own_copy(error)
        return fetch.result()

    async def renew(self, refused: Token) -> Token | None:
        """Another token than the refused one, or None when the credential has no other."""
        if self._failure is not None and self._failure[0] is refused:
            # Its renewal failed while this call was under way: for the next call it is tried anew.
            raise _own_copy(self._failure[1])
        if self._token is refused:
            now = time.monotonic()
            if self._renewal_is_vain and now < self._next_renewal:
                return None
            self._next_renewal = now + _PAUSE_SECONDS
            self._token = None
            try:
                token = await self.get()
            except AuthError as error:
                self._failure = refused, error
                raise
            # A command line that keeps its tokens brings the same one again, and a wrong clock never a better one.
            self._renewal_is_vain = self._looked_expired or token.value == refused.value
        else:
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
        failure: AuthError
        started, is_renewal = time.monotonic(), self._stats.tokens > 0
        try:
            async with time_limit(self._seconds, self._out_of_time):
                token = _checked(await _started(self._credential))
        except AuthError as error:
            failure = error
        except Exception as error:
            failure = _failure_of(error, self._hide)
        else:
            self._take(token)
            if self._handlers.any:
                seconds, ends = time.monotonic() - started, token.expires_at
                self._handlers.emit(events.TokenFetched(seconds=seconds, expires_at=ends, is_renewal=is_renewal))
            return token
        # Not in the handler: what is taken out of the chain of causes here would come back as the context.
        _clean(failure, self._hide)
        log.warning("no new token: %s", failure)
        if self._handlers.any:
            seconds, kind = time.monotonic() - started, type(failure).__name__
            self._handlers.emit(events.TokenFailed(seconds=seconds, error=kind, is_renewal=is_renewal))
        raise failure

    def _out_of_time(self) -> AuthError:
        return AuthError(f"the credential failed: no token within {self._seconds:g} s")

    def _take(self, token: Token) -> None:
        now = _Moment.now()
        ends = (
            math.inf if token.expires_at is None else token.expires_at - now.wall,
            math.inf if token.ends_at_monotonic is None else token.ends_at_monotonic - now.monotonic,
        )
        life = min(ends)
        self._looked_expired = life <= 0
        if self._looked_expired:
            # More likely this machine's clock is ahead than that a new token is none: the service decides.
            self._early, self._forced = now.plus(_PAUSE_SECONDS), _NEVER
        else:
            self._forced = now.plus(life - _FORCED_SECONDS)
            self._early = now.plus(life - max(min(life / 2, _EARLY_SECONDS), _FORCED_SECONDS))
        self._stats.tokens += 1
        self._token, self._failure = token, None


class _NotACredential(TypeError):
    """What was handed in as a credential does not do what one does."""


def _failure_of(error: Exception, hide: Callable[[str], str]) -> AuthError:
    """The error of a credential in its own words."""
    failure: AuthError
    if isinstance(error, DatabricksError):
        failure = AuthError(f"the credential failed: {error.message}", **error.about())
    else:
        is_none = isinstance(error, _NotACredential)
        name = "TypeError" if is_none else type(error).__name__
        words = one_line(hide(str(error)), _MAX_WORDS)
        kind = InvalidCredential if is_none else AuthError
        failure = kind(f"the credential failed: {name}" + (f": {words}" if words else ""))
    failure.__cause__ = error
    return failure


def _clean(failure: BaseException, hide: Callable[[str], str]) -> None:
    """Take the secrets out of an error and of those that it came from, which a traceback shows as well."""
    below: BaseException | None = failure
    while below is not None:
        if isinstance(below, DatabricksError):
            below.message = hide(below.message)
            below.args = (below.message,)
        for name in ("__cause__", "__context__"):
            cause = getattr(below, name)
            if cause is not None and not isinstance(cause, DatabricksError) and _shows_a_secret(cause, hide):
                setattr(below, name, None)
        below = below.__cause__ or below.__context__


def _shows_a_secret(error: BaseException, hide: Callable[[str], str]) -> bool:
    text = " ".join(str(error).split())
    return one_line(hide(text), len(text) + 1) != text


async def _started(credential: Credential) -> object:
    result = credential()
    if not inspect.isawaitable(result):
        kind = type(result).__name__
        raise _NotACredential(
            f"a credential gives a Token when it is awaited, and this one gave a {kind} at once: "
            "make it an async function"
        )
    return await result


def _checked(token: object) -> Token:
    if isinstance(token, Token):
        return token
    kind = type(token).__name__
    how = "return Token(value, expires_at), imported from databricks_async"
    if hasattr(token, "token") and hasattr(token, "expires_on"):
        how = f"{how}, or pass the azure.core credential itself"
    raise _NotACredential(f"a credential gives a Token, not a {kind}: {how}")


def _own_copy(error: BaseException) -> BaseException:
    """An error for one caller of many: the layers note on it what became of that call."""
    own = copy.copy(error)
    own.__cause__ = error.__cause__
    return own


def authenticated(send: Send, tokens: Tokens) -> Send:
    """Adds the token. A refused token is renewed and the request sent once more: it was not carried out.

    Once, unless the new token has been taken from another call meanwhile: then it was revoked, too.
    """
    taken: Token | None = None

    async def authenticate(request: Request) -> Response:
        nonlocal taken
        token = tokens.current() or await tokens.get()
        attempts = 0
        while True:
            try:
                response = await send(request.with_headers(token.headers))
            except DatabricksError as error:
                error.attempts += attempts
                raise
            response.attempts += attempts
            if response.status not in (401, 403) or not is_expired_token(response):
                taken = token
                return response
            if attempts and token is not taken:
                return response
            if (renewed := await tokens.renew(token)) is None:
                return response
            token, attempts = renewed, response.attempts
            log.info("%s: token refused with %d, sending again with a new one", request.endpoint, response.status)

    return authenticate
