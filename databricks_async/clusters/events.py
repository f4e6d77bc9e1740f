"""What happened to a cluster: its events in pages and as a stream, and its history as a picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson

from databricks_async.clusters import models
from databricks_async.clusters.following import PAGE_SIZE, EventFeed
from databricks_async.codec import check_word
from databricks_async.epoch import to_epoch_ms
from databricks_async.error_bodies import one_line
from databricks_async.errors import InvalidResponse
from databricks_async.following.stream import Stream
from databricks_async.pager import Pager, Places, size_of_page
from databricks_async.polling.following import FAIL_AFTER_SECONDS
from databricks_async.service import Service, identifier, number
from databricks_async.suggest import has_no
from databricks_async.wait import Timeout, seconds_of

if TYPE_CHECKING:
    from databricks_async.clusters.models import ClusterEvent, EventType, GetEventsOrder, GetEventsResponse
    from databricks_async.pictures import Timeline

_MAX_EVENTS = {"2.0": 50, "2.1": 500}
"""Events a page unless the caller says otherwise: as many as the version is documented to give."""


class ClusterEvents(Service):
    """The methods of `w.clusters` about what happened to a cluster."""

    @has_no(limit="write page_size= for how many one request brings, max_items= for how many in all")
    def events(
        self,
        cluster_id: str,
        *,
        start_time: int | datetime | None = None,
        end_time: int | datetime | None = None,
        order: GetEventsOrder | str | None = None,
        event_types: Iterable[EventType | str] | None = None,
        offset: int | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        max_items: int | None = None,
        concurrency: int | None = None,
    ) -> Pager[ClusterEvent]:
        """What happened to a cluster, the newest first unless `order="ASC"`.

        `start_time` and `end_time` are epoch milliseconds or aware datetimes. `page_size` is how many events one
        request brings: 500 at most, and by default (50 with API 2.0). `page_token` goes on after the page that gave it,
        `offset` leaves out so many of the first. At most `concurrency` pages are read at once, by default 16, for
        some requests more (see `Pager`); with `order="ASC"` and no `end_time`, or from a `page_token` on, the next one
        while the caller works.

        `POST /api/2.1/clusters/events`: https://docs.databricks.com/api/azure/workspace/clusters/events
        """
        identifier("cluster_id", cluster_id)
        if offset is not None:
            number("offset", offset)
        usual = _MAX_EVENTS.get(self._version, 500)
        if isinstance(event_types, str):
            event_types = (event_types,)
        types = None if event_types is None else [*event_types]
        for index, event_type in enumerate(types or ()):
            check_word(models.EventType, event_type, "event_types", index)
        check_word(models.GetEventsOrder, order, "order")
        first = {
            "cluster_id": cluster_id,
            "start_time": to_epoch_ms("start_time", start_time),
            "end_time": to_epoch_ms("end_time", end_time),
            "order": order,
            "event_types": types,
            "limit" if self._version == "2.0" else "page_size": size_of_page(page_size, usual, 500, max_items),
        }

        def body(token: str | None) -> object:
            if token is not None and token.startswith("{"):
                return _resumed_events(token, cluster_id)
            page = {**first, "offset": offset} if token is None else {**first, "page_token": token}
            return {name: value for name, value in page.items() if value is not None}

        return self._list(
            "POST /api/{v}/clusters/events",
            models.GetEventsResponse,
            lambda answer: answer.events,
            partial(_next_events, cluster_id),
            body=body,
            places=_places({name: value for name, value in first.items() if value is not None}),
            page_token=page_token,
            max_items=max_items,
            concurrency=concurrency,
        )

    def follow_events(
        self,
        cluster_id: str,
        *,
        since: int | datetime | str | None = None,
        every: Timeout = None,
        fail_after: Timeout = FAIL_AFTER_SECONDS,
    ) -> Stream[ClusterEvent]:
        """Follow the events of a cluster: each once, in the order of time, those to come as they appear.

        `async for event in w.clusters.follow_events(cluster_id, since=...)` begins with all events that the service
        still has; or with those from `since` on: epoch milliseconds, an aware datetime, or the `token` of an earlier
        stream, which goes on behind the last event that it returned. `every` is how many seconds lie between two
        polls (`POST /api/2.1/clusters/events`), up to three times as many while nothing happens; by default
        `poll_interval_seconds`. Polls that fail do not end it before `fail_after` seconds of nothing else.

        Events have no ids: equal ones of one millisecond are told apart by their number. One that appears later than
        others of a later time is returned then, if it is not more than an hour older than the newest. The stream ends
        when the cluster is permanently deleted; raises `ResourceDoesNotExist` if it is unknown from the start.
        """
        moment = since if isinstance(since, str) else to_epoch_ms("since", since)
        events = partial(self.events, identifier("cluster_id", cluster_id), order="ASC", page_size=PAGE_SIZE)
        return Stream(
            f"the events of cluster {cluster_id}",
            EventFeed(cluster_id, events, moment),
            every=every,
            fail_after=seconds_of(fail_after, "fail_after"),
            default=self._session.config.poll_interval_seconds,
            sleep=self._session.pause,
        )

    async def history(
        self,
        cluster_id: str,
        *,
        start_time: int | datetime | None = None,
        end_time: int | datetime | None = None,
        now: int | datetime | None = None,
    ) -> Timeline:
        """The lives of a cluster, from each start to its end, made of all its events: a value, and a picture.

        `start_time` and `end_time` are epoch milliseconds or aware datetimes; without them it begins with the first
        event that the service still has. What has not ended is drawn up to `now`, by default up to the latest moment
        that the service reports of the cluster, so that equal answers give equal pictures. Reads the cluster with
        `GET /api/2.1/clusters/get`, and its events in pages. Raises `ResourceDoesNotExist`.
        """
        from databricks_async.clusters.history import history_of  # here, because few programs draw pictures

        moments = {"start_time": start_time, "end_time": end_time, "now": now}
        times = {name: to_epoch_ms(name, moment) for name, moment in moments.items()}
        cluster = await self._call(
            "GET /api/{v}/clusters/get", models.ClusterDetails, cluster_id=identifier("cluster_id", cluster_id)
        )
        events = self.events(cluster_id, order="ASC", start_time=times["start_time"], end_time=times["end_time"])
        return history_of(cluster_id, cluster, await events.collect(), now=times["now"], until=times["end_time"])


def _places(first: Mapping[str, Any]) -> Places[ClusterEvent] | None:
    """Events by time. By offset it would take the service's count of them: the official SDK's documentation says of
    `total_count` that it is 0 with page tokens and soon always, and of `offset` that it is deprecated. And an event
    that appears late would move all those behind it from one page to another.

    Whether `end_time` is part of the range is not documented: one millisecond more is asked for.
    """
    is_ascending = first.get("order") == models.GetEventsOrder.ASC
    if is_ascending and "end_time" not in first:
        return None  # where such a listing ends is up to its first page

    def place_of(event: ClusterEvent) -> int | None:
        return event.timestamp if is_ascending or event.timestamp is None else -event.timestamp

    def token_at(place: int, page_token: str) -> str:
        if page_token.startswith("{"):
            return page_token
        time = {"start_time": place - 1} if is_ascending else {"end_time": max(1, 1 - place)}
        return orjson.dumps({**first, **time, **({"page_token": page_token} if page_token else {})}).decode()

    return Places(place_of, token_at)


def _resumed_events(token: str, cluster_id: str) -> dict[str, Any]:
    """The request that a page token of 2.0 stands for; see _next_events."""
    try:
        body = orjson.loads(token)
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict) or body.get("cluster_id") != cluster_id:
        raise ValueError(f"page_token is none of a page of the events of cluster {cluster_id}, read with API 2.0")
    return body


def _next_events(cluster_id: str, answer: GetEventsResponse) -> str | None:
    """The token of 2.1; for 2.0, whose `next_page` is the whole body of the next request, that body as text."""
    if answer.next_page_token or not answer.next_page:
        return answer.next_page_token
    following = {"cluster_id": cluster_id, **answer.next_page}
    if following["cluster_id"] != cluster_id:
        named = one_line(str(following["cluster_id"]), 100)
        raise InvalidResponse(f"the events of cluster {cluster_id} are said to go on with those of cluster {named}")
    return orjson.dumps(following).decode()
