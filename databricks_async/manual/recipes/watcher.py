"""A watcher daemon that survives restarts.

Follows the events of clusters and the new runs of all jobs, and deals with each once. How far
it is stands in a file, which is replaced in one step behind each event.

Run it with `python watcher.py state.json 0923-164208-meows279 ...`, from systemd
(`Restart=always`) or as a pod.

When things go wrong:

- It is restarted, on another machine too if the file comes along: it goes on behind the last
  event that it dealt with, also with what happened meanwhile. An event that it was dealing
  with when it was killed comes once more.
- SIGTERM: it stops waiting at once, closes its connections and ends with exit code 0.
- The workspace cannot be reached: polls are repeated for ten minutes. Then the error ends the
  program, and the daemon's manager starts it again.
- A cluster is deleted: its events end, and the others go on.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from databricks_async import Stream, WorkspaceClient
from databricks_async.clusters import ClusterEvent
from databricks_async.jobs import BaseRun

Item = ClusterEvent | BaseRun
Deal = Callable[[str, Item], Awaitable[None]]


async def report(name: str, item: Item) -> None:
    """Put your own work here: a message, a row, a metric."""
    what = item.type if isinstance(item, ClusterEvent) else f"run {item.run_id}"
    print(name, what, flush=True)


class Tokens:
    """How far each stream is, in a file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._tokens: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}

    def get(self, name: str) -> str | None:
        return self._tokens.get(name)

    def put(self, name: str, token: str) -> None:
        self._tokens[name] = token
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps(self._tokens))
        os.replace(new, self._file)


async def follow(
    name: str,
    stream: Stream[ClusterEvent] | Stream[BaseRun],
    tokens: Tokens,
    deal: Deal,
) -> None:
    tokens.put(name, stream.token)  # from now on, also if it ends before anything happens
    async for item in stream:
        await deal(name, item)
        tokens.put(name, stream.token)


async def watch(file: Path, cluster_ids: list[str], deal: Deal) -> None:
    tokens, now = Tokens(file), datetime.now(UTC)
    async with WorkspaceClient() as w, asyncio.TaskGroup() as group:
        runs = w.jobs.follow_runs(since=tokens.get("runs") or now)
        group.create_task(follow("runs", runs, tokens, deal))
        for cluster_id in cluster_ids:
            events = w.clusters.follow_events(cluster_id, since=tokens.get(cluster_id) or now)
            group.create_task(follow(cluster_id, events, tokens, deal))


async def main(file: Path, cluster_ids: list[str], deal: Deal = report) -> None:
    watching = asyncio.create_task(watch(file, cluster_ids, deal))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, watching.cancel)
    try:
        await watching
    except asyncio.CancelledError:
        print("stopped")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2:]))
