"""What one call costs: ours against bare aiohttp with the same codec, and against the official SDK.

Defends, in CPU time a call and the same run: all our layers over bare aiohttp <= 1.10 for one URL asked again and again,
<= 1.20 for URLs that differ; calls a second >= 10 times those of the official SDK with threads at no latency, and
>= 4 times at 50 ms.

    python benchmarks/calls.py [--quick]
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import aiohttp
import databricks.sdk
import databricks.sdk.core
from harness import Gate, answering, interleaved, ratio

from databricks_async import WorkspaceClient, codec
from databricks_async.clusters.models import ClusterDetails

ID = "0923-164208-meows279"


def many(call: Callable[[], Awaitable[object]], calls: int, at_once: int) -> Callable[[], Awaitable[None]]:
    """`calls` calls, `at_once` at a time."""

    async def worker(turns: itertools.count[int]) -> None:
        while next(turns) < calls:
            await call()

    async def run() -> None:
        turns = itertools.count()
        await asyncio.gather(*(worker(turns) for _ in range(at_once)))

    return run


def official_client(url: str, threads: int) -> databricks.sdk.WorkspaceClient:
    config = databricks.sdk.core.Config(host=url, token="benchmark", auth_type="pat", config_file="/dev/null")
    client = databricks.sdk.WorkspaceClient(config=config)
    # The SDK pools connections for https only: give it the same pool for the plain HTTP of this benchmark.
    session = client.api_client._api_client._session
    session.mount("http://", session.get_adapter("https://"))
    return client


async def against_aiohttp(gate: Gate, calls: int, rounds: int) -> None:
    with answering() as url:
        async with (
            aiohttp.ClientSession() as bare,
            WorkspaceClient(host=url, token="benchmark") as w,
        ):
            path = f"{url}/api/2.1/clusters/get"
            headers = {"Authorization": "Bearer benchmark"}
            numbers = itertools.count()

            async def bare_get(cluster_id: str) -> ClusterDetails:
                async with bare.get(path, params={"cluster_id": cluster_id}, headers=headers) as answer:
                    return codec.decode(await answer.read(), ClusterDetails)

            contenders = {
                "bare same": many(lambda: bare_get(ID), calls, 50),
                "ours same": many(lambda: w.clusters.get(ID), calls, 50),
                "bare varying": many(lambda: bare_get(f"{ID}-{next(numbers)}"), calls, 50),
                "ours varying": many(lambda: w.clusters.get(f"{ID}-{next(numbers)}"), calls, 50),
            }
            await interleaved(contenders, 1)
            figures = await interleaved(contenders, rounds)
    print(f"CPU time a call against bare aiohttp with the same codec ({calls} calls, 50 at once, {rounds} rounds)")
    gate.at_most("one URL asked again and again", ratio(figures["ours same"], figures["bare same"], 1), 1.10)
    gate.at_most("URLs that differ", ratio(figures["ours varying"], figures["bare varying"], 1), 1.20)


async def against_official(gate: Gate, delay: float, calls: int, at_once: int, rounds: int, aim: float) -> None:
    with answering(delay=delay) as url:
        official = official_client(url, at_once)
        with ThreadPoolExecutor(at_once) as threads:
            async with WorkspaceClient(host=url, token="benchmark") as w:

                async def with_threads() -> None:
                    loop = asyncio.get_running_loop()
                    gets = (loop.run_in_executor(threads, official.clusters.get, ID) for _ in range(calls))
                    await asyncio.gather(*gets)

                contenders = {"ours": many(lambda: w.clusters.get(ID), calls, at_once), "official": with_threads}
                await interleaved(contenders, 1)
                figures = await interleaved(contenders, rounds)
    print(
        f"against the official SDK with {at_once} threads, {delay * 1000:g} ms latency ({calls} calls, {rounds} rounds)"
    )
    gate.at_least("calls a second, ours over the official SDK's", ratio(figures["official"], figures["ours"], 0), aim)
    ours = calls / sorted(wall for wall, _ in figures["ours"])[rounds // 2]
    theirs = calls / sorted(wall for wall, _ in figures["official"])[rounds // 2]
    print(f"  ({ours:.0f} against {theirs:.0f} calls a second)")


async def main(quick: bool) -> int:
    gate = Gate(quick)
    await against_aiohttp(gate, 300 if quick else 1000, 5 if quick else 15)
    await against_official(gate, 0.0, 200 if quick else 500, 50, 3 if quick else 7, 10.0)
    await against_official(gate, 0.05, 200 if quick else 1000, 100, 1 if quick else 3, 4.0)
    return gate.exit_code()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a smoke run: prints, does not judge")
    sys.exit(asyncio.run(main(parser.parse_args().quick)))
