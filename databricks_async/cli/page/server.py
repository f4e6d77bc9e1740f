"""The server of the page: its three files, the stream of changes, and pictures of runs; read-only."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from importlib.resources import files

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from databricks_async.cli.page.feed import Feed
from databricks_async.cli.page.timelines import Timelines
from databricks_async.config import is_loopback
from databricks_async.errors import DatabricksError, NotFound

_FILES = {
    "": ("page.html", "text/html"),
    "page.css": ("page.css", "text/css"),
    "page.js": ("page.js", "text/javascript"),
}
_HEADERS = {
    # Nothing but what is here: no other script or style, no frame around it, no form.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_SVG_HEADERS = {**_HEADERS, "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}


@contextlib.asynccontextmanager
async def serving(feed: Feed, timelines: Timelines, host: str, port: int) -> AsyncIterator[str]:
    """Serve the page while the block runs, at the address that it gets. Raises OSError when that is taken."""
    app = _app(feed, timelines, is_loopback(host))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        address = runner.addresses[0]
        name = f"[{address[0]}]" if ":" in address[0] else address[0]
        yield f"http://{name}:{address[1]}/"
    finally:
        feed.close()
        await runner.cleanup()


def _app(feed: Feed, timelines: Timelines, only_here: bool) -> web.Application:
    app = web.Application(middlewares=[_guard(only_here)])
    static = files("databricks_async.cli.page") / "static"
    for path, (name, kind) in _FILES.items():
        app.router.add_get(f"/{path}", _file((static / name).read_bytes(), kind))

    async def events(request: web.Request) -> web.StreamResponse:
        headers = {**_HEADERS, "Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):  # the browser has left
            async for part in feed.stream(request.headers.get("Last-Event-ID", "")):
                await response.write(part)
        return response

    async def timeline(request: web.Request) -> web.StreamResponse:
        try:
            svg = await timelines.svg(int(request.match_info["run_id"]))
        except NotFound as error:
            raise web.HTTPNotFound(text=error.message) from None
        except DatabricksError as error:
            raise web.HTTPBadGateway(text=str(error)) from None
        return web.Response(text=svg, content_type="image/svg+xml", headers=_SVG_HEADERS)

    app.router.add_get("/events", events)
    app.router.add_get(r"/timeline/{run_id:\d{1,19}}.svg", timeline)
    return app


def _file(content: bytes, kind: str) -> Handler:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=content, content_type=kind, charset="utf-8", headers=_HEADERS)

    return answer


def _guard(only_here: bool) -> Middleware:
    """Refuse requests of another site's page that has made its own name mean this machine (DNS rebinding)."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if only_here and not is_loopback(request.url.host or ""):
            raise web.HTTPForbidden(text="This page is served to this machine by its own name only.")
        return await handler(request)

    return guard
