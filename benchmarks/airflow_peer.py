"""Airflow's Databricks hook as a peer: makes calls when it is told to, in a process and an environment of its own.

`peers.py` starts it with the Python of that environment, which `benchmarks/airflow.sh` makes. Each line of its input
says how many calls, and how many at once; each line of its output, how long they took, in wall and CPU seconds.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import os
import sys
import tempfile
import time
from urllib.parse import urlsplit


async def serve(url: str) -> None:
    out, sys.stdout = sys.stdout, sys.stderr  # what Airflow prints by itself is no answer
    from airflow.providers.databricks.hooks.databricks import DatabricksHook

    logging.disable(logging.INFO)
    async with DatabricksHook() as hook:

        async def worker(numbers: itertools.count[int], calls: int) -> None:
            while next(numbers) < calls:
                await hook.a_get_cluster_state("0923-164208-meows279")

        await worker(itertools.count(), 1)
        from airflow.providers.databricks import __version__

        print(__version__, file=out, flush=True)
        for line in iter(sys.stdin.readline, ""):
            calls, at_once = json.loads(line)
            numbers = itertools.count()
            wall, cpu = time.perf_counter(), time.process_time()
            await asyncio.gather(*(worker(numbers, calls) for _ in range(at_once)))
            spent = time.perf_counter() - wall, time.process_time() - cpu
            print(json.dumps(spent), file=out, flush=True)


if __name__ == "__main__":
    _, address = sys.argv
    with tempfile.TemporaryDirectory() as home:
        os.environ["AIRFLOW_HOME"] = home
        at = urlsplit(address)
        connection = {"conn_type": "databricks", "schema": at.scheme, "host": at.hostname, "port": at.port}
        connection["password"] = "benchmark"
        os.environ["AIRFLOW_CONN_DATABRICKS_DEFAULT"] = json.dumps(connection)
        asyncio.run(serve(address))
