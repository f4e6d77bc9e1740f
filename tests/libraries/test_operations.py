"""Every operation of the Libraries API: what goes over the wire, and what it does to the service.

Here are the tests of `libraries/api.py`, `libraries/models.py`.
"""

from __future__ import annotations

import pytest

from databricks_async.errors import InvalidParameterValue, OutcomeUnknown
from databricks_async.libraries.models import Library, LibraryInstallStatus, MavenLibrary, PythonPyPiLibrary
from databricks_async.local import Fault

INSTALL, UNINSTALL = "POST /api/2.0/libraries/install", "POST /api/2.0/libraries/uninstall"
PANDAS = {"pypi": {"package": "pandas==2.2.3"}}
DELTA = {"maven": {"coordinates": "io.delta:delta-core_2.12:2.4.0", "exclusions": ["org.slf4j:*"]}}
WHEEL = {"whl": "/Workspace/etl-1.0-py3-none-any.whl"}


@pytest.fixture
async def running(w, workspace):
    """A cluster that runs."""
    wait = await w.clusters.create(spark_version="16.4.x-scala2.12", node_type_id="Standard_DS3_v2", num_workers=1)
    workspace.clock.advance(300)
    await wait.result()
    workspace.journal.clear()
    return wait.cluster_id


async def status(w, cluster_id):
    """The libraries of a cluster by what they are, and how far each is."""
    return {repr(one.library.as_dict()): one.status async for one in w.libraries.cluster_status(cluster_id)}


async def test_install_from_models_and_from_mappings(w, workspace, running):
    """The same bodies, in the order given; installed a little later."""
    models = [
        Library(pypi=PythonPyPiLibrary(package="pandas==2.2.3")),
        Library(maven=MavenLibrary(coordinates="io.delta:delta-core_2.12:2.4.0", exclusions=["org.slf4j:*"])),
        Library(whl="/Workspace/etl-1.0-py3-none-any.whl"),
    ]
    assert await w.libraries.install(running, models) is None
    assert await w.libraries.install(running, (one for one in (PANDAS, DELTA, WHEEL))) is None
    bodies = [call.body for call in workspace.journal.calls(INSTALL)]
    assert bodies == [{"cluster_id": running, "libraries": [PANDAS, DELTA, WHEEL]}] * 2

    workspace.clock.advance(31)
    assert await status(w, running) == dict.fromkeys(map(repr, (PANDAS, DELTA, WHEEL)), LibraryInstallStatus.INSTALLED)


async def test_cluster_status(w, workspace, running):
    """Library by library, typed, with what went wrong."""
    workspace.fail_next_library("no such package", library="pandas")
    await w.libraries.install(running, [PANDAS, WHEEL])
    workspace.clock.advance(31)
    failed, installed = await w.libraries.cluster_status(running).collect()

    assert workspace.journal.entries[-1].query == {"cluster_id": running}
    assert (failed.library.pypi.package, failed.status, failed.messages) == (
        "pandas==2.2.3",
        LibraryInstallStatus.FAILED,
        ["no such package"],
    )
    assert (installed.library.whl, installed.status, installed.is_library_for_all_clusters) == (
        WHEEL["whl"],
        "INSTALLED",
        False,
    )


async def test_all_cluster_statuses(w, workspace, running):
    """Cluster by cluster; those without libraries are left out."""
    assert await w.libraries.all_cluster_statuses().collect() == []
    await w.libraries.install(running, [WHEEL])
    (only,) = await w.libraries.all_cluster_statuses().collect()

    assert only.cluster_id == running
    assert [one.library.as_dict() for one in only.library_statuses] == [WHEEL]
    assert workspace.journal.entries[-1].query == {}


async def test_uninstall_waits_for_a_restart(w, workspace, running):
    """Until then the service says so; then the library is gone."""
    await w.libraries.install(running, [PANDAS, WHEEL])
    workspace.clock.advance(31)
    assert await w.libraries.uninstall(running, [Library.from_dict(PANDAS)]) is None
    assert workspace.journal.calls(UNINSTALL)[0].body == {"cluster_id": running, "libraries": [PANDAS]}
    assert (await status(w, running))[repr(PANDAS)] == LibraryInstallStatus.UNINSTALL_ON_RESTART

    wait = await w.clusters.restart(running)
    workspace.clock.advance(300)
    await wait.result()
    assert list(await status(w, running)) == [repr(WHEEL)]


@pytest.mark.parametrize("method", ["install", "uninstall"])
async def test_a_lost_answer_is_asked_for_again(w, workspace, running, method):
    """Doing it twice is the same as doing it once."""
    workspace.faults.add(f"POST /api/2.0/libraries/{method}", Fault.drop(after=True))
    await getattr(w.libraries, method)(running, [WHEEL])
    assert workspace.journal.count(f"POST /api/2.0/libraries/{method}") == 2


async def test_a_refusal_after_a_lost_answer_says_where_to_look(w, workspace, running):
    """The first try may have been carried out."""
    refusal = Fault.error(400, "INVALID_PARAMETER_VALUE", "no")
    workspace.faults.add(INSTALL, Fault.drop(after=True), refusal)
    with pytest.raises(OutcomeUnknown, match=rf"libraries\.cluster_status\('{running}'\)"):
        await w.libraries.install(running, [WHEEL])
    assert list(await status(w, running)) == [repr(WHEEL)]


async def test_what_is_missing_in_an_answer_is_empty(w, workspace):
    """The service leaves out what is empty."""
    workspace.faults.add("GET /api/2.0/libraries/*", Fault.answer(200, b'{"cluster_id": "c"}'), times=2)
    assert await w.libraries.cluster_status("c").collect() == []
    assert await w.libraries.all_cluster_statuses().collect() == []


async def test_words_and_kinds_from_tomorrow_are_kept(w, workspace):
    """Read as values, and sent as they were given."""
    body = b'{"cluster_id": "c", "library_statuses": [{"library": {"crate": {"name": "x"}}, "status": "BREWING"}]}'
    workspace.faults.add("GET /api/2.0/libraries/cluster-status", Fault.answer(200, body))
    (only,) = await w.libraries.cluster_status("c").collect()
    assert (only.status, only.status.is_known) == ("BREWING", False)

    with pytest.raises(InvalidParameterValue):
        await w.libraries.install("c", [only.library])
    assert workspace.journal.entries[-1].body["libraries"] == [{"crate": {"name": "x"}}]
    workspace.journal.clear()


async def test_an_unknown_cluster_is_a_wrong_parameter(w):
    """As the service puts it."""
    with pytest.raises(InvalidParameterValue, match="Cluster nothing does not exist"):
        await w.libraries.install("nothing", [WHEEL])
    with pytest.raises(InvalidParameterValue, match="Cluster nothing does not exist"):
        await w.libraries.cluster_status("nothing").collect()


@pytest.mark.parametrize(
    ("libraries", "error", "says"),
    [
        ([WHEEL, {"pypi": {"pakage": "x"}}], ValueError, r"\$\.libraries\[1\]\.pypi"),
        ([WHEEL, {"pypi": {"package": 5}}], ValueError, r"\$\.libraries\[1\]\.pypi\.package: expected text"),
        ([{"mavn": {"coordinates": "a:b:1"}}], ValueError, "no field 'mavn': did you mean 'maven'"),
        (["/Workspace/x.whl"], ValueError, r"\$\.libraries\[0\]: expected an object, got text"),
        (WHEEL, ValueError, r"\$\.libraries\[0\]: expected an object, got text"),
        (Library.from_dict(WHEEL), TypeError, "not iterable"),
    ],
)
async def test_libraries_that_cannot_be_are_refused_before_anything_is_sent(w, workspace, libraries, error, says):
    """By their place in the list."""
    for method in (w.libraries.install, w.libraries.uninstall):
        with pytest.raises(error, match=says):
            await method("0923-164208-meows279", libraries)
    assert workspace.journal.entries == []


@pytest.mark.parametrize(("cluster_id", "error"), [("", ValueError), (None, TypeError), (7, TypeError)])
async def test_an_id_is_text_and_not_empty(w, workspace, cluster_id, error):
    """In all three operations that take one."""
    for method in (w.libraries.install, w.libraries.uninstall):
        with pytest.raises(error, match="cluster_id"):
            await method(cluster_id, [WHEEL])
    with pytest.raises(error, match="cluster_id"):
        w.libraries.cluster_status(cluster_id)
    assert workspace.journal.entries == []


@pytest.mark.parametrize("cluster_id", ["a/b", "a?b=c", "a&cluster_id=b", "../x", "%2e", "a\r\nX: y"])
async def test_a_strange_id_stays_one_value_of_its_query(w, workspace, cluster_id):
    """The service reads the very id that was given, and no other parameter."""
    with pytest.raises(InvalidParameterValue):
        await w.libraries.cluster_status(cluster_id).collect()
    (call,) = workspace.journal.entries
    assert (call.endpoint, call.query) == ("GET /api/2.0/libraries/cluster-status", {"cluster_id": cluster_id})
