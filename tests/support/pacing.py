"""A service for tests of the pacing: it answers when the test says so, and knows which calls are in flight."""

from __future__ import annotations

import asyncio

from databricks_async.message import Request, Response

LIST = "GET /api/2.1/clusters/list"
OTHER = "GET /api/2.0/libraries/all-cluster-statuses"
READ = Request(LIST, "/api/2.1/clusters/list")
WRITE = Request("POST /api/2.1/clusters/create", "/api/2.1/clusters/create", replay="unsafe")
ELSEWHERE = Request(OTHER, "/api/2.0/libraries/all-cluster-statuses")


def refusal(retry_after=None, message=""):
    headers = {} if retry_after is None else {"retry-after": str(retry_after)}
    return Response(429, headers, b'{"message": "%s"}' % message.encode())


class Service:
    """A Send that answers when the test says so, and knows who is in flight."""

    def __init__(self):
        self.calls = []
        self.in_flight_max = 0

    async def send(self, request):
        answer = asyncio.get_running_loop().create_future()
        self.calls.append(answer)
        self.in_flight_max = max(self.in_flight_max, len(self.open))
        return await answer

    @property
    def open(self):
        return [call for call in self.calls if not call.done()]

    async def until_open(self):
        """Wait out a shut gate. Returns how many are in flight then."""
        async with asyncio.timeout(5):
            while not self.open:  # noqa: ASYNC110 (a gate has no event)
                await asyncio.sleep(0.001)
        return len(self.open)

    async def answer_all(self, tasks):
        """Answer each call that comes until all is done. Returns how many were in flight each time."""
        sizes = []
        while not all(task.done() for task in tasks):
            sizes.append(await self.until_open())
            await self.answer(*[None] * sizes[-1])
        return sizes

    async def answer(self, *answers):
        """Give these to the calls in flight, the oldest first, and let all callers react."""
        for call, answer in zip(self.open, answers, strict=False):
            call.set_result(Response(200, {}, b"") if answer is None else answer)
        await loop_steps()


async def loop_steps(count=20):
    for _ in range(count):
        await asyncio.sleep(0)


def start(paced, count=1, request=READ):
    return [asyncio.create_task(paced(request)) for _ in range(count)]
