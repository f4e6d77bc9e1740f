"""Standard output and standard error: what they are, and how text gets there unbroken."""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import TextIO

_STYLES = {"green": "32", "yellow": "33", "red": "1;31", "dim": "2", "bold": "1", "blue": "34"}


def shown(text: str) -> str:
    """Text from elsewhere that cannot move the cursor or break a line."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


class Stream:
    """One of the two standard streams."""

    def __init__(
        self, file: TextIO | None, *, color: str = "auto", ascii_only: bool = False, may_be_closed: bool = False
    ) -> None:
        self._file = file
        self._may_be_closed = may_be_closed
        self.is_terminal = _is_terminal(file)
        self.is_live = self.is_terminal and os.environ.get("TERM") != "dumb"
        """Whether pictures can be drawn in place. No variable makes a pipe a terminal."""
        if isinstance(file, io.TextIOWrapper):
            if not self.is_terminal and not os.environ.get("PYTHONIOENCODING"):
                # Names are what they are in every locale: what is shown can be given to the next command.
                file.reconfigure(encoding="utf-8", errors="backslashreplace")
            else:
                file.reconfigure(errors="backslashreplace")
        encoding = (getattr(file, "encoding", None) or "utf-8").lower().replace("-", "").replace("_", "")
        self.is_ascii = ascii_only or not encoding.startswith("utf")
        self.has_color = _has_color(color, self.is_live)

    @property
    def width(self) -> int | None:
        """Columns; None where there is no limit."""
        if not self.is_terminal:
            return None
        if os.environ.get("COLUMNS", "").isdecimal() and int(os.environ["COLUMNS"]) > 0:
            return int(os.environ["COLUMNS"])
        return self._size()[0]

    @property
    def height(self) -> int:
        """Lines of the terminal."""
        if os.environ.get("LINES", "").isdecimal() and int(os.environ["LINES"]) > 0:
            return int(os.environ["LINES"])
        return self._size()[1]

    @property
    def file(self) -> TextIO:
        """The stream. Raises OSError if it is closed."""
        if self._file is None:
            raise OSError(errno.EBADF, "standard output is closed")
        return self._file

    def write(self, text: str) -> None:
        """Write text as it is. Raises OSError if that is not possible; a closed standard error takes all."""
        if self._file is not None or not self._may_be_closed:
            self.file.write(text)

    def flush(self) -> None:
        if self._file is not None:
            self._file.flush()

    def style(self, text: str, style: str) -> str:
        """Text in a style, where there are colours."""
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if style and text and self.has_color else text

    def _size(self) -> tuple[int, int]:
        try:
            columns, lines = os.get_terminal_size(self.file.fileno())
        except (OSError, ValueError):
            return 80, 24
        return columns or 80, lines or 24


def _is_terminal(file: TextIO | None) -> bool:
    try:
        return file is not None and file.isatty()
    except ValueError:  # closed
        return False


def _has_color(wanted: str, is_live: bool) -> bool:
    """`--color`, then NO_COLOR, then FORCE_COLOR and CLICOLOR_FORCE, then what the stream is."""
    if wanted != "auto":
        return wanted == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if any(os.environ.get(name, "0") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    return is_live


def drop(file: TextIO | None) -> None:
    """What is still to be written goes nowhere: Python would complain once more when it ends.

    Not of a `Stream`: making one sets the encoding, which writes what is still to be written.
    """
    try:
        descriptor = -1 if file is None else file.fileno()
    except (OSError, ValueError):
        return  # not a file, as in tests
    if descriptor >= 0:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)


def open_missing() -> None:
    """Give closed standard streams' numbers to nothing, lest a connection gets them, and a message goes into it."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def standard_streams(*, color: str = "auto", ascii_only: bool = False) -> tuple[Stream, Stream]:
    """Standard output and standard error."""
    return (
        Stream(sys.stdout, color=color, ascii_only=ascii_only),
        Stream(sys.stderr, color=color, ascii_only=ascii_only, may_be_closed=True),
    )
