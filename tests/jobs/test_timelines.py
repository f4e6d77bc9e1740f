"""The timeline of a run: what the tasks of a real one spent their time on, and answers that make no sense.

Here are the tests of `jobs/models/timelines.py`; those of the pictures are in `tests/pictures`.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from databricks_async.jobs import Run
from support.svg import assert_readable

CLUSTER = {"spark_version": "16.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}


def shown(timeline):
    """Each bar: its attempt and state, and how many seconds of what."""
    return {
        f"{bar.name} {bar.attempt}": (bar.state, [(part.phase, part.milliseconds // 1000) for part in bar.parts])
        for bar in timeline.bars
    }


async def test_a_run_with_attempts_and_a_repair(w, workspace, task, finish):
    """Each attempt has its bar: retries, and what a repair ran again after an idle stretch."""
    workspace.script_task("load", error="no disk", times=2)
    job = await w.jobs.create(
        name="nightly",
        tasks=[
            task("extract", new_cluster=CLUSTER),
            task("load", "extract", max_retries=1),
            task("report", "load"),
        ],
    )
    wait = await w.jobs.run_now(job.job_id)
    workspace.clock.advance(100_000)
    await w.jobs.repair_run(wait.run_id, rerun_all_failed_tasks=True)
    finish()
    run = await w.jobs.get_run(wait.run_id)

    timeline = run.timeline()
    assert shown(timeline) == {
        "extract 1": ("SUCCESS", [("setup", 300), ("running", 60), ("cleanup", 5)]),
        "load 1": ("FAILED", [("running", 60)]),
        "load 2": ("FAILED", [("running", 60)]),
        "load 3": ("SUCCESS", [("running", 60)]),
        "report 1": ("UPSTREAM_FAILED", []),
        "report 2": ("SUCCESS", [("running", 60)]),
    }
    assert (timeline.title, timeline.state) == (f"run {wait.run_id} (nightly)", "SUCCESS")
    assert [(end - start) // 1000 for start, end in timeline.idle] == [100_000 - 485]
    assert (timeline.start, timeline.end) == (run.start_time, run.end_time)
    assert_readable(timeline.svg())
    assert (await w.jobs.get_run(wait.run_id)).timeline().svg() == timeline.svg()


async def test_a_run_under_way(w, workspace, task):
    """What goes on is drawn up to the moment that is asked for; what waits says for what."""
    workspace.script_task("first", duration=500)
    job = await w.jobs.create(name="j", tasks=[task("first"), task("second", "first")])
    wait = await w.jobs.run_now(job.job_id)
    workspace.clock.advance(100)
    run = await w.jobs.get_run(wait.run_id)
    timeline = run.timeline(now=run.start_time + 100_000)
    assert shown(timeline) == {"first 1": ("RUNNING", [("running", 100)]), "second 1": ("BLOCKED", [])}
    assert [(bar.is_ongoing, bar.note) for bar in timeline.bars] == [(True, ""), (False, "waits for first")]
    assert run.timeline() == run.timeline()
    assert run.timeline(now=run.start + timedelta(seconds=100)) == timeline


async def test_a_run_that_waited_in_a_queue(w, workspace, task):
    """The run has a bar of its own for that; one that still waits has an open end."""
    workspace.script_task("only", duration=500)
    job = await w.jobs.create(name="j", tasks=[task("only")], max_concurrent_runs=1, queue={"enabled": True})
    await w.jobs.run_now(job.job_id)
    wait = await w.jobs.run_now(job.job_id)
    workspace.clock.advance(400)
    run = await w.jobs.get_run(wait.run_id)
    waiting = run.timeline(now=run.start_time + 400_000)
    assert shown(waiting)["only 1"] == ("QUEUED", [("waiting", 400)])
    assert waiting.bars[-1].is_ongoing
    workspace.clock.advance(100_000)
    timeline = (await w.jobs.get_run(wait.run_id)).timeline()
    assert shown(timeline) == {"(the run) 1": ("QUEUED", [("waiting", 500)]), "only 1": ("SUCCESS", [("running", 500)])}


async def test_a_run_of_a_listing_has_a_bar_of_its_own(w, task, finish):
    """Its tasks are not known there; with `expand_tasks` they are."""
    job = await w.jobs.create(name="j", tasks=[task("a"), task("b", "a")])
    await w.jobs.run_now(job.job_id)
    finish()
    (run,) = await w.jobs.list_runs(job_id=job.job_id).collect()
    assert shown(run.timeline()) == {"(the run) 1": ("SUCCESS", [("running", 120)])}
    (run,) = await w.jobs.list_runs(job_id=job.job_id, expand_tasks=True).collect()
    assert [*shown(run.timeline())] == ["a 1", "b 1"]


async def test_the_iterations_of_a_loop_are_one_bar(w, task, finish):
    """It says how many of them went how."""
    loop = {
        "inputs": "[1, 2, 3]",
        "task": {"task_key": "one", "notebook_task": {"notebook_path": "/one"}},
    }
    job = await w.jobs.create(name="j", tasks=[{"task_key": "each", "for_each_task": loop}])
    wait = await w.jobs.run_now(job.job_id)
    finish()
    timeline = (await w.jobs.get_run(wait.run_id)).timeline()
    assert [(bar.name, bar.note) for bar in timeline.bars] == [("each", "3/3 ✓")]


async def test_what_was_stopped_on_the_way_did_not_run(w, workspace, task, finish):
    """A task that was cancelled while its cluster started spent its time on setup."""
    job = await w.jobs.create(name="j", tasks=[task("a", new_cluster=CLUSTER)])
    wait = await w.jobs.run_now(job.job_id)
    workspace.clock.advance(100)
    pending = await w.jobs.get_run(wait.run_id)
    assert shown(pending.timeline(now=pending.start_time + 100_000))["a 1"] == ("PENDING", [("setup", 100)])
    await w.jobs.cancel_run(wait.run_id)
    finish()
    (bar,) = (await w.jobs.get_run(wait.run_id)).timeline().bars
    assert bar.state == "CANCELED"
    assert {part.phase for part in bar.parts} <= {"setup", "cleanup"}
    assert bar.milliseconds() >= 100_000


def test_the_newer_form_of_the_state_will_do():
    """Where there is no older one."""
    status = {"state": "TERMINATED", "termination_details": {"code": "RUN_EXECUTION_ERROR"}}
    run = Run.from_dict({"run_id": 1, "status": status, "start_time": 1000, "end_time": 5000})
    timeline = run.timeline()
    assert (timeline.state, timeline.kind) == ("RUN_EXECUTION_ERROR", "bad")
    assert shown(timeline) == {"(the run) 1": ("RUN_EXECUTION_ERROR", [("running", 4)])}


def test_a_wrong_moment_is_an_error():
    """As everywhere."""
    with pytest.raises(TypeError, match="now must be epoch milliseconds or a datetime"):
        Run.from_dict({"run_id": 1}).timeline(now=1.5)


_numbers = st.none() | st.integers(-(2**63), 2**63) | st.integers(0, 10**6)
_timed = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        (
            "start_time",
            "end_time",
            "queue_duration",
            "setup_duration",
            "execution_duration",
            "cleanup_duration",
            "attempt_number",
        ),
        _numbers,
    )
    | {
        "state": st.fixed_dictionaries(
            {"life_cycle_state": st.sampled_from(["RUNNING", "PENDING", "QUEUED", "TERMINATING", "TERMINATED", "NEW"])},
            optional={"result_state": st.sampled_from(["SUCCESS", "FAILED", "CANCELED", "EXCLUDED", "ODD"])},
        ),
        "task_key": st.text(max_size=5),
    },
)


@given(_timed, st.lists(_timed, max_size=4), _numbers)
@settings(max_examples=25, deadline=None)
def test_an_answer_that_makes_no_sense_is_a_picture_too(run, tasks, now):
    """No part ends before it began, none overlaps the next."""
    read = Run.from_dict({"run_id": 1, **run, "tasks": [{"run_id": 2, **task} for task in tasks]})
    timeline = read.timeline(now=now)
    for bar in timeline.bars:
        moments = [moment for part in bar.parts for moment in (part.start, part.end)]
        assert moments == sorted(moments)
    assert_readable(timeline.svg())
