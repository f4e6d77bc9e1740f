"""A server that answers with whatever bytes a test gives it, and clients that send nothing again."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
from contextlib import ExitStack

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


class ThreadedServer:
    """Goes on when the event loop of the client stands still.

    Answers each request with 200 and what `answers` says for its path, and keeps its connections open.
    """

    def __init__(self, context=None):
        self.requests = []
        """(number of the connection, request line)"""
        self.answers = {}
        self.trailer = b""
        """Comes with each answer, in one piece."""
        self.ended = threading.Event()
        """A client has ended a connection."""
        self._context = context
        self._sockets = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.port}"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def connections(self):
        return len(self._sockets)

    def say(self, data):
        """Send this on all connections; returns when it has arrived."""
        for connection in self._sockets:
            connection.sendall(data)

    def end(self):
        """End all connections; returns when that has arrived."""
        for connection in self._sockets:
            connection.shutdown(socket.SHUT_WR)

    def close(self):
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for connection in self._sockets:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # the client was quicker
        for thread in self._threads:
            thread.join(5)
        for connection in self._sockets:
            connection.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listening.accept()
                if self._context:
                    connection = self._context.wrap_socket(connection, server_side=True)
            except OSError:
                return
            self._sockets.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection, len(self._sockets)))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection, number):
        received = b""
        while True:
            while b"\r\n\r\n" not in received:
                try:
                    piece = connection.recv(65536)
                except OSError:
                    piece = b""
                if not piece:
                    self.ended.set()
                    return
                received += piece
            head, _, received = received.partition(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head, re.I)
            while length and len(received) < int(length[1]):
                received += connection.recv(65536)
            received = received[int(length[1]) if length else 0 :]
            line = head.split(b"\r\n")[0].decode()
            self.requests.append((number, line))
            path = line.split(" ")[1].partition("?")[0]
            body = self.answers.get(path, b'{"clusters": []}')
            answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
            try:
                connection.sendall(answer % (len(body), body) + self.trailer)
            except OSError:  # the client has gone, as it may
                self.ended.set()
                return


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


@pytest.fixture
def serve_in_thread():
    """Makes servers that answer while the event loop stands still."""
    with ExitStack() as exits:

        def serve(context=None):
            server = ThreadedServer(context)
            exits.callback(server.close)
            return server

        yield serve
