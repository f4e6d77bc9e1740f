"""An Airflow task.

A DAG whose task runs a job and passes on what its notebooks exit with. For Airflow 3.

Put it into the folder of DAGs, and set `DATABRICKS_HOST` and a way to log in in the environment
of the workers, or take both from a connection of your own.

When things go wrong:

- The run fails: `RunFailed` fails the task, with the failed tasks' errors and the run's page in
  Airflow's log. The next try repairs that run: what went well is not run again.
- The worker is lost: the next try has the same token, finds its run and waits for its end.
- The task is cleared, marked as failed, or takes longer than `execution_timeout`: the run is
  cancelled. Airflow sends SIGTERM, which does nothing by itself to Python code that runs.
- A task that went well is cleared: its run is found, and nothing is run. Trigger the DAG anew.
"""

import asyncio
import hashlib
import signal
import sys
from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import dag, get_current_context, task

from databricks_async import RunFailed, WorkspaceClient
from databricks_async.jobs import Run


async def run_job(job_id: int, token: str) -> dict[str, str | None]:
    """What each task's notebook exits with."""
    this = asyncio.current_task()
    assert this is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    async with WorkspaceClient() as w:
        wait = await w.jobs.run_now(job_id, idempotency_token=token)
        async with wait.cancel_run_on_exit():
            try:
                run = await wait.result()
            except RunFailed as error:
                if not wait.is_old:
                    raise
                run = await repair(w, error.run)
        outputs = await w.jobs.get_run_outputs(run)
    return {
        key: one.notebook_output.result if one.notebook_output else None
        for key, one in outputs.items()
    }


async def repair(w: WorkspaceClient, run: Run) -> Run:
    """Run once more what failed in an earlier try."""
    run_id = run.run_id or 0
    history = (await w.jobs.get_run(run_id, include_history=True)).repair_history
    wait = await w.jobs.repair_run(
        run_id,
        rerun_all_failed_tasks=True,
        latest_repair_id=history[-1].id if history else None,
    )
    async with wait.cancel_run_on_exit():
        return await wait.result()


def token_of(context: Any) -> str:
    """64 characters, whatever the names are: the same for each try."""
    ti = context["ti"]
    names = (ti.dag_id, ti.run_id, ti.task_id, str(ti.map_index))
    return hashlib.sha256("\n".join(names).encode()).hexdigest()


@dag(schedule=None, start_date=datetime(2026, 1, 1), params={"job_id": 1})
def etl() -> None:
    @task(
        retries=2,
        retry_delay=timedelta(seconds=10),
        execution_timeout=timedelta(hours=2),
    )
    def load() -> dict[str, str | None]:
        context = get_current_context()
        return asyncio.run(run_job(int(context["params"]["job_id"]), token_of(context)))

    load()


the_dag = etl()

if __name__ == "__main__":
    print(the_dag.test(run_conf={"job_id": int(sys.argv[1])}).state)
