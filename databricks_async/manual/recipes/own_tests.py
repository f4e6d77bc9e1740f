"""A test suite of one's own, with faults.

Tests of code that uses this library, against a local workspace that goes wrong on request. The
fixtures come with the package.

Save it as `test_etl.py`, `pip install databricks-async pytest pytest-asyncio`, run `pytest`.
`run_etl` stands for your own code.

When things go wrong:

- A fault that your code does not expect fails the test, with the request that met it.
- A fault that was never met shows in the journal: count the requests.
- Nothing leaves the machine: clients without arguments speak to the local workspace, and
  settings of your own in environment and profiles are out of sight.
"""

import pytest

from databricks_async import WorkspaceClient
from databricks_async.errors import PermissionDenied, RunFailed
from databricks_async.local import Fault, LocalWorkspace

SUBMIT = "POST /api/{v}/jobs/runs/submit"
pytestmark = pytest.mark.asyncio


async def run_etl() -> str | None:
    """What is tested: runs a notebook, twice if it fails, and returns what it exits with."""
    task = {"task_key": "etl", "notebook_task": {"notebook_path": "/etl"}}
    async with WorkspaceClient(poll_interval_seconds=0.01) as w:
        wait = await w.jobs.submit(run_name="etl", tasks=[task])
        try:
            run = await wait.result(timeout=30)
        except RunFailed:
            run = await w.jobs.repair_run_and_wait(wait.run_id, rerun_all_failed_tasks=True)
        output = (await w.jobs.get_run_outputs(run))["etl"].notebook_output
    return output.result if output else None


async def test_the_result(local_workspace: LocalWorkspace, local_workspace_env: None) -> None:
    local_workspace.script_task("/etl", output="12 rows")
    assert await run_etl() == "12 rows"


FAULTS = [
    Fault.drop(),
    Fault.drop(after=True),
    Fault.answer(503),
    Fault.too_many_requests(0.01),
]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
async def test_no_fault_starts_a_second_run(
    fault: Fault, local_workspace: LocalWorkspace, local_workspace_env: None
) -> None:
    local_workspace.faults.add(SUBMIT, fault)
    runs: list[str] = []

    def call(parameters: dict[str, str]) -> str:
        runs.append("ran")
        return "done"

    local_workspace.script_task("/etl", call=call)
    assert await run_etl() == "done"
    assert runs == ["ran"]
    assert local_workspace.journal.count(SUBMIT) == 2  # it was met, and sent again


async def test_a_notebook_that_fails_is_repaired(
    local_workspace: LocalWorkspace, local_workspace_env: None
) -> None:
    local_workspace.script_task("/etl", error="no such table", times=1)
    local_workspace.script_task("/etl", output="12 rows")
    assert await run_etl() == "12 rows"


async def test_a_refusal_is_raised(
    local_workspace: LocalWorkspace, local_workspace_env: None
) -> None:
    local_workspace.faults.add(SUBMIT, Fault.error(403, "PERMISSION_DENIED"))
    with pytest.raises(PermissionDenied):
        await run_etl()
