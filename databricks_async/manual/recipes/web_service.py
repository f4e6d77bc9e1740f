"""A web service with server-sent events.

FastAPI shows browsers the states of all clusters and the events of one, as they come. All
browsers share one client and its polls: a thousand that look at the same workspace cost what
one costs.

Run it with `python web_service.py` (`pip install databricks-async fastapi uvicorn`), and
listen with `new EventSource("/clusters/0923-164208-meows279/events")`, or `curl -N`.

When things go wrong:

- The workspace cannot be reached: polls go on for ten minutes, and the stream stays open.
  After that it ends.
- A stream ends, or its connection: the browser connects again by itself, with the id of the
  last event that it got. Nothing is left out and nothing repeated.
- A browser goes: its watch ends with its request.
- SIGTERM or Ctrl-C: uvicorn gives streams a second, since they have no end of their own, and
  ends them. Then the client closes its connections.
"""

import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import StreamingResponse

from databricks_async import DatabricksError, Stream, WorkspaceClient
from databricks_async.clusters import ClusterEvent
from databricks_async.errors import NotFound

log = logging.getLogger("web_service")


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with WorkspaceClient() as app.state.w:
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/clusters")
async def clusters(request: Request) -> StreamingResponse:
    """What changes of any cluster; at first how each stands."""
    w: WorkspaceClient = request.app.state.w

    async def messages() -> AsyncIterator[str]:
        try:
            async for change in w.clusters.watch():
                state = change.after.state if change.after else "DELETED"
                yield message({"cluster_id": change.cluster_id, "state": state})
        except DatabricksError as error:
            log.warning("a stream of states ends: %s", error)

    return StreamingResponse(messages(), media_type="text/event-stream")


@app.get("/clusters/{cluster_id}/events")
async def events(cluster_id: str, request: Request) -> StreamingResponse:
    w: WorkspaceClient = request.app.state.w
    try:
        await w.clusters.get(cluster_id)  # while the answer can still be an error
        since = request.headers.get("last-event-id")
        stream = w.clusters.follow_events(cluster_id, since=since)
    except NotFound as error:
        raise HTTPException(404, error.message) from error
    except DatabricksError as error:
        raise HTTPException(502, error.message) from error
    except ValueError as error:  # an id that is none of ours
        raise HTTPException(400, str(error)) from error
    return StreamingResponse(messages_of(stream), media_type="text/event-stream")


async def messages_of(stream: Stream[ClusterEvent]) -> AsyncIterator[str]:
    try:
        async for event in stream:
            yield f"id: {stream.token}\n{message(event.as_dict())}"
    except DatabricksError as error:
        log.warning("a stream of events ends: %s", error)


def message(data: object) -> str:
    return f"data: {json.dumps(data)}\n\n"


if __name__ == "__main__":
    uvicorn.run(app, timeout_graceful_shutdown=1)
