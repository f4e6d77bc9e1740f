"""The comparison at a glance: what people do all day, with this package and with its peers, interleaved in one run.

Peers are the official SDK (one call after the other, and with threads), bare aiohttp, parsing alone, and the Databricks
hook of Airflow where it has the call: that needs `benchmarks/airflow.sh` to have made its environment.

Every figure is the median of its rounds, with the smallest and the largest. Here nothing is judged: the benchmarks of
each subject do that.

    python benchmarks/peers.py [--quick] [--airflow PYTHON]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import os
import statistics
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from calls import ID, bare_get, many
from harness import answering, elsewhere, interleaved, official_client, record
from requests_sent import SPEC
from startup import PROGRAMS, spent
from trees import a_tree

from databricks_async import WorkspaceClient, codec
from databricks_async.local import Fault, LocalWorkspace

AIRFLOW = Path(__file__).parent.parent / ".venv-airflow" / "bin" / "python"
WARM_UP = 3
"""Rounds before those that count: connections are opened then, and readers of models are made at the second page."""
OURS, OFFICIAL, BARE = "databricks-async", "official SDK", "bare aiohttp"

Figures = Mapping[str, list[tuple[float, float]]]
Contenders = dict[str, Callable[[], Awaitable[object]]]


def show(measure: str, unit: str, bar: str, figures: Figures, scale: float) -> None:
    """Print and record what each contender took, of which a second has `scale`; the picture shows `bar`."""
    print(f"{measure}, {unit}")
    for name, rounds in figures.items():
        wall, cpu = ([scale * spent[which] for spent in rounds] for which in (0, 1))
        spread = {"wall": _spread(wall), "cpu": _spread(cpu)}
        record(measure=measure, unit=unit, bar=bar, contender=name, rounds=len(rounds), **spread)
        shown = "   ".join("{} {:>9.4g} ({:.4g} to {:.4g})".format(what, *three) for what, three in spread.items())
        print(f"  {name:<34} {shown}")


def _spread(values: list[float]) -> tuple[float, float, float]:
    return statistics.median(values), min(values), max(values)


@contextlib.contextmanager
def airflow_hook(python: Path, url: str, calls: int, at_once: int) -> Iterator[Contenders]:
    """A contender, if there is an environment for it."""
    if not python.exists():
        print(f"(without Airflow's hook: benchmarks/airflow.sh makes {python})")
        yield {}
        return
    worker = str(Path(__file__).with_name("airflow_peer.py"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    with subprocess.Popen(
        [python, worker, url],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        ask, answers = process.stdin, process.stdout
        version = answers.readline().strip()
        if not version:
            raise RuntimeError(f"{python} {worker} {url} does not start")
        record(version=version, of="apache-airflow-providers-databricks")

        async def run() -> tuple[float, ...]:
            ask.write(json.dumps([calls, at_once]) + "\n")
            ask.flush()
            return tuple(json.loads(await asyncio.to_thread(answers.readline)))

        yield {f"Airflow's hook, {at_once} at once": run}
        ask.close()


async def one_call(quick: bool, airflow: Path) -> None:
    calls, at_once, rounds = (50, 50, 1) if quick else (400, 50, 9)
    with (
        answering() as url,
        ThreadPoolExecutor(at_once) as threads,
        airflow_hook(airflow, url, calls, at_once) as with_airflow,
    ):
        official = official_client(url, "benchmark")
        async with aiohttp.ClientSession() as http, WorkspaceClient(host=url, token="benchmark") as w:
            typed = bare_get(http, url)

            async def parsed() -> Any:
                async with http.get(f"{url}/api/2.1/clusters/get", params={"cluster_id": ID}) as answer:
                    return orjson.loads(await answer.read())

            async def in_threads() -> None:
                loop = asyncio.get_running_loop()
                await asyncio.gather(*(loop.run_in_executor(threads, official.clusters.get, ID) for _ in range(calls)))

            async def in_a_row() -> None:
                for _ in range(calls):
                    official.clusters.get(ID)

            contenders: Contenders = {
                f"{OURS}, {at_once} at once": many(lambda: w.clusters.get(ID), calls, at_once),
                f"{OURS}, one by one": many(lambda: w.clusters.get(ID), calls, 1),
                f"{BARE} to dicts, {at_once} at once": many(parsed, calls, at_once),
                f"{BARE}, typed, {at_once} at once": many(lambda: typed(ID), calls, at_once),
                **with_airflow,
                f"{OFFICIAL}, one by one": in_a_row,
                f"{OFFICIAL}, {at_once} threads": in_threads,
            }
            await interleaved(contenders, WARM_UP)
            figures = await interleaved(contenders, rounds)
    show("One call: a cluster described (2 KB)", "microseconds a call", "cpu", figures, 1e6 / calls)


async def reading(quick: bool) -> None:
    from conversion import cluster, event, run  # not at the top: each server's process would import it, too
    from databricks.sdk.service import compute
    from databricks.sdk.service import jobs as official_jobs

    from databricks_async.clusters.models import GetEventsResponse, ListClustersResponse
    from databricks_async.jobs.models import ListRunsResponse

    def repeated(work: Callable[[], object], times: int) -> Callable[[], Awaitable[object]]:
        async def again() -> None:
            for _ in range(times):
                work()

        return again

    kinds: list[tuple[str, str, Any, Any, Any, int]] = [
        ("A cluster read (3.6 KB)", "clusters", cluster, ListClustersResponse, compute.ListClustersResponse, 20),
        ("A run read, with its tasks (6.3 KB)", "runs", run, ListRunsResponse, official_jobs.ListRunsResponse, 25),
        ("An event read (170 B)", "events", event, GetEventsResponse, compute.GetEventsResponse, 500),
    ]
    times, rounds = (1, 1) if quick else (10, 15)
    for measure, name, item, ours, official, size in kinds:
        page = orjson.dumps({name: [item(number) for number in range(size)]})

        def read(page: bytes = page, kind: Any = ours) -> object:
            return codec.decode(page, kind)

        def read_official(page: bytes = page, kind: Any = official) -> object:
            return kind.from_dict(json.loads(page))

        def parse(page: bytes = page) -> object:
            return orjson.loads(page)

        contenders = {
            "parsing alone (orjson)": repeated(parse, times),
            OURS: repeated(read, times),
            OFFICIAL: repeated(read_official, times),
        }
        await interleaved(contenders, WARM_UP)
        show(measure, "microseconds each", "cpu", await interleaved(contenders, rounds), 1e6 / size / times)


@contextlib.asynccontextmanager
async def a_history(events: int, latency: float) -> AsyncIterator[tuple[str, str]]:
    """URL and token of a workspace whose cluster `c-0` has so many events; each page of them takes so long."""
    async with LocalWorkspace() as ws:
        ws.load({"clusters": [{**SPEC, "cluster_id": "c-0", "state": "RUNNING"}]})
        ws.add_events("c-0", events - 3)  # some it has
        ws.faults.add("POST */clusters/events", Fault.delay(latency), probability=1.0)
        yield ws.url, ws.token


async def history(quick: bool) -> None:
    events, latency, rounds = (1_000, 0.02, 1) if quick else (10_000, 0.02, 5)
    with elsewhere(a_history, events, latency) as (url, token):
        official = official_client(url, token)
        async with aiohttp.ClientSession() as http, WorkspaceClient(host=url, token=token) as w:

            async def ours() -> None:
                found = await w.clusters.events("c-0").collect()
                assert abs(len(found) - events) < 10, len(found)

            async def theirs() -> None:
                await asyncio.to_thread(lambda: [*official.clusters.events("c-0", page_size=500)])

            async def bare() -> None:
                body: dict[str, Any] = {"cluster_id": "c-0", "page_size": 500}
                headers = {"Authorization": f"Bearer {token}"}
                while True:
                    async with http.post(f"{url}/api/2.1/clusters/events", json=body, headers=headers) as answer:
                        page = orjson.loads(await answer.read())
                    if not (following := page.get("next_page_token")):
                        break
                    body["page_token"] = following

            contenders = {OURS: ours, f"{BARE} to dicts, page after page": bare, OFFICIAL: theirs}
            await interleaved(contenders, WARM_UP)
            figures = await interleaved(contenders, rounds)
    show(f"{events:,} events listed, {latency * 1000:g} ms a page of 500", "seconds", "wall", figures, 1)


async def tree(quick: bool) -> None:
    directories, rounds = (50, 1) if quick else (300, 5)
    with elsewhere(a_tree, directories) as (url, token):
        official = official_client(url, token)
        async with WorkspaceClient(host=url, token=token) as w:

            async def ours() -> None:
                assert len([info async for info in w.workspace.walk("/Shared")]) == 2 * directories

            async def theirs() -> None:
                await asyncio.to_thread(lambda: [*official.workspace.list("/Shared", recursive=True)])

            contenders = {OURS: ours, OFFICIAL: theirs}
            await interleaved(contenders, WARM_UP)
            figures = await interleaved(contenders, rounds)
    show(f"A tree of {directories:,} directories listed, 20 ms each", "seconds", "wall", figures, 1)


async def first_answer(quick: bool) -> None:
    with answering() as url:
        bare = (
            "import asyncio, aiohttp, json\n"
            "async def main():\n"
            "    async with aiohttp.ClientSession() as http:\n"
            '        async with http.get("{url}/api/2.1/clusters/get") as answer:\n'
            "            json.loads(await answer.read())\n"
            "asyncio.run(main())\n"
        )
        programs = {
            OURS: PROGRAMS["ours, first call"],
            f"{BARE} to dicts": bare,
            OFFICIAL: PROGRAMS["official, first call"],
        }

        def runs(program: str) -> Callable[[], Awaitable[tuple[float, float]]]:
            async def run() -> tuple[float, float]:
                return spent(program.replace("{url}", url))

            return run

        contenders: Contenders = {name: runs(program) for name, program in programs.items()}
        await interleaved(contenders, 1)  # writes the bytecode
        figures = await interleaved(contenders, 1 if quick else 9)
    show("The first answer of a script, Python's start included", "seconds", "cpu", figures, 1)


async def main(quick: bool, airflow: Path) -> None:
    gc.freeze()  # what was imported is not part of any contender's garbage
    await one_call(quick, airflow)
    await reading(quick)
    await history(quick)
    await tree(quick)
    await first_answer(quick)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="short and noisy: only shows that it runs")
    parser.add_argument("--airflow", type=Path, default=AIRFLOW, metavar="PYTHON", help="of Airflow's environment")
    arguments = parser.parse_args()
    asyncio.run(main(arguments.quick, arguments.airflow))
