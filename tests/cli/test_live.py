"""What is watched: trees with bars, tables, timelines; lines in pipes.

Here are the tests of `cli/live/`.
"""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from cli.conftest import Run
from cli.test_clusters import SPEC
from cli.test_runs import task
from databricks_async import WorkspaceClient
from databricks_async.cli.live import timeline, tree
from databricks_async.cli.live.boards import RunBoard
from databricks_async.cli.options import Options
from databricks_async.cli.output.streams import Stream
from databricks_async.cli.output.tables import Line, cells_of
from databricks_async.cli.output.writer import Output
from databricks_async.jobs import RunChange, TaskChange, models
from databricks_async.local import LocalWorkspace

START = 1_764_000_000_000
WIDTHS = (40, 50, 60, 80, 140)


def a_task(key: str, word: str, begin: float, run: float, *after: str, setup: float = 0, attempt: int = 0) -> Any:
    """A task of a run; times are in seconds since its start."""
    ended = word not in ("RUNNING", "BLOCKED", "PENDING")
    state = {"life_cycle_state": "TERMINATED", "result_state": word} if ended else {"life_cycle_state": word}
    return {
        "run_id": hash((key, attempt)) % 10**6,
        "task_key": key,
        "attempt_number": attempt,
        "state": state,
        "start_time": START + int(begin * 1000) if word != "BLOCKED" else 0,
        "end_time": START + int((begin + setup + run) * 1000) if ended else 0,
        "setup_duration": int(setup * 1000),
        "execution_duration": int(run * 1000) if ended else 0,
        "depends_on": [{"task_key": one} for one in after],
    }


def a_run(*tasks: Any, word: str = "RUNNING") -> models.Run:
    state = (
        {"life_cycle_state": word} if word == "RUNNING" else {"life_cycle_state": "TERMINATED", "result_state": word}
    )
    return models.Run.from_dict(
        {
            "run_id": 393464803501611497,
            "run_name": "nightly-sales",
            "start_time": START,
            "end_time": 0 if word == "RUNNING" else START + 1140_000,
            "queue_duration": 40_000,
            "state": state,
            "tasks": list(tasks),
        }
    )


RUNNING = a_run(
    a_task("extract", "SUCCESS", 40, 300, setup=180),
    a_task("clean", "SUCCESS", 520, 342),
    a_task("enrich_with_prices", "FAILED", 520, 107, "clean"),
    a_task("enrich_with_prices", "SUCCESS", 640, 232, "clean", attempt=1),
    a_task("join", "RUNNING", 872, 0, "clean", "enrich_with_prices"),
    a_task("report", "BLOCKED", 0, 0, "join"),
)
NOW = datetime.fromtimestamp(START / 1000, UTC) + timedelta(minutes=19)


class Terminal(Stream):
    """A terminal of this size."""

    def __init__(self, width: int, height: int = 24, *, is_ascii: bool = False) -> None:
        super().__init__(None)
        self._width, self._height = width, height
        self.is_ascii = is_ascii

    @property
    def width(self) -> int:
        return self._width

    @property
    def height(self) -> int:
        return self._height


def plain(lines: list[Line]) -> list[str]:
    return ["".join(text for text, _ in line) for line in lines]


def words_are_whole(lines: list[str], values: str) -> bool:
    """Whether each word is one of the values, or says that it was cut."""
    known = {*re.findall(r"[\w.-]+", values)}
    found = {word for line in lines for word in re.findall(r"\w[\w.-]*[…~]?", line)}
    return all(word in known or word[-1] in "…~" or re.fullmatch(r"(\d+[smhd])+|x|v", word) for word in found)


VALUES = (
    "nightly-sales run 393464803501611497 RUNNING for waited extract clean enrich_with_prices join report waits "
    "attempt 2 1 "
    "waiting setup running cleaning up goes on failed Ctrl-C stops the watching only. more that succeeded read ago "
    "TASK STATE TIME SUCCESS FAILED BLOCKED 0 #2"
)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("is_ascii", [False, True])
def test_a_tree_fits(width: int, is_ascii: bool) -> None:
    """At every width no line is longer, no word is cut but visibly, and ASCII is ASCII."""
    terminal = Terminal(width, is_ascii=is_ascii)
    lines = plain(tree.lines_of(RUNNING, NOW, terminal, "read 2s ago", ["Ctrl-C stops the watching only."]))
    assert max(map(cells_of, lines)) <= width
    assert words_are_whole(lines, VALUES), lines
    assert not is_ascii or all(line.isascii() for line in lines)
    assert len(lines) >= 6


def test_a_tree_shows_what_follows_what() -> None:
    """With waiting, setup and running told apart by sign, failed attempts, and an open end."""
    lines = plain(tree.lines_of(RUNNING, NOW, Terminal(100), "read 2s ago"))
    assert lines[0] == "* nightly-sales · run 393464803501611497 · RUNNING for 19m00s · waited 40s · read 2s ago"
    assert lines[1].startswith("├ . (the run)")
    assert re.match(r"├ ✓ extract +8m00s +░+█+$", lines[2])
    assert re.match(r"├─┬ ✓ clean +5m42s +█+$", lines[3])
    assert re.match(r"│ └ ✓ enrich_with_prices +3m52s +█+✗ *█+( +attempt 2)?$", lines[4])
    assert re.match(r"└─┬ \* join +4m28s +█+▶$", lines[5])
    assert re.match(r"  └ \. report +- +waits for join$", lines[6])
    assert lines[7] == "· waiting  ░ setup  █ running  ▒ cleaning up  ▶ goes on  ✗ failed"


def test_a_tree_that_is_too_long() -> None:
    """What failed, runs and waits comes first; the rest is counted."""
    many = [a_task(f"t{number:03}", "SUCCESS", number, 5) for number in range(300)]
    bad = [a_task("broken", "FAILED", 10, 5), a_task("busy", "RUNNING", 20, 0)]
    lines = plain(tree.lines_of(a_run(*many, *bad), NOW, Terminal(80, 20)))
    assert len(lines) <= 19
    assert [line.split()[:2] for line in lines[1:3]] == [["✗", "broken"], ["*", "busy"]]
    shown = sum("t0" in line or "t1" in line for line in lines)
    assert f"… {300 - shown} that succeeded" in lines
    chain = [
        a_task(f"t{number}", "SUCCESS", number, 1, *([f"t{number - 1}"] if number else [])) for number in range(15)
    ]
    deep = plain(tree.lines_of(a_run(*chain, word="SUCCESS"), NOW, Terminal(80, 40)))
    assert max(line.index("✓") for line in deep[2:16]) < 20


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("is_ascii", [False, True])
def test_a_timeline_fits(width: int, is_ascii: bool) -> None:
    """At every width; a name that is cut keeps the number of its attempt."""
    lines = plain(timeline.lines_of(RUNNING.timeline(now=NOW), width, ascii_only=is_ascii))
    assert max(map(cells_of, lines)) <= width
    assert words_are_whole(lines, VALUES + " (the run) QUEUED"), lines
    assert sum("#2" in line for line in lines) == 1
    assert not is_ascii or all(line.isascii() for line in lines)
    assert "STATE" in lines[0] or width < 60


def test_idle_stretches_are_cut_out_and_labelled() -> None:
    """Nothing runs for a day between two attempts: both are seen."""
    run = a_run(a_task("a", "FAILED", 0, 60), a_task("a", "SUCCESS", 86400, 60, attempt=1), word="SUCCESS")
    lines = plain(timeline.lines_of(run.timeline(), 80))
    assert "··23h59m··" in lines[0]
    assert lines[-2].count("█") > 5
    assert lines[-1].count("█") > 5


# --- commands --------------------------------------------------------------------------------------------------------


@pytest.fixture
async def ended(cli: Run, workspace_client: WorkspaceClient, local_workspace: LocalWorkspace, quick_polls: None) -> str:
    """The id of a run of two tasks that succeeded."""
    local_workspace.script_task("load", duration=200)
    local_workspace.script_task("clean", duration=100)
    await workspace_client.jobs.create(name="nightly", tasks=[task("load"), task("clean", "load")])
    return (await cli("jobs", "run-now", "nightly", "-q")).out.strip()


async def test_runs_timeline(cli: Run, ended: str, tmp_path: Path) -> None:
    """Bars on a terminal, a record an attempt in a pipe, pictures in files."""
    rows = [line.split("\t") for line in (await cli("runs", "timeline", ended)).lines]
    assert [row[:3] for row in rows] == [["load", "1", "SUCCESS"], ["clean", "1", "SUCCESS"]]
    assert [row[6] for row in rows] == ["200000", "100000"]
    bars = (await cli("runs", "timeline", ended, "--color", "never", terminal=80)).lines
    assert bars[0].split()[:3] == ["TASK", "STATE", "TIME"]
    assert re.match(r"✓ load +SUCCESS +3m20s +█+$", bars[1])
    assert len(json.loads((await cli("runs", "timeline", ended, "-o", "json")).out)["bars"]) == 2
    started = await cli("runs", "timeline", ended, "--from", "started", "--no-header", terminal=80)
    assert len(started.lines) == 2
    for name in ("run.svg", "run.html"):
        code, out, err = await cli("runs", "timeline", ended, "--out", str(tmp_path / name))
        assert (code, out, err) == (0, "", f"wrote {tmp_path / name}\n")
    svg = ElementTree.parse(tmp_path / "run.svg").getroot()  # noqa: S314 (it was just written)
    assert svg.tag.endswith("svg")
    assert (tmp_path / "run.html").read_text().startswith("<!doctype html>")
    assert (await cli("runs", "timeline", ended, "--out", str(tmp_path / "run.png"))).code == 2
    assert sorted(os.listdir(tmp_path)) == ["run.html", "run.svg"]


async def test_runs_watch_in_a_pipe(cli: Run, ended: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line a change, runs and tasks; as JSON one object a line; with `-q` the ids of what has ended."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    code, out, err = await cli("runs", "watch", ended)
    assert (code, err, "\x1b" in out) == (0, "", False)
    assert re.search(r'^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d "nightly/clean" TERMINATED SUCCESS$', out, re.MULTILINE)
    assert out.splitlines()[-1].endswith('"nightly" TERMINATED SUCCESS')
    changes = [json.loads(line) for line in (await cli("runs", "watch", ended, "-o", "json")).lines]
    assert {change.get("task_key") for change in changes} == {None, "load", "clean"}
    assert changes[-1]["run"]["run_id"] == int(ended)
    assert (await cli("runs", "watch", ended, "-q")).out == f"{ended}\n"


async def test_runs_watch_ends_by_the_results(cli: Run, ended: str, local_workspace: LocalWorkspace) -> None:
    """3 if a run failed, also one that had ended before; several are told one by one."""
    local_workspace.script_task("clean", error="ValueError: no price")
    failed = (await cli("jobs", "run-now", "nightly", "-q")).out.strip()
    code, _, err = await cli("runs", "watch", failed)
    assert (code, "ValueError: no price" in err) == (3, True)
    code, out, err = await cli("runs", "watch", failed, ended, terminal=100)
    assert code == 3
    assert "ValueError: no price" in err
    assert "0 of 2 not ended" in out
    assert (await cli("runs", "watch", "--active")) == (0, "", "No run is active.\n")
    assert (await cli("runs", "watch")).code == 2
    assert (await cli("runs", "watch", failed, "--active")).code == 2


async def test_a_run_on_a_terminal(cli: Run, ended: str) -> None:
    """`run-now` draws on standard error and leaves the last picture; `watch` draws on standard output."""
    code, out, err = await cli("jobs", "run-now", "nightly", terminal=80)
    assert (code, out) == (0, "")
    assert err.endswith("\x1b[?25h")
    assert "└ " in err
    code, out, err = await cli("runs", "watch", ended, "--bell", terminal=80)
    assert (code, err) == (0, "")
    assert out.endswith("\a")
    assert "└ " in out
    dumb = await cli("runs", "watch", ended, terminal=80, term="dumb")
    assert "\x1b" not in dumb.out
    assert dumb.lines[-1].endswith('"nightly" TERMINATED SUCCESS')


async def test_the_run_of_run_now_goes_to_a_file_while_it_is_watched(cli: Run, ended: str) -> None:
    """Its JSON on standard output; lines on standard error where that is no terminal."""
    code, out, err = await cli("jobs", "run-now", "nightly")
    assert (code, json.loads(out)["run_name"]) == (0, "nightly")
    assert '"nightly/load" ' in err


def test_an_attempt_that_another_follows_has_failed() -> None:
    """Also where no poll has shown its end: its bar does not go on."""
    board = RunBoard(Output(Options()), Terminal(100), lambda: 1.0, [])
    first, second = a_task("load", "RUNNING", 0, 60), a_task("load", "RUNNING", 60, 30, attempt=1)
    before, after = a_run(first), a_run(second)
    old, new = (before.tasks or [])[0], (after.tasks or [])[0]
    board.take(RunChange(7, None, before, None, ""))
    board.take(TaskChange(7, "load", None, old, None, ""))
    board.take(TaskChange(7, "load", old, new, None, ""))
    seen = board.run(7)
    assert seen is not None
    bars = seen.timeline(now=START + 90_000).bars
    found = [(bar.state, bar.milliseconds("running")) for bar in bars if bar.name == "load"]
    assert found == [("FAILED", 60_000), ("RUNNING", 30_000)]


async def test_a_picture_that_cannot_be_written_names_its_file(cli: Run, ended: str, tmp_path: Path) -> None:
    """The one that was asked for, and not the one that would become it."""
    path = tmp_path / "missing" / "run.svg"
    code, out, err = await cli("runs", "timeline", ended, "--out", str(path))
    assert (code, out, err) == (5, "", f"databricks-async runs timeline: No such file or directory: {path}\n")


async def test_clusters_watch(cli: Run, workspace_client: WorkspaceClient, local_workspace: LocalWorkspace) -> None:
    """Until all are in a state; 3 if one is terminated instead."""
    made = await workspace_client.clusters.create(cluster_name="gold", **SPEC)  # type: ignore[arg-type]
    code, out, err = await cli("clusters", "watch", "gold", "--until", "running", "--every", "0.05s")
    assert (code, err) == (0, "")
    last = out.splitlines()[-1].split("\t")
    assert (last[1], last[2], last[4]) == (made.cluster_id, "gold", "RUNNING")
    code, out, _ = await cli("clusters", "watch", "gold", "--until", "RUNNING", "-o", "json")
    change = json.loads(out)
    assert (change["after"], change["cluster"]["cluster_name"], change["before"]) == ("RUNNING", "gold", None)
    code, out, err = await cli("clusters", "watch", "gold", "--until", "RUNNING", "--color", "never", terminal=100)
    assert code == 0
    assert "0 of 1 change · 1 running" in out
    assert (await cli("clusters", "watch", "gold", "--until", "RUNING")).code == 2
    assert (await cli("clusters", "watch")).code == 2
    assert (await cli("clusters", "watch", "--all", "--until", "RUNNING")).code == 2


async def test_a_cluster_that_ends_otherwise(
    cli: Run, workspace_client: WorkspaceClient, local_workspace: LocalWorkspace
) -> None:
    """3, and which one it was."""
    local_workspace.timing.pending = 3e4
    local_workspace.fail_next_start("CLOUD_PROVIDER_RESOURCE_STOCKOUT", "CLOUD_FAILURE")
    await workspace_client.clusters.create(cluster_name="gold", **SPEC)  # type: ignore[arg-type]
    code, out, err = await cli("clusters", "watch", "gold", "--until", "RUNNING", "--every", "0.05s")
    assert (code, err) == (3, "databricks-async clusters watch: gold ended TERMINATED, and not RUNNING\n")
    before, after = out.splitlines()[-1].split("\t")[3:5]
    assert (before in ("PENDING", "TERMINATING"), after) == (True, "TERMINATED")
