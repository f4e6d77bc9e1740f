"""Where the text of an SVG stands, computed from its source."""

from __future__ import annotations

from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

from databricks_async.pictures.svg import CELL
from databricks_async.pictures.words import cells

NAMESPACE = "{http://www.w3.org/2000/svg}"


def parsed(svg: str) -> Any:
    """The root element. Raises ParseError for what is no XML."""
    return ElementTree.fromstring(svg)  # noqa: S314 (our own)


def texts(root: Any) -> list[tuple[str, float, float, float]]:
    """All text that is drawn level: what, from where to where, and its baseline."""
    found = []
    for one in root.iter(f"{NAMESPACE}text"):
        if "transform" in one.attrib:
            continue
        x, y, width = float(one.get("x")), float(one.get("y")), CELL * cells(one.text or "")
        classes = one.get("class", "").split()
        x -= width if "dba-end" in classes else width / 2 if "dba-middle" in classes else 0
        found.append((one.text or "", x, x + width, y))
    return found


def assert_readable(svg: str) -> None:
    """No text covers another, or leaves the picture."""
    root = parsed(svg)
    width, height = float(root.get("width")), float(root.get("height"))
    lines: dict[float, list[tuple[float, float, str]]] = {}
    for text, left, right, baseline in texts(root):
        assert left >= -0.1, text
        assert right <= width + 0.1, text
        assert 10 <= baseline <= height - 3, text
        lines.setdefault(baseline, []).append((left, right, text))
    baselines = sorted(lines)
    assert all(lower - upper >= 13 for upper, lower in pairwise(baselines)), baselines
    for line in lines.values():
        for (_, right, text), (left, _, other) in pairwise(sorted(line)):
            assert right <= left + 0.1, (text, other)
