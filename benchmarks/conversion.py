"""What conversion costs: bytes to typed objects and back, against the official SDK and against parsing alone.

Defends, in CPU time and the same run, every type checked and nothing lost: a page of clusters is read at <= 2.2 times
the cost of `orjson.loads` alone, and >= 2.5 times as fast as with the official SDK's `json.loads` and `from_dict`; a
page of runs with their tasks at <= 3.2 times the cost of parsing, and >= 4 times as fast as with the official SDK; a
page of events at <= 3.8 times the cost of parsing, and >= 6 times as fast as with the official SDK; writing is >= 2
times as fast as the official `as_dict` and `json.dumps`.

    python benchmarks/conversion.py [--quick]
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import orjson
from databricks.sdk.service import compute
from databricks.sdk.service import jobs as official_jobs
from harness import Gate

from databricks_async import codec
from databricks_async.clusters import models
from databricks_async.jobs import models as job_models

KEY = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQC7" + "x" * 520 + " someone@example.com"
ENDS = ("INACTIVITY", "USER_REQUEST", "CLOUD_PROVIDER_LAUNCH_FAILURE", "AZURE_QUOTA_EXCEEDED_EXCEPTION")


def cluster(number: int) -> dict[str, Any]:
    """What a list says about a cluster: of two, one runs on six machines and one has ended. About 3.6 KB on average."""
    reported = {
        "cluster_id": f"0923-{number:06d}-meows279",
        "creator_user_name": "someone@example.com",
        "cluster_name": f"shared autoscaling {number}",
        "spark_version": "15.4.x-scala2.12",
        "spark_conf": {
            "spark.databricks.delta.preview.enabled": "true",
            "spark.sql.shuffle.partitions": "200",
            "spark.databricks.io.cache.enabled": "true",
            "spark.hadoop.fs.azure.account.auth.type.lake.dfs.core.windows.net": "OAuth",
            "spark.hadoop.fs.azure.account.oauth2.client.secret.lake.dfs.core.windows.net": "{{secrets/lake/secret}}",
            "spark.hadoop.fs.azure.account.oauth2.client.endpoint.lake.dfs.core.windows.net": (
                "https://login.microsoftonline.com/2f4a9838-26b7-47ee-be60-ccc1fdec5953/oauth2/token"
            ),
        },
        "azure_attributes": {
            "first_on_demand": 1,
            "availability": "SPOT_WITH_FALLBACK_AZURE",
            "spot_bid_max_price": -1.0,
        },
        "node_type_id": "Standard_DS3_v2",
        "driver_node_type_id": "Standard_DS3_v2",
        "ssh_public_keys": [KEY],
        "custom_tags": {"team": "data platform", "cost-centre": "4711", "environment": "production"},
        "cluster_log_conf": {"dbfs": {"destination": "dbfs:/cluster-logs"}},
        "init_scripts": [{"workspace": {"destination": "/Shared/init/install-agent.sh"}}],
        "spark_env_vars": {"PYSPARK_PYTHON": "/databricks/python3/bin/python3", "LANG": "C.UTF-8"},
        "autotermination_minutes": 120,
        "enable_elastic_disk": True,
        "cluster_source": "UI",
        "enable_local_disk_encryption": False,
        "instance_source": {"node_type_id": "Standard_DS3_v2"},
        "driver_instance_source": {"node_type_id": "Standard_DS3_v2"},
        "policy_id": "9C6308F703005DF2",
        "data_security_mode": "USER_ISOLATION",
        "runtime_engine": "PHOTON",
        "effective_spark_version": "15.4.x-photon-scala2.12",
        "start_time": 1_758_645_728_000 + number,
        "last_state_loss_time": 1_758_645_900_000,
        "last_activity_time": 1_758_649_900_000,
        "last_restarted_time": 1_758_645_990_000,
        "autoscale": {"min_workers": 2, "max_workers": 8, "target_workers": 5},
        "num_workers": 5,
        "default_tags": {
            "Vendor": "Databricks",
            "Creator": "someone@example.com",
            "ClusterName": f"shared autoscaling {number}",
            "ClusterId": f"0923-{number:06d}-meows279",
        },
        "cluster_log_status": {"last_attempted": 1_758_649_000_000},
    }
    if number % 2:
        return reported | {
            "state": "TERMINATED",
            "state_message": "Inactive cluster terminated (inactive for 120 minutes).",
            "terminated_time": 1_758_655_728_000,
            "termination_reason": {
                "code": ENDS[number // 2 % len(ENDS)],
                "type": "SUCCESS",
                "parameters": {"inactivity_duration_min": "120"},
            },
        }
    return reported | {
        "state": "RUNNING",
        "state_message": "",
        "driver": machine(number, 0),
        "executors": [machine(number, position) for position in range(1, 6)],
        "spark_context_id": 4_020_997_813_441_462_000 + number,
        "jdbc_port": 10_000,
        "cluster_memory_mb": 86_016,
        "cluster_cores": 24.0,
    }


def machine(number: int, position: int) -> dict[str, Any]:
    return {
        "public_dns": f"20.50.14.{position + 10}",
        "node_id": f"{number:031x}{position}",
        "instance_id": f"{number:031x}{position}",
        "start_timestamp": 1_758_645_728_000 + position,
        "host_private_ip": f"10.139.0.{position + 4}",
        "private_ip": f"10.139.64.{position + 4}",
    }


def event(number: int) -> dict[str, Any]:
    """One of the events in the life of an autoscaling cluster, about 170 bytes."""
    kind, details = [
        ("STARTING", {"user": "someone@example.com"}),
        ("INIT_SCRIPTS_FINISHED", {"init_scripts": {"reported_for_node": "10.139.64.4", "cluster": []}}),
        ("RUNNING", {"current_num_workers": 2, "target_num_workers": 2}),
        ("DRIVER_HEALTHY", {}),
        ("RESIZING", {"current_num_workers": 2, "target_num_workers": 8, "cause": "AUTOSCALE"}),
        ("UPSIZE_COMPLETED", {"current_num_workers": 8, "target_num_workers": 8, "cause": "AUTOSCALE"}),
        (
            "NODES_LOST",
            {"current_num_workers": 7, "reason": {"code": "SPOT_INSTANCE_TERMINATION", "type": "CLOUD_FAILURE"}},
        ),
        ("TERMINATING", {"reason": {"code": "INACTIVITY", "parameters": {"inactivity_duration_min": "120"}}}),
    ][number % 8]
    return {
        "cluster_id": "0923-164208-meows279",
        "timestamp": 1_758_645_728_000 + number,
        "type": kind,
        "details": details,
    }


def run(number: int) -> dict[str, Any]:
    """What a list says about a run of a nightly job of four tasks, one of which has failed. About 6.3 KB."""
    start = 1_758_645_728_000 + number * 86_400_000
    return {
        "job_id": 11_223_344,
        "run_id": 455_644_833 + number * 10,
        "number_in_job": 455_644_833 + number * 10,
        "original_attempt_run_id": 455_644_833 + number * 10,
        "creator_user_name": "someone@example.com",
        "run_name": "nightly load",
        "run_page_url": f"https://adb-1.2.azuredatabricks.net/?o=1#job/11223344/run/{455_644_833 + number * 10}",
        "run_type": "JOB_RUN",
        "trigger": "PERIODIC",
        "trigger_info": {},
        "format": "MULTI_TASK",
        "schedule": {
            "quartz_cron_expression": "0 0 2 * * ?",
            "timezone_id": "Europe/Berlin",
            "pause_status": "UNPAUSED",
        },
        "start_time": start,
        "end_time": start + 1_260_000,
        "setup_duration": 0,
        "execution_duration": 0,
        "cleanup_duration": 0,
        "run_duration": 1_260_000,
        "queue_duration": 0,
        "state": FAILED,
        "status": FAILED_STATUS,
        "job_clusters": [
            {
                "job_cluster_key": "shared",
                "new_cluster": {
                    "spark_version": "15.4.x-scala2.12",
                    "node_type_id": "Standard_DS3_v2",
                    "autoscale": {"min_workers": 2, "max_workers": 8},
                    "azure_attributes": {"availability": "ON_DEMAND_AZURE", "spot_bid_max_price": -1.0},
                    "spark_conf": {"spark.databricks.delta.preview.enabled": "true"},
                    "custom_tags": {"team": "data platform", "cost-centre": "4711"},
                    "spark_env_vars": {"PYSPARK_PYTHON": "/databricks/python3/bin/python3"},
                    "data_security_mode": "SINGLE_USER",
                    "runtime_engine": "PHOTON",
                },
            }
        ],
        "job_parameters": [
            {"name": "date", "default": "today", "value": "2025-09-23"},
            {"name": "source", "default": "lake"},
        ],
        "git_source": {
            "git_url": "https://github.com/example/pipelines",
            "git_provider": "gitHub",
            "git_branch": "main",
            "git_snapshot": {"used_commit": "4506fdf41e9fa98090570a34df7a5bce163ff15f"},
        },
        "tasks": [task(number, position, start) for position in range(4)],
    }


SUCCEEDED = {"life_cycle_state": "TERMINATED", "result_state": "SUCCESS", "state_message": ""}
FAILED = {
    "life_cycle_state": "TERMINATED",
    "result_state": "FAILED",
    "state_message": "Task publish failed with message: Workload failed, see run output for details.",
    "user_cancelled_or_timedout": False,
}
SUCCEEDED_STATUS = {
    "state": "TERMINATED",
    "termination_details": {"code": "SUCCESS", "type": "SUCCESS", "message": ""},
}
FAILED_STATUS = {
    "state": "TERMINATED",
    "termination_details": {
        "code": "RUN_EXECUTION_ERROR",
        "type": "CLIENT_ERROR",
        "message": "Task publish failed with message: Workload failed, see run output for details.",
    },
}
KINDS: list[dict[str, Any]] = [
    {"notebook_task": {"notebook_path": "pipelines/extract", "source": "GIT", "base_parameters": {"date": "today"}}},
    {
        "spark_python_task": {
            "python_file": "pipelines/transform.py",
            "source": "GIT",
            "parameters": ["--date", "{{job.parameters.date}}"],
        }
    },
    {
        "python_wheel_task": {
            "package_name": "checks",
            "entry_point": "main",
            "named_parameters": {"date": "{{job.parameters.date}}", "strict": "true"},
        }
    },
    {"notebook_task": {"notebook_path": "pipelines/publish", "source": "GIT", "base_parameters": {"target": "gold"}}},
]


def task(number: int, position: int, start: int) -> dict[str, Any]:
    name = ("extract", "transform", "check", "publish")
    failed = position == 3
    return {
        "run_id": 455_644_834 + number * 10 + position,
        "task_key": name[position],
        "depends_on": [{"task_key": name[position - 1]}] if position else [],
        "run_if": "ALL_SUCCESS",
        **KINDS[position],
        "job_cluster_key": "shared",
        "libraries": [{"pypi": {"package": "great-expectations==1.5"}}, {"whl": "/Shared/wheels/checks-1.2.whl"}],
        "max_retries": 2,
        "min_retry_interval_millis": 60_000,
        "retry_on_timeout": False,
        "timeout_seconds": 3_600,
        "email_notifications": {},
        "webhook_notifications": {},
        "notification_settings": {"no_alert_for_skipped_runs": False, "alert_on_last_attempt": True},
        "attempt_number": 0,
        "cluster_instance": {"cluster_id": "0923-164208-meows279", "spark_context_id": "4020997813441462000"},
        "run_page_url": f"https://adb-1.2.azuredatabricks.net/?o=1#job/11223344/run/{455_644_834 + position}",
        "start_time": start + position * 300_000,
        "end_time": start + position * 300_000 + 300_000,
        "setup_duration": 120_000,
        "execution_duration": 175_000,
        "cleanup_duration": 5_000,
        "queue_duration": 0,
        "state": FAILED if failed else SUCCEEDED,
        "status": FAILED_STATUS if failed else SUCCEEDED_STATUS,
    }


SPEC: dict[str, Any] = {
    name: cluster(7)[name]
    for name in (
        "cluster_name",
        "spark_version",
        "spark_conf",
        "azure_attributes",
        "node_type_id",
        "driver_node_type_id",
        "custom_tags",
        "cluster_log_conf",
        "init_scripts",
        "spark_env_vars",
        "autotermination_minutes",
        "enable_elastic_disk",
        "data_security_mode",
        "runtime_engine",
        "num_workers",
    )
}


def cost(job: Callable[[], Any], times: int) -> float:
    """CPU seconds of doing it once, averaged over so many times."""
    start = time.process_time()
    for _ in range(times):
        job()
    return (time.process_time() - start) / times


def times_as_much(job: Callable[[], Any], other: Callable[[], Any], seconds: float) -> float:
    """The median of what `job` costs in units of `other`, both measured side by side again and again.

    Both are done before: readers are made for objects that have come often, which is no cost of each page.
    """
    for one in (job, other):
        cost(one, 20)
    share = seconds / 120
    rounds = [max(1, round(share / cost(one, 5))) for one in (job, other)]
    return statistics.median(cost(job, rounds[0]) / cost(other, rounds[1]) for _ in range(60))


def clusters(gate: Gate, size: int, seconds: float) -> None:
    page = orjson.dumps({"clusters": [cluster(number) for number in range(size)], "next_page_token": "x"})
    ours = codec.decode(page, models.ListClustersResponse)
    official = compute.ListClustersResponse.from_dict(json.loads(page))
    if ours.as_dict() != orjson.loads(page):
        raise AssertionError("something was lost")
    gate.about(f"A page of {size} clusters, {len(page) / size:.0f} bytes each")

    def read() -> Any:
        return codec.decode(page, models.ListClustersResponse)

    gate.at_least(
        "reading: official SDK / ours",
        times_as_much(lambda: compute.ListClustersResponse.from_dict(json.loads(page)), read, seconds),
        2.5,
    )
    gate.at_most("reading: ours / parsing alone", times_as_much(read, lambda: orjson.loads(page), seconds), 2.2)
    gate.at_least(
        "writing: official SDK / ours",
        times_as_much(lambda: json.dumps(official.as_dict()).encode(), lambda: codec.encode(ours), seconds),
        2,
    )


def runs(gate: Gate, seconds: float) -> None:
    page = orjson.dumps({"runs": [run(number) for number in range(25)], "next_page_token": "x"})
    ours = codec.decode(page, job_models.ListRunsResponse)
    official = official_jobs.ListRunsResponse.from_dict(json.loads(page))
    if ours.as_dict() != orjson.loads(page):
        raise AssertionError("something was lost")
    gate.about(f"A page of 25 runs with their tasks, {len(page) / 25:.0f} bytes each")

    def read() -> Any:
        return codec.decode(page, job_models.ListRunsResponse)

    gate.at_least(
        "reading: official SDK / ours",
        times_as_much(lambda: official_jobs.ListRunsResponse.from_dict(json.loads(page)), read, seconds),
        4,
    )
    gate.at_most("reading: ours / parsing alone", times_as_much(read, lambda: orjson.loads(page), seconds), 3.2)
    gate.at_least(
        "writing: official SDK / ours",
        times_as_much(lambda: json.dumps(official.as_dict()).encode(), lambda: codec.encode(ours), seconds),
        2,
    )


def events(gate: Gate, seconds: float) -> None:
    page = orjson.dumps({"events": [event(number) for number in range(50)], "total_count": 5_000})
    gate.about(f"A page of 50 events, {len(page) / 50:.0f} bytes each")

    def read() -> Any:
        return codec.decode(page, models.GetEventsResponse)

    gate.at_least(
        "reading: official SDK / ours",
        times_as_much(lambda: compute.GetEventsResponse.from_dict(json.loads(page)), read, seconds),
        6,
    )
    gate.at_most("reading: ours / parsing alone", times_as_much(read, lambda: orjson.loads(page), seconds), 3.8)


def create(gate: Gate, seconds: float) -> None:
    ours, official = models.ClusterSpec.from_dict(SPEC), compute.ClusterSpec.from_dict(SPEC)
    gate.about("The body of a create")
    gate.at_least(
        "writing: official SDK / ours",
        times_as_much(lambda: json.dumps(official.as_dict()).encode(), lambda: codec.encode(ours), seconds),
        2,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="short and noisy: only shows that it runs")
    quick = parser.parse_args().quick
    seconds = 0.1 if quick else 2.0
    gate = Gate(quick)
    gc.freeze()  # what was imported is not part of any contender's garbage
    clusters(gate, 20, seconds)
    clusters(gate, 100, seconds)
    runs(gate, seconds)
    events(gate, seconds)
    create(gate, seconds)
    return gate.exit_code()


if __name__ == "__main__":
    sys.exit(main())
