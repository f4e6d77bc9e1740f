"""Whether anything is ever lost, doubled, wrong or hung: all APIs at once, from 500 tasks, under 20 % faults.

Clusters, libraries, jobs, runs, objects and permissions are made, changed, waited for, watched, carried to and fro as
trees and deleted, while the service, a local workspace in another process, drops, resets, cuts, garbles, delays and
refuses a fifth of all requests. Both sides keep a ledger: the client of what it asked and was told, the service of what
it did. At the end the two are compared with each other and with what is left in the workspace:

    lost         told done, and not done
    doubled      done more often than asked for
    wrong        told not done, and done; or an answer that is not what it has to be
    unexplained  an error that the faults do not explain; or something there that was not asked for
    hung         a call that did not end within 200 seconds
    leaked       tasks, sockets or files that are open when the client is closed

Defends: all of these are 0, and the memory of the client is flat (in the last quarter of a run at most 2 % above the
second). Violations fail it, whatever the speed. glibc is told to take blocks of 64 KiB and more from the system and to
give them back: asyncio reads into blocks of 256 KiB, and the fragments that those leave in the heap of the process
would be measured, which grow with the run while what the program holds does not. `--usual-heap` does not tell it.

Memory is judged twice, each time as the mean of a quarter's samples, what is in flight included: by what the system
says is resident, the fragments of the allocators included, and by the blocks that Python's allocator has given out,
among which no leak of objects hides. That allocator keeps much of what a peak has taken, for long. So at a twentieth of
the calls one task holds more than all of them do by chance: otherwise rare peaks, of which each is a little higher than
the last, would be measured. The memory of the service is shown and not judged: it keeps ended runs for 60 days of its
clock, which pass in four minutes, and grows until then.

    python benchmarks/soak.py [--quick] [--calls 100000] [--tasks 500] [--seed 1] [--usual-heap]

`--plant doubled|lost|wrong` has the service misbehave in this way, which must be found; `--quick` does so after a short
run.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import gc
import logging
import math
import os
import random
import statistics
import sys
import time
import warnings
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
from harness import elsewhere
from soaking.ledger import Books, Stopped, Verdict, compare, is_unreadable
from soaking.scenes import SCENES, Desk, crowd, resolve
from soaking.service import BAD_DAY, CLIENT_ID, CLIENT_SECRET, FOLDER, PLANTS, serve

from databricks_async import Stats, WorkspaceClient
from databricks_async.errors import DatabricksError

CALLS, QUICK_CALLS, PLANTED_CALLS = 100_000, 2_000, 300
MAX_GROWTH = 1.02
JUDGED_CALLS = 20_000
"""So many calls there must be at least for the resident memory to be judged, and `CALLS` for the blocks in use."""
_SHOWN = 40
_UNSURE = 30
"""So many clusters and jobs of which nothing is known are looked for at a time."""
_M_MMAP_THRESHOLD = -3  # of malloc.h
_LARGE_BLOCK = 64 * 1024


def give_large_blocks_back() -> None:
    """As the variable MALLOC_MMAP_THRESHOLD_ does. Other C libraries than glibc have no such setting."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BLOCK)


class Memory:
    """What both processes hold, at every hundredth of the calls. Linux only; elsewhere nothing is known of it."""

    def __init__(self, calls: int, pids: Sequence[int]) -> None:
        self._every = max(1, calls // 100)
        self._next = self._every
        self._pids = pids
        self._page = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 0
        self.samples: list[list[int]] = []
        self.blocks: list[int] = []
        """What the client's own Python holds, the fragments of its allocator not included."""
        self.peaks_at: float = calls // 20

    def sample(self, calls: int) -> None:
        if calls >= self._next:
            self._next = calls + self._every
            if all(os.path.exists(f"/proc/{pid}/statm") for pid in self._pids):
                self.samples.append([self._resident(pid) for pid in self._pids])
                self.blocks.append(sys.getallocatedblocks())

    def growth(self, which: int) -> tuple[float, float]:
        """Bytes in the second quarter, and how many times that there are in the last."""
        return _growth([sample[which] for sample in self.samples])

    def _resident(self, pid: int) -> int:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * self._page


def _growth(held: Sequence[int]) -> tuple[float, float]:
    """The mean of the second quarter, and how many times that of the last one is."""
    quarter = len(held) // 4
    if not quarter:
        return 0.0, 1.0
    second, last = statistics.fmean(held[quarter : 2 * quarter]), statistics.fmean(held[-quarter:])
    return second, last / second


def _quarters(held: Sequence[float]) -> str:
    """The lowest and the highest of each."""
    size = max(1, len(held) // 4)
    parts = [held[first : first + size] for first in range(0, 4 * size, size)]
    return ", ".join(f"{min(part):.1f} to {max(part):.1f}" for part in parts if part)


async def work(desk: Desk, calls: int, memory: Memory) -> None:
    """One scene after the other, until there were enough calls; the last one leaves its things behind."""
    scenes, weights = list(SCENES), list(SCENES.values())
    stats = desk.w.stats
    while not desk.is_last:
        desk.is_last = stats.calls >= calls
        (scene,) = desk.random.choices(scenes, weights)
        if stats.calls >= memory.peaks_at:
            memory.peaks_at, scene = math.inf, crowd
        try:
            await scene(desk)
            if len(desk.unsure) >= _UNSURE:
                await resolve(desk)
        except Stopped:
            pass
        except TimeoutError:
            desk.books.hung += 1
            desk.books.explained_if(False, f"{scene.__name__} hung")
        except DatabricksError as error:
            if is_unreadable(error):
                desk.books.unreadable[scene.__name__] += 1
            else:
                desk.books.explained_if(False, f"{scene.__name__}: {error!r}")
        memory.sample(stats.calls)


class Complaints(logging.Handler):
    """What the loop, the interpreter and the library's own log complain of as errors: tasks destroyed while pending,
    exceptions that were never retrieved, things that were not closed."""

    def __init__(self, books: Books) -> None:
        super().__init__(logging.ERROR)
        self._books = books

    def __enter__(self) -> None:
        warnings.simplefilter("error", ResourceWarning)  # raised where something is freed: reported as unraisable
        logging.getLogger().addHandler(self)
        sys.unraisablehook = self._unraisable

    def __exit__(self, *_: object) -> None:
        sys.unraisablehook = sys.__unraisablehook__
        logging.getLogger().removeHandler(self)
        warnings.simplefilter("default", ResourceWarning)

    def emit(self, record: logging.LogRecord) -> None:
        self._books.explained_if(False, record.getMessage())

    def _unraisable(self, what: Any) -> None:
        self._books.explained_if(False, f"{what.exc_value!r} in {what.object!r}")


async def left_over(w: WorkspaceClient) -> list[tuple[str, str]]:
    """All that is there at the end, by kinds and marks."""
    found = [("clusters/create", one.cluster_name or "") async for one in w.clusters.list()]
    found += [("jobs/create", one.settings.name or "") async for one in w.jobs.list()]
    async for one in w.workspace.walk(FOLDER):
        kind = "workspace/mkdirs" if str(one.object_type) == "DIRECTORY" else "workspace/import"
        found.append((kind, one.path or ""))
    return found


async def soak(calls: int, tasks: int, seed: int, plant: str | None, place: Path) -> tuple[Any, ...]:
    """Run it. Returns the verdict and the figures."""
    tree = place / "tree"
    for name in ("a.txt", "b/c.txt", "b/d/e.bin"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes(random.Random(name).randbytes(500))
    books = Books(place / "told")
    with Complaints(books), elsewhere(serve, place / "did", BAD_DAY, seed, plant) as service:
        descriptors, before = len(os.listdir("/proc/self/fd")), asyncio.all_tasks()
        memory = Memory(calls, [os.getpid(), service["pid"]])
        client = WorkspaceClient(
            host=service["url"],
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            http_timeout_seconds=5,
            retry_timeout_seconds=100,
            connect_retry_seconds=100,
            poll_interval_seconds=0.4,
        )
        began = time.perf_counter(), time.process_time()
        async with client as w:
            unsure: list[tuple[str, str]] = []
            desks = [Desk(w, books, random.Random(f"{seed} {number}"), tree, unsure) for number in range(tasks)]
            async with asyncio.TaskGroup() as group:
                for desk in desks:
                    group.create_task(work(desk, calls, memory))
        wall, cpu = time.perf_counter() - began[0], time.process_time() - began[1]
        stats = w.stats
        for _ in range(50):  # the ends of connections arrive in turns of the loop
            await asyncio.sleep(0)
        gc.collect()
        leaked = {
            "tasks": len(asyncio.all_tasks() - before),
            "files and sockets": len(os.listdir("/proc/self/fd")) - descriptors,
        }
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {service['token']}"}) as http:
            async with http.delete(f"{service['url']}/_local/faults"):
                pass
            async with WorkspaceClient(host=service["url"], token=service["token"]) as clean:
                left = await left_over(clean)
            async with http.get(f"{service['url']}/_local/soak") as answer:
                figures = await answer.json()
        leaked["connections of the service"] = figures["connections"] - 1  # the one that asks
    books.close()
    with ExitStack() as files:
        told, did = (files.enter_context((place / name).open()) for name in ("told", "did"))
        verdict = compare(told, did, left)
    return verdict, books, stats, figures, leaked, memory, wall, cpu


def show(verdict: Verdict, books: Books, stats: Stats, figures: Any, memory: Memory, wall: float, cpu: float) -> None:
    """Print the ledger."""
    print(f"{'write':<36}{'asked':>9}{'done':>9}{'not done':>9}{'unknown':>9}{'carried out':>13}")
    for kind, row in sorted(verdict.rows.items()):
        print(f"{kind:<36}{row.asked:>9}{row.done:>9}{row.not_done:>9}{row.unknown:>9}{row.effects:>13}")
    print(f"{'read':<36}{'asked':>9}{'unreadable':>11}")
    for kind, count in sorted(books.reads.items()):
        print(f"{kind:<36}{count:>9}{books.unreadable[kind]:>11}")
    struck, each = sum(figures["struck"].values()), 1000 / stats.calls
    print(
        f"{stats.calls} calls in {wall:.0f} s ({stats.calls / wall:.0f} a second; CPU of a call {cpu * each:.2f} ms, "
        f"of the service {figures['cpu'] * each:.2f} ms), {figures['requests']} requests, "
        f"{100 * struck / figures['requests']:.1f} % struck by faults; "
        f"{stats.retries} sent again, {stats.refused} refused, {stats.tokens} tokens; "
        f"the longest took {books.longest[0]:.1f} s ({books.longest[1]})"
    )
    held, growth = _growth(memory.blocks)
    print(f"blocks in use in the client: {held:,.0f} in the second quarter, in the last {growth:.4f} times that")
    for which, name in enumerate(("client", "service")):
        held, growth = memory.growth(which)
        print(
            f"memory of the {name}: {held / 2**20:.1f} MiB in the second quarter, in the last {growth:.4f} times that; "
            f"by quarters {_quarters([sample[which] / 2**20 for sample in memory.samples])} MiB"
        )


def judge(
    calls: int, verdict: Verdict, books: Books, leaked: dict[str, int], memory: Memory, *, details: bool
) -> list[str]:
    """Print what was violated, and return its names."""
    counts = {
        "lost": len(verdict.lost),
        "doubled": len(verdict.doubled),
        "wrong": len(verdict.wrong) + books.wrong,
        "unexplained": len(verdict.unexplained) + books.unexplained,
        "hung": books.hung,
        **{f"leaked {what}": count for what, count in leaked.items()},
    }
    print(", ".join(f"{name} {count}" for name, count in counts.items()))
    for line in (
        ()
        if not details
        else [*books.complaints, *verdict.lost, *verdict.doubled, *verdict.wrong, *verdict.unexplained][:_SHOWN]
    ):
        print(f"  {line}")
    violated = [name for name, count in counts.items() if count]
    if calls >= JUDGED_CALLS and memory.growth(0)[1] > MAX_GROWTH:
        violated.append("memory")
    if calls >= CALLS and _growth(memory.blocks)[1] > MAX_GROWTH:  # those of fewer calls vary with what is in flight
        violated.append("blocks in use")
    return violated


def run(calls: int, tasks: int, seed: int, plant: str | None = None, *, details: bool = True) -> list[str]:
    """One soak; returns the names of what was violated."""
    with TemporaryDirectory(prefix="soak-") as place:
        verdict, books, stats, figures, leaked, memory, wall, cpu = asyncio.run(
            soak(calls, tasks, seed, plant, Path(place))
        )
    if plant is None:
        show(verdict, books, stats, figures, memory, wall, cpu)
    return judge(stats.calls, verdict, books, leaked, memory, details=details)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_CALLS} calls, and each plant once")
    parser.add_argument("--calls", type=int, default=CALLS)
    parser.add_argument("--tasks", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plant", choices=PLANTS)
    parser.add_argument("--usual-heap", action="store_true", help="memory with the fragments of the C library")
    given = parser.parse_args()
    if not given.usual_heap:
        give_large_blocks_back()
    if not given.quick:
        violated = run(given.calls, given.tasks, given.seed, given.plant)
        print(f"violated: {', '.join(violated) or 'nothing'}")
        return int(bool(violated))
    violated = run(QUICK_CALLS, 60, given.seed)
    for plant in PLANTS:
        print(f"with planted errors ({plant}): ", end="")
        if plant not in run(PLANTED_CALLS, 20, given.seed, plant, details=False):
            violated.append(f"planted errors not found: {plant}")
    print(f"violated: {', '.join(violated) or 'nothing'}")
    return int(bool(violated))


if __name__ == "__main__":
    sys.exit(main())
