"""The feed of the page: what it shows, what has changed since, and both as server-sent events."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncIterator
from itertools import islice
from typing import Any, Literal, TypeAlias

import attrs
import orjson

Row: TypeAlias = dict[str, Any]
"""What the page shows of one thing, as JSON. `id` says which one it is."""

Name: TypeAlias = Literal["snapshot", "change", "gone", "status"]

MAX_CHANGES = 5000
"""So many of the latest changes are kept for browsers that come back."""
_MAX_EVENTS = 200
"""So many of the latest events are in a snapshot."""
_HEARTBEAT_SECONDS = 15.0


@attrs.frozen
class Change:
    """One change, numbered from 1 on."""

    number: int
    name: Name
    row: Row


class Feed:
    """The rows by their ids, and the latest changes. For one event loop."""

    def __init__(self, max_changes: int = MAX_CHANGES) -> None:
        self._rows: dict[str, Row] = {}
        self._events: deque[Row] = deque(maxlen=_MAX_EVENTS)
        self._ring: deque[Change] = deque(maxlen=max_changes)
        self._number = 0
        # Numbers of another run of this program mean nothing here.
        self._run = secrets.token_hex(4)
        self._status: Row = {}
        self._status_number = 0
        self._news = asyncio.Event()
        self._is_closed = False

    def put(self, row: Row) -> None:
        """Show this row from now on. Nothing happens if it is shown just so."""
        if self._rows.get(row["id"]) != row:
            self._rows[row["id"]] = row
            self._add("change", row)

    def remove(self, row_id: str) -> None:
        """Show a row no more."""
        if self._rows.pop(row_id, None) is not None:
            self._add("gone", {"id": row_id})

    def tell(self, event: Row) -> None:
        """Add an event: what happened, once."""
        self._events.append(event)
        self._add("change", event)

    def set_status(self, status: Row) -> None:
        """Say how the reading goes; sent whether it has changed or not, and not kept."""
        self._status = status
        self._status_number += 1
        self._wake()

    def close(self) -> None:
        """End all streams."""
        self._is_closed = True
        self._wake()

    def __len__(self) -> int:
        return len(self._rows)

    async def stream(self, last_event_id: str = "", heartbeat: float = _HEARTBEAT_SECONDS) -> AsyncIterator[bytes]:
        """Server-sent events for one browser: what it missed since its last one, or a snapshot; then all changes.

        Several at once where several came. One that is slower than the changes gets a snapshot again.
        """
        seen = self._number_of(last_event_id)
        status = -1
        yield b"retry: 2000\n\n"
        while not self._is_closed:
            parts = []
            if seen is None or (self._ring and seen < self._ring[0].number - 1):
                parts.append(self._event("snapshot", self._snapshot(), self._number))
            elif seen < self._number:
                first = len(self._ring) - (self._number - seen)
                parts += [self._event(one.name, one.row, one.number) for one in islice(self._ring, first, None)]
            seen = self._number
            if status != self._status_number and self._status:
                status = self._status_number
                parts.append(self._event("status", self._status, None))
            if parts:
                yield b"".join(parts)
                continue  # more may have come while this was sent
            news = self._news
            try:
                await asyncio.wait_for(news.wait(), heartbeat)
            except TimeoutError:
                yield b": alive\n\n"

    def _number_of(self, event_id: str) -> int | None:
        """The number in a `Last-Event-ID`; None for none, and for one of another run."""
        run, _, number = event_id.partition(".")
        if run != self._run or not number.isdecimal() or int(number) > self._number:
            return None
        return int(number)

    def _snapshot(self) -> Row:
        return {"rows": [*self._rows.values()], "events": [*self._events], "status": self._status}

    def _event(self, name: Name, data: Row, number: int | None) -> bytes:
        # JSON has no line breaks of its own, so that it is one line of data.
        head = b"" if number is None else f"id: {self._run}.{number}\n".encode()
        return head + f"event: {name}\ndata: ".encode() + orjson.dumps(data) + b"\n\n"

    def _add(self, name: Name, row: Row) -> None:
        self._number += 1
        self._ring.append(Change(self._number, name, row))
        self._wake()

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()
