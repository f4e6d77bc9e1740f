"""The life of a run: start, queue, end, cancel, time limits.

Here are the tests of `local/jobs/run_lifecycle.py`, `local/jobs/run_view.py`.
"""

from __future__ import annotations

import pytest

START = 1758645728000  # 2025-09-23 16:42:08 UTC, where a clock moved by hand begins.


def notebook(key, *needs, **settings):
    """A task without a cluster of its own."""
    task = {"task_key": key, "notebook_task": {"notebook_path": f"/nb/{key}"}, **settings}
    return task | {"depends_on": [{"task_key": need} for need in needs]} if needs else task


@pytest.mark.parametrize("version", ["2.1", "2.2"])
async def test_a_run_goes_through_its_tasks(jobs, workspace, version):
    """Each task takes its minute, those behind it are BLOCKED, and both versions send state and status."""
    jobs.version = version
    job_id = await jobs.create(notebook("a", environment_key="e"), notebook("b", "a", environment_key="e"))
    run_id = await jobs.run_now(job_id)
    first = await jobs.tasks(run_id)
    workspace.clock.advance(59.999)
    still = await jobs.tasks(run_id)
    workspace.clock.advance(0.001)
    second = await jobs.tasks(run_id)
    workspace.clock.advance(60)
    run = await jobs.get(run_id)

    assert first == still == {"a": "RUNNING", "b": "BLOCKED"}
    assert second == {"a": "TERMINATED SUCCESS", "b": "RUNNING"}
    assert await jobs.tasks(run_id) == {"a": "TERMINATED SUCCESS", "b": "TERMINATED SUCCESS"}
    assert run["state"] == {
        "life_cycle_state": "TERMINATED",
        "result_state": "SUCCESS",
        "state_message": "",
        "user_cancelled_or_timedout": False,
    }
    assert run["status"] == {
        "state": "TERMINATED",
        "termination_details": {"code": "SUCCESS", "type": "SUCCESS", "message": ""},
    }
    assert (run["start_time"], run["end_time"], run["run_duration"]) == (START, START + 120_000, 120_000)
    assert (run["trigger"], run["run_type"], run["attempt_number"]) == ("ONE_TIME", "JOB_RUN", 0)
    assert run["original_attempt_run_id"] == run["number_in_job"] == run_id
    assert run["creator_user_name"] == "admin@example.com"
    assert run["run_page_url"].startswith(f"{workspace.url}/?o=")
    assert run["run_page_url"].endswith(f"#job/{job_id}/run/{run_id}")
    late = await jobs.task(run_id, "b")
    assert (late["start_time"], late["execution_duration"]) == (START + 60_000, 60_000)
    assert late["run_id"] not in (run_id, job_id)


async def test_a_failed_task_fails_its_run(jobs, workspace):
    """The task is TERMINATED, its run INTERNAL_ERROR, as the service answers; both are FAILED."""
    workspace.script_task("a", duration=5, error="boom")
    run_id = await jobs.submit(notebook("a"), notebook("b", "a"))
    workspace.clock.advance(5)
    run = await jobs.get(run_id)

    assert await jobs.tasks(run_id) == {"a": "TERMINATED FAILED", "b": "SKIPPED UPSTREAM_FAILED"}
    assert await jobs.state(run_id) == "INTERNAL_ERROR FAILED"
    assert run["run_type"] == "SUBMIT_RUN"
    message = "Task a failed with message: Workload failed, see run output for details."
    message += " This caused all downstream tasks to get skipped."
    assert run["state"]["state_message"] == message
    assert run["status"]["termination_details"] == {
        "code": "RUN_EXECUTION_ERROR",
        "type": "CLIENT_ERROR",
        "message": message,
    }


async def test_a_run_whose_last_tasks_succeed_succeeds_with_failures(jobs, workspace):
    """As the leaves decide."""
    workspace.script_task("a", error="boom")
    run_id = await jobs.submit(notebook("a"), notebook("b", "a", run_if="ALL_DONE"))
    workspace.clock.advance(120)
    assert await jobs.state(run_id) == "TERMINATED SUCCESS_WITH_FAILURES"


async def test_a_chain_of_a_thousand_tasks(jobs, workspace):
    """It is skipped at once when its first task fails, and runs to its end when it does not."""
    chain = [notebook("t0"), *(notebook(f"t{n}", f"t{n - 1}") for n in range(1, 1000))]
    workspace.script_task("t0", error="boom", times=1)
    failed = await jobs.submit(*chain)
    succeeded = await jobs.submit(*chain)
    workspace.clock.advance(60_000)
    assert await jobs.state(failed) == "INTERNAL_ERROR FAILED"
    assert await jobs.state(succeeded) == "TERMINATED SUCCESS"


async def test_a_second_run_waits_in_the_queue(jobs, workspace):
    """Version 2.2 queues by default; the first to come is the first to start."""
    job_id = await jobs.create(notebook("a"))
    runs = [await jobs.run_now(job_id) for _ in range(3)]
    queued = await jobs.get(runs[1])
    states = [await jobs.state(run) for run in runs]
    workspace.clock.advance(60)
    later = [await jobs.state(run) for run in runs]
    workspace.clock.advance(120)

    assert states == ["RUNNING", "QUEUED", "QUEUED"]
    assert queued["status"]["queue_details"]["code"] == "MAX_CONCURRENT_RUNS_REACHED"
    assert queued["state"]["queue_reason"] == "Queued due to reaching maximum concurrent runs of 1."
    assert await jobs.tasks(runs[2]) == {"a": "TERMINATED SUCCESS"}
    assert later == ["TERMINATED SUCCESS", "RUNNING", "QUEUED"]
    ended = await jobs.get(runs[2])
    assert (ended["start_time"], ended["queue_duration"], ended["end_time"]) == (START, 120_000, START + 180_000)


async def test_version_21_skips_what_is_too_much(jobs):
    """SKIPPED at once; `queue` of the job or of the request makes it wait all the same."""
    jobs.version = "2.1"
    task = notebook("a", environment_key="e")
    skipping, queueing = await jobs.create(task), await jobs.create(task, queue={"enabled": True})
    for job_id in (skipping, queueing):
        await jobs.run_now(job_id)
    skipped = await jobs.get(await jobs.run_now(skipping))

    assert await jobs.state(skipped["run_id"]) == "SKIPPED MAXIMUM_CONCURRENT_RUNS_REACHED"
    assert skipped["status"]["termination_details"]["code"] == "MAX_CONCURRENT_RUNS_EXCEEDED"
    assert skipped["state"]["state_message"] == (
        "Skipping this run because the limit of 1 maximum concurrent runs has been reached."
    )
    assert "tasks" not in skipped
    assert await jobs.state(await jobs.run_now(queueing)) == "QUEUED"
    assert await jobs.state(await jobs.run_now(skipping, queue={"enabled": True})) == "QUEUED"


async def test_max_concurrent_runs(jobs):
    """Two run side by side where two may; none where none may, queue or not."""
    two, none = await jobs.create(notebook("a"), max_concurrent_runs=2), await jobs.create(notebook("a"))
    await jobs.ok("POST", "update", job_id=none, new_settings={"max_concurrent_runs": 0})

    assert [await jobs.state(await jobs.run_now(two)) for _ in range(3)] == ["RUNNING", "RUNNING", "QUEUED"]
    assert await jobs.state(await jobs.run_now(none)) == "SKIPPED MAXIMUM_CONCURRENT_RUNS_REACHED"


async def test_more_room_lets_the_queue_in(jobs):
    """At once when max_concurrent_runs grows."""
    job_id = await jobs.create(notebook("a"))
    await jobs.run_now(job_id)
    waiting = await jobs.run_now(job_id)
    await jobs.ok("POST", "update", job_id=job_id, new_settings={"max_concurrent_runs": 5})
    assert await jobs.state(waiting) == "RUNNING"


async def test_a_run_leaves_the_queue_after_two_days(jobs, workspace):
    """It is skipped then."""
    workspace.script_task("a", duration=50 * 3600)
    job_id = await jobs.create(notebook("a"))
    await jobs.run_now(job_id)
    run_id = await jobs.run_now(job_id)
    workspace.clock.advance(48 * 3600 - 1)
    assert await jobs.state(run_id) == "QUEUED"
    workspace.clock.advance(1)
    assert await jobs.state(run_id) == "SKIPPED MAXIMUM_CONCURRENT_RUNS_REACHED"


async def test_cancelling(jobs, workspace):
    """TERMINATING for a while, then CANCELED, the tasks too; twice is as good as once, and an end stays an end."""
    run_id = await jobs.submit(notebook("a"), notebook("b", "a"))
    await jobs.ok("POST", "runs/cancel", run_id=run_id)
    stopping = await jobs.state(run_id), await jobs.tasks(run_id)
    await jobs.ok("POST", "runs/cancel", run_id=run_id)
    workspace.clock.advance(5)

    assert stopping == ("TERMINATING", {"a": "TERMINATING", "b": "TERMINATED CANCELED"})
    assert await jobs.state(run_id) == "TERMINATED CANCELED"
    assert await jobs.tasks(run_id) == {"a": "TERMINATED CANCELED", "b": "TERMINATED CANCELED"}
    run = await jobs.get(run_id)
    assert run["state"]["user_cancelled_or_timedout"] is True
    assert run["status"]["termination_details"]["code"] == "USER_CANCELED"
    await jobs.ok("POST", "runs/cancel", run_id=run_id)
    assert await jobs.get(run_id) == run


async def test_cancelling_one_task(jobs, workspace):
    """Those behind it are skipped, those beside it run on."""
    run_id = await jobs.submit(notebook("a", max_retries=3), notebook("b", "a"), notebook("c"))
    await jobs.ok("POST", "runs/cancel", run_id=(await jobs.task(run_id, "a"))["run_id"])
    workspace.clock.advance(60)
    assert await jobs.tasks(run_id) == {
        "a": "TERMINATED CANCELED",
        "b": "SKIPPED UPSTREAM_CANCELED",
        "c": "TERMINATED SUCCESS",
    }
    assert await jobs.state(run_id) == "TERMINATED CANCELED"


async def test_cancelling_all(jobs, workspace):
    """All of a job, or only those in queues: of the job, or of all jobs."""
    one, other = await jobs.create(notebook("a")), await jobs.create(notebook("a"))
    runs = [await jobs.run_now(job_id) for job_id in (one, one, other, other)]
    await jobs.ok("POST", "runs/cancel-all", job_id=one, all_queued_runs=True)
    first = [await jobs.state(run) for run in runs]
    await jobs.ok("POST", "runs/cancel-all", all_queued_runs=True)
    second = [await jobs.state(run) for run in runs]
    await jobs.ok("POST", "runs/cancel-all", job_id=one)
    workspace.clock.advance(5)
    third = [await jobs.state(run) for run in runs]

    canceled = "TERMINATED CANCELED"
    assert first == ["RUNNING", canceled, "RUNNING", "QUEUED"]
    assert second == ["RUNNING", canceled, "RUNNING", canceled]
    assert third == [canceled, canceled, "RUNNING", canceled]
    assert "Missing required field: job_id" in await jobs.refused("POST", "runs/cancel-all")


async def test_a_run_that_takes_too_long(jobs, workspace):
    """It is stopped after its timeout_seconds, which a change of the job changes for active runs too."""
    slow, changed = [await jobs.create(notebook("a"), timeout_seconds=30) for _ in range(2)]
    runs = [await jobs.run_now(slow), await jobs.run_now(changed)]
    await jobs.ok("POST", "update", job_id=changed, new_settings={"timeout_seconds": 50})
    workspace.clock.advance(36)
    first = [await jobs.state(run) for run in runs]
    workspace.clock.advance(20)

    assert first == ["TERMINATED TIMEDOUT", "RUNNING"]
    assert [await jobs.state(run) for run in runs] == ["TERMINATED TIMEDOUT"] * 2
    run = await jobs.get(runs[0])
    assert (run["end_time"], run["status"]["termination_details"]["code"]) == (START + 35_000, "CANCELED")
    assert await jobs.tasks(runs[0]) == {"a": "TERMINATED TIMEDOUT"}


@pytest.mark.parametrize("start", ["run-now", "runs/submit"])
async def test_an_idempotency_token_starts_one_run(jobs, start, workspace):
    """The same token gives the same run, also an ended one; that of a deleted run is refused, like a long one."""
    job_id = await jobs.create(notebook("a"))
    params = {"job_id": job_id} if start == "run-now" else {"tasks": [notebook("a")]}
    first, again = [await jobs.ok("POST", start, idempotency_token="t" * 64, **params) for _ in range(2)]
    workspace.clock.advance(60)
    ended = await jobs.ok("POST", start, idempotency_token="t" * 64, **params)
    other = await jobs.ok("POST", start, idempotency_token="other", **params)

    assert first == again == ended
    assert other["run_id"] != first["run_id"]
    assert len((await jobs.ok("GET", "runs/list"))["runs"]) == 2
    await jobs.ok("POST", "runs/delete", run_id=first["run_id"])
    assert "deleted" in await jobs.refused("POST", start, idempotency_token="t" * 64, **params)
    assert "at most 64" in await jobs.refused("POST", start, idempotency_token="t" * 65, **params)


async def test_deleting_a_run(jobs, workspace):
    """Only one that has ended; afterwards it does not exist, nor do its tasks."""
    run_id = await jobs.submit(notebook("a"))
    task_run_id = (await jobs.task(run_id, "a"))["run_id"]
    status, answer = await jobs.send("POST", "runs/delete", run_id=run_id)
    workspace.clock.advance(60)
    await jobs.ok("POST", "runs/delete", run_id=run_id)

    assert (status, answer["error_code"]) == (400, "INVALID_STATE")
    assert await jobs.refused("GET", "runs/get", run_id=run_id) == f"Run {run_id} does not exist."
    assert await jobs.refused("GET", "runs/get-output", run_id=task_run_id) == f"Run {task_run_id} does not exist."
    assert await jobs.refused("POST", "runs/cancel", run_id=12) == "Run 12 does not exist."


async def test_runs_outlive_their_job(jobs, workspace):
    """A deleted job's runs go on, and can be read."""
    job_id = await jobs.create(notebook("a"))
    run_id = await jobs.run_now(job_id)
    await jobs.ok("POST", "delete", job_id=job_id)
    workspace.clock.advance(60)
    assert await jobs.state(run_id) == "TERMINATED SUCCESS"


async def test_a_part_of_a_job_can_be_run(jobs, workspace):
    """`only` names tasks; a plus sign takes those before or after along. What is left out is not waited for."""
    job_id = await jobs.create(
        notebook("a"), notebook("b", "a"), notebook("c", "b"), notebook("d"), max_concurrent_runs=9
    )
    wanted = {"b": {"b"}, "+b": {"a", "b"}, "b+": {"b", "c"}, "+b+": {"a", "b", "c"}}
    for only, keys in wanted.items():
        run_id = await jobs.run_now(job_id, only=[only])
        workspace.clock.advance(200)
        assert await jobs.tasks(run_id) == dict.fromkeys(sorted(keys), "TERMINATED SUCCESS")
    assert "'x'" in await jobs.refused("POST", "run-now", job_id=job_id, only=["x"])


async def test_a_future_service_can_be_played(jobs, workspace):
    """An overlay stands above the truth, for a run and for a task run, in get and in list."""
    run_id = await jobs.submit(notebook("a"))
    task_run_id = (await jobs.task(run_id, "a"))["run_id"]
    workspace.overlay_run(run_id, state={"life_cycle_state": "HIBERNATING"}, mood="good")
    workspace.overlay_run(task_run_id, status={"state": "DREAMING"})
    run = await jobs.get(run_id)
    listed = (await jobs.ok("GET", "runs/list"))["runs"][0]

    assert run["state"] == listed["state"] == {"life_cycle_state": "HIBERNATING"}
    assert run["mood"] == "good"
    assert run["tasks"][0]["status"] == {"state": "DREAMING"}


async def test_a_run_of_one_task_shows_its_durations(jobs, workspace):
    """Setup, execution and cleanup; of several tasks only how long the whole took."""
    new = {"spark_version": "16.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}
    one = await jobs.submit(notebook("a", new_cluster=new))
    two = await jobs.submit(notebook("a", new_cluster=new), notebook("b"))
    workspace.clock.advance(1000)
    names = ("setup_duration", "execution_duration", "cleanup_duration", "run_duration")
    assert [(await jobs.get(one))[name] for name in names] == [300_000, 60_000, 5_000, 365_000]
    assert [(await jobs.get(two))[name] for name in names] == [0, 0, 0, 365_000]


async def test_the_words_of_a_state(jobs, workspace):
    """What runs says so; whether a caller or a time limit ended it is always told."""
    job_id = await jobs.create(notebook("a"), max_concurrent_runs=9)
    running, canceled, late = [await jobs.run_now(job_id) for _ in range(2)] + [
        await jobs.submit(notebook("a"), timeout_seconds=30)
    ]
    during = [(await jobs.get(running))["state"], (await jobs.task(running, "a"))["state"]]
    await jobs.ok("POST", "runs/cancel", run_id=canceled)
    workspace.clock.advance(60)
    ended = {run_id: (await jobs.get(run_id))["state"] for run_id in (running, canceled, late)}

    expected = {"life_cycle_state": "RUNNING", "state_message": "In run", "user_cancelled_or_timedout": False}
    assert during == [expected, expected]
    assert [state["user_cancelled_or_timedout"] for state in ended.values()] == [False, True, True]
    assert ended[running]["state_message"] == ""


async def test_lists_without_entries_are_left_out(jobs, workspace):
    """Of jobs, of runs, and within both."""
    assert "jobs" not in await jobs.ok("GET", "list")
    assert "runs" not in await jobs.ok("GET", "runs/list")
    job_id = await jobs.create(notebook("a", depends_on=[], libraries=[]), parameters=[], job_clusters=[])
    settings = (await jobs.ok("GET", "get", job_id=job_id))["settings"]
    run = await jobs.get(await jobs.run_now(job_id))
    (listed,) = (await jobs.ok("GET", "runs/list", expand_tasks="true"))["runs"]
    for shown in (settings, run, listed):
        assert not {"parameters", "job_parameters", "job_clusters"} & shown.keys()
        assert not {"depends_on", "libraries"} & shown["tasks"][0].keys()


async def test_a_run_is_forgotten_60_days_after_its_end(jobs, workspace):
    """By the clock of the workspace: it, its tasks and its place in the list are gone; its token stays taken."""
    job_id = await jobs.create(notebook("a"))
    run_id = await jobs.run_now(job_id, idempotency_token="once")
    task_run_id = (await jobs.task(run_id, "a"))["run_id"]
    workspace.clock.advance(60)
    later = await jobs.run_now(job_id)
    workspace.clock.advance(60 * 86400 - 1)
    assert await jobs.state(run_id) == await jobs.state(later) == "TERMINATED SUCCESS"
    workspace.clock.advance(1)
    for gone in (run_id, task_run_id):
        assert "does not exist" in await jobs.refused("GET", "runs/get", run_id=gone)
    assert "was deleted" in await jobs.refused("POST", "run-now", job_id=job_id, idempotency_token="once")
    assert [run["run_id"] for run in (await jobs.ok("GET", "runs/list", job_id=job_id))["runs"]] == [later]
    workspace.clock.advance(60)
    assert "runs" not in await jobs.ok("GET", "runs/list", job_id=job_id)


async def test_a_repaired_run_is_kept_from_its_last_end(jobs, workspace):
    """The 60 days of its first end do not count any more."""
    workspace.script_task("a", duration=5, error="boom", times=1)
    run_id = await jobs.run_now(await jobs.create(notebook("a")))
    workspace.clock.advance(50 * 86400)
    await jobs.ok("POST", "runs/repair", run_id=run_id, rerun_all_failed_tasks=True)
    workspace.clock.advance(50 * 86400)
    assert await jobs.state(run_id) == "TERMINATED SUCCESS"
    workspace.clock.advance(11 * 86400)
    assert "does not exist" in await jobs.refused("GET", "runs/get", run_id=run_id)
