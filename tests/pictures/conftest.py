"""A run that shows all that a timeline can show."""

from __future__ import annotations

from typing import Any

import pytest

from databricks_async.jobs import Run
from databricks_async.pictures import Timeline

MINUTE = 60_000
START = 1_764_122_400_000


def _task(key: str, word: str, start: int, *, number: int = 0, ended: bool = True, **fields: Any) -> dict[str, Any]:
    """A task that began so many minutes after the run; its durations are minutes, too."""
    names = ("queue_duration", "setup_duration", "execution_duration", "cleanup_duration")
    times = {name: int(fields.pop(name, 0) * MINUTE) for name in names}
    begun = START + start * MINUTE
    state = {"life_cycle_state": "TERMINATED", "result_state": word} if ended else {"life_cycle_state": word}
    end = begun + sum(times.values()) if ended else 0
    about = {"task_key": key, "run_id": 1, "attempt_number": number, "state": state}
    return {**about, "start_time": begun, "end_time": end, **times, **fields}


@pytest.fixture
def run() -> Run:
    """It waited, then ran tasks of every kind, with a pause of 48 minutes before the last."""
    iterations = {"total_iterations": 100, "succeeded_iterations": 37, "failed_iterations": 2}
    tasks = [
        _task("extract", "SUCCESS", 1, setup_duration=4, execution_duration=3),
        _task("clean", "SUCCESS", 8, setup_duration=0.5, execution_duration=5, cleanup_duration=0.5),
        _task("enrich_with_prices", "FAILED", 8, setup_duration=0.5, execution_duration=1),
        _task("enrich_with_prices", "SUCCESS", 11, number=1, execution_duration=3),
        _task("each", "SUCCESS", 11, execution_duration=3, for_each_task={"stats": {"task_run_stats": iterations}}),
        _task("stop", "CANCELED", 12, execution_duration=1, cleanup_duration=0.5),
        _task("left_out", "UPSTREAM_FAILED", 12),
        _task("half", "SUCCESS_WITH_FAILURES", 9, queue_duration=1, setup_duration=1, execution_duration=1),
        _task("join", "RUNNING", 62, setup_duration=0.5, ended=False),
        _task("report", "BLOCKED", 0, depends_on=[{"task_key": "join"}], ended=False),
        _task("from_tomorrow", "HIBERNATING", 12, ended=False),
    ]
    return Run.from_dict(
        {
            "run_id": 42,
            "run_name": "nightly <b>&\u202e\x00",
            "start_time": START,
            "queue_duration": MINUTE,
            "state": {"life_cycle_state": "RUNNING"},
            "tasks": tasks,
        }
    )


@pytest.fixture
def timeline(run: Run) -> Timeline:
    """The same, drawn 67 minutes after its start; one task alone is left that runs."""
    run.tasks = [task for task in run.tasks or [] if task.task_key != "from_tomorrow"]
    return run.timeline(now=START + 67 * MINUTE)
