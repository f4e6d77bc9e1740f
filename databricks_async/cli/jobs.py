"""`databricks-async jobs`: list and run jobs; and their runs, under the names of the Databricks CLI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from databricks_async.cli import runs
from databricks_async.cli.commands import Group, argument
from databricks_async.cli.options import JOB, JSON, KEY_VALUE, WORDS

if TYPE_CHECKING:
    from databricks_async.cli.running import Run as Call

command = Group("jobs", help="Jobs: list them, run them, and see to their runs.", no_args_is_help=True)

a_job = argument("job", "the id of a job, or its exact name", type=JOB, metavar="JOB")
show_output = click.option("--show-output", is_flag=True, help="print what the tasks returned")
cancel_on_exit = click.option("--cancel-on-exit", is_flag=True, help="cancel the run if this command ends before it")
idempotency_token = click.option(
    "--idempotency-token", metavar="TEXT", help="the same text never starts a second run; 64 characters at most"
)


@command.command(
    "list",
    examples="""
    databricks-async jobs list --name 'nightly-*' -l
    databricks-async jobs list -o json | jq -r '.[].settings.name'
    """,
    output="Columns: id, name; with -l last runs (the latest first), created, creator, schedule. JSON: an array of "
    "jobs, as the service has them.",
)
@click.option("--name", metavar="GLOB", help="only those whose name fits, such as 'nightly-*'")
@click.option("-l", "--long", is_flag=True, help="with the last five results, schedule and creator")
@click.option("--limit", type=click.IntRange(0), metavar="N", help="at most so many")
async def list_(call: Call, name: str | None, long: bool, limit: int | None) -> None:
    """List jobs, the newest first."""
    from databricks_async.cli.listings.jobs import job_columns, list_jobs

    columns = job_columns(call.out.sign)
    chosen = {column.key for column in call.out.columns(columns, long=long)}
    with_runs = "last_runs" in chosen and call.out.format != "json" and not call.options.quiet
    await call.out.rows(
        list_jobs(call, name, with_runs=with_runs, limit=limit),
        columns,
        item_id=lambda row: row.job.job_id,
        long=long,
        limit=limit,
    )


@command.command("get", examples="databricks-async jobs get nightly-sales -o json > job.json")
@a_job
async def get(call: Call, job: str) -> None:
    """Describe one job: a card on a terminal, JSON in a pipe."""
    from databricks_async.cli.listings.jobs import JobRow, job_columns, name_of
    from databricks_async.cli.named import find

    found = await call.w.jobs.get(await find.job_id(call, job))
    columns = [column for column in job_columns(call.out.sign) if column.key != "last_runs"]
    call.out.thing(JobRow(found), columns, item_id=lambda row: row.job.job_id, title=name_of(found))


@command.command(
    "run-now",
    examples="""
    databricks-async jobs run-now nightly-sales --param day=2026-11-26
    databricks-async jobs run-now nightly-sales --show-output > result.txt
    databricks-async jobs run-now nightly-sales --no-wait -q
    """,
    output="On a terminal the tasks as a tree with bars. In a pipe: each change on standard error, and the run at its "
    "end as JSON, or with --show-output what its tasks returned.",
)
@a_job
@click.option("--param", "params", type=KEY_VALUE, multiple=True, metavar="KEY=VALUE", help="a parameter of the job")
@click.option("--json", "body", type=JSON, metavar="JSON", help="other fields of the request: JSON, or @file")
@click.option("--only", type=WORDS, metavar="TASK,…", help="these tasks alone")
@click.option("--no-wait", is_flag=True, help="do not wait for the end")
@show_output
@cancel_on_exit
@idempotency_token
async def run_now(call: Call, job: str, params: tuple[tuple[str, str], ...], body: Any, **options: Any) -> None:
    """Run a job, and wait until the run has ended. Exit code 3 if it did not succeed.

    A lost answer never starts a second run.
    """
    from databricks_async.cli.live.outcome import finish
    from databricks_async.cli.named import find

    settings = dict(_mapping(body)) if body is not None else {}
    if params:
        settings["job_parameters"] = {**(settings.get("job_parameters") or {}), **dict(params)}
    for name in ("only", "idempotency_token"):
        if (value := options.pop(name)) is not None:
            settings[name] = value
    job_id = await find.job_id(call, job)
    if settings.pop("job_id", job_id) != job_id:
        raise click.UsageError("the job_id in the JSON is of another job")
    await finish(call, await call.w.jobs.run_now(job_id, **settings), **options)


@command.command("submit", examples="databricks-async jobs submit --json @run.json --show-output")
@click.option("--json", "body", type=JSON, required=True, metavar="JSON", help="the request: JSON, or @file")
@click.option("--no-wait", is_flag=True, help="do not wait for the end")
@show_output
@cancel_on_exit
@idempotency_token
async def submit(call: Call, body: Any, idempotency_token: str | None, **options: Any) -> None:
    """Start a one-time run without a job, and wait until it has ended. Exit code 3 if it did not succeed."""
    from databricks_async.cli.live.outcome import finish

    settings = dict(_mapping(body))
    if idempotency_token is not None:
        settings["idempotency_token"] = idempotency_token
    await finish(call, await call.w.jobs.submit(settings), **options)


@command.command("cancel-all-runs", examples="databricks-async jobs cancel-all-runs nightly-sales")
@a_job
async def cancel_all_runs(call: Call, job: str) -> None:
    """Cancel all active runs of a job. Returns when the service has taken it on."""
    from databricks_async.cli.named import find

    await call.w.jobs.cancel_all_runs(await find.job_id(call, job))


def _mapping(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise click.UsageError("--json takes a JSON object")
    return body


command.second["run"] = "run-now"
command.also(runs.list_runs, "list-runs")
command.also(runs.get, "get-run")
command.also(runs.output, "get-run-output")
command.also(runs.cancel, "cancel-run")
command.also(runs.repair, "repair-run")
command.also(runs.delete, "delete-run")
