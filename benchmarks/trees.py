"""What it takes to see a whole tree of 1,000 directories, each of which the service lists in 20 ms, and to export one.

Defends: `walk` is at least 15 times as fast as the official SDK's recursive listing, and finds the directories too;
`export_tree` of 10,000 small notebooks takes at most 1.2 times what the limit of `workspace/export` allows, where that
is the documented one of 60 a second, which the client learns of by refusals, and where it is 300 and was told.

    python benchmarks/trees.py [--quick]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import tempfile
import time
from collections.abc import AsyncIterator

from harness import Gate, elsewhere, interleaved, official_client, ratio

from databricks_async import WorkspaceClient
from databricks_async.local import Fault, LocalWorkspace, RateLimit

LATENCY = 0.02
IN_A_DIRECTORY, BURST = 100, 30


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


@contextlib.asynccontextmanager
async def limited_notebooks(count: int, per_second: float) -> AsyncIterator[tuple[str, str]]:
    """URL and token of a workspace with so many small notebooks, of which so many can be exported in a second."""
    async with LocalWorkspace() as ws:
        for number in range(count):
            path = f"/Shared/{number // IN_A_DIRECTORY}/{number}"
            ws.add_object(path, b"# Databricks notebook source\nprint(1)\n", language="PYTHON")
        ws.rate_limit = RateLimit(per_second=per_second, burst=BURST, endpoint="GET */workspace/export")
        yield ws.url, ws.token


async def export(gate: Gate, count: int, per_second: float, *, told: bool) -> None:
    how = "told" if told else "learned"
    with elsewhere(limited_notebooks, count, per_second) as (url, token), tempfile.TemporaryDirectory() as folder:
        limits = {"workspace/export": per_second} if told else None
        async with WorkspaceClient(host=url, token=token, rate_limits=limits) as w:
            began = time.perf_counter()
            report = await w.workspace.export_tree("/Shared", folder)
            wall = time.perf_counter() - began
            refused = w.stats.refused
    assert len(report.done) == count + -(-count // IN_A_DIRECTORY), report.failures
    gate.about(f"{count:,} notebooks exported, {per_second:g} a second, {how}")
    gate.at_most("time over the ideal", wall / ((count - BURST) / per_second), 1.2)
    print(f"  ({wall:.1f} s, {refused} requests refused)")


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
    gate.about(f"{directories:,} directories listed, {1000 * LATENCY:g} ms each ({rounds} rounds)")
    print(f"  ({walls['ours']:.2f} s, and {walls['official']:.2f} s with the official SDK)")
    gate.at_least("times as fast as the official SDK", ratio(figures["official"], figures["ours"], 0), 15)
    if quick:
        await export(gate, 300, 300, told=True)
    else:  # both at once: they wait most of the time
        await asyncio.gather(export(gate, 10_000, 300, told=True), export(gate, 10_000, 60, told=False))
    return gate.exit_code()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a smoke run: prints, does not judge")
    sys.exit(asyncio.run(main(parser.parse_args().quick)))
