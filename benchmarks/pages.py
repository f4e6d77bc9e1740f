"""What it takes to read long listings of which each page takes 20 ms: 100,000 events, and 10,000 runs.

Defends: events come at least 5 times as fast as with the official SDK, and 3.5 times as fast as page by page; runs at
least 6 times as fast as with the official SDK; for at most 1.35 requests a page. A listing of one page costs no more
than page by page: no call of a function more (Python's and C's, of all libraries).

    python benchmarks/pages.py [--quick]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import statistics
import sys
from bisect import bisect_left
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from harness import Gate, counted, elsewhere, interleaved, official_client, ratio

from databricks_async import WorkspaceClient

LATENCY = 0.02
CLUSTER_ID = "0923-164208-meows279"
NEWEST = 1_758_645_728_000
EVENT_EVERY_MS, RUN_EVERY_MS = 20_000, 60_000
"""From one to the next on average: they come by chance."""
ONE_PAGE = 100
"""Listings of one page that are counted together."""
WALL = 0


def an_event(_: int, time: int) -> dict[str, Any]:
    details = {"current_num_workers": 8, "target_num_workers": 9, "cause": "AUTOSCALE"}
    return {"cluster_id": CLUSTER_ID, "timestamp": time, "type": "RESIZING", "details": details}


def a_run(number: int, time: int) -> dict[str, Any]:
    details = {"code": "SUCCESS", "type": "SUCCESS", "message": ""}
    return {
        "job_id": 11,
        "run_id": number,
        "number_in_job": number,
        "original_attempt_run_id": number,
        "state": {"life_cycle_state": "TERMINATED", "result_state": "SUCCESS", "state_message": ""},
        "status": {"state": "TERMINATED", "termination_details": details},
        "start_time": time,
        "end_time": time + 90_000,
        "run_duration": 90_000,
        "trigger": "PERIODIC",
        "run_name": "nightly etl",
        "run_type": "JOB_RUN",
        "run_page_url": f"https://adb-1.2.azuredatabricks.net/?o=1#job/11/run/{number}",
        "creator_user_name": "someone@example.com",
        "format": "MULTI_TASK",
    }


class Listing:
    """Items at random times, the newest first. A page token is the number of its first item."""

    def __init__(self, count: int, every: int, make: Callable[[int, int], dict[str, Any]]) -> None:
        chance, time = random.Random(count), NEWEST
        self._times: list[int] = []
        self._items: list[bytes] = []
        for number in range(count):
            self._times.append(-time)
            self._items.append(json.dumps(make(number, time)).encode())
            time -= round(chance.expovariate(1 / every))

    def page(self, latest: int, token: str, size: int) -> tuple[bytes, str]:
        """The items as text, and the token of the next page."""
        start = int(token) if token else bisect_left(self._times, -latest)
        end = start + size
        return b",".join(self._items[start:end]), str(end) if end < len(self._items) else ""


def answer(listings: tuple[Listing, Listing], target: str, body: bytes) -> bytes:
    """Both listings as the service gives them; of events the older object too, which the official SDK follows."""
    if urlsplit(target).path.endswith("/events"):
        asked = json.loads(body)
        items, token = listings[0].page(asked.get("end_time", NEWEST), asked.get("page_token", ""), asked["page_size"])
        following = {"cluster_id": CLUSTER_ID, "page_size": asked["page_size"], "page_token": token} if token else {}
        more = f'"next_page_token":"{token}","next_page":{json.dumps(following)}'
        return b'{"events":[%s],%s}' % (items, more.encode())
    if not urlsplit(target).path.endswith("/runs/list"):
        return b"{}"  # what the official SDK asks of a host first
    query = {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}
    latest = int(query.get("start_time_to", NEWEST))
    items, token = listings[1].page(latest, query.get("page_token", ""), int(query["limit"]))
    return b'{"runs":[%s],"next_page_token":"%s"}' % (items, token.encode())


async def serve(
    listings: tuple[Listing, Listing], latency: float, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
        while head := await reader.readuntil(b"\r\n\r\n"):
            _, _, length = head.lower().partition(b"content-length:")
            body = await reader.readexactly(int(length.split(b"\r\n")[0])) if length else b""
            target = head.split(b" ")[1].decode()
            await asyncio.sleep(latency)
            content = answer(listings, target, body)
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(content)
            writer.write(head + content)
    writer.close()


@contextlib.asynccontextmanager
async def long_listings(events: int, runs: int, latency: float) -> AsyncIterator[str]:
    """The URL of a service with so many, each page of which takes so long."""
    listings = Listing(events, EVENT_EVERY_MS, an_event), Listing(runs, RUN_EVERY_MS, a_run)
    server = await asyncio.start_server(lambda r, w: serve(listings, latency, r, w), "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def one_page(url: str, max_items: int | None, concurrency: int | None) -> float:
    """Calls of functions that a listing takes of which one page is read."""
    async with WorkspaceClient(host=url, token="dapi") as w:

        async def read() -> None:
            for _ in range(ONE_PAGE):
                assert await w.jobs.list_runs(page_size=1, max_items=max_items, concurrency=concurrency).collect()

        return await counted(read, everything=True) / ONE_PAGE


async def main(quick: bool) -> int:
    gate = Gate(quick)
    counts, rounds = ({"events": 10_000, "runs": 1000}, 1) if quick else ({"events": 100_000, "runs": 10_000}, 3)
    pages = {"events": counts["events"] // 500, "runs": counts["runs"] // 25}
    sent: dict[str, list[int]] = {"events": [], "runs": []}
    with elsewhere(long_listings, *counts.values(), LATENCY) as url:
        client = await asyncio.to_thread(official_client, url, "dapi")

        def ours(what: str, concurrency: int | None) -> Callable[[], Awaitable[object]]:
            async def read() -> None:
                async with WorkspaceClient(host=url, token="dapi") as w:
                    if what == "events":
                        pager = w.clusters.events(CLUSTER_ID, concurrency=concurrency)
                        found = len([event.timestamp async for event in pager])
                    else:
                        found = len([run.run_id async for run in w.jobs.list_runs(concurrency=concurrency)])
                    if concurrency is None:
                        sent[what].append(w.stats.sent)
                assert found == counts[what], found

            return read

        def official(what: str) -> Callable[[], Awaitable[object]]:
            def read() -> None:
                if what == "events":
                    found = sum(1 for _ in client.clusters.events(CLUSTER_ID, page_size=500))
                else:
                    found = sum(1 for _ in client.jobs.list_runs(limit=25))
                assert found == counts[what], found

            return lambda: asyncio.to_thread(read)

        await asyncio.gather(ours("runs", 1)(), official("runs")())  # imports what all of them need
        for what, speed in (("events", 5.0), ("runs", 6.0)):
            contenders = {"official": official(what), "page by page": ours(what, 1), "at once": ours(what, None)}
            figures = await interleaved(contenders, rounds)
            walls = {name: statistics.median(wall for wall, _ in runs) for name, runs in figures.items()}
            gate.about(f"{counts[what]:,} {what}, {1000 * LATENCY:g} ms a page ({rounds} rounds)")
            print("  " + ", ".join(f"{name} {wall:.2f} s" for name, wall in walls.items()))
            gate.at_least(
                "times as fast as the official SDK", ratio(figures["official"], figures["at once"], WALL), speed
            )
            by_page = ratio(figures["page by page"], figures["at once"], WALL)
            gate.at_least("times as fast as page by page", by_page, 3.5)
            gate.at_most("requests a page", statistics.median(sent[what]) / pages[what], 1.35)
    gate.about("a listing of which one page is read")
    for what, runs, max_items in (("the only one", 1, None), ("the first one", 1000, 1)):
        with elsewhere(long_listings, 1, runs, 0.0) as url:
            by_page, at_once = await one_page(url, max_items, 1), await one_page(url, max_items, None)
        gate.at_most(f"{what}: calls of functions, over page by page", at_once / by_page, 1, counted=True)
        print(f"  (page by page: {by_page:.1f})")
    return gate.exit_code()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a smoke run: prints, does not judge")
    sys.exit(asyncio.run(main(parser.parse_args().quick)))
