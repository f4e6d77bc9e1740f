"""Timelines in a real browser, light and dark: nothing covers anything else, and all of it can be seen.

Not collected where there is no Chromium, which the summary of the tests then says; with the variable REQUIRE_BROWSER,
which `.ci/run` sets, it fails instead.
"""

from __future__ import annotations

import html
import json
import re
from itertools import pairwise

import pytest

from databricks_async.pictures import Bar, Part, Timeline
from databricks_async.pictures.kinds import COLOURS
from support import browser

_MEASURE = """
const boxes = [...document.querySelectorAll('svg')].map(svg => {
    const of = element => {
        const {x, y, width, height} = element.getBoundingClientRect(); return [x, y, width, height];
    };
    return {svg: of(svg), said: document.getElementById(svg.getAttribute('aria-labelledby').split(' ')[0]).textContent,
            texts: [...svg.querySelectorAll('text')].map(text => [...of(text), text.textContent]),
            rects: [...svg.querySelectorAll('rect')].map(rect => [...of(rect), rect.getAttribute('fill')])};
});
const images = [...document.images].map(image => {
    const {x, y, width, height} = image.getBoundingClientRect(); return [x, y, width, height, image.complete];
});
document.getElementById('measured').textContent = JSON.stringify({boxes, images});
"""
_PAGE = """<!doctype html><meta charset="utf-8"><style>
:root {{ color-scheme: light dark }} body {{ margin: 0; width: 2000px; background: Canvas; color: CanvasText }}
</style>{}<img src="file.svg">{}<pre id="measured"></pre><script>addEventListener('load', () => {{ {} }})</script>"""
_BACKGROUNDS = {"light": (255, 255, 255), "dark": (13, 17, 23)}


@pytest.fixture
def lives() -> Timeline:
    """A second picture on the same page, with many idle stretches: upright labels."""
    day, start = 86_400_000, 1_764_122_400_000
    bars = [
        Bar(
            name=f"{n} November",
            state="TERMINATED",
            kind="bad" if n == 3 else "stopped",
            parts=(Part("setup", start + n * day, start + n * day + 300_000),
                   Part("running", start + n * day + 300_000, start + n * day + 3_600_000)),
            note="INACTIVITY",
        )
        for n in range(1, 8)
    ]  # fmt: skip
    return Timeline(title="cluster 1", state="TERMINATED", kind="stopped", bars=tuple(bars), column="STARTED")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_shows_it(scheme, timeline, lives, tmp_path):
    """As part of a page, in whose colours, and as an image, in its own."""
    if browser.find() is None:
        pytest.fail(browser.MISSING)
    (tmp_path / "file.svg").write_text(timeline.svg(), encoding="utf-8")
    page = tmp_path / "page.html"
    page.write_text(_PAGE.format(timeline.svg(), lives.svg(), _MEASURE), encoding="utf-8")
    elements, picture = browser.look_at(page, scheme, 1300, 800)

    measured = json.loads(html.unescape(re.search(r'<pre id="measured">(.*?)</pre>', elements, re.DOTALL)[1]))
    assert len(measured["boxes"]) == 2
    for box in measured["boxes"]:
        assert "TERMINATED" in box["said"] or "RUNNING" in box["said"]
        _assert_apart(box["texts"], box["svg"])

    # The image has its own background, and the colours of its bars.
    ((left, top, _, height, is_complete),) = measured["images"]
    assert is_complete
    assert picture.pixel(left + 3, top + 3) == _BACKGROUNDS[scheme]
    assert picture.pixel(left + 3, top + height - 3) == _BACKGROUNDS[scheme]
    inline = measured["boxes"][0]
    solid = [one for one in inline["rects"] if one[4] in COLOURS.values() and one[2] > 4]
    assert {one[4] for one in solid} >= {COLOURS[kind] for kind in ("good", "bad", "moving", "stopped", "half good")}
    for x, y, wide, high, colour in solid:
        here = picture.pixel(x + wide / 2, y + high / 2)
        there = picture.pixel(left + x + wide / 2 - inline["svg"][0], top + y + high / 2 - inline["svg"][1])
        assert here == there == tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))

    # Text stands out from its background, in the page as in the image.
    x, y, wide, high, _ = inline["texts"][0]
    for x_of, y_of in ((0, 0), (left - inline["svg"][0], top - inline["svg"][1])):
        pixels = [
            sum(picture.pixel(x + x_of + across, y + y_of + down))
            for across in range(int(wide))
            for down in range(int(high))
        ]
        assert max(pixels) - min(pixels) > 300


def _assert_apart(texts, svg):
    """By the browser's own measures: no two texts overlap, and none leaves the picture."""
    x, y, width, height = svg
    for left, top, wide, high, text in texts:
        assert x <= left, text
        assert left + wide <= x + width, text
        assert y <= top, text
        assert top + high <= y + height, text
    lines: dict[float, list[list[float]]] = {}
    for one in texts:
        lines.setdefault(round(one[1]), []).append(one)
    for line in lines.values():
        for one, other in pairwise(sorted(line)):
            assert one[0] + one[2] <= other[0], (one[4], other[4])
