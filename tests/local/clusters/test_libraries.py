"""Libraries along the life of their cluster."""

from __future__ import annotations

import pytest

NUMPY, JAR = {"pypi": {"package": "numpy==2.1"}}, {"jar": "dbfs:/a.jar"}
INSTALL, UNINSTALL = "/api/2.0/libraries/install", "/api/2.0/libraries/uninstall"


async def statuses(wire, cluster_id):
    answer = await wire.ok("GET", "/api/2.0/libraries/cluster-status", cluster_id=cluster_id)
    assert answer["cluster_id"] == cluster_id
    return [one["status"] for one in answer.get("library_statuses", [])]


async def test_a_library_is_installed_step_by_step(wire, workspace):
    """PENDING, INSTALLING, INSTALLED while the cluster runs; once, however often it is asked for."""
    cluster_id = await wire.running()
    await wire.ok("POST", INSTALL, cluster_id=cluster_id, libraries=[NUMPY, JAR])
    await wire.ok("POST", INSTALL, cluster_id=cluster_id, libraries=[NUMPY])
    seen = [await statuses(wire, cluster_id)]
    for seconds in (1, 29.001):
        workspace.clock.advance(seconds)
        seen.append(await statuses(wire, cluster_id))
    assert seen == [["PENDING"] * 2, ["INSTALLING"] * 2, ["INSTALLED"] * 2]


async def test_libraries_wait_for_their_cluster_to_run(wire, workspace):
    """And are installed anew after a restart."""
    cluster_id = await wire.create()
    await wire.ok("POST", INSTALL, cluster_id=cluster_id, libraries=[NUMPY])
    workspace.clock.advance(299)
    assert await statuses(wire, cluster_id) == ["PENDING"]
    workspace.clock.advance(1 + 31)
    assert await statuses(wire, cluster_id) == ["INSTALLED"]
    await wire.ok("POST", "/api/2.1/clusters/restart", cluster_id=cluster_id)
    assert await statuses(wire, cluster_id) == ["PENDING"]
    workspace.clock.advance(240 + 31)
    assert await statuses(wire, cluster_id) == ["INSTALLED"]


async def test_a_restart_in_the_middle_of_an_installation_starts_it_over(wire, workspace):
    """The old driver's installation does not count for the new one."""
    workspace.timing.restarting = 10
    cluster_id = await wire.running()
    await wire.ok("POST", INSTALL, cluster_id=cluster_id, libraries=[NUMPY])
    workspace.clock.advance(20)
    await wire.ok("POST", "/api/2.1/clusters/restart", cluster_id=cluster_id)
    workspace.clock.advance(15)
    assert await statuses(wire, cluster_id) == ["INSTALLING"]
    workspace.clock.advance(26)
    assert await statuses(wire, cluster_id) == ["INSTALLED"]


async def test_uninstalling_takes_a_restart(wire, workspace):
    """Until then the library only says that it will go; what never got installed goes at once."""
    cluster_id = await wire.running()
    await wire.ok("POST", INSTALL, cluster_id=cluster_id, libraries=[NUMPY])
    workspace.clock.advance(31)
    await wire.ok("POST", INSTALL, cluster_id=cluster_id, libraries=[JAR])
    await wire.ok("POST", UNINSTALL, cluster_id=cluster_id, libraries=[NUMPY, JAR, {"whl": "never.whl"}])
    assert await statuses(wire, cluster_id) == ["UNINSTALL_ON_RESTART"]
    await wire.ok("POST", "/api/2.1/clusters/restart", cluster_id=cluster_id)
    assert await statuses(wire, cluster_id) == []


async def test_a_scripted_failure_of_a_library(wire, workspace):
    """FAILED with the message; installing again tries again."""
    workspace.fail_next_library("No matching distribution found", library="numpy")
    cluster_id = await wire.running()
    await wire.ok("POST", INSTALL, cluster_id=cluster_id, libraries=[JAR, NUMPY])
    workspace.clock.advance(31)
    answer = await wire.ok("GET", "/api/2.0/libraries/all-cluster-statuses")
    (cluster,) = answer["statuses"]
    assert [one["status"] for one in cluster["library_statuses"]] == ["INSTALLED", "FAILED"]
    assert cluster["library_statuses"][1]["messages"] == ["No matching distribution found"]
    assert cluster["library_statuses"][1]["library"] == NUMPY
    await wire.ok("POST", INSTALL, cluster_id=cluster_id, libraries=[NUMPY])
    workspace.clock.advance(31)
    assert await statuses(wire, cluster_id) == ["INSTALLED", "INSTALLED"]


async def test_a_cluster_can_take_the_libraries_of_another(wire):
    """`clone_from`."""
    source = await wire.create()
    await wire.ok("POST", INSTALL, cluster_id=source, libraries=[NUMPY])
    clone = await wire.create(clone_from={"source_cluster_id": source})
    assert await statuses(wire, clone) == ["PENDING"]


@pytest.mark.parametrize(
    "library",
    [{}, {"jar": "a", "whl": "b"}, {"pypi": {}}, {"maven": {"repo": "r"}}, {"pypi": "numpy"}, {"npm": "left-pad"}],
)
async def test_an_impossible_library_is_refused(wire, library):
    """400, naming its place."""
    cluster_id = await wire.create()
    status, answer = await wire.post(INSTALL, cluster_id=cluster_id, libraries=[library])
    assert (status, answer["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert "libraries[0]" in answer["message"]
