"""Gates that many clients share: the hook for fleets that outgrow what each client learns by itself.

Each client learns how many calls a second the service takes, and several clients of one workspace come to share it
without knowing of each other. Where there are many, a service that all of them reach can give out the places:

    import redis.asyncio
    from databricks_async import WorkspaceClient
    from databricks_async.gates.redis import RedisGate

    async with redis.asyncio.Redis(host="cache.example.com") as cache:
        gate = RedisGate(cache, per_second=30, limits={"jobs/create": 20})
        async with WorkspaceClient(gate=gate) as w:
            ...

`RedisGate` is in the extra `redis`; anything with the two methods of `Gate` will do. A gate is off unless it is given.
"""

from __future__ import annotations

from typing import Protocol


class Gate(Protocol):
    """What a client asks before it sends a call to its workspace, after its own limits have let the call through.

    A gate that raises, or takes longer than a second, lets the call through, and a warning is logged: a client never
    depends on it. Calls that are sent again ask again.
    """

    async def enter(self, host: str, family: str) -> float:
        """Take a place for one call. Returns in how many seconds it comes: 0.0 is at once.

        `host` is the workspace, such as `https://adb-1.2.azuredatabricks.net`. `family` says which endpoints share the
        limit: an API, such as `clusters`, or a path with a limit of its own, such as `jobs/create`. The place of a call
        that is cancelled meanwhile is lost.
        """
        ...

    async def refused(self, host: str, family: str, seconds: float) -> None:
        """The service has refused a call and wants no other before so many seconds."""
        ...
