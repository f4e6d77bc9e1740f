"""A terminal as a picture: what a command shows on it, as SVG that can be read light and dark."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from xml.sax.saxutils import escape

import pyte

CELL, LINE, SIZE, MARGIN = 7.8, 18.0, 13, 14.0
_STYLE = """\
svg.terminal { color-scheme: light dark; font: 13px ui-monospace, "DejaVu Sans Mono", monospace; }
.terminal .back { fill: #f6f8fa; stroke: #d0d7de; } .terminal text { fill: #1b1f24; white-space: pre; }
.terminal .dim { fill: #57606a; } .terminal .green { fill: #1a7f37; } .terminal .yellow { fill: #8a5a00; }
.terminal .red { fill: #b3261e; } .terminal .blue { fill: #0969da; } .terminal .bold { font-weight: bold; }
@media (prefers-color-scheme: dark) {
  .terminal .back { fill: #161b22; stroke: #30363d; } .terminal text { fill: #e6edf3; }
  .terminal .dim { fill: #9198a1; } .terminal .green { fill: #3fb950; } .terminal .yellow { fill: #d29922; }
  .terminal .red { fill: #ff7b72; } .terminal .blue { fill: #58a6ff; }
}
"""
_COLOURS = {"green": "green", "brown": "yellow", "red": "red", "blue": "blue", "brightblack": "dim"}
_DIM = re.compile(rb"\x1b\[2m")


class Terminal:
    """A terminal of so many columns and lines, which is fed what a program writes."""

    def __init__(self, columns: int, lines: int) -> None:
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)

    def feed(self, written: bytes) -> None:
        # pyte knows no faint letters: they are grey here.
        self._stream.feed(_DIM.sub(b"\x1b[90m", written))

    @property
    def lines(self) -> list[str]:
        """What is seen, without the empty lines below it."""
        found = [line.rstrip() for line in self._screen.display]
        while found and not found[-1]:
            found.pop()
        return found

    def svg(self, command: str, title: str) -> str:
        """The picture, below the command that made it. `title` says what is seen, for those who do not see it."""
        lines = self.lines
        width = max(map(len, [f"$ {command}", *lines])) * CELL + 2 * MARGIN
        height = (len(lines) + 1) * LINE + 2 * MARGIN
        texts = [_text(0, 0, f"$ {command}", "bold")]
        for number in range(len(lines)):
            texts += [_text(number + 1, column, text, style) for column, text, style in self._pieces(number)]
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="terminal" role="img" aria-labelledby="title" '
            f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}">\n'
            f'<title id="title">{escape(title)}</title>\n<style>\n{_STYLE}</style>\n'
            f'<rect class="back" x="0.5" y="0.5" width="{width - 1:g}" height="{height - 1:g}" rx="8"/>\n'
            + "".join(texts)
            + "</svg>\n"
        )

    def _pieces(self, number: int) -> Iterator[tuple[int, str, str]]:
        """Column, text and style of what looks alike in a line; blanks have no looks."""
        row, column = self._screen.buffer[number], 0
        cells = [row[index] for index in range(len(self.lines[number]))]
        for style, alike in groupby(cells, _style):
            text = "".join(cell.data for cell in alike)
            for word in re.finditer(r"\S+(?: \S+)*", text):
                yield column + word.start(), word[0], style
            column += len(text)


def _style(cell: pyte.screens.Char) -> str:
    return " ".join(filter(None, (_COLOURS.get(cell.fg, ""), "bold" if cell.bold else "")))


def _text(line: int, column: int, text: str, style: str) -> str:
    x, y = MARGIN + column * CELL, MARGIN + line * LINE + SIZE
    look = f' class="{style}"' if style else ""
    length = f'textLength="{len(text) * CELL:.1f}" lengthAdjust="spacingAndGlyphs"'
    return f'<text x="{x:.1f}" y="{y:g}" {length}{look}>{escape(text)}</text>\n'
