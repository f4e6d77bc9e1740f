"""What type checkers find in the keywords of methods. Never run: mypy and pyright read it, and report idle comments."""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from databricks_async import WorkspaceClient
from databricks_async.clusters import AutoScale, AzureAttributes, DataSecurityMode
from databricks_async.jobs import JobCluster, NotebookTask, QueueSettings, Task


async def right(w: WorkspaceClient, tasks: list[Task], queue: QueueSettings) -> None:
    await w.clusters.create(
        cluster_name="etl",
        spark_version="15.4.x-scala2.12",
        autoscale=AutoScale(min_workers=1, max_workers=2),
        azure_attributes={"availability": "SPOT_AZURE"},
        data_security_mode="SINGLE_USER",
        spark_conf={"spark.speculation": True},
        idempotency_token="once",
    )
    await w.clusters.create(data_security_mode=DataSecurityMode.SINGLE_USER, num_workers=None)
    await w.clusters.create_and_wait(num_workers=1, timeout=60)
    await w.clusters.edit("id", num_workers=2, custom_tags={"team": "a"})
    await w.clusters.edit_and_wait("id", azure_attributes=AzureAttributes(first_on_demand=1))
    await w.jobs.create(name="etl", tasks=tasks, queue=queue, job_clusters=[JobCluster(job_cluster_key="c")])
    await w.jobs.create(name="etl", tasks=[{"task_key": "a"}, Task(task_key="b")], max_concurrent_runs=1)
    await w.jobs.create(name="one", notebook_task=NotebookTask(notebook_path="/x"), existing_cluster_id="id")
    await w.jobs.run_now(1, job_parameters={"day": "1", "count": 2}, jar_params=["a"])
    await w.jobs.run_now(job_id=1, only=["a"])
    await w.jobs.run_now_and_wait(1, notebook_params={"a": "b"}, timeout=60)
    await w.jobs.submit(run_name="once", tasks=[{"task_key": "a"}], timeout_seconds=60)
    await w.jobs.submit_and_wait(run_name="once", notebook_task={"notebook_path": "/x"}, timeout=60)
    await w.jobs.repair_run(1, rerun_tasks=["a"], latest_repair_id=2)
    await w.jobs.repair_run_and_wait(1, rerun_all_failed_tasks=True)
    await w.jobs.run_now(1).result(timeout=60)


async def wrong_names(w: WorkspaceClient) -> None:
    await w.clusters.create(cluster_nam="etl")  # type: ignore[call-arg]
    await w.clusters.create_and_wait(cluster_nam="etl")  # type: ignore[call-arg]
    await w.clusters.edit("id", workers=1)  # type: ignore[call-arg]
    await w.clusters.edit_and_wait("id", workers=1)  # type: ignore[call-arg]
    await w.clusters.update("id", "num_workers", num_workers=1)  # type: ignore[call-arg]
    await w.clusters.update_and_wait("id", "num_workers", num_workers=1)  # type: ignore[call-arg]
    await w.jobs.create(nme="etl")  # type: ignore[call-arg]
    await w.jobs.update(1, name="etl")  # type: ignore[call-arg]
    await w.jobs.run_now(1, parameters={})  # type: ignore[call-arg]
    await w.jobs.run_now_and_wait(1, parameters={})  # type: ignore[call-arg]
    await w.jobs.submit(name="once")  # type: ignore[call-arg]
    await w.jobs.submit_and_wait(name="once")  # type: ignore[call-arg]
    await w.jobs.repair_run(1, tasks=["a"])  # type: ignore[call-arg]
    await w.jobs.repair_run_and_wait(1, tasks=["a"])  # type: ignore[call-arg]
    WorkspaceClient(hots="https://adb-1.2.azuredatabricks.net")  # type: ignore[call-arg]


async def wrong_types(w: WorkspaceClient) -> None:
    await w.clusters.create(num_workers="many")  # type: ignore[arg-type]
    await w.clusters.create_and_wait(autoscale=NotebookTask(notebook_path="/x"))  # type: ignore[arg-type]
    await w.clusters.edit("id", spark_conf=["a"])  # type: ignore[arg-type]
    await w.clusters.edit_and_wait("id", enable_elastic_disk="yes")  # type: ignore[arg-type]
    await w.clusters.update("id", 1)  # type: ignore[arg-type]
    await w.clusters.update_and_wait("id", "num_workers", 1)  # type: ignore[arg-type]
    await w.jobs.create(name=1)  # type: ignore[arg-type]
    await w.jobs.update("1")  # type: ignore[arg-type]
    await w.jobs.run_now("1")  # type: ignore[arg-type]
    await w.jobs.run_now_and_wait(1, job_parameters=["a"])  # type: ignore[arg-type]
    await w.jobs.submit(tasks={"task_key": "a"})  # type: ignore[arg-type]
    await w.jobs.submit_and_wait(timeout_seconds="60")  # type: ignore[arg-type]
    await w.jobs.repair_run(1, rerun_tasks="a")  # type: ignore[arg-type]
    await w.jobs.repair_run_and_wait(1, latest_repair_id="2")  # type: ignore[arg-type]
    WorkspaceClient(retry_timeout_seconds="soon")  # type: ignore[arg-type]
