"""`walk`: everything below a folder, as it is found, whatever happens meanwhile.

Here are the tests of `workspace/trees/pool.py`.
"""

from __future__ import annotations

import asyncio
import gc

import pytest

from databricks_async import Config, WorkspaceClient
from databricks_async.errors import (
    InternalError,
    InvalidResponse,
    LifecycleError,
    PermissionDenied,
    ResourceDoesNotExist,
    Unauthenticated,
)
from databricks_async.local import Fault, LocalWorkspace, RateLimit
from databricks_async.workspace.trees.walk import Walk

LIST = "GET /api/{v}/workspace/list"


@pytest.fixture
def retry_seconds() -> float:
    """What fails for good is not waited for."""
    return 0.2


def listings_of_ours() -> int:
    """The tasks that run in the client's part for the workspace."""
    files = [getattr(task.get_coro(), "cr_code", None) for task in asyncio.all_tasks()]
    return sum("databricks_async/workspace/" in code.co_filename for code in files if code is not None)


async def stop_answering(w: WorkspaceClient, workspace: LocalWorkspace) -> Walk:
    """A walk of which all listings hang but the first."""
    await plant(w, *(f"/Shared/{number}/" for number in range(30)))
    walk = w.workspace.walk("/Shared")
    await anext(walk)
    workspace.faults.add(LIST, Fault.hang(), times=100)
    await anext(walk)
    await workspace.journal.until(lambda journal: journal.in_flight >= 2)
    return walk


async def plant(w: WorkspaceClient, *paths: str) -> None:
    """Folders; files where the path does not end with a slash."""
    for path in paths:
        folder, _, name = path.rpartition("/")
        await w.workspace.mkdirs(folder)
        if name:
            await w.workspace.import_(path, b"x", format="RAW")


async def test_everything_below_is_found(w: WorkspaceClient) -> None:
    """Three levels deep, folders and empty ones included, each once, and each folder before what is in it."""
    await plant(w, "/Shared/a/b/c/deep", "/Shared/a/file", "/Shared/empty/", "/Shared/top", "/Users/not/this")
    found = [info.path async for info in w.workspace.walk("/Shared")]
    assert sorted(found) == [
        *("/Shared/a", "/Shared/a/b", "/Shared/a/b/c", "/Shared/a/b/c/deep", "/Shared/a/file"),
        *("/Shared/empty", "/Shared/top"),
    ]
    for path in found:
        parent = path.rpartition("/")[0]
        assert parent == "/Shared" or found.index(parent) < found.index(path)


@pytest.mark.parametrize("root", ["/", "/Shared/", "//Shared"])
async def test_a_root_in_any_spelling(w: WorkspaceClient, root: str) -> None:
    """The root of all, and slashes too many."""
    await plant(w, "/Shared/a/file")
    found = [info.path async for info in w.workspace.walk(root)]
    assert "/Shared/a/file" in found
    assert len(set(found)) == len(found)


async def test_a_file_is_all_there_is_to_find(w: WorkspaceClient) -> None:
    """As the service itself lists it."""
    await plant(w, "/Shared/file")
    assert [info.path async for info in w.workspace.walk("/Shared/file")] == ["/Shared/file"]


async def test_objects_come_before_all_folders_are_listed(w: WorkspaceClient, workspace: LocalWorkspace) -> None:
    """What the first folder holds is there although no other listing ever ends."""
    async with await stop_answering(w, workspace) as walk:
        assert len([await anext(walk) for _ in range(28)]) == 28


@pytest.mark.usefixtures("virtual_time")
async def test_no_more_listings_at_a_time_than_asked(w: WorkspaceClient, workspace: LocalWorkspace) -> None:
    """As the server sees it."""
    await plant(w, *(f"/Shared/{number}/" for number in range(40)))
    workspace.journal.clear()
    workspace.faults.add(LIST, Fault.delay(1), probability=1.0)
    assert len([info async for info in w.workspace.walk("/Shared", concurrency=3)]) == 40
    assert workspace.journal.in_flight_max == 3


async def test_a_reader_who_leaves_soon_has_had_little_listed(w: WorkspaceClient, workspace: LocalWorkspace) -> None:
    """Nothing but the first folder before the second object is asked for, and then more and more."""
    await plant(w, *(f"/Shared/{number}/" for number in range(40)))
    workspace.journal.clear()
    async with w.workspace.walk("/Shared") as walk:
        await anext(walk)
        await asyncio.sleep(0.01)
        assert workspace.journal.count(LIST) == 1
        await anext(walk)
        await workspace.journal.until(lambda journal: journal.count(LIST) == 3)


async def test_a_slow_reader_is_not_run_ahead_of(w: WorkspaceClient, workspace: LocalWorkspace) -> None:
    """When 1,000 objects wait, and what was under way has come, nothing more is listed."""
    for folder in range(8):
        await w.workspace.mkdirs(f"/Shared/{folder}")
    big = ",".join(f'{{"object_type":"FILE","path":"/Shared/7/{number}"}}' for number in range(1500))
    workspace.journal.clear()
    walk = w.workspace.walk("/Shared", concurrency=1)
    await anext(walk)
    workspace.faults.add(LIST, Fault.answer(200, f'{{"objects":[{big}]}}'))
    for _ in range(400):
        await anext(walk)
    assert workspace.journal.count(LIST) == 2
    assert len([info async for info in walk]) == 8 + 1500 - 401
    assert workspace.journal.count(LIST) == 9


async def test_a_folder_that_vanishes_is_told_and_the_walk_goes_on(
    w: WorkspaceClient, workspace: LocalWorkspace
) -> None:
    """Deleted between its own listing and that of what is in it."""
    await plant(w, "/Shared/gone/x", "/Shared/kept/y")
    walk = w.workspace.walk("/Shared", concurrency=1)
    found = [(await anext(walk)).path]
    await w.workspace.delete("/Shared/gone", recursive=True)
    found += [info.path async for info in walk]
    assert "/Shared/kept/y" in found
    assert [failure.path for failure in walk.failures] in (["/Shared/gone"], [])
    assert all(isinstance(failure.error, ResourceDoesNotExist) for failure in walk.failures)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.error(403, "PERMISSION_DENIED"), PermissionDenied),
        (Fault.error(404, "RESOURCE_DOES_NOT_EXIST"), ResourceDoesNotExist),
        (Fault.answer(500, "broken"), InternalError),
        (Fault.answer(200, '{"objects":[{"path":12}]}'), InvalidResponse),
    ],
)
async def test_a_folder_that_cannot_be_listed_does_not_end_the_walk(
    w: WorkspaceClient, workspace: LocalWorkspace, fault: Fault, error: type[Exception]
) -> None:
    """Forbidden, gone, or broken for good: it is noted with its error."""
    await plant(w, "/Shared/a/x", "/Shared/b/y")
    walk = w.workspace.walk("/Shared", concurrency=1)
    found = [(await anext(walk)).path]
    workspace.faults.add(LIST, fault, times=20 if error is InternalError else 1)
    found += [info.path async for info in walk]
    workspace.faults.clear()
    assert {"/Shared/a", "/Shared/b"} <= set(found)
    assert walk.failures
    assert {type(failure.error) for failure in walk.failures} == {error}


async def test_what_concerns_every_folder_ends_the_walk_and_it_can_be_taken_up_again(
    w: WorkspaceClient, workspace: LocalWorkspace
) -> None:
    """A token that is refused; when that is healed, the same walk finds the rest."""
    await plant(w, "/Shared/a/x", "/Shared/b/y")
    walk = w.workspace.walk("/Shared", concurrency=1)
    await anext(walk)
    workspace.faults.add(LIST, Fault.error(401, "UNAUTHENTICATED"), times=2)
    assert (await anext(walk)).path == "/Shared/b"
    with pytest.raises(Unauthenticated):
        await anext(walk)
    workspace.faults.clear()
    assert {info.path async for info in walk} == {"/Shared/a/x", "/Shared/b/y"}
    assert walk.failures == []


async def test_the_root_itself_must_be_there(w: WorkspaceClient) -> None:
    """Its error is raised."""
    with pytest.raises(ResourceDoesNotExist):
        await anext(w.workspace.walk("/Shared/nothing"))


@pytest.mark.parametrize("name", ["..", ".", "", "x/y", "../../up"])
async def test_names_that_lead_elsewhere_are_not_followed(
    w: WorkspaceClient, workspace: LocalWorkspace, name: str
) -> None:
    """A service that lists what does not lie in the folder is not believed, and asked no more about it."""
    await w.workspace.mkdirs("/Shared/a")
    workspace.journal.clear()
    walk = w.workspace.walk("/Shared")
    found = [(await anext(walk)).path]
    body = f'{{"objects":[{{"object_type":"DIRECTORY","path":"/Shared/a/{name}"}}]}}'
    workspace.faults.add(LIST, Fault.answer(200, body))
    found += [info.path async for info in walk]
    assert found == ["/Shared/a"]
    assert [type(failure.error) for failure in walk.failures] == [InvalidResponse]
    assert workspace.journal.count(LIST) == 2


async def test_a_folder_that_lists_itself_does_not_hang_the_walk(w: WorkspaceClient, workspace: LocalWorkspace) -> None:
    """Nor one that lists the folder above."""
    body = '{"objects":[{"object_type":"DIRECTORY","path":"/Shared"},{"object_type":"DIRECTORY","path":"/"}]}'
    workspace.faults.add(LIST, Fault.answer(200, body))
    walk = w.workspace.walk("/Shared")
    assert [info.path async for info in walk] == []
    assert len(walk.failures) == 2


async def test_the_service_may_answer_without_the_prefix_it_was_asked_with(
    w: WorkspaceClient, workspace: LocalWorkspace
) -> None:
    """`/Workspace/Shared` and `/Shared` are one and the same to it."""
    body = '{"objects":[{"object_type":"FILE","path":"/Shared/x"}]}'
    workspace.faults.add(LIST, Fault.answer(200, body))
    walk = w.workspace.walk("/Workspace/Shared")
    assert [info.path async for info in walk] == ["/Shared/x"]
    assert walk.failures == []


async def test_repositories_are_walked(w: WorkspaceClient, workspace: LocalWorkspace) -> None:
    """A REPO is a folder; other types, also unknown ones, are handed out as they are."""
    body = '{"objects":[{"object_type":"REPO","path":"/Shared/r"},{"object_type":"MURAL","path":"/Shared/m"}]}'
    inside = '{"objects":[{"object_type":"FILE","path":"/Shared/r/x"}]}'
    workspace.faults.add(LIST, Fault.answer(200, body), Fault.answer(200, inside))
    assert [info.path async for info in w.workspace.walk("/Shared")] == ["/Shared/r", "/Shared/m", "/Shared/r/x"]


async def test_a_loop_left_early_leaves_nothing_behind(w: WorkspaceClient, workspace: LocalWorkspace) -> None:
    """The listings under way end with the iterator: no task, no request, no warning."""
    walk = await stop_answering(w, workspace)
    async for _ in walk:
        break
    assert listings_of_ours()
    del walk, _
    gc.collect()
    await workspace.journal.until(lambda journal: journal.in_flight == 0)
    assert not listings_of_ours()


async def test_an_error_of_the_reader_leaves_nothing_behind(w: WorkspaceClient, workspace: LocalWorkspace) -> None:
    """It passes through, and with `async with` the listings have ended then."""
    walk = await stop_answering(w, workspace)

    async def read() -> None:
        async with walk:
            async for _ in walk:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await read()
    assert not listings_of_ours()
    await workspace.journal.until(lambda journal: journal.in_flight == 0)


async def test_cancellation_leaves_nothing_behind(w: WorkspaceClient, workspace: LocalWorkspace) -> None:
    """In the middle of waiting for a listing."""

    walk = await stop_answering(w, workspace)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02), walk:
            [info async for info in walk]
    assert not listings_of_ours()
    await workspace.journal.until(lambda journal: journal.in_flight == 0)


async def test_what_a_time_limit_cut_short_can_go_on(w: WorkspaceClient, workspace: LocalWorkspace) -> None:
    """The listing under way is not lost."""
    await plant(w, "/Shared/a/x")
    workspace.faults.add(LIST, Fault.delay(0.1))
    walk = w.workspace.walk("/Shared")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await anext(walk)
    assert [info.path async for info in walk] == ["/Shared/a", "/Shared/a/x"]
    assert workspace.journal.count(LIST) == 2


async def test_closing_the_client_ends_a_walk(w: WorkspaceClient, workspace: LocalWorkspace) -> None:
    """With an error that says so, for one that waits and for one that was left somewhere."""
    left, waited_for = await stop_answering(w, workspace), w.workspace.walk("/Shared")
    waiting = asyncio.ensure_future(anext(waited_for))
    await workspace.journal.until(lambda journal: journal.count(LIST) >= 4)
    await w.aclose()
    assert not listings_of_ours()
    with pytest.raises(LifecycleError):
        await waiting
    with pytest.raises(LifecycleError):
        [info async for info in left]


async def test_a_closed_walk_is_over(w: WorkspaceClient) -> None:
    """It may be closed twice."""
    await plant(w, "/Shared/a/x")
    walk = w.workspace.walk("/Shared")
    await anext(walk)
    await walk.aclose()
    await walk.aclose()
    assert [info async for info in walk] == []


async def test_rate_limits_lose_nothing(w: WorkspaceClient, workspace: LocalWorkspace) -> None:
    """Refused listings come back."""
    await plant(w, *(f"/Shared/{number}/x" for number in range(25)))
    config = Config(host=workspace.url, token=workspace.token)
    workspace.rate_limit = limit = RateLimit(per_second=100, burst=1, retry_after=0.02, endpoint=LIST)
    async with WorkspaceClient(config=config) as patient:
        walk = patient.workspace.walk("/Shared")
        assert len([info async for info in walk]) == 50
    assert walk.failures == []
    assert limit.refused


@pytest.mark.parametrize("concurrency", [0, -1, True, 1.5, "3"])
async def test_a_wrong_concurrency_is_told_at_once(w: WorkspaceClient, concurrency: object) -> None:
    """Before anything is sent."""
    with pytest.raises(ValueError, match="concurrency"):
        w.workspace.walk("/", concurrency=concurrency)


@pytest.mark.parametrize(("path", "error"), [("Shared", ValueError), ("", ValueError), (None, TypeError)])
async def test_a_wrong_path_is_told(w: WorkspaceClient, path: object, error: type[Exception]) -> None:
    """Paths are absolute."""
    with pytest.raises(error):
        await anext(w.workspace.walk(path))
