"""What rate limits cost: many callers in one to four processes, against a service that takes 30 calls a second.

Defends, for bursts of 5 and of 30 with and without Retry-After: <= 1.15 times the ideal time, <= 5 % of all requests
refused; of several processes that know nothing of each other none has done less than half of its share by half time; a
limit on calls in flight is found. No call is given up. Of several processes nine rounds are measured, three at a time:
the medians count, and the smallest share of all. The official SDK with as many threads is measured after them. Clients
are open before time counts, and the ideal is that of a service whose bucket is full then: (calls - burst) / limit. A
table of limits, bursts, styles of Retry-After and processes stands at the end. The quick run is of so few calls that
the pauses of a second which the service asks for are most of its time.

    python benchmarks/pacing.py [--quick]
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import multiprocessing
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import TypeAlias

import attrs
from harness import Gate, official_client

from databricks_async import WorkspaceClient
from databricks_async.local import Fault, LocalWorkspace, RateLimit

PER_SECOND, CALLERS = 30, 100
_ROUNDS, _AGAIN = 3, 3
"""Of several processes, which meet by chance: so many at the same time, so often."""
ENDPOINT = "GET /api/{v}/clusters/list-zones"


Ready: TypeAlias = Callable[[], Awaitable[None]]
"""Says that a client is open, and waits until all are."""


async def ours(url: str, token: str, calls: int, callers: int, ready: Ready) -> list[float]:
    """Makes the calls. Returns when each was answered."""
    done: list[float] = []
    async with WorkspaceClient(host=url, token=token) as w:
        clusters = w.clusters
        await ready()
        numbers = itertools.count()

        async def caller() -> None:
            while next(numbers) < calls:
                await clusters.list_zones()
                done.append(time.monotonic())

        await asyncio.gather(*(caller() for _ in range(callers)))
    return done


async def official(url: str, token: str, calls: int, callers: int, ready: Ready) -> list[float]:
    """The same with the official SDK, in threads."""
    client = await asyncio.to_thread(official_client, url, token)
    await ready()
    loop = asyncio.get_running_loop()

    def call() -> float:
        client.clusters.list_zones()
        return time.monotonic()

    with ThreadPoolExecutor(callers) as threads:
        return await asyncio.gather(*(loop.run_in_executor(threads, call) for _ in range(calls)))


CONTENDERS = {"ours": ours, "official": official}


def _process(name: str, url: str, token: str, calls: int, callers: int, pipe: Connection) -> None:
    async def ready() -> None:
        pipe.send("ready")
        await asyncio.to_thread(pipe.recv)

    pipe.send(asyncio.run(CONTENDERS[name](url, token, calls, callers, ready)))


class Starts:
    """Of so many measurements at the same time: all processes are there before the first one begins, and each has had
    its first burst alone."""

    def __init__(self, measurements: int) -> None:
        self._all_there = asyncio.Barrier(measurements)
        self._first_burst = asyncio.Lock()

    async def turn(self) -> None:
        await self._all_there.wait()
        async with self._first_burst:
            await asyncio.sleep(1)


async def in_processes(
    count: int, name: str, url: str, token: str, calls: int, starts: Starts
) -> tuple[float, list[list[float]]]:
    """When so many processes began their parts of the calls, and when each call of each was answered."""
    context = multiprocessing.get_context("spawn")
    pipes = [context.Pipe() for _ in range(count)]
    processes = [
        context.Process(target=_process, args=(name, url, token, calls // count, CALLERS // count, there), daemon=True)
        for _, there in pipes
    ]
    for process in processes:
        process.start()
    for here, _ in pipes:
        await asyncio.to_thread(here.recv)
    await starts.turn()
    started = time.monotonic()
    for here, _ in pipes:
        here.send("go")
    done = [await asyncio.to_thread(here.recv) for here, _ in pipes]
    for process in processes:
        await asyncio.to_thread(process.join)
    return started, done


@attrs.frozen
class Figures:
    """What one row of the table measures."""

    seconds: float
    refused: float
    """Percent of all requests."""
    smallest_share: float
    """Of the process that had done least by half time, of its part."""

    def over(self, ideal: float) -> str:
        """The cells of a table."""
        return f"{self.seconds / ideal:.2f} | {self.refused:.1f} % | {self.smallest_share:.2f}"

    @classmethod
    def of(cls, rounds: Sequence[Figures]) -> Figures:
        """The medians, and of the parts the smallest one of all."""
        return cls(
            statistics.median(each.seconds for each in rounds),
            statistics.median(each.refused for each in rounds),
            min(each.smallest_share for each in rounds),
        )


async def measure(
    name: str, processes: int, calls: int, limit: RateLimit, starts: Starts, latency: float = 0.0
) -> Figures:
    async with LocalWorkspace() as ws:
        ws.rate_limit = limit
        if latency:
            ws.faults.add(ENDPOINT, Fault.delay(latency), times=100 * calls)
        started, done = await in_processes(processes, name, ws.url, ws.token, calls, starts)
        sent = ws.journal.count(ENDPOINT)
    seconds = max(itertools.chain(*done)) - started
    part = calls / processes / 2
    shares = [sum(at - started < seconds / 2 for at in each) / part for each in done]
    return Figures(seconds, 100 * limit.refused / sent, min(shares))


TABLE = [
    "| limit | burst | Retry-After | processes | time / ideal | refused | smallest part | official SDK: time | refused"
    " | smallest part |",
    "|---|---|---|---|---|---|---|---|---|---|",
]


async def rows(
    gate: Gate,
    processes: int,
    calls: int,
    burst: int,
    styles: Sequence[float | None],
    per_second: float = PER_SECOND,
    with_official: bool = True,
    again: int = 1,
) -> None:
    """Measures the rows of all styles of Retry-After at the same time, for they mostly wait, and prints them."""

    async def measured(name: str, rounds: int) -> list[list[Figures]]:
        starts = Starts(rounds * len(styles))

        def of_style(style: float | None) -> Awaitable[list[Figures]]:
            limits = [RateLimit(per_second, burst, style, endpoint=ENDPOINT) for _ in range(rounds)]
            return asyncio.gather(*(measure(name, processes, calls, limit, starts) for limit in limits))

        return await asyncio.gather(*map(of_style, styles))

    ours: list[list[Figures]] = [[] for _ in styles]
    for _ in range(again):
        for figures, more in zip(ours, await measured("ours", _ROUNDS if processes > 1 else 1), strict=True):
            figures += more
    # Not beside ours: its threads keep a small machine busy, and late timers would be measured.
    theirs = await measured("official", 1) if with_official else [[] for _ in styles]
    ideal = (calls - burst) / per_second
    for style, here, others in zip(styles, ours, theirs, strict=True):
        said = f"Retry-After: {style}" if style else "no Retry-After"
        gate.about(f"{calls} calls, {processes} process(es), {per_second:g} a second, bursts of {burst}, {said}")
        middle = Figures.of(here)
        gate.at_most("time over the ideal", middle.seconds / ideal, 1.15)
        gate.at_most("percent of requests refused", middle.refused, 5)
        if processes > 1:
            gate.at_least("smallest part done by half time, of an equal one", middle.smallest_share, 0.5)
            print(f"  (each round: {', '.join(figures.over(ideal) for figures in here)})")
        cells = " | ".join(figures.over(ideal) for figures in (middle, *others))
        TABLE.append(f"| {per_second:g} | {burst} | {style or 'none'} | {processes} | {cells} |")


async def in_flight(gate: Gate, calls: int) -> None:
    """A limit on calls in flight that the service does not name: found, and kept."""
    at_once, latency = 20, 0.2
    limit = RateLimit(per_second=None, concurrent=at_once, endpoint=ENDPOINT)
    figures = await measure("ours", 1, calls, limit, Starts(1), latency)
    gate.about(f"{calls} calls of {latency:g} s, {at_once} in flight taken")
    gate.at_most("time over the ideal", figures.seconds / (calls / at_once * latency), 1.5)
    gate.at_most("percent of requests refused", figures.refused, 5)


async def main(quick: bool) -> int:
    gate = Gate(quick)
    if quick:
        await rows(gate, 1, 60, 30, [1])
        await rows(gate, 4, 60, 5, [1], with_official=False)
        return gate.exit_code()
    calls, styles = 600, (1, 0.3, None)
    await asyncio.gather(
        *(rows(gate, 1, calls, burst, styles) for burst in (5, 30)), rows(gate, 1, 1200, 100, [1], per_second=100)
    )
    for processes, burst in itertools.product((2, 3, 4), (5, 30)):
        await rows(gate, processes, calls, burst, styles, again=_AGAIN)
    await in_flight(gate, calls)
    print("\n".join(TABLE))
    return gate.exit_code()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a smoke run: prints, does not judge")
    sys.exit(asyncio.run(main(parser.parse_args().quick)))
