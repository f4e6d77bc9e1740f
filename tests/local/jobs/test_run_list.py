"""Lists of runs, and runs with long arrays."""

from __future__ import annotations

import pytest

START = 1758645728000  # 2025-09-23 16:42:08 UTC, where a clock moved by hand begins.


def notebook(key, **settings):
    return {"task_key": key, "notebook_task": {"notebook_path": "/nb"}, "environment_key": "e", **settings}


def ids(answer):
    return [run["run_id"] for run in answer.get("runs", [])]


async def test_runs_come_newest_first_page_by_page(jobs):
    """Forward and back again; a run that starts in the meantime moves nothing."""
    runs = [await jobs.submit(notebook("a")) for _ in range(7)][::-1]
    first = await jobs.ok("GET", "runs/list", limit=3)
    await jobs.submit(notebook("a"))
    second = await jobs.ok("GET", "runs/list", limit=3, page_token=first["next_page_token"])
    third = await jobs.ok("GET", "runs/list", limit=3, page_token=second["next_page_token"])
    back = await jobs.ok("GET", "runs/list", limit=3, page_token=third["prev_page_token"])

    assert (ids(first), ids(second), ids(third)) == (runs[:3], runs[3:6], runs[6:])
    assert ids(back) == runs[3:6]
    assert first["prev_page_token"] == third["next_page_token"] == ""
    assert "has_more" not in first


async def test_version_21_says_at_the_root_whether_there_is_more(jobs):
    """And its offset works, within limits."""
    jobs.version = "2.1"
    runs = [await jobs.submit(notebook("a")) for _ in range(3)][::-1]
    first = await jobs.ok("GET", "runs/list", limit=2)
    last = await jobs.ok("GET", "runs/list", limit=2, offset=2)
    assert (ids(first), first["has_more"]) == (runs[:2], True)
    assert (ids(last), last["has_more"]) == (runs[2:], False)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"limit": 27}, "Invalid limit 27 - it has to be no more than 26"),
        ({"limit": -1}, "Invalid limit -1"),
        ({"offset": 10_001}, "Please use the page_token parameter"),
        ({"active_only": "true", "completed_only": "true"}, "cannot both be true"),
        ({"page_token": "nonsense"}, "Invalid page_token"),
        ({"run_type": "ODD"}, "run_type must be one of"),
    ],
)
async def test_what_runs_list_refuses(jobs, params, message):
    """In the service's words, where they are known."""
    assert message in await jobs.refused("GET", "runs/list", **params)


async def test_limits(jobs):
    """20 runs on a page unless told otherwise, at most 26; 0 stands for the most."""
    for _ in range(30):
        await jobs.submit(notebook("a"))
    sizes = [len(ids(await jobs.ok("GET", "runs/list", **limit))) for limit in ({}, {"limit": 0}, {"limit": 26})]
    assert sizes == [20, 26, 26]


async def test_filters(jobs, workspace):
    """By job, by kind, by whether they have ended, by when they started."""
    job_id = await jobs.create(notebook("a"), max_concurrent_runs=9)
    old = await jobs.run_now(job_id)
    workspace.clock.advance(100)
    new, submitted = await jobs.run_now(job_id), await jobs.submit(notebook("a"))
    wanted = [
        ({"job_id": job_id}, [new, old]),
        ({"run_type": "SUBMIT_RUN"}, [submitted]),
        ({"run_type": "JOB_RUN"}, [new, old]),
        ({"active_only": "true"}, [submitted, new]),
        ({"completed_only": "True"}, [old]),
        ({"start_time_from": START + 100_000}, [submitted, new]),
        ({"start_time_to": START + 99_999}, [old]),
        ({"job_id": 5}, []),
    ]
    for params, expected in wanted:
        assert ids(await jobs.ok("GET", "runs/list", **params)) == expected


async def test_tasks_are_shown_on_request(jobs):
    """At most 100 of them; whether there are more is said with each run."""
    await jobs.submit(*[notebook(f"t{n:03}") for n in range(101)])
    await jobs.submit(notebook("a"))
    short, long = (await jobs.ok("GET", "runs/list", expand_tasks="true"))["runs"]
    plain = (await jobs.ok("GET", "runs/list"))["runs"]

    assert (len(short["tasks"]), len(long["tasks"])) == (1, 100)
    assert "has_more" not in short
    assert long["has_more"] is True
    assert [("tasks" in run, "has_more" in run) for run in plain] == [(False, False)] * 2


async def test_a_run_with_long_arrays_comes_in_pages(jobs):
    """Arrays that were complete are empty on later pages; another run's token is refused."""
    parameters = [{"name": f"p{n:03}", "default": "x"} for n in range(120)]
    job_id = await jobs.create(
        *[notebook(f"t{n:03}") for n in range(250)], parameters=parameters, max_concurrent_runs=2
    )
    run_id, other = await jobs.run_now(job_id), await jobs.run_now(job_id)
    pages = [await jobs.get(run_id)]
    while "next_page_token" in pages[-1]:
        pages.append(await jobs.get(run_id, page_token=pages[-1]["next_page_token"]))

    assert [len(page["tasks"]) for page in pages] == [100, 100, 50]
    assert [len(page["job_parameters"]) for page in pages] == [100, 20, 0]
    assert [task["task_key"] for page in pages for task in page["tasks"]] == [f"t{n:03}" for n in range(250)]
    assert {page["run_id"] for page in pages} == {run_id}
    token = pages[0]["next_page_token"]
    assert "belongs to another" in await jobs.refused("GET", "runs/get", run_id=other, page_token=token)


async def test_iterations_come_in_pages(jobs):
    """Of the task run of a for-each task, beside that one task."""
    each = {"inputs": str(list(range(150))), "task": notebook("one"), "concurrency": 100}
    run_id = await jobs.submit({"task_key": "each", "for_each_task": each})
    task_run_id = (await jobs.task(run_id, "each"))["run_id"]
    first = await jobs.get(task_run_id)
    second = await jobs.get(task_run_id, page_token=first["next_page_token"])
    assert (len(first["iterations"]), len(second["iterations"])) == (100, 50)
    assert "next_page_token" not in second


async def test_version_21_leaves_out_what_is_too_long(jobs):
    """With status 200, and without a word."""
    jobs.version = "2.1"
    run_id = await jobs.submit(*[notebook(f"t{n:03}") for n in range(101)])
    run = await jobs.get(run_id)
    assert "tasks" not in run
    assert "next_page_token" not in run


async def test_a_thousand_runs_are_listed_to_the_last(jobs, workspace):
    """Made, seen to their end, and listed."""
    job_id = await jobs.create(notebook("a"), notebook("b"), max_concurrent_runs=1000)
    for _ in range(1000):
        await jobs.run_now(job_id)
    workspace.clock.advance(60)
    token, seen = "", []
    while True:
        page = await jobs.ok("GET", "runs/list", limit=26, page_token=token)
        seen += [run["state"].get("result_state") for run in page["runs"]]
        token = page["next_page_token"]
        if not token:
            break
    assert seen == ["SUCCESS"] * 1000
