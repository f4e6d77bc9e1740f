"""Conversion: answers to typed objects and back, against the official SDK and against parsing alone.

The numbers that this file defends, each as a ratio of CPU time in the same process and run:

- a page of 20 or 100 clusters (3.6 KB each): at least 2.5 times as fast as the official SDK's `json.loads` and
  `from_dict`, at most 2.8 times the cost of `orjson.loads` alone; with every type checked and nothing lost
- a page of 50 events (170 bytes each): at least 6 times as fast as the official SDK
- writing: a page of clusters and the body of a create at least as fast as the official `as_dict` and `json.dumps`

Contenders take turns in rounds; a ratio is the median over the rounds, each round giving one pair.
`python benchmarks/conversion.py [--quick]` prints a table. Without --quick the exit code is 1 when a target is missed by
more than a tenth.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
from collections.abc import Callable
from statistics import median
from time import process_time_ns
from typing import Any, NamedTuple

import orjson
from databricks.sdk.service import compute

from databricks_async import codec
from databricks_async.clusters import models

Job = Callable[[], Any]


class Goal(NamedTuple):
    """One line of the table: how often `theirs` fits into `ours` is to be at least `least`, or at most `most`."""

    name: str
    ours: Job
    theirs: Job
    least: float | None = None
    most: float | None = None


def cluster(number: int) -> dict[str, Any]:
    """What `clusters/list` says about one running cluster, with two fields that no client knows."""
    node = f"{number:032x}"
    return {
        "cluster_id": f"0923-{number:06d}-meows279",
        "creator_user_name": "someone@example.com",
        "driver": _machine(node, 0),
        "executors": [_machine(node, position) for position in range(1, 6)],
        "spark_context_id": 4_020_997_813_441_462_000 + number,
        "jdbc_port": 10_000,
        "cluster_name": f"shared autoscaling {number}",
        "spark_version": "15.4.x-scala2.12",
        "spark_conf": {
            "spark.databricks.delta.preview.enabled": "true",
            "spark.sql.shuffle.partitions": "200",
            "spark.databricks.io.cache.enabled": "true",
        },
        "azure_attributes": {
            "first_on_demand": 1,
            "availability": "SPOT_WITH_FALLBACK_AZURE",
            "spot_bid_max_price": -1.0,
        },
        "node_type_id": "Standard_DS3_v2",
        "driver_node_type_id": "Standard_DS3_v2",
        "ssh_public_keys": ["ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQC7 someone@example.com"],
        "custom_tags": {"team": "data platform", "cost-centre": "4711", "environment": "production"},
        "cluster_log_conf": {"dbfs": {"destination": "dbfs:/cluster-logs"}},
        "init_scripts": [
            {"workspace": {"destination": "/Shared/init/install-agent.sh"}},
            {"volumes": {"destination": "/Volumes/main/default/init/certificates.sh"}},
        ],
        "spark_env_vars": {"PYSPARK_PYTHON": "/databricks/python3/bin/python3", "LANG": "C.UTF-8"},
        "autotermination_minutes": 120,
        "enable_elastic_disk": True,
        "disk_spec": {"disk_count": 0},
        "cluster_source": "UI",
        "enable_local_disk_encryption": False,
        "instance_source": {"node_type_id": "Standard_DS3_v2"},
        "driver_instance_source": {"node_type_id": "Standard_DS3_v2"},
        "policy_id": "9C6308F703005DF2",
        "data_security_mode": "USER_ISOLATION",
        "runtime_engine": "PHOTON",
        "effective_spark_version": "15.4.x-photon-scala2.12",
        "state": "RUNNING",
        "state_message": "",
        "start_time": 1_758_645_728_000 + number,
        "last_state_loss_time": 1_758_645_900_000,
        "last_activity_time": 1_758_649_900_000,
        "last_restarted_time": 1_758_645_990_000,
        "autoscale": {"min_workers": 2, "max_workers": 8, "target_workers": 5},
        "num_workers": 5,
        "cluster_memory_mb": 86_016,
        "cluster_cores": 24.0,
        "default_tags": {
            "Vendor": "Databricks",
            "Creator": "someone@example.com",
            "ClusterName": f"shared autoscaling {number}",
            "ClusterId": f"0923-{number:06d}-meows279",
        },
        "cluster_log_status": {"last_attempted": 1_758_649_000_000},
    }


def _machine(node: str, position: int) -> dict[str, Any]:
    return {
        "public_dns": f"20.50.14.{position + 10}",
        "node_id": f"{node}{position}",
        "instance_id": f"{node}-instance-{position}",
        "start_timestamp": 1_758_645_728_000 + position,
        "host_private_ip": f"10.139.0.{position + 4}",
        "private_ip": f"10.139.64.{position + 4}",
    }


def event(number: int) -> dict[str, Any]:
    """One event of a cluster that changes its size."""
    return {
        "cluster_id": "0923-164208-meows279",
        "timestamp": 1_758_645_728_000 + number,
        "type": "RESIZING",
        "details": {"current_num_workers": number % 8, "target_num_workers": 8, "cause": "AUTOSCALE"},
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


def goals() -> list[Goal]:
    """What is compared. Everything is read once before: making hooks is not part of it."""
    found = []
    for size in (20, 100):
        page = orjson.dumps({"clusters": [cluster(number) for number in range(size)], "next_page_token": "x"})

        def ours(page: bytes = page) -> Any:
            return codec.decode(page, models.ListClustersResponse)

        def theirs(page: bytes = page) -> Any:
            return compute.ListClustersResponse.from_dict(json.loads(page))

        def parsing(page: bytes = page) -> Any:
            return orjson.loads(page)

        mine, other = ours(), theirs()
        assert mine.as_dict() == parsing()  # noqa: S101 nothing is lost, or the comparison is worth nothing
        found += [
            Goal(f"read {size} clusters, official SDK / ours", ours, theirs, least=2.5),
            Goal(f"read {size} clusters, ours / parsing alone", parsing, ours, most=2.8),
            Goal(
                f"write {size} clusters, official SDK / ours",
                lambda mine=mine: codec.encode(mine),  # type: ignore[misc]
                lambda other=other: json.dumps(other.as_dict()).encode(),  # type: ignore[misc]
                least=1.0,
            ),
        ]
    events = orjson.dumps({"events": [event(number) for number in range(50)], "total_count": 5_000})
    spec, other_spec = models.ClusterSpec.from_dict(SPEC), compute.ClusterSpec.from_dict(SPEC)
    return [
        *found,
        Goal(
            "read 50 events, official SDK / ours",
            lambda: codec.decode(events, models.GetEventsResponse),
            lambda: compute.GetEventsResponse.from_dict(json.loads(events)),
            least=6.0,
        ),
        Goal(
            "read 50 events, ours / parsing alone",
            lambda: orjson.loads(events),
            lambda: codec.decode(events, models.GetEventsResponse),
            most=5.0,
        ),
        Goal(
            "write the body of a create, official SDK / ours",
            lambda: codec.encode(spec),
            lambda: json.dumps(other_spec.as_dict()).encode(),
            least=1.0,
        ),
    ]


def cost(job: Job, times: int) -> int:
    """CPU nanoseconds of doing it so many times."""
    start = process_time_ns()
    for _ in range(times):
        job()
    return process_time_ns() - start


def compare(goal: Goal, rounds: int, budget_ns: int) -> tuple[float, float]:
    """The median ratio of theirs to ours, and our microseconds."""
    times = [max(1, budget_ns // max(1, cost(job, 3) // 3)) for job in (goal.ours, goal.theirs)]
    ratios, ours = [], []
    for _ in range(rounds):
        one = cost(goal.ours, times[0]) / times[0]
        other = cost(goal.theirs, times[1]) / times[1]
        ratios.append(other / one)
        ours.append(one / 1_000)
    return median(ratios), median(ours)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few rounds, and never a failure")
    quick = parser.parse_args().quick
    rounds, budget_ns = (5, 2_000_000) if quick else (41, 10_000_000)
    missed = 0
    print(f"{'':52}{'ratio':>8}{'target':>10}{'µs':>10}")
    everything = goals()
    gc.collect()
    gc.freeze()
    for goal in everything:
        ratio, microseconds = compare(goal, rounds, budget_ns)
        target = f">= {goal.least:g}" if goal.least is not None else f"<= {goal.most:g}"
        bad = (goal.least is not None and ratio < goal.least * 0.9) or (goal.most is not None and ratio > goal.most * 1.1)
        missed += bad
        print(f"{goal.name:52}{ratio:8.2f}{target:>10}{microseconds:10.1f}{'  missed' if bad else ''}")
    return 1 if missed and not quick else 0


if __name__ == "__main__":
    sys.exit(main())
