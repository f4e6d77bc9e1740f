"""`databricks-async runs`: list, repair and cancel runs; their outputs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import click

from databricks_async.cli.commands import Group, argument
from databricks_async.cli.options import JOB, KEY_VALUE, MOMENT, RUN, WORDS

if TYPE_CHECKING:
    from databricks_async.cli.running import Run as Call

command = Group("runs", help="Runs: list, repair and cancel them; their outputs.", no_args_is_help=True)

a_run = argument("run", "the id of a run", type=RUN, metavar="RUN")
no_wait = click.option("--no-wait", is_flag=True, help="do not wait for the end")


@command.command(
    "list",
    examples="""
    databricks-async runs list --job nightly-sales --limit 3
    databricks-async runs list --active-only -q | xargs -n 1 databricks-async jobs cancel-run
    databricks-async jobs list-runs --completed-only --since 1d -o csv > runs.csv
    """,
    output="Columns: run, job, state, started, time, trigger, why; with -l job id, creator, url. JSON: an array of "
    "runs, as the service has them. In a pipe: a line a run, tabs between the columns; the time in seconds.",
)
@click.option("--job", type=JOB, metavar="JOB", help="only those of this job: an id, or an exact name")
@click.option("--active-only", is_flag=True, help="only those that have not ended")
@click.option("--completed-only", is_flag=True, help="only those that have")
@click.option("--since", type=MOMENT, metavar="TIME", help="only those started after 1h ago, or a date or time")
@click.option("--expand-tasks", is_flag=True, help="with the tasks, in JSON")
@click.option("-l", "--long", is_flag=True, help="with job id, creator and address")
@click.option("--limit", type=click.IntRange(0), metavar="N", help="at most so many")
async def list_runs(
    call: Call,
    job: str | None,
    active_only: bool,
    completed_only: bool,
    since: Any,
    expand_tasks: bool,
    long: bool,
    limit: int | None,
) -> None:
    """List runs of the last 60 days, the latest first."""
    from databricks_async.cli.listings.jobs import RUN_COLUMNS
    from databricks_async.cli.named import find, names
    from databricks_async.cli.output.states import sign_of_run

    if active_only and completed_only:
        raise click.UsageError("--active-only and --completed-only exclude each other")
    # The column `why` is about the tasks.
    wants_tasks = any(column.key == "why" for column in call.out.columns(RUN_COLUMNS)) and call.out.format != "json"
    pager = call.w.jobs.list_runs(
        job_id=None if job is None else await find.job_id(call, job),
        active_only=active_only or None,
        completed_only=completed_only or None,
        start_time_from=since,
        expand_tasks=True if expand_tasks or (wants_tasks and not call.options.quiet) else None,
        max_items=limit or None,
    )
    found = list[tuple[object, object]]()

    def run_id(run: Any) -> int:
        return int(run.run_id)

    async def listed() -> AsyncIterator[Any]:
        async for run in pager:
            found.append((run.run_id, run.run_name))
            yield run

    await call.out.rows(listed(), RUN_COLUMNS, sign=sign_of_run, item_id=run_id, long=long, limit=limit)
    names.remember("run", found, call.options.where)


@command.command("get", output="A card with the tasks and their errors on a terminal. In a pipe: the run as JSON.")
@a_run
async def get(call: Call, run: str) -> None:
    """Describe one run and its tasks, with what went wrong."""
    from databricks_async.cli.live.outcome import show_run
    from databricks_async.cli.named import find

    await show_run(call, await call.w.jobs.get_run(find.run_id(run)))


@command.command(
    "output",
    examples="databricks-async runs output 393464803501611497 -o json | jq .clean.notebook_output.result",
    output="The outputs of all tasks. One task's is text alone. JSON: an object of outputs by task key.",
)
@a_run
async def output(call: Call, run: str) -> None:
    """What the tasks of a run returned: each ended task's result, logs or error."""
    from databricks_async.cli.live.outcome import show_outputs
    from databricks_async.cli.named import find

    await show_outputs(call, find.run_id(run))


@command.command("cancel", examples="databricks-async runs cancel 393464803501611497")
@a_run
@no_wait
async def cancel(call: Call, run: str, no_wait: bool) -> None:
    """Cancel a run, and wait until it has stopped."""
    from databricks_async.cli.listings.jobs import standing
    from databricks_async.cli.live.outcome import show_run
    from databricks_async.cli.live.progress import follow
    from databricks_async.cli.named import find

    wait = await call.w.jobs.cancel_run(find.run_id(run))
    if not no_wait:
        await follow(call.out, wait, standing)
        await show_run(call, await wait.result())


@command.command(
    "repair",
    examples="""
    databricks-async runs repair 393464803501611497
    databricks-async jobs repair-run 393464803501611497 --rerun-tasks clean,report
    """,
)
@a_run
@click.option("--rerun-all-failed-tasks", is_flag=True, help="all tasks that failed; so it is by default")
@click.option("--rerun-tasks", type=WORDS, metavar="TASK,…", help="these tasks alone")
@click.option("--param", "params", type=KEY_VALUE, multiple=True, metavar="KEY=VALUE", help="a parameter of the job")
@no_wait
async def repair(
    call: Call,
    run: str,
    rerun_all_failed_tasks: bool,
    rerun_tasks: list[str] | None,
    params: tuple[tuple[str, str], ...],
    no_wait: bool,
) -> None:
    """Run again what failed in a run, and what waited for it; wait until the run has ended again."""
    from databricks_async.cli.live.outcome import finish
    from databricks_async.cli.named import find

    if rerun_tasks and rerun_all_failed_tasks:
        raise click.UsageError("--rerun-tasks and --rerun-all-failed-tasks exclude each other")
    run_id = find.run_id(run)
    settings: dict[str, Any] = {"rerun_tasks": rerun_tasks} if rerun_tasks else {"rerun_all_failed_tasks": True}
    if params:
        settings["job_parameters"] = dict(params)
    # A repair after the first one has to name the last one.
    history = (await call.w.jobs.get_run(run_id, include_history=True)).repair_history or []
    if latest := [item.id for item in history if item.id]:
        settings["latest_repair_id"] = latest[-1]
    wait = await call.w.jobs.repair_run(run_id, **settings)
    await finish(call, wait, no_wait=no_wait)


@command.command("delete")
@a_run
async def delete(call: Call, run: str) -> None:
    """Forget a run that has ended."""
    from databricks_async.cli.named import find

    await call.w.jobs.delete_run(find.run_id(run))
