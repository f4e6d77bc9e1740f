"""The picture of the comparison: bars as SVG, readable in light and dark, without script or anything from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

Row = Mapping[str, Any]

_WIDTH, _LABELS, _BARS, _PAD = 860, 290, 400, 16
_ROW, _BAR, _GAP = 22, 14, 16
_STYLE = (
    "svg{font:13px system-ui,sans-serif;color-scheme:light dark;color:#1f2328;background:#ffffff}"
    "text{fill:currentColor}.head{font-weight:600}.faint{opacity:.75}.end{text-anchor:end}"
    ".ours{fill:#0f766e}.peer{fill:#8a8f98}.spread{stroke:currentColor;stroke-width:1.5;opacity:.8}"
    "@media (prefers-color-scheme:dark){svg{color:#e6edf3;background:#0d1117}.ours{fill:#2dd4bf}.peer{fill:#7d8590}}"
)


def draw(rows: Iterable[Row], machine: Sequence[str]) -> str:
    """Each measure with a bar for each contender; less is better in all. Below stands what it was measured on."""
    measures: dict[str, list[Row]] = {}
    for row in rows:
        measures.setdefault(row["measure"], []).append(row)
    drawn, y, said = [_text(_PAD, 28, "What it costs, and less is better", "head")], 44.0, []
    for measure, contenders in measures.items():
        y += _GAP + 8
        unit = {"cpu": "CPU time, ", "wall": "time, "}.get(contenders[0]["bar"], "") + contenders[0]["unit"]
        drawn.append(_text(_PAD, y, f"{measure}: {unit}" if contenders[0]["bar"] != "sent" else measure, "head"))
        y += 8
        maximum = max(row[row["bar"]][2] for row in contenders)
        for row in contenders:
            median, low, high = row[row["bar"]]
            ours = row["contender"].startswith("databricks-async")
            middle = y + _ROW / 2
            width, left, right = (_BARS * value / maximum for value in (median, low, high))
            drawn.append(_text(_LABELS - 8, middle + 4.5, row["contender"], "end head" if ours else "end"))
            drawn.append(
                f'<rect class="{"ours" if ours else "peer"}" x="{_LABELS}" y="{_n(middle - _BAR / 2)}" '
                f'width="{_n(max(width, 1))}" height="{_BAR}" rx="2"/>'
            )
            if high > low:
                drawn.append(f'<path class="spread" d="M{_n(_LABELS + left)} {_n(middle)}H{_n(_LABELS + right)}"/>')
            drawn.append(_text(_LABELS + max(width, right) + 8, middle + 4.5, number(median), "head" if ours else ""))
            said.append(f"{measure}, {row['contender']}: {number(median)} {unit}.")
            y += _ROW
    y += _GAP
    drawn.append(_text(_PAD, y + 8, "Bars are medians, lines go from the smallest to the largest round.", "faint"))
    for line in machine:
        y += 18
        drawn.append(_text(_PAD, y + 8, line, "faint"))
    height = _n(y + 24)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" '
            f'height="{height}" role="img" aria-labelledby="title said">',
            '<title id="title">What databricks-async costs beside its peers</title>',
            f'<desc id="said">{escape(" ".join(said))}</desc>',
            f"<style>{_STYLE}</style>",
            *drawn,
            "</svg>\n",
        ]
    )


def number(value: float) -> str:
    """Three digits of it, and all of a whole number."""
    if value >= 1000 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _text(x: float, y: float, text: str, style: str = "") -> str:
    return f'<text x="{_n(x)}" y="{_n(y)}" class="{style}">{escape(text)}</text>'


def _n(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")
