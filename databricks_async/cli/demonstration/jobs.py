"""The demo's second part: a job of dependent tasks, one of which fails and is repaired."""

from __future__ import annotations

from functools import partial

from rich.console import Console
from rich.table import Table

from databricks_async import WorkspaceClient
from databricks_async.errors import RunFailed
from databricks_async.jobs.models import NotebookTask, Run, Task, TaskDependency
from databricks_async.jobs.runs import RunWait, latest_tasks
from databricks_async.local import Fault, LocalWorkspace

FOLDER = "/Shared/demo"
NOTEBOOK = "print('{name} of ' + dbutils.widgets.get('day'))\n"
STEPS = {
    "extract": (),
    "clean": ("extract",),
    "enrich": ("extract",),
    "join": ("clean", "enrich"),
    "report": ("join",),
}
DOOMED = "enrich"


async def run_a_job(console: Console, ws: LocalWorkspace, w: WorkspaceClient, cluster_id: str) -> None:
    """From the notebooks to the outputs of all tasks."""
    console.print("[bold]A job of five notebooks, imported and run on one of the clusters[/]")
    ws.notebooks_must_exist = True
    await import_notebooks(w)
    ws.script_task(DOOMED, duration=60, error="ValueError: no price for 3 products", times=1)
    for name in STEPS:
        ws.script_task(name, duration=60, call=partial(exit_value, name))
    job = await w.jobs.create(
        name="nightly",
        parameters=[{"name": "day", "default": "sunday"}],
        tasks=[
            Task(
                task_key=name,
                existing_cluster_id=cluster_id,
                notebook_task=NotebookTask(notebook_path=f"{FOLDER}/{name}"),
                depends_on=[TaskDependency(task_key=other) for other in others] or None,
            )
            for name, others in STEPS.items()
        ],
    )
    ws.faults.add("POST /api/{v}/jobs/run-now", Fault.drop(after=True), times=2)
    wait = await w.jobs.run_now(job.job_id, job_parameters={"day": "monday"})
    runs = len(await w.jobs.list_runs(job_id=job.job_id).collect())
    console.print(f"the answer to run-now was lost twice: asked three times, {runs} run")
    try:
        await watch(console, wait)
    except RunFailed as error:
        (failed,) = error.failed_tasks
        console.print(f"  [red]{failed.task_key} {failed.result}: {failed.error}[/]")
        show_tasks(console, error.run)
    else:
        raise RuntimeError("the demo went wrong: the run should have failed")
    console.print("repaired: only what failed, and what waited for it")
    # A repair has no parameters but its own, and the job's defaults.
    repair = await w.jobs.repair_run(wait.run_id, rerun_all_failed_tasks=True, job_parameters={"day": "monday"})
    run = await watch(console, repair)
    show_tasks(console, run)
    for key, output in (await w.jobs.get_run_outputs(run)).items():
        result = output.notebook_output.result if output.notebook_output else None
        console.print(f"  {key:<8} {result}")
    console.print()


def exit_value(name: str, parameters: dict[str, str]) -> str:
    """What a notebook would find out."""
    return f"{name} of {parameters['day']}: 1,000 rows"


async def import_notebooks(w: WorkspaceClient) -> None:
    """What the tasks run."""
    await w.workspace.mkdirs(FOLDER)
    for name in STEPS:
        content = NOTEBOOK.format(name=name)
        await w.workspace.import_(f"{FOLDER}/{name}", content, language="PYTHON", overwrite=True)


async def watch(console: Console, wait: RunWait) -> Run:
    """Each state of a run as it comes, then its end."""
    async for run in wait:
        if run.state is not None:
            result = f" {run.state.result_state}" if run.state.result_state else ""
            console.print(f"  run {run.run_id}: {run.state.life_cycle_state}{result}")
    return await wait.result()


def show_tasks(console: Console, run: Run) -> None:
    """How each task ended."""
    table = Table("task", "after", "result", "attempt", "seconds", box=None, pad_edge=False)
    for task in latest_tasks(run):
        result = task.state and (task.state.result_state or task.state.life_cycle_state)
        colour = "green" if task.succeeded else "red"
        seconds = f"{task.duration.total_seconds():.0f}" if task.duration else "-"
        others = ", ".join(str(other.task_key) for other in task.depends_on or ())
        table.add_row(task.task_key, others, f"[{colour}]{result}", str((task.attempt_number or 0) + 1), seconds)
    console.print(table)
