"""What rate limits cost: many callers at once against a service that takes 30 calls a second.

Defends, with and without Retry-After: <= 1.15 times the ideal time, <= 5 % of all requests refused, no call given up.
The official SDK with as many threads runs beside it.

    python benchmarks/pacing.py [--quick]
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from harness import Gate, official_client

from databricks_async import WorkspaceClient
from databricks_async.local import LocalWorkspace, RateLimit

PER_SECOND, BURST, CALLERS = 30, 30, 100


async def ours(ws: LocalWorkspace, calls: int) -> None:
    async with WorkspaceClient(host=ws.url, token=ws.token) as w:
        numbers = itertools.count()

        async def caller() -> None:
            while next(numbers) < calls:
                await w.clusters.list_zones()

        await asyncio.gather(*(caller() for _ in range(CALLERS)))


async def official(ws: LocalWorkspace, calls: int) -> None:
    # In a thread: it asks the workspace, which lives in this loop.
    client = await asyncio.to_thread(official_client, ws.url, ws.token)
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(CALLERS) as threads:
        await asyncio.gather(*(loop.run_in_executor(threads, client.clusters.list_zones) for _ in range(calls)))


async def measure(name: str, retry_after: int | None, calls: int) -> tuple[float, float]:
    """The time over the ideal one, and the share of refused requests in percent."""
    async with LocalWorkspace() as ws:
        ws.rate_limit = limit = RateLimit(
            per_second=PER_SECOND, burst=BURST, retry_after=retry_after, endpoint="GET /api/{v}/clusters/list-zones"
        )
        started = time.monotonic()
        await (ours if name == "ours" else official)(ws, calls)
        seconds = time.monotonic() - started
        sent = ws.journal.count("GET /api/{v}/clusters/list-zones")
    return seconds / ((calls - BURST) / PER_SECOND), 100 * limit.refused / sent


async def main(quick: bool) -> int:
    gate = Gate(quick)
    calls = 150 if quick else 600
    for retry_after in (1, None):
        said = "Retry-After: 1" if retry_after else "no Retry-After"
        print(f"{calls} calls of {CALLERS} callers, {PER_SECOND} a second taken, {BURST} at once, {said}")
        # At the same time: they wait much more than they work, and each has a service of its own.
        (slow, refused), (slow_there, refused_there) = await asyncio.gather(
            measure("ours", retry_after, calls), measure("official", retry_after, calls)
        )
        gate.at_most("time over the ideal", slow, 1.15)
        gate.at_most("percent of requests refused", refused, 5)
        print(f"  (official SDK: {slow_there:.2f} times the ideal, {refused_there:.0f} % refused)")
    return gate.exit_code()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a smoke run: prints, does not judge")
    sys.exit(asyncio.run(main(parser.parse_args().quick)))
