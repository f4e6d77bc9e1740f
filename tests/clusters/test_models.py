"""The models of clusters and libraries: complete, and with the few rules that they have of their own.

Here are the tests of `clusters/models/`.
"""

from __future__ import annotations

import dataclasses
import enum
from datetime import UTC, datetime
from types import ModuleType
from typing import Any, get_type_hints

import attrs
import orjson
import pytest
from databricks.sdk.service import compute

from databricks_async import codec
from databricks_async.clusters import models
from databricks_async.clusters.models import (
    AutoScale,
    ClusterDetails,
    ClusterEvent,
    ClusterSize,
    ClusterSpec,
    GetEventsResponse,
    ListClustersResponse,
    State,
    TerminationReason,
    TerminationReasonCode,
    UpdateClusterResource,
)
from databricks_async.codec import Model, OpenEnum, WrongShape
from databricks_async.front_door import public_names
from databricks_async.libraries import models as libraries


def made_of(module: ModuleType, base: type) -> list[Any]:
    return [one for one in (getattr(module, name) for name in public_names(module)) if issubclass(one, base)]


MODELS: list[type[Model]] = [
    model for model in made_of(models, Model) + made_of(libraries, Model) if model is not models.CreateCluster
]
"""Without the one of which the fields are keywords in the official SDK."""
ENUMS: list[type[OpenEnum]] = made_of(models, OpenEnum) + made_of(libraries, OpenEnum)


def name_of(one: type) -> str:
    return one.__name__


# --- Against the official SDK.


@pytest.mark.parametrize("ours", MODELS, ids=name_of)
def test_models_have_every_field_of_the_official_sdk(ours: type[Model]) -> None:
    """Same class names, same field names."""
    official = getattr(compute, ours.__name__)
    assert {field.name for field in dataclasses.fields(official)} <= set(attrs.fields_dict(ours))


@pytest.mark.parametrize("ours", ENUMS, ids=name_of)
def test_enums_have_every_word_of_the_official_sdk(ours: type[OpenEnum]) -> None:
    """Same class names, same member names, same words."""
    official: type[enum.Enum] = getattr(compute, ours.__name__)
    assert {name: word.value for name, word in official.__members__.items()}.items() <= {
        name: word.value for name, word in ours.__members__.items()
    }.items()


def test_every_class_that_an_answer_or_request_can_hold_is_there() -> None:
    """Following the fields of the official SDK's classes from each of ours leads to no class that is missing."""
    ours = {one.__name__ for one in (*MODELS, *ENUMS)}
    for model in MODELS:
        hints = get_type_hints(getattr(compute, model.__name__))
        for name in {found for hint in hints.values() for found in ours_by_name(hint)}:
            assert name in ours | {"GetEvents"}, f"{model.__name__} refers to {name}"


def ours_by_name(hint: Any) -> set[str]:
    inner = {name for one in getattr(hint, "__args__", ()) for name in ours_by_name(one)}
    return inner | ({hint.__name__} if getattr(hint, "__module__", "") == compute.__name__ else set())


@pytest.mark.parametrize("cls", MODELS, ids=name_of)
def test_models_are_slotted_and_say_what_they_are(cls: type[Model]) -> None:
    """A typing mistake in an assignment is an AttributeError, and help() says something."""
    with pytest.raises(AttributeError):
        cls.__new__(cls).mistake = 1  # type: ignore[attr-defined]
    assert cls.__doc__


# --- Answers that the specification shows.

MACHINE = {"private_ip": "example_value", "node_id": "500123", "start_timestamp": 10}
CLUSTER = {
    "cluster_id": "500123",
    "spark_version": "example_value",
    "num_workers": 10,
    "autoscale": {"min_workers": 10, "max_workers": 10},
    "state": "PENDING",
    "last_activity_time": 10,
    "cluster_source": "UI",
    "azure_attributes": {"first_on_demand": 10, "availability": "SPOT_AZURE", "spot_bid_max_price": 42.5},
    "cluster_log_conf": {
        "s3": {"destination": "example_value", "region": "example_value", "endpoint": "example_value"}
    },
    "termination_reason": {"code": "example_value", "type": "example_value"},
    "data_security_mode": "example_value",
    "runtime_engine": "example_value",
    "disk_spec": {"disk_count": 10, "disk_size": 10, "disk_type": {"azure_disk_volume_type": "example_value"}},
    "executors": [MACHINE],
    "driver": MACHINE,
    "cluster_cores": 42.5,
}


def test_a_cluster_as_the_specification_shows_it_is_read_whole() -> None:
    """Words that are no words of the service stay, and every field has its place."""
    cluster = codec.decode(orjson.dumps(CLUSTER), ClusterDetails)
    assert cluster.state is State.PENDING
    assert cluster.termination_reason == TerminationReason.from_dict({"code": "example_value", "type": "example_value"})
    assert cluster.unknown_fields is None
    assert cluster.as_dict() == CLUSTER


@pytest.mark.parametrize(
    ("cls", "part", "problem"),
    [
        (ClusterDetails, {"spark_conf": "example_value"}, "$.spark_conf: expected an object, got text"),
        (ClusterDetails, {"custom_tags": "example_value"}, "$.custom_tags: expected an object, got text"),
        (
            ClusterDetails,
            {"init_scripts": [{"dbfs": {"destination": {}}}]},
            "$.init_scripts[0].dbfs.destination: expected text, got an object",
        ),
        (ClusterDetails, {"start_time": "2024-01-01T00:00:00Z"}, "$.start_time: expected a whole number, got text"),
        (ClusterDetails, {"cluster_id": 500123}, "$.cluster_id: expected text, got a number"),
        (GetEventsResponse, {"next_page": "example_value"}, "$.next_page: expected an object, got text"),
    ],
)
def test_examples_that_contradict_the_schemas_are_errors_of_one_kind(
    cls: type[Model], part: dict[str, Any], problem: str
) -> None:
    """Maps given as text, ids as numbers, dates for milliseconds: `WrongShape`, and never another exception."""
    with pytest.raises(WrongShape) as caught:
        codec.decode(orjson.dumps({"cluster_id": "500123", **part}), cls)
    assert str(caught.value) == problem


def test_a_page_of_events_keeps_its_next_page_as_it_is() -> None:
    """The request of the next page is sent back word for word, so it stays plain."""
    body = {
        "events": [{"cluster_id": "a", "timestamp": 10, "type": "NEW"}],
        "next_page": {"cluster_id": "a", "offset": 50, "new": None},
    }
    page = codec.decode(orjson.dumps(body), GetEventsResponse)
    assert page.next_page == {"cluster_id": "a", "offset": 50, "new": None}
    assert page.as_dict() == body


def test_an_odd_item_does_not_spoil_a_listing() -> None:
    """A cluster of which even the id is missing is read like the others."""
    page = codec.decode(b'{"clusters": [{"cluster_id": "a"}, {"state": "RUNNING"}]}', ListClustersResponse)
    assert page.clusters is not None
    assert [cluster.cluster_id for cluster in page.clusters] == ["a", None]


# --- Times.


def test_times_are_milliseconds_and_datetimes() -> None:
    """The fields are the numbers of the service, the properties the same moments in UTC; 0 is not a moment."""
    cluster = ClusterDetails(cluster_id="a", start_time=1_758_645_728_123, terminated_time=0)
    assert cluster.started_at == datetime(2025, 9, 23, 16, 42, 8, 123_000, tzinfo=UTC)
    assert cluster.terminated_at is None
    assert ClusterEvent(cluster_id="a", timestamp=1_000).time == datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
    assert ClusterEvent(cluster_id="a").time is None


# --- What cannot be asked for.


@pytest.mark.parametrize("cls", [ClusterSpec, ClusterSize, UpdateClusterResource], ids=name_of)
def test_a_cluster_has_one_size(cls: type[Model]) -> None:
    """Both num_workers and autoscale are a ValueError, however the request is built."""
    both: dict[str, Any] = {"num_workers": 0, "autoscale": {"min_workers": 1, "max_workers": 2}}
    version: dict[str, Any] = {"spark_version": "1"} if cls is ClusterSpec else {}
    made = cls(**version, num_workers=0, autoscale=AutoScale(min_workers=1))  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="num_workers or autoscale, not both"):
        codec.build(cls, made)
    with pytest.raises(ValueError, match="not both"):
        codec.build(cls, {**version, **both})
    with pytest.raises(ValueError, match="not both"):
        codec.build(cls, **version, **both)
    changed: Any = cls(**version, num_workers=1)  # type: ignore[call-arg]
    changed.autoscale = AutoScale(max_workers=2)
    with pytest.raises(ValueError, match="not both"):
        codec.build(cls, changed)


def test_an_answer_may_have_both_sizes() -> None:
    """The service reports the present number beside the limits."""
    both = {"num_workers": 2, "autoscale": {"min_workers": 1}}
    answer = {"cluster_id": "a", **both, "spec": {"spark_version": "1", **both}}
    cluster = codec.decode(orjson.dumps(answer), ClusterDetails)
    assert (cluster.num_workers, cluster.autoscale) == (2, AutoScale(min_workers=1))
    assert cluster.as_dict() == answer
    assert cluster.to_spec().as_dict() == {"spark_version": "1", "autoscale": {"min_workers": 1}}


def test_a_cluster_needs_a_version() -> None:
    """Unless a policy gives it."""
    with pytest.raises(ValueError, match="needs a spark_version"):
        codec.build(ClusterSpec, ClusterSpec(cluster_name="a"))
    with pytest.raises(ValueError, match="needs a spark_version"):
        codec.build(ClusterSpec, {"cluster_name": "a"})
    assert ClusterSpec(policy_id="p").as_dict() == {"policy_id": "p"}


# --- From what is to what is asked for.


def test_to_spec_takes_the_spec_of_the_service() -> None:
    """What was asked for is better than what came of it."""
    spec = {"spark_version": "1", "num_workers": 2, "custom_tags": {}, "new": 1}
    cluster = ClusterDetails.from_dict({"cluster_id": "a", "spark_version": "2", "node_type_id": "n", "spec": spec})
    asked = cluster.to_spec()
    assert asked.as_dict() == spec
    assert asked is not cluster.spec
    assert cluster.spec is not None
    asked.num_workers = 3
    assert cluster.spec.num_workers == 2


def test_to_spec_keeps_all_that_a_person_set() -> None:
    """Without the spec: every shared field, unknown ones too, and nothing that only the service reports."""
    shared = {
        "spark_version": "1",
        "autoscale": {"min_workers": 1, "max_workers": 2, "new": True},
        "custom_tags": {},
        "spark_conf": {"a": "b"},
        "init_scripts": [{"workspace": {"destination": "/a"}}],
        "new_setting": {"a": [1]},
    }
    answer = {
        "cluster_id": "a",
        "state": "RUNNING",
        "num_workers": 2,
        "default_tags": {"a": "b"},
        "start_time": 1,
        "policy_id": None,
    }
    spec = ClusterDetails.from_dict({**shared, **answer}).to_spec()
    assert isinstance(spec, ClusterSpec)
    assert spec.as_dict() == shared
    assert codec.build(ClusterSpec, spec) == spec


def test_to_spec_of_a_cluster_in_a_pool_leaves_the_machines_to_the_pool() -> None:
    """The service reports the node type of the pool, and refuses it in a request."""
    cluster = ClusterDetails.from_dict(
        {
            "cluster_id": "a",
            "spark_version": "1",
            "instance_pool_id": "p",
            "node_type_id": "n",
            "enable_elastic_disk": True,
        }
    )
    assert cluster.to_spec().as_dict() == {"spark_version": "1", "instance_pool_id": "p"}


def test_the_reason_for_the_end_is_a_word() -> None:
    """Known reasons are members, so that code can compare them."""
    cluster = codec.decode(b'{"cluster_id": "a", "termination_reason": {"code": "INACTIVITY"}}', ClusterDetails)
    assert cluster.termination_reason is not None
    assert cluster.termination_reason.code is TerminationReasonCode.INACTIVITY
