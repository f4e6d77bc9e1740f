"""What the same costs in instructions of the processor, which are counted: a busy machine changes no figure.

Each piece of work runs in a process of its own under valgrind, once few times and once more often; the difference is
what one time costs. Instructions are not time: code that waits for memory takes longer than their number says. But they
tell to a hundredth who costs more, where times on a shared machine do not.

Defends: a call costs at most 1.08 times the instructions of bare aiohttp with the same codec, 1.15 times on URLs that
differ, and a quarter of the official SDK's; a script comes to its first typed answer with at most 0.2 times those of
the official SDK, Python's own start included. With `--conversion`, what is read and written is shown too, and not
judged: orjson's instructions take other time than Python's, and `conversion.py` judges in CPU time.

    python benchmarks/instructions.py [--quick] [--conversion]
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from harness import Gate, answering, record
from startup import PROGRAMS, spent

AT_ONCE = 50
CLUSTER_ID = "0923-164208-meows279"


def call(client: str, times: int, url: str) -> None:
    if client == "official SDK":
        from harness import official_client

        official = official_client(url, "benchmark")
        for _ in range(times):
            official.clusters.get(CLUSTER_ID)
    else:
        asyncio.run(_calls(client, times, url))


async def _calls(client: str, times: int, url: str) -> None:
    import aiohttp
    from calls import bare_get, many

    from databricks_async import WorkspaceClient

    number = 0

    def name() -> str:
        nonlocal number
        number += 1
        return f"{CLUSTER_ID}-{number}" if "varying" in client else CLUSTER_ID

    async with aiohttp.ClientSession() as http, WorkspaceClient(host=url, token="benchmark") as w:
        get = bare_get(http, url) if client.startswith("bare") else w.clusters.get
        await many(lambda: get(name()), 2 * AT_ONCE, AT_ONCE)()
        gc.collect()
        gc.freeze()  # what was imported is not looked at again in the one run, and not in the other
        await many(lambda: get(name()), times, AT_ONCE)()


def convert(client: str, times: int, page: bytes, ours: Callable[[], Any], official: Callable[[], Any]) -> None:
    """Reads the page so many times, or writes what it says."""
    import orjson

    if client == "parsing":
        work: Callable[[], object] = lambda: orjson.loads(page)  # noqa: E731
    elif client.startswith("databricks-async"):
        from databricks_async import codec

        model = ours()
        value = codec.decode(page, model)
        work = (lambda: codec.encode(value)) if "writes" in client else (lambda: codec.decode(page, model))
    else:
        model = official()
        shown = model.from_dict(json.loads(page))
        if "writes" in client:
            work = lambda: json.dumps(shown.as_dict()).encode()  # noqa: E731
        else:
            work = lambda: model.from_dict(json.loads(page))  # noqa: E731
    for _ in range(times):
        work()


def _model(package: str, name: str) -> Callable[[], Any]:
    def imported() -> Any:
        return getattr(__import__(package, fromlist=[name]), name)

    return imported


KINDS = {
    "a cluster": (
        "cluster",
        "clusters",
        _model("databricks_async.clusters.models", "ListClustersResponse"),
        _model("databricks.sdk.service.compute", "ListClustersResponse"),
    ),
    "a run with its tasks": (
        "run",
        "runs",
        _model("databricks_async.jobs.models", "ListRunsResponse"),
        _model("databricks.sdk.service.jobs", "ListRunsResponse"),
    ),
    "an event": (
        "event",
        "events",
        _model("databricks_async.clusters.models", "GetEventsResponse"),
        _model("databricks.sdk.service.compute", "GetEventsResponse"),
    ),
}
OBJECTS = 20
"""On each page."""


def worker(kind: str, client: str, times: int, where: str) -> None:
    """The part that is counted."""
    if kind == "a call":
        call(client, times, where)
    else:
        _, _, ours, official = KINDS[kind]
        convert(client, times, Path(where).read_bytes(), ours, official)


def instructions(kind: str, client: str, few: int, many: int, where: str) -> float:
    """Of one time; with no few times, of the whole process."""

    def counted(times: int) -> int:
        program = [sys.executable, __file__, "--worker", kind, client, str(times), where]
        if kind == "a script":
            program[1:] = ["-c", PROGRAMS[client].replace("{url}", where)]
        found = subprocess.run(
            [
                shutil.which("valgrind") or "valgrind",
                "--tool=cachegrind",
                "--cache-sim=no",
                "--cachegrind-out-file=/dev/null",
                *program,
            ],
            env={**os.environ, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": ""},
            capture_output=True,
            text=True,
            check=False,
        )
        match = re.search(r"I\s+refs:\s+([\d,]+)", found.stderr)
        if found.returncode or match is None:
            raise RuntimeError(f"{' '.join(program)}: {found.stderr[-2000:]}")
        return int(match[1].replace(",", ""))

    return (counted(many) - counted(few)) / (many - few) if few else counted(many) / many


def measured(works: list[tuple[str, str, int, int, str]]) -> dict[tuple[str, str], float]:
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        counts = threads.map(lambda work: instructions(*work), works)
        return {(kind, client): count for (kind, client, *_), count in zip(works, counts, strict=True)}


def pages(folder: str) -> dict[str, str]:
    """The file of each kind's page."""
    import conversion
    import orjson

    for make, name, *_ in KINDS.values():
        page = orjson.dumps({name: [getattr(conversion, make)(number) for number in range(OBJECTS)]})
        Path(folder, name).write_bytes(page)
    return {kind: str(Path(folder, name)) for kind, (_, name, *_) in KINDS.items()}


def main(quick: bool, conversion: bool) -> int:
    gate = Gate(quick)
    if shutil.which("valgrind") is None:
        print("Debian's package valgrind is needed to count instructions: nothing was measured")
        return 0
    with tempfile.TemporaryDirectory() as folder, answering() as url:
        works: list[tuple[str, str, int, int, str]] = []
        if not quick:
            clients = ("bare same", "bare varying", "databricks-async same", "databricks-async varying")
            works += [("a call", client, 100, 400, url) for client in clients]
            works.append(("a call", "official SDK", 20, 60, url))
            for name in ("ours, first call", "official, first call"):
                spent(PROGRAMS[name].replace("{url}", url))  # the bytecode is there
                works.append(("a script", name, 0, 1, url))
        if conversion or quick:
            kinds = ["an event"] if quick else [*KINDS]
            who = ["parsing", "databricks-async reads"]
            who += [] if quick else ["official SDK reads", "databricks-async writes", "official SDK writes"]
            files = pages(folder)
            works += [(kind, client, 5, 15, files[kind]) for kind in kinds for client in who]
        counts = measured(works)
    for (kind, client), count in counts.items():
        each = count / OBJECTS if kind in KINDS else count
        print(f"  {kind}, {client}: {each:,.0f} instructions")
        record(instructions=kind, contender=client, count=each)
    if quick:
        return 0

    def over(kind: str, one: str, other: str) -> float:
        return counts[kind, one] / counts[kind, other]

    gate.about("instructions")
    same, varying = "databricks-async same", "databricks-async varying"
    gate.at_most("a call, over bare aiohttp", over("a call", same, "bare same"), 1.08, counted=True)
    what = "a call to an URL that differs, over bare aiohttp"
    gate.at_most(what, over("a call", varying, "bare varying"), 1.15, counted=True)
    gate.at_least("a call, the official SDK over ours", over("a call", "official SDK", same), 4, counted=True)
    what = "the first typed answer of a script, over the official SDK"
    gate.at_most(what, over("a script", "ours, first call", "official, first call"), 0.2, counted=True)
    return gate.exit_code()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        _, _, what, who, count, at = sys.argv
        worker(what, who, int(count), at)
        sys.exit(0)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a smoke run: prints, does not judge")
    parser.add_argument("--conversion", action="store_true", help="also what is read and written: some minutes more")
    arguments = parser.parse_args()
    sys.exit(main(arguments.quick, arguments.conversion))
