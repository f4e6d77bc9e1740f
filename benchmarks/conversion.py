"""What conversion costs: bytes to typed objects and back, against the official SDK and against parsing alone.

Defends, in CPU time and the same run: a page of clusters is read >= 2.5 times as fast as with the official SDK's
`json.loads` and `from_dict`, and at <= 2.8 times the cost of `orjson.loads` alone, every type checked and nothing
lost; a page of events >= 6 times as fast as with the official SDK, and at <= 5 times the cost of parsing; writing is at
least as fast as the official `as_dict` and `json.dumps`.

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
from harness import Gate

from databricks_async import codec
from databricks_async.clusters import models

KEY = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQC7" + "x" * 520 + " someone@example.com"
ENDS = ("INACTIVITY", "USER_REQUEST", "CLOUD_PROVIDER_LAUNCH_FAILURE", "AZURE_QUOTA_EXCEEDED_EXCEPTION")


def cluster(number: int) -> dict[str, Any]:
    """What a list says about a cluster: of two, one runs on six machines and one has ended. About 3.6 KB on average."""
    told = {
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
        return told | {
            "state": "TERMINATED",
            "state_message": "Inactive cluster terminated (inactive for 120 minutes).",
            "terminated_time": 1_758_655_728_000,
            "termination_reason": {
                "code": ENDS[number // 2 % len(ENDS)],
                "type": "SUCCESS",
                "parameters": {"inactivity_duration_min": "120"},
            },
        }
    return told | {
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
    """The median of what `job` costs in units of `other`, both measured side by side again and again."""
    turn = seconds / 60
    turns = [max(1, round(turn / cost(one, 5))) for one in (job, other)]
    return statistics.median(cost(job, turns[0]) / cost(other, turns[1]) for _ in range(30))


def clusters(gate: Gate, size: int, seconds: float) -> None:
    page = orjson.dumps({"clusters": [cluster(number) for number in range(size)], "next_page_token": "x"})
    ours = codec.decode(page, models.ListClustersResponse)
    official = compute.ListClustersResponse.from_dict(json.loads(page))
    if ours.as_dict() != orjson.loads(page):
        raise AssertionError("something was lost")
    print(f"A page of {size} clusters, {len(page) / size:.0f} bytes each")

    def read() -> Any:
        return codec.decode(page, models.ListClustersResponse)

    gate.at_least(
        "reading: official SDK / ours",
        times_as_much(lambda: compute.ListClustersResponse.from_dict(json.loads(page)), read, seconds),
        2.5,
    )
    gate.at_most("reading: ours / parsing alone", times_as_much(read, lambda: orjson.loads(page), seconds), 2.8)
    gate.at_least(
        "writing: official SDK / ours",
        times_as_much(lambda: json.dumps(official.as_dict()).encode(), lambda: codec.encode(ours), seconds),
        1,
    )


def events(gate: Gate, seconds: float) -> None:
    page = orjson.dumps({"events": [event(number) for number in range(50)], "total_count": 5_000})
    print(f"A page of 50 events, {len(page) / 50:.0f} bytes each")

    def read() -> Any:
        return codec.decode(page, models.GetEventsResponse)

    gate.at_least(
        "reading: official SDK / ours",
        times_as_much(lambda: compute.GetEventsResponse.from_dict(json.loads(page)), read, seconds),
        6,
    )
    gate.at_most("reading: ours / parsing alone", times_as_much(read, lambda: orjson.loads(page), seconds), 5)


def create(gate: Gate, seconds: float) -> None:
    ours, official = models.ClusterSpec.from_dict(SPEC), compute.ClusterSpec.from_dict(SPEC)
    print("The body of a create")
    gate.at_least(
        "writing: official SDK / ours",
        times_as_much(lambda: json.dumps(official.as_dict()).encode(), lambda: codec.encode(ours), seconds),
        1,
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
    events(gate, seconds)
    create(gate, seconds)
    return gate.exit_code()


if __name__ == "__main__":
    sys.exit(main())
