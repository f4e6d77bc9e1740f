"""The events of a cluster as they come: a line each, for people or for scripts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from databricks_async.cli.listings.clusters import EVENT_COLUMNS
from databricks_async.cli.output.columns import for_people
from databricks_async.cli.output.tables import cut_words
from databricks_async.cli.running import Run
from databricks_async.clusters.models import ClusterEvent, EventType
from databricks_async.codec import check_word

_LAST = 10


async def follow_events(
    run: Run, cluster_id: str, since: datetime | None, event_types: Sequence[str] | None, limit: int | None
) -> None:
    """Write the last events, or those since a moment, and then each as it comes, until there were so many."""
    types = [EventType(word.upper()) for word in event_types or ()]
    for index, one in enumerate(types):
        check_word(EventType, one, "--event-types", index)
    run.goes_on = "The following has ended; the cluster goes on."
    if limit == 0:
        return
    if since is None:
        latest = await run.w.clusters.events(cluster_id, event_types=types or None, max_items=_LAST).collect()
        since = latest[-1].time if latest else None
    count = 0
    async for event in run.w.clusters.follow_events(cluster_id, since=since):
        if types and event.type not in types:
            continue
        _write(run, event)
        count += 1
        if count == limit:
            return


def _write(run: Run, event: ClusterEvent) -> None:
    out = run.out
    if out.options.quiet:
        out.line(str(event.timestamp))
    elif out.format == "json":
        out.json(event, indent=False)
    elif out.format == "csv" or not out.stdout.is_terminal:
        out.record(out.columns(EVENT_COLUMNS), event)
    else:
        time, kind, details = [for_people(column, event, out.now, utc=out.options.utc) for column in EVENT_COLUMNS]
        text = f"{time}  {kind}  {details}" if details != "-" else f"{time}  {kind}"
        out.line(cut_words(text, out.stdout.width or 80, ascii_only=out.stdout.is_ascii))
