"""A server that answers with whatever bytes a test gives it, and clients that send nothing again."""

from __future__ import annotations

import asyncio

import pytest

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class RawServer:
    """Answers the first request of each connection with these bytes, or as a function does, and hangs up."""

    def __init__(self):
        self.answer = OK
        self.received = []
        self.open = 0

    async def start(self, ssl=None):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=ssl)
        self.port = self._server.sockets[0].getsockname()[1]
        self._handlers = set()
        self.url = f"{'https' if ssl else 'http'}://127.0.0.1:{self.port}"

    async def close(self):
        self._server.close()
        for handler in self._handlers:
            handler.cancel()
        if self._handlers:
            await asyncio.wait(self._handlers)
        await self._server.wait_closed()

    async def hung_up(self):
        """Wait until all connections are closed, and the other side has seen it."""
        while self.open:  # noqa: ASYNC110 (a few turns of the loop)
            await asyncio.sleep(0)
        await asyncio.sleep(0.005)

    async def _serve(self, reader, writer):
        self._handlers.add(asyncio.current_task())
        self.open += 1
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.received.append(head)
            if callable(self.answer):
                await self.answer(reader, writer)
            else:
                writer.write(self.answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return  # the client has gone, as it may
        finally:
            self.open -= 1
            self._handlers.discard(asyncio.current_task())
            writer.close()


@pytest.fixture
async def server():
    """Listens; change its `answer`."""
    server = RawServer()
    await server.start()
    yield server
    await server.close()


@pytest.fixture
def client_settings():
    """Without a workspace: a test names the server."""
    return {"token": "dapi0123456789abcdef", "retry_timeout_seconds": 0}
