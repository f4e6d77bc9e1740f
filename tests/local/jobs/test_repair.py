"""Repairs: some tasks of an ended run, once more."""

from __future__ import annotations

import pytest

START = 1758645728000  # 2025-09-23 16:42:08 UTC, where a clock moved by hand begins.
DONE = "TERMINATED SUCCESS"


def notebook(key, *needs, **settings):
    task = {"task_key": key, "notebook_task": {"notebook_path": f"/nb/{key}"}, **settings}
    return task | {"depends_on": [{"task_key": need} for need in needs]} if needs else task


@pytest.fixture
async def failed(jobs, workspace):
    """A run of a, then b and c, which failed in b the first time."""
    workspace.script_task("b", error="boom", times=1)
    job_id = await jobs.create(notebook("a"), notebook("b", "a"), notebook("c", "b"))
    run_id = await jobs.run_now(job_id)
    workspace.clock.advance(180)
    assert await jobs.state(run_id) == "INTERNAL_ERROR FAILED"
    return run_id


async def test_a_repair_runs_what_failed(jobs, workspace, failed):
    """The run is active again and ends anew; what had succeeded keeps its result, and all attempts are shown."""
    before = await jobs.task(failed, "a")
    repair_id = (await jobs.ok("POST", "runs/repair", run_id=failed, rerun_all_failed_tasks=True))["repair_id"]
    during, active = await jobs.get(failed), await jobs.tasks(failed)
    workspace.clock.advance(120)
    run = await jobs.get(failed, include_history="true")

    assert during["state"]["life_cycle_state"] == "RUNNING"
    assert during["end_time"] == 0
    assert active == {"a": DONE, "b": "RUNNING", "c": "BLOCKED"}
    assert await jobs.tasks(failed) == {"a": DONE, "b": DONE, "c": DONE}
    assert await jobs.state(failed) == DONE
    assert await jobs.task(failed, "a") == before
    shown = [(task["task_key"], task["attempt_number"]) for task in run["tasks"]]
    assert shown == [("a", 0), ("b", 0), ("b", 1), ("c", 0), ("c", 1)]
    assert (run["start_time"], run["end_time"], run["run_duration"]) == (START, START + 300_000, 120_000 + 120_000)

    ids = {(task["task_key"], task["attempt_number"]): task["run_id"] for task in run["tasks"]}
    original, repair = run["repair_history"]
    assert (original["type"], original["state"]["result_state"], original["end_time"]) == (
        "ORIGINAL",
        "FAILED",
        START + 120_000,
    )
    assert "id" not in original
    assert sorted(original["task_run_ids"]) == sorted([ids["a", 0], ids["b", 0], ids["c", 0]])
    assert (repair["type"], repair["id"], repair["start_time"]) == ("REPAIR", repair_id, START + 180_000)
    assert (repair["status"]["state"], repair["state"]["result_state"]) == ("TERMINATED", "SUCCESS")
    assert repair["task_run_ids"] == [ids["b", 1], ids["c", 1]]
    assert "repair_history" not in during


async def test_tasks_are_named_with_or_without_those_behind(jobs, workspace, failed):
    """Naming one leaves the skipped one behind it as it is."""
    first = (await jobs.ok("POST", "runs/repair", run_id=failed, rerun_tasks=["b"]))["repair_id"]
    workspace.clock.advance(60)
    alone = await jobs.tasks(failed), await jobs.state(failed)
    again = {"rerun_tasks": ["b"], "rerun_dependent_tasks": True, "latest_repair_id": first}
    await jobs.ok("POST", "runs/repair", run_id=failed, **again)
    workspace.clock.advance(120)

    assert alone[0] == {"a": DONE, "b": DONE, "c": "SKIPPED UPSTREAM_FAILED"}
    assert await jobs.tasks(failed) == {"a": DONE, "b": DONE, "c": DONE}
    assert await jobs.state(failed) == DONE


async def test_each_repair_must_know_the_one_before(jobs, workspace, failed):
    """The first needs no latest_repair_id; from then on the latest must be named."""
    wanted = {"run_id": failed, "rerun_tasks": ["a"]}
    assert "999 is not the latest" in await jobs.refused("POST", "runs/repair", **wanted, latest_repair_id=999)
    first = (await jobs.ok("POST", "runs/repair", **wanted))["repair_id"]
    workspace.clock.advance(60)
    assert "latest repair ID needs to be provided" in await jobs.refused("POST", "runs/repair", **wanted)
    second = (await jobs.ok("POST", "runs/repair", **wanted, latest_repair_id=first))["repair_id"]
    workspace.clock.advance(60)
    assert "is not the latest" in await jobs.refused("POST", "runs/repair", **wanted, latest_repair_id=first)
    await jobs.ok("POST", "runs/repair", **wanted, latest_repair_id=second)


async def test_what_cannot_be_repaired(jobs, workspace, failed):
    """An active run, unknown tasks, the same twice, nothing at all, or everything in two ways."""
    active = await jobs.submit(notebook("a"))
    status, answer = await jobs.send("POST", "runs/repair", run_id=active, rerun_tasks=["a"])
    assert (status, answer["error_code"]) == (400, "INVALID_STATE")
    wrong = {
        "does not exist in run": {"rerun_tasks": ["x"]},
        "cannot contain duplicate task keys": {"rerun_tasks": ["b", "b"]},
        "must be set": {},
        "Only one of": {"rerun_tasks": ["b"], "rerun_all_failed_tasks": True},
    }
    for message, params in wrong.items():
        assert message in await jobs.refused("POST", "runs/repair", run_id=failed, **params)
    workspace.clock.advance(60)
    assert "no tasks to rerun" in await jobs.refused("POST", "runs/repair", run_id=active, rerun_all_failed_tasks=True)
    assert await jobs.refused("POST", "runs/repair", run_id=12, rerun_tasks=["x"]) == "Run 12 does not exist."


async def test_a_repair_takes_the_settings_and_parameters_of_today(jobs, workspace, failed):
    """The job's settings as they are now, and parameters of its own."""
    seen = []
    workspace.script_task("/nb/mended", call=lambda given: seen.append(given))
    mended = notebook("b", "a")
    mended["notebook_task"]["notebook_path"] = "/nb/mended"
    job_id = (await jobs.get(failed))["job_id"]
    await jobs.ok("POST", "update", job_id=job_id, new_settings={"tasks": [mended]})
    await jobs.ok("POST", "runs/repair", run_id=failed, rerun_tasks=["b"], job_parameters={"day": "tue"})
    workspace.clock.advance(60)
    run = await jobs.get(failed)

    assert seen == [{"day": "tue"}]
    assert run["job_parameters"] == [{"name": "day", "value": "tue"}]


async def test_a_repair_does_not_repeat_the_parameters_of_the_run(jobs, workspace):
    """Those of the request and the job's defaults apply; to repeat the first ones, they have to be sent again."""
    seen = []
    workspace.script_task("a", duration=1, error="boom", times=1)
    workspace.script_task("a", duration=1, call=lambda given: seen.append(given))
    parameters = [{"name": "day", "default": "mon"}, {"name": "size", "default": "1"}]
    job_id = await jobs.create(notebook("a"), parameters=parameters)
    run_id = await jobs.run_now(
        job_id, job_parameters={"day": "tue", "extra": "x"}, notebook_params={"note": "first", "day": "never"}
    )
    workspace.clock.advance(1)
    await jobs.ok("POST", "runs/repair", run_id=run_id, rerun_tasks=["a"], job_parameters={"size": "2"})
    workspace.clock.advance(1)
    run = await jobs.get(run_id)

    assert seen == [{"day": "mon", "size": "2"}]
    assert run["job_parameters"] == [
        {"name": "day", "default": "mon", "value": "mon"},
        {"name": "size", "default": "1", "value": "2"},
    ]
    assert "overriding_parameters" not in run


async def test_a_repair_tries_again_as_often_as_at_first(jobs, workspace):
    """And a repaired run can be cancelled and repaired."""
    workspace.script_task("a", duration=10, error="boom", times=3)
    run_id = await jobs.submit(notebook("a", max_retries=1))
    workspace.clock.advance(20)
    assert await jobs.state(run_id) == "INTERNAL_ERROR FAILED"
    first = (await jobs.ok("POST", "runs/repair", run_id=run_id, rerun_tasks=["a"]))["repair_id"]
    workspace.clock.advance(20)
    await jobs.ok("POST", "runs/cancel", run_id=run_id)
    workspace.clock.advance(5)
    assert await jobs.state(run_id) == "TERMINATED CANCELED"
    await jobs.ok("POST", "runs/repair", run_id=run_id, rerun_all_failed_tasks=True, latest_repair_id=first)
    workspace.clock.advance(60)
    assert await jobs.state(run_id) == DONE
    assert [task["attempt_number"] for task in (await jobs.get(run_id))["tasks"]] == [0, 1, 2, 3, 4]
