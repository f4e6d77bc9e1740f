"""Cost control: idle clusters, found and stopped.

Finds the clusters of people (not of jobs and pipelines) that run, that no run is using, and
where nothing has happened for two hours. It shows them; with `--stop` it also terminates
them, which leaves their definition and their notebooks.

Run it with `python idle_clusters.py`, read what it would do, then `python idle_clusters.py
--stop` from cron.

When things go wrong:

- The activity of a cluster cannot be read, or it has none to show: it is left alone.
- Somebody begins to work between the look and the stop: each is looked at again right before
  it is stopped.
- A cluster cannot be stopped (no permission, or it is gone): it is said, and the others are
  stopped.
"""

import asyncio
import sys
from datetime import UTC, datetime, timedelta

from databricks_async import DatabricksError, WorkspaceClient
from databricks_async.clusters import ClusterDetails

OF_PEOPLE = ("UI", "API")
QUIET = ("AUTOSCALING_STATS_REPORT",)  # events that come by themselves


async def in_use(w: WorkspaceClient) -> set[str | None]:
    """The clusters on which runs are under way."""
    busy = set()
    async for run in w.jobs.list_runs(active_only=True, expand_tasks=True):
        for one in (run, *(run.tasks or ())):
            busy.add(one.cluster_instance and one.cluster_instance.cluster_id)
    return busy


async def last_activity(w: WorkspaceClient, cluster: ClusterDetails) -> datetime | None:
    """The latest of what the service says of it, its start, and its events."""
    times = [cluster.last_activity, cluster.start]
    async for event in w.clusters.events(cluster.cluster_id or "", max_items=100):
        if event.type not in QUIET:
            times.append(event.time)
            break
    return max((time for time in times if time), default=None)


async def is_idle(
    w: WorkspaceClient, cluster: ClusterDetails, busy: set[str | None], since: datetime
) -> bool:
    """Whether a cluster of people runs for nothing."""
    if cluster.state != "RUNNING" or cluster.cluster_source not in OF_PEOPLE:
        return False
    if cluster.cluster_id in busy:
        return False
    time = await last_activity(w, cluster)
    return time is not None and time < since


async def stop(w: WorkspaceClient, cluster_id: str, since: datetime) -> str:
    """Look again, then terminate it. Returns what became of it."""
    try:
        cluster = await w.clusters.get(cluster_id)
        if not await is_idle(w, cluster, await in_use(w), since):
            return "is in use again"
        await w.clusters.delete(cluster_id)
    except DatabricksError as error:
        return f"not stopped: {error}"
    return "stopped"


async def main(arguments: list[str], since: datetime) -> list[str]:
    """One line for each cluster where nothing has happened `since` then."""
    lines = []
    async with WorkspaceClient() as w:
        busy = await in_use(w)
        async for cluster in w.clusters.list(filter_by={"cluster_states": ["RUNNING"]}):
            if cluster.cluster_id and await is_idle(w, cluster, busy, since):
                does = "--stop" in arguments
                became = await stop(w, cluster.cluster_id, since) if does else "idle"
                lines.append(f"{cluster.cluster_id} {cluster.cluster_name}: {became}")
    return lines


if __name__ == "__main__":
    two_hours_ago = datetime.now(UTC) - timedelta(hours=2)
    print(*asyncio.run(main(sys.argv[1:], two_hours_ago)), sep="\n")
