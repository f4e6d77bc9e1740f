"""Whatever the service sends, callers get values that can be used, or a `DatabricksError`.

python tests/test_fuzz.py --cases 100000
python tests/test_fuzz.py --atheris --seconds 60
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import copy
import gc
import gzip
import inspect
import json
import logging
import pickle
import random
import sys
import time
import traceback
import typing
from collections.abc import Mapping
from enum import Enum
from importlib import import_module
from types import FunctionType

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from databricks_async import Config, WorkspaceClient
from databricks_async.codec import Model, OpenEnum
from databricks_async.errors import DatabricksError
from databricks_async.pager import Pager
from databricks_async.wait import Wait
from databricks_async.workspace import Download

ARGUMENTS = {
    "access_control_list": [{"user_name": "me", "permission_level": "CAN_MANAGE"}],
    "cluster_id": "c1",
    "content": b"print(1)",
    "job_id": 1,
    "language": "PYTHON",
    "libraries": [{"jar": "/x.jar"}],
    "new_settings": {"name": "n"},
    "num_workers": 1,
    "owner_username": "me",
    "path": "/x",
    "run": {"run_id": 1},
    "run_id": 1,
    "source": b"print(1)",
    "spec": {"spark_version": "1", "num_workers": 1},
    "update_mask": "num_workers",
    "workspace_object_id": "1",
    "workspace_object_type": "files",
}
"""What required parameters get, by name."""
CLUSTER = {"spark_version": "1", "num_workers": 1}
SPECIAL = {
    "clusters.create": CLUSTER,
    "clusters.edit": {"cluster_id": "c1", **CLUSTER},
    "clusters.resize": {"cluster_id": "c1", "num_workers": 1},
    "clusters.ensure_cluster_is_running": {"cluster_id": "c1", "timeout": 0.05},
    "jobs.create": {"name": "n"},
    "jobs.run_now": {"job_id": 1},
    "jobs.submit": {"tasks": []},
    "jobs.repair_run": {"run_id": 1, "rerun_all_failed_tasks": True},
    "jobs.get_run_outputs": {"run": 1},
    "jobs.cancel_all_runs": {"job_id": 1},
    "jobs.update": {"job_id": 1, "new_settings": {"name": "n"}},
    "workspace.import_": {"path": "/x", "content": b"1", "language": "PYTHON"},
    "workspace.upload": {"path": "/x", "source": b"1", "format": "AUTO"},
}
"""Those that need more."""
NO_CALLS = {
    "watch",
    "watch_runs",
    "follow_events",
    "follow_runs",
    "wait_running",
    "wait_terminated",
    "wait_run",
    "run_many",
    "walk",
    "export_tree",
    "import_tree",
}
"""They call the others."""
MODEL_PACKAGES = ("clusters", "jobs", "workspace", "libraries")
SERVICES = ("clusters", "jobs", "workspace", "libraries", "current_user")
STATUSES = [200] * 8 + [201, 204, 299, 301, 302, 304, 400, 401, 403, 404, 408, 409, 416, 418, 429, 499, 500, 501, 502]
STATUSES += [503, 504, 599, 600, 999]
NUMBERS = [0, -1, 1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), 2**64, 10**25, -(10**12), 253402300800000, 0.5, -0.0]
NUMBERS += [1e308]
TEXTS = [
    "",
    "a",
    "RUNNING",
    "TERMINATED",
    "-1",
    "9" * 20,
    "9" * 21,
    "\x00",
    "\u2028",
    "é",
    "\U0001f600",
    "x" * 300,
    "../..",
    "1e5",
]
HEADERS = [
    "Retry-After: 0",
    "Retry-After: -1",
    "Retry-After: Wed, 99 Foo 2026 25:61:61 GMT",
    "Retry-After: 1e999",
    "Content-Type: text/html",
    "Content-Type: ;;;",
    "Content-Type: application/json; charset=utf-17",
    "Content-Encoding: gzip",
    "Content-Encoding: deflate",
    "Content-Encoding: br",
    "Content-Disposition: attachment",
    "Location: http://[",
    "Location: //x:y@evil/%zz",
    "Set-Cookie: a=b; Domain=evil",
    "X-Databricks-Request-Id: \xff\xfe",
    "X-Request-Id: " + "r" * 3000,
    'WWW-Authenticate: Bearer error="x"',
    "Connection: close",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Trailer: X",
    "Transfer-Encoding: chunked",
    "Content-Length: 3",
    "no colon",
    ": no name",
]


def operations():
    """A way to make each call of the API: every public method of every service."""
    found = {}
    client = WorkspaceClient(config=Config(host="https://x", token="dapi0123456789"))
    for service in SERVICES:
        for name, method in inspect.getmembers(getattr(client, service), callable):
            if name.startswith("_") or name.endswith("_and_wait") or name in NO_CALLS:
                continue
            parameters = inspect.signature(method).parameters.values()
            needed = [one.name for one in parameters if one.default is one.empty and one.kind is not one.VAR_KEYWORD]
            arguments = SPECIAL.get(f"{service}.{name}") or {one: ARGUMENTS[one] for one in needed}
            answer = inspect.signature(method).return_annotation.removeprefix("Pager[").removesuffix("]")
            found[f"{service}.{name}"] = (service, name, arguments, answer)
    return found


def models(service):
    """What the answers of a service are made of."""
    package = import_module(f"databricks_async.{service if service in MODEL_PACKAGES else 'workspace'}.models")
    return [one for one in vars(package).values() if inspect.isclass(one) and issubclass(one, Model) and attrs.has(one)]


class Chance:
    """Makes answers from random numbers."""

    def __init__(self, rng):
        self.rng = rng

    def value(self, hint, depth=0):
        """JSON of this type, mostly."""
        rng = self.rng
        if rng.random() < 0.08 or depth > 6:
            return self.anything(depth + 3)
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if origin in (typing.Union, type(int | str)):
            return self.value(rng.choice(arguments), depth)
        if origin is list:
            return [self.value(arguments[0], depth + 1) for _ in range(rng.choice([0, 1, 1, 2]))]
        if origin is dict or origin is Mapping:
            return {rng.choice(TEXTS): self.value(arguments[-1], depth + 1) for _ in range(rng.choice([0, 1, 2]))}
        if inspect.isclass(hint):
            if attrs.has(hint):
                return self.model(hint, depth)
            if issubclass(hint, Enum):
                return rng.choice([*hint]).value if rng.random() < 0.8 else rng.choice(TEXTS)
            if hint is bool:
                return rng.random() < 0.5
            if issubclass(hint, int | float):
                return rng.choice(NUMBERS) if rng.random() < 0.8 else str(rng.choice(NUMBERS))
            if issubclass(hint, str):
                return rng.choice(TEXTS)
            if hint is type(None):
                return None
        return self.anything(depth + 1)

    def model(self, cls, depth=0):
        """An object of a class, with some of its fields and perhaps others."""
        hints = typing.get_type_hints(cls)
        share = self.rng.choice([0.1, 0.4, 0.9])
        made = {}
        for field in attrs.fields(cls):
            if field.default is attrs.NOTHING or self.rng.random() < share:
                made[field.metadata.get("wire", field.name)] = self.value(hints[field.name], depth + 1)
        if self.rng.random() < 0.3:
            made[self.rng.choice(["tomorrow", "error_code", "next_page_token", "message", "has_more", "details"])] = (
                self.anything(depth)
            )
        return made

    def anything(self, depth=0):
        rng = self.rng
        kind = rng.randrange(8 if depth < 4 else 6)
        if kind < 2:
            return rng.choice(NUMBERS)
        if kind < 4:
            return rng.choice(TEXTS)
        if kind < 6:
            return rng.choice([None, True, False])
        if kind == 6:
            return [self.anything(depth + 1) for _ in range(rng.randrange(4))]
        return {rng.choice(TEXTS): self.anything(depth + 1) for _ in range(rng.randrange(4))}

    def body(self, operation):
        rng = self.rng
        kind = rng.random()
        if kind < 0.7:
            value = self.answer(operation)
        elif kind < 0.8:
            value = self.anything()
        else:
            nested = rng.choice([10, 190, 210, 990, 1030])
            return rng.choice([
                b"", b"\xef\xbb\xbf{}", b"<html><title>Sign in</title>" + b"<pre" * 50, b"\xff\xfe\x00",
                rng.randbytes(40),
                b'{"a":' * nested + b"1" + b"}" * nested, b'{"error":' * nested + b"{}" + b"}" * nested,
                b"[" * nested + b"]" * nested, b'{"error_code":"X","message":"\xed\xa0\x80"}', b'{"a":1,"a":2}', b"NaN",
                b'{"error_code": 404, "details": [{"@type": "x.RetryInfo", "retry_delay": {"seconds": 1e400}}]}',
                b'{"cluster_id": "\\ud800"}', b'"' + b"x" * 70000 + b'"', b"{" + b" " * 70000 + b"}",
            ])  # fmt: skip
        body = json.dumps(value).encode()
        if rng.random() < 0.1:
            body = body[: rng.randrange(len(body) + 1)]
        return body

    def answer(self, operation):
        service, _, _, answer = operation
        own = [model for model in MODELS[service] if model.__name__ == answer]
        return self.model(self.rng.choice(own if own and self.rng.random() < 0.9 else MODELS[service]))

    def raw(self, operation):
        """The bytes of an answer, and whether the connection ends with them."""
        rng = self.rng
        body, headers = self.body(operation), rng.sample(HEADERS, rng.choice([0, 0, 0, 1, 2]))
        if "Content-Encoding: gzip" in headers and rng.random() < 0.7:
            body = gzip.compress(body)
        if "Transfer-Encoding: chunked" in headers and rng.random() < 0.7:
            body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        elif rng.random() < 0.95:
            headers.append(f"Content-Length: {len(body)}")
        if not any(header.startswith("Content-Type") for header in headers):
            headers.append("Content-Type: application/json")
        start = f"HTTP/1.1 {rng.choice(STATUSES)} {rng.choice(['OK', '', 'x' * 100])}"
        return "\r\n".join([start, *headers, "", ""]).encode("latin-1") + body


class Turned(random.Random):
    """Random numbers that are read from bytes, so that a fuzzer turns what is made of them; zeros follow the last."""

    def __init__(self, data):
        super().__init__(0)
        self._data, self._at = data, 0

    def getrandbits(self, k):
        size = (k + 7) // 8
        self._at += size
        return int.from_bytes(self._data[self._at - size : self._at].ljust(size, b"\0"), "big") >> (8 * size - k)

    def random(self):
        return self.getrandbits(16) / 65536


class Server(asyncio.Protocol):
    """Gives each request the answer that is set, and ends the connection."""

    answer = b""

    def connection_made(self, transport):
        self._transport, self._received = transport, b""

    def data_received(self, data):
        self._received += data
        head, found, rest = self._received.partition(b"\r\n\r\n")
        length = next((line[15:] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), b"0")
        if found and len(rest) >= int(length):
            self._transport.write(Server.answer)
            self._transport.close()


def use(value):
    """Every property, and every way to show, copy, keep and send a value."""
    if not isinstance(value, Wait):
        assert repr(copy.deepcopy(value)) == repr(value)
        assert repr(pickle.loads(pickle.dumps(value))) == repr(value)
    look_at(value)


def look_at(value):
    """Every property of it and of what it holds."""
    str(value)
    if isinstance(value, Model):
        value.as_dict()
        for name, member in inspect.getmembers(type(value)):
            if isinstance(member, property):
                getattr(value, name)
        for field in attrs.fields(type(value)):
            look_at(getattr(value, field.name))
    elif isinstance(value, list | tuple):
        for one in value:
            look_at(one)
    elif isinstance(value, dict):
        for name, one in value.items():
            look_at(name)
            look_at(one)
    elif isinstance(value, OpenEnum):
        assert value.is_known in (True, False)
    elif isinstance(value, Wait):
        look_at(value.last)


async def call(client, operation):
    """Make one call and use all that comes of it. Returns the error that it raised, if it is ours."""
    service, name, arguments, _ = operation
    try:
        result = getattr(getattr(client, service), name)(**arguments)
        if isinstance(result, Pager):
            result = [one async for page in pages(result) for one in page.items]
        elif isinstance(result, Download):
            result = await result.read()
        else:
            result = await result
        use(result)
    except DatabricksError as ours:
        error = ours
    else:
        return None
    for shown in (str(error), repr(error)):
        assert shown.isprintable()
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    error.about()
    return error


async def pages(pager):
    count = 0
    async for page in pager.pages():
        yield page
        count += 1
        if count == 3:
            return


async def attempt(host, operation):
    """One case, with a client of its own: a refusal would hold up the next one."""
    config = Config(host=host, token="dapi0123456789", http_timeout_seconds=5, retry_timeout_seconds=0)
    async with WorkspaceClient(config=config) as client:
        return await call(client, operation)


OPERATIONS = operations()
MODELS = {service: models(service) for service in SERVICES}


async def served(work):
    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
    try:
        await work(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    finally:
        server.close()
        await server.wait_closed()


def test_every_operation_is_known():
    """A new one is found by itself, and has to be given its arguments here."""
    assert len(OPERATIONS) >= 50


@pytest.mark.parametrize("name", OPERATIONS)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(rng=st.randoms(use_true_random=False))
def test_whatever_comes_is_a_value_or_our_error(name, rng):
    """Over a real connection; a hang would be an error too."""

    async def work(host):
        Server.answer = Chance(rng).raw(OPERATIONS[name])
        async with asyncio.timeout(10):
            await attempt(host, OPERATIONS[name])

    asyncio.run(served(work))


def run(cases, seed):
    """Many cases, each named by its number: `Random(f"{seed}:{number}")`."""
    names, failures, errors = sorted(OPERATIONS), 0, {}
    logging.disable()

    async def work(host):
        nonlocal failures
        for number in range(cases):
            rng = random.Random(f"{seed}:{number}")  # noqa: S311
            operation = OPERATIONS[rng.choice(names)]
            Server.answer = Chance(rng).raw(operation)
            try:
                async with asyncio.timeout(10):
                    error = await attempt(host, operation)
            except Exception:
                failures += 1
                print(f"case {number} of seed {seed}, {operation[:2]}: {Server.answer[:300]!r}")
                traceback.print_exc(limit=-6)
                if failures == 10:
                    return
            else:
                kind = type(error).__name__ if error else "a value"
                errors[kind] = errors.get(kind, 0) + 1

    started = time.monotonic()
    asyncio.run(served(work))
    print(f"{sum(errors.values())} cases in {time.monotonic() - started:.0f} s, {failures} failures")
    print(", ".join(f"{count} {kind}" for kind, count in sorted(errors.items(), key=lambda one: -one[1])))
    return failures


def run_atheris(seconds):
    """Coverage-guided, without the network: what is done with a status and a body."""
    import atheris

    from databricks_async import codec
    from databricks_async.errors import error_from
    from databricks_async.message import Request, Response

    found = {one for models in MODELS.values() for one in models if not getattr(one, "__parameters__", ())}
    models = sorted(found, key=lambda one: one.__qualname__)

    def one(data):
        if len(data) < 4:
            return
        status, model, body = (
            STATUSES[data[0] % len(STATUSES)],
            models[(data[1] << 8 | data[2]) % len(models)],
            data[4:],
        )
        if data[3] % 4:  # else the bytes are the body
            body = json.dumps(Chance(Turned(body)).model(model)).encode()
        error = error_from(Request("GET /x", "/x"), Response(status, {}, body))
        if error is not None:
            assert str(error).isprintable()
            pickle.loads(pickle.dumps(error))
            return
        try:
            use(codec.decode(body, model))
        except codec.WrongShape as wrong:
            str(wrong)

    corpus = [sys.argv[0], f"-max_total_time={seconds}", "-max_len=4096", "-rss_limit_mb=4096"]
    for model in models:
        with contextlib.suppress(codec.WrongShape):
            use(codec.decode(b"{}", model))  # the readers are made when they are first used
    for function in gc.get_objects():
        if isinstance(function, FunctionType) and "databricks_async" in function.__code__.co_filename:
            atheris.instrument_func(function)
    atheris.Setup(corpus, one)
    atheris.Fuzz()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--atheris", action="store_true")
    parser.add_argument("--seconds", type=int, default=60)
    options = parser.parse_args()
    sys.exit(run_atheris(options.seconds) if options.atheris else run(options.cases, options.seed) > 0)
