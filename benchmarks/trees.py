"""What it takes to see a whole tree: 1,000 directories, each of which the service lists in 20 ms.

Defends: `walk` is at least 15 times as fast as the official SDK's recursive listing, and finds the directories too.

    python benchmarks/trees.py [--quick]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import multiprocessing
import sys
from collections.abc import Iterator
from multiprocessing.connection import Connection

from harness import Gate, interleaved, official_client, ratio

from databricks_async import WorkspaceClient
from databricks_async.local import Fault, LocalWorkspace

LATENCY = 0.02
WIDE = 10


def _serve(pipe: Connection, directories: int) -> None:
    async def run() -> None:
        async with LocalWorkspace() as ws:
            async with WorkspaceClient(host=ws.url, token=ws.token) as w:
                # Ten in each, as deep as it takes; every one holds a file.
                for number in range(directories):
                    path = "".join(f"/{digit}" for digit in str(number))
                    await w.workspace.mkdirs(f"/Shared{path}")
                    await w.workspace.import_(f"/Shared{path}/file", b"x", format="RAW")
            ws.faults.add("GET /api/{v}/workspace/list", Fault.delay(LATENCY), probability=1.0)
            pipe.send((ws.url, ws.token))
            await asyncio.to_thread(pipe.poll, None)

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run())


@contextlib.contextmanager
def a_tree(directories: int) -> Iterator[tuple[str, str]]:
    """URL and token of a workspace in another process, with so many directories below /Shared."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, directories), daemon=True)
    process.start()
    try:
        if not ours.poll(60):
            raise RuntimeError("the server process did not start")
        yield ours.recv()
    finally:
        ours.send(None)
        process.join(5)


async def main(quick: bool) -> int:
    gate = Gate(quick)
    directories, rounds = (100, 1) if quick else (1000, 3)
    found: dict[str, int] = {}
    with a_tree(directories) as (url, token):
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
