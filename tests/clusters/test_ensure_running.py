"""ensure_cluster_is_running: from any state, started once for any number of callers, and nothing left behind.

Here are the tests of `clusters/running.py`.
"""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest

from databricks_async.clusters.models import State
from databricks_async.errors import (
    DatabricksError,
    LifecycleError,
    MissingResource,
    OperationFailed,
    OperationTimeout,
    PermissionDenied,
    RequestTimeout,
)
from databricks_async.local import Fault

pytestmark = pytest.mark.usefixtures("virtual_time")

GET, START = "GET /api/{v}/clusters/get", "POST /api/{v}/clusters/start"


async def meanwhile(workspace, *awaitables):
    """What they give, while the clock moves on by ten seconds every few milliseconds."""
    tasks = [asyncio.ensure_future(one) for one in awaitables]
    pending = set(tasks)
    while pending:
        workspace.clock.advance(10)
        _, pending = await asyncio.wait(pending, timeout=0.002)
    return [task.result() for task in tasks]


def callers(w, cluster_id, count):
    return [asyncio.create_task(w.clusters.ensure_cluster_is_running(cluster_id)) for _ in range(count)]


def efforts():
    return [task for task in asyncio.all_tasks() if task.get_name().startswith("databricks_async")]


@pytest.mark.parametrize(
    ("state", "starts"),
    [("running", 0), ("pending", 0), ("resizing", 0), ("restarting", 0), ("terminating", 1), ("terminated", 1)],
)
async def test_a_cluster_is_brought_up_from_any_state(w, workspace, make, state, starts):
    """It is started only from TERMINATED, and what is on its way is waited for."""
    cluster_id = await getattr(make, state)()
    assert (await w.clusters.get(cluster_id)).state == state.upper()
    (cluster,) = await meanwhile(workspace, w.clusters.ensure_cluster_is_running(cluster_id))

    assert (cluster.cluster_id, cluster.state) == (cluster_id, State.RUNNING)
    assert workspace.journal.count(START) == starts
    assert efforts() == []


async def test_a_running_cluster_costs_one_request(w, workspace, make):
    """Every time: nothing is remembered."""
    cluster_id = await make.running()
    workspace.journal.clear()
    for asked in (1, 2):
        assert (await w.clusters.ensure_cluster_is_running(cluster_id)).state == State.RUNNING
        assert workspace.journal.count() == asked


async def test_many_callers_start_a_cluster_once(w, workspace, make):
    """And share one reader."""
    cluster_id = await make.terminated()
    workspace.journal.clear()
    tasks = callers(w, cluster_id, 10)
    await workspace.journal.until(lambda journal: journal.count(GET) == 4)
    workspace.clock.advance(300)
    clusters = await asyncio.gather(*tasks)

    assert {cluster.state for cluster in clusters} == {State.RUNNING}
    assert workspace.journal.count(START) == 1
    assert workspace.journal.count(GET) <= 6
    assert workspace.journal.in_flight_max == 1


async def test_clusters_are_brought_up_side_by_side(w, workspace, make):
    """One effort for each."""
    ids = [await make.terminated(cluster_name=name) for name in "abc"]
    clusters = await meanwhile(workspace, *map(w.clusters.ensure_cluster_is_running, ids))
    assert [cluster.cluster_id for cluster in clusters] == ids
    assert sorted(call.body["cluster_id"] for call in workspace.journal.calls(START)) == sorted(ids)


async def test_the_first_caller_may_leave(w, workspace, make):
    """The others have their cluster, and it is not started again for them."""
    cluster_id = await make.terminated()
    workspace.journal.clear()
    first, *others = callers(w, cluster_id, 3)
    await workspace.journal.until(lambda journal: journal.count(GET) == 3)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first

    assert [cluster.state for cluster in await meanwhile(workspace, *others)] == [State.RUNNING] * 2
    assert workspace.journal.count(START) == 1


async def test_when_all_callers_leave_nothing_stays(w, workspace, make):
    """No task and no more readings; the start that was sent goes on at the service."""
    cluster_id = await make.terminated()
    workspace.journal.clear()
    tasks = callers(w, cluster_id, 3)
    await workspace.journal.until(lambda journal: journal.count(GET) == 3)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert all(task.cancelled() for task in tasks)
    assert efforts() == []

    await workspace.journal.until(lambda journal: journal.in_flight == 0)
    read = workspace.journal.count()
    assert (await w.clusters.get(cluster_id)).state == State.PENDING
    assert workspace.journal.count() == read + 1


async def test_a_caller_after_all_others_left_begins_anew(w, workspace, make):
    """Even while the effort of the others is still being called off."""
    cluster_id = await make.terminated()
    (left,) = callers(w, cluster_id, 1)
    await workspace.journal.until(lambda journal: journal.count(START) == 1)
    left.cancel()
    (cluster,) = await meanwhile(workspace, w.clusters.ensure_cluster_is_running(cluster_id))
    assert cluster.state == State.RUNNING
    assert left.cancelled()


async def test_somebody_else_may_be_quicker(w, connect, workspace, make):
    """After INVALID_STATE to the start the next poll shows the state."""
    cluster_id = await make.pending()
    stale = json.dumps({"cluster_id": cluster_id, "state": "TERMINATED"})
    workspace.faults.add(GET, Fault.answer(200, stale))
    (cluster,) = await meanwhile(workspace, w.clusters.ensure_cluster_is_running(cluster_id))

    assert cluster.state == State.RUNNING
    (start,) = workspace.journal.calls(START)
    assert start.status == 400


async def test_two_programs_may_ensure_the_same_cluster(w, connect, workspace, make):
    """They cannot share an effort, and both have their cluster."""
    cluster_id = await make.terminated()
    both = [client.clusters.ensure_cluster_is_running(cluster_id) for client in (w, connect())]
    assert [cluster.state for cluster in await meanwhile(workspace, *both)] == [State.RUNNING] * 2


async def test_readings_that_stay_behind_are_not_asked_in_a_hurry(w, workspace, make):
    """A start refused again and again is tried with growing pauses, as everything is."""
    cluster_id = await make.running()
    workspace.overlay(cluster_id, state="TERMINATED")
    with pytest.raises(OperationTimeout):
        await w.clusters.ensure_cluster_is_running(cluster_id, timeout=0.1)
    assert 2 <= workspace.journal.count(START) <= 12


async def test_a_lost_answer_to_the_start_is_no_failure(w, workspace, make):
    """It is sent again, refused because the first one took effect, and the cluster comes up."""
    cluster_id = await make.terminated()
    workspace.faults.add(START, Fault.drop(after=True))
    (cluster,) = await meanwhile(workspace, w.clusters.ensure_cluster_is_running(cluster_id))

    assert cluster.state == State.RUNNING
    assert [call.status for call in workspace.journal.calls(START)] == [None, 400]


async def test_bad_answers_are_survived(connect, workspace, make):
    """As by any wait."""
    cluster_id = await make.terminated()
    bad = [Fault.error(500, "INTERNAL_ERROR"), Fault.answer(502, "<html>"), Fault.drop(), Fault.too_many_requests()]
    workspace.faults.add(GET, *bad)
    w = connect(retry_timeout_seconds=0)
    (cluster,) = await meanwhile(workspace, w.clusters.ensure_cluster_is_running(cluster_id))
    assert (cluster.state, len(workspace.faults)) == (State.RUNNING, 0)


async def test_a_start_that_fails_is_told_to_all_callers(w, workspace, make):
    """With its reason, and it is not tried again."""
    cluster_id = await make.terminated()
    workspace.fail_next_start(parameters={"azure_error_message": "no quota left"})
    (errors,) = await meanwhile(workspace, asyncio.gather(*callers(w, cluster_id, 3), return_exceptions=True))

    assert len(errors) == 3
    for error in errors:
        assert isinstance(error, OperationFailed)
        assert "no quota left" in str(error)
        assert error.last.state == State.TERMINATED
    assert workspace.journal.count(START) == 1


async def test_another_ones_start_that_fails_is_not_ours(w, workspace, make):
    """The cluster was coming up when we came: now we start it."""
    workspace.fail_next_start()
    cluster_id = await make.pending()
    (cluster,) = await meanwhile(workspace, w.clusters.ensure_cluster_is_running(cluster_id))
    assert cluster.state == State.RUNNING
    assert workspace.journal.count(START) == 1


async def test_an_error_state_is_a_failure(w, workspace, make):
    """Nothing leads from there."""
    cluster_id = await make.running()
    workspace.overlay(cluster_id, state="ERROR", state_message="lost")
    with pytest.raises(OperationFailed, match="ERROR: lost"):
        await w.clusters.ensure_cluster_is_running(cluster_id)


@pytest.mark.parametrize("state", ["HIBERNATING", "UNKNOWN"])
async def test_a_state_that_says_nothing_is_waited_through_without_a_hurry(w, workspace, make, state):
    """A word from tomorrow, or the service's own word for not knowing."""
    cluster_id = await make.running()
    workspace.overlay(cluster_id, state=state)
    workspace.journal.clear()
    with pytest.raises(OperationTimeout, match=f"not running after 0.1 s .last seen: {state}.") as caught:
        await w.clusters.ensure_cluster_is_running(cluster_id, timeout=0.1)
    assert caught.value.last.state == state
    assert 2 <= workspace.journal.count(GET) <= 12

    (task,) = callers(w, cluster_id, 1)
    workspace.overlay(cluster_id, state="RUNNING")
    assert (await task).state == State.RUNNING
    assert workspace.journal.count(START) == 0


async def test_a_timeout_is_its_callers_own(w, workspace, make):
    """The others go on; the error has the last reading, and is Python's TimeoutError too."""
    cluster_id = await make.terminated()
    (patient,) = callers(w, cluster_id, 1)
    with pytest.raises(TimeoutError) as caught:
        await w.clusters.ensure_cluster_is_running(cluster_id, timeout=timedelta(milliseconds=50))
    assert isinstance(caught.value, OperationTimeout)
    assert caught.value.last.state == State.PENDING
    assert not patient.done()

    workspace.clock.advance(300)
    assert (await patient).state == State.RUNNING
    assert workspace.journal.count(START) == 1


async def test_a_timeout_before_the_first_reading_has_nothing_to_show(w, workspace, make):
    """And leaves nothing behind."""
    cluster_id = await make.running()
    workspace.faults.add(GET, Fault.hang())
    with pytest.raises(OperationTimeout, match="last seen: None") as caught:
        await w.clusters.ensure_cluster_is_running(cluster_id, timeout=0.02)
    assert caught.value.last is None
    assert efforts() == []


async def test_the_callers_own_timeout_stays_the_callers(w, workspace, make):
    """It is not taken for the argument's."""
    cluster_id = await make.pending()
    with pytest.raises(TimeoutError) as caught:
        async with asyncio.timeout(0.02):
            await w.clusters.ensure_cluster_is_running(cluster_id, timeout=60)
    assert not isinstance(caught.value, DatabricksError)
    assert efforts() == []


async def test_a_start_that_timed_out_is_not_taken_for_the_callers_time(connect, workspace, make):
    """Though both are TimeoutErrors."""
    cluster_id = await make.terminated()
    workspace.faults.add(START, Fault.hang())
    w = connect(http_timeout_seconds=0.05, retry_timeout_seconds=0)
    with pytest.raises(RequestTimeout):
        await w.clusters.ensure_cluster_is_running(cluster_id, timeout=60)
    assert efforts() == []


async def test_an_unknown_cluster_is_told_to_all_callers(w, workspace):
    """By one request."""
    results = await asyncio.gather(*callers(w, "0923-164208-nothing", 3), return_exceptions=True)
    assert [type(error) for error in results] == [MissingResource] * 3
    assert workspace.journal.count() == 1


async def test_who_may_not_start_a_cluster_is_told_so(connect, workspace, make):
    """Not that it is missing, and not after a long wait."""
    cluster_id = await make.terminated()
    workspace.add_user("ann@example.com", "dapi-ann")
    admin, ann = connect(), connect(token="dapi-ann")
    await admin.clusters.update_permissions(
        cluster_id, [{"user_name": "ann@example.com", "permission_level": "CAN_ATTACH_TO"}]
    )
    with pytest.raises(PermissionDenied, match="CAN_RESTART"):
        await ann.clusters.ensure_cluster_is_running(cluster_id)


async def test_a_client_that_is_closed_ends_the_effort(connect, workspace, make):
    """The caller gets an error, soon."""
    cluster_id = await make.pending()
    w = connect()
    (task,) = callers(w, cluster_id, 1)
    await workspace.journal.until(lambda journal: journal.count(GET) == 2)
    await w.aclose()
    with pytest.raises(LifecycleError):
        await task
    assert efforts() == []
