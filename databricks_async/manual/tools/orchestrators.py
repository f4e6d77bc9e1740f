"""Runs the recipes for Airflow, Prefect and Jupyter in environments of their own, against a local workspace.

`python -m databricks_async.manual.tools.orchestrators [DIRECTORY [PACKAGE ...]]` makes an environment for each below
the directory (`build/orchestrators`), from the package index, and shows what they print. Takes minutes, and `.ci/run`
does not call it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

from databricks_async.local import Clock, LocalWorkspace
from databricks_async.manual.tools import HOME, ROOT

CELLS = """
import pathlib, sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for cell in pathlib.Path(sys.argv[1]).read_text().split("\\n# %%")[1:]:
    shell.run_cell("#" + cell).raise_error()
"""


def environment(directory: Path, *packages: str) -> Path:
    """Its Python; what is there is used again."""
    python = directory / "bin" / "python"
    if not python.exists():
        venv.create(directory, with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--editable", ROOT, *packages], check=True)  # noqa: S603
    return python


def main(directory: Path, only: list[str]) -> int:
    """Returns how many programs failed."""
    recipes, failed = HOME / "recipes", 0
    with LocalWorkspace(clock=Clock.sped_up(1000)) as workspace:
        workspace.script_task("/etl/load", error="no such table", times=1)
        workspace.script_task("/etl/load", output="12 rows")
        task = {"task_key": "load", "notebook_task": {"notebook_path": "/etl/load"}}
        for job_id in (1, 2):
            settings = {"name": f"etl {job_id}", "max_concurrent_runs": 10, "tasks": [task]}
            workspace.load({"jobs": [{"job_id": job_id, "settings": settings}]})
        cluster = {"cluster_id": "0923-164208-meows279", "cluster_name": "etl", "state": "RUNNING", "num_workers": 1}
        workspace.load({**cluster, "spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_DS3_v2"})
        for package, commands in {
            "apache-airflow": [
                ["-m", "airflow", "db", "migrate"],
                [str(recipes / "airflow_task.py"), "1"],
            ],
            "prefect": [[str(recipes / "prefect_flow.py"), "1", "2"]],
            "ipython": [["-c", CELLS, str(recipes / "notebook.py")]],
        }.items():
            if only and package not in only:
                continue
            python = environment(directory / package, package)
            variables = {name: value for name, value in os.environ.items() if not name.startswith("DATABRICKS_")} | {
                "DATABRICKS_HOST": workspace.url,
                "DATABRICKS_TOKEN": workspace.token,
                "AIRFLOW_HOME": str(directory / "airflow-home"),
                "AIRFLOW__CORE__DAGS_FOLDER": str(recipes),
                "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
                "PREFECT_HOME": str(directory / "prefect-home"),
                "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "300",
                "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
                "SCARF_ANALYTICS": "false",
                "NO_PROXY": "127.0.0.1,localhost",
            }
            for command in commands:
                print("+", package, *command[-2:], flush=True)
                failed += subprocess.run([python, *command], env=variables).returncode != 0  # noqa: S603
        calls = [call.endpoint for call in workspace.journal.calls()]
        print({endpoint: calls.count(endpoint) for endpoint in sorted({*calls})})
    return failed


if __name__ == "__main__":
    sys.exit(main(Path(*sys.argv[1:2] or ["build/orchestrators"]).resolve(), sys.argv[2:]))
