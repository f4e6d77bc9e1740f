"""A web service with server-sent events.

FastAPI shows browsers the states of all clusters and the events of one, as they come. All
browsers share one client and its polls: a thousand that look at the same workspace cost what
one costs.

Run it with `python web_service.py` (`pip install databricks-async fastapi uvicorn`), and
listen with `new EventSource("/clusters/0923-164208-meows279/events")`, or `curl -N`.

When things go wrong:

- The workspace cannot be reached: polls go on for ten minutes, and the stream stays open.
  After that it ends, with an event `failure` that says why.
- Nothing happens: a comment every 15 seconds keeps proxies from closing the connection.
- A stream ends, or its connection: the browser connects again by itself, with the id of the
  last event that it got. Nothing is left out and nothing repeated.
- A browser goes: its watch ends with its request.
- SIGTERM or Ctrl-C: streams have no end of their own, and uvicorn leaves `lifespan` only when
  all connections are closed. So the server closes the client first, which ends the streams.
"""

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

import uvicorn
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import StreamingResponse

from databricks_async import DatabricksError, WorkspaceClient
from databricks_async.clusters import ClusterChange, ClusterEvent
from databricks_async.errors import LifecycleError, NotFound

T = TypeVar("T")

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

    def write(change: ClusterChange) -> str:
        return message({"cluster_id": change.cluster_id, "state": change.state or "DELETED"})

    return StreamingResponse(
        messages(w.clusters.watch(), write), media_type="text/event-stream"
    )


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

    def write(event: ClusterEvent) -> str:
        return f"id: {stream.token}\n{message(event.as_dict())}"

    return StreamingResponse(messages(stream, write), media_type="text/event-stream")


async def messages(items: AsyncIterator[T], write: Callable[[T], str]) -> AsyncIterator[str]:
    while True:
        try:
            item = await asyncio.wait_for(anext(items), 15)
        except (LifecycleError, StopAsyncIteration):
            return  # the service stops (it has closed the client), or the cluster is gone
        except DatabricksError as error:
            log.warning("a stream ends: %s", error)
            yield f"event: failure\n{message(error.message)}"
            return
        except TimeoutError:
            yield ": nothing new\n\n"
        else:
            yield write(item)


def message(data: object) -> str:
    return f"data: {json.dumps(data)}\n\n"


class Server(uvicorn.Server):
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await app.state.w.aclose()  # ends the streams, which uvicorn waits for
        await super().shutdown(sockets)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        Server(uvicorn.Config(app, timeout_graceful_shutdown=5)).run()
