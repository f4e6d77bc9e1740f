"""What waiting for 1,000 runs costs a client: one round of polls, shared by all waits, against a `get_run` for each.

Defends: a round takes no more requests than the pages of one batch poll, and a quarter of the CPU time of a get_run
each. The official SDK's get_run, one after the other, runs beside it.

    python benchmarks/watching.py [--quick]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator

from harness import Gate, elsewhere, interleaved, official_client, ratio

from databricks_async import WorkspaceClient
from databricks_async.local import Clock, LocalWorkspace

CPU = 1
INTERVAL = 0.02
"""Seconds. A batch poll of many pages is good for ten of them."""
PAGE = 25
TASKS = [{"task_key": f"task_{number}", "notebook_task": {"notebook_path": f"/etl/{number}"}} for number in range(4)]


@contextlib.asynccontextmanager
async def running(runs: int) -> AsyncIterator[tuple[str, str, list[int]]]:
    """URL, token and run ids of a workspace in which so many runs of four tasks never end."""
    async with LocalWorkspace(clock=Clock.by_hand()) as ws:
        async with WorkspaceClient(host=ws.url, token=ws.token) as w:
            waits = await asyncio.gather(*(w.jobs.submit(run_name="etl", tasks=TASKS) for _ in range(runs)))
        yield ws.url, ws.token, [wait.run_id for wait in waits]


async def main(quick: bool) -> int:
    gate = Gate(quick)
    count, rounds = (100, 3) if quick else (1000, 5)
    with elsewhere(running, count) as (url, token, runs):
        client = await asyncio.to_thread(official_client, url, token)
        async with WorkspaceClient(host=url, token=token, poll_interval_seconds=INTERVAL) as w:

            async def shared() -> None:
                await asyncio.sleep(12 * INTERVAL)
                states = await asyncio.gather(*(w.jobs.poll_run(run_id) for run_id in runs))
                assert [run.run_id for run in states] == runs

            async def each() -> None:
                await asyncio.gather(*(w.jobs.get_run(run_id) for run_id in runs))

            async def official() -> None:
                await asyncio.to_thread(lambda: [client.jobs.get_run(run_id) for run_id in runs])

            await shared()  # connections, readers, and the first round, which does not know the runs yet
            before = w.stats.sent
            await shared()
            requests = w.stats.sent - before
            figures = await interleaved({"shared": shared, "each": each, "official": official}, rounds)
    print(f"{count} waits for runs of {len(TASKS)} tasks")
    gate.at_most("requests a round", requests, count / PAGE)
    gate.at_most("CPU of a round over a get_run each", ratio(figures["shared"], figures["each"], CPU), 0.25)
    official_ratio = ratio(figures["official"], figures["shared"], CPU)
    print(f"  (the official SDK's get_run each: {official_ratio:.0f} times the CPU of a round)")
    return gate.exit_code()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a smoke run: prints, does not judge")
    sys.exit(asyncio.run(main(parser.parse_args().quick)))
