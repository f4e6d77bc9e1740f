"""rich's console for a stream: what it is, is known here and not asked of the environment."""

from __future__ import annotations

from typing import NoReturn

from rich.console import Console

from databricks_async.cli.output.streams import Stream

_NO_LIMIT = 100_000


class _Console(Console):
    def on_broken_pipe(self) -> NoReturn:
        """The reader is gone: this ends the command, where rich would end the program within a task."""
        raise BrokenPipeError


def console_for(stream: Stream) -> Console:
    """A console that moves the cursor on a terminal only, has colours where the stream has, and highlights nothing."""
    return _Console(
        file=stream.file,
        force_terminal=stream.is_live,
        color_system="standard" if stream.has_color else None,
        width=stream.width or _NO_LIMIT,
        highlight=False,
        emoji=False,
        safe_box=True,
    )
