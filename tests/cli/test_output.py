"""What commands write: signs, times, columns and tables that fit, streams of any kind.

Here are the tests of `cli/output/`, `cli/live/screen.py`.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from databricks_async.cli.live.screen import Screen
from databricks_async.cli.output import states, tables, times
from databricks_async.cli.output.columns import Column, for_people, for_scripts, sort_key
from databricks_async.cli.output.streams import Stream, shown
from databricks_async.cli.output.tables import Row
from databricks_async.clusters.models import ClusterDetails, TerminationReason
from databricks_async.jobs.models import Run, RunState

NOW = datetime(2026, 11, 26, 7, 52, 0, tzinfo=UTC)


# --- times -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (45.9, "45s"), (125, "2m05s"), (3900, "1h05m"), (3 * 86400 + 4 * 3600, "3d04h"), (-5, "0s")],
)
def test_durations(seconds: float, text: str) -> None:
    """Two units at most."""
    assert times.duration(seconds) == text


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("1h30m", 5400), ("2d", 172800), ("0.5", 0.5)])
def test_durations_are_read(text: str, seconds: float) -> None:
    """As people write them."""
    assert times.parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "1x", "-1", "1h 30m", "m"])
def test_what_is_no_duration(text: str) -> None:
    """Says how to write one."""
    with pytest.raises(ValueError, match="write 90s, 30m, 1h30m or 2d"):
        times.parse_duration(text)


def test_moments() -> None:
    """So long ago, or a date or time; the zone is the local one unless it is given."""
    assert times.parse_moment("1h", NOW) == NOW - timedelta(hours=1)
    assert times.parse_moment("2026-11-26T07:00:00+01:00") == datetime(2026, 11, 26, 6, tzinfo=UTC)
    assert times.parse_moment("2026-11-26").tzinfo is not None
    with pytest.raises(ValueError, match="is no time"):
        times.parse_moment("yesterday")
    assert times.moment(NOW, NOW, utc=True) == "today 07:52:00 UTC"
    assert times.moment(NOW - timedelta(days=1), NOW, utc=True) == "25 Nov 07:52 UTC"
    assert times.moment(NOW - timedelta(days=400), NOW, utc=True) == "22 Oct 2025 07:52 UTC"
    there = NOW.astimezone(timezone(timedelta(hours=2)))
    assert times.rfc3339(there) == "2026-11-26T07:52:00.000+00:00"


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 KB"), (1_234_567, "1.2 MB"), (999_960_000, "1.0 GB")]
)
def test_sizes(count: int, text: str) -> None:
    """Decimal units."""
    assert times.size(count) == text


# --- states ----------------------------------------------------------------------------------------------------------


def test_signs() -> None:
    """A terminated cluster is bad news only if a failure ended it; unknown words have a sign of their own."""

    def cluster(state: str, reason: str | None = None) -> states.Sign:
        why = TerminationReason(type=reason) if reason else None  # type: ignore[arg-type]
        return states.sign_of_cluster(ClusterDetails(cluster_id="1", state=state, termination_reason=why))  # type: ignore[arg-type]

    assert cluster("RUNNING") == states.SIGNS["good"]
    assert cluster("PENDING") == states.SIGNS["moving"]
    assert cluster("TERMINATED", "SUCCESS") == states.SIGNS["stopped"]
    assert cluster("TERMINATED", "CLOUD_FAILURE") == states.SIGNS["bad"]
    assert cluster("HIBERNATED") == states.SIGNS["unknown"]

    def run(life: str, result: str | None = None) -> states.Sign:
        return states.sign_of_run(Run(run_id=1, state=RunState(life_cycle_state=life, result_state=result)))  # type: ignore[arg-type]

    assert run("RUNNING") == states.SIGNS["moving"]
    assert run("QUEUED") == states.SIGNS["waiting"]
    assert run("TERMINATED", "SUCCESS") == states.SIGNS["good"]
    assert run("TERMINATED", "SUCCESS_WITH_FAILURES") == states.SIGNS["half good"]
    assert run("TERMINATED", "CANCELED") == states.SIGNS["stopped"]
    assert run("INTERNAL_ERROR", "FAILED") == states.SIGNS["bad"]
    assert run("SKIPPED") == states.SIGNS["not run"]
    signs = states.SIGNS.values()
    assert len({sign.symbol for sign in signs}) == len({sign.ascii for sign in signs}) == len(signs) == 8


# --- columns and tables ----------------------------------------------------------------------------------------------


def test_cells() -> None:
    """People see durations and sizes, scripts the values in full."""
    since = Column("SINCE", lambda item: item, kind="elapsed")
    assert for_people(since, NOW - timedelta(seconds=65), NOW, utc=True) == "1m05s"
    assert for_scripts(since, NOW) == "2026-11-26T07:52:00.000+00:00"
    plain = Column("X", lambda item: item)
    assert [for_people(plain, one, NOW, utc=True) for one in (None, "", "a\tb", timedelta(seconds=5))] == [
        *("-", "-", "a\\tb", "5s")
    ]
    assert [for_scripts(plain, one) for one in (None, True, 1.5, "a\tb", timedelta(seconds=90.5))] == [
        *("", "true", "1.5", "a\\tb", "90.5")
    ]
    assert sorted([3, None, 1], key=lambda item: sort_key(plain, item)) == [1, 3, None]


COLUMNS = (
    Column("ID", lambda item: item, keep=True),
    Column("NAME", lambda item: item, shorten="name"),
    Column("STATE", lambda item: item, keep=True),
    Column("COUNT", lambda item: item, right=True),
    Column("REASON", lambda item: item, shorten="words"),
)
ROWS = (
    Row("✓", "green", ("1126-074641-ar5il5gu", "a-cluster-with-a-long-name", "RUNNING", "12", "-")),
    Row("✗", "red", ("1126-074640-ev8zr0cc", "名前", "TERMINATED", "1", "the cloud had none of these machines left")),
)


def plain(lines: list[tables.Line]) -> list[str]:
    return ["".join(text for text, _ in line) for line in lines]


@pytest.mark.parametrize("width", [20, 40, 50, 60, 80, 100, 140])
def test_tables_fit(width: int) -> None:
    """No line is longer than the terminal, and no word is cut but visibly; ids and states stay."""
    lines = plain(tables.lay_out(COLUMNS, ROWS, width))
    words = {word for row in ROWS for cell in row.cells for word in cell.split()}
    words |= {column.name for column in COLUMNS} | {column.name.lower() for column in COLUMNS} | {"✓", "✗", "…", "-"}
    for line in lines:
        assert tables.cells_of(line) <= width
        assert not line.endswith(" ")
        for word in line.split():
            assert word in words or word.endswith("…"), (word, line)
    if width >= 40:
        assert ROWS[0].cells[0] in "\n".join(lines)
        assert "TERMINATED" in "\n".join(lines)


def test_tables_have_columns_as_wide_as_they_need() -> None:
    """Numbers stand at the right; wide letters count twice; without a limit nothing is cut."""
    assert plain(tables.lay_out(COLUMNS, ROWS, None)) == [
        "  ID                    NAME                        STATE       COUNT  REASON",
        "✓ 1126-074641-ar5il5gu  a-cluster-with-a-long-name  RUNNING        12  -",
        "✗ 1126-074640-ev8zr0cc  名前                        TERMINATED      1  "
        "the cloud had none of these machines left",
    ]
    assert plain(tables.lay_out(COLUMNS[:1], [], 80)) == ["ID"]
    assert plain(tables.lay_out(COLUMNS[:1], [], 80, header=False)) == []


def test_what_does_not_fit_is_left_out_by_rule() -> None:
    """Sentences lose words, then columns go from the right, then names are shortened; then rows are stacked."""
    at = {width: plain(tables.lay_out(COLUMNS, ROWS, width)) for width in (90, 72, 50, 40)}
    assert at[90][2].endswith("  the cloud had …")
    assert at[72][0].split() == ["ID", "NAME", "STATE", "COUNT"]
    assert "a-cluster-wit…" in at[50][1]
    assert at[40][:3] == ["✓ 1126-074641-ar5il5gu", "    name a-cluster-with-a-long-name", "    state RUNNING"]
    assert plain(tables.lay_out(COLUMNS, ROWS, 50, ascii_only=True))[1].count("~") == 1


def test_wrapped_text_keeps_words() -> None:
    """A word that is longer than a line is cut visibly."""
    assert tables.wrapped("one two  three", 7) == ["one two", "three"]
    assert tables.wrapped("averylongword x", 6) == ["avery…", "x"]
    assert tables.wrapped("as long as it is", None) == ["as long as it is"]
    assert tables.cut("abc", 0) == ""
    assert tables.cut_words("averylongword", 6) == "avery…"


# --- streams ---------------------------------------------------------------------------------------------------------


class Tty(io.StringIO):
    """A terminal of a test."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environment", "wanted", "is_terminal", "has_color"),
    [
        ({}, "auto", True, True),
        ({}, "auto", False, False),
        ({"NO_COLOR": "1"}, "auto", True, False),
        ({"NO_COLOR": ""}, "auto", True, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, "auto", False, False),
        ({"NO_COLOR": "1"}, "always", False, True),
        ({"FORCE_COLOR": "1"}, "auto", False, True),
        ({"FORCE_COLOR": "0"}, "auto", False, False),
        ({"CLICOLOR_FORCE": "1"}, "auto", False, True),
        ({"FORCE_COLOR": "1"}, "never", True, False),
        ({"TERM": "dumb"}, "auto", True, False),
    ],
)
def test_colours_are_asked_for_or_found(
    environment: dict[str, str], wanted: str, is_terminal: bool, has_color: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no variable makes a pipe a terminal that can be drawn on."""
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    stream = Stream(Tty() if is_terminal else io.StringIO(), color=wanted)
    assert stream.has_color is has_color
    assert stream.is_live is (is_terminal and environment.get("TERM") != "dumb")
    assert ("\x1b" in stream.style("x", "green")) is has_color


def test_widths(monkeypatch: pytest.MonkeyPatch) -> None:
    """COLUMNS, else the terminal; a pipe has no limit, whatever COLUMNS says."""
    monkeypatch.setenv("COLUMNS", "50")
    assert Stream(Tty()).width == 50
    assert Stream(io.StringIO()).width is None
    monkeypatch.setenv("COLUMNS", "0")
    assert Stream(Tty()).width == 80  # it has no size that can be asked for
    assert shown("a\x1b[2J\n") == "a\\x1b[2J\\n"


async def test_a_screen_leaves_its_last_picture_and_the_cursor() -> None:
    """Also when what is drawn fails, and when the block is left with an error."""
    file, count = Tty(), 0

    def draw() -> list[tables.Line]:
        nonlocal count
        count += 1
        return [[(f"picture {count}", "green")]] * 100

    async with Screen(Stream(file), draw) as screen:
        screen.redraw()
    text = file.getvalue()
    assert text.rindex("\x1b[?25h") > text.rindex(f"picture {count}") > text.index("\x1b[?25l")
    assert text.count(f"picture {count}") == Stream(file).height - 1  # no more than there is room for

    def fail() -> Any:
        raise ValueError("not drawn")

    with pytest.raises(ValueError, match="not drawn"):
        async with Screen(Stream(file), fail) as screen:
            screen.redraw()
    assert file.getvalue().endswith("\x1b[?25h")
