"""What a large body costs on its way out: `jobs.create` with 1,000 tasks, against writing its JSON alone.

Defends: however the body is given, each task is read once and written once; and in CPU time and the same run, the call
takes <= 8 times what writing alone takes, <= 12 times when tasks are given as models: each is written out first, so
that what its owner changes later is not sent.

    python benchmarks/bodies.py [--quick]
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import Any

from harness import Gate, interleaved, ratio

from databricks_async import Config
from databricks_async.codec import encode
from databricks_async.jobs.api import Jobs
from databricks_async.jobs.models import CreateJob, Task
from databricks_async.message import Request, Response

TASKS = 1_000


class Nowhere:
    """In place of a session: takes every request, and answers that a job was made."""

    config = Config.resolve(host="https://example.com", token="none")

    async def pause(self, seconds: float) -> None:
        raise AssertionError("nothing is waited for here")

    async def send(self, request: Request) -> Response:
        return Response(200, {}, b'{"job_id": 1}')


def tasks() -> list[dict[str, Any]]:
    return [
        {
            "task_key": f"task_{number}",
            "depends_on": [{"task_key": f"task_{number - 1}"}] if number else [],
            "notebook_task": {"notebook_path": "/Shared/load", "base_parameters": {"number": str(number)}},
            "existing_cluster_id": "0923-164208-meows279",
            "max_retries": 2,
            "timeout_seconds": 3_600,
        }
        for number in range(TASKS)
    ]


def passes(call: Callable[[], Awaitable[object]]) -> tuple[float, float]:
    """How often each task was read and written: calls of the functions that are generated for `Task`."""
    calls = Counter[str]()

    def count(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            # One for objects of the same keys hands others on to the one for any object: that is one reading.
            name, caller = (each.f_code.co_name.partition("_of_keys_")[0] for each in (frame, frame.f_back) if each)
            calls[name] += name != caller

    async def counted() -> None:
        sys.setprofile(count)
        try:
            await call()
        finally:
            sys.setprofile(None)

    asyncio.run(counted())
    return calls["read_Task"] / TASKS, calls["write_Task"] / TASKS


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="short and noisy: only shows that it runs")
    quick = parser.parse_args().quick
    gate = Gate(quick)
    jobs = Jobs(Nowhere(), "2.2")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    plain = tasks()
    models = [Task.from_dict(one) for one in plain]
    job = CreateJob(name="nightly", tasks=models)

    async def write() -> None:
        encode(job)

    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "keywords": lambda: jobs.create(name="nightly", tasks=plain),
        "keywords with models": lambda: jobs.create(name="nightly", tasks=models),
        "a model": lambda: jobs.create(job),
        "writing": write,
    }
    gc.freeze()
    await interleaved(calls, 1)
    figures = await interleaved(calls, 3 if quick else 30)
    for name in [*calls][:-1]:
        read, written = await asyncio.to_thread(passes, calls[name])
        best = min(cpu for _, cpu in figures[name]) * 1_000
        gate.about(f"a job of {TASKS:,} tasks as {name}")
        print(f"  ({best:.1f} ms)")
        gate.at_most("times that a task is read", read, 1, counted=True)
        gate.at_most("times that a task is written", written, 1, counted=True)
        gate.at_most(
            "the call / writing alone", ratio(figures[name], figures["writing"], 1), 8 if name == "keywords" else 12
        )
    return gate.exit_code()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
