"""Timelines: equal values give equal, well-formed pictures that can be read without colour and without a mouse.

Here are the tests of `pictures/`, and `test_browser.py` looks at them in a browser.
"""

from __future__ import annotations

import itertools
import json
import pickle
import re

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from databricks_async.pictures import Bar, Part, Timeline
from databricks_async.pictures.axis import Axis
from databricks_async.pictures.kinds import COLOURS, SYMBOLS, cluster_kind, run_kind
from databricks_async.pictures.rows import MAX_ROWS
from databricks_async.pictures.words import duration, exact, moment, shorten
from support.svg import NAMESPACE, assert_readable, parsed, texts

MINUTE = 60_000
START = 1_764_122_400_000


def part(phase, start, end):
    return Part(phase, START + start * MINUTE, START + end * MINUTE)


def bar(name="a", state="SUCCESS", *parts, **fields):
    return Bar(name=name, state=state, kind=fields.pop("kind", run_kind(state)), parts=parts, **fields)


def drawn(*bars, **fields):
    return Timeline(**{"title": "run 1", "state": "SUCCESS", "kind": "good", "bars": bars} | fields)


def said(svg):
    return [one.text for one in parsed(svg).iter(f"{NAMESPACE}title")]


def test_equal_values_give_equal_bytes(timeline):
    """Also when the value was made anew, stored, or comes from another process; another one has other ids."""
    again = pickle.loads(pickle.dumps(timeline))
    assert again == timeline
    assert again is not timeline
    assert again.svg() == timeline.svg() == timeline._repr_svg_()
    other = attrs.evolve(timeline, title="run 43")
    ids = [set(re.findall(r'id="([^"]+)"', one.svg())) for one in (timeline, other)]
    assert ids[0]
    assert not ids[0] & ids[1]


def test_it_is_one_file_with_nothing_from_elsewhere(timeline):
    """No script, no font, no address but the name of the format."""
    svg = timeline.svg()
    assert svg.replace('xmlns="http://www.w3.org/2000/svg"', "").count("http") == 0
    for forbidden in ("<script", "<image", "<foreignObject", "@import", "@font-face", "url(http", "data:", "href"):
        assert forbidden not in svg
    assert set(re.findall(r"url\(([^)]*)\)", svg)) == {f"#{one}" for one in re.findall(r'pattern id="([^"]+)"', svg)}
    assert "font-family:ui-monospace,monospace" in svg


def test_it_says_what_it_shows(timeline):
    """By its role, its title, which comes first, and a description of all rows; each row has its own for the mouse."""
    root = parsed(timeline.svg())
    title, desc = [*root][:2]
    assert (root.get("role"), title.tag, desc.tag) == ("img", f"{NAMESPACE}title", f"{NAMESPACE}desc")
    assert root.get("aria-labelledby").split() == [title.get("id"), desc.get("id")]
    assert title.text == (
        "* run 42 (nightly <b>&\ufffd\ufffd) · RUNNING · 1h07m · from 2025-11-26 02:00:00 UTC · 48m00s idle cut out"
    )
    for row in (
        "enrich_with_prices, attempt 2: SUCCESS, running 3m00s, from 2025-11-26 02:11:00 UTC to 2025-11-26 02:14:00",
        "half: SUCCESS_WITH_FAILURES, waiting 1m00s, setup 1m00s, running 1m00s",
        "join: RUNNING, setup 30s, running 4m30s, from 2025-11-26 03:02:00 UTC until now",
        "report: BLOCKED, waits for join",
    ):
        assert row in desc.text
        assert any(title.startswith(row) for title in said(timeline.svg()))


def test_names_are_escaped(timeline):
    """Markup is text; what XML forbids and what turns the direction of text is replaced."""
    evil = "</title></svg><script>alert(1)</script>\ud800\uffff\u202e]]>&\x1b"
    svg = drawn(bar(evil, evil, part("running", 0, 1), note=evil, kind="unknown"), title=evil, state=evil).svg()
    root = parsed(svg)
    assert "<script" not in svg
    assert {one.tag for one in root.iter()} <= {one.tag for one in parsed(timeline.svg()).iter()}
    assert "\u202e" not in svg
    svg.encode()


def test_phases_and_ends_differ_by_sign_as_well_as_colour(timeline):
    """Dots wait, a hatch sets up, a cross-hatch cleans up; what failed, stopped and goes on ends differently."""
    svg = timeline.svg()
    rows = {one[0].text.split(":")[0]: one for one in parsed(svg).iter(f"{NAMESPACE}g") if one[:1] and one[0].text}
    patterns = {
        key: [re.sub(r".*-|\)", "", rect.get("fill")) for rect in row.iter(f"{NAMESPACE}rect")]
        for key, row in rows.items()
    }
    assert patterns["half"] == ["waiting", "setup", COLOURS["half good"]]
    assert patterns["clean"] == ["setup", COLOURS["good"], "cleanup"]
    assert patterns["(the run)"] == ["waiting"]
    assert patterns["report"] == patterns["left_out"] == []
    shapes = {
        key: [re.sub(r"[\d.]+ [\d.]+", "", one.get("d")) for one in row.iter(f"{NAMESPACE}path")]
        for key, row in rows.items()
    }
    ends = [shapes[key] for key in ("enrich_with_prices", "stop", "join", "clean")]
    assert ends == [["MLML"], ["ML"], ["MLLZ"], []]
    signs = {key: row[1].text for key, row in rows.items() if len(row) > 1}
    assert [signs[key] for key in ("enrich_with_prices", "clean", "join", "report", "stop", "left_out", "half")] == [
        *"✗✓*./-!"
    ]


def test_every_kind_has_a_sign_and_a_colour():
    """No two signs are the same; every word of the service has a kind, and others are unknown."""
    assert SYMBOLS.keys() == COLOURS.keys()
    assert len({*SYMBOLS.values()}) == len(SYMBOLS)
    kinds = {run_kind(word) for word in ("QUEUED", "RUNNING", "SUCCESS", "SUCCESS_WITH_FAILURES", "TIMEDOUT")}
    kinds |= {run_kind(word) for word in ("UPSTREAM_CANCELED", "CANCELED", "HIBERNATING")}
    assert kinds == {*SYMBOLS}
    assert [cluster_kind("TERMINATED", why) for why in (None, "SUCCESS", "CLOUD_FAILURE")] == [
        "stopped",
        "stopped",
        "bad",
    ]
    assert (cluster_kind("RUNNING"), cluster_kind("HIBERNATING")) == ("good", "unknown")


def contrast(one, other):
    """By WCAG 2.1, success criterion 1.4.11."""

    def luminance(colour):
        channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
        return sum(share * value for share, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("background", ["#ffffff", "#1e1e1e", "#0d1117"])
def test_colours_have_enough_contrast(background):
    """On light and on dark."""
    assert {kind: contrast(colour, background) >= 3 for kind, colour in COLOURS.items()} == dict.fromkeys(COLOURS, True)


def test_a_long_idle_stretch_is_cut_out_and_labelled():
    """One that is longer than a quarter of the axis; a shorter one stays."""
    long = drawn(bar("a", "FAILED", part("running", 0, 10)), bar("b", "SUCCESS", part("running", 58, 70)))
    assert long.idle == ((START + 10 * MINUTE, START + 58 * MINUTE),)
    assert "··48m00s··" in [text for text, *_ in texts(parsed(long.svg()))]
    assert "48m00s idle cut out" in said(long.svg())[0]
    short = drawn(bar("a", "FAILED", part("running", 0, 10)), bar("b", "SUCCESS", part("running", 15, 25)))
    assert short.idle == ()
    assert "idle" not in short.svg()


def test_attempts_days_apart_do_not_squash_it():
    """Many stretches, none of which is a quarter of all, are each more than a quarter of what is left."""
    day = 24 * 60
    bars = [bar("a", "FAILED", part("running", day * n, day * n + 5), attempt=n + 1) for n in range(8)]
    timeline = drawn(*bars)
    assert len(timeline.idle) == 7
    root = parsed(timeline.svg())
    rects = [one for one in root.iter(f"{NAMESPACE}rect") if one.get("fill") == COLOURS["bad"]]
    assert min(float(one.get("width")) for one in rects) >= 60
    assert timeline.svg().count("··23h55m··") == 7
    assert "a #8" in [text for text, *_ in texts(root)]
    assert_readable(timeline.svg())


def test_waiting_is_shown_and_does_not_fill_the_picture():
    """A run that waited ten hours and ran two minutes: both are seen."""
    timeline = drawn(bar("a", "SUCCESS", part("waiting", 0, 600), part("running", 600, 602)))
    assert timeline.idle == ((START, START + 600 * MINUTE),)
    waiting, running = [
        float(one.get("width")) for one in parsed(timeline.svg()).iter(f"{NAMESPACE}rect") if one.get("height") == "14"
    ][:2]
    assert waiting >= 18
    assert running >= 600


def test_what_only_waits_is_not_cut():
    """Nothing runs in any of it."""
    assert drawn(bar("a", "QUEUED", part("waiting", 0, 600), is_ongoing=True)).idle == ()


def test_nothing_that_began_is_a_picture_too():
    """Rows without bars, and no rows at all."""
    for timeline in (drawn(bar("a", "BLOCKED", note="waits for b")), drawn()):
        assert_readable(timeline.svg())
        assert (timeline.start, timeline.end, timeline.idle) == (None, None, ())


def test_of_thousands_of_bars_those_that_matter_have_a_row():
    """The rest is one row that says how many; the picture stays small."""
    bars = [bar(f"t{n}", "SUCCESS", part("running", n, n + 1)) for n in range(5000)]
    bars[17] = bar("broken", "FAILED", part("running", 17, 18))
    bars[4000] = bar("stuck", "RUNNING", part("running", 4000, 4002), is_ongoing=True)
    svg = drawn(*bars).svg()
    names = [text for text, *_ in texts(parsed(svg))]
    assert {"broken", "stuck", "… 4998 more"} <= {*names}
    assert len(svg) < 10_000
    failed = [bar(f"t{n}", "FAILED", part("running", n, n + 1)) for n in range(MAX_ROWS + 1)]
    assert "… 201 more" in drawn(*failed).svg()
    assert drawn(*failed[:-1]).svg().count("<g><title>") == MAX_ROWS


def test_a_value_is_plain(timeline):
    """JSON takes it; one record for each attempt, with milliseconds for each phase."""
    plain = json.loads(json.dumps(timeline.as_dict()))
    assert (plain["title"], plain["state"], plain["kind"]) == (timeline.title, "RUNNING", "moving")
    assert plain["idle"] == [[START + 14 * MINUTE, START + 62 * MINUTE]]
    (record,) = [one for one in plain["bars"] if one["name"] == "clean"]
    assert {name: record[name] for name in record if name not in ("parts", "kind", "note")} == {
        "name": "clean",
        "attempt": 1,
        "state": "SUCCESS",
        "start": START + 8 * MINUTE,
        "waited_ms": 0,
        "setup_ms": 30_000,
        "run_ms": 5 * MINUTE,
        "cleanup_ms": 30_000,
        "end": START + 14 * MINUTE,
    }
    assert record["parts"][0] == {"phase": "setup", "start": START + 8 * MINUTE, "end": START + 8 * MINUTE + 30_000}
    assert repr(timeline) == "<Timeline of run 42 (nightly <b>&\u202e\x00): RUNNING, 11 bars>"


def test_long_names_lose_their_middle_and_keep_their_attempt():
    """The whole name is said when the mouse is on the row."""
    name = "enrich_" + "x" * 100 + "_prices"
    svg = drawn(bar(name, "SUCCESS", part("running", 0, 1), attempt=12)).svg()
    (shown,) = [text for text, *_ in texts(parsed(svg)) if text.endswith(" #12")]
    assert re.fullmatch(r"enrich_x+…x+_prices #12", shown)
    assert len(shown) == 40
    assert any(name in title for title in said(svg))


@pytest.mark.parametrize(
    ("milliseconds", "short", "long"),
    [
        (0, "0s", "0"),
        (-5, "0s", None),
        (350, "350ms", "350ms"),
        (45_999, "45s", "45s999ms"),
        (125_000, "2m05s", "2m5s"),
        (3_900_000, "1h05m", "1h5m"),
        (273_600_000, "3d04h", "3d4h"),
        (3 * 86_400_000 + 60_000, "3d00h", "3d1m"),
    ],
)
def test_durations(milliseconds, short, long):
    """Two units for people; all of them on an axis."""
    assert duration(milliseconds) == short
    assert long is None or exact(milliseconds) == long


def test_moments_outside_of_any_calendar_are_numbers():
    """An answer can hold any number."""
    assert moment(START) == "2025-11-26 02:00:00 UTC"
    assert moment(10**18) == "1000000000000000000 ms"


def test_wide_letters_take_two_columns():
    """A name is shortened to columns, not to letters."""
    assert shorten("名前名前名前名前", 9) == "名前名…前"
    assert shorten("short", 9) == "short"


@given(
    st.lists(st.integers(0, 10**7), min_size=2, max_size=2, unique=True),
    st.floats(10, 2000),
)
@settings(max_examples=15, deadline=None)
def test_ticks_are_round_and_apart(bounds, length):
    """At any scale."""
    start, end = sorted(bounds)
    axis = Axis(start, end, [], length, 10)
    ticks = axis.ticks(70)
    assert ticks[0] == 0
    assert ticks[-1] <= end - start
    places = [axis.place(start + tick) for tick in ticks]
    assert all(after - before >= 69.9 for before, after in itertools.pairwise(places))


moments = st.integers(0, 10**10) | st.integers(-(2**63), 2**63)
words = st.sampled_from(["SUCCESS", "FAILED", "RUNNING", "QUEUED", "CANCELED", "SKIPPED", "HIBERNATING"]) | st.text()
parts = st.lists(st.tuples(st.sampled_from(["waiting", "setup", "running", "cleanup"]), moments), max_size=4)


@st.composite
def any_bar(draw):
    ends = sorted(draw(parts), key=lambda one: one[1])
    made = [Part(phase, start, end) for (phase, start), (_, end) in itertools.pairwise(ends)]
    state = draw(words)
    return Bar(
        name=draw(st.text(max_size=60)),
        attempt=draw(st.integers(1, 20)),
        state=state,
        kind=run_kind(state),
        parts=tuple(made),
        is_ongoing=draw(st.booleans()),
        note=draw(st.text(max_size=90)),
    )


@given(st.lists(any_bar(), max_size=8), st.text(max_size=90), words)
@settings(max_examples=20, deadline=None)
def test_whatever_it_shows_can_be_read(bars, title, state):
    """Well-formed, no text over another or outside of the picture."""
    timeline = Timeline(title=title, state=state, kind=run_kind(state), bars=tuple(bars))
    assert_readable(timeline.svg())
    json.dumps(timeline.as_dict())
