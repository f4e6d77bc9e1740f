"""The whole page: read, drawn and served while a block runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from databricks_async.cli.page.feed import Feed
from databricks_async.cli.page.reading import Reading
from databricks_async.cli.page.server import serving
from databricks_async.cli.page.timelines import Timelines

if TYPE_CHECKING:
    from databricks_async.client import WorkspaceClient


@asynccontextmanager
async def live_page(
    client: WorkspaceClient, host: str, port: int, *, now: Callable[[], int], speed: float = 1.0
) -> AsyncIterator[str]:
    """Serve the page of a client's workspace, and yield its URL. Raises OSError when the address is taken.

    `now` is the service's time in epoch milliseconds, `speed` how many of its seconds pass in a real one.
    """
    feed, timelines = Feed(), Timelines(client, now)
    async with serving(feed, timelines, host, port) as url:
        reading = asyncio.create_task(Reading(client, feed, now, speed).run())
        try:
            yield url
        finally:
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading
            await timelines.close()
