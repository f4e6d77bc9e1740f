"""Forms of a path: `/Workspace` is another name of the root, doubled slashes at the start count once."""

from __future__ import annotations

import base64

import pytest

API = "/api/2.0/workspace/"
SOURCE = base64.b64encode(b"# Databricks notebook source\n1\n").decode()
NOTEBOOK = {"content": SOURCE, "language": "PYTHON"}


async def status(wire, path):
    return await wire.ok("GET", API + "get-status", path=path)


async def paths(wire, path):
    answer = await wire.ok("GET", API + "list", path=path)
    return [one["path"] for one in answer.get("objects", [])]


@pytest.mark.parametrize("form", ["/Workspace/Shared/d", "//Workspace/Shared/d", "/Workspace//Shared/d", "//Shared/d"])
async def test_one_object_by_every_form(wire, form):
    """Made, imported into, listed, exported and deleted by one form, found by the others, with one id."""
    await wire.ok("POST", API + "mkdirs", path=form)
    await wire.ok("POST", API + "import", path=f"{form}/nb", **NOTEBOOK)
    found = await status(wire, "/Shared/d/nb")
    assert (await status(wire, f"{form}/nb"))["object_id"] == found["object_id"]
    assert found["path"] == "/Shared/d/nb"
    assert (await wire.ok("GET", API + "export", path=f"{form}/nb"))["content"] == SOURCE
    assert (await wire.post(API + "import", path="/Shared/d/nb", **NOTEBOOK))[1][
        "error_code"
    ] == "RESOURCE_ALREADY_EXISTS"
    await wire.ok("POST", API + "import", path=f"{form}/nb", overwrite=True, **NOTEBOOK)
    assert (await status(wire, "/Shared/d/nb"))["object_id"] == found["object_id"]
    await wire.ok("POST", API + "delete", path=form, recursive=True)
    assert (await wire.get(API + "get-status", path="/Shared/d"))[0] == 404


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("/Workspace/Shared/d", "/Workspace/Shared/d"),
        ("/Workspace/Shared/d/", "/Workspace/Shared/d"),
        ("/Workspace//Shared/d", "/Workspace/Shared/d"),
        ("//Workspace/Shared/d", "/Workspace/Shared/d"),
        ("//Shared/d", "/Shared/d"),
        ("///Shared/d//", "/Shared/d"),
        ("/Shared/d", "/Shared/d"),
    ],
)
async def test_answers_keep_the_form(wire, workspace, asked, shown):
    """Of get-status, of each object of a listing, and of a notebook that lists itself."""
    workspace.add_object("/Shared/d/nb", b"1", language="PYTHON")
    workspace.add_object("/Workspace/Shared/d/file", b"1")
    assert (await status(wire, asked))["path"] == shown
    assert await paths(wire, asked) == [f"{shown}/nb", f"{shown}/file"]
    assert await paths(wire, f"{shown}/nb") == [f"{shown}/nb"]


@pytest.mark.parametrize("asked", ["/Workspace", "/Workspace/", "//Workspace"])
async def test_the_root_itself(wire, asked):
    """Its directories too; there is no directory of this name in it."""
    assert (await status(wire, asked))["path"] == "/Workspace"
    assert (await status(wire, asked))["object_id"] == (await status(wire, "/"))["object_id"]
    assert await paths(wire, asked) == ["/Workspace/Users", "/Workspace/Shared", "/Workspace/Repos"]
    assert await paths(wire, "//") == ["/Users", "/Shared", "/Repos"]
    await wire.ok("POST", API + "mkdirs", path=f"{asked}/Workspace/Shared")
    assert await paths(wire, "/") == ["/Users", "/Shared", "/Repos"]
    answer = await wire.post(API + "delete", path=asked)
    assert answer[1]["error_code"] == "DIRECTORY_PROTECTED"


@pytest.mark.parametrize("path", ["/workspace/Shared", "/WORKSPACE", "/Workspaces/Shared", "/Workspace.txt"])
async def test_names_that_only_look_like_it(wire, path):
    """Case counts, and so does the end of the name."""
    assert (await wire.get(API + "get-status", path=path))[0] == 404


async def test_errors_name_the_path_that_was_asked(wire, workspace):
    """In its own form."""
    answers = [
        await wire.get(API + "get-status", path="/Workspace/Shared/none"),
        await wire.post(API + "import", path="/Workspace/Shared/none/nb", **NOTEBOOK),
    ]
    workspace.add_object("/Shared/file", b"")
    answers.append(await wire.post(API + "mkdirs", path="/Workspace/Shared/file/d"))
    answers.append(await wire.post(API + "delete", path="/Workspace/Shared"))
    assert [answer["message"] for _, answer in answers[:3]] == [
        "Path (/Workspace/Shared/none) doesn't exist.",
        "The parent folder (/Workspace/Shared/none) does not exist.",
        "Path (/Workspace/Shared/file) already exists.",
    ]
    assert answers[3][1]["error_code"] == "DIRECTORY_PROTECTED"


async def test_permissions_are_those_of_the_object(wire, workspace):
    """Whatever its path is called."""
    workspace.add_user("ann@example.com", "dapi-ann")
    for path, expected in (
        ("/Workspace/Users/ann@example.com", 200),
        ("/Workspace/Users/admin@example.com", 403),
        ("/Workspace/Users", 200),
        ("/Workspace/Repos/ann@example.com", 200),
        ("/Repos", 200),
    ):
        assert (await wire.get(API + "list", token="dapi-ann", path=path))[0] == expected, path
    imported = await wire.post(API + "import", token="dapi-ann", path="/Workspace/Repos/ann@example.com/nb", **NOTEBOOK)
    assert imported[0] == 200
    assert (await status(wire, "/Repos/ann@example.com/nb"))["object_type"] == "NOTEBOOK"


async def test_archives_and_downloads_by_the_alias(wire, workspace):
    """A directory as a zip, and back under another form; raw bytes too."""
    workspace.add_object("/Shared/d/sub/nb", b"1", language="PYTHON")
    workspace.add_object("/Shared/d/file.txt", b"2")
    archive = await wire.ok("GET", API + "export", path="/Workspace/Shared/d", format="AUTO")
    content = {"content": archive["content"], "format": "SOURCE"}
    await wire.ok("POST", API + "import", path="/Workspace/Shared/e", **content)
    assert await paths(wire, "//Shared/e") == ["/Shared/e/sub", "/Shared/e/file.txt"]
    url = f"{wire.workspace.url}{API}export"
    params = {"path": "/Workspace/Shared/e/file.txt", "direct_download": "true"}
    headers = {"Authorization": f"Bearer {wire.token}"}
    async with wire.session.get(url, params=params, headers=headers) as response:
        assert await response.read() == b"2"


async def test_notebooks_of_tasks_are_found_by_the_alias(jobs, workspace):
    """A run finds the notebook, whichever form its task has."""
    workspace.notebooks_must_exist = True
    workspace.add_object("/Shared/nb", b"1", language="PYTHON")
    forms = ("/Shared/nb", "/Workspace/Shared/nb", "//Shared/nb")
    for path in forms:
        run_id = await jobs.submit({"task_key": "a", "notebook_task": {"notebook_path": path}})
        workspace.clock.advance(60)
        assert await jobs.state(run_id) == "TERMINATED SUCCESS", path
    run_id = await jobs.submit({"task_key": "a", "notebook_task": {"notebook_path": "/Workspace/Shared/none"}})
    workspace.clock.advance(60)
    assert (await jobs.state(run_id)).startswith("INTERNAL_ERROR")
