"""How clusters are polled: one by `clusters/get`, many by `clusters/list`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, cast

import attrs
import orjson

from databricks_async.clusters.models import ClusterDetails
from databricks_async.codec import Model, WrongShape
from databricks_async.errors import InvalidResponse
from databricks_async.pager import Page, Pager
from databricks_async.polling.things import Item, Thing


@attrs.define(kw_only=True, repr=False, eq=False)
class _Clusters(Model):
    """A page of clusters, which are made into models only when they have changed."""

    clusters: list[Any] | None = None
    next_page_token: str | None = None


class ClusterPolls:
    """What the reader of clusters has to know about them. The functions are those of the service."""

    def __init__(
        self,
        call: Callable[..., Awaitable[Any]],
        list_pages: Callable[..., Pager[Any]],
        served_at: Callable[[], datetime | None],
        version: str,
    ) -> None:
        self._call = call
        self._list_pages = list_pages
        self.served_at = served_at
        self._query = {} if version == "2.0" else {"page_size": 100}
        """Version 2.0 has no pages."""

    async def get(self, thing: Thing[str, ClusterDetails]) -> Item:
        cluster_id = thing.key
        item = await self._call("GET /api/{v}/clusters/get", cast("type[Any]", Any), cluster_id=cluster_id)
        if not isinstance(item, dict):
            raise InvalidResponse(f"the answer is not a description of cluster {cluster_id}", status=200)
        return item

    def pages(self, things: Sequence[Thing[str, ClusterDetails]]) -> AsyncIterator[Page[Any]]:
        return self.all_pages(things)

    def all_pages(self, _: object) -> AsyncIterator[Page[Any]]:
        return self._list_pages(
            "GET /api/{v}/clusters/list",
            _Clusters,
            lambda answer: answer.clusters,
            lambda answer: answer.next_page_token,
            query=self._query,
        ).pages()

    def is_universal(self, _: object) -> bool:
        return True

    def key(self, item: Any) -> str | None:
        key = item.get("cluster_id") if isinstance(item, dict) else None
        return key if isinstance(key, str) else None

    def mark(self, item: Item) -> int:
        # While a cluster works, this time goes on and nothing else does.
        return hash(orjson.dumps({**item, "last_activity_time": None}))

    def decode(self, item: Item, *, listed: bool) -> ClusterDetails:
        try:
            return ClusterDetails.from_dict(item)
        except WrongShape as error:
            raise InvalidResponse(f"the answer is not what the API promises: {error}", status=200) from error

    def where(self, _: ClusterDetails) -> bool:
        return True

    def is_enough(self, _: ClusterDetails, *, parts: bool) -> bool:
        return True
