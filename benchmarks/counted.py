"""The guard against becoming slower unnoticed: work that is counted, not timed, against the figures of `counted.json`.

Counted are the calls that this package makes, of its own functions and of others, for one typed request, one object
read or written, one directory walked, one notebook exported; and the requests that operations send. Calls inside
aiohttp, attrs and others are not counted: a new version of theirs is no change of ours. The count differs between
versions of Python, so each has figures of its own; requests are the same everywhere.

Defends: no count is more than 3 % above its figure, and no operation sends one request more. What has become less is
said, and kept with --update.

    python benchmarks/counted.py [--quick] [--update]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import orjson
from bodies import Nowhere, tasks
from harness import Calls, answering, counted, elsewhere
from requests_sent import count as count_requests
from trees import a_tree

from databricks_async import WorkspaceClient, codec
from databricks_async.clusters.models import ClusterSpec, GetEventsResponse, ListClustersResponse
from databricks_async.jobs.api import Jobs
from databricks_async.jobs.models import ListRunsResponse

FIGURES = Path(__file__).with_suffix(".json")
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
TOLERANCE = 1.03


async def of_requests(figures: dict[str, float]) -> None:
    many = 200
    with answering() as url:
        async with WorkspaceClient(host=url, token="benchmark") as w:

            async def one_by_one() -> None:
                for _ in range(many):
                    await w.clusters.get("0923-164208-meows279")

            async def gathered() -> None:
                await asyncio.gather(*(w.clusters.get(f"0923-{number}") for number in range(many)))

            figures["a typed request, one after the other"] = await counted(one_by_one) / many
            figures["a typed request, gathered"] = await counted(gathered) / many


async def of_objects(figures: dict[str, float]) -> None:
    from conversion import SPEC, cluster, event, run  # not at the top: each server's process would import it, too

    many = 50

    def read(name: str, kind: Any, items: list[dict[str, Any]]) -> Callable[[], Awaitable[object]]:
        page = orjson.dumps({name: items})
        for _ in range(5):  # what comes often gets readers of its own
            codec.decode(page, kind)

        async def work() -> None:
            codec.decode(page, kind)

        return work

    for name, kind, item in (
        ("cluster", ListClustersResponse, cluster),
        ("run", ListRunsResponse, run),
        ("event", GetEventsResponse, event),
    ):
        work = read(f"{name}s", kind, [item(number) for number in range(many)])
        figures[f"{'an' if name == 'event' else 'a'} {name} read"] = await counted(work) / many

    spec, plain = ClusterSpec.from_dict(SPEC), tasks()
    jobs = Jobs(Nowhere(), "2.2")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    async def write() -> None:
        codec.encode(spec)

    figures["a cluster's specification written"] = await counted(write)
    figures["a task of a job's body, checked and written"] = await counted(
        lambda: jobs.create(name="nightly", tasks=plain)
    ) / len(plain)


async def of_trees(figures: dict[str, float]) -> None:
    many = 100
    with elsewhere(a_tree, many) as (url, token), tempfile.TemporaryDirectory() as folder:
        async with WorkspaceClient(host=url, token=token) as w:

            async def walk() -> None:
                assert len([info async for info in w.workspace.walk("/Shared")]) == 2 * many

            figures["a directory walked"] = await counted(walk) / many
            with Calls() as calls:  # before any thread is there: only those that begin meanwhile are counted
                report = await w.workspace.export_tree("/Shared", folder)
            assert len(report.done) == 2 * many
            figures["a directory and its file exported"] = calls.made / many


def compare(what: str, now: dict[str, float], before: dict[str, float], tolerance: float) -> int:
    """Shows each figure beside the committed one. Returns how many have become more."""
    print(f"{what:<62} {'now':>9} {'before':>9}")
    more = 0
    for name in [*now, *(name for name in before if name not in now)]:
        count, figure = now.get(name), before.get(name)
        verdict = ""
        if count is None or figure is None:
            verdict, more = "ONE OF THE TWO IS MISSING: run this with --update", more + 1
        elif count > figure * tolerance:
            verdict, more = "MORE", more + 1
        elif count < figure / tolerance:
            verdict = "less: keep it with --update"
        shown = ("-" if figure is None else f"{figure:g}" for figure in (count, figure))
        print("  {:<60} {:>9} {:>9}  {}".format(name, *shown, verdict))
    return more


async def main(update: bool) -> int:
    calls: dict[str, float] = {}
    # Trees first: no thread is there yet.
    for measure in (of_trees, of_requests, of_objects):
        await measure(calls)
    calls = {name: round(count, 1) for name, count in calls.items()}
    requests = {name: float(ours) for name, (ours, _) in (await count_requests()).items()}
    figures = json.loads(FIGURES.read_text()) if FIGURES.exists() else {"requests": {}, "calls": {}}
    if update:
        figures["requests"] = requests
        figures["calls"] = dict(sorted({**figures["calls"], PYTHON: calls}.items()))
        FIGURES.write_text(json.dumps(figures, indent=2) + "\n")
        print(f"{FIGURES.name}: written for Python {PYTHON}")
    more = compare("Requests sent", requests, figures["requests"], 1.0)
    if PYTHON not in figures["calls"]:
        print(f"No figures for Python {PYTHON} yet: --update writes them")
        compare("Calls made", calls, calls, TOLERANCE)
        return int(more > 0)
    more += compare(
        f"Calls made by the package's own code, Python {PYTHON}", calls, figures["calls"][PYTHON], TOLERANCE
    )
    return int(more > 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="no difference: what is counted is not noisy")
    parser.add_argument("--update", action="store_true", help="write the figures of this Python, and the requests")
    sys.exit(asyncio.run(main(parser.parse_args().update)))
