"""A browser that a test or benchmark drives: Chromium without a window, by its DevTools protocol."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import tempfile
from collections import deque
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp

from support import browser

_START_SECONDS = 60
_ANSWER_SECONDS = 10


class Tab:
    """One page of the browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._number = 0
        self.events: deque[dict[str, Any]] = deque(maxlen=100_000)
        """What the browser said without being asked."""
        self._news = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self._socket:
            said = json.loads(message.data)
            if "id" not in said:
                self.events.append(said)
                self._news.set()
            elif (future := self._answers.pop(said["id"], None)) is not None and not future.done():
                if "error" in said:
                    future.set_exception(RuntimeError(said["error"]["message"]))
                else:
                    future.set_result(said["result"])

    async def send(self, method: str, **params: Any) -> Any:
        """Call a method of the protocol, such as `Page.navigate`."""
        self._number += 1
        future = self._answers[self._number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": self._number, "method": method, "params": params})
        async with asyncio.timeout(_ANSWER_SECONDS):
            return await future

    async def event(self, method: str) -> Any:
        """What the browser said first, or says next, of this kind."""
        async with asyncio.timeout(_ANSWER_SECONDS):
            while not (found := [event["params"] for event in self.events if event["method"] == method]):
                self._news.clear()
                await self._news.wait()
        return found[-1]

    async def run(self, script: str) -> Any:
        """The value of an expression, or of the promise that it is. Raises AssertionError with what it throws."""
        done = await self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    async def until(self, condition: str) -> None:
        """Wait until an expression is true."""
        # Looked at once a frame in a tab that is seen, and once a timer in one that is hidden.
        await self.run(
            f"new Promise(done => {{ const look = () => ({condition}) ? done() : setTimeout(look, 10); look(); }})"
        )

    async def open(self, url: str, *, width: int = 1200, height: int = 800, scheme: str = "light") -> None:
        """Go there, in a window of this size and a light or dark scheme."""
        await self.send("Page.enable")
        await self.send("Runtime.enable")
        await self.send("Log.enable")
        await self.look(width=width, height=height, scheme=scheme)
        await self.send("Page.navigate", url=url)

    async def look(self, *, width: int = 1200, height: int = 800, scheme: str = "light") -> None:
        """Change the size of the window and the scheme."""
        await self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        await self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    async def screenshot(self) -> bytes:
        """What is seen, as PNG."""
        return base64.b64decode((await self.send("Page.captureScreenshot"))["data"])

    async def press(self, key: str, code: str, number: int, text: str = "") -> None:
        """Press a key and let it go."""
        about = {"key": key, "code": code, "windowsVirtualKeyCode": number}
        await self.send("Input.dispatchKeyEvent", type="keyDown", text=text, **about)
        await self.send("Input.dispatchKeyEvent", type="keyUp", **about)

    @property
    def complaints(self) -> list[str]:
        """Errors and warnings of the console, exceptions, and violations of the content security policy."""
        found = []
        for event in self.events:
            params = event.get("params", {})
            if event["method"] == "Runtime.exceptionThrown":
                found.append(params["exceptionDetails"].get("exception", {}).get("description", "exception"))
            elif event["method"] == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
                found.append(params["entry"]["text"])
            elif event["method"] == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning"):
                found.append(str(params["args"]))
        return found

    async def close(self) -> None:
        """Leave the page to itself."""
        self._reading.cancel()
        await self._socket.close()


class Browser:
    """A running browser, which makes tabs."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url
        self._tabs: list[Tab] = []

    async def tab(self) -> Tab:
        """A new, empty page."""
        async with self._session.put(f"{self._url}/json/new?about:blank") as response:
            about = await response.json()
        tab = Tab(await self._session.ws_connect(about["webSocketDebuggerUrl"], max_msg_size=0))
        self._tabs.append(tab)
        return tab

    async def close(self) -> None:
        """Leave all tabs."""
        for tab in self._tabs:
            await tab.close()


@contextlib.asynccontextmanager
async def started() -> AsyncIterator[Browser]:
    """A browser while the block runs, with a profile of its own."""
    program = browser.find()
    assert program is not None, browser.MISSING
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            *(program, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-extensions"),
            *(
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--disable-dev-shm-usage",
            ),
            *("--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with aiohttp.ClientSession() as session:
                found = Browser(session, f"http://127.0.0.1:{await _port(Path(profile), process)}")
                try:
                    yield found
                finally:
                    await found.close()
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _port(profile: Path, process: asyncio.subprocess.Process) -> str:
    """The port of the protocol, which the browser writes into its profile once it listens."""
    file = profile / "DevToolsActivePort"
    async with asyncio.timeout(_START_SECONDS):
        while not (file.exists() and "\n" in (written := file.read_text())):
            assert process.returncode is None, "the browser has ended"
            await asyncio.sleep(0.02)
    return written.split("\n")[0]
