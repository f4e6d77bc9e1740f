"""Pages that never end: of one object they are an error, of a listing they are followed as long as they go on."""

from __future__ import annotations

import itertools
import json
import tracemalloc

import pytest

from databricks_async.errors import InvalidResponse, PagingError
from databricks_async.local import Fault

GET = "GET /api/{v}/jobs/get"
LIST = "GET /api/{v}/jobs/list"


def answers(bodies):
    return [Fault.answer(200, json.dumps(body)) for body in bodies]


def job(number, *, tasks=True, **fields):
    settings = {"tasks": [{"task_key": f"t{number}"}]} if tasks else {}
    return {"job_id": 1, "settings": settings, **fields}


async def test_one_object_has_at_most_a_thousand_pages(w, workspace):
    """Each with a task more and another token."""
    pages = [job(number, has_more=True, next_page_token=f"p{number}") for number in range(1100)]
    workspace.faults.add(GET, *answers(pages))
    with pytest.raises(InvalidResponse, match="one object has more than 1000 pages") as raised:
        await w.jobs.get(1)
    assert raised.value.endpoint == "GET /api/2.2/jobs/get"
    assert workspace.journal.count(GET) == 1000


@pytest.mark.parametrize(("get", "endpoint"), [("get", GET), ("get_run", "GET /api/{v}/jobs/runs/get")])
async def test_pages_of_one_object_that_add_nothing_end_it(w, workspace, get, endpoint):
    """When they name a next one; the same tasks again are nothing either."""
    tasks = [{"task_key": "a", "run_id": 2}]
    first = {"job_id": 1, "run_id": 1, "tasks": tasks, "settings": {"tasks": [{"task_key": "a"}]}}
    bodies = [first | {"next_page_token": f"p{number}"} for number in range(4)]
    workspace.faults.add(endpoint, *answers(bodies))
    with pytest.raises(InvalidResponse, match="page 2 adds nothing and names a next one"):
        await getattr(w.jobs, get)(1)
    assert workspace.journal.count(endpoint) == 2


async def test_a_last_page_may_add_nothing(w, workspace):
    """Nothing follows it."""
    workspace.faults.add(GET, *answers([job(1, next_page_token="p"), job(2, tasks=False)]))
    found = await w.jobs.get(1)
    assert [task.task_key for task in found.settings.tasks] == ["t1"]


async def test_a_listing_goes_on_over_empty_pages(w, workspace):
    """However many; and stops at a token that comes again."""
    bodies = [{"next_page_token": f"p{number}"} for number in range(1500)]
    workspace.faults.add(LIST, *answers([*bodies, {"jobs": [{"job_id": 7}]}]))
    assert [found.job_id for found in await w.jobs.list().collect()] == [7]
    assert workspace.journal.count(LIST) == 1501
    workspace.faults.add(LIST, *answers([*bodies[:10], bodies[3]]))
    with pytest.raises(PagingError):
        await w.jobs.list().collect()


async def test_long_page_tokens_are_not_kept(w, workspace):
    """What tells them apart is: 300 tokens of 7 kB are not 2 MB."""
    workspace.journal.keep = 1
    numbers = itertools.count()

    def body():
        return {"next_page_token": f"{next(numbers):06}" + "x" * 7_000}

    pages = w.jobs.list().pages()

    async def read(count):
        for _ in range(count):
            workspace.faults.add(LIST, *answers([body()]))
            await anext(pages)

    tracemalloc.start()
    await read(300)  # yarl keeps its latest addresses
    before, _ = tracemalloc.get_traced_memory()
    await read(300)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 1_000_000
