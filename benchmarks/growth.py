"""What ten and a hundred times as much costs: linear or better, shown for all that comes in large numbers.

Defends, from each size to ten times as much: an item takes no more calls of functions (Python's and C's, of all
libraries), within a tenth; and at most 1.5 times the CPU time, for caches and the garbage collector, where what is not
linear would take 10 times as much. A quick run measures only what is `STEADY` at two sizes, and judges its calls.

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


def _page(name: str, size: int) -> tuple[bytes, type[Any]]:
    """So many clusters, runs or events in one answer, and its model."""
    import conversion  # not at the top: each server's process would import it, too

    from databricks_async.clusters.models import GetEventsResponse, ListClustersResponse
    from databricks_async.jobs.models import ListRunsResponse

    models = {"clusters": ListClustersResponse, "runs": ListRunsResponse, "events": GetEventsResponse}
    make = getattr(conversion, name[:-1])
    return orjson.dumps({name: [make(number) for number in range(size)]}), models[name]


@contextlib.asynccontextmanager
async def page_read(name: str, size: int) -> AsyncIterator[Work]:
    page, kind = _page(name, size)

    async def read() -> object:
        return codec.decode(page, kind)

    yield read


@contextlib.asynccontextmanager
async def page_written(name: str, size: int) -> AsyncIterator[Work]:
    model = codec.decode(*_page(name, size))

    async def write() -> object:
        return codec.encode(model)

    yield write


@contextlib.asynccontextmanager
async def tasks_written(size: int) -> AsyncIterator[Work]:
    jobs, body = Jobs(Nowhere(), "2.2"), tasks()[:size]  # type: ignore[arg-type]
    yield lambda: jobs.create(name="nightly", tasks=body)


@contextlib.asynccontextmanager
async def events_listed(size: int) -> AsyncIterator[Work]:
    with elsewhere(a_history, size, 0.0) as (url, token):
        async with WorkspaceClient(host=url, token=token) as w:
            yield lambda: w.clusters.events("c-0", page_size=50).collect()


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
    "clusters of a page read": (partial(page_read, "clusters"), 20),
    "runs of a page read": (partial(page_read, "runs"), 25),
    "events of a page read": (partial(page_read, "events"), 50),
    "clusters written": (partial(page_written, "clusters"), 20),
    "runs written": (partial(page_written, "runs"), 25),
    "tasks of a job written": (tasks_written, 10),
    "calls gathered": (calls, 100),
    "events listed": (events_listed, 500),
    "runs listed": (runs_listed, 200),
    "runs waited for": (runs_waited_for, 10),
    "directories walked": (directories_walked, 10),
    "directories exported, with a file each": (files_exported, 10),
    "files imported": (files_imported, 10),
    "quarters of a MiB downloaded": (downloaded, 16),
    "quarters of a MiB uploaded": (uploaded, 16),
}
"""What makes the work of so many items, and the smallest number of them: ten pages where it is listed page by page."""
STEADY = [*MEASURES][:7]
"""Those whose calls do not depend on when anything arrives."""


async def cost(work: Work, size: int, seconds: float) -> tuple[float, float]:
    """Calls, and the least CPU seconds, for one item."""
    for _ in range(2):
        await work()
    gc.collect()
    spent, until = [], time.perf_counter() + seconds
    while not spent or time.perf_counter() < until:
        cpu = time.process_time()
        await work()
        spent.append(time.process_time() - cpu)
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
