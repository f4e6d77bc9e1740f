"""`databricks-async clusters`: list, make, start, stop and watch clusters."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from databricks_async.cli.commands import Group, argument
from databricks_async.cli.options import CLUSTER, DURATION, JSON, MOMENT, WORDS

if TYPE_CHECKING:
    from databricks_async.cli.running import Run
    from databricks_async.clusters.models import ClusterDetails

command = Group("clusters", help="Clusters: list, make, start, stop and watch them.", no_args_is_help=True)

a_cluster = argument("cluster", "the id of a cluster, or its exact name", type=CLUSTER, metavar="CLUSTER")
body = click.option("--json", "body", type=JSON, required=True, metavar="JSON", help="the request: JSON, or @file")
no_wait = click.option("--no-wait", is_flag=True, help="do not wait for the end")

_COLUMNS = "Columns: id, name, state, since, workers, idle, reason; with -l node, runtime, source, creator."


@command.command(
    "list",
    examples="""
    databricks-async clusters list --name 'etl-*'
    databricks-async clusters list --cluster-states RUNNING,PENDING -o json | jq -r '.[].cluster_id'
    databricks-async clusters list | cut -f 1
    """,
    output=f"{_COLUMNS} An idle time with ! is longer than half an hour. JSON: an array of clusters, as the service "
    "has them. In a pipe: a line a cluster, tabs between the columns.",
)
@click.option("--name", "name", metavar="GLOB", help="only those whose name fits, such as 'etl-*'")
@click.option("--cluster-states", type=WORDS, metavar="STATE,…", help="only those in one of these states")
@click.option("--cluster-sources", type=WORDS, metavar="SOURCE,…", help="only those made by UI, API, JOB, …")
@click.option("--is-pinned", is_flag=True, help="only pinned ones")
@click.option("--all", "show_all", is_flag=True, help="also job clusters that have ended")
@click.option("-l", "--long", is_flag=True, help="with node type, runtime, source and creator")
@click.option("--limit", type=click.IntRange(0), metavar="N", help="at most so many")
async def list_(run: Run, **options: Any) -> None:
    """List clusters, those with the newest activity first.

    Job clusters that have ended are left out: a workspace keeps those of 30 days.
    """
    from databricks_async.cli.listings.clusters import CLUSTER_COLUMNS, list_clusters, newest_first, note_left_out
    from databricks_async.cli.output.states import sign_of_cluster

    long, limit = options.pop("long"), options.pop("limit")
    await run.out.rows(
        list_clusters(run, **options),
        CLUSTER_COLUMNS,
        sign=sign_of_cluster,
        item_id=lambda cluster: cluster.cluster_id,
        long=long,
        limit=limit,
        order=newest_first,
    )
    note_left_out(run, **options)


@command.command("get", examples="databricks-async clusters get nightly-etl")
@a_cluster
async def get(run: Run, cluster: str) -> None:
    """Describe one cluster: a card on a terminal, JSON in a pipe."""
    from databricks_async.cli.named import find

    _show(run, await run.w.clusters.get(await find.cluster_id(run, cluster)))


@command.command(
    "create",
    examples="""
    databricks-async clusters create --json @cluster.json --no-wait
    databricks-async clusters create --json '{"cluster_name": "etl", "num_workers": 1,
        "spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_DS3_v2"}'
    """,
)
@body
@no_wait
async def create(run: Run, body: Any, no_wait: bool) -> None:
    """Create a cluster, and wait until it runs.

    The JSON is the body of `POST /api/2.1/clusters/create`: spark_version, node_type_id, num_workers or autoscale, and
    any other field of ClusterSpec.
    """
    await _wait(run, lambda: run.w.clusters.create(_mapping(body)), no_wait)


@command.command("edit", examples="databricks-async clusters edit --json @cluster.json")
@body
@no_wait
async def edit(run: Run, body: Any, no_wait: bool) -> None:
    """Replace the whole specification of a cluster, whose cluster_id is in the JSON.

    One that runs restarts.
    """
    settings = dict(_mapping(body))
    if not (cluster_id := settings.pop("cluster_id", None)):
        raise click.UsageError("the JSON has no cluster_id")
    await _wait(run, lambda: run.w.clusters.edit(cluster_id, settings), no_wait)


def _acting(name: str, help_: str, examples: str = "") -> None:
    """A command that acts on one cluster, and waits for its end."""

    async def act(run: Run, cluster: str, no_wait: bool) -> None:
        from databricks_async.cli.named import find

        cluster_id = await find.cluster_id(run, cluster)
        await _wait(run, lambda: getattr(run.w.clusters, name)(cluster_id), no_wait)
        if name == "delete" and not no_wait:
            run.out.note(f"It is terminated, and can be started again: databricks-async clusters start {cluster_id}")

    act.__doc__ = help_
    command.command(name, examples=examples)(a_cluster(no_wait(act)))


_acting("start", "Start a terminated cluster, and wait until it runs.", "databricks-async clusters start nightly-etl")
_acting("restart", "Restart a running cluster, and wait until it runs again.")
_acting(
    "delete",
    "Terminate a cluster, and wait until it is down.\n\nIt keeps its definition and can be started again, for 30 days "
    "or as long as it is pinned. `permanent-delete` forgets it.",
)


@command.command("resize", examples="databricks-async clusters resize nightly-etl --num-workers 8")
@a_cluster
@click.option("--num-workers", type=click.IntRange(0), metavar="N", help="a fixed number of workers")
@click.option("--autoscale", metavar="MIN-MAX", help="a range of workers, such as 2-8")
@no_wait
async def resize(run: Run, cluster: str, num_workers: int | None, autoscale: str | None, no_wait: bool) -> None:
    """Give a running cluster another size, and wait until it has it."""
    from databricks_async.cli.named import find

    size: dict[str, Any] = {"num_workers": num_workers}
    if autoscale is not None:
        low, _, high = autoscale.partition("-")
        if not (low.isdecimal() and high.isdecimal()):
            raise click.UsageError(f"--autoscale is MIN-MAX, such as 2-8, not {autoscale!r}")
        size["autoscale"] = {"min_workers": int(low), "max_workers": int(high)}
    if (num_workers is None) == (autoscale is None):
        raise click.UsageError("resize needs --num-workers or --autoscale, and not both")
    cluster_id = await find.cluster_id(run, cluster)
    await _wait(run, lambda: run.w.clusters.resize(cluster_id, **size), no_wait)


def _simple(name: str, method: str, help_: str) -> None:
    """A command that acts on one cluster and has nothing to wait for."""

    async def act(run: Run, cluster: str) -> None:
        from databricks_async.cli.named import find

        await getattr(run.w.clusters, method)(await find.cluster_id(run, cluster))

    act.__doc__ = help_
    command.command(name)(a_cluster(act))


_simple("permanent-delete", "permanent_delete", "Terminate a cluster and forget it: it cannot be started again.")
_simple("pin", "pin", "Keep a cluster in listings, and its definition for good. Admins only.")
_simple("unpin", "unpin", "Undo `pin`. Admins only.")


@command.command("spark-versions", output="Columns: key, name. JSON: an array.")
async def spark_versions(run: Run) -> None:
    """List the runtimes on offer."""
    from databricks_async.cli.listings.clusters import VERSION_COLUMNS

    versions = (await run.w.clusters.spark_versions()).versions or []
    await run.out.rows(versions, VERSION_COLUMNS, item_id=lambda one: one.key, limit=len(versions))


@command.command("list-node-types", output="Columns: id, memory mb, cores, gpus, category. JSON: an array.")
async def list_node_types(run: Run) -> None:
    """List the machine types that clusters can be made of."""
    from databricks_async.cli.listings.clusters import NODE_COLUMNS

    types = (await run.w.clusters.list_node_types()).node_types or []
    await run.out.rows(types, NODE_COLUMNS, item_id=lambda one: one.node_type_id, limit=len(types))


@command.command(
    "watch",
    examples="""
    databricks-async clusters watch nightly-etl --until RUNNING
    databricks-async clusters watch --all
    databricks-async clusters watch --all -o json | jq -c '[.cluster_id, .before, .after]'
    """,
    output="On a terminal a table in place. In a pipe a line a change: time, id, name, before, after, why. JSON: "
    "one object a line.",
)
@argument("cluster", "ids or exact names of clusters", nargs=-1, type=CLUSTER, metavar="[CLUSTER]…")
@click.option("--all", "watch_all", is_flag=True, help="all clusters, those too that appear later")
@click.option("--until", metavar="STATE", help="end when all of them are in this state; 3 if one is terminated instead")
@click.option("--every", type=DURATION, metavar="DURATION", help="between two looks, about; 5s by default")
async def watch(run: Run, cluster: tuple[str, ...], watch_all: bool, until: str | None, every: float | None) -> int:
    """Watch clusters change. `q` or Ctrl-C ends the watching only."""
    from databricks_async.cli.live.watching import watch_clusters
    from databricks_async.cli.named import find
    from databricks_async.clusters.models import State

    if bool(cluster) == watch_all:
        raise click.UsageError("watch takes ids or names of clusters, or --all")
    if until is not None and watch_all:
        raise click.UsageError("--until is about the clusters that are named, and --all names none")
    if until is not None and until.upper() not in [*State]:
        raise click.UsageError(f"--until takes a state, one of {', '.join(State)}, not {until!r}")
    ids = None if watch_all else [await find.cluster_id(run, one) for one in cluster]
    return await watch_clusters(run, ids, until=until.upper() if until else None, every=every or 5.0)


@command.command(
    "events",
    examples="""
    databricks-async clusters events nightly-etl --since 1h
    databricks-async clusters events nightly-etl -f -o json | jq -c '[.timestamp, .type]'
    databricks-async clusters events nightly-etl --event-types RUNNING,TERMINATING --limit 20
    """,
    output="Columns: time, type, details. JSON: an array; with -f one event a line.",
)
@a_cluster
@click.option("-f", "--follow", is_flag=True, help="go on with those to come, until Ctrl-C")
@click.option("--since", type=MOMENT, metavar="TIME", help="only those after 1h ago, or a date or time")
@click.option("--event-types", type=WORDS, metavar="TYPE,…", help="only those of these types")
@click.option("--limit", type=click.IntRange(0), metavar="N", help="at most so many; 100 by default")
async def events(
    run: Run, cluster: str, follow: bool, since: Any, event_types: list[str] | None, limit: int | None
) -> None:
    """What happened to a cluster: the latest events, in their order.

    With -f the last ten, or all since a time, and then each event as it comes, once.
    """
    from databricks_async.cli.listings.clusters import EVENT_COLUMNS
    from databricks_async.cli.live.events import follow_events
    from databricks_async.cli.named import find

    cluster_id = await find.cluster_id(run, cluster)
    if follow:
        await follow_events(run, cluster_id, since, event_types, limit)
        return
    limit = 100 if limit is None else limit
    pager = run.w.clusters.events(cluster_id, start_time=since, event_types=event_types, max_items=limit)
    found = [] if limit == 0 else await pager.collect()
    await run.out.rows(found[::-1], EVENT_COLUMNS, item_id=lambda event: event.timestamp, limit=limit)


async def _wait(run: Run, begin: Callable[[], Any], no_wait: bool) -> None:
    from databricks_async.cli.listings.clusters import standing
    from databricks_async.cli.live.progress import follow

    wait = await begin()
    cluster_id = wait.cluster_id
    if no_wait:
        _begun(run, cluster_id)
        return
    run.goes_on = (
        f"It goes on. See how it stands: databricks-async clusters get {cluster_id}; "
        f"stop it: databricks-async clusters delete {cluster_id}"
    )
    await follow(run.out, wait, standing)
    _show(run, await wait.result())


def _begun(run: Run, cluster_id: str) -> None:
    if run.options.quiet or (run.out.format == "text" and run.out.stdout.is_terminal):
        run.out.line(cluster_id)
    else:
        run.out.json({"cluster_id": cluster_id})


def _show(run: Run, cluster: ClusterDetails) -> None:
    from databricks_async.cli.listings.clusters import CLUSTER_COLUMNS
    from databricks_async.cli.output.states import sign_of_cluster

    run.out.thing(
        cluster,
        CLUSTER_COLUMNS,
        item_id=lambda one: one.cluster_id,
        sign=sign_of_cluster,
        title=cluster.cluster_name or "",
    )


def _mapping(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise click.UsageError("--json takes a JSON object")
    return body
