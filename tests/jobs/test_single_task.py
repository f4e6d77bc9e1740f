"""The single-task format of version 2.0: accepted wherever settings are, and sent as a list of tasks."""

from __future__ import annotations

import pytest

from databricks_async.codec import WrongShape
from databricks_async.jobs.models import JobSettings, NotebookTask, SubmitRun
from databricks_async.jobs.single_task import with_tasks

CLUSTER = {"spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}
AIRFLOW = {
    "run_name": "nightly load #1",
    "notebook_task": {"notebook_path": "/load", "base_parameters": {"day": 1, "full": True}},
    "new_cluster": CLUSTER,
    "libraries": [{"pypi": {"package": "six"}}],
    "timeout_seconds": 600,
}
AS_TASKS = {
    "run_name": "nightly load #1",
    "timeout_seconds": 600,
    "tasks": [
        {
            "task_key": "nightly_load__1",
            "notebook_task": {"notebook_path": "/load", "base_parameters": {"day": "1", "full": "true"}},
            "new_cluster": CLUSTER,
            "libraries": AIRFLOW["libraries"],
        }
    ],
}
pytestmark = pytest.mark.parametrize("version", ["2.1", "2.2"])


def bodies(workspace, endpoint):
    return [
        {name: value for name, value in call.body.items() if name != "idempotency_token"}
        for call in workspace.journal.calls(endpoint)
    ]


async def test_a_run(w, workspace):
    """As a mapping, as keywords, and as a model that was read from such a mapping."""
    for given, fields in ((AIRFLOW, {}), (None, AIRFLOW), (SubmitRun.from_dict(AIRFLOW), {})):
        wait = await w.jobs.submit(given, **fields)
        run = await w.jobs.get_run(wait.run_id)
        assert [task.task_key for task in run.tasks] == ["nightly_load__1"]
    assert bodies(workspace, "POST /api/{v}/jobs/runs/submit") == [AS_TASKS] * 3


async def test_a_job(w, workspace):
    """Settings of the task leave the top, those that jobs have too stay."""
    fields = {"name": "old", "new_cluster": CLUSTER, "max_retries": 2, "email_notifications": {"on_start": ["a@b"]}}
    await w.jobs.create(**fields, notebook_task=NotebookTask(notebook_path="/a"))
    job = (
        await w.jobs.create({"name": "x", "tasks": [{"task_key": "a", "notebook_task": {"notebook_path": "/"}}]})
    ).job_id
    await w.jobs.reset(
        job, JobSettings.from_dict({**fields, "format": "SINGLE_TASK", "notebook_task": {"notebook_path": "/a"}})
    )
    sent = {
        "name": "old",
        "email_notifications": {"on_start": ["a@b"]},
        "tasks": [
            {
                "task_key": "old",
                "new_cluster": CLUSTER,
                "max_retries": 2,
                "notebook_task": {"notebook_path": "/a"},
            }
        ],
    }
    assert bodies(workspace, "POST /api/{v}/jobs/create")[0] == sent
    (reset,) = bodies(workspace, "POST /api/{v}/jobs/reset")
    assert reset["new_settings"] == sent


async def test_mistakes_are_found_as_in_a_list_of_tasks(w, workspace):
    """Nothing is sent."""
    with pytest.raises(
        WrongShape, match=r"\$\.tasks\[0\]\.notebook_task\.notebook_path: expected text, got the number 5"
    ):
        await w.jobs.submit(notebook_task={"notebook_path": 5})
    assert not workspace.journal.entries


def test_a_task_of_a_service_newer_than_this_library(version):
    """It is sent as it is; whether it is one is for the service to say."""
    task = {"task_key": "task", "quantum_task": {"bits": 3}}
    assert with_tasks(SubmitRun, {"quantum_task": {"bits": 3}}) == {"tasks": [task]}
