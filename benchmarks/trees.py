"""What it takes to see a whole tree: 1,000 directories, each of which the service lists in 20 ms.

Defends: `walk` is at least 15 times as fast as the official SDK's recursive listing, and finds the directories too.

    python benchmarks/trees.py [--quick]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator

from harness import Gate, elsewhere, interleaved, official_client, ratio

from databricks_async import WorkspaceClient
from databricks_async.local import Fault, LocalWorkspace

LATENCY = 0.02


@contextlib.asynccontextmanager
async def a_tree(directories: int) -> AsyncIterator[tuple[str, str]]:
    """URL and token of a workspace with so many directories below /Shared: ten in each, and a file in every one."""
    async with LocalWorkspace() as ws:
        async with WorkspaceClient(host=ws.url, token=ws.token) as w:
            for number in range(directories):
                path = "".join(f"/{digit}" for digit in str(number))
                await w.workspace.mkdirs(f"/Shared{path}")
                await w.workspace.import_(f"/Shared{path}/file", b"x", format="RAW")
        ws.faults.add("GET /api/{v}/workspace/list", Fault.delay(LATENCY), probability=1.0)
        yield ws.url, ws.token


async def main(quick: bool) -> int:
    gate = Gate(quick)
    directories, rounds = (100, 1) if quick else (1000, 3)
    found: dict[str, int] = {}
    with elsewhere(a_tree, directories) as (url, token):
        client = await asyncio.to_thread(official_client, url, token)

        async def ours() -> None:
            async with WorkspaceClient(host=url, token=token) as w:
                found["ours"] = len([info async for info in w.workspace.walk("/Shared")])

        async def official() -> None:
            listing = client.workspace.list("/Shared", recursive=True)
            found["official"] = await asyncio.to_thread(lambda: len(list(listing)))

        figures = await interleaved({"ours": ours, "official": official}, rounds)
    assert found == {"ours": 2 * directories, "official": directories}, found
    walls = {name: min(wall for wall, _ in runs) for name, runs in figures.items()}
    print(
        f"{directories} directories, {1000 * LATENCY:g} ms each: {walls['ours']:.2f} s, {walls['official']:.2f} s there"
    )
    gate.at_least("times as fast as the official SDK", ratio(figures["official"], figures["ours"], 0), 15)
    return gate.exit_code()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a smoke run: prints, does not judge")
    sys.exit(asyncio.run(main(parser.parse_args().quick)))
