"""Starting runs when answers are lost: one call is one run, two calls are two."""

from __future__ import annotations

import asyncio

import pytest

from databricks_async.errors import BadRequest, OutcomeUnknown, ResourceDoesNotExist, RunFailed
from databricks_async.local import Fault

RUN_NOW = "POST /api/{v}/jobs/run-now"
SUBMIT = "POST /api/{v}/jobs/runs/submit"
AFTER = {
    "dropped": Fault.drop(after=True),
    "cut": Fault.cut(),
    "500": Fault.error(500, "INTERNAL_ERROR", after=True),
    "503": Fault.answer(503, "<html>", after=True),
}


async def runs_of(w):
    return [run.run_id async for run in w.jobs.list_runs()]


def tokens(workspace, endpoint):
    return [call.body["idempotency_token"] for call in workspace.journal.calls(endpoint)]


@pytest.mark.parametrize("version", ["2.1", "2.2"])
@pytest.mark.parametrize("lost", AFTER.values(), ids=AFTER)
async def test_a_submit_whose_answer_is_lost_twice_is_one_run(w, workspace, lost, once):
    """The same token goes with every try, so the third brings the run that the first one started."""
    workspace.faults.add(SUBMIT, lost, times=2)
    wait = await w.jobs.submit(tasks=[once("a")])
    assert await runs_of(w) == [wait.run_id]
    first, second, third = tokens(workspace, SUBMIT)
    assert first == second == third
    assert 0 < len(first) <= 64


@pytest.mark.parametrize("version", ["2.1", "2.2"])
async def test_a_run_now_whose_answer_is_lost_twice_is_one_run(w, workspace, task):
    """As for submit."""
    job_id = (await w.jobs.create(name="nightly", tasks=[task("a")])).job_id
    workspace.faults.add(RUN_NOW, Fault.drop(after=True), times=2)
    wait = await w.jobs.run_now(job_id)
    assert await runs_of(w) == [wait.run_id]
    assert len(set(tokens(workspace, RUN_NOW))) == 1


@pytest.mark.parametrize("lost", [Fault.drop(after=True), Fault.cut()], ids=["drop", "cut"])
async def test_a_submit_that_is_never_answered_tells_its_token(connect, workspace, once, lost):
    """With it the run is found that may have been started."""
    workspace.faults.add(SUBMIT, lost, probability=1.0)
    w = connect(retry_timeout_seconds=0.4)
    with pytest.raises(OutcomeUnknown, match="idempotency_token=") as caught:
        await w.jobs.submit(tasks=[once("a")])
    workspace.faults.clear()
    (token,) = set(tokens(workspace, SUBMIT))
    assert f"idempotency_token={token!r}" in caught.value.lookup
    assert caught.value.idempotency_token == token
    wait = await w.jobs.submit(tasks=[once("a")], idempotency_token=token)
    assert await runs_of(w) == [wait.run_id]


@pytest.mark.parametrize(
    "refusal",
    [Fault.error(403, "PERMISSION_DENIED"), Fault.too_many_requests()],
    ids=["forbidden", "too many requests"],
)
async def test_a_submit_that_is_refused_after_a_lost_answer_tells_its_token(connect, workspace, once, refusal):
    """The first try may have started the run."""
    workspace.faults.add(SUBMIT, Fault.drop(after=True))
    workspace.faults.add(SUBMIT, refusal, probability=1.0)
    w = connect(retry_timeout_seconds=0.8)
    with pytest.raises(OutcomeUnknown) as caught:
        await w.jobs.submit(tasks=[once("a")])
    workspace.faults.clear()
    wait = await w.jobs.submit(tasks=[once("a")], idempotency_token=caught.value.idempotency_token)
    assert await runs_of(w) == [wait.run_id]


async def test_a_submit_cut_short_by_closing_tells_its_token(connect, workspace, once):
    """The client is closed while the call waits for its next try."""
    workspace.faults.add(SUBMIT, Fault.drop(after=True), probability=1.0)
    w = connect()
    call = asyncio.create_task(w.jobs.submit(tasks=[once("a")]))
    await workspace.journal.until(lambda journal: journal.count(SUBMIT) > 1)
    await w.aclose()
    with pytest.raises(OutcomeUnknown, match="idempotency_token="):
        await call


async def test_two_calls_are_two_runs(w, workspace, once):
    """Equal in everything but their tokens."""
    first, second = [await w.jobs.submit(tasks=[once("a")]) for _ in range(2)]
    assert first.run_id != second.run_id
    assert len(set(tokens(workspace, SUBMIT))) == 2


async def test_a_thousand_submits_with_lost_answers_are_a_thousand_runs(connect, workspace, once):
    """Every fifth answer is lost after the run has started."""
    workspace.faults.add(SUBMIT, Fault.drop(after=True), probability=0.2)
    w = connect(retry_timeout_seconds=120)
    waits = await asyncio.gather(*(w.jobs.submit(run_name=str(n), tasks=[once("a")]) for n in range(1000)))
    workspace.faults.clear()
    runs = [run async for run in w.jobs.list_runs()]
    assert len(runs) == 1000
    assert {run.run_id for run in runs} == {wait.run_id for wait in waits}
    assert {run.run_name for run in runs} == set(map(str, range(1000)))
    assert workspace.journal.count(SUBMIT) > 1100


async def test_a_token_of_the_caller_is_sent_as_it_is(w, workspace, once):
    """And brings the run of the first call again."""
    first = await w.jobs.submit(tasks=[once("a")], idempotency_token="nightly-2025-09-23")
    again = await w.jobs.submit(tasks=[once("a")], idempotency_token="nightly-2025-09-23")
    assert again.run_id == first.run_id
    assert tokens(workspace, SUBMIT) == ["nightly-2025-09-23"] * 2
    assert (first.is_old, again.is_old) == (False, False)


async def test_a_token_that_meets_an_ended_run_is_seen(w, workspace, finish, once):
    """At once, and the old run's failure is not taken for success."""
    workspace.script_task("a", error="no such table")
    await w.jobs.submit(tasks=[once("a")], idempotency_token="mine")
    finish()
    again = await w.jobs.submit(tasks=[once("a")], idempotency_token="mine")
    assert again.is_old is True
    assert again.last.ended
    with pytest.raises(RunFailed, match="no such table"):
        await again.result()


async def test_what_cannot_be_looked_at_does_not_lose_the_run(w, workspace, once):
    """Reading the run of a caller's token is no part of starting it."""
    workspace.faults.add("GET /api/{v}/jobs/runs/get", Fault.error(403, "PERMISSION_DENIED"))
    wait = await w.jobs.submit(tasks=[once("a")], idempotency_token="mine")
    assert await runs_of(w) == [wait.run_id]
    assert wait.is_old is None


async def test_the_token_of_a_deleted_run_is_refused(w, workspace, finish, once):
    """With the service's own error, once."""
    wait = await w.jobs.submit(tasks=[once("a")], idempotency_token="mine")
    finish()
    await w.jobs.delete_run(wait.run_id)
    with pytest.raises(BadRequest):
        await w.jobs.submit(tasks=[once("a")], idempotency_token="mine")
    assert workspace.journal.count(SUBMIT) == 2


async def test_a_create_whose_answer_is_lost_is_sent_once(w, workspace, task):
    """The error says how to find the job, and doing so finds it."""
    workspace.faults.add("POST /api/{v}/jobs/create", Fault.drop(after=True))
    with pytest.raises(OutcomeUnknown) as caught:
        await w.jobs.create(name="nightly", tasks=[task("a")])
    assert workspace.journal.count("POST /api/{v}/jobs/create") == 1
    assert caught.value.lookup == "look through jobs.list(name='nightly') for a created_time not before this call"
    assert len(await w.jobs.list(name="nightly").collect()) == 1


async def test_a_repair_whose_answer_is_lost_is_sent_once(w, workspace, finish, once):
    """The error says where to look, and the repair is there."""
    workspace.script_task("a", error="boom", times=1)
    wait = await w.jobs.submit(tasks=[once("a")])
    finish()
    workspace.faults.add("POST /api/{v}/jobs/runs/repair", Fault.drop(after=True))
    with pytest.raises(OutcomeUnknown) as caught:
        await w.jobs.repair_run(wait.run_id, rerun_all_failed_tasks=True)
    assert workspace.journal.count("POST /api/{v}/jobs/runs/repair") == 1
    assert f"jobs.get_run({wait.run_id}, include_history=True)" in caught.value.lookup
    run = await w.jobs.get_run(wait.run_id, include_history=True)
    assert [item.type for item in run.repair_history] == ["ORIGINAL", "REPAIR"]
    finish()
    assert (await w.jobs.wait_run(wait.run_id).result()).succeeded


async def test_a_delete_of_a_run_whose_answer_is_lost_tells_how_to_look(w, workspace, finish, once):
    """The second try is refused, for there is nothing any more; reading shows it."""
    run_id = (await w.jobs.submit(tasks=[once("a")])).run_id
    finish()
    workspace.faults.add("POST /api/{v}/jobs/runs/delete", Fault.drop(after=True))
    with pytest.raises(OutcomeUnknown) as caught:
        await w.jobs.delete_run(run_id)
    assert caught.value.lookup == f"jobs.get_run({run_id}) raises ResourceDoesNotExist once it is deleted"
    with pytest.raises(ResourceDoesNotExist):
        await w.jobs.get_run(run_id)


async def test_a_delete_of_a_job_whose_answer_is_lost_is_sent_again(w, workspace, task):
    """The service does nothing for a job that is gone."""
    job_id = (await w.jobs.create(name="nightly", tasks=[task("a")])).job_id
    workspace.faults.add("POST /api/{v}/jobs/delete", Fault.drop(after=True))
    await w.jobs.delete(job_id)
    assert workspace.journal.count("POST /api/{v}/jobs/delete") == 2
    with pytest.raises(ResourceDoesNotExist):
        await w.jobs.get(job_id)
