"""Who may do what to workspace objects, and how directories pass it down.

Here are the tests of `local/access.py`.
"""

from __future__ import annotations

import pytest

LIST = "/api/2.0/workspace/list"
STATUS = "/api/2.0/workspace/get-status"
MKDIRS = "/api/2.0/workspace/mkdirs"
DELETE = "/api/2.0/workspace/delete"
IMPORT = "/api/2.0/workspace/import"
EXPORT = "/api/2.0/workspace/export"
ANN = "dapi-ann"


@pytest.fixture(autouse=True)
def objects(workspace):
    """Ann, who is no admin, and a directory that is not hers."""
    workspace.add_user("ann@example.com", ANN)
    workspace.add_object("/Team/nb", b"1", language="PYTHON")
    workspace.add_object("/Team/file", b"1")


async def url(wire, path):
    """Where the permissions of an object are."""
    status = await wire.ok("GET", STATUS, path=path)
    kinds = {"DIRECTORY": "directories", "NOTEBOOK": "notebooks", "FILE": "files"}
    return f"/api/2.0/permissions/{kinds[status['object_type']]}/{status['object_id']}"


async def grant(wire, path, level, who="ann@example.com"):
    rights = [{"user_name": who, "permission_level": level}]
    return await wire.ok("PATCH", await url(wire, path), access_control_list=rights)


async def test_a_directory_passes_its_grants_down(wire):
    """Objects below show them as inherited, and from where."""
    await grant(wire, "/Team", "CAN_READ")
    answer = await grant(wire, "/Team/nb", "CAN_EDIT")
    top = await wire.ok("GET", STATUS, path="/Team")
    notebook = await wire.ok("GET", STATUS, path="/Team/nb")
    from_team = [f"/directories/{top['object_id']}"]
    assert answer == {
        "object_id": f"/notebooks/{notebook['object_id']}",
        "object_type": "notebook",
        "access_control_list": [
            {
                "user_name": "ann@example.com",
                "display_name": "ann@example.com",
                "all_permissions": [
                    {"permission_level": "CAN_EDIT", "inherited": False},
                    {"permission_level": "CAN_READ", "inherited": True, "inherited_from_object": from_team},
                ],
            },
            {
                "group_name": "admins",
                "all_permissions": [
                    {"permission_level": "CAN_MANAGE", "inherited": True, "inherited_from_object": ["/directories/"]}
                ],
            },
        ],
    }
    assert await wire.ok("GET", await url(wire, "/Team/nb")) == answer


async def test_put_replaces_the_direct_grants(wire):
    """Without a list it takes all of them away; inherited ones stay."""
    await grant(wire, "/Team", "CAN_READ", "bob")
    await grant(wire, "/Team/file", "CAN_EDIT")
    answer = await wire.ok("PUT", await url(wire, "/Team/file"))
    assert [row.get("user_name") for row in answer["access_control_list"]] == ["bob", None]
    assert answer["object_type"] == "file"


async def test_levels_are_told(wire):
    """All four, each with a description."""
    answer = await wire.ok("GET", await url(wire, "/Team") + "/permissionLevels")
    levels = [one["permission_level"] for one in answer["permission_levels"]]
    assert levels == ["CAN_READ", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE"]
    assert all(one["description"] for one in answer["permission_levels"])


@pytest.mark.parametrize("path", ["/Team", "/Team/nb", "/Team/nothing", "/nothing", "/Users/bob"])
async def test_nobody_learns_what_exists_where_he_may_not_look(wire, path):
    """Without a grant the answer is the same for what exists and what does not."""
    for endpoint in (LIST, STATUS, EXPORT):
        status, answer = await wire.get(endpoint, token=ANN, path=path)
        assert (status, answer["error_code"]) == (403, "PERMISSION_DENIED")
        assert answer["message"].startswith(f"ann@example.com does not have CAN_READ permissions on {path}.")
    for endpoint in (MKDIRS, DELETE, IMPORT):
        status, answer = await wire.post(endpoint, token=ANN, path=path, content="", format="RAW")
        assert (status, answer["error_code"]) == (403, "PERMISSION_DENIED"), endpoint


async def test_a_person_sees_the_way_to_what_is_his_or_shared(wire, workspace):
    """Everybody can list / and /Users, and finds there what he has a grant for."""
    workspace.add_user("bob@example.com", "dapi-bob")

    async def listed(path):
        return [one["path"] for one in (await wire.get(LIST, token=ANN, path=path))[1].get("objects", [])]

    assert await listed("/") == ["/Users", "/Shared", "/Repos"]
    assert await listed("/Users") == ["/Users/ann@example.com"]
    await grant(wire, "/Team", "CAN_READ")
    assert await listed("/") == ["/Users", "/Shared", "/Repos", "/Team"]
    assert await listed("/Team") == ["/Team/nb", "/Team/file"]
    assert (await wire.get(STATUS, token=ANN, path="/Team/nothing"))[0] == 404


@pytest.mark.parametrize("path", ["/Users/ann@example.com", "/Shared"])
async def test_everything_can_be_done_at_home_and_in_the_shared_directory(wire, path):
    """Make, fill, read, give away, delete."""
    assert (await wire.post(MKDIRS, token=ANN, path=f"{path}/a/b"))[0] == 200
    assert (await wire.post(IMPORT, token=ANN, path=f"{path}/a/b/f", content="", format="RAW"))[0] == 200
    assert (await wire.get(EXPORT, token=ANN, path=f"{path}/a/b/f"))[0] == 200
    rights = [{"group_name": "users", "permission_level": "CAN_READ"}]
    where = await url(wire, f"{path}/a/b/f")
    assert (await wire.send("PUT", where, token=ANN, json={"access_control_list": rights}))[0] == 200
    assert (await wire.post(DELETE, token=ANN, path=f"{path}/a", recursive=True))[0] == 200


@pytest.mark.parametrize(
    ("level", "read", "overwrite", "create", "delete", "give"),
    [
        ("CAN_READ", 200, 403, 403, 403, 403),
        ("CAN_RUN", 200, 403, 403, 403, 403),
        ("CAN_EDIT", 200, 200, 403, 403, 403),
        ("CAN_MANAGE", 200, 200, 200, 200, 200),
    ],
)
async def test_what_each_level_allows(wire, level, read, overwrite, create, delete, give):
    """Given to a directory, for what is in it."""
    await grant(wire, "/Team", level)
    where = await url(wire, "/Team/nb")
    body = {"path": "/Team/file", "content": "", "format": "RAW", "overwrite": True}
    assert (await wire.get(EXPORT, token=ANN, path="/Team/nb"))[0] == read
    assert (await wire.send("GET", where, token=ANN))[0] == read
    assert (await wire.send("GET", f"{where}/permissionLevels", token=ANN))[0] == read
    assert (await wire.post(IMPORT, token=ANN, **body))[0] == overwrite
    assert (await wire.post(IMPORT, token=ANN, **body | {"path": "/Team/new"}))[0] == create
    assert (await wire.post(MKDIRS, token=ANN, path="/Team/dir"))[0] == create
    assert (await wire.send("PATCH", where, token=ANN, json={"access_control_list": []}))[0] == give
    assert (await wire.post(DELETE, token=ANN, path="/Team/nb"))[0] == delete


@pytest.mark.parametrize(
    ("where", "status", "code"),
    [
        ("notebooks/1", 404, "RESOURCE_DOES_NOT_EXIST"),
        ("notebooks/abc", 404, "RESOURCE_DOES_NOT_EXIST"),
        ("directories/{nb}", 404, "RESOURCE_DOES_NOT_EXIST"),
        ("toasters/1", 400, "INVALID_PARAMETER_VALUE"),
    ],
)
async def test_ids_and_types_must_fit(wire, where, status, code):
    """An object has permissions under its own type only."""
    notebook = await wire.ok("GET", STATUS, path="/Team/nb")
    path = f"/api/2.0/permissions/{where.format(nb=notebook['object_id'])}"
    answered, answer = await wire.get(path)
    assert (answered, answer["error_code"]) == (status, code)
    if status == 404:
        assert (await wire.get(path, token=ANN))[0] == 403


async def test_unknown_levels_are_refused(wire):
    """Those of clusters, for example."""
    rights = [{"user_name": "ann@example.com", "permission_level": "CAN_RESTART"}]
    status, answer = await wire.send("PATCH", await url(wire, "/Team"), json={"access_control_list": rights})
    assert (status, answer["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
