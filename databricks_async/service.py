"""What all services share: one call, one paged listing."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar
from urllib.parse import quote

from databricks_async import codec
from databricks_async.error_bodies import http_date
from databricks_async.errors import About, InvalidResponse, OutcomeUnknown
from databricks_async.message import Replay, Request, Response, flatten_query
from databricks_async.pager import Ahead, Page, Pager, Places
from databricks_async.polling.reader import Reader
from databricks_async.polling.things import Source
from databricks_async.suggest import did_you_mean

if TYPE_CHECKING:
    from databricks_async.session.session import Session

K = TypeVar("K")
T = TypeVar("T")
Item = TypeVar("Item")
M = TypeVar("M", bound=codec.Model)

_JSON = {"Content-Type": "application/json"}
_PATH_PARAMETER = re.compile(r"\{(\w+)\}")
_USUAL_REPLAY: dict[str, Replay] = {
    "GET": "safe",
    "HEAD": "safe",
    "PUT": "idempotent",
    "DELETE": "idempotent",
    "POST": "unsafe",
    "PATCH": "unsafe",
}

RENAMED = {
    "wait_get_cluster_running": "wait_running",
    "wait_get_cluster_terminated": "wait_terminated",
    "wait_get_run_job_terminated_or_skipped": "wait_run",
}
"""Methods of the official SDK that have a shorter name here."""


class Service:
    """The methods of one API. `version` fills the `{v}` of their endpoints."""

    def __init__(self, session: Session, version: str) -> None:
        self._session = session
        self._version = version
        self._endpoints: dict[str, tuple[str, str, bool]] = {}
        self._date = ""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} API {self._version} of {self._session.config.host}>"

    if not TYPE_CHECKING:  # to type checkers there are none

        def __getattr__(self, name: str) -> NoReturn:
            methods = [method for method in dir(type(self)) if not method.startswith("_")]
            meant = "" if name.startswith("_") else did_you_mean(RENAMED.get(name, name), methods)
            whose = f"{type(self).__name__} has no attribute {name!r}"
            raise AttributeError(f"{whose}: {meant}" if meant else whose, name=name, obj=self)

    def _new_reader(self, what: str, source: Source[K, T]) -> Reader[K, T]:
        """The one reader of a kind of things, which polls for all who wait for them."""
        config = self._session.config
        seconds = {"tick": config.poll_interval_seconds, "page_seconds": config.http_timeout_seconds}
        return Reader(what, source, self._session, **seconds)

    async def _call(
        self,
        endpoint: str,
        result: type[T],
        *,
        query: Mapping[str, object] | None = None,
        body: object = None,
        replay: Replay | None = None,
        lookup: str = "",
        **params: object,
    ) -> T:
        """Send one request and convert its answer.

        `params` fill the braces of the path; the others are the query of a GET, or the JSON body of anything else
        (None is left out), unless `body` is given. `query` is the query of any method. `lookup` says to the caller of
        an unsafe operation how to find out whether it was carried out.
        """
        request = self._request(endpoint, query, body, replay, lookup, params)
        del params, query, body  # thousands of calls may wait, and the request has it all
        response = await self._session.send(request)
        self._date = response.headers.get("date", self._date)
        return answer_as(result, request, response)

    def _request(
        self,
        endpoint: str,
        query: Mapping[str, object] | None,
        body: object,
        replay: Replay | None,
        lookup: str,
        params: dict[str, object],
    ) -> Request:
        key, path, plain = self._endpoints.get(endpoint) or self._prepare(endpoint)
        if not plain:
            path = _filled(path, params)
        if key.startswith("GET "):
            return Request(key, path, flatten_query({**query, **params} if query else params))
        if body is None:
            body = {name: value for name, value in params.items() if value is not None}
        pairs = flatten_query(query) if query else ""
        return json_request(key, path, query=pairs, body=body, replay=replay, lookup=lookup)

    def _served_at(self) -> datetime | None:
        """The service's clock at its last answer, to the second; None if it has not said."""
        return http_date(self._date)

    def _list(
        self,
        endpoint: str,
        envelope: type[T],
        items: Callable[[T], Sequence[Item] | None],
        next_page_token: Callable[[T], str | None] = lambda _: None,
        *,
        query: Mapping[str, object] | None = None,
        body: Callable[[str | None], object] | None = None,
        has_more: Callable[[T], bool | None] = lambda _: None,
        fill_in: Callable[[Sequence[Item]], Awaitable[object]] | None = None,
        places: Places[Item] | None = None,
        page_token: str | None = None,
        max_items: int | None = None,
        concurrency: int | None = None,
    ) -> Pager[Item]:
        """Walk a paged endpoint: `items` and `next_page_token` take each of its answers apart.

        A token that is absent, null or empty ends the listing, unless the answer `has_more`: such a service pages by
        the `offset` of the query. The token of a page is sent as the `page_token` of the query, or by `body`, which
        makes the body of the request from it. `fill_in` is awaited for the items of a page before the page is returned.
        With `places` several pages are read at once.
        """

        async def fetch(token: str | None) -> Page[Item]:
            where = {**(query or {}), **_place_of(token)} if body is None else query
            made = None if body is None else body(token)
            answer = await self._call(endpoint, envelope, query=where, body=made, replay="safe")
            found, next_token = items(answer) or [], next_page_token(answer) or None
            if next_token is None and has_more(answer) and "page_token" not in (where or {}):
                next_token = f"offset={_offset_of(where) + len(found)}"
            page = Page(
                found,
                next_token,
                getattr(answer, "prev_page_token", None) or None,
                getattr(answer, "total_count", None),
            )
            if self._session.handlers.any:
                from databricks_async.events.kinds import PageReceived

                is_last = next_token is None
                self._session.handlers.emit(PageReceived(endpoint=name, items=len(found), is_last=is_last))
            if fill_in is not None:
                await fill_in(page.items)
            return page

        name = endpoint.replace("{v}", self._version)
        return Pager(
            fetch,
            page_token=page_token,
            max_items=max_items,
            concurrency=concurrency,
            ahead=Ahead(self._session.start, partial(self._session.has_room, name), places),
            name=name,
        )

    def _prepare(self, template: str) -> tuple[str, str, bool]:
        endpoint = template.replace("{v}", self._version)
        path = endpoint.partition(" ")[2]
        prepared = self._endpoints[template] = (endpoint, path, "{" not in path)
        return prepared


def _filled(path: str, params: dict[str, object]) -> str:
    """A path with its braces filled by some of the parameters, which are taken out."""
    return _PATH_PARAMETER.sub(lambda found: path_segment(found[1], params.pop(found[1])), path)


def _place_of(page_token: str | None) -> dict[str, object]:
    """The part of a query that says which page: by the service's token, or by an offset or a time of ours."""
    if not page_token:
        return {}
    if found := re.fullmatch("start_time_to=([0-9]+)&(.*)", page_token, re.DOTALL):
        return {"offset": None, **_place_of(found[2]), "start_time_to": int(found[1])}
    if found := re.fullmatch("offset=([0-9]+)", page_token):
        return {"offset": int(found[1])}
    return {"page_token": page_token, "offset": None}


def _offset_of(query: Mapping[str, object] | None) -> int:
    offset = (query or {}).get("offset")
    return offset if isinstance(offset, int) else 0


def json_request(
    endpoint: str, path: str, *, query: str = "", body: object = None, replay: Replay | None = None, lookup: str = ""
) -> Request:
    """A request with a JSON body. What may be sent twice follows from the method unless `replay` says it."""
    replay = replay or _USUAL_REPLAY[endpoint.partition(" ")[0]]
    if body is None:
        return Request(endpoint, path, query, None, {}, replay, lookup)
    return Request(endpoint, path, query, codec.encode(body), _JSON, replay, lookup)


def answer_as(result: type[T], request: Request, response: Response) -> T:
    """The body as `result`; `type(None)` for an answer that says nothing but that it went well."""
    if result is type(None):
        return None  # pyright: ignore[reportReturnType] (T is None here)
    try:
        return codec.decode(response.body, result)
    except codec.WrongShape as error:
        known: About = {"status": response.status, "endpoint": request.endpoint, "attempts": response.attempts}
        failure = InvalidResponse(f"the answer is not what the API promises: {error}", **known)
        if request.replay in ("unsafe", "token"):
            what = f"{request.endpoint} was probably carried out, but its answer cannot be read ({error})"
            raise OutcomeUnknown(what, lookup=request.lookup, **known) from failure
        try:
            raise failure from error
        finally:
            del failure  # its traceback holds this frame


def path_segment(name: str, value: object) -> str:
    """One parameter of a path, percent-encoded so that it stays one segment."""
    value = identifier(name, value)
    if value in (".", ".."):
        raise ValueError(f"{name} cannot be {value!r}")
    return quote(value, safe="")


def identifier(name: str, value: object) -> str:
    """An id that can be sent: text, and not empty."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, not {type(value).__name__}")
    if not value.strip():
        raise ValueError(f"{name} is empty")
    return value


def number(name: str, value: object) -> int:
    """A numeric id that can be sent."""
    if type(value) is not int:
        raise TypeError(f"{name} must be an int, not {type(value).__name__}")
    if value < 0:
        raise ValueError(f"{name} cannot be negative, and {value} is")
    return value


def received_id(name: str, value: int | None) -> int:
    """A numeric id out of an answer, to ask with. Raises `InvalidResponse`: a wrong one is not the caller's fault."""
    if value is None or value < 0:
        raise InvalidResponse(
            f"an answer has {'no' if value is None else 'the impossible'} {name}"
            + ("" if value is None else f" {value}")
        )
    return value


def build_each(cls: type[M], given: Iterable[M | Mapping[str, Any]], name: str) -> list[M]:
    """`codec.build` for each of a list; what is wrong names its place in the list of this name."""
    if isinstance(given, codec.Model):
        raise TypeError(f"{name} is a list, and a {type(given).__name__} is not iterable: put it into one")
    built = []
    for index, one in enumerate(given):
        try:
            built.append(codec.build(cls, one))
        except codec.WrongShape as error:
            raise error.inside(index).inside(name) from None
    return built
