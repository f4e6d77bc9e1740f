"""What ten and a hundred times as much costs: linear or better, shown for all that comes in large numbers.

Defends, from each size to ten times as much: an item takes no more calls of functions (Python's and C's, of all
libraries), within a tenth; and at most 1.5 times the CPU time, for the caches of the processor, where what is not
linear would take 10 times as much. Python's garbage collector is off: it looks again and again at all that a program
keeps, and so triples the time of 2,500 runs that are kept. A quick run measures only what is `STEADY` at two sizes, and
judges its calls.

    python benchmarks/growth.py [--quick] [--only WORD ...]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import itertools
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import orjson
from bodies import Nowhere, tasks
from content import PIECE, an_object
from harness import Calls, Gate, answering, elsewhere, record
from pages import long_listings
from peers import a_history
from trees import a_tree
from watching import plan
from watching_service import planned

from databricks_async import WorkspaceClient, codec
from databricks_async.jobs.api import Jobs

Work: TypeAlias = Callable[[], Awaitable[object]]


@contextlib.asynccontextmanager
async def calls(size: int) -> AsyncIterator[Work]:
    with answering() as url:
        async with WorkspaceClient(host=url, token="benchmark") as w:
            yield lambda: asyncio.gather(*(w.clusters.get(f"0923-{number}") for number in range(size)))


PAGES = {"clusters": 20, "runs": 25, "events": 50}
"""So many are on a page."""


def _pages(name: str, size: int) -> tuple[list[bytes], type[Any]]:
    """So many clusters, runs or events in the answers of a listing, and their model."""
    import conversion  # not at the top: each server's process would import it, too

    from databricks_async.clusters.models import GetEventsResponse, ListClustersResponse
    from databricks_async.jobs.models import ListRunsResponse

    models = {"clusters": ListClustersResponse, "runs": ListRunsResponse, "events": GetEventsResponse}
    make, each = getattr(conversion, name[:-1]), PAGES[name]
    pages = [
        orjson.dumps({name: [make(number) for number in range(first, first + each)]}) for first in range(0, size, each)
    ]
    return pages, models[name]


@contextlib.asynccontextmanager
async def pages_read(name: str, size: int) -> AsyncIterator[Work]:
    """All are kept, as `collect` does."""
    pages, kind = _pages(name, size)

    async def read() -> object:
        return [codec.decode(page, kind) for page in pages]

    yield read


@contextlib.asynccontextmanager
async def pages_written(name: str, size: int) -> AsyncIterator[Work]:
    pages, kind = _pages(name, size)
    models = [codec.decode(page, kind) for page in pages]

    async def write() -> object:
        return [codec.encode(model) for model in models]

    yield write


@contextlib.asynccontextmanager
async def tasks_written(size: int) -> AsyncIterator[Work]:
    jobs, body = Jobs(Nowhere(), "2.2"), tasks()[:size]  # type: ignore[arg-type]
    yield lambda: jobs.create(name="nightly", tasks=body)


@contextlib.asynccontextmanager
async def events_listed(size: int) -> AsyncIterator[Work]:
    with elsewhere(a_history, size, 0.0) as (url, token):
        async with WorkspaceClient(host=url, token=token) as w:
            yield lambda: w.clusters.events("c-0", page_size=20).collect()


@contextlib.asynccontextmanager
async def runs_listed(size: int) -> AsyncIterator[Work]:
    with elsewhere(long_listings, 1, size, 0.0) as url:
        async with WorkspaceClient(host=url, token="benchmark") as w:

            async def read() -> None:
                assert len(await w.jobs.list_runs(page_size=5).collect()) == size

            yield read


@contextlib.asynccontextmanager
async def directories_walked(size: int) -> AsyncIterator[Work]:
    with elsewhere(a_tree, size) as (url, token):
        async with WorkspaceClient(host=url, token=token) as w:

            async def walk() -> None:
                assert len([info async for info in w.workspace.walk("/Shared")]) == 2 * size

            yield walk


@contextlib.asynccontextmanager
async def files_exported(size: int) -> AsyncIterator[Work]:
    with elsewhere(a_tree, size) as (url, token), tempfile.TemporaryDirectory() as folder:
        async with WorkspaceClient(host=url, token=token) as w:
            numbers = itertools.count()

            async def export() -> None:
                report = await w.workspace.export_tree("/Shared", Path(folder, str(next(numbers))))
                assert len(report.done) == 2 * size

            yield export


@contextlib.asynccontextmanager
async def files_imported(size: int) -> AsyncIterator[Work]:
    with elsewhere(a_tree, 0) as (url, token), tempfile.TemporaryDirectory() as folder:
        for number in range(size):
            await asyncio.to_thread(Path(folder, f"{number}.txt").write_text, "content")
        async with WorkspaceClient(host=url, token=token) as w:

            async def send() -> None:
                report = await w.workspace.import_tree(folder, "/Shared/imported", overwrite=True)
                assert len(report.done) == size

            yield send


@contextlib.asynccontextmanager
async def downloaded(size: int) -> AsyncIterator[Work]:
    with elsewhere(an_object, size) as url, tempfile.TemporaryDirectory() as folder:
        async with WorkspaceClient(host=url, token="benchmark") as w:

            async def save() -> None:
                saved = await w.workspace.download("/Shared/x").save(Path(folder, "x"), overwrite=True)
                assert saved == size * len(PIECE)

            yield save


@contextlib.asynccontextmanager
async def uploaded(size: int) -> AsyncIterator[Work]:
    with elsewhere(an_object, 1) as url, tempfile.TemporaryDirectory() as folder:
        local = Path(folder, "x")
        await asyncio.to_thread(local.write_bytes, PIECE * size)
        async with WorkspaceClient(host=url, token="benchmark") as w:
            yield lambda: w.workspace.upload("/Shared/x", local, format="AUTO", overwrite=True)


@contextlib.asynccontextmanager
async def runs_waited_for(size: int) -> AsyncIterator[Work]:
    """They end after three ticks."""
    with elsewhere(planned) as url:
        async with WorkspaceClient(host=url, token="x", poll_interval_seconds=0.5) as w:

            async def wait() -> None:
                await plan(w, size, dict.fromkeys(range(1, size + 1), 1.4))
                await asyncio.gather(*(w.jobs.wait_run(number).result() for number in range(1, size + 1)))

            yield wait


MEASURES: dict[str, tuple[Callable[[int], contextlib.AbstractAsyncContextManager[Work]], int]] = {
    "clusters read": (partial(pages_read, "clusters"), 20),
    "runs read": (partial(pages_read, "runs"), 25),
    "events read": (partial(pages_read, "events"), 50),
    "clusters written": (partial(pages_written, "clusters"), 20),
    "runs written": (partial(pages_written, "runs"), 25),
    "tasks of a job written": (tasks_written, 10),
    "calls gathered": (calls, 100),
    "events listed": (events_listed, 600),
    "runs listed": (runs_listed, 200),
    "runs waited for": (runs_waited_for, 10),
    "directories walked": (directories_walked, 10),
    "directories exported, with a file each": (files_exported, 10),
    "files imported": (files_imported, 10),
    "quarters of a MiB downloaded": (downloaded, 16),
    "quarters of a MiB uploaded": (uploaded, 16),
}
"""What makes the work of so many items, and the smallest number of them: some forty pages of what is listed."""
STEADY = [*MEASURES][:7]
"""Those whose calls do not depend on when anything arrives."""


async def cost(work: Work, size: int, seconds: float) -> tuple[float, float]:
    """Calls, and the least CPU seconds, for one item."""
    for _ in range(2):
        await work()
    spent, until = [], time.perf_counter() + seconds
    while not spent or time.perf_counter() < until:
        gc.collect()
        gc.disable()
        cpu = time.process_time()
        await work()
        spent.append(time.process_time() - cpu)
        gc.enable()
    with Calls(everything=True) as counted:
        await work()
    return counted.made / size, min(spent) / size


async def measure(gate: Gate, what: str, factors: tuple[int, ...], seconds: float) -> None:
    make, smallest = MEASURES[what]
    print(what)
    before: tuple[float, float] | None = None
    for factor in factors:
        size = smallest * factor
        async with make(size) as work:
            made, cpu = await cost(work, size, seconds)
        record(growth=what, size=size, calls=made, cpu=cpu)
        print(f"  ({size:,}: {made:.1f} calls and {cpu * 1e6:.1f} microseconds of CPU each)")
        if before is not None:
            steady = what in STEADY
            gate.at_most(f"{size:,} {what}: calls each, over a tenth as many", made / before[0], 1.1, counted=steady)
            gate.at_most(f"{size:,} {what}: CPU each, over a tenth as many", cpu / before[1], 1.5)
        before = made, cpu


async def main(quick: bool, only: list[str]) -> int:
    gate = Gate(quick)
    for what in MEASURES:
        if only and not any(word in what for word in only):
            continue
        factors = (1, 10, 100) if not quick else (1, 10) if what in STEADY else (1,)
        # In a loop of its own, whose threads begin while calls are counted.
        await asyncio.to_thread(asyncio.run, measure(gate, what, factors, 0.05 if quick else 1))
    return gate.exit_code()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="short and noisy: only shows that it runs")
    parser.add_argument(
        "--only", nargs="*", default=[], metavar="WORD", help="the measures that have one of these words"
    )
    arguments = parser.parse_args()
    sys.exit(asyncio.run(main(arguments.quick, arguments.only)))
