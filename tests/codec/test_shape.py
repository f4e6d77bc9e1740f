"""Values of requests that are taken as the service takes them."""

from __future__ import annotations

import pytest

from databricks_async.clusters.models import ClusterDetails, ClusterSpec
from databricks_async.codec import WrongShape, build, decode, encode
from databricks_async.jobs.models import RunNow


def test_numbers_and_booleans_are_text_in_maps_and_lists_of_text() -> None:
    """Written as JSON has them, from keywords and mappings alike."""
    conf = {"spark.speculation": True, "spark.task.cpus": 2, "spark.locality": 0.5, "spark.master": "local[*]"}
    spec = build(ClusterSpec, spark_version="16.4.x-scala2.12", spark_conf=conf)
    as_text = {"spark.speculation": "true", "spark.task.cpus": "2", "spark.locality": "0.5", "spark.master": "local[*]"}
    assert spec.spark_conf == as_text
    run = build(RunNow, {"job_id": "7", "jar_params": [1, False, "x"], "notebook_params": {"n": 1}})
    assert encode(run) == b'{"jar_params":["1","false","x"],"notebook_params":{"n":"1"},"job_id":7}'


def test_they_are_read_so_too() -> None:
    """From a service that keeps them as they were sent."""
    cluster = decode(b'{"custom_tags": {"a": 1, "b": true}, "cluster_cores": "4.5"}', ClusterDetails)
    assert cluster.custom_tags == {"a": "1", "b": "true"}
    assert cluster.cluster_cores == 4.5


@pytest.mark.parametrize("value", [None, [], {}, float("nan")])
def test_other_things_are_no_text(value: object) -> None:
    """The error names their place."""
    with pytest.raises(WrongShape, match=r"^\$\.spark_conf\.a: expected text, got "):
        build(ClusterSpec, spark_version="16.4.x-scala2.12", spark_conf={"a": value})


@pytest.mark.parametrize("text", ["half", "nan", "1e999", "0x1", "", " 1", "1_000"])
def test_text_that_is_no_number(text: str) -> None:
    """Only what JSON would take as one."""
    with pytest.raises(WrongShape, match="expected a number, got text"):
        decode(b'{"cluster_cores": "%s"}' % text.encode(), ClusterDetails)
