"""Hundreds of runs, with a CSV at the end.

Loads 300 days, 30 at a time, and writes what became of each into a file that a spreadsheet
opens.

Run it with `python many_runs.py loads.csv`. Its exit code is 1 if any day failed.

When things go wrong:

- A day fails: its failed tasks are run once more (`retries=1`), and no other day stops. A
  second failure is a row with the task's error.
- The program ends early (Ctrl-C, the machine): the file has the rows of what had ended, and
  runs that were started go on. Start it again with the same `batch`: the token of each day
  finds the run it has, and no day runs twice.
- An answer is lost: the token makes it safe to send the request again, and that is done.
"""

import asyncio
import csv
import sys
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

from databricks_async import WorkspaceClient
from databricks_async.jobs import Failure, NotebookTask, SubmitRun, SubmitTask, Success

COLUMNS = ["day", "run_id", "result", "seconds", "repairs", "error", "page"]


def request(batch: str, day: date) -> SubmitRun:
    notebook = NotebookTask(notebook_path="/etl/load", base_parameters={"day": str(day)})
    return SubmitRun(
        run_name=f"load {day}",
        idempotency_token=f"{batch}-{day}",
        tasks=[SubmitTask(task_key="load", notebook_task=notebook)],
    )


def row(day: date, outcome: Success[SubmitRun] | Failure[SubmitRun]) -> list[object]:
    run = outcome.run
    seconds = (run.run_duration or 0) / 1000 if run else None
    result, page = ("ok" if outcome.error is None else "failed"), run and run.run_page_url
    return [day, outcome.run_id, result, seconds, outcome.repairs, outcome.error, page]


async def load(batch: str, days: Iterable[date], file: Path, max_active: int = 30) -> int:
    """Returns how many days failed."""
    dates = [*days]
    rows: list[list[object]] = []
    requests = [request(batch, day) for day in dates]
    try:
        async with (
            WorkspaceClient() as w,
            w.jobs.run_many(requests, max_active=max_active, retries=1) as outcomes,
        ):
            async for outcome in outcomes:
                rows.append(row(dates[outcome.index], outcome))
                print(f"{len(rows)} of {len(dates)}", file=sys.stderr)
            return outcomes.progress.failed
    finally:
        rows.sort(key=lambda row: str(row[0]))
        with file.open("w", newline="", encoding="utf-8") as opened:
            csv.writer(opened).writerows([COLUMNS, *rows])


if __name__ == "__main__":
    first = date(2026, 1, 1)
    year = [first + timedelta(days=number) for number in range(300)]
    sys.exit(min(1, asyncio.run(load("year-2026", year, Path(sys.argv[1])))))
