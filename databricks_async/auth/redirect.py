"""The browser's part of a login: it is opened, and what it brings back is taken on a port of this machine."""

from __future__ import annotations

import asyncio
import html
import os
import secrets
import shlex
import subprocess
import threading
import webbrowser
from urllib.parse import parse_qs, urlsplit

from databricks_async.error_bodies import one_line
from databricks_async.errors import AuthError
from databricks_async.secret import HiddenStr, hide

_MAX_BYTES = 64 * 1024
_PAGE = """<!doctype html><meta charset="utf-8"><title>databricks-async</title>
<body style="font-family: sans-serif; margin: 4em"><h1>{title}</h1><p>{text}</p>"""


class Redirect:
    """Listens for the one redirect of a login whose `state` is right. `async with` opens and closes the port."""

    def __init__(self, ports: range) -> None:
        self.state = secrets.token_urlsafe(32)
        self._ports = ports
        self._server: asyncio.Server | None = None
        self._code: asyncio.Future[HiddenStr] = asyncio.get_running_loop().create_future()
        self._connections: set[asyncio.StreamWriter] = set()
        self.url = ""

    async def __aenter__(self) -> Redirect:
        for port in self._ports:
            try:
                self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
            except OSError:
                continue  # another login is under way there
            self.url = f"http://localhost:{self._server.sockets[0].getsockname()[1]}"
            return self
        raise AuthError(f"no port from {self._ports[0]} to {self._ports[-1]} is free for the browser's answer")

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
            for writer in self._connections:
                writer.close()
            await self._server.wait_closed()
        if self._code.done() and not self._code.cancelled():
            self._code.exception()

    async def code(self, seconds: float) -> HiddenStr:
        """The code that the browser brings. Raises `AuthError` with the login page's own error, or when none comes."""
        try:
            async with asyncio.timeout(seconds):
                return await self._code
        except TimeoutError:
            raise AuthError(f"no login within {seconds:g} s") from None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            status, title, text = self._answer(await _read_parameters(reader))
            page = _PAGE.format(title=html.escape(title), text=html.escape(text)).encode()
            writer.write(
                f"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(page)}\r\n"
                "Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nConnection: close\r\n\r\n".encode()
                + page
            )
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            return  # no browser's request
        finally:
            self._connections.discard(writer)
            writer.close()

    def _answer(self, parameters: dict[str, str] | None) -> tuple[str, str, str]:
        if parameters is None:
            return "404 Not Found", "Not found", "Only a login's redirect is taken here."
        # A request without the state did not come from the page that was opened: the wait goes on.
        if not secrets.compare_digest(parameters.get("state", "").encode(), self.state.encode()):
            return "400 Bad Request", "Not this login", "The answer belongs to no login that is under way here."
        if self._code.done():
            return "200 OK", "Logged in", "This login has been answered already."
        if parameters.get("code"):
            self._code.set_result(HiddenStr(parameters["code"]))
            return "200 OK", "Logged in", "You may close this window and go back to your program."
        error, description = parameters.get("error", "no code"), parameters.get("error_description", "")
        said = one_line(f"{error}: {description}" if description else error)
        self._code.set_exception(AuthError(f"the login page refused: {said}", error_code=one_line(error, 100)))
        return "200 OK", "Not logged in", said


async def _read_parameters(reader: asyncio.StreamReader) -> dict[str, str] | None:
    """What a GET to / has in its query, or a POST in its form; None for any other request."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    method, target, _ = head.split("\r\n", 1)[0].split(" ", 2)
    parts = urlsplit(target)
    query = parts.query
    if parts.path != "/" or method not in ("GET", "POST"):
        return None
    if method == "POST":
        fields = [line.partition(":") for line in head.split("\r\n")[1:]]
        length = next((int(value) for name, _, value in fields if name.lower() == "content-length"), 0)
        if not 0 <= length <= _MAX_BYTES:
            return None
        query = (await reader.readexactly(length)).decode("latin-1")
    return {name: hide(values[-1]) for name, values in parse_qs(query).items()}


async def open_browser(url: str) -> bool:
    """Show a page in the person's browser: the one that BROWSER names, else the system's. False if there is none."""
    return await asyncio.to_thread(_open_browser, url)


def _open_browser(url: str) -> bool:
    commands = [command for command in os.environ.get("BROWSER", "").split(os.pathsep) if command.strip()]
    for command in commands:
        words = shlex.split(command.rstrip("& "))
        words = [word.replace("%s", url) for word in words] if "%s" in command else [*words, url]
        try:
            process = subprocess.Popen(  # noqa: S603 (the person's own choice)
                words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
        except OSError:
            continue
        # It may stay open for hours: only this thread waits for its end, and it ends with the program.
        threading.Thread(target=process.wait, daemon=True).start()
        return True
    return not commands and webbrowser.open(url)
