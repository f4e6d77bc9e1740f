"""Waiting for a cluster: for its end, for its changes, through bad answers, and not for ever."""

from __future__ import annotations

import asyncio
import json
import pickle
from datetime import timedelta

import pytest

from databricks_async.clusters.models import State
from databricks_async.errors import OperationFailed, OperationTimeout, PermissionDenied, ResourceDoesNotExist
from databricks_async.local import Fault

pytestmark = pytest.mark.usefixtures("virtual_time")

GET = "GET /api/{v}/clusters/get"
HTML = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"


async def followed(workspace, wait, *seconds):
    """The states that a wait sees while the clock jumps on after each of them."""
    steps, seen = iter(seconds), []
    async for cluster in wait:
        seen.append(cluster.state)
        workspace.clock.advance(next(steps, 0))
    return seen


async def test_the_result_is_the_cluster_at_the_end(w, workspace, spec):
    """Running, with its driver; the wait keeps the last reading."""
    wait = await w.clusters.create(spec)
    assert wait.last is None
    workspace.clock.advance(300)
    cluster = await wait.result()

    assert (cluster.cluster_id, cluster.state, cluster.driver is not None) == (wait.cluster_id, State.RUNNING, True)
    assert wait.last is cluster
    assert await wait.result(timeout=5) == cluster


async def test_nothing_is_read_before_the_wait_is_used(w, workspace, spec):
    """A wait can be left alone."""
    await w.clusters.create(spec)
    assert [call.endpoint for call in workspace.journal.entries] == ["POST /api/2.1/clusters/create"]


async def test_each_change_is_seen_once(w, workspace, spec, make):
    """From the first reading to the end, both included; a wait can be followed again."""
    wait = await w.clusters.create(spec)
    assert await followed(workspace, wait, 300) == ["PENDING", "RUNNING"]
    assert await followed(workspace, wait) == ["RUNNING"]
    cluster_id = wait.cluster_id

    assert await followed(workspace, await w.clusters.restart(cluster_id), 240) == ["RESTARTING", "RUNNING"]
    assert await followed(workspace, await w.clusters.resize(cluster_id, num_workers=4), 60) == ["RESIZING", "RUNNING"]
    assert await followed(workspace, await w.clusters.delete(cluster_id), 30) == ["TERMINATING", "TERMINATED"]
    assert await followed(workspace, await w.clusters.start(cluster_id), 300) == ["PENDING", "RUNNING"]


async def test_a_state_that_stays_is_seen_once_however_often_it_is_read(w, workspace, spec):
    """Readings without a change are not handed out."""
    wait = await w.clusters.create(spec)
    workspace.journal.clear()
    following = asyncio.create_task(followed(workspace, wait))
    await workspace.journal.until(lambda journal: journal.count(GET) >= 5)
    workspace.clock.advance(300)

    assert await following == ["PENDING", "RUNNING"]


@pytest.mark.parametrize("timeout", [0.02, timedelta(milliseconds=20)])
async def test_a_timeout_carries_the_last_reading_and_the_cluster_goes_on(w, workspace, spec, timeout):
    """It names the cluster and its state; it is also Python's own TimeoutError."""
    wait = await w.clusters.create(spec)
    message = f"create of cluster {wait.cluster_id}: no result after 0.02 s .last seen: PENDING.; it goes on"
    with pytest.raises(OperationTimeout, match=message) as caught:
        await wait.result(timeout)
    assert isinstance(caught.value, TimeoutError)
    assert (caught.value.last.cluster_id, caught.value.last.state) == (wait.cluster_id, State.PENDING)

    workspace.clock.advance(300)
    assert (await wait.result(timedelta(seconds=5))).state == State.RUNNING
    assert workspace.journal.count("POST *") == 1


async def test_a_timeout_before_the_first_reading_has_nothing_to_show(w, workspace, spec):
    """`last` is None then."""
    wait = await w.clusters.create(spec)
    workspace.faults.add(GET, Fault.hang())
    with pytest.raises(OperationTimeout, match="last seen: None") as caught:
        await wait.result(timeout=0.02)
    assert caught.value.last is None


async def test_the_callers_own_timeout_stays_the_callers(w, spec):
    """It is not taken for the wait's."""
    wait = await w.clusters.create(spec)
    with pytest.raises(TimeoutError) as caught:
        async with asyncio.timeout(0.02):
            await wait.result(timeout=60)
    assert not isinstance(caught.value, OperationTimeout)


async def test_a_failed_start_tells_why(w, workspace, spec):
    """With the code, the kind and the words of the service, and the cluster as it was read last."""
    workspace.fail_next_start(parameters={"azure_error_message": "no quota left"})
    wait = await w.clusters.create(spec)
    assert await followed(workspace, wait, 300, 30) == ["PENDING", "TERMINATING", "TERMINATED"]

    with pytest.raises(OperationFailed, match=r"create of cluster .* failed: TERMINATED: .*no quota left") as caught:
        await wait.result()
    for words in ("CLOUD_PROVIDER_LAUNCH_FAILURE", "CLOUD_FAILURE"):
        assert str(caught.value).count(words) == 1
    reason = caught.value.last.termination_reason
    assert (reason.code, reason.type) == ("CLOUD_PROVIDER_LAUNCH_FAILURE", "CLOUD_FAILURE")
    assert pickle.loads(pickle.dumps(caught.value)).last == caught.value.last


async def test_a_reason_without_a_message_is_told_from_its_code(w, workspace, make):
    """The service does not always find words."""
    cluster_id = await make.running()
    reason = {"code": "SPOT_INSTANCE_TERMINATION", "type": "CLOUD_FAILURE"}
    workspace.overlay(cluster_id, state="TERMINATED", state_message="", termination_reason=reason)
    with pytest.raises(OperationFailed, match=r"failed: TERMINATED: SPOT_INSTANCE_TERMINATION \(CLOUD_FAILURE\)"):
        await w.clusters.wait_running(cluster_id).result()


async def test_an_error_state_ends_a_wait(w, workspace, make):
    """Whatever was waited for."""
    cluster_id = await make.running()
    workspace.overlay(cluster_id, state="ERROR", state_message="lost")
    for wait in (w.clusters.wait_running(cluster_id), w.clusters.wait_terminated(cluster_id)):
        with pytest.raises(OperationFailed, match="failed: ERROR: lost"):
            await wait.result()


async def test_an_edit_of_a_terminated_cluster_ends_well(w, make, spec):
    """It takes the change and stays down: that is what was asked for."""
    cluster_id = await make.terminated()
    edited = await w.clusters.edit_and_wait(cluster_id, spec | {"num_workers": 7}, timeout=5)
    updated = await w.clusters.update_and_wait(cluster_id, "cluster_name", {"cluster_name": "new"}, timeout=5)

    assert (edited.state, edited.num_workers) == (State.TERMINATED, 7)
    assert (updated.state, updated.cluster_name, updated.num_workers) == (State.TERMINATED, "new", 7)


async def test_an_edit_of_a_running_cluster_ends_when_it_runs_again(w, workspace, make, spec):
    """And fails when it does not come up again."""
    cluster_id = await make.running()
    wait = await w.clusters.edit(cluster_id, spec | {"num_workers": 7})
    assert await followed(workspace, wait, 240) == ["RESTARTING", "RUNNING"]
    assert wait.last.num_workers == 7

    workspace.fail_next_start()
    wait = await w.clusters.update(cluster_id, "num_workers", {"num_workers": 1})
    assert await followed(workspace, wait, 240, 30) == ["RESTARTING", "TERMINATING", "TERMINATED"]
    with pytest.raises(OperationFailed, match=r"update of cluster .* failed: TERMINATED"):
        await wait.result()


BAD = {
    "500": Fault.error(500, "INTERNAL_ERROR"),
    "502 html": Fault.answer(502, HTML, {"content-type": "text/html"}),
    "503": Fault.error(503, "TEMPORARILY_UNAVAILABLE"),
    "504": Fault.error(504, "DEADLINE_EXCEEDED"),
    "dropped": Fault.drop(),
    "cut": Fault.cut(),
    "429": Fault.too_many_requests(),
    "error with status 200": Fault.answer(200, b'{"error_code": "TEMPORARILY_UNAVAILABLE", "message": "try again"}'),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
async def test_a_bad_answer_does_not_end_a_wait(connect, workspace, make, bad):
    """Not even one that ends its request: the budget of a wait is its own."""
    cluster_id = await make.pending()
    wait = connect(retry_timeout_seconds=0).clusters.wait_running(cluster_id)
    workspace.faults.add(GET, bad)
    seen = []
    async for cluster in wait:
        seen.append(cluster.state)
        workspace.faults.add(GET, bad, times=2)
        workspace.clock.advance(300)

    assert seen == ["PENDING", "RUNNING"]
    assert len(workspace.faults) == 2  # those added after the end
    workspace.faults.clear()


async def test_bad_answers_one_after_the_other_do_not_end_a_wait(connect, workspace, make, caplog):
    """Each of them is logged with the name of what is waited for."""
    cluster_id = await make.running()
    workspace.faults.add(GET, *BAD.values())
    with caplog.at_level("WARNING", "databricks_async"):
        wait = connect(retry_timeout_seconds=0).clusters.wait_running(cluster_id)
        assert (await wait.result()).state == State.RUNNING

    assert len(workspace.faults) == 0
    assert [record.getMessage().partition(": ")[0] for record in caplog.records] == [
        f"start of cluster {cluster_id}"
    ] * len(BAD)


async def test_what_waiting_cannot_heal_ends_a_wait_at_once(w, workspace, make):
    """A refusal for lack of permission, for example."""
    cluster_id = await make.pending()
    workspace.faults.add(GET, Fault.error(403, "PERMISSION_DENIED", "no more"))
    with pytest.raises(PermissionDenied, match="no more"):
        await w.clusters.wait_running(cluster_id).result()


async def test_a_newborn_cluster_may_not_be_found_at_first(w, workspace, spec):
    """The service shows it a little later than it created it."""
    wait = await w.clusters.create(spec)
    unknown = f"Cluster {wait.cluster_id} does not exist"
    workspace.faults.add(GET, Fault.error(400, "INVALID_PARAMETER_VALUE", unknown), times=3)
    workspace.clock.advance(300)

    assert (await wait.result(timeout=5)).state == State.RUNNING
    assert workspace.journal.count(GET) == 4


async def test_an_unknown_cluster_that_is_not_newborn_raises_at_once(w, workspace):
    """A mistyped id, for example."""
    with pytest.raises(ResourceDoesNotExist):
        await w.clusters.wait_running("0923-164208-nothing").result()
    assert workspace.journal.count(GET) == 1


async def test_a_cluster_deleted_while_it_is_waited_for_is_told_so(w, workspace, spec):
    """The failure carries the last reading; the iteration just ends."""
    wait = await w.clusters.create(spec)
    seen = []
    async for cluster in wait:
        seen.append(cluster.state)
        await w.clusters.permanent_delete(wait.cluster_id)
    assert seen == ["PENDING"]

    wait = await w.clusters.create(spec)
    result = asyncio.create_task(wait.result())
    await workspace.journal.until(lambda journal: journal.count(GET) >= 3)
    await w.clusters.permanent_delete(wait.cluster_id)
    with pytest.raises(OperationFailed, match="it was deleted while it was waited for") as caught:
        await result
    assert caught.value.last.state == State.PENDING


async def test_cancelling_the_await_leaves_the_cluster_alone(w, workspace, spec):
    """Nothing is sent, and nothing goes on reading."""
    wait = await w.clusters.create(spec)
    workspace.journal.clear()
    result = asyncio.create_task(wait.result())
    await workspace.journal.until(lambda journal: journal.count(GET) >= 2)
    result.cancel()
    with pytest.raises(asyncio.CancelledError):
        await result
    await workspace.journal.until(lambda journal: journal.in_flight == 0)
    read = workspace.journal.count(GET)

    workspace.clock.advance(300)
    assert (await w.clusters.get(wait.cluster_id)).state == State.RUNNING
    assert workspace.journal.count() == read + 1


async def test_leaving_the_iteration_leaves_nothing(w, workspace, spec):
    """No task, not even for a moment."""
    wait = await w.clusters.create(spec)
    tasks = None
    async for _ in wait:
        tasks = asyncio.all_tasks()
        break
    assert asyncio.all_tasks() == tasks
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == tasks


async def test_a_wait_can_be_made_again_from_an_id(connect, workspace, make):
    """By another client, after a restart of the program."""
    cluster_id = await make.pending()
    up = connect().clusters.wait_running(cluster_id)
    assert await followed(workspace, up, 300) == ["PENDING", "RUNNING"]
    assert repr(up) == f"<ClusterWait for start of cluster {cluster_id}>"

    down = connect().clusters.wait_terminated(cluster_id)
    await connect().clusters.delete(cluster_id)
    assert await followed(workspace, down, 30) == ["TERMINATING", "TERMINATED"]
    assert (await down.result()).termination_reason.code == "USER_REQUEST"


async def test_a_cluster_that_runs_is_not_down_yet(w, workspace, make):
    """Waiting for the end goes on through RUNNING."""
    cluster_id = await make.running()
    down = w.clusters.wait_terminated(cluster_id)
    seen = []
    async for cluster in down:
        seen.append(cluster.state)
        if len(seen) == 1:
            await w.clusters.delete(cluster_id)
        workspace.clock.advance(15)
    assert seen == ["RUNNING", "TERMINATING", "TERMINATED"]


async def test_a_state_from_tomorrow_does_not_end_a_wait(w, workspace, make):
    """It is seen as a change, named by a timeout, and waited through."""
    cluster_id = await make.pending()
    workspace.overlay(cluster_id, state="HIBERNATING")
    with pytest.raises(OperationTimeout, match="last seen: HIBERNATING") as caught:
        await w.clusters.wait_running(cluster_id).result(timeout=0.02)
    assert (caught.value.last.state, caught.value.last.state.is_known) == ("HIBERNATING", False)

    seen = []
    async for cluster in w.clusters.wait_running(cluster_id):
        seen.append(cluster.state)
        workspace.overlay(cluster_id, state="RUNNING")
    assert seen == ["HIBERNATING", "RUNNING"]


async def test_an_answer_without_a_state_does_not_end_a_wait(w, workspace, make):
    """It says nothing."""
    cluster_id = await make.running()
    workspace.faults.add(GET, Fault.answer(200, json.dumps({"cluster_id": cluster_id})), times=2)
    seen = [cluster.state async for cluster in w.clusters.wait_running(cluster_id)]
    assert seen == [None, "RUNNING"]


async def test_two_waits_at_once_do_not_disturb_each_other(w, workspace, make):
    """Two clusters, and the same one twice; one of them runs into its timeout."""
    first, second = await make.pending(cluster_name="a"), await make.pending(cluster_name="b")
    workspace.overlay(second, state="PENDING")
    wait = w.clusters.wait_running(first)
    results = [
        asyncio.create_task(one)
        for one in (wait.result(), wait.result(), w.clusters.wait_running(second).result(timeout=0.05))
    ]
    workspace.clock.advance(300)
    done = await asyncio.gather(*results, return_exceptions=True)

    assert [cluster.cluster_id for cluster in done[:2]] == [first, first]
    assert isinstance(done[2], OperationTimeout)
    assert done[2].last.cluster_id == second
