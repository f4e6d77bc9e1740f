"""How long the live page keeps the browser's main thread: 1,000 rows, of which 100 change at once, ten times a second.

Defends: no task of the page, which is its scripts with style, layout and paint of a frame, takes 16 ms of CPU time, by
the browser's own trace: when the first rows come, while changes come, and when a hidden tab is shown again.

    python benchmarks/page.py [--quick]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import sys
from pathlib import Path
from typing import Any

from harness import Gate

from databricks_async.cli.page.feed import Feed, Row
from databricks_async.cli.page.server import serving

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from support import devtools

ROWS = 1000
CHANGED = 100
FRAME_MS = 16.0
CATEGORIES = "devtools.timeline,disabled-by-default-devtools.timeline,toplevel,__metadata"
KINDS = [("RUNNING", "good", "✓"), ("PENDING", "waiting", "."), ("TERMINATED", "bad", "✗"), ("RESIZING", "moving", "*")]


class NoTimelines:
    """Rows of clusters have none."""

    async def svg(self, run_id: int) -> str:
        raise AssertionError(run_id)


def row(number: int, turn: int) -> Row:
    """One of 1,000 clusters; another state at each turn."""
    state, kind, sign = KINDS[(number + turn) % len(KINDS)]
    return {
        "id": f"cluster {number}",
        "of": "cluster",
        "name": f"nightly-etl-{number}",
        "thing": f"0101-000000-{number:08}",
        **{"state": state, "kind": kind, "sign": sign, "since": 1_764_122_400_000 + turn, "end": None},
        "size": f"{turn % 9} workers",
        "note": "Finding instances for new nodes, acquiring more instances if necessary" if kind == "waiting" else "",
    }


async def traced(tab: devtools.Tab, work: Any) -> list[float]:
    """CPU milliseconds of each task of the page's main thread while the work is done."""
    await tab.send(
        "Tracing.start", transferMode="ReturnAsStream", traceConfig={"includedCategories": CATEGORIES.split(",")}
    )
    await work()
    tab.events.clear()
    await tab.send("Tracing.end")
    stream, text = (await tab.event("Tracing.tracingComplete"))["stream"], []
    while True:
        part = await tab.send("IO.read", handle=stream)
        text.append(part["data"])
        if part["eof"]:
            break
    return _tasks(json.loads("".join(text))["traceEvents"])


def _tasks(events: list[dict[str, Any]]) -> list[float]:
    # The thread that ran the page's scripts.
    scripts = [(e["pid"], e["tid"]) for e in events if e["name"] in ("FireAnimationFrame", "FunctionCall", "TimerFire")]
    main = statistics.mode(scripts)
    return [
        event["tdur"] / 1000
        for event in events
        if event["name"] in ("RunTask", "ThreadControllerImpl::RunTask")
        and (event["pid"], event["tid"]) == main
        and "tdur" in event
    ]


async def main(quick: bool) -> int:
    gate = Gate(quick)
    turns = 10 if quick else 100
    rows, feed = random.Random(0), Feed()
    feed.set_status({"host": "benchmark", "now": 1_764_122_400_000, "speed": 60.0, "age": 0.5, "trouble": None})
    turn = 0

    async def change() -> None:
        nonlocal turn
        for _ in range(turns):
            turn += 1
            for number in rows.sample(range(ROWS), CHANGED):
                feed.put(row(number, turn))
            await asyncio.sleep(0.1)

    for number in range(ROWS):
        feed.put(row(number, 0))
    async with serving(feed, NoTimelines(), "127.0.0.1", 0) as url, devtools.started() as found:  # type: ignore[arg-type]
        tab = await found.tab()

        async def first() -> None:
            await tab.open(url)
            await tab.until(f"document.querySelectorAll('#clusters .item').length === {ROWS}")
            await asyncio.sleep(0.3)

        async def shown_again() -> None:
            await tab.run("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
            await change()
            await tab.run("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
            await asyncio.sleep(0.5)

        for name, work in (("first rows", first), ("changes", change), ("shown again", shown_again)):
            tasks = sorted(await traced(tab, work))
            busy = [task for task in tasks if task > 0.5]
            print(
                f"{name:12} {len(tasks):6} tasks, {len(busy):4} over 0.5 ms; "
                f"median of these {statistics.median(busy or [0]):5.1f} ms, "
                f"longest {tasks[-1]:5.1f} ms of CPU time"
            )
            gate.at_most(f"{name}: CPU milliseconds of the longest task", tasks[-1], FRAME_MS)
    return gate.exit_code()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few turns, for the smoke run")
    sys.exit(asyncio.run(main(parser.parse_args().quick)))
