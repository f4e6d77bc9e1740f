"""What the benchmarks share: a server in its own process, figures from interleaved runs, counted calls, and gates."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import json
import multiprocessing
import os
import random
import statistics
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from importlib.util import find_spec
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, TypeAlias, TypeVar

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

T = TypeVar("T")

FIGURES_FILE = "BENCHMARK_FIGURES"
"""The environment variable by which `python -m benchmarks` says where figures are collected."""

CLUSTER = (
    b'{"cluster_id":"0923-164208-meows279","cluster_name":"nightly etl","spark_version":"15.4.x-scala2.12",'
    b'"node_type_id":"Standard_DS3_v2","driver_node_type_id":"Standard_DS3_v2","num_workers":8,"state":"RUNNING",'
    b'"state_message":"","start_time":1758645728000,"last_state_loss_time":1758645728000,"jdbc_port":10000,'
    b'"autotermination_minutes":60,"enable_elastic_disk":true,"cluster_source":"API","cluster_cores":36.0,'
    b'"cluster_memory_mb":129024,"creator_user_name":"someone@example.com","spark_context_id":4020997813441462000,'
    b'"data_security_mode":"SINGLE_USER","runtime_engine":"STANDARD","spark_conf":{"spark.speculation":"true"},'
    b'"azure_attributes":{"first_on_demand":1,"availability":"ON_DEMAND_AZURE","spot_bid_max_price":-1.0},'
    b'"default_tags":{"Vendor":"Databricks","Creator":"someone@example.com","ClusterName":"nightly etl"},'
    b'"driver":{"private_ip":"10.0.0.4","node_id":"a1","instance_id":"b1","start_timestamp":1758645728000},'
    b'"executors":['
    + b",".join(
        b'{"private_ip":"10.0.0.%d","node_id":"e%d","instance_id":"i%d","start_timestamp":1758645728000}' % (i, i, i)
        for i in range(5, 13)
    )
    + b"]}"
)
"""A running cluster of eight workers, about 2 KB."""


class _Answerer(asyncio.Protocol):
    """Answers every request with the same bytes, after a delay if there is one."""

    def __init__(self, answer: bytes, delay: float) -> None:
        self._answer = answer
        self._delay = delay

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        for _ in range(data.count(b"\r\n\r\n")):
            if self._delay:
                asyncio.get_running_loop().call_later(self._delay, self._write)
            else:
                self._write()

    def _write(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(self._answer)


Serve: TypeAlias = Callable[..., AbstractAsyncContextManager[T]]
"""A service that is open inside its context, which yields what a client needs to know of it."""


@contextlib.asynccontextmanager
async def _answerers(body: bytes, delay: float) -> AsyncIterator[str]:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Answerer(head + body, delay), "127.0.0.1", 0, backlog=1024)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def _run(pipe: Connection, serve: Serve[object], arguments: tuple[object, ...]) -> None:
    async def run() -> None:
        async with serve(*arguments) as known:
            pipe.send(known)
            await asyncio.to_thread(pipe.poll, None)

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run())


@contextlib.contextmanager
def elsewhere(serve: Serve[T], *arguments: object) -> Iterator[T]:
    """What `serve(*arguments)` yields, a function of a module, while it runs in another process."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_run, args=(theirs, serve, arguments), daemon=True)
    process.start()
    try:
        if not ours.poll(60):
            raise RuntimeError("the server process did not start")
        yield ours.recv()
    finally:
        ours.send(None)
        process.join(5)


def answering(body: bytes = CLUSTER, delay: float = 0.0) -> AbstractContextManager[str]:
    """The URL of a server in another process that answers every request with `body` after `delay` seconds."""
    return elsewhere(_answerers, body, delay)


def official_client(url: str, token: str) -> WorkspaceClient:
    """The official SDK as it comes, with 20 connections."""
    import databricks.sdk
    import databricks.sdk.core

    config = databricks.sdk.core.Config(host=url, token=token, auth_type="pat", config_file="/dev/null")
    client = databricks.sdk.WorkspaceClient(config=config)
    # The SDK pools connections for https only: give it the same pool for the plain HTTP of this benchmark.
    session = client.api_client._api_client._session
    session.mount("http://", session.get_adapter("https://"))
    return client


async def interleaved(
    contenders: Mapping[str, Callable[[], Awaitable[object]]], rounds: int
) -> dict[str, list[tuple[float, float]]]:
    """(wall, CPU) seconds of every contender in every round, the order shuffled in each: noise hits all alike.

    What works in another process measures itself, and returns both as a tuple.
    """
    figures: dict[str, list[tuple[float, float]]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name in random.sample(list(contenders), len(contenders)):
            wall, cpu = time.perf_counter(), time.process_time()
            spent = await contenders[name]()
            here = time.perf_counter() - wall, time.process_time() - cpu
            figures[name].append(spent if isinstance(spent, tuple) else here)
    return figures


def ratio(over: list[tuple[float, float]], under: list[tuple[float, float]], which: int) -> float:
    """The median of the ratios, round by round; `which` is 0 for wall time and 1 for CPU time."""
    return statistics.median(a[which] / b[which] for a, b in zip(over, under, strict=True))


class Calls:
    """Counts the calls that the package's own code makes, or all, in all threads that are begun meanwhile."""

    def __init__(self, everything: bool = False) -> None:
        self._counter = itertools.count()
        self._everything = everything
        self._own: dict[str, bool] = {}
        package = find_spec("databricks_async")
        assert package is not None
        self._home = str(Path(str(package.origin)).parent)

    def _count(self, frame: FrameType, what: str, _: object) -> None:
        if what == "call" or what == "c_call":  # a C function is called by the frame, a Python function has its own
            name = frame.f_code.co_filename
            own = self._own.get(name)
            if own is None:
                # Readers and writers of models are generated, and so are the constructors of attrs.
                own = self._everything or name.startswith(self._home) or (name[0] == "<" and "databricks_async" in name)
                self._own[name] = own
            if own:
                next(self._counter)

    def __enter__(self) -> Calls:
        gc.collect()
        gc.disable()  # finalizers run at any time
        threading.setprofile(self._count)
        sys.setprofile(self._count)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)
        threading.setprofile(None)
        gc.enable()

    @property
    def made(self) -> int:
        """So many calls. To be read once."""
        return next(self._counter)


async def counted(work: Callable[[], Awaitable[object]], everything: bool = False) -> int:
    """The calls of the second time: the first one makes connections and readers."""
    await work()
    with Calls(everything) as calls:
        await work()
    return calls.made


def record(**row: object) -> None:
    """Hand a row of figures to `python -m benchmarks`, if that runs this benchmark."""
    if path := os.environ.get(FIGURES_FILE):
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps({"benchmark": Path(sys.argv[0]).stem, **row}) + "\n")


class Gate:
    """Compares figures with what they must reach, and remembers whether all did.

    What is `counted` (calls of functions, requests, instructions, bytes of objects) is the same on a busy machine, and
    judged in a quick run, too. All else is time, which a quick run only prints.
    """

    def __init__(self, quick: bool) -> None:
        self._quick = quick
        self._failed = 0
        self._subject = ""

    def about(self, subject: str) -> None:
        """What the next figures are about: their headline, and in the table a part of their names."""
        self._subject = subject
        print(subject)

    def at_most(self, what: str, value: float, limit: float, *, counted: bool = False) -> None:
        self._judge(what, value, f"<= {limit:g}", value <= limit, counted)

    def at_least(self, what: str, value: float, limit: float, *, counted: bool = False) -> None:
        self._judge(what, value, f">= {limit:g}", value >= limit, counted)

    def _judge(self, what: str, value: float, wanted: str, held: bool, counted: bool) -> None:
        judged = counted or not self._quick
        self._failed += judged and not held
        record(subject=self._subject, what=what, value=value, aim=wanted, held=held, counted=counted)
        verdict = "" if held else "MISSED" if judged else "not reached in this short run"
        print(f"  {what:<66} {value:8.3f}   aim {wanted:<8} {verdict}")

    def exit_code(self) -> int:
        """1 if a figure missed its aim; of a quick run, if one that is counted did."""
        return int(bool(self._failed))
