"""The demo: clusters created concurrently while the service has a bad day, an answer that is lost, and the sums."""

from __future__ import annotations

import asyncio
import time
from types import TracebackType
from typing import Self

import attrs
from rich.console import Console
from rich.live import Live
from rich.table import Table

from databricks_async import WorkspaceClient
from databricks_async.cli.demonstration.jobs import run_a_job
from databricks_async.clusters.models import ClusterDetails, ClusterSpec, State
from databricks_async.errors import DatabricksError, OperationFailed, OutcomeUnknown
from databricks_async.local import Clock, Fault, LocalWorkspace

SPEED = 120.0
"""Workspace seconds a second: a five-minute start takes two and a half."""
NAMES = ("ingest", "bronze", "silver", "gold", "features", "training", "scoring", "reports")
DOOMED = "training"
LOST = "lost-and-found"
COLOURS = {State.PENDING: "yellow", State.RUNNING: "green", State.TERMINATING: "magenta", State.TERMINATED: "red"}


class Board:
    """The clusters and their states: a live table on a terminal, a line for each change anywhere else."""

    def __init__(self, console: Console, *, is_live: bool) -> None:
        self._console = console
        self._began = time.monotonic()
        self._seen: dict[str, tuple[ClusterDetails, float]] = {}
        self._live = Live(console=console, get_renderable=self._table) if is_live else None

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.__exit__(kind, error, traceback)

    def change(self, cluster: ClusterDetails) -> None:
        name, now = cluster.cluster_name or str(cluster.cluster_id), time.monotonic() - self._began
        self._seen[name] = cluster, now
        if self._live is None:
            self.say(f"{now:5.1f} s  {name:<9} {cluster.state}")

    def say(self, text: str) -> None:
        self._console.print(text)

    def _table(self) -> Table:
        table = Table("cluster", "state", "since the start", "workers", "runtime", box=None, pad_edge=False)
        now = time.monotonic() - self._began
        for name, (cluster, at) in sorted(self._seen.items()):
            colour = COLOURS.get(cluster.state or State.UNKNOWN, "white")
            seconds = now if cluster.state in (State.PENDING, State.TERMINATING) else at
            workers = str(len(cluster.executors or []))
            table.add_row(name, f"[{colour}]{cluster.state}", f"{seconds:.1f} s", workers, cluster.spark_version)
        return table


async def demonstrate(console: Console, *, is_live: bool) -> None:
    """The whole demo; with `is_live` the clusters are a table in place.

    Everything it does goes through the public API, over real HTTP.
    """
    began = time.monotonic()
    secret = "only-good-on-this-machine"  # noqa: S105
    async with LocalWorkspace(clock=Clock.sped_up(SPEED)) as ws:
        ws.add_service_principal("demo-robot", secret)
        async with WorkspaceClient(
            host=ws.url, client_id="demo-robot", client_secret=secret, poll_interval_seconds=0.1
        ) as w:
            console.print(f"[bold]A local workspace on {ws.url}[/]; its clock runs {SPEED:g} times faster\n")
            started, failure = await start_clusters(console, ws, w, is_live=is_live)
            await read_events(console, ws, w, started[0])
            await lose_an_answer(console, ws, w)
            await run_a_job(console, ws, w, str(started[1].cluster_id))
            await clean_up(console, w)
            report(console, ws, w, failure)
    console.print(f"It took {time.monotonic() - began:.1f} s.")


async def start_clusters(
    console: Console, ws: LocalWorkspace, w: WorkspaceClient, *, is_live: bool
) -> tuple[list[ClusterDetails], OperationFailed]:
    """Eight clusters at once, one of which cannot start, while the service fails now and then."""
    console.print("[bold]Eight clusters, created concurrently and watched as they come up[/]")
    spark_version = await w.clusters.select_spark_version(long_term_support=True)
    node_type = await w.clusters.select_node_type(local_disk=True, min_memory_gb=8)
    reason = {"azure_error_code": "SkuNotAvailable"}
    ws.fail_next_start("CLOUD_PROVIDER_RESOURCE_STOCKOUT", "CLOUD_FAILURE", reason, cluster_name=DOOMED)
    with Board(console, is_live=is_live) as board:

        async def bring_up(name: str) -> ClusterDetails:
            spec = ClusterSpec(cluster_name=name, spark_version=spark_version, node_type_id=node_type, num_workers=2)
            wait = await w.clusters.create(spec)
            async for cluster in wait:
                board.change(cluster)
            return await wait.result()

        async def have_a_bad_day() -> None:
            await asyncio.sleep(0.6)
            ws.faults.add("GET /api/{v}/clusters/*", Fault.too_many_requests(0.4), times=2)
            board.say("       the service refuses a burst of requests (429): all calls wait at one gate")
            await asyncio.sleep(0.7)
            ws.faults.add("GET /api/{v}/clusters/*", Fault.drop(), times=2)
            board.say("       the network drops two connections: those reads are sent again")
            await asyncio.sleep(0.4)
            ws.revoke_tokens()
            board.say("       the token ends before its time: renewed once, for all calls")

        outcomes, _ = await asyncio.gather(
            asyncio.gather(*map(bring_up, NAMES), return_exceptions=True), have_a_bad_day()
        )
    for outcome in outcomes:
        if isinstance(outcome, OSError) and not isinstance(outcome, DatabricksError):
            raise outcome  # the output cannot be written
    started = [outcome for outcome in outcomes if isinstance(outcome, ClusterDetails)]
    failures = [outcome for outcome in outcomes if isinstance(outcome, OperationFailed)]
    if len(started) != len(NAMES) - 1 or len(failures) != 1:
        raise RuntimeError(f"the demo went wrong: {outcomes}")
    console.print(f"{len(started)} run; one failed, and says why:\n  [red]{failures[0]}[/]\n")
    return started, failures[0]


async def read_events(console: Console, ws: LocalWorkspace, w: WorkspaceClient, cluster: ClusterDetails) -> None:
    """Several hundred events, page by page."""
    console.print("[bold]What happened to a cluster, page by page[/]")
    cluster_id = str(cluster.cluster_id)
    ws.add_events(cluster_id, 730)
    pages = [len(page.items) async for page in w.clusters.events(cluster_id, page_size=200).pages()]
    newest = await w.clusters.events(cluster_id, event_types=["RUNNING"], max_items=1).collect()
    console.print(f"{sum(pages)} events in pages of {', '.join(map(str, pages))}")
    console.print(f"the last RUNNING event: {newest[0].time:%H:%M:%S} UTC\n")


async def lose_an_answer(console: Console, ws: LocalWorkspace, w: WorkspaceClient) -> None:
    """The worst case for a client: the work is done and its answer is lost."""
    console.print("[bold]A connection dropped after clusters/create was received[/]")
    ws.faults.add("POST /api/{v}/clusters/create", Fault.drop(after=True))
    like_the_first = (await anext(aiter(w.clusters.list()))).to_spec()
    try:
        await w.clusters.create(attrs.evolve(like_the_first, cluster_name=LOST))
    except OutcomeUnknown as error:
        console.print(f"  [yellow]{type(error).__name__}: {error}[/]")
    found = [str(cluster.cluster_id) async for cluster in w.clusters.list() if cluster.cluster_name == LOST]
    console.print(f"found by that hint: {len(found)} cluster, {', '.join(found)}\n")


async def clean_up(console: Console, w: WorkspaceClient) -> None:
    """Terminate and delete everything, concurrently."""
    console.print("[bold]Cleaning up[/]")
    cluster_ids = [str(cluster.cluster_id) async for cluster in w.clusters.list()]
    await asyncio.gather(*map(w.clusters.delete_and_wait, cluster_ids))
    await asyncio.gather(*map(w.clusters.permanent_delete, cluster_ids))
    left = await w.clusters.list().collect()
    console.print(f"{len(cluster_ids)} clusters terminated and deleted, {len(left)} left\n")


def report(console: Console, ws: LocalWorkspace, w: WorkspaceClient, failure: OperationFailed) -> None:
    """What it took, as the client and the workspace's own journal counted it."""
    stats, journal = w.stats, ws.journal
    created = journal.count("POST /api/{v}/clusters/create")
    asked = len(NAMES) + 1
    console.print("[bold]In short[/]")
    table = Table("what happened", "times", box=None, pad_edge=False)
    table.add_row("calls made by the program", str(stats.calls))
    table.add_row("requests received by the workspace", str(journal.count()))
    table.add_row("refused by rate limits, sent again later", str(stats.refused))
    dropped = sum(call.fault == "drop" for call in journal.entries)
    table.add_row("dropped with their connection, sent again", str(dropped))
    table.add_row("tokens renewed", str(stats.tokens - 1))
    table.add_row("clusters asked for / created", f"{asked} / {created}")
    table.add_row("starts failed, with a reason", "1" if failure.last else "0")
    table.add_row("TCP connections opened", str(journal.connections_opened))
    console.print(table)
    console.print("Nothing lost, nothing done twice." if asked == created else "[red]Something went wrong.[/]")
