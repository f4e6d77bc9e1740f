"""Recipes for other places: a suite of one's own, a container on AKS, and what stands for Airflow and Prefect here.

Of `manual/recipes/own_tests.py`, `manual/recipes/on_aks.py`, `manual/recipes/airflow_task.py` and
`manual/recipes/prefect_flow.py`, whose own environments `manual/tools/orchestrators.py` makes.
"""

from __future__ import annotations

import ast
import asyncio
import os
import re
import signal
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock

import attrs
import pytest
import yaml

from databricks_async import Config, RunFailed, WorkspaceClient
from databricks_async.cli import auth_demo
from databricks_async.errors import AuthError
from databricks_async.local import Clock, LocalIdentity, LocalWorkspace
from databricks_async.manual.recipes import on_aks
from databricks_async.manual.tools import RECIPES

FOLDER = Path(on_aks.__file__).parent
REPAIR = "POST /api/{v}/jobs/runs/repair"
TASKS: list[Any] = [{"task_key": "load", "notebook_task": {"notebook_path": "/etl/load"}}]


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.name)
def test_a_recipe_says_what_it_does_and_what_goes_wrong(path: Path) -> None:
    """It is short, and the first page of the manual links it."""
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    text = ast.get_docstring(tree) or ""
    assert "\nWhen things go wrong:\n\n- " in text
    code = source.splitlines()[tree.body[0].end_lineno or 0 :]
    assert 15 <= len([line for line in code if line.strip()]) <= 75
    assert f"(recipes/{path.name})" in (FOLDER.parent / "index.md").read_text(encoding="utf-8")


# --- own_tests -------------------------------------------------------------------------------------------------------


def test_a_suite_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it passes, in a directory without any configuration."""
    file = tmp_path / "test_etl.py"
    file.write_text((FOLDER / "own_tests.py").read_text(encoding="utf-8"), encoding="utf-8")
    passed: list[str] = []

    class Passed:
        def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
            passed.extend([report.nodeid] * (report.when == "call" and report.passed))

    options = ["-q", "--rootdir", str(tmp_path), "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov"]
    options += ["-o", "asyncio_default_fixture_loop_scope=function"]
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    monkeypatch.chdir(tmp_path)
    assert pytest.main([*options, str(file)], plugins=[Passed()]) == pytest.ExitCode.OK
    assert len(passed) == 7


# --- on_aks ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def manifests() -> list[Any]:
    return [*yaml.safe_load_all((FOLDER / "aks" / "job.yaml").read_text(encoding="utf-8"))]


def test_the_manifest_and_the_dockerfile_fit_the_program(manifests: list[Any]) -> None:
    """Names agree, and each variable is one that the library or the program reads."""
    account, job = manifests
    pod = job["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    assert pod["metadata"]["labels"]["azure.workload.identity/use"] == "true"
    assert pod["spec"]["serviceAccountName"] == account["metadata"]["name"]
    assert account["metadata"]["namespace"] == job["metadata"]["namespace"]
    source = (FOLDER / "on_aks.py").read_text(encoding="utf-8")
    read = {name for field in attrs.fields(Config) for name in field.metadata.get("env", ())}
    own = {*re.findall(r'os\.environ\["(\w+)"\]', source)}
    assert {one["name"] for one in container["env"]} == {"DATABRICKS_HOST", *own}
    assert "DATABRICKS_HOST" in read
    (rule,) = job["spec"]["podFailurePolicy"]["rules"]
    assert rule["onExitCodes"]["values"] == [2]
    lines = (FOLDER / "aks" / "Dockerfile").read_text(encoding="utf-8").splitlines()
    steps = dict(line.split(" ", 1) for line in lines if not line.startswith("#"))
    assert steps["COPY"] == "on_aks.py /app/on_aks.py"
    assert ast.literal_eval(steps["CMD"]) == ["python", "/app/on_aks.py"]
    assert set(steps) == {"FROM", "RUN", "COPY", "USER", "ENV", "CMD"}


class TestOnAks:
    """The pod, with what the webhook gives it."""

    @pytest.fixture
    def requests_are_known(self) -> bool:
        """The peers are asked for what no service knows."""
        return False

    @pytest.mark.parametrize("account", ["etl", "another"])
    async def test_a_pod(
        self,
        workspace: LocalWorkspace,
        manifests: list[Any],
        account: str,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """Its second try finds its run; a run that fails is exit code 2; another account is refused by Entra."""
        async with LocalIdentity(workspace) as identity:
            _, variables = auth_demo.azure_workload_identity(auth_demo.Peers(workspace, identity, tmp_path))
            assert manifests[1]["metadata"]["namespace"] == "jobs"
            assert manifests[1]["spec"]["template"]["spec"]["serviceAccountName"] == "etl"
            token = identity.id_token(f"system:serviceaccount:jobs:{account}", "api://AzureADTokenExchange")
            await asyncio.to_thread(Path(variables["AZURE_FEDERATED_TOKEN_FILE"]).write_text, token)
            async with WorkspaceClient(host=workspace.url, token=workspace.token) as admin:
                level = "CAN_MANAGE_RUN"
                rights = [{"service_principal_name": auth_demo.CLIENT_ID, "permission_level": level}]
                job = await admin.jobs.create(name="etl", tasks=TASKS, access_control_list=rights)
            variables |= {"DATABRICKS_HOST": workspace.url, "JOB_ID": str(job.job_id), "JOB_NAME": "etl-1"}
            for name, value in variables.items():
                monkeypatch.setenv(name, value)
            if account != "etl":
                with pytest.raises(AuthError, match="AADSTS700213"):
                    await on_aks.main()
                return
            workspace.script_task("/etl/load", error="no such table")
            assert [await on_aks.main(), await on_aks.until_sigterm()] == [2, 2]
            out = capsys.readouterr().out
            assert "no such table" in out
            assert len({*re.findall(r"run (\d+)", out)}) == 1


# --- airflow_task and prefect_flow -----------------------------------------------------------------------------------


def plain(*args: Any, **_: Any) -> Any:
    """A decorator that leaves the function as it is."""
    return args[0] if args and callable(args[0]) else lambda function: function


@pytest.fixture
def orchestrated(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, ModuleType]]:
    """The recipes with stand-ins for what they import, which show what runs inside of a task."""
    sdk = MagicMock(dag=lambda **_: MagicMock(), task=plain)
    prefect = MagicMock(flow=plain, task=plain)
    runtime = MagicMock(flow_run=MagicMock(id="flow"), task_run=MagicMock(run_count=1))
    stand_ins = {"airflow": MagicMock(), "airflow.sdk": sdk, "prefect": prefect, "prefect.runtime": runtime}
    for name, module in stand_ins.items():
        monkeypatch.setitem(sys.modules, name, module)
    names = [f"databricks_async.manual.recipes.{name}" for name in ("airflow_task", "prefect_flow")]
    yield {name.rpartition(".")[2]: import_module(name) for name in names}
    for name in names:
        sys.modules.pop(name)


@pytest.mark.parametrize("workspace_clock", [Clock.by_hand()], ids=["by hand"])
async def test_the_tries_of_an_airflow_task_share_one_run(
    found_workspace: LocalWorkspace, orchestrated: dict[str, ModuleType]
) -> None:
    """The second and third repair what the first left; SIGTERM cancels the run."""
    run_job = orchestrated["airflow_task"].run_job
    found_workspace.script_task("/etl/load", error="no such table", times=2)
    found_workspace.script_task("/etl/load", output="12 rows")
    journal = found_workspace.journal

    async def attempt(endpoint: str, count: int) -> dict[str, str]:
        """Time passes only when the run is known to be new, or repaired."""
        task = asyncio.create_task(run_job(job.job_id, "token"))
        await journal.until(lambda journal: journal.count(endpoint) >= count)
        found_workspace.clock.advance(3600)
        found: dict[str, str] = await task
        return found

    async with WorkspaceClient() as w:
        job = await w.jobs.create(name="etl", tasks=TASKS)
        for endpoint, count in (("GET /api/{v}/jobs/runs/get", 2), (REPAIR, 1)):
            with pytest.raises(RunFailed, match="no such table"):
                await attempt(endpoint, count)
        assert await attempt(REPAIR, 2) == await run_job(job.job_id, "token") == {"load": "12 rows"}
        assert len(await w.jobs.list_runs().collect()) == 1
        found_workspace.script_task("/etl/load", duration=1e9)
        task = asyncio.create_task(run_job(job.job_id, "another"))
        async for change in w.jobs.watch_runs(job_id=job.job_id):
            if change.after and change.after.state and change.after.state.life_cycle_state == "RUNNING":
                break
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(asyncio.CancelledError):
            await task
        (latest,) = await w.jobs.list_runs(max_items=1).collect()
        found_workspace.clock.advance(3600)
        with pytest.raises(RunFailed, match="CANCELED"):
            await w.jobs.wait_run(latest.run_id or 0).result()


async def test_a_prefect_flow(found_workspace: LocalWorkspace, orchestrated: dict[str, ModuleType]) -> None:
    """Its jobs run at the same time."""
    found_workspace.script_task("/etl/load", output="12 rows")
    async with WorkspaceClient() as w:
        jobs = [await w.jobs.create(name="etl", tasks=TASKS) for _ in range(2)]
        outputs = await orchestrated["prefect_flow"].etl([job.job_id for job in jobs])
    assert outputs == [{"load": "12 rows"}] * 2
