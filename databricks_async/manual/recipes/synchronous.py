"""A script that is not asynchronous.

Two ways. A script that may become a little asynchronous puts its work into one `async def
main` and calls `asyncio.run` once. One that may not, such as a tool full of functions that
call each other, keeps an event loop and a client open around all of its work, and hands them
what it wants done: `run(w.clusters.get(...))`. Calling `asyncio.run` around each call instead
would connect and log in anew each time, and a client refuses a second loop.

When things go wrong:

- Errors are raised where `run` was called, as they are by `await`.
- Ctrl-C cancels the call under way; leaving the block closes client and loop.
- Inside a running loop (Jupyter, a web service) it is a `RuntimeError`: there is `await` for
  that.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from databricks_async import WorkspaceClient

T = TypeVar("T")


class Run(Protocol):
    def __call__(self, call: Coroutine[Any, Any, T], /) -> T: ...


@contextmanager
def workspace(**settings: Any) -> Iterator[tuple[WorkspaceClient, Run]]:
    """A client, and what runs its calls to their end."""
    with asyncio.Runner() as runner:
        w = WorkspaceClient(**settings)
        try:
            yield w, runner.run
        finally:
            runner.run(w.aclose())


def states(w: WorkspaceClient, run: Run) -> dict[str, str]:
    """A listing is collected; everything else is a call."""
    found = run(w.clusters.list().collect())
    return {cluster.cluster_name or "?": str(cluster.state) for cluster in found}


def restart(w: WorkspaceClient, run: Run, cluster_id: str) -> None:
    """Waits until it runs."""
    run(w.clusters.restart(cluster_id).result(timeout=1800))


def each_state(
    w: WorkspaceClient, run: Run, cluster_id: str, seen: Callable[[str], None]
) -> None:
    """What is iterated over becomes one coroutine."""

    async def follow() -> None:
        async for cluster in await w.clusters.start(cluster_id):
            seen(str(cluster.state))

    run(follow())


if __name__ == "__main__":
    with workspace() as (w, run):
        print(states(w, run))
