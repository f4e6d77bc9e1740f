"""Timelines as SVG: one file, without script or anything from elsewhere, readable without colour, light and dark."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from html import escape
from typing import Final

import attrs

from databricks_async.pictures.axis import Axis, Stretch, idle_stretches
from databricks_async.pictures.bars import Bar, Phase
from databricks_async.pictures.kinds import COLOURS, SYMBOLS, Kind
from databricks_async.pictures.rows import rows_of
from databricks_async.pictures.words import cells, duration, exact, harmless, moment, shorten

CELL: Final = 8.1
"""Pixels a column of text takes, at most: monospace fonts are 0.6 of their size wide, or a little more."""
_ROW: Final = 22
_BAR: Final = 14
_PAD: Final = 12
_AXIS: Final = 640
_NARROW_GAP: Final = 18
"""What an idle stretch takes where there are many, in pixels: its label stands upright then."""
_MAX_WIDE_GAPS: Final = 4
_MAX_GAPS: Final = 40
_MAX_NAME: Final = 40
_MAX_TITLE: Final = 72
_MAX_NOTE: Final = 60
_MAX_SPOKEN: Final = 20
_TICK_DISTANCE: Final = 70

_PHASES: Final[dict[Phase, str]] = {
    "waiting": "waiting",
    "setup": "setup",
    "running": "running",
    "cleanup": "cleaning up",
}
_PATTERNS: Final[dict[Phase, tuple[str, str]]] = {
    "waiting": ("#8a8a8a", '<circle cx="2" cy="3" r="1"/><circle cx="6" cy="7" r="1"/>'),
    "setup": ("#b7791f", '<path d="M-2 2L2 -2M0 8L8 0M6 10L10 6" stroke-width="1.6"/>'),
    "cleanup": ("#8a8a8a", '<path d="M0 0L8 8M0 8L8 0" stroke-width="1.2"/>'),
}
"""Dots, a hatch and a cross-hatch, each 8 by 8 pixels; what runs is filled."""

_STYLE: Final = (
    ".dba-timeline{font-family:ui-monospace,monospace;font-size:13px;max-width:100%;height:auto}"
    ".dba-timeline text{white-space:pre}"
    ".dba-head{font-weight:bold}.dba-faint{opacity:.75}"
    ".dba-end{text-anchor:end}.dba-middle{text-anchor:middle}"
    ".dba-grid{stroke:currentColor;opacity:.18}"
    ".dba-cut{stroke:currentColor;opacity:.5;stroke-dasharray:2 3}"
    # Of a file by itself, or in <img>; in a page the colours are the page's.
    "svg.dba-timeline:root{color-scheme:light dark;color:#1f2328;background:#ffffff}"
    "@media (prefers-color-scheme:dark){svg.dba-timeline:root{color:#e6edf3;background:#0d1117}}"
)


def draw(title: str, state: str, kind: Kind, bars: Sequence[Bar], column: str) -> str:
    """The picture. Equal arguments give equal text."""
    digest = blake2b(repr((title, state, kind, tuple(bars), column)).encode("utf-8", "surrogatepass"), digest_size=6)
    return _Drawing(f"dba-{digest.hexdigest()}", title, state, kind, bars, column).drawn()


@attrs.frozen
class _Columns:
    """Where the columns are, in pixels."""

    name: float
    state: float
    time: float
    """Its right end."""
    axis: float


class _Drawing:
    def __init__(self, id_: str, title: str, state: str, kind: Kind, bars: Sequence[Bar], column: str) -> None:
        self._id = id_
        self._rows = rows = rows_of(bars)
        self._column = column
        self._names = [_name(bar) for bar in rows]
        self._states = [shorten(harmless(bar.state), _MAX_NAME) for bar in rows]
        self._times = [duration(bar.milliseconds()) if bar.parts else "-" for bar in rows]
        self._cut = _longest(idle_stretches(bars))
        parts = [part for bar in bars for part in bar.parts]
        start = min((part.start for part in parts), default=0)
        end = max((part.end for part in parts), default=start)
        self._has_time = bool(parts)
        self._upright = len(self._cut) > _MAX_WIDE_GAPS
        self._labels = labels = [f"··{duration(until - begin)}··" for begin, until in self._cut]
        gap = _NARROW_GAP if self._upright else CELL * (_widest(labels) + 1)
        self._axis = Axis(start, end, self._cut, _AXIS + gap * len(self._cut), gap)
        self._head = _head(title, state, kind, start, end, self._cut, has_time=self._has_time)
        self._said = _in_words(self._head, rows)
        name = _PAD + 2 * CELL
        state_at = name + CELL * (2 + _widest([column, *self._names]))
        time = state_at + CELL * (2 + _widest(["STATE", *self._states]) + _widest(["TIME", *self._times]))
        self._columns = _Columns(name, state_at, time, time + 2 * CELL)
        self._top = 2 * _ROW + (CELL * _widest(labels) if self._upright else _ROW if labels else 0) + _PAD

    def drawn(self) -> str:
        body = [*self._axis_drawn()]
        notes_at = self._columns.axis + self._axis.length + 3 * CELL
        width = notes_at
        for index, bar in enumerate(self._rows):
            row, its_width = self._row(index, bar, notes_at)
            body.append(row)
            width = max(width, its_width)
        bottom = self._top + _ROW * (len(self._rows) + 1) + 2 * _PAD
        legend, its_width = self._legend(bottom)
        width = max(width, its_width, _PAD + CELL * cells(self._head)) + _PAD
        height = bottom + _ROW
        size = f'viewBox="0 0 {_n(width)} {_n(height)}" width="{_n(width)}" height="{_n(height)}"'
        title, said = f"{self._id}-title", f"{self._id}-desc"
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" class="dba-timeline" {size} fill="currentColor" role="img" '
                f'aria-labelledby="{title} {said}">',
                f'<title id="{title}">{escape(self._head)}</title>',
                f'<desc id="{said}">{escape(self._said)}</desc>',
                f"<style>{_STYLE}</style>",
                f"<defs>{''.join(self._pattern(phase, *how) for phase, how in _PATTERNS.items())}</defs>",
                _text(_PAD, _ROW, self._head, "dba-head"),
                *body,
                legend,
                "</svg>\n",
            ]
        )

    def _pattern(self, phase: Phase, colour: str, drawn: str) -> str:
        how = f'fill="{colour}"' if phase == "waiting" else f'stroke="{colour}" fill="none"'
        size = 'width="8" height="8" patternUnits="userSpaceOnUse"'
        return f'<pattern id="{self._id}-{phase}" {size}><g {how}>{drawn}</g></pattern>'

    def _axis_drawn(self) -> Iterable[str]:
        columns, baseline = self._columns, self._top + _ROW - 8
        yield _text(columns.name, baseline, self._column, "dba-faint")
        yield _text(columns.state, baseline, "STATE", "dba-faint")
        yield _text(columns.time, baseline, "TIME", "dba-faint dba-end")
        if not self._has_time:
            return
        top, bottom = self._top + _ROW - 4, self._top + _ROW * (len(self._rows) + 1)
        reached = 0.0
        ends = [columns.axis + self._axis.place(begin) for begin, _ in self._cut]
        ends.append(columns.axis + self._axis.length + 2 * CELL)
        for tick in self._axis.ticks(_TICK_DISTANCE):
            place = columns.axis + self._axis.place(self._axis.start + tick)
            label = exact(tick)
            end = place + CELL * cells(label)
            # A label stands in one piece of the axis: not over an idle stretch, or the notes.
            if place >= reached and end <= next(end for end in ends if end > place):
                yield _text(place, baseline, label, "dba-faint")
                yield _line(place, top, place, bottom, "dba-grid")
                reached = end + CELL
        for (begin, until), label in zip(self._cut, self._labels, strict=True):
            left, right = (columns.axis + self._axis.place(moment) for moment in (begin, until))
            yield _line(left, top - _ROW, left, bottom, "dba-cut")
            yield _line(right, top - _ROW, right, bottom, "dba-cut")
            middle = (left + right) / 2
            if self._upright:
                x, y = _n(middle + 4), _n(self._top - 8)
                yield f'<text x="{x}" y="{y}" transform="rotate(-90 {x} {y})">{escape(label)}</text>'
            else:
                yield _text(middle, self._top - 8, label, "dba-middle")

    def _row(self, index: int, bar: Bar, notes_at: float) -> tuple[str, float]:
        columns, top = self._columns, self._top + _ROW * (index + 1)
        baseline, colour = top + 15, COLOURS[bar.kind]
        drawn = [
            f"<g><title>{escape(_row_in_words(bar))}</title>",
            f'<text x="{_n(_PAD)}" y="{_n(baseline)}" fill="{colour}">{escape(SYMBOLS[bar.kind])}</text>',
            _text(columns.name, baseline, self._names[index]),
            _text(columns.state, baseline, self._states[index]),
            _text(columns.time, baseline, self._times[index], "dba-end"),
        ]
        for part in bar.parts:
            left, right = (self._axis.place(moment) for moment in (part.start, part.end))
            drawn.append(self._part(part.phase, columns.axis + left, top + 4, max(right - left, 1.5), colour))
        if bar.parts:
            end = columns.axis + self._axis.place(bar.parts[-1].end)
            drawn.append(_end_sign(bar, end, top + 4 + _BAR / 2, colour))
        width = 0.0
        if note := shorten(harmless(bar.note), _MAX_NOTE):
            # There is room for it where no bar is.
            place = notes_at if bar.parts else columns.axis
            drawn.append(_text(place, baseline, note))
            width = place + CELL * cells(note)
        return "".join([*drawn, "</g>"]), width

    def _part(self, phase: Phase, x: float, y: float, width: float, colour: str) -> str:
        place = f'x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_BAR}"'
        if phase == "running":
            return f'<rect {place} fill="{colour}"/>'
        return f'<rect {place} fill="url(#{self._id}-{phase})" stroke="{_PATTERNS[phase][0]}"/>'

    def _legend(self, top: float) -> tuple[str, float]:
        """What the patterns and signs mean."""
        drawn, x = ["<g>"], float(_PAD)
        for phase, meaning in _PHASES.items():
            drawn.append(self._part(phase, x, top - 11, 26, COLOURS["moving"]))
            drawn.append(_text(x + 32, top, meaning, "dba-faint"))
            x += 32 + CELL * (cells(meaning) + 2)
        for kind, meaning in (("bad", "failed"), ("stopped", "stopped"), ("moving", "still going")):
            sign = Bar(name="", state="", kind=kind, is_ongoing=kind == "moving")  # type: ignore[arg-type]
            drawn.append(_end_sign(sign, x - 4, top - 4, COLOURS[sign.kind]))
            drawn.append(_text(x + 14, top, meaning, "dba-faint"))
            x += 14 + CELL * (cells(meaning) + 2)
        return "".join([*drawn, "</g>"]), x


def _end_sign(bar: Bar, x: float, y: float, colour: str) -> str:
    if bar.is_ongoing:
        return f'<path d="M{_n(x + 3)} {_n(y - 5)}L{_n(x + 12)} {_n(y)}L{_n(x + 3)} {_n(y + 5)}Z" fill="{colour}"/>'
    slash = f"M{_n(x + 4)} {_n(y + 5)}L{_n(x + 13)} {_n(y - 5)}"
    if bar.kind == "bad":
        slash += f"M{_n(x + 4)} {_n(y - 5)}L{_n(x + 13)} {_n(y + 5)}"
    elif bar.kind != "stopped":
        return ""
    return f'<path d="{slash}" stroke="{colour}" stroke-width="2" fill="none"/>'


def _longest(stretches: Sequence[Stretch]) -> list[Stretch]:
    return sorted(sorted(stretches, key=lambda stretch: stretch[0] - stretch[1])[:_MAX_GAPS])


def _name(bar: Bar) -> str:
    """The attempt stays, however long the name is."""
    attempt = f" #{bar.attempt}" if bar.attempt > 1 else ""
    return shorten(harmless(bar.name), _MAX_NAME - len(attempt)) + attempt


def _widest(texts: Iterable[str]) -> int:
    return max(map(cells, texts), default=0)


def _head(title: str, state: str, kind: Kind, start: int, end: int, cut: Sequence[Stretch], *, has_time: bool) -> str:
    parts = [f"{SYMBOLS[kind]} {shorten(harmless(title), _MAX_TITLE)}", shorten(harmless(state), _MAX_NAME)]
    if has_time:
        parts += [duration(end - start), f"from {moment(start)}"]
    if len(cut) == 1:
        parts.append(f"{duration(cut[0][1] - cut[0][0])} idle cut out")
    elif cut:
        total = duration(sum(until - begin for begin, until in cut))
        parts.append(f"{total} idle in {len(cut)} stretches cut out")
    return " · ".join(parts)


def _in_words(head: str, rows: Sequence[Bar]) -> str:
    """The picture for those who do not see it."""
    spoken = [_row_in_words(bar) for bar in rows[:_MAX_SPOKEN]]
    if more := len(rows) - len(spoken):
        spoken.append(f"and {more} more")
    return ". ".join([head, *spoken])


def _row_in_words(bar: Bar) -> str:
    attempt = f", attempt {bar.attempt}" if bar.attempt > 1 else ""
    words = [f"{harmless(bar.name)}{attempt}: {harmless(bar.state)}"]
    for phase, meaning in _PHASES.items():
        if taken := bar.milliseconds(phase):
            words.append(f"{meaning} {duration(taken)}")
    if bar.start is not None:
        until = "until now" if bar.end is None else f"to {moment(bar.end)}"
        words.append(f"from {moment(bar.start)} {until}")
    return ", ".join([*words, harmless(bar.note)] if bar.note else words)


def _text(x: float, y: float, text: str, classes: str = "") -> str:
    of_class = f' class="{classes}"' if classes else ""
    return f'<text x="{_n(x)}" y="{_n(y)}"{of_class}>{escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, of_class: str) -> str:
    return f'<path d="M{_n(x1)} {_n(y1)}L{_n(x2)} {_n(y2)}" class="{of_class}"/>'


def _n(number: float) -> str:
    """A number in as few letters as it takes, the same everywhere."""
    return f"{number:.1f}".removesuffix(".0")
