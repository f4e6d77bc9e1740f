"""What waiting for many clusters and runs costs one client, and how soon it learns of their ends.

Defends, for waits and watches of 1 to 10,000 clusters and runs, in ticks of the poll interval:

- requests a tick: one for one thing, however many watch it; 3 for 300 clusters, 10 for 1,000 (40 for runs, and one
  `get` for each run that ended): the pages of a listing, and never more than a `get` each
- ends are told within 2 ticks in the median and 3 (runs: 4) at the 95th percentile
- CPU: 1/8 of a `get` each, from 300 things on; memory: 8 KiB a waiter

    python benchmarks/watching.py [--quick] [--busy 4] [--counts 300 1000]

`--busy 4` measures beside four busy loops. Requests are counted by the service, which runs in a process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import multiprocessing
import random
import statistics
import sys
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from harness import Gate, elsewhere
from watching_service import planned

from databricks_async import WorkspaceClient

Watcher = Callable[[WorkspaceClient, int], Awaitable[None]]


async def wait_for_cluster(w: WorkspaceClient, number: int) -> None:
    await w.clusters.wait_terminated(str(number)).result()


async def watch_cluster(w: WorkspaceClient, number: int) -> None:
    async for cluster in w.clusters.watch(str(number)):
        if cluster.state == "TERMINATED":
            return
        del cluster  # what a program keeps is its own


async def wait_for_run(w: WorkspaceClient, number: int) -> None:
    await w.jobs.wait_run(number).result()


async def watch_run(w: WorkspaceClient, number: int) -> None:
    async for change in w.jobs.watch_runs(number):
        del change


WATCHERS: dict[str, tuple[str, Watcher]] = {
    "waits for clusters": ("clusters", wait_for_cluster),
    "watches of clusters": ("clusters", watch_cluster),
    "waits for runs": ("runs", wait_for_run),
    "watches of runs": ("runs", watch_run),
}


MOST, WITH_MOST = 10_000, ("waits for clusters", "watches of runs")
"""The largest number, and for what it is measured: the least and the largest that a poll brings."""


def get_each(w: WorkspaceClient, kind: str, numbers: range) -> list[Awaitable[object]]:
    if kind == "clusters":
        return [w.clusters.get(str(number)) for number in numbers]
    return [w.jobs.get_run(number) for number in numbers]


def _spin() -> None:
    while True:
        pass


@contextlib.contextmanager
def busy_loops(count: int) -> Iterator[None]:
    processes = [multiprocessing.get_context("spawn").Process(target=_spin, daemon=True) for _ in range(count)]
    for process in processes:
        process.start()
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
            process.join()


async def plan(w: WorkspaceClient, count: int, ends: dict[int, float]) -> dict[int, float]:
    """So many things, of which these end after so many seconds. Returns when that is."""
    answer = await w.request(
        "POST", "/api/bench/plan", body={"count": count, "ends": {str(k): v for k, v in ends.items()}}
    )
    return {int(number): at for number, at in answer.items()}


async def requests(w: WorkspaceClient) -> dict[str, int]:
    found: dict[str, int] = await w.request("GET", "/api/bench/requests")
    return {"get": found.get("get", 0), "list": found.get("list", 0)}


async def tell(w: WorkspaceClient, watcher: Watcher, number: int, told: dict[int, float]) -> None:
    """When the end of this one is known."""
    await watcher(w, number)
    told[number] = time.monotonic()


async def measure(gate: Gate, url: str, what: str, count: int, tick: float, ticks: int, rounds: int = 1) -> None:
    """One row: `count` waiters, of whose things up to 140 end at random moments of so many ticks, so many times."""
    kind, watcher = WATCHERS[what]
    numbers = range(1, count + 1) if kind == "runs" else range(count)
    cpu_of_gets = cpu = passed = 0.0
    sent, delays = 0, list[float]()
    async with WorkspaceClient(host=url, token="x", poll_interval_seconds=tick) as w:
        for _ in range(rounds):
            await plan(w, count, {})
            await asyncio.gather(*get_each(w, kind, numbers[:20]))
            cpu_of_gets -= time.process_time()
            await asyncio.gather(*get_each(w, kind, numbers))
            cpu_of_gets += time.process_time()

            told: dict[int, float] = {}
            ending = random.sample(numbers, min(140, max(1, count // 2)))
            lead = 4 * tick
            ends = await plan(w, count, {number: lead + random.uniform(0, ticks * tick) for number in ending})
            tasks = {number: asyncio.create_task(tell(w, watcher, number, told)) for number in numbers}
            await asyncio.sleep(lead)
            before, began = await requests(w), time.monotonic()
            cpu -= time.process_time()
            await asyncio.gather(*(tasks[number] for number in ending))
            cpu += time.process_time()
            passed += (time.monotonic() - began) / tick
            sent += sum((await requests(w)).values()) - sum(before.values())
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)
            delays += [(told[number] - ends[number]) / tick for number in ending]
    if kind == "runs":
        sent -= len(delays)  # one `get` for each that ended
    delays.sort()
    pages = -(-count // (100 if kind == "clusters" else 25))
    gate.at_most(f"{count} {what}: requests a tick", sent / passed, min(count, pages))
    gate.at_most(f"{count} {what}: ticks to an end, median", statistics.median(delays), 2)
    late = delays[int(0.95 * (len(delays) - 1))]
    gate.at_most(f"{count} {what}: ticks to an end, 95 %", late, 3 if kind == "clusters" else 4)
    share = cpu / passed / cpu_of_gets * rounds
    if count >= 300:
        gate.at_most(f"{count} {what}: CPU a tick over a get each", share, 1 / 8)
    else:
        print(f"  ({count} {what}: {share:.2f} of the CPU of a get each)")


async def measure_one_cluster(gate: Gate, url: str, tick: float, ticks: int) -> None:
    """A hundred watchers of the same."""
    async with WorkspaceClient(host=url, token="x", poll_interval_seconds=tick) as w:
        await plan(w, 1, {})
        tasks = [asyncio.create_task(watch_cluster(w, 0)) for _ in range(100)]
        await asyncio.sleep(ticks * tick)
        sent = sum((await requests(w)).values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    gate.at_most("100 watchers of one cluster: requests a tick", sent / ticks, 1)


async def measure_memory(gate: Gate, url: str, what: str, count: int) -> None:
    """What so many waiters hold when each has seen its thing."""
    kind, watcher = WATCHERS[what]
    numbers = range(1, count + 1) if kind == "runs" else range(count)
    async with WorkspaceClient(host=url, token="x", poll_interval_seconds=0.2) as w:
        await plan(w, count, {})
        await asyncio.gather(*get_each(w, kind, numbers[:20]))
        first = [asyncio.create_task(watcher(w, number)) for number in numbers[:20]]
        await asyncio.sleep(0.3)
        gc.collect()
        tracemalloc.start()
        tasks: list[Any] = [asyncio.create_task(watcher(w, number)) for number in numbers[20:]]
        await asyncio.sleep(0.3 + count / 250)
        gc.collect()
        held = tracemalloc.get_traced_memory()[0] / len(tasks) / 1024
        tracemalloc.stop()
        for task in (*first, *tasks):
            task.cancel()
        await asyncio.gather(*first, *tasks, return_exceptions=True)
    gate.at_most(f"{count} {what}: KiB a waiter", held, 8)


async def main(quick: bool, busy: int, counts: list[int]) -> int:
    gate = Gate(quick)
    random.seed(1)
    # A tick is so long that the service, which shares the processors, can answer a batch poll within it.
    # Of one thing there is one end a round.
    steps = [(1, 0.1, 4, 9), (10, 0.25, 20, 1), (300, 0.5, 20, 1), (1000, 1.0, 15, 1)]
    sizes = [(1, 0.05, 4, 1), (300, 0.1, 4, 1)] if quick else steps
    sizes = [size for size in sizes if not counts or size[0] in counts]
    with elsewhere(planned) as url, busy_loops(busy):
        for what in WATCHERS:
            for size in sizes:
                await measure(gate, url, what, *size)
            if what in WITH_MOST and not quick and (not counts or MOST in counts):
                await measure(gate, url, what, MOST, 5.0, 5)
            await measure_memory(gate, url, what, 100 if quick else 1000)
        await measure_one_cluster(gate, url, 0.1, 10 if quick else 50)
    return gate.exit_code()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a smoke run: prints, does not judge")
    parser.add_argument("--busy", type=int, default=0, metavar="N", help="measure beside so many busy loops")
    parser.add_argument("--counts", type=int, nargs="*", default=[], help="only the rows of so many waiters")
    arguments = parser.parse_args()
    sys.exit(asyncio.run(main(arguments.quick, arguments.busy, arguments.counts)))
