"""Lost answers: what can be sent again is, what cannot is done once, and the error says how to find out."""

from __future__ import annotations

import pytest

from databricks_async.clusters.models import State
from databricks_async.errors import InvalidState, OutcomeUnknown
from databricks_async.local import Fault

CREATE = "POST /api/{v}/clusters/create"
AFTER = {
    "dropped": Fault.drop(after=True),
    "cut": Fault.cut(),
    "500": Fault.error(500, "INTERNAL_ERROR", after=True),
    "502 html": Fault.answer(502, "<html>Bad Gateway</html>", after=True),
    "503": Fault.error(503, "TEMPORARILY_UNAVAILABLE", after=True),
    "504": Fault.answer(504, after=True),
}
UNREADABLE = {
    "unreadable": Fault.answer(200, b"{", after=True),
    "without an id": Fault.answer(200, b"{}", after=True),
}


@pytest.mark.parametrize("lost", [*AFTER.values(), *UNREADABLE.values()], ids=[*AFTER, *UNREADABLE])
async def test_a_create_whose_answer_is_lost_is_sent_once(w, workspace, make, spec, lost):
    """One request, one cluster, and an error that says how to find it; doing so finds it."""
    await make.pending(cluster_name="another")
    workspace.clock.advance(60)
    called_at = workspace.clock.now()
    workspace.faults.add(CREATE, lost)
    with pytest.raises(OutcomeUnknown, match=r"POST /api/2\.1/clusters/create") as caught:
        await w.clusters.create(spec)

    assert workspace.journal.count(CREATE) == 2
    assert caught.value.lookup == (
        "look through clusters.list() for the cluster_name 'etl' and a start_time not before this call"
    )
    assert caught.value.lookup in str(caught.value)
    found = [
        cluster
        async for cluster in w.clusters.list()
        if cluster.cluster_name == "etl" and cluster.start_time >= called_at
    ]
    assert len(found) == 1
    workspace.clock.advance(300)
    assert (await w.clusters.wait_running(found[0].cluster_id).result()).state == State.RUNNING


@pytest.mark.usefixtures("virtual_time")
async def test_a_create_that_takes_too_long_is_sent_once(connect, workspace, spec):
    """Whether it was carried out is not known either."""
    workspace.faults.add(CREATE, Fault.hang(after=True))
    with pytest.raises(OutcomeUnknown, match=r"no complete answer within 0\.05 s"):
        await connect(http_timeout_seconds=0.05).clusters.create(spec)
    assert workspace.journal.count(CREATE) == 1


async def test_a_cluster_without_a_name_is_looked_for_without_one(w, workspace, spec):
    """The hint does not invent one."""
    del spec["cluster_name"]
    workspace.faults.add(CREATE, Fault.drop(after=True))
    with pytest.raises(OutcomeUnknown, match="for an empty cluster_name and a start_time") as caught:
        await w.clusters.create(spec)
    assert "spark_version" not in str(caught.value)
    assert [cluster.cluster_name async for cluster in w.clusters.list()] == [""]


@pytest.mark.parametrize("refusal", [Fault.too_many_requests(0.01), Fault.answer(503, headers={"Retry-After": "0.01"})])
async def test_a_create_that_was_refused_for_its_rate_is_sent_again(w, workspace, spec, refusal):
    """The service did nothing, and said when to come back."""
    workspace.faults.add(CREATE, refusal)
    await w.clusters.create(spec)
    assert [call.status for call in workspace.journal.calls(CREATE)] == [refusal.response.status, 200]
    assert len(await w.clusters.list().collect()) == 1


@pytest.mark.parametrize("lost", AFTER.values(), ids=AFTER)
async def test_a_restart_whose_answer_is_lost_is_done_once(w, workspace, make, lost):
    """Following the hint shows that it was."""
    cluster_id = await make.running()
    workspace.faults.add("POST /api/{v}/clusters/restart", lost)
    with pytest.raises(OutcomeUnknown, match=cluster_id) as caught:
        await w.clusters.restart(cluster_id)

    assert f"clusters.get('{cluster_id}') shows its state" in caught.value.lookup
    assert (await w.clusters.get(cluster_id)).state == State.RESTARTING
    assert workspace.journal.count("POST /api/{v}/clusters/restart") == 1
    assert len(await w.clusters.events(cluster_id, event_types="RESTARTING").collect()) == 1


@pytest.mark.parametrize("lost", [Fault.drop(), Fault.error(500, "INTERNAL_ERROR"), Fault.answer(502, "<html>")])
@pytest.mark.parametrize(
    ("action", "before", "after"),
    [
        ("start", "terminated", State.PENDING),
        ("delete", "running", State.TERMINATING),
        ("pin", "running", State.RUNNING),
        ("unpin", "running", State.RUNNING),
    ],
)
async def test_a_write_that_did_not_take_effect_is_repeated(w, workspace, make, action, before, after, lost):
    """And succeeds, unless it could do harm twice."""
    cluster_id = await getattr(make, before)()
    workspace.faults.add(f"POST /api/{{v}}/clusters/{action}", lost)
    await getattr(w.clusters, action)(cluster_id)

    assert (await w.clusters.get(cluster_id)).state == after
    assert workspace.journal.count(f"POST /api/{{v}}/clusters/{action}") == 2


@pytest.mark.parametrize(("action", "before"), [("delete", "running"), ("pin", "running"), ("unpin", "pending")])
async def test_a_write_that_did_take_effect_may_be_repeated(w, workspace, make, action, before):
    """Where doing it twice is the same as doing it once."""
    cluster_id = await getattr(make, before)()
    workspace.faults.add(f"POST /api/{{v}}/clusters/{action}", Fault.drop(after=True))
    await getattr(w.clusters, action)(cluster_id)
    assert [call.status for call in workspace.journal.calls(f"POST /api/{{v}}/clusters/{action}")] == [None, 200]


@pytest.mark.parametrize(
    ("action", "before", "more"),
    [
        ("start", "terminated", {}),
        ("resize", "running", {"num_workers": 5}),
        ("permanent_delete", "terminated", {}),
    ],
)
async def test_a_repeated_write_that_is_refused_because_it_was_done_is_not_taken_for_a_failure(
    w, workspace, make, action, before, more
):
    """Nor for a success: the refusal may have another reason. The error says both, and where to look."""
    cluster_id = await getattr(make, before)()
    endpoint = f"POST /api/{{v}}/clusters/{action.replace('_', '-')}"
    workspace.faults.add(endpoint, Fault.drop(after=True))
    with pytest.raises(OutcomeUnknown, match=r"was repeated and then refused .* clusters\.get") as caught:
        await getattr(w.clusters, action)(cluster_id, **more)

    assert [call.status for call in workspace.journal.calls(endpoint)] == [None, 400]
    assert (caught.value.status, caught.value.attempts) == (400, 2)


@pytest.mark.parametrize(
    ("action", "more"),
    [
        ("edit", {"spark_version": "16.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}),
        ("update", {"update_mask": "custom_tags"}),
    ],
)
@pytest.mark.parametrize(("before", "sent"), [("running", [None]), ("terminated", [None, 200])])
async def test_a_change_that_restarts_a_cluster_is_never_sent_twice(w, workspace, make, action, more, before, sent):
    """A running cluster would restart again; a terminated one takes the same change twice without harm."""
    cluster_id = await getattr(make, before)()
    workspace.faults.add(f"POST /api/{{v}}/clusters/{action}", Fault.drop(after=True))
    change = getattr(w.clusters, action)(cluster_id, **more)
    if before == "running":
        with pytest.raises(OutcomeUnknown, match=r"its answer lost .* clusters\.get"):
            await change
    else:
        await change
    assert [call.status for call in workspace.journal.calls(f"POST /api/{{v}}/clusters/{action}")] == sent


async def test_a_start_that_is_refused_at_once_is_a_plain_refusal(w, make):
    """Nothing was lost: the state is the reason."""
    cluster_id = await make.running()
    with pytest.raises(InvalidState, match="unexpected state Running"):
        await w.clusters.start(cluster_id)


async def test_reads_are_repeated_whatever_their_method(w, workspace, make):
    """Events are read with a POST."""
    cluster_id = await make.running()
    workspace.faults.add("POST /api/{v}/clusters/events", Fault.drop(after=True))
    workspace.faults.add("GET /api/{v}/clusters/get", Fault.cut())
    assert len(await w.clusters.events(cluster_id).collect()) == 3
    assert (await w.clusters.get(cluster_id)).state == State.RUNNING


async def test_a_token_of_the_callers_makes_one_cluster(w, workspace, spec):
    """The answer is lost twice, and the same request is sent again: the service knows its token."""
    workspace.faults.add("POST /api/{v}/clusters/create", Fault.drop(after=True), times=2)
    wait = await w.clusters.create(spec, idempotency_token="mine")
    assert workspace.journal.count("POST /api/{v}/clusters/create") == 3
    assert [cluster.cluster_id async for cluster in w.clusters.list()] == [wait.cluster_id]
    assert wait.response.cluster_id == wait.cluster_id
    assert (await w.clusters.create({**spec, "idempotency_token": "mine"})).cluster_id == wait.cluster_id


async def test_a_token_is_told_when_no_answer_ever_came(connect, workspace, spec):
    """The same call with it brings the cluster, if there is one."""
    workspace.faults.add("POST /api/{v}/clusters/create", Fault.drop(after=True), times=1)
    with pytest.raises(OutcomeUnknown) as caught:
        await connect(retry_timeout_seconds=0).clusters.create(**spec, idempotency_token="mine")
    assert caught.value.idempotency_token == "mine"


@pytest.mark.parametrize("token", ["", "x" * 65])
async def test_a_token_that_protects_nothing_is_refused(w, workspace, spec, token):
    """Before anything is sent."""
    with pytest.raises(ValueError, match="idempotency_token"):
        await w.clusters.create(spec, idempotency_token=token)
    assert not workspace.journal.entries
