"""The service that `watching.py` polls: clusters and runs that end as planned, and a count of its requests."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import AsyncIterator
from urllib.parse import parse_qsl

from harness import CLUSTER

TASKS = [
    {
        "task_key": f"task_{number}",
        "run_id": number,
        "attempt_number": 0,
        "notebook_task": {"notebook_path": f"/etl/{number}"},
        "existing_cluster_id": "0923-164208-meows279",
        "start_time": 1758645728000,
        "state": {"life_cycle_state": "RUNNING", "state_message": "In run"},
        "status": {"state": "RUNNING"},
    }
    for number in range(4)
]
RUN = {
    "job_id": 7,
    "creator_user_name": "someone@example.com",
    "run_name": "nightly etl",
    "run_type": "JOB_RUN",
    "format": "MULTI_TASK",
    "trigger": "PERIODIC",
    "start_time": 1758645728000,
    "end_time": 0,
    "setup_duration": 0,
    "execution_duration": 0,
    "cleanup_duration": 0,
    "run_page_url": "https://adb-1234567890123456.7.azuredatabricks.net/?o=1234567890123456#job/7/run/1",
    "schedule": {"quartz_cron_expression": "0 0 2 * * ?", "timezone_id": "UTC", "pause_status": "UNPAUSED"},
    "job_parameters": [{"name": "day", "default": "today", "value": "2025-09-23"}],
}


def _run(number: int, word: str, *, tasks: bool) -> bytes:
    """A run of four tasks."""
    state: dict[str, str] = {"life_cycle_state": word, "state_message": ""}
    status: dict[str, object] = {"state": word}
    if word == "TERMINATED":
        state["result_state"] = "SUCCESS"
        status["termination_details"] = {"code": "SUCCESS", "type": "SUCCESS"}
    shown = {"tasks": TASKS} if tasks else {}
    return json.dumps({"run_id": number, **RUN, "state": state, "status": status, **shown}).encode()


class Plan:
    """So many things, some of which end at a moment of the event loop's clock, which all processes share."""

    def __init__(self, count: int, ends: dict[int, float]) -> None:
        self._ends = ends
        self._count = count
        self.requests = Counter[str]()

    def has_ended(self, number: int, now: float) -> bool:
        return number in self._ends and self._ends[number] <= now

    def answer(self, path: str, query: dict[str, str], now: float) -> bytes:
        self.requests[path.rpartition("/")[2]] += 1
        if path.endswith("clusters/get"):
            return self._cluster(int(query["cluster_id"]), now)
        if path.endswith("runs/get"):
            number = int(query["run_id"])
            return _run(number, "TERMINATED" if self.has_ended(number, now) else "RUNNING", tasks=True)
        if path.endswith("clusters/list"):
            return self._page("clusters", query, [*range(self._count)], 100, now)
        active = [number for number in range(1, self._count + 1) if not self.has_ended(number, now)]
        return self._page("runs", query, active, 25, now)

    def _cluster(self, number: int, now: float) -> bytes:
        word = b"TERMINATED" if self.has_ended(number, now) else b"RUNNING"
        named = CLUSTER.replace(b"0923-164208-meows279", b"%d" % number, 1)
        return named.replace(b'"state":"RUNNING"', b'"state":"%s"' % word, 1)

    def _page(self, kind: str, query: dict[str, str], numbers: list[int], size: int, now: float) -> bytes:
        after = int(query.get("page_token", "-1"))
        left = [number for number in numbers if number > after]
        page = left[:size]
        if kind == "clusters":
            items = [self._cluster(number, now) for number in page]
        else:
            items = [_run(number, "RUNNING", tasks=query.get("expand_tasks") == "true") for number in page]
        token = b"%d" % page[-1] if len(left) > size else b""
        return b'{"%s":[%s],"next_page_token":"%s"}' % (kind.encode(), b",".join(items), token)


class _Connection(asyncio.Protocol):
    def __init__(self, plans: list[Plan]) -> None:
        self._plans = plans
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found or len(body) < _length_of(head):
            return
        self._received = b""
        path, _, query = head.split(b" ", 2)[1].decode().partition("?")
        answer = self._answer(path, dict(parse_qsl(query)), body)
        start = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(answer)
        self._transport.write(start + answer)

    def _answer(self, path: str, query: dict[str, str], body: bytes) -> bytes:
        now = asyncio.get_running_loop().time()
        if path.endswith("/plan"):
            plan = json.loads(body)
            ends = {int(number): now + seconds for number, seconds in plan["ends"].items()}
            self._plans[:] = [Plan(plan["count"], ends)]
            return json.dumps(ends).encode()
        if path.endswith("/requests"):
            return json.dumps(self._plans[0].requests).encode()
        return self._plans[0].answer(path, query, now)


def _length_of(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


@contextlib.asynccontextmanager
async def planned() -> AsyncIterator[str]:
    """The URL of the service."""
    plans = [Plan(0, {})]
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(plans), "127.0.0.1", 0, backlog=1024)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
