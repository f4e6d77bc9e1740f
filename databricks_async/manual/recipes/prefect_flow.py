"""A Prefect task.

A flow whose tasks run jobs at the same time and return what their notebooks exit with. Prefect
awaits asynchronous flows and tasks itself. For Prefect 3.

Run it with `python prefect_flow.py`, or deploy it; `DATABRICKS_HOST` and a way to log in are in
the environment of the worker.

When things go wrong:

- The run fails: `RunFailed` fails the task, and Prefect tries it again, with a new run.
- The answer to the request is lost: it is sent again with the same token, and one run starts.
- One job fails for good: `TaskGroup` cancels the waits for the others, and that their runs.
"""

import asyncio
import hashlib
import sys

from prefect import flow, task
from prefect.runtime import flow_run, task_run

from databricks_async import WorkspaceClient


def token(job_id: int) -> str:
    """64 characters: one for each try of a job in a run of the flow."""
    names = (flow_run.id, job_id, task_run.run_count)
    return hashlib.sha256("\n".join(map(str, names)).encode()).hexdigest()


@task(retries=2, retry_delay_seconds=10)
async def load(job_id: int) -> dict[str, str | None]:
    async with WorkspaceClient() as w:
        wait = await w.jobs.run_now(job_id, idempotency_token=token(job_id))
        async with wait.cancel_run_on_exit():
            run = await wait.result()
        outputs = await w.jobs.get_run_outputs(run)
    return {
        key: one.notebook_output.result if one.notebook_output else None
        for key, one in outputs.items()
    }


@flow
async def etl(job_ids: list[int]) -> list[dict[str, str | None]]:
    async with asyncio.TaskGroup() as group:
        loads = [group.create_task(load(job_id)) for job_id in job_ids]
    return [one.result() for one in loads]


if __name__ == "__main__":
    print(asyncio.run(etl([int(one) for one in sys.argv[1:]])))
