"""`databricks-async runs`: list, watch, repair and cancel runs; their outputs and timelines."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import click

from databricks_async.cli.commands import Group, argument
from databricks_async.cli.options import DURATION, FILE, JOB, KEY_VALUE, MOMENT, RUN, WORDS

if TYPE_CHECKING:
    from databricks_async.cli.running import Run as Call

command = Group(
    "runs", help="Runs: list, watch, repair and cancel them; their outputs and timelines.", no_args_is_help=True
)

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


@command.command(
    "watch",
    examples="""
    databricks-async runs watch 393464803501611497 --bell
    databricks-async runs watch --job nightly-sales
    databricks-async runs watch --active | tee changes.log
    """,
    output="On a terminal the tasks as a tree with bars, or a table of several runs. In a pipe: a line a change; "
    "with -o json the changed run, one line each. Ends when all runs have ended.",
)
@argument("run", "ids of runs", nargs=-1, type=RUN, metavar="[RUN]…")
@click.option("--job", type=JOB, metavar="JOB", help="the active runs of this job")
@click.option("--active", is_flag=True, help="all active runs")
@click.option("--bell", is_flag=True, help="ring the bell at the end")
@click.option("--every", type=DURATION, metavar="DURATION", help="seconds between two looks, about")
async def watch(
    call: Call, run: tuple[str, ...], job: str | None, active: bool, bell: bool, every: float | None
) -> int:
    """Watch runs until they have ended.

    Exit code 0 if all succeeded. Ctrl-C ends the watching only.
    """
    from databricks_async.cli.live.watching import watch_runs
    from databricks_async.cli.named import find

    if bool(run) + (job is not None) + active != 1:
        raise click.UsageError("watch takes ids of runs, or --job JOB, or --active")
    ids = [find.run_id(one) for one in run]
    if not ids:
        job_id = None if job is None else await find.job_id(call, job)
        ids = [int(one.run_id or 0) async for one in call.w.jobs.list_runs(job_id=job_id, active_only=True)]
        if not ids:
            call.out.note("No run is active.")
            return 0
    return await watch_runs(call, ids, every=every, bell=bell)


@command.command(
    "timeline",
    examples="""
    databricks-async runs timeline 393464803501611497
    databricks-async runs timeline 393464803501611497 --out run.svg
    """,
    output="A row for each attempt at a task, with a bar. In a pipe: task, attempt, state, start, waited ms, setup ms, "
    "run ms, cleanup ms, end. JSON: an object with the bars and their parts.",
)
@a_run
@click.option("--out", "out", type=FILE, metavar="FILE", help="write a picture: F.svg, or F.html")
@click.option(
    "--from", "since", type=click.Choice(("created", "started")), default="created", help="where the axis begins"
)
async def timeline(call: Call, run: str, out: str | None, since: str) -> None:
    """Show what each task's attempts spent their time on: waiting, setup, running, cleaning up."""
    from databricks_async.cli.live import timeline as drawn
    from databricks_async.cli.named import find

    found = await call.w.jobs.get_run(find.run_id(run))
    bars = found.timeline(now=None if found.ended else call.out.now)
    if since == "started":
        bars = drawn.without_waiting(bars)
    if out is not None:
        await drawn.save(bars, out)
        call.out.note(f"wrote {out}")
    elif call.out.format == "json":
        call.out.json(bars.as_dict())
    elif call.out.format == "text" and call.out.stdout.is_terminal:
        stdout = call.out.stdout
        lines = drawn.lines_of(bars, stdout.width, ascii_only=stdout.is_ascii, header=call.options.header)
        for line in lines:
            call.out.styled(line)
    else:
        rows = bars.bars
        await call.out.rows(rows, drawn.RECORD_COLUMNS, item_id=lambda bar: bar.name, limit=len(rows))


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
