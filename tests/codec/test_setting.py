"""What a field can be set to: a wrong type is told at once, and reading is not slowed by it."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest
from databricks.sdk.service import compute

from databricks_async.clusters import AutoScale, ClusterDetails, ClusterSpec, InitScriptInfo
from databricks_async.codec import Model, WrongShape
from databricks_async.jobs import JobSettings, Task


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("num_workers", "two", r"^\$\.num_workers: expected a whole number, got text$"),
        ("num_workers", True, r"^\$\.num_workers: expected a whole number, got true$"),
        ("enable_elastic_disk", "yes", r"^\$\.enable_elastic_disk: expected true or false, got text$"),
        ("cluster_name", 1, r"^\$\.cluster_name: expected text"),
        ("runtime_engine", 1, r"^\$\.runtime_engine: expected text"),
        ("autoscale", 5, r"^\$\.autoscale: expected an object"),
        ("autoscale", {"min_workers": "x"}, r"^\$\.autoscale\.min_workers: expected a whole number"),
        ("autoscale", InitScriptInfo(), r"^\$\.autoscale: expected AutoScale, got InitScriptInfo$"),
        ("init_scripts", [InitScriptInfo(), 7], r"^\$\.init_scripts\[1\]: expected an object"),
        ("init_scripts", "a", r"^\$\.init_scripts: expected a list"),
        ("spark_conf", {"a": [1]}, r"^\$\.spark_conf\.a: expected text"),
        ("unknown_fields", ["a"], r"^\$\.unknown_fields: expected an object"),
    ],
)
def test_a_wrong_type_is_told_when_it_is_set(name: str, value: Any, problem: str) -> None:
    """In an assignment and in the constructor; what was there before stays."""
    spec = ClusterSpec(spark_version="15.4.x-scala2.12")
    with pytest.raises(WrongShape, match=problem):
        setattr(spec, name, value)
    assert getattr(spec, name) is None
    with pytest.raises(WrongShape, match=problem):
        ClusterSpec(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("num_workers", 2),
        ("num_workers", "2"),
        ("num_workers", None),
        ("runtime_engine", "OF_TOMORROW"),
        ("autoscale", AutoScale(min_workers=1)),
        ("autoscale", {"min_workers": 1}),
        ("autoscale", compute.AutoScale(min_workers=1)),
        ("init_scripts", [InitScriptInfo()]),
        ("init_scripts", ({"workspace": {"destination": "/a"}},)),
        ("spark_conf", {"spark.speculation": True}),
    ],
)
def test_what_can_be_sent_can_be_set_and_stays_as_it_is(name: str, value: Any) -> None:
    spec = ClusterSpec()
    setattr(spec, name, value)
    assert getattr(spec, name) is value


def test_a_spec_is_filled_step_by_step() -> None:
    """What needs two fields is checked when the spec is sent."""
    settings = JobSettings()
    settings.tasks = tasks = []
    task = Task(task_key="a")
    tasks.append(task)
    task.timeout_seconds = 5
    assert settings.as_dict() == {"tasks": [{"task_key": "a", "timeout_seconds": 5}]}


def test_a_misspelt_field_is_named() -> None:
    spec = ClusterSpec()
    with pytest.raises(AttributeError, match=r"^ClusterSpec has no field 'num_worker': did you mean 'num_workers'\?$"):
        spec.num_worker = 1  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(AttributeError, match="'start'"):
        ClusterDetails(cluster_id="a").start = None  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


def test_fields_of_epoch_milliseconds_take_moments() -> None:
    cluster = ClusterDetails(cluster_id="a", start_time=datetime(2025, 9, 23, tzinfo=UTC))  # type: ignore[arg-type]
    assert cluster.start_time == 1758585600000
    cluster.terminated_time = cluster.start  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    assert cluster.terminated == cluster.start
    with pytest.raises(ValueError, match="terminated_time has no time zone: write "):
        setattr(cluster, "terminated_time", datetime(2025, 9, 23))  # noqa: B010 of a wrong type
    with pytest.raises(TypeError, match="terminated_time must be epoch milliseconds or a datetime, not float"):
        setattr(cluster, "terminated_time", 1.5)  # noqa: B010 of a wrong type


def test_what_is_read_is_of_its_own_class() -> None:
    """Objects are read without the checks, and have them afterwards."""
    cluster = ClusterDetails.from_dict({"cluster_id": "a", "autoscale": {"min_workers": 1}})
    assert (type(cluster), type(cluster.autoscale)) == (ClusterDetails, AutoScale)
    with pytest.raises(WrongShape):
        cluster.num_workers = "two"  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    for same in (
        copy.copy(cluster),
        copy.deepcopy(cluster),
        pickle.loads(pickle.dumps(cluster)),
        attrs.evolve(cluster),
    ):
        assert (type(same), same) == (ClusterDetails, cluster)


def test_classes_of_users_can_have_more() -> None:
    class Named(AutoScale):
        label = ""

    @attrs.define(kw_only=True, repr=False)
    class Sized(Model):
        size: int

    named = Named(min_workers=1)
    named.label = "x"
    named.anything = 1  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    assert (named.label, named.as_dict()) == ("x", {"min_workers": 1})
    with pytest.raises(WrongShape, match=r"\$\.size"):
        Sized(size="x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
