"""What one call costs: ours against bare aiohttp with the same codec, and against the official SDK.

Defends, in one run:

- the CPU time of all our layers over bare aiohttp <= 1.08 for one URL asked again and again, <= 1.15 for URLs that
  differ; `instructions.py` defends the same in instructions, which no other program changes
- each of 10,000 calls gathered takes no more CPU time than each of 100. Those that wait for their turn are woken once
  more than the hundred that need not: for no more calls of functions (Python's and C's, of all libraries) than bare
  aiohttp takes more for its own
- a call that waits, for an answer that does not come or for its turn, takes <= 2 KiB beside what a task takes that
  waits for nothing but a future; 10,000 are gathered
- against the official SDK with threads: calls a second >= 5 times at no latency and >= 4 times at 50 ms (where its 20
  connections limit it), for a sixth of its CPU time at most. What bare aiohttp reaches there is printed beside it.

    python benchmarks/calls.py [--quick]
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import itertools
import statistics
import sys
import tracemalloc
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import aiohttp
from harness import Gate, answering, counted, interleaved, official_client, ratio

from databricks_async import WorkspaceClient, codec
from databricks_async.clusters.models import ClusterDetails

ID = "0923-164208-meows279"
WALL, CPU = 0, 1


def many(call: Callable[[], Awaitable[object]], calls: int, at_once: int) -> Callable[[], Awaitable[None]]:
    """`calls` calls, `at_once` at a time."""

    async def worker(numbers: itertools.count[int]) -> None:
        while next(numbers) < calls:
            await call()

    async def run() -> None:
        numbers = itertools.count()
        await asyncio.gather(*(worker(numbers) for _ in range(at_once)))

    return run


def bare_get(http: aiohttp.ClientSession, url: str) -> Callable[[str], Awaitable[ClusterDetails]]:
    """What a careful user of aiohttp would write, with our codec."""
    path, headers = f"{url}/api/2.1/clusters/get", {"Authorization": "Bearer benchmark"}

    async def get(cluster_id: str) -> ClusterDetails:
        async with http.get(path, params={"cluster_id": cluster_id}, headers=headers) as answer:
            return codec.decode(await answer.read(), ClusterDetails)

    return get


async def against_aiohttp(gate: Gate, calls: int, rounds: int) -> None:
    with answering() as url:
        async with aiohttp.ClientSession() as http, WorkspaceClient(host=url, token="benchmark") as w:
            bare = bare_get(http, url)
            numbers = itertools.count()
            contenders = {
                "bare same": many(lambda: bare(ID), calls, 50),
                "ours same": many(lambda: w.clusters.get(ID), calls, 50),
                "bare varying": many(lambda: bare(f"{ID}-{next(numbers)}"), calls, 50),
                "ours varying": many(lambda: w.clusters.get(f"{ID}-{next(numbers)}"), calls, 50),
            }
            await interleaved(contenders, 1)
            figures = await interleaved(contenders, rounds)
    gate.about(f"CPU time a call against bare aiohttp with the same codec ({calls} calls, 50 at once, {rounds} rounds)")
    gate.at_most("one URL asked again and again", ratio(figures["ours same"], figures["bare same"], CPU), 1.08)
    gate.at_most("URLs that differ", ratio(figures["ours varying"], figures["bare varying"], CPU), 1.15)


async def of_many(gate: Gate, many_calls: int, few: int, rounds: int) -> None:
    """As many calls, all gathered, and so few gathered again and again. The URLs are the same ones in both."""

    def gathered(get: Callable[[str], Awaitable[object]], at_once: int) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            for first in range(0, many_calls, at_once):
                await asyncio.gather(*(get(f"{ID}-{number}") for number in range(first, first + at_once)))

        return run

    with answering() as url:
        async with aiohttp.ClientSession() as http, WorkspaceClient(host=url, token="benchmark") as w:
            bare = bare_get(http, url)
            contenders = {
                f"{name} {at_once}": gathered(get, at_once)
                for name, get in (("ours", w.clusters.get), ("bare", bare))
                for at_once in (few, many_calls)
            }
            await interleaved(contenders, 1)
            figures = await interleaved(contenders, rounds)
            gc.disable()
            try:
                without_gc = await interleaved({n: work for n, work in contenders.items() if "ours" in n}, rounds)
            finally:
                gc.enable()
            made = {name: await counted(work, everything=True) / many_calls for name, work in contenders.items()}
    gate.about(f"each of {many_calls:,} calls gathered over each of {few} ({rounds} rounds)")
    ours, theirs = (ratio(figures[f"{name} {many_calls}"], figures[f"{name} {few}"], CPU) for name in ("ours", "bare"))
    gate.at_most("CPU time", ours, 1)
    alone = ratio(without_gc[f"ours {many_calls}"], without_gc[f"ours {few}"], CPU)
    print(f"  (bare aiohttp: {theirs:.2f}; ours without Python's garbage collector: {alone:.2f})")
    ours, theirs = (made[f"{name} {many_calls}"] - made[f"{name} {few}"] for name in ("ours", "bare"))
    gate.at_most("calls of functions more, over those of bare aiohttp", ours / theirs, 1, counted=True)
    print(f"  ({ours:.1f} more than {made[f'ours {few}']:.1f}; bare {theirs:.1f} more than {made[f'bare {few}']:.1f})")


async def against_official(gate: Gate, delay: float, calls: int, at_once: int, rounds: int, aim: float) -> None:
    with answering(delay=delay) as url, ThreadPoolExecutor(at_once) as threads:
        official = official_client(url, "benchmark")
        connector = aiohttp.TCPConnector(limit=at_once)
        async with (
            aiohttp.ClientSession(connector=connector) as http,
            WorkspaceClient(host=url, token="benchmark") as w,
        ):
            bare = bare_get(http, url)

            async def with_threads() -> None:
                loop = asyncio.get_running_loop()
                gets = (loop.run_in_executor(threads, official.clusters.get, ID) for _ in range(calls))
                await asyncio.gather(*gets)

            contenders = {
                "bare": many(lambda: bare(ID), calls, at_once),
                "ours": many(lambda: w.clusters.get(ID), calls, at_once),
                "official": with_threads,
            }
            await interleaved(contenders, 1)
            figures = await interleaved(contenders, rounds)
    gate.about(
        f"against the official SDK with {at_once} threads, {delay * 1000:g} ms latency ({calls} calls, {rounds} rounds)"
    )
    gate.at_least(
        "calls a second, ours over the official SDK's", ratio(figures["official"], figures["ours"], WALL), aim
    )
    gate.at_least("CPU time a call, the official SDK's over ours", ratio(figures["official"], figures["ours"], CPU), 6)
    limit = ratio(figures["official"], figures["bare"], WALL)
    ours, theirs = (calls / statistics.median(wall for wall, _ in figures[name]) for name in ("ours", "official"))
    print(f"  (bare aiohttp: {limit:.2f} times as many calls; {ours:.0f} and {theirs:.0f} calls a second)")


async def memory_of_waiting(gate: Gate, calls: int) -> None:
    loop = asyncio.get_running_loop()

    async def settled() -> int:
        """The bytes that are held when each has come as far as it can."""
        held, before = 0, -1
        while held != before:
            await asyncio.sleep(0.5)
            gc.collect()
            before, held = held, tracemalloc.get_traced_memory()[0]
        return held

    async def bytes_each(call: Callable[[], Awaitable[object]]) -> float:
        async def wait() -> None:
            await call()

        gc.collect()
        tracemalloc.start()
        before, _ = tracemalloc.get_traced_memory()
        tasks = [asyncio.create_task(wait()) for _ in range(calls)]
        after = await settled()
        tracemalloc.stop()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return (after - before) / calls

    with answering(delay=3600) as url:
        async with aiohttp.ClientSession() as http, WorkspaceClient(host=url, token="benchmark") as w:
            bare = bare_get(http, url)
            first = asyncio.create_task(w.clusters.get(ID))  # opens the session
            await asyncio.wait([first], timeout=1)
            task = await bytes_each(loop.create_future)
            ours = await bytes_each(lambda: w.clusters.get(ID)) - task
            theirs = await bytes_each(lambda: bare(ID)) - task
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)
    print(f"memory a waiting call ({calls} gathered)")
    gate.at_most("KiB beside its task", ours / 1024, 2)
    print(f"  (bare aiohttp: {theirs / 1024:.2f} KiB)")


async def main(quick: bool) -> int:
    gate = Gate(quick)
    # Short rounds, and many: what else runs comes and goes between them.
    await against_aiohttp(gate, 200, 5 if quick else 40)
    await of_many(gate, 1000 if quick else 10_000, 100, 1 if quick else 5)
    await against_official(gate, 0.0, 200 if quick else 500, 50, 3 if quick else 7, 5)
    await against_official(gate, 0.05, 200 if quick else 1000, 100, 1 if quick else 3, 4)
    await memory_of_waiting(gate, 1000 if quick else 10_000)
    return gate.exit_code()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a smoke run: prints, does not judge")
    sys.exit(asyncio.run(main(parser.parse_args().quick)))
