"""Tokens, service principals, and who may do what.

Here are the tests of `local/http/oauth.py`.
"""

from __future__ import annotations

import aiohttp
import pytest

from databricks_async.local.http import identity

URL = "/oidc/v1/token"
LIST = "/api/2.1/clusters/list"


async def ask(wire, form, **kwargs):
    """The status, the answer and the headers of a token request."""
    async with wire.session.post(wire.workspace.url + URL, data=form, **kwargs) as response:
        return response.status, await response.json(), response.headers


def basic(client_id, client_secret):
    return {"Authorization": aiohttp.encode_basic_auth(client_id, client_secret)}


@pytest.fixture
def principal(workspace):
    workspace.add_service_principal("sp", "pass%word", token_seconds=600)


async def test_discovery_points_to_the_same_host(wire, workspace):
    """The metadata that clients ask for without a token."""
    async with wire.session.get(workspace.url + "/.well-known/databricks-config") as response:
        config = await response.json()
    async with wire.session.get(config["oidc_endpoint"] + "/.well-known/oauth-authorization-server") as response:
        metadata = await response.json()
    assert config == {"oidc_endpoint": f"{workspace.url}/oidc"}
    assert metadata["token_endpoint"] == workspace.url + URL
    assert set(metadata["grant_types_supported"]) == {
        "authorization_code",
        "client_credentials",
        "refresh_token",
        "urn:ietf:params:oauth:grant-type:token-exchange",
    }


@pytest.mark.usefixtures("principal")
async def test_a_service_principal_gets_a_token_that_opens_the_workspace(wire, workspace):
    """With HTTP Basic, form-encoded in it or not, or with its secret in the form."""
    form = {"grant_type": "client_credentials", "scope": "all-apis"}
    by_header = await ask(wire, form, headers=basic("sp", "pass%word"))
    encoded = await ask(wire, form, headers=basic("sp", "pass%25word"))
    by_form = await ask(wire, form | {"client_id": "sp", "client_secret": "pass%word"})
    tokens = set()
    for status, answer, _ in (by_header, encoded, by_form):
        assert status == 200
        assert (answer["token_type"], answer["expires_in"], answer["scope"]) == ("Bearer", 600, "all-apis")
        assert (await wire.get(LIST, token=answer["access_token"]))[0] == 200
        tokens.add(answer["access_token"])
    assert len(tokens) == 3
    assert workspace.journal.entries[-1].user == "sp"


@pytest.mark.usefixtures("principal")
@pytest.mark.parametrize(
    ("form", "auth", "status", "error"),
    [
        ({"grant_type": "client_credentials"}, ("sp", "wrong"), 401, "invalid_client"),
        ({"grant_type": "client_credentials"}, ("nobody", "pass%word"), 401, "invalid_client"),
        ({"grant_type": "client_credentials"}, None, 401, "invalid_client"),
        ({"grant_type": "password"}, ("sp", "pass%word"), 400, "unsupported_grant_type"),
        ({"scope": "all-apis"}, ("sp", "pass%word"), 400, "invalid_request"),
    ],
)
async def test_token_requests_are_refused_as_rfc_6749_says(wire, form, auth, status, error):
    """In OAuth's format, not in the API's."""
    got, answer, headers = await ask(wire, form, headers=basic(*auth) if auth else {})
    assert (got, answer["error"]) == (status, error)
    assert ("WWW-Authenticate" in headers) == (status == 401)


async def test_broken_client_authentication_is_refused(wire):
    """Neither base64 nor Basic."""
    for value in ("Basic !!!", "Bearer abc", "Basic c3A="):
        status, answer, _ = await ask(wire, {"grant_type": "client_credentials"}, headers={"Authorization": value})
        assert (status, answer["error"]) == (401, "invalid_client")


@pytest.mark.usefixtures("principal")
async def test_a_token_is_refused_before_and_after_its_end(wire, workspace):
    """403 in the last 30 seconds, 401 when it is over."""
    token = workspace.issue_token("sp")
    workspace.clock.advance(560)
    good = await wire.get(LIST, token=token)
    workspace.clock.advance(20)
    expiring = await wire.get(LIST, token=token)
    workspace.clock.advance(20)
    expired = await wire.get(LIST, token=token)
    assert [status for status, _ in (good, expiring, expired)] == [200, 403, 401]
    assert expiring[1]["message"].startswith("Token is expiring within 30 seconds")
    assert (await wire.get(LIST))[0] == 200


@pytest.mark.usefixtures("principal")
async def test_a_token_is_forgotten_an_hour_after_its_end(wire, workspace):
    """As one that never was, when the next one is given out; a personal access token stays."""
    old = workspace.issue_token("sp")
    workspace.clock.advance(600 + 3500)
    workspace.issue_token("sp")
    assert "expired" in (await wire.get(LIST, token=old))[1]["message"]
    workspace.clock.advance(200)
    workspace.issue_token("sp")
    assert "Invalid access token." in (await wire.get(LIST, token=old))[1]["message"]
    assert (await wire.get(LIST))[0] == 200


@pytest.mark.usefixtures("principal")
async def test_revoked_tokens_are_refused(wire, workspace):
    """All that OAuth gave out, or the ones named; new ones are fine."""
    first = workspace.issue_token("sp")
    workspace.revoke_tokens()
    second = workspace.issue_token("sp")
    assert (await wire.get(LIST, token=first))[0] == 401
    assert (await wire.get(LIST, token=second))[0] == 200
    assert (await wire.get(LIST))[0] == 200
    workspace.revoke_tokens(workspace.token)
    assert (await wire.get(LIST))[0] == 401


async def test_who_am_i(wire, workspace):
    """The SCIM answer of the token's user."""
    workspace.add_user("ann@example.com", "dapi-ann")
    status, answer = await wire.get("/api/2.0/preview/scim/v2/Me", token="dapi-ann")
    assert (status, answer["userName"]) == (200, "ann@example.com")


async def test_permission_is_checked_before_existence(wire, workspace):
    """To somebody who is no admin a missing cluster looks like one of others."""
    workspace.add_user("ann@example.com", "dapi-ann")
    cluster_id = await wire.create()
    for asked in (cluster_id, "0923-000000-missing0"):
        status, answer = await wire.get("/api/2.1/clusters/get", token="dapi-ann", cluster_id=asked)
        assert (status, answer["error_code"]) == (403, "PERMISSION_DENIED")
        assert "CAN_ATTACH_TO" in answer["message"]


async def test_each_level_allows_what_it_says(wire, workspace):
    """Attach, then restart, then manage; pinning is for admins."""
    workspace.add_user("ann@example.com", "dapi-ann")
    cluster_id = await wire.running()
    path = f"/api/2.0/permissions/clusters/{cluster_id}"
    spec = {"spark_version": "16.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}

    async def allowed():
        found = []
        for operation, body in (("events", {}), ("restart", {}), ("edit", spec), ("pin", {})):
            status, _ = await wire.post(
                f"/api/2.1/clusters/{operation}", token="dapi-ann", cluster_id=cluster_id, **body
            )
            workspace.clock.advance(240)
            if status == 200:
                found.append(operation)
        return found

    assert await allowed() == []
    for level, operations in (
        ("CAN_ATTACH_TO", ["events"]),
        ("CAN_RESTART", ["events", "restart"]),
        ("CAN_MANAGE", ["events", "restart", "edit"]),
    ):
        grant = {"user_name": "ann@example.com", "permission_level": level}
        await wire.send("PATCH", path, json={"access_control_list": [grant]})
        assert await allowed() == operations


async def test_lists_show_what_the_caller_may_see(wire, workspace):
    """Own clusters and granted ones, also those granted to everybody."""
    workspace.add_user("ann@example.com", "dapi-ann")
    hidden, shared = await wire.create(), await wire.create()
    spec = {"spark_version": "16.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}
    _, own = await wire.post("/api/2.1/clusters/create", token="dapi-ann", **spec)
    grant = {"group_name": "users", "permission_level": "CAN_ATTACH_TO"}
    await wire.send("PUT", f"/api/2.0/permissions/clusters/{shared}", json={"access_control_list": [grant]})
    _, answer = await wire.get(LIST, token="dapi-ann")
    seen = {cluster["cluster_id"] for cluster in answer["clusters"]}
    assert seen == {shared, own["cluster_id"]}
    assert hidden not in seen


async def test_permissions_are_set_added_and_told(wire):
    """PUT replaces, PATCH adds; admins inherit."""
    cluster_id = await wire.create()
    path = f"/api/2.0/permissions/clusters/{cluster_id}"
    ann = {"user_name": "ann@example.com", "permission_level": "CAN_RESTART"}
    team = {"group_name": "team", "permission_level": "CAN_ATTACH_TO"}
    _, replaced = await wire.send("PUT", path, json={"access_control_list": [ann]})
    _, added = await wire.send("PATCH", path, json={"access_control_list": [team]})
    assert replaced["object_id"] == f"/clusters/{cluster_id}"
    assert replaced["object_type"] == "cluster"
    assert [entry.get("user_name") or entry["group_name"] for entry in replaced["access_control_list"]] == [
        "ann@example.com",
        "admins",
    ]
    assert added == (await wire.get(path))[1]
    assert added["access_control_list"][0]["all_permissions"] == [
        {"permission_level": "CAN_RESTART", "inherited": False}
    ]
    _, levels = await wire.get(f"{path}/permissionLevels")
    assert [level["permission_level"] for level in levels["permission_levels"]] == [
        "CAN_ATTACH_TO",
        "CAN_RESTART",
        "CAN_MANAGE",
    ]


@pytest.mark.parametrize(
    "entry",
    [
        {"permission_level": "CAN_RESTART"},
        {"user_name": "a", "group_name": "b", "permission_level": "CAN_RESTART"},
        {"user_name": "a"},
        {"user_name": "a", "permission_level": "CAN_FLY"},
    ],
)
async def test_an_impossible_grant_is_refused(wire, entry):
    """400, naming its place."""
    cluster_id = await wire.create()
    status, answer = await wire.send(
        "PUT", f"/api/2.0/permissions/clusters/{cluster_id}", json={"access_control_list": [entry]}
    )
    assert (status, answer["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert "access_control_list[0]" in answer["message"]


@pytest.mark.usefixtures("principal")
async def test_a_token_may_come_as_the_password_of_the_user_token(wire, workspace):
    """As `curl -n` sends it from a .netrc file; an access token of OAuth too. The journal has neither."""
    for token in (workspace.token, workspace.issue_token("sp")):
        async with wire.session.get(workspace.url + LIST, headers=basic("token", token)) as response:
            assert response.status == 200
        assert workspace.journal.entries[-1].headers["authorization"] == "***"
    assert workspace.journal.entries[-1].user == "sp"


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (basic("token", "wrong")["Authorization"], 403),
        (basic("token", "")["Authorization"], 401),
        (basic("ann@example.com", "dapi00000000000000000000000000000000")["Authorization"], 401),
        ("Basic", 401),
        ("Basic !!!", 401),
        ("Basic dG9rZW4=", 401),
        ("Basic /w==", 401),
        ("Digest token", 401),
    ],
)
async def test_other_basic_credentials_are_refused(wire, workspace, header, status):
    """Another user, no password, and what is not base64."""
    async with wire.session.get(workspace.url + LIST, headers={"Authorization": header}) as response:
        assert response.status == status
        assert "Invalid access token" in (await response.json())["message"] or status == 401


async def test_an_expired_token_is_refused_by_basic_too(wire, workspace):
    """The same rules for both schemes."""
    workspace.add_user("ann@example.com", "dapi-ann")
    workspace.revoke_tokens("dapi-ann")
    async with wire.session.get(workspace.url + LIST, headers=basic("token", "dapi-ann")) as response:
        assert response.status == 401
        assert "revoked" in (await response.json())["message"]


@pytest.mark.parametrize("token", ["dapi-ann", "dapi-bob", "dapi-amm", "d"])
async def test_every_token_is_compared_in_constant_time(wire, workspace, monkeypatch, token):
    """With all that are known, the right one found or not: how long the search takes says nothing about any."""
    workspace.add_user("ann@example.com", "dapi-ann")
    workspace.add_user("bob@example.com", "dapi-bob")
    compared = []

    def compare_digest(one, other):
        compared.append((one, other))
        return one == other

    monkeypatch.setattr(identity.secrets, "compare_digest", compare_digest)
    status = (await wire.get(LIST, token=token))[0]
    assert status == (200 if token in ("dapi-ann", "dapi-bob") else 403)
    assert compared == [(known.encode(), token.encode()) for known in (workspace.token, "dapi-ann", "dapi-bob")]
