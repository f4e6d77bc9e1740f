"""The admin endpoint: what Python tests say to a workspace, said by any program on this machine.

Here are the tests of `local/admin/`.
"""

from __future__ import annotations

import base64
import inspect

import aiohttp
import pytest

from databricks_async.local import Clock, LocalWorkspace
from databricks_async.local.admin import HELP, Admin
from databricks_async.local.admin.calls import CALLS

TASK = {"task_key": "load", "notebook_task": {"notebook_path": "/Shared/load"}}
LIST = "/api/2.1/clusters/list"


@pytest.fixture
def local(wire, workspace):
    """Asks the admin endpoint, and gives back the answer of a request that must succeed."""
    workspace.admin = Admin(workspace)

    async def ask(name, method=None, /, **body):
        return await wire.ok(method or ("POST" if body else "GET"), f"/_local/{name}", **body)

    return ask


async def refused(wire, name, body, method="POST", **kwargs):
    """The status and the message of a refusal."""
    status, answer = await wire.send(method, f"/_local/{name}", json=body, **kwargs)
    return status, answer["message"]


async def test_the_clock_is_read_and_advanced(local, wire, workspace):
    """And what falls due happens."""
    cluster_id = await wire.create()
    before = (await local("clock"))["now"]
    assert (await local("clock", advance=300))["now"] == before + 300_000 == workspace.clock.now()
    assert await wire.state(cluster_id) == "RUNNING"


async def test_faults_are_planned_shown_and_cleared(local, wire):
    """In the words of the command line, one or several, with a seed."""
    answer = await local("faults", plan="GET */clusters/list=503:2")
    assert answer == {
        "planned": ["answer-503-TEMPORARILY_UNAVAILABLE for GET */clusters/list 2 times"],
        "strikes_left": 2,
    }
    assert [(await wire.get(LIST))[0] for _ in range(3)] == [503, 503, 200]
    drawn = []
    for _ in range(2):
        await local("faults", plan=["*=500@50%", "CONNECT=stall,skip=99"], seed=3)
        drawn.append([(await wire.get(LIST))[0] for _ in range(12)])
        assert len((await local("faults"))["planned"]) == 2
        await local("faults", "DELETE")
    assert drawn[0] == drawn[1]
    assert set(drawn[0]) == {200, 500}
    assert (await wire.get(LIST))[0] == 200


async def test_the_journal_is_read_and_cleared(local, wire, workspace):
    """Without the requests to the admin endpoint, and without secrets."""
    await wire.get(LIST)
    await wire.create()
    journal = await local("journal")
    assert (journal["count"], journal["in_flight"], journal["connections"], journal["unknown_routes"]) == (2, 0, 1, [])
    get, create = journal["calls"]
    assert (get["endpoint"], get["status"], get["headers"]["authorization"]) == (f"GET {LIST}", 200, "***")
    assert create["body"]["cluster_name"] == "etl"
    fitting = await wire.ok("GET", "/_local/journal", endpoint="* /api/*", last="1")
    assert (fitting["count"], [call["endpoint"] for call in fitting["calls"]]) == (2, ["POST /api/2.1/clusters/create"])
    await local("journal", "DELETE")
    assert workspace.journal.entries == []


async def test_tasks_are_scripted(local, wire, workspace):
    """As `script_task` does it."""
    await local("script_task", name="load", error="no such file", times=1)
    run_id = (await wire.ok("POST", "/api/2.2/jobs/runs/submit", tasks=[TASK]))["run_id"]
    workspace.clock.advance(600)
    run = await wire.ok("GET", "/api/2.2/jobs/runs/get", run_id=run_id)
    assert run["state"]["result_state"] == "FAILED"


async def test_a_limit_is_set_and_lifted(local, wire):
    """Requests beyond it are refused with the `Retry-After` that was asked for."""
    limit = await local("rate_limit", per_second=0.001, burst=2, retry_after="soon")
    assert (limit["burst"], limit["refused"]) == (2, 0)
    assert [(await wire.get(LIST))[0] for _ in range(3)] == [200, 200, 429]
    assert (await local("rate_limit"))["refused"] == 1
    await local("rate_limit", "DELETE")
    assert (await wire.get(LIST))[0] == 200


async def test_all_the_other_methods(local, wire, workspace):
    """Each as in Python."""
    assert (await local("timing", pending=5))["pending"] == 5
    await local("fail_next_start", code="CLOUD_PROVIDER_RESOURCE_STOCKOUT")
    failing = await wire.create()
    await local("fail_next_library", library="pandas", message="no such version")
    cluster_id = await wire.running()
    assert (await wire.cluster(failing))["termination_reason"]["code"] == "CLOUD_PROVIDER_RESOURCE_STOCKOUT"
    await local("overlay", cluster_id=cluster_id, fields={"state": "HIBERNATED"})
    assert await wire.state(cluster_id) == "HIBERNATED"
    await local("add_events", cluster_id=cluster_id, count=30, every=0.5)
    assert sum(event["type"] == "AUTOSCALING_STATS_REPORT" for event in await wire.events(cluster_id)) == 30
    await local("touch", cluster_id=cluster_id)
    await local("add_user", name="ann@example.com", token="her-token")
    assert (await wire.get(LIST, token="her-token"))[0] == 200
    await local("revoke_tokens", tokens=["her-token"])
    assert (await wire.get(LIST, token="her-token"))[0] == 401
    await local("add_service_principal", client_id="id", client_secret="secret")
    policy = await local("add_policy", name="small", definition={"num_workers": {"type": "fixed", "value": 1}})
    assert policy["policy_id"]
    await local("add_object", path="/Shared/a", language="PYTHON", content=base64.b64encode(b"print(1)").decode())
    assert (await wire.ok("GET", "/api/2.0/workspace/get-status", path="/Shared/a"))["object_type"] == "NOTEBOOK"
    trigger = {"file_arrival": {"url": "/Volumes/main/raw/"}}
    settings = {"tasks": [TASK], "trigger": trigger, "max_concurrent_runs": 5}
    job_id = (await wire.ok("POST", "/api/2.2/jobs/create", **settings))["job_id"]
    await local("file_arrived", location="/Volumes/main/raw/a.csv")
    await local("table_updated", name="main.sales.orders")
    backfill = await local("run_backfill", job_id=job_id, moments=["2026-11-01T00:00:00+00:00", "2026-11-02T00:00:00Z"])
    runs = (await wire.ok("GET", "/api/2.2/jobs/runs/list", job_id=str(job_id)))["runs"]
    assert len(backfill["run_ids"]) == 2
    assert len(runs) == 3
    await local("overlay_run", run_id=runs[0]["run_id"], fields={"run_name": "renamed"})
    run = await wire.ok("GET", "/api/2.2/jobs/runs/get", run_id=str(runs[0]["run_id"]))
    assert run["run_name"] == "renamed"
    await wire.ok("POST", "/_local/load", jobs=[{"job_id": 7, "settings": {"name": "seven", "tasks": [TASK]}}])
    assert (await wire.ok("GET", "/api/2.2/jobs/get", job_id="7"))["settings"]["name"] == "seven"


async def test_reset_forgets_everything_but_the_token_and_the_time(local, wire, workspace):
    """As new, so the same ids are drawn again."""
    first, now = await wire.create(), workspace.clock.now()
    workspace.add_user("ann@example.com", "her-token")
    await local("faults", plan="*=500@1")
    await local("timing", pending=1)
    await local("rate_limit", concurrent=1)
    await local("reset", "POST")
    assert "clusters" not in await wire.ok("GET", LIST)
    assert (await wire.get(LIST, token="her-token"))[0] == 403
    assert (workspace.clock.now(), workspace.timing.pending, workspace.rate_limit) == (now, 300, None)
    assert len(workspace.journal.entries) == 2
    assert await wire.create() == first


async def test_an_observer_leaves_no_trace(local, wire, workspace):
    """It sees what there is, in spite of faults and limits, also after a reset."""
    workspace.add_observer("observer")
    cluster_id = await wire.create()
    await local("faults", plan="*=500@1")
    await local("rate_limit", concurrent=1, per_second=0.001, burst=1)
    for _ in range(3):
        status, answer = await wire.get(LIST, token="observer")
        assert (status, [cluster["cluster_id"] for cluster in answer["clusters"]]) == (200, [cluster_id])
    assert (await wire.get(LIST))[0] == 500
    assert [call.endpoint for call in workspace.journal.entries] == ["POST /api/2.1/clusters/create", f"GET {LIST}"]
    await local("reset", "POST")
    assert (await wire.get(LIST, token="observer"))[0] == 200
    assert workspace.journal.entries == []


async def test_what_a_workspace_began_with_is_put_back(wire, workspace):
    """By whoever made the endpoint."""
    workspace.admin = Admin(workspace, prepare=lambda: workspace.add_object("/Shared/seed", b"1"))
    await wire.ok("POST", "/_local/reset")
    assert (await wire.ok("GET", "/api/2.0/workspace/get-status", path="/Shared/seed"))["object_type"] == "FILE"


async def test_help_names_everything(local, wire):
    """With curl."""
    async with wire.session.get(
        f"{wire.workspace.url}/_local", headers={"Authorization": f"Bearer {wire.token}"}
    ) as response:
        text = await response.text()
    assert text.startswith(HELP)
    assert all(name in text for _, name in CALLS)


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("clock", {"advance": -1}, "a clock only moves forward"),
        ("clock", {"advance": "1"}, "Parameter advance must be a number"),
        ("clock", {}, "Missing required field: advance"),
        ("clock", {"advanced": 1}, "unknown: advanced; it takes advance"),
        ("clock", [1], "the body is a JSON object"),
        ("faults", {"plan": "GET */clusters/get=rest"}, "did you mean 'reset'"),
        ("faults", {"plan": [1]}, "plan is a text"),
        ("rate_limit", {}, "a rate limit needs per_second, concurrent, or both"),
        ("rate_limit", {"per_second": 0}, "per_second is greater than 0"),
        ("rate_limit", {"per_second": 1, "retry_after": [1]}, "retry_after is a number"),
        ("timing", {"pendin": 1}, "timing has no 'pendin'"),
        ("timing", {"pending": -1}, "pending is a number of seconds"),
        ("add_object", {"path": "/Shared/a", "content": "?"}, "content is base64"),
        ("add_policy", {"name": "a", "definition": 7}, "definition is an object"),
        ("load", {"cluster_id": "7"}, "cluster (7): Missing required field: spark_version"),
        ("touch", {"cluster_id": "7"}, "Cluster 7 does not exist"),
        ("run_backfill", {"job_id": 7, "moments": ["soon"]}, "Invalid isoformat string"),
    ],
)
async def test_what_cannot_be_done_is_explained(local, wire, name, body, said):
    """With 400."""
    status, message = await refused(wire, name, body)
    assert (status, said in message) == (400, True), message


async def test_other_paths_and_methods_are_refused(local, wire, workspace):
    """With what there is instead; without the endpoint there is nothing."""
    assert await refused(wire, "nothing", {}) == (404, "There is no /_local/nothing: see GET /_local")
    assert await refused(wire, "clock", {}, "DELETE") == (405, "/_local/clock takes GET, POST")
    assert (await refused(wire, "stop", {}))[0] == 404
    status, answer = await wire.send("POST", "/_local/clock", data=b"{")
    assert (status, answer["error_code"]) == (400, "MALFORMED_REQUEST")
    workspace.admin = None
    assert (await wire.send("GET", "/_local/clock"))[0] == 404


async def test_only_the_token_of_the_workspace_lets_in(local, wire, workspace):
    """Not that of another user, admin or not, and none is not enough; also after it was revoked, to reset."""
    workspace.add_user("ann@example.com", "her-token", admin=True)
    assert (await refused(wire, "clock", {"advance": 1}, token="her-token"))[0] == 401
    async with wire.session.get(f"{workspace.url}/_local/journal") as response:
        assert response.status == 401
    workspace.revoke_tokens(workspace.token)
    await local("reset", "POST")
    assert (await wire.get(LIST))[0] == 200


async def test_only_this_machine_is_let_in():
    """Also where the whole network can reach the workspace itself."""
    async with LocalWorkspace(clock=Clock.by_hand(), host="0.0.0.0") as workspace:  # noqa: S104
        workspace.admin = Admin(workspace)
        port = workspace.url.rpartition(":")[2]
        headers = {"Authorization": f"Bearer {workspace.token}"}
        statuses = []
        for source in ("127.0.0.1", None):
            request = Request(source)
            request.headers = headers
            statuses.append((await workspace.admin(request)).status)
        url = f"http://127.0.0.1:{port}/_local/clock"
        async with aiohttp.ClientSession(headers=headers) as session, session.get(url) as response:
            statuses.append(response.status)
    assert statuses == [200, 403, 200]


def test_each_method_of_the_workspace_for_tests_is_there():
    """What a new method forgets: the endpoint has all that tests say to a workspace."""
    elsewhere = {"start", "close", "save", "issue_token", "add_entra_token", "add_observer"}
    methods = {
        name
        for name, value in inspect.getmembers(LocalWorkspace, inspect.isfunction)
        if not name.startswith("_") and name not in elsewhere
    }
    assert methods <= {name for _, name in CALLS}


class Request:
    """A request as far as the endpoint looks at it, from a machine or from an unknown one."""

    method = "GET"
    path = "/_local/clock"
    query_string = ""

    def __init__(self, remote):
        self.remote = remote or "203.0.113.7"

    async def read(self):
        return b""
