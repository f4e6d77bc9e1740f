"""How many requests answer what a person asks for: ours beside the official SDK's, counted by a local workspace.

Defends: no operation sends more requests than the official SDK does for the same, but for those whose docstrings say
so (`edit`, `update` and a `run_now` with a token of one's own send a GET more); listings ask for the largest pages.

    python benchmarks/requests_sent.py [--quick]

Requests are counted, so that the figures are the same on a busy machine, and a quick run judges them, too; only those
of waits depend on time.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs
from harness import Gate, official_client, record

from databricks_async import WorkspaceClient
from databricks_async.aio import gather
from databricks_async.local import Clock, LocalWorkspace

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient as OfficialClient

JOBS, RUNS, CLUSTERS, EVENTS, DIRECTORIES, NOTEBOOKS = 1_000, 300, 100, 10_000, 20, 200
TASKS = [
    {"task_key": key, "notebook_task": {"notebook_path": f"/Shared/{key}"}, "existing_cluster_id": "c-0"}
    for key in ("extract", "transform", "load")
]
MANY_TASKS = [{**TASKS[0], "task_key": f"task_{number}"} for number in range(250)]
SPEC: dict[str, Any] = {
    "cluster_name": "etl",
    "spark_version": "15.4.x-scala2.12",
    "node_type_id": "Standard_DS3_v2",
    "num_workers": 1,
}
EDITED = SPEC | {"num_workers": 2}

IN_PICTURE = ("list 1,000 jobs with", "wait for 300")
"""The operations that the picture shows."""

Ours: TypeAlias = Callable[[WorkspaceClient], Awaitable[object]]
Official: TypeAlias = "Callable[[OfficialClient], object]"


@attrs.frozen
class Operation:
    """What a person asks for, with one client and with the other."""

    ours: Ours
    official: Official
    more: int = 0
    """How many requests more than the official SDK ours sends, as its docstring says."""


def seed(ws: LocalWorkspace) -> None:
    """What is asked about: jobs, clusters with a history, a tree."""
    ws.load(
        {
            "clusters": [
                {**SPEC, "cluster_id": f"c-{number}", "state": "TERMINATED" if number else "RUNNING"}
                for number in range(CLUSTERS)
            ],
            "jobs": [
                {"job_id": 1_000 + number, "settings": {"name": f"job {number}", "tasks": TASKS}}
                for number in range(JOBS - 1)
            ]
            + [{"job_id": 999, "settings": {"name": "large", "tasks": MANY_TASKS, "max_concurrent_runs": 1_000}}],
        }
    )
    ws.add_events("c-0", EVENTS)
    for number in range(NOTEBOOKS):
        ws.add_object(f"/Shared/tree/{number % DIRECTORIES}/{number}", b"1", language="PYTHON")


async def export_tree(w: WorkspaceClient) -> None:
    with tempfile.TemporaryDirectory() as folder:
        report = await w.workspace.export_tree("/Shared/tree", folder)
    assert len(report.done) == NOTEBOOKS + DIRECTORIES, report


def export_each(client: OfficialClient) -> None:
    """What a person writes who has no `export_tree`."""
    with tempfile.TemporaryDirectory() as folder:
        for found in client.workspace.list("/Shared/tree", recursive=True):
            with client.workspace.download(found.path) as content:
                Path(folder, found.path.replace("/", "_")).write_bytes(content.read())


def write_files(folder: str) -> None:
    for number in range(20):
        Path(folder, f"{number}.txt").write_text("content")


async def import_tree(w: WorkspaceClient) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_files(folder)
        report = await w.workspace.import_tree(folder, "/Shared/imported")
    assert len(report.done) == 20, report


def import_each(client: OfficialClient) -> None:
    client.workspace.mkdirs("/Shared/imported")
    for number in range(20):
        client.workspace.upload(f"/Shared/imported/{number}.txt", b"content", format=_auto(), overwrite=True)


def _auto() -> Any:
    from databricks.sdk.service.workspace import ImportFormat

    return ImportFormat.AUTO


def run_with_token(client: OfficialClient) -> None:
    client.jobs.run_now(1_000, idempotency_token="nightly of the official SDK")


OPERATIONS: dict[str, Operation] = {
    "describe a cluster": Operation(lambda w: w.clusters.get("c-0"), lambda o: o.clusters.get("c-0")),
    f"list {CLUSTERS} clusters": Operation(lambda w: w.clusters.list().collect(), lambda o: [*o.clusters.list()]),
    f"read {EVENTS:,} events": Operation(
        lambda w: w.clusters.events("c-0").collect(), lambda o: [*o.clusters.events("c-0")]
    ),
    f"list {JOBS:,} jobs": Operation(lambda w: w.jobs.list().collect(), lambda o: [*o.jobs.list()]),
    f"list {JOBS:,} jobs with their tasks": Operation(
        lambda w: w.jobs.list(expand_tasks=True).collect(), lambda o: [*o.jobs.list(expand_tasks=True)]
    ),
    "describe a job of 250 tasks": Operation(lambda w: w.jobs.get(999), lambda o: o.jobs.get(999)),
    "find a job by its name": Operation(
        lambda w: w.jobs.list(name="job 7").collect(), lambda o: [*o.jobs.list(name="job 7")]
    ),
    "edit a cluster": Operation(
        lambda w: w.clusters.edit("c-1", EDITED), lambda o: o.clusters.edit("c-2", **EDITED), more=1
    ),
    "start a run": Operation(lambda w: w.jobs.run_now(1_000), lambda o: o.jobs.run_now(1_001)),
    "start a run with one's own token": Operation(
        lambda w: w.jobs.run_now(1_002, idempotency_token="nightly"), run_with_token, more=1
    ),
    f"list {RUNS} runs": Operation(
        lambda w: w.jobs.list_runs(job_id=999).collect(), lambda o: [*o.jobs.list_runs(job_id=999)]
    ),
    f"see a tree of {DIRECTORIES} directories": Operation(
        lambda w: _all(w.workspace.walk("/Shared/tree")), lambda o: [*o.workspace.list("/Shared/tree", recursive=True)]
    ),
    f"export it, with its {NOTEBOOKS} notebooks": Operation(export_tree, export_each),
    "import 20 files": Operation(import_tree, import_each),
}


async def _all(things: Any) -> list[Any]:
    return [thing async for thing in things]


async def count(which: str = "") -> dict[str, tuple[int, int]]:
    """Requests that each operation, whose name has this text in it, sends: ours, and the official SDK's."""
    counted: dict[str, tuple[int, int]] = {}
    async with LocalWorkspace(clock=Clock.by_hand()) as ws:
        seed(ws)
        client = await asyncio.to_thread(official_client, ws.url, ws.token)
        async with WorkspaceClient(host=ws.url, token=ws.token) as w:
            await gather(w.jobs.run_now(999) for _ in range(RUNS))
            for name, operation in OPERATIONS.items():
                if which not in name:
                    continue
                ws.journal.clear()
                await operation.ours(w)
                ours = len(ws.journal.entries)
                ws.journal.clear()
                await asyncio.to_thread(operation.official, client)
                counted[name] = ours, len(ws.journal.entries)
    return counted


async def count_waits(runs: int, seconds: float) -> tuple[int, int]:
    """Requests with which so many runs, each of so many seconds, are waited for: ours, and the official SDK's."""

    async def ours(w: WorkspaceClient, _: OfficialClient, run_ids: list[int]) -> None:
        await asyncio.gather(*(w.jobs.wait_run(run_id).result() for run_id in run_ids))

    async def official(_: WorkspaceClient, client: OfficialClient, run_ids: list[int]) -> None:
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(runs) as threads:
            wait = client.jobs.wait_get_run_job_terminated_or_skipped
            await asyncio.gather(*(loop.run_in_executor(threads, wait, run_id) for run_id in run_ids))

    async def sent(contender: Callable[..., Awaitable[None]]) -> int:
        async with LocalWorkspace(clock=Clock.real()) as ws, WorkspaceClient(host=ws.url, token=ws.token) as w:
            ws.timing.pending = 0.1
            ws.script_task("slow", duration=seconds)
            task = {"task_key": "slow", "notebook_task": {"notebook_path": "/slow"}, "new_cluster": SPEC}
            job = await w.jobs.create(name="slow", tasks=[task], max_concurrent_runs=1_000)
            client = await asyncio.to_thread(official_client, ws.url, ws.token)
            started = await gather(w.jobs.run_now(job.job_id) for _ in range(runs))
            ws.journal.clear()
            await contender(w, client, [run.run_id for run in started])
            return len(ws.journal.entries)

    return tuple(await asyncio.gather(sent(ours), sent(official)))  # type: ignore[return-value]


def compared(what: str, ours: int, official: int) -> None:
    """Hand both to the table."""
    bar = "sent" if what.startswith(IN_PICTURE) else ""
    for name, sent in (("databricks-async", ours), ("official SDK", official)):
        record(measure=f"Requests to {what}", unit="requests", bar=bar, contender=name, sent=[sent] * 3)


async def main(quick: bool) -> int:
    gate = Gate(quick)
    print("Requests for what a person asks: ours, and the official SDK's")
    for name, (ours, official) in (await count()).items():
        compared(name, ours, official)
        gate.at_most(f"{name} (official SDK: {official})", ours, official + OPERATIONS[name].more, counted=True)
    for runs, seconds in ((10, 3.0),) if quick else ((1, 30.0), (300, 30.0)):
        ours, official = await count_waits(runs, seconds)
        what = f"wait for {runs} run{'s' * (runs > 1)} of {seconds:g} s"
        compared(what, ours, official)
        what += f" (official SDK: {official})"
        if runs == 1:
            # It learns of the end sooner: a poll each one to three seconds, where the other sleeps up to eleven.
            gate.at_most(what, ours, 35)
        else:
            gate.at_most(what, ours, official / 2)
    return gate.exit_code()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a smoke run: prints, does not judge")
    sys.exit(asyncio.run(main(parser.parse_args().quick)))
