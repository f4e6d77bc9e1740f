"""The environment that recipes find: a workspace for clients without arguments, which poll without long pauses."""

from __future__ import annotations

from pathlib import Path

import pytest

from databricks_async.local import Clock, LocalWorkspace


@pytest.fixture
def workspace_clock() -> Clock:
    """So fast that what a recipe waits for has happened before it polls a second time."""
    return Clock.sped_up(20_000)


def point_to(workspace: LocalWorkspace, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = folder / "databrickscfg"
    file.touch(mode=0o600)
    lines = [f"host = {workspace.url}", f"token = {workspace.token}", "poll_interval_seconds = 0.005"]
    file.write_text("\n".join(["[DEFAULT]", *lines, ""]))
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(file))


@pytest.fixture
def found_workspace(
    workspace: LocalWorkspace, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> LocalWorkspace:
    """The workspace that clients without arguments find, in the loop of the test."""
    point_to(workspace, tmp_path_factory.mktemp("settings"), monkeypatch)
    return workspace


@pytest.fixture
def threaded_workspace(
    local_workspace: LocalWorkspace, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> LocalWorkspace:
    """The same for recipes that have a loop of their own."""
    point_to(local_workspace, tmp_path_factory.mktemp("settings"), monkeypatch)
    return local_workspace


@pytest.fixture
def cluster(request: pytest.FixtureRequest) -> str:
    """The id of a running cluster of whichever workspace the test has."""
    name = "found_workspace" if "found_workspace" in request.fixturenames else "threaded_workspace"
    workspace: LocalWorkspace = request.getfixturevalue(name)
    cluster_id = "0923-164208-meows279"
    workspace.load(
        {
            "cluster_id": cluster_id,
            "cluster_name": "etl",
            "spark_version": "15.4.x-scala2.12",
            "node_type_id": "Standard_DS3_v2",
            "num_workers": 1,
            "state": "RUNNING",
            "cluster_source": "UI",
        }
    )
    return cluster_id
