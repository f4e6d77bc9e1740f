"""The tree of workspace objects: what list, get-status, mkdirs and delete do.

Here are the tests of `local/objects/tree.py`.
"""

from __future__ import annotations

import asyncio
import time

import pytest

from databricks_async.local import Fault

LIST = "/api/2.0/workspace/list"
STATUS = "/api/2.0/workspace/get-status"
MKDIRS = "/api/2.0/workspace/mkdirs"
DELETE = "/api/2.0/workspace/delete"
NAMES = [
    "with space",
    "ümläut-日本",
    "100%",
    "50%25",
    "a#b",
    "a?b",
    "a&b=c",
    "a+b",
    'it\'s "quoted"',
    "back\\slash",
    "é",
]


async def names(wire, path, **params):
    answer = await wire.ok("GET", LIST, path=path, **params)
    return [one["path"] for one in answer.get("objects", [])]


async def test_a_new_workspace_has_its_first_directories(wire):
    """The root holds /Users, with a home for each user, and /Shared."""
    assert await names(wire, "/") == ["/Users", "/Shared", "/Repos"]
    assert await names(wire, "/Users") == ["/Users/admin@example.com"]
    assert await wire.ok("GET", LIST, path="/Shared") == {}
    root = await wire.ok("GET", STATUS, path="/")
    assert (root["path"], root["object_type"]) == ("/", "DIRECTORY")


async def test_a_new_user_or_service_principal_has_a_home(wire, workspace):
    """As soon as it is added."""
    workspace.add_user("ann@example.com", "dapi-ann")
    workspace.add_service_principal("sp", "secret")
    assert await names(wire, "/Users") == ["/Users/admin@example.com", "/Users/ann@example.com", "/Users/sp"]


async def test_objects_show_what_they_are(wire, workspace):
    """Notebooks have a language, files a size, both have times; every object has an id that a double holds."""
    workspace.add_object("/Shared/d/nb", b"1", language="SQL")
    workspace.add_object("/Shared/d/f.bin", b"123")
    now = workspace.clock.now()
    notebook, file = (await wire.ok("GET", LIST, path="/Shared/d"))["objects"]
    directory = await wire.ok("GET", STATUS, path="/Shared/d")
    ids = [one.pop("object_id") for one in (notebook, file, directory)]
    assert len(set(ids)) == 3
    assert all(10**13 <= one < 2**53 for one in ids)
    assert [one.pop("resource_id") for one in (notebook, file, directory)] == [str(one) for one in ids]
    times = {"created_at": now, "modified_at": now}
    assert notebook == {"object_type": "NOTEBOOK", "path": "/Shared/d/nb", "language": "SQL", **times}
    assert file == {"object_type": "FILE", "path": "/Shared/d/f.bin", "size": 3, **times}
    assert directory == {"object_type": "DIRECTORY", "path": "/Shared/d"}


async def test_listing_an_object_gives_the_object(wire, workspace):
    """What is no directory lists itself, exactly as get-status shows it."""
    workspace.add_object("/Shared/nb", b"", language="PYTHON")
    status = await wire.ok("GET", STATUS, path="/Shared/nb")
    assert await wire.ok("GET", LIST, path="/Shared/nb") == {"objects": [status]}


async def test_only_notebooks_are_filtered_by_time(wire, workspace):
    """notebooks_modified_after leaves out older notebooks, and no directory and no file."""
    workspace.add_object("/Shared/old", b"", language="R")
    workspace.add_object("/Shared/file", b"")
    then = workspace.clock.now()
    workspace.clock.advance(60)
    workspace.add_object("/Shared/new", b"", language="R")
    workspace.add_object("/Shared/dir")
    assert await names(wire, "/Shared", notebooks_modified_after=str(then)) == [
        "/Shared/file",
        "/Shared/new",
        "/Shared/dir",
    ]


async def test_mkdirs_makes_parents_and_may_be_repeated(wire):
    """Every directory on the way; a second time nothing changes."""
    assert await wire.ok("POST", MKDIRS, path="/Shared/a/b/c") == {}
    before = await wire.ok("GET", STATUS, path="/Shared/a/b/c")
    assert await wire.ok("POST", MKDIRS, path="/Shared/a/b/c/") == {}
    assert await wire.ok("GET", STATUS, path="/Shared/a/b/c/") == before
    assert await names(wire, "/Shared/a") == ["/Shared/a/b"]


@pytest.mark.parametrize("path", ["/Shared/file", "/Shared/file/below/it"])
async def test_mkdirs_stops_at_an_object_in_the_way(wire, workspace, path):
    """Whether it has the path itself or one above it."""
    workspace.add_object("/Shared/file", b"")
    status, answer = await wire.post(MKDIRS, path=path)
    assert (status, answer["error_code"]) == (400, "RESOURCE_ALREADY_EXISTS")
    assert answer["message"] == "Path (/Shared/file) already exists."


@pytest.mark.parametrize("path", ["/Shared/..", "/Shared/./x", "/Shared//x", "/Shared/a\nb", "/Shared/nul\0"])
async def test_some_names_are_refused(wire, path):
    """Those that lead elsewhere, are empty or hold control characters."""
    status, answer = await wire.post(MKDIRS, path=path)
    assert (status, answer["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


@pytest.mark.parametrize("name", NAMES)
async def test_names_survive_queries_and_bodies(wire, name):
    """Whatever characters URLs give a meaning to."""
    path = f"/Shared/{name}/{name}"
    await wire.ok("POST", MKDIRS, path=path)
    assert (await wire.ok("GET", STATUS, path=path))["path"] == path
    assert await names(wire, f"/Shared/{name}") == [path]
    await wire.ok("POST", DELETE, path=path)
    assert await names(wire, f"/Shared/{name}") == []


async def test_delete_takes_objects_and_empty_directories(wire, workspace):
    """And then they are gone."""
    workspace.add_object("/Shared/file", b"1")
    workspace.add_object("/Shared/dir")
    for path in ("/Shared/file", "/Shared/dir"):
        assert await wire.ok("POST", DELETE, path=path) == {}
        assert (await wire.get(STATUS, path=path))[0] == 404
    assert await names(wire, "/Shared") == []


async def test_delete_of_a_full_directory_must_be_recursive(wire, workspace):
    """DIRECTORY_NOT_EMPTY, and nothing is deleted; with recursive everything below goes as well."""
    workspace.add_object("/Shared/a/b/file", b"1")
    status, answer = await wire.post(DELETE, path="/Shared/a")
    assert (status, answer["error_code"]) == (400, "DIRECTORY_NOT_EMPTY")
    assert await names(wire, "/Shared/a/b") == ["/Shared/a/b/file"]
    await wire.ok("POST", DELETE, path="/Shared/a", recursive=True)
    for path in ("/Shared/a", "/Shared/a/b", "/Shared/a/b/file"):
        assert (await wire.get(STATUS, path=path))[0] == 404


@pytest.mark.parametrize("path", ["/", "/Users", "/Shared", "/Repos"])
async def test_the_first_directories_stay(wire, path):
    """DIRECTORY_PROTECTED, even for an admin."""
    status, answer = await wire.post(DELETE, path=path, recursive=True)
    assert (status, answer["error_code"]) == (400, "DIRECTORY_PROTECTED")


@pytest.mark.parametrize(("method", "endpoint"), [("GET", LIST), ("GET", STATUS), ("POST", DELETE)])
async def test_what_does_not_exist_is_404(wire, method, endpoint):
    """With the words of the service."""
    where = "params" if method == "GET" else "json"
    status, answer = await wire.send(method, endpoint, **{where: {"path": "/Shared/x"}})
    assert status == 404
    assert answer == {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "Path (/Shared/x) doesn't exist."}


@pytest.mark.parametrize(("method", "endpoint"), [("GET", LIST), ("GET", STATUS), ("POST", DELETE), ("POST", MKDIRS)])
@pytest.mark.parametrize("path", ["x", "Shared/x", ""])
async def test_relative_paths_are_refused(wire, method, endpoint, path):
    """With the words of the service."""
    where = "params" if method == "GET" else "json"
    status, answer = await wire.send(method, endpoint, **{where: {"path": path}})
    assert status == 400
    message = f"Path ({path}) doesn't start with '/'"
    assert answer == {"error_code": "INVALID_PARAMETER_VALUE", "message": message}


async def test_a_test_may_list_what_the_api_would_refuse(wire, workspace):
    """For clients that must not trust the names they are given."""
    workspace.add_object("/Shared/..", listed_in="/Shared")
    workspace.add_object("/Shared/../../etc/passwd", b"x", listed_in="/Shared")
    workspace.add_object("/etc/passwd", b"y", listed_in="/Shared")
    workspace.add_object("/Shared/a/b", b"z", listed_in="/Shared")
    hostile = ["/Shared/..", "/Shared/../../etc/passwd", "/etc/passwd", "/Shared/a/b"]
    assert await names(wire, "/Shared") == hostile
    assert await names(wire, "/Shared/..") == []
    assert (await wire.ok("GET", STATUS, path="/Shared/a/b"))["size"] == 1


def test_add_object_replaces_nothing(workspace):
    """A test that adds an object twice is told so."""
    workspace.add_object("/Shared/x", b"")
    with pytest.raises(ValueError, match="/Shared/x already exists"):
        workspace.add_object("/Shared/x")


@pytest.mark.usefixtures("virtual_time")
async def test_slow_listings_run_side_by_side(wire, workspace):
    """1,000 directories that take 20 ms each are listed in far less than the 20 s of one after the other."""
    for number in range(1000):
        workspace.add_object(f"/Shared/{number}")
    workspace.faults.add("GET /api/{v}/workspace/list", Fault.delay(0.02), probability=1.0)
    began = time.monotonic()
    await asyncio.gather(*(names(wire, f"/Shared/{number}") for number in range(1000)))
    assert time.monotonic() - began < 1
