"""What every request meets: tokens, routes, bodies, limits, and the end of the server.

Here are the tests of `local/http/requests.py`, `local/http/routes.py`, `local/http/versions.py`, `local/params.py`,
`local/errors.py`, `local/journal.py`.
"""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest
from yarl import URL

from databricks_async.local import Clock, LocalWorkspace, RateLimit

CHANGES = "create edit update start restart resize delete permanent-delete pin unpin change-owner"
ENDPOINTS = [
    *(f"POST /api/{version}/clusters/{name}" for version in ("2.0", "2.1") for name in [*CHANGES.split(), "events"]),
    *(f"GET /api/{version}/clusters/get" for version in ("2.0", "2.1")),
    *(f"GET /api/{version}/clusters/list" for version in ("2.0", "2.1")),
    *(f"GET /api/{version}/clusters/list-node-types" for version in ("2.0", "2.1")),
    *(f"GET /api/{version}/clusters/spark-versions" for version in ("2.0", "2.1")),
    *(f"GET /api/{version}/clusters/list-zones" for version in ("2.0", "2.1")),
    "GET /api/2.0/permissions/clusters/{cluster_id}",
    "PUT /api/2.0/permissions/clusters/{cluster_id}",
    "PATCH /api/2.0/permissions/clusters/{cluster_id}",
    "GET /api/2.0/permissions/clusters/{cluster_id}/permissionLevels",
    "POST /api/2.0/libraries/install",
    "POST /api/2.0/libraries/uninstall",
    "GET /api/2.0/libraries/cluster-status",
    "GET /api/2.0/libraries/all-cluster-statuses",
]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
async def test_every_operation_has_a_route(wire, workspace, endpoint):
    """Of the Clusters, Libraries and Permissions APIs, in each of their versions."""
    method, path = endpoint.split()
    status, _ = await wire.send(method, path.replace("{cluster_id}", "0923-000000-missing0"))
    assert status in (200, 400)
    assert workspace.journal.unknown_routes == []
    assert workspace.journal.entries[0].endpoint == endpoint


async def test_a_request_without_a_token_is_refused(wire, workspace):
    """401, in the words of the service's gateway."""
    for headers in ({}, {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer "}):
        async with wire.session.get(workspace.url + "/api/2.1/clusters/list", headers=headers) as response:
            answer = await response.json()
            assert response.status == 401
            assert answer["error_code"] == 401
            assert answer["message"].startswith("Credential was not sent or was of an unsupported type for this API.")
            assert response.headers["x-databricks-reason-phrase"] in answer["message"]


async def test_a_wrong_token_is_refused(wire):
    """403."""
    status, answer = await wire.get("/api/2.1/clusters/list", token="dapi-wrong")
    assert (status, answer["error_code"]) == (403, 403)
    assert answer["message"].startswith("Invalid access token. [ReqId: ")


async def test_answers_carry_a_request_id_and_the_workspace_id(wire, workspace):
    """Each its own id, which the journal knows too."""
    ids = set()
    for _ in range(2):
        async with wire.session.get(
            workspace.url + "/api/2.1/clusters/list", headers={"Authorization": f"Bearer {workspace.token}"}
        ) as response:
            assert response.headers["x-request-id"] == response.headers["x-databricks-request-id"]
            assert response.headers["x-databricks-org-id"].isdecimal()
            ids.add(response.headers["x-request-id"])
    assert ids == {call.request_id for call in workspace.journal.entries}
    assert len(ids) == 2


@pytest.mark.parametrize(
    ("method", "path", "named"),
    [
        ("GET", "/api/2.1/clusters/nothing", "GET /clusters/nothing"),
        ("GET", "/api/2.1/clusters/create", "GET /clusters/create"),
        ("POST", "/api/2.1/clusters/get", "POST /clusters/get"),
        ("GET", "/api/3.0/clusters/get", "GET /clusters/get"),
        ("GET", "/index.html", "GET /index.html"),
    ],
)
async def test_an_unknown_route_is_loud(wire, workspace, method, path, named):
    """404 ENDPOINT_NOT_FOUND, and the journal lists it."""
    assert await wire.send(method, path) == (
        404,
        {"error_code": "ENDPOINT_NOT_FOUND", "message": f"No API found for '{named}'"},
    )
    assert workspace.journal.unknown_routes == [f"{method} {path}"]


@pytest.mark.parametrize("body", [b"{", b"[1]", b'"text"', b"\xff", b"null", b"cluster_id=1"])
async def test_a_body_that_is_no_json_object_is_malformed(wire, body):
    """400 MALFORMED_REQUEST."""
    status, answer = await wire.send(
        "POST", "/api/2.1/clusters/start", data=body, headers={"Content-Type": "application/json"}
    )
    assert (status, answer["error_code"]) == (400, "MALFORMED_REQUEST")


async def test_a_missing_parameter_is_named(wire):
    """Whether it belongs into the query or into the body."""
    for send, path in ((wire.get, "get"), (wire.post, "start"), (wire.post, "events")):
        status, answer = await send(f"/api/2.1/clusters/{path}")
        assert (status, answer) == (
            400,
            {"error_code": "INVALID_PARAMETER_VALUE", "message": "Missing required field: cluster_id"},
        )


async def test_unknown_parameters_are_ignored_but_written_down(wire, workspace):
    """With dots where they are nested."""
    await wire.create(custom_name="x", autoscale={"min_workers": 1, "max_workers": 2, "step": 1}, num_workers=None)
    await wire.ok("GET", "/api/2.1/clusters/list", **{"limit": "3", "filter_by.colour": "red"})
    assert workspace.journal.entries[0].unknown == ["custom_name", "autoscale.step"]
    assert workspace.journal.entries[1].unknown == ["limit", "filter_by.colour"]


async def test_a_journal_may_forget_the_oldest(wire, workspace):
    """It then keeps as many of the latest requests as it is told, or a few more."""
    workspace.journal.keep = 5
    for number in range(30):
        await wire.get("/api/2.1/clusters/list", page_token=str(number))
        assert len(workspace.journal.entries) <= 10
    assert [call.query["page_token"] for call in workspace.journal.entries][-5:] == ["25", "26", "27", "28", "29"]


async def test_a_cluster_that_does_not_exist(wire):
    """400 with the same words everywhere."""
    more = {"spark_version": "16.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}
    for operation in ["edit", "start", "restart", "resize", "delete", "permanent-delete", "pin", "unpin", "events"]:
        assert await wire.post(f"/api/2.1/clusters/{operation}", cluster_id="0923-000000-missing0", **more) == (
            400,
            {"error_code": "INVALID_PARAMETER_VALUE", "message": "Cluster 0923-000000-missing0 does not exist"},
        )


async def test_the_journal_keeps_no_secret(wire, workspace):
    """Neither tokens nor client secrets, whichever way they came."""
    workspace.add_service_principal("sp", "s3cret-of-sp")
    url = f"{workspace.url}/oidc/v1/token"
    form = {"grant_type": "client_credentials", "client_id": "sp", "client_secret": "s3cret-of-sp"}
    async with wire.session.post(url, data=form) as response:
        token = (await response.json())["access_token"]
    async with wire.session.post(url, json=form) as response:
        assert response.status == 200
    async with wire.session.post(url, data=json.dumps(form)[:-1]) as response:
        assert response.status == 400
    basic = {"Authorization": aiohttp.encode_basic_auth("sp", "s3cret-of-sp")}
    async with wire.session.post(url, data=form, headers=basic):
        await wire.get("/api/2.1/clusters/list", token=token)
    await wire.send("GET", "/api/2.1/clusters/list", headers={"X-Databricks-Azure-SP-Management-Token": "s3cret-of-sp"})
    written = repr(workspace.journal)
    for secret in ("s3cret-of-sp", token, workspace.token):
        assert secret not in written
    assert workspace.journal.count("POST /oidc/v1/token") == 4
    assert workspace.journal.entries[0].body["client_id"] == "sp"


async def test_the_journal_tells_what_was_asked(wire, workspace):
    """Endpoint, query, body, status, time and user; patterns select."""
    cluster_id = await wire.create()
    workspace.clock.advance(1)
    await wire.cluster(cluster_id)
    create, get = workspace.journal.entries
    assert create.endpoint == "POST /api/2.1/clusters/create"
    assert create.body["cluster_name"] == "etl"
    assert (get.query, get.status, get.user) == ({"cluster_id": cluster_id}, 200, "admin@example.com")
    assert get.time - create.time == 1000
    assert get.headers["authorization"] == "***"
    assert workspace.journal.count("POST /api/{v}/clusters/create") == 1
    assert workspace.journal.count("* /api/*/clusters/*") == 2
    assert workspace.journal.calls("GET /api/2.0/clusters/get") == []
    workspace.journal.clear()
    assert workspace.journal.count() == 0


async def test_get_parameters_may_come_in_the_body(wire):
    """As the service's older manuals showed it with curl."""
    cluster_id = await wire.create()
    status, answer = await wire.send("GET", "/api/2.0/clusters/get", json={"cluster_id": cluster_id})
    assert (status, answer["cluster_id"]) == (200, cluster_id)


async def test_a_rate_limit_refuses_what_goes_beyond_its_burst(wire, workspace):
    """429 with `Retry-After`, until time has passed; discovery is never limited."""
    workspace.rate_limit = RateLimit(per_second=0.001, burst=3, retry_after=7)
    answers = [await wire.get("/api/2.1/clusters/list") for _ in range(5)]
    assert [status for status, _ in answers] == [200, 200, 200, 429, 429]
    assert answers[-1][1]["error_code"] == "REQUEST_LIMIT_EXCEEDED"
    assert workspace.rate_limit.refused == 2
    async with wire.session.get(workspace.url + "/.well-known/databricks-config") as response:
        assert response.status == 200
    async with wire.session.get(
        workspace.url + "/api/2.1/clusters/list", headers={"Authorization": f"Bearer {workspace.token}"}
    ) as response:
        assert (response.status, response.headers["Retry-After"]) == (429, "7")
    workspace.clock.advance(1000)
    assert (await wire.get("/api/2.1/clusters/list"))[0] == 200


async def test_a_rate_limit_may_leave_retry_after_out(wire, workspace):
    """And may cover one endpoint only."""
    workspace.rate_limit = RateLimit(per_second=0, burst=0, retry_after=None, endpoint="GET /api/*/clusters/list")
    async with wire.session.get(
        workspace.url + "/api/2.1/clusters/list", headers={"Authorization": f"Bearer {workspace.token}"}
    ) as response:
        assert response.status == 429
        assert "Retry-After" not in response.headers
    assert (await wire.get("/api/2.1/clusters/spark-versions"))[0] == 200


async def test_a_workspace_that_is_closed_and_started_again_keeps_its_clusters():
    """On the same port, and close can be repeated."""
    workspace = LocalWorkspace(clock=Clock.by_hand())
    await workspace.start()
    url = workspace.url
    await workspace.close()
    await workspace.close()
    await workspace.start()
    try:
        assert workspace.url == url
    finally:
        await workspace.close()


async def test_a_workspace_says_where_it_is_only_once_it_is_there():
    """Before, there is no port."""
    workspace = LocalWorkspace()
    with pytest.raises(RuntimeError, match="before it is started"):
        workspace.url  # noqa: B018
    async with workspace:
        assert workspace.url.startswith("http://127.0.0.1:")
        with pytest.raises(RuntimeError, match="already started"):
            await workspace.start()


async def test_a_taken_port_is_told_at_once(workspace):
    """OSError, and nothing stays open."""
    second = LocalWorkspace(port=int(workspace.url.rpartition(":")[2]))
    with pytest.raises(OSError, match="in use"):
        await second.start()


async def test_a_client_that_leaves_in_the_middle_of_its_request_never_made_it(wire, workspace):
    """The next one is served as if nothing had been."""
    _, writer = await asyncio.open_connection(*workspace.url.removeprefix("http://").split(":"))
    writer.write(b"POST /api/2.1/clusters/create HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    await workspace.journal.until(lambda journal: journal.in_flight == 1)
    writer.close()
    await writer.wait_closed()
    await workspace.journal.until(lambda journal: journal.in_flight == journal.connections == 0)
    assert workspace.journal.entries[0].status is None
    assert "clusters" not in await wire.ok("GET", "/api/2.1/clusters/list")


@pytest.mark.parametrize("path", ["/api/2.1/clusters/get?cluster_id=%ff", "/api/2.0/%", "/api/2.1/clusters%2Fget"])
async def test_odd_escapes_are_refused_like_others(wire, workspace, path):
    """With an answer in JSON, and as they were sent: an escaped slash separates nothing."""
    status, answer = await wire.send("GET", URL(path, encoded=True))
    assert (status, answer["error_code"]) in ((400, "INVALID_PARAMETER_VALUE"), (404, "ENDPOINT_NOT_FOUND"))


async def test_connections_are_counted(wire, workspace):
    """Keep-alive shows: many requests, one connection."""
    for _ in range(5):
        await wire.get("/api/2.1/clusters/list")
    assert (workspace.journal.connections, workspace.journal.connections_opened) == (1, 1)


async def test_closing_leaves_no_task_behind():
    """Idle connections and requests in the middle are hung up on."""
    before = asyncio.all_tasks()
    async with LocalWorkspace() as workspace, aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bearer {workspace.token}"}
        async with session.get(workspace.url + "/api/2.1/clusters/list", headers=headers) as response:
            await response.read()
        reader, writer = await asyncio.open_connection(*workspace.url.removeprefix("http://").split(":"))
        writer.write(b"POST /api/2.1/clusters/create HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        await workspace.journal.until(lambda journal: journal.in_flight == 1)
        await workspace.close()
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
        assert (workspace.journal.connections, workspace.journal.in_flight) == (0, 0)
    assert asyncio.all_tasks() == before


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def test_a_json_body_called_a_form_is_json(wire, workspace):
    """As `curl -d` without a content type sends it."""
    body = {"cluster_name": "a&b=c", "spark_version": "16.4.x-scala2.12", "node_type_id": "Standard_DS3_v2"}
    body |= {"num_workers": 1, "spark_conf": {"a": "%41+b"}}
    data = "\n " + json.dumps(body)
    status, answer = await wire.send("POST", "/api/2.1/clusters/create", data=data, headers=FORM)
    assert status == 200, answer
    assert (await wire.cluster(answer["cluster_id"]))["spec"] == body
    assert workspace.journal.entries[0].body == body
    for broken in ('{"cluster_id"', "[1]"):
        status, answer = await wire.send("POST", "/api/2.1/clusters/start", data=broken, headers=FORM)
        assert (status, answer["error_code"]) == (400, "MALFORMED_REQUEST")


async def test_a_form_is_still_a_form(wire):
    """Where the body does not begin as JSON does."""
    cluster_id = await wire.create()
    status, _ = await wire.send("POST", "/api/2.1/clusters/pin", data={"cluster_id": cluster_id})
    assert status == 200


async def test_a_body_without_a_content_type_is_json(wire):
    """`curl -H 'Content-Type:' -d`."""
    cluster_id = await wire.create()
    data = json.dumps({"cluster_id": cluster_id}).encode()
    skip = {"skip_auto_headers": ["Content-Type"]}
    assert (await wire.send("POST", "/api/2.1/clusters/pin", data=data, **skip))[0] == 200
