"""When two models are equal: one comparison serves all of them."""

from __future__ import annotations

import attrs
import pytest

import databricks_async.clusters
import databricks_async.jobs
import databricks_async.libraries
import databricks_async.workspace
from databricks_async.clusters.models import AutoScale, ClusterSpec, CreateCluster
from databricks_async.codec import Model


@attrs.define(kw_only=True, repr=False)
class Own(AutoScale):
    """A model of a program's own, with the comparison that attrs makes."""

    mine: int | None = None


def spec(**changed):
    return ClusterSpec.from_dict(
        {"spark_version": "15.4", "num_workers": 2, "spark_conf": {"a": "b"}, "new": 1} | changed
    )


@pytest.mark.parametrize(
    "changed",
    [{"num_workers": 3}, {"spark_conf": {}}, {"new": 2}, {"newer": 1}, {"autoscale": {"min_workers": 1}}],
    ids=lambda changed: next(iter(changed)),
)
def test_models_are_equal_when_all_fields_are(changed):
    """Those within, and what is unknown, included."""
    assert spec() == spec()
    assert spec(**changed) == spec(**changed)
    assert spec() != spec(**changed)


def test_models_of_other_classes_are_not_equal():
    """However much alike they are; nor is a mapping."""
    given = {"min_workers": 1, "max_workers": 2}
    assert ClusterSpec.from_dict({}) != CreateCluster.from_dict({})
    assert AutoScale.from_dict(given) != Own.from_dict(given)
    assert Own.from_dict(given) != AutoScale.from_dict(given)
    assert Own.from_dict(given | {"mine": 1}) != Own.from_dict(given | {"mine": 2})
    assert AutoScale.from_dict(given) != given


def test_models_have_no_hash():
    """They can be changed."""
    for model in (spec(), Own()):
        with pytest.raises(TypeError, match="unhashable"):
            hash(model)


@pytest.mark.parametrize("package", ["clusters", "jobs", "libraries", "workspace"])
def test_models_share_one_comparison(package):
    """Compiling one for each costs every program that imports them a tenth of what their classes cost."""
    offered = vars(databricks_async)[package]
    models = [cls for name in offered.__all__ if isinstance(cls := getattr(offered, name), type)]
    models = [cls for cls in models if issubclass(cls, Model)]
    assert models
    assert [cls for cls in models if cls.__eq__ is not Model.__eq__] == []
