"""A picture at the end of the terminal's output that is drawn again in place, and stays when it is over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.live import Live
from rich.text import Text

from databricks_async.cli.ending import before_leaving
from databricks_async.cli.live.console import console_for
from databricks_async.cli.output.streams import Stream
from databricks_async.cli.output.tables import Line

_STYLES = {"green": "green", "yellow": "yellow", "red": "bold red", "dim": "dim", "bold": "bold", "blue": "blue"}


class Screen:
    """Draws what `draw` returns, every so many seconds and whenever `redraw` is called."""

    def __init__(self, stream: Stream, draw: Callable[[], list[Line]], every: float = 0.5) -> None:
        self._stream = stream
        self._draw = draw
        self._every = every
        self._console = console_for(stream)
        self._live = Live(console=self._console, auto_refresh=False, vertical_overflow="crop", redirect_stdout=False)
        self._ticks: asyncio.Task[None] | None = None

    def redraw(self) -> None:
        """Draw it as it is now."""
        self._update(refresh=True)

    def _update(self, *, refresh: bool) -> None:
        lines = self._draw()[: max(1, self._stream.height - 1)]
        text = Text("\n").join(
            Text.assemble(*((piece, _STYLES.get(style, "")) for piece, style in line)) for line in lines
        )
        text.no_wrap, text.overflow = True, "ignore"
        self._live.update(text, refresh=refresh)

    async def __aenter__(self) -> Self:
        before_leaving.append(self._show_cursor)
        self._live.start()
        self._ticks = asyncio.create_task(self._tick(), name="databricks_async: draw")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        ticks, self._ticks = self._ticks, None
        try:
            if ticks is not None and not ticks.done():
                ticks.cancel()
                await asyncio.wait((ticks,))
            elif ticks is not None and error is None:
                ticks.result()
            if not isinstance(error, OSError):
                self._update(refresh=False)  # the end draws it
        finally:
            self._live.stop()
            before_leaving.remove(self._show_cursor)

    async def _tick(self) -> None:
        while True:
            self.redraw()
            await asyncio.sleep(self._every)

    def _show_cursor(self) -> None:
        self._console.show_cursor(True)
