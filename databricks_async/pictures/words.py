"""Text of pictures: durations and moments for people, how wide a text is, and names made short and harmless."""

from __future__ import annotations

import unicodedata
from typing import Final

from databricks_async.epoch import from_epoch_ms

_UNITS: Final = (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1))


def duration(milliseconds: int) -> str:
    """Two units at most: `350ms`, `45s`, `2m05s`, `1h05m`, `3d04h`."""
    if milliseconds < 1000:
        return f"{milliseconds}ms" if milliseconds > 0 else "0s"
    seconds = milliseconds // 1000
    for index, (unit, size) in enumerate(_UNITS[:-1]):
        if seconds >= size:
            smaller, its_size = _UNITS[index + 1]
            return f"{seconds // size}{unit}{seconds % size // its_size:02}{smaller}"
    return f"{seconds}s"


def exact(milliseconds: int) -> str:
    """All units that are not 0, for the marks of an axis: `2m`, `1h30m`, `3d4h1m`."""
    seconds, rest = divmod(milliseconds, 1000)
    parts = []
    for unit, size in _UNITS:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    if rest:
        parts.append(f"{rest}ms")
    return "".join(parts) or "0"


def moment(milliseconds: int) -> str:
    """A moment in UTC to the second; the number itself if no calendar has it."""
    time = from_epoch_ms(milliseconds)
    return f"{milliseconds} ms" if time is None else f"{time:%Y-%m-%d %H:%M:%S} UTC"


def cells(text: str) -> int:
    """How many columns of a monospace font a text takes: two for what is wide in East Asia, none for marks."""
    return sum(
        0 if unicodedata.category(letter) in ("Mn", "Me") else 1 + (unicodedata.east_asian_width(letter) in "WF")
        for letter in text
    )


def harmless(text: str) -> str:
    """Text without what XML forbids or what would change the text around it, such as a change of direction."""
    return "".join(_harmless(letter) for letter in text)


def _harmless(letter: str) -> str:
    if letter in "\t\n\r\u2028\u2029":
        return " "
    is_control = unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Co", "Cn")
    return "\ufffd" if is_control else letter


def shorten(text: str, width: int) -> str:
    """At most so many columns: what is longer loses its middle, because names often differ at the end."""
    if cells(text) <= width:
        return text
    end = _cut(text[::-1], width // 3)[::-1]
    return f"{_cut(text, width - 1 - cells(end))}…{end}"


def _cut(text: str, width: int) -> str:
    taken = 0
    for index, letter in enumerate(text):
        taken += cells(letter)
        if taken > width:
            return text[:index]
    return text
