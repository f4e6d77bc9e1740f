"""Lists of jobs, and jobs with long arrays.

Here are the tests of `local/jobs/pages.py`.
"""

from __future__ import annotations

import pytest


def notebook(key, **settings):
    return {"task_key": key, "notebook_task": {"notebook_path": "/nb"}, "environment_key": "e", **settings}


def names(answer):
    return [job["settings"]["name"] for job in answer["jobs"]]


async def test_jobs_come_newest_first_page_by_page(jobs):
    """Forward and back again; a job that is made in the meantime moves nothing."""
    for n in range(5):
        await jobs.create(notebook("a"), name=f"j{n}")
    first = await jobs.ok("GET", "list", limit=2)
    await jobs.create(notebook("a"), name="late")
    second = await jobs.ok("GET", "list", limit=2, page_token=first["next_page_token"])
    third = await jobs.ok("GET", "list", limit=2, page_token=second["next_page_token"])
    back = await jobs.ok("GET", "list", limit=2, page_token=third["prev_page_token"])

    assert [names(page) for page in (first, second, third, back)] == [["j4", "j3"], ["j2", "j1"], ["j0"], ["j2", "j1"]]
    assert third["next_page_token"] == ""
    assert "has_more" not in first


async def test_version_21_says_at_the_root_whether_there_is_more(jobs):
    """And its offset works."""
    jobs.version = "2.1"
    for n in range(3):
        await jobs.create(notebook("a"), name=f"j{n}")
    first, last = await jobs.ok("GET", "list", limit=2), await jobs.ok("GET", "list", offset=2)
    assert (names(first), first["has_more"]) == (["j2", "j1"], True)
    assert (names(last), last["has_more"]) == (["j0"], False)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"limit": 101}, "Invalid limit 101"),
        ({"limit": 0}, "Invalid limit 0"),
        ({"offset": 1001}, "Please use the page_token parameter"),
        ({"page_token": "nonsense"}, "Invalid page_token"),
    ],
)
async def test_what_jobs_list_refuses(jobs, params, message):
    """In the service's words, where they are known."""
    assert message in await jobs.refused("GET", "list", **params)


async def test_a_page_has_20_jobs_unless_told_otherwise(jobs):
    """At most 100."""
    for _ in range(22):
        await jobs.create(notebook("a"))
    assert [len(names(await jobs.ok("GET", "list", **limit))) for limit in ({}, {"limit": 100})] == [20, 22]


async def test_names_are_matched_whole_and_in_any_case(jobs):
    """Also on later pages."""
    for name in ("Nightly", "nightly", "nightly 2"):
        await jobs.create(notebook("a"), name=name)
    first = await jobs.ok("GET", "list", name="NIGHTLY", limit=1)
    second = await jobs.ok("GET", "list", name="NIGHTLY", limit=1, page_token=first["next_page_token"])
    assert (names(first), names(second)) == (["nightly"], ["Nightly"])
    assert second["next_page_token"] == ""


async def test_tasks_are_shown_on_request(jobs):
    """At most 100 of them; whether there are more is said with each job."""
    await jobs.create(*[notebook(f"t{n:03}") for n in range(250)])
    await jobs.create(notebook("a"))
    short, long = (await jobs.ok("GET", "list", expand_tasks="true"))["jobs"]
    plain = (await jobs.ok("GET", "list"))["jobs"]
    jobs.version = "2.1"
    old = (await jobs.ok("GET", "list", expand_tasks="true"))["jobs"]

    assert (len(short["settings"]["tasks"]), len(long["settings"]["tasks"])) == (1, 100)
    assert ("has_more" in short, long["has_more"]) == (False, True)
    assert [("tasks" in job["settings"], "has_more" in job) for job in plain] == [(False, False)] * 2
    assert ["tasks" in job["settings"] for job in old] == [True, False]


async def test_a_job_with_long_arrays_comes_in_pages(jobs):
    """Arrays that were complete are empty on later pages; 2.1 leaves out what is too long; other tokens are refused."""
    clusters = [{"job_cluster_key": "c", "serverless_compute_id": "s"}]
    job_id = await jobs.create(*[notebook(f"t{n:03}") for n in range(250)], job_clusters=clusters, name="big")
    other = await jobs.create(notebook("a"))
    pages = [await jobs.ok("GET", "get", job_id=job_id)]
    while "next_page_token" in pages[-1]:
        pages.append(await jobs.ok("GET", "get", job_id=job_id, page_token=pages[-1]["next_page_token"]))
    settings = [page["settings"] for page in pages]
    token = pages[0]["next_page_token"]

    assert [task["task_key"] for one in settings for task in one["tasks"]] == [f"t{n:03}" for n in range(250)]
    assert [len(one["tasks"]) for one in settings] == [100, 100, 50]
    assert [one["job_clusters"] for one in settings] == [clusters, [], []]
    assert {one["name"] for one in settings} == {"big"}
    assert "belongs to another" in await jobs.refused("GET", "get", job_id=other, page_token=token)
    jobs.version = "2.1"
    old = await jobs.ok("GET", "get", job_id=job_id)
    assert "tasks" not in old["settings"]
    assert old["settings"]["job_clusters"] == clusters
